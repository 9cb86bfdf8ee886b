//! Following a room from one moment on without a hole: the net layer offers a snapshot with the number of the last event
//! in it, and a bounded broadcast of numbered events that drops the oldest for a slow reader. This joins the two.
//!
//! Invariant: what was handed out so far, applied in order, is the room as of event `last`. Whatever breaks the numbering
//! (the reader lagged, or the snapshot is older than the oldest event still kept) is mended by a newer snapshot.

use std::collections::VecDeque;
use std::sync::Arc;

use parlor_core::{Event, Snapshot};
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

/// The next thing to know.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Begin here; what was known before is void. Why, unless it is the first step of all.
    Reset(Arc<Snapshot>, Option<ResyncReason>),
    /// The event with this number happened.
    Event(u64, Event),
}

/// Why a reader has to begin again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum ResyncReason {
    /// It was too slow for the changes.
    Lagged,
    /// It came back, and some of what it missed is not kept any more.
    Expired,
    /// It came back from an event that this opening of the room does not have: the peer was started again, the room was
    /// closed meanwhile, or it is no place at all.
    Unknown,
}

pub(crate) struct Tail {
    /// What happened before the events below, and maybe the first of them.
    missed: VecDeque<(u64, Event)>,
    events: broadcast::Receiver<(u64, Event)>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Where to begin, and why not where the reader was.
    first: Option<(Arc<Snapshot>, Option<ResyncReason>)>,
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
        let (last, first, missed) = (first.at, Some((first, None)), VecDeque::new());
        Self { missed, events, snapshots, last, first, need: None, held: None }
    }

    /// The same for a reader that was told to expect more than a snapshot.
    pub(crate) fn because(mut self, reason: ResyncReason) -> Self {
        self.first = self.first.map(|(snapshot, _)| (snapshot, Some(reason)));
        self
    }

    /// Goes on behind the event `last`: with what was `missed`, then with `events`, which may begin within it.
    pub(crate) fn behind(
        last: u64,
        missed: Vec<(u64, Event)>,
        events: broadcast::Receiver<(u64, Event)>,
        snapshots: watch::Receiver<Arc<Snapshot>>,
    ) -> Self {
        Self { missed: missed.into(), events, snapshots, last, first: None, need: None, held: None }
    }

    /// The next step; `None` when the room was closed. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Step> {
        if let Some((snapshot, reason)) = self.first.take() {
            return Some(Step::Reset(snapshot, reason));
        }
        loop {
            if let Some(need) = self.need {
                let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
                if snapshot.at >= need {
                    self.need = None;
                    self.last = snapshot.at;
                    return Some(Step::Reset(snapshot, Some(ResyncReason::Lagged)));
                }
                self.snapshots.changed().await.ok()?;
                continue;
            }
            let (number, event) = match self.held.take().or_else(|| self.missed.pop_front()) {
                Some(known) => known,
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
                Step::Reset(snapshot, None) => format!("begin {}", snapshot.at),
                Step::Reset(snapshot, Some(reason)) => format!("{reason:?} {}", snapshot.at),
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
        assert_eq!(numbers(&mut Tail::new(receiver, snapshot)), ["begin 2", "3"]);
    }

    #[test]
    fn what_happens_before_the_first_read_is_an_event() {
        let (events, receiver) = broadcast::channel(8);
        let (snapshots, snapshot) = watch::channel(snapshot_at(2));
        let mut tail = Tail::new(receiver, snapshot);
        snapshots.send(snapshot_at(3)).unwrap();
        events.send(event(3)).unwrap();
        assert_eq!(numbers(&mut tail), ["begin 2", "3"]);
    }

    #[test]
    fn a_snapshot_older_than_the_first_event_waits_for_a_newer_one() {
        let (events, receiver) = broadcast::channel(8);
        let (snapshots, snapshot) = watch::channel(snapshot_at(0));
        let mut tail = Tail::new(receiver, snapshot);
        events.send(event(4)).unwrap();
        assert_eq!(numbers(&mut tail), ["begin 0"]);
        snapshots.send(snapshot_at(2)).unwrap();
        assert!(numbers(&mut tail).is_empty(), "2 leaves 3 out");
        snapshots.send(snapshot_at(3)).unwrap();
        assert_eq!(numbers(&mut tail), ["Lagged 3", "4"]);
    }

    #[test]
    fn a_slow_reader_gets_a_snapshot_and_goes_on_behind_it() {
        let (events, receiver) = broadcast::channel(4);
        let (snapshots, snapshot) = watch::channel(snapshot_at(0));
        let mut tail = Tail::new(receiver, snapshot);
        assert_eq!(numbers(&mut tail), ["begin 0"]);
        for number in 1..=20 {
            events.send(event(number)).unwrap();
        }
        snapshots.send(snapshot_at(18)).unwrap();
        assert_eq!(numbers(&mut tail), ["Lagged 18", "19", "20"]);
    }

    #[test]
    fn who_comes_back_gets_what_it_missed_once() {
        let (events, receiver) = broadcast::channel(8);
        let (_snapshots, snapshot) = watch::channel(snapshot_at(7));
        for number in 6..=8 {
            events.send(event(number)).unwrap();
        }
        let missed = (5..=7).map(event).collect();
        assert_eq!(numbers(&mut Tail::behind(4, missed, receiver, snapshot)), ["5", "6", "7", "8"]);
    }

    #[test]
    fn who_comes_back_and_is_slow_starts_over() {
        let (events, receiver) = broadcast::channel(4);
        let (snapshots, snapshot) = watch::channel(snapshot_at(2));
        let mut tail = Tail::behind(0, vec![event(1), event(2)], receiver, snapshot);
        for number in 3..=20 {
            events.send(event(number)).unwrap();
        }
        snapshots.send(snapshot_at(20)).unwrap();
        assert_eq!(numbers(&mut tail), ["1", "2", "Lagged 20"]);
    }

    #[test]
    fn the_end_of_the_room_is_the_end() {
        let (events, receiver) = broadcast::channel(4);
        let (snapshots, snapshot) = watch::channel(snapshot_at(0));
        let mut tail = Tail::new(receiver, snapshot);
        events.send(event(1)).unwrap();
        drop((events, snapshots));
        assert_eq!(numbers(&mut tail), ["begin 0", "1"]);
        assert_eq!(tail.next().now_or_never(), Some(None));
    }
}
