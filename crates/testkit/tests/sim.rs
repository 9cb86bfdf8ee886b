//! The simulator's own proof: five hundred random stories, and one for each rule that a random story could hide.
//!
//! Which oracles there are, and what each watches, stands in [`parlor_testkit::sim::rules`].

use std::collections::BTreeMap;
use std::ops::Range;

use parlor_testkit::sim::{Sweep, focus, run};
use parlor_testkit::story::Story;

/// Plays the story of each number of a range; fails with the first failure, shortened. How often each rule was judged.
fn each_story(range: Range<u64>, story: impl Fn(u64) -> Story + Sync) -> BTreeMap<String, u64> {
    let sum = Sweep::of(range, &story).play();
    if let Some(failure) = sum.failure {
        panic!("{:?} failed:\n\n{failure}", sum.failed);
    }
    sum.judged
}

/// And no rule holds because nothing ever put it to the test.
#[test]
fn five_hundred_random_stories_break_no_rule() {
    let judged = each_story(0..500, Story::random);
    assert_eq!(judged.len(), 11, "{judged:?}");
    assert!(judged.values().all(|count| *count > 10), "{judged:?}");
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in [1, 7, 42] {
        let (first, second) = (run(seed), run(seed));
        assert_eq!(first.hash, second.hash, "seed {seed}");
        assert_ne!(first.hash, run(seed + 1).hash, "another seed is another story");
    }
}

#[test]
fn a_lost_metadata_write_is_repaired_within_three_beats() {
    each_story(0..40, focus::lost_write);
}

#[test]
fn a_lost_delta_is_repaired_by_the_next_without_a_question() {
    each_story(0..10, focus::lost_delta_and_another);
}

#[test]
fn a_lost_last_delta_is_repaired_by_a_beat_and_one_question() {
    each_story(0..10, focus::lost_delta_at_last);
}

#[test]
fn an_update_is_everywhere_within_coalescing_and_latency() {
    each_story(0..8, |seed| focus::prompt(seed, 4, &[], 1));
    each_story(0..4, |seed| focus::prompt(seed, 10, &[], 1));
    each_story(0..4, |seed| focus::prompt(seed, 2, &[], 1));
}

/// Where not everybody is linked to everybody, frames are passed on (design N4).
#[test]
fn an_update_crosses_a_line_of_hosts() {
    each_story(0..4, |seed| focus::prompt(seed, 4, &[(0, 1), (1, 2), (2, 3)], 3));
    each_story(0..4, |seed| focus::prompt(seed, 5, &[(0, 1), (0, 2), (0, 3), (0, 4)], 2));
}

// G3 G5: no traffic comes from who was killed, and it is gone within its bound.
#[test]
fn the_killed_are_gone_within_their_bound() {
    each_story(0..6, focus::killed);
    each_story(0..6, focus::powerless);
}

// G6 G7, report N37: a new start of the same profile replaces the old session at once.
#[test]
fn a_restart_replaces_and_never_adds() {
    each_story(0..6, |seed| focus::restarted(seed, true));
    each_story(0..6, |seed| focus::restarted(seed, false));
}

// Report N49: everybody who wakes still has everybody, and nobody reconnects as somebody new.
#[test]
fn nobody_is_lost_by_sleep() {
    each_story(0..6, |seed| focus::slept(seed, 3_000));
    each_story(0..6, |seed| focus::slept(seed, 3_600_000));
}

#[test]
fn a_crowd_is_complete_soon_after_a_bad_start() {
    each_story(0..3, |seed| focus::crowd(seed, 6));
}

/// What was left of three random stories: a row that a liar's record had was not listed any more, and nobody was told.
#[test]
fn a_liar_that_becomes_somebody_else_breaks_no_rule() {
    let seeds = [7_013_230, 7_018_033, 7_025_275];
    seeds.into_iter().for_each(|seed| drop(each_story(seed..seed + 1, Story::random)));
}
