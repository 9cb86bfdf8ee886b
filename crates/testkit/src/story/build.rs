//! How a story is told: one call a sentence, each at the time that the last `at` or `then_after` named.

use std::ops::RangeInclusive;

use super::lie::Lie;
use super::step::{Change, Edit, Entry, FrameKind, Someone, Step};
use super::weather::Faults;
use super::{Computer, Story, mesh, names};

/// Between the starts of two programs in [`Story::all_start`].
const APART_MS: u64 = 50;

impl Story {
    /// A story with nobody in it yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Story {
            name: name.to_owned(),
            seed: 0,
            private: false,
            hosts: Vec::new(),
            edges: Default::default(),
            weather: Faults::none(1),
            late_ms: 0,
            steps: Vec::new(),
            until: 0,
            cursor: 0,
        }
    }

    /// So many computers, each of another person, that all reach each other.
    #[must_use]
    pub fn hosts(mut self, count: usize) -> Self {
        let person = |index| Computer { person: names::host(index), clock_ms: 0, hostile: false };
        self.hosts = (0..count).map(person).collect();
        self.edges = mesh(count);
        self
    }

    /// The room is a private one, which the person of the first host made.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// Other dice.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The second host is another device of the first one's person.
    #[must_use]
    pub fn same_person(mut self, first: usize, second: usize) -> Self {
        let person = self.hosts.get(first).map(|host| host.person.clone());
        if let (Some(person), Some(host)) = (person, self.hosts.get_mut(second)) {
            host.person = person;
        }
        self
    }

    /// A wall clock is off by so many milliseconds when the story begins.
    #[must_use]
    pub fn clock_off(mut self, host: usize, ms: i64) -> Self {
        if let Some(host) = self.hosts.get_mut(host) {
            host.clock_ms = ms;
        }
        self
    }

    /// This host's program lies when it is told to.
    #[must_use]
    pub fn hostile(mut self, host: usize) -> Self {
        if let Some(host) = self.hosts.get_mut(host) {
            host.hostile = true;
        }
        self
    }

    /// Only these pairs reach each other.
    #[must_use]
    pub fn links(mut self, pairs: &[(usize, usize)]) -> Self {
        self.edges = pairs.iter().map(|(a, b)| (*a.min(b), *a.max(b))).collect();
        self
    }

    /// How long a frame takes, and nothing else is wrong with the network.
    #[must_use]
    pub fn latency(self, ms: RangeInclusive<u64>) -> Self {
        self.weather(Faults::within(ms))
    }

    /// How the network is when the story begins; [`Story::turn`] changes it later.
    #[must_use]
    pub fn weather(mut self, faults: Faults) -> Self {
        self.weather = faults;
        self
    }

    /// Timers may be late by up to so many milliseconds.
    #[must_use]
    pub fn late_timers(mut self, ms: u64) -> Self {
        self.late_ms = ms;
        self
    }

    /// What follows happens at this time, in milliseconds since the story began.
    #[must_use]
    pub fn at(mut self, ms: u64) -> Self {
        self.cursor = ms;
        self
    }

    /// What follows happens so many milliseconds later.
    #[must_use]
    pub fn then_after(mut self, ms: u64) -> Self {
        self.cursor += ms;
        self
    }

    /// The story goes on until then at least.
    #[must_use]
    pub fn until(mut self, ms: u64) -> Self {
        self.until = self.until.max(ms);
        self
    }

    /// Any step at all, now.
    #[must_use]
    pub fn step(self, step: Step) -> Self {
        let at = self.cursor;
        self.step_at(at, step)
    }

    /// Any step at all, at its own time. Steps stay in the order of time; equal times happen in the order told.
    #[must_use]
    pub fn step_at(mut self, at: u64, step: Step) -> Self {
        let place = self.steps.partition_point(|(other, _)| *other <= at);
        let within = if let Step::Expect { within_ms, .. } = &step { *within_ms } else { 0 };
        self.until = self.until.max(at + within);
        self.steps.insert(place, (at, step));
        self
    }

    /// A program starts.
    #[must_use]
    pub fn start(self, host: usize) -> Self {
        self.step(Step::Start { host })
    }

    /// All programs start, one shortly after the other.
    #[must_use]
    pub fn all_start(mut self) -> Self {
        let from = self.cursor;
        for host in 0..self.hosts.len() {
            self = self.step_at(from + host as u64 * APART_MS, Step::Start { host });
        }
        self
    }

    /// Somebody joins: `join(0)`, `join(guest(1).named("desk").leased(10))`.
    #[must_use]
    pub fn join(self, who: impl Into<Entry>) -> Self {
        self.step(Step::Join(who.into()))
    }

    /// The person of every host joins.
    #[must_use]
    pub fn all_join(mut self) -> Self {
        for host in 0..self.hosts.len() {
            self = self.join(host);
        }
        self
    }

    /// Somebody's live state changes: `presence(0, set("cursor"))`.
    #[must_use]
    pub fn presence(self, by: impl Into<Someone>, change: Change) -> Self {
        self.step(Step::Presence { by: by.into(), member: None, change })
    }

    /// The live state of one of somebody's members changes.
    #[must_use]
    pub fn presence_as(self, by: impl Into<Someone>, member: &str, change: Change) -> Self {
        self.step(Step::Presence { by: by.into(), member: Some(member.to_owned()), change })
    }

    /// Somebody moves a cursor, or whatever a field says, for so long.
    #[must_use]
    pub fn moving(self, by: impl Into<Someone>, field: &str, every_ms: u64, ms: u64) -> Self {
        self.step(Step::Moving { by: by.into(), field: field.to_owned(), every_ms, ms })
    }

    /// The person of a host writes a key of the room's metadata.
    #[must_use]
    pub fn metadata(self, host: usize, key: &str) -> Self {
        self.step(Step::Metadata { host, key: key.to_owned(), delete: false })
    }

    /// The person of a host deletes a key of the room's metadata.
    #[must_use]
    pub fn delete_metadata(self, host: usize, key: &str) -> Self {
        self.step(Step::Metadata { host, key: key.to_owned(), delete: true })
    }

    /// The person of a host locks the room.
    #[must_use]
    pub fn lock(self, host: usize) -> Self {
        self.step(Step::Lock { host, on: true })
    }

    /// The person of a host unlocks the room.
    #[must_use]
    pub fn unlock(self, host: usize) -> Self {
        self.step(Step::Lock { host, on: false })
    }

    /// The person of a host names another a host of a private room, or a host no more.
    #[must_use]
    pub fn name_host(self, host: usize, whom: usize, on: bool) -> Self {
        self.step(Step::NameHost { host, whom, on })
    }

    /// The person of a host lets what another wrote in a private room be void, or count again.
    #[must_use]
    pub fn void(self, host: usize, whom: usize, on: bool) -> Self {
        self.step(Step::Void { host, whom, on })
    }

    /// The person of a host writes to a note of the board.
    #[must_use]
    pub fn note(self, host: usize, note: &str, edit: Edit) -> Self {
        self.step(Step::Note { host, note: note.to_owned(), edit })
    }

    /// The person of a host removes a note.
    #[must_use]
    pub fn remove_note(self, host: usize, note: &str) -> Self {
        self.step(Step::RemoveNote { host, note: note.to_owned() })
    }

    /// Somebody says something that is kept.
    #[must_use]
    pub fn say(self, by: impl Into<Someone>) -> Self {
        self.step(Step::Say { by: by.into(), key: None })
    }

    /// Somebody says something that is stored once, however often it is said with this key.
    #[must_use]
    pub fn say_once(self, by: impl Into<Someone>, key: &str) -> Self {
        self.step(Step::Say { by: by.into(), key: Some(key.to_owned()) })
    }

    /// Somebody's only member leaves.
    #[must_use]
    pub fn leave(self, by: impl Into<Someone>) -> Self {
        self.step(Step::Leave { by: by.into(), member: None })
    }

    /// One of somebody's members leaves.
    #[must_use]
    pub fn leave_as(self, by: impl Into<Someone>, member: &str) -> Self {
        self.step(Step::Leave { by: by.into(), member: Some(member.to_owned()) })
    }

    /// A process is killed: it says nothing, but the system closes its connections.
    #[must_use]
    pub fn crash(self, host: usize) -> Self {
        self.step(Step::Crash { host, farewell: true })
    }

    /// The power goes: nobody closes anything.
    #[must_use]
    pub fn power_cut(self, host: usize) -> Self {
        self.step(Step::Crash { host, farewell: false })
    }

    /// A program ends as it should.
    #[must_use]
    pub fn quit(self, host: usize) -> Self {
        self.step(Step::Quit { host })
    }

    /// A computer sleeps.
    #[must_use]
    pub fn sleep(self, host: usize, ms: u64) -> Self {
        self.step(Step::Sleep { host, ms })
    }

    /// A wall clock is set, and is off by so much from now on.
    #[must_use]
    pub fn clock(self, host: usize, off_ms: i64) -> Self {
        self.step(Step::Clock { host, off_ms })
    }

    /// A network cable is out for so long.
    #[must_use]
    pub fn unplug(self, host: usize, ms: u64) -> Self {
        self.step(Step::Unplug { host, ms })
    }

    /// The network falls into parts.
    #[must_use]
    pub fn partition(self, parts: &[&[usize]]) -> Self {
        self.step(Step::Partition { parts: parts.iter().map(|part| part.to_vec()).collect() })
    }

    /// One pair loses its wire.
    #[must_use]
    pub fn cut(self, a: usize, b: usize) -> Self {
        self.step(Step::Cut { a, b })
    }

    /// One pair has its wire back.
    #[must_use]
    pub fn mend(self, a: usize, b: usize) -> Self {
        self.step(Step::Mend { a, b })
    }

    /// One direction loses everything.
    #[must_use]
    pub fn deafen(self, from: usize, to: usize) -> Self {
        self.step(Step::Deafen { from, to })
    }

    /// Partitions, cuts and deaf directions end.
    #[must_use]
    pub fn mend_all(self) -> Self {
        self.step(Step::MendAll)
    }

    /// The network treats all frames like this from now on.
    #[must_use]
    pub fn turn(self, faults: Faults) -> Self {
        self.step(Step::Weather { between: None, faults })
    }

    /// The network treats frames from one host to another like this from now on.
    #[must_use]
    pub fn turn_between(self, from: usize, to: usize, faults: Faults) -> Self {
        self.step(Step::Weather { between: Some((from, to)), faults })
    }

    /// Every frame of one kind is lost for so long.
    #[must_use]
    pub fn lose(self, kind: FrameKind, ms: u64) -> Self {
        self.step(Step::Lose { kind, ms })
    }

    /// All that is wrong with network and computers ends.
    #[must_use]
    pub fn heal(self) -> Self {
        self.step(Step::Heal)
    }

    /// Old frames reach a host again, by way of another.
    #[must_use]
    pub fn replay(self, host: usize, via: usize, frames: u16) -> Self {
        self.step(Step::Replay { host, via, frames })
    }

    /// Old frames reach a host in the name of a stranger, some of them broken.
    #[must_use]
    pub fn forge(self, host: usize, frames: u16) -> Self {
        self.step(Step::Forge { host, frames })
    }

    /// A hostile host lies.
    #[must_use]
    pub fn lie(self, host: usize, lie: Lie) -> Self {
        self.step(Step::Lie { host, lie })
    }
}
