//! Two sides that were apart become one, whatever each of them had, and frames mean the same in whatever order they come
//! (design R4, R5, R8, R11, R12).

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cell::{Cell, CellKey, CellKind, Stamp};
use crate::fixture::{Table, member, session};
use crate::input::{DownCause, Input};
use crate::limits::{METADATA_CELLS, PAGE_MAX};
use crate::raw::Raw;
use crate::view::RowKey;
use crate::wire::Frame;
use crate::{BoardChange, Join, Leave, MetadataChange, NoteChange};

/// The most that the three of these tests have: 256 members in a room, two of them of the one who looks on.
const DESKS: u16 = 125;

/// What one side does while it is apart: desks that are joined, and some of them left again.
#[derive(Clone, Debug)]
struct Side {
    joined: BTreeSet<u16>,
    left: BTreeSet<u16>,
}

fn side() -> impl Strategy<Value = Side> {
    // Sets below, at and above fifty entries, which is where others went wrong.
    let sizes = prop_oneof![0usize..4, 49usize..54, 100usize..=usize::from(DESKS)];
    let some = |size| prop::sample::subsequence((0..2 * DESKS).collect::<Vec<_>>(), size);
    (sizes.prop_flat_map(some), some(40))
        .prop_map(|(joined, left)| Side { joined: joined.into_iter().collect(), left: left.into_iter().collect() })
}

/// Joins and leaves at a seat; answers the rows that it then has.
fn fill(table: &mut Table, at: usize, side: &Side) -> BTreeSet<RowKey> {
    let desk = |number: u16| member(&format!("desk {number:03}"));
    for number in &side.joined {
        let args = Join::new().member_id(desk(*number)).presence(json!({"by": at, "n": number}));
        table.join(at, args).unwrap();
    }
    for number in side.left.intersection(&side.joined) {
        let leave = Leave { member_id: Some(desk(*number)) };
        table.call(at, |replica, who, now| replica.leave(who, leave, now)).unwrap();
    }
    let user = table.seats[at].who.actor.user_id.clone();
    side.joined.difference(&side.left).map(|number| (desk(*number), user.clone())).collect()
}

fn keys(table: &Table, at: usize) -> BTreeSet<RowKey> {
    table.rows(at).iter().map(|row| row.key()).collect()
}

/// Every seat has these rows, each with the presence that its owner gave it, and in conflict where both sides have the id.
fn all_have(table: &Table, expected: &BTreeSet<RowKey>) {
    for at in 0..table.seats.len() {
        assert_eq!(&keys(table, at), expected, "at {at}");
        for row in table.rows(at) {
            let owner = usize::from(row.actor.user_id != table.seats[0].who.actor.user_id);
            assert_eq!(row.record.presence["by"], owner, "at {at}: {row:?}");
            let claimed = expected.iter().filter(|(id, _)| *id == row.record.member_id).count();
            assert_eq!(row.conflict, claimed > 1, "at {at}: {row:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    // F9: two sides with any two sets of members become their union at once, for them and for somebody who looks on.
    #[test]
    fn any_two_sets_of_members_become_their_union(sides in [side(), side()], lossy in any::<bool>()) {
        let mut table = Table::of(3);
        table.lose = |from, to, _| from + to == 1;
        let mut expected = BTreeSet::new();
        for (at, side) in sides.iter().enumerate() {
            expected.extend(fill(&mut table, at, side));
        }
        for (at, peer) in [(0, 1), (1, 0)] {
            table.close(at, peer, DownCause::TimedOut);
        }
        table.pass(11_000);
        prop_assert_eq!(&keys(&table, 2), &expected, "who was linked with both has all");
        if lossy {
            // Every seventh whole record is lost on the way; heartbeats tell, and owners repair.
            table.lose = |_, _, frame| match frame {
                Frame::Full(full) => full.incarnation % 7 == 3 && full.echo.is_empty(),
                _ => false,
            };
            table.link(0, 1);
            table.pass(5_000);
        } else {
            table.lose = |_, _, _| false;
            table.link(0, 1);
        }
        all_have(&table, &expected);
        // And it stays so, with nothing left to repair.
        let asks = |table: &Table| (0..3).map(|at| table.count(at, "asks")).sum::<u64>();
        let asked = asks(&table);
        table.pass(10_000);
        all_have(&table, &expected);
        prop_assert_eq!(asks(&table), asked);
    }
}

/// One write to a room: a key or a note that is set or goes, or a message.
#[derive(Clone, Copy, Debug)]
enum Write {
    Set(u16),
    Unset(u16),
    Note(u16),
    Remove(u16),
    Say,
}

/// What one side writes while it is apart.
fn writes() -> impl Strategy<Value = Vec<Write>> {
    let sizes = prop_oneof![0usize..4, 49usize..54, 100usize..160];
    let one = prop_oneof![
        4 => (0u16..220).prop_map(Write::Set),
        1 => (0u16..220).prop_map(Write::Unset),
        2 => (0u16..60).prop_map(Write::Note),
        1 => (0u16..60).prop_map(Write::Remove),
        1 => Just(Write::Say),
    ];
    sizes.prop_flat_map(move |size| prop::collection::vec(one.clone(), size))
}

fn write(table: &mut Table, at: usize, writes: &[Write]) {
    for (turn, write) in writes.iter().enumerate() {
        let said = format!("{at} {turn}");
        // Over 128 live keys the writer is told; that is a limit of its API and no part of this.
        match write {
            Write::Set(key) => drop(table.metadata(at, MetadataChange::new(json!({ format!("k{key:03}"): said })))),
            Write::Unset(key) => {
                let unset = vec![format!("k{key:03}")];
                drop(table.metadata(at, MetadataChange { unset, ..MetadataChange::default() }));
            }
            Write::Note(id) => {
                let id = format!("note {id}");
                let note = NoteChange { id, x: Some(turn as f64), text: Some(said), ..NoteChange::default() };
                table.board(at, BoardChange { set: vec![note], remove: Vec::new() }).unwrap();
            }
            Write::Remove(id) => {
                table.board(at, BoardChange { set: Vec::new(), remove: vec![format!("note {id}")] }).unwrap();
            }
            Write::Say => drop(table.say(at, &said, None).unwrap()),
        }
    }
}

/// The newest of all cells that anybody ever published, register by register: what everybody must have in the end.
fn newest(table: &Table) -> BTreeMap<CellKey, (Stamp, Option<Value>)> {
    let mut newest: BTreeMap<CellKey, (Stamp, Option<Value>)> = BTreeMap::new();
    for (.., bytes) in table.log.iter().filter(|(.., bytes)| bytes[1] == 6) {
        let Ok(Frame::Cells(cells)) = Frame::decode(bytes, PAGE_MAX) else { panic!("no cells") };
        for cell in cells {
            let fresh = (cell.stamp(), cell.value.as_ref().map(Raw::value));
            let held = newest.entry((*cell.key).clone()).or_insert_with(|| fresh.clone());
            if fresh.0 > held.0 {
                *held = fresh;
            }
        }
    }
    newest
}

/// All cells of a seat, as [`newest`] has them.
fn held(table: &Table, at: usize) -> BTreeMap<CellKey, (Stamp, Option<Value>)> {
    let kinds = [CellKind::Metadata, CellKind::Board, CellKind::Log];
    let cells = kinds.into_iter().flat_map(|kind| table.seats[at].replica.cells.of(kind));
    let value = |cell: &Cell| cell.value.as_ref().map(Raw::value);
    cells.map(|held| ((*held.cell.key).clone(), (held.stamp, value(&held.cell)))).collect()
}

fn live(cells: &BTreeMap<CellKey, (Stamp, Option<Value>)>) -> Value {
    let live = cells.iter().filter_map(|(key, (_, value))| Some((key.field.clone(), value.clone()?)));
    Value::Object(live.collect())
}

fn metadata(table: &Table, at: usize) -> Value {
    Value::Object(table.seats[at].replica.metadata().metadata.clone())
}

fn apart(table: &mut Table) {
    table.close(0, 1, DownCause::TimedOut);
    table.close(1, 0, DownCause::TimedOut);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    // F9: the same for cells of all kinds, settings, notes and messages, tombstones included, with clocks that are a day
    // off.
    #[test]
    fn any_two_sets_of_cells_become_the_newest_of_both(
        before in writes(),
        sides in [writes(), writes()],
        skews in [-86_400_000i64..86_400_000, -86_400_000i64..86_400_000],
    ) {
        let mut table = Table::joined(2);
        for (at, skew) in skews.into_iter().enumerate() {
            let unix_ms = 1_800_000_000_000u64.saturating_add_signed(skew);
            table.input(at, Input::Wall { unix_ms });
        }
        write(&mut table, 0, &before);
        apart(&mut table);
        for (at, side) in sides.iter().enumerate() {
            write(&mut table, at, side);
        }
        let expected = newest(&table);
        table.link(0, 1);
        table.pass(10);
        for at in 0..2 {
            prop_assert_eq!(&held(&table, at), &expected, "at {}", at);
        }
        let (one, other) = (&table.seats[0].replica, &table.seats[1].replica);
        let all = crate::HistoryQuery { limit: Some(1000), cursor: None };
        prop_assert_eq!(one.metadata(), other.metadata());
        prop_assert_eq!(one.board(), other.board());
        prop_assert_eq!(one.history(&all).unwrap(), other.history(&all).unwrap());
        // Deleted keys are among what was exchanged: nothing is left to say.
        let syncs = |table: &Table| table.count(0, "syncs") + table.count(1, "syncs");
        table.pass(5_000);
        let after = syncs(&table);
        table.pass(20_000);
        prop_assert_eq!(syncs(&table), after);
        prop_assert_eq!(table.count(0, "diverged") + table.count(1, "diverged"), 0);
    }
}

// F9 S8: two sides that each filled the map with keys of their own, most of them deleted again, keep the same ones. A map
// where the first win, or that counts only the live, would be apart for ever or without bound.
#[test]
fn two_full_sides_keep_the_same_cells() {
    let mut table = Table::joined(2);
    apart(&mut table);
    for at in 0..2 {
        for turn in 0..METADATA_CELLS * 5 / 8 {
            let key = format!("{at} {turn:04}");
            table.metadata(at, MetadataChange::new(json!({ key.clone(): turn }))).unwrap();
            if turn % 16 > 0 {
                table.metadata(at, MetadataChange { unset: vec![key], ..MetadataChange::default() }).unwrap();
            }
        }
    }
    let mut expected: Vec<_> = newest(&table).into_iter().collect();
    expected.sort_by(|(_, (a, _)), (_, (b, _))| b.cmp(a));
    let expected = expected.into_iter().take(METADATA_CELLS).collect();
    table.link(0, 1);
    table.pass(20_000);
    for at in 0..2 {
        assert_eq!(metadata(&table, at), live(&expected), "at {at}");
        assert_eq!(table.count(at, "diverged"), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // F8: the frames of a session mean the same in every order and however often they come: a leave that overtakes what it
    // ends, a whole record that comes after the change to it.
    #[test]
    fn the_order_of_arrival_decides_nothing(
        order in prop::collection::vec(any::<prop::sample::Index>(), 60),
        back in any::<bool>(),
    ) {
        let mut table = Table::of(2);
        table.lose = |_, _, _| true;
        for turn in 0..2 {
            table.join(0, Join::new().presence(json!({"turn": turn, "n": 0}))).unwrap();
            for n in 1..4 {
                table.presence(0, json!({ "n": n, format!("k{n}"): turn })).unwrap();
                table.pass(40);
            }
            table.leave(0).unwrap();
            table.pass(500);
        }
        if back {
            table.join(0, Join::new().presence(json!({"turn": 2}))).unwrap();
        }
        let own = table.log.iter().filter(|(at, ..)| *at == 0);
        let frames: Vec<Vec<u8>> = own.map(|(.., bytes)| bytes.clone()).collect();
        let shuffled: Vec<usize> = order.iter().map(|index| index.index(frames.len())).collect();
        table.clear();
        // In this order some come twice and some not at all; then all of them once more, from the last to the first.
        for at in shuffled.into_iter().chain((0..frames.len()).rev()) {
            table.frame(1, session(1), session(1), &frames[at]);
        }
        let expected = back.then(|| json!({"turn": 2}));
        prop_assert_eq!(table.seen(1, 0), expected);
        let told = table.told(1);
        let count = |word: &str| told.iter().filter(|event| event.starts_with(word)).count();
        prop_assert_eq!(count("joined") - count("left"), usize::from(back), "{:?}", told);
    }
}
