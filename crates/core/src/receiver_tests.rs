//! What a receiver refuses, and what that leaves untouched (design R2, R3, A8, N9, N10).

use serde_json::json;

use crate::cell::{CellKey, HLC_MAX, Stamp};
use crate::cells::BUCKETS;
use crate::fixture::{Table, seat, session};
use crate::ids::{PublicKey, SessionId};
use crate::input::{Input, Path, Verdict};
use crate::limits::PRESENCE_MAX;
use crate::raw::Raw;
use crate::value::Key;
use crate::wire::{
    Beat, Delta, FieldChange, Frame, Full, Pulse, RecordChange, SyncRequest, SyncStamps, SyncWant, VERSION,
};
use crate::{Join, MetadataChange, Rev, Seq};

const SILENT: SessionId = SessionId([77; 32]);

fn delta(round: u64, fields: Vec<(String, String)>) -> Frame {
    let field = |(key, text): (String, String)| FieldChange {
        key: Key(key),
        age: 0,
        value: Some(Raw::of(&json!(text))),
        expire: 0,
    };
    let fields = fields.into_iter().map(field).collect();
    let change = RecordChange { incarnation: 1, rev: Rev(1_000 + round), span: 2_000, act: 1, fields };
    Frame::Delta(Delta { relay: false, seq: Seq(1_000 + round), changes: vec![change], pulse: None })
}

fn beat(seq: u64, count: u32, cells: u64) -> Frame {
    let pulse = Pulse { count, records: 0, cells, links: 0 };
    Frame::Beat(Beat { relay: false, seq: Seq(seq), rev: Rev(0), pulse })
}

/// A link to somebody who has other cells, so that seat 0 begins an exchange with it.
fn exchange(table: &mut Table) {
    for key in 0..20 {
        table.metadata(0, MetadataChange::new(json!({ format!("k{key}"): key }))).unwrap();
    }
    table.input(0, Input::LinkUp { peer: SILENT, loopback: false });
    table.frame(0, SILENT, SILENT, &beat(1, 0, 1).encode());
    assert_eq!(table.sent(0, 7).len(), 1, "it asks");
    table.clear();
}

fn direct(table: &mut Table, frame: &Frame) {
    let bytes = frame.encode();
    table.input(0, Input::Frame { author: SILENT, via: SILENT, path: Path::Direct, bytes });
}

// A8: a change that arrives is held against the limits like a call.
#[test]
fn a_delta_over_the_limits_is_refused() {
    let mut table = Table::joined(2);
    let long = delta(0, vec![("text".to_owned(), "x".repeat(2_049))]);
    assert_eq!(table.frame(1, session(1), session(1), &long.encode()), Verdict::Reject);
    assert_eq!((table.seen(1, 0), table.count(1, "presence_over_limit")), (Some(json!({})), 1));
}

// N10: large values without end from one author stay bounded at its observers.
#[test]
fn a_flood_of_large_values_is_bounded() {
    let mut table = Table::joined(2);
    for round in 0..40 {
        let fields = (0..5).map(|key| (format!("{round} {key}"), "x".repeat(2_000))).collect();
        table.frame(1, session(1), session(1), &delta(round, fields).encode());
    }
    let fields = &table.seats[1].replica.peers[&session(1)].records.get(1).unwrap().fields;
    let bytes: usize = fields.live().map(|(_, raw)| raw.len()).sum();
    assert!(bytes <= 5 * PRESENCE_MAX, "{bytes}");
}

// R3: a certificate that its identity did not sign is worth nothing, though it names the right session.
#[test]
fn an_unsigned_certificate_is_refused() {
    let mut table = Table::of(2);
    table.join(0, Join::new()).unwrap();
    let Some(Frame::Full(full)) = table.sent(0, 4).pop() else { panic!("no full") };
    for forge in [|full: &mut Full| full.certificate.signature[0] ^= 1, |full: &mut Full| full.certificate.boot += 1] {
        let mut forged = full.clone();
        forge(&mut forged);
        (forged.seq, forged.incarnation) = (Seq(1_000), 40);
        assert_eq!(table.frame(1, session(1), session(1), &Frame::Full(forged).encode()), Verdict::Reject);
    }
    assert_eq!((table.rows(1).len(), table.count(1, "certificate")), (1, 2));
}

// R2: who copies the number of a profile, but not its key, ends nobody.
#[test]
fn the_number_of_a_profile_proves_nothing() {
    let mut table = Table::joined(2);
    let thief = table.add(seat(50, "thief", 2, 9, table.now));
    table.link(0, thief);
    table.join(thief, Join::new()).unwrap();
    assert_eq!(table.rows(0).len(), 3);
    assert!(table.told(0).iter().all(|event| !event.starts_with("left")), "{:?}", table.told(0));
}

// R2: what a retired session said late is not even a sign that somebody looks on.
#[test]
fn a_retired_session_does_not_come_back() {
    let mut table = Table::joined(2);
    let again = table.add(seat(50, "person 1", 2, 2, table.now));
    table.link(0, again);
    table.join(again, Join::new()).unwrap();
    table.frame(0, session(2), session(2), &beat(900, 0, 0).encode());
    table.frame(0, session(2), session(2), &beat(901, 1, 0).encode());
    assert_eq!((table.rows(0).len(), table.seats[0].replica.watching), (2, 0));
    assert_eq!(table.count(0, "frame_of_departed"), 2);
}

// N9 N10: a newer kind or version may go on to those who know it; what is broken may not. Each is counted by its name.
#[test]
fn what_cannot_be_read_is_counted_by_name() {
    let mut table = Table::joined(2);
    let mut judge = |bytes: &[u8], name: &str| {
        let verdict = table.frame(0, session(2), session(2), bytes);
        (verdict, table.count(0, name))
    };
    assert_eq!(judge(&[VERSION, 200, 1], "frame_kind"), (Verdict::Accept, 1));
    assert_eq!(judge(&[VERSION + 1, 1, 1], "frame_version"), (Verdict::Accept, 1));
    assert_eq!(judge(&[VERSION, 1, 255], "frame_unreadable"), (Verdict::Reject, 1));
    assert_eq!(
        judge(&[&[VERSION, 6], vec![1; 13 * 1024].as_slice()].concat(), "frame_too_large"),
        (Verdict::Reject, 1)
    );
}

// N10: no exchange of cells by gossip, where one frame would make everybody answer.
#[test]
fn no_exchange_by_gossip() {
    let mut table = Table::joined(2);
    table.metadata(0, MetadataChange::new(json!({"title": "x"}))).unwrap();
    table.clear();
    let frames = [
        Frame::SyncRequest(SyncRequest { buckets: vec![0; BUCKETS] }),
        Frame::SyncStamps(SyncStamps { buckets: (0..=255).collect(), stamps: Vec::new() }),
        Frame::SyncWant(SyncWant { keys: vec![CellKey::metadata("title")] }),
    ];
    for frame in frames {
        assert_eq!(table.frame(0, session(2), session(2), &frame.encode()), Verdict::Ignore);
    }
    assert!(table.log.is_empty(), "{:?}", table.log);
    assert_eq!(table.count(0, "sync_by_gossip"), 3);
}

// N10: what was asked once is answered once.
#[test]
fn a_bucket_is_answered_once() {
    let mut table = Table::joined(1);
    exchange(&mut table);
    let nothing = Frame::SyncStamps(SyncStamps { buckets: (0..=255).collect(), stamps: Vec::new() });
    direct(&mut table, &nothing);
    assert_eq!(table.sent(0, 6).len(), 1, "all that the other end lacks");
    table.clear();
    direct(&mut table, &nothing);
    assert!(table.sent(0, 6).is_empty());
}

// R10 N10: a stamp that nobody takes is not asked for.
#[test]
fn a_stamp_over_the_cap_is_not_wanted() {
    let mut table = Table::joined(1);
    exchange(&mut table);
    let stamp = |hlc| Stamp { hlc, writer: PublicKey([3; 32]), hash: [4; 16] };
    let stamps = vec![(CellKey::metadata("over"), stamp(HLC_MAX + 1)), (CellKey::metadata("at"), stamp(HLC_MAX))];
    direct(&mut table, &Frame::SyncStamps(SyncStamps { buckets: Vec::new(), stamps }));
    let wanted = Frame::SyncWant(SyncWant { keys: vec![CellKey::metadata("at")] });
    assert_eq!(table.sent(0, 9), [wanted]);
    assert_eq!(table.count(0, "sync_stamp_refused"), 1);
}
