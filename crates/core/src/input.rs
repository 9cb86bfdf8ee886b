//! What goes into a replica and what comes out of it.

use serde::{Deserialize, Serialize};

use crate::ids::SessionId;
use crate::view::Event;

/// By which way a frame came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, rename = "FramePath"))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = FramePath))]
#[serde(rename_all = "camelCase")]
pub enum Path {
    /// Published to the room, perhaps passed on by others.
    Gossip,
    /// Sent to this peer alone, over the author's own link.
    Direct,
}

/// Why a link is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum DownCause {
    /// The other end closed it, or it broke: end of stream or reset.
    Closed,
    /// Nothing came back for too long, and this end closed it.
    TimedOut,
    /// The peer is still connected, but has left the room's topic.
    Unsubscribed,
}

/// What happens to a replica from outside. Calls that people make are methods of [`crate::Replica`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A frame with its authenticated author (design R3).
    Frame {
        /// Who signed it, or whose link it came on.
        author: SessionId,
        /// The peer whose link brought it; the author itself when it came at first hand.
        via: SessionId,
        /// By gossip or alone.
        path: Path,
        /// The frame.
        bytes: Vec<u8>,
    },
    /// A peer is connected and subscribed to the room.
    LinkUp {
        /// Which.
        peer: SessionId,
        /// Whether the connection runs over loopback.
        loopback: bool,
    },
    /// It is no longer.
    LinkDown {
        /// Which.
        peer: SessionId,
        /// Why.
        cause: DownCause,
    },
    /// A ping to a linked peer was answered.
    RoundTrip {
        /// By whom.
        peer: SessionId,
        /// After so many microseconds.
        us: u32,
    },
    /// The wall clock, about once a second. It orders nothing but foreign-looking stamps and is shown to people.
    Wall {
        /// Milliseconds since 1970.
        unix_ms: u64,
    },
    /// The computer slept (design R9).
    Resumed,
    /// Whether this peer's own network is out (design R9).
    OwnOutage(bool),
    /// The deadline is due. Late or spurious ones are harmless.
    Timeout,
}

/// How something reaches everyone in the room (design N4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By gossip.
    Gossip,
    /// By gossip, and linked peers sooner by the link itself.
    Both,
    /// By the link itself: all are linked.
    Links,
}

/// What a replica wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// To everyone in the room.
    Publish {
        /// The frame.
        bytes: Vec<u8>,
        /// How it reaches them.
        way: Way,
    },
    /// To one linked peer.
    Send {
        /// Which.
        peer: SessionId,
        /// The frame.
        bytes: Vec<u8>,
    },
    /// For readers of the room.
    Event(Event),
}

/// What gossip is to do with a frame: exactly one for each (design N1, N4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Pass it on.
    Accept,
    /// Keep it to ourselves.
    Ignore,
    /// It is no frame of this protocol version.
    Reject,
}
