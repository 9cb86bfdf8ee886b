//! Limits are of bytes, and each is refused by its own name (design A8, A9).

use serde::Serialize;
use serde_json::{Value, json};

use crate::cell::{Cell, CellKey};
use crate::check;
use crate::fixture::{FakeSigner, Table, member, session};
use crate::limits::MEMBERS_MAX;
use crate::wire::Frame;
use crate::{ErrorCode, Join, Lease, MetadataChange, PresenceChange, Publish};

fn refused(table: &mut Table, presence: Value) -> (ErrorCode, Value) {
    let error = table.presence(0, presence).unwrap_err();
    (error.code, error.details.get("limit").cloned().unwrap_or_default())
}

#[test]
fn limits_count_bytes_and_not_characters() {
    let mut table = Table::joined(1);
    assert_eq!(refused(&mut table, json!({"é".repeat(40): 1})), (ErrorCode::PayloadTooLarge, json!("keyBytes")));
    assert_eq!(
        refused(&mut table, json!({"a": "é".repeat(1_100)})),
        (ErrorCode::PayloadTooLarge, json!("stringBytes"))
    );
    assert_eq!(refused(&mut table, json!({"": 1})), (ErrorCode::InvalidPresence, Value::Null));
    assert_eq!(refused(&mut table, json!({"__proto__": 1})), (ErrorCode::InvalidPresence, Value::Null));
    table.presence(0, json!({"é".repeat(32): "é".repeat(1_024)})).unwrap();
}

// A8: `serde_json` writes null for what is no number, which is a value that everybody would be told.
#[test]
fn what_is_no_number_is_refused_by_its_place_in_every_call() {
    #[derive(Serialize)]
    struct Here {
        cursor: (f64, f64),
        label: Option<String>,
    }
    let here = |x| Here { cursor: (0.0, x), label: None };
    let mut table = Table::joined(1);
    let mut refused = |call: &str, x: f64| {
        let answer = match call {
            "join" => table
                .call(0, |replica, who, now| replica.join(who, Join::new().presence(here(x)), Lease::Own, now))
                .map(drop),
            "join with" => table
                .call(0, |replica, who, now| replica.join(who, Join::new().metadata(here(x)), Lease::Own, now))
                .map(drop),
            "presence" => {
                table.call(0, |replica, who, now| replica.presence(who, PresenceChange::new(here(x)), now)).map(drop)
            }
            "metadata" => table.metadata(0, MetadataChange::new(here(x))).map(drop),
            "keep" => table
                .call(0, |replica, who, now| replica.publish_kept(who, Publish::new("at", here(x)).keep(), now))
                .map(drop),
            _ => table.call(0, |replica, who, now| replica.say(who, Publish::new("at", x), now)).map(drop),
        };
        answer.err().map(|error| (error.code, error.details["path"].clone(), error.message))
    };
    for (call, code, path) in [
        ("join", ErrorCode::InvalidPresence, "presence.cursor.1"),
        ("join with", ErrorCode::InvalidMetadata, "metadata.cursor.1"),
        ("presence", ErrorCode::InvalidPresence, "presence.cursor.1"),
        ("metadata", ErrorCode::InvalidMetadata, "metadata.cursor.1"),
        ("keep", ErrorCode::InvalidMessage, "data.cursor.1"),
        ("say", ErrorCode::InvalidMessage, "data"),
    ] {
        assert_eq!(refused(call, 0.5), None, "{call}");
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let said = format!("{path} is {x}; a finite number is allowed");
            assert_eq!(refused(call, x), Some((code, json!(path), said)), "{call}");
        }
    }
}

// A8: sizes are not looked for where the greatest that they can be fits; what that finds is what they would say.
#[test]
fn a_presence_has_4096_bytes_and_no_more() {
    let mut table = Table::joined(1);
    let (x, of) = ("x".repeat(1_500), |value: &Value| check::size(value.as_object().unwrap()));
    // What is escaped counts as it is written.
    let full = |last: usize| json!({"a": x, "b": x, "c": format!("\n{}", "y".repeat(last))});
    let last = (0..2_000).find(|last| of(&full(*last)) == 4_096).unwrap();
    table.presence(0, full(last)).unwrap();
    assert_eq!(refused(&mut table, full(last + 1)), (ErrorCode::PayloadTooLarge, json!("bytes")));
    assert_eq!(refused(&mut table, json!({"d": 1})), (ErrorCode::PayloadTooLarge, json!("bytes")));
    for value in [full(last), json!({"a": "\u{1}\"é🦀", "b": [1.5, -1e-300, u64::MAX, {"c": [true, null]}]})] {
        let bag = value.as_object().unwrap();
        assert!(check::size_at_most(bag) >= check::size(bag), "{value}");
    }
}

// A8: one process has no more members than a room may have, whoever else is there.
#[test]
fn a_process_has_as_many_members_as_a_room() {
    let mut table = Table::of(1);
    let guest = table.seats[0].guest.clone();
    let mut join = |desk: usize| {
        let args = Join::new().member_id(member(&format!("desk {desk}")));
        table.call(0, |replica, _, now| replica.join(&guest, args, Lease::Own, now))
    };
    for desk in 0..MEMBERS_MAX {
        join(desk).unwrap();
    }
    assert_eq!(join(MEMBERS_MAX).unwrap_err().code, ErrorCode::PayloadTooLarge);
    join(7).unwrap();
}

// A8: a room that others filled beyond the limits can still be renamed and cleared, and not be filled more.
#[test]
fn an_overfull_room_can_be_put_right() {
    let mut table = Table::joined(1);
    let signer = FakeSigner::of("busy");
    let root = table.seats[0].replica.root;
    for key in 0..6 {
        let value = json!(vec!["x".repeat(1_500); 5]);
        let cell = Cell::write(CellKey::metadata(&format!("k{key}")), 1 << 40, Some(value), &*signer, &root);
        table.frame(0, session(66), session(66), &Frame::Cells(vec![cell]).encode());
    }
    assert_eq!(table.seats[0].replica.metadata().metadata.len(), 6, "45 KB");
    let more = table.metadata(0, MetadataChange::new(json!({"more": "x".repeat(100)}))).unwrap_err();
    assert_eq!(more.code, ErrorCode::PayloadTooLarge);
    table.metadata(0, MetadataChange::new(json!({"k0": "short"}))).unwrap();
    let unset = vec!["k1".to_owned()];
    table.metadata(0, MetadataChange { unset, ..MetadataChange::default() }).unwrap();
    assert_eq!(table.seats[0].replica.metadata().metadata["k0"], "short");
}
