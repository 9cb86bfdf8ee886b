//! Plays a story to its end, and says what came of it.

use super::oracle::Violation;
use super::world::World;
use crate::story::Story;

/// What came of a story.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed of its dice.
    pub seed: u64,
    /// The hash of the whole trace.
    pub hash: String,
    /// The rule that was broken, if one was.
    pub violation: Option<Violation>,
    /// Frames delivered.
    pub frames: u64,
    /// Events told and judged.
    pub events: u64,
    /// Milliseconds until those who were expected to agree did, the longest time of all.
    pub agreed_ms: u64,
}

/// Plays the random story of a seed.
#[must_use]
pub fn run(seed: u64) -> Outcome {
    play(&Story::random(seed))
}

/// Plays a story.
#[must_use]
pub fn play(story: &Story) -> Outcome {
    finish(World::new(story, 0))
}

/// Plays a world to the end of its story.
#[must_use]
pub fn finish(mut world: World) -> Outcome {
    world.play_out();
    Outcome {
        seed: world.story.seed,
        hash: world.trace.hash_so_far(),
        frames: world.frames,
        events: world.events,
        agreed_ms: world.awaited.agreed_after.iter().copied().max().unwrap_or(0),
        violation: world.violation,
    }
}
