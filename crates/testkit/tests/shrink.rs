//! Shortening proves itself on rules that are broken on purpose: what is left must be the steps that break them, and no
//! other.

use parlor_core::Event;
use parlor_testkit::sim::{Failure, Happening, Oracle, Told, World, check_with};
use parlor_testkit::story::{Change, Faults, Step, Story};

/// Broken by whoever deletes metadata after a computer slept.
#[derive(Default)]
struct NoDeletingAfterSleep {
    slept: bool,
}

impl Oracle for NoDeletingAfterSleep {
    fn rule(&self) -> &str {
        "nothing is deleted after somebody slept"
    }

    fn happened(&mut self, _: &World, what: &Happening<'_>) -> Result<(), String> {
        match what {
            Happening::Step(Step::Sleep { .. }) => self.slept = true,
            Happening::Step(Step::Metadata { delete: true, .. }) if self.slept => return Err("it was".to_owned()),
            _ => {}
        }
        Ok(())
    }
}

/// Broken by whoever sees somebody else's tool.
struct NoToolOfOthers;

impl Oracle for NoToolOfOthers {
    fn rule(&self) -> &str {
        "nobody sees another's tool"
    }

    fn told(&mut self, _: &World, told: &Told<'_>) -> Result<(), String> {
        match told.event {
            Event::Updated { member, changed } if !member.own && changed.iter().any(|key| key == "tool") => {
                Err(format!("the tool of {}", member.actor.name))
            }
            _ => Ok(()),
        }
    }
}

/// The first failures of random stories.
fn failures<O: Oracle + 'static>(oracle: impl Fn() -> O) -> Vec<Failure> {
    let found = (0..).filter_map(|seed| check_with(&Story::random(seed), |world| world.add(oracle())).err());
    found.take(3).map(|failure| *failure).collect()
}

fn words(failure: &Failure) -> Vec<String> {
    failure.story.steps.iter().map(|(_, step)| step.to_string()).collect()
}

#[test]
fn two_steps_that_break_a_rule_are_all_that_is_left() {
    for failure in failures(NoDeletingAfterSleep::default) {
        assert_eq!(failure.violation.rule, "nothing is deleted after somebody slept");
        let [(_, Step::Sleep { .. }), (_, Step::Metadata { delete: true, .. })] = &failure.story.steps[..] else {
            panic!("{failure}");
        };
        assert!(failure.story.hosts.len() <= 2, "{failure}");
        assert_eq!(failure.story.weather, Faults::none(1), "{failure}");
        assert!(failure.found.steps.len() > 30, "{failure}");
    }
}

/// Two programs, a member, and a change of its tool; on a network without faults, and where both reach each other.
#[test]
fn what_has_to_be_there_for_a_rule_to_break_stays() {
    for failure in failures(|| NoToolOfOthers) {
        let story = &failure.story;
        assert_eq!((story.hosts.len(), story.steps.len()), (2, 4), "{failure}");
        let count = |wanted: fn(&Step) -> bool| story.steps.iter().filter(|(_, step)| wanted(step)).count();
        assert_eq!(count(|step| matches!(step, Step::Start { .. })), 2, "{failure}");
        assert_eq!(count(|step| matches!(step, Step::Join(_))), 1, "{failure}");
        let tool =
            |step: &Step| matches!(step, Step::Presence { change: Change::Set(fields), .. } if *fields == ["tool"]);
        let moved = |step: &Step| matches!(step, Step::Moving { field, .. } if field == "tool");
        let told = story.steps.iter().filter(|(_, step)| tool(step) || moved(step)).count();
        assert_eq!(told, 1, "{failure}");
        assert_eq!(story.weather, Faults::none(1), "{failure}");
        // Played again it breaks the same rule at the same moment: what is printed is what happens.
        let again = check_with(story, |world| world.add(NoToolOfOthers)).unwrap_err();
        assert_eq!(again.violation, failure.violation);
    }
}

/// What is printed: the rule, the story in words, what happened, the Rust of it, and a command.
#[test]
fn a_failure_reads_at_sight() {
    let failure = failures(|| NoToolOfOthers).remove(0);
    let text = failure.to_string();
    let seed = failure.found.seed;
    assert!(text.starts_with("“nobody sees another's tool” is broken at "), "{text}");
    assert!(text.contains(&format!("shortened from {} steps to 4 in ", failure.found.steps.len())), "{text}");
    assert!(words(&failure).iter().all(|words| text.contains(&format!("▸ {words}"))), "{text}");
    assert!(text.contains(" has a link to "), "{text}");
    assert!(text.contains("tool is "), "{text}");
    assert!(text.contains("Story::new("), "{text}");
    assert!(text.contains(&format!("Seed {seed}. Again, with the oracle of that rule")), "{text}");
    let debug = [" Session(", "Some(", "Fact::", "SessionId(", "Step::"];
    assert!(debug.iter().all(|dump| !text.contains(dump)), "a debug dump in\n{text}");
    println!("{text}");
}
