//! What is over: buried records and the floors of sessions that expired (design R8). Bounded, longest untouched forgotten
//! first.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::ids::{Seq, SessionId};
use crate::limits::DEPARTED_MAX;

/// Incarnations of one session that are remembered. To forget the oldest is safe: a whole record needs its owner's own link
/// or an answer to a question, and the owner's next roster lacks what is over.
const INCARNATIONS_MAX: usize = 256;

/// One session's past.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Past {
    left: BTreeSet<u32>,
    /// An expired session returns only with something newer than this.
    floor: Option<Seq>,
    /// The whole session is over: the same profile started anew.
    retired: bool,
    /// It fell silent with members in the room, and has said nothing since.
    given_up: bool,
}

/// How somebody ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// By its own word, the last of its records with this incarnation.
    Left(u32),
    /// By its silence.
    GivenUp,
}

/// The bounded list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Departed {
    past: BTreeMap<SessionId, Past>,
    order: VecDeque<SessionId>,
}

impl Departed {
    /// Buries one record for good.
    pub fn bury(&mut self, session: SessionId, incarnation: u32) {
        let past = self.entry(session);
        past.given_up = false;
        past.left.insert(incarnation);
        while past.left.len() > INCARNATIONS_MAX {
            past.left.pop_first();
        }
    }

    /// The session fell silent at `seq`.
    pub fn expire(&mut self, session: SessionId, seq: Seq) {
        let past = self.entry(session);
        past.floor = past.floor.max(Some(seq));
    }

    /// It fell silent with members in the room.
    pub fn give_up(&mut self, session: SessionId) {
        self.entry(session).given_up = true;
    }

    /// How its last members ended, as far as that is remembered. Asked of a session that has none now.
    pub fn fate(&self, session: &SessionId) -> Option<Fate> {
        let past = self.past.get(session)?;
        if past.given_up {
            return Some(Fate::GivenUp);
        }
        let last = past.left.last().copied();
        if past.retired { Some(Fate::Left(u32::MAX)) } else { last.map(Fate::Left) }
    }

    /// The session is over as a whole.
    pub fn retire(&mut self, session: SessionId) {
        self.entry(session).retired = true;
    }

    pub fn is_buried(&self, session: &SessionId, incarnation: u32) -> bool {
        #[cfg(test)]
        if crate::recorder::fault::is_on() {
            return false;
        }
        self.past.get(session).is_some_and(|past| past.retired || past.left.contains(&incarnation))
    }

    /// Whether a frame with this `seq` is no newer than what the session expired with, or the session is retired.
    pub fn is_past(&self, session: &SessionId, seq: Seq) -> bool {
        self.past.get(session).is_some_and(|past| past.retired || past.floor.is_some_and(|floor| seq <= floor))
    }

    /// Sessions that are remembered, and their records.
    pub fn count(&self) -> (usize, usize) {
        (self.past.len(), self.past.values().map(|past| past.left.len()).sum())
    }

    /// Sessions that are remembered.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.past.len()
    }

    fn entry(&mut self, session: SessionId) -> &mut Past {
        self.order.retain(|other| *other != session);
        self.order.push_back(session);
        if self.order.len() > DEPARTED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.past.remove(&oldest);
        }
        self.past.entry(session).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host of guests comes and goes more often than is remembered; its own record, older than all, is not buried by it.
    #[test]
    fn forgetting_the_oldest_buries_nobody_who_is_there() {
        let host = SessionId([7; 32]);
        let mut departed = Departed::default();
        for incarnation in 2..600 {
            departed.bury(host, incarnation);
        }
        assert!(!departed.is_buried(&host, 1));
        assert!(departed.is_buried(&host, 599));
    }

    /// R8: a floor only rises, and what stands on it is no newer than what expired.
    #[test]
    fn a_floor_holds_what_is_not_newer() {
        let host = SessionId([7; 32]);
        let mut departed = Departed::default();
        departed.expire(host, Seq(5));
        departed.expire(host, Seq(3));
        let past = |seq| departed.is_past(&host, Seq(seq));
        assert_eq!((past(4), past(5), past(6)), (true, true, false));
    }
}
