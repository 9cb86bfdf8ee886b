//! What callers are told about the network.

use parlor_core::{Face, RoomId, VERSION};
use serde::{Deserialize, Serialize};

/// A connected peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PeerInfo {
    /// The libp2p peer id, in base58.
    pub peer_id: String,
    /// The session's public key in hexadecimal; the same thing as the peer id.
    pub session_id: String,
    /// The address of the connection first, then the others by which the peer was heard of.
    pub addresses: Vec<String>,
    /// `"out"` when this end dialled, `"in"` otherwise.
    pub direction: String,
    /// `"tcp"`, `"quic"`, or `"relay"` while there is no way but through one.
    pub transport: String,
    /// The last answered ping.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub rtt_ms: Option<f64>,
    /// How far its clock is ahead of this one, in milliseconds, give or take half of the round trip; negative when it is
    /// behind. Asked when it is connected and once a minute. `null` before it answered.
    #[cfg_attr(feature = "openapi", schema(required))]
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub clock_ahead_ms: Option<i64>,
    /// The version of Parlor there, as it says.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub version: Option<String>,
    /// Whether what it says in rooms can be read here.
    pub speaks: Speaks,
    /// Rooms of this process that the peer is in too.
    #[cfg_attr(feature = "ts", ts(type = "string[]"))]
    pub rooms: Vec<RoomId>,
    /// How it became known: `"hello"` (it answered Parlor's own question to the network), `"mdns"`, `"profile"` (another
    /// profile of this computer), `"dialled"` (somebody gave its address), `"rendezvous"` (a relay told that it is in a
    /// room of ours), `"relay"` (it dialled us through one) or `"inbound"` (it dialled us).
    pub source: String,
    /// The name of the person there, when a member of a shared room told it.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub name: Option<String>,
    /// How often its connection was replaced since this session began, because its heartbeats stopped while it stood.
    pub watchdog: u32,
}

/// Which wire version a peer speaks, beside ours (design N9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Speaks {
    /// The same, or nothing yet.
    #[default]
    Same,
    /// A newer one: this Parlor must be updated to see them.
    Newer,
    /// An older one: theirs must be.
    Older,
}

impl Speaks {
    pub(crate) fn of(foreign: Option<u8>) -> Self {
        match foreign {
            Some(version) if version > VERSION => Speaks::Newer,
            Some(version) if version < VERSION => Speaks::Older,
            _ => Speaks::Same,
        }
    }
}

/// A room that somebody near advertises (design N5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct NearRoom {
    /// Its name, by which it can be joined.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub room: RoomId,
    /// The title its members gave it.
    pub title: Option<String>,
    /// Members in it.
    pub members: u32,
    /// Up to five of them.
    pub faces: Vec<Face>,
    /// Peers that are connected to this one and in the room.
    pub peers: u32,
}

/// Whom this peer can meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum NetworkState {
    /// An interface is up on which others can be.
    Online,
    /// This peer was told to listen to peers on this computer only.
    Loopback,
    /// No interface is up on which others can be; peers on this computer still meet.
    #[default]
    Offline,
}
