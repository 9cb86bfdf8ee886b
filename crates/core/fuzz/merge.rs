//! The same changes in other orders.

use std::collections::BTreeMap;

use bolero::TypeGenerator;
use serde_json::Value;

use super::bounds::handled;
use super::shape::up_to;
use super::sketch::CellSketch;
use super::story::Call;
use crate::cell::{Cell, CellKey, CellKind, Stamp};
use crate::cells::Cells;
use crate::fixture::{Seat, Table, seat, session};
use crate::ids::Tick;
use crate::input::{Input, Path};
use crate::limits::PAGE_MAX;
use crate::raw::Raw;
use crate::view::RowKey;
use crate::wire::Frame;
use crate::{Join, Replica};

/// More cells than these show no more, and take longer.
const CELLS_MAX: usize = 120;

/// What is merged, and in which orders.
#[derive(Clone, Debug, TypeGenerator)]
pub struct Changes {
    /// Room for so many of each kind.
    #[generator(1..12)]
    cap: u8,
    #[generator(up_to(12))]
    cells: Vec<CellSketch>,
    /// What somebody does whose frames are reordered.
    #[generator(up_to(8))]
    calls: Vec<(Call, u8)>,
    /// Where each of the others goes, and what comes twice.
    #[generator(up_to(32))]
    order: Vec<u8>,
}

/// Merges in several orders and compares.
pub fn any_order(changes: &Changes) {
    let root = seat(1, "person 0", 1, 1, 1_000).replica.root;
    let cells: Vec<Cell> = changes.cells.iter().flat_map(|sketch| sketch.cells(&root)).take(CELLS_MAX).collect();
    small_maps(&cells, changes);
    whole_replicas(&cells, changes);
    one_writer(changes);
}

/// The items in another order, some of them twice, none left out.
fn shuffled<T: Clone>(items: &[T], order: &[u8]) -> Vec<T> {
    let mut items = items.to_vec();
    for (at, to) in order.iter().enumerate() {
        let count = items.len().max(1);
        let (a, b) = (at % count, usize::from(*to) * 7 % count);
        if items.len() > a.max(b) {
            items.swap(a, b);
        }
        if let Some(again) = items.get(b).filter(|_| *to % 4 == 0).cloned() {
            items.push(again);
        }
    }
    items
}

type Held = BTreeMap<CellKey, (Stamp, Option<Value>)>;

fn held(cells: &Cells) -> Held {
    let all = [CellKind::Metadata, CellKind::Board, CellKind::Log].into_iter().flat_map(|kind| cells.of(kind));
    let value = |cell: &Cell| cell.value.as_ref().map(Raw::value);
    all.map(|held| ((*held.cell.key).clone(), (held.stamp, value(&held.cell)))).collect()
}

/// Maps that are soon full, of cells that nobody judges.
fn small_maps(cells: &[Cell], changes: &Changes) {
    let cap = usize::from(changes.cap);
    let merged = |cells: Vec<Cell>| {
        let mut map = Cells::with_caps(cap, cap, cap);
        let mut touched = Vec::new();
        for cell in cells {
            map.apply(cell, &mut touched);
        }
        (held(&map), map.hash(), map.buckets())
    };
    let first = merged(cells.to_vec());
    assert_eq!(merged(shuffled(cells, &changes.order)), first, "another order");
    assert_eq!(merged(cells.iter().rev().cloned().collect()), first, "backwards");
    let parted: Vec<Cell> = cells.iter().step_by(2).chain(cells.iter().skip(1).step_by(2)).cloned().collect();
    assert_eq!(merged([parted.clone(), parted].concat()), first, "twice");
    // What stays is the newest of each register, as far as there is room.
    let (map, ..) = first;
    for (kind, outside) in [(CellKind::Metadata, 3), (CellKind::Board, 0), (CellKind::Log, 0)] {
        let of_kind = map.keys().filter(|key| key.kind == kind).count();
        assert!(of_kind <= cap + outside, "{of_kind} of {kind:?}");
    }
    let mut newest: BTreeMap<&CellKey, Stamp> = BTreeMap::new();
    for cell in cells {
        let stamp = cell.stamp();
        newest.entry(&cell.key).and_modify(|held| *held = stamp.max(*held)).or_insert(stamp);
    }
    map.iter().for_each(|(key, (stamp, _))| assert_eq!(newest.get(key), Some(stamp), "{key:?}"));
}

/// Replicas that get them as frames, and judge them.
fn whole_replicas(cells: &[Cell], changes: &Changes) {
    let orders = [cells.to_vec(), shuffled(cells, &changes.order), cells.iter().rev().cloned().collect()];
    let parts = [40, 16, 5];
    let replicas = orders.into_iter().zip(parts).map(|(order, part)| {
        let Seat { mut replica, .. } = seat(1, "person 0", 1, 1, 1_000);
        for frame in order.chunks(part) {
            let bytes = Frame::Cells(frame.to_vec()).encode();
            if bytes.len() > PAGE_MAX {
                continue;
            }
            arrives(&mut replica, bytes);
        }
        replica
    });
    let replicas: Vec<Replica> = replicas.collect();
    // A frame that is too long is refused whole, so that only what fits in every way is the same everywhere.
    if Frame::Cells(cells.to_vec()).encode().len() > PAGE_MAX {
        return;
    }
    let shown = |replica: &Replica| {
        (
            replica.cells.hash(),
            replica.metadata(),
            replica.board(),
            replica.history(&crate::HistoryQuery { limit: Some(1000), cursor: None }).unwrap(),
        )
    };
    let first = shown(&replicas[0]);
    replicas.iter().skip(1).for_each(|replica| assert_eq!(shown(replica), first));
}

fn arrives(replica: &mut Replica, bytes: Vec<u8>) {
    let input = Input::Frame { author: session(2), via: session(2), path: Path::Direct, bytes };
    handled("a frame", replica, input, Tick(1_000), drop);
}

/// One session's frames, in the order it sent them and in others. Once its owner has been asked, its records are the same,
/// whatever was missed before (design R4, R5).
fn one_writer(changes: &Changes) {
    let mut table = Table::of(1);
    table.join(0, Join::new()).unwrap();
    for (call, ms) in &changes.calls {
        let guest = table.seats[0].guest.clone();
        // What is refused sends nothing.
        let _ = table.call(0, |replica, who, now| call.on(replica, who, &guest, now));
        table.pass((*ms).into());
    }
    let sent: Vec<Vec<u8>> = table.log.iter().map(|(.., bytes)| bytes.clone()).collect();
    let now = table.tick();
    let answers = table.seats[0].replica.fulls(&[], now);
    let orders = [Vec::new(), sent.clone(), shuffled(&sent, &changes.order), sent.iter().rev().cloned().collect()];
    let seen: Vec<_> = orders.into_iter().map(|order| seen(&[order, answers.clone()].concat())).collect();
    assert_eq!(seen[1].0, seen[0].0, "what was told in time says no more than the answer");
    assert_eq!(seen[2], seen[1], "another order");
    assert_eq!(seen[3], seen[1], "backwards");
}

/// What an observer makes of frames: each row's presence, metadata and name.
fn seen(frames: &[Vec<u8>]) -> (BTreeMap<RowKey, String>, u64) {
    let Seat { mut replica, .. } = seat(3, "person 2", 3, 1, 1_000);
    for bytes in frames {
        let input = Input::Frame { author: session(1), via: session(1), path: Path::Gossip, bytes: bytes.clone() };
        replica.handle(input, Tick(1_000));
        while replica.poll_output().is_some() {}
    }
    let row = |row: &crate::Member| serde_json::to_string(&(&row.record.presence, &row.record.metadata, &row.actor));
    let rows = replica.snapshot().members.into_iter().map(|member| (member.key(), row(&member).unwrap()));
    (rows.collect(), replica.cells.hash())
}
