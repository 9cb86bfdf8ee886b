//! Rooms near and known.

use parlor::{DiscoveryState, ErrorCode, Join, MetadataChange, RoomSummary, limits};
use serde_json::json;

use crate::peers::{Peer, all, code, config, poll, rows, start_when_free};

async fn listed(peer: &parlor::Live, room: &str) -> Option<RoomSummary> {
    peer.rooms().await.into_iter().find(|known| known.room.as_str() == room)
}

#[tokio::test]
async fn rooms_are_created_joined_kept_and_forgotten() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    assert!(otter.live.rooms().await.is_empty());
    let made = serde_json::to_value(otter.live.create_room("plans").await.unwrap()).unwrap();
    assert!(made["lastOpenedAt"].is_string());
    assert_eq!(made["members"], 0);
    assert_eq!((&made["joined"], &made["private"], &made["near"]), (&json!(false), &json!(false), &json!(false)));

    let room = otter.live.room("project_123");
    room.join(Join::new().presence(json!({"color": parlor::PALETTE[0]}))).await.unwrap();
    room.set_metadata(MetadataChange::new(json!({"title": "Incident response"}))).await.unwrap();
    let open = listed(&otter.live, "project_123").await.unwrap();
    assert!(open.joined && open.near && open.members == 1);
    assert_eq!(open.title.as_deref(), Some("Incident response"));
    assert_eq!(open.faces[0].color.as_deref(), Some(parlor::PALETTE[0]));
    assert!(!listed(&otter.live.acting_as("guest", None).unwrap(), "project_123").await.unwrap().joined);
    let file = otter.live.profile_dir().join("rooms.redb");
    // As the list of rooms has it, not only the room itself.
    let title = br#""title":"Incident response""#;
    let kept = async || std::fs::read(&file).unwrap().windows(title.len()).any(|seen| seen == title).then_some(());
    poll("the title is kept", kept).await;
    otter.live.close().await;

    let Peer { live, dir } = otter;
    drop(live);
    let live = start_when_free(config(dir.path(), "default")).await;
    let kept = listed(&live, "project_123").await.unwrap();
    assert!(!kept.joined && !kept.near && kept.members == 0);
    assert_eq!(kept.title.as_deref(), Some("Incident response"));
    // Opening it again, before anybody told its title, does not lose the title.
    live.room("project_123").members(all()).await.unwrap();
    live.room("project_123").join(Join::new()).await.unwrap();
    assert_eq!(listed(&live, "project_123").await.unwrap().title.as_deref(), Some("Incident response"));

    assert!(live.forget_room("project_123").await.unwrap());
    assert!(listed(&live, "project_123").await.is_none());
    assert_eq!(live.room("project_123").members(all()).await.unwrap().total, 0, "forgetting is leaving");
    assert!(live.forget_room("plans").await.unwrap());
    assert!(!live.forget_room("plans").await.unwrap());
    assert_eq!(code(live.forget_room("").await), ErrorCode::InvalidRoomId);
    assert_eq!(code(live.create_room("x".repeat(129)).await), ErrorCode::InvalidRoomId);
    live.close().await;
}

#[tokio::test]
async fn a_room_that_somebody_near_is_in_is_listed() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    let heron = Peer::start("Calm Heron", &[&otter]).await;
    let room = otter.live.room("project_123");
    room.join(Join::new().presence(json!({"name": "Quiet Otter"}))).await.unwrap();
    room.set_metadata(MetadataChange::new(json!({"title": "Incident response"}))).await.unwrap();
    let listed = async || listed(&heron.live, "project_123").await.filter(|near| near.title.is_some());
    let near = poll("the room is near", listed).await;
    assert!(near.near && !near.joined && near.members == 1 && near.last_opened_at.is_none());
    assert_eq!(near.faces[0].name, "Quiet Otter");
    otter.live.close().await;
    heron.live.close().await;
}

#[tokio::test]
async fn rooms_are_limited_and_rooms_that_are_only_looked_at_make_place() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    for n in 0..limits::ROOMS_MAX + 3 {
        otter.live.room(format!("read {n}")).members(all()).await.unwrap();
    }
    for n in 0..limits::ROOMS_MAX {
        otter.live.room(format!("joined {n}")).join(Join::new()).await.unwrap();
    }
    assert_eq!(code(otter.live.room("one more").join(Join::new()).await), ErrorCode::TooManyRooms);
    assert_eq!(code(otter.live.room("one more").watch().await), ErrorCode::TooManyRooms);
    otter.live.room("joined 7").leave(parlor::Leave::default()).await.unwrap();
    otter.live.room("one more").join(Join::new()).await.unwrap();
    rows(&otter.live.room("one more"), 1).await;
    assert_eq!(code(otter.live.room("a\u{0}b").join(Join::new()).await), ErrorCode::InvalidRoomId);
    otter.live.close().await;
}

/// Report N60: tests that meet by multicast pass where there is some, and find anybody else's peers.
#[tokio::test]
async fn peers_of_tests_meet_by_address_and_in_no_other_way() {
    let peer = Peer::start("Quiet Otter", &[]).await;
    let seen = peer.live.check_network().await.unwrap().seen;
    assert_eq!((seen.mdns.state, seen.hello.state), (DiscoveryState::Off, DiscoveryState::Off));
    assert!(peer.live.status().await.listen.iter().all(|address| address.starts_with("/ip4/127.0.0.1/")));
    peer.live.close().await;
}
