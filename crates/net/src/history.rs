//! The last events of a room, for readers that come back (design A10): one that says which event it had last goes on behind
//! it, as long as everything since is still here. Bounded in number and in bytes, so a reader that stays away costs nothing.
//! And nothing is kept before somebody wants to come back at all.
//!
//! Invariant: the numbers of what is kept follow one another, and the last is that of the room.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parlor_core::{Event, json_len};

/// Events that are kept, at most.
const EVENTS_MAX: usize = 1024;
/// Bytes of JSON that they have together, at most. A room is told in less: who missed more reads a snapshot.
const BYTES_MAX: usize = 512 * 1024;

/// One opening of a room, and its last events. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// Tells this opening from any other, of this process and of others.
    pub opening: Arc<str>,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    wanted: bool,
    events: VecDeque<Numbered>,
    bytes: usize,
    /// The number of the last event of the room.
    at: u64,
}

#[derive(Debug)]
struct Numbered {
    number: u64,
    event: Event,
    size: usize,
}

impl History {
    /// Of a room that is opened; `number` is a random one.
    pub fn new(number: u64) -> Self {
        Self { opening: format!("{number:016x}").into(), kept: Arc::default() }
    }

    /// From now on events are kept.
    pub fn keep(&self) {
        self.kept().wanted = true;
    }

    /// The next event of the room. Said here before it is said to those who listen.
    pub fn push(&self, number: u64, event: &Event) {
        let mut kept = self.kept();
        kept.at = number;
        if !kept.wanted {
            return;
        }
        // One that cannot be written is more than is kept.
        let size = json_len(event).unwrap_or(BYTES_MAX + 1);
        kept.bytes += size;
        kept.events.push_back(Numbered { number, event: event.clone(), size });
        while kept.events.len() > EVENTS_MAX || kept.bytes > BYTES_MAX {
            let Some(oldest) = kept.events.pop_front() else { break };
            kept.bytes -= oldest.size;
        }
    }

    /// Everything behind this number, in order; nothing when some of it is gone, or when there never was such a number.
    pub fn after(&self, number: u64) -> Option<Vec<(u64, Event)>> {
        let kept = self.kept();
        let missed = usize::try_from(kept.at.checked_sub(number)?).ok()?;
        let from = kept.events.len().checked_sub(missed)?;
        Some(kept.events.range(from..).map(|numbered| (numbered.number, numbered.event.clone())).collect())
    }

    /// Each change under the lock is whole before anything can fail.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watching(number: u64) -> Event {
        Event::Watching { count: u32::try_from(number).unwrap() }
    }

    fn numbers(history: &History, after: u64) -> Option<Vec<u64>> {
        let events = history.after(after)?;
        assert!(events.iter().all(|(number, event)| *event == watching(*number)));
        Some(events.into_iter().map(|(number, _)| number).collect())
    }

    #[test]
    fn who_comes_back_gets_what_is_new() {
        let history = History::new(7);
        assert_eq!(&*history.opening, "0000000000000007");
        history.push(1, &watching(1));
        history.keep();
        assert_eq!(numbers(&history, 1), Some(vec![]), "nothing is new");
        assert_eq!(numbers(&history, 0), None, "it was not kept");
        history.push(2, &watching(2));
        history.push(3, &watching(3));
        assert_eq!(numbers(&history, 1), Some(vec![2, 3]));
        assert_eq!(numbers(&history, 2), Some(vec![3]));
        assert_eq!(numbers(&history, 3), Some(vec![]));
        assert_eq!(numbers(&history, 4), None, "nobody was told of a fourth");
        assert_eq!(numbers(&history, 0), None);
    }

    #[test]
    fn only_the_last_events_are_kept() {
        let history = History::new(0);
        history.keep();
        for number in 1..=5_000 {
            history.push(number, &watching(number));
        }
        let reach = 5_000 - EVENTS_MAX as u64;
        assert_eq!(numbers(&history, reach).map(|numbers| numbers.len()), Some(EVENTS_MAX));
        assert_eq!(numbers(&history, reach - 1), None);
    }

    #[test]
    fn long_events_push_out_more() {
        let history = History::new(0);
        history.keep();
        let long = |size: usize| Event::Diverged { session_id: "x".repeat(size) };
        for number in 1..=100 {
            history.push(number, &long(20_000));
        }
        let kept = (0..=100).rev().take_while(|after| history.after(*after).is_some()).count() as u64 - 1;
        assert!((20..=BYTES_MAX as u64 / 20_000).contains(&kept), "{kept}");
        // One that is too long by itself leaves nothing, and is no end.
        history.push(101, &long(BYTES_MAX));
        assert!(history.after(100).is_none() && history.after(101).is_some_and(|events| events.is_empty()));
        history.push(102, &watching(102));
        assert_eq!(numbers(&history, 101), Some(vec![102]));
    }
}
