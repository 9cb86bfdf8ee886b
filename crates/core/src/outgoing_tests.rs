//! What a session tells, and how often (design A7, R5, R6).

use serde_json::json;

use crate::fixture::{FakeSigner, Table, member, session};
use crate::ids::SessionId;
use crate::input::{Input, Path};
use crate::proof::LocalActor;
use crate::wire::{Ask, Beat, Frame, Pulse};
use crate::{Join, Lease, PresenceChange, Rev, Seq};

/// Guests of seat 0, all members.
fn guests(table: &mut Table, count: usize) -> Vec<LocalActor> {
    let host = table.seats[0].who.actor.user_id.clone();
    let guests: Vec<LocalActor> = (0..count)
        .map(|at| LocalActor::guest(FakeSigner::of(&format!("guest {at}")), &format!("guest {at}"), host.clone()))
        .collect();
    for guest in &guests {
        table.call(0, |replica, _, now| replica.join(guest, Join::new(), Lease::Own, now)).unwrap();
    }
    table.pass(3_000);
    table.clear();
    guests
}

/// Everybody of `guests` moves every millisecond for two seconds; the frames of it.
fn all_move(table: &mut Table, guests: &[LocalActor], padding: usize) -> usize {
    for step in 0..2_000 {
        let guest = &guests[step % guests.len()];
        let change = PresenceChange::new(json!({ "n": step, "padding": "x".repeat(padding), "k": step % 7 }));
        table.call(0, |replica, _, now| replica.presence(guest, change, now)).unwrap();
        table.pass(1);
    }
    table.pass(2_500);
    table.sent(0, 1).len() + table.sent(0, 4).len()
}

// A7: the rate is one of the session: many members who move share its frames, and each last value arrives.
#[test]
fn many_members_of_a_session_share_its_turns() {
    let mut table = Table::joined(2);
    let guests = guests(&mut table, 20);
    let frames = all_move(&mut table, &guests, 0);
    assert!((55..=64).contains(&frames), "{frames} frames in two seconds");
    for (at, guest) in guests.iter().enumerate() {
        let user = guest.actor.user_id.clone();
        let row = table.rows(1).into_iter().find(|row| row.actor.user_id == user).unwrap();
        assert_eq!(row.record.presence["n"], 1_980 + at, "guest {at}");
    }
    assert_eq!(table.count(1, "asks"), 0);
}

// A7: what does not fit one frame takes more than one turn, so that the rate holds all the same.
#[test]
fn frames_beyond_the_first_cost_turns() {
    let mut table = Table::joined(2);
    let guests = guests(&mut table, 20);
    let frames = all_move(&mut table, &guests, 1_500);
    assert!((50..=66).contains(&frames), "{frames} frames in two seconds");
    assert_eq!(table.rows(0).len(), table.rows(1).len());
    for row in table.rows(0) {
        let seen = table.rows(1).into_iter().find(|other| other.key() == row.key()).unwrap();
        assert_eq!(seen.record.presence, row.record.presence);
    }
}

// A7: thirty a second are thirty, though timers count whole milliseconds, and a caller at that rate waits for none.
#[test]
fn a_caller_at_the_rate_is_never_held_back() {
    let mut table = Table::joined(2);
    for step in 0..300u64 {
        let at = step * 100 / 3;
        table.pass((1_000 + 3_000 + at).saturating_sub(table.now));
        table.presence(0, json!({ "n": step })).unwrap();
        table.pass(1);
        assert_eq!(table.seen(1, 0), Some(json!({ "n": step })), "step {step}");
    }
    assert_eq!(table.sent(0, 1).len(), 300);
}

// A7: in a big room all members together send at most 240 a second; nobody less than one.
#[test]
fn the_rate_falls_with_the_room() {
    let rate = |others: u8| {
        let mut table = Table::joined(1);
        for number in 0..others {
            let author = SessionId([100 + number; 32]);
            table.input(0, Input::LinkUp { peer: author, loopback: false });
        }
        for turn in 0..5 {
            for number in 0..others {
                let author = SessionId([100 + number; 32]);
                let pulse = Pulse { count: 0, records: 0, cells: 0, links: 0 };
                let beat = Beat { relay: false, seq: Seq(turn + 1), rev: Rev(0), pulse };
                table.frame(0, author, author, &Frame::Beat(beat).encode());
            }
            for step in 0..2_000 {
                table.presence(0, json!({ "n": turn * 2_000 + step })).unwrap();
                table.pass(1);
            }
        }
        table.sent(0, 1).len() as f64 / 10.0
    };
    for (others, expected) in [(1, 30.0), (8, 30.0), (16, 15.0), (60, 4.0), (120, 2.0)] {
        let rate = rate(others);
        assert!((rate - expected).abs() <= 0.06 * expected + 0.2, "{others} others: {rate} a second, not {expected}");
    }
}

// R5, design N10: sessions that somebody invents do not make this peer ask for each of them.
#[test]
fn invented_sessions_are_not_all_asked() {
    let mut table = Table::joined(2);
    for number in 0..2_000u32 {
        let mut id = [9; 32];
        id[..4].copy_from_slice(&number.to_le_bytes());
        let pulse = Pulse { count: 1, records: 7, cells: 0, links: 0 };
        let beat = Frame::Beat(Beat { relay: false, seq: Seq(2), rev: Rev(0), pulse }).encode();
        table.frame(0, SessionId(id), session(2), &beat);
    }
    let asks = table.sent(0, 5).len();
    assert!((1..=64).contains(&asks), "{asks}");
    assert!(table.count(0, "asks_held_back") > 1_000);
    // A neighbour is still asked, by its own link.
    table.lose = |_, _, frame| matches!(frame, Frame::Delta(_));
    table.presence(1, json!({"n": 1})).unwrap();
    table.lose = |_, _, _| false;
    table.pass(2_500);
    assert_eq!(table.seen(0, 1), Some(json!({"n": 1})));
}

// R5, design N10: an answer is many times the size of a question, so those who ask at once are answered together.
#[test]
fn many_questions_get_few_answers_and_each_is_answered() {
    let mut table = Table::joined(1);
    for desk in 0..10 {
        table.join(0, Join::new().member_id(member(&format!("desk {desk}")))).unwrap();
    }
    table.pass(3_000);
    table.clear();
    let ask =
        |number: u8| (SessionId([100 + number; 32]), Frame::Ask(Ask { of: session(1), nonce: u64::from(number) }));
    for number in 0..6 {
        let (author, frame) = ask(number);
        table.frame(0, author, session(99), &frame.encode());
    }
    table.pass(300);
    let answers = table.sent(0, 4);
    assert_eq!(answers.len(), 2 * 11, "the first at once, the others together");
    for number in 0..6u64 {
        let named = |frame: &&Frame| matches!(frame, Frame::Full(full) if full.echo.contains(&number));
        assert_eq!(answers.iter().filter(named).count(), 11, "question {number}");
    }
    // A crowd that asks all the time.
    table.clear();
    for round in 0..40u8 {
        for number in 0..100 {
            let author = SessionId([100 + number; 32]);
            let nonce = u64::from(round) * 1000 + u64::from(number);
            let bytes = Frame::Ask(Ask { of: session(1), nonce }).encode();
            table.frame(0, author, session(99), &bytes);
        }
        table.pass(25);
    }
    assert!(table.sent(0, 4).len() <= 6 * 11, "{}", table.sent(0, 4).len());
    // By its own link somebody is answered alone, and at once.
    table.clear();
    let peer = SessionId([7; 32]);
    table.input(0, Input::LinkUp { peer, loopback: false });
    table.clear();
    let bytes = Frame::Ask(Ask { of: session(1), nonce: 5 }).encode();
    table.input(0, Input::Frame { author: peer, via: peer, path: Path::Direct, bytes });
    assert_eq!(table.log.iter().filter(|(_, to, bytes)| *to == Some(peer) && bytes[1] == 4).count(), 11);
}
