//! What strangers may send us, and peers whose gossip has died.

use std::time::Duration;

use futures::StreamExt;
use libp2p::swarm::SwarmEvent;
use parlor_core::{Config, Input, Join, Lease, Output, Replica, Tick};
use serde_json::json;

use crate::raw::{Raw, topic};
use crate::support::{Dalek, LATER, Person, SOON, has, room, shows, shows_members, until, wall};

#[tokio::test]
async fn an_oversize_frame_is_refused_and_counted_and_hurts_nobody() {
    let a = Person::new("Quiet Otter").start().await;
    let at_a = a.join(json!({})).await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    b.join(json!({})).await;
    shows_members(&at_a, SOON, 2).await;
    let mut raw = Raw::connect(&a, &room()).await;

    let refused = async |name: &'static str, raw: &mut Raw| {
        raw.run_while(until(SOON, name, async || a.count(name).await > 0)).await;
    };
    let publish = |raw: &mut Raw, bytes: usize| {
        raw.swarm.behaviour_mut().gossip.publish(topic(&room()).hash(), vec![1; bytes]).unwrap();
    };
    publish(&mut raw, 13 * 1024);
    refused("frame_too_big", &mut raw).await;
    raw.send(u32::MAX, &room(), &[]);
    refused("direct_frame_too_big", &mut raw).await;
    // Too long for the stream itself, which gossipsub ends; the connection stays.
    publish(&mut raw, 200 * 1024);
    let unknown = parlor_core::RoomId::new("somewhere else").unwrap();
    raw.send(20, &unknown, &[1, 2, 3, 4]);
    refused("frame_for_no_room", &mut raw).await;
    // Nonsense within the limits is the replica's to judge: nothing happens.
    for garbage in [&[][..], &[0xff; 100], &[1, 1], &[1, 200, 3]] {
        raw.send(16 + garbage.len() as u32, &room(), garbage);
    }
    let update = async {
        b.presence(json!({"still": "here"})).await;
        shows(&at_a, SOON, |snapshot| has(snapshot, "still", &json!("here"))).await
    };
    let snapshot = raw.run_while(update).await;
    assert_eq!(snapshot.members.len(), 2);
}

/// gossipsub may die while the connection stays up: a member whose beats stay away is disconnected, so that a fresh
/// connection has a fresh stream. What it says all the while to this peer alone is no beat.
#[tokio::test]
async fn the_watchdog_ends_a_connection_whose_gossip_is_dead() {
    let a = Person::new("Quiet Otter").start().await;
    let at_a = a.open().await;
    let mut raw = Raw::connect(&a, &room()).await;
    let person = Person::new("Brave Heron");
    let config = Config {
        room: room(),
        certificate: person.certificate(raw.session),
        seed: 1,
        loopback_only: true,
        private: None,
    };
    let mut replica = Replica::new(config, std::sync::Arc::new(Dalek), Tick(1), wall());
    replica.join(&person.actor(), Join::new().presence(json!({})), Lease::Own, Tick(1)).unwrap();
    replica.handle(Input::LinkUp { peer: a.net.session_id(), loopback: true }, Tick(1));
    while let Some(output) = replica.poll_output() {
        // What it publishes is lost, as on a dead stream.
        if let Output::Send { bytes, .. } = output {
            raw.send(16 + bytes.len() as u32, &room(), &bytes);
        }
    }
    raw.run_while(shows_members(&at_a, SOON, 1)).await;
    // Whether somebody is heard who is not there.
    let question = [&[parlor_core::VERSION, 12][..], &[9; 32], &[1]].concat();
    let closed = async {
        let mut again = tokio::time::interval(Duration::from_millis(500));
        loop {
            tokio::select! {
                event = raw.swarm.select_next_some() => {
                    if matches!(event, SwarmEvent::ConnectionClosed { .. }) {
                        return;
                    }
                }
                _ = again.tick() => raw.send(16 + question.len() as u32, &room(), &question),
            }
        }
    };
    tokio::time::timeout(LATER, closed).await.expect("it is hung up on");
    until(LATER, "counted", async || a.count("watchdog").await == 1).await;
    assert!(a.count("testimonies").await > 4, "it was answered");
}
