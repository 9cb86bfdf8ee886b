//! Faults on purpose: what a cut stops, what it does not, and how soon a mended pair is back.

use std::time::Duration;

use parlor_core::{ErrorCode, Event, LeftReason};
use parlor_net::{NetConfig, NetHandle};
use serde_json::json;

use crate::support::{LATER, Peer, Person, SOON, event, has, room, shows, shows_members, until};

/// From the end of a cut to a link: no wait of before counts.
const BACK: Duration = Duration::from_secs(2);

async fn cut(a: &Peer, b: &Peer) {
    a.net.lab().unwrap().cut(&b.net.peer_id()).await.unwrap();
    b.net.lab().unwrap().cut(&a.net.peer_id()).await.unwrap();
}

async fn mend(a: &Peer, b: &Peer) {
    a.net.lab().unwrap().mend(&b.net.peer_id()).await.unwrap();
    b.net.lab().unwrap().mend(&a.net.peer_id()).await.unwrap();
}

async fn connected(a: &Peer, to: &Peer) -> bool {
    a.net.peers().await.iter().any(|peer| peer.peer_id == to.net.peer_id())
}

async fn linked(a: &Peer, b: &Peer) -> bool {
    let rooms = |peers: Vec<parlor_net::PeerInfo>| peers.iter().any(|peer| peer.rooms.contains(&room()));
    rooms(a.net.peers().await) && rooms(b.net.peers().await)
}

#[tokio::test]
async fn there_is_no_lab_unless_the_configuration_says_so() {
    assert!(Person::new("Quiet Otter").start().await.net.lab().is_none());
    let a = Person::new("Quiet Otter").start_in_lab(&[]).await;
    let lab = a.net.lab().unwrap();
    for wrong in ["nobody", "", &a.net.peer_id()] {
        assert_eq!(lab.cut(wrong).await.unwrap_err().code, ErrorCode::NotFound);
        assert_eq!(lab.mend(wrong).await.unwrap_err().code, ErrorCode::NotFound);
    }
    a.net.shutdown().await;
    let other = Person::new("Brave Heron").start().await;
    assert_eq!(lab.cut(&other.net.peer_id()).await.unwrap_err().code, ErrorCode::NetworkUnavailable);
}

#[tokio::test]
async fn a_cut_pair_hears_nothing_and_is_back_at_once_when_it_is_mended() {
    let a = Person::new("Quiet Otter").start_in_lab(&[]).await;
    let b = Person::new("Brave Heron").start_in_lab(&[&a]).await;
    let at_a = a.join(json!({"n": 0})).await;
    let at_b = b.join(json!({})).await;
    shows_members(&at_a, SOON, 2).await;
    shows_members(&at_b, SOON, 2).await;
    let mut events = at_b.events();
    cut(&a, &b).await;
    assert!(!connected(&a, &b).await && !connected(&b, &a).await, "closed by the time that the calls return");
    let refused = b.net.dial(&format!("{}/p2p/{}", a.tcp(), a.net.peer_id())).await.unwrap_err();
    assert!(refused.message.contains("the lab has cut that peer off"), "{refused:?}");
    event(&mut events, SOON, |event| matches!(event, Event::Stale { .. })).await;
    a.presence(json!({"n": 1})).await;
    let left = event(&mut events, LATER, |event| matches!(event, Event::Left { .. } | Event::Updated { .. })).await;
    assert!(matches!(left, Event::Left { reason: LeftReason::Disconnected, .. }), "{left:?}");
    assert!(b.count("dial_failed").await > 0, "the wish was tried and refused meanwhile");

    mend(&a, &b).await;
    until(BACK, "a link again", async || linked(&a, &b).await).await;
    shows(&at_b, SOON, |snapshot| has(snapshot, "n", &json!(1))).await;
    shows_members(&at_a, SOON, 2).await;
    assert_eq!((a.count("lab_cut").await, a.count("lab_mended").await), (1, 1));
}

#[tokio::test]
async fn one_end_is_enough_to_keep_two_apart() {
    let a = Person::new("Quiet Otter").start_in_lab(&[]).await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    let at_a = a.join(json!({})).await;
    b.join(json!({})).await;
    shows_members(&at_a, SOON, 2).await;
    let lab = a.net.lab().unwrap();
    lab.cut(&b.net.peer_id()).await.unwrap();
    let refusals = a.count("incoming_failed").await;
    until(SOON, "the other end has come again", async || a.count("incoming_failed").await > refusals + 1).await;
    assert!(!connected(&a, &b).await);
    shows_members(&at_a, LATER, 1).await;
    lab.mend(&b.net.peer_id()).await.unwrap();
    until(BACK, "a link again", async || linked(&a, &b).await).await;
}

/// A connection that is being made while the cut comes is refused where it would begin, whoever dialled.
#[tokio::test]
async fn a_cut_catches_connections_that_are_being_made() {
    let a = Person::new("Quiet Otter").start_in_lab(&[]).await;
    let b = Person::new("Brave Heron").start_in_lab(&[]).await;
    for round in 0..30_u64 {
        let lab = a.net.lab().unwrap();
        let (to_a, to_b, id) = (a.tcp(), b.tcp(), b.net.peer_id());
        let late = async {
            // Each round a little further into the handshake.
            for _ in 0..round * 4 {
                tokio::task::yield_now().await;
            }
            lab.cut(&id).await.unwrap();
            assert!(!connected(&a, &b).await, "round {round}");
        };
        let ((), _, _) = tokio::join!(late, b.net.dial(&to_a), a.net.dial(&to_b));
        assert!(!connected(&a, &b).await, "round {round}");
        lab.mend(&id).await.unwrap();
    }
}

/// Two that were cut off from each other all along have never met: the address that was asked for brings them together.
#[tokio::test]
async fn a_wish_that_a_cut_refused_from_the_start_is_fulfilled_when_it_is_mended() {
    let a = Person::new("Quiet Otter").start_in_lab(&[]).await;
    let person = Person::new("Brave Heron");
    let config = NetConfig { lab: true, dial: vec![a.tcp()], ..person.config() };
    a.net.lab().unwrap().cut(&config.session.peer_id()).await.unwrap();
    let b = Peer { net: NetHandle::start(config).await.unwrap(), actor: person.actor() };
    b.net.lab().unwrap().cut(&a.net.peer_id()).await.unwrap();
    until(LATER, "the wish was refused", async || b.count("dial_failed").await > 2).await;
    assert!(!connected(&a, &b).await && !connected(&b, &a).await);
    mend(&a, &b).await;
    until(BACK, "a connection", async || connected(&a, &b).await && connected(&b, &a).await).await;
}

/// Two that share no room are dialled less and less; the end of a cut ends that wait too.
#[tokio::test]
async fn a_long_cut_leaves_no_back_off_in_the_way() {
    let a = Person::new("Quiet Otter").start_in_lab(&[]).await;
    let b = Person::new("Brave Heron").start_in_lab(&[]).await;
    b.net.dial(&a.tcp()).await.unwrap();
    // The address of the connection, and where it listens.
    let known = async |at: &Peer| at.net.peers().await.first().is_some_and(|peer| peer.addresses.len() > 1);
    until(SOON, "each knows where the other listens", async || known(&a).await && known(&b).await).await;
    cut(&a, &b).await;
    // Five rounds of TCP and QUIC.
    let tries = async || a.count("dial_failed").await.min(b.count("dial_failed").await);
    until(2 * LATER, "many dials in vain", async || tries().await >= 10).await;
    mend(&a, &b).await;
    until(BACK, "a connection", async || connected(&a, &b).await && connected(&b, &a).await).await;
}

/// A crash is what the death of the process is: nobody is told, the system closes the sockets.
#[tokio::test]
async fn a_crash_says_nothing_and_is_stale_then_gone() {
    let a = Person::new("Quiet Otter").start().await;
    let at_a = a.join(json!({})).await;
    let b = Person::new("Brave Heron").start_in_lab(&[&a]).await;
    let at_b = b.join(json!({})).await;
    shows_members(&at_a, SOON, 2).await;
    let mut events = at_a.events();
    let held = b.net.clone();
    b.net.lab().unwrap().crash().await;
    assert_eq!(held.open(room()).await.unwrap_err().code, ErrorCode::NetworkUnavailable);
    b.net.lab().unwrap().crash().await;
    assert!(at_b.snapshots().has_changed().is_err(), "the room went with the process");
    event(&mut events, SOON, |event| matches!(event, Event::Stale { .. })).await;
    let left = event(&mut events, Duration::from_secs(7), |event| matches!(event, Event::Left { .. })).await;
    assert!(matches!(left, Event::Left { reason: LeftReason::Disconnected, .. }), "{left:?}");
}
