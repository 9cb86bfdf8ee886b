//! What frames of somebody who means no good, or of too many, may do: nothing to others, and nothing without bound (design
//! R3, R11, N10).

use serde_json::json;

use crate::fixture::{Table, member, seat, session};
use crate::ids::{Rev, Seq, SessionId};
use crate::input::Verdict;
use crate::limits::{DEPARTED_MAX, MEMBERS_MAX};
use crate::raw::Raw;
use crate::value::{Json, Key};
use crate::wire::{Beat, Delta, FieldChange, Frame, Full, Leave, Pulse, RecordChange};
use crate::{Join, Lease};

// R3 F17 P1: nobody can change, remove or expire another's record at a third party.
#[test]
fn a_third_party_changes_nothing_of_others() {
    let mut table = Table::joined(3);
    table.presence(0, json!({"a": 1})).unwrap();
    table.pass(100);
    let own: Vec<Vec<u8>> = table.log.iter().filter(|(at, ..)| *at == 0).map(|(.., bytes)| bytes.clone()).collect();
    table.clear();
    let before = table.rows(1);
    let evil = session(3);
    let frames = [
        Frame::Leave(Leave { seq: Seq(1_000), incarnation: 9, expired: false }).encode(),
        Frame::Beat(Beat {
            relay: false,
            seq: Seq(1_001),
            rev: Rev(1),
            pulse: Pulse { count: 1, records: 1, cells: 0, links: 0 },
        })
        .encode(),
    ];
    for bytes in own.iter().chain(&frames) {
        table.frame(1, evil, evil, bytes);
    }
    let after = table.rows(1);
    let others = |rows: Vec<std::sync::Arc<crate::Member>>| {
        rows.into_iter().filter(|row| row.actor.name != "person 2").collect::<Vec<_>>()
    };
    assert_eq!(others(before), others(after));
    assert_eq!(table.seen(1, 0), Some(json!({"a": 1})));
    // F17: X times Y out; when X leaves, Y stays for the others.
    table.lose = |from, to, _| (from, to) == (1, 2);
    table.pass(11_000);
    assert_eq!(table.rows(2).len(), 2);
    table.leave(2).unwrap();
    table.pass(1_000);
    assert_eq!(table.rows(0).len(), 2);
    assert_eq!(table.rows(1).len(), 2);
}

/// A record that changed its member id or its actor would leave its old row behind for ever.
#[test]
fn a_record_cannot_change_hands() {
    let mut table = Table::joined(2);
    table.join(0, Join::new().member_id(member("desk"))).unwrap();
    let Frame::Full(full) = table.sent(0, 4).pop().unwrap() else { panic!("no full") };
    let renamed = Full { seq: Seq(1_000), member: member("other"), ..(*full).clone() };
    let guest = table.seats[0].guest.claim(session(1));
    let given_away = Full { seq: Seq(1_001), actor: guest, ..*full };
    for full in [renamed, given_away] {
        let verdict = table.frame(1, session(1), session(1), &Frame::Full(Box::new(full)).encode());
        assert_eq!(verdict, Verdict::Reject);
    }
    assert_eq!(table.count(1, "record_changed_hands"), 2);
    table.leave(0).unwrap_err();
    for id in ["desk", table.seats[0].who.actor.user_id.clone().as_str()] {
        let leave = crate::Leave { member_id: Some(member(id)) };
        table.call(0, |replica, who, now| replica.leave(who, leave, now)).unwrap();
    }
    assert_eq!(table.rows(1).len(), 1);
}

// A5 P1: a `u_` id is refused at receivers too, and so is a guest whose key did not agree.
#[test]
fn receivers_refuse_what_is_not_the_authors_to_say() {
    let mut table = Table::joined(2);
    table.join(0, Join::new().member_id(member("desk"))).unwrap();
    let Frame::Full(full) = table.sent(0, 4).pop().unwrap() else { panic!("no full") };
    let theirs = table.seats[1].who.actor.user_id.default_member();
    let guest = table.seats[1].guest.claim(session(2));
    let mut stolen = full.certificate.clone();
    stolen.session = session(2);
    let fresh = |full: Full| Full { seq: Seq(1_000), incarnation: 40, ..full };
    let cases = [
        ("member_id_of_another", fresh(Full { member: theirs, ..(*full).clone() })),
        ("actor", fresh(Full { actor: guest, ..(*full).clone() })),
        ("certificate", fresh(Full { certificate: stolen, ..(*full).clone() })),
        ("metadata_over_limit", fresh(Full { metadata: Json(json!([])), ..(*full).clone() })),
        ("metadata_over_limit", fresh(Full { metadata: Json(json!({"a": "x".repeat(2049)})), ..(*full).clone() })),
    ];
    for (why, full) in cases {
        let before = table.count(1, why);
        let verdict = table.frame(1, session(1), session(1), &Frame::Full(Box::new(full)).encode());
        assert_eq!((verdict, table.count(1, why)), (Verdict::Reject, before + 1), "{why}");
    }
    assert_eq!(table.rows(1).len(), 3);
}

// N10: keys without end from one author stay bounded at its observers.
#[test]
fn a_flood_of_keys_is_bounded() {
    let mut table = Table::joined(2);
    for round in 0..200u64 {
        let fields = (0..100).map(|key| FieldChange {
            key: Key(format!("{round} {key}")),
            age: 0,
            value: Some(Raw::of(&json!("x".repeat(90)))),
            expire: 0,
        });
        let rev = Rev(1_000 + round);
        let change = RecordChange { incarnation: 1, rev, span: 2_000, act: 1, fields: fields.collect() };
        let delta = Delta { relay: false, seq: Seq(1_000 + round), changes: vec![change], pulse: None };
        table.frame(1, session(1), session(1), &Frame::Delta(delta).encode());
        let held = &table.seats[1].replica.peers[&session(1)].records[&1].fields;
        assert!(held.len() <= 256, "{}", held.len());
    }
    assert!(table.count(1, "presence_over_limit") > 100);
}

// S8 N41: sessions without end leave bounded traces.
#[test]
fn a_thousand_sessions_that_come_and_go_are_bounded() {
    let mut table = Table::joined(1);
    for number in 0..3_000u32 {
        let mut id = [9; 32];
        id[..4].copy_from_slice(&number.to_le_bytes());
        let id = SessionId(id);
        let leave = Frame::Leave(Leave { seq: Seq(1), incarnation: number, expired: false }).encode();
        table.frame(0, id, id, &leave);
        let pulse = Pulse { count: 0, records: 0, cells: 0, links: 0 };
        let beat = Frame::Beat(Beat { relay: false, seq: Seq(2), rev: Rev(0), pulse }).encode();
        table.frame(0, id, id, &beat);
    }
    let replica = &table.seats[0].replica;
    assert!(replica.peers.len() <= 2 * MEMBERS_MAX, "{}", replica.peers.len());
    assert!(replica.departed.len() <= DEPARTED_MAX, "{}", replica.departed.len());
    // Of one session that leaves without end, the newest are remembered.
    for incarnation in 0..3_000 {
        let leave = Frame::Leave(Leave { seq: Seq(9), incarnation, expired: false }).encode();
        table.frame(0, session(7), session(7), &leave);
    }
    assert!(table.seats[0].replica.departed.is_buried(&session(7), 2_999));
    assert!(!table.seats[0].replica.departed.is_buried(&session(7), 0));
}

// R11 N61: at the cap the stalest goes; the newcomer is never refused.
#[test]
fn a_full_room_evicts_the_stalest() {
    let mut table = Table::joined(1);
    let guest = table.seats[0].guest.clone();
    for desk in 0..MEMBERS_MAX - 3 {
        let args = Join::new().member_id(member(&format!("desk {desk}")));
        table.call(0, |replica, _, now| replica.join(&guest, args, Lease::Own, now)).unwrap();
    }
    let mut seats = Vec::new();
    for number in 0..4 {
        let at = table.add(seat(60 + number, &format!("late {number}"), 60 + number, 1, table.now));
        table.link(0, at);
        table.join(at, Join::new()).unwrap();
        table.pass(100);
        seats.push(at);
    }
    let told = table.told(0);
    assert!(told.contains(&"joined late 3".to_owned()), "{told:?}");
    assert_eq!(told.iter().filter(|event| event.ends_with("Evicted")).count(), 2, "{told:?}");
    assert_eq!(table.rows(0).len(), MEMBERS_MAX);
}

// R2: at the cap a restart takes the place of its older session, not of somebody else.
#[test]
fn a_restart_in_a_full_room_evicts_nobody() {
    let mut table = Table::joined(2);
    let guest = table.seats[0].guest.clone();
    for desk in 0..MEMBERS_MAX - 2 {
        let args = Join::new().member_id(member(&format!("desk {desk}")));
        table.call(0, |replica, _, now| replica.join(&guest, args, Lease::Own, now)).unwrap();
    }
    let third = table.add(seat(40, "person 9", 40, 1, table.now));
    table.link(0, third);
    table.clear();
    let again = table.add(seat(50, "person 1", 2, 2, table.now));
    table.link(0, again);
    table.join(again, Join::new().presence(json!({"new": 1}))).unwrap();
    assert_eq!(table.told(0), [r#"updated person 1 ["new"]"#]);
}
