//! Peers of other versions (design N9): what cannot be read is counted and shown, and harms nobody.

use parlor_core::VERSION;
use parlor_net::Speaks;
use serde_json::json;

use crate::gossip::Speaker;
use crate::raw::topic;
use crate::support::{LATER, Person, SOON, has, room, shows, shows_members, until};

/// A newer Parlor of the same wire version says things of kinds that are not known yet, by both ways, and is in the room as
/// anybody is. One of a newer wire version cannot be read at all: it is shown as newer, its words change nothing for the
/// others, and it is shown as one that is understood from the moment that it says something in our version.
#[tokio::test]
async fn a_newer_peer_shares_the_room_as_far_as_it_can_be_read() {
    let a = Person::new("Quiet Otter").start().await;
    let at_a = a.join(json!({})).await;
    let b = Person::new("Calm Badger").start_dialling(&[&a]).await;
    b.join(json!({})).await;
    let mut newer = Speaker::beside(&a, "Brave Heron").await;
    newer.speak_while(shows_members(&at_a, SOON, 3)).await;
    let of_later = [VERSION, 200, 1, 2, 3];
    newer.raw.send(16 + 5, &room(), &of_later);
    newer.raw.swarm.behaviour_mut().gossip.publish(topic(&room()).hash(), of_later).unwrap();
    newer.speak_while(until(SOON, "both are counted", async || a.count("frame_kind").await >= 2)).await;
    b.presence(json!({"still": "here"})).await;
    let all = |snapshot: &parlor_core::Snapshot| snapshot.members.len() == 3 && has(snapshot, "still", &json!("here"));
    newer.speak_while(shows(&at_a, SOON, all)).await;

    let speaks = async || {
        let peers = a.net.peers().await;
        let all = peers.iter().map(|peer| peer.speaks);
        all.filter(|speaks| *speaks != Speaks::Same).collect::<Vec<_>>()
    };
    assert_eq!(speaks().await, []);
    for version in [VERSION + 1, VERSION - 1] {
        newer.raw.swarm.behaviour_mut().gossip.publish(topic(&room()).hash(), [version, 1, 1, 1]).unwrap();
        let expected = if version > VERSION { Speaks::Newer } else { Speaks::Older };
        // It says nothing in our version meanwhile.
        newer.raw.run_while(until(SOON, "it is shown", async || speaks().await == [expected])).await;
    }
    assert!(a.count("frame_version").await >= 2);
    newer.speak_while(until(LATER, "it is understood again", async || speaks().await.is_empty())).await;
    newer.speak_while(shows_members(&at_a, SOON, 3)).await;
    assert_eq!(a.count("connection_closed").await, 0);
}
