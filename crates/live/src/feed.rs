//! A room for a window: conflated, in small messages, at the speed of the reader (ux: streaming into the window).

use futures::FutureExt as _;

use crate::batch::Batch;
use crate::conflate::Conflate;
use crate::open_rooms::Hold;
use crate::tail::{Step, Tail};

/// Steps taken in before a batch is handed out, so that a flood cannot keep a reader waiting.
const STEPS_MAX: usize = 4096;

/// What a window needs of one room, made by [`Room::feed`](crate::Room::feed).
///
/// It is pulled: a reader asks for the next [`Batch`], shows it, acknowledges it to whoever carries the batches, and only
/// then is [`next`](Feed::next) called again. In between nothing piles up but a bounded number of events; when those are
/// too many the next batch is a snapshot. So a hidden window costs nothing and catches up at once.
///
/// While the feed lives the room stays open (design A4) and the client leases of its actor are renewed (design R7).
pub struct Feed {
    tail: Tail,
    conflate: Conflate,
    ended: bool,
    _hold: Hold,
}

impl Feed {
    pub(crate) fn new(tail: Tail, hold: Hold) -> Self {
        Self { tail, conflate: Conflate::default(), ended: false, _hold: hold }
    }

    /// The next batch, as soon as there is something to tell; `None` when the room was closed: the peer stopped or the
    /// room was forgotten. The first batch begins with a snapshot. Dropping the future before it is ready loses nothing.
    pub async fn next(&mut self) -> Option<Batch> {
        loop {
            self.take_in();
            if let Some(batch) = self.conflate.take() {
                return Some(batch);
            }
            if self.ended {
                return None;
            }
            let step = self.tail.next().await;
            self.apply(step);
        }
    }

    /// Takes in what is there without waiting.
    fn take_in(&mut self) {
        for _ in 0..STEPS_MAX {
            if self.ended {
                return;
            }
            match self.tail.next().now_or_never() {
                Some(step) => self.apply(step),
                None => return,
            }
        }
    }

    fn apply(&mut self, step: Option<Step>) {
        match step {
            Some(Step::Reset(snapshot, _)) => self.conflate.reset(&snapshot),
            Some(Step::Event(_, event)) => {
                self.conflate.apply(event);
                // Only what came on top of a snapshot: one that is over the bound by itself would be asked for for ever.
                if self.conflate.is_overfull() {
                    self.tail.restart();
                }
            }
            None => self.ended = true,
        }
    }
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Feed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::FeedEvent;
    use crate::fixture::{member, snapshot_at};
    use crate::keep::Keep;
    use parlor_core::{Event, PublicKey};
    use serde_json::json;
    use std::time::Instant;
    use tokio::sync::{broadcast, watch};

    struct Room {
        events: broadcast::Sender<(u64, Event)>,
        snapshots: watch::Sender<std::sync::Arc<parlor_core::Snapshot>>,
    }

    fn feed() -> (Room, Feed) {
        let (events, receiver) = broadcast::channel(16);
        let (snapshots, snapshot) = watch::channel(snapshot_at(0));
        let hold = Keep::new(Instant::now()).hold(PublicKey([1; 32]).user_id());
        (Room { events, snapshots }, Feed::new(Tail::new(receiver, snapshot), hold))
    }

    fn now(feed: &mut Feed) -> Option<Batch> {
        feed.next().now_or_never().expect("something to tell")
    }

    fn moved(number: u64) -> (u64, Event) {
        (number, Event::Updated { member: member("m", 1, json!({"x": number})), changed: vec!["x".into()] })
    }

    #[test]
    fn what_happens_while_nobody_reads_is_one_batch() {
        let (room, mut feed) = feed();
        assert!(matches!(now(&mut feed).unwrap().events[..], [FeedEvent::Snapshot { .. }]));
        assert!(feed.next().now_or_never().is_none(), "nothing happened");
        room.events.send((1, Event::Joined { member: member("m", 1, json!({})) })).unwrap();
        for number in 2..=10 {
            room.events.send(moved(number)).unwrap();
        }
        let batch = now(&mut feed).unwrap();
        assert_eq!((batch.seq, batch.events.len(), batch.updates.len()), (2, 1, 1));
        assert_eq!(batch.updates[0].presence["x"], 10);
    }

    #[test]
    fn a_reader_that_was_away_too_long_starts_over() {
        let (room, mut feed) = feed();
        now(&mut feed);
        for number in 1..=100 {
            room.events.send((number, Event::Watching { count: 1 })).unwrap();
        }
        room.snapshots.send(snapshot_at(100)).unwrap();
        assert!(matches!(now(&mut feed).unwrap().events[..], [FeedEvent::Snapshot { at: 100, .. }]));
    }

    #[test]
    fn the_last_events_of_a_room_still_come() {
        let (room, mut feed) = feed();
        now(&mut feed);
        room.events.send((1, Event::Watching { count: 3 })).unwrap();
        drop(room);
        assert_eq!(now(&mut feed).unwrap().events, [FeedEvent::Watching { count: 3 }]);
        assert_eq!(now(&mut feed), None);
        assert_eq!(now(&mut feed), None, "also when asked again");
    }
}
