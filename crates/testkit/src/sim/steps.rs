//! What each step of a story does.

use std::sync::Arc;

use parlor_core::{Path, SessionId};

use super::letter::{Letter, byte_of};
use super::network::pair;
use super::oracle::Happening;
use super::trace::Fact;
use super::truth::End;
use super::world::{What, World};
use crate::story::{Change, Someone, Step};

/// A process that ends as it should waits this long for its leaves to be repeated.
const QUIT_MS: u64 = 500;

/// Somebody who changes a field over and over.
#[derive(Debug)]
pub(crate) struct Moving {
    by: Someone,
    change: Change,
    every_ms: u64,
    until: u64,
    session: super::Session,
}

impl World {
    /// Lets a step happen now.
    pub fn step(&mut self, step: &Step) {
        self.trace.note(self.now, Fact::Step(Box::new(step.clone())));
        self.happened(&Happening::Step(step));
        match step {
            Step::Start { host } => self.start(*host),
            Step::Join(entry) => self.join(entry),
            Step::Presence { by, member, change } => {
                self.presence(*by, member.as_deref(), change);
            }
            Step::Moving { by, field, every_ms, ms } => self.move_about(*by, field, *every_ms, *ms),
            Step::Metadata { host, key, delete } => self.set_metadata(*host, key, *delete),
            Step::Lock { host, on } => self.lock(*host, *on),
            Step::NameHost { host, whom, on } => self.name_host(*host, *whom, *on),
            Step::Void { host, whom, on } => self.void(*host, *whom, *on),
            Step::Note { host, note, edit } => self.edit_note(*host, note, *edit),
            Step::RemoveNote { host, note } => self.remove_note(*host, note),
            Step::Say { by, key } => self.say(*by, key.as_deref()),
            Step::Leave { by, member } => self.leave(*by, member.as_deref()),
            Step::Crash { host, farewell } => self.die(*host, *farewell),
            Step::Quit { host } => self.quit(*host),
            Step::Sleep { host, ms } => self.sleep(*host, *ms),
            Step::Clock { host, off_ms } => self.hosts[*host].skew_ms = *off_ms,
            Step::Unplug { host, ms } => {
                self.plug(*host, false);
                self.schedule(self.now + ms, What::Plug(*host));
            }
            Step::Partition { parts } => self.network.part(parts),
            Step::Cut { a, b } => {
                self.network.cut.insert(pair(*a, *b));
            }
            Step::Mend { a, b } => {
                self.network.cut.remove(&pair(*a, *b));
                self.network.deaf.remove(&(*a, *b));
                self.network.deaf.remove(&(*b, *a));
            }
            Step::Deafen { from, to } => {
                self.network.deaf.insert((*from, *to));
            }
            Step::MendAll => self.network.mend(),
            Step::Weather { between: None, faults } => self.network.faults = faults.clone(),
            Step::Weather { between: Some(way), faults } => {
                self.network.ways.insert(*way, faults.clone());
            }
            Step::Lose { kind, ms } => {
                self.network.lost.insert(byte_of(*kind), self.now + ms);
            }
            Step::Heal => self.heal(),
            Step::Replay { host, via, frames } => self.replay(*host, *via, *frames),
            Step::Forge { host, frames } => self.forge(*host, *frames),
            Step::Lie { host, lie } => self.lie(*host, *lie),
            Step::Expect { what, within_ms } => self.expect(what, *within_ms),
        }
        self.network.restless = true;
    }

    fn quit(&mut self, host: usize) {
        let Some(session) = self.hosts[host].session().filter(|_| !self.hosts[host].asleep) else { return };
        let now = self.now;
        self.truth.all_ended(session, End::Said, now);
        self.call(host, |replica, tick| replica.leave_all(tick));
        self.schedule(now + QUIT_MS, What::Die(session));
    }

    fn sleep(&mut self, host: usize, ms: u64) {
        if self.hosts[host].runs() {
            self.hosts[host].asleep = true;
            self.schedule(self.now + ms, What::Rise(host));
        }
    }

    fn move_about(&mut self, by: Someone, field: &str, every_ms: u64, ms: u64) {
        let Some(session) = self.hosts[by.host].session() else { return };
        let change = Change::Set(vec![field.to_owned()]);
        let index = u32::try_from(self.moves.len()).unwrap_or(u32::MAX);
        self.moves.push(Moving { by, change, every_ms: every_ms.max(1), until: self.now + ms, session });
        self.keep_moving(index);
    }

    pub(crate) fn keep_moving(&mut self, index: u32) {
        let Some(moving) = self.moves.get(index as usize) else { return };
        let (by, next, until) = (moving.by, self.now + moving.every_ms, moving.until);
        if self.now > until || self.hosts[by.host].session() != Some(moving.session) {
            return;
        }
        let change = moving.change.clone();
        self.presence(by, None, &change);
        self.schedule(next, What::Move(index));
    }

    /// Old frames, as somebody would send them again, those that this host took and those that it never saw: by way of
    /// another, since nobody else has the author's link.
    fn replay(&mut self, host: usize, via: usize, count: u16) {
        let taped = |at: usize| self.hosts[at].process.as_ref().map(|process| process.tape.clone()).unwrap_or_default();
        let tape = [taped(host), taped(via)].concat();
        let Some(via) = self.hosts[via].session() else { return };
        if tape.is_empty() || !self.hosts[host].runs() {
            return;
        }
        let via = self.sessions.get(via).id;
        let drawn: Vec<Arc<Letter>> =
            (0..count).filter_map(|_| tape.get(self.random.usize(0..tape.len())).cloned()).collect();
        for letter in drawn.into_iter().filter(|letter| letter.author != via) {
            self.take(host, via, Path::Gossip, &letter);
        }
    }

    /// Frames in the name of a stranger, whole or broken: nobody but the stranger may suffer.
    fn forge(&mut self, host: usize, count: u16) {
        let stranger = SessionId([self.random.u8(..); 32]);
        let Some(process) = self.hosts[host].process.as_ref().filter(|_| !self.hosts[host].asleep) else { return };
        let tape = process.tape.clone();
        for _ in 0..count {
            let Some(letter) = tape.get(self.random.usize(0..tape.len().max(1))) else { return };
            let bytes = self.spoil(&letter.bytes);
            let letter = Arc::new(Letter { message: 0, author: stranger, by: None, order: 0, bytes: bytes.into() });
            self.take(host, stranger, Path::Gossip, &letter);
        }
    }

    /// The same bytes, or fewer, or with one of them changed.
    pub(crate) fn spoil(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        match self.random.u8(0..3) {
            0 => {}
            1 => bytes.truncate(self.random.usize(0..=bytes.len())),
            _ => {
                let at = self.random.usize(0..bytes.len().max(1));
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = self.random.u8(..);
                }
            }
        }
        bytes
    }
}
