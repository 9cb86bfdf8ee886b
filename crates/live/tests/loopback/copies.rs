//! A profile whose folder was copied and that runs twice (design R2, report M8), from the first news to the end of it.

use std::path::Path;

use parlor::{Cloned, ErrorCode, Event, Events, Join, Live, PresenceChange, RoomEvent, Status};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::peers::{Peer, addresses, all, code, config, event, poll, rows, soon};

const ROOM: &str = "project_123";

/// A copy of a profile as a backup or another computer has it, and a peer that runs it.
async fn copy_of(peer: &Peer, dial: &[&Peer]) -> Peer {
    let dir = TempDir::new().unwrap();
    copy(&peer.dir.path().join("profiles"), &dir.path().join("profiles"));
    let config = parlor::Config { dial: addresses(dial).await, ..config(dir.path(), "default") };
    Peer { live: Live::start(config).await.unwrap(), dir }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (entry, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).unwrap();
        if entry.is_dir() {
            copy(&entry, &to)
        } else {
            let _ = std::fs::copy(&entry, &to).unwrap();
        }
    }
}

async fn join(live: &Live) {
    live.room(ROOM).join(Join::new().presence(json!({"status": "online"}))).await.unwrap();
}

/// The next news of the profile in a room; anything else about members in between is passed over.
async fn news(events: &mut Events) -> Option<Cloned> {
    match event(events, "cloned").await.event {
        RoomEvent::Change(Event::Cloned { cloned }) => cloned,
        other => panic!("{other:?}"),
    }
}

/// News of the profile that is there already, without waiting for more.
async fn more_news(events: &mut Events) -> usize {
    let mut count = 0;
    while let Ok(Some(item)) = tokio::time::timeout(std::time::Duration::ZERO, events.recv()).await {
        count += usize::from(item.event.name() == "cloned");
    }
    count
}

async fn until_status(live: &Live, what: &str, wanted: impl Fn(&Status) -> bool) -> Status {
    poll(what, async || Some(live.status().await).filter(|status| wanted(status))).await
}

/// Otter, Heron and a copy of Otter that was started later, all in one room.
async fn copied() -> (Peer, Peer, Peer, Events, Events) {
    let heron = Peer::start("Calm Heron", &[]).await;
    join(&heron.live).await;
    let otter = Peer::start("Quiet Otter", &[&heron]).await;
    join(&otter.live).await;
    rows(&heron.live.room(ROOM), 2).await;
    let mut here = otter.live.room(ROOM).events().await.unwrap();
    let copy = copy_of(&otter, &[&heron, &otter]).await;
    assert_eq!(copy.live.user_id(), otter.live.user_id());
    // It does not know yet whose profile runs elsewhere, and the other does not know that it is the earlier one.
    let mut there = copy.live.room(ROOM).events().await.unwrap();
    if let Err(error) = copy.live.room(ROOM).join(Join::new()).await {
        panic!("the later start goes on: {error}");
    }
    let (told_here, told_there) = (news(&mut here).await.unwrap(), news(&mut there).await.unwrap());
    assert!(told_here.read_only && !told_there.read_only);
    assert_eq!(told_here.others, [copy.live.status().await.session_id]);
    assert_eq!(told_there.others, [otter.live.status().await.session_id]);
    (heron, otter, copy, here, there)
}

async fn all_close(peers: &[&Peer]) {
    for peer in peers {
        peer.live.close().await;
    }
}

fn file(live: &Live, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(live.profile_dir().join(name)).unwrap()).unwrap()
}

#[tokio::test]
async fn both_are_told_once_and_the_read_only_one_becomes_somebody_new() {
    let (heron, otter, copy, mut here, mut there) = copied().await;
    for (live, read_only) in [(&otter.live, true), (&copy.live, false)] {
        let cloned = live.status().await.cloned.unwrap();
        assert_eq!((cloned.read_only, cloned.others.len()), (read_only, 1));
    }
    assert_eq!(heron.live.status().await.cloned, None, "it is nobody else's concern");
    let refused = otter.live.room(ROOM).presence(PresenceChange::new(json!({"a": 1}))).await;
    assert_eq!(code(refused), ErrorCode::IdentityCloned);
    // The process is read-only, not only the room in which it was seen.
    assert_eq!(code(otter.live.room("another").join(Join::new()).await), ErrorCode::IdentityCloned);
    copy.live.room(ROOM).presence(PresenceChange::new(json!({"a": 1}))).await.unwrap();
    rows(&heron.live.room(ROOM), 2).await;

    // Three heartbeats of the one that is read-only: nothing is said again, and nobody comes or goes.
    let mut aside = heron.live.room(ROOM).events().await.unwrap();
    let heard = async |live: &Live| live.counters().await.get("frame_of_departed").copied().unwrap_or(0);
    let before = heard(&heron.live).await;
    poll("three heartbeats", async || (heard(&heron.live).await >= before + 3).then_some(())).await;
    assert_eq!((more_news(&mut here).await, more_news(&mut there).await), (0, 0), "said once");
    while let Ok(Some(item)) = tokio::time::timeout(std::time::Duration::ZERO, aside.recv()).await {
        assert!(!["joined", "left"].contains(&item.event.name()), "flaps: {item:?}");
    }

    let (old, old_key) =
        (otter.live.status().await, std::fs::read(otter.live.profile_dir().join("identity.key")).unwrap());
    let guest = otter.live.acting_as("tab", None).unwrap();
    assert_eq!(code(guest.new_identity().await), ErrorCode::Forbidden);
    let sessions = otter.live.sessions();
    let new = otter.live.new_identity().await.unwrap();
    assert_ne!((&new.user_id, &new.session_id, &new.peer_id), (&old.user_id, &old.session_id, &old.peer_id));
    assert_eq!((&new.name, &new.color, &new.listen), (&old.name, &old.color, &old.listen));
    assert_eq!((new.cloned, &*sessions.borrow()), (None, &new.peer_id));
    assert_eq!(file(&otter.live, "peer.json")["peerId"], new.peer_id);
    assert_ne!(file(&otter.live, "profile.json")["profileId"], file(&copy.live, "profile.json")["profileId"]);
    assert_eq!(std::fs::read(otter.live.profile_dir().join("identity.key.old-1")).unwrap(), old_key);
    assert!(otter.live.rooms().await.iter().any(|room| room.room.as_str() == ROOM), "rooms are remembered");
    soon("streams of the session before end", async { while here.recv().await.is_some() {} }).await;

    // Two people, who both speak, and everybody sees both.
    join(&otter.live).await;
    for peer in [&heron, &otter, &copy] {
        rows(&peer.live.room(ROOM), 3).await;
    }
    assert_eq!(news(&mut there).await, None, "it is over");
    until_status(&copy.live, "nobody runs a copy", |status| status.cloned.is_none()).await;
    for live in [&otter.live, &copy.live] {
        live.room(ROOM).presence(PresenceChange::new(json!({"b": 2}))).await.unwrap();
    }
    assert_eq!(otter.live.status().await.cloned, None);
    all_close(&[&heron, &otter, &copy]).await;
    let again = Live::start(config(otter.dir.path(), "default")).await.unwrap();
    assert_eq!(again.user_id(), new.user_id, "it stays who it has become");
    again.close().await;
}

#[tokio::test]
async fn the_read_only_one_comes_back_when_the_other_becomes_somebody_new() {
    let (heron, otter, copy, ..) = copied().await;
    let before = otter.live.status().await;
    let other = copy.live.new_identity().await.unwrap();
    assert_ne!(other.user_id, before.user_id);
    join(&copy.live).await;

    let back = until_status(&otter.live, "it comes back", |status| status.cloned.is_none()).await;
    assert_eq!((&back.user_id, &back.listen), (&before.user_id, &before.listen));
    assert_ne!(back.session_id, before.session_id, "everybody has retired the session before");
    join(&otter.live).await;
    for peer in [&heron, &otter, &copy] {
        rows(&peer.live.room(ROOM), 3).await;
    }
    all_close(&[&heron, &otter, &copy]).await;
}

// Who comes back has a counter below that of the copy: when that only was out of reach, it goes on as before.
#[tokio::test]
async fn a_copy_that_was_out_of_reach_goes_on_when_it_is_back() {
    let dir = TempDir::new().unwrap();
    let with_lab = |config: parlor::Config| parlor::Config { lab: true, ..config };
    let live = Live::start(with_lab(config(dir.path(), "default"))).await.unwrap();
    let otter = Peer { live, dir };
    let dir = TempDir::new().unwrap();
    copy(&otter.dir.path().join("profiles"), &dir.path().join("profiles"));
    let there = parlor::Config { dial: addresses(&[&otter]).await, ..config(dir.path(), "default") };
    let copy = Live::start(with_lab(there)).await.unwrap();
    for live in [&copy, &otter.live] {
        // The second of them is read-only already, or is as soon as it is in.
        let _ = live.room(ROOM).join(Join::new()).await;
    }
    let read_only = |status: &Status| status.cloned.as_ref().map(|cloned| cloned.read_only);
    let first = until_status(&otter.live, "told", |status| read_only(status) == Some(true)).await;

    let cut = async |live: &Live, other: &Live| {
        let peer_id = other.status().await.peer_id;
        live.lab().unwrap().cut(&peer_id).await.unwrap();
    };
    cut(&otter.live, &copy).await;
    cut(&copy, &otter.live).await;
    until_status(&copy, "it is over", |status| status.cloned.is_none()).await;
    // The next session was not cut off, so the two meet again as soon as it is in the room.
    poll("another session, told anew", async || {
        let _ = otter.live.room(ROOM).join(Join::new()).await;
        let status = otter.live.status().await;
        (status.session_id != first.session_id && read_only(&status) == Some(true)).then_some(())
    })
    .await;
    let goes_on = until_status(&copy, "told anew", |status| status.cloned.is_some()).await;
    assert_eq!(read_only(&goes_on), Some(false));
    copy.room(ROOM).presence(PresenceChange::new(json!({"a": 1}))).await.unwrap();
    copy.close().await;
    otter.live.close().await;
}

#[tokio::test]
async fn becoming_somebody_new_keeps_the_keys_of_private_rooms() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    otter.live.create_private_room("plans").await.unwrap();
    let before = otter.live.room("plans").ticket().await.unwrap();
    otter.live.room("plans").join(Join::new()).await.unwrap();
    otter.live.new_identity().await.unwrap();
    assert_eq!(otter.live.room("plans").members(all()).await.unwrap().total, 0, "who was there has left");
    otter.live.room("plans").join(Join::new()).await.unwrap();
    assert_eq!(otter.live.room("plans").ticket().await.unwrap().room, before.room);
    assert!(otter.live.rooms().await[0].private);
    otter.live.close().await;
    assert_eq!(code(otter.live.new_identity().await), ErrorCode::NetworkUnavailable);
    assert!(!otter.live.profile_dir().join("identity.key.old-2").exists(), "nothing was changed");
}
