//! Whose clock decides what: a lease runs on the observer's own, no wall clock reaches it, and an observer that was
//! away itself judges nobody by that and believes nobody because of it (design R6, R7, R9).

use std::collections::BTreeMap;

use serde_json::json;

use crate::fixture::{Table, member, seat};
use crate::input::{DownCause, Input};
use crate::limits::MEMBERS_MAX;
use crate::view::{Event, MembersQuery};
use crate::{Join, Lease, PresenceChange};

/// The wall clock of a table whose clocks are right.
const WALL_MS: u64 = 1_800_000_000_000;
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

fn set_wall(table: &mut Table, at: usize, off: i64) {
    let unix_ms = (WALL_MS + table.now).saturating_add_signed(off);
    table.input(at, Input::Wall { unix_ms });
}

/// Events about members at a seat, but for those that say what changed of one.
fn comings_and_goings(table: &Table, at: usize) -> Vec<String> {
    table.told(at).into_iter().filter(|event| !event.starts_with("updated")).collect()
}

// C1 C2: one clock is a minute ahead, one a day behind, one a day ahead; whoever joins by it and then only beats is
// there for all, for as long as the beats come, and no longer.
#[test]
fn a_clock_that_is_off_costs_nobody_a_heartbeat() {
    let mut table = Table::of(4);
    for (at, off) in [(0, 0), (1, MINUTE), (2, -DAY), (3, DAY)] {
        set_wall(&mut table, at, off);
        table.join(at, Join::new()).unwrap();
    }
    table.pass(3_000);
    table.clear();
    table.pass(15 * MINUTE as u64);
    for at in 0..4 {
        assert_eq!(table.rows(at).len(), 4, "at {at}");
        assert!(table.told(at).is_empty(), "at {at}: {:?}", table.told(at));
        assert_eq!(table.seats[at].replica.counters().get("frame_of_departed"), 0, "at {at}");
    }
    // Silence is the same ten seconds for each of them.
    table.lose = |_, _, _| true;
    let since: Vec<u64> = (1..4).map(|at| table.seats[0].replica.peers[&table.seats[at].session].heard.0).collect();
    let mut left = BTreeMap::new();
    while left.len() < 3 {
        table.pass(1);
        for event in &table.seats[0].events {
            if let Event::Left { member, .. } = event {
                left.entry(member.actor.name.clone()).or_insert(table.now);
            }
        }
        assert!(table.now < since[0] + 60_000);
    }
    for (at, since) in since.into_iter().enumerate() {
        assert_eq!(left[&format!("person {}", at + 1)] - since, 10_000);
    }
}

// C1 C2: a wall clock that is set right, or wrong, while people are in the room ends no lease early and none late: not
// those of others, of clients, of fields, of those who look on.
#[test]
fn a_clock_that_is_set_moves_no_lease() {
    for off in [MINUTE, -MINUTE, DAY, -DAY, i64::MAX, i64::MIN] {
        let mut table = Table::joined(2);
        let watcher = table.add(seat(40, "who looks on", 40, 1, table.now));
        table.link(0, watcher);
        table.link(1, watcher);
        let guest = table.seats[0].guest.clone();
        table.call(0, |replica, _, now| replica.join(&guest, Join::new().ttl_seconds(60), Lease::Client, now)).unwrap();
        let expire = [("typing".to_owned(), 60_000)].into();
        table.change(1, PresenceChange { expire, ..PresenceChange::new(json!({"typing": true})) }).unwrap();
        table.pass(3_000);
        table.clear();
        for at in 0..3 {
            set_wall(&mut table, at, off);
        }
        let typing = |table: &Table, at: usize| table.seen(at, 1).is_some_and(|presence| presence["typing"] == true);
        let watching = |table: &Table| table.seats[0].replica.snapshot().watching;
        table.pass(56_900);
        assert!(typing(&table, 0) && typing(&table, 1), "{off}");
        assert_eq!((table.rows(0).len(), table.rows(1).len(), watching(&table)), (3, 3, 1), "{off}");
        assert_eq!(comings_and_goings(&table, 1), [""; 0], "{off}");
        table.pass(200);
        assert!(!typing(&table, 0) && !typing(&table, 1), "{off}");
        assert_eq!(comings_and_goings(&table, 0), ["left guest of person 0 Expired"], "{off}");
        assert_eq!(comings_and_goings(&table, 1), ["left guest of person 0 Expired"], "{off}");
        table.lose = |_, _, _| true;
        table.pass(10_100);
        assert_eq!((table.rows(0).len(), watching(&table)), (1, 0), "{off}");
    }
}

// G14: who comes while somebody is typing forgets it when all others do, and no old frame brings it back.
#[test]
fn a_late_arrival_forgets_typing_with_the_others() {
    let mut table = Table::joined(2);
    let expire = [("typing".to_owned(), 5_000)].into();
    table.change(0, PresenceChange { expire, ..PresenceChange::new(json!({"typing": true})) }).unwrap();
    table.pass(3_000);
    let late = table.add(seat(40, "late", 40, 1, table.now));
    table.link(0, late);
    table.link(1, late);
    assert_eq!(table.seen(late, 0), Some(json!({"typing": true})));
    // The author dies without a word.
    table.lose = |from, _, _| from == 0;
    table.pass(1_999);
    assert_eq!(table.seen(late, 0), Some(json!({"typing": true})));
    table.pass(1);
    let frames: Vec<Vec<u8>> = table.log.iter().filter(|(at, ..)| *at == 0).map(|(.., bytes)| bytes.clone()).collect();
    let author = table.seats[0].session;
    for at in [1, late] {
        assert_eq!(table.seen(at, 0), Some(json!({})), "at {at}");
        for bytes in frames.iter().filter(|bytes| bytes[1] == 1) {
            table.frame(at, author, author, bytes);
        }
        assert_eq!(table.seen(at, 0), Some(json!({})), "at {at}, and it stays so");
    }
}

/// The ways in which an observer can miss time.
#[derive(Clone, Copy, Debug)]
enum Gap {
    Asleep,
    CutOff,
    Stopped,
}

const GAPS: [Gap; 3] = [Gap::Asleep, Gap::CutOff, Gap::Stopped];

impl Gap {
    /// Two minutes of it at the first seat.
    fn pass(self, table: &mut Table) {
        let end = match self {
            Gap::CutOff => {
                table.input(0, Input::OwnOutage(true));
                table.pass(120_000);
                Input::OwnOutage(false)
            }
            Gap::Asleep => Input::Resumed,
            // Nobody says so: a late timer is all that is seen of it.
            Gap::Stopped => Input::Timeout,
        };
        if !matches!(self, Gap::CutOff) {
            table.now += 120_000;
        }
        table.input(0, end);
    }
}

// F11: A off, B off, A on: whoever was not heard since has to prove life, and is gone in time when nobody comes.
#[test]
fn after_an_own_gap_the_unseen_must_prove_life() {
    for name in GAPS {
        for farewell in [None, Some(DownCause::TimedOut)] {
            let mut table = Table::joined(3);
            // Person 1 ends in the gap; person 2 is still there after it.
            table.lose = |from, to, _| from == 1 || (from, to) == (2, 0) || (from, to) == (0, 2);
            if let Some(cause) = farewell {
                table.close(0, 1, cause);
            }
            table.clear();
            name.pass(&mut table);
            assert!(table.told(0).iter().all(|event| !event.starts_with("left")), "{name:?}: {:?}", table.told(0));
            table.lose = |from, _, _| from == 1;
            table.presence(2, json!({"still": "here"})).unwrap();
            table.pass(10_100);
            assert_eq!(table.rows(0).len(), 2, "{name:?} {farewell:?}: {:?}", table.told(0));
            let left: Vec<_> = table.told(0).into_iter().filter(|event| event.starts_with("left")).collect();
            assert_eq!(left.len(), 1, "{name:?} {farewell:?}: {left:?}");
            assert!(left[0].starts_with("left person 1"), "{name:?} {farewell:?}: {left:?}");
        }
    }
}

// F13: while nothing reaches this observer everybody stays listed, however long it lasts, and the page, the snapshot
// and an event say that the view is old.
#[test]
fn a_view_that_is_not_current_says_so_and_keeps_everybody() {
    let mut table = Table::joined(5);
    table.lose = |_, _, _| true;
    table.clear();
    let complete = |table: &Table| {
        let page = table.seats[0].replica.members(&MembersQuery::default(), table.tick()).unwrap();
        assert_eq!(page.complete, table.seats[0].replica.snapshot().complete);
        page.complete
    };
    assert!(complete(&table));
    table.input(0, Input::OwnOutage(true));
    for peer in 1..5 {
        table.close(0, peer, DownCause::TimedOut);
    }
    assert!(!complete(&table));
    table.pass(20 * 60_000);
    assert_eq!(table.rows(0).len(), 5, "nobody is offline because this one is");
    assert!(table.told(0).iter().all(|event| !event.starts_with("left") && !event.starts_with("joined")));
    table.lose = |_, _, _| false;
    table.input(0, Input::OwnOutage(false));
    for peer in 1..5 {
        table.link(0, peer);
    }
    assert!(complete(&table));
    table.pass(20_000);
    assert!(table.told(0).iter().all(|event| !event.starts_with("left") && !event.starts_with("joined")));
    let said: Vec<_> = table.told(0).into_iter().filter(|event| event.starts_with("complete")).collect();
    assert_eq!(said, ["complete false", "complete true"]);
}

// F18: no sweep of an observer takes or greys what it keeps alive itself: not by silence, sleep, outage, standstill, a
// full room, nor because its own words come back to it.
#[test]
fn an_own_record_outlives_every_sweep() {
    for name in GAPS {
        let mut table = Table::joined(2);
        let own = table.seats[0].session;
        table.lose = |_, _, _| true;
        table.clear();
        name.pass(&mut table);
        table.pass(60_000);
        let told = table.told(0).into_iter().filter(|event| event.contains("person 0")).collect::<Vec<_>>();
        assert!(told.is_empty(), "{name:?}: {told:?}");
        // Its own frames, by way of somebody else.
        let frames: Vec<Vec<u8>> =
            table.log.iter().filter(|(at, ..)| *at == 0).map(|(.., bytes)| bytes.clone()).collect();
        let via = table.seats[1].session;
        for bytes in &frames {
            table.frame(0, own, via, bytes);
        }
        assert!(!table.seats[0].replica.peers.contains_key(&own), "{name:?}");
        assert_eq!(table.rows(0).iter().filter(|row| row.own).count(), 1, "{name:?}");
    }
    let mut table = Table::joined(2);
    let guest = table.seats[1].guest.clone();
    table.clear();
    for desk in 0..MEMBERS_MAX {
        let args = Join::new().member_id(member(&format!("desk {desk}")));
        drop(table.call(1, |replica, _, now| replica.join(&guest, args, Lease::Own, now)));
    }
    assert!(table.count(0, "member_evicted") > 0, "the test lost its point");
    assert!(table.rows(0).iter().any(|row| row.own), "{:?}", table.told(0).last());
    assert!(table.told(0).iter().all(|event| !event.contains("left person 0")));
}
