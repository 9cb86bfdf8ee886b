//! Replicas are equal after healing, by values and not by hashes: once the network is whole and nobody does anything any
//! more, every honest replica shows of every honest member what its owner shows, and of what is shared the same.

use super::calm;
use crate::sim::converge;
use crate::sim::oracle::{Happening, Oracle};
use crate::sim::world::World;
use crate::story::Step;
use crate::story::random::HEAL_MS;

/// Between two looks, while all stays quiet.
const LOOK_MS: u64 = 10_000;
/// Looks in a row, a second apart, after which a difference is no passing one: a record whose time runs out in the very
/// moment of a look is gone at its owner before anybody else can know.
const PASSING: u32 = 3;

/// See the module.
#[derive(Debug, Default)]
pub struct Agree {
    quiet_since: u64,
    look_at: u64,
    differed: u32,
    /// Looks that found all equal.
    judged: u64,
}

impl Oracle for Agree {
    fn rule(&self) -> &str {
        super::AGREE
    }

    fn happened(&mut self, world: &World, what: &Happening<'_>) -> Result<(), String> {
        if !matches!(what, Happening::Step(Step::Expect { .. })) {
            self.quiet_since = world.now;
            self.look_at = world.now + HEAL_MS;
            self.differed = 0;
        }
        Ok(())
    }

    fn second(&mut self, world: &World) -> Result<(), String> {
        if world.now < self.look_at.max(HEAL_MS) || !calm::is_lossless(world, None) || calm::hops(world).is_none() {
            return Ok(());
        }
        let Some(difference) = converge::difference(world) else {
            self.differed = 0;
            self.look_at = world.now + LOOK_MS;
            self.judged += 1;
            return Ok(());
        };
        self.differed += 1;
        if self.differed < PASSING {
            return Ok(());
        }
        Err(format!("all has been whole and quiet for {} s, but {difference}", (world.now - self.quiet_since) / 1_000))
    }

    fn judged(&self) -> u64 {
        self.judged
    }
}
