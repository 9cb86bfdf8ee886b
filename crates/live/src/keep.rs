//! How long a room stays open (design A4): while this process has members or streams in it, and 60 s after the last read.
//! Pure, with time as an argument.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use parlor_core::UserId;
use parlor_core::limits::LEAVE_REPEATS_MS;

use crate::held::held;

/// A room that was read stays open this long.
pub(crate) const WATCH: Duration = Duration::from_secs(60);
/// A room that was written or left stays open this long, so that what was said is said three times (design R8).
pub(crate) const LINGER: Duration = Duration::from_secs(2);

const _: () =
    assert!(LINGER.as_millis() as u64 > LEAVE_REPEATS_MS[1] * 2, "a leave must get out before the room closes");

/// Why one room is open.
pub(crate) struct Keep(Mutex<State>);

struct State {
    until: Instant,
    /// Open streams by the user id of their actor.
    streams: BTreeMap<UserId, usize>,
}

impl Keep {
    pub(crate) fn new(now: Instant) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { until: now + LINGER, streams: BTreeMap::new() })))
    }

    /// Keeps the room open for this long from now, and never shorter than before.
    pub(crate) fn extend(&self, now: Instant, by: Duration) {
        let mut state = self.state();
        state.until = state.until.max(now + by);
    }

    /// Keeps the room open while the answer lives, and 60 s longer.
    pub(crate) fn hold(self: &Arc<Self>, user: UserId) -> Hold {
        *self.state().streams.entry(user.clone()).or_default() += 1;
        Hold { keep: Arc::clone(self), user }
    }

    /// Actors that have a stream open here.
    pub(crate) fn followers(&self) -> Vec<UserId> {
        self.state().streams.keys().cloned().collect()
    }

    /// When the room may close if nobody of this process is in it; `None` while a stream is open.
    pub(crate) fn until(&self) -> Option<Instant> {
        let state = self.state();
        state.streams.is_empty().then_some(state.until)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        held(&self.0)
    }
}

/// An open stream; dropping it counts as a read.
pub(crate) struct Hold {
    keep: Arc<Keep>,
    user: UserId,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut state = self.keep.state();
        match state.streams.get_mut(&self.user) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(state.streams.remove(&self.user)),
        }
        state.until = state.until.max(Instant::now() + WATCH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor_core::PublicKey;

    #[test]
    fn a_read_keeps_a_room_for_a_minute_and_a_write_does_not_shorten_it() {
        let start = Instant::now();
        let keep = Keep::new(start);
        assert_eq!(keep.until(), Some(start + LINGER));
        keep.extend(start, WATCH);
        keep.extend(start + Duration::from_secs(5), LINGER);
        assert_eq!(keep.until(), Some(start + WATCH));
        keep.extend(start + Duration::from_secs(5), WATCH);
        assert_eq!(keep.until(), Some(start + Duration::from_secs(65)));
    }

    #[test]
    fn a_stream_keeps_it_and_its_end_is_a_read() {
        let keep = Keep::new(Instant::now());
        let user = PublicKey([1; 32]).user_id();
        let (first, second) = (keep.hold(user.clone()), keep.hold(user.clone()));
        drop(first);
        assert_eq!((keep.until(), keep.followers()), (None, vec![user]));
        drop(second);
        assert!(keep.until().unwrap() > Instant::now() + WATCH - Duration::from_secs(5));
        assert!(keep.followers().is_empty());
    }
}
