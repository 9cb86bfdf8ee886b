//! A network that is bad on purpose: what becomes of frames is decided in `src/lab/weather.rs`, and here are real peers to
//! whom it happens.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use parlor_core::{Event, LeftReason, MemberState};
use parlor_net::{LabFaults, LabNetwork, LabOrder, LabWay, RoomPort};
use serde_json::json;

use crate::support::{LATER, Peer, Person, SOON, event, has, shows, shows_members, until, wall};

/// What the way of one fault looks like.
const FINE: LabWay = LabWay { cut: false, delay_ms: 0, jitter_ms: 0, loss_percent: 0.0, duplicate_percent: 0.0 };
const CUT: LabWay = LabWay { cut: true, ..FINE };

fn incoming(way: LabWay) -> LabFaults {
    LabFaults { incoming: way, ..LabFaults::default() }
}

fn outgoing(way: LabWay) -> LabFaults {
    LabFaults { outgoing: way, ..LabFaults::default() }
}

async fn order(at: &Peer, order: LabOrder) -> LabNetwork {
    at.net.lab().unwrap().change(order).await.unwrap()
}

/// Of all peers.
async fn all(at: &Peer, faults: LabFaults) -> LabNetwork {
    order(at, LabOrder { all: Some(faults), ..LabOrder::default() }).await
}

/// Of the links to one peer alone.
async fn towards(at: &Peer, other: &Peer, faults: LabFaults) {
    let peers = BTreeMap::from([(other.net.peer_id(), Some(faults))]);
    order(at, LabOrder { peers, ..LabOrder::default() }).await;
}

async fn clear(at: &Peer) {
    let after = order(at, LabOrder { clear: true, ..LabOrder::default() }).await;
    assert!(after.all.is_fine() && after.peers.is_empty());
}

/// A in a lab, B and C without, all linked and in the room.
async fn three() -> [(Peer, RoomPort); 3] {
    let a = Person::new("Quiet Otter").start_in_lab(&[]).await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    let c = Person::new("Merry Wren").start_dialling(&[&a, &b]).await;
    let ports = [a.join(json!({"n": 0})).await, b.join(json!({"n": 0})).await, c.join(json!({"n": 0})).await];
    for port in &ports {
        shows_members(port, SOON, 3).await;
    }
    for peer in [&a, &b, &c] {
        until(SOON, "all linked", async || {
            peer.net.peers().await.iter().filter(|of| !of.rooms.is_empty()).count() == 2
        })
        .await;
    }
    let [at_a, at_b, at_c] = ports;
    [(a, at_a), (b, at_b), (c, at_c)]
}

/// Says something that one hears and another does not. For a moment after they met, and while links differ, others pass on
/// what is said (design N4): then it is said once more.
async fn heard_by_one_alone(who: &Peer, one: &RoomPort, other: &RoomPort) -> u32 {
    let deadline = Instant::now() + LATER;
    for n in 1.. {
        who.presence(json!({"n": n})).await;
        shows(one, SOON, |snapshot| has(snapshot, "n", &json!(n))).await;
        if !has(&other.snapshots().borrow(), "n", &json!(n)) {
            return n;
        }
        assert!(Instant::now() < deadline, "both hear everything");
    }
    unreachable!("the deadline comes first")
}

fn state_of(snapshot: &parlor_core::Snapshot, who: &Peer) -> Option<MemberState> {
    let of = &who.actor.actor.user_id;
    snapshot.members.iter().find(|member| member.actor.user_id == *of).map(|member| member.state)
}

/// What is cut is one link: by way of a third what two say still reaches each other, later.
#[tokio::test(flavor = "multi_thread")]
async fn what_goes_out_is_cut_for_one_peer_and_for_no_other() {
    let [(a, _), (b, at_b), (c, at_c)] = three().await;
    towards(&a, &b, outgoing(CUT)).await;
    let n = heard_by_one_alone(&a, &at_c, &at_b).await;
    assert!(a.count("lab_lost").await > 0);
    // B hears nothing of A for long enough to see it as grey, and goes on hearing C.
    shows(&at_b, LATER, |snapshot| state_of(snapshot, &a) == Some(MemberState::Stale)).await;
    assert_eq!(state_of(&at_b.snapshots().borrow(), &c), Some(MemberState::Active));
    clear(&a).await;
    shows(&at_b, LATER, |snapshot| {
        has(snapshot, "n", &json!(n)) && state_of(snapshot, &a) == Some(MemberState::Active)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_is_cut_on_one_link_and_on_no_other() {
    let [(a, at_a), (b, at_b), (c, at_c)] = three().await;
    towards(&a, &b, incoming(CUT)).await;
    a.presence(json!({"k": 1})).await;
    shows(&at_b, SOON, |snapshot| has(snapshot, "k", &json!(1))).await;
    c.presence(json!({"m": 1})).await;
    shows(&at_a, SOON, |snapshot| has(snapshot, "m", &json!(1))).await;
    let n = heard_by_one_alone(&b, &at_c, &at_a).await;
    shows(&at_a, LATER, |snapshot| state_of(snapshot, &b) == Some(MemberState::Stale)).await;
    clear(&a).await;
    shows(&at_a, LATER, |snapshot| has(snapshot, "n", &json!(n))).await;
}

/// As with a cable that was pulled: no sign of the end, and it is found by silence.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_cut_is_found_by_silence_and_heals() {
    let a = Person::new("Quiet Otter").start_in_lab(&[]).await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    let (at_a, at_b) = (a.join(json!({})).await, b.join(json!({})).await);
    shows_members(&at_a, SOON, 2).await;
    shows_members(&at_b, SOON, 2).await;
    let (mut seen_by_a, mut seen_by_b) = (at_a.events(), at_b.events());
    all(&a, LabFaults { incoming: CUT, outgoing: CUT, apart: false }).await;
    assert_eq!(a.net.peers().await.len(), 1, "nothing tells that the cable is out");
    for seen in [&mut seen_by_a, &mut seen_by_b] {
        event(seen, LATER, |event| matches!(event, Event::Stale { .. })).await;
        let left = event(seen, LATER, |event| matches!(event, Event::Left { .. } | Event::Updated { .. })).await;
        let silent = [LeftReason::Disconnected, LeftReason::Timeout];
        assert!(matches!(&left, Event::Left { reason, .. } if silent.contains(reason)), "{left:?}");
    }
    until(LATER, "the connection is gone", async || a.net.peers().await.is_empty()).await;
    // B dials, and is not let in.
    until(LATER, "nobody gets through", async || a.count("incoming_failed").await > 1).await;
    assert!(a.net.peers().await.is_empty() && a.net.dial(&b.tcp()).await.is_err());
    clear(&a).await;
    shows_members(&at_a, LATER, 2).await;
    shows_members(&at_b, LATER, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_apart_from_all_meets_nobody_new_either() {
    let a = Person::new("Quiet Otter").start_in_lab(&[]).await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    let at_a = a.join(json!({})).await;
    b.join(json!({})).await;
    shows_members(&at_a, SOON, 2).await;
    all(&a, LabFaults { apart: true, ..LabFaults::default() }).await;
    assert!(a.net.peers().await.is_empty(), "closed by the time that the call returns");
    let c = Person::new("Merry Wren").start_dialling(&[&a]).await;
    until(LATER, "C came", async || a.count("lab_cut").await == 2).await;
    until(SOON, "and was sent away", async || a.net.peers().await.is_empty() && c.net.peers().await.is_empty()).await;
    clear(&a).await;
    until(LATER, "both are back", async || a.net.peers().await.len() == 2).await;
    shows_members(&at_a, LATER, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delay_shows_in_what_arrives_and_in_the_round_trip() {
    let a = Person::new("Quiet Otter").start_in_lab(&[]).await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    let (at_a, at_b) = (a.join(json!({})).await, b.join(json!({})).await);
    shows_members(&at_a, SOON, 2).await;
    shows_members(&at_b, SOON, 2).await;
    let slow = LabWay { delay_ms: 700, jitter_ms: 50, ..FINE };
    towards(&a, &b, LabFaults { incoming: slow, outgoing: slow, apart: false }).await;
    for (one, at_other, n) in [(&a, &at_b, 1), (&b, &at_a, 2)] {
        let began = Instant::now();
        one.presence(json!({"n": n})).await;
        shows(at_other, SOON, |snapshot| has(snapshot, "n", &json!(n))).await;
        assert!(began.elapsed() >= Duration::from_millis(650), "{:?}", began.elapsed());
    }
    let rtt = async || a.net.peers().await.first().and_then(|peer| peer.rtt_ms);
    until(SOON, "the round trip shows it", async || rtt().await.is_some_and(|ms| ms >= 1_400.0)).await;
    let shown = a.net.lab().unwrap().faults();
    assert!(shown.counts.delayed > 0 && shown.counts.lost == 0, "{shown:?}");
    clear(&a).await;
    until(SOON, "nothing waits any more", async || a.net.lab().unwrap().faults().waiting == 0).await;
}

/// A frame goes out once to those whom it reaches at once, and later to those whom it reaches later.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_late_for_one_is_in_time_for_another() {
    let [(a, _), (b, at_b), (_c, at_c)] = three().await;
    towards(&a, &b, outgoing(LabWay { delay_ms: 2_000, ..FINE })).await;
    let n = heard_by_one_alone(&a, &at_c, &at_b).await;
    assert!(a.net.lab().unwrap().faults().waiting > 0, "it is on its way");
    shows(&at_b, SOON, |snapshot| has(snapshot, "n", &json!(n))).await;
}

/// What comes twice changes nothing at who hears it: no rule of a room is about how often.
#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_twice_is_as_good_as_once() {
    let [(a, at_a), (b, at_b), (_c, _)] = three().await;
    let twice = LabWay { duplicate_percent: 100.0, ..FINE };
    all(&a, LabFaults { incoming: twice, outgoing: twice, apart: false }).await;
    let mut events = at_a.events();
    for n in 1..=20 {
        b.presence(json!({"n": n})).await;
        a.presence(json!({"n": 100 + n})).await;
        shows(&at_a, SOON, |snapshot| has(snapshot, "n", &json!(n))).await;
        shows(&at_b, SOON, |snapshot| has(snapshot, "n", &json!(100 + n))).await;
    }
    assert!(a.net.lab().unwrap().faults().counts.duplicated >= 40);
    while let Ok((_, event)) = events.try_recv() {
        assert!(matches!(event, Event::Updated { .. } | Event::Watching { .. }), "{event:?}");
    }
    assert_eq!(b.count("over_budget").await, 0, "a lab does not make its peer a flooder");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_of_all_frames_lost_is_repaired() {
    let [(a, at_a), (_b, at_b), (_c, at_c)] = three().await;
    let third = LabWay { loss_percent: 33.0, ..FINE };
    let faults = LabFaults { incoming: third, outgoing: third, apart: false };
    order(&a, LabOrder { seed: Some(7), all: Some(faults), ..LabOrder::default() }).await;
    for n in 1..=30 {
        a.presence(json!({"n": n})).await;
    }
    for port in [&at_a, &at_b, &at_c] {
        // Somebody may be missed for a while, when three beats in a row are lost.
        shows(port, 2 * LATER, |snapshot| has(snapshot, "n", &json!(30))).await;
    }
    until(LATER, "some were lost", async || a.net.lab().unwrap().faults().counts.lost > 3).await;
}

/// Whoever sleeps says nothing and hears nothing; who calls waits. Then every lease begins anew (design R9).
#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_sleeps_does_nothing_and_resumes() {
    let a = Person::new("Quiet Otter").start_in_lab(&[]).await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    let (at_a, at_b) = (a.join(json!({})).await, b.join(json!({})).await);
    shows_members(&at_a, SOON, 2).await;
    shows_members(&at_b, SOON, 2).await;
    let asleep = order(&a, LabOrder { sleep_ms: Some(60_000), ..LabOrder::default() }).await;
    assert!(asleep.asleep_ms > 55_000, "{asleep:?}");
    let mut call = tokio::spawn({
        let net = a.net.clone();
        async move { net.peers().await }
    });
    shows_members(&at_b, LATER, 1).await;
    assert!(!call.is_finished(), "it waits");
    assert_eq!(at_a.snapshots().borrow().members.len(), 2, "nobody expires by time slept through");
    let awake = order(&a, LabOrder { sleep_ms: Some(0), ..LabOrder::default() }).await;
    assert_eq!(awake.asleep_ms, 0);
    tokio::time::timeout(SOON, &mut call).await.expect("an answer").unwrap();
    assert_eq!((a.count("lab_slept").await, a.count("resumed").await), (1, 1));
    shows_members(&at_b, LATER, 2).await;
    shows(&at_a, LATER, |snapshot| state_of(snapshot, &b) == Some(MemberState::Active)).await;
    // It can be ended in its sleep.
    order(&a, LabOrder { sleep_ms: Some(60_000), ..LabOrder::default() }).await;
    tokio::time::timeout(SOON, a.net.shutdown()).await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wall_clock_that_is_wrong_shows_at_the_others_and_a_jump_expires_nobody() {
    let a = Person::new("Quiet Otter").start_in_lab(&[]).await;
    let hour = 3_600_000;
    let shown = order(&a, LabOrder { wall_ahead_ms: Some(hour), ..LabOrder::default() }).await;
    assert_eq!(shown.wall_ahead_ms, hour);
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    let (at_a, at_b) = (a.join(json!({})).await, b.join(json!({})).await);
    shows_members(&at_a, SOON, 2).await;
    let joined = shows_members(&at_b, SOON, 2).await;
    let mine = joined.members.iter().find(|member| !member.own).expect("A");
    assert!(mine.record.joined_at.0 > wall() + 3_500_000, "by its own wall clock");
    let ahead = async || b.net.peers().await.first().and_then(|peer| peer.clock_ahead_ms);
    until(LATER, "B sees it", async || ahead().await.is_some_and(|ms| (3_500_000..3_700_000).contains(&ms))).await;
    let mut events = at_a.events();
    let jumped = order(&a, LabOrder { jump_ms: 86_400_000, ..LabOrder::default() }).await;
    assert_eq!(jumped.ticks_ahead_ms, 86_400_000);
    until(SOON, "as after a sleep", async || a.count("resumed").await == 1).await;
    b.presence(json!({"n": 1})).await;
    shows(&at_a, SOON, |snapshot| has(snapshot, "n", &json!(1))).await;
    while let Ok((_, event)) = events.try_recv() {
        assert!(!matches!(event, Event::Left { .. } | Event::Stale { .. }), "{event:?}");
    }
    assert_eq!(a.net.lab().unwrap().faults().ticks_ahead_ms, 86_400_000, "it never goes back");
    clear(&a).await;
    assert_eq!(a.net.lab().unwrap().faults().wall_ahead_ms, 0);
}
