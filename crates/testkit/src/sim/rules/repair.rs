//! One lost write of what is shared is repaired within three beats, with no other traffic (design R12).
//!
//! It is judged in calm, when all were equal before the write: then, whatever frames of cells were lost in the moment of it,
//! three of the longest beats later all are equal again. Where a repair has to cross more than one link, each takes its own.

use super::calm::{self, BEAT_MAX_MS, CALM_MS};
use crate::sim::converge;
use crate::sim::oracle::{Happening, Oracle};
use crate::sim::world::World;
use crate::story::{FrameKind, Step};

/// Beats within which a lost write is repaired.
const BEATS: u64 = 3;
/// A loss that lasts longer may swallow the repair too.
const MOMENT_MS: u64 = 50;
/// Rounding, and the round trips of one exchange.
const SPARE_MS: u64 = 10;

/// See the module.
#[derive(Debug, Default)]
pub struct Repair {
    disturbed: u64,
    /// When all have to be equal again, once somebody wrote.
    due: Option<u64>,
    /// Writes that were held against the rule.
    judged: u64,
}

impl Oracle for Repair {
    fn rule(&self) -> &str {
        super::REPAIR
    }

    fn happened(&mut self, world: &World, what: &Happening<'_>) -> Result<(), String> {
        match what {
            Happening::Step(Step::Lose { kind: FrameKind::Cells, ms }) if *ms <= MOMENT_MS => {
                self.due = self.due.and_then(|_| due(world));
            }
            Happening::Step(Step::Metadata { .. } | Step::Note { .. } | Step::RemoveNote { .. } | Step::Say { .. }) => {
                let calm = world.now >= self.disturbed + CALM_MS;
                // Of a repair that is under way already, another write only changes when it is over.
                if calm && (self.due.is_some() || converge::shared_difference(world).is_none()) {
                    self.due = due(world);
                }
            }
            other if calm::disturbs(other) => {
                self.disturbed = world.now;
                self.due = None;
            }
            _ => {}
        }
        Ok(())
    }

    fn second(&mut self, world: &World) -> Result<(), String> {
        if self.due.is_none_or(|due| world.now < due) {
            return Ok(());
        }
        self.due = None;
        self.judged += 1;
        match converge::shared_difference(world) {
            Some(difference) => Err(format!("{BEATS} beats after the last write, {difference}")),
            None => Ok(()),
        }
    }

    fn end(&mut self, world: &World) -> Result<(), String> {
        self.second(world)
    }

    fn judged(&self) -> u64 {
        self.judged
    }
}

/// When a write of now is repaired; nothing when no promise is made.
fn due(world: &World) -> Option<u64> {
    if !calm::is_lossless(world, Some(FrameKind::Cells)) || world.hosts.iter().any(|host| host.hostile) {
        return None;
    }
    let hops = calm::hops(world)?;
    let exchange = 4 * world.network.faults.longest() + world.story.late_ms;
    Some(world.now + MOMENT_MS + hops * (BEATS * BEAT_MAX_MS + exchange) + SPARE_MS)
}
