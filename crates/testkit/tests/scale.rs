//! The replica at size: a room of many hosts that falls apart and heals, and a month of coming and going.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use parlor_core::Holdings;
use parlor_core::limits::{BOARD_CELLS, DEPARTED_MAX, LOG_CELLS, METADATA_CELLS};
use parlor_testkit::sim::scale::{DAY_MS, LOOKS_ON, Month, STAYS, healed_within, healing, month};
use parlor_testkit::sim::{World, check, play};
use parlor_testkit::story::Story;

/// Plays stories on all processors; fails with the first that does, shortened. The longest time to agreement.
fn each(stories: &[Story]) -> u64 {
    let (next, longest) = (AtomicU64::new(0), AtomicU64::new(0));
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(story) = stories.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    let outcome = play(story);
                    longest.fetch_max(outcome.agreed_ms, Ordering::Relaxed);
                    if outcome.violation.is_some() {
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push(story);
                    }
                }
            });
        }
    });
    if let Some(story) = failed.into_inner().unwrap_or_else(PoisonError::into_inner).first() {
        panic!("{}", check(story).expect_err("it failed before"));
    }
    longest.into_inner()
}

/// Even halves and uneven ones, partitions that nobody noticed yet and such after which both sides had given up the other,
/// a fast network and a slow one.
#[test]
fn a_room_of_thirty_two_is_whole_within_two_beats_and_two_round_trips() {
    let mut stories = Vec::new();
    for (seed, first, latency_ms, apart_ms) in [
        (1, 16, 2, 3_000),
        (2, 16, 100, 3_000),
        (3, 1, 40, 3_000),
        (4, 29, 100, 8_000),
        (5, 16, 2, 30_000),
        (6, 8, 40, 30_000),
        (7, 31, 2, 30_000),
        (8, 16, 100, 30_000),
    ] {
        stories.push(healing(seed, 32, first, latency_ms, apart_ms));
    }
    let longest = each(&stories);
    assert!(longest > 0 && longest <= healed_within(100), "{longest} ms");
}

/// A host that went as far as this holds no more of anything than there may be.
fn is_bounded(held: &Holdings) -> bool {
    let Holdings { sessions, records, fields, rows, places, departed, buried, incarnations, .. } = *held;
    let Holdings { metadata, board, log, notes, leaves, questions, witnesses, answers, outputs, .. } = *held;
    sessions <= 12
        && records <= 12
        && fields <= 5 * records
        && rows <= records
        && places <= 16
        && departed <= DEPARTED_MAX
        && buried <= 4 * DEPARTED_MAX
        && incarnations <= 4 * sessions
        && metadata <= METADATA_CELLS + 3
        && board <= BOARD_CELLS
        && log <= LOG_CELLS
        && notes <= 4
        && leaves <= 8
        && questions == 0
        && answers == 0
        && outputs == 0
        && witnesses <= 6 * sessions
        && held.stored_bytes <= 400 * (metadata + board + log)
}

/// The month of the bench is as long, and fuller: there every list that forgets the oldest has to.
#[test]
fn a_month_of_coming_and_going_stays_within_bounds() {
    let plan = Month { days: 30, people: 2, visits: 1, starts: 60, keys: 150, messages: 520, notes: 60, sleeps: true };
    let story = month(1, &plan);
    let mut world = World::new(&story, 0);
    let mut second = [Holdings::default(); 2];
    for day in 1..=plan.days {
        world.play(day * DAY_MS);
        if let Some(violation) = &world.violation {
            panic!("on day {day}: {violation}");
        }
        for (host, second) in [STAYS, LOOKS_ON].into_iter().zip(&mut second) {
            let held = world.hosts[host].process.as_ref().expect("it stays").replica.holdings();
            assert!(is_bounded(&held), "host {host} on day {day}: {held:?}");
            if day == 2 {
                assert!(held.departed >= 60 && held.log == LOG_CELLS && held.metadata >= 150, "{host}: {held:?}");
                *second = held;
            }
        }
    }
    for (host, second) in [STAYS, LOOKS_ON].into_iter().zip(second) {
        let held = world.hosts[host].process.as_ref().expect("it stays").replica.holdings();
        assert!(held.departed > second.departed + 28, "nobody came after {second:?}: {held:?}");
        assert_eq!((held.sessions, held.rows, held.log), (second.sessions, second.rows, second.log), "host {host}");
    }
}
