//! How peers end, and come back.

use std::time::{Duration, Instant};

use parlor_testkit::headless::Headless;
use parlor_testkit::wait::{throughout, until};
use serde_json::{Value, json};

use crate::party::{MEETING, Party, ROOM, all_step, find, meet, members, metadata, set_metadata, state};

/// A closed link is seen as soon as the kernel closes it; design R6 makes the member stale at once.
const STALE: Duration = Duration::from_secs(2);
/// Gone 5 s after the link closed (design R6), and a second to notice.
const GONE: Duration = Duration::from_secs(6);
/// For a busy machine, where a figure of the design is the limit.
const MARGIN: Duration = Duration::from_millis(500);

pub fn who_leaves_is_gone_at_once() {
    let party = Party::new(3);
    let mut peers = party.all_met();
    let mut leaving = peers.pop().expect("the third peer");
    leaving.terminate().expect("SIGTERM");
    let told = Instant::now();
    for peer in &peers {
        until(Duration::from_secs(1).saturating_sub(told.elapsed()), "gone within a second of SIGTERM", || {
            state(peer, 2).is_none().then_some(())
        });
    }
    let (status, _) = until(Duration::from_secs(2), "the end of the process", || leaving.ended().expect("its status"));
    assert!(status.success(), "it ended with {status}: {}", leaving.complaints());
    meet(&peers);
}

// G5
pub fn who_crashes_is_stale_then_gone() {
    let party = Party::new(3);
    let mut peers = party.all_met();
    let mut crashing = peers.pop().expect("the third peer");
    crashing.kill().expect("SIGKILL");
    let killed = Instant::now();
    for peer in &peers {
        let left = (STALE + MARGIN).saturating_sub(killed.elapsed());
        until(left, "stale within two seconds of a crash", || {
            (state(peer, 2).as_deref() == Some("stale")).then_some(())
        });
    }
    // It may come back, so it is not thrown out early.
    throughout(Duration::from_secs(4).saturating_sub(killed.elapsed()), || match state(&peers[0], 2).as_deref() {
        Some("stale") => Ok(()),
        other => Err(format!("it was {other:?} instead of stale")),
    });
    for peer in &peers {
        let left = (GONE + MARGIN).saturating_sub(killed.elapsed());
        until(left, "gone within six seconds of a crash", || state(peer, 2).is_none().then_some(()));
    }
    meet(&peers);
}

/// Design R6: nothing comes in any more that could be the occasion, and who looks on is told all the same.
// G3
pub fn the_only_other_falls_silent_and_is_gone_by_the_clock() {
    let party = Party::new(2);
    let peers = party.all_met();
    let watch = party.watch(0);
    watch.next(MEETING, "the list", |event| event["type"] == "snapshot");
    peers[1].freeze().expect("SIGSTOP");
    let silent = Instant::now();
    let of_the_other = |event: &Value| event["member"]["presence"]["name"] == "host 1";
    let stale = |event: &Value| of_the_other(event) && event["member"]["state"] == "stale";
    watch.next(Duration::from_secs(7) + MARGIN, "stale after five seconds, and a heartbeat", stale);
    let gone = |event: &Value| of_the_other(event) && event["type"] == "left";
    let left = (Duration::from_secs(12) + MARGIN).saturating_sub(silent.elapsed());
    let event = watch.next(left, "gone after ten", gone);
    assert!(["timeout", "disconnected"].map(Value::from).contains(&event["reason"]), "{event}");
    assert!(silent.elapsed() > Duration::from_secs(6), "{:?}", silent.elapsed());
    peers[1].thaw().expect("SIGCONT");
    meet(&peers);
}

/// Design R2: a restart is a new session that retires the old one at once, and the same member.
// G6 G7
pub fn who_restarts_is_one_member() {
    let party = Party::new(3);
    let mut peers = party.all_met();
    let row =
        |peer: &Headless<'_>| members(peer).into_iter().find(|member| member["self"] == true).expect("my own row");
    let before = row(&peers[2]);
    peers.pop().expect("the third peer").kill().expect("SIGKILL");
    peers.push(party.member(2));
    meet(&peers);
    let after = row(&peers[2]);
    assert_eq!(before["memberId"], after["memberId"], "the profile is the person");
    for peer in &peers {
        until(MEETING, "three rows", || (members(peer).len() == 3).then_some(()));
    }
}

/// Design R8: a leave buries what was, also for who is back before it arrived everywhere; what is said after it counts.
pub fn who_leaves_and_returns_at_once_is_one_row() {
    let party = Party::new(3);
    let mut peers = party.all_met();
    for round in 1..=5 {
        peers[2].post(&format!("/rooms/{ROOM}/leave"), &json!({})).expect("leaving");
        peers[2].join(ROOM, &json!({ "name": "host 2", "round": round })).expect("joining");
    }
    for peer in &peers {
        until(MEETING, "the last return", || {
            find(peer, 2).filter(|row| row["presence"]["round"] == 5 && row["state"] == "active")
        });
    }
    // The program too: it says goodbye, and is back within the second.
    peers.pop().expect("the third peer").quit().expect("SIGTERM");
    peers.push(party.member(2));
    meet(&peers);
    all_step(MEETING, &peers, 1);
}

/// A public report of a gossip system: whoever came after the first had left was in a room of their own. Here the room is
/// the same for all who are in it, with what was written in it.
// N33
pub fn the_first_leaves_and_a_fourth_arrives() {
    let party = Party::new(4);
    let mut peers: Vec<Headless<'_>> = (0..3).map(|host| party.member(host)).collect();
    meet(&peers);
    set_metadata(&peers[0], &json!({ "metadata": { "title": "From the first" } }));
    let title = |peer: &Headless<'_>| (metadata(peer)["title"] == "From the first").then_some(());
    for peer in &peers {
        until(MEETING, "the title", || title(peer));
    }
    let first = peers.remove(0);
    first.terminate().expect("SIGTERM");
    peers.push(party.member(3));
    meet(&peers);
    until(MEETING, "the title at who never saw its author", || title(&peers[2]));
    all_step(MEETING, &peers, 1);
}
