//! An update is visible everywhere within coalescing and latency, where nothing is lost (design A7, N4).
//!
//! It is judged while all is calm: for some seconds nobody came or went, no link changed, and the network loses nothing.
//! Then a write of live state is due at everybody one interval of the adaptive rate and one latency a hop later, and what
//! was written over is due through what came after it. What is written of the room's metadata and the board, and what is
//! said, waits for no turn: it is due one latency a hop later, wherever its own writer still shows it then.

use std::collections::{BTreeMap, VecDeque};

use parlor_core::Event;

use super::calm::{self, CALM_MS};
use super::name;
use crate::sim::oracle::{Happening, Oracle, Row, Told};
use crate::sim::shared;
use crate::sim::world::World;
use crate::story::names;

/// Frames a second that all members of a big room together may send (design A7).
const RATE_SHARED: u64 = 240;
/// Milliseconds between two frames in a small room, and at most.
const TURN_MS: (u64, u64) = (34, 1_000);
/// Rounding of an interval, and of when a turn falls.
const SPARE_MS: u64 = 2;

/// One write that is due.
#[derive(Clone, Copy, Debug)]
struct Write {
    value: u64,
    due: u64,
}

/// The writes of one field of one row, oldest first.
#[derive(Debug)]
struct Field {
    row: Row,
    name: String,
    writes: VecDeque<Write>,
}

/// The last write of a register that everybody may write, or a message.
#[derive(Clone, Copy, Debug)]
struct Shared {
    author: usize,
    value: Option<u64>,
    due: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Prompt {
    disturbed: u64,
    /// Milliseconds within which a write is due, as long as it is calm.
    bound: Option<u64>,
    /// By row and name.
    fields: Vec<Field>,
    shared: BTreeMap<String, Shared>,
    /// Messages, with who said them and when they are due.
    said: Vec<(String, u64)>,
    /// Writes that were held against the rule.
    judged: u64,
}

impl Oracle for Prompt {
    fn rule(&self) -> &str {
        super::PROMPT
    }

    fn happened(&mut self, world: &World, what: &Happening<'_>) -> Result<(), String> {
        match what {
            Happening::Wrote { row, fields, value, plain, .. } => self.wrote(world, *row, fields, *value, *plain),
            Happening::WritesShared { session, register, value, .. } => {
                let author = world.sessions.get(*session).host;
                match way(world).filter(|_| world.now >= self.disturbed + CALM_MS) {
                    Some(way) => {
                        let write = Shared { author, value: *value, due: world.now + way };
                        self.shared.insert((*register).to_owned(), write);
                    }
                    None => drop(self.shared.remove(*register)),
                }
            }
            Happening::Said { message, .. } => {
                if let Some(way) = way(world).filter(|_| world.now >= self.disturbed + CALM_MS) {
                    self.said.push((message.id.clone(), world.now + way));
                }
            }
            other if calm::disturbs(other) => {
                self.disturbed = world.now;
                self.bound = None;
                self.fields.clear();
                self.shared.clear();
                self.said.clear();
            }
            _ => {}
        }
        Ok(())
    }

    fn told(&mut self, world: &World, told: &Told<'_>) -> Result<(), String> {
        if self.fields.is_empty() {
            return Ok(());
        }
        let (Event::Joined { member } | Event::Updated { member, .. }, Some(row)) = (told.event, told.row) else {
            return Ok(());
        };
        let first = self.fields.partition_point(|field| field.row < row);
        for field in self.fields[first..].iter().take_while(|field| field.row == row) {
            let value_in = |bag: &parlor_core::Bag| bag.get(&field.name).and_then(serde_json::Value::as_u64);
            let Some(value) = value_in(&member.record.presence) else { continue };
            let before = told.before.and_then(|held| value_in(&held.record.presence)).unwrap_or(0);
            let first = field.writes.partition_point(|write| write.value <= before);
            let Some(write) = field.writes.get(first).filter(|write| write.value <= value) else { continue };
            if world.now > write.due {
                let of = name(world, world.views.key(row));
                let late = world.now - write.due;
                return Err(format!("{} {} of {of} is told {late} ms too late", field.name, write.value));
            }
        }
        Ok(())
    }

    fn second(&mut self, world: &World) -> Result<(), String> {
        for field in &mut self.fields {
            let passed = field.writes.iter().take_while(|write| write.due < world.now).count();
            let Some(write) = field.writes.drain(..passed).next_back() else { continue };
            self.judged += passed as u64;
            for (host, session) in world.honest().filter_map(|(host, _)| Some((host, world.hosts[host].session()?))) {
                let seen = world.views.value(session, field.row, &field.name);
                if seen < Some(write.value) {
                    let (of, at) = (name(world, world.views.key(field.row)), names::host(host));
                    return Err(format!("{} of {of} is {seen:?} at {at} and not {}", field.name, write.value));
                }
            }
        }
        self.shared_is_seen(world)?;
        self.said_is_heard(world)
    }

    fn end(&mut self, world: &World) -> Result<(), String> {
        self.second(world)
    }

    fn judged(&self) -> u64 {
        self.judged
    }
}

impl Prompt {
    /// What the writer of a register shows itself, everybody shows. Where it shows something else, it was refused or
    /// somebody wrote over it.
    fn shared_is_seen(&mut self, world: &World) -> Result<(), String> {
        let (over, due) = std::mem::take(&mut self.shared).into_iter().partition(|(_, write)| world.now > write.due);
        self.shared = due;
        let over: BTreeMap<String, Shared> = over;
        for (register, write) in over {
            let shows = |host: usize| {
                let process = world.hosts[host].process.as_ref()?;
                Some(shared::value(&process.replica, &register))
            };
            if shows(write.author) != Some(write.value) {
                continue;
            }
            self.judged += 1;
            if let Some((host, _)) = world.honest().find(|(host, _)| shows(*host) != Some(write.value)) {
                let (seen, at) = (shows(host).flatten(), names::host(host));
                return Err(format!("{register} is {seen:?} at {at} and not {:?}", write.value));
            }
        }
        Ok(())
    }

    fn said_is_heard(&mut self, world: &World) -> Result<(), String> {
        let (over, due) = std::mem::take(&mut self.said).into_iter().partition(|(_, due)| world.now > *due);
        self.said = due;
        let over: Vec<(String, u64)> = over;
        for (id, _) in over {
            self.judged += 1;
            for (host, replica) in world.honest() {
                if !replica.message_ids().any(|kept| kept == id) {
                    return Err(format!("message {id} has not reached {}", names::host(host)));
                }
            }
        }
        Ok(())
    }

    fn wrote(&mut self, world: &World, row: Row, fields: &[String], value: u64, plain: bool) {
        if !plain {
            self.fields.retain(|field| field.row != row);
            return;
        }
        if world.now < self.disturbed + CALM_MS {
            return;
        }
        if self.bound.is_none() {
            self.bound = bound(world);
        }
        let lives = world.truth.of_row(world.views.key(row)).map_or(&[][..], |of_row| &of_row.lives);
        let Some(bound) = self.bound.filter(|_| lives.iter().filter(|life| life.ended.is_none()).count() == 1) else {
            return;
        };
        let write = Write { value, due: world.now + bound };
        for name in fields {
            match self.fields.binary_search_by(|field| (field.row, &field.name).cmp(&(row, name))) {
                Ok(at) => self.fields[at].writes.push_back(write),
                Err(at) => {
                    self.fields.insert(at, Field { row, name: name.clone(), writes: VecDeque::from([write]) });
                }
            }
        }
    }
}

/// Milliseconds between two frames of a session that so many others can see: the longest that a change waits for its turn.
#[must_use]
pub fn turn_ms(others: u64) -> u64 {
    (others * 1_000).div_ceil(RATE_SHARED).clamp(TURN_MS.0, TURN_MS.1)
}

/// Within how many milliseconds a write is due at everybody, without waiting for a turn; nothing where no promise is made.
fn way(world: &World) -> Option<u64> {
    if !calm::is_lossless(world, None) || world.hosts.iter().any(|host| host.hostile) {
        return None;
    }
    Some(calm::hops(world)? * world.network.faults.longest() + world.story.late_ms + SPARE_MS)
}

/// The same of live state, whose changes wait for their turn.
fn bound(world: &World) -> Option<u64> {
    let others = world.running().count().checked_sub(1).filter(|others| *others > 0)? as u64;
    Some(turn_ms(others) + way(world)?)
}
