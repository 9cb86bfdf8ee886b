//! Following a room: the grammar of events (design R14), feeds, closing.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use parlor::{ErrorCode, Event, FeedEvent, Join, Leave, MetadataChange, PresenceChange, RoomEvent};
use serde_json::json;

use crate::peers::{Peer, all, code, event, poll, rows, soon};

#[tokio::test]
async fn events_follow_the_grammar_and_their_numbers_grow() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    let heron = Peer::start("Calm Heron", &[&otter]).await;
    let mut events = heron.live.room("project_123").events().await.unwrap();
    let room = otter.live.room("project_123");
    for round in 0..3 {
        room.join(Join::new().presence(json!({"round": round}))).await.unwrap();
        rows(&heron.live.room("project_123"), 1).await;
        for x in 0..5 {
            room.presence(PresenceChange::new(json!({"x": x}))).await.unwrap();
        }
        room.set_metadata(MetadataChange::new(json!({"title": format!("Round {round}")}))).await.unwrap();
        room.leave(Leave::default()).await.unwrap();
        rows(&heron.live.room("project_123"), 0).await;
    }

    let mut present = BTreeMap::new();
    let (mut last, mut joins, mut leaves) = (None, 0, 0);
    while leaves < 3 {
        let item = soon("three leaves", events.next()).await.unwrap();
        assert!(last.is_none_or(|last| item.id > last), "{last:?} then {}", item.id);
        last = Some(item.id);
        match item.event {
            RoomEvent::Snapshot(snapshot) => {
                assert!(joins == 0, "nobody lagged");
                present.extend(snapshot.members.iter().map(|row| (row.key(), ())));
            }
            RoomEvent::Change(Event::Joined { member }) => {
                joins += 1;
                assert!(present.insert(member.key(), ()).is_none(), "joined twice");
                assert!(member.record.presence.contains_key("round"), "half a record");
            }
            RoomEvent::Change(Event::Left { member, .. }) => {
                leaves += 1;
                assert!(present.remove(&member.key()).is_some(), "left without being there");
            }
            RoomEvent::Change(Event::Updated { member, .. } | Event::Stale { member } | Event::Active { member }) => {
                assert!(present.contains_key(&member.key()), "changed without being there")
            }
            RoomEvent::Change(_) | RoomEvent::Resync { .. } => {}
        }
    }
    assert_eq!(joins, 3);
    otter.live.close().await;
    heron.live.close().await;
}

// F8: streams that are opened amid comings and goings know in the end who is there, by what they were told alone: nothing
// falls between their snapshot and the first change after it, and nothing counts twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_opened_amid_comings_and_goings_misses_none() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    let storm = tokio::spawn({
        let live = otter.live.clone();
        async move {
            for turn in 0..300_u32 {
                let room = live.acting_as(&format!("guest {}", turn % 7), None).unwrap().room("project_123");
                room.join(Join::new().presence(json!({"turn": turn}))).await.unwrap();
                if turn % 3 > 0 {
                    room.leave(Leave::default()).await.unwrap();
                }
                tokio::task::yield_now().await;
            }
        }
    });
    let mut streams = Vec::new();
    while !storm.is_finished() {
        streams.push(otter.live.room("project_123").events().await.unwrap());
        tokio::task::yield_now().await;
    }
    storm.await.unwrap();
    let seen = |members: &[std::sync::Arc<parlor::Member>]| {
        members.iter().map(|row| (row.key(), row.record.presence.clone())).collect::<BTreeMap<_, _>>()
    };
    let expected =
        seen(&otter.live.room("project_123").members(parlor::MembersQuery::default()).await.unwrap().members);
    assert!(!expected.is_empty() && streams.len() > 5, "the test lost its point: {} streams", streams.len());
    for mut events in streams {
        let mut rows = BTreeMap::new();
        let caught_up = async {
            // The last event may be a change that leaves the rows as they are expected, so all that is there is read.
            while rows != expected {
                match events.next().await.expect("the room was closed").event {
                    RoomEvent::Snapshot(snapshot) => rows = seen(&snapshot.members),
                    RoomEvent::Change(Event::Joined { member }) => {
                        assert!(rows.insert(member.key(), member.record.presence.clone()).is_none(), "joined twice");
                    }
                    RoomEvent::Change(Event::Updated { member, .. }) => {
                        assert!(rows.insert(member.key(), member.record.presence.clone()).is_some(), "was not there");
                    }
                    RoomEvent::Change(Event::Left { member, .. }) => {
                        assert!(rows.remove(&member.key()).is_some(), "left without being there");
                    }
                    RoomEvent::Change(_) | RoomEvent::Resync { .. } => {}
                }
            }
        };
        soon("a stream that knows who is there", caught_up).await;
    }
    otter.live.close().await;
}

#[tokio::test]
async fn a_feed_tells_joins_moves_and_leaves() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    let heron = Peer::start("Calm Heron", &[&otter]).await;
    let mut feed = heron.live.room("project_123").feed().await.unwrap();
    let first = soon("a snapshot", feed.next()).await.unwrap();
    assert!(matches!(first.events[..], [FeedEvent::Snapshot { .. }]) && first.seq == 1);

    let room = otter.live.room("project_123");
    room.join(Join::new().presence(json!({"status": "online"}))).await.unwrap();
    let mut feed_until = async |what: &str, done: &dyn Fn(&parlor::Batch) -> bool| {
        soon(what, async {
            loop {
                let batch = feed.next().await.expect("the room was closed");
                assert!(serde_json::to_vec(&batch).unwrap().len() < 7 * 1024);
                if done(&batch) {
                    return batch;
                }
            }
        })
        .await
    };
    feed_until("joined", &|batch| batch.events.iter().any(|event| matches!(event, FeedEvent::Joined { .. }))).await;
    for x in 0..50 {
        room.presence(PresenceChange::new(json!({"cursor": x}))).await.unwrap();
    }
    let moved = feed_until("the last position", &|batch| {
        batch.updates.iter().any(|update| update.presence.get("cursor") == Some(&json!(49)))
    });
    assert_eq!(moved.await.updates.len(), 1);
    room.leave(Leave::default()).await.unwrap();
    feed_until("left", &|batch| batch.events.iter().any(|event| matches!(event, FeedEvent::Left { .. }))).await;
    otter.live.close().await;
    assert!(!heron.live.forget_room("project_123").await.unwrap(), "it was never opened as one's own");
    assert!(
        soon("the end of the feed", async {
            while feed.next().await.is_some() {}
            true
        })
        .await
    );
    heron.live.close().await;
}

#[tokio::test]
async fn looking_without_joining_is_counted() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    let heron = Peer::start("Calm Heron", &[&otter]).await;
    let room = otter.live.room("project_123");
    room.join(Join::new()).await.unwrap();
    let mut events = room.events().await.unwrap();
    let seen = heron.live.room("project_123").members(all()).await.unwrap();
    assert_eq!(seen.members.iter().filter(|row| row.own).count(), 0);
    let watching = serde_json::to_value(event(&mut events, "watching").await).unwrap();
    assert_eq!(watching["count"], 1);
    assert_eq!(room.members(all()).await.unwrap().watching, 1);
    otter.live.close().await;
    heron.live.close().await;
}

#[tokio::test]
async fn a_room_that_was_left_and_never_read_is_not_watched_for_long() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    let heron = Peer::start("Calm Heron", &[&otter]).await;
    let mut events = heron.live.room("project_123").events().await.unwrap();
    let room = otter.live.room("project_123");
    room.join(Join::new()).await.unwrap();
    event(&mut events, "joined").await;
    room.leave(Leave::default()).await.unwrap();
    // Before they joined they may have been seen to look on.
    event(&mut events, "left").await;
    for count in [1, 0] {
        let watching = serde_json::to_value(event(&mut events, "watching").await).unwrap();
        assert_eq!(watching["count"], count);
    }
    assert!(matches!(room.leave(Leave::default()).await, Ok(left) if !left.left), "also when it is closed");
    otter.live.close().await;
    heron.live.close().await;
}

#[tokio::test]
async fn the_first_read_of_a_room_already_knows_who_is_there() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    let heron = Peer::start("Calm Heron", &[&otter]).await;
    otter.live.room("project_123").join(Join::new()).await.unwrap();
    poll("a link", async || heron.live.peers().await.pop()).await;
    let page = heron.live.room("project_123").members(all()).await.unwrap();
    assert_eq!(page.total, 1);
    otter.live.close().await;
    heron.live.close().await;
}

#[tokio::test]
async fn closing_leaves_every_room_and_ends_what_follows_it() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    let heron = Peer::start("Calm Heron", &[&otter]).await;
    let mut seen = Vec::new();
    for name in ["project_1", "project_2"] {
        otter.live.room(name).join(Join::new()).await.unwrap();
        rows(&heron.live.room(name), 1).await;
        seen.push(heron.live.room(name).events().await.unwrap());
    }
    let mut own = otter.live.room("project_1").events().await.unwrap();
    otter.live.close().await;
    for events in &mut seen {
        let left = serde_json::to_value(event(events, "left").await).unwrap();
        assert_eq!(left["reason"], "left");
    }
    soon("the end of the stream", async { while own.recv().await.is_some() {} }).await;
    assert_eq!(code(otter.live.room("project_1").join(Join::new()).await), ErrorCode::NetworkUnavailable);
    assert!(!otter.live.profile_dir().join("peer.json").exists());
    otter.live.close().await;
    heron.live.close().await;
}
