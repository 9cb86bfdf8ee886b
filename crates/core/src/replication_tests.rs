//! Records from their owner to the others: who may appear, what repairs what, what is over for good (design R2 to R5,
//! R8).

use serde_json::json;

use crate::Join;
use crate::fixture::{Table, member, seat, session};
use crate::ids::Seq;
use crate::input::{DownCause, Input, Path, Verdict};
use crate::wire::{Frame, Leave, RecordChange};

/// A table, and a stranger that nobody is linked to, with the frame by which it joined.
fn with_stranger(count: u8) -> (Table, usize, Vec<u8>) {
    let mut table = Table::joined(count);
    let stranger = table.add(seat(77, "stranger", 77, 1, table.now));
    table.join(stranger, Join::new().presence(json!({"here": true}))).unwrap();
    let full = table.log.last().unwrap().2.clone();
    table.clear();
    (table, stranger, full)
}

fn delta(frame: &Frame) -> &RecordChange {
    match frame {
        Frame::Delta(delta) if delta.changes.len() == 1 => &delta.changes[0],
        other => panic!("{other:?}"),
    }
}

// R4: a delta carries enough of the recent past that one lost frame loses nothing.
#[test]
fn one_lost_delta_loses_nothing() {
    let mut table = Table::joined(2);
    table.lose = |_, _, frame| matches!(frame, Frame::Delta(_));
    table.presence(0, json!({"a": 1, "b": 1})).unwrap();
    table.pass(40);
    table.lose = |_, _, _| false;
    table.presence(0, json!({"b": 2})).unwrap();
    assert_eq!(table.seen(1, 0), Some(json!({"a": 1, "b": 2})));
    assert_eq!(table.count(1, "asks"), 0);
}

// R4: gap, ask, repaired.
#[test]
fn two_lost_deltas_are_asked_for() {
    let mut table = Table::joined(2);
    table.lose = |_, _, frame| matches!(frame, Frame::Delta(_));
    for step in 0..3 {
        table.presence(0, json!({ format!("k{step}"): step })).unwrap();
        table.pass(40);
    }
    table.lose = |_, _, _| false;
    table.presence(0, json!({"b": 2})).unwrap();
    assert_eq!(table.count(1, "delta_gap"), 1);
    assert_eq!(table.seen(1, 0), Some(json!({"k0": 0, "k1": 1, "k2": 2, "b": 2})));
}

// R4: a lost removal is repaired too, and so is a lost whole record.
#[test]
fn a_beat_tells_what_was_lost() {
    let mut table = Table::joined(2);
    table.presence(0, json!({"a": 1, "b": 1})).unwrap();
    table.pass(40);
    table.lose = |_, _, frame| matches!(frame, Frame::Delta(_) | Frame::Full(_));
    let unset = vec!["a".to_owned()];
    table.change(0, crate::PresenceChange { unset, ..crate::PresenceChange::default() }).unwrap();
    table.join(0, Join::new().metadata(json!({"m": 1}))).unwrap();
    table.lose = |_, _, _| false;
    table.pass(2_400);
    assert_eq!(table.seen(1, 0), Some(json!({"b": 1})));
    assert_eq!(table.rows(1)[0].record.metadata["m"], 1);
}

// R4: a lost whole record is not papered over by the delta after it, which cannot carry the member's metadata.
#[test]
fn a_delta_after_a_lost_full_shows_the_gap() {
    let mut table = Table::joined(2);
    table.lose = |_, _, frame| matches!(frame, Frame::Full(_));
    table.join(0, Join::new().metadata(json!({"m": 1}))).unwrap();
    table.lose = |_, _, _| false;
    table.presence(0, json!({"a": 1})).unwrap();
    assert_eq!(table.count(1, "delta_gap"), 1);
    assert_eq!(table.rows(1)[0].record.metadata["m"], 1);
}

// R4: heartbeats while changes wait for their turn make nobody ask.
#[test]
fn a_beat_before_its_delta_makes_nobody_ask() {
    let mut table = Table::joined(3);
    for step in 0..600 {
        table.presence(0, json!({ "n": step })).unwrap();
        table.presence(1, json!({ "n": step })).unwrap();
        table.pass(13);
        if step % 50 == 0 {
            // A whole record in between is no reason either.
            let (a, b) = (table.seats[0].session, table.seats[1].session);
            table.input(0, Input::LinkUp { peer: b, loopback: false });
            table.input(1, Input::LinkUp { peer: a, loopback: false });
        }
    }
    assert_eq!((0..3).map(|at| table.count(at, "asks")).sum::<u64>(), 0);
}

// R4 F8: versions decide, not the order of arrival.
#[test]
fn no_field_goes_back_whatever_comes_late() {
    let mut table = Table::joined(2);
    for step in 1..=3 {
        table.presence(0, json!({ "n": step, format!("k{step}"): 1 })).unwrap();
        table.pass(40);
    }
    let frames: Vec<Vec<u8>> = table.log.iter().filter(|(at, ..)| *at == 0).map(|(.., bytes)| bytes.clone()).collect();
    table.clear();
    for bytes in frames.iter().rev().chain(&frames) {
        table.frame(1, session(1), session(1), bytes);
    }
    assert!(table.told(1).is_empty(), "{:?}", table.told(1));
    assert_eq!(table.seen(1, 0), Some(json!({"n": 3, "k1": 1, "k2": 1, "k3": 1})));
}

// R5, report N38, report N40: a heartbeat, a delta or a relayed record alone makes nobody appear.
#[test]
fn nobody_appears_at_second_hand() {
    let (mut table, stranger, full) = with_stranger(2);
    let author = table.seats[stranger].session;
    let beat = {
        table.pass(3_000);
        table.log.iter().find(|(at, _, bytes)| *at == stranger && bytes[1] == 2).unwrap().2.clone()
    };
    table.clear();
    for bytes in [&full, &beat, &full] {
        assert!(matches!(table.frame(0, author, session(2), bytes), Verdict::Accept | Verdict::Ignore));
    }
    assert_eq!(table.rows(0).len(), 2);
    assert!(table.told(0).is_empty());
    // It asks instead, once in two seconds.
    assert_eq!(table.sent(0, 5).len(), 1);
    table.pass(1_900);
    table.frame(0, author, session(2), &full);
    assert_eq!(table.sent(0, 5).len(), 1);
    table.pass(200);
    table.frame(0, author, session(2), &full);
    assert_eq!(table.sent(0, 5).len(), 2);
}

// R5: the answer that echoes this observer's nonce does, over however many relays.
#[test]
fn an_answer_to_this_observer_makes_a_member_appear() {
    let (mut table, stranger, full) = with_stranger(2);
    let author = table.seats[stranger].session;
    table.frame(0, author, session(2), &full);
    let ask = table.sent(0, 5)[0].encode();
    table.clear();
    let verdict = table.frame(stranger, session(1), session(2), &ask);
    assert_eq!(verdict, Verdict::Accept);
    let answer = table.sent(stranger, 4)[0].encode();
    // Somebody else's answer proves nothing to this one.
    table.frame(1, author, session(1), &answer);
    assert_eq!(table.rows(1).len(), 2);
    table.frame(0, author, session(2), &answer);
    assert_eq!(table.told(0), ["joined stranger"]);
    assert_eq!(table.rows(0).len(), 3);
}

// R5: only the owner answers, and not as often as anybody likes.
#[test]
fn an_ask_is_answered_by_its_owner_and_not_too_often() {
    let (mut table, stranger, full) = with_stranger(2);
    table.frame(0, table.seats[stranger].session, session(2), &full);
    let ask = table.sent(0, 5)[0].encode();
    table.clear();
    assert_eq!(table.frame(1, session(1), session(1), &ask), Verdict::Accept, "passed on");
    assert!(table.log.is_empty());
    for _ in 0..100 {
        table.frame(stranger, session(1), session(2), &ask);
    }
    assert_eq!(table.sent(stranger, 4).len(), 1);
    assert_eq!(table.count(stranger, "asked_too_often"), 99);
    table.pass(1_000);
    table.clear();
    table.frame(stranger, session(1), session(2), &ask);
    assert_eq!(table.sent(stranger, 4).len(), 1);
}

// R8, report N24: no older frame brings back who left.
#[test]
fn a_leave_buries_for_good() {
    let mut table = Table::joined(2);
    table.join(0, Join::new().presence(json!({"a": 1}))).unwrap();
    table.presence(0, json!({"a": 2})).unwrap();
    table.pass(2_500);
    let old: Vec<Vec<u8>> = table.log.iter().filter(|(at, ..)| *at == 0).map(|(.., bytes)| bytes.clone()).collect();
    table.clear();
    table.leave(0).unwrap();
    table.pass(1_000);
    assert_eq!(table.told(1), ["left person 0 Left"]);
    assert_eq!(table.sent(0, 3).len(), 3, "sent three times");
    for bytes in &old {
        table.frame(1, session(1), session(1), bytes);
    }
    assert_eq!(table.told(1), ["left person 0 Left"]);
    assert_eq!(table.rows(1).len(), 1);
}

// R8 F8: also when the leave arrives first.
#[test]
fn a_leave_before_its_join_counts() {
    let (mut table, stranger, full) = with_stranger(2);
    let author = table.seats[stranger].session;
    let leave = Frame::Leave(Leave { seq: Seq(9), incarnation: 1, expired: false }).encode();
    assert_eq!(table.frame(0, author, author, &leave), Verdict::Accept);
    table.frame(0, author, author, &full);
    assert_eq!(table.rows(0).len(), 2);
    assert!(table.told(0).is_empty());
    // A new incarnation is another record.
    table.leave(stranger).unwrap();
    table.clear();
    table.join(stranger, Join::new()).unwrap();
    let again = table.sent(stranger, 4)[0].encode();
    table.frame(0, author, author, &again);
    assert_eq!(table.told(0), ["joined stranger"]);
}

// R8: a later incarnation ends the earlier ones of its session, in whatever order its frames come.
#[test]
fn frames_of_two_incarnations_may_overtake_each_other() {
    let mut table = Table::joined(2);
    table.join(0, Join::new().presence(json!({"n": 1}))).unwrap();
    let first = table.sent(0, 4)[0].encode();
    table.lose = |_, _, _| true;
    table.leave(0).unwrap();
    table.pass(500);
    table.clear();
    table.join(0, Join::new().presence(json!({"n": 2}))).unwrap();
    let second = table.sent(0, 4)[0].encode();
    table.pass(2_500);
    let beat = table.sent(0, 2).pop().unwrap().encode();
    table.clear();
    for bytes in [&beat, &second, &first] {
        table.frame(1, session(1), session(1), bytes);
    }
    assert_eq!(table.told(1), [r#"updated person 0 ["n"]"#]);
    table.leave(0).unwrap();
    let leave = table.sent(0, 3)[0].encode();
    for bytes in [&leave, &first, &second] {
        table.frame(1, session(1), session(1), bytes);
    }
    assert_eq!(table.told(1), [r#"updated person 0 ["n"]"#, "left person 0 Left"]);
    // Whoever never heard of the first is not told of it by what comes late.
    let late = table.add(seat(40, "late", 40, 1, table.now));
    for bytes in [&second, &first] {
        table.frame(late, session(1), session(1), bytes);
    }
    assert_eq!(table.by_session(late).len(), 1);
    assert_eq!(table.told(late), ["joined person 0"]);
}

// R5, report N38: an answer that comes long after its question proves nothing: its author may be gone by now.
#[test]
fn an_answer_is_good_for_a_while_only() {
    let (mut table, stranger, full) = with_stranger(2);
    let author = table.seats[stranger].session;
    table.frame(0, author, session(2), &full);
    let ask = table.sent(0, 5)[0].encode();
    table.clear();
    table.frame(stranger, session(1), session(2), &ask);
    let answer = table.sent(stranger, 4)[0].encode();
    table.pass(5_000);
    table.clear();
    table.frame(0, author, session(2), &answer);
    assert!(table.told(0).is_empty());
    assert_eq!(table.sent(0, 5).len(), 1, "it asks again");
}

// R8: three times over 400 ms; if all three are lost, the next heartbeat tells.
#[test]
fn a_lost_leave_is_told_by_the_next_beat() {
    let mut table = Table::joined(2);
    let args = Join::new().member_id(member("desk"));
    table.join(0, args).unwrap();
    table.pass(2_500);
    table.clear();
    table.lose = |_, _, frame| matches!(frame, Frame::Leave(_));
    let leave = crate::Leave { member_id: Some(member("desk")) };
    table.call(0, |replica, who, now| replica.leave(who, leave, now)).unwrap();
    table.pass(2_500);
    assert_eq!(table.told(1), ["left person 0 Left"], "one of two members");
    table.leave(0).unwrap();
    table.pass(2_500);
    assert_eq!(table.told(1), ["left person 0 Left"; 2], "the last");
    assert_eq!(table.rows(1).len(), 1);
}

// R8, report N39: expiry buries with a floor: something newer may return, something older never.
#[test]
fn the_expired_return_with_something_newer_only() {
    let (mut table, stranger, full) = with_stranger(1);
    let author = table.seats[stranger].session;
    table.frame(0, author, author, &full);
    for step in 0..4 {
        table.presence(stranger, json!({ "n": step })).unwrap();
        table.pass(1_050);
        let bytes = table.log.iter().rev().find(|(at, _, bytes)| *at == stranger && bytes[1] == 1).unwrap().2.clone();
        table.frame(0, author, author, &bytes);
    }
    let mut old = vec![full];
    old.extend(table.log.iter().filter(|(at, ..)| *at == stranger).map(|(.., bytes)| bytes.clone()));
    assert_eq!(table.seen(0, stranger).unwrap()["n"], 3);
    table.pass(10_000);
    assert_eq!(table.rows(0).len(), 1, "expired");
    table.clear();
    for bytes in old.iter().filter(|bytes| bytes[1] != 2) {
        table.frame(0, author, author, bytes);
    }
    assert!(table.told(0).is_empty(), "{:?}", table.told(0));
    // Newer: it proves its life by a link, and is back with what it says now.
    table.link(0, stranger);
    assert_eq!(table.told(0), ["joined stranger"]);
    assert_eq!(table.seen(0, stranger).unwrap()["n"], 3);
    for bytes in &old {
        table.frame(0, author, author, bytes);
    }
    assert_eq!(table.told(0), ["joined stranger"], "and older frames change nothing");
}

// R2 G6 G7: a restart of the same profile replaces its older session, as an update.
#[test]
fn a_restart_replaces_at_once() {
    let mut table = Table::joined(2);
    let again = table.add(seat(50, "person 0", 1, 2, table.now));
    table.link(1, again);
    table.clear();
    table.join(again, Join::new().presence(json!({"new": true}))).unwrap();
    assert_eq!(table.rows(1).len(), 2);
    assert_eq!(table.by_session(1).len(), 2);
    assert_eq!(table.told(1), [r#"updated person 0 ["new"]"#]);
    // The old session is over as a whole, whatever it may still say.
    table.pass(30_000);
    assert_eq!(table.by_session(1).len(), 2);
    assert!(table.told(1).iter().all(|event| !event.starts_with("left") && !event.starts_with("joined")));
}

// R2: what the restart does not join again is gone, with its own reason.
#[test]
fn a_restart_ends_what_it_does_not_join_again() {
    let mut table = Table::joined(2);
    table.join(0, Join::new().member_id(member("desk"))).unwrap();
    let again = table.add(seat(50, "person 0", 1, 2, table.now));
    table.link(1, again);
    table.clear();
    table.join(again, Join::new()).unwrap();
    assert_eq!(table.told(1).last().unwrap(), "left person 0 Superseded");
    assert_eq!(table.rows(1).len(), 2);
}

// R2: equal counters retire nobody, another profile of the same person neither, and an older one comes too late.
#[test]
fn only_a_greater_boot_of_the_same_profile_retires() {
    for (profile, boot, sessions) in [(1, 1, 3), (9, 5, 3), (1, 2, 2)] {
        let mut table = Table::joined(2);
        let other = table.add(seat(50, "person 0", profile, boot, table.now));
        table.link(1, other);
        table.join(other, Join::new()).unwrap();
        assert_eq!(table.by_session(1).len(), sessions, "profile {profile} boot {boot}");
    }
    // The later one is known first.
    let mut table = Table::of(1);
    let later = table.add(seat(50, "person", 9, 2, table.now));
    let earlier = table.add(seat(51, "person", 9, 1, table.now));
    table.link(0, later);
    table.join(later, Join::new()).unwrap();
    table.join(earlier, Join::new()).unwrap();
    table.link(0, earlier);
    assert_eq!(table.by_session(0).len(), 1);
    assert_eq!(table.count(0, "session_outlived"), 1);
}

// R2: the later run itself takes no record of an earlier one either, whether that one knows or not.
#[test]
fn a_later_run_ignores_its_predecessor() {
    let mut table = Table::joined(1);
    table.join(0, Join::new()).unwrap();
    let full = table.sent(0, 4)[0].encode();
    let later = table.add(seat(50, "person 0", 1, 2, table.now));
    table.frame(later, session(1), session(1), &full);
    assert!(table.rows(later).is_empty());
    assert_eq!(table.count(later, "session_outlived"), 1);
    assert_eq!(table.count(later, "identity_cloned"), 1);
}

// R3: the links of a closed room: unsubscribing is a closed link too.
#[test]
fn who_unsubscribes_without_a_word_leaves_by_its_link() {
    let mut table = Table::joined(2);
    table.lose = |from, _, _| from == 0;
    table.close(1, 0, DownCause::Unsubscribed);
    table.pass(5_000);
    assert_eq!(table.told(1), ["stale person 0", "left person 0 Disconnected"]);
}

// A7: the first frame after a pause goes at once, also by the other path.
#[test]
fn a_delta_names_what_it_covers() {
    let mut table = Table::joined(2);
    table.presence(0, json!({"a": 1})).unwrap();
    table.pass(40);
    table.presence(0, json!({"b": 1})).unwrap();
    table.pass(40);
    table.presence(0, json!({"c": 1})).unwrap();
    let frames = table.sent(0, 1);
    let keys = |at: usize| delta(&frames[at]).fields.iter().map(|change| change.key.0.clone()).collect::<Vec<_>>();
    assert_eq!(
        (keys(0), keys(1), keys(2)),
        (vec!["a".into()], vec!["a".into(), "b".into()], vec!["b".into(), "c".into()])
    );
    assert_eq!(delta(&frames[2]).span, 2);
}

#[test]
fn a_frame_of_our_own_is_ignored() {
    let mut table = Table::joined(1);
    table.presence(0, json!({"a": 1})).unwrap();
    let bytes = table.log.last().unwrap().2.clone();
    table.clear();
    let frame = Input::Frame { author: session(1), via: session(2), path: Path::Gossip, bytes };
    assert_eq!(table.input(0, frame), Verdict::Ignore);
    assert!(table.told(0).is_empty());
}
