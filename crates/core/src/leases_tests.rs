//! Who is alive, by the observer's own clock alone (design R6, R7, R9).

use serde_json::json;

use crate::fixture::{Table, seat, session};
use crate::input::{DownCause, Input};
use crate::limits::STALE_MS;
use crate::wire::{Beat, Frame, Leave, Pulse};
use crate::{Join, Lease, MemberState, MembersQuery, PresenceChange, Seq};

/// Nothing gets through to anybody.
fn silence(table: &mut Table) {
    table.lose = |_, _, _| true;
    table.clear();
}

/// Milliseconds until something is told at a seat.
fn until_told(table: &mut Table, at: usize) -> u64 {
    let began = table.now;
    while table.told(at).is_empty() {
        table.pass(1);
        assert!(table.now - began < 60_000);
    }
    table.now - began
}

// R6 G2 G3 G10: stale after five seconds, gone after ten, with no traffic at all, and by the same event as a leave.
#[test]
fn silence_greys_and_then_removes() {
    let mut table = Table::joined(2);
    table.presence(0, json!({"a": 1})).unwrap();
    silence(&mut table);
    assert_eq!(until_told(&mut table, 1), STALE_MS);
    assert_eq!(table.told(1), ["stale person 0"]);
    assert_eq!(table.rows(1).len(), 2, "stale ones are listed");
    table.clear();
    assert_eq!(until_told(&mut table, 1), 5_000);
    assert_eq!(table.told(1), ["left person 0 Timeout"]);
    assert_eq!(table.rows(1).len(), 1);
}

// R6: every frame is a sign of life, and one brings back whoever was stale.
#[test]
fn any_newer_frame_is_a_sign_of_life() {
    let mut table = Table::joined(2);
    silence(&mut table);
    table.pass(6_000);
    assert_eq!(table.told(1), ["stale person 0"]);
    table.lose = |_, _, _| false;
    table.presence(0, json!({"a": 1})).unwrap();
    assert_eq!(table.told(1), ["stale person 0", "active person 0", r#"updated person 0 ["a"]"#]);
    // An old one is none.
    let old = table.log.last().unwrap().2.clone();
    silence(&mut table);
    for _ in 0..11 {
        table.pass(1_000);
        table.frame(1, session(1), session(1), &old);
    }
    assert_eq!(table.told(1), ["stale person 0", "left person 0 Timeout"]);
}

// R6: heartbeats every two seconds, a fifth more or less.
#[test]
fn beats_are_jittered_by_a_fifth() {
    let mut table = Table::joined(1);
    let mut last = None;
    for _ in 0..60 {
        table.clear();
        while table.sent(0, 2).is_empty() {
            table.pass(1);
        }
        if let Some(last) = last.replace(table.now) {
            assert!((1_600..=2_400).contains(&(table.now - last)), "{}", table.now - last);
        }
    }
}

// R6: a closed link greys at once and ends after five seconds, unless newer frames still come another way.
#[test]
fn a_closed_link_ends_after_five_seconds() {
    let mut table = Table::joined(2);
    silence(&mut table);
    table.close(1, 0, DownCause::Closed);
    assert_eq!(table.told(1), ["stale person 0"]);
    table.clear();
    assert_eq!(until_told(&mut table, 1), 5_000);
    assert_eq!(table.told(1), ["left person 0 Disconnected"]);

    let mut table = Table::joined(3);
    table.close(1, 0, DownCause::Closed);
    table.clear();
    for step in 0..8 {
        table.presence(0, json!({ "n": step })).unwrap();
        let bytes = table.log.iter().rev().find(|(at, ..)| *at == 0).unwrap().2.clone();
        table.frame(1, session(1), session(3), &bytes);
        table.pass(1_500);
    }
    assert!(table.rows(1).len() == 3 && table.told(1).iter().all(|event| !event.starts_with("left")));
    assert_eq!(table.seen(1, 0), Some(json!({ "n": 7 })));
}

// R6 F2 F5: a link that is back in time is a short grey and nothing else.
#[test]
fn a_link_that_comes_back_takes_nobody() {
    let mut table = Table::joined(2);
    table.close(1, 0, DownCause::Closed);
    table.close(0, 1, DownCause::Closed);
    table.pass(4_000);
    table.link(0, 1);
    table.pass(20_000);
    assert_eq!(table.told(1), ["stale person 0", "active person 0"]);
}

// R6 F18: my own records never expire, and the sweep of others does not take them.
#[test]
fn own_records_never_expire() {
    let mut table = Table::joined(1);
    table.clear();
    table.pass(3_600_000);
    assert!(table.told(0).is_empty());
    assert_eq!(table.rows(0).len(), 1);
}

// R6 C1 C2: no clock of anybody else expires anybody.
#[test]
fn wall_clocks_a_day_off_change_nothing() {
    let mut table = Table::joined(3);
    let day = 24 * 3_600_000;
    let walls = [1_800_000_000_000 + day, 1_800_000_000_000 - day, 0];
    for (at, unix_ms) in walls.into_iter().enumerate() {
        table.input(at, Input::Wall { unix_ms });
    }
    table.clear();
    for round in 0..20 {
        table.presence(round % 3, json!({ "n": round })).unwrap();
        table.pass(1_000);
    }
    for at in 0..3 {
        assert_eq!(table.rows(at).len(), 3);
        assert!(table.told(at).iter().all(|event| event.starts_with("updated")), "{:?}", table.told(at));
    }
    // A heartbeat of a record that joined by a clock of the far future is taken like any other.
    table.input(0, Input::Wall { unix_ms: u64::MAX });
    table.leave(0).unwrap();
    table.join(0, Join::new()).unwrap();
    assert_eq!(table.rows(1).len(), 3);
}

// R7: a client lease is renewed by its actor's requests, and its end is told as such.
#[test]
fn a_client_lease_runs_out() {
    let mut table = Table::joined(2);
    let guest = table.seats[0].guest.clone();
    let join = |table: &mut Table| {
        let guest = guest.clone();
        let args = Join::new().ttl_seconds(5);
        table.call(0, |replica, _, now| replica.join(&guest, args, Lease::Client, now)).unwrap();
    };
    join(&mut table);
    for _ in 0..3 {
        table.pass(4_900);
        let user = guest.actor.user_id.clone();
        table.call(0, |replica, _, now| replica.touch(&user, now));
    }
    for _ in 0..3 {
        table.pass(4_900);
        table.call(0, |replica, _, now| replica.presence(&guest, PresenceChange::default(), now)).unwrap();
    }
    assert_eq!(table.rows(1).len(), 3);
    // A request of the actor renews all of its members here.
    let args = Join::new().member_id(crate::fixture::member("desk")).ttl_seconds(5);
    table.call(0, |replica, _, now| replica.join(&guest, args, Lease::Client, now)).unwrap();
    for _ in 0..3 {
        table.pass(4_900);
        let member_id = Some(crate::fixture::member("desk"));
        let change = PresenceChange { member_id, ..PresenceChange::default() };
        table.call(0, |replica, _, now| replica.presence(&guest, change, now)).unwrap();
    }
    assert_eq!(table.rows(1).len(), 4);
    let leave = crate::Leave { member_id: Some(crate::fixture::member("desk")) };
    table.call(0, |replica, _, now| replica.leave(&guest, leave, now)).unwrap();
    // The requests of somebody else renew nothing.
    table.clear();
    table.pass(4_900);
    table.presence(0, json!({"a": 1})).unwrap();
    table.pass(101);
    let left = "left guest of person 0 Expired".to_owned();
    assert!(table.told(1).contains(&left), "{:?}", table.told(1));
    assert!(table.told(0).contains(&left), "{:?}", table.told(0));
    // And it can join again.
    join(&mut table);
    assert_eq!(table.rows(1).len(), 3);
    let answer = table.call(0, |replica, _, now| replica.leave(&guest, crate::Leave::default(), now)).unwrap();
    assert!(answer.left);
}

// A3 G14: a field with an expiry vanishes at every observer, its author included, also when the last word is lost.
#[test]
fn a_field_vanishes_by_itself() {
    let mut table = Table::joined(2);
    let typing = |table: &mut Table| {
        let expire = [("typing".to_owned(), 5_000)].into();
        let change = PresenceChange { expire, ..PresenceChange::new(json!({"typing": true, "name": "x"})) };
        table.change(0, change).unwrap();
    };
    typing(&mut table);
    table.pass(4_000);
    typing(&mut table);
    table.pass(4_000);
    assert_eq!(table.seen(1, 0), Some(json!({"typing": true, "name": "x"})), "refreshed while typing");
    silence(&mut table);
    table.pass(999);
    assert!(table.told(1).iter().all(|event| !event.starts_with("updated")));
    table.pass(1);
    assert_eq!(table.seen(1, 0), Some(json!({"name": "x"})));
    assert_eq!(table.seen(0, 0), Some(json!({"name": "x"})));
    assert_eq!(table.told(0).iter().filter(|event| event.starts_with("updated")).count(), 1);
    // It does not come back with the next frame, and nobody has to ask.
    table.lose = |_, _, _| false;
    let asked = table.count(1, "asks");
    table.pass(100);
    table.presence(0, json!({"other": 1})).unwrap();
    table.pass(3_000);
    assert_eq!(table.seen(1, 0), Some(json!({"name": "x", "other": 1})));
    assert_eq!(table.count(1, "asks"), asked);
}

// A3: writing a field without an expiry ends the expiry it had.
#[test]
fn a_field_written_plainly_stays() {
    let mut table = Table::joined(2);
    let expire = [("a".to_owned(), 1_000)].into();
    table.change(0, PresenceChange { expire, ..PresenceChange::new(json!({"a": 1})) }).unwrap();
    table.pass(100);
    table.presence(0, json!({"a": 1})).unwrap();
    table.pass(5_000);
    assert_eq!(table.seen(1, 0), Some(json!({"a": 1})));
    assert_eq!(table.seen(0, 0), Some(json!({"a": 1})));
}

// R9 F11, report N48, report N49: after sleep every lease restarts, own state is told at once, and who is really gone
// goes.
#[test]
fn nobody_expires_by_time_slept_through() {
    let mut table = Table::joined(3);
    table.clear();
    // Seat 1 sleeps for an hour; seat 2 is closed meanwhile, without a word to the sleeper.
    table.now += 3_600_000;
    let gone = table.seats.remove(2);
    drop(gone);
    let now = table.tick();
    table.seats[1].replica.handle(Input::Resumed, now);
    let told = table.told(1);
    assert!(told.is_empty(), "{told:?}");
    let other = table.seats[0].replica.handle(Input::Resumed, now);
    assert_eq!(other, crate::Verdict::Ignore);
    table.settle();
    assert_eq!(table.sent(1, 4).len(), 1, "own state is told at once");
    table.pass(9_900);
    assert_eq!(table.told(1), ["stale person 2"]);
    table.pass(200);
    assert_eq!(table.told(1), ["stale person 2", "left person 2 Timeout"]);
    assert_eq!(table.rows(1).len(), 2);
}

// R9 F13: a process that was stopped without anybody saying so does not hold the others' silence against them.
#[test]
fn a_stalled_process_judges_nobody() {
    let mut table = Table::joined(2);
    table.clear();
    let (at, now) = (1, table.now + 60_000);
    table.now = now;
    table.seats[at].replica.handle(Input::Timeout, crate::Tick(now));
    assert!(table.told(at).is_empty());
    assert_eq!(table.count(at, "stalled"), 1);
    table.pass(3_000);
    assert_eq!(table.rows(at).len(), 2);
}

// R9 F13: own outage marks the view and removes nobody but those whose end was said.
#[test]
fn own_outage_removes_nobody() {
    let mut table = Table::joined(4);
    silence(&mut table);
    table.close(0, 1, DownCause::TimedOut);
    table.close(0, 3, DownCause::Closed);
    table.input(0, Input::OwnOutage(true));
    table.input(0, Input::OwnOutage(true));
    table.pass(60_000);
    let told = table.told(0);
    let left: Vec<_> = told.iter().filter(|event| event.starts_with("left")).collect();
    assert_eq!(left, ["left person 3 Disconnected"]);
    assert_eq!(told.iter().filter(|event| *event == "complete false").count(), 1);
    let page = table.seats[0].replica.members(&MembersQuery::default(), table.tick()).unwrap();
    assert!(!page.complete && page.members.len() == 3);
    // Back: leases start anew, and those who are really gone go.
    table.clear();
    table.input(0, Input::OwnOutage(false));
    table.pass(4_900);
    assert!(table.told(0).iter().all(|event| !event.starts_with("left")), "{:?}", table.told(0));
    table.pass(6_000);
    assert_eq!(table.told(0).iter().filter(|event| event.starts_with("left")).count(), 2);
}

// R9: who is reached over loopback is judged also in own outage, and who listens on loopback only is never in one.
#[test]
fn loopback_is_no_network() {
    let mut table = Table::joined(2);
    let peer = table.seats[1].session;
    table.input(0, Input::LinkUp { peer, loopback: true });
    silence(&mut table);
    table.input(0, Input::OwnOutage(true));
    table.pass(10_100);
    assert_eq!(table.told(0).last().unwrap(), "left person 1 Timeout");

    let mut table = Table::joined(2);
    table.seats[0].replica.config.loopback_only = true;
    silence(&mut table);
    table.input(0, Input::OwnOutage(true));
    assert!(table.told(0).is_empty());
    table.pass(10_100);
    assert_eq!(table.told(0), ["stale person 1", "left person 1 Timeout"]);
}

// A4, report P4: watchers are in nobody's list, not as a grey row either, but counted; they stop with their link or their
// silence.
#[test]
fn watchers_are_counted() {
    let mut table = Table::of(3);
    table.join(0, Join::new()).unwrap();
    table.pass(3_000);
    let watching = |table: &Table, at: usize| {
        table.seats[at].replica.members(&MembersQuery::default(), table.tick()).unwrap().watching
    };
    assert_eq!((watching(&table, 0), watching(&table, 1)), (2, 1));
    assert_eq!((table.rows(0).len(), table.rows(1).len()), (1, 1));
    table.join(1, Join::new()).unwrap();
    assert_eq!((watching(&table, 0), watching(&table, 2)), (1, 0));
    table.leave(1).unwrap();
    table.pass(2_500);
    assert_eq!(watching(&table, 0), 2);
    table.close(0, 2, DownCause::Closed);
    assert_eq!(watching(&table, 0), 1);
    table.lose = |_, _, _| true;
    table.pass(11_000);
    assert_eq!(watching(&table, 0), 0);
}

/// A member that is known by relays alone is timed by its relayed frames.
#[test]
fn an_unlinked_member_lives_by_relayed_frames() {
    let mut table = Table::joined(2);
    let far = table.add(seat(30, "far", 30, 1, table.now));
    table.join(far, Join::new()).unwrap();
    let full = table.log.last().unwrap().2.clone();
    table.frame(0, session(30), session(2), &full);
    let ask = table.sent(0, 5).pop().unwrap().encode();
    table.clear();
    table.frame(far, session(1), session(2), &ask);
    let answer = table.sent(far, 4)[0].encode();
    table.frame(0, session(30), session(2), &answer);
    assert_eq!(table.rows(0).len(), 3);
    table.clear();
    table.pass(5_000);
    assert_eq!(table.told(0), ["stale far"]);
    table.pass(5_000);
    assert_eq!(table.told(0), ["stale far", "left far Timeout"]);
}

// R4 R6: a leave of a session that was not known is a sign of life like any other; a heartbeat that it overtook is older,
// and does not make the lease longer.
#[test]
fn what_a_leave_overtook_is_no_newer_sign_of_life() {
    let mut table = Table::of(1);
    table.join(0, Join::new()).unwrap();
    let Some(Frame::Full(full)) = table.sent(0, 4).pop() else { panic!("no full") };
    let observer = table.add(seat(40, "observer", 40, 1, table.now));
    let author = session(1);
    let leave = Frame::Leave(Leave { seq: Seq(50), incarnation: 7, expired: false });
    let pulse = Pulse { count: 1, records: 0, cells: 0, links: 0 };
    let beat = Frame::Beat(Beat { relay: false, seq: Seq(20), rev: full.rev, pulse });
    let from = table.now;
    for (at, frame) in [(0, leave), (10, Frame::Full(full)), (400, beat)] {
        table.now = from + at;
        table.frame(observer, author, author, &frame.encode());
    }
    table.pass(from + 4_999 - table.now);
    assert_eq!(table.rows(observer)[0].state, MemberState::Active);
    table.pass(1);
    assert_eq!(table.rows(observer)[0].state, MemberState::Stale, "five seconds after the leave");
}

// R9: a client's member is not thrown out because the computer slept.
#[test]
fn sleep_does_not_end_the_members_of_clients() {
    let mut table = Table::of(1);
    let join = Join::new().ttl_seconds(5);
    table.call(0, |replica, who, now| replica.join(who, join, Lease::Client, now)).unwrap();
    table.now += 3_600_000;
    table.input(0, Input::Resumed);
    assert_eq!(table.rows(0).len(), 1);
    table.pass(5_000);
    assert!(table.rows(0).is_empty(), "its lease began anew and no more than that");
}
