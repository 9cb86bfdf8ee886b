//! Turns among the tasks of connections. Such a task goes on for as long as it has something to hand over, and one read of a
//! socket may bring hundreds of messages with a signature each: whoever sends them would keep a processor for milliseconds,
//! and on a computer with two of them the next cursor would stand still behind it. So a task gives way after a few. And what
//! goes on for long without waiting gives way to other threads too: the kernel lets a busy one go on for up to four
//! milliseconds and may have woken another, with a cursor to pass on, beside it, though the next processor is idle.
//!
//! And it tells when the stream of gossip is opened once more on one connection, as it is after something was said that
//! cannot be read: of that gossipsub says nothing.

use std::pin::pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedInbound};
use libp2p::swarm::{ConnectionHandler, ConnectionHandlerEvent, SubstreamProtocol};

use super::pace::Pace;

/// What a connection hands over before the others have their turn.
const IN_A_ROW: u8 = 1;
/// Work without waiting before other threads have their turn: a cursor that waits for it takes less than twice as long.
const LONG: Duration = Duration::from_micros(250);

/// Work that goes on, or waits now and then.
pub(crate) struct Stint(Instant);

impl Stint {
    pub fn begin() -> Self {
        Stint(Instant::now())
    }

    /// It waited: who had to run could.
    pub fn waited(&mut self) {
        self.0 = Instant::now();
    }

    /// Lets another thread that wants this processor have it, when the work has gone on for long. To somebody who is busy with
    /// something else a thread that gives way often would lose most of the processor.
    pub fn give_way(&mut self) {
        if self.0.elapsed() >= LONG {
            std::thread::yield_now();
            self.waited();
        }
    }
}

/// A handler that gives way.
pub(crate) struct GivesWay<H: ConnectionHandler> {
    handler: H,
    /// How many messages there are in what it hands over.
    messages_in: fn(&H::ToBehaviour) -> usize,
    pace: Pace,
    handed: u8,
    /// Since it had something to hand over, one after the other.
    stint: Option<Stint>,
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

impl<H: ConnectionHandler> GivesWay<H> {
    pub(super) fn new(handler: H, messages_in: fn(&H::ToBehaviour) -> usize) -> Self {
        Self { handler, messages_in, pace: Pace::new(), handed: 0, stint: None, opened: false, again: 0 }
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
            self.stint.iter_mut().for_each(Stint::give_way);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.again > 0 {
            self.again -= 1;
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(Told::StreamAgain));
        }
        ready!(self.pace.poll(cx));
        let polled = self.handler.poll(cx);
        match &polled {
            Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(handed)) => {
                self.pace.took((self.messages_in)(handed));
                self.handed += 1;
                self.stint.get_or_insert_with(Stint::begin);
            }
            Poll::Ready(_) => {}
            Poll::Pending => {
                self.handed = 0;
                self.stint = None;
            }
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
        let mut handler = GivesWay::new(Endless, |()| 0);
        for round in 0..3 {
            for _ in 0..IN_A_ROW {
                assert!(handler.poll(&mut cx).is_ready());
            }
            assert_eq!(woken.0.load(Ordering::Relaxed), round);
            assert!(handler.poll(&mut cx).is_pending());
            assert_eq!(woken.0.load(Ordering::Relaxed), round + 1, "nobody else would ask it again");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_brings_many_messages_is_read_at_the_pace_of_a_neighbour() {
        let time_of = async |messages_in| {
            let mut handler = GivesWay::new(Endless, messages_in);
            let began = tokio::time::Instant::now();
            for _ in 0..1_000 {
                std::future::poll_fn(|cx| handler.poll(cx)).await;
            }
            began.elapsed()
        };
        assert_eq!(time_of(|()| 0).await, Duration::ZERO);
        let paced = time_of(|()| 1).await;
        assert!(paced > Duration::from_millis(450), "1,000 messages took {paced:?}");
    }

    #[test]
    fn who_goes_on_for_long_gives_way_and_who_does_not_goes_on() {
        let mut stint = Stint::begin();
        let begun = stint.0;
        let while_short = begun.elapsed() < LONG;
        stint.give_way();
        // A test may be kept from going on for longer than that.
        assert!(stint.0 == begun || !while_short || begun.elapsed() >= LONG);
        while stint.0.elapsed() < LONG {}
        let begun = stint.0;
        stint.give_way();
        assert!(stint.0 > begun, "it begins anew");
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
