//! What goes to a window or a browser in one message, as the TypeScript client reads it.
//!
//! A reader applies `events` in order, then `updates`.

use std::sync::Arc;

use parlor_core::{Access, Bag, LeftReason, Member, MemberId, Message, Note, RoomId, RoomMetadata, Timestamp, UserId};
use serde::Serialize;

/// One message of a [`Feed`](crate::Feed). As JSON it is shorter than 7 KiB, unless it holds one thing alone that is
/// longer by itself (a member with much presence, a room with much metadata).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Batch {
    /// 1, 2, 3, …: what the reader acknowledges.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub seq: u64,
    /// What happened, in order; nothing is left out.
    pub events: Vec<FeedEvent>,
    /// What moved: the latest values since the batch before, at most one entry a member.
    pub updates: Vec<Update>,
}

/// An event of a feed. Every row replaces what the reader had of that member.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FeedEvent {
    /// The room as it is; what was known before is void.
    Snapshot {
        /// The room.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        room: RoomId,
        /// Its rows in the stable order, or the first of them.
        #[cfg_attr(feature = "ts", ts(type = "Array<Member>"))]
        members: Vec<Arc<Member>>,
        /// The shared settings.
        #[cfg_attr(feature = "ts", ts(as = "RoomMetadata"))]
        metadata: Arc<RoomMetadata>,
        /// Who may do what; missing for an open room.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional, as = "Option<Access>"))]
        #[cfg_attr(feature = "openapi", schema(nullable = false))]
        access: Option<Arc<Access>>,
        /// Sessions that look on.
        watching: u32,
        /// Milliseconds between two changes of this session that others are told.
        pace_ms: u32,
        /// False while this peer's own network is out.
        complete: bool,
        /// The number of the last event in it.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        at: u64,
        /// More follows: rows, each as `joined` with `rest`, then notes, as `board` with `rest`.
        #[serde(skip_serializing_if = "is_false")]
        #[cfg_attr(feature = "ts", ts(as = "Option<bool>", optional))]
        more: bool,
    },
    /// A member appeared.
    Joined {
        /// The row.
        #[cfg_attr(feature = "ts", ts(as = "Member"))]
        member: Arc<Member>,
        /// It did not just join: it is a row of the snapshot before that did not fit.
        #[serde(skip_serializing_if = "is_false")]
        #[cfg_attr(feature = "ts", ts(as = "Option<bool>", optional))]
        rest: bool,
    },
    /// Signs of life stay away; or something beside the presence changed while they did.
    Stale {
        /// The row.
        #[cfg_attr(feature = "ts", ts(as = "Member"))]
        member: Arc<Member>,
    },
    /// They are back; or something beside the presence changed, such as the name or the member's metadata.
    Active {
        /// The row.
        #[cfg_attr(feature = "ts", ts(as = "Member"))]
        member: Arc<Member>,
    },
    /// A member is gone.
    Left {
        /// The row as it was last.
        #[cfg_attr(feature = "ts", ts(as = "Member"))]
        member: Arc<Member>,
        /// Why.
        reason: LeftReason,
    },
    /// The shared settings changed.
    Metadata {
        /// All of them as they are now.
        #[cfg_attr(feature = "ts", ts(as = "RoomMetadata"))]
        metadata: Arc<RoomMetadata>,
        /// The keys that changed or went.
        changed: Vec<String>,
    },
    /// Who may do what in a private room changed, or this peer's part of a changed key came after what all hear of it.
    Access {
        /// All of it as it is now.
        #[cfg_attr(feature = "ts", ts(as = "Access"))]
        access: Arc<Access>,
    },
    /// Notes of the board changed.
    Board {
        /// Notes that are new or changed, as they are now.
        #[cfg_attr(feature = "ts", ts(as = "Vec<Note>"))]
        notes: Vec<Arc<Note>>,
        /// Ids of those that went.
        removed: Vec<String>,
        /// They did not just change: they are of the snapshot before.
        #[serde(skip_serializing_if = "is_false")]
        #[cfg_attr(feature = "ts", ts(as = "Option<bool>", optional))]
        rest: bool,
    },
    /// Somebody said something.
    Message {
        /// What somebody said. One that is kept may be an older one, which was not known here.
        #[cfg_attr(feature = "ts", ts(as = "Message"))]
        message: Arc<Message>,
    },
    /// The number of sessions that look on.
    Watching {
        /// How many.
        count: u32,
    },
    /// More or fewer sessions share the room's rate.
    Pace {
        /// Milliseconds between two changes of this session that others are told: 34 in a room of few, up to 1,000 in the
        /// biggest.
        pace_ms: u32,
    },
    /// Whether the view is current.
    Complete {
        /// False while this peer's own network is out.
        complete: bool,
    },
}

/// The latest presence of one member since the batch before: keys to set, then keys to remove. No key is in both.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Update {
    /// Which row, together with `userId` (design A5).
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub member_id: MemberId,
    /// Its actor.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub user_id: UserId,
    /// Keys that were set, with their values now.
    #[cfg_attr(feature = "ts", ts(type = "Record<string, unknown>"))]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub presence: Bag,
    /// Keys that went.
    pub unset: Vec<String>,
    /// The last sign of life, by this peer's wall clock.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub last_seen_at: Timestamp,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // The signature is serde's.
fn is_false(value: &bool) -> bool {
    !value
}
