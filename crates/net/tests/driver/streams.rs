//! Movements by their author's own link (design N4): who hears them by a stream, who by gossip, and what somebody gets for
//! saying nonsense on one.

use std::time::Duration;

use futures::future::join_all;
use parlor_core::{Join, Lease, MemberId, Replica, RoomId};
use parlor_net::RoomPort;
use parlor_testkit::liar::bare::streamed;
use serde_json::json;
use tokio::time::timeout;

use crate::gossip::Speaker;
use crate::raw::Raw;
use crate::support::{LATER, Peer, Person, ROOM, SOON, has, room, shows, shows_members, until};

/// Two who see each other, with what their rooms show.
async fn two() -> [(Peer, RoomPort); 2] {
    let a = Person::new("Quiet Otter").start().await;
    let at_a = a.join(json!({})).await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    let at_b = b.join(json!({})).await;
    shows_members(&at_a, SOON, 2).await;
    shows_members(&at_b, SOON, 2).await;
    [(a, at_a), (b, at_b)]
}

/// Takes steps, and waits for each to be seen.
async fn steps(of: &Peer, at: &RoomPort, numbers: std::ops::Range<u64>) {
    for number in numbers {
        of.presence(json!({ "step": number })).await;
        shows(at, SOON, |snapshot| has(snapshot, "step", &json!(number))).await;
    }
}

/// Moves until something was counted so often.
async fn moves_until(of: &Peer, counter: &str, times: u64) {
    let moves = async {
        for number in 0.. {
            of.presence(json!({ "moves": number })).await;
            if of.count(counter).await >= times {
                return;
            }
        }
    };
    timeout(LATER, moves).await.unwrap_or_else(|_| panic!("{counter} is not {times}"));
}

#[tokio::test]
async fn where_nobody_passes_it_on_a_movement_comes_by_the_link_itself() {
    let [(a, _at_a), (b, at_b)] = two().await;
    // Till then somebody's links are not known.
    moves_until(&a, "streamed", 3).await;
    let (streamed, gossip) = (b.count("stream_heard").await, b.count("gossip_heard").await);
    steps(&a, &at_b, 1..41).await;
    let (streamed, gossip) = (b.count("stream_heard").await - streamed, b.count("gossip_heard").await - gossip);
    // A heartbeat rides along every two seconds, by gossip, which shows that gossip works.
    assert!(streamed >= 35 && gossip <= 6, "{streamed} by streams, {gossip} by gossip");
    assert_eq!((a.count("stream_full").await, b.count("stream_unreadable").await), (0, 0));
    assert_eq!((a.count("stream_again").await, b.count("stream_again").await), (0, 0));
}

const MEMBERS: usize = 40;

/// Members join at a peer's room.
async fn join_members(at: &Peer, room: &RoomId) {
    for number in 0..MEMBERS {
        let (actor, id) = (at.actor.clone(), MemberId::new(&format!("member {number}")).unwrap());
        let join = Join::new().member_id(id);
        let call = move |replica: &mut Replica, now| replica.join(&actor, join, Lease::Own, now);
        at.net.with(room, call).await.unwrap().unwrap();
    }
}

/// Who is there already is told in a frame for each, and none of them needs a stream of its own.
#[tokio::test]
async fn who_comes_into_a_room_is_told_of_its_members_by_the_stream() {
    let [(a, _at_a), (b, _at_b)] = two().await;
    moves_until(&a, "streamed", 3).await;
    let another = RoomId::new("another").unwrap();
    a.net.open(another.clone()).await.unwrap();
    join_members(&a, &another).await;
    let before = b.count("stream_heard").await;
    let at_b = b.net.open(another).await.unwrap();
    shows_members(&at_b, SOON, MEMBERS).await;
    let heard = b.count("stream_heard").await - before;
    assert!(heard >= MEMBERS as u64, "{heard} of {MEMBERS} by the stream");
}

/// The same when there is no stream yet: with so many at once, some are linked before theirs is open.
#[tokio::test]
async fn who_has_just_been_linked_is_told_of_the_members_by_the_stream_that_is_being_opened() {
    let newcomer = async || {
        let a = Person::new("Quiet Otter").start().await;
        let _at_a = a.open().await;
        join_members(&a, &room()).await;
        let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
        let at_b = b.open().await;
        shows_members(&at_b, SOON, MEMBERS).await;
        b.count("stream_heard").await
    };
    let heard = join_all((0..8).map(|_| newcomer())).await;
    assert!(heard.iter().all(|heard| *heard >= MEMBERS as u64), "{heard:?} of {MEMBERS} by the stream");
}

#[tokio::test]
async fn what_has_to_be_passed_on_goes_by_gossip_as_well() {
    let a = Person::new("Quiet Otter").start().await;
    let at_a = a.join(json!({})).await;
    let b = Person::new("Brave Heron").start_dialling(&[&a]).await;
    let _at_b = b.join(json!({})).await;
    let c = Person::new("Calm Fox").start_dialling(&[&b]).await;
    let at_c = c.join(json!({})).await;
    shows_members(&at_a, LATER, 3).await;
    shows_members(&at_c, LATER, 3).await;
    steps(&a, &at_c, 1..6).await;
    let counts = async || (a.count("streamed").await, a.count("published").await, b.count("stream_heard").await);
    let before = counts().await;
    steps(&a, &at_c, 6..26).await;
    let after = counts().await;
    let (streamed, published, heard) = (after.0 - before.0, after.1 - before.1, after.2 - before.2);
    assert_eq!(c.net.peers().await.len(), 1, "c is not linked to a");
    assert!(streamed >= 20 && published >= 20, "{streamed} by streams, {published} by gossip");
    assert!(heard >= 20, "b, who is, hears {heard} of them by its stream");
}

#[tokio::test]
async fn who_knows_no_streams_hears_it_by_gossip() {
    let a = Person::new("Quiet Otter").start().await;
    let at_a = a.join(json!({})).await;
    let mut speaker = Speaker::beside(&a, "Brave Heron").await;
    speaker.speak_while(shows_members(&at_a, SOON, 2)).await;
    let published = a.count("published").await;
    speaker.speak_while(moves_until(&a, "published", published + 20)).await;
    assert_eq!(a.count("streamed").await, 0);
}

#[tokio::test]
async fn nonsense_on_a_stream_ends_it_and_costs_whoever_says_it() {
    let a = Person::new("Quiet Otter").start().await;
    let _at_a = a.open().await;
    let mut raw = Raw::connect(&a, &room()).await;
    let kept = raw.stream(streamed(u16::MAX, ROOM, b"too long"));
    raw.run_while(until(SOON, "the length is refused", async || a.count("stream_unreadable").await == 1)).await;
    drop(kept);
    let kept = raw.stream(streamed(3, ROOM, b""));
    raw.run_while(until(SOON, "it came again", async || a.count("stream_again").await == 1)).await;
    raw.run_while(until(SOON, "and is refused", async || a.count("stream_unreadable").await == 2)).await;
    drop(kept);
    // What can be read but is no frame is counted as what comes by gossip is.
    let kept = raw.stream(streamed(16 + 3, ROOM, &[parlor_core::VERSION, 5, 0xff]));
    raw.run_while(until(SOON, "it is no frame", async || a.count("frame_unreadable").await == 1)).await;
    drop(kept);
}

#[tokio::test]
async fn a_flood_on_a_stream_is_cut_off() {
    let [(a, at_a), (b, at_b)] = two().await;
    let mut raw = Raw::connect(&a, &room()).await;
    let item = streamed(16 + 3, ROOM, &[parlor_core::VERSION, 200, 0]);
    let mut more = raw.stream(item.clone());
    let flood = async {
        let mut turn = tokio::time::interval(Duration::from_millis(5));
        while a.count("flooder_cut_off").await == 0 {
            turn.tick().await;
            // Full is as good.
            let _ = more.try_send(item.repeat(200));
        }
    };
    raw.run_while(timeout(LATER, flood)).await.expect("it is cut off");
    steps(&b, &at_a, 1..5).await;
    steps(&a, &at_b, 5..10).await;
}

/// Somebody without streams is no reason that the others hear each other later.
#[tokio::test]
async fn who_knows_no_streams_keeps_nobody_else_from_them() {
    let [(a, _at_a), (b, at_b)] = two().await;
    moves_until(&a, "streamed", 3).await;
    // It looks on, which makes nobody pass anything on.
    let mut raw = Raw::connect(&a, &room()).await;
    let (streamed, published) = (b.count("stream_heard").await, a.count("published").await);
    raw.run_while(steps(&a, &at_b, 1..41)).await;
    let streamed = b.count("stream_heard").await - streamed;
    assert!(streamed >= 35, "{streamed} by streams");
    // Gossip has its turn when streams had theirs.
    let said = until(SOON, "all of it is said by gossip", async || a.count("published").await >= published + 40);
    raw.run_while(said).await;
}

/// Who takes in a stream and reads nothing of it keeps nobody waiting, and has another one to neglect a few seconds later.
#[tokio::test]
async fn a_stream_that_nobody_reads_ends() {
    let [(a, _at_a), (b, at_b)] = two().await;
    moves_until(&a, "streamed", 3).await;
    let mut raw = Raw::connect_deaf(&a, &room()).await;
    let moves = async {
        for number in 0.. {
            // As long as a movement may be, so that it soon takes no more.
            let text = format!("{number:01700}");
            a.presence(json!({ "step": number, "text": text, "more": text })).await;
            shows(&at_b, SOON, |snapshot| has(snapshot, "step", &json!(number))).await;
            if a.count("stream_ended").await > 0 {
                return;
            }
        }
    };
    raw.run_while(timeout(2 * LATER, moves)).await.expect("the stream ends");
    assert_eq!((a.count("connection_closed").await, b.count("connection_closed").await), (0, 0));
}
