//! Hosts, the lock, and changed keys of a private room, between real peers (design N8).

use parlor::{AccessChange, ErrorCode, Event, Join, LeftReason, MetadataChange, RoomEvent};
use serde_json::json;

use crate::peers::{Peer, addresses, all, code, config, poll, rows, soon, start_when_free, until};

/// A private room that the first of these made, with all of them in it.
async fn room_of(peers: &[&Peer]) -> String {
    peers[0].live.create_private_room("plans").await.unwrap();
    let ticket = peers[0].live.room("plans").ticket().await.unwrap().ticket;
    for peer in peers {
        peer.live.room("plans").join(Join::new().ticket(&ticket)).await.unwrap();
    }
    for peer in peers {
        rows(&peer.live.room("plans"), peers.len()).await;
    }
    ticket
}

fn exclude(peer: &Peer) -> AccessChange {
    AccessChange { exclude: vec![peer.live.user_id().to_string()], ..AccessChange::default() }
}

/// Waits until a peer uses the key of this epoch, which its tickets show.
async fn has_key(peer: &Peer, epoch: u32) {
    let what = format!("the key of epoch {epoch}");
    poll(&what, async || {
        let access = peer.live.room("plans").access().await.ok()??;
        (access.epoch == epoch).then_some(())
    })
    .await;
}

#[tokio::test]
async fn whoever_is_put_out_sees_nothing_more_and_nobody_else_blinks() {
    let host = Peer::start("Quiet Otter", &[]).await;
    let stays = Peer::start("Brave Heron", &[&host]).await;
    let out = Peer::start("Merry Wren", &[&host, &stays]).await;
    let old_ticket = room_of(&[&host, &stays, &out]).await;
    let (at_host, at_out) = (host.live.room("plans"), out.live.room("plans"));
    let mut seen = stays.live.room("plans").events().await.unwrap();
    let mut last_seen = at_out.watch().await.unwrap();

    assert_eq!(code(stays.live.room("plans").change_access(exclude(&out)).await), ErrorCode::Forbidden);
    let access = at_host.change_access(exclude(&out)).await.unwrap();
    assert_eq!((access.epoch, access.rekeyed_by.clone()), (1, Some(host.live.user_id())));
    let inside = access.people.iter().filter(|person| person.inside).count();
    assert_eq!((access.people.len(), inside), (3, 2));

    // The one who stays sees one go, and nobody come or go besides.
    let mut told = Vec::new();
    soon("the news", async {
        while !told.iter().any(|event: &Event| matches!(event, Event::Left { .. })) {
            if let RoomEvent::Change(event) = seen.recv().await.unwrap().event {
                told.push(event);
            }
        }
    })
    .await;
    at_host.set_metadata(MetadataChange::new(json!({"title": "without you"}))).await.unwrap();
    soon("the title", async {
        while !told.iter().any(|event| matches!(event, Event::Metadata { .. })) {
            if let RoomEvent::Change(event) = seen.recv().await.unwrap().event {
                told.push(event);
            }
        }
    })
    .await;
    for event in &told {
        match event {
            Event::Left { member, reason } => {
                assert_eq!((member.actor.name.as_str(), *reason), ("Merry Wren", LeftReason::Excluded));
            }
            Event::Joined { member } | Event::Stale { member } => panic!("{} blinked: {told:?}", member.actor.name),
            _ => {}
        }
    }
    // Who is out is told so, whatever it asks, and its streams ended before the title came.
    poll("it is out", async || match at_out.members(all()).await {
        Err(error) if error.code == ErrorCode::Forbidden => Some(()),
        _ => None,
    })
    .await;
    soon("its stream ends", async { while last_seen.changed().await.is_ok() {} }).await;
    assert_eq!(last_seen.borrow().metadata.metadata.get("title"), None);
    assert_eq!(code(at_out.join(Join::new()).await), ErrorCode::Forbidden);
    // Every call says so; a notice would stay for ever, also when it is invited again.
    assert_eq!(out.live.status().await.notices, Vec::<String>::new());
    // The old ticket is worth nothing any more; a new one brings it back.
    assert_eq!(code(at_out.join(Join::new().ticket(&old_ticket)).await), ErrorCode::InvalidTicket);
    let new_ticket = at_host.ticket().await.unwrap().ticket;
    at_out.join(Join::new().ticket(&new_ticket)).await.unwrap();
    let snapshot = rows(&at_out, 3).await;
    let mut watch = at_out.watch().await.unwrap();
    until("the title", &mut watch, |snapshot| snapshot.metadata.metadata.contains_key("title")).await;
    assert!(snapshot.members.iter().any(|member| member.own));
    for peer in [host, stays, out] {
        peer.live.close().await;
    }
}

/// Who was away is let in with the key that they had, by whoever is there, also after all of them started anew.
#[tokio::test]
async fn who_was_away_comes_back_with_the_key_before() {
    let host = Peer::start("Quiet Otter", &[]).await;
    let stays = Peer::start("Brave Heron", &[&host]).await;
    let away = Peer::start("Calm Newt", &[&host]).await;
    room_of(&[&host, &stays, &away]).await;
    away.live.close().await;
    rows(&host.live.room("plans"), 2).await;
    for epoch in 1..=2 {
        let change = AccessChange { rekey: true, ..AccessChange::default() };
        assert_eq!(host.live.room("plans").change_access(change).await.unwrap().epoch, epoch);
        has_key(&stays, epoch).await;
    }
    // The host goes, and the other starts anew: it still knows which keys there were.
    host.live.close().await;
    stays.live.close().await;
    let stays = Peer { live: start_when_free(config(stays.dir.path(), "default")).await, dir: stays.dir };
    stays.live.room("plans").join(Join::new()).await.unwrap();
    let back = parlor::Config { dial: addresses(&[&stays]).await, ..config(away.dir.path(), "default") };
    let back = start_when_free(back).await;
    back.room("plans").join(Join::new()).await.unwrap();
    rows(&back.room("plans"), 2).await;
    rows(&stays.live.room("plans"), 2).await;
    assert_eq!(back.room("plans").access().await.unwrap().unwrap().epoch, 2);
    back.close().await;
    stays.live.close().await;
}

/// A disk that takes nothing leaves nobody behind: the one who has it goes over with the others, and is told.
#[tokio::test]
async fn a_full_disk_keeps_nobody_from_the_new_key() {
    let host = Peer::start("Quiet Otter", &[]).await;
    let stays = Peer::start("Brave Heron", &[&host]).await;
    room_of(&[&host, &stays]).await;
    // Nothing can be moved to where a directory is, as nothing can be written to a full disk.
    let full = async |peer: &Peer| {
        let keys = peer.live.profile_dir().join("keys.json");
        std::fs::remove_file(&keys).unwrap();
        std::fs::create_dir(&keys).unwrap();
        keys
    };
    full(&stays).await;
    let rekey = || AccessChange { rekey: true, ..AccessChange::default() };
    host.live.room("plans").change_access(rekey()).await.unwrap();
    has_key(&stays, 1).await;
    let set = |room: &str| MetadataChange::new(json!({ "title": room }));
    host.live.room("plans").set_metadata(set("after")).await.unwrap();
    let mut watch = stays.live.room("plans").watch().await.unwrap();
    until("the title", &mut watch, |snapshot| snapshot.metadata.metadata.get("title") == Some(&json!("after"))).await;
    let notices = stays.live.status().await.notices;
    assert!(notices.iter().any(|notice| notice.contains("keys.json")), "{notices:?}");
    // Whom it invites now comes in: it has the new key in memory.
    let ticket = stays.live.room("plans").ticket().await.unwrap().ticket;
    let guest = Peer::start("Calm Newt", &[&stays]).await;
    guest.live.room("plans").join(Join::new().ticket(&ticket)).await.unwrap();
    rows(&guest.live.room("plans"), 3).await;
    rows(&host.live.room("plans"), 3).await;
    // The host's own disk: it is done, and said; and made good with the next call when there is room again.
    let keys = full(&host).await;
    assert_eq!(code(host.live.room("plans").change_access(rekey()).await), ErrorCode::StorageFailed);
    has_key(&guest, 2).await;
    rows(&host.live.room("plans"), 3).await;
    std::fs::remove_dir(&keys).unwrap();
    assert_eq!(host.live.room("plans").change_access(rekey()).await.unwrap().epoch, 3);
    assert!(std::fs::read_to_string(&keys).unwrap().contains("\"epoch\": 3"));
    for peer in [guest, stays, host] {
        peer.live.close().await;
    }
}

/// Two hosts who change the key at the same moment, and everybody is in one room afterwards.
#[tokio::test]
async fn two_keys_at_once_part_nobody() {
    let host = Peer::start("Quiet Otter", &[]).await;
    let other = Peer::start("Brave Heron", &[&host]).await;
    let third = Peer::start("Calm Newt", &[&host, &other]).await;
    room_of(&[&host, &other, &third]).await;
    let hosts = [(other.live.user_id().to_string(), true)].into();
    host.live.room("plans").change_access(AccessChange { hosts, ..AccessChange::default() }).await.unwrap();
    poll("the other is a host", async || {
        let access = other.live.room("plans").access().await.ok()??;
        access.people.iter().any(|person| person.host && person.user_id == other.live.user_id()).then_some(())
    })
    .await;
    let rekey = || AccessChange { rekey: true, ..AccessChange::default() };
    let (one, two) = (host.live.room("plans"), other.live.room("plans"));
    let (one, two) = tokio::join!(one.change_access(rekey()), two.change_access(rekey()));
    assert!(one.is_ok() || two.is_ok());
    poll("one key for all", async || {
        let tickets = [&host, &other, &third].map(|peer| peer.live.room("plans"));
        let mut keys = Vec::new();
        for room in &tickets {
            keys.push(room.access().await.ok()??.rekeyed_by.clone()?);
        }
        keys.windows(2).all(|pair| pair[0] == pair[1]).then_some(())
    })
    .await;
    one.or(two).unwrap();
    for (at, peer) in [&host, &other, &third].into_iter().enumerate() {
        let key = format!("title {at}");
        peer.live.room("plans").set_metadata(MetadataChange::new(json!({&key: at}))).await.unwrap();
        for reader in [&host, &other, &third] {
            let mut watch = reader.live.room("plans").watch().await.unwrap();
            until(&key, &mut watch, |snapshot| snapshot.metadata.metadata.contains_key(&key)).await;
        }
    }
    for peer in [&host, &other, &third] {
        rows(&peer.live.room("plans"), 3).await;
    }
    for peer in [host, other, third] {
        peer.live.close().await;
    }
}

#[tokio::test]
async fn a_locked_room_is_written_by_its_hosts_alone() {
    let host = Peer::start("Quiet Otter", &[]).await;
    let guest = Peer::start("Brave Heron", &[&host]).await;
    room_of(&[&host, &guest]).await;
    let (at_host, at_guest) = (host.live.room("plans"), guest.live.room("plans"));
    let set = |value| MetadataChange::new(value);
    assert_eq!(code(at_guest.set_metadata(set(json!({"locked": true}))).await), ErrorCode::Forbidden);
    at_host.set_metadata(set(json!({"locked": true}))).await.unwrap();
    let mut watch = at_guest.watch().await.unwrap();
    until("the lock", &mut watch, |snapshot| snapshot.access.as_ref().is_some_and(|access| access.locked)).await;
    assert_eq!(code(at_guest.set_metadata(set(json!({"title": "mine"}))).await), ErrorCode::RoomLocked);
    at_host.set_metadata(set(json!({"title": "ours"}))).await.unwrap();
    until("the title", &mut watch, |snapshot| snapshot.metadata.metadata.get("title") == Some(&json!("ours"))).await;
    let open = host.live.room("an open room");
    open.join(Join::new()).await.unwrap();
    assert_eq!(open.access().await.unwrap(), None);
    assert_eq!(code(open.change_access(AccessChange::default()).await), ErrorCode::Forbidden);
    guest.live.close().await;
    host.live.close().await;
}
