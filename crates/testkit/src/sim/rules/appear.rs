//! Nobody appears who is not there: no resurrection after leave, crash or replay, and nobody by a relayed frame alone
//! (design R5, R8). That goes for rows, which are judged when somebody is told of them, and for each session that a row is
//! made of, which are looked at every few seconds: the dead device of somebody who is there with another is as dead.

use std::collections::{HashMap, HashSet};

use parlor_core::{Event, LeftReason, RowKey};

use super::name;
use crate::sim::converge;
use crate::sim::oracle::{Happening, Oracle, Row, Told};
use crate::sim::sessions::Session;
use crate::sim::world::World;
use crate::story::names;

/// The longest that a frame may be on its way, by all hops, or kept for a sleeper.
const TRANSIT_MS: u64 = 6_000;
/// Seconds between two looks at the sessions that observers have.
const LOOK_EVERY_S: u64 = 4;

/// See the module.
#[derive(Debug, Default)]
pub struct Appear {
    /// How often each row left because its owner said so, by observer.
    told: HashMap<Session, HashMap<Row, usize>>,
    /// Which sessions each observer had of which members when it was looked at last, and when that was.
    looks: HashMap<Session, (u64, HashSet<(Session, RowKey)>)>,
    judged: u64,
}

impl Oracle for Appear {
    fn rule(&self) -> &str {
        super::APPEAR
    }

    fn happened(&mut self, _: &World, what: &Happening<'_>) -> Result<(), String> {
        if let Happening::Ended(session) = what {
            self.told.remove(session);
            self.looks.remove(session);
        }
        Ok(())
    }

    fn told(&mut self, world: &World, told: &Told<'_>) -> Result<(), String> {
        let (Event::Joined { .. } | Event::Left { .. }, Some(row)) = (told.event, told.row) else { return Ok(()) };
        if !world.is_honest(world.views.key(row)) {
            return Ok(());
        }
        match told.event {
            Event::Left { reason: LeftReason::Left | LeftReason::Expired, .. } => {
                *self.told.entry(told.observer).or_default().entry(row).or_default() += 1;
                Ok(())
            }
            Event::Joined { .. } => {
                self.judged += 1;
                let key = world.views.key(row);
                let Some(of_row) = world.truth.of_row(key) else {
                    return Err(format!("{} appeared, who never was", name(world, key)));
                };
                // Of one session, every life that was told to be over is: what is left may be on its way yet.
                let ends = self.told.get(&told.observer).and_then(|rows| rows.get(&row)).copied().unwrap_or(0);
                let all_told = of_row.of_one_session().is_some_and(|lives| ends >= lives);
                let may = of_row.lives.iter().any(|life| match life.ended {
                    None => true,
                    Some((at, _)) => world.now - at <= TRANSIT_MS && !all_told,
                });
                if may {
                    Ok(())
                } else {
                    Err(format!("{} appeared, but is over: {:?}", name(world, key), of_row.lives))
                }
            }
            _ => Ok(()),
        }
    }

    fn second(&mut self, world: &World) -> Result<(), String> {
        if !(world.now / 1_000).is_multiple_of(LOOK_EVERY_S) {
            return Ok(());
        }
        world.on_turn().into_iter().try_for_each(|host| self.no_session_is_back(world, host))
    }

    fn judged(&self) -> u64 {
        self.judged
    }
}

impl Appear {
    /// What an observer has now and had not when it was looked at before came since then: from somebody who was there, or
    /// was until so shortly before that look that it was on its way.
    fn no_session_is_back(&mut self, world: &World, host: usize) -> Result<(), String> {
        let home = &world.hosts[host];
        let Some(process) = &home.process else { return Ok(()) };
        let listed = converge::by_session(&process.replica, home.tick(world.now)).into_iter();
        let listed = listed.filter_map(|(id, member)| Some((world.sessions.named(&id)?, member.key())));
        let listed: HashSet<(Session, RowKey)> = listed.filter(|(_, row)| world.is_honest(row)).collect();
        let before = self.looks.insert(process.session, (world.now, listed));
        let (Some((looked, before)), Some((_, listed))) = (before, self.looks.get(&process.session)) else {
            return Ok(());
        };
        for (session, row) in listed.difference(&before) {
            self.judged += 1;
            let lives = world.truth.of_row(row).map_or(&[][..], |of_row| &of_row.lives);
            let lives = || lives.iter().filter(|life| life.session == *session);
            if !lives().any(|life| life.ended.is_none_or(|(at, _)| at + TRANSIT_MS >= looked)) {
                let (of, at, lives) = (name(world, row), names::host(host), lives().collect::<Vec<_>>());
                return Err(format!(
                    "{} of {of} is back at {at}, but is over: {lives:?}",
                    world.sessions.name(*session)
                ));
            }
        }
        Ok(())
    }

    /// As if it had had nobody.
    #[cfg(test)]
    pub(crate) fn forget_a_look(&mut self, observer: Session) {
        self.looks.entry(observer).or_default().1.clear();
    }
}
