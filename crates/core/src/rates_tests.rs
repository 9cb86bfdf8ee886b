//! How often a source speaks, whatever it is asked to (design A7).

use std::collections::BTreeMap;

use serde_json::json;

use crate::fixture::{Table, seat};
use crate::{DownCause, Event, Join, PresenceChange, PresenceMode};

/// Three hundred calls in a second, as a mouse makes them; answers how many frames with presence went out.
fn storm(table: &mut Table, call: impl Fn(u64) -> PresenceChange) -> usize {
    table.clear();
    for turn in 0..300 {
        table.change(0, call(turn)).unwrap();
        // 3, 3, 4 milliseconds: three hundred in a second.
        table.pass(if turn % 3 == 2 { 4 } else { 3 });
    }
    table.sent(0, 1).len() + table.sent(0, 4).len()
}

// S7: three hundred pointer events a second leave as thirty frames, in whatever way they are said, and the last value is
// what everybody has.
#[test]
fn a_storm_of_calls_is_capped_at_its_source() {
    type Say = fn(u64) -> PresenceChange;
    let ways: [(&str, Say); 4] = [
        ("a field", |n| PresenceChange::new(json!({ "n": n }))),
        ("all fields", |n| {
            let mode = PresenceMode::Replace;
            PresenceChange { mode, ..PresenceChange::new(json!({ "n": n, format!("k{}", n % 90): n })) }
        }),
        ("an expiry that is refreshed", |n| {
            let expire = BTreeMap::from([("typing".to_owned(), 6_000)]);
            PresenceChange { expire, ..PresenceChange::new(json!({ "n": n, "typing": true })) }
        }),
        ("a field that comes and goes", |n| {
            let unset = if n % 2 == 0 { vec!["gone".to_owned()] } else { Vec::new() };
            let gone = if n % 2 == 0 { json!({ "n": n }) } else { json!({ "n": n, "gone": 1 }) };
            PresenceChange { unset, ..PresenceChange::new(gone) }
        }),
    ];
    for (what, say) in ways {
        let mut table = Table::joined(2);
        let frames = storm(&mut table, say);
        assert!((25..=31).contains(&frames), "{what}: {frames}");
        table.pass(50);
        assert_eq!(table.seen(1, 0).unwrap()["n"], 299, "{what}");
        assert_eq!(table.seen(1, 0), table.seen(0, 0), "{what}");
    }
}

// A7: whoever was still is heard at once, and the next within a turn.
#[test]
fn the_first_change_goes_out_at_once() {
    let mut table = Table::joined(2);
    table.pass(1_000);
    table.clear();
    table.presence(0, json!({"n": 1})).unwrap();
    assert_eq!(table.sent(0, 1).len(), 1, "no time has passed");
    table.presence(0, json!({"n": 2})).unwrap();
    assert_eq!(table.sent(0, 1).len(), 1, "it waits for its turn");
    table.pass(34);
    assert_eq!(table.sent(0, 1).len(), 2);
    assert_eq!(table.seen(1, 0), Some(json!({"n": 2})));
}

// M13: nobody but this person is here, on two devices, or looks on without joining: that is company, not one alone.
#[test]
fn own_devices_and_onlookers_are_company() {
    for joins in [true, false] {
        let mut table = Table::joined(1);
        assert!(storm(&mut table, |n| PresenceChange::new(json!({ "n": n }))) <= 2, "alone");
        assert_eq!(table.seats[0].replica.snapshot().pace_ms, 34, "windows of this session see each other");
        let other = table.add(seat(40, "person 0", 40, 1, table.now));
        table.link(0, other);
        if joins {
            table.join(other, Join::new()).unwrap();
        }
        table.pass(3_000);
        assert_eq!(table.rows(0).len(), 1, "one person");
        let frames = storm(&mut table, |n| PresenceChange::new(json!({ "n": n })));
        assert!((25..=31).contains(&frames), "joined {joins}: {frames}");
    }
}

// M13 S7: by how many sessions there are, not by how many people: eight devices of one person are a big room.
#[test]
fn a_big_room_is_one_of_many_sessions() {
    let mut table = Table::joined(1);
    for number in 1..=24 {
        let at = table.add(seat(40 + number, "person 0", 40 + number, 1, table.now));
        table.link(0, at);
        table.join(at, Join::new()).unwrap();
    }
    table.pass(3_000);
    assert_eq!(table.rows(0).len(), 1, "one person");
    let frames = storm(&mut table, |n| PresenceChange::new(json!({ "n": n })));
    assert!((8..=11).contains(&frames), "240 a second among 24 others: {frames}");
}

// A7, N10: sessions that somebody made up have no link of their own, and take nobody's turns.
#[test]
fn made_up_people_slow_nobody_down() {
    let mut table = Table::joined(2);
    for number in 0..60 {
        let at = table.add(seat(40 + number, "nobody", 40 + number, 1, table.now));
        table.join(at, Join::new()).unwrap();
        table.link(0, at);
    }
    table.pass(3_000);
    assert_eq!(table.by_session(0).len(), 62);
    let frames = |table: &mut Table, unlinked: std::ops::Range<usize>| {
        unlinked.for_each(|at| table.close(0, at, DownCause::Unsubscribed));
        storm(table, |n| PresenceChange::new(json!({ "n": n })))
    };
    // As many without a link as with one count, and no more.
    let big = frames(&mut table, 22..62);
    assert!((5..=7).contains(&big), "240 a second among 21 and 21 others: {big}");
    let pace = |table: &Table| table.seats[0].replica.snapshot().pace_ms;
    assert_eq!(pace(&table), 175, "42 others");
    let small = frames(&mut table, 2..22);
    assert!((25..=31).contains(&small), "240 a second among 1 and 6 others: {small}");
    let told = |event: &Event| match event {
        Event::Pace { pace_ms } => Some(*pace_ms),
        _ => None,
    };
    let told: Vec<u32> = table.seats[0].events.iter().filter_map(told).collect();
    assert_eq!(told, [34], "said once, when it became another");
    assert_eq!(pace(&table), 34);
    assert_eq!(table.by_session(0).len(), 62, "they are believed to be there");
}
