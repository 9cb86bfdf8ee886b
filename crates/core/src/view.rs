//! What a reader of a room sees: members, metadata, events. These types cross every surface as camelCase JSON (design
//! A1, A4, A6, R14) and carry no rules.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::access::Access;
use crate::board::Note;
use crate::error::{Error, ErrorCode};
use crate::evidence::Evidence;
use crate::ids::{MemberId, RoomId, UserId};
use crate::message::Message;

/// A bag of JSON: presence or metadata.
pub type Bag = serde_json::Map<String, serde_json::Value>;

/// A moment on a wall clock, milliseconds since 1970; JSON: RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = i64::try_from(self.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        write!(f, "{:.3}", moment.unwrap_or(jiff::Timestamp::MAX))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Timestamp(u64::try_from(moment.as_millisecond()).unwrap_or(0)))
    }
}

/// Always `"room"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The only kind there is.
    #[default]
    Room,
}

/// Whether an actor is proven by an identity key or hosted by a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum ActorKind {
    /// Proven by the identity key of a profile.
    User,
    /// Somebody that a peer hosts, such as a user of its HTTP API.
    Guest,
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// A user or a guest.
    pub kind: ActorKind,
    /// Derived from the actor's key.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub user_id: UserId,
    /// The name for people; anybody may call themselves anything.
    pub name: String,
    /// The user id of the host of a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "string"))]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, nullable = false))]
    pub via: Option<UserId>,
}

/// What `join()` and `presence()` answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MemberRecord {
    /// The room.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub room: RoomId,
    /// Always `room`.
    pub kind: Kind,
    /// The member.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub member_id: MemberId,
    /// When it joined, by its own wall clock.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub joined_at: Timestamp,
    /// The last sign of life, by the observer's wall clock.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub last_seen_at: Timestamp,
    /// What came with `join`.
    #[cfg_attr(feature = "ts", ts(type = "Record<string, unknown>"))]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub metadata: Bag,
    /// The live state.
    #[cfg_attr(feature = "ts", ts(type = "Record<string, unknown>"))]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub presence: Bag,
}

impl MemberRecord {
    /// The presence as a type of your own. Whoever writes presence may leave out what others write, so give its fields a
    /// default.
    ///
    /// # Errors
    /// `INVALID_PRESENCE` when it has something else where the type wants this.
    pub fn presence_as<T: DeserializeOwned>(&self) -> Result<T, Error> {
        typed(&self.presence, ErrorCode::InvalidPresence, "presence")
    }

    /// What came with `join`, as a type of your own.
    ///
    /// # Errors
    /// `INVALID_METADATA` when it has something else where the type wants this.
    pub fn metadata_as<T: DeserializeOwned>(&self) -> Result<T, Error> {
        typed(&self.metadata, ErrorCode::InvalidMetadata, "metadata")
    }
}

fn typed<T: DeserializeOwned>(bag: &Bag, code: ErrorCode, path: &str) -> Result<T, Error> {
    T::deserialize(bag).map_err(|error| Error::new(code, format!("{path}: {error}")).at(path))
}

/// Whether signs of life arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum MemberState {
    /// They do.
    Active,
    /// They stay away, or the link closed without a leave; it may come back.
    Stale,
}

/// One session of a member, in a list by session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionRef {
    /// The session's public key in hexadecimal.
    pub session_id: String,
    /// Whether its signs of life arrive.
    pub state: MemberState,
}

/// One row of `members()`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The record.
    #[serde(flatten)]
    pub record: MemberRecord,
    /// Who it is.
    pub actor: Actor,
    /// Whether signs of life arrive.
    pub state: MemberState,
    /// Whether this peer hosts it.
    #[serde(rename = "self")]
    pub own: bool,
    /// Whether the actor is proven by an identity key.
    pub verified: bool,
    /// Whether another actor uses the same member id here.
    pub conflict: bool,
    /// Whether it is nobody: a guest that a peer with a network lab makes up. Missing of everybody else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<bool>"))]
    pub simulated: bool,
    /// The sessions it is made of, in a list by session.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<SessionRef>>"))]
    pub sessions: Vec<SessionRef>,
    /// What is known of whether it is there: where that was asked for, and of a member that is gone because it was not heard
    /// any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<Evidence>"))]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub evidence: Option<Box<Evidence>>,
}

impl Member {
    /// What tells two rows apart: the same member id may be claimed by two actors (design A5).
    #[must_use]
    pub fn key(&self) -> RowKey {
        (self.record.member_id.clone(), self.actor.user_id.clone())
    }
}

/// The key of a member's metadata by which a guest is known to be made up: it is `true` there.
pub const SIMULATED: &str = "simulated";

/// A row of a room: member id and the user id of its actor.
pub type RowKey = (MemberId, UserId);

/// One page of `members()`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MembersPage {
    /// The rows, ordered by `joinedAt`, then `memberId`.
    #[cfg_attr(feature = "ts", ts(as = "Vec<Member>"))]
    pub members: Vec<Arc<Member>>,
    /// Where the next page starts; `null` on the last.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
    /// All rows of the room.
    pub total: u32,
    /// False while this peer's own network is out, when the list may be old.
    pub complete: bool,
    /// Sessions that look at the room without a member in it.
    pub watching: u32,
}

/// How a list of members is grouped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum By {
    /// One row a member.
    #[default]
    Member,
    /// One row a session of a member.
    Session,
}

/// Which members to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct MembersQuery {
    /// 1 to 1000, default 100.
    #[serde(deserialize_with = "crate::whole::option")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub limit: Option<u32>,
    /// The `nextCursor` of the page before.
    #[cfg_attr(feature = "ts", ts(optional))]
    pub cursor: Option<String>,
    /// Rows by member or by session.
    #[cfg_attr(feature = "ts", ts(as = "Option<By>", optional))]
    pub by: By,
    /// With what is known of whether each is there: see [`Evidence`].
    #[cfg_attr(feature = "ts", ts(as = "Option<bool>", optional))]
    pub evidence: bool,
}

/// A room's shared settings and who changed them last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoomMetadata {
    /// The room.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub room: RoomId,
    /// Always `room`.
    pub kind: Kind,
    /// The settings: `title`, `mode`, `locked` and whatever else was set.
    #[cfg_attr(feature = "ts", ts(type = "Record<string, unknown>"))]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub metadata: Bag,
    /// When the newest of them was written, by its writer's clock; `null` when nothing was.
    #[cfg_attr(feature = "ts", ts(type = "string | null"))]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub updated_at: Option<Timestamp>,
    /// The user id of who wrote the newest; `null` when nothing was.
    #[cfg_attr(feature = "ts", ts(type = "string | null"))]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub updated_by: Option<UserId>,
    /// Which state of the settings this is, in no order: another one after every write, the same at every peer that has the
    /// same. A change that names it in `ifVersion` is refused when somebody was faster.
    pub version: String,
}

impl RoomMetadata {
    /// The settings as a type of your own.
    ///
    /// # Errors
    /// `INVALID_METADATA` when they have something else where the type wants this.
    pub fn metadata_as<T: DeserializeOwned>(&self) -> Result<T, Error> {
        typed(&self.metadata, ErrorCode::InvalidMetadata, "metadata")
    }
}

/// What `leave()` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Left {
    /// The room.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub room: RoomId,
    /// Always `room`.
    pub kind: Kind,
    /// The member.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub member_id: MemberId,
    /// False when it was not joined.
    pub left: bool,
    /// When.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub left_at: Timestamp,
}

/// Why a member is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum LeftReason {
    /// It said so.
    Left,
    /// Its link closed five seconds ago and nothing came since.
    Disconnected,
    /// Ten seconds of silence.
    Timeout,
    /// Its client lease ran out.
    Expired,
    /// The same profile started anew.
    Superseded,
    /// It made room for somebody when the room was full.
    Evicted,
    /// The key of the private room was changed, and it did not get the new one.
    Excluded,
}

/// This profile runs in another process too, from a copy of its folder (design R2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Cloned {
    /// Since when that is known here, by this peer's wall clock.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub since: Timestamp,
    /// Whether this is the one that was started earlier: it only looks on, and calls that write answer `IDENTITY_CLONED`.
    pub read_only: bool,
    /// The sessions of the others, in hexadecimal; none when they are gone and this one is still read-only.
    pub others: Vec<String>,
}

/// What happens in a room. Per observer and member: `(joined (updated | stale | active)* left)*` (design R14).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// A member appeared, whole.
    Joined {
        /// The row.
        #[cfg_attr(feature = "ts", ts(as = "Member"))]
        member: Arc<Member>,
    },
    /// Something of a member changed.
    Updated {
        /// The row as it is now.
        #[cfg_attr(feature = "ts", ts(as = "Member"))]
        member: Arc<Member>,
        /// Presence keys that changed or went; empty when something else did.
        changed: Vec<String>,
    },
    /// Signs of life stay away.
    Stale {
        /// The row.
        #[cfg_attr(feature = "ts", ts(as = "Member"))]
        member: Arc<Member>,
    },
    /// They are back.
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
    /// The room's shared settings changed.
    Metadata {
        /// All of them as they are now.
        #[cfg_attr(feature = "ts", ts(as = "RoomMetadata"))]
        metadata: Arc<RoomMetadata>,
        /// The keys that changed or went.
        changed: Vec<String>,
    },
    /// Notes of the board changed.
    Board {
        /// Those that are new or changed, as they are now.
        #[cfg_attr(feature = "ts", ts(as = "Vec<Note>"))]
        notes: Vec<Arc<Note>>,
        /// Ids of those that went.
        removed: Vec<String>,
    },
    /// Somebody said something. One that is kept may be an older one that was not known here.
    Message {
        /// The message.
        #[cfg_attr(feature = "ts", ts(as = "Message"))]
        message: Arc<Message>,
    },
    /// Who may do what in a private room changed, or this peer's part of a changed key came after what all hear of it.
    Access {
        /// All of it as it is now.
        #[cfg_attr(feature = "ts", ts(as = "Access"))]
        access: Arc<Access>,
    },
    /// Three exchanges with a peer did not make what is shared the same (design R12). They go on, less and less often.
    Diverged {
        /// The peer's session, in hexadecimal.
        #[cfg_attr(feature = "openapi", schema(rename = "sessionId"))]
        session_id: String,
    },
    /// The number of sessions that look on has changed.
    Watching {
        /// How many.
        count: u32,
    },
    /// More or fewer sessions share the room's rate than before. Said at a change or heartbeat of this session.
    Pace {
        /// Milliseconds between two changes of this session that others are told: 34 in a room of few, up to 1,000 in the
        /// biggest (design A7).
        #[cfg_attr(feature = "openapi", schema(rename = "paceMs"))]
        pace_ms: u32,
    },
    /// The view became current, or stopped being so (own network out).
    Complete {
        /// Whether it is current.
        complete: bool,
    },
    /// This profile turned out to run elsewhere too, or that changed. Said once, until it is over.
    Cloned {
        /// What is known of it; `null` when it is over.
        #[cfg_attr(feature = "openapi", schema(required))]
        cloned: Option<Cloned>,
    },
}

/// All that a reader of a room needs at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The room.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub room: RoomId,
    /// Every row, in the stable order.
    #[cfg_attr(feature = "ts", ts(as = "Vec<Member>"))]
    pub members: Vec<Arc<Member>>,
    /// The shared settings.
    #[cfg_attr(feature = "ts", ts(as = "RoomMetadata"))]
    pub metadata: Arc<RoomMetadata>,
    /// The board's notes, by id.
    #[serde(default)]
    #[cfg_attr(feature = "ts", ts(as = "Vec<Note>"))]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Note>, required))]
    pub notes: Arc<Vec<Arc<Note>>>,
    /// Who may do what; missing for an open room, where everybody may everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<Access>"))]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub access: Option<Arc<Access>>,
    /// Sessions that look on.
    pub watching: u32,
    /// Milliseconds between two changes of this session that others are told: 34 in a room of few, up to 1,000 in the
    /// biggest (design A7). What is set more often is told together.
    pub pace_ms: u32,
    /// False while this peer's own network is out.
    pub complete: bool,
    /// Whether this profile runs elsewhere too; `null` nearly always.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub cloned: Option<Cloned>,
    /// The number of the last event that this includes.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub at: u64,
}
