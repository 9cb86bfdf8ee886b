//! What one frame may make a replica hold: little, whatever it says and whatever it claims (design N10).

use serde_json::{Value, json};

use crate::cell::{Cell, CellKey};
use crate::fixture::{FakeSigner, Table, member, session};
use crate::ids::{Rev, Seq, Tick};
use crate::incoming::take;
use crate::input::{Input, Output, Path, Verdict};
use crate::limits::{FRAME_MAX, OBJECTS_MAX, PAGE_MAX};
use crate::raw::Raw;
use crate::value::Key;
use crate::wire::{Delta, FieldChange, Frame, RecordChange, SyncRequest, SyncWant, Unreadable};
use crate::{ErrorCode, Join, MetadataChange, VERSION};

const ENOUGH: u64 = 1024 * 1024;

/// What is allocated by this, at once and in all.
fn takes(run: impl FnOnce()) -> (u64, u64) {
    let took = allocation_counter::measure(run);
    (took.bytes_max, took.bytes_total)
}

/// As many objects as a value of so many bytes of JSON can have.
fn objects(count: usize) -> Value {
    json!(vec![json!({"x": 0}); count])
}

/// A frame takes memory for what it brings, not for what it says that it will bring.
#[test]
fn a_count_is_not_believed() {
    for kind in 1..=13u8 {
        for before in 0..12usize {
            // A count of 12,000 or 32,000 stands somewhere, and is followed by nearly as many bytes.
            for (count, length) in [([0xe0u8, 0x5d], FRAME_MAX), ([0xe0, 0xfa], PAGE_MAX)] {
                let mut bytes = [&[VERSION, kind][..], &vec![1; before], &count, &[1]].concat();
                bytes.resize(length, 1);
                let (at_once, in_all) = takes(|| take(&bytes, PAGE_MAX).unwrap_or_default());
                assert!(at_once.max(in_all) <= ENOUGH, "kind {kind}, {before}: {at_once} at once, {in_all} in all");
            }
        }
    }
    // The list of the smallest items there is, whole.
    let keys = vec![CellKey::metadata(""); (PAGE_MAX - 8) / 3];
    let bytes = Frame::SyncWant(SyncWant { keys }).encode();
    let (at_once, in_all) = takes(|| take(&bytes, PAGE_MAX).unwrap());
    assert!(at_once.max(in_all) <= ENOUGH, "{at_once} at once, {in_all} in all");
}

/// Whoever sends to one peer alone may send more of cells, and of nothing else.
#[test]
fn only_cells_come_in_pages() {
    let change = |key: usize| FieldChange {
        key: Key(format!("key {key}")),
        age: 0,
        value: Some(Raw::of(&json!("x".repeat(100)))),
        expire: 0,
    };
    let fields = (0..126).map(change).collect();
    let change = RecordChange { incarnation: 1, rev: Rev(9), span: 9, act: 1, fields };
    let bytes = Frame::Delta(Delta { relay: false, seq: Seq(9), changes: vec![change], pulse: None }).encode();
    assert!((FRAME_MAX..PAGE_MAX).contains(&bytes.len()), "{} bytes", bytes.len());
    assert_eq!(take(&bytes, PAGE_MAX), Err(Unreadable::TooLarge));
}

/// Each change is an event with a whole row: a frame that named one record a thousand times would be a thousand rows.
#[test]
fn a_delta_names_a_record_once() {
    let mut table = Table::joined(2);
    let change = |rev: u64| RecordChange {
        incarnation: 1,
        rev: Rev(100 + rev),
        span: 1_000,
        act: 1,
        fields: vec![FieldChange { key: Key("n".into()), age: 0, value: Some(Raw::of(&json!(rev))), expire: 0 }],
    };
    let changes = (0..500).map(change).collect();
    let bytes = Frame::Delta(Delta { relay: false, seq: Seq(900), changes, pulse: None }).encode();
    assert_eq!(table.frame(1, session(1), session(1), &bytes), Verdict::Reject);
    assert_eq!((table.count(1, "delta_out_of_order"), table.told(1).len()), (1, 0));
}

/// One value of a cell is refused before it is built, and building it would take megabytes.
#[test]
fn a_value_is_judged_before_it_is_built() {
    let mut table = Table::joined(2);
    let signer = FakeSigner::of("somebody");
    let root = table.seats[0].replica.root;
    let many = [(objects(5_000), "cell_size"), (objects(600), "cell_objects"), (json!(vec![0; 15_000]), "cell_size")];
    for (value, why) in many {
        let cell = Cell::write(CellKey::metadata("k"), 1 << 40, Some(value), &*signer, &root);
        let bytes = Frame::Cells(vec![cell]).encode();
        assert!(bytes.len() < PAGE_MAX);
        let input = Input::Frame { author: session(2), via: session(2), path: Path::Direct, bytes };
        let now = table.tick();
        let (at_once, in_all) = takes(|| {
            table.seats[0].replica.handle(input, now);
        });
        assert!(at_once.max(in_all) <= ENOUGH / 2, "{why}: {at_once} at once, {in_all} in all");
        assert!(table.count(0, why) > 0, "{why}");
    }
}

/// The same for records: what is within the limits of JSON is within those of memory.
#[test]
fn nobody_is_a_member_of_a_megabyte() {
    let mut table = Table::joined(2);
    let refused = |error: crate::Error| (error.code, error.details.get("limit").cloned());
    let too_many = (ErrorCode::PayloadTooLarge, Some(json!("objects")));
    let most = objects(OBJECTS_MAX);
    assert_eq!(table.presence(0, json!({"a": objects(OBJECTS_MAX + 1)})).map_err(refused), Err(too_many.clone()));
    assert_eq!(
        table.metadata(0, MetadataChange::new(json!({"a": most, "b": objects(1)}))).map(drop).map_err(refused),
        Err(too_many.clone())
    );
    // What is there counts, also on the quick way for small changes.
    table.presence(0, json!({"a": objects(OBJECTS_MAX - 1)})).unwrap();
    assert_eq!(table.presence(0, json!({"b": objects(2)})).map_err(refused), Err(too_many));
    table.presence(0, json!({"b": objects(1)})).unwrap();
    table.pass(3_000);
    assert_eq!(table.seen(1, 0), Some(json!({"a": objects(OBJECTS_MAX - 1), "b": objects(1)})));
    // A frame with more is refused, whether one record has them or all of them together.
    let value = |count| FieldChange { key: Key("c".into()), age: 0, value: Some(Raw::of(&objects(count))), expire: 0 };
    let change = |incarnation, count| {
        let fields = vec![value(count)];
        RecordChange { incarnation, rev: Rev(900), span: 0, act: 1, fields }
    };
    let one = vec![change(1, OBJECTS_MAX + 1)];
    let all = (1..6).map(|incarnation| change(incarnation, OBJECTS_MAX)).collect();
    for changes in [one, all] {
        let bytes = Frame::Delta(Delta { relay: false, seq: Seq(900), changes, pulse: None }).encode();
        assert!(bytes.len() < FRAME_MAX);
        assert_eq!(table.frame(1, session(1), session(1), &bytes), Verdict::Reject);
    }
}

/// Many members that are full of objects are told in as many frames as others will take.
#[test]
fn a_crowd_of_objects_is_told_in_parts() {
    let mut table = Table::joined(2);
    let desk = |number: usize| member(&format!("desk {number}"));
    for number in 0..6 {
        table.join(0, Join::new().member_id(desk(number))).unwrap();
    }
    table.pass(3_000);
    table.clear();
    for number in 0..6 {
        let change = crate::PresenceChange {
            member_id: Some(desk(number)),
            ..crate::PresenceChange::new(json!({"all": objects(OBJECTS_MAX)}))
        };
        table.change(0, change).unwrap();
    }
    table.pass(3_000);
    let told = table.rows(1).iter().filter(|row| row.record.presence.contains_key("all")).count();
    assert_eq!((told, table.count(1, "presence_over_limit")), (6, 0));
}

/// An answer with all cells is made page by page as it is taken, not at once.
#[test]
fn an_answer_is_made_as_it_is_taken() {
    let mut table = Table::joined(1);
    let signer = FakeSigner::of("somebody");
    let root = table.seats[0].replica.root;
    for page in 0..240 {
        let cells = (0..5).map(|at| {
            let key = CellKey::board(&format!("note {page} {at}"), "text");
            Cell::write(key, (1_700_000_000_000 + page) << 16, Some(json!("x".repeat(2_000))), &*signer, &root)
        });
        table.frame(0, session(66), session(66), &Frame::Cells(cells.collect()).encode());
    }
    let now = table.tick();
    // One asks for all that it has nothing of, another for the stamps of all.
    for (hash, to) in [(0, session(7)), (1, session(8))] {
        let bytes = Frame::SyncRequest(SyncRequest { buckets: vec![hash; 256] }).encode();
        let input = Input::Frame { author: to, via: to, path: Path::Direct, bytes };
        let (at_once, in_all) = takes(|| {
            table.seats[0].replica.handle(input, now);
        });
        assert!(at_once.max(in_all) <= ENOUGH / 4, "{at_once} at once, {in_all} in all");
        let mut sent = 0;
        loop {
            let mut output = None;
            let (at_once, in_all) = takes(|| output = table.seats[0].replica.poll_output());
            assert!(at_once.max(in_all) <= ENOUGH / 4, "{at_once} at once, {in_all} in all");
            match output {
                Some(Output::Send { peer, bytes }) if peer == to => sent += bytes.len(),
                Some(_) => {}
                None => break,
            }
        }
        let all = if hash == 0 { 1_200 * 2_000 } else { 1_200 * 50 };
        assert!(sent > all, "{sent} bytes");
    }
}

/// Messages that are new are unpacked one by one.
#[test]
fn messages_are_read_as_they_are_taken() {
    let mut table = Table::joined(1);
    let signer = FakeSigner::of("somebody");
    let root = table.seats[0].replica.root;
    let body = json!({"type": "chat", "data": objects(OBJECTS_MAX - 1), "memberId": "m", "name": "n"});
    let cell = |number: usize| {
        let key = CellKey::message(&signer.public_key(), &format!("{number}"));
        Cell::write(key, 1 << 40, Some(body.clone()), &*signer, &root)
    };
    let bytes = Frame::Cells((0..20).map(cell).collect()).encode();
    assert!(bytes.len() <= PAGE_MAX, "{} bytes", bytes.len());
    let replica = &mut table.seats[0].replica;
    let input = Input::Frame { author: session(2), via: session(2), path: Path::Direct, bytes };
    let mut messages = 0;
    let (at_once, _) = takes(|| {
        replica.handle(input, Tick(5_000));
        while let Some(output) = replica.poll_output() {
            messages += usize::from(matches!(output, Output::Event(crate::Event::Message { .. })));
        }
    });
    assert_eq!(messages, 20);
    assert!(at_once <= ENOUGH / 2, "{at_once} at once");
}
