//! Whom to dial, where and when (design N6, N7). A state machine without I/O: discovery, connections and failures go in
//! with the time, dials come out.
//!
//! - Of two peers that discover each other the smaller peer id dials first, the larger after 1.5 s: that is the rule that
//!   makes two connections rare. Whoever has a reason of its own (a typed address, resume, a carrier) does not wait.
//! - A try dials all TCP addresses of a peer that are worth it, side by side so that none blocks the others, and all QUIC
//!   addresses when every TCP one has failed. Then it backs off with full jitter.
//! - Whom a relay leads to is dialled through it when nothing better is likely to answer, else after all else failed. While
//!   there is no other way, the direct ones are tried again and again: a connection that needs nobody replaces the circuit.
//! - An address where somebody else answered is taken from the peer and given to who answered: sessions have fresh ids,
//!   so that is what a restart looks like.
//! - A *wish* is an address of `--dial`: it has no peer id as a rule, and is tried for as long as nobody is connected by
//!   it. A person asked for it, so it never backs off beyond two seconds.
//!
//! Discovery is a hint and never liveness: nothing here says that a peer is gone.

mod backoff;
mod book;
mod dial;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use libp2p::{Multiaddr, PeerId};
use parlor_core::Tick;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::address::{self, Rank, Route, Subnet, Transport};
use backoff::Backoff;
use book::Addresses;
pub(crate) use dial::{Dial, Failure, Source, Target};

/// How much later the larger of two peer ids dials.
pub(crate) const LARGER_WAITS_MS: u64 = 1_500;
/// How much later when only one of them may know of the other, because an answer is heard by who asked.
pub(crate) const LARGER_WAITS_FOR_HELLO_MS: u64 = 300;
/// How long a circuit serves before a direct way is tried: what is said first is said on the circuit.
const DIRECT_AFTER_MS: u64 = 500;
/// The widest step between two such tries.
const DIRECT_EVERY_MS: u64 = 300_000;
/// How much later it dials again when a connection broke.
const AGAIN_WAITS_MS: u64 = 500;
/// Dials of many peers after a resume are spread over this,
const SPREAD_MS: u64 = 300;
/// and those of a few over less: so much for each.
const SPREAD_EACH_MS: u64 = 10;
/// Peers in the address book.
const BOOK_MAX: usize = 512;
/// Of them, those that only answered a hello, or that a relay told of, and that were never reached.
const UNPROVEN_MAX: usize = 64;
/// A shared room makes a missing peer urgent for this long.
const URGENT_MS: u64 = 60_000;
/// A peer that was neither reached nor heard of for this long is forgotten: sessions do not come back under their id.
const FORGET_MS: u64 = 600_000;

#[derive(Debug)]
struct Peer {
    addresses: Addresses,
    source: Source,
    connected: bool,
    /// Whether that is through a relay and not otherwise.
    relayed: bool,
    dialling: Option<Route>,
    due: Option<Tick>,
    backoff: Backoff,
    shared: bool,
    /// The last connection or news of it.
    seen: Tick,
    /// When mDNS told of it last.
    mdns: Option<Tick>,
}

/// Somebody who may be dialled, as a person who looks for a fault is told.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// `None` for an address of `--dial` where nobody answered yet.
    pub peer: Option<PeerId>,
    pub source: Source,
    /// Where it is, by the best of its addresses.
    pub rank: Rank,
    /// Whether it was ever reached at one of them.
    pub met: bool,
    pub seen: Tick,
    pub mdns: Option<Tick>,
    /// Those worth a try, best first: by TCP, then by QUIC.
    pub addresses: [Vec<Multiaddr>; 2],
}

impl Peer {
    /// Whether there is something that a dial could better.
    fn wanting(&self) -> bool {
        !self.connected || self.relayed
    }

    /// The routes to it in the order in which they are tried, with what is dialled.
    fn routes(&self, peer: PeerId, relays: &Relays, subnets: &[Subnet]) -> [(Route, Vec<Multiaddr>); 3] {
        let through = |relay: &PeerId| relays.get(relay).map(|at| address::circuit(*relay, at, peer));
        let circuits = match self.connected {
            true => Vec::new(),
            false => self.addresses.relays().iter().filter_map(through).collect(),
        };
        let [tcp, quic] = [Transport::Tcp, Transport::Quic]
            .map(|transport| (Route::Direct(transport), self.addresses.worth(transport, subnets)));
        match self.addresses.any_near(subnets) {
            true => [tcp, quic, (Route::Relayed, circuits)],
            false => [(Route::Relayed, circuits), tcp, quic],
        }
    }
}

/// The relays that we are connected to, and where.
type Relays = BTreeMap<PeerId, Multiaddr>;

#[derive(Debug)]
struct Wish {
    address: Multiaddr,
    peer: Option<PeerId>,
    dialling: bool,
    due: Option<Tick>,
    backoff: Backoff,
}

/// See the module.
pub(crate) struct Dialler {
    me: PeerId,
    rng: ChaCha8Rng,
    peers: BTreeMap<PeerId, Peer>,
    wishes: Vec<Wish>,
    relays: Relays,
    subnets: Vec<Subnet>,
    strangers: bool,
    carrier: bool,
}

impl Dialler {
    pub(crate) fn new(me: PeerId, seed: u64, wishes: Vec<Multiaddr>, now: Tick) -> Self {
        let wish = |address: Multiaddr| {
            let peer = crate::address::endpoint(&address).and_then(|parts| parts.peer);
            Wish { address, peer, dialling: false, due: Some(now), backoff: Backoff::default() }
        };
        Dialler {
            me,
            rng: ChaCha8Rng::seed_from_u64(seed),
            peers: BTreeMap::new(),
            wishes: wishes.into_iter().map(wish).collect(),
            relays: Relays::new(),
            subnets: Vec::new(),
            strangers: true,
            carrier: true,
        }
    }

    /// The networks this computer is in, for judging addresses.
    pub(crate) fn subnets(&mut self, subnets: Vec<Subnet>) {
        self.subnets = subnets;
    }

    /// Whether there is a network. While there is none only this computer can be dialled: any other dial would hang until
    /// it timed out, and be in the way of the one that is due when the network is back.
    pub(crate) fn carrier(&mut self, carrier: bool) {
        self.carrier = carrier;
    }

    /// Whether peers that share no room may be dialled; off while there are enough of them.
    pub(crate) fn strangers(&mut self, welcome: bool) {
        self.strangers = welcome;
    }

    /// Where a relay is that we are connected to; `None` when we are no longer.
    pub(crate) fn relay(&mut self, relay: PeerId, at: Option<Multiaddr>) {
        match at {
            Some(at) => self.relays.insert(relay, at),
            None => self.relays.remove(&relay),
        };
    }

    /// An address of a peer, from discovery or from the peer itself. `local`: the peer runs on this computer.
    pub(crate) fn heard(&mut self, peer: PeerId, address: &Multiaddr, source: Source, local: bool, now: Tick) {
        self.told(peer, source, now, |addresses| addresses.hear(address, local, now));
    }

    /// A peer said that it can be reached through a relay.
    pub(crate) fn heard_through(&mut self, peer: PeerId, relay: PeerId, now: Tick) {
        self.told(peer, Source::Rendezvous, now, |addresses| addresses.hear_through(relay));
    }

    /// News of a peer; `note` says whether there was something new in it.
    fn told(&mut self, peer: PeerId, source: Source, now: Tick, note: impl FnOnce(&mut Addresses) -> bool) {
        if peer == self.me {
            return;
        }
        let delay = match source {
            _ if self.me < peer => 0,
            Source::Hello | Source::Rendezvous => LARGER_WAITS_FOR_HELLO_MS,
            _ => LARGER_WAITS_MS,
        };
        let Some(entry) = self.entry(peer, source, now) else { return };
        let fresh = note(&mut entry.addresses);
        entry.seen = now;
        if source > entry.source {
            entry.source = source;
        }
        if source == Source::Mdns {
            entry.mdns = Some(now);
        }
        // mDNS tells of an address again only after it was silent, and an answer was given just now; the files of
        // neighbours are read every second. What else a connected peer tells of is the same every time.
        let news = fresh
            || matches!(source, Source::Mdns | Source::Hello)
            || (source == Source::Rendezvous && !entry.connected);
        if news && entry.wanting() && entry.dialling.is_none() {
            entry.backoff.reset();
            let delay = if entry.connected { delay.max(DIRECT_AFTER_MS) } else { delay };
            let due = now.plus(delay);
            entry.due = Some(entry.due.map_or(due, |before| before.min(due)));
        }
    }

    fn entry(&mut self, peer: PeerId, source: Source, now: Tick) -> Option<&mut Peer> {
        if !self.peers.contains_key(&peer) {
            self.make_room(source)?;
        }
        Some(self.peers.entry(peer).or_insert_with(|| Peer {
            addresses: Addresses::default(),
            source,
            connected: false,
            relayed: false,
            dialling: None,
            due: None,
            backoff: Backoff::default(),
            shared: false,
            seen: now,
            mdns: None,
        }))
    }

    /// For one more peer. Whoever answers a hello may answer for as many as they like, and a relay may tell of as many, so
    /// those that nobody ever reached make room for each other and for nobody else.
    fn make_room(&mut self, source: Source) -> Option<()> {
        let claimed = |source: Source| matches!(source, Source::Hello | Source::Rendezvous);
        let unproven = |entry: &Peer| claimed(entry.source) && !entry.addresses.any_worked();
        let idle = || self.peers.iter().filter(|(_, entry)| !entry.connected && entry.dialling.is_none());
        let stalest = if claimed(source) && self.peers.values().filter(|one| unproven(one)).count() >= UNPROVEN_MAX {
            idle().filter(|(_, entry)| unproven(entry)).min_by_key(|(_, entry)| entry.seen)?
        } else if self.peers.len() >= BOOK_MAX {
            idle().min_by_key(|(_, entry)| entry.seen)?
        } else {
            return Some(());
        };
        let stalest = *stalest.0;
        self.peers.remove(&stalest);
        Some(())
    }

    /// The peer is connected. `dialled` is the address that this end reached it at, `target` what that dial was for.
    pub(crate) fn connected(
        &mut self,
        peer: PeerId,
        route: Route,
        dialled: Option<&Multiaddr>,
        target: Option<Target>,
        now: Tick,
    ) {
        let turn = if self.me < peer { DIRECT_AFTER_MS } else { LARGER_WAITS_MS };
        let source = match (target, dialled) {
            (Some(Target::Wish(_)), _) | (None, Some(_)) => Source::Dialled,
            (None, None) if route == Route::Relayed => Source::Relay,
            _ => Source::Inbound,
        };
        if let Some(Target::Wish(at)) = target
            && let Some(wish) = self.wishes.get_mut(at)
        {
            wish.peer = Some(peer);
            wish.dialling = false;
        }
        for wish in self.wishes.iter_mut().filter(|wish| wish.peer == Some(peer)) {
            wish.due = None;
            wish.backoff.reset();
        }
        let Some(entry) = self.entry(peer, source, now) else { return };
        if source > entry.source {
            entry.source = source;
        }
        if let Some(address) = dialled {
            entry.addresses.hear(address, crate::address::is_loopback(address), now);
            entry.addresses.worked(address, now);
        }
        // A circuit beside a direct connection changes nothing, and will be closed.
        entry.relayed = route == Route::Relayed && (entry.relayed || !entry.connected);
        entry.connected = true;
        entry.dialling = None;
        entry.due = entry.relayed.then(|| now.plus(turn));
        entry.backoff.reset();
        entry.seen = now;
    }

    /// Of the connections to a peer only one through a relay is left. The direct one ended just now, so it is given a while.
    pub(crate) fn only_relayed(&mut self, peer: PeerId, now: Tick) {
        let Self { peers, rng, .. } = self;
        if let Some(entry) = peers.get_mut(&peer).filter(|entry| entry.connected && !entry.relayed) {
            entry.relayed = true;
            entry.due = Some(now.plus(LARGER_WAITS_MS + entry.backoff.next(backoff::NEAR_MS, rng)));
        }
    }

    /// The last connection to the peer is gone. The smaller peer id tries again at once, with jitter; the larger, or who
    /// has a wish for the peer that will do, a little later.
    pub(crate) fn disconnected(&mut self, peer: PeerId, now: Tick) {
        if let Some(entry) = self.peers.get_mut(&peer) {
            (entry.connected, entry.relayed) = (false, false);
            entry.seen = now;
        }
        self.try_again(peer, now);
    }

    /// A peer that could not be reached can be again: what was tried in vain so far is no reason to wait. A wish of which
    /// nobody knows yet whom it reaches may be for this peer.
    pub(crate) fn reachable(&mut self, peer: PeerId, now: Tick) {
        let Self { peers, wishes, rng, .. } = self;
        for wish in wishes.iter_mut().filter(|wish| wish.peer.is_none_or(|of| of == peer) && wish.due.is_some()) {
            wish.backoff.reset();
            wish.due = Some(now.plus(wish.backoff.next(backoff::BASE_MS, rng)));
        }
        if let Some(entry) = peers.get_mut(&peer).filter(|entry| !entry.connected) {
            entry.backoff.reset();
            entry.seen = now;
            self.try_again(peer, now);
        }
    }

    fn try_again(&mut self, peer: PeerId, now: Tick) {
        let Self { me, peers, wishes, rng, .. } = self;
        let turn = if *me < peer && wishes.iter().all(|wish| wish.peer != Some(peer)) { 0 } else { AGAIN_WAITS_MS };
        if let Some(entry) = peers.get_mut(&peer).filter(|entry| entry.dialling.is_none()) {
            entry.due = Some(now.plus(turn + entry.backoff.next(backoff::BASE_MS, rng)));
        }
        for wish in wishes.iter_mut().filter(|wish| wish.peer == Some(peer) && !wish.dialling) {
            wish.due = Some(now.plus(wish.backoff.next(backoff::BASE_MS, rng)));
        }
    }

    /// Whether a member of a shared room is at this peer, which makes its absence urgent.
    pub(crate) fn shared(&mut self, peer: PeerId, shared: bool) {
        if let Some(entry) = self.peers.get_mut(&peer) {
            entry.shared = shared;
        }
    }

    /// A dial failed. The next route follows at once; after the last the wait grows.
    pub(crate) fn failed(&mut self, target: Target, failure: &Failure, now: Tick) {
        let peer = match target {
            Target::Wish(at) => return self.wish_failed(at, failure, now),
            Target::Peer(peer) => peer,
        };
        let source = self.source(&peer);
        self.peer_failed(peer, failure, now);
        if let Failure::Other { answered, at } = failure {
            self.heard(*answered, at, source, crate::address::is_loopback(at), now);
        }
    }

    fn wish_failed(&mut self, at: usize, failure: &Failure, now: Tick) {
        let Self { wishes, rng, .. } = self;
        let Some(wish) = wishes.get_mut(at) else { return };
        wish.dialling = false;
        if let Failure::Other { at, .. } = failure {
            // The session that the address names is over; who is there now is as good, for nothing is trusted by peer id.
            wish.address = crate::address::bare(at).unwrap_or_else(|| at.clone());
            wish.peer = None;
        }
        wish.due = match failure {
            Failure::Ourselves { .. } => None,
            _ => Some(now.plus(wish.backoff.next(backoff::NEAR_MS, rng))),
        };
    }

    fn peer_failed(&mut self, peer: PeerId, failure: &Failure, now: Tick) {
        let Self { peers, rng, subnets, relays, .. } = self;
        let Some(entry) = peers.get_mut(&peer) else { return };
        let tried = entry.dialling.take();
        match failure {
            Failure::Other { at, .. } | Failure::Ourselves { at: Some(at) } => entry.addresses.remove(at),
            Failure::Ourselves { at: None } => entry.addresses = Addresses::default(),
            Failure::Unreachable => {}
        }
        if !entry.wanting() {
            return;
        }
        if entry.addresses.is_empty() && !entry.connected {
            peers.remove(&peer);
            return;
        }
        if tried.is_some() && follows(tried, entry.routes(peer, relays, subnets)).is_some() {
            entry.dialling = tried;
            entry.due = Some(now);
            return;
        }
        if entry.connected {
            entry.due = Some(now.plus(backoff::NEAR_MS + entry.backoff.next(DIRECT_EVERY_MS, rng)));
            return;
        }
        let urgent = entry.source == Source::Profile || (entry.shared && now.since(entry.seen) < URGENT_MS);
        let widest = if urgent { backoff::NEAR_MS } else { backoff::FAR_MS };
        entry.due = Some(now.plus(entry.backoff.next(widest, rng)));
    }

    /// Dials everybody who is missing, soon and without waiting for a turn: after a resume, or when the network changed.
    pub(crate) fn urge(&mut self, now: Tick) {
        let Self { peers, wishes, rng, .. } = self;
        let spread = SPREAD_MS.min((peers.len() + wishes.len()) as u64 * SPREAD_EACH_MS);
        for entry in peers.values_mut().filter(|entry| entry.wanting() && entry.dialling.is_none()) {
            entry.backoff.reset();
            entry.seen = now;
            entry.due = Some(now.plus(rng.random_range(0..=spread)));
        }
        for wish in wishes.iter_mut().filter(|wish| wish.due.is_some()) {
            wish.backoff.reset();
            wish.due = Some(now.plus(rng.random_range(0..=spread)));
        }
    }

    /// The next dial that is due; ask until there is none.
    pub(crate) fn poll(&mut self, now: Tick) -> Option<Dial> {
        self.peers.retain(|_, entry| entry.connected || entry.dialling.is_some() || now.since(entry.seen) < FORGET_MS);
        self.poll_wish(now).or_else(|| self.poll_peer(now))
    }

    fn poll_wish(&mut self, now: Tick) -> Option<Dial> {
        let Self { wishes, peers, .. } = self;
        let connected = |peer: &PeerId| peers.get(peer).is_some_and(|entry| entry.connected);
        let due = |wish: &Wish| !wish.dialling && wish.due.is_some_and(|at| at <= now);
        let (at, wish) = wishes.iter_mut().enumerate().find(|(_, wish)| due(wish))?;
        wish.due = None;
        if wish.peer.as_ref().is_some_and(connected) {
            return self.poll_wish(now);
        }
        wish.dialling = true;
        Some(Dial { target: Target::Wish(at), addresses: vec![wish.address.clone()], beside: false })
    }

    fn poll_peer(&mut self, now: Tick) -> Option<Dial> {
        let Self { peers, rng, subnets, strangers, carrier, relays, .. } = self;
        let reachable = |address: &Multiaddr| *carrier || address::begins_here(address);
        for (peer, entry) in peers.iter_mut() {
            if !entry.wanting() || entry.due.is_none_or(|at| at > now) {
                continue;
            }
            entry.due = None;
            if !*strangers && !entry.shared && entry.source < Source::Profile {
                entry.dialling = None;
                entry.due = Some(now.plus(backoff::FAR_MS));
                continue;
            }
            let mut routes = entry.routes(*peer, relays, subnets);
            routes.iter_mut().for_each(|(_, addresses)| addresses.retain(reachable));
            let Some((route, addresses)) = follows(entry.dialling.take(), routes) else {
                // Nothing that can be reached from here as things are; news or a change of the network brings it back.
                let widest = if entry.connected { DIRECT_EVERY_MS } else { backoff::FAR_MS };
                entry.due = Some(now.plus(entry.backoff.next(widest, rng)));
                continue;
            };
            entry.dialling = Some(route);
            return Some(Dial { target: Target::Peer(*peer), addresses, beside: entry.connected });
        }
        None
    }

    /// When [`Dialler::poll`] has something next.
    pub(crate) fn next_deadline(&self) -> Option<Tick> {
        let peers = self.peers.values().filter(|entry| entry.wanting()).filter_map(|entry| entry.due);
        let wishes = self.wishes.iter().filter(|wish| !wish.dialling).filter_map(|wish| wish.due);
        peers.chain(wishes).min()
    }

    /// Everybody who may be dialled, connected or not.
    pub(crate) fn known(&self) -> impl Iterator<Item = Known> {
        let rank = |address: &Multiaddr| address::rank(address, true, &self.subnets);
        let peers = self.peers.iter().map(move |(peer, entry)| {
            let addresses = [Transport::Tcp, Transport::Quic].map(|way| entry.addresses.worth(way, &self.subnets));
            Known {
                peer: Some(*peer),
                source: entry.source,
                rank: addresses.iter().flatten().map(rank).min().unwrap_or(Rank::Useless),
                met: entry.addresses.any_worked(),
                seen: entry.seen,
                mdns: entry.mdns,
                addresses,
            }
        });
        let unmet = self.wishes.iter().filter(|wish| wish.peer.is_none());
        let wishes = unmet.map(move |wish| {
            let tcp = address::endpoint(&wish.address).is_some_and(|parts| parts.transport == Transport::Tcp);
            let at = vec![wish.address.clone()];
            Known {
                peer: None,
                source: Source::Dialled,
                rank: rank(&wish.address),
                met: false,
                seen: Tick(0),
                mdns: None,
                addresses: if tcp { [at, Vec::new()] } else { [Vec::new(), at] },
            }
        });
        peers.chain(wishes)
    }

    /// How the peer became known.
    pub(crate) fn source(&self, peer: &PeerId) -> Source {
        self.peers.get(peer).map_or(Source::Inbound, |entry| entry.source)
    }

    /// Where it can be dialled.
    pub(crate) fn addresses(&self, peer: &PeerId) -> Vec<Multiaddr> {
        self.peers.get(peer).map(|entry| entry.addresses.all().cloned().collect()).unwrap_or_default()
    }

    /// Whether a person asked for this peer by `--dial` or by typing its address.
    pub(crate) fn asked_for(&self, peer: &PeerId) -> bool {
        self.source(peer) == Source::Dialled
    }
}

/// What is tried after a route that failed; the first when none did.
fn follows(failed: Option<Route>, routes: [(Route, Vec<Multiaddr>); 3]) -> Option<(Route, Vec<Multiaddr>)> {
    let after = failed.and_then(|failed| routes.iter().position(|(route, _)| *route == failed)).map_or(0, |at| at + 1);
    routes.into_iter().skip(after).find(|(_, addresses)| !addresses.is_empty())
}
