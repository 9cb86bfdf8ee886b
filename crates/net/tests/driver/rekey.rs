//! A changed key of a private room (design N8): who comes over is not seen to go, and whoever stays behind hears and says
//! nothing more, whatever program they run.

use parlor_core::{AccessChange, Event, Join, Lease, MemberState, NewKey, PublicKey, Signer};
use parlor_net::{RoomPort, RoomSecret};
use serde_json::json;

use crate::support::{LATER, Peer, Person, SOON, has, room, shows, shows_members, until};

fn secret(person: &Person, byte: u8) -> RoomSecret {
    RoomSecret::first(person.signer.public_key(), [byte; 32])
}

async fn join(peer: &Peer, secret: RoomSecret, earlier: Vec<(RoomSecret, u64)>) -> RoomPort {
    let port = peer.net.open_private(room(), secret, earlier).await.unwrap();
    let actor = peer.actor.clone();
    let join = move |replica: &mut parlor_core::Replica, now| replica.join(&actor, Join::new(), Lease::Own, now);
    peer.net.with(&room(), join).await.unwrap().unwrap();
    port
}

/// Puts a key in force at its host; what is in the parts is nothing to the driver.
async fn announce(host: &Peer, key: RoomSecret, to: &[PublicKey]) {
    let actor = host.actor.clone();
    let parts = to.iter().map(|identity| (*identity, vec![key.epoch as u8])).collect();
    let new = NewKey { epoch: key.epoch, commitment: key.commitment(), share: [0; 32], parts };
    let call = move |replica: &mut parlor_core::Replica, now| replica.change_key(&actor, new, now);
    host.net.with(&room(), call).await.unwrap().unwrap();
}

#[tokio::test]
async fn whoever_stays_behind_hears_and_says_nothing_more() {
    let (host, stays, out) = (Person::new("Quiet Otter"), Person::new("Brave Heron"), Person::new("Merry Wren"));
    let first = secret(&host, 7);
    let second = RoomSecret { epoch: 1, secret: [8; 32], ..first };
    let a = host.start().await;
    let b = stays.start_dialling(&[&a]).await;
    // It keeps to no rule: it never leaves, and goes on under the key that it has.
    let x = out.start_dialling(&[&a, &b]).await;
    let at_a = join(&a, first, Vec::new()).await;
    let at_b = join(&b, first, Vec::new()).await;
    let at_x = join(&x, first, Vec::new()).await;
    for port in [&at_a, &at_b, &at_x] {
        shows_members(port, SOON, 3).await;
    }
    let mut events = at_b.events();
    announce(&a, second, &[host.signer.public_key(), stays.signer.public_key()]).await;
    a.net.change_key(room(), second).await.unwrap();
    shows(&at_b, SOON, |snapshot| snapshot.access.as_ref().is_some_and(|access| access.epoch == 1)).await;
    b.net.change_key(room(), second).await.unwrap();

    for turn in 0..3 {
        a.presence(json!({"said": turn})).await;
        shows(&at_b, SOON, |snapshot| has(snapshot, "said", &json!(turn))).await;
        // What it says under the old key is read by nobody.
        let rejoin = x.actor.clone();
        let back = Join::new().presence(json!({"intruder": turn}));
        let call = move |replica: &mut parlor_core::Replica, now| replica.join(&rejoin, back, Lease::Own, now);
        x.net.with(&room(), call).await.unwrap().unwrap();
    }
    // It hears of the key, by which everybody learns that it was changed, and of nothing after that.
    shows(&at_x, SOON, |snapshot| snapshot.access.as_ref().is_some_and(|access| access.epoch == 1)).await;
    let heard = at_x.snapshots().borrow().members.iter().any(|member| member.record.presence.contains_key("said"));
    assert!(!heard, "it reads on");
    for port in [&at_a, &at_b] {
        let snapshot = shows_members(port, SOON, 2).await;
        assert!(snapshot.members.iter().all(|member| member.actor.name != "Merry Wren"));
    }
    // Nobody who came over blinked.
    while let Ok((_, event)) = events.try_recv() {
        match event {
            Event::Stale { member } | Event::Joined { member } => panic!("{} blinked", member.actor.name),
            Event::Left { member, .. } => assert_eq!(member.actor.name, "Merry Wren"),
            _ => {}
        }
    }
    let active = |state: MemberState| state == MemberState::Active;
    assert!(at_b.snapshots().borrow().members.iter().all(|member| active(member.state)));
}

/// Whoever comes with the key before is told of the new one, by somebody who is no host and was started anew.
#[tokio::test]
async fn the_key_is_handed_on_in_front_of_the_room() {
    let (host, away) = (Person::new("Quiet Otter"), Person::new("Calm Newt"));
    let first = secret(&host, 7);
    let second = RoomSecret { epoch: 1, secret: [8; 32], ..first };
    let a = host.start().await;
    let at_a = join(&a, second, vec![(first, 60_000)]).await;
    announce(&a, second, &[host.signer.public_key(), away.signer.public_key()]).await;
    let b = away.start_dialling(&[&a]).await;
    let at_b = join(&b, first, Vec::new()).await;
    shows(&at_b, SOON, |snapshot| snapshot.access.as_ref().is_some_and(|access| access.epoch == 1)).await;
    let me = away.signer.public_key();
    let handover = async || b.net.with(&room(), move |replica, _| replica.handover(&me)).await.unwrap().unwrap();
    // The parts may come after what is true of the key for everybody.
    until(SOON, "the part", async || handover().await.part.is_some()).await;
    let handover = handover().await;
    assert_eq!((handover.part, handover.commitment), (Some(vec![1]), second.commitment()));
    b.net.change_key(room(), second).await.unwrap();
    shows_members(&at_a, SOON, 2).await;
    shows_members(&at_b, SOON, 2).await;
    b.net.change_key(room(), second).await.expect("it has that key already");
    let other = RoomSecret::first(away.signer.public_key(), [9; 32]);
    assert!(b.net.change_key(room(), other).await.is_err(), "another room");
}

/// A receiver ignores whoever is on too many topics: however often a key is changed in a day, that is not us.
#[tokio::test]
async fn a_key_that_is_changed_often_keeps_nobody_out() {
    let host = Person::new("Quiet Otter");
    let first = secret(&host, 7);
    let a = host.start().await;
    let at_a = join(&a, first, Vec::new()).await;
    let mut last = first;
    for epoch in 1..=110 {
        last = RoomSecret { epoch, secret: [epoch as u8; 32], ..first };
        a.net.change_key(room(), last).await.unwrap();
    }
    assert!(a.count("porch_dropped").await > 50);
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    let at_b = join(&b, last, Vec::new()).await;
    shows_members(&at_a, SOON, 2).await;
    shows_members(&at_b, SOON, 2).await;
}

/// Each of two hosts goes to a key of their own, and both hear of the other's in front of the room.
#[tokio::test]
async fn two_keys_of_one_epoch_meet_in_front_of_the_room() {
    let (host, other) = (Person::new("Quiet Otter"), Person::new("Brave Heron"));
    let first = secret(&host, 7);
    let [one, two] = [8, 9].map(|byte| RoomSecret { epoch: 1, secret: [byte; 32], ..first });
    let a = host.start().await;
    let b = other.start_dialling(&[&a]).await;
    let at_a = join(&a, first, Vec::new()).await;
    let at_b = join(&b, first, Vec::new()).await;
    shows_members(&at_a, SOON, 2).await;
    let user = other.signer.public_key().user_id().to_string();
    let change = AccessChange { hosts: [(user, true)].into(), ..AccessChange::default() };
    let actor = a.actor.clone();
    let named = move |replica: &mut parlor_core::Replica, now| replica.change_access(&actor, &change, now);
    a.net.with(&room(), named).await.unwrap().unwrap();
    let is_host = |snapshot: &parlor_core::Snapshot| {
        snapshot.access.as_ref().is_some_and(|access| access.people.iter().filter(|person| person.host).count() == 2)
    };
    shows(&at_b, SOON, is_host).await;
    let both = [host.signer.public_key(), other.signer.public_key()];
    // Neither hears of the other's before it has gone.
    a.net.change_key(room(), one).await.unwrap();
    b.net.change_key(room(), two).await.unwrap();
    announce(&a, one, &both).await;
    announce(&b, two, &both).await;
    let force = async |peer: &Peer, identity: PublicKey| {
        let key = peer.net.with(&room(), move |replica, _| replica.handover(&identity)).await.unwrap();
        key.map(|key| key.commitment)
    };
    until(LATER, "both know one key", async || {
        let (at_a, at_b) = (force(&a, both[0]).await, force(&b, both[1]).await);
        at_a.is_some() && at_a == at_b
    })
    .await;
    let last = force(&a, both[0]).await;
    for peer in [&a, &b] {
        let key = [one, two].into_iter().find(|key| Some(key.commitment()) == last).unwrap();
        peer.net.change_key(room(), key).await.unwrap();
    }
    shows_members(&at_a, LATER, 2).await;
    shows_members(&at_b, LATER, 2).await;
    a.presence(json!({"said": "in one room"})).await;
    shows(&at_b, SOON, |snapshot| has(snapshot, "said", &json!("in one room"))).await;
}
