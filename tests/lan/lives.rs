//! How peers end, and come back.

use std::time::{Duration, Instant};

use parlor_testkit::headless::Headless;
use parlor_testkit::wait::{throughout, until};

use crate::party::{MEETING, Party, meet, members, state};

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
