//! Shared settings: what a call may write and what is shown (design A6, A8, R10, R11).

use serde_json::{Value, json};

use crate::fixture::{Table, limit};
use crate::{ErrorCode, MetadataChange};

// A9: of two who read the same and write, one is refused and loses nothing of what the other wrote.
#[test]
fn who_names_what_was_read_does_not_write_over_what_was_not() {
    let mut table = Table::joined(2);
    let none = table.seats[0].replica.metadata().version.clone();
    let first = MetadataChange::new(json!({"title": "One"})).if_version(&none);
    let one = table.metadata(0, first).unwrap();
    assert_ne!(one.version, none);
    let late = MetadataChange::new(json!({"title": "Two"})).if_version(&none);
    let refused = table.metadata(0, late.clone()).unwrap_err();
    assert_eq!((refused.code, &refused.details["version"]), (ErrorCode::PreconditionFailed, &json!(one.version)));
    assert_eq!(*table.seats[0].replica.metadata(), one, "nothing was touched");
    assert_eq!(table.metadata(0, late.if_version(&one.version)).unwrap().metadata["title"], "Two");
}

// R10: a version is of the registers and their stamps, so it is the same wherever they are, and none comes back.
#[test]
fn a_version_is_the_same_everywhere_and_never_comes_back() {
    let mut table = Table::joined(2);
    let mut seen = vec![table.seats[0].replica.metadata().version.clone()];
    for (at, change) in [json!({"a": 1}), json!({"a": 2}), json!({"a": 1})].into_iter().enumerate() {
        let set = table.metadata(at % 2, MetadataChange::new(change)).unwrap();
        table.pass(10);
        assert_eq!(table.seats[0].replica.metadata().version, set.version);
        assert_eq!(table.seats[1].replica.metadata().version, set.version);
        assert!(!seen.contains(&set.version), "{seen:?}");
        seen.push(set.version);
    }
    let unset = MetadataChange { unset: vec!["a".into()], ..MetadataChange::default() };
    let emptied = table.metadata(0, unset).unwrap();
    assert!(emptied.metadata.is_empty() && !seen.contains(&emptied.version));
    // What is there already is no write.
    assert_eq!(table.metadata(0, MetadataChange::default()).unwrap().version, emptied.version);
}

// A6: who deletes a key of the room's own changed it last, for everybody.
#[test]
fn who_deletes_a_key_changed_the_room_last() {
    let mut table = Table::joined(2);
    table.metadata(0, MetadataChange::new(json!({"topic": "fire", "link": "here"}))).unwrap();
    let unset = vec!["topic".to_owned()];
    table.metadata(1, MetadataChange { unset, ..MetadataChange::default() }).unwrap();
    table.pass(10);
    for at in 0..2 {
        let metadata = table.seats[at].replica.metadata();
        assert_eq!(Value::Object(metadata.metadata.clone()), json!({"link": "here"}));
        assert_eq!(metadata.updated_by.as_ref(), Some(&table.seats[1].who.actor.user_id), "at {at}");
    }
}

// A6 R10
#[test]
fn metadata_merges_per_key() {
    let mut table = Table::joined(2);
    table.metadata(0, MetadataChange::new(json!({"title": "One", "mode": "calm"}))).unwrap();
    let answer = table.metadata(1, MetadataChange::new(json!({"title": "Two", "locked": false}))).unwrap();
    assert_eq!(answer.updated_by.as_ref(), Some(&table.seats[1].who.actor.user_id));
    assert_eq!(Value::Object(answer.metadata), json!({"title": "Two", "mode": "calm", "locked": false}));
    let unset = vec!["mode".to_owned(), "title".to_owned()];
    // What is set and unset by one call is set.
    let change = MetadataChange { unset, ..MetadataChange::new(json!({"title": "Two"})) };
    table.metadata(0, change).unwrap();
    for at in 0..2 {
        let metadata = table.seats[at].replica.metadata();
        assert_eq!(Value::Object(metadata.metadata.clone()), json!({"title": "Two", "locked": false}));
    }
    table.clear();
    table.metadata(0, MetadataChange::new(json!({"title": "Two"}))).unwrap();
    assert!(table.told(1).is_empty() && table.sent(0, 6).is_empty(), "an equal value is no write");
}

// A6 A8
#[test]
fn limits_of_metadata() {
    let mut table = Table::joined(1);
    let mut refused = |change: Value| table.metadata(0, MetadataChange::new(change)).unwrap_err();
    assert_eq!(refused(json!({"locked": "yes"})).code, ErrorCode::InvalidMetadata);
    assert_eq!(refused(json!([])).code, ErrorCode::InvalidMetadata);
    assert_eq!(limit(&refused(json!({"a": vec!["x".repeat(2000); 5]}))).0, "valueBytes");
    for round in 0..2 {
        let keys: serde_json::Map<String, Value> = (0..64).map(|key| (format!("{round} {key}"), json!(1))).collect();
        table.metadata(0, MetadataChange::new(keys)).unwrap();
    }
    let error = table.metadata(0, MetadataChange::new(json!({"one more": 1}))).unwrap_err();
    assert_eq!(limit(&error), ("keys", 128, 129, "metadata"));
    let unset = vec!["0 0".to_owned()];
    table.metadata(0, MetadataChange { unset, ..MetadataChange::new(json!({"one more": 1})) }).unwrap();
    let big = json!(vec!["x".repeat(1990); 4]);
    let mut table = Table::joined(1);
    for key in 0..4 {
        table.metadata(0, MetadataChange::new(json!({ format!("{key}"): big }))).unwrap();
    }
    let error = table.metadata(0, MetadataChange::new(json!({ "4": big }))).unwrap_err();
    assert_eq!(limit(&error).0, "bytes");
}

/// Receivers judge each cell by itself and never a total (design R11), so members that were apart can fill a room beyond
/// the limits of its writers. It can still be renamed and cleared, key by key.
#[test]
fn a_room_over_its_limits_can_be_renamed_and_cleared_but_not_filled() {
    let mut table = Table::joined(2);
    table.close(0, 1, crate::DownCause::Closed);
    table.close(1, 0, crate::DownCause::Closed);
    for (at, side) in [(0, "a"), (1, "b")] {
        for part in ["x", "y"] {
            let keys = (0..60).map(|key| (format!("{side}{part}{key}"), json!(key))).collect::<serde_json::Map<_, _>>();
            let change = MetadataChange { metadata: keys, ..MetadataChange::default() };
            table.metadata(at, change).unwrap();
        }
    }
    table.link(0, 1);
    table.settle();
    assert_eq!(table.metadata(0, MetadataChange::default()).unwrap().metadata.len(), 240);
    let one_more = table.metadata(0, MetadataChange::new(json!({ "new": 1 }))).unwrap_err();
    assert_eq!(one_more.code, ErrorCode::PayloadTooLarge);
    table.metadata(0, MetadataChange::new(json!({ "ax0": "renamed" }))).unwrap();
    let unset = MetadataChange { unset: vec!["ax1".into()], ..MetadataChange::default() };
    assert_eq!(table.metadata(0, unset).unwrap().metadata.len(), 239);
}
