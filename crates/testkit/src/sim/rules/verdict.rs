//! Who may write what in a private room is decided by those who may decide it (design N8). At every honest host and at every
//! second: whoever is a host was named by the creator, a lock or a void was wished by somebody who was ever a host, and a
//! room that is locked shows nothing that a stranger wrote into the lock. That all come to one verdict is for
//! [`agree`](super::agree), which compares what each of them has.

use std::collections::BTreeSet;

use parlor_core::UserId;

use crate::sim::oracle::{Happening, Oracle};
use crate::sim::world::World;
use crate::story::{Step, names};

/// What a liar writes into a locked room, with a clock that no lock comes after, begins like this.
pub(crate) const INTO_THE_LOCK: &str = "lie into the lock";

/// See the module.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Whom the creator ever named.
    named: BTreeSet<UserId>,
    /// Whether anybody wished for a lock, and whose writing was ever to be void.
    locked: bool,
    voided: BTreeSet<UserId>,
    judged: u64,
}

impl Oracle for Verdict {
    fn rule(&self) -> &str {
        super::VERDICT
    }

    fn happened(&mut self, world: &World, what: &Happening<'_>) -> Result<(), String> {
        let Happening::Step(step) = what else { return Ok(()) };
        let user = |host: &usize| world.hosts[*host].person.actor.user_id.clone();
        match step {
            Step::NameHost { host, whom, on: true } if user(host) == user(&0) => {
                self.named.insert(user(whom));
            }
            Step::Lock { host, on: true } => self.locked |= self.may_decide(world, &user(host)),
            Step::Void { host, whom, on: true } if self.may_decide(world, &user(host)) => {
                self.voided.insert(user(whom));
            }
            _ => {}
        }
        Ok(())
    }

    fn second(&mut self, world: &World) -> Result<(), String> {
        // Who made the room may do everything in it.
        let creator = |world: &World| world.hosts.first().map(|host| host.person.actor.user_id.clone());
        let lies =
            world.hosts.iter().any(|host| host.hostile && Some(&host.person.actor.user_id) == creator(world).as_ref());
        if !world.story.private || lies {
            return Ok(());
        }
        for (host, replica) in world.honest() {
            let Some(access) = replica.access() else { return Err("a private room is open".to_owned()) };
            let name = names::host(host);
            for person in &access.people {
                let may = person.user_id == access.creator || self.named.contains(&person.user_id);
                if person.host && !may {
                    return Err(format!("{name} takes {} for a host, whom the creator never named", person.user_id));
                }
                if person.voided && !self.voided.contains(&person.user_id) {
                    return Err(format!("{name} takes {} for void, and no host wished that", person.user_id));
                }
            }
            if access.locked && !self.locked {
                return Err(format!("the room is locked for {name}, and no host wished that"));
            }
            let shown = replica.metadata();
            let into = |value: &serde_json::Value| value.as_str().is_some_and(|text| text.starts_with(INTO_THE_LOCK));
            if access.locked && shown.metadata.values().any(into) {
                return Err(format!("the room is locked for {name}, and shows {:?}", shown.metadata));
            }
            self.judged += 1;
        }
        Ok(())
    }

    fn judged(&self) -> u64 {
        self.judged
    }
}

impl Verdict {
    fn may_decide(&self, world: &World, user: &UserId) -> bool {
        world.hosts.first().is_some_and(|host| host.person.actor.user_id == *user) || self.named.contains(user)
    }
}
