//! What becomes of each frame. This part decides and does nothing: it has no clock and no I/O, so the same seed and the same
//! frames at the same times meet the same fate, whatever happens on other links.

use std::collections::BTreeMap;

use libp2p::PeerId;
use parlor_core::{Error, Tick};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::faults::{LabCounts, LabFaults, LabPeer, LabWay, PEERS_MAX, too_many};

/// In which direction a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    In,
    Out,
}

/// When a frame passes, and whether it does so once more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    /// Missing when it is lost; not later than now when it passes at once.
    pub at: Option<Tick>,
    pub again: bool,
}

/// One direction of the links to one peer.
#[derive(Debug)]
struct Path {
    rng: ChaCha8Rng,
    /// When the last frame passes: none overtakes it.
    last: Tick,
}

/// The faults of all links, and the chances that were drawn.
#[derive(Debug, Default)]
pub(crate) struct Weather {
    seed: u64,
    all: LabFaults,
    peers: BTreeMap<PeerId, LabFaults>,
    paths: BTreeMap<(PeerId, Way), Path>,
    /// What was decided so far.
    pub counts: LabCounts,
}

impl Weather {
    /// Whether there is no fault anywhere.
    pub(crate) fn is_fine(&self) -> bool {
        self.all.is_fine() && self.peers.is_empty()
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Draws anew from here on.
    pub(crate) fn sow(&mut self, seed: u64) {
        self.seed = seed;
        self.paths.clear();
    }

    pub(crate) fn all(&self) -> LabFaults {
        self.all
    }

    /// Peers with faults of their own.
    pub(crate) fn peers(&self) -> Vec<LabPeer> {
        self.peers.iter().map(|(peer, faults)| LabPeer { peer_id: peer.to_base58(), faults: *faults }).collect()
    }

    /// The faults of everybody who has none of their own.
    pub(crate) fn set_all(&mut self, faults: LabFaults) {
        self.all = faults;
    }

    /// Gives peers faults of their own, or takes those away; `alone` takes them from all others too.
    ///
    /// # Errors
    /// `INVALID_LIMIT` when too many would have some. Nothing was changed.
    pub(crate) fn set_peers(&mut self, peers: BTreeMap<PeerId, Option<LabFaults>>, alone: bool) -> Result<(), Error> {
        let mut after = if alone { BTreeMap::new() } else { self.peers.clone() };
        for (peer, faults) in peers {
            match faults {
                Some(faults) => drop(after.insert(peer, faults)),
                None => drop(after.remove(&peer)),
            }
        }
        if after.len() > PEERS_MAX {
            return Err(too_many(after.len()));
        }
        self.peers = after;
        Ok(())
    }

    /// Who has some.
    pub(crate) fn with_faults(&self) -> impl Iterator<Item = PeerId> {
        self.peers.keys().copied()
    }

    /// What is wrong with the links to a peer.
    pub(crate) fn of(&self, peer: &PeerId) -> &LabFaults {
        self.peers.get(peer).unwrap_or(&self.all)
    }

    /// Whether nothing passes in one direction.
    pub(crate) fn is_shut(&self, peer: &PeerId, way: Way) -> bool {
        self.way(peer, way).is_shut()
    }

    fn way(&self, peer: &PeerId, way: Way) -> LabWay {
        match way {
            Way::In => self.of(peer).incoming,
            Way::Out => self.of(peer).outgoing,
        }
    }

    /// Nothing of a peer is remembered but its faults: it has no connection any more.
    pub(crate) fn forget(&mut self, peer: &PeerId) {
        self.paths.retain(|(of, _), _| of != peer);
    }

    /// Decides about one frame.
    pub(crate) fn fate(&mut self, peer: &PeerId, way: Way, now: Tick) -> Fate {
        let of = self.way(peer, way);
        if of.is_fine() {
            // What is still held back goes first.
            let last = self.paths.get(&(*peer, way)).map_or(now, |path| path.last);
            return Fate { at: Some(last.max(now)), again: false };
        }
        let seed = self.seed;
        let path = self.paths.entry((*peer, way)).or_insert_with(|| Path::new(seed, peer, way));
        if of.is_shut() || path.one_of(of.loss_percent) {
            self.counts.lost += 1;
            return Fate::default();
        }
        self.counts.passed += 1;
        path.last = path.last.max(now.plus(path.takes(&of)));
        let again = path.one_of(of.duplicate_percent);
        self.counts.delayed += u64::from(path.last > now);
        self.counts.duplicated += u64::from(again);
        Fate { at: Some(path.last), again }
    }

    /// How much longer an answer to a ping takes, in milliseconds; nothing when none can come. One direction that is cut
    /// swallows frames without a sign; that a cable is out shows in pings too.
    pub(crate) fn ping(&self, peer: &PeerId) -> Option<f64> {
        let faults = self.of(peer);
        let both = f64::from(faults.incoming.delay_ms) + f64::from(faults.outgoing.delay_ms);
        (!faults.is_silent()).then_some(both)
    }
}

impl Path {
    fn new(seed: u64, peer: &PeerId, way: Way) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes()).update(&[way as u8]).update(&peer.to_bytes());
        Path { rng: ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()), last: Tick(0) }
    }

    fn one_of(&mut self, percent: f64) -> bool {
        percent > 0.0 && self.rng.random_bool((percent / 100.0).clamp(0.0, 1.0))
    }

    fn takes(&mut self, way: &LabWay) -> u64 {
        let (delay, jitter) = (u64::from(way.delay_ms), u64::from(way.jitter_ms));
        match jitter {
            0 => delay,
            _ => self.rng.random_range(delay.saturating_sub(jitter)..=delay + jitter),
        }
    }
}
