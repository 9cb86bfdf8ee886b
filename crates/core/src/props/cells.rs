//! Merging cells is commutative, associative and idempotent, for all inputs: every kind, tombstones, full maps, the keys
//! that stand outside the cap, and writers with equal clocks (design R10 to R12).
//!
//! Two sets of cells are merged as replicas merge them: one is given all that the other holds. What came of it is compared
//! by contents and by every hash that goes over the wire, since equal contents with unequal hashes would never be at rest.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::cases;
use crate::cell::{Cell, CellKey, CellKind, Stamp};
use crate::cells::Cells;
use crate::fixture::FakeSigner;

const KINDS: [CellKind; 3] = [CellKind::Metadata, CellKind::Board, CellKind::Log];
/// Cells of each kind that are kept, few enough to be full all the time.
const CAPS: (usize, usize, usize) = (4, 5, 3);

/// Few registers, clocks, writers and values, so that every comparison is decided by each part of a stamp now and then.
fn cell() -> impl Strategy<Value = Cell> {
    let field = prop_oneof![5 => 0usize..8, 2 => 8usize..11];
    (0usize..3, 0usize..3, field, 0u64..4, 0usize..3, prop::option::weighted(0.7, 0u8..3)).prop_map(
        |(kind, object, field, hlc, writer, value)| {
            let signer = FakeSigner::of(["ann", "bob", "cleo"][writer]);
            let field = match field {
                8.. => ["title", "mode", "locked"][field - 8].to_owned(),
                field => format!("field {field}"),
            };
            let key = match KINDS[kind] {
                CellKind::Metadata => CellKey::metadata(&field),
                CellKind::Board => CellKey::board(["one", "two", "three"][object], &field),
                _ => CellKey::message(&signer.public_key(), &field),
            };
            Cell::write(key, hlc, value.map(|value| json!(value)), &*signer, &[0; 32])
        },
    )
}

fn some() -> impl Strategy<Value = Vec<Cell>> {
    vec(cell(), 0..40)
}

fn of(cells: &[Cell]) -> Cells {
    given(Cells::with_caps(CAPS.0, CAPS.1, CAPS.2), cells)
}

fn given(mut held: Cells, cells: &[Cell]) -> Cells {
    for cell in cells {
        held.apply(cell.clone(), &mut Vec::new());
    }
    held
}

fn all(cells: &Cells) -> Vec<Cell> {
    KINDS.into_iter().flat_map(|kind| cells.of(kind)).map(|held| held.cell.clone()).collect()
}

fn merged(one: Cells, other: &Cells) -> Cells {
    given(one, &all(other))
}

/// All that can be told apart of a set of cells.
fn said(cells: &Cells) -> (Vec<(CellKey, Stamp)>, u64, Vec<u32>) {
    let contents = all(cells).iter().map(|cell| ((*cell.key).clone(), cell.stamp())).collect();
    (contents, cells.hash(), cells.buckets())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn merging_is_commutative(a in some(), b in some()) {
        prop_assert_eq!(said(&merged(of(&a), &of(&b))), said(&merged(of(&b), &of(&a))));
    }

    #[test]
    fn merging_is_associative(a in some(), b in some(), c in some()) {
        let left = merged(merged(of(&a), &of(&b)), &of(&c));
        let right = merged(of(&a), &merged(of(&b), &of(&c)));
        prop_assert_eq!(said(&left), said(&right));
    }

    #[test]
    fn merging_is_idempotent(a in some(), b in some()) {
        let once = merged(of(&a), &of(&b));
        let again = merged(merged(of(&a), &of(&b)), &of(&b));
        prop_assert_eq!(said(&once), said(&again));
        prop_assert_eq!(said(&merged(of(&a), &of(&a))), said(&of(&a)));
    }

    /// It is the same as if every cell had come to one place in whatever order: of each register the newest, and of each
    /// kind, tombstones counted, as many of the newest as are kept, and beside them what is always kept.
    #[test]
    fn what_is_kept_is_what_a_sorted_list_would_keep(cells in some(), order in any::<prop::sample::Index>()) {
        let from = if cells.is_empty() { 0 } else { order.index(cells.len()) };
        let turned: Vec<Cell> = cells[from..].iter().rev().chain(&cells[..from]).cloned().collect();
        let held = of(&turned);
        for (kind, cap) in KINDS.into_iter().zip([CAPS.0, CAPS.1, CAPS.2]) {
            let mut plain = std::collections::BTreeMap::<CellKey, Stamp>::new();
            for cell in cells.iter().filter(|cell| cell.key.kind == kind) {
                let newest = plain.entry((*cell.key).clone()).or_insert_with(|| cell.stamp());
                *newest = cell.stamp().max(*newest);
            }
            let always = |key: &CellKey| kind == CellKind::Metadata && ["title", "mode", "locked"].contains(&&*key.field);
            let (mut kept, mut rest): (Vec<_>, Vec<_>) = plain.into_iter().partition(|(key, _)| always(key));
            rest.sort_by_key(|(key, stamp)| std::cmp::Reverse((*stamp, key.clone())));
            kept.extend(rest.into_iter().take(cap));
            kept.sort();
            let held: Vec<(CellKey, Stamp)> = held.of(kind).map(|held| ((*held.cell.key).clone(), held.stamp)).collect();
            prop_assert_eq!(held, kept, "{:?}", kind);
        }
    }

    /// A cell says whether it was kept, and names every register that changed by it, and no other.
    #[test]
    fn what_changed_is_what_is_said_to_have_changed(cells in some(), last in cell()) {
        let mut held = of(&cells);
        let before = said(&held).0;
        let mut touched = Vec::new();
        let kept = held.apply(last.clone(), &mut touched);
        let after = said(&held).0;
        let gone = before.iter().filter(|entry| !after.contains(entry));
        let come = after.iter().filter(|entry| !before.contains(entry));
        let mut changed: Vec<CellKey> = gone.chain(come).map(|(key, _)| key.clone()).collect();
        changed.sort();
        changed.dedup();
        let mut touched: Vec<CellKey> = touched.iter().map(|key| (**key).clone()).collect();
        touched.sort();
        touched.dedup();
        if kept {
            prop_assert_eq!(touched, changed);
        } else {
            prop_assert!(changed.is_empty());
        }
        prop_assert_eq!(kept, after.contains(&((*last.key).clone(), last.stamp())) && !before.contains(&((*last.key).clone(), last.stamp())));
    }
}
