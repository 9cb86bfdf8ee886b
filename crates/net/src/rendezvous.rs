//! libp2p's rendezvous with a guard before it (design N10). A relay keeps, for a minute at a time, who is in which room;
//! rooms have the names there that they have in gossip, a hash, so that a relay learns no more than every linked peer.
//!
//! The behaviours of libp2p take what comes as it is: the server stores a message of a megabyte and answers who asks for
//! everybody in every room, and the client panics when what it is answered is no answer, or is to be kept for longer than
//! a clock can count. So each message is looked at before they have it. Their types of messages have no names outside of
//! them; that they can be printed is enough.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::fmt::{self, Debug, Write};
use std::io;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::identity::Keypair;
use libp2p::rendezvous::{Namespace, client, server};
use libp2p::request_response::InboundRequestId;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};
use parlor_core::limits::ROOMS_MAX;
use parlor_core::{SessionId, Tick};

use crate::author;
use crate::budget::{ALL_AT_RENDEZVOUS, AT_RENDEZVOUS, Budget, Purses, Spent};
use crate::clock::Clock;

/// How long a relay remembers that somebody is in a room, in seconds.
pub(crate) const TTL_S: u64 = 60;
/// Members of a room that are asked for.
pub(crate) const ASKED_MAX: u64 = 128;
/// Rooms that one peer may be in, with those of earlier keys.
const EACH_MAX: usize = 3 * ROOMS_MAX;
/// Rows in all.
const ROWS_MAX: usize = 4_096;
/// What libp2p remembers for whoever asks for what is new; nobody here does.
const COOKIES_MAX: usize = 64;
/// A question, printed. Bytes are printed as numbers, so it is about a fifth of this.
const QUESTION_MAX: usize = 12 << 10;

/// An answer, printed: as many members as are asked for, with a dozen addresses each.
const ANSWER_MAX: usize = 2 << 20;
/// What stands before the time that a registration has.
const TTL: &str = "ttl: ";

const _: () =
    assert!(QUESTION_MAX * ASKED_MAX as usize <= ANSWER_MAX, "what a relay takes in fits what a client takes");

/// What a connection hands over, for the server and the client alike.
type FromConnection = THandlerOutEvent<client::Behaviour>;

/// What comes out.
#[derive(Debug)]
pub(crate) enum Heard<E> {
    Told(E),
    /// Something was not let through, for a reason as it is counted.
    Refused {
        peer: PeerId,
        what: &'static str,
    },
    /// Something was dropped that the peer may have from somebody else.
    Dropped {
        what: &'static str,
    },
}

/// See the module.
pub(crate) struct Guarded<B> {
    inner: B,
    clock: Clock,
    each: Purses,
    all: Budget,
    refused: VecDeque<Heard<Infallible>>,
    /// Questions that got no answer, of which the connection will say so.
    unanswered: HashSet<InboundRequestId>,
}

pub(crate) fn server(clock: Clock) -> Guarded<server::Behaviour> {
    let config = server::Config::default()
        .with_min_ttl(TTL_S)
        .with_max_ttl(TTL_S)
        .with_max_registration_per_peer(EACH_MAX)
        .with_max_registration_total(ROWS_MAX)
        .with_max_stored_cookies(COOKIES_MAX);
    Guarded::new(server::Behaviour::new(config), clock)
}

pub(crate) fn client(keypair: &Keypair, clock: Clock) -> Guarded<client::Behaviour> {
    Guarded::new(client::Behaviour::new(keypair.clone()), clock)
}

/// The name of a room at a rendezvous, from that of its topic.
pub(crate) fn namespace(topic: &str) -> Option<Namespace> {
    Namespace::new(topic.to_owned()).ok()
}

/// What happened at the server, as it is counted.
pub(crate) fn counted(event: &server::Event) -> Option<&'static str> {
    match event {
        server::Event::PeerRegistered { .. } => Some("rendezvous_registered"),
        server::Event::PeerNotRegistered { .. } => Some("rendezvous_full"),
        server::Event::DiscoverServed { .. } => Some("rendezvous_served"),
        server::Event::DiscoverNotServed { .. } => Some("rendezvous_not_served"),
        server::Event::PeerUnregistered { .. } | server::Event::RegistrationExpired(_) => None,
    }
}

impl<B> Guarded<B> {
    fn new(inner: B, clock: Clock) -> Self {
        let all = Budget::new(&ALL_AT_RENDEZVOUS, clock.now());
        let (refused, unanswered) = (VecDeque::new(), HashSet::new());
        Self { inner, clock, each: Purses::new(AT_RENDEZVOUS), all, refused, unanswered }
    }

    pub(crate) fn inner(&mut self) -> &mut B {
        &mut self.inner
    }

    /// Why a question is not let through.
    fn refusal(&mut self, session: SessionId, question: &impl Debug, now: Tick) -> Option<&'static str> {
        let (text, whole) = printed(question, QUESTION_MAX);
        if !whole {
            return Some("rendezvous_too_big");
        }
        if text.starts_with("Discover { namespace: None") {
            return Some("rendezvous_asked_for_all");
        }
        // An address may have any name in it. Served on, this one would look like an answer that never ends.
        if text.matches(TTL).count() > 1 {
            return Some("rendezvous_ttl_in_a_name");
        }
        let bytes = text.len() / 5;
        let paid = self.each.spend_all(session, 1, bytes, now) == Spent::Paid
            && self.all.spend_all(&ALL_AT_RENDEZVOUS, 1, bytes, now) == Spent::Paid;
        (!paid).then_some("rendezvous_over_budget")
    }

    fn refuse(&mut self, peer: PeerId, what: &'static str) {
        self.refused.push_back(Heard::Refused { peer, what });
    }
}

/// The beginning of what something is printed as, and whether that is all of it. No more is printed than that.
fn printed(what: &impl Debug, most: usize) -> (String, bool) {
    struct Bounded {
        text: String,
        most: usize,
    }
    impl Write for Bounded {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            let most = part.len().min(self.most - self.text.len());
            let end = (0..=most).rev().find(|end| part.is_char_boundary(*end)).unwrap_or_default();
            self.text.push_str(part.get(..end).unwrap_or_default());
            if end < part.len() { Err(fmt::Error) } else { Ok(()) }
        }
    }
    let mut printed = Bounded { text: String::new(), most };
    let whole = write!(printed, "{what:?}").is_ok();
    (printed.text, whole)
}

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Fine,
    /// One of registrations, not all of which a client can take. Each is what somebody in the room said, so the relay need
    /// not have made it up.
    Garbled,
    /// None at all.
    None,
}

/// Judges what a client was answered: registrations have to end in time. One more end in a name is one too many.
fn judged(response: &impl Debug) -> Answer {
    let (text, whole) = printed(response, ANSWER_MAX);
    let in_time = |after: &str| {
        let digits = after.find(|letter: char| !letter.is_ascii_digit()).and_then(|end| after.get(..end));
        digits.and_then(|digits| digits.parse::<u64>().ok()).is_some_and(|ttl| ttl <= TTL_S)
    };
    let fine = || whole && text.split(TTL).skip(1).all(in_time);
    match text.starts_with("DiscoverResponse(") {
        true if fine() => Answer::Fine,
        true => Answer::Garbled,
        false if text.starts_with("RegisterResponse(") && fine() => Answer::Fine,
        false => Answer::None,
    }
}

impl<B> NetworkBehaviour for Guarded<B>
where
    B: NetworkBehaviour<ConnectionHandler = THandler<client::Behaviour>>,
{
    type ConnectionHandler = THandler<client::Behaviour>;
    type ToSwarm = Heard<B::ToSwarm>;

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_inbound_connection(id, peer, local, remote)
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_outbound_connection(id, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: FromConnection) {
        match &event {
            FromConnection::Request { request_id, request, .. } => {
                let now = self.clock.now();
                let refusal = match author::session_of(&peer) {
                    Some(session) => self.refusal(session, request, now),
                    None => Some("peer_without_session"),
                };
                if let Some(what) = refusal {
                    self.unanswered.insert(*request_id);
                    return self.refuse(peer, what);
                }
            }
            FromConnection::Response { request_id, response } => match judged(response) {
                Answer::Fine => {}
                Answer::Garbled => {
                    self.refused.push_back(Heard::Dropped { what: "rendezvous_no_answer" });
                    // The question has ended, so that nobody waits for it.
                    let error = io::ErrorKind::InvalidData.into();
                    let event = FromConnection::OutboundStreamFailed { request_id: *request_id, error };
                    return self.inner.on_connection_handler_event(peer, id, event);
                }
                Answer::None => return self.refuse(peer, "rendezvous_no_answer"),
            },
            // Nothing tells of a question that cannot be read but this.
            FromConnection::InboundStreamFailed { .. } => self.refuse(peer, "rendezvous_unreadable"),
            FromConnection::ResponseOmission(request_id) if self.unanswered.remove(request_id) => return,
            _ => {}
        }
        self.inner.on_connection_handler_event(peer, id, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if let Some(refused) = self.refused.pop_front() {
            return Poll::Ready(ToSwarm::GenerateEvent(match refused {
                Heard::Told(never) => match never {},
                Heard::Refused { peer, what } => Heard::Refused { peer, what },
                Heard::Dropped { what } => Heard::Dropped { what },
            }));
        }
        self.inner.poll(cx).map(|event| event.map_out(Heard::Told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As libp2p's, whose names are its own.
    #[allow(dead_code, reason = "it is printed")]
    #[derive(Debug)]
    enum Word {
        DiscoverResponse(Vec<Registration>),
        Register(&'static str),
    }

    #[allow(dead_code, reason = "it is printed")]
    #[derive(Clone, Debug)]
    struct Registration {
        record: Vec<u8>,
        ttl: u64,
    }

    fn answer(count: usize, bytes: usize, ttl: u64) -> Word {
        Word::DiscoverResponse(vec![Registration { record: vec![200; bytes], ttl }; count])
    }

    #[test]
    fn no_more_is_printed_than_is_read() {
        assert_eq!(printed(&Word::Register("é"), 100), ("Register(\"é\")".into(), true));
        assert_eq!(printed(&Word::Register("é"), 11), ("Register(\"".into(), false), "half a letter is none");
        let (text, whole) = printed(&answer(1, 1 << 20, 60), QUESTION_MAX);
        assert_eq!((text.len(), whole), (QUESTION_MAX, false));
    }

    #[test]
    fn an_answer_is_one_of_registrations_that_end_in_time() {
        assert_eq!(judged(&answer(0, 0, 0)), Answer::Fine);
        assert_eq!(judged(&answer(128, 2_000, TTL_S)), Answer::Fine);
        assert_eq!(judged(&answer(2, 10, TTL_S + 1)), Answer::Garbled);
        assert_eq!(judged(&answer(1, 10, u64::MAX)), Answer::Garbled);
        assert_eq!(judged(&answer(1, 1 << 20, TTL_S)), Answer::Garbled, "too long to be one");
        assert_eq!(judged(&Word::Register("ttl: 1")), Answer::None);
    }
}
