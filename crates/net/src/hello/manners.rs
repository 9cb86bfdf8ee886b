//! Whom to answer, whom to believe, and when to ask: a state machine without I/O.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use libp2p::{Multiaddr, PeerId};
use parlor_core::{SessionId, Tick};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::word::{Kind, LENGTH, Nonce, Ports, Way, Word};
use crate::address::{self, Subnet, Transport};
use crate::author;

/// When the first questions go out, after the network came up or changed.
const FIRST_MS: [u64; 4] = [0, 100, 500, 2_500];
/// And the ones after, while nobody answers.
const ALONE_MS: u64 = 10_000;
/// And when somebody did.
const ANSWERED_MS: u64 = 60_000;
/// So many peers are enough to meet the rest through them.
const ENOUGH: usize = 5;
/// Answers to one question that are believed; who knows the question may make up as many as they like.
pub(super) const BELIEVED_MAX: usize = 64;
/// Of them, those from one source: as many peers as one computer has ports for (design A11).
pub(super) const BELIEVED_OF_SOURCE_MAX: usize = 9;
/// A source gets one answer in this time.
const ANSWER_EVERY_MS: u64 = 2_000;
/// Sources that were answered in it.
pub(super) const ANSWERED_MAX: usize = 256;

/// A network that we are in, and where we listen there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub ip: Ipv4Addr,
    pub prefix: u8,
    pub ports: Ports,
}

impl Place {
    /// The networks that are worth a hello: those of people, in which somebody listens. Link-local ones, which every
    /// interface without an address makes up, only when there are no others (design N7).
    pub(super) fn all(subnets: &[Subnet], listeners: &[Multiaddr]) -> Vec<Place> {
        let place = |subnet: &Subnet| match subnet.ip {
            IpAddr::V4(ip) if !subnet.private => Some(Place { ip, prefix: subnet.prefix, ports: ports(ip, listeners) }),
            _ => None,
        };
        let mut places: Vec<Place> = subnets.iter().filter_map(place).filter(|place| place.ports.any()).collect();
        if places.iter().any(|place| !place.ip.is_link_local()) {
            places.retain(|place| !place.ip.is_link_local());
        }
        places
    }

    fn mask(&self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.prefix.min(32))).unwrap_or(0)
    }

    /// Whether a computer of this network can have that address; what is sent to the last one goes to all of them.
    fn holds(&self, other: Ipv4Addr) -> bool {
        u32::from(self.ip) & self.mask() == u32::from(other) & self.mask() && self.broadcast() != Some(other)
    }

    /// `None` for a network of two or one, which has none.
    pub(super) fn broadcast(&self) -> Option<Ipv4Addr> {
        (self.prefix < 31).then(|| Ipv4Addr::from(u32::from(self.ip) | !self.mask()))
    }
}

fn ports(ip: Ipv4Addr, listeners: &[Multiaddr]) -> Ports {
    let port = |transport: Transport| {
        let here = |parts: &address::Endpoint| parts.transport == transport && parts.ip == IpAddr::V4(ip);
        listeners.iter().filter_map(address::endpoint).find(here).map_or(0, |parts| parts.port)
    };
    Ports { tcp: port(Transport::Tcp), quic: port(Transport::Quic) }
}

/// What becomes of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is our own, come back by the way it went.
    Own(Way),
    /// This goes back to where it came from.
    Answer([u8; LENGTH]),
    /// Somebody answered what came to them by this way.
    Found { peer: PeerId, addresses: Vec<Multiaddr>, way: Way },
    /// Counted under this name.
    Refused(&'static str),
}

/// A question to everybody in one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub place: Place,
    pub multicast: [u8; LENGTH],
    pub broadcast: [u8; LENGTH],
}

/// See the module.
pub(super) struct Manners {
    me: SessionId,
    rng: ChaCha8Rng,
    places: Vec<Place>,
    nonce: Nonce,
    /// Of the first questions, those that are asked.
    asked: usize,
    due: Option<Tick>,
    /// Where answers to the question of now came from.
    answers: Vec<Ipv4Addr>,
    answered: BTreeMap<Ipv4Addr, Tick>,
}

impl Manners {
    pub(super) fn new(me: SessionId, seed: u64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self {
            me,
            rng,
            places: Vec::new(),
            nonce: [0; 8],
            asked: 0,
            due: None,
            answers: Vec::new(),
            answered: BTreeMap::new(),
        }
    }

    /// The networks are these, or the computer woke: time to ask from the beginning. Answers to first questions that were
    /// just asked still count: the addresses of a computer come one by one.
    pub(super) fn begin(&mut self, places: Vec<Place>, now: Tick) {
        if self.asked == 0 || self.asked == FIRST_MS.len() {
            self.new_question();
        }
        self.asked = 0;
        self.due = (!places.is_empty()).then_some(now);
        self.places = places;
    }

    fn new_question(&mut self) {
        self.nonce = self.rng.random();
        self.answers.clear();
    }

    /// What to send where, if it is time to ask.
    pub(super) fn poll(&mut self, now: Tick) -> Vec<Asked> {
        if self.due.is_none_or(|due| now < due) {
            return Vec::new();
        }
        if self.asked >= FIRST_MS.len() {
            self.new_question();
        }
        let word = |place: &Place, way: Way| {
            let nonce = way.mark(self.nonce);
            Word { kind: Kind::Question, nonce, session: self.me, ports: place.ports }.write()
        };
        let asked = |place: &Place| Asked {
            place: *place,
            multicast: word(place, Way::Multicast),
            broadcast: word(place, Way::Broadcast),
        };
        let questions = self.places.iter().map(asked).collect();
        let before = FIRST_MS.get(self.asked);
        self.asked = (self.asked + 1).min(FIRST_MS.len());
        self.due = Some(match (before, FIRST_MS.get(self.asked)) {
            (Some(before), Some(next)) => now.plus(next - before),
            _ if !self.answers.is_empty() => self.in_about(ANSWERED_MS, now),
            _ => self.in_about(ALONE_MS, now),
        });
        questions
    }

    /// Peers that started together do not ask together for ever.
    fn in_about(&mut self, wait: u64, now: Tick) -> Tick {
        now.plus(self.rng.random_range(wait * 4 / 5..=wait * 6 / 5))
    }

    /// When [`Manners::poll`] has something next.
    pub(super) fn next_deadline(&self) -> Option<Tick> {
        self.due
    }

    /// A packet came.
    pub(super) fn heard(&mut self, bytes: &[u8], from: Ipv4Addr, now: Tick) -> Outcome {
        let Some(place) = self.places.iter().find(|place| place.holds(from)).copied() else {
            return Outcome::Refused("hello_from_elsewhere");
        };
        match Word::read(bytes) {
            Err(name) => Outcome::Refused(name),
            Ok(word) if word.session == self.me => Outcome::Own(Way::of(word.nonce)),
            Ok(word) if word.kind == Kind::Question => self.answer(&word, place, from, now),
            Ok(word) => self.believe(&word, from, now),
        }
    }

    fn answer(&mut self, question: &Word, place: Place, from: Ipv4Addr, now: Tick) -> Outcome {
        self.answered.retain(|_, at| now.since(*at) < ANSWER_EVERY_MS);
        if self.answered.contains_key(&from) {
            return Outcome::Refused("hello_too_often");
        }
        if self.answered.len() >= ANSWERED_MAX {
            return Outcome::Refused("hello_flood");
        }
        self.answered.insert(from, now);
        Outcome::Answer(Word { kind: Kind::Answer, session: self.me, ports: place.ports, ..*question }.write())
    }

    fn believe(&mut self, answer: &Word, from: Ipv4Addr, now: Tick) -> Outcome {
        let way = Way::of(answer.nonce);
        if answer.nonce != way.mark(self.nonce) {
            return Outcome::Refused("hello_not_asked_for");
        }
        let of_source = self.answers.iter().filter(|source| **source == from).count();
        if of_source >= BELIEVED_OF_SOURCE_MAX || self.answers.len() >= BELIEVED_MAX {
            return Outcome::Refused("hello_flood");
        }
        let Some(peer) = author::peer_of(&answer.session).filter(|_| answer.ports.any()) else {
            return Outcome::Refused("hello_malformed");
        };
        self.answers.push(from);
        if self.answers.len() >= ENOUGH || self.asked == FIRST_MS.len() {
            self.asked = FIRST_MS.len();
            self.due = Some(self.in_about(ANSWERED_MS, now));
        }
        let by = [(answer.ports.tcp, Transport::Tcp), (answer.ports.quic, Transport::Quic)];
        let addresses = by.into_iter().filter(|(port, _)| *port != 0);
        let addresses = addresses.map(|(port, transport)| address::multiaddr(from.into(), port, transport)).collect();
        Outcome::Found { peer, addresses, way }
    }
}

#[cfg(test)]
#[path = "manners_tests.rs"]
mod tests;
