//! Every session of a story, numbered in the order of their starts: a small number is easier to keep, to compare and to
//! name than a key of 32 bytes.

use std::collections::BTreeMap;

use parlor_core::{SessionId, UserId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::story::names;

/// The number of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session(pub(crate) u32);

/// One session.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its id in the network.
    pub id: SessionId,
    /// Its host.
    pub host: usize,
    /// The how-manieth run of its host it is, from 1 on.
    pub boot: u64,
    /// When it ended, if it did.
    pub ended: Option<u64>,
    /// Made up by a hostile host: no program runs in it.
    pub invented: bool,
}

/// All sessions, and the people behind the hosts.
#[derive(Debug, Default)]
pub struct Sessions {
    all: Vec<Known>,
    by_id: FxHashMap<SessionId, Session>,
    by_text: FxHashMap<String, Session>,
    boots: BTreeMap<usize, u64>,
    honest: FxHashSet<UserId>,
}

impl Sessions {
    /// A session starts.
    pub(crate) fn add(&mut self, id: SessionId, host: usize, invented: bool) -> Session {
        let session = Session(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        let boots = self.boots.entry(host).or_default();
        *boots += u64::from(!invented);
        self.all.push(Known { id, host, boot: *boots, ended: None, invented });
        self.by_id.insert(id, session);
        self.by_text.insert(id.to_string(), session);
        session
    }

    pub(crate) fn end(&mut self, session: Session, now: u64) {
        if let Some(known) = self.all.get_mut(session.0 as usize) {
            known.ended = Some(now);
        }
    }

    pub(crate) fn trust(&mut self, user: UserId) {
        self.honest.insert(user);
    }

    /// What is known of a session.
    #[must_use]
    pub fn get(&self, session: Session) -> &Known {
        &self.all[session.0 as usize]
    }

    /// How many there were.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether nothing started yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The session with this id, if it is one of the story.
    #[must_use]
    pub fn find(&self, id: &SessionId) -> Option<Session> {
        self.by_id.get(id).copied()
    }

    /// The session whose id reads like this.
    #[must_use]
    pub fn named(&self, text: &str) -> Option<Session> {
        self.by_text.get(text).copied()
    }

    /// Whether a later run of the same host was started, which retires this one wherever it is seen (design R2).
    #[must_use]
    pub fn outlived(&self, session: Session) -> bool {
        let known = self.get(session);
        self.boots.get(&known.host).is_some_and(|newest| *newest > known.boot)
    }

    /// Whether this is the person or the guest of an honest host.
    #[must_use]
    pub fn is_honest(&self, user: &UserId) -> bool {
        self.honest.contains(user)
    }

    /// A session in words: the name of its host, and which run it is when it is not the first.
    #[must_use]
    pub fn name(&self, session: Session) -> String {
        let known = self.get(session);
        let host = names::host(known.host);
        match known.boot {
            _ if known.invented => format!("{host}'s invention {}", known.id.short()),
            0 | 1 => host,
            boot => format!("{host} (run {boot})"),
        }
    }

    /// The name of whoever has this id.
    #[must_use]
    pub fn name_of(&self, id: &SessionId) -> String {
        self.find(id).map_or_else(|| format!("stranger {}", id.short()), |session| self.name(session))
    }
}
