//! Who may write what in a private room is the same verdict in any order of arrival: hosts, locks, voids and keys come and
//! go among cells of everybody, forged ones included (design N8).

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::cases;
use crate::cell::{Cell, CellKey, CellKind, Stamp};
use crate::cells::Cells;
use crate::fixture::FakeSigner;
use crate::rule::{HOST, Rule, VOID};

const PEOPLE: [&str; 4] = ["creator", "ann", "bob", "cleo"];

fn cell() -> impl Strategy<Value = Cell> {
    (0usize..7, 0usize..4, 0usize..4, 0u64..12, prop::option::weighted(0.85, any::<bool>())).prop_map(
        |(what, about, writer, hlc, value)| {
            let signer = FakeSigner::of(PEOPLE[writer]);
            let about_whom = FakeSigner::of(PEOPLE[about]).public_key();
            let key = match what {
                0 => CellKey::access(HOST, &about_whom),
                1 => CellKey::access(VOID, &about_whom),
                2 => CellKey::metadata("locked"),
                3 => CellKey { kind: CellKind::Key, object: format!("epoch {}", 1 + about), field: "key".to_owned() },
                4 => CellKey::metadata(["title", "mode"][about % 2]),
                5 => CellKey::roster(&signer.public_key()),
                _ => CellKey::board(["one", "two"][about % 2], "x"),
            };
            Cell::write(key, hlc, value.map(|value| json!(value)), &*signer, &[0; 32])
        },
    )
}

fn empty() -> Cells {
    Cells::default().of_private(FakeSigner::of(PEOPLE[0]).public_key())
}

fn given(mut held: Cells, cells: impl IntoIterator<Item = Cell>) -> Cells {
    for cell in cells {
        if held.refusal(&cell).is_none() {
            held.apply(cell, &mut Vec::new());
        }
    }
    held
}

const KINDS: [CellKind; 5] = [CellKind::Metadata, CellKind::Board, CellKind::Roster, CellKind::Access, CellKind::Key];

fn reads(cells: &Cells) -> Vec<(CellKey, Stamp)> {
    KINDS.iter().flat_map(|kind| cells.of(*kind)).map(|held| ((**held.key()).clone(), held.stamp)).collect()
}

/// All that can be told apart: what is read, the hashes, the verdict.
type Said = (Vec<(CellKey, Stamp)>, u64, Vec<u32>, Option<Rule>);

fn said(cells: &Cells) -> Said {
    (reads(cells), cells.hash(), cells.buckets(), cells.rule().cloned())
}

fn everything(cells: &Cells) -> Vec<Cell> {
    let buckets = (0..=255).collect();
    cells.in_buckets(&buckets).map(|held| held.cell.clone()).collect()
}

/// The verdict as the rules say it, with all cells at hand.
fn plainly(cells: &[Cell]) -> (Vec<(CellKey, Stamp)>, Rule) {
    let creator = FakeSigner::of(PEOPLE[0]).public_key();
    let mut rule = Rule::new(creator);
    let cells: Vec<&Cell> = cells.iter().filter(|cell| rule.refusal(cell).is_none()).collect();
    // Of each writer in each register the newest alone.
    let newest = |key: &CellKey| {
        let of_key = cells.iter().filter(|cell| *cell.key == *key);
        let last = |cell: &&&Cell| {
            cells.iter().all(|other| *other.key != *key || other.writer != cell.writer || other.stamp() <= cell.stamp())
        };
        of_key.filter(last).copied().collect::<Vec<&Cell>>()
    };
    let best = |rule: &Rule, key: &CellKey| {
        newest(key)
            .into_iter()
            .filter_map(|cell| Some((rule.rank(cell, cell.stamp())?, cell)))
            .max_by_key(|(rank, _)| *rank)
    };
    let yes = |rule: &Rule, key: &CellKey| {
        best(rule, key).is_some_and(|(_, cell)| cell.value.as_ref().is_some_and(crate::raw::Raw::is_true))
    };
    let people = PEOPLE.map(|name| FakeSigner::of(name).public_key());
    for person in people {
        if yes(&rule, &CellKey::access(HOST, &person)) {
            rule.hosts.insert(person);
        }
    }
    rule.voided = people.into_iter().filter(|person| yes(&rule, &CellKey::access(VOID, person))).collect();
    let lock = CellKey::metadata("locked");
    rule.locked = yes(&rule, &lock).then(|| best(&rule, &lock)).flatten().map(|(_, cell)| cell.hlc);
    let mut keys: Vec<&Arc<CellKey>> = cells.iter().map(|cell| &cell.key).collect();
    keys.sort();
    keys.dedup();
    let reads = keys.into_iter().filter_map(|key| Some(((**key).clone(), best(&rule, key)?.1.stamp())));
    let mut reads: Vec<_> = reads.collect();
    reads.sort_by_key(|(key, _)| (KINDS.iter().position(|kind| *kind == key.kind), key.clone()));
    (reads, rule)
}

proptest! {
    #![proptest_config(cases(256))]

    /// Whatever comes first, it is what the rules say of all of it.
    #[test]
    fn any_order_comes_to_the_verdict_of_the_rules(cells in vec(cell(), 0..60), turns in vec(any::<prop::sample::Index>(), 60)) {
        let mut shuffled = cells.clone();
        for (at, turn) in turns.iter().enumerate().take(cells.len()) {
            shuffled.swap(at, turn.index(cells.len()));
        }
        let one = given(empty(), cells.clone());
        let other = given(empty(), shuffled.into_iter().chain(cells.iter().rev().cloned()));
        prop_assert_eq!(said(&one), said(&other));
        let (reads, rule) = plainly(&cells);
        prop_assert_eq!(one.rule(), Some(&rule));
        prop_assert_eq!(super::rule::reads(&one), reads);
    }

    #[test]
    fn merging_is_commutative_associative_and_idempotent(a in vec(cell(), 0..30), b in vec(cell(), 0..30), c in vec(cell(), 0..30)) {
        let of = |cells: &[Cell]| given(empty(), cells.to_vec());
        let merged = |one: Cells, other: &Cells| given(one, everything(other));
        prop_assert_eq!(said(&merged(of(&a), &of(&b))), said(&merged(of(&b), &of(&a))));
        let left = merged(merged(of(&a), &of(&b)), &of(&c));
        let right = merged(of(&a), &merged(of(&b), &of(&c)));
        prop_assert_eq!(said(&left), said(&right));
        let again = merged(merged(of(&a), &of(&b)), &of(&b));
        prop_assert_eq!(said(&merged(of(&a), &of(&b))), said(&again));
    }

    /// Every register that reads differently is named, and no other.
    #[test]
    fn what_reads_differently_is_said(cells in vec(cell(), 0..40), last in cell()) {
        let mut held = given(empty(), cells);
        prop_assume!(held.refusal(&last).is_none());
        let before = reads(&held);
        let mut touched = Vec::new();
        held.apply(last, &mut touched);
        let after = reads(&held);
        let differs = before.iter().filter(|entry| !after.contains(entry)).chain(after.iter().filter(|entry| !before.contains(entry)));
        let mut changed: Vec<CellKey> = differs.map(|(key, _)| key.clone()).collect();
        changed.sort();
        changed.dedup();
        let mut touched: Vec<CellKey> = touched.iter().map(|key| (**key).clone()).collect();
        touched.sort();
        touched.dedup();
        prop_assert!(changed.iter().all(|key| touched.contains(key)), "{:?} not in {:?}", changed, touched);
    }
}
