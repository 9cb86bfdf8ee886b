//! What this peer does, for those who want to see it: what each replica notes, and what the network does under them.
//!
//! Nothing is noted while nobody holds an [`Inspection`]. Those who do read at their own pace: one that is further behind
//! than is kept is told how much it missed, and holds up nobody.

use std::sync::Arc;

use parlor_core::{Observation, RoomId, SHOWN_BYTES, frame_number};
use serde::{Serialize, Serializer};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// What a slow reader may be behind.
pub(crate) const KEPT: usize = 8_192;

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Inspected {
    /// Counts what was seen at this peer, while somebody looked.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub number: u64,
    /// Milliseconds since 1970, by this computer's clock.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub wall_ms: u64,
    /// Milliseconds of a clock that is never set and runs while the computer sleeps.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub tick_ms: u64,
    /// The room; missing of what is of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "string"))]
    pub room: Option<RoomId>,
    /// Microseconds that the replica took for a frame that came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub took_us: Option<u64>,
    /// A frame as bytes, when they are asked for. Missing of one that goes out to a private room, which is sealed after
    /// this is told, and of cells of a private room that were judged in parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub frame: Option<FrameBytes>,
    /// What it was.
    #[serde(flatten)]
    pub seen: Seen,
}

/// A frame as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FrameBytes {
    /// The first 1,024 bytes of it, in hexadecimal digits.
    #[serde(serialize_with = "hex")]
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub hex: Vec<u8>,
    /// Bytes that are not shown.
    pub left_out: usize,
    /// It is sealed, as frames of private rooms are: only its version can be read. What the seal covers is not shown.
    pub sealed: bool,
    /// The number that its author gave it, where it has one and is not sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub seq: Option<u64>,
}

impl FrameBytes {
    /// Of a whole frame.
    pub(crate) fn of(frame: &[u8], sealed: bool) -> Self {
        let head = frame.get(..SHOWN_BYTES).unwrap_or(frame);
        let seq = if sealed { None } else { frame_number(frame) };
        FrameBytes { hex: head.to_owned(), left_out: frame.len() - head.len(), sealed, seq }
    }

    /// Of one of which only the beginning is there.
    pub(crate) fn of_head(head: Vec<u8>, length: usize) -> Self {
        let seq = frame_number(&head);
        FrameBytes { left_out: length.saturating_sub(head.len()), hex: head, sealed: false, seq }
    }
}

fn hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&data_encoding::HEXLOWER.encode(bytes))
}

/// What was seen, in a room or under it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Seen {
    /// By the replica of a room.
    Room(Observation),
    /// By the network.
    Network(Traffic),
}

/// What the network does under the rooms.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "what", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Traffic {
    /// Somebody is dialled.
    Dial {
        /// Who, in base58; missing of an address that somebody gave.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        peer_id: Option<String>,
        /// Where, all at once.
        addresses: Vec<String>,
    },
    /// And was not reached.
    DialFailed {
        /// Who.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        peer_id: Option<String>,
        /// Why, in words.
        reason: String,
    },
    /// A connection is open.
    Connected {
        /// With whom.
        peer_id: String,
        /// The address of the other end.
        address: String,
        /// This end dialled.
        dialled: bool,
        /// Connections to this peer now. More than one is closed again.
        connections: usize,
    },
    /// A connection is closed.
    Disconnected {
        /// With whom.
        peer_id: String,
        /// Connections to this peer that are left.
        connections: usize,
        /// Why, in words.
        reason: String,
    },
    /// Something was refused or noticed, by the name of its counter.
    Counted {
        /// The name.
        name: &'static str,
        /// How often at once.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        times: u64,
    },
}

/// A look at what this peer does, from the moment on at which it was made.
#[derive(Debug)]
pub struct Inspection {
    pub(crate) seen: broadcast::Receiver<Arc<Inspected>>,
    /// Held for as long as bytes of frames are wanted.
    pub(crate) _bytes: Option<Arc<()>>,
}

impl Inspection {
    /// The next thing that is seen; `Err` with how many were missed by a reader that was too slow; `None` when the peer has
    /// ended.
    pub async fn next(&mut self) -> Option<Result<Arc<Inspected>, u64>> {
        match self.seen.recv().await {
            Ok(seen) => Some(Ok(seen)),
            Err(RecvError::Lagged(missed)) => Some(Err(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}
