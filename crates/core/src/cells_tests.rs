//! Cells: any order of arrival gives the same room (design R10 to R13).

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{BUCKETS, Cells};
use crate::cell::{Cell, CellKey, HLC_MAX};
use crate::fixture::{FakeSigner, FakeVerifier, Table, seat, session};
use crate::input::{DownCause, Input, Path, Verdict};
use crate::limits::METADATA_CELLS;
use crate::proof::Signer;
use crate::wire::{Frame, SyncRequest, SyncStamps, SyncWant};
use crate::{Join, MetadataChange, RoomId};

const ROOT: [u8; 32] = [1; 32];

fn cell(field: &str, hlc: u64, value: Option<Value>, writer: &dyn Signer) -> Cell {
    Cell::write(CellKey::metadata(field), hlc, value, writer, &ROOT)
}

fn contents(cells: &Cells) -> Vec<(CellKey, crate::Stamp)> {
    cells.stamps(&(0..=255).collect::<Vec<u8>>())
}

fn some_cells() -> impl Strategy<Value = Vec<Cell>> {
    let one = (0u8..6, 0u64..4, 0u8..3, prop::option::of(0u8..3));
    prop::collection::vec(one, 0..24).prop_map(|cells| {
        let signer = |writer: u8| FakeSigner::of(&format!("writer {writer}"));
        let make = |(field, hlc, writer, value): (u8, u64, u8, Option<u8>)| {
            cell(&format!("k{field}"), hlc, value.map(|value| json!(value)), &*signer(writer))
        };
        cells.into_iter().map(make).collect()
    })
}

proptest! {
    // R11 F9: any order, any repetition: equal values and equal hashes.
    #[test]
    fn any_order_gives_the_same(cells in some_cells(), order in any::<prop::sample::Index>()) {
        let mut forwards = Cells::default();
        let mut otherwise = Cells::default();
        cells.iter().cloned().for_each(|cell| { forwards.apply(cell); });
        let from = if cells.is_empty() { 0 } else { order.index(cells.len()) };
        for cell in cells[from..].iter().rev().chain(&cells).chain(&cells[..from]) {
            otherwise.apply(cell.clone());
        }
        prop_assert_eq!(contents(&forwards), contents(&otherwise));
        prop_assert_eq!(forwards.hash(), otherwise.hash());
        prop_assert_eq!(forwards.buckets(), otherwise.buckets());
        let room = RoomId::new("room").unwrap();
        prop_assert_eq!(forwards.metadata(&room), otherwise.metadata(&room));
    }
}

// R11: a cap where the first win would keep replicas apart for ever.
#[test]
fn a_full_map_is_the_same_everywhere() {
    let signer = FakeSigner::of("writer");
    let all: Vec<Cell> = (0..METADATA_CELLS as u64 + 200)
        .map(|at| cell(&format!("k{at}"), 1 + at * 7919 % 1501, (at % 3 > 0).then(|| json!(at)), &*signer))
        .chain(["title", "mode", "locked"].map(|always| cell(always, 0, Some(json!(true)), &*signer)))
        .collect();
    let mut forwards = Cells::default();
    let mut backwards = Cells::default();
    all.iter().cloned().for_each(|cell| {
        forwards.apply(cell);
    });
    all.iter().rev().cloned().for_each(|cell| {
        backwards.apply(cell);
    });
    assert_eq!(contents(&forwards), contents(&backwards));
    assert_eq!(forwards.hash(), backwards.hash());
    assert_eq!(contents(&forwards).len(), METADATA_CELLS + 3, "title, mode and locked stand outside the cap");
    let oldest = contents(&forwards).iter().filter(|(key, _)| key.field.starts_with('k')).map(|(_, s)| s.hlc).min();
    assert!(oldest > Some(150), "the oldest went: {oldest:?}");
}

// R10: ahead of own writes, of the wall, of what is replaced; and no foreign clock is caught.
#[test]
fn a_bad_clock_raises_only_what_is_written_over_it() {
    let signer = FakeSigner::of("writer");
    let mut cells = Cells::default();
    let (bad, good) = (CellKey::metadata("bad"), CellKey::metadata("good"));
    let far = 5_000_000u64 << 16;
    cells.apply(cell("bad", far, Some(json!(1)), &*signer));
    assert_eq!(cells.next_hlc(&bad, 1_000), far + 1);
    assert_eq!(cells.next_hlc(&good, 1_000), 1_000 << 16, "the own clock was not dragged along");
    assert_eq!(cells.next_hlc(&good, 1_000), (1_000 << 16) + 1);
    assert_eq!(cells.next_hlc(&good, 10), (1_000 << 16) + 2, "a wall that steps back is no step back");
    assert_eq!(cells.next_hlc(&good, u64::MAX), HLC_MAX);
}

// R10: a new write beats what its author saw, whoever's clock is wrong.
#[test]
fn a_new_write_beats_what_its_author_saw() {
    let mut table = Table::joined(3);
    let day = 24 * 3_600_000;
    for (at, unix_ms) in [1_800_000_000_000 + day, 1_800_000_000_000 - day, 5].into_iter().enumerate() {
        table.input(at, Input::Wall { unix_ms });
    }
    for round in 0..30 {
        let answer = table.metadata(round % 3, MetadataChange::new(json!({ "title": round }))).unwrap();
        assert_eq!(answer.metadata["title"], round);
        for at in 0..3 {
            assert_eq!(table.seats[at].replica.metadata().metadata["title"], round, "at {at}");
        }
    }
}

// R13 N10: each cell is judged by itself.
#[test]
fn a_cell_is_refused_for_a_reason() {
    let signer = FakeSigner::of("writer");
    let refusal = |cell: &Cell| cell.refusal(&ROOT, &FakeVerifier);
    let good = cell("title", 7, Some(json!("x")), &*signer);
    assert_eq!(refusal(&good), None);
    assert_eq!(good.refusal(&[2; 32], &FakeVerifier), Some("cell_signature"), "another room");
    assert_eq!(refusal(&Cell { hlc: 8, ..good.clone() }), Some("cell_signature"));
    assert_eq!(refusal(&Cell { value: None, ..good.clone() }), Some("cell_signature"));
    assert_eq!(refusal(&Cell { key: CellKey::metadata("mode"), ..good.clone() }), Some("cell_signature"));
    let writer = FakeSigner::of("other").public_key();
    assert_eq!(refusal(&Cell { writer, ..good }), Some("cell_signature"));
    assert_eq!(refusal(&cell("title", HLC_MAX + 1, None, &*signer)), Some("cell_stamp_over_cap"));
    assert_eq!(refusal(&cell("title", HLC_MAX, None, &*signer)), None, "the same cap for all, the cap included");
    assert_eq!(refusal(&cell(&"k".repeat(65), 1, None, &*signer)), Some("cell_value"));
    assert_eq!(refusal(&cell("__proto__", 1, Some(json!(1)), &*signer)), Some("cell_value"));
    assert_eq!(refusal(&cell("a", 1, Some(json!("x".repeat(2049))), &*signer)), Some("cell_value"));
    assert_eq!(refusal(&cell("a", 1, Some(json!(vec!["x".repeat(2000); 5])), &*signer)), Some("cell_size"));
    let mut key = CellKey::metadata("a");
    key.object = "note".to_owned();
    assert_eq!(refusal(&Cell::write(key, 1, None, &*signer, &ROOT)), Some("cell_object"));
}

// R12: any member may serve any cell, its writer need not be there.
#[test]
fn a_newcomer_gets_everything_at_once() {
    let mut table = Table::joined(2);
    for key in 0..40 {
        table.metadata(key % 2, MetadataChange::new(json!({ format!("k{key}"): "x".repeat(500) }))).unwrap();
    }
    let unset = vec!["k7".to_owned()];
    table.metadata(0, MetadataChange { unset, ..MetadataChange::default() }).unwrap();
    table.leave(0).unwrap();
    let late = table.add(seat(40, "late", 40, 1, table.now));
    table.clear();
    let before = table.count(1, "syncs");
    table.link(1, late);
    table.pass(10);
    assert_eq!(*table.seats[late].replica.metadata(), *table.seats[1].replica.metadata());
    assert_eq!(table.told(late).iter().filter(|event| event.starts_with("metadata")).count(), 3, "three pages");
    table.pass(10_000);
    let syncs = table.count(late, "syncs") + table.count(1, "syncs") - before;
    assert!((1..=2).contains(&syncs), "one exchange from each end at most, {syncs}");
}

// R12: two sides that both wrote while they were apart have one answer.
#[test]
fn two_sides_become_one() {
    let mut table = Table::joined(2);
    table.lose = |_, _, _| true;
    for round in 0..30 {
        let at = round % 2;
        let change = MetadataChange::new(json!({ "both": round, format!("{at} {round}"): round }));
        table.metadata(at, change).unwrap();
        table.pass(10);
    }
    table.close(0, 1, DownCause::TimedOut);
    table.close(1, 0, DownCause::TimedOut);
    table.lose = |_, _, _| false;
    table.link(0, 1);
    table.pass(10);
    assert_eq!(table.seats[0].replica.metadata(), table.seats[1].replica.metadata());
    assert_eq!(table.seats[0].replica.metadata().metadata.len(), 31);
    assert_eq!(table.seats[0].replica.metadata().metadata["both"], 29, "the last writer");
}

// R12: one write that was lost is repaired within three beats, and one exchange does.
#[test]
fn a_lost_write_is_repaired_within_three_beats() {
    let mut table = Table::joined(4);
    table.lose = |_, _, frame| matches!(frame, Frame::Cells(_));
    table.metadata(0, MetadataChange::new(json!({"title": "x"}))).unwrap();
    table.lose = |_, _, _| false;
    table.clear();
    table.pass(3 * 2_400);
    for at in 1..4 {
        assert_eq!(table.seats[at].replica.metadata().metadata["title"], "x", "at {at}");
    }
    let syncs: u64 = (0..4).map(|at| table.count(at, "syncs")).sum();
    assert!(syncs <= 6, "{syncs} exchanges for one cell");
}

// R12: what no exchange can repair backs off and is counted.
#[test]
fn futile_exchanges_back_off() {
    let mut table = Table::joined(2);
    table.lose = |_, _, frame| matches!(frame, Frame::Cells(_));
    table.metadata(0, MetadataChange::new(json!({"title": "x"}))).unwrap();
    table.pass(300_000);
    let syncs = table.count(1, "syncs");
    assert!((6..=16).contains(&syncs), "{syncs} in 150 beats");
    assert!(table.count(1, "diverged") > 0);
    // Any change resets.
    table.lose = |_, _, _| false;
    table.metadata(0, MetadataChange::new(json!({"mode": "y"}))).unwrap();
    table.pass(7_200);
    assert_eq!(table.seats[1].replica.metadata().metadata.len(), 2);
}

// N10: nobody is made to send all it has by a few bytes, again and again.
#[test]
fn exchanges_are_no_amplifier() {
    let mut table = Table::joined(2);
    for key in 0..20 {
        table.metadata(0, MetadataChange::new(json!({ format!("k{key}"): "x".repeat(1000) }))).unwrap();
    }
    table.pass(5_000);
    table.clear();
    let author = session(2);
    let direct = |table: &mut Table, frame: &Frame| {
        let bytes = frame.encode();
        table.input(0, Input::Frame { author, via: author, path: Path::Direct, bytes })
    };
    let unasked = Frame::SyncStamps(SyncStamps { buckets: (0..=255).collect(), stamps: Vec::new() });
    direct(&mut table, &unasked);
    assert!(table.log.is_empty(), "stamps that nobody asked for");
    let keys = vec![CellKey::metadata("k1"); 100];
    direct(&mut table, &Frame::SyncWant(SyncWant { keys }));
    assert_eq!(table.sent(0, 6).len(), 1, "a key named a hundred times is sent once");
    table.clear();
    for _ in 0..50 {
        direct(&mut table, &Frame::SyncRequest(SyncRequest { buckets: vec![1; BUCKETS] }));
    }
    assert!(table.sent(0, 8).len() <= 32, "{}", table.sent(0, 8).len());
    assert_eq!(table.count(0, "sync_too_often"), 49);
    let short = Frame::SyncRequest(SyncRequest { buckets: vec![1; 7] });
    assert_eq!(direct(&mut table, &short), Verdict::Reject);
    // None of these travels by gossip.
    let bytes = unasked.encode();
    assert_eq!(table.frame(0, author, author, &bytes), Verdict::Ignore);
    assert_eq!(table.count(0, "sync_by_gossip"), 1);
}

/// Keys that somebody chose to fall into one bucket still fit their frames, and still arrive.
#[test]
fn a_bucket_filled_on_purpose_is_exchanged_in_parts() {
    let mut table = Table::joined(1);
    let wanted = CellKey::metadata("seed").bucket();
    let fields: Vec<String> = (0u64..)
        .map(|at| format!("{at:064}"))
        .filter(|field| CellKey::metadata(field).bucket() == wanted)
        .take(400)
        .collect();
    let signer = FakeSigner::of("attacker");
    let root = table.seats[0].replica.root;
    for fields in fields.chunks(50) {
        let cells =
            fields.iter().map(|field| Cell::write(CellKey::metadata(field), 9 << 16, Some(json!(1)), &*signer, &root));
        let bytes = Frame::Cells(cells.collect()).encode();
        table.frame(0, session(66), session(66), &bytes);
    }
    let late = table.add(seat(40, "late", 40, 1, table.now));
    table.link(0, late);
    table.pass(7_200);
    assert_eq!(table.seats[late].replica.metadata().metadata.len(), 400);
    assert!(table.log.iter().all(|(.., bytes)| bytes.len() <= crate::limits::FRAME_MAX));
}

// R3 A6: cells come from anybody, events say what changed, evicted keys included.
#[test]
fn an_event_names_every_key_that_changed() {
    let mut table = Table::of(1);
    table.join(0, Join::new()).unwrap();
    table.metadata(0, MetadataChange::new(json!({"first": 1, "title": "kept"}))).unwrap();
    let signer = FakeSigner::of("busy");
    let root = table.seats[0].replica.root;
    table.clear();
    for page in 0..METADATA_CELLS / 32 {
        let cells = (0..32).map(|at| {
            let field = format!("k{page} {at}");
            Cell::write(CellKey::metadata(&field), HLC_MAX - 1, Some(json!(1)), &*signer, &root)
        });
        table.frame(0, session(66), session(66), &Frame::Cells(cells.collect()).encode());
    }
    let last = table.told(0).pop().unwrap();
    assert!(last.contains(r#""first""#), "{last}");
    assert_eq!(table.seats[0].replica.metadata().metadata["title"], "kept");
}
