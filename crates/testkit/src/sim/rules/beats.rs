//! A new write beats what its author saw (design R10): whoever has the new value never goes back to one that its writer
//! had before its eyes. And no value of what is shared is seen that nobody wrote. Of the room's metadata and the board.

use std::collections::HashMap;

use parlor_core::Event;
use serde_json::Value;

use super::BEATS;
use crate::sim::oracle::{Happening, Oracle, Told};
use crate::sim::sessions::Session;
use crate::sim::shared::read;
use crate::sim::world::World;
use crate::story::Edit;

/// What a liar writes begins like this.
pub(crate) const LIE: &str = "lie";
/// How far back it is followed what a writer saw.
const BACK: usize = 64;
/// Everything that can be written of a note.
const EDITS: [Edit; 5] = [Edit::Move, Edit::Resize, Edit::Raise, Edit::Paint, Edit::Write];

/// See the module.
#[derive(Debug, Default)]
pub struct Beats {
    /// What the writer of a value saw before in the same register, if it saw a value.
    saw: HashMap<(String, u64), u64>,
    /// What each observer saw last of each register.
    seen: HashMap<Session, HashMap<String, u64>>,
    judged: u64,
}

impl Oracle for Beats {
    fn rule(&self) -> &str {
        BEATS
    }

    fn happened(&mut self, _: &World, what: &Happening<'_>) -> Result<(), String> {
        match what {
            Happening::WritesShared { register, saw: Some(saw), value: Some(value), .. } => {
                self.saw.insert(((*register).to_owned(), *value), *saw);
            }
            Happening::Ended(session) => {
                self.seen.remove(session);
            }
            _ => {}
        }
        Ok(())
    }

    fn told(&mut self, world: &World, told: &Told<'_>) -> Result<(), String> {
        if world.hosts[world.sessions.get(told.observer).host].hostile {
            return Ok(());
        }
        match told.event {
            Event::Metadata { metadata, changed } => changed.iter().try_for_each(|key| {
                // What is said of the lock is no number, and who may say it is for `verdict`.
                let Some(key) = Some(key).filter(|key| *key != "locked") else { return Ok(()) };
                let value = metadata.metadata.get(key);
                if value.is_some_and(|value| is_a_lie(world, value)) {
                    return self.shows(world, told.observer, key, None);
                }
                // What is no number was written by nobody: no number is that great.
                let value = value.map(|value| value.as_u64().unwrap_or(u64::MAX));
                self.shows(world, told.observer, key, value)
            }),
            Event::Board { notes, removed } => {
                let fields = || EDITS.iter().flat_map(|edit| edit.fields());
                for (id, field) in removed.iter().flat_map(|id| fields().map(move |field| (id, field))) {
                    self.shows(world, told.observer, &format!("{id}/{field}"), None)?;
                }
                for (note, field) in notes.iter().flat_map(|note| fields().map(move |field| (note, field))) {
                    let value = read(note, field).filter(|_| !is_a_default(note, field));
                    self.shows(world, told.observer, &format!("{}/{field}", note.id), value)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn judged(&self) -> u64 {
        self.judged
    }
}

impl Beats {
    fn shows(&mut self, world: &World, observer: Session, register: &str, value: Option<u64>) -> Result<(), String> {
        let seen = self.seen.entry(observer).or_default();
        let Some(value) = value else {
            seen.remove(register);
            return Ok(());
        };
        self.judged += 1;
        if world.truth.writer(value).is_none() {
            return Err(format!("{register} is {value}, which nobody wrote"));
        }
        let Some(before) = seen.insert(register.to_owned(), value).filter(|before| *before != value) else {
            return Ok(());
        };
        let mut older = self.saw.get(&(register.to_owned(), before)).copied();
        for _ in 0..BACK {
            let Some(value_then) = older else { break };
            if value_then == value {
                return Err(format!("{register} went back from {before} to {value}, which its writer saw"));
            }
            older = self.saw.get(&(register.to_owned(), value_then)).copied();
        }
        Ok(())
    }
}

/// Whether a field of a note is what it is when nobody wrote it.
fn is_a_default(note: &parlor_core::Note, field: &str) -> bool {
    match field {
        "x" => note.x == 0.0,
        "y" => note.y == 0.0,
        "w" => note.w == 200.0,
        "h" => note.h == 150.0,
        "z" => note.z == 0.0,
        _ => false,
    }
}

fn is_a_lie(world: &World, value: &Value) -> bool {
    world.hosts.iter().any(|host| host.hostile) && value.as_str().is_some_and(|text| text.starts_with(LIE))
}
