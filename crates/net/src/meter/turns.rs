//! Turns among the tasks of connections. Such a task goes on for as long as it has something to hand over, and one read of a
//! socket may bring hundreds of messages with a signature each: whoever sends them would keep a processor for milliseconds,
//! and on a computer with two of them the next cursor would stand still behind it. So a task gives way after a few.
//!
//! And it tells when the stream of gossip is opened once more on one connection, as it is after something was said that
//! cannot be read: of that gossipsub says nothing.

use std::pin::pin;
use std::task::{Context, Poll};

use libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedInbound};
use libp2p::swarm::{ConnectionHandler, ConnectionHandlerEvent, SubstreamProtocol};

/// What a connection hands over before the others have their turn.
const IN_A_ROW: u8 = 1;

/// A handler that gives way.
pub(crate) struct GivesWay<H> {
    handler: H,
    handed: u8,
    /// Whether there was a stream.
    opened: bool,
    /// Streams after that which are not told of yet.
    again: u32,
}

/// What such a handler tells.
#[derive(Debug)]
pub(crate) enum Told<T> {
    Handed(T),
    /// The peer opened its stream once more.
    StreamAgain,
}

impl<H> GivesWay<H> {
    pub(super) fn new(handler: H) -> Self {
        Self { handler, handed: 0, opened: false, again: 0 }
    }
}

impl<H: ConnectionHandler> ConnectionHandler for GivesWay<H> {
    type FromBehaviour = H::FromBehaviour;
    type ToBehaviour = Told<H::ToBehaviour>;
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
        if self.handed == IN_A_ROW {
            self.handed = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.again > 0 {
            self.again -= 1;
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(Told::StreamAgain));
        }
        let polled = self.handler.poll(cx);
        match &polled {
            Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(_)) => self.handed += 1,
            Poll::Ready(_) => {}
            Poll::Pending => self.handed = 0,
        }
        polled.map(|event| event.map_custom(Told::Handed))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::ToBehaviour>> {
        self.handler.poll_close(cx).map(|event| event.map(Told::Handed))
    }

    fn on_behaviour_event(&mut self, event: Self::FromBehaviour) {
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
        if let ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { .. }) = &event {
            self.again += u32::from(std::mem::replace(&mut self.opened, true));
        }
        self.handler.on_connection_event(event);
    }
}

/// What comes of something, and whether it had to be waited for: other tasks could run then.
pub(crate) async fn or_wait<T>(something: impl Future<Output = T>) -> (T, bool) {
    let mut something = pin!(something);
    let mut waited = false;
    std::future::poll_fn(|cx| {
        let polled = something.as_mut().poll(cx);
        waited |= polled.is_pending();
        polled.map(|done| (done, waited))
    })
    .await
}

/// Lets every task that is ready run once. Another processor is woken for it, so it is only for those who have not waited.
pub(crate) async fn give_way() {
    let mut gave = false;
    // What tokio has for it waits until nobody else wants to run, which may be never.
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut gave, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use libp2p::core::upgrade::DeniedUpgrade;

    use super::*;

    /// Has something to hand over whenever it is asked.
    struct Endless;

    impl ConnectionHandler for Endless {
        type FromBehaviour = ();
        type ToBehaviour = ();
        type InboundProtocol = DeniedUpgrade;
        type OutboundProtocol = DeniedUpgrade;
        type InboundOpenInfo = ();
        type OutboundOpenInfo = ();

        fn listen_protocol(&self) -> SubstreamProtocol<DeniedUpgrade, ()> {
            SubstreamProtocol::new(DeniedUpgrade, ())
        }

        fn poll(&mut self, _: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<DeniedUpgrade, (), ()>> {
            Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(()))
        }

        fn on_behaviour_event(&mut self, (): ()) {}

        fn on_connection_event(&mut self, _: ConnectionEvent<'_, DeniedUpgrade, DeniedUpgrade, (), ()>) {}
    }

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_could_go_on_for_ever_stands_back_after_a_few_and_comes_again() {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut cx = Context::from_waker(&waker);
        let mut handler = GivesWay::new(Endless);
        for round in 0..3 {
            for _ in 0..IN_A_ROW {
                assert!(handler.poll(&mut cx).is_ready());
            }
            assert_eq!(woken.0.load(Ordering::Relaxed), round);
            assert!(handler.poll(&mut cx).is_pending());
            assert_eq!(woken.0.load(Ordering::Relaxed), round + 1, "nobody else would ask it again");
        }
    }

    #[test]
    fn what_had_to_be_waited_for_is_told_from_what_was_there() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (tell, mut said) = tokio::sync::mpsc::channel(2);
            tell.send("first").await.unwrap();
            assert_eq!(or_wait(said.recv()).await, (Some("first"), false));
            tokio::spawn(async move { tell.send("second").await });
            assert_eq!(or_wait(said.recv()).await, (Some("second"), true));
        });
    }

    #[test]
    fn who_gives_way_is_behind_all_that_are_ready() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let said = runtime.block_on(async {
            let (tell, said) = std::sync::mpsc::channel();
            let busy = tokio::spawn({
                let tell = tell.clone();
                async move {
                    for _ in 0..2 {
                        tell.send("busy").unwrap();
                        give_way().await;
                    }
                }
            });
            tokio::spawn(async move { tell.send("next").unwrap() });
            busy.await.unwrap();
            said
        });
        assert_eq!(said.try_iter().collect::<Vec<_>>(), ["busy", "next", "busy"]);
    }
}
