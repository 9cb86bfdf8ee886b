//! libp2p's client of relays with a guard around it (design N10). What a relay answers is read by a handler of libp2p that
//! cannot be looked over the shoulder, and that panics, with the task of its whole connection, when a place is to be
//! renewed later than a clock can count. Such a connection would stay for ever and carry nothing. So a panic of this
//! handler ends in it: it is never asked anything again, the actor hears of it and ends the connection, with which the
//! handler is dropped.
//!
//! Of addresses a relay may name hundreds in one answer, and other ones in the next. libp2p would keep all of them and tell
//! every peer of each. Where a place is, is known without: at the address by which the relay is reached.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use libp2p::core::transport::{DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::relay::client;
use libp2p::swarm::handler::ConnectionEvent;
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
    SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, Transport};

use crate::panics;
use crate::rendezvous::Heard;

/// Both halves, which speak to each other.
pub(crate) fn client(me: PeerId) -> (Nameless<client::Transport>, Guarded) {
    let (transport, inner) = client::new(me);
    (Nameless(transport), Guarded { inner, broke: VecDeque::new() })
}

/// See the module.
pub(crate) struct Guarded {
    inner: client::Behaviour,
    broke: VecDeque<PeerId>,
}

impl NetworkBehaviour for Guarded {
    type ConnectionHandler = Caught<THandler<client::Behaviour>>;
    type ToSwarm = Heard<client::Event>;

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_inbound_connection(id, peer, local, remote).map(Caught::new)
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_outbound_connection(id, peer, address, role, port).map(Caught::new)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {
            Some(event) => self.inner.on_connection_handler_event(peer, id, event),
            None => self.broke.push_back(peer),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if let Some(peer) = self.broke.pop_front() {
            return Poll::Ready(ToSwarm::GenerateEvent(Heard::Refused { peer, what: "relay_broke" }));
        }
        self.inner.poll(cx).map(|event| event.map_out(Heard::Told))
    }
}

/// A handler that may panic. What it has to say comes as `Some`, and `None` once when it broke.
pub(crate) struct Caught<H> {
    inner: H,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Well,
    Broke,
    /// It broke, and that was told.
    Over,
}

impl<H> Caught<H> {
    fn new(inner: H) -> Self {
        Self { inner, state: State::Well }
    }

    /// What the handler makes of something, unless it broke. Whatever it was in the middle of stays as it is and is looked
    /// at by nobody but its own drop, so a panic leaves nothing half done behind.
    fn caught<T>(&mut self, ask: impl FnOnce(&mut H) -> T) -> Option<T> {
        if self.state != State::Well {
            return None;
        }
        let Self { inner, .. } = self;
        let answer = panics::contain(|| ask(inner));
        if answer.is_err() {
            self.state = State::Broke;
        }
        answer.ok()
    }
}

impl<H: ConnectionHandler> ConnectionHandler for Caught<H> {
    type FromBehaviour = H::FromBehaviour;
    type ToBehaviour = Option<H::ToBehaviour>;
    type InboundProtocol = H::InboundProtocol;
    type OutboundProtocol = H::OutboundProtocol;
    type InboundOpenInfo = H::InboundOpenInfo;
    type OutboundOpenInfo = H::OutboundOpenInfo;

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol, Self::InboundOpenInfo> {
        self.inner.listen_protocol()
    }

    fn connection_keep_alive(&self) -> bool {
        self.state == State::Well && self.inner.connection_keep_alive()
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, Self::OutboundOpenInfo, Self::ToBehaviour>> {
        match self.caught(|inner| inner.poll(cx)) {
            Some(polled) => return polled.map(|event| event.map_custom(Some)),
            None if self.state == State::Over => return Poll::Pending,
            None => {}
        }
        self.state = State::Over;
        Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(None))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::ToBehaviour>> {
        let polled = self.caught(|inner| inner.poll_close(cx));
        polled.map_or(Poll::Ready(None), |polled| polled.map(|event| event.map(Some)))
    }

    fn on_behaviour_event(&mut self, event: Self::FromBehaviour) {
        self.caught(|inner| inner.on_behaviour_event(event));
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<
            '_,
            Self::InboundProtocol,
            Self::OutboundProtocol,
            Self::InboundOpenInfo,
            Self::OutboundOpenInfo,
        >,
    ) {
        self.caught(|inner| inner.on_connection_event(event));
    }
}

/// A transport whose listeners tell no address.
pub(crate) struct Nameless<T>(T);

impl<T: Transport + Unpin> Transport for Nameless<T> {
    type Output = T::Output;
    type Error = T::Error;
    type ListenerUpgrade = T::ListenerUpgrade;
    type Dial = T::Dial;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<T::Error>> {
        self.0.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.0.remove_listener(id)
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<T::Dial, TransportError<T::Error>> {
        self.0.dial(address, options)
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        loop {
            let event = std::task::ready!(Pin::new(&mut self.0).poll(cx));
            if !matches!(event, TransportEvent::NewAddress { .. }) {
                return Poll::Ready(event);
            }
        }
    }
}
