//! Private rooms (design N8): who has the secret is in, and nobody else learns anything.

use std::collections::BTreeSet;

use futures::StreamExt;
use libp2p::gossipsub;
use libp2p::swarm::SwarmEvent;
use parlor_core::{ErrorCode, Join, Lease, RoomId, Signer};
use parlor_net::{RoomPort, RoomSecret};
use serde_json::json;

use crate::raw::{BehaviourEvent, Raw};
use crate::support::{LATER, Peer, Person, SOON, has, room, shows, shows_members, until};

const MARK: &str = "where the key is";

fn secret(byte: u8) -> RoomSecret {
    RoomSecret::first(Person::new("Quiet Otter").signer.public_key(), [byte; 32])
}

async fn join(peer: &Peer, secret: RoomSecret, presence: serde_json::Value) -> RoomPort {
    let port = peer.net.open_private(room(), secret, Vec::new()).await.unwrap();
    let (actor, join) = (peer.actor.clone(), Join::new().presence(presence));
    let join = move |replica: &mut parlor_core::Replica, now| replica.join(&actor, join, Lease::Own, now);
    peer.net.with(&room(), join).await.unwrap().unwrap();
    port
}

#[tokio::test]
async fn those_with_the_secret_meet_and_those_with_the_name_do_not() {
    let a = Person::new("Quiet Otter").start().await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    let (open, other) = (Person::new("Merry Wren").start_dialling(&[&a, &b]).await, Person::new("Calm Newt"));
    let other = other.start_dialling(&[&a, &b]).await;
    let at_a = join(&a, secret(7), json!({"note": MARK})).await;
    let at_open = open.join(json!({})).await;
    let at_other = join(&other, secret(8), json!({})).await;
    let at_b = join(&b, secret(7), json!({})).await;
    shows(&at_b, SOON, |snapshot| has(snapshot, "note", &json!(MARK))).await;
    shows_members(&at_a, SOON, 2).await;
    a.presence(json!({"x": 5})).await;
    shows(&at_b, SOON, |snapshot| has(snapshot, "x", &json!(5))).await;
    let of = |peer: &Peer| peer.net.peer_id();
    until(LATER, "all are connected", async || {
        let peers: BTreeSet<String> = open.net.peers().await.iter().map(|peer| peer.peer_id.clone()).collect();
        peers.contains(&of(&a)) && peers.contains(&of(&b))
    })
    .await;
    assert_eq!(at_open.snapshots().borrow().members.len(), 1, "an open room of that name");
    assert_eq!(at_other.snapshots().borrow().members.len(), 1, "a private room of that name");
    // The lobby knows the open room and no other.
    let mut near = b.net.near();
    let advertised = near.wait_for(|near| near.iter().any(|near| near.room == room()));
    let near = tokio::time::timeout(SOON, advertised).await.unwrap().unwrap().clone();
    assert_eq!(near.iter().map(|near| near.faces.clone()).collect::<Vec<_>>().concat().len(), 1);
    assert_eq!(near[0].faces[0].name, "Merry Wren");
}

/// N26: the seal is the room's and not the transport's, so it holds by TCP and by QUIC, and between rooms that share a link.
#[tokio::test]
async fn the_seal_does_not_ask_how_the_frame_came() {
    for transport in ["tcp", "quic"] {
        let a = Person::new("Quiet Otter").start().await;
        let address = if transport == "quic" { a.quic() } else { a.tcp() };
        let b = Person::new("Brave Heron").start_with(|config| config.dial = vec![address]).await.unwrap();
        let at_a = join(&a, secret(7), json!({"note": MARK})).await;
        let at_b = join(&b, secret(8), json!({"note": "another room"})).await;
        until(SOON, "they are linked", async || !b.net.peers().await.is_empty()).await;
        assert_eq!(b.net.peers().await[0].transport, transport);
        assert_eq!(at_b.snapshots().borrow().members.len(), 1);
        b.net.close_room(&room()).await;
        let at_b = join(&b, secret(7), json!({})).await;
        shows(&at_b, SOON, |snapshot| has(snapshot, "note", &json!(MARK))).await;
        let snapshot = shows_members(&at_a, SOON, 2).await;
        assert!(!has(&snapshot, "note", &json!("another room")), "{transport}");
        assert_eq!((a.count("frame_seal").await, b.count("frame_seal").await), (0, 0), "{transport}");
    }
}

#[tokio::test]
async fn a_name_stands_for_one_room_at_a_time() {
    let a = Person::new("Quiet Otter").start().await;
    a.net.open(room()).await.unwrap();
    let refused = a.net.open_private(room(), secret(7), Vec::new()).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidTicket);
    a.net.close_room(&room()).await;
    a.net.open_private(room(), secret(7), Vec::new()).await.expect("the open one is closed");
    for wrong in [a.net.open(room()).await, a.net.open_private(room(), secret(8), Vec::new()).await] {
        assert_eq!(wrong.unwrap_err().code, ErrorCode::InvalidTicket);
    }
    a.net.open_private(room(), secret(7), Vec::new()).await.expect("it is open already");
}

/// A stranger that is connected, that knows the topic because every subscription tells it, and that reads along: it sees
/// that something is said, and no word of it. What it says itself is refused by name.
#[tokio::test]
async fn a_stranger_on_the_topic_reads_nothing_and_says_nothing() {
    let a = Person::new("Quiet Otter").start().await;
    let at_a = join(&a, secret(7), json!({"note": MARK})).await;
    let elsewhere = RoomId::new("elsewhere").unwrap();
    a.net.open(elsewhere.clone()).await.unwrap();
    let mut raw = Raw::connect(&a, &elsewhere).await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    let at_b = join(&b, secret(7), json!({})).await;
    raw.run_while(shows_members(&at_a, SOON, 2)).await;
    raw.run_while(shows_members(&at_b, SOON, 2)).await;

    // All topics that the peer is subscribed to, but those that are known.
    let known = [crate::raw::topic(&elsewhere).hash(), gossipsub::IdentTopic::new("parlor/1/lobby").hash()];
    let topics = |raw: &Raw| -> BTreeSet<String> {
        let peers = raw.swarm.behaviour().gossip.all_peers().flat_map(|(_, topics)| topics);
        peers.filter(|topic| !known.contains(topic)).map(|topic| topic.as_str().to_owned()).collect()
    };
    let seen = topics(&raw);
    assert_eq!(seen.len(), 1, "{seen:?}");
    let topic = gossipsub::IdentTopic::new(seen.first().unwrap());
    raw.swarm.behaviour_mut().gossip.subscribe(&topic).unwrap();

    let mut heard: Vec<Vec<u8>> = Vec::new();
    let mut says = 0;
    let deadline = tokio::time::Instant::now() + LATER;
    while heard.len() < 20 {
        a.presence(json!({"note": format!("{MARK} {says}")})).await;
        says += 1;
        let event = tokio::time::timeout_at(deadline, raw.swarm.select_next_some()).await.expect("frames");
        if let SwarmEvent::Behaviour(BehaviourEvent::Gossip(gossipsub::Event::Message { message, .. })) = event
            && message.topic == topic.hash()
        {
            heard.push(message.data);
        }
    }
    let room = room();
    for words in [MARK, "note", room.as_str(), "Quiet Otter"] {
        let told = heard.iter().any(|bytes| bytes.windows(words.len()).any(|window| window == words.as_bytes()));
        assert!(!told, "{words:?} can be read");
    }

    // Its own words, and a's words said again.
    let again = heard.pop().unwrap();
    for bytes in [vec![1, 2, 3], b"\x01\x02 hello, a heartbeat of a stranger".to_vec(), again] {
        let before = a.count("frame_seal").await;
        raw.swarm.behaviour_mut().gossip.publish(topic.hash(), bytes).unwrap();
        raw.run_while(until(SOON, "refused", async || a.count("frame_seal").await > before)).await;
    }
    assert_eq!(at_a.snapshots().borrow().members.len(), 2);
    let stranger = raw.swarm.local_peer_id().to_base58();
    for peer in a.net.peers().await {
        assert_eq!(peer.rooms.contains(&room), peer.peer_id != stranger, "who subscribes is not in the room");
    }
    assert_eq!(at_a.snapshots().borrow().watching, 0, "a stranger is no watcher");
}
