//! What is kept of a room (design R15), against a disk that is a map.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::NOTED_MAX;
use crate::fixture::{Table, seat};
use crate::{BoardChange, Kept, KeptChanges, MetadataChange, NoteChange, Replica};

type Disk = BTreeMap<Vec<u8>, Vec<u8>>;

fn write(disk: &mut Disk, changes: KeptChanges) {
    if changes.whole {
        disk.clear();
    }
    for kept in changes.cells {
        match kept.cell {
            Some(cell) => drop(disk.insert(kept.slot, cell)),
            None => drop(disk.remove(&kept.slot)),
        }
    }
}

/// Everything, in small pieces.
fn drain(replica: &mut Replica, disk: &mut Disk) {
    loop {
        let changes = replica.take_changes(300);
        let more = changes.more;
        write(disk, changes);
        if !more {
            return;
        }
    }
}

/// A replica of nothing but what is on the disk, beside the one that wrote it.
fn restored(table: &mut Table, disk: &Disk) -> usize {
    let at = table.add(seat(90 + table.seats.len() as u8, "later", 90, 1, table.now));
    let cells: Vec<Vec<u8>> = disk.values().cloned().collect();
    table.call(at, |replica, _, now| {
        for page in cells.chunks(7) {
            replica.restore_cells(page, now);
        }
        replica.keep();
    });
    at
}

#[derive(Clone, Debug)]
enum Step {
    Title(u8),
    Unset,
    Note(u8, u8),
    Remove(u8),
    Say(u8),
    Foreign(u8),
    Save,
    /// Taken in two goes, with a change in between, and written as one.
    Together(u8),
    Fail,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        any::<u8>().prop_map(Step::Title),
        Just(Step::Unset),
        (0..4u8, any::<u8>()).prop_map(|(note, text)| Step::Note(note, text)),
        (0..4u8).prop_map(Step::Remove),
        any::<u8>().prop_map(Step::Say),
        any::<u8>().prop_map(Step::Foreign),
        Just(Step::Save),
        any::<u8>().prop_map(Step::Together),
        Just(Step::Fail),
    ]
}

fn note(id: u8, text: u8) -> BoardChange {
    let note = NoteChange { id: format!("n{id}"), text: Some(format!("{text}")), ..NoteChange::default() };
    BoardChange { set: vec![note], remove: Vec::new() }
}

fn removal(id: u8) -> BoardChange {
    BoardChange { set: Vec::new(), remove: vec![format!("n{id}")] }
}

proptest! {
    /// R15: whatever was written and whenever it was saved, what comes back is what was there.
    #[test]
    fn what_is_kept_comes_back(steps in prop::collection::vec(step(), 1..40), private: bool) {
        let mut table = if private { Table::private(2) } else { Table::joined(2) };
        let mut disk = Disk::new();
        table.call(0, |replica, _, _| {
            replica.keep();
            replica.keep_again();
        });
        for step in steps {
            table.now += 3;
            match step {
                Step::Title(n) => drop(table.metadata(0, MetadataChange::new(json!({ "title": n })))),
                Step::Unset => {
                    drop(table.metadata(0, MetadataChange { unset: vec!["title".into()], ..MetadataChange::default() }))
                }
                Step::Note(id, text) => drop(table.board(0, note(id, text))),
                Step::Remove(id) => drop(table.board(0, removal(id))),
                Step::Say(n) => drop(table.say(0, &format!("{n}"), None)),
                Step::Foreign(n) => drop(table.board(1, note(n % 4, n))),
                Step::Save => table.call(0, |replica, _, _| drain(replica, &mut disk)),
                Step::Together(n) => {
                    let first = table.seats[0].replica.take_changes(300);
                    drop(table.board(0, if n % 2 == 0 { note(n % 4, n) } else { removal(n % 4) }));
                    write(&mut disk, first.and(table.seats[0].replica.take_changes(300)));
                }
                // Taken, and lost with a full disk.
                Step::Fail => table.call(0, |replica, _, _| {
                    drop(replica.take_changes(100));
                    replica.keep_again();
                }),
            }
        }
        table.call(0, |replica, _, _| drain(replica, &mut disk));
        let hash = table.seats[0].replica.cells.hash();
        if private {
            // In a private room it is the same room that has to be entered again.
            let replica = &mut table.seats[0].replica;
            prop_assert_eq!(disk.len(), replica.cells.all_slots().len());
        } else {
            let at = restored(&mut table, &disk);
            let later = &table.seats[at].replica;
            prop_assert_eq!(later.cells.hash(), hash);
            prop_assert_eq!(later.board(), table.seats[0].replica.board());
            prop_assert_eq!(later.kept_version(), 0, "what was read from the disk is not to be written again");
        }
    }
}

#[test]
fn nothing_is_noted_until_it_is_asked_for_and_then_only_what_changed() {
    let mut table = Table::joined(1);
    table.metadata(0, MetadataChange::new(json!({"title": "before"}))).unwrap();
    assert_eq!(table.seats[0].replica.take_changes(1 << 20), KeptChanges::default());
    table.seats[0].replica.keep();
    assert_eq!(table.seats[0].replica.holdings().noted, 0);
    table.metadata(0, MetadataChange::new(json!({"title": "after"}))).unwrap();
    let version = table.seats[0].replica.kept_version();
    let changes = table.seats[0].replica.take_changes(1 << 20);
    assert_eq!((changes.cells.len(), changes.whole, changes.more, changes.version), (1, false, false, version));
    table.metadata(0, MetadataChange::new(json!({"title": "after"}))).unwrap();
    assert_eq!(table.seats[0].replica.kept_version(), version, "nothing changed");
    // Presence is no part of it.
    table.presence(0, json!({"cursor": 5})).unwrap();
    assert_eq!(table.seats[0].replica.kept_version(), version);
}

// R15, N10: what is remembered for a slow disk has a bound, and beyond it everything is written anew.
#[test]
fn a_disk_that_does_not_come_along_costs_no_memory() {
    let mut table = Table::joined(1);
    table.seats[0].replica.keep();
    let pages = NOTED_MAX / 400 + 2;
    for page in 0..pages {
        // Two registers each: where it is, and that it is gone.
        let ids = (0..200).map(|at| format!("{page} {at}"));
        let set = ids.clone().map(|id| NoteChange { id, x: Some(1.0), ..NoteChange::default() }).collect();
        table.board(0, BoardChange { set, remove: Vec::new() }).unwrap();
        table.board(0, BoardChange { set: Vec::new(), remove: ids.collect() }).unwrap();
        assert!(table.seats[0].replica.holdings().noted <= NOTED_MAX);
    }
    let earlier = KeptChanges { cells: vec![Kept { slot: vec![1], cell: None }], more: true, ..KeptChanges::default() };
    let changes = earlier.and(table.seats[0].replica.take_changes(1));
    assert!(changes.whole && !changes.more, "all of it is one write");
    assert_eq!(changes.cells.len(), pages * 400);
    assert!(changes.cells.iter().all(|kept| kept.cell.is_some()));
}

// R13: what lies on a disk is checked like what comes from a stranger.
#[test]
fn a_cell_that_was_changed_on_the_disk_is_refused() {
    let mut table = Table::joined(1);
    table.seats[0].replica.keep();
    table.metadata(0, MetadataChange::new(json!({"title": "mine", "mode": "calm"}))).unwrap();
    let mut disk = Disk::new();
    drain(&mut table.seats[0].replica, &mut disk);
    let cell = disk.values_mut().find(|cell| cell.windows(4).any(|bytes| bytes == b"mine")).unwrap();
    let place = cell.windows(4).position(|bytes| bytes == b"mine").unwrap();
    cell[place] = b'n';
    disk.insert(vec![0], vec![1, 2, 3]);
    let at = restored(&mut table, &disk);
    let metadata = table.seats[at].replica.metadata();
    assert_eq!(serde_json::Value::Object(metadata.metadata.clone()), json!({"mode": "calm"}));
    assert_eq!((table.count(at, "cell_signature"), table.count(at, "kept_unreadable")), (1, 1));
}
