//! What a peer says about itself and about rooms: the answers of `status` and `rooms`.

use parlor_core::{Cloned, Face, Kind, RoomId, Timestamp, UserId};
use parlor_net::{NetworkState, PeerInfo};
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
    /// How far the clocks of others are ahead of this one, in milliseconds: the median of linked peers, when that is more
    /// than five minutes either way (design R10). Times that are shown are that wrong; nothing else is.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub clock_ahead_ms: Option<i64>,
    /// Linked peers that speak a newer wire version, so that nothing of them is seen here before this Parlor is updated.
    #[serde(default)]
    pub newer: u32,
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

/// A clock that is further off is worth a word (design R10).
const SKEW_MS: u64 = 300_000;

/// How far the clocks of others are ahead, as most of them say; nothing worth a word is nothing.
pub(crate) fn skew(peers: &[PeerInfo]) -> Option<i64> {
    let mut ahead: Vec<i64> = peers.iter().filter_map(|peer| peer.clock_ahead_ms).collect();
    ahead.sort_unstable();
    let middle = [ahead.len().checked_sub(1)? / 2, ahead.len() / 2];
    let median = middle.into_iter().filter_map(|at| ahead.get(at)).copied().min_by_key(|ahead| ahead.unsigned_abs())?;
    (median.unsigned_abs() > SKEW_MS).then_some(median)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(clock_ahead_ms: Option<i64>) -> PeerInfo {
        PeerInfo {
            peer_id: String::new(),
            session_id: String::new(),
            addresses: Vec::new(),
            direction: "in".into(),
            transport: "tcp".into(),
            rtt_ms: None,
            clock_ahead_ms,
            version: None,
            speaks: parlor_net::Speaks::Same,
            rooms: Vec::new(),
            source: "mdns".into(),
            name: None,
            watchdog: 0,
        }
    }

    #[test]
    fn a_clock_is_off_when_most_others_say_so() {
        let of = |ahead: &[i64]| skew(&ahead.iter().map(|ahead| peer(Some(*ahead))).collect::<Vec<_>>());
        assert_eq!((of(&[]), skew(&[peer(None)])), (None, None));
        assert_eq!((of(&[300_000]), of(&[300_001]), of(&[-300_001])), (None, Some(300_001), Some(-300_001)));
        assert_eq!(of(&[0, 720_000]), None, "one of two may be the wrong one");
        assert_eq!(of(&[0, i64::MAX, 10]), None, "and so may one of three");
        assert_eq!(of(&[720_000, 0, 719_000]), Some(719_000));
        assert_eq!(of(&[i64::MIN, i64::MIN]), Some(i64::MIN));
    }
}
