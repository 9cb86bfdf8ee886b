//! Merging what frames say of a record is free of order and of repetition: each field keeps the newest that was said of it,
//! a removal is as good as a value, and no field ever goes back (design R4).

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::cases;
use crate::delta::FieldTold;
use crate::fields::Fields;
use crate::ids::{Rev, Tick};
use crate::raw::Raw;
use crate::value::Key;
use crate::wire::FieldChange;

const KEYS: [&str; 4] = ["a", "b", "c", "d"];
const NOW: Tick = Tick(1_000);

/// What each revision wrote: a value or a removal of some keys. A field's revision names its value, as it does with an
/// honest owner.
type History = Vec<BTreeMap<usize, bool>>;
/// Frames, each by the revision since which it tells all and the one that it tells last.
type Frames = Vec<(usize, usize)>;

fn history() -> impl Strategy<Value = History> {
    vec(prop::collection::btree_map(0usize..4, prop::bool::weighted(0.7), 1..3), 1..12)
}

/// The frame of one revision that tells all since another.
fn told(history: &[BTreeMap<usize, bool>], since: usize, rev: usize) -> (Vec<FieldChange>, Rev) {
    let mut newest = BTreeMap::new();
    for (at, writes) in history[since..rev].iter().enumerate() {
        newest.extend(writes.iter().map(|(key, set)| (*key, (since + at + 1, *set))));
    }
    let change = |(key, (of, set)): (usize, (usize, bool))| FieldChange {
        key: Key(KEYS[key].to_owned()),
        age: (rev - of) as u64,
        value: set.then(|| Raw::of(&json!(of))),
        expire: 0,
    };
    (newest.into_iter().map(change).collect(), Rev(rev as u64))
}

/// Frames of a history, each from somewhere to somewhere later, in any order and with repetitions.
fn frames(length: usize) -> impl Strategy<Value = Frames> {
    vec((0..length).prop_flat_map(move |since| (Just(since), since + 1..=length)), 0..16)
}

fn story() -> impl Strategy<Value = (History, Frames, Frames)> {
    history().prop_flat_map(|history| {
        let length = history.len();
        (Just(history), frames(length), frames(length))
    })
}

fn take(fields: &mut Fields, history: &[BTreeMap<usize, bool>], frames: &[(usize, usize)]) {
    for (since, rev) in frames {
        let (changes, rev) = told(history, *since, *rev);
        fields.merge(changes.iter().map(FieldTold::from), rev, Rev(0), NOW);
    }
}

proptest! {
    #![proptest_config(cases(512))]

    /// Commutative and idempotent: the frames of two lists in either order, and each of them again.
    #[test]
    fn order_and_repetition_decide_nothing((history, some, others) in story()) {
        let (mut one, mut other) = (Fields::default(), Fields::default());
        take(&mut one, &history, &some);
        take(&mut one, &history, &others);
        take(&mut other, &history, &others);
        take(&mut other, &history, &some);
        prop_assert_eq!(&one, &other);
        let before = one.clone();
        take(&mut one, &history, &others);
        prop_assert_eq!(one, before);
    }

    /// Associative: one frame that tells all is as good as the frames of its parts.
    #[test]
    fn a_frame_is_the_sum_of_its_parts((history, some, _) in story(), middle in any::<prop::sample::Index>()) {
        let (end, middle) = (history.len(), middle.index(history.len() + 1));
        let (mut whole, mut parts) = (Fields::default(), Fields::default());
        take(&mut whole, &history, &some);
        take(&mut parts, &history, &some);
        take(&mut whole, &history, &[(0, end)]);
        let both = [(0, middle), (middle, end)];
        take(&mut parts, &history, &both[usize::from(middle == 0)..2 - usize::from(middle == end)]);
        prop_assert_eq!(whole, parts);
    }

    /// Each field is what a plain table of revisions says, at every step, and its revision only grows.
    #[test]
    fn no_field_goes_back((history, some, _) in story()) {
        let mut fields = Fields::default();
        let mut plain: BTreeMap<usize, (usize, bool)> = BTreeMap::new();
        for (since, rev) in some {
            take(&mut fields, &history, &[(since, rev)]);
            for (at, writes) in history[since..rev].iter().enumerate() {
                for (key, set) in writes {
                    let newest = plain.entry(*key).or_insert((0, false));
                    *newest = (*newest).max((since + at + 1, *set));
                }
            }
            for (key, (of, set)) in &plain {
                let field = fields.get(KEYS[*key]).unwrap();
                prop_assert_eq!(field.rev, Rev(*of as u64));
                prop_assert_eq!(field.value.as_ref().map(Raw::value), set.then(|| json!(of)));
            }
            prop_assert_eq!(fields.len(), plain.len());
        }
    }
}
