//! Meeting others at relays, and what is counted when this peer is one. What to do and when is for `meeting` to say.

use libp2p::core::ConnectedPoint;
use libp2p::core::transport::ListenerId;
use libp2p::multiaddr::Protocol;
use libp2p::rendezvous::{Registration, client, server};
use libp2p::{Multiaddr, PeerId, StreamProtocol, relay as circuits};
use parlor_core::Tick;

use super::Actor;
use crate::address::{self, Route};
use crate::author;
use crate::budget::WRONG;
use crate::dialler::Source;
use crate::links::Closing;
use crate::meeting::{Reserved, Step};
use crate::rendezvous::{ASKED_MAX, Heard, TTL_S, namespace};
use crate::{relay, rendezvous};

/// Addresses of one relay that others are told of, so that there is one for each network that it is in.
const TOLD_OF_MAX: usize = 4;
/// Addresses that are read of one registration.
const ADDRESSES_MAX: usize = 16;

/// The way to the other end of a connection. Who comes through a relay has no address of its own: the way there leads
/// through the same relay.
pub(super) fn way_to(peer: PeerId, endpoint: &ConnectedPoint) -> Multiaddr {
    match endpoint {
        ConnectedPoint::Listener { local_addr, .. } if address::is_relayed(local_addr) => {
            local_addr.clone().with(Protocol::P2p(peer))
        }
        _ => endpoint.get_remote_address().clone(),
    }
}

impl Actor {
    /// Where others can reach this peer, for those who hear of it at a relay, and for those for whom it is one.
    pub(super) fn reachable_at(&mut self, address: Multiaddr, still: bool) {
        if address::is_loopback(&address) && !self.loopback_only {
            return;
        }
        match still {
            true => self.swarm.add_external_address(address),
            false => self.swarm.remove_external_address(&address),
        }
    }

    /// A peer said which protocols it speaks: it may be a relay.
    pub(super) fn relay_met(&mut self, peer: PeerId, protocols: &[StreamProtocol], now: Tick) {
        let direct = self.peers.get(&peer).and_then(|entry| entry.connections.best(&self.me, &peer));
        let direct = direct.filter(|connection| connection.route != Route::Relayed);
        let Some(at) = direct.map(|connection| connection.address.clone()) else { return };
        if !protocols.contains(&circuits::HOP_PROTOCOL_NAME) {
            return;
        }
        self.dialler.relay(peer, Some(at));
        self.meeting.met(peer, self.dialler.asked_for(&peer), now);
        self.show_relays();
    }

    /// Where we can be met, for tickets.
    fn show_relays(&self) {
        let others = |at: &Multiaddr| self.loopback_only || !address::is_loopback(at);
        let of = |relay: &PeerId| {
            self.dialler.addresses(relay).into_iter().filter(others).take(TOLD_OF_MAX).collect::<Vec<_>>()
        };
        let relays: Vec<String> = self.meeting.held().flat_map(of).map(|at| at.to_string()).collect();
        self.relays.send_if_modified(|shown| {
            let changed = *shown != relays;
            *shown = relays;
            changed
        });
    }

    /// The last direct connection to a peer is gone, which may have been a relay.
    pub(super) fn relay_lost(&mut self, peer: &PeerId, now: Tick) {
        self.dialler.relay(*peer, None);
        self.meeting.lost(peer, now);
        self.show_relays();
    }

    /// Whether a peer is to be found again soon: somebody of a shared room is there, or it is where we are met.
    pub(super) fn needed(&self, peer: &PeerId) -> bool {
        self.shares_room(peer) || self.meeting.uses(peer)
    }

    /// Does at relays what is due.
    pub(super) fn run_meeting(&mut self, now: Tick) {
        while let Some(step) = self.meeting.poll(now) {
            match step {
                Step::Reserve(relay) => self.reserve(relay, now),
                Step::Say(relay) => self.say(relay),
            }
        }
    }

    fn reserve(&mut self, relay: PeerId, now: Tick) {
        let connection = self.peers.get(&relay).and_then(|entry| entry.connections.best(&self.me, &relay));
        let Some(at) = connection.map(|connection| address::meeting_point(relay, &connection.address)) else {
            return self.meeting.refused(&relay, now);
        };
        self.dialler.shared(relay, true);
        match self.swarm.listen_on(at) {
            Ok(listener) => {
                self.places.insert(listener, relay);
            }
            Err(_) => self.meeting.refused(&relay, now),
        }
    }

    /// Says of every room that we are in it. Who else is, is asked when that was heard: of two who come at once the later
    /// one then hears of the other.
    fn say(&mut self, relay: PeerId) {
        for topic in self.topics.keys() {
            let Some(namespace) = namespace(topic.as_str()) else { continue };
            let said = self.swarm.behaviour_mut().rendezvous.inner().register(namespace, relay, Some(TTL_S));
            if said.is_err() {
                self.counters.count("rendezvous_failed");
            }
        }
    }

    /// Says at relays that we are in a room no longer.
    pub(super) fn unsay(&mut self, topic: &str) {
        let Some(namespace) = namespace(topic) else { return };
        for relay in self.meeting.held() {
            self.swarm.behaviour_mut().rendezvous.inner().unregister(namespace.clone(), *relay);
        }
    }

    /// Whether the listener was a place at a relay, which is ours no longer.
    pub(super) fn place_lost(&mut self, listener: ListenerId, now: Tick) -> bool {
        let Some(relay) = self.places.remove(&listener) else { return false };
        self.counters.count("relay_place_lost");
        self.meeting.refused(&relay, now);
        self.show_relays();
        true
    }

    /// What became of a question to a relay.
    pub(super) fn circuit(&mut self, heard: Heard<circuits::client::Event>, now: Tick) {
        use circuits::client::Event;
        match heard {
            Heard::Told(Event::ReservationReqAccepted { relay_peer_id: relay, renewal, .. }) => {
                match self.meeting.reserved(&relay, renewal, now) {
                    Reserved::Ours => self.counters.count("relay_place_held"),
                    Reserved::Hasty => return self.distrust(relay, "relay_hasty", now),
                    Reserved::Unasked => return self.distrust(relay, "relay_unasked", now),
                }
                self.show_relays();
            }
            Heard::Told(_) => {}
            Heard::Refused { peer, what } => self.distrust(peer, what, now),
            Heard::Dropped { what } => self.counters.count(what),
        }
    }

    /// A relay does what none of ours does. With the connection everything ends that it was asked before, and the place
    /// there, which libp2p would go on renewing.
    fn distrust(&mut self, relay: PeerId, what: &'static str, now: Tick) {
        self.counters.count(what);
        self.meeting.distrust(&relay, now);
        self.show_relays();
        self.reconnect(&relay, Closing::Replaced, "relay_distrusted");
    }

    pub(super) fn rendezvous(&mut self, heard: Heard<client::Event>, now: Tick) {
        let event = match heard {
            Heard::Told(event) => event,
            Heard::Refused { peer, what } => return self.distrust(peer, what, now),
            Heard::Dropped { what } => return self.counters.count(what),
        };
        match event {
            client::Event::Registered { rendezvous_node, namespace, .. } => {
                let inner = self.swarm.behaviour_mut().rendezvous.inner();
                inner.discover(Some(namespace), None, Some(ASKED_MAX), rendezvous_node);
            }
            client::Event::Discovered { registrations, .. } => {
                registrations.iter().for_each(|one| self.told_of(one, now));
            }
            client::Event::RegisterFailed { .. } | client::Event::DiscoverFailed { .. } => {
                self.counters.count("rendezvous_failed");
            }
            client::Event::Expired { .. } => {}
        }
    }

    /// Somebody is in a room of ours, as they signed it.
    fn told_of(&mut self, registration: &Registration, now: Tick) {
        let peer = registration.record.peer_id();
        if author::session_of(&peer).is_none() {
            return self.counters.count("peer_without_session");
        }
        self.counters.count("rendezvous_told");
        for address in registration.record.addresses().iter().take(ADDRESSES_MAX) {
            match address::relay_of(address) {
                Some(relay) => self.dialler.heard_through(peer, relay, now),
                None => self.dialler.heard(peer, address, Source::Rendezvous, false, now),
            }
        }
    }

    /// As a relay. Who has a place here is no stranger.
    pub(super) fn relayed_for_others(&mut self, event: &circuits::Event) {
        match event {
            circuits::Event::ReservationReqAccepted { src_peer_id, .. } => {
                self.guests.insert(*src_peer_id);
            }
            circuits::Event::ReservationClosed { src_peer_id }
            | circuits::Event::ReservationTimedOut { src_peer_id } => {
                self.guests.remove(src_peer_id);
            }
            _ => {}
        }
        relay::counted(event).into_iter().for_each(|name| self.counters.count(name));
    }

    /// As a relay.
    pub(super) fn registered_others(&mut self, heard: Heard<server::Event>, now: Tick) {
        match heard {
            Heard::Told(event) => {
                rendezvous::counted(&event).into_iter().for_each(|name| self.counters.count(name));
            }
            Heard::Refused { peer, what } => {
                self.counters.count(what);
                author::session_of(&peer).into_iter().for_each(|peer| self.charge(peer, WRONG, now));
            }
            Heard::Dropped { what } => self.counters.count(what),
        }
    }
}
