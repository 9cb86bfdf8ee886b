//! Messages that are kept (design A12, R11, R13).

use serde_json::json;

use crate::cell::{Cell, CellKey, HLC_MAX};
use crate::fixture::{FakeSigner, Table, seat, session};
use crate::limits::LOG_CELLS;
use crate::wire::Frame;
use crate::{ErrorCode, HistoryPage, HistoryQuery, Publish};

fn texts(page: &HistoryPage) -> Vec<String> {
    page.messages.iter().map(|said| said.data["text"].as_str().unwrap_or_default().to_owned()).collect()
}

fn history(table: &Table, at: usize) -> HistoryPage {
    table.seats[at].replica.history(&HistoryQuery { limit: Some(1000), cursor: None }).unwrap()
}

#[test]
fn what_is_said_is_heard_and_kept_for_those_who_come_later() {
    let mut table = Table::joined(2);
    let said = table.say(0, "first", None).unwrap();
    table.now += 5;
    table.say(1, "second", None).unwrap();
    assert_eq!(said.actor, table.seats[0].who.actor);
    assert_eq!(said.member_id, table.seats[0].who.actor.user_id.default_member());
    assert_eq!(table.told(1).iter().filter(|event| event.starts_with("message")).count(), 2);
    let late = table.add(seat(40, "late", 40, 1, table.now));
    table.link(1, late);
    table.pass(50);
    for at in [0, 1, late] {
        assert_eq!(texts(&history(&table, at)), ["second", "first"], "at {at}");
    }
}

// A12: the same idempotency key of the same actor stores once; another actor's is another message.
#[test]
fn a_repeated_publish_stores_once() {
    let mut table = Table::joined(2);
    let first = table.say(0, "once", Some("k")).unwrap();
    assert_eq!(table.say(0, "twice", Some("k")).unwrap(), first);
    let other = table.say(1, "mine", Some("k")).unwrap();
    assert_ne!(other.id, first.id);
    assert_eq!(history(&table, 1).messages.len(), 2);
}

#[test]
fn history_is_paged_newest_first() {
    let mut table = Table::joined(1);
    for at in 0..25 {
        table.say(0, &format!("{at}"), None).unwrap();
    }
    let mut all = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = table.seats[0].replica.history(&HistoryQuery { limit: Some(10), cursor: cursor.clone() }).unwrap();
        all.extend(texts(&page));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(all, (0..25).rev().map(|at| at.to_string()).collect::<Vec<_>>());
    let refused = |limit, cursor: Option<&str>| {
        let query = HistoryQuery { limit, cursor: cursor.map(str::to_owned) };
        table.seats[0].replica.history(&query).unwrap_err().code
    };
    assert_eq!(refused(Some(0), None), ErrorCode::InvalidLimit);
    assert_eq!(refused(None, Some("nonsense")), ErrorCode::InvalidCursor);
}

// R11: the newest 500 stay, the same ones everywhere.
#[test]
fn the_log_keeps_the_newest() {
    let mut table = Table::joined(2);
    for at in 0..LOG_CELLS + 20 {
        table.say(at % 2, &format!("{at}"), None).unwrap();
    }
    table.pass(10_000);
    for at in 0..2 {
        let kept = texts(&history(&table, at));
        assert_eq!(kept.len(), LOG_CELLS);
        assert_eq!(kept.last().unwrap(), "20", "the oldest went");
    }
    assert_eq!(table.seats[0].replica.cells.hash(), table.seats[1].replica.cells.hash());
}

// R13: nobody writes over another's message, takes one back, or says what is none.
#[test]
fn a_message_is_its_writers_and_stays() {
    let mut table = Table::joined(2);
    table.say(0, "mine", Some("k")).unwrap();
    let writer = FakeSigner::of("person 0").public_key();
    let thief = FakeSigner::of("thief");
    let root = table.seats[1].replica.root;
    let body = json!({"type": "chat", "data": {"text": "forged"}, "memberId": "m", "name": "n"});
    let key = CellKey::message(&writer, "k");
    assert!(table.seats[1].replica.cells.get(&key).is_some(), "the fixture's key is the writer's");
    let over = Cell::write(key, HLC_MAX, Some(body), &*thief, &root);
    let own = |value| Cell::write(CellKey::message(&thief.public_key(), "k"), 1 << 40, value, &*thief, &root);
    for cell in
        [over, own(None), own(Some(json!("text"))), own(Some(json!({"type": "", "memberId": "m", "name": "n"})))]
    {
        table.frame(1, session(66), session(66), &Frame::Cells(vec![cell]).encode());
    }
    assert_eq!(texts(&history(&table, 1)), ["mine"]);
    assert_eq!(table.count(1, "cell_value"), 4);
}

#[test]
fn what_is_no_message_is_refused() {
    let mut table = Table::joined(1);
    let publish = |kind: &str, data: serde_json::Value| Publish::new(kind, data).keep();
    let mut code = |args| table.call(0, |replica, who, now| replica.publish_kept(who, args, now)).map_err(|e| e.code);
    assert_eq!(code(publish("", json!({}))).unwrap_err(), ErrorCode::InvalidMessage);
    assert_eq!(code(publish("chat", json!({"text": "x".repeat(4097)}))).unwrap_err(), ErrorCode::PayloadTooLarge);
    assert_eq!(code(publish("chat", json!([[[[[[[1]]]]]]]))).unwrap_err(), ErrorCode::PayloadTooLarge, "too deep");
    code(publish("chat", json!([[[[[[1]]]]]]))).unwrap();
    code(publish("chat", json!({"text": "x".repeat(4096)}))).unwrap();
    table.leave(0).unwrap();
    assert_eq!(table.say(0, "too late", None).unwrap_err().code, ErrorCode::NotJoined);
}
