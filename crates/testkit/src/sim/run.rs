//! Plays a story to its end, and says what came of it.

use super::oracle::Violation;
use super::rules::SAME;
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
    /// How often each oracle found something to judge, by its rule.
    pub judged: Vec<(String, u64)>,
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

/// Plays a story two times. When it breaks no rule, but what happens differs, it breaks [`SAME`].
#[must_use]
pub fn twice(story: &Story) -> Outcome {
    let first = play(story);
    if first.violation.is_some() { first } else { held_against(first, &play(story)) }
}

pub(crate) fn held_against(mut first: Outcome, again: &Outcome) -> Outcome {
    if first.hash != again.hash {
        let (frames, events) = (first.frames, first.events);
        let detail = format!(
            "{frames} frames and {events} events at first, {} frames and {} events again; the traces are {} and {}",
            again.frames, again.events, first.hash, again.hash
        );
        first.violation = Some(Violation { rule: SAME.to_owned(), at: 0, host: None, detail });
    }
    first
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
        judged: world.judged(),
        violation: world.violation,
    }
}
