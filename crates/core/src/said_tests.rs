//! What is said and not kept (design A12).

use serde_json::json;

use super::{AT_ONCE, Heard, PER_SECOND};
use crate::fixture::{Table, session};
use crate::ids::Seq;
use crate::raw::Raw;
use crate::wire::{Frame, Said};
use crate::{Error, ErrorCode, Event, HistoryQuery, Join, Message, Publish, Verdict};

fn heard(table: &Table, at: usize) -> Vec<Message> {
    let messages = table.seats[at].events.iter().filter_map(|event| match event {
        Event::Message { message } => Some((**message).clone()),
        _ => None,
    });
    messages.collect()
}

fn wave(table: &mut Table, at: usize) -> Result<Message, Error> {
    table.call(at, |replica, who, now| replica.say(who, Publish::new("reaction", json!({"emoji": "👋"})), now))
}

#[test]
fn it_is_heard_by_all_who_are_here_and_kept_by_nobody() {
    let mut table = Table::joined(3);
    table.clear();
    let said = wave(&mut table, 0).unwrap();
    let again = wave(&mut table, 0).unwrap();
    assert_ne!(said.id, again.id, "two waves are two");
    for at in 0..3 {
        let heard = heard(&table, at);
        assert_eq!(heard.iter().map(|said| &said.id).collect::<Vec<_>>(), [&said.id, &again.id], "at {at}");
        assert_eq!((&heard[0].actor, &heard[0].member_id), (&said.actor, &said.member_id));
        assert!(!heard[0].kept && heard[0].data["emoji"] == "👋");
        assert_eq!(table.seats[at].replica.history(&HistoryQuery::default()).unwrap().messages, []);
    }
}

#[test]
fn only_a_member_says_something() {
    let mut table = Table::of(2);
    assert_eq!(wave(&mut table, 0).unwrap_err().code, ErrorCode::NotJoined);
    table.join(0, Join::new()).unwrap();
    wave(&mut table, 0).unwrap();
    table.leave(0).unwrap();
    assert_eq!(wave(&mut table, 0).unwrap_err().code, ErrorCode::NotJoined);
}

// N10: who has no member here, or none of that number, is not heard. S2: nor is anybody in another's name.
#[test]
fn nobody_speaks_who_is_not_here() {
    let mut table = Table::joined(2);
    table.clear();
    let said = |seq, incarnation| {
        let data = Raw::of(&json!("boo"));
        Frame::Said(Said { relay: false, seq: Seq(seq), incarnation, kind: "chat".into(), data }).encode()
    };
    table.frame(1, session(77), session(77), &said(1, 1));
    table.frame(1, session(1), session(1), &said(500, 99));
    assert_eq!((heard(&table, 1).len(), table.count(1, "said_by_nobody")), (0, 2));
}

// N24: a frame that is played back says nothing again, however late.
#[test]
fn what_is_played_back_is_not_heard_again() {
    let mut table = Table::joined(2);
    wave(&mut table, 0).unwrap();
    let (_, _, frame) = table.log.iter().rev().find(|(_, _, frame)| frame[1] == 11).unwrap().clone();
    table.clear();
    for _ in 0..3 {
        table.pass(10_000);
        table.frame(1, session(1), session(1), &frame);
        table
            .call(0, |replica, who, now| replica.presence(who, crate::PresenceChange::new(json!({"n": now.0})), now))
            .unwrap();
    }
    assert_eq!((heard(&table, 1).len(), table.count(1, "said_again")), (0, 3));
}

#[test]
fn what_comes_in_another_order_is_all_heard_once() {
    let mut heard = Heard::default();
    for seq in [5, 3, 9, 4, 3, 9, 100, 99, 37, 36, 35, 100, 164] {
        let first = heard.first(Seq(seq));
        let expected = match seq {
            35 => false, // more than 64 before 100
            _ => true,
        };
        let again = heard.first(Seq(seq));
        assert!(!again, "{seq} was heard just now");
        if ![3, 9, 100].contains(&seq) {
            assert_eq!(first, expected, "{seq}");
        }
    }
    assert!(!heard.first(Seq(100)), "64 before the newest is still known");
    assert!(heard.first(Seq(101)));
    assert!(heard.first(Seq(u64::MAX)) && !heard.first(Seq(164)));
}

#[test]
fn who_says_too_much_is_told_and_may_go_on_a_moment_later() {
    let mut table = Table::joined(2);
    table.clear();
    let all = AT_ONCE as usize;
    for _ in 0..all {
        wave(&mut table, 0).unwrap();
    }
    let error = wave(&mut table, 0).unwrap_err();
    assert_eq!((error.code, error.recoverable), (ErrorCode::RateLimited, true));
    table.pass(1000 / PER_SECOND + 1);
    wave(&mut table, 0).unwrap();
    assert_eq!(heard(&table, 1).len(), all + 1);
}

#[test]
fn what_cannot_be_said_is_named() {
    let mut table = Table::joined(1);
    let mut code = |args| table.call(0, |replica, who, now| replica.say(who, args, now)).map_err(|error| error.code);
    let long = "x".repeat(5_000);
    assert_eq!(code(Publish::new("", json!(1))), Err(ErrorCode::InvalidMessage));
    assert_eq!(code(Publish::new(&"k".repeat(65), json!(1))).unwrap_err(), ErrorCode::PayloadTooLarge);
    assert_eq!(code(Publish::new("a", json!(long))), Err(ErrorCode::PayloadTooLarge));
    assert_eq!(
        code(Publish::new("a", json!([long[..4000], long[..4000], long[..4000]]))),
        Err(ErrorCode::PayloadTooLarge)
    );
    let keyed = Publish { idempotency_key: Some("k".into()), ..Publish::new("a", json!(1)) };
    assert_eq!(code(keyed.clone()), Err(ErrorCode::InvalidMessage));
    assert!(code(keyed.keep()).is_ok());
}

// A8, N10: what a caller may not say, a changed program may not either.
#[test]
fn what_is_too_much_is_refused_and_counted() {
    let mut table = Table::joined(2);
    table.clear();
    let long = "x".repeat(4_000);
    let much = [
        ("k".repeat(65), json!(1)),
        (String::new(), json!(1)),
        ("a".into(), json!("x".repeat(5_000))),
        ("a".into(), json!([&long, &long, &long])),
    ];
    for (at, (kind, data)) in much.into_iter().enumerate() {
        let said = Said { relay: true, seq: Seq(500 + at as u64), incarnation: 1, kind, data: Raw::of(&data) };
        let verdict = table.frame(1, session(1), session(1), &Frame::Said(said).encode());
        assert_eq!((verdict, table.count(1, "said_over_limit")), (Verdict::Reject, at as u64 + 1));
    }
    assert_eq!(heard(&table, 1), []);
}

// R6: every frame is a sign of life.
#[test]
fn it_is_a_sign_of_life() {
    let mut table = Table::joined(2);
    table.lose = |_, _, frame| !matches!(frame, Frame::Said(_));
    for _ in 0..8 {
        table.pass(2_000);
        wave(&mut table, 0).unwrap();
    }
    assert_eq!(table.rows(1).len(), 2);
}
