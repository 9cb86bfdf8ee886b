//! Connections that are made twice, lost, or come back as somebody else.

use std::time::Duration;

use parlor_core::{Event, LeftReason};
use serde_json::json;

use crate::support::{Person, SOON, event, has, shows, shows_members, until};

/// Report N17, report N18: both dial at once; with a limit of one per peer each end would refuse the other's.
#[tokio::test]
async fn a_simultaneous_dial_leaves_exactly_one_connection() {
    let a = Person::new("Quiet Otter").start().await;
    let b = Person::new("Brave Heron").start().await;
    let at_a = a.join(json!({})).await;
    let at_b = b.join(json!({})).await;
    let (to_b, to_a) = (b.tcp(), a.tcp());
    let (first, second) = tokio::join!(a.net.dial(&to_b), b.net.dial(&to_a));
    first.unwrap();
    second.unwrap();
    until(SOON, "two connections", async || {
        (a.count("second_connection").await, b.count("second_connection").await) == (1, 1)
    })
    .await;
    until(SOON, "one connection at both ends", async || (a.connections().await, b.connections().await) == (1, 1)).await;
    shows_members(&at_a, SOON, 2).await;
    a.presence(json!({"after": true})).await;
    shows(&at_b, SOON, |snapshot| has(snapshot, "after", &json!(true))).await;
    assert_eq!((a.connections().await, b.connections().await), (1, 1));
}

/// Report N19: a restarted peer is a new session, and it takes the place of its old one.
#[tokio::test]
async fn who_restarts_is_one_member_within_three_seconds() {
    let a = Person::new("Quiet Otter").start().await;
    let at_a = a.join(json!({})).await;
    let person = Person::new("Brave Heron");
    let b = person.start_dialling(&[&a]).await;
    b.join(json!({"life": 1})).await;
    shows_members(&at_a, SOON, 2).await;
    drop(b);
    let b = person.start_dialling(&[&a]).await;
    let at_b = b.join(json!({"life": 2})).await;
    let one = |snapshot: &parlor_core::Snapshot| snapshot.members.len() == 2 && has(snapshot, "life", &json!(2));
    shows(&at_a, SOON, one).await;
    shows_members(&at_b, SOON, 2).await;
    b.presence(json!({"life": 3})).await;
    shows(&at_a, SOON, |snapshot| has(snapshot, "life", &json!(3))).await;
}

/// Report N19, from the other side: the one that was dialled restarts at its address.
#[tokio::test]
async fn who_is_dialled_may_restart_too() {
    let person = Person::new("Quiet Otter");
    let a = person.start().await;
    let address = a.tcp();
    a.join(json!({"life": 1})).await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    let at_b = b.join(json!({})).await;
    shows_members(&at_b, SOON, 2).await;
    drop(a);
    let mut again = None;
    for _ in 0..500 {
        match person.start_with(|config| config.listen = vec![address.clone()]).await {
            Ok(peer) => {
                again = Some(peer);
                break;
            }
            Err(_) => tokio::task::yield_now().await,
        }
    }
    let a = again.expect("the port is free again");
    a.join(json!({"life": 2})).await;
    let one = |snapshot: &parlor_core::Snapshot| snapshot.members.len() == 2 && has(snapshot, "life", &json!(2));
    shows(&at_b, SOON, one).await;
}

#[tokio::test]
async fn who_is_killed_turns_stale_at_once_and_leaves_after_five_seconds() {
    let a = Person::new("Quiet Otter").start().await;
    let at_a = a.join(json!({})).await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    b.join(json!({})).await;
    shows_members(&at_a, SOON, 2).await;
    let mut events = at_a.events();
    drop(b);
    event(&mut events, SOON, |event| matches!(event, Event::Stale { .. })).await;
    let left = event(&mut events, Duration::from_secs(7), |event| matches!(event, Event::Left { .. })).await;
    assert!(matches!(left, Event::Left { reason: LeftReason::Disconnected, .. }), "{left:?}");
}
