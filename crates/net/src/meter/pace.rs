//! How fast one connection hands over what gossip brought. To judge a message takes some hundred microseconds and is done at
//! once, and a neighbour may bring dozens in one go: a cursor that comes among them would wait behind all. So after a few the
//! connection reads no more for a moment. What is not read waits where it is written: nothing is lost, and a neighbour that
//! keeps within its budget (design N10) is held up for milliseconds.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::budget::FROM_NEIGHBOUR;

/// A message takes its turn this long: no more come than a neighbour may send.
const EACH: Duration = Duration::from_micros(1_000_000 / FROM_NEIGHBOUR.frames_per_s);
/// Messages that may come at once, as those of several who move do.
const AT_ONCE: u32 = 8;

/// See the module.
pub(super) struct Pace {
    /// When the turns of all that came are over.
    over: Instant,
    /// Until there is room for the next.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { over: Instant::now(), pause: None }
    }

    /// So many messages came.
    pub(super) fn took(&mut self, messages: usize) {
        if messages == 0 {
            return;
        }
        let now = Instant::now();
        let turns = EACH.saturating_mul(u32::try_from(messages).unwrap_or(u32::MAX));
        self.over = self.over.max(now) + turns;
        let next = self.over - EACH * AT_ONCE;
        self.pause = (next > now).then(|| Box::pin(sleep_until(next)));
    }

    /// Waits until there is room for the next.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// How long it takes until so many have come, one by one.
    async fn time_of(pace: &mut Pace, messages: u32) -> Duration {
        let began = Instant::now();
        for _ in 0..messages {
            poll_fn(|cx| pace.poll(cx)).await;
            pace.took(1);
        }
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_come_at_once_and_the_others_at_the_rate_of_a_neighbour() {
        let mut pace = Pace::new();
        assert_eq!(time_of(&mut pace, AT_ONCE).await, Duration::ZERO);
        // The clock of the runtime counts whole milliseconds.
        let slack = Duration::from_millis(1);
        let many = time_of(&mut pace, 1_000).await;
        assert!((EACH * 999..=EACH * 1_000 + slack).contains(&many), "{many:?}");
        tokio::time::advance(EACH * AT_ONCE).await;
        assert_eq!(time_of(&mut pace, AT_ONCE).await, Duration::ZERO, "who was silent for a while begins anew");
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_silent_for_long_has_no_more_than_a_few_at_once() {
        let mut pace = Pace::new();
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(time_of(&mut pace, AT_ONCE + 2).await > Duration::ZERO);
    }
}
