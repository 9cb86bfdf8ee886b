//! Connected peers: connections that come and go, pings, and what is shown of them.

use std::collections::{BTreeMap, BTreeSet};

use libp2p::core::ConnectedPoint;
use libp2p::gossipsub::TopicHash;
use libp2p::swarm::{ConnectionError, ConnectionId};
use libp2p::{PeerId, identify, ping, request_response};
use parlor_core::{DownCause, Input, SessionId, Tick};
use tracing::info;

use super::{Actor, relays};
use crate::address::{self, Route};
use crate::author::{self, Origin};
use crate::budget::{CUT_OFF_MS, Spent, WRONG};
use crate::clocks;
use crate::dialler::Source;
use crate::info::{PeerInfo, Speaks};
use crate::inspect::Traffic;
use crate::links::{Closing, Connection, Connections};
use crate::meter::Noise;
use crate::tags;

/// A peer with at least one connection.
#[derive(Debug, Default)]
pub(super) struct Peer {
    pub connections: Connections,
    /// What it was seen to be subscribed to; bounded by gossipsub's filter.
    pub topics: BTreeSet<TopicHash>,
    /// Direct frames that it has not answered yet.
    pub under_way: usize,
    /// What it calls its program.
    pub version: Option<String>,
    /// The wire version of what it wrote last that could not be read here.
    pub foreign: Option<u8>,
    /// When it was asked what time it is, and how far its clock was found to be ahead.
    pub clock_asked: Option<Tick>,
    pub clock_ahead_ms: Option<i64>,
    /// First and last time that it wrote to a topic without being seen to subscribe.
    pub unannounced: Option<(Tick, Tick)>,
}

impl Actor {
    pub(super) fn connection_opened(&mut self, peer: PeerId, id: ConnectionId, endpoint: &ConnectedPoint, now: Tick) {
        if author::session_of(&peer).is_none() {
            self.counters.count("peer_without_session");
            self.dials_done(peer, id);
            let _ = self.swarm.disconnect_peer_id(peer);
            return;
        }
        let remote = &relays::way_to(peer, endpoint);
        let route = Route::of(remote);
        let connection = Connection {
            id,
            dialled: endpoint.is_dialer(),
            address: address::bare(remote).unwrap_or_else(|| remote.clone()),
            route,
            loopback: address::is_loopback(remote),
            since: now,
            alive: now,
            rtt_ms: None,
            closing: None,
        };
        let address = connection.address.to_string();
        let entry = self.peers.entry(peer).or_default();
        entry.connections.add(connection);
        let count = entry.connections.count();
        let (peer_id, dialled) = (peer.to_string(), endpoint.is_dialer());
        info!(peer = tags::peer(&peer), ?route, dialled, connections = count, "a connection is open");
        self.show_traffic(Traffic::Connected { peer_id, address, dialled, connections: count }, now);
        self.counters.count("connection_opened");
        let target = self.pending.get(&id).and_then(|purpose| purpose.target());
        self.dialler.connected(peer, route, endpoint.is_dialer().then_some(remote), target, now);
        if count > 1 {
            self.counters.count("second_connection");
        } else {
            self.outage.link_up();
            self.tell_outage(now);
        }
        self.dials_done(peer, id);
        self.opened_in_weather(peer, id, now);
    }

    pub(super) fn connection_closed(
        &mut self,
        peer: PeerId,
        id: ConnectionId,
        error: Option<&ConnectionError>,
        now: Tick,
    ) {
        let Some(entry) = self.peers.get_mut(&peer) else { return };
        self.counters.count("connection_closed");
        let closed = entry.connections.remove(id);
        let closing = closed.as_ref().and_then(|connection| connection.closing);
        let only_relayed = entry.connections.relayed();
        let (connections, peer_id) = (entry.connections.count(), peer.to_string());
        let reason = match (closing, error) {
            (Some(Closing::Silent), _) => "it answers no ping".to_owned(),
            (Some(Closing::Replaced), _) => "a fresh one is wanted".to_owned(),
            (Some(Closing::Watchdog), _) => "the watchdog wants a fresh one: its heartbeats stay away".to_owned(),
            (None, Some(error)) => error.to_string(),
            (None, None) => "it was closed here".to_owned(),
        };
        info!(peer = tags::peer(&peer), connections, reason, "a connection is closed");
        self.show_traffic(Traffic::Disconnected { peer_id, connections, reason }, now);
        if only_relayed {
            self.relay_lost(&peer, now);
        }
        let Some(entry) = self.peers.get(&peer) else { return };
        if !entry.connections.is_empty() {
            if only_relayed {
                self.dialler.only_relayed(peer, now);
            }
            return;
        }
        self.peers.remove(&peer);
        let relayed = closed.as_ref().is_some_and(|connection| connection.route == Route::Relayed);
        // The end of a circuit may be the relay's end as well as the peer's.
        let cause = match closing {
            Some(closing) => closing.cause(),
            None if relayed || self.is_silenced(&peer) => DownCause::TimedOut,
            None => cause_of(error),
        };
        let topics: Vec<TopicHash> = self.topics.keys().cloned().collect();
        for topic in topics {
            self.link_down(&peer, &topic, cause, now);
        }
        self.dialler.disconnected(peer, now);
        let sign = if relayed || matches!(closing, Some(Closing::Replaced | Closing::Watchdog)) {
            DownCause::Closed
        } else {
            cause
        };
        self.outage.link_down(sign, self.peers.len(), now);
        self.tell_outage(now);
        self.closed_in_weather(&peer, now);
    }

    /// Ends every connection to a peer; the dialler brings it back.
    pub(super) fn reconnect(&mut self, peer: &PeerId, why: Closing, counter: &'static str) {
        let Some(entry) = self.peers.get_mut(peer) else { return };
        if entry.connections.iter().all(|connection| connection.closing.is_some()) {
            return;
        }
        entry.connections.iter_mut().for_each(|connection| connection.closing = Some(why));
        if self.swarm.disconnect_peer_id(*peer).is_ok() {
            info!(peer = tags::peer(peer), reason = counter, "a peer is disconnected");
            self.counters.count(counter);
        }
    }

    /// Whether a frame is within what its sender and its author may send; a peer that goes far beyond is cut off.
    pub(super) fn affords(&mut self, sender: &PeerId, origin: &Origin, bytes: usize, now: Tick) -> bool {
        if !self.peers.contains_key(sender) {
            return false;
        }
        let from_sender = self.senders.spend(origin.via, bytes, now);
        if from_sender != Spent::Paid {
            self.counters.count("over_budget");
        }
        // What a neighbour could not pay for is not its author's.
        let from_author = match from_sender {
            Spent::Paid => self.authors.spend(origin.author, bytes, now),
            _ => Spent::Over,
        };
        if from_sender == Spent::Paid && from_author != Spent::Paid {
            self.counters.count("author_over_budget");
        }
        let own = origin.author == origin.via;
        if from_sender == Spent::TooMuch || (own && from_author == Spent::TooMuch) {
            self.cut_off(*sender, now);
        }
        from_sender == Spent::Paid && from_author == Spent::Paid
    }

    /// What a peer sent that was no frame costs it the same.
    pub(super) fn noise(&mut self, sender: PeerId, noise: Noise, now: Tick) {
        self.counters.add("gossip_signature", noise.forged);
        self.counters.add("gossip_again", noise.again);
        self.counters.add("gossip_repeated", noise.repeated);
        self.counters.add("gossip_control", noise.control);
        self.counters.add("gossip_stream_again", noise.streams);
        let Some(sender) = author::session_of(&sender) else { return };
        let wrong = noise.forged + noise.again + noise.streams;
        self.charge(sender, wrong.saturating_mul(WRONG) + noise.repeated + noise.control, now);
    }

    /// Lets a peer pay for something that is not read any further, and cuts it off when it goes far beyond its means.
    pub(super) fn charge(&mut self, sender: SessionId, count: u64, now: Tick) {
        let spent = self.senders.spend_all(sender, count, 0, now);
        if spent != Spent::Paid {
            self.counters.add("over_budget", count);
        }
        if spent == Spent::TooMuch {
            author::peer_of(&sender).into_iter().for_each(|peer| self.cut_off(peer, now));
        }
    }

    /// Ends the connections to a peer, and has none with it for a while.
    fn cut_off(&mut self, peer: PeerId, now: Tick) {
        if self.swarm.behaviour_mut().cut_off.block_peer(peer) {
            info!(peer = tags::peer(&peer), reason = "it sends far more than it may", "a peer is cut off");
            self.counters.count("flooder_cut_off");
            self.cut_off.push((peer, now.plus(CUT_OFF_MS)));
        }
    }

    /// Peers may try again whose time is over.
    pub(super) fn forgive(&mut self, now: Tick) {
        let (over, still): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.cut_off).into_iter().partition(|(_, at)| *at <= now);
        self.cut_off = still;
        for (peer, _) in over {
            self.swarm.behaviour_mut().cut_off.unblock_peer(peer);
        }
    }

    pub(super) fn pinged(&mut self, event: &ping::Event, now: Tick) {
        let Some(longer_ms) = self.ping_in_weather(&event.peer) else { return };
        let connections = self.peers.get_mut(&event.peer).map(|peer| &mut peer.connections);
        let Some(connection) = connections.and_then(|all| all.get_mut(event.connection)) else { return };
        match &event.result {
            Ok(rtt) => {
                connection.alive = now;
                connection.rtt_ms = Some(rtt.as_secs_f64() * 1_000.0 + longer_ms);
                self.tell_round_trip(&event.peer, now);
            }
            Err(_) => self.counters.count("ping_failed"),
        }
    }

    /// The rooms show how long the way to a peer is, of the connection that stays.
    pub(super) fn tell_round_trip(&mut self, peer: &PeerId, now: Tick) {
        let best = self.peers.get(peer).and_then(|entry| entry.connections.best(&self.me, peer));
        let Some(rtt_ms) = best.and_then(|connection| connection.rtt_ms) else { return };
        let Some(session) = author::session_of(peer) else { return };
        // Far below 70 minutes, the most that fits; a fraction of a microsecond is nobody's loss.
        let us = (rtt_ms * 1_000.0) as u32;
        for room in self.rooms.values_mut().filter(|room| room.links.contains_key(peer)) {
            room.replica.handle(Input::RoundTrip { peer: session, us }, now);
        }
    }

    /// Where a peer says that it listens: a way back to one that dialled us.
    pub(super) fn identified(&mut self, event: identify::Event, now: Tick) {
        let identify::Event::Received { peer_id, info, .. } = event else { return };
        let Some(entry) = self.peers.get_mut(&peer_id) else { return };
        entry.version = version_of(&info.agent_version);
        let local = entry.connections.iter().any(|connection| connection.loopback);
        let direct = info.listen_addrs.iter().filter(|address| !address::is_relayed(address));
        for address in direct.take(16) {
            self.dialler.heard(peer_id, address, Source::Inbound, local, now);
        }
        self.relay_met(peer_id, &info.protocols, now);
    }

    /// What time it is at the others: asked of who was not for a minute.
    pub(super) fn ask_clocks(&mut self, now: Tick) {
        let due = |peer: &Peer| peer.clock_asked.is_none_or(|asked| now.since(asked) >= clocks::ASK_EVERY_MS);
        for (peer, entry) in self.peers.iter_mut().filter(|(_, entry)| due(entry)) {
            entry.clock_asked = Some(now);
            self.swarm.behaviour_mut().clocks.send_request(peer, ());
        }
    }

    pub(super) fn clocks(&mut self, event: request_response::Event<(), u64>, now: Tick) {
        use request_response::{Event, Message};
        let Event::Message { peer, message, .. } = event else { return };
        let wall_ms = self.wall_ms();
        match message {
            Message::Request { channel, .. } => {
                author::session_of(&peer).into_iter().for_each(|peer| self.charge(peer, 1, now));
                let _ = self.swarm.behaviour_mut().clocks.send_response(channel, wall_ms);
            }
            Message::Response { response, .. } => {
                let Some(entry) = self.peers.get_mut(&peer) else { return };
                let Some(asked) = entry.clock_asked else { return };
                let ahead = clocks::ahead(response, now.since(asked), wall_ms);
                entry.clock_ahead_ms = ahead.or(entry.clock_ahead_ms);
            }
        }
    }

    pub(super) fn infos(&self, now: Tick) -> Vec<PeerInfo> {
        let names: Vec<BTreeMap<String, String>> = self.rooms.values().map(|room| room.names(now)).collect();
        let infos = self.peers.keys().filter_map(|peer| self.info(peer, &names));
        infos.collect()
    }

    /// What is shown of a connected peer. `names` of sessions, per room.
    pub(super) fn info(&self, peer: &PeerId, names: &[BTreeMap<String, String>]) -> Option<PeerInfo> {
        let session_id = author::session_of(peer)?.to_string();
        let entry = self.peers.get(peer)?;
        let connection = entry.connections.best(&self.me, peer)?;
        let mut addresses = vec![connection.address.to_string()];
        let known = self.dialler.addresses(peer).into_iter().filter(|address| *address != connection.address);
        addresses.extend(known.map(|address| address.to_string()));
        let linked = self.rooms.values().filter(|room| room.links.get(peer).is_some_and(|link| link.inside));
        Some(PeerInfo {
            peer_id: peer.to_base58(),
            addresses,
            direction: if connection.dialled { "out" } else { "in" }.into(),
            transport: connection.route.name().into(),
            rtt_ms: connection.rtt_ms,
            clock_ahead_ms: entry.clock_ahead_ms,
            version: entry.version.clone(),
            speaks: Speaks::of(entry.foreign),
            rooms: linked.map(|room| room.id.clone()).collect(),
            source: self.dialler.source(peer).name().into(),
            name: names.iter().find_map(|names| names.get(&session_id).cloned()),
            watchdog: self.woken.of(peer),
            session_id,
        })
    }
}

/// `0.1.0` of `parlor/0.1.0`, when it looks like that: it is shown to people.
fn version_of(agent: &str) -> Option<String> {
    let version = agent.strip_prefix("parlor/")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    ((1..=32).contains(&version.len()) && version.bytes().all(plain)).then(|| version.to_owned())
}

/// Whether the other end closed, or nothing came back for too long. The transports wrap the system's error, QUIC in one
/// of its own that says so in words only.
fn cause_of(error: Option<&ConnectionError>) -> DownCause {
    let mut source: Option<&(dyn std::error::Error + 'static)> = match error {
        Some(ConnectionError::IO(error)) => Some(error),
        _ => None,
    };
    while let Some(error) = source {
        let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        if kind == Some(std::io::ErrorKind::TimedOut) || error.to_string().contains("timed out") {
            return DownCause::TimedOut;
        }
        source = error.source();
    }
    DownCause::Closed
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind};

    #[test]
    fn a_version_is_shown_when_it_is_one() {
        assert_eq!(version_of("parlor/1.2.3-rc.1").as_deref(), Some("1.2.3-rc.1"));
        let long = format!("parlor/{}", "1".repeat(33));
        for other in ["", "parlor/", "other/1.0", "parlor/1.0\u{202e}", "parlor/1 2", &long] {
            assert_eq!(version_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_timeout_is_told_from_an_end_of_stream() {
        let cause = |error: Error| cause_of(Some(&ConnectionError::IO(error)));
        assert_eq!(cause(ErrorKind::TimedOut.into()), DownCause::TimedOut);
        assert_eq!(cause(Error::other(Error::from(ErrorKind::TimedOut))), DownCause::TimedOut);
        assert_eq!(cause(ErrorKind::ConnectionReset.into()), DownCause::Closed);
        assert_eq!(cause(ErrorKind::UnexpectedEof.into()), DownCause::Closed);
        assert_eq!(cause_of(None), DownCause::Closed);
    }
}
