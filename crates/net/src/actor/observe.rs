//! What is known at one moment, for who looks for a fault.

use std::collections::HashSet;
use std::time::Duration;

use parlor_core::Tick;

use super::Actor;
use crate::address::Rank;
use crate::check::{
    ANSWERS_WITHIN, DiscoveryCheck, DiscoveryState, LINKS_WITHIN, Observation, PEERS_MAX, PeerCheck, Place,
};
use crate::dialler::Known;
use crate::hello::Way;

impl Actor {
    /// Asks the network again who is there. How long to wait for what comes of it.
    pub(super) fn ask_around(&mut self) -> Duration {
        self.hello.again();
        match [self.ways.mdns, self.ways.hello].contains(&DiscoveryState::On) {
            true => ANSWERS_WITHIN,
            false if self.pending.is_empty() => Duration::ZERO,
            false => LINKS_WITHIN,
        }
    }

    pub(super) fn observe(&self, now: Tick) -> Observation {
        let ears = self.hello.ears();
        let mut known: Vec<Known> = self.dialler.known().collect();
        // Other windows of this computer are no sign of a network.
        let others = known.iter().filter(|known| known.rank != Rank::Here);
        let told: Vec<Tick> = others.filter_map(|known| known.mdns).collect();
        let missing = |known: &Known| known.peer.is_none_or(|peer| !self.peers.contains_key(&peer));
        // A session that ended is not missed where another answers by now.
        let linked = known.iter().filter(|known| !missing(known));
        let taken: HashSet<_> = linked.flat_map(|known| known.addresses.iter().flatten().cloned()).collect();
        known.retain(|known| !missing(known) || known.addresses.iter().flatten().any(|at| !taken.contains(at)));
        known.sort_by_key(|known| (!missing(known), std::cmp::Reverse(known.seen)));
        known.truncate(PEERS_MAX);
        let count = |many: usize| u32::try_from(many).unwrap_or(u32::MAX);
        let ago = |last: Option<Tick>| last.map(|last| now.since(last));
        Observation {
            network: *self.network.borrow(),
            listen: self.listen.borrow().clone(),
            mdns: DiscoveryCheck {
                state: self.ways.mdns,
                by_multicast: count(told.len()),
                by_broadcast: 0,
                last_ms_ago: ago(told.into_iter().max()),
            },
            hello: DiscoveryCheck {
                state: self.ways.hello,
                by_multicast: count(ears.answers(Way::Multicast)),
                by_broadcast: count(ears.answers(Way::Broadcast)),
                last_ms_ago: ago(ears.last()),
            },
            ears,
            loopback_only: self.loopback_only,
            peers: known.into_iter().map(|known| self.observed(known, now)).collect(),
        }
    }

    fn observed(&self, known: Known, now: Tick) -> (PeerCheck, [Vec<libp2p::Multiaddr>; 2]) {
        let names: Vec<_> = self.rooms.values().map(|room| room.names(now)).collect();
        let link = known.peer.and_then(|peer| self.info(&peer, &names));
        let connections = known.peer.and_then(|peer| self.peers.get(&peer)).map(|peer| &peer.connections);
        let here = connections.is_some_and(|all| all.iter().any(|connection| connection.loopback));
        let place = match known.rank {
            Rank::Here => Place::Here,
            _ if here => Place::Here,
            Rank::OnLink => Place::Network,
            Rank::Routed | Rank::Poor | Rank::Useless => Place::Beyond,
        };
        let source = known.source.name().into();
        (PeerCheck { link, source, place, met: known.met, addresses: Vec::new() }, known.addresses)
    }
}
