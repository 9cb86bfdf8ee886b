//! Handlers that are asked only when they may have something to say. A connection asks all of its handlers for each frame that
//! comes or goes, thrice, and of the dozen that a peer has, one has to do with it: the others took a quarter of the time that a
//! cursor costs a processor. So each has a waker of its own, and rests until that or an event rings.
//!
//! Elsewhere a handler is asked all the time, so that one which forgets to have itself woken is not noticed there. Here it must
//! not stand still. So it is asked once more when it has nothing to say: ping begins to wait for the next ping after it looked
//! for one. And every few rounds it is asked though nothing rang.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::task::AtomicWaker;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::handler::ConnectionEvent;
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
    SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

/// Rounds after which a handler is asked though nothing rang.
const ROUNDS: u8 = 16;

/// A behaviour whose handlers rest.
pub(crate) struct Rested<B>(pub B);

impl<B> Deref for Rested<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.0
    }
}

impl<B> DerefMut for Rested<B> {
    fn deref_mut(&mut self) -> &mut B {
        &mut self.0
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for Rested<B> {
    type ConnectionHandler = Resting<THandler<B>>;
    type ToSwarm = B::ToSwarm;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.0.handle_pending_inbound_connection(id, local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.0.handle_established_inbound_connection(id, peer, local, remote).map(Resting::new)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.0.handle_pending_outbound_connection(id, peer, addresses, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.0.handle_established_outbound_connection(id, peer, address, role, port).map(Resting::new)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.0.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        self.0.on_connection_handler_event(peer, id, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.0.poll(cx)
    }
}

/// What a handler waits for rings here.
#[derive(Debug, Default)]
struct Bell {
    rung: AtomicBool,
    /// Of the connection that the handler is of.
    connection: AtomicWaker,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.connection.wake();
    }
}

/// A handler that rests.
pub(crate) struct Resting<H> {
    handler: H,
    bell: Arc<Bell>,
    waker: Waker,
    rounds: u8,
}

impl<H> Resting<H> {
    fn new(handler: H) -> Self {
        let bell = Arc::new(Bell { rung: AtomicBool::new(true), ..Bell::default() });
        Self { handler, waker: Waker::from(bell.clone()), bell, rounds: 0 }
    }

    /// Something happened to it, and whoever told it asks next.
    fn ring(&self) {
        self.bell.rung.store(true, Ordering::Release);
    }

    /// Whether it may have something to say.
    fn is_due(&mut self) -> bool {
        self.rounds = (self.rounds + 1) % ROUNDS;
        self.bell.rung.swap(false, Ordering::AcqRel) || self.rounds == 0
    }
}

impl<H: ConnectionHandler> ConnectionHandler for Resting<H> {
    type FromBehaviour = H::FromBehaviour;
    type ToBehaviour = H::ToBehaviour;
    type InboundProtocol = H::InboundProtocol;
    type OutboundProtocol = H::OutboundProtocol;
    type InboundOpenInfo = H::InboundOpenInfo;
    type OutboundOpenInfo = H::OutboundOpenInfo;

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol, Self::InboundOpenInfo> {
        self.handler.listen_protocol()
    }

    fn connection_keep_alive(&self) -> bool {
        self.handler.connection_keep_alive()
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, Self::OutboundOpenInfo, Self::ToBehaviour>> {
        // Before the look at the bell: what rings between the two wakes the connection.
        self.bell.connection.register(cx.waker());
        if !self.is_due() {
            return Poll::Pending;
        }
        let mut own = Context::from_waker(&self.waker);
        let mut polled = self.handler.poll(&mut own);
        if polled.is_pending() {
            polled = self.handler.poll(&mut own);
        }
        if polled.is_ready() {
            self.ring();
        }
        polled
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::ToBehaviour>> {
        self.handler.poll_close(cx)
    }

    fn on_behaviour_event(&mut self, event: Self::FromBehaviour) {
        self.ring();
        self.handler.on_behaviour_event(event);
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
        self.ring();
        self.handler.on_connection_event(event);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::atomic::AtomicUsize;

    use libp2p::core::upgrade::DeniedUpgrade;

    use super::*;

    /// Says what it was told, and notes how often it was asked and by which waker.
    #[derive(Default)]
    struct Echo {
        says: VecDeque<u8>,
        asked: usize,
        waker: Option<Waker>,
        /// Whether it forgets, once, to have itself woken.
        forgets: bool,
    }

    impl ConnectionHandler for Echo {
        type FromBehaviour = u8;
        type ToBehaviour = u8;
        type InboundProtocol = DeniedUpgrade;
        type OutboundProtocol = DeniedUpgrade;
        type InboundOpenInfo = ();
        type OutboundOpenInfo = ();

        fn listen_protocol(&self) -> SubstreamProtocol<DeniedUpgrade, ()> {
            SubstreamProtocol::new(DeniedUpgrade, ())
        }

        fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<DeniedUpgrade, (), u8>> {
            self.asked += 1;
            if !std::mem::take(&mut self.forgets) {
                self.waker = Some(cx.waker().clone());
            }
            self.says
                .pop_front()
                .map_or(Poll::Pending, |said| Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(said)))
        }

        fn on_behaviour_event(&mut self, says: u8) {
            self.says.extend([says, says]);
        }

        fn on_connection_event(&mut self, _: ConnectionEvent<'_, DeniedUpgrade, DeniedUpgrade, (), ()>) {}
    }

    /// A connection, which counts how often it was woken.
    #[derive(Default)]
    struct Connection(AtomicUsize);

    impl Wake for Connection {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// One that was asked once and said nothing.
    fn resting(connection: &Arc<Connection>) -> Resting<Echo> {
        let mut resting = Resting::new(Echo::default());
        assert_eq!(ask(&mut resting, connection), None);
        assert_eq!(resting.handler.asked, 2, "whoever is new is asked");
        resting.handler.asked = 0;
        resting
    }

    fn ask(resting: &mut Resting<Echo>, connection: &Arc<Connection>) -> Option<u8> {
        match resting.poll(&mut Context::from_waker(&Waker::from(connection.clone()))) {
            Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(said)) => Some(said),
            _ => None,
        }
    }

    #[test]
    fn who_has_nothing_to_say_is_not_asked() {
        let connection = Arc::default();
        let mut resting = resting(&connection);
        for _ in 0..10 {
            assert_eq!(ask(&mut resting, &connection), None);
        }
        assert_eq!(resting.handler.asked, 0);
    }

    #[test]
    fn who_was_told_something_is_asked_until_all_is_said() {
        let connection = Arc::default();
        let mut resting = resting(&connection);
        resting.on_behaviour_event(7);
        assert_eq!([(); 4].map(|()| ask(&mut resting, &connection)), [Some(7), Some(7), None, None]);
        assert_eq!(resting.handler.asked, 2 + 2);
    }

    #[test]
    fn who_rings_wakes_the_connection_and_is_asked() {
        let connection = Arc::<Connection>::default();
        let mut resting = resting(&connection);
        resting.handler.waker.take().unwrap().wake();
        assert_eq!(connection.0.load(Ordering::Relaxed), 1);
        for _ in 0..3 {
            ask(&mut resting, &connection);
        }
        assert_eq!(resting.handler.asked, 2);
    }

    #[test]
    fn who_waits_for_something_after_it_looked_is_woken_by_that() {
        let connection = Arc::<Connection>::default();
        let mut resting = resting(&connection);
        // It has itself woken when it is asked next.
        resting.handler.waker = None;
        resting.handler.forgets = true;
        resting.ring();
        ask(&mut resting, &connection);
        resting.handler.waker.take().expect("it was asked once more").wake();
        assert_eq!(connection.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn who_forgot_to_ring_is_asked_all_the_same_some_time() {
        let connection = Arc::default();
        let mut resting = resting(&connection);
        resting.handler.says.push_back(7);
        let said = (0..ROUNDS).find_map(|_| ask(&mut resting, &connection));
        assert_eq!(said, Some(7));
    }
}
