//! Frames on their way. A frame is made once, and all who carry it share it.

use std::collections::VecDeque;
use std::sync::Arc;

use parlor_core::SessionId;

use super::sessions::Session;
use crate::story::FrameKind;

/// One frame as its author sent it.
#[derive(Debug)]
pub struct Letter {
    /// Its place among all messages of gossip; 0 for what is sent to one peer alone.
    pub message: u64,
    /// Who wrote it.
    pub author: SessionId,
    /// The same as a session of the story; none when a stranger did.
    pub by: Option<Session>,
    /// Its place among all signs of life of its author, from 1 on; 0 for a frame that is none.
    pub order: u64,
    /// The frame.
    pub bytes: Arc<[u8]>,
}

impl Letter {
    /// The byte on the wire that says what it is.
    #[must_use]
    pub fn kind(&self) -> u8 {
        self.bytes.get(1).copied().unwrap_or(0)
    }
}

/// A letter on its way over one link.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub letter: Arc<Letter>,
    pub to: Session,
    pub via: Session,
    pub sent: u64,
    /// A copy that the network made: it reaches the replica although the message was taken already.
    pub copy: bool,
}

/// The byte of a kind on the wire (design N9).
pub(crate) fn byte_of(kind: FrameKind) -> u8 {
    match kind {
        FrameKind::Delta => 1,
        FrameKind::Beat => 2,
        FrameKind::Leave => 3,
        FrameKind::Full => 4,
        FrameKind::Ask => 5,
        FrameKind::Cells => 6,
    }
}

/// Whether frames of a kind carry the counter that orders signs of life.
pub(crate) fn is_sign_of_life(kind: u8) -> bool {
    matches!(kind, 1..=4)
}

/// A kind of frame in words.
pub(crate) fn word(kind: u8) -> &'static str {
    match kind {
        1 => "a change",
        2 => "a heartbeat",
        3 => "a leave",
        4 => "a whole record",
        5 => "a question",
        6 => "cells",
        7 => "a request for cells",
        8 => "stamps of cells",
        9 => "a wish for cells",
        12 => "a question to a witness",
        13 => "a testimony",
        _ => "a frame of no known kind",
    }
}

/// Words of 64 messages that are remembered: far more than can be on their way at once.
const WORDS: usize = 1024;

/// Which messages a process took or passed on already. Numbers only grow, so a window of bits is enough.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The number of the first word.
    from: u64,
    words: VecDeque<u64>,
}

impl Seen {
    /// Notes a message; false when it was noted before, or is too old to tell.
    pub fn insert(&mut self, message: u64) -> bool {
        let word = message / 64;
        if self.words.is_empty() {
            self.from = word.saturating_sub(WORDS as u64 / 2);
        }
        let Some(at) = word.checked_sub(self.from) else { return false };
        let mut at = at as usize;
        if at >= 2 * WORDS {
            // A long silence: nothing of before is on its way any more.
            self.words.clear();
            self.from = word;
            at = 0;
        }
        while self.words.len() <= at {
            self.words.push_back(0);
        }
        while self.words.len() > WORDS {
            self.words.pop_front();
            self.from += 1;
            at -= 1;
        }
        let bit = 1 << (message % 64);
        let fresh = self.words[at] & bit == 0;
        self.words[at] |= bit;
        fresh
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_message_is_new_once() {
        let mut random = fastrand::Rng::with_seed(3);
        let (mut seen, mut plain) = (Seen::default(), BTreeSet::new());
        let mut newest = 5_000_000;
        for _ in 0..200_000 {
            newest += random.u64(0..3);
            let message = newest - random.u64(0..10_000);
            assert_eq!(seen.insert(message), plain.insert(message), "{message}");
        }
        assert!(seen.insert(newest + 10_000_000));
        assert!(!seen.insert(newest));
        assert!(seen.words.len() <= WORDS);
    }
}
