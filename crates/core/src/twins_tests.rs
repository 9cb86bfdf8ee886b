//! A copied profile that runs twice (design R2, report M8): both are told, once, and the earlier start only looks on.

use serde_json::json;

use crate::fixture::{Table, seat, session};
use crate::ids::SessionId;
use crate::input::{DownCause, Input, Verdict};
use crate::view::Cloned;
use crate::wire::{Frame, Introduction};
use crate::{ErrorCode, Join, Seq};

/// Person 0 and person 1 in a room, and a copy of person 0 that was started later and is not linked to anybody yet.
fn copied(boot: u64) -> (Table, usize) {
    let mut table = Table::joined(2);
    let copy = table.add(seat(50, "person 0", 1, boot, table.now));
    (table, copy)
}

/// What a seat was told of its profile, in order.
fn said(table: &Table, at: usize) -> Vec<String> {
    table.told(at).into_iter().filter(|event| event.starts_with("cloned")).collect()
}

fn shown(table: &Table, at: usize) -> Option<Cloned> {
    table.seats[at].replica.snapshot().cloned
}

// R2 M8: the later start speaks, the earlier becomes read-only, both are told once, and nobody sees anybody flap.
#[test]
fn both_are_told_once_and_the_earlier_is_read_only() {
    let (mut table, copy) = copied(2);
    table.link(1, copy);
    table.link(0, copy);
    table.join(copy, Join::new()).unwrap();
    assert_eq!(said(&table, 0), ["cloned by 1, read-only"]);
    assert_eq!(said(&table, copy), ["cloned by 1"]);
    assert!(said(&table, 1).is_empty(), "it is nobody else's concern");
    assert!(table.count(0, "identity_cloned") > 0 && table.count(copy, "identity_cloned") > 0);

    assert_eq!(table.presence(0, json!({"a": 1})).unwrap_err().code, ErrorCode::IdentityCloned);
    assert_eq!(table.join(0, Join::new()).unwrap_err().code, ErrorCode::IdentityCloned);
    assert!(!table.leave(0).unwrap().left, "leaving always succeeds");
    table.presence(copy, json!({"a": 1})).unwrap();
    let at_first = shown(&table, 0).unwrap();
    assert_eq!(at_first.others, [session(50).to_string()]);
    table.clear();
    table.pass(60_000);
    for at in 0..3 {
        assert_eq!(table.by_session(at).len(), 2, "at {at}");
        assert!(table.told(at).is_empty(), "no flapping: {:?}", table.told(at));
    }
    assert_eq!(shown(&table, 0), Some(at_first), "still, and since then");
}

// R2 M8: whoever only looks on is told too, and tells: it has no record by which it could be known.
#[test]
fn whoever_only_looks_on_is_told_too() {
    for member in [0, 2] {
        let mut table = Table::of(2);
        let copy = table.add(seat(50, "person 0", 1, 2, table.now));
        table.link(0, copy);
        table.join(member, Join::new()).unwrap();
        assert_eq!(said(&table, 0), ["cloned by 1, read-only"], "{member} is a member");
        assert_eq!(said(&table, copy), ["cloned by 1"], "{member} is a member");
    }
}

// R2 M8: also when the two have no link and hear of each other by way of somebody else only.
#[test]
fn a_twin_without_a_link_is_found_by_way_of_others() {
    let (mut table, copy) = copied(2);
    table.link(1, copy);
    table.join(copy, Join::new()).unwrap();
    let full = table.sent(copy, 4)[0].encode();
    table.frame(0, session(50), session(2), &full);
    assert!(said(&table, 0).is_empty(), "a record at second hand proves no life");
    let Frame::Ask(ask) = table.sent(0, 5).pop().unwrap() else { panic!("asked") };
    table.frame(copy, session(1), session(2), &Frame::Ask(ask).encode());
    let answer = table.sent(copy, 4).pop().unwrap().encode();
    table.frame(0, session(50), session(2), &answer);
    assert_eq!(said(&table, 0), ["cloned by 1, read-only"]);
    let introduction = table.sent(0, 10).pop().unwrap().encode();
    assert_eq!(table.frame(copy, session(1), session(2), &introduction), Verdict::Accept);
    assert_eq!(said(&table, copy), ["cloned by 1"]);
    assert_eq!(table.frame(1, session(1), session(1), &introduction), Verdict::Accept, "others pass it on");
    assert!(said(&table, 1).is_empty());
}

// R2: it is over when the other closed its link five seconds ago. Who goes on is told; who was outranked is told
// that the other is gone, and looks on until its process begins another session.
#[test]
fn it_is_over_when_the_other_is_gone() {
    let (mut table, copy) = copied(2);
    table.link(0, copy);
    table.join(copy, Join::new()).unwrap();
    table.clear();
    table.lose = |_, _, _| true;
    table.pass(20_000);
    assert!(said(&table, 0).is_empty() && said(&table, copy).is_empty(), "a link without a word is a link");
    for (at, peer) in [(0, copy), (copy, 0)] {
        table.close(at, peer, DownCause::Closed);
    }
    table.pass(4_900);
    assert!(said(&table, 0).is_empty() && said(&table, copy).is_empty(), "it may come back");
    table.pass(200);
    assert_eq!(said(&table, copy), ["cloned no more"]);
    assert_eq!(said(&table, 0), ["cloned by 0, read-only"]);
    assert_eq!(table.join(0, Join::new()).unwrap_err().code, ErrorCode::IdentityCloned);
    table.clear();
    table.pass(60_000);
    assert!(said(&table, 0).is_empty() && said(&table, copy).is_empty());
}

// R2, R9: a link that comes back within ten seconds, a sleep and an own outage end nothing, so nothing is said twice.
#[test]
fn what_comes_back_was_not_gone() {
    let (mut table, copy) = copied(2);
    table.link(0, copy);
    table.join(copy, Join::new()).unwrap();
    table.clear();
    let quiet = |table: &Table, why: &str| {
        assert!(said(table, 0).is_empty() && said(table, copy).is_empty(), "{why}");
    };
    for (at, peer) in [(0, copy), (copy, 0)] {
        table.close(at, peer, DownCause::TimedOut);
    }
    table.pass(8_000);
    table.link(0, copy);
    table.pass(60_000);
    quiet(&table, "a link that came back");

    for at in [0, copy] {
        table.input(at, Input::OwnOutage(true));
    }
    for (at, peer) in [(0, copy), (copy, 0)] {
        table.close(at, peer, DownCause::TimedOut);
    }
    table.pass(60_000);
    for at in [0, copy] {
        table.input(at, Input::OwnOutage(false));
    }
    table.pass(5_000);
    quiet(&table, "own outage");

    table.now += 3_600_000;
    for at in 0..3 {
        table.input(at, Input::Resumed);
    }
    table.pass(5_000);
    quiet(&table, "sleep");
    table.link(0, copy);
    table.pass(60_000);
    quiet(&table, "a link after all that");
}

// R2: by way of others it is heard that a twin lives, though its frames are refused because it is retired.
#[test]
fn a_twin_that_is_heard_by_way_of_others_is_there() {
    let (mut table, copy) = copied(2);
    table.link(0, copy);
    table.join(copy, Join::new()).unwrap();
    for (at, peer) in [(0, copy), (copy, 0)] {
        table.close(at, peer, DownCause::Closed);
    }
    table.clear();
    for _ in 0..10 {
        table.pass(4_000);
        let beat = table.sent(0, 2).pop().unwrap().encode();
        table.frame(copy, session(1), session(2), &beat);
    }
    assert!(said(&table, copy).is_empty());
    // The same frame again is no sign of life.
    let beat = table.sent(0, 2).pop().unwrap().encode();
    for _ in 0..4 {
        table.pass(4_000);
        table.frame(copy, session(1), session(2), &beat);
    }
    assert_eq!(said(&table, copy), ["cloned no more"]);
}

// R2: the boot counters say who goes on. Equal ones: nobody is read-only, and both are told all the same.
#[test]
fn equal_starts_are_told_and_both_speak() {
    let (mut table, copy) = copied(1);
    table.link(0, copy);
    table.link(1, copy);
    table.join(copy, Join::new()).unwrap();
    assert_eq!(said(&table, 0), ["cloned by 1"]);
    assert_eq!(said(&table, copy), ["cloned by 1"]);
    table.presence(0, json!({"a": 1})).unwrap();
    table.presence(copy, json!({"b": 1})).unwrap();
}

// R2: the process is read-only, not only one room of it, and is so from the first moment of a room that it opens later.
#[test]
fn every_room_of_an_outranked_process_is_read_only() {
    let mut table = Table::joined(2);
    table.call(0, |replica, _, now| replica.outrank(now));
    assert_eq!(table.told(0), ["left person 0 Superseded", "cloned by 0, read-only"]);
    assert_eq!(table.told(1), ["left person 0 Left"]);
    assert_eq!(table.join(0, Join::new()).unwrap_err().code, ErrorCode::IdentityCloned);
    table.clear();
    table.call(0, |replica, _, now| replica.outrank(now));
    table.pass(5_000);
    assert!(table.told(0).is_empty() && table.sent(0, 2).len() >= 2, "it still says that it is there");
}

// R2: a room that was closed and is opened again knows nobody; the other says who it is as soon as there is a link.
#[test]
fn a_room_that_is_opened_again_learns_of_its_twin() {
    let (mut table, copy) = copied(2);
    table.link(0, copy);
    table.join(copy, Join::new()).unwrap();
    table.leave(copy).unwrap();
    table.seats[0].replica = seat(1, "person 0", 1, 1, table.now).replica;
    table.close(copy, 0, DownCause::Unsubscribed);
    table.clear();
    table.link(0, copy);
    assert_eq!(said(&table, 0), ["cloned by 1, read-only"]);
    assert!(said(&table, copy).is_empty(), "it never was over");
}

// R2, R3: another identity, another profile of the same person, a restart and a stranger's word are no twin.
#[test]
fn only_the_same_profile_of_the_same_person_is_a_twin() {
    for (person, profile) in [("person 1", 1), ("person 0", 7)] {
        let mut table = Table::joined(1);
        let other = table.add(seat(50, person, profile, 2, table.now));
        table.link(0, other);
        table.join(other, Join::new()).unwrap();
        assert!(said(&table, 0).is_empty() && said(&table, other).is_empty(), "{person} {profile}");
    }
    let mut table = Table::joined(1);
    let certificate = |at: usize| table.seats[at].replica.config.certificate.clone();
    let own = certificate(0);
    let said_to = |to: SessionId, change: fn(&mut crate::Certificate)| {
        let mut certificate = seat(50, "person 0", 1, 2, 0).replica.config.certificate.clone();
        change(&mut certificate);
        Frame::Introduction(Box::new(Introduction { to, seq: Seq(1), certificate })).encode()
    };
    let lies: [(&str, Vec<u8>); 3] = [
        ("a boot counter that was raised", said_to(own.session, |held| held.boot = 9)),
        ("another profile", said_to(own.session, |held| held.profile = [9; 16])),
        ("another person", said_to(own.session, |held| held.identity = crate::PublicKey([9; 32]))),
    ];
    for (lie, frame) in lies {
        assert_eq!(table.frame(0, session(50), session(50), &frame), Verdict::Reject, "{lie}");
        assert!(said(&table, 0).is_empty(), "{lie}");
    }
    let another = said_to(own.session, |_| {});
    assert_eq!(table.frame(0, session(51), session(51), &another), Verdict::Reject, "a certificate of another session");
    assert!(said(&table, 0).is_empty());
    let elsewhere = said_to(session(9), |_| {});
    assert_eq!(table.frame(0, session(50), session(50), &elsewhere), Verdict::Accept, "it is not for us");
    assert!(said(&table, 0).is_empty());
    table.frame(0, session(50), session(50), &said_to(own.session, |_| {}));
    assert_eq!(said(&table, 0), ["cloned by 1, read-only"]);
}

// N10: however many copies there are, no more than a few are told apart.
#[test]
fn many_copies_are_one_piece_of_news_at_a_time() {
    let mut table = Table::joined(1);
    for number in 0..40 {
        let copy = table.add(seat(50 + number, "person 0", 1, 2 + u64::from(number), table.now));
        table.link(0, copy);
        table.join(copy, Join::new()).unwrap();
    }
    assert_eq!(shown(&table, 0).unwrap().others.len(), 8);
    assert_eq!(said(&table, 0).len(), 8);
}
