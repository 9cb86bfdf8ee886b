//! What happened, fact by fact: hashed, so that two runs can be held against each other, and kept, when somebody wants to
//! read it. A fact becomes words only when it is read, so that a run that nobody reads costs no words.

use std::collections::VecDeque;
use std::sync::Arc;

use parlor_core::{DownCause, Event, SessionId};

use super::letter::Letter;
use super::sessions::Session;
use crate::story::Step;

/// Bytes that are hashed at a time.
const BLOCK: usize = 64 * 1024;

/// One thing that happened. Hosts are numbers.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A step of the story.
    Step(Box<Step>),
    /// A program started.
    Started(Session),
    /// A process is gone; whether its connections were closed for it.
    Gone(Session, bool),
    /// A session published a frame to so many links.
    Published(Session, Arc<Letter>, usize),
    /// A session sent a frame to one peer.
    Sent(Session, SessionId, Arc<Letter>),
    /// A host took a frame that came by way of somebody.
    Took(usize, SessionId, Arc<Letter>),
    /// A session was told something.
    Told(Session, Event),
    /// One end has its link up.
    Up(Session, Session),
    /// One end has its link down.
    Down(Session, Session, DownCause),
    /// A computer wakes.
    Wakes(usize),
    /// A cable is in or out.
    Cable(usize, bool),
    /// A link's queue was full.
    Dropped(Session, Session, Arc<Letter>),
    /// An expectation came true.
    Came(String),
    /// A rule is broken.
    Broken(String),
}

/// The last facts of a run and the hash of all of them.
pub struct Trace {
    facts: VecDeque<(u64, Fact)>,
    keep: usize,
    buffer: Vec<u8>,
    hasher: blake3::Hasher,
    count: u64,
}

impl Trace {
    /// Keeps the last `keep` facts.
    #[must_use]
    pub fn keeping(keep: usize) -> Self {
        let buffer = Vec::with_capacity(BLOCK + 1024);
        Trace { facts: VecDeque::new(), keep, buffer, hasher: blake3::Hasher::new(), count: 0 }
    }

    /// Takes in a fact that happens now and then.
    pub(crate) fn note(&mut self, at: u64, fact: Fact) {
        let text = match &fact {
            // The author is in the frame.
            Fact::Dropped(from, to, letter) => format!("{from:?} {to:?} {}", letter.bytes.len()),
            fact => format!("{fact:?}"),
        };
        self.hash(0, at, text.len() as u64);
        self.buffer.extend_from_slice(text.as_bytes());
        self.keep(at, || fact);
    }

    pub(crate) fn published(&mut self, at: u64, from: Session, letter: &Arc<Letter>, links: usize) {
        self.hash(1, at, u64::from(from.0) << 32 | links as u64);
        self.buffer.extend_from_slice(&letter.bytes);
        self.keep(at, || Fact::Published(from, letter.clone(), links));
    }

    pub(crate) fn sent(&mut self, at: u64, from: Session, to: SessionId, letter: &Arc<Letter>) {
        self.hash(2, at, u64::from(from.0));
        self.buffer.extend_from_slice(&to.0[..8]);
        self.buffer.extend_from_slice(&letter.bytes);
        self.keep(at, || Fact::Sent(from, to, letter.clone()));
    }

    pub(crate) fn took(&mut self, at: u64, host: usize, via: SessionId, letter: &Arc<Letter>) {
        self.hash(3, at, host as u64);
        self.buffer.extend_from_slice(&letter.author.0[..8]);
        self.buffer.extend_from_slice(&via.0[..8]);
        self.buffer.extend_from_slice(&(letter.order << 16 | letter.bytes.len() as u64).to_le_bytes());
        self.keep(at, || Fact::Took(host, via, letter.clone()));
    }

    pub(crate) fn told(&mut self, at: u64, observer: Session, event: &Event) {
        let (kind, member, changed) = match event {
            Event::Joined { member } => (10, Some(member), &[][..]),
            Event::Updated { member, changed } => (11, Some(member), &changed[..]),
            Event::Stale { member } => (12, Some(member), &[][..]),
            Event::Active { member } => (13, Some(member), &[][..]),
            Event::Left { member, reason } => (20 + *reason as u8, Some(member), &[][..]),
            Event::Metadata { changed, .. } => (14, None, &changed[..]),
            Event::Watching { count } => (15 + (*count % 2) as u8, None, &[][..]),
            Event::Pace { pace_ms } => (40 + (*pace_ms % 100) as u8, None, &[][..]),
            Event::Complete { complete } => (17 + u8::from(*complete), None, &[][..]),
            Event::Board { removed, .. } => (30, None, &removed[..]),
            Event::Message { message } => (31, None, std::slice::from_ref(&message.id)),
            Event::Access { access } => (33 + u8::from(access.locked), None, &[][..]),
            Event::Diverged { session_id } => (32, None, std::slice::from_ref(session_id)),
            Event::Cloned { cloned: None } => (33, None, &[][..]),
            Event::Cloned { cloned: Some(cloned) } => (34 + u8::from(cloned.read_only), None, &cloned.others[..]),
        };
        self.hash(kind, at, u64::from(observer.0) << 32 | changed.len() as u64);
        if let Some(member) = member {
            self.buffer.extend_from_slice(member.record.member_id.as_str().as_bytes());
        }
        for key in changed {
            self.buffer.extend_from_slice(key.as_bytes());
            let value = match (member, event) {
                (Some(member), _) => member.record.presence.get(key),
                (None, Event::Metadata { metadata, .. }) => metadata.metadata.get(key),
                _ => None,
            };
            let value = value.and_then(serde_json::Value::as_u64).unwrap_or(u64::MAX);
            self.buffer.extend_from_slice(&value.to_le_bytes());
        }
        if let Event::Board { notes, .. } = event {
            self.buffer.extend(notes.iter().flat_map(|note| note.id.bytes().chain(note.x.to_le_bytes())));
        }
        self.keep(at, || Fact::Told(observer, event.clone()));
    }

    fn hash(&mut self, kind: u8, at: u64, number: u64) {
        if self.buffer.len() >= BLOCK {
            self.hasher.update(&self.buffer);
            self.buffer.clear();
        }
        self.buffer.push(kind);
        self.buffer.extend_from_slice(&at.to_le_bytes());
        self.buffer.extend_from_slice(&number.to_le_bytes());
        self.count += 1;
    }

    fn keep(&mut self, at: u64, fact: impl FnOnce() -> Fact) {
        if self.keep == 0 {
            return;
        }
        if self.facts.len() >= self.keep {
            self.facts.pop_front();
        }
        self.facts.push_back((at, fact()));
    }

    /// The hash of every fact so far.
    #[must_use]
    pub fn hash_so_far(&self) -> String {
        self.hasher.clone().update(&self.buffer).finalize().to_hex().to_string()
    }

    /// How many facts there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The facts that are kept, with their times.
    pub fn facts(&self) -> impl Iterator<Item = &(u64, Fact)> {
        self.facts.iter()
    }
}
