//! What frames of somebody who means no good, or of too many, may do: nothing to others, and nothing without bound (design
//! R3, R11, N10).

use serde_json::json;

use crate::cell::{Cell, CellKey, CellKind};
use crate::fixture::{FakeSigner, Table, member, seat, session};
use crate::ids::{Rev, Seq, SessionId};
use crate::input::{Input, Path, Verdict};
use crate::limits::{DEPARTED_MAX, MEMBERS_MAX, METADATA_CELLS};
use crate::proof::Certificate;
use crate::raw::Raw;
use crate::value::Key;
use crate::wire::{Ask, Beat, Delta, FieldChange, Frame, Full, Leave, Pulse, RecordChange, SyncRequest};
use crate::{Join, Lease, MetadataChange};

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
    // One of these is the leave of its own member; none of them is anybody else's.
    let leaves = (0..10).map(|incarnation| {
        let seq = Seq(900 + u64::from(incarnation));
        Frame::Leave(Leave { seq, incarnation, expired: incarnation % 2 == 0 }).encode()
    });
    let frames = [Frame::Beat(Beat {
        relay: false,
        seq: Seq(1_001),
        rev: Rev(1),
        pulse: Pulse { count: 1, records: 1, cells: 0, links: 0 },
    })
    .encode()];
    let frames: Vec<Vec<u8>> = own.iter().cloned().chain(frames).chain(leaves).collect();
    for bytes in &frames {
        table.frame(1, evil, evil, bytes);
        // Its own link or somebody else's, it is the author that counts.
        table.frame(1, evil, session(1), bytes);
    }
    let told = table.told(1);
    assert!(told.iter().all(|event| event.contains("person 2")), "{told:?}");
    assert_eq!(told.last().unwrap(), "left person 2 Left");
    let after = table.rows(1);
    let others = |rows: Vec<std::sync::Arc<crate::Member>>| {
        rows.into_iter().filter(|row| row.actor.name != "person 2").collect::<Vec<_>>()
    };
    assert_eq!(others(before), others(after));
    assert_eq!(table.seen(1, 0), Some(json!({"a": 1})));
    // F17: X times Y out; when X leaves, Y stays for the others, without as much as a flicker.
    let mut table = Table::joined(3);
    table.lose = |from, to, _| (from, to) == (1, 2);
    table.pass(11_000);
    assert_eq!(table.rows(2).len(), 2);
    assert_eq!(table.told(2).last().unwrap(), "left person 1 Timeout");
    table.clear();
    table.leave(2).unwrap();
    table.pass(1_000);
    for at in 0..2 {
        assert_eq!(table.told(at), ["left person 2 Left"], "at {at}");
        assert_eq!(table.rows(at).len(), 2, "at {at}");
    }
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
        ("metadata_over_limit", fresh(Full { metadata: Raw::of(&json!([])), ..(*full).clone() })),
        ("metadata_over_limit", fresh(Full { metadata: Raw::of(&json!({"a": "x".repeat(2049)})), ..(*full).clone() })),
    ];
    for (why, full) in cases {
        let before = table.count(1, why);
        let verdict = table.frame(1, session(1), session(1), &Frame::Full(Box::new(full)).encode());
        assert_eq!((verdict, table.count(1, why)), (Verdict::Reject, before + 1), "{why}");
    }
    assert_eq!(table.rows(1).len(), 3);
}

// Design N10: keys without end from one author stay bounded at its observers.
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
        let held = &table.seats[1].replica.peers[&session(1)].records.get(1).unwrap().fields;
        assert!(held.len() <= 256, "{}", held.len());
    }
    assert!(table.count(1, "presence_over_limit") > 100);
}

// S8, report N41: sessions without end leave bounded traces.
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

// R11, report N61: at the cap the stalest goes; the newcomer is never refused.
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

/// An id that somebody made up.
fn invented(number: u32) -> SessionId {
    let mut id = [9; 32];
    id[..4].copy_from_slice(&number.to_le_bytes());
    SessionId(id)
}

// S8: sessions that somebody makes up, each with a good certificate, a record, questions and a leave, live, left or
// expired: what is kept of them is capped, and who was there before is still there.
#[test]
fn invented_sessions_are_capped_whatever_they_leave_behind() {
    let mut table = Table::joined(2);
    table.join(0, Join::new().member_id(member("desk"))).unwrap();
    let Frame::Full(full) = table.sent(0, 4).pop().unwrap() else { panic!("no full") };
    let signer = FakeSigner::of("somebody who makes up sessions");
    for number in 0..1_200u32 {
        let id = invented(number);
        let certificate = Certificate::issue(&*signer, id, [7; 16], 1, "nobody");
        let member = member(&format!("nobody {number}"));
        let record = Full { seq: Seq(1), certificate, member, incarnation: number, ..(*full).clone() };
        let frames = [
            (Path::Gossip, Frame::Full(Box::new(Full { roster: vec![number], ..record }))),
            (Path::Gossip, Frame::Ask(Ask { of: session(2), nonce: u64::from(number) })),
            (Path::Direct, Frame::SyncRequest(SyncRequest { buckets: vec![0; 256] })),
            (Path::Gossip, Frame::Leave(Leave { seq: Seq(2), incarnation: number, expired: number % 2 == 0 })),
        ];
        // Every third one leaves; the others stay, and must make place or run out.
        for (path, frame) in frames.iter().take(if number % 3 == 0 { 4 } else { 3 }) {
            table.input(1, Input::Frame { author: id, via: id, path: *path, bytes: frame.encode() });
        }
        if number % 100 == 0 {
            table.pass(700);
        }
        let replica = &table.seats[1].replica;
        let records: usize = replica.peers.values().map(|peer| peer.records.len()).sum();
        assert!(records < MEMBERS_MAX + 1, "{records} records");
        assert!(replica.peers.len() <= 2 * MEMBERS_MAX, "{} sessions", replica.peers.len());
        assert!(replica.departed.len() <= DEPARTED_MAX, "{} departed", replica.departed.len());
        assert!(replica.rows.len() <= MEMBERS_MAX, "{} rows", replica.rows.len());
    }
    assert!(table.count(1, "member_evicted") > 0, "the test lost its point");
    table.pass(30_000);
    let mut names: Vec<String> = table.rows(1).iter().map(|row| row.actor.name.clone()).collect();
    names.sort();
    assert_eq!(names, ["person 0", "person 0", "person 1"]);
}

// S8: deleted keys that nobody ever set count like all others, so that no stream of them grows a replica; what is kept
// is the same at every replica, and the room can still be named and written.
#[test]
fn tombstones_of_nothing_are_capped() {
    let mut table = Table::joined(2);
    table.metadata(0, MetadataChange::new(json!({"title": "Bridge", "note": "early"}))).unwrap();
    let signer = FakeSigner::of("somebody who deletes");
    let root = table.seats[0].replica.root;
    for page in 0..METADATA_CELLS * 5 / 4 / 64 {
        let cells = (0..64).map(|at| {
            // Older than what a right clock writes now, and of all ages.
            let hlc = (1_700_000_000_000 + (page * 7919 + at * 104_729) as u64 % 99_991) << 16;
            Cell::write(CellKey::metadata(&format!("{page} {at}")), hlc, None, &*signer, &root)
        });
        let bytes = Frame::Cells(cells.collect()).encode();
        for at in 0..2 {
            table.frame(at, session(66), session(66), &bytes);
        }
        let held = table.seats[0].replica.cells.of(CellKind::Metadata).count();
        assert!(held <= METADATA_CELLS + 3, "{held}");
    }
    assert_eq!(table.seats[0].replica.cells.hash(), table.seats[1].replica.cells.hash());
    table.metadata(1, MetadataChange::new(json!({"mode": "calm", "late": "too"}))).unwrap();
    for at in 0..2 {
        let metadata = serde_json::Value::Object(table.seats[at].replica.metadata().metadata.clone());
        assert_eq!(metadata, json!({"title": "Bridge", "mode": "calm", "note": "early", "late": "too"}), "at {at}");
    }
}

// R11: people who are made up push out nobody who is linked, also when they were heard later.
#[test]
fn people_by_hearsay_push_out_nobody_who_is_there() {
    let mut table = Table::joined(3);
    table.join(0, Join::new().member_id(member("desk"))).unwrap();
    let Frame::Full(full) = table.sent(0, 4).pop().unwrap() else { panic!("no full") };
    let signer = FakeSigner::of("somebody who makes up people");
    table.clear();
    for number in 0..600u32 {
        let id = invented(number);
        let certificate = Certificate::issue(&*signer, id, [7; 16], 1, "nobody");
        let member = member(&format!("nobody {number}"));
        let mut record = Full { seq: Seq(1), certificate, member, incarnation: 1, roster: vec![1], ..(*full).clone() };
        record.actor.name = "nobody".into();
        table.now += 1;
        table.frame(1, id, id, &Frame::Full(Box::new(record)).encode());
    }
    let left: Vec<String> = table.told(1).into_iter().filter(|event| event.starts_with("left person")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(table.count(1, "member_evicted") > 300, "the test lost its point");
}

// S8: one session that joins without end, whole record after whole record, has as many as a room holds.
#[test]
fn records_without_end_of_one_session_are_capped() {
    let mut table = Table::joined(3);
    table.join(0, Join::new().member_id(member("desk"))).unwrap();
    let Frame::Full(full) = table.sent(0, 4).pop().unwrap() else { panic!("no full") };
    for incarnation in 10..700u32 {
        let roster = (10..=incarnation).rev().take(300).collect();
        let seq = Seq(1_000 + u64::from(incarnation));
        let member = member(&format!("desk {incarnation}"));
        let next = Full { seq, member, incarnation, roster, ..(*full).clone() };
        table.frame(1, session(1), session(1), &Frame::Full(Box::new(next)).encode());
    }
    let replica = &table.seats[1].replica;
    assert!(replica.peers[&session(1)].records.len() < MEMBERS_MAX);
    assert!(replica.rows.len() <= MEMBERS_MAX, "{}", replica.rows.len());
    assert!(table.rows(1).iter().any(|row| row.own), "the observer's own is not theirs to crowd out");
    assert!(table.rows(1).iter().any(|row| row.actor.name == "person 2"), "nor anybody else's");
}

// R14: a session that was silent for too long comes back and says of the same incarnation that it is another member. The row
// that it was part of, and that somebody else kept meanwhile, ends with that somebody.
#[test]
fn a_record_that_comes_back_as_another_keeps_no_row() {
    let mut table = Table::joined(2);
    // Two devices of one person, of which the second falls silent.
    let again = table.add(seat(3, "person 0", 3, 1, table.now));
    table.link(1, again);
    table.join(again, Join::new()).unwrap();
    let full = table.sent(again, 4).pop().unwrap();
    table.lose = |from, _, _| from == 2;
    table.pass(11_000);
    assert_eq!(table.rows(1).len(), 2, "the first device is there");
    let Frame::Full(mut full) = full else { panic!("{full:?}") };
    full.seq = Seq(10_000);
    full.member = member("another");
    table.frame(1, session(3), session(3), &Frame::Full(full).encode());
    let ids = |table: &Table| table.rows(1).iter().map(|row| row.record.member_id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&table).len(), 3);
    table.clear();
    table.leave(0).unwrap();
    assert!(table.told(1).contains(&"left person 0 Left".to_owned()), "{:?}", table.told(1));
    let user = table.seats[0].who.actor.user_id.to_string();
    assert!(!ids(&table).contains(&user) && ids(&table).contains(&"another".to_owned()), "{:?}", ids(&table));
}
