//! What is over: buried records and the floors of sessions that expired (design R8). Bounded, longest untouched forgotten
//! first.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::ids::{Seq, SessionId};
use crate::limits::DEPARTED_MAX;

/// Incarnations of one session that are remembered one by one before they are summed up.
const INCARNATIONS_MAX: usize = 256;

/// One session's past.
#[derive(Clone, Debug, Default)]
struct Past {
    /// Incarnations below this are all over.
    below: u32,
    left: BTreeSet<u32>,
    /// An expired session returns only with something newer than this.
    floor: Option<Seq>,
    /// The whole session is over: the same profile started anew.
    retired: bool,
}

/// The bounded list.
#[derive(Debug, Default)]
pub(crate) struct Departed {
    past: BTreeMap<SessionId, Past>,
    order: VecDeque<SessionId>,
}

impl Departed {
    /// Buries one record for good.
    pub fn bury(&mut self, session: SessionId, incarnation: u32) {
        let past = self.entry(session);
        past.left.insert(incarnation);
        while past.left.len() > INCARNATIONS_MAX {
            if let Some(first) = past.left.pop_first() {
                past.below = past.below.max(first.saturating_add(1));
            }
        }
    }

    /// The session fell silent at `seq`.
    pub fn expire(&mut self, session: SessionId, seq: Seq) {
        let past = self.entry(session);
        past.floor = past.floor.max(Some(seq));
    }

    /// The session is over as a whole.
    pub fn retire(&mut self, session: SessionId) {
        self.entry(session).retired = true;
    }

    pub fn is_buried(&self, session: &SessionId, incarnation: u32) -> bool {
        self.past
            .get(session)
            .is_some_and(|past| past.retired || incarnation < past.below || past.left.contains(&incarnation))
    }

    /// Whether a frame with this `seq` is no newer than what the session expired with, or the session is retired.
    pub fn is_past(&self, session: &SessionId, seq: Seq) -> bool {
        self.past.get(session).is_some_and(|past| past.retired || past.floor.is_some_and(|floor| seq <= floor))
    }

    fn entry(&mut self, session: SessionId) -> &mut Past {
        self.order.retain(|other| *other != session);
        self.order.push_back(session);
        if self.order.len() > DEPARTED_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.past.remove(&oldest);
            }
        }
        self.past.entry(session).or_default()
    }
}
