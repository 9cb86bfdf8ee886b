//! Messages that are kept are told once, by who said them, and stay (design A12, R11, R15): none is lost, none is doubled,
//! and what somebody said is there after their program died and began again.

use std::collections::{BTreeSet, HashMap, HashSet};

use parlor_core::{Event, HistoryQuery, Replica, UserId};

use crate::sim::oracle::{Happening, Oracle, Told};
use crate::sim::sessions::Session;
use crate::sim::world::World;
use crate::story::names;

/// Messages that a room keeps.
const KEPT: usize = 500;
/// The longest page of them.
const PAGE: u32 = 1000;

/// See the module.
#[derive(Debug, Default)]
pub struct Kept {
    /// Who said which message with which key, and what.
    once: HashMap<(UserId, String), (String, serde_json::Value)>,
    /// What was said on each host, and answered.
    said: HashMap<usize, Vec<String>>,
    /// What each observer was told.
    told: HashMap<Session, HashSet<String>>,
    judged: u64,
}

impl Oracle for Kept {
    fn rule(&self) -> &str {
        super::KEPT
    }

    fn happened(&mut self, world: &World, what: &Happening<'_>) -> Result<(), String> {
        match what {
            Happening::Said { session, message, key, .. } => {
                self.said.entry(world.sessions.get(*session).host).or_default().push(message.id.clone());
                let Some(key) = key else { return Ok(()) };
                let name = (message.actor.user_id.clone(), (*key).to_owned());
                let first = self.once.entry(name).or_insert_with(|| (message.id.clone(), message.data.clone()));
                // Two devices of one person that hear nothing of each other may both say it: then one of the two stays.
                if first.0 != message.id {
                    return Err(format!("“{key}” was stored as {} and as {}", first.0, message.id));
                }
            }
            Happening::Ended(session) => {
                self.told.remove(session);
            }
            _ => {}
        }
        Ok(())
    }

    fn told(&mut self, world: &World, told: &Told<'_>) -> Result<(), String> {
        let Event::Message { message } = told.event else { return Ok(()) };
        if !world.sessions.is_honest(&message.actor.user_id) {
            return Ok(());
        }
        self.judged += 1;
        let value = message.data.as_u64().unwrap_or(u64::MAX);
        if world.truth.writer(value).is_none() {
            return Err(format!("{} says {}, which nobody said", message.actor.name, message.data));
        }
        let again = !self.told.entry(told.observer).or_default().insert(message.id.clone());
        // What two devices said at once with one key is told again when the other of the two wins.
        let keyed = || self.once.values().any(|(id, _)| *id == message.id);
        if again && !keyed() {
            Err(format!("{} of {} is told twice", message.data, message.actor.name))
        } else {
            Ok(())
        }
    }

    fn second(&mut self, world: &World) -> Result<(), String> {
        // By their names alone: to read five hundred messages every second would be most of a long story.
        world.on_turn().into_iter().try_for_each(|host| {
            self.all_are_there(world, host, |replica| replica.message_ids().map(str::to_owned).collect())
        })
    }

    fn end(&mut self, world: &World) -> Result<(), String> {
        (0..world.hosts.len()).try_for_each(|host| {
            self.all_are_there(world, host, ids)?;
            self.own_are_there(world, host)
        })
    }

    fn judged(&self) -> u64 {
        self.judged
    }
}

impl Kept {
    /// What was answered is on disk (design R15).
    fn own_are_there(&self, world: &World, host: usize) -> Result<(), String> {
        let home = &world.hosts[host];
        let Some(process) = home.process.as_ref().filter(|_| home.runs() && !home.hostile) else { return Ok(()) };
        let history = ids(&process.replica);
        let lost = self.said.get(&host).into_iter().flatten().find(|id| !history.contains(id));
        match lost.filter(|_| history.len() < KEPT) {
            Some(lost) => Err(format!("{} lost message {lost}, which it said itself", names::host(host))),
            None => Ok(()),
        }
    }

    fn all_are_there(&self, world: &World, host: usize, ids: fn(&Replica) -> Vec<String>) -> Result<(), String> {
        let home = &world.hosts[host];
        let Some(process) = home.process.as_ref().filter(|_| home.runs() && !home.hostile) else { return Ok(()) };
        let Some(told) = self.told.get(&process.session).filter(|told| told.len() <= KEPT) else { return Ok(()) };
        let history = ids(&process.replica);
        let unique: BTreeSet<&String> = history.iter().collect();
        if unique.len() < history.len() {
            return Err(format!("{} has a message twice", names::host(host)));
        }
        // A liar may fill the log with newer ones.
        let full = history.len() >= KEPT;
        match told.iter().find(|id| !full && !unique.contains(id)) {
            Some(lost) => Err(format!("{} lost message {lost}", names::host(host))),
            None => Ok(()),
        }
    }
}

/// The messages that a replica keeps, newest first.
fn ids(replica: &Replica) -> Vec<String> {
    let page = replica.history(&HistoryQuery { limit: Some(PAGE), cursor: None });
    page.map(|page| page.messages.iter().map(|message| message.id.clone()).collect()).unwrap_or_default()
}
