//! Copies of the profile that run elsewhere, as the whole process knows them (design R2, report M8). Each room says what
//! it sees; here is what is true of the peer, also while no room is open that both are in.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use parlor_core::Cloned;

use crate::held::held;

/// Once no room and no connection knows of the others any more, they may have so long to come back.
const GONE_AFTER: Duration = Duration::from_secs(5);

/// What is known since the session began.
#[derive(Debug, Default)]
pub(crate) struct Clones(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: Option<Cloned>,
    /// Since when nobody knows of the others.
    alone: Option<Instant>,
}

impl Clones {
    /// Takes in what the rooms say now and which sessions are connected; answers what is true of the peer.
    pub(crate) fn look(
        &self,
        rooms: impl Iterator<Item = Cloned>,
        connected: &BTreeSet<String>,
        now: Instant,
    ) -> Option<Cloned> {
        let mut state = held(&self.0);
        let seen = rooms.reduce(|mut all, one| {
            all.since = all.since.min(one.since);
            all.read_only |= one.read_only;
            all.others.extend(one.others);
            all
        });
        let before = state.known.take();
        let mut others: BTreeSet<String> = seen.iter().flat_map(|seen| seen.others.iter().cloned()).collect();
        // A room that was closed knows nothing, and whom it knew may be there all the same.
        let known = before.iter().flat_map(|before| &before.others);
        others.extend(known.filter(|session| connected.contains(*session)).cloned());
        state.alone = others.is_empty().then(|| state.alone.unwrap_or(now));
        let both = || seen.iter().chain(&before);
        let read_only = both().any(|cloned| cloned.read_only);
        let lasts = read_only || !others.is_empty() || before.is_some() && !state.is_over(now);
        let since = both().map(|cloned| cloned.since).min();
        state.known =
            since.filter(|_| lasts).map(|since| Cloned { since, read_only, others: others.into_iter().collect() });
        state.known.clone()
    }

    /// Whether this session is read-only for nothing: those who outranked it are gone.
    pub(crate) fn may_come_back(&self, now: Instant) -> bool {
        let state = held(&self.0);
        state.known.as_ref().is_some_and(|known| known.read_only) && state.is_over(now)
    }
}

impl State {
    fn is_over(&self, now: Instant) -> bool {
        self.alone.is_some_and(|alone| now.duration_since(alone) >= GONE_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor_core::Timestamp;

    fn seen(since: u64, read_only: bool, others: &[&str]) -> Cloned {
        Cloned { since: Timestamp(since), read_only, others: others.iter().map(|&other| other.to_owned()).collect() }
    }

    #[test]
    fn rooms_and_connections_together_say_who_is_there() {
        let (clones, start) = (Clones::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let connected = BTreeSet::from(["b".to_owned()]);
        let nobody = BTreeSet::new();
        assert_eq!(clones.look([].into_iter(), &connected, start), None, "whoever is connected is no copy for that");
        let rooms = [seen(7, false, &["b"]), seen(5, false, &["c"])];
        assert_eq!(clones.look(rooms.into_iter(), &connected, start), Some(seen(5, false, &["b", "c"])));
        assert_eq!(clones.look([].into_iter(), &connected, at(1)), Some(seen(5, false, &["b"])), "the room was closed");
        assert_eq!(clones.look([].into_iter(), &nobody, at(2)), Some(seen(5, false, &[])), "it may be a short break");
        assert_eq!(clones.look([].into_iter(), &nobody, at(6)), Some(seen(5, false, &[])));
        assert_eq!(clones.look([].into_iter(), &nobody, at(7)), None);
        assert!(!clones.may_come_back(at(99)), "it never was away");
    }

    #[test]
    fn the_read_only_one_may_come_back_when_the_others_are_gone_for_good() {
        let (clones, start) = (Clones::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let nobody = BTreeSet::new();
        clones.look([seen(5, true, &["b"])].into_iter(), &nobody, start);
        assert!(!clones.may_come_back(at(99)));
        let gone = || [seen(5, true, &[])].into_iter();
        assert_eq!(clones.look(gone(), &nobody, at(1)), Some(seen(5, true, &[])));
        assert!(!clones.may_come_back(at(5)));
        clones.look([seen(5, true, &["b"])].into_iter(), &nobody, at(5));
        clones.look([].into_iter(), &nobody, at(6));
        assert!(!clones.may_come_back(at(10)), "it was back meanwhile");
        assert_eq!(clones.look([].into_iter(), &nobody, at(11)), Some(seen(5, true, &[])), "read-only to the end");
        assert!(clones.may_come_back(at(11)));
    }
}
