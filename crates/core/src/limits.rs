//! Every limit of the contract, in one place (design A8, R6, R11). Sizes are bytes of UTF-8 JSON, times are milliseconds.

/// A member's presence.
pub const PRESENCE_MAX: usize = 4 * 1024;
/// A member's metadata, given with `join`.
pub const MEMBER_METADATA_MAX: usize = 4 * 1024;
/// A room's shared metadata.
pub const ROOM_METADATA_MAX: usize = 32 * 1024;
/// Live keys of a room's metadata, enforced where they are written.
pub const ROOM_METADATA_KEYS: usize = 128;
/// Metadata cells a replica keeps, tombstones counted (design R11).
pub const METADATA_CELLS: usize = 1024;
/// What readers are shown of a room's metadata that others filled beyond its limits: so many of the newest keys, so many
/// bytes of them, and so much memory, so that no peer can make every reader carry megabytes about.
pub const METADATA_SHOWN: (usize, usize, usize) = (2 * ROOM_METADATA_KEYS, 2 * ROOM_METADATA_MAX, 768 * 1024);
/// Board cells a replica keeps, tombstones counted (design R11).
pub const BOARD_CELLS: usize = 32_768;
/// Messages a replica keeps.
pub const LOG_CELLS: usize = 500;
/// Of a private room: people that were in it, newest kept.
pub const ROSTER_CELLS: usize = 1024;
/// Of a private room: who is a host and whose writing is void, each a cell.
pub const ACCESS_CELLS: usize = 1024;
/// Of a private room: parts of changed keys. A key for the most that it can be for has one more than these.
pub const KEY_CELLS: usize = 4 * (RECIPIENTS_MAX + 1);
/// Identities that a changed key of a private room can be for.
pub const RECIPIENTS_MAX: usize = MEMBERS_MAX;
/// Notes on a board, enforced where they are written.
pub const NOTES_MAX: usize = 2_000;
/// Keys at the top of a bag.
pub const TOP_KEYS: usize = 64;
/// Objects in a bag or a shared value, at all levels. One that is built takes hundreds of bytes, however short it is as
/// JSON: without this limit a member of 4 KiB would be one of half a megabyte.
pub const OBJECTS_MAX: usize = 256;
/// Objects that one frame brings to all records: four members that are full of them.
pub const FRAME_OBJECTS_MAX: usize = 4 * OBJECTS_MAX;
/// Bytes of one key.
pub const KEY_MAX: usize = 64;
/// Levels of nesting; the bag itself is the first.
pub const DEPTH_MAX: usize = 8;
/// Bytes of one string.
pub const STRING_MAX: usize = 2 * 1024;
/// Bytes of the text of a note or message.
pub const TEXT_MAX: usize = 4 * 1024;
/// Bytes of the name of an actor.
pub const NAME_MAX: usize = 256;
/// Characters of a room or member id.
pub const ID_MAX_CHARS: usize = 128;
/// Members in a room.
pub const MEMBERS_MAX: usize = 256;
/// Rooms in one process.
pub const ROOMS_MAX: usize = 32;
/// `members()` answers this many when not told otherwise.
pub const MEMBERS_LIMIT_DEFAULT: u32 = 100;
/// The most that one page of `members()` holds.
pub const MEMBERS_LIMIT_MAX: u32 = 1000;
/// One frame that is published to the room.
pub const FRAME_MAX: usize = 12 * 1024;
/// One frame to a single peer: a page of anti-entropy (design R12).
pub const PAGE_MAX: usize = 32 * 1024;

/// Between two heartbeats, before the jitter of a fifth either way (design R6).
pub const BEAT_MS: u64 = 2_000;
/// Silence after which a member is `stale`.
pub const STALE_MS: u64 = 5_000;
/// From the closing of a link to `left{disconnected}`.
pub const DISCONNECTED_MS: u64 = 5_000;
/// Silence after which a member has left, reason `timeout`.
pub const TIMEOUT_MS: u64 = 10_000;
/// When a leave is sent again after the first time, so that it goes out three times (design R8).
pub const LEAVE_REPEATS_MS: [u64; 2] = [200, 400];
/// Departed sessions remembered, so that no old frame brings one back.
pub const DEPARTED_MAX: usize = 1024;
/// One `Ask` for the records of one session in this time (design R5).
pub const ASK_EVERY_MS: u64 = 2_000;
/// A client lease when none is named, in seconds (design R7).
pub const TTL_SECONDS_DEFAULT: u32 = 60;
/// The shortest client lease, in seconds.
pub const TTL_SECONDS_MIN: u32 = 5;
/// The longest client lease, in seconds.
pub const TTL_SECONDS_MAX: u32 = 3600;
/// The shortest and longest life of a field with `expire`.
pub const EXPIRE_MS: std::ops::RangeInclusive<u64> = 100..=3_600_000;

const _: () = assert!(STALE_MS > 2 * BEAT_MS, "one lost heartbeat must not grey anybody");
const _: () = assert!(TIMEOUT_MS > STALE_MS, "a member greys before it goes");
/// What a whole record carries besides its two bags, at most: keys' revisions, certificate, actor, names, roster.
const ENVELOPE_MAX: usize = 3_980;
const _: () =
    assert!(PRESENCE_MAX + MEMBER_METADATA_MAX + ENVELOPE_MAX < FRAME_MAX, "one record fits one frame (design R5)");
