//! Cells: any order of arrival gives the same room (design R10 to R13).

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Cells;
use crate::cell::{Cell, CellKey, CellKind, HLC_MAX};
use crate::fixture::{FakeSigner, FakeVerifier, Table, session};
use crate::ids::PublicKey;
use crate::input::Input;
use crate::limits::{METADATA_CELLS, METADATA_SHOWN};
use crate::metadata::{shown, shown_after};
use crate::proof::Signer;
use crate::wire::Frame;
use crate::{Join, MetadataChange, RoomId};

const ROOT: [u8; 32] = [1; 32];
const ME: PublicKey = PublicKey([9; 32]);

fn cell(field: &str, hlc: u64, value: Option<Value>, writer: &dyn Signer) -> Cell {
    Cell::write(CellKey::metadata(field), hlc, value, writer, &ROOT)
}

fn contents(cells: &Cells) -> Vec<(CellKey, crate::Stamp)> {
    let kinds = [CellKind::Metadata, CellKind::Board, CellKind::Log];
    kinds.into_iter().flat_map(|kind| cells.of(kind)).map(|held| ((*held.cell.key).clone(), held.stamp)).collect()
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
        let room = RoomId::new("room").unwrap();
        let mut seen = shown(&forwards, &room);
        for cell in &cells {
            let mut touched = Vec::new();
            forwards.apply(cell.clone(), &mut touched);
            seen = shown_after(&seen.metadata, &touched, &forwards, &room);
            prop_assert_eq!(&seen, &shown(&forwards, &room));
        }
        let from = if cells.is_empty() { 0 } else { order.index(cells.len()) };
        for cell in cells[from..].iter().rev().chain(&cells).chain(&cells[..from]) {
            otherwise.apply(cell.clone(), &mut Vec::new());
        }
        prop_assert_eq!(contents(&forwards), contents(&otherwise));
        prop_assert_eq!(forwards.hash(), otherwise.hash());
        prop_assert_eq!(forwards.hash_of(CellKind::Metadata), otherwise.hash_of(CellKind::Metadata));
        prop_assert_eq!(forwards.buckets(), otherwise.buckets());
        prop_assert_eq!(seen, shown(&otherwise, &room));
    }
}

/// Applies all of them, and looks every few of them whether what is shown after what was shown before is what is there.
fn applied(all: impl Iterator<Item = Cell>) -> Cells {
    let room = RoomId::new("room").unwrap();
    let mut cells = Cells::default();
    let mut seen = shown(&cells, &room);
    let mut touched = Vec::new();
    for (at, cell) in all.enumerate() {
        cells.apply(cell, &mut touched);
        if at.is_multiple_of(7) {
            seen = shown_after(&seen.metadata, &std::mem::take(&mut touched), &cells, &room);
            assert_eq!(seen, shown(&cells, &room), "after {at}");
        }
    }
    cells
}

// R10, A8: what is shown is built change by change, within every limit of it, and as what was shown before goes.
#[test]
fn what_is_shown_after_a_change_is_what_is_there() {
    let signer = FakeSigner::of("writer");
    let sizes = [1usize, 1900, 40];
    let value = |at: u64, size: usize| (!at.is_multiple_of(5)).then(|| json!("x".repeat(size)));
    for size in sizes {
        let cells =
            applied((0..900).map(|at| cell(&format!("k{}", at * 31 % 400), at * 17 % 701, value(at, size), &*signer)));
        let shown = shown(&cells, &RoomId::new("room").unwrap());
        assert!(shown.metadata.len() > 20, "{}", shown.metadata.len());
    }
    let deep = |at: u64| cell(&format!("k{at}"), at, Some(json!(vec![vec![at; 3]; 100])), &*signer);
    applied((0..200).map(deep));
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
        forwards.apply(cell, &mut Vec::new());
    });
    all.iter().rev().cloned().for_each(|cell| {
        backwards.apply(cell, &mut Vec::new());
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
    cells.apply(cell("bad", far, Some(json!(1)), &*signer), &mut Vec::new());
    assert_eq!(cells.next_hlc(&bad, &ME, 1_000), Some(far + 1));
    assert_eq!(cells.next_hlc(&good, &ME, 1_000), Some(1_000 << 16), "the own clock was not dragged along");
    assert_eq!(cells.next_hlc(&good, &ME, 1_000), Some((1_000 << 16) + 1));
    assert_eq!(cells.next_hlc(&good, &ME, 10), Some((1_000 << 16) + 2), "a wall that steps back is no step back");
    assert_eq!(cells.next_hlc(&good, &ME, u64::MAX), Some(HLC_MAX));
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

// R13, design N10: each cell is judged by itself.
#[test]
fn a_cell_is_refused_for_a_reason() {
    let signer = FakeSigner::of("writer");
    let refusal = |cell: &Cell| cell.refusal(&ROOT, &FakeVerifier);
    let good = cell("title", 7, Some(json!("x")), &*signer);
    assert_eq!(refusal(&good), None);
    assert_eq!(good.refusal(&[2; 32], &FakeVerifier), Some("cell_signature"), "another room");
    assert_eq!(refusal(&Cell { hlc: 8, ..good.clone() }), Some("cell_signature"));
    assert_eq!(refusal(&Cell { value: None, ..good.clone() }), Some("cell_signature"));
    assert_eq!(refusal(&Cell { key: CellKey::metadata("mode").into(), ..good.clone() }), Some("cell_signature"));
    let writer = FakeSigner::of("other").public_key();
    assert_eq!(refusal(&Cell { writer, ..good }), Some("cell_signature"));
    assert_eq!(refusal(&cell("title", HLC_MAX + 1, None, &*signer)), Some("cell_stamp_over_cap"));
    assert_eq!(refusal(&cell("title", HLC_MAX, None, &*signer)), None, "the same cap for all, the cap included");
    assert_eq!(refusal(&cell(&"k".repeat(65), 1, None, &*signer)), Some("cell_key"));
    assert_eq!(refusal(&cell("__proto__", 1, Some(json!(1)), &*signer)), Some("cell_key"));
    assert_eq!(refusal(&cell("a", 1, Some(json!("x".repeat(2049))), &*signer)), Some("cell_value"));
    assert_eq!(refusal(&cell("a", 1, Some(json!(vec!["x".repeat(2000); 5])), &*signer)), Some("cell_size"));
    let mut key = CellKey::metadata("a");
    key.object = "note".to_owned();
    assert_eq!(refusal(&Cell::write(key, 1, None, &*signer, &ROOT)), Some("cell_key"));
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
    assert!(table.told(0).iter().any(|event| event.contains(r#""first""#)), "it went, and somebody said so");
    let shown = &table.seats[0].replica.metadata().metadata;
    assert_eq!(shown.len(), METADATA_SHOWN.0, "a map that somebody filled is not carried about whole");
    assert_eq!(table.seats[0].replica.metadata().metadata["title"], "kept");
}

// R12: whatever makes a cell another one makes the hash another one.
#[test]
fn every_part_of_a_cell_is_in_its_hash() {
    let (one, other) = (FakeSigner::of("one"), FakeSigner::of("other"));
    let write = |key: CellKey, hlc, value, writer: &dyn Signer| Cell::write(key, hlc, value, writer, &ROOT);
    let key = || CellKey::metadata("x");
    let on_board = CellKey { kind: CellKind::Board, ..key() };
    let variants = [
        write(key(), 7, Some(json!(1)), &*one),
        write(key(), 8, Some(json!(1)), &*one),
        write(key(), 7, Some(json!(1)), &*other),
        write(key(), 7, Some(json!(2)), &*one),
        write(key(), 7, None, &*one),
        write(CellKey::metadata("y"), 7, Some(json!(1)), &*one),
        write(on_board, 7, Some(json!(1)), &*one),
    ];
    let hash = |cell: &Cell| {
        let mut cells = Cells::default();
        cells.apply(cell.clone(), &mut Vec::new());
        cells.hash()
    };
    let hashes: std::collections::BTreeSet<u64> = variants.iter().map(hash).collect();
    assert_eq!(hashes.len(), variants.len());
}

/// Whoever floods a locked room pushes out what nobody reads, within bounds, and all that have heard the same are the same.
#[test]
fn a_flood_into_a_lock_stays_within_bounds() {
    let (host, stranger) = (FakeSigner::of("host"), FakeSigner::of("stranger"));
    let empty = || Cells::with_caps(8, 8, 8).of_private(host.public_key());
    let mut all = vec![cell("locked", 100, Some(json!(true)), &*host)];
    all.extend((0..8).map(|number| cell(&format!("read {number}"), 50 + number, Some(json!(1)), &*host)));
    all.extend((0..40).map(|number| cell(&format!("flood {number}"), 200 + number, Some(json!(1)), &*stranger)));
    all.extend((0..8).map(|number| cell(&format!("read {number}"), 300 + number, Some(json!(2)), &*stranger)));
    let given = |mut held: Cells, cells: Vec<Cell>| {
        for cell in cells {
            held.apply(cell, &mut Vec::new());
        }
        held
    };
    let everything = |held: &Cells| -> Vec<Cell> {
        let buckets = (0..=255).collect();
        held.in_buckets(&buckets).map(|held| held.cell.clone()).collect()
    };
    // The one that hears of the lock last drops what the flood pushed out, and gets it back from the other.
    let (one, other) = (given(empty(), all.clone()), given(empty(), all.into_iter().rev().collect()));
    let (of_one, of_other) = (everything(&one), everything(&other));
    let (one, other) = (given(one, of_other), given(other, of_one));
    for held in [&one, &other] {
        assert_eq!(contents(held).len(), 9, "what is read stays");
        assert!(contents(held).iter().all(|(_, stamp)| stamp.writer == host.public_key()));
        assert_eq!(held.count(CellKind::Metadata), 9 + 2, "and two spares, a fourth of what is read");
    }
    assert_eq!((contents(&one), one.hash(), one.buckets()), (contents(&other), other.hash(), other.buckets()));
}

// R11: a write that a full map would push out at once is none; over a register that it holds it is one.
#[test]
fn a_full_map_of_later_stamps_takes_no_write() {
    let signer = FakeSigner::of("from the future");
    let mut cells = Cells::with_caps(1, 2, 1);
    for field in ["a", "b"] {
        let cell = Cell::write(CellKey::board(field, "x"), 900 << 16, Some(json!(1)), &*signer, &ROOT);
        cells.apply(cell, &mut Vec::new());
    }
    assert_eq!(cells.free_hlc(&CellKey::board("c", "x"), &ME, 5), None);
    assert_eq!(cells.free_hlc(&CellKey::board("a", "x"), &ME, 5), Some((900 << 16) + 1));
    assert_eq!(cells.free_hlc(&CellKey::board("c", "x"), &ME, 901), Some(901 << 16));
}
