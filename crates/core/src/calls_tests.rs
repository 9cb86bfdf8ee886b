use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Lease;
use crate::cell::json_size;
use crate::error::ErrorCode;
use crate::fixture::{Table, limit, member};
use crate::limits::{FRAME_MAX, MEMBER_METADATA_MAX, PRESENCE_MAX};
use crate::view::MemberState;
use crate::wire::Frame;
use crate::{Join, Leave, MetadataChange, PresenceChange, PresenceMode};

fn object(keys: usize, value: &Value) -> Value {
    (0..keys).map(|key| (format!("key {key}"), value.clone())).collect::<serde_json::Map<_, _>>().into()
}

fn nested(depth: usize) -> Value {
    (1..depth).fold(json!({}), |inner, _| json!({ "in": inner }))
}

/// A value of exactly so many bytes of JSON as `{"v":…}`, made of strings within their limit.
fn sized(bytes: usize) -> Value {
    let mut rest = bytes - r#"{"v":[]}"#.len();
    let mut parts = Vec::new();
    while rest > 0 {
        let comma = usize::from(!parts.is_empty());
        let mut part = rest.min(1_002 + comma);
        if (1..4).contains(&(rest - part)) {
            part -= 4;
        }
        parts.push("x".repeat(part - 2 - comma));
        rest -= part;
    }
    let value = json!({ "v": parts });
    assert_eq!(json_size(&value), bytes);
    value
}

/// What is answered is what readers have, and is no copy of it; as much as the record says that is answered otherwise.
#[test]
fn the_row_of_a_call_is_that_of_readers() {
    let mut table = Table::joined(2);
    let change = |x: i64| PresenceChange::new(json!({"cursor": {"x": x}}));
    let row = table.call(0, |replica, who, now| replica.set_presence(who, change(1), now)).unwrap();
    assert_eq!(row.record.presence, *json!({"cursor": {"x": 1}}).as_object().unwrap());
    assert!(table.seats[0].replica.snapshot().members.iter().any(|shown| Arc::ptr_eq(shown, &row)));
    let record = table.call(0, |replica, who, now| replica.presence(who, change(2), now)).unwrap();
    let row = table.call(0, |replica, who, now| replica.set_presence(who, change(2), now)).unwrap();
    assert_eq!(record, row.record);
    assert_eq!(row.record.presence["cursor"]["x"], 2);
}

// A2
#[test]
fn the_first_frame_of_a_member_is_whole() {
    let mut table = Table::of(2);
    let args = Join::new().presence(json!({"status": "online"})).metadata(json!({"role": "host"}));
    let record = table.join(0, args).unwrap();
    assert_eq!(record.member_id.as_str(), table.seats[0].who.actor.user_id.as_str());
    assert_eq!(table.told(1), ["joined person 0"]);
    let row = &table.rows(1)[0];
    assert_eq!(row.record.presence, record.presence);
    assert_eq!(Value::Object(row.record.metadata.clone()), json!({"role": "host"}));
    assert_eq!(row.record.joined_at, record.joined_at);
    assert!(row.verified && !row.own && !row.conflict && row.state == MemberState::Active);
    assert!(table.rows(0)[0].own);
}

// A2 F1: an update, not a leave and a join.
#[test]
fn joining_again_keeps_joined_at_and_what_is_not_given() {
    let mut table = Table::of(2);
    let first = table.join(0, Join::new().presence(json!({"a": 1, "b": 2})).metadata(json!({"m": 1}))).unwrap();
    table.pass(5_000);
    table.clear();
    let again = table.join(0, Join::new().presence(json!({"b": 3}))).unwrap();
    assert_eq!(again.joined_at, first.joined_at);
    assert_eq!(Value::Object(again.presence), json!({"b": 3}), "a bag that is given is replaced");
    assert_eq!(Value::Object(again.metadata), json!({"m": 1}), "one that is not is kept");
    assert_eq!(table.told(1), [r#"updated person 0 ["a", "b"]"#]);
    assert_eq!(table.seen(1, 0), Some(json!({"b": 3})));
    table.clear();
    table.join(0, Join::new().metadata(json!({"m": 2}))).unwrap();
    assert_eq!(table.told(1), ["updated person 0 []"]);
    assert_eq!(table.seen(1, 0), Some(json!({"b": 3})));
}

// A3
#[test]
fn presence_merges_at_the_top() {
    let mut table = Table::joined(2);
    table.presence(0, json!({"a": {"x": 1, "y": 2}, "b": null, "c": 1})).unwrap();
    table.pass(50);
    let record = table.presence(0, json!({"a": {"x": 5}})).unwrap();
    let expected = json!({"a": {"x": 5}, "b": null, "c": 1});
    assert_eq!(Value::Object(record.presence), expected, "nested values are replaced whole; null is a value");
    table.pass(50);
    assert_eq!(table.seen(1, 0), Some(expected));
    let unset = vec!["b".to_owned(), "not there".to_owned()];
    table.change(0, PresenceChange { unset, ..PresenceChange::default() }).unwrap();
    table.pass(50);
    assert_eq!(table.seen(1, 0), Some(json!({"a": {"x": 5}, "c": 1})));
    let mode = PresenceMode::Replace;
    table.change(0, PresenceChange { mode, ..PresenceChange::new(json!({"d": 1})) }).unwrap();
    table.pass(50);
    assert_eq!(table.seen(1, 0), Some(json!({"d": 1})));
    // What is set and unset by one call is set, whether it changes or not.
    let unset = vec!["d".to_owned()];
    let both = PresenceChange { unset, ..PresenceChange::new(json!({"d": 1})) };
    let record = table.change(0, both).unwrap();
    assert_eq!(Value::Object(record.presence), json!({"d": 1}));
    table.pass(50);
    assert_eq!(table.seen(1, 0), Some(json!({"d": 1})));
}

// A3
#[test]
fn an_equal_result_is_no_event_and_no_frame() {
    let mut table = Table::joined(2);
    table.presence(0, json!({"a": 1})).unwrap();
    table.pass(100);
    table.clear();
    table.presence(0, json!({"a": 1})).unwrap();
    table.change(0, PresenceChange { unset: vec!["b".into()], ..PresenceChange::default() }).unwrap();
    table.change(0, PresenceChange { mode: PresenceMode::Replace, ..PresenceChange::new(json!({"a": 1})) }).unwrap();
    table.pass(100);
    assert!(table.told(0).is_empty() && table.told(1).is_empty());
    assert!(table.sent(0, 1).is_empty());
}

// A3 F14
#[test]
fn a_late_update_never_brings_back_who_left() {
    let mut table = Table::joined(2);
    table.presence(0, json!({"a": 1})).unwrap();
    table.presence(0, json!({"a": 2})).unwrap();
    assert!(table.leave(0).unwrap().left);
    assert_eq!(table.presence(0, json!({"a": 3})).unwrap_err().code, ErrorCode::NotJoined);
    table.pass(3_000);
    assert!(table.rows(1).iter().all(|row| row.actor.name != "person 0"));
    let again = table.leave(0).unwrap();
    assert!(!again.left, "leaving twice is a no-op");
    assert_eq!(table.metadata(0, MetadataChange::new(json!({"title": "x"}))).unwrap_err().code, ErrorCode::NotJoined);
    // F14: nothing keeps from joining again.
    table.clear();
    table.join(0, Join::new()).unwrap();
    assert_eq!(table.told(1), ["joined person 0"]);
}

// A3 A5
#[test]
fn without_a_member_id_it_is_the_actors_only_one() {
    let mut table = Table::of(2);
    assert_eq!(table.presence(0, json!({})).unwrap_err().code, ErrorCode::NotJoined);
    table.join(0, Join::new().member_id(member("desk 1"))).unwrap();
    assert_eq!(table.presence(0, json!({"a": 1})).unwrap().member_id, member("desk 1"));
    table.join(0, Join::new().member_id(member("desk 2"))).unwrap();
    let error = table.presence(0, json!({"a": 2})).unwrap_err();
    assert_eq!((error.code, &error.details["path"]), (ErrorCode::AmbiguousMember, &json!("memberId")));
    let leave = table.call(0, |replica, who, now| replica.leave(who, Leave::default(), now));
    assert_eq!(leave.unwrap_err().code, ErrorCode::AmbiguousMember);
    let named = PresenceChange { member_id: Some(member("desk 2")), ..PresenceChange::new(json!({"a": 3})) };
    assert_eq!(table.change(0, named).unwrap().member_id, member("desk 2"));
    let leave = Leave { member_id: Some(member("desk 1")) };
    let left = table.call(0, |replica, who, now| replica.leave(who, leave, now)).unwrap();
    assert!(left.left && left.member_id == member("desk 1"));
    assert_eq!(table.presence(0, json!({"a": 4})).unwrap().member_id, member("desk 2"));
    // A guest of the same host has members of its own.
    let guest = table.seats[0].guest.clone();
    let other = table.call(0, |replica, _, now| replica.presence(&guest, PresenceChange::default(), now));
    assert_eq!(other.unwrap_err().code, ErrorCode::NotJoined);
}

// A5
#[test]
fn an_id_that_belongs_to_a_key_is_for_that_key_only() {
    let mut table = Table::of(2);
    let theirs = table.seats[1].who.actor.user_id.default_member();
    let error = table.join(0, Join::new().member_id(theirs)).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidMemberId);
    let own = table.seats[0].who.actor.user_id.default_member();
    table.join(0, Join::new().member_id(own)).unwrap();
    table.join(0, Join::new().member_id(member("desk"))).unwrap();
    let error = table.join(1, Join::new().member_id(member("desk"))).unwrap_err();
    assert_eq!(error.code, ErrorCode::MemberIdConflict);
    // Whoever holds it may join it again.
    table.join(0, Join::new().member_id(member("desk"))).unwrap();
}

// A8
#[test]
fn every_limit_is_named_with_what_was_given() {
    let mut table = Table::joined(1);
    let mut refused = |presence: Value| table.presence(0, presence).unwrap_err();
    let error = refused(sized(PRESENCE_MAX + 1));
    assert_eq!(error.code, ErrorCode::PayloadTooLarge);
    assert_eq!(limit(&error), ("bytes", 4096, 4097, "presence"));
    assert_eq!(limit(&refused(object(65, &json!(1)))), ("keys", 64, 65, "presence"));
    let long = "k".repeat(65);
    assert_eq!(limit(&refused(json!({ long.clone(): 1 }))).0, "keyBytes");
    assert_eq!(limit(&refused(json!({ "a": { long: 1 } }))).0, "keyBytes");
    assert_eq!(limit(&refused(json!({ "a": "x".repeat(2049) }))), ("stringBytes", 2048, 2049, "presence.a"));
    assert_eq!(limit(&refused(nested(9))), ("depth", 8, 9, "presence.in"));
    for wrong in [json!([1]), json!("text"), json!(null)] {
        assert_eq!(refused(wrong).code, ErrorCode::InvalidPresence);
    }
    assert_eq!(refused(json!({ "__proto__": 1 })).code, ErrorCode::InvalidPresence);
    assert_eq!(refused(json!({ "a": [{ "__proto__": 1 }] })).code, ErrorCode::InvalidPresence);
    assert_eq!(refused(json!({ "": 1 })).code, ErrorCode::InvalidPresence);
    for right in [sized(PRESENCE_MAX), object(64, &json!(1)), nested(8), json!({ "a": "x".repeat(2048) })] {
        let mode = PresenceMode::Replace;
        table.change(0, PresenceChange { mode, ..PresenceChange::new(right) }).unwrap();
    }
}

// A8: the limit is of what the presence becomes, not of the call.
#[test]
fn limits_are_of_the_merged_presence() {
    let mut table = Table::joined(1);
    table.presence(0, json!({ "v": "x".repeat(2000) })).unwrap();
    table.presence(0, json!({ "w": "x".repeat(2000) })).unwrap();
    let before = table.seen(0, 0);
    let error = table.presence(0, json!({ "z": "x".repeat(200) })).unwrap_err();
    assert_eq!(limit(&error).0, "bytes");
    assert_eq!(table.seen(0, 0), before, "nothing was touched");
    let unset = vec!["w".to_owned()];
    table.change(0, PresenceChange { unset, ..PresenceChange::new(json!({ "z": "x".repeat(200) })) }).unwrap();
}

// A8
#[test]
fn expiry_is_of_a_key_that_is_set_and_within_an_hour() {
    let mut table = Table::joined(1);
    for (key, ms) in [("other", 1_000), ("typing", 99), ("typing", 3_600_001)] {
        let expire = BTreeMap::from([(key.to_owned(), ms)]);
        let change = PresenceChange { expire, ..PresenceChange::new(json!({"typing": true})) };
        let error = table.change(0, change).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidPresence);
        assert_eq!(error.details["path"], json!(format!("expire.{key}")));
    }
    assert_eq!(table.seen(0, 0), Some(json!({})));
}

// A8
#[test]
fn a_join_is_refused_whole_or_not_at_all() {
    let mut table = Table::of(2);
    let wrong = [
        (Join::new().presence(json!([])), ErrorCode::InvalidPresence),
        (Join::new().presence("online"), ErrorCode::InvalidPresence),
        // No JSON: its keys are no text.
        (Join::new().presence(BTreeMap::from([((1, 2), 3)])), ErrorCode::InvalidPresence),
        (Join::new().metadata(json!(3)), ErrorCode::InvalidMetadata),
        (Join::new().presence(json!({})).metadata(sized(MEMBER_METADATA_MAX + 1)), ErrorCode::PayloadTooLarge),
        (Join::new().ttl_seconds(4), ErrorCode::InvalidPresence),
        (Join::new().ttl_seconds(3601), ErrorCode::InvalidPresence),
    ];
    for (args, code) in wrong {
        assert_eq!(table.join(0, args).unwrap_err().code, code);
    }
    assert!(table.rows(0).is_empty() && table.told(1).is_empty() && table.sent(0, 4).is_empty());
}

// A3
#[test]
fn what_somebody_else_wrote_into_a_field_of_ones_own_type_is_told() {
    let mut table = Table::of(1);
    let cursors = BTreeMap::from([("cursor", 7)]);
    let record = table.join(0, Join::new().presence(&cursors).metadata(json!({"role": [1]}))).unwrap();
    assert_eq!(record.presence_as::<BTreeMap<String, u32>>().unwrap(), BTreeMap::from([("cursor".to_owned(), 7)]));
    let error = record.presence_as::<BTreeMap<String, String>>().unwrap_err();
    assert_eq!((error.code, &error.details["path"]), (ErrorCode::InvalidPresence, &json!("presence")));
    let error = record.metadata_as::<BTreeMap<String, String>>().unwrap_err();
    assert_eq!((error.code, &error.details["path"]), (ErrorCode::InvalidMetadata, &json!("metadata")));
}

/// The largest member that the limits allow still fits a frame: else nobody would ever see it.
#[test]
fn the_largest_member_fits_a_frame() {
    let floats = |count: usize| Value::from(vec![json!(0.1); count]);
    let bag: serde_json::Map<String, Value> =
        (0..64).map(|key| (format!("{key:02}{}", "é".repeat(22)), floats(2))).collect();
    assert!(json_size(&bag.clone().into()) <= PRESENCE_MAX);
    for presence in [bag.into(), json!({ "v": floats(1020) }), sized(PRESENCE_MAX)] {
        let mut table = Table::of(2);
        let name = "n".repeat(256);
        table.seats[0].guest.actor.name.clone_from(&name);
        let guest = table.seats[0].guest.clone();
        // A long session: incarnations and revisions have many digits, the roster is full.
        table.seats[0].replica.incarnations = u32::MAX - 300;
        table.seats[0].replica.rev.0 = u64::MAX >> 20;
        for desk in 0..255 {
            let args = Join::new().member_id(member(&format!("desk {desk}")));
            table.call(0, |replica, _, now| replica.join(&guest, args, Lease::Own, now)).unwrap();
        }
        table.clear();
        let args =
            Join::new().presence(presence).metadata(sized(MEMBER_METADATA_MAX)).member_id(member(&"界".repeat(128)));
        table.call(0, |replica, _, now| replica.join(&guest, args, Lease::Own, now)).unwrap();
        let largest = table.log.iter().map(|(.., bytes)| bytes.len()).max().unwrap();
        assert!(largest <= FRAME_MAX, "{largest} bytes");
        assert!(largest > 8_000, "{largest} bytes: the test lost its point");
        assert_eq!(table.rows(1).last().unwrap().record.member_id, member(&"界".repeat(128)));
    }
}

/// An endless parade of new keys neither grows without bound nor makes receivers refuse a frame.
#[test]
fn a_parade_of_new_keys_arrives() {
    let mut table = Table::joined(2);
    for round in 0..60 {
        let bag: serde_json::Map<String, Value> = (0..64).map(|key| (format!("{round} {key}"), json!(round))).collect();
        let mode = PresenceMode::Replace;
        table.change(0, PresenceChange { mode, ..PresenceChange::new(bag) }).unwrap();
        table.pass(7);
        let record = table.seats[0].replica.own.values().next().unwrap();
        assert!(record.fields.len() <= 256, "{}", record.fields.len());
    }
    table.pass(100);
    assert_eq!(table.seen(1, 0), table.seen(0, 0));
    assert_eq!(table.count(1, "presence_over_limit"), 0);
    assert_eq!(table.count(1, "asks"), 0);
    let mine = &table.seats[1].replica.peers[&crate::fixture::session(1)];
    assert!(mine.records.values().next().unwrap().fields.len() <= 256);
}

// A7 S7: coalesced at the source; the last value arrives.
#[test]
fn at_most_thirty_deltas_a_second_and_the_last_value() {
    let mut table = Table::joined(2);
    for step in 0..1000 {
        table.presence(0, json!({ "n": step })).unwrap();
        table.pass(1);
    }
    table.pass(40);
    let deltas = table.sent(0, 1).len();
    assert!((29..=32).contains(&deltas), "{deltas}");
    assert_eq!(table.seen(1, 0), Some(json!({ "n": 999 })));
}

// A7 M13: by other sessions, not other people; one a second alone.
#[test]
fn the_rate_follows_the_other_sessions() {
    let mut table = Table::joined(1);
    for step in 0..3000 {
        table.presence(0, json!({ "n": step })).unwrap();
        table.pass(1);
    }
    assert!((3..=4).contains(&table.sent(0, 1).len()), "{}", table.sent(0, 1).len());
    // Somebody comes: what waited goes out at once.
    table.clear();
    let other = table.add(crate::fixture::seat(2, "person 0", 2, 1, table.now));
    table.link(0, other);
    table.join(other, Join::new()).unwrap();
    for step in 0..1000 {
        table.presence(0, json!({ "n": step })).unwrap();
        table.pass(1);
    }
    assert!(table.sent(0, 1).len() >= 28, "two devices of one person: {}", table.sent(0, 1).len());
}

/// What a client joins over HTTP does not put an end to what the app keeps alive itself.
#[test]
fn a_client_lease_never_replaces_an_own_one() {
    let mut table = Table::joined(1);
    table.call(0, |replica, who, now| replica.join(who, Join::new().ttl_seconds(5), Lease::Client, now)).unwrap();
    table.pass(20_000);
    assert_eq!(table.rows(0).len(), 1);
    // The other way round, the app takes over.
    let guest = table.seats[0].guest.clone();
    for lease in [Lease::Client, Lease::Own] {
        table.call(0, |replica, _, now| replica.join(&guest, Join::new().ttl_seconds(5), lease, now)).unwrap();
    }
    table.pass(20_000);
    assert_eq!(table.rows(0).len(), 2);
}

#[test]
fn frames_stay_under_their_cap_whatever_is_said() {
    let mut table = Table::joined(2);
    for round in 0..30 {
        let big = format!("{round}{}", "x".repeat(1900));
        let key = format!("k{}", round % 3);
        let mode = PresenceMode::Replace;
        table.change(0, PresenceChange { mode, ..PresenceChange::new(json!({ key: big, "s": big })) }).unwrap();
        table.metadata(0, MetadataChange::new(json!({ "a": vec![big.clone(); 4], "b": vec![big; 4] }))).unwrap();
        table.pass(20);
    }
    table.pass(100);
    assert!(table.log.iter().all(|(.., bytes)| bytes.len() <= FRAME_MAX));
    assert_eq!(table.seen(1, 0), table.seen(0, 0));
    assert_eq!(table.seats[0].replica.metadata(), table.seats[1].replica.metadata());
    assert!(table.sent(0, 6).iter().all(|frame| matches!(frame, Frame::Cells(cells) if !cells.is_empty())));
}
