//! What a peer says about itself and about rooms: the answers of `status` and `rooms`.

use parlor_core::{Cloned, Face, Kind, RoomId, Timestamp, UserId};
use parlor_net::NetworkState;
use serde::{Deserialize, Serialize};

use crate::Theme;

/// The peer and its person, as `status` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The version of Parlor.
    pub version: String,
    /// The profile's name.
    pub profile: String,
    /// The user id of the profile's person.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub user_id: UserId,
    /// Their name.
    pub name: String,
    /// Their colour, one of [`PALETTE`](crate::PALETTE).
    pub color: String,
    /// Light or dark.
    pub theme: Theme,
    /// Whether the person chose the name; until then it is a proposal.
    pub named: bool,
    /// The libp2p id of this run; another one after every start.
    pub peer_id: String,
    /// The session id of this run in hexadecimal.
    pub session_id: String,
    /// The multiaddrs listened on.
    pub listen: Vec<String>,
    /// What there is of a network.
    pub network: NetworkState,
    /// Peers linked to now.
    pub links: u32,
    /// Whether a copy of this profile runs elsewhere too (design R2); `null` nearly always.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub cloned: Option<Cloned>,
    /// What the person should know, oldest first: a damaged file that was set aside, a file that cannot be written.
    pub notices: Vec<String>,
}

/// What to change of the profile; what is missing stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, optional_fields))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ProfileChange {
    /// The person's name: 1 to 256 bytes of UTF-8 without control characters; space around it is dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 256,
            pattern = r"^[^\u0000-\u001F\u007F-\u009F]*[^\s\u0000-\u001F\u007F-\u009F][^\u0000-\u001F\u007F-\u009F]*$"
        )
    )]
    pub name: Option<String>,
    /// Their colour, one of [`PALETTE`](crate::PALETTE).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::palette::schema))]
    pub color: Option<String>,
    /// Light or dark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<Theme>,
}

/// A room near or known, as `rooms` lists it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoomSummary {
    /// The room.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub room: RoomId,
    /// Always `room`.
    pub kind: Kind,
    /// Members that are known to be in it now.
    pub members: u32,
    /// Whether the asking actor is one of them, by this peer.
    pub joined: bool,
    /// Whether the name stands for a private room in this profile.
    pub private: bool,
    /// Its title, or the last known one.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub title: Option<String>,
    /// Up to five of its people.
    pub faces: Vec<Face>,
    /// Whether a peer near is in it, or this one.
    pub near: bool,
    /// When it was last opened with this profile; `null` when never.
    #[cfg_attr(feature = "ts", ts(type = "string | null"))]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub last_opened_at: Option<Timestamp>,
}
