//! The grammar of events per observer and member, `(joined (updated | stale | active)* left)*` (design R14), that an
//! update says something new, and that a reader who only applies events knows what the list says. It holds for everybody,
//! the hostile included.

use std::collections::BTreeMap;

use parlor_core::{Event, Member, RowKey};

use super::name;
use crate::sim::converge;
use crate::sim::oracle::{Oracle, Told};
use crate::sim::world::World;
use crate::story::names;

/// See the module.
#[derive(Debug, Default)]
pub struct Grammar {
    judged: u64,
}

impl Oracle for Grammar {
    fn rule(&self) -> &str {
        super::GRAMMAR
    }

    fn told(&mut self, world: &World, told: &Told<'_>) -> Result<(), String> {
        self.judged += 1;
        let whose = || told.row.map(|row| name(world, world.views.key(row))).unwrap_or_default();
        match (told.event, told.before) {
            (Event::Joined { .. }, Some(_)) => Err(format!("{} joined, who was there", whose())),
            (Event::Updated { member, changed }, Some(held)) => {
                let nothing = changed.is_empty() && same(held, member);
                if nothing { Err(format!("{} was updated, and nothing changed", whose())) } else { Ok(()) }
            }
            (Event::Stale { member } | Event::Active { member }, Some(held)) if held.state == member.state => {
                Err(format!("{} turned to what it was", whose()))
            }
            (Event::Updated { .. } | Event::Stale { .. } | Event::Active { .. } | Event::Left { .. }, None) => {
                Err(format!("something happened to {}, who was not there", whose()))
            }
            (Event::Metadata { changed, .. }, _) if changed.is_empty() => {
                Err("metadata changed, and nothing in it".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn second(&mut self, world: &World) -> Result<(), String> {
        world.on_turn().into_iter().try_for_each(|host| list_is_as_told(world, host))
    }

    fn end(&mut self, world: &World) -> Result<(), String> {
        (0..world.hosts.len()).try_for_each(|host| list_is_as_told(world, host))
    }

    fn judged(&self) -> u64 {
        self.judged
    }
}

fn list_is_as_told(world: &World, host: usize) -> Result<(), String> {
    let Some(process) = world.hosts[host].process.as_ref().filter(|_| world.hosts[host].runs()) else { return Ok(()) };
    let listed = converge::by_member(&process.replica, world.hosts[host].tick(world.now));
    let told: BTreeMap<&RowKey, &Member> =
        world.views.all(process.session).map(|(row, member)| (world.views.key(row), &**member)).collect();
    let at = names::host(host);
    if listed.len() != told.len() {
        return Err(format!("{at} lists {} members and was told of {}", listed.len(), told.len()));
    }
    for member in listed {
        let key = member.key();
        let Some(held) = told.get(&key) else {
            return Err(format!("{at} lists {}, of whom it was never told", name(world, &key)));
        };
        if !same(held, &member) || held.state != member.state {
            return Err(format!("{at} was told {held:?}, and lists {member:?}"));
        }
    }
    Ok(())
}

/// Whether two views of a row say the same, but for the time it was seen last.
fn same(a: &Member, b: &Member) -> bool {
    a.record.presence == b.record.presence
        && a.record.metadata == b.record.metadata
        && a.record.joined_at == b.record.joined_at
        && a.actor == b.actor
        && a.own == b.own
        && a.conflict == b.conflict
}
