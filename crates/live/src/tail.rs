//! Following a room from one moment on without a hole: the net layer offers a snapshot with the number of the last event
//! in it, and a bounded broadcast of numbered events that drops the oldest for a slow reader. This joins the two.
//!
//! Invariant: what was handed out so far, applied in order, is the room as of event `last`. Whatever breaks the numbering
//! (the reader lagged, or the snapshot is older than the oldest event still kept) is mended by a newer snapshot.

use std::sync::Arc;

use parlor_core::{Event, Snapshot};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

/// The next thing to know.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Begin here; what was known before is void.
    Reset(Arc<Snapshot>),
    /// The event with this number happened.
    Event(u64, Event),
}

pub(crate) struct Tail {
    events: broadcast::Receiver<(u64, Event)>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Where to begin.
    first: Option<Arc<Snapshot>>,
    last: u64,
    /// A snapshot with at least this number must come next.
    need: Option<u64>,
    /// An event that waits for that snapshot.
    held: Option<(u64, Event)>,
}

impl Tail {
    /// Starts with the room as it is now, so that whatever happens after this call is told as an event. `events` must
    /// have been subscribed before `snapshots` is read, which happens here.
    pub(crate) fn new(
        events: broadcast::Receiver<(u64, Event)>,
        mut snapshots: watch::Receiver<Arc<Snapshot>>,
    ) -> Self {
        let first = Arc::clone(&snapshots.borrow_and_update());
        Self { events, snapshots, last: first.at, first: Some(first), need: None, held: None }
    }

    /// The next step; `None` when the room was closed. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Step> {
        if let Some(first) = self.first.take() {
            return Some(Step::Reset(first));
        }
        loop {
            if let Some(need) = self.need {
                let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
                if snapshot.at >= need {
                    self.need = None;
                    self.last = snapshot.at;
                    return Some(Step::Reset(snapshot));
                }
                self.snapshots.changed().await.ok()?;
                continue;
            }
            let (number, event) = match self.held.take() {
                Some(held) => held,
                None => match self.events.recv().await {
                    Ok(event) => event,
                    Err(RecvError::Lagged(_)) => {
                        self.need = Some(self.last);
                        continue;
                    }
                    Err(RecvError::Closed) => return None,
                },
            };
            match number.checked_sub(self.last) {
                None | Some(0) => {}
                Some(1) => {
                    self.last = number;
                    return Some(Step::Event(number, event));
                }
                Some(_) => {
                    self.need = Some(number - 1);
                    self.held = Some((number, event));
                }
            }
        }
    }

    /// Asks for a snapshot next, for a reader that cannot keep what it was given.
    pub(crate) fn restart(&mut self) {
        self.need = Some(self.last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::snapshot_at;
    use futures::FutureExt as _;

    fn event(number: u64) -> (u64, Event) {
        (number, Event::Watching { count: u32::try_from(number).unwrap() })
    }

    fn numbers(tail: &mut Tail) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(Some(step)) = tail.next().now_or_never() {
            seen.push(match step {
                Step::Reset(snapshot) => format!("reset {}", snapshot.at),
                Step::Event(number, _) => number.to_string(),
            });
        }
        seen
    }

    #[test]
    fn events_within_the_snapshot_are_skipped() {
        let (events, receiver) = broadcast::channel(8);
        let (_snapshots, snapshot) = watch::channel(snapshot_at(2));
        for number in 1..=3 {
            events.send(event(number)).unwrap();
        }
        assert_eq!(numbers(&mut Tail::new(receiver, snapshot)), ["reset 2", "3"]);
    }

    #[test]
    fn what_happens_before_the_first_read_is_an_event() {
        let (events, receiver) = broadcast::channel(8);
        let (snapshots, snapshot) = watch::channel(snapshot_at(2));
        let mut tail = Tail::new(receiver, snapshot);
        snapshots.send(snapshot_at(3)).unwrap();
        events.send(event(3)).unwrap();
        assert_eq!(numbers(&mut tail), ["reset 2", "3"]);
    }

    #[test]
    fn a_snapshot_older_than_the_first_event_waits_for_a_newer_one() {
        let (events, receiver) = broadcast::channel(8);
        let (snapshots, snapshot) = watch::channel(snapshot_at(0));
        let mut tail = Tail::new(receiver, snapshot);
        events.send(event(4)).unwrap();
        assert_eq!(numbers(&mut tail), ["reset 0"]);
        snapshots.send(snapshot_at(2)).unwrap();
        assert!(numbers(&mut tail).is_empty(), "2 leaves 3 out");
        snapshots.send(snapshot_at(3)).unwrap();
        assert_eq!(numbers(&mut tail), ["reset 3", "4"]);
    }

    #[test]
    fn a_slow_reader_gets_a_snapshot_and_goes_on_behind_it() {
        let (events, receiver) = broadcast::channel(4);
        let (snapshots, snapshot) = watch::channel(snapshot_at(0));
        let mut tail = Tail::new(receiver, snapshot);
        assert_eq!(numbers(&mut tail), ["reset 0"]);
        for number in 1..=20 {
            events.send(event(number)).unwrap();
        }
        snapshots.send(snapshot_at(18)).unwrap();
        assert_eq!(numbers(&mut tail), ["reset 18", "19", "20"]);
    }

    #[test]
    fn the_end_of_the_room_is_the_end() {
        let (events, receiver) = broadcast::channel(4);
        let (snapshots, snapshot) = watch::channel(snapshot_at(0));
        let mut tail = Tail::new(receiver, snapshot);
        events.send(event(1)).unwrap();
        drop((events, snapshots));
        assert_eq!(numbers(&mut tail), ["reset 0", "1"]);
        assert_eq!(tail.next().now_or_never(), Some(None));
    }
}
