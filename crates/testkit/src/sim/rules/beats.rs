//! A new write beats what its author saw (design R10): whoever has the new value never goes back to one that its writer
//! had before its eyes. And no value of the room's metadata is seen that nobody wrote.

use std::collections::HashMap;

use parlor_core::Event;
use serde_json::Value;

use super::BEATS;
use crate::sim::oracle::{Happening, Oracle, Told};
use crate::sim::sessions::Session;
use crate::sim::world::World;

/// What a liar writes begins like this.
pub(crate) const LIE: &str = "lie";
/// How far back it is followed what a writer saw.
const BACK: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub struct Beats {
    /// What the writer of a value saw before, if it saw a value.
    saw: HashMap<u64, u64>,
    /// What each observer saw last of each key.
    seen: HashMap<Session, HashMap<String, u64>>,
}

impl Oracle for Beats {
    fn rule(&self) -> &str {
        BEATS
    }

    fn happened(&mut self, _: &World, what: &Happening<'_>) -> Result<(), String> {
        match what {
            Happening::WroteMetadata { saw: Some(saw), value: Some(value), .. } => {
                self.saw.insert(*value, *saw);
            }
            Happening::Ended(session) => {
                self.seen.remove(session);
            }
            _ => {}
        }
        Ok(())
    }

    fn told(&mut self, world: &World, told: &Told<'_>) -> Result<(), String> {
        let Event::Metadata { metadata, changed } = told.event else { return Ok(()) };
        if world.hosts[world.sessions.get(told.observer).host].hostile {
            return Ok(());
        }
        let seen = self.seen.entry(told.observer).or_default();
        for key in changed {
            let Some(value) = metadata.metadata.get(key) else {
                seen.remove(key);
                continue;
            };
            let Some(value) = value.as_u64().filter(|value| world.truth.writer(*value).is_some()) else {
                if is_a_lie(world, value) {
                    seen.remove(key);
                    continue;
                }
                return Err(format!("the room's {key} is {value}, which nobody wrote"));
            };
            if let Some(before) = seen.insert(key.clone(), value) {
                let older = std::iter::successors(self.saw.get(&before), |value| self.saw.get(value));
                if older.take(BACK).any(|older| *older == value) {
                    return Err(format!("the room's {key} went back from {before} to {value}, which its writer saw"));
                }
            }
        }
        Ok(())
    }
}

fn is_a_lie(world: &World, value: &Value) -> bool {
    world.hosts.iter().any(|host| host.hostile) && value.as_str().is_some_and(|text| text.starts_with(LIE))
}
