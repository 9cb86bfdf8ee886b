//! Answers that are more than a result of the crate `parlor`.

use parlor::{Kind, PeerInfo, RoomId, RoomSummary};
use serde::Serialize;
use utoipa::ToSchema;

/// The server is up.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    #[schema(pattern = "^ok$")]
    pub status: &'static str,
    /// The version of Parlor.
    pub version: &'static str,
}

/// Rooms near and known.
#[derive(Serialize, ToSchema)]
pub(crate) struct Rooms {
    /// Those with people first, then the most recently opened.
    pub rooms: Vec<RoomSummary>,
}

/// A room that was made. A private one has its ticket with it, since nobody else can come in without one.
#[derive(Serialize, ToSchema)]
pub(crate) struct Created {
    /// The room.
    #[serde(flatten)]
    pub room: RoomSummary,
    /// `parlor:…`, which `join` takes. For a private room it is the key: whoever has it comes in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ticket: Option<String>,
    /// The same as a link that opens the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub link: Option<String>,
}

/// What became of a room that was to be forgotten.
#[derive(Serialize, ToSchema)]
pub(crate) struct Forgotten {
    /// The room.
    #[schema(value_type = RoomId)]
    pub room: String,
    /// Always `room`.
    pub kind: Kind,
    /// False when it was not known.
    pub forgotten: bool,
}

/// Peers that this one is linked to.
#[derive(Serialize, ToSchema)]
pub(crate) struct Peers {
    /// In no order.
    pub peers: Vec<PeerInfo>,
}
