//! Plays a story to its end, and says what came of it.

use super::oracle::Violation;
use super::world::World;
use crate::story::Story;

/// Facts of the trace that a failure shows.
const TAIL: usize = 120;

/// What came of a story.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed of its dice.
    pub seed: u64,
    /// The hash of the whole trace.
    pub hash: String,
    /// The rule that was broken, if one was.
    pub violation: Option<Violation>,
    /// The last facts of the trace, in words.
    pub tail: Vec<String>,
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
    play(&Story::random(seed), TAIL)
}

/// Plays a story; so many facts of the trace are kept.
#[must_use]
pub fn play(story: &Story, keep: usize) -> Outcome {
    finish(World::new(story, keep))
}

/// Plays a world to the end of its story.
#[must_use]
pub fn finish(mut world: World) -> Outcome {
    world.play_out();
    Outcome {
        seed: world.story.seed,
        hash: world.trace.hash_so_far(),
        tail: world.lines(),
        frames: world.frames,
        events: world.events,
        agreed_ms: world.awaited.agreed_after.iter().copied().max().unwrap_or(0),
        violation: world.violation,
    }
}

impl Outcome {
    /// A failure for people: what led to it, the rule, and how to see it again.
    #[must_use]
    pub fn report(&self) -> String {
        let rule = self.violation.as_ref().map_or_else(|| "no rule was broken".to_owned(), ToString::to_string);
        let (seed, tail) = (self.seed, self.tail.join("\n"));
        format!("{tail}\n\nseed {seed}: {rule}\n\n    cargo xtask sim --seeds 1 --from {seed}\n")
    }
}
