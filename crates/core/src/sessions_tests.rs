//! A room with more members than it may have: somebody makes place, and nobody flaps (design R11).

use crate::fixture::{Table, member, seat};
use crate::limits::MEMBERS_MAX;
use crate::{Join, Lease};

/// Seat 0 with so many members of its guest, itself included.
fn crowded(members: usize) -> Table {
    let mut table = Table::joined(1);
    let guest = table.seats[0].guest.clone();
    for desk in 1..members {
        let args = Join::new().member_id(member(&format!("desk {desk}")));
        table.call(0, |replica, _, now| replica.join(&guest, args, Lease::Own, now)).unwrap();
    }
    table.pass(3_000);
    table.clear();
    table
}

fn comes(table: &mut Table, number: u8) -> usize {
    let at = table.add(seat(number, &format!("late {number}"), number, 1, table.now));
    for other in 0..at {
        table.link(other, at);
    }
    table.join(at, Join::new()).unwrap();
    table.pass(100);
    at
}

fn turnover(table: &Table, at: usize) -> usize {
    table.told(at).iter().filter(|event| event.starts_with("joined") || event.starts_with("left")).count()
}

// R11, report N61: what was evicted does not come back with its next heartbeat, over and over.
#[test]
fn a_full_room_does_not_flap() {
    let mut table = crowded(MEMBERS_MAX - 2);
    let late: Vec<usize> = (40..45).map(|number| comes(&mut table, number)).collect();
    table.pass(3_000);
    table.clear();
    table.pass(20_000);
    for at in 0..table.seats.len() {
        assert!(turnover(&table, at) <= 6, "at {at}: {:?}", table.told(at));
        assert_eq!(table.rows(at).len(), MEMBERS_MAX, "at {at}");
        assert!(table.rows(at).iter().any(|row| row.own), "own members stay, at {at}");
    }
    // When somebody leaves there is room again.
    for at in late.into_iter().take(3) {
        table.leave(at).unwrap();
    }
    table.pass(40_000);
    for at in 0..table.seats.len() {
        assert_eq!(table.rows(at).len(), MEMBERS_MAX, "at {at}, of {} that there are", MEMBERS_MAX);
    }
}

// R11: an own member is a newcomer too: it is let in, and the stalest of the others makes place.
#[test]
fn an_own_member_joins_a_full_room() {
    let mut table = crowded(MEMBERS_MAX);
    let late = comes(&mut table, 40);
    assert_eq!(table.rows(late).len(), MEMBERS_MAX);
    assert!(table.rows(late).iter().any(|row| row.own));
    let joined = table.rows(0).iter().any(|row| row.actor.name == "late 40");
    assert!(!joined, "own members fill the room at seat 0, and stay");
}

// A host of many guests loses one member to a newcomer, not all of them.
#[test]
fn one_record_makes_place_for_one() {
    let mut table = crowded(MEMBERS_MAX - 1);
    let watcher = table.add(seat(30, "watcher", 30, 1, table.now));
    table.link(0, watcher);
    table.pass(3_000);
    assert_eq!(table.rows(watcher).len(), MEMBERS_MAX - 1);
    table.clear();
    comes(&mut table, 40);
    comes(&mut table, 41);
    assert_eq!(table.rows(watcher).len(), MEMBERS_MAX);
    let left: Vec<String> = table.told(watcher).into_iter().filter(|event| event.starts_with("left")).collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

// R11: of those who could go, it is the one that was silent for longest.
#[test]
fn the_stalest_goes() {
    let mut table = crowded(MEMBERS_MAX - 3);
    for number in [40, 41, 42] {
        comes(&mut table, number);
    }
    table.lose = |from, _, _| from == 2;
    table.pass(3_000);
    table.clear();
    comes(&mut table, 43);
    let left: Vec<String> = table.told(0).into_iter().filter(|event| event.starts_with("left")).collect();
    assert_eq!(left, ["left late 41 Evicted"]);
}

// R11: who fell silent makes place before anybody who is there, however many members that one has.
#[test]
fn the_silent_go_before_the_many() {
    let mut table = crowded(MEMBERS_MAX - 3);
    for number in [40, 41, 42] {
        comes(&mut table, number);
    }
    table.lose = |from, _, _| from == 2;
    table.pass(6_000);
    table.clear();
    comes(&mut table, 43);
    let left: Vec<String> = table.told(1).into_iter().filter(|event| event.starts_with("left")).collect();
    assert_eq!(left, ["left late 41 Evicted"]);
}
