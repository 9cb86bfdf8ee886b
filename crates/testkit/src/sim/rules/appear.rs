//! Nobody appears who is not there: no resurrection after leave, crash or replay, and nobody by a relayed frame alone
//! (design R5, R8).

use std::collections::HashMap;

use parlor_core::{Event, LeftReason};

use super::name;
use crate::sim::oracle::{Happening, Oracle, Row, Told};
use crate::sim::sessions::Session;
use crate::sim::world::World;

/// The longest that a frame may be on its way, by all hops, or kept for a sleeper.
const TRANSIT_MS: u64 = 6_000;

/// How often each row left because its owner said so, by observer.
#[derive(Debug, Default)]
pub struct Appear {
    told: HashMap<Session, HashMap<Row, usize>>,
}

impl Oracle for Appear {
    fn rule(&self) -> &str {
        "nobody appears who is not there"
    }

    fn happened(&mut self, _: &World, what: &Happening<'_>) -> Result<(), String> {
        if let Happening::Ended(session) = what {
            self.told.remove(session);
        }
        Ok(())
    }

    fn told(&mut self, world: &World, told: &Told<'_>) -> Result<(), String> {
        let Some(row) = told.row.filter(|row| world.is_honest(world.views.key(*row))) else { return Ok(()) };
        match told.event {
            Event::Left { reason: LeftReason::Left | LeftReason::Expired, .. } => {
                *self.told.entry(told.observer).or_default().entry(row).or_default() += 1;
                Ok(())
            }
            Event::Joined { .. } => {
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
}
