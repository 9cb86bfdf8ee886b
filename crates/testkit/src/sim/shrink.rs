//! From a story that breaks a rule to the shortest one that still breaks it: delta debugging over its steps, then fewer
//! hosts, then a milder network and smaller steps, then less time between them, over and over until nothing helps.

use std::fmt;

use super::oracle::Violation;
use super::rules;
use super::run::{Outcome, finish};
use super::tell;
use super::world::World;
use crate::story::Story;

/// Stories that are played at most to shorten one.
const PLAYS: u32 = 1_500;
/// Other dice that a shorter story is tried with, when dice matter: with fewer steps they fall otherwise.
const OTHER_DICE: u64 = 2;
/// Facts of the shortest story that are shown.
const SHOWN: usize = 400;

/// A story that broke a rule, and the shortest that still does.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The rule, as the shortest story breaks it.
    pub violation: Violation,
    /// The shortest story.
    pub story: Story,
    /// What happened in it, in plain words.
    pub lines: Vec<String>,
    /// The story that was found.
    pub found: Story,
    /// Stories that were played to shorten it.
    pub plays: u32,
}

/// Plays a story under the rules that always hold.
///
/// # Errors
/// The rule that is broken, with the shortest story that breaks it.
pub fn check(story: &Story) -> Result<Outcome, Box<Failure>> {
    check_with(story, |_| {})
}

/// The same with more oracles, which `prepare` adds to each world that is played.
///
/// # Errors
/// The rule that is broken, with the shortest story that breaks it.
pub fn check_with(story: &Story, prepare: impl Fn(&mut World)) -> Result<Outcome, Box<Failure>> {
    let play = |story: &Story, keep: usize| {
        let mut world = World::new(story, keep);
        prepare(&mut world);
        world
    };
    let outcome = finish(play(story, 0));
    let Some(violation) = outcome.violation.clone() else { return Ok(outcome) };
    let mut shrinking = Shrinking { best: story.clone(), violation, plays: 0, play: &|story| finish(play(story, 0)) };
    shrinking.shrink();
    let Shrinking { mut best, violation, plays, .. } = shrinking;
    if best.steps.len() < story.steps.len() {
        best.name = format!("what is left of {}", story.name);
    }
    let mut world = play(&best, SHOWN);
    world.play_out();
    let lines = tell::story(&world.trace, &world.sessions);
    Err(Box::new(Failure { violation, story: best, lines, found: story.clone(), plays }))
}

impl Failure {
    /// Of a story that does not always do the same.
    pub(crate) fn unstable(story: Story, outcome: Outcome) -> Self {
        let detail = format!("it broke a rule, or had another trace, and has the trace {} now", outcome.hash);
        let violation = Violation { rule: rules::SAME.to_owned(), at: 0, host: None, detail };
        Failure { violation, found: story.clone(), story, lines: Vec::new(), plays: 0 }
    }
}

struct Shrinking<'a> {
    best: Story,
    violation: Violation,
    plays: u32,
    play: &'a dyn Fn(&Story) -> Outcome,
}

impl Shrinking<'_> {
    fn shrink(&mut self) {
        loop {
            let before = self.best.clone();
            self.cut_the_end();
            self.drop_steps();
            self.drop_hosts();
            while self.plays < PLAYS && self.best.milder().into_iter().any(|story| self.still_breaks(story)) {}
            self.close_gaps();
            if self.best == before || self.plays >= PLAYS {
                return;
            }
        }
    }

    /// Whether a story breaks the same rule; then it is the best so far.
    fn still_breaks(&mut self, mut story: Story) -> bool {
        let fair = story.weather == crate::story::Faults::none(story.weather.longest()) && story.late_ms == 0;
        let seed = story.seed;
        for dice in 0..=if fair { 0 } else { OTHER_DICE } {
            if self.plays >= PLAYS {
                return false;
            }
            self.plays += 1;
            story.seed = seed.wrapping_add(dice);
            let outcome = (self.play)(&story);
            if let Some(violation) = outcome.violation.filter(|violation| violation.rule == self.violation.rule) {
                self.violation = violation;
                self.best = story;
                return true;
            }
        }
        false
    }

    /// What comes after the rule was broken did not break it.
    fn cut_the_end(&mut self) {
        let at = self.violation.at;
        let mut story = self.best.clone();
        story.steps.retain(|(time, _)| *time <= at);
        story.until = at;
        if story != self.best {
            self.still_breaks(story);
        }
    }

    /// Leaves out runs of steps, long ones first, as long as the rule is still broken.
    fn drop_steps(&mut self) {
        let mut length = self.best.steps.len().div_ceil(2);
        while length > 0 {
            // From the end: what comes last matters least.
            let mut end = self.best.steps.len();
            while end > 0 {
                let start = end.saturating_sub(length);
                let shorter = self.best.without_steps(start..end);
                self.still_breaks(shorter);
                end = start.min(self.best.steps.len());
            }
            length = if length == 1 { 0 } else { length.div_ceil(2) };
        }
    }

    fn drop_hosts(&mut self) {
        for host in (0..self.best.hosts.len()).rev() {
            if self.best.hosts.len() > 1 {
                self.still_breaks(self.best.without_host(host));
            }
        }
    }

    /// Takes out the time in which nothing happens, or half of it.
    fn close_gaps(&mut self) {
        for place in 0..self.best.steps.len() {
            let before = place.checked_sub(1).map_or(0, |before| self.best.steps[before].0);
            let gap = self.best.steps[place].0 - before;
            for less in [gap, gap / 2] {
                if less > 0 && self.still_breaks(self.best.sooner(place, less)) {
                    break;
                }
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (steps, found) = (self.story.steps.len(), self.found.steps.len());
        writeln!(f, "{}", self.violation)?;
        writeln!(f, "shortened from {found} steps to {steps} in {} plays\n", self.plays)?;
        writeln!(f, "{}\n", self.story)?;
        writeln!(f, "What happened, heartbeats left out:\n")?;
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        writeln!(f, "\nAs Rust:\n\n{}\n", self.story.code())?;
        let seed = self.found.seed;
        if self.found != Story::random(seed) {
            return Ok(());
        }
        if rules::is_always_watched(&self.violation.rule) {
            writeln!(f, "Seed {seed}. Again:\n\n    cargo xtask sim --seeds 1 --from {seed}")
        } else {
            writeln!(
                f,
                "Seed {seed}. Again, with the oracle of that rule:\n\n    check_with(&Story::random({seed}), …)"
            )
        }
    }
}
