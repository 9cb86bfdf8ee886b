//! What a lab does to gossip. What comes in meets its fate before gossipsub sees it, so that a frame that is lost on one link
//! may still come by another; what goes out is published to those alone whom it reaches.
//!
//! gossipsub has no such choice. But it publishes to nobody whose score is below a threshold, and a score may be given by
//! who uses it: so in a lab scores are kept, and consist of that alone. What goes round for others goes by the mesh, from
//! which gossipsub takes whoever has such a score for longer than a second.

use std::collections::HashSet;
use std::time::Duration;

use libp2p::PeerId;
use libp2p::gossipsub::{Message, PeerScoreParams, PeerScoreThresholds, RawMessage};
use libp2p::swarm::ConnectionId;
use parlor_core::Tick;

use super::late::Late;
use super::weather::{Way, Weather};
use crate::clock::Clock;
use crate::gossip::{Gossip, ID_BYTES, id_of};
use crate::meter::FromConnection;

/// The score of whom nothing is published to.
const SHUNNED: f64 = -100.0;
/// Messages that are to come twice and did not yet come once.
const TWICE_MAX: usize = 1_024;

/// One RPC that is held back.
type Held = (PeerId, ConnectionId, FromConnection);

/// See the module.
pub(crate) struct Air {
    pub weather: Weather,
    clock: Clock,
    late: Late<Held>,
    twice: HashSet<[u8; ID_BYTES]>,
}

impl Air {
    pub(crate) fn new(clock: Clock) -> Self {
        Air { weather: Weather::default(), clock, late: Late::new(), twice: HashSet::new() }
    }

    /// Whether everything passes at once, what comes next as well.
    pub(crate) fn is_calm(&self) -> bool {
        self.weather.is_fine() && self.late.len() == 0
    }

    /// The time of everything that a lab decides. It does not jump when the clock of the rooms does.
    pub(crate) fn now(&self) -> Tick {
        self.clock.now()
    }

    /// What passes now of an RPC. Subscriptions and the like always do: a stream loses nothing.
    pub(crate) fn pass(&mut self, peer: PeerId, id: ConnectionId, event: FromConnection) -> Option<FromConnection> {
        let FromConnection::Message { mut rpc, invalid_messages } = event else { return Some(event) };
        if rpc.messages.is_empty() || self.is_calm() {
            return Some(FromConnection::Message { rpc, invalid_messages });
        }
        let now = self.now();
        let mut bare = rpc.clone();
        bare.messages.clear();
        bare.subscriptions.clear();
        bare.control_msgs.clear();
        for message in std::mem::take(&mut rpc.messages) {
            let fate = self.weather.fate(&peer, Way::In, now);
            let Some(at) = fate.at else { continue };
            if fate.again {
                self.note_twice(&message);
            }
            if at <= now {
                rpc.messages.push(message);
                continue;
            }
            let (bytes, mut rpc) = (message.data.len(), bare.clone());
            rpc.messages.push(message);
            let held = (peer, id, FromConnection::Message { rpc, invalid_messages: Vec::new() });
            if !self.late.hold(at, bytes, held) {
                self.weather.counts.overflowed += 1;
            }
        }
        let empty = rpc.messages.is_empty() && rpc.subscriptions.is_empty() && rpc.control_msgs.is_empty();
        (!empty).then_some(FromConnection::Message { rpc, invalid_messages })
    }

    /// What was held back until now.
    pub(crate) fn due(&mut self) -> Option<Held> {
        self.late.take(self.clock.now())
    }

    /// When there is more.
    pub(crate) fn next(&self) -> Option<Tick> {
        self.late.next()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.late.len()
    }

    /// What is under way on a connection goes with it.
    pub(crate) fn closed(&mut self, id: ConnectionId) {
        self.late.retain(|(_, of, _)| *of != id);
    }

    fn note_twice(&mut self, message: &RawMessage) {
        if self.twice.len() < TWICE_MAX {
            self.twice.insert(id_of(message.source.as_ref(), message.sequence_number));
        }
    }

    /// Whether this message, which has come now, comes once more.
    pub(crate) fn comes_again(&mut self, message: &Message) -> bool {
        !self.twice.is_empty() && self.twice.remove(&id_of(message.source.as_ref(), message.sequence_number))
    }
}

/// Lets gossipsub keep scores that are nothing but what it is told.
pub(crate) fn keep_scores(gossip: &mut Gossip) -> Result<(), String> {
    let scores = PeerScoreParams {
        topic_score_cap: 0.0,
        app_specific_weight: 1.0,
        ip_colocation_factor_weight: 0.0,
        behaviour_penalty_weight: 0.0,
        slow_peer_weight: 0.0,
        retain_score: Duration::from_secs(1),
        ..PeerScoreParams::default()
    };
    let thresholds = PeerScoreThresholds {
        gossip_threshold: SHUNNED / 2.0,
        publish_threshold: SHUNNED / 2.0,
        graylist_threshold: SHUNNED * 2.0,
        accept_px_threshold: 0.0,
        opportunistic_graft_threshold: 0.0,
    };
    gossip.with_peer_score(scores, thresholds)
}

/// Publishes nothing to a peer from now on, or does so again.
pub(crate) fn shun(gossip: &mut Gossip, peer: &PeerId, shunned: bool) {
    gossip.set_application_score(peer, if shunned { SHUNNED } else { 0.0 });
}
