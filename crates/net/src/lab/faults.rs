//! What can be wrong with a network, as it is asked for and shown (design A10 `lab`). Everything has its unit in its name
//! and a bound; a value beyond it is refused and nothing is changed.

use std::collections::BTreeMap;

use libp2p::PeerId;
use parlor_core::{Error, ErrorCode};
use serde::{Deserialize, Serialize};

/// The longest that a frame is held back, and the most that this varies.
pub(crate) const DELAY_MAX_MS: u32 = 10_000;
/// Peers that have faults of their own.
pub(crate) const PEERS_MAX: usize = 64;
/// How far a wall clock is set wrong: a leap year.
pub(crate) const WALL_MAX_MS: i64 = 366 * 86_400_000;
/// How far the clock of leases jumps at a time.
pub(crate) const JUMP_MAX_MS: u64 = 86_400_000;
/// How long the driver sleeps at a time.
pub(crate) const SLEEP_MAX_MS: u64 = 600_000;
/// Every whole number up to this is one of its own in JSON.
pub(crate) const SEED_MAX: u64 = (1 << 53) - 1;

/// What becomes of frames in one direction on a link. The default lets everything pass at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct LabWay {
    /// Nothing passes.
    pub cut: bool,
    /// Milliseconds that a frame is held back, 0 to 10,000.
    #[serde(deserialize_with = "parlor_core::whole::number")]
    #[cfg_attr(feature = "openapi", schema(maximum = 10_000))]
    pub delay_ms: u32,
    /// At most that many milliseconds more or less, of the same likelihood each, 0 to 10,000. Frames stay in order.
    #[serde(deserialize_with = "parlor_core::whole::number")]
    #[cfg_attr(feature = "openapi", schema(maximum = 10_000))]
    pub jitter_ms: u32,
    /// Frames in a hundred that are lost.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub loss_percent: f64,
    /// Frames in a hundred that arrive twice.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub duplicate_percent: f64,
}

impl LabWay {
    /// Whether everything passes at once.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        *self == Self::default()
    }

    /// Whether nothing passes.
    pub(crate) fn is_shut(&self) -> bool {
        self.cut || self.loss_percent >= 100.0
    }

    fn check(&self, at: &str) -> Result<(), Error> {
        for (name, ms) in [("delayMs", self.delay_ms), ("jitterMs", self.jitter_ms)] {
            whole(u64::from(ms), DELAY_MAX_MS.into(), &format!("{at}.{name}"))?;
        }
        for (name, percent) in [("lossPercent", self.loss_percent), ("duplicatePercent", self.duplicate_percent)] {
            if !(0.0..=100.0).contains(&percent) {
                return Err(out_of_bounds(&percent.to_string(), "0 to 100", &format!("{at}.{name}")));
            }
        }
        Ok(())
    }
}

/// What is wrong with the links to a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct LabFaults {
    /// What comes over the link.
    #[serde(rename = "in")]
    pub incoming: LabWay,
    /// What this peer says over it.
    #[serde(rename = "out")]
    pub outgoing: LabWay,
    /// The two are on different sides of a partition: connections are closed at once, and none is made in either direction.
    /// Where both directions are cut instead, the connection is found to be dead by its silence, as with a cable that was
    /// pulled.
    pub apart: bool,
}

impl LabFaults {
    /// Whether there is no fault.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        *self == Self::default()
    }

    /// Whether nothing passes in either direction: the ways of a cable that was pulled.
    pub(crate) fn is_silent(&self) -> bool {
        self.incoming.is_shut() && self.outgoing.is_shut()
    }

    fn check(&self, at: &str) -> Result<(), Error> {
        self.incoming.check(&format!("{at}.in"))?;
        self.outgoing.check(&format!("{at}.out"))
    }
}

/// A peer that has faults of its own, instead of those that all have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LabPeer {
    /// Who, in base58.
    pub peer_id: String,
    /// What is wrong with the links to it.
    pub faults: LabFaults,
}

/// What became of frames since the peer was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LabCounts {
    /// Those of links with a fault that passed all the same.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub passed: u64,
    /// Those that were lost.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub lost: u64,
    /// Those that were held back; they passed as well.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub delayed: u64,
    /// Those that arrived twice.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub duplicated: u64,
    /// Those that were lost because too many were being held back.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub overflowed: u64,
}

/// Which faults there are, and what they did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LabNetwork {
    /// Where chances come from: for each peer and direction a row of their own.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub seed: u64,
    /// The faults of every peer that has none of its own.
    pub all: LabFaults,
    /// Peers with faults of their own, which are then all that they have.
    pub peers: Vec<LabPeer>,
    /// How many milliseconds the wall clock of this peer is ahead of the computer's.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub wall_ahead_ms: i64,
    /// How many milliseconds the clock of leases jumped ahead so far.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub ticks_ahead_ms: u64,
    /// For how many milliseconds more the network of this peer does nothing.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub asleep_ms: u64,
    /// What became of frames.
    pub counts: LabCounts,
    /// Frames that are being held back, at most 4,096.
    pub waiting: u32,
}

/// What is to be different. What is missing stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabOrder {
    /// Ends every fault first, wakes the driver, and lets the wall clock show the right time.
    pub clear: bool,
    /// Draws chances anew, from this seed.
    pub seed: Option<u64>,
    /// The faults of every peer that has none of its own.
    pub all: Option<LabFaults>,
    /// Those of one peer, in base58; `None` takes them away.
    pub peers: BTreeMap<String, Option<LabFaults>>,
    /// How far the wall clock is ahead, in milliseconds.
    pub wall_ahead_ms: Option<i64>,
    /// Lets the clock of leases jump ahead once, by so many milliseconds. It never goes back.
    pub jump_ms: u64,
    /// For how many milliseconds the driver does nothing from now on, as in a computer that was closed. 0 wakes it.
    pub sleep_ms: Option<u64>,
}

impl LabOrder {
    /// Holds everything against its bounds, and finds out which peers are meant.
    ///
    /// # Errors
    /// `INVALID_LIMIT` for a number out of bounds, `NOT_FOUND` for what is no peer id of another peer.
    pub(crate) fn check(&self, me: &str) -> Result<BTreeMap<PeerId, Option<LabFaults>>, Error> {
        self.seed.map_or(Ok(()), |seed| whole(seed, SEED_MAX, "seed"))?;
        self.all.map_or(Ok(()), |all| all.check("all"))?;
        whole(self.jump_ms, JUMP_MAX_MS, "jumpMs")?;
        self.sleep_ms.map_or(Ok(()), |ms| whole(ms, SLEEP_MAX_MS, "sleepMs"))?;
        if let Some(ms) = self.wall_ahead_ms.filter(|ms| !(-WALL_MAX_MS..=WALL_MAX_MS).contains(ms)) {
            let allowed = format!("-{WALL_MAX_MS} to {WALL_MAX_MS}");
            return Err(out_of_bounds(&ms.to_string(), &allowed, "wallAheadMs"));
        }
        if self.peers.len() > PEERS_MAX {
            return Err(too_many(self.peers.len()));
        }
        let peer = |(text, faults): (&String, &Option<LabFaults>)| {
            faults.map_or(Ok(()), |faults| faults.check(&format!("peers.{text}")))?;
            Ok((other_peer(text, me)?, *faults))
        };
        self.peers.iter().map(peer).collect()
    }
}

/// A peer by its id.
pub(crate) fn other_peer(text: &str, me: &str) -> Result<PeerId, Error> {
    let known = text.parse().ok().filter(|_| text != me);
    known.ok_or_else(|| Error::new(ErrorCode::NotFound, format!("{text:?} is no peer id of another peer")))
}

/// More peers have faults of their own than may.
pub(crate) fn too_many(peers: usize) -> Error {
    let message = format!("{peers} peers would have faults of their own; at most {PEERS_MAX} are allowed");
    Error::new(ErrorCode::InvalidLimit, message).limit("peers", PEERS_MAX, peers, "peers")
}

fn whole(given: u64, max: u64, at: &str) -> Result<(), Error> {
    if given <= max { Ok(()) } else { Err(out_of_bounds(&given.to_string(), &format!("0 to {max}"), at)) }
}

fn out_of_bounds(given: &str, allowed: &str, at: &str) -> Error {
    Error::new(ErrorCode::InvalidLimit, format!("{at} is {given}; {allowed} is allowed")).at(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(order: &LabOrder) -> (ErrorCode, String) {
        let error = order.check("12D3KooWA").expect_err("out of bounds");
        (error.code, error.details.get("path").and_then(|path| path.as_str()).unwrap_or_default().to_owned())
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_by_its_place() {
        let way = |way: LabWay| LabOrder {
            all: Some(LabFaults { outgoing: way, ..LabFaults::default() }),
            ..LabOrder::default()
        };
        let fine = LabWay::default();
        let orders = [
            (way(LabWay { delay_ms: DELAY_MAX_MS + 1, ..fine }), "all.out.delayMs"),
            (way(LabWay { jitter_ms: u32::MAX, ..fine }), "all.out.jitterMs"),
            (way(LabWay { loss_percent: 100.1, ..fine }), "all.out.lossPercent"),
            (way(LabWay { loss_percent: f64::NAN, ..fine }), "all.out.lossPercent"),
            (way(LabWay { duplicate_percent: -0.1, ..fine }), "all.out.duplicatePercent"),
            (LabOrder { seed: Some(SEED_MAX + 1), ..LabOrder::default() }, "seed"),
            (LabOrder { jump_ms: JUMP_MAX_MS + 1, ..LabOrder::default() }, "jumpMs"),
            (LabOrder { sleep_ms: Some(SLEEP_MAX_MS + 1), ..LabOrder::default() }, "sleepMs"),
            (LabOrder { wall_ahead_ms: Some(i64::MIN), ..LabOrder::default() }, "wallAheadMs"),
            (LabOrder { wall_ahead_ms: Some(WALL_MAX_MS + 1), ..LabOrder::default() }, "wallAheadMs"),
        ];
        for (order, path) in orders {
            assert_eq!(refused(&order), (ErrorCode::InvalidLimit, path.to_owned()));
        }
        for peer in ["nobody", "", "12D3KooWA"] {
            let order = LabOrder { peers: BTreeMap::from([(peer.to_owned(), None)]), ..LabOrder::default() };
            assert_eq!(refused(&order), (ErrorCode::NotFound, String::new()), "{peer}");
        }
    }

    #[test]
    fn every_bound_itself_is_allowed() {
        let way = LabWay {
            cut: true,
            delay_ms: DELAY_MAX_MS,
            jitter_ms: DELAY_MAX_MS,
            loss_percent: 100.0,
            duplicate_percent: 0.5,
        };
        let faults = LabFaults { incoming: way, outgoing: way, apart: true };
        let peer = crate::SessionKey::generate().peer();
        let order = LabOrder {
            seed: Some(SEED_MAX),
            all: Some(faults),
            peers: BTreeMap::from([(peer.to_string(), Some(faults))]),
            wall_ahead_ms: Some(-WALL_MAX_MS),
            jump_ms: JUMP_MAX_MS,
            sleep_ms: Some(SLEEP_MAX_MS),
            ..LabOrder::default()
        };
        assert_eq!(order.check("12D3KooWA").unwrap(), BTreeMap::from([(peer, Some(faults))]));
    }

    #[test]
    fn a_fault_that_is_left_out_is_none() {
        let faults: LabFaults = serde_json::from_str(r#"{"out":{"cut":true}}"#).unwrap();
        assert!(faults.incoming.is_fine() && faults.outgoing.cut && !faults.is_silent() && !faults.is_fine());
        assert!(serde_json::from_str::<LabFaults>(r#"{"out":{"loss":5}}"#).is_err(), "a typing mistake is no fault");
        assert_eq!(serde_json::from_str::<LabFaults>("{}").unwrap(), LabFaults::default());
    }
}
