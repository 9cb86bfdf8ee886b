//! Many seeds, on all processors: how a rule is put to the test.
//!
//! ```
//! use parlor_testkit::sim::Sweep;
//! use parlor_testkit::story::Story;
//!
//! let sum = Sweep::of(0..20, &Story::random).play();
//! if let Some(failure) = sum.failure {
//!     panic!("{failure}");
//! }
//! assert_eq!(sum.played, 20);
//! // A rule that was never put to the test holds of itself.
//! assert!(sum.judged["no field goes back"] > 100);
//! ```

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::run::{finish, held_against};
use super::shrink::{Failure, check_with};
use super::world::World;
use crate::story::Story;

/// One seed of so many is played twice: what happens has to be the same.
const TWICE_EVERY: u64 = 8;
/// So many seeds may fail before no more are tried.
const ENOUGH: usize = 3;

/// Seeds that are to be played, and how.
pub struct Sweep<'a> {
    seeds: Range<u64>,
    jobs: usize,
    story: &'a (dyn Fn(u64) -> Story + Sync),
    prepare: &'a (dyn Fn(&mut World) + Sync),
    progress: &'a (dyn Fn(&Sum) + Sync),
}

/// What came of them.
#[derive(Debug, Default)]
pub struct Sum {
    /// Stories that were played.
    pub played: u64,
    /// Seeds whose story broke a rule, in order.
    pub failed: Vec<u64>,
    /// The first of them, shortened.
    pub failure: Option<Box<Failure>>,
    /// Frames delivered.
    pub frames: u64,
    /// Events told and judged.
    pub events: u64,
    /// Milliseconds until those who were expected to agree did, the longest time of all.
    pub agreed_ms: u64,
    /// How often each oracle found something to judge, by its rule.
    pub judged: BTreeMap<String, u64>,
}

impl<'a> Sweep<'a> {
    /// The story of each seed, on as many threads as there are processors.
    pub fn of(seeds: Range<u64>, story: &'a (dyn Fn(u64) -> Story + Sync)) -> Self {
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        Sweep { seeds, jobs, story, prepare: &|_| {}, progress: &|_| {} }
    }

    /// So many at a time.
    #[must_use]
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.jobs = jobs.max(1);
        self
    }

    /// Each world is prepared by this before it plays: with more oracles, say.
    #[must_use]
    pub fn prepared(mut self, prepare: &'a (dyn Fn(&mut World) + Sync)) -> Self {
        self.prepare = prepare;
        self
    }

    /// Tells after each story how far it is.
    #[must_use]
    pub fn told(mut self, progress: &'a (dyn Fn(&Sum) + Sync)) -> Self {
        self.progress = progress;
        self
    }

    /// Plays them all, or until three have failed, and shortens the first that did.
    #[must_use]
    pub fn play(self) -> Sum {
        let next = AtomicU64::new(self.seeds.start);
        let enough = AtomicBool::new(false);
        let sum = Mutex::new(Sum::default());
        std::thread::scope(|scope| {
            for _ in 0..self.jobs {
                scope.spawn(|| {
                    while !enough.load(Ordering::Relaxed) {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= self.seeds.end {
                            break;
                        }
                        let outcome = self.one(seed);
                        let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                        sum.played += 1;
                        sum.frames += outcome.frames;
                        sum.events += outcome.events;
                        sum.agreed_ms = sum.agreed_ms.max(outcome.agreed_ms);
                        for (rule, count) in outcome.judged {
                            *sum.judged.entry(rule).or_default() += count;
                        }
                        if outcome.violation.is_some() {
                            sum.failed.push(seed);
                        }
                        enough.fetch_or(sum.failed.len() >= ENOUGH, Ordering::Relaxed);
                        (self.progress)(&sum);
                    }
                });
            }
        });
        let mut sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
        sum.failed.sort_unstable();
        sum.failure = sum.failed.first().map(|first| self.shortened(*first));
        sum
    }

    fn one(&self, seed: u64) -> super::Outcome {
        let story = (self.story)(seed);
        let play = || {
            let mut world = World::new(&story, 0);
            (self.prepare)(&mut world);
            finish(world)
        };
        let outcome = play();
        let again = outcome.violation.is_none() && seed.is_multiple_of(TWICE_EVERY);
        if again { held_against(outcome, &play()) } else { outcome }
    }

    fn shortened(&self, seed: u64) -> Box<Failure> {
        let story = (self.story)(seed);
        match check_with(&story, self.prepare) {
            Err(failure) => failure,
            // What is not the same again cannot be shortened by playing it again.
            Ok(outcome) => Box::new(Failure::unstable(story, outcome)),
        }
    }
}
