//! Plays the story of a seed to its end.

use super::converge;
use super::network::Faults;
use super::scenario::Scenario;
use super::world::World;

/// After the network healed, everybody agrees within this time.
const HEAL_MS: u64 = 30_000;
/// Silence outlives this: whoever is gone is gone everywhere.
const SETTLE_MS: u64 = 13_000;
/// Lines of the trace that a failure shows.
const TAIL: usize = 120;

/// What came of a seed.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// The hash of the whole trace.
    pub hash: String,
    /// The rule that was broken, if one was.
    pub violation: Option<String>,
    /// The last lines of the trace.
    pub tail: Vec<String>,
    /// Frames delivered.
    pub frames: u64,
    /// Events judged.
    pub events: u64,
    /// Milliseconds from the healing to agreement.
    pub healed_ms: u64,
}

/// Plays the random story of a seed.
#[must_use]
pub fn run(seed: u64) -> Outcome {
    run_keeping(seed, TAIL)
}

/// The same, with so many lines of the trace kept.
#[must_use]
pub fn run_keeping(seed: u64, lines: usize) -> Outcome {
    let scenario = Scenario::random(seed);
    let mut world = World::new(&scenario, lines);
    world.play(scenario.heals_at);
    world.heal(Faults { reorder: scenario.faults.reorder, ..Faults::none(2) });
    let healed_at = world.now;
    let mut agreed: Option<u64> = None;
    while world.violation.is_none() {
        let next = world.now + 500;
        world.play(next);
        let since = world.now - healed_at;
        match (converge::difference(&world), agreed) {
            (None, None) => agreed = Some(since),
            (Some(_), Some(_)) => agreed = None,
            _ => {}
        }
        if agreed.is_some() && since >= SETTLE_MS {
            break;
        }
        if since > HEAL_MS {
            let difference = converge::difference(&world).unwrap_or_default();
            world.broken(format!("no agreement {HEAL_MS} ms after the network healed: {difference}"));
        }
    }
    Outcome {
        seed,
        hash: world.trace.hash(),
        tail: world.trace.tail().map(str::to_owned).collect(),
        frames: world.frames,
        events: world.oracle.events,
        healed_ms: agreed.unwrap_or(HEAL_MS),
        violation: world.violation,
    }
}

impl Outcome {
    /// A failure for people: the rule, what led to it, and how to see it again.
    #[must_use]
    pub fn report(&self) -> String {
        let rule = self.violation.as_deref().unwrap_or("no rule was broken");
        let (seed, tail) = (self.seed, self.tail.join("\n"));
        format!("{tail}\n\nseed {seed}: {rule}\n\n    cargo xtask sim --seeds 1 --from {seed}\n")
    }
}
