//! An update is visible everywhere within coalescing and latency, where nothing is lost (design A7, N4).
//!
//! It is judged while all is calm: for some seconds nobody came or went, no link changed, and the network loses nothing.
//! Then a write is due at everybody one interval of the adaptive rate and one latency a hop later, and what was written
//! over is due through what came after it.

use std::collections::{BTreeSet, VecDeque};

use parlor_core::Event;

use super::name;
use crate::sim::oracle::{Happening, Oracle, Row, Told};
use crate::sim::world::World;
use crate::story::{Step, names};

/// So long after the last disturbance everybody knows everybody, and who has to pass on what.
const CALM_MS: u64 = 8_000;
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

/// See the module.
#[derive(Debug, Default)]
pub struct Prompt {
    disturbed: u64,
    /// Milliseconds within which a write is due, as long as it is calm.
    bound: Option<u64>,
    fields: Vec<Field>,
    /// Writes that were held against the rule.
    pub judged: u64,
}

impl Oracle for Prompt {
    fn rule(&self) -> &str {
        "an update is everywhere in time"
    }

    fn happened(&mut self, world: &World, what: &Happening<'_>) -> Result<(), String> {
        match what {
            Happening::Step(
                Step::Presence { .. }
                | Step::Moving { .. }
                | Step::Metadata { .. }
                | Step::Note { .. }
                | Step::RemoveNote { .. }
                | Step::Say { .. }
                | Step::Expect { .. },
            )
            | Happening::WritesShared { .. }
            | Happening::Said { .. } => {}
            Happening::Wrote { row, fields, value, plain, .. } => self.wrote(world, *row, fields, *value, *plain),
            _ => {
                self.disturbed = world.now;
                self.bound = None;
                self.fields.clear();
            }
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
        for field in self.fields.iter().filter(|field| field.row == row) {
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
        Ok(())
    }

    fn end(&mut self, world: &World) -> Result<(), String> {
        self.second(world)
    }
}

impl Prompt {
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
            match self.fields.iter_mut().find(|field| field.row == row && field.name == *name) {
                Some(field) => field.writes.push_back(write),
                None => self.fields.push(Field { row, name: name.clone(), writes: VecDeque::from([write]) }),
            }
        }
    }
}

/// Milliseconds between two frames of a session that so many others can see: the longest that a change waits for its turn.
#[must_use]
pub fn turn_ms(others: u64) -> u64 {
    (others * 1_000).div_ceil(RATE_SHARED).clamp(TURN_MS.0, TURN_MS.1)
}

/// Within how many milliseconds a write is due at everybody; nothing where no promise is made.
fn bound(world: &World) -> Option<u64> {
    let faults = &world.network.faults;
    let lossless = faults.loss == 0 && faults.queue.is_none() && world.network.ways.is_empty();
    let unlost = world.network.lost.values().all(|until| *until <= world.now);
    if !lossless || !unlost || world.hosts.iter().any(|host| host.hostile) {
        return None;
    }
    let running: Vec<usize> = world.running().map(|(host, _)| host).collect();
    let others = running.len().checked_sub(1).filter(|others| *others > 0)? as u64;
    let hops = running.iter().map(|from| farthest(world, *from, &running)).collect::<Option<Vec<u64>>>()?;
    let hops = hops.into_iter().max()?;
    Some(turn_ms(others) + hops * faults.longest() + world.story.late_ms + SPARE_MS)
}

/// Hops from one host to the farthest of all; nothing when some are out of reach, or a link is not up at both ends.
fn farthest(world: &World, from: usize, running: &[usize]) -> Option<u64> {
    let mut left: BTreeSet<usize> = running.iter().copied().filter(|host| *host != from).collect();
    let mut edge = vec![from];
    let mut hops = 0;
    while !left.is_empty() {
        let mut next = Vec::new();
        for host in edge {
            let session = world.hosts[host].session()?;
            for lane in world.network.lanes(session) {
                if left.remove(&lane.host) {
                    let back = world.network.linked(lane.to, session);
                    next.push(back.then_some(lane.host)?);
                }
            }
        }
        if next.is_empty() {
            return None;
        }
        hops += 1;
        edge = next;
    }
    Some(hops)
}
