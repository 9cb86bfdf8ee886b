//! The connections to one peer, and which of them stays (design N2, N6).
//!
//! Two peers that dial each other at once have two connections. gossipsub would then share one queue between them, so
//! that frames overtake each other and get lost in the closing one: one must go. A limit of one per peer would make
//! either end refuse the other's and leave none. So two are allowed for a moment, and both ends know which stays: TCP
//! before QUIC before one through a relay, then the one that the smaller peer id dialled, then the older. The smaller
//! closes the extra after a second, when subscriptions that were sent on it have arrived; the larger does it a second
//! later should the smaller not.
//!
//! A peer whose address changed dials again while its old connection still looks open at this end. The old one answers
//! no ping any more, and the new one is no use by itself: what gossipsub says once, it said on the old. Then both go.

use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};
use parlor_core::{DownCause, Tick};

use crate::address::Route;

/// A link without an answered ping for this long is closed; TCP alone would keep it for minutes.
pub(crate) const SILENT_MS: u64 = 6_000;
/// Between two pings.
pub(crate) const PING_EVERY_MS: u64 = 2_000;
/// Without an answered ping for this long an answer is overdue.
const OVERDUE_MS: u64 = PING_EVERY_MS + PING_EVERY_MS / 4;
const EXTRA_MS: u64 = 1_000;
/// An answered ping that is older than this is no sign that a connection worked when another came.
const RECENT_MS: u64 = 250;

const _: () = assert!(SILENT_MS >= 3 * PING_EVERY_MS, "one lost ping closes nothing");

/// One connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub id: ConnectionId,
    /// Whether this end dialled.
    pub dialled: bool,
    /// Of the other end.
    pub address: Multiaddr,
    pub route: Route,
    pub loopback: bool,
    pub since: Tick,
    /// The last sign that it works: when it began, or an answered ping.
    pub alive: Tick,
    pub rtt_ms: Option<f64>,
    /// Why this end is closing it.
    pub closing: Option<Closing>,
}

/// Why this end closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closing {
    /// Nothing came back for too long.
    Silent,
    /// To have a fresh one. It may have worked, so it says nothing about our own network.
    Replaced,
    /// The same, since gossip came to nothing in it (design N2).
    Watchdog,
}

impl Closing {
    /// What the rooms are told: this end closed it, so it is no sign that the other is gone.
    pub(crate) fn cause(self) -> DownCause {
        DownCause::TimedOut
    }
}

/// All connections to one peer; never empty while the peer is connected.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connections(Vec<Connection>);

impl Connections {
    pub(crate) fn add(&mut self, connection: Connection) {
        self.0.push(connection);
    }

    pub(crate) fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        let at = self.0.iter().position(|connection| connection.id == id)?;
        Some(self.0.remove(at))
    }

    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.0.iter_mut().find(|connection| connection.id == id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Connection> {
        self.0.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Connection> {
        self.0.iter_mut()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one that stays.
    pub(crate) fn best(&self, me: &PeerId, peer: &PeerId) -> Option<&Connection> {
        let rank = |connection: &&Connection| {
            let by_smaller = connection.dialled == (me < peer);
            (connection.route, !by_smaller, connection.since)
        };
        self.0.iter().min_by_key(rank)
    }

    /// Those that this end is to close now: none before the one that stays has shown that it works beside them.
    pub(crate) fn extra(&self, me: &PeerId, peer: &PeerId, now: Tick) -> Vec<ConnectionId> {
        let (Some(newest), Some(best)) = (self.newest(), self.best(me, peer)) else { return Vec::new() };
        let wait = if me < peer { EXTRA_MS } else { 2 * EXTRA_MS };
        if now.since(newest) < wait || !works_beside(best, newest) {
            return Vec::new();
        }
        self.0.iter().map(|connection| connection.id).filter(|id| *id != best.id).collect()
    }

    /// Whether the peer made another connection because the one that would stay is dead.
    pub(crate) fn replaced(&self, me: &PeerId, peer: &PeerId, now: Tick) -> bool {
        let (Some(newest), Some(best)) = (self.newest(), self.best(me, peer)) else { return false };
        !works_beside(best, newest) && now.since(best.alive) > OVERDUE_MS
    }

    fn newest(&self) -> Option<Tick> {
        self.0.iter().map(|connection| connection.since).max()
    }

    /// Whether every ping has gone unanswered for too long.
    pub(crate) fn silent(&self, now: Tick) -> bool {
        !self.0.is_empty() && self.0.iter().all(|connection| now.since(connection.alive) > SILENT_MS)
    }

    /// Whether there is no way but through a relay.
    pub(crate) fn relayed(&self) -> bool {
        self.0.iter().all(|connection| connection.route == Route::Relayed)
    }

    /// Whether an answer is overdue, which is no reason to close but one not to wait when the network has changed.
    pub(crate) fn doubtful(&self, now: Tick) -> bool {
        self.0.iter().all(|connection| now.since(connection.alive) > OVERDUE_MS)
    }
}

fn works_beside(connection: &Connection, newest: Tick) -> bool {
    connection.alive.plus(RECENT_MS) >= newest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SessionKey;
    use crate::address::Transport;

    const TCP: Route = Route::Direct(Transport::Tcp);
    const QUIC: Route = Route::Direct(Transport::Quic);

    fn pair() -> (PeerId, PeerId) {
        let (a, b) = (SessionKey::generate().peer(), SessionKey::generate().peer());
        if a < b { (a, b) } else { (b, a) }
    }

    fn connection(id: usize, dialled: bool, route: Route, since: u64) -> Connection {
        Connection {
            id: ConnectionId::new_unchecked(id),
            dialled,
            address: Multiaddr::empty(),
            route,
            loopback: true,
            since: Tick(since),
            alive: Tick(since),
            rtt_ms: None,
            closing: None,
        }
    }

    fn both_ends(of: &[(bool, Route, u64)]) -> (Connections, Connections) {
        let (mut smaller, mut larger) = (Connections::default(), Connections::default());
        for (id, (by_smaller, route, since)) in of.iter().enumerate() {
            smaller.add(connection(id, *by_smaller, *route, *since));
            larger.add(connection(id, !*by_smaller, *route, *since));
        }
        (smaller, larger)
    }

    /// Report N17, report N18: both ends keep the same one of two, so that neither none nor two remain.
    #[test]
    fn both_ends_keep_the_same_connection() {
        let (small, large) = pair();
        let cases = [
            ([(true, TCP, 5), (false, TCP, 1)], 0),
            ([(false, TCP, 5), (true, QUIC, 1)], 0),
            ([(true, TCP, 5), (true, TCP, 1)], 1),
            ([(false, QUIC, 1), (false, QUIC, 5)], 0),
            ([(true, Route::Relayed, 1), (false, QUIC, 5)], 1),
        ];
        for (connections, stays) in cases {
            let (smaller, larger) = both_ends(&connections);
            let stays = ConnectionId::new_unchecked(stays);
            assert_eq!(smaller.best(&small, &large).unwrap().id, stays, "{connections:?}");
            assert_eq!(larger.best(&large, &small).unwrap().id, stays, "{connections:?}");
        }
    }

    #[test]
    fn the_smaller_closes_the_extra_after_a_second_and_the_larger_after_two() {
        let (small, large) = pair();
        let (smaller, larger) = both_ends(&[(true, TCP, 0), (false, TCP, 100)]);
        assert!(smaller.extra(&small, &large, Tick(1_099)).is_empty());
        assert_eq!(smaller.extra(&small, &large, Tick(1_100)), [ConnectionId::new_unchecked(1)]);
        assert!(larger.extra(&large, &small, Tick(2_099)).is_empty());
        assert_eq!(larger.extra(&large, &small, Tick(2_100)), [ConnectionId::new_unchecked(1)]);
    }

    /// Report N30: the peer has another address, so nothing comes over the connection that would stay.
    #[test]
    fn one_that_answers_no_more_goes_with_the_one_that_replaced_it() {
        let (small, large) = pair();
        let (mut smaller, _) = both_ends(&[(true, TCP, 0), (false, TCP, 11_500)]);
        let [old, new] = [0, 1].map(ConnectionId::new_unchecked);
        smaller.get_mut(old).unwrap().alive = Tick(10_000);
        let is = |smaller: &Connections, now: u64| {
            (smaller.extra(&small, &large, Tick(now)), smaller.replaced(&small, &large, Tick(now)))
        };
        assert_eq!(is(&smaller, 12_500), (vec![], false), "it may still answer");
        assert_eq!(is(&smaller, 12_501), (vec![], true));
        smaller.get_mut(old).unwrap().alive = Tick(12_000);
        assert_eq!(is(&smaller, 14_501), (vec![new], false), "it did, so both ends keep it");
    }

    #[test]
    fn one_connection_is_never_extra() {
        let (small, large) = pair();
        let (smaller, _) = both_ends(&[(false, QUIC, 0)]);
        assert!(smaller.extra(&small, &large, Tick(100_000)).is_empty());
    }

    #[test]
    fn a_link_is_silent_only_when_all_its_connections_are() {
        let (mut smaller, _) = both_ends(&[(true, TCP, 0), (false, TCP, 0)]);
        assert!(!smaller.silent(Tick(SILENT_MS)) && smaller.silent(Tick(SILENT_MS + 1)));
        smaller.get_mut(ConnectionId::new_unchecked(1)).unwrap().alive = Tick(3_000);
        assert!(!smaller.silent(Tick(SILENT_MS + 1)));
    }
}
