//! Peers that find each other, and what crosses between them.

use std::time::Duration;

use parlor_core::{Event, LeftReason, MemberState, RoomId};
use parlor_net::NetConfig;
use serde_json::json;

use crate::support::{LATER, Person, SOON, event, has, room, shows, shows_members, until, wall};

#[tokio::test]
async fn two_peers_see_each_other_and_an_update_crosses() {
    let a = Person::new("Quiet Otter").start().await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    let at_a = a.join(json!({"status": "online"})).await;
    let at_b = b.join(json!({"status": "away"})).await;
    shows_members(&at_a, SOON, 2).await;
    shows_members(&at_b, SOON, 2).await;
    a.presence(json!({"cursor": {"x": 1, "y": 2}})).await;
    shows(&at_b, SOON, |snapshot| has(snapshot, "cursor", &json!({"x": 1, "y": 2}))).await;

    let peers = b.net.peers().await;
    assert_eq!(peers.len(), 1);
    let peer = &peers[0];
    assert_eq!((peer.peer_id.as_str(), peer.transport.as_str()), (a.net.peer_id().as_str(), "tcp"));
    assert_eq!((peer.direction.as_str(), peer.source.as_str()), ("out", "dialled"));
    assert_eq!(peer.rooms, [room()]);
    assert_eq!(peer.name.as_deref(), Some("Quiet Otter"));
    assert_eq!(peer.addresses[0], a.tcp());
    assert_eq!(a.net.peers().await[0].source, "inbound");
    until(SOON, "a ping was answered", async || b.net.peers().await[0].rtt_ms.is_some()).await;
}

/// Design R10: a clock that is off is shown, at both ends, and nothing else comes of it.
#[tokio::test]
async fn a_clock_that_is_off_is_shown_at_both_ends() {
    fn twelve_minutes_on() -> u64 {
        wall() + 720_000
    }
    let a = Person::new("Quiet Otter").start().await;
    let dial = vec![a.tcp()];
    let late = |config: &mut NetConfig| (config.wall, config.dial) = (twelve_minutes_on, dial);
    let b = Person::new("Brave Heron").start_with(late).await.unwrap();
    for (peer, expected) in [(&a, 720_000_i64), (&b, -720_000)] {
        let near = async || {
            let peers = peer.net.peers().await;
            let ahead = peers.first().and_then(|peer| peer.clock_ahead_ms);
            ahead.is_some_and(|ahead| (ahead - expected).abs() < 5_000)
        };
        until(SOON, "how far the other's clock is", near).await;
    }
    let at_a = a.join(json!({})).await;
    b.join(json!({})).await;
    shows_members(&at_a, SOON, 2).await;
    assert_eq!(b.net.peers().await[0].version.as_deref(), Some(env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn quic_is_dialled_when_it_is_what_there_is() {
    let a = Person::new("Quiet Otter").start().await;
    let quic = a.quic();
    let b = Person::new("Brave Heron").start_with(|config| config.dial = vec![quic]).await.unwrap();
    let at_a = a.join(json!({})).await;
    b.join(json!({})).await;
    shows_members(&at_a, SOON, 2).await;
    assert_eq!(b.net.peers().await[0].transport, "quic");
}

/// Report N1, report N2: publishing to nobody is a state and not an error, and nothing about it is lost for who comes
/// later.
#[tokio::test]
async fn alone_in_the_room_every_call_succeeds_and_a_late_joiner_sees_the_last_value() {
    let a = Person::new("Quiet Otter").start().await;
    let at_a = a.join(json!({"n": 0})).await;
    for n in 1..=50 {
        a.presence(json!({"n": n})).await;
    }
    shows(&at_a, SOON, |snapshot| has(snapshot, "n", &json!(50))).await;
    assert!(a.count("published_alone").await > 0);
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    let at_b = b.open().await;
    let snapshot = shows_members(&at_b, SOON, 1).await;
    assert!(has(&snapshot, "n", &json!(50)));
}

/// Report N6, report N7: beats of the same content are delivered each time; a duplicate would grey the member after five
/// seconds.
#[tokio::test]
async fn idle_members_stay_active_by_equal_heartbeats() {
    let a = Person::new("Quiet Otter").start().await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    a.join(json!({})).await;
    let at_b = b.join(json!({})).await;
    shows_members(&at_b, SOON, 2).await;
    let mut events = at_b.events();
    let quiet = tokio::time::timeout(Duration::from_secs(7), events.recv()).await;
    assert!(quiet.is_err(), "an idle room has no events: {quiet:?}");
    let snapshot = at_b.snapshots().borrow().clone();
    assert!(snapshot.members.iter().all(|member| member.state == MemberState::Active));
    assert_eq!(a.count("publish_duplicate").await, 0);
    assert!(a.count("published").await >= 3);
}

#[tokio::test]
async fn a_line_of_three_relays() {
    let middle = Person::new("Calm Badger").start().await;
    let left = Person::new("Quiet Otter").start_dialling(&[&middle]).await;
    let right = Person::new("Brave Heron").start_dialling(&[&middle]).await;
    left.join(json!({})).await;
    middle.join(json!({})).await;
    let at_right = right.join(json!({})).await;
    shows_members(&at_right, LATER, 3).await;
    left.presence(json!({"cursor": 7})).await;
    shows(&at_right, LATER, |snapshot| has(snapshot, "cursor", &json!(7))).await;
    assert_eq!(right.net.peers().await.len(), 1, "left and right are not connected");
}

#[tokio::test]
async fn shutdown_says_goodbye() {
    let a = Person::new("Quiet Otter").start().await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    a.join(json!({})).await;
    let at_b = b.join(json!({})).await;
    shows_members(&at_b, SOON, 2).await;
    let mut events = at_b.events();
    tokio::time::timeout(SOON, a.net.shutdown()).await.expect("it took for ever");
    let left = event(&mut events, SOON, |event| matches!(event, Event::Left { .. })).await;
    assert!(matches!(left, Event::Left { reason: LeftReason::Left, .. }), "{left:?}");
    assert!(a.net.open(room()).await.is_err());
    a.net.shutdown().await;
}

#[tokio::test]
async fn a_room_can_be_left_and_entered_again_at_once() {
    let a = Person::new("Quiet Otter").start().await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    a.join(json!({"round": 1})).await;
    let at_b = b.join(json!({})).await;
    shows_members(&at_b, SOON, 2).await;
    a.net.close_room(&room()).await;
    shows_members(&at_b, SOON, 1).await;
    until(SOON, "the room is gone", async || a.net.with(&room(), |_, _| ()).await.is_err()).await;
    let at_a = a.join(json!({"round": 2})).await;
    shows(&at_b, SOON, |snapshot| has(snapshot, "round", &json!(2))).await;
    shows_members(&at_a, SOON, 2).await;
}

/// The room that is on its way out stays, and whoever looks on in it is heard of.
#[tokio::test]
async fn who_looks_on_again_while_the_room_goes_is_seen() {
    let a = Person::new("Quiet Otter").start().await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    a.join(json!({})).await;
    let at_b = b.join(json!({})).await;
    shows_members(&at_b, SOON, 2).await;
    a.net.close_room(&room()).await;
    let _at_a = a.open().await;
    shows(&at_b, SOON, |snapshot| (snapshot.members.len(), snapshot.watching) == (1, 1)).await;
}

/// Counts go on from the highest of all rooms that were closed: a room that is entered again after others is no older for
/// those who remember how it was left.
#[tokio::test]
async fn a_room_can_be_entered_again_after_many_others() {
    let a = Person::new("Quiet Otter").start().await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    // Rooms in which little is said, open before the other and closed after it.
    let others: Vec<RoomId> = (0..8).map(|number| RoomId::new(&format!("room {number}")).unwrap()).collect();
    for other in &others {
        a.net.open(other.clone()).await.unwrap();
    }
    a.join(json!({"round": 1})).await;
    let at_b = b.join(json!({})).await;
    shows_members(&at_b, SOON, 2).await;
    for step in 0..30 {
        a.presence(json!({ "step": step })).await;
        shows(&at_b, SOON, |snapshot| has(snapshot, "step", &json!(step))).await;
    }
    let gone = async |room: &RoomId| {
        a.net.close_room(room).await;
        until(SOON, "the room is gone", async || a.net.with(room, |_, _| ()).await.is_err()).await;
    };
    gone(&room()).await;
    shows_members(&at_b, SOON, 1).await;
    for other in &others {
        gone(other).await;
    }
    let at_a = a.join(json!({"round": 2})).await;
    shows(&at_b, SOON, |snapshot| has(snapshot, "round", &json!(2))).await;
    shows_members(&at_a, SOON, 2).await;
}

#[tokio::test]
async fn the_lobby_shows_rooms_that_one_is_not_in() {
    let a = Person::new("Quiet Otter").start().await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    a.join(json!({"color": "#112233"})).await;
    let mut near = b.net.near();
    let wait = near.wait_for(|near| near.iter().any(|near| near.room == room()));
    let rooms = tokio::time::timeout(SOON, wait).await.unwrap().unwrap().clone();
    assert_eq!((rooms[0].members, rooms[0].faces.len()), (1, 1));
    assert_eq!(rooms[0].faces[0].name, "Quiet Otter");
    let mut near = b.net.near();
    let counted = near.wait_for(|near| near.iter().any(|near| near.peers == 1));
    tokio::time::timeout(SOON, counted).await.unwrap().unwrap();
    a.net.shutdown().await;
    let mut near = b.net.near();
    tokio::time::timeout(SOON, near.wait_for(|near| near.is_empty())).await.expect("an empty room goes").unwrap();
}

#[tokio::test]
async fn ids_of_the_longest_kind_are_rooms_like_any_other() {
    let long = RoomId::new(&"ü".repeat(128)).unwrap();
    let a = Person::new("Quiet Otter").start().await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    a.net.open(long.clone()).await.unwrap();
    b.net.open(long.clone()).await.unwrap();
    until(SOON, "linked in the room", async || {
        b.net.peers().await.first().is_some_and(|peer| peer.rooms == [long.clone()])
    })
    .await;
}
