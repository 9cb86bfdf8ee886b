//! Every sentence of the presence page, and the rules A2 to A6 behind it.

use parlor::{ErrorCode, Join, Leave, MemberId, MembersQuery, MetadataChange, PresenceChange, PresenceMode};
use serde_json::{Value, json};

use crate::peers::{Peer, all, code, event, rows, soon, start_in, until};

fn id(text: &str) -> MemberId {
    MemberId::new(text).unwrap()
}

fn named(member_id: &str) -> Join {
    Join::new().member_id(id(member_id))
}

fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() == 24 && text.ends_with('Z') && text.as_bytes()[19] == b'.')
}

#[tokio::test]
async fn join_answers_the_member_record() {
    let peer = Peer::start("Quiet Otter", &[]).await;
    let join = Join::new().presence(json!({"status": "online", "typing": false}));
    let mut record = serde_json::to_value(peer.live.room("project_123").join(join).await.unwrap()).unwrap();
    let times = (record["joinedAt"].take(), record["lastSeenAt"].take());
    assert!(is_time(&times.0) && is_time(&times.1), "{times:?}");
    assert_eq!(times.0, times.1);
    let expected = json!({
        "room": "project_123", "kind": "room", "memberId": peer.live.user_id(), "joinedAt": null, "lastSeenAt": null,
        "metadata": {}, "presence": {"status": "online", "typing": false}
    });
    assert_eq!(record, expected);
    peer.live.close().await;
}

/// Report N23: elsewhere gossip stops for good behind a message that is too large, and a line in a log is all that tells.
#[tokio::test]
async fn what_is_too_large_is_an_error_and_what_comes_after_it_arrives() {
    let here = Peer::start("Quiet Otter", &[]).await;
    let there = Peer::start("Brave Heron", &[&here]).await;
    let (room, at_there) = (here.live.room("project_123"), there.live.room("project_123"));
    let member = room.join(Join::new()).await.unwrap().member_id;
    let mut seen = at_there.watch().await.unwrap();
    until("the first is there", &mut seen, |snapshot| snapshot.members.len() == 1).await;
    for step in 0..3 {
        let large = json!({"a": "x".repeat(2000), "b": "x".repeat(2000), "c": "x".repeat(200)});
        assert_eq!(code(room.presence(PresenceChange::new(large)).await), ErrorCode::PayloadTooLarge);
        let metadata = MetadataChange::new(json!({"a": "x".repeat(5000)}));
        assert_eq!(code(room.set_metadata(metadata).await), ErrorCode::PayloadTooLarge);
        room.presence(PresenceChange::new(json!({"step": step}))).await.unwrap();
        until("what came after it", &mut seen, |snapshot| {
            snapshot
                .members
                .iter()
                .any(|row| row.record.member_id == member && row.record.presence.get("step") == Some(&json!(step)))
        })
        .await;
    }
    here.live.close().await;
    there.live.close().await;
}

#[tokio::test]
async fn presence_merges_replaces_and_unsets_at_the_top_level() {
    let peer = Peer::start("Quiet Otter", &[]).await;
    let room = peer.live.room("project_123");
    room.join(Join::new().presence(json!({"status": "online", "typing": false}))).await.unwrap();
    let set = async |change| Value::Object(room.presence(change).await.unwrap().presence);

    let merged = set(PresenceChange::new(json!({"cursor": 128, "selection": {"from": 120, "to": 128}}))).await;
    let expected = json!({"status": "online", "typing": false, "cursor": 128, "selection": {"from": 120, "to": 128}});
    assert_eq!(merged, expected);
    let nested = set(PresenceChange::new(json!({"selection": {"from": 1}, "cursor": null}))).await;
    assert_eq!((&nested["selection"], &nested["cursor"]), (&json!({"from": 1}), &Value::Null));
    let unset = set(PresenceChange { unset: vec!["cursor".into(), "never".into()], ..Default::default() }).await;
    assert_eq!(unset, json!({"status": "online", "typing": false, "selection": {"from": 1}}));
    let replace = PresenceChange { mode: PresenceMode::Replace, ..PresenceChange::new(json!({"tool": "pen"})) };
    assert_eq!(set(replace).await, json!({"tool": "pen"}));

    assert_eq!(code(room.presence(PresenceChange::new(json!([1]))).await), ErrorCode::InvalidPresence);
    let big = json!({"a": "x".repeat(2000), "b": "x".repeat(2000), "c": "x".repeat(200)});
    assert_eq!(code(room.presence(PresenceChange::new(big)).await), ErrorCode::PayloadTooLarge);
    assert_eq!(room.members(all()).await.unwrap().members[0].record.presence["tool"], "pen", "nothing was touched");
    peer.live.close().await;
}

#[tokio::test]
async fn others_see_the_whole_member_at_once_and_its_changes() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    let heron = Peer::start("Calm Heron", &[&otter]).await;
    let mut events = heron.live.room("project_123").events().await.unwrap();
    let room = otter.live.room("project_123");
    room.join(Join::new().presence(json!({"status": "online"})).metadata(json!({"device": "laptop"}))).await.unwrap();

    let joined = serde_json::to_value(event(&mut events, "joined").await).unwrap();
    let member = &joined["member"];
    assert_eq!(member["presence"], json!({"status": "online"}));
    assert_eq!(member["metadata"], json!({"device": "laptop"}));
    assert_eq!(member["actor"], json!({"kind": "user", "userId": otter.live.user_id(), "name": "Quiet Otter"}));
    assert_eq!(
        (&member["self"], &member["verified"], &member["state"]),
        (&json!(false), &json!(true), &json!("active"))
    );
    assert!(is_time(&member["joinedAt"]) && is_time(&member["lastSeenAt"]));

    room.presence(PresenceChange::new(json!({"cursor": 128}))).await.unwrap();
    let updated = serde_json::to_value(event(&mut events, "updated").await).unwrap();
    assert_eq!(updated["changed"], json!(["cursor"]));
    assert_eq!(updated["member"]["presence"], json!({"status": "online", "cursor": 128}));
    otter.live.close().await;
    heron.live.close().await;
}

// G14: the one who types dies without the word that ends it.
#[tokio::test]
async fn a_key_with_expire_vanishes_for_everybody() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    let heron = Peer::start("Calm Heron", &[&otter]).await;
    let room = otter.live.room("project_123");
    room.join(Join::new().presence(json!({"status": "online"}))).await.unwrap();
    let (mut here, mut there) = (room.watch().await.unwrap(), heron.live.room("project_123").watch().await.unwrap());
    let has = |key: &'static str| {
        move |room: &parlor::Snapshot| room.members.iter().any(|row| row.record.presence.contains_key(key))
    };
    until("the member", &mut there, has("status")).await;
    let expire = [("typing".to_owned(), 1_500)].into();
    room.presence(PresenceChange { expire, ..PresenceChange::new(json!({"typing": true})) }).await.unwrap();
    let comes_and_goes = async |watch: &mut tokio::sync::watch::Receiver<std::sync::Arc<parlor::Snapshot>>| {
        until("typing", watch, has("typing")).await;
        let after = until("typing is gone", watch, |room| !has("typing")(room)).await;
        assert!(has("status")(&after), "only that key goes");
    };
    // Both at once: it goes at the second about when it goes at the first.
    tokio::join!(comes_and_goes(&mut here), comes_and_goes(&mut there));
    otter.live.close().await;
    heron.live.close().await;
}

#[tokio::test]
async fn members_come_in_pages_in_a_stable_order() {
    let peer = Peer::start("Quiet Otter", &[]).await;
    let room = peer.live.room("project_123");
    for n in 0..7 {
        room.join(named(&format!("device_{n}"))).await.unwrap();
    }
    let mut cursor = None;
    let mut seen = Vec::new();
    loop {
        let page = room.members(MembersQuery { limit: Some(3), cursor, ..all() }).await.unwrap();
        assert!(page.total == 7 && page.complete && page.members.len() <= 3);
        seen.extend(page.members.iter().map(|row| row.record.member_id.to_string()));
        // Moving changes nobody's place.
        room.presence(PresenceChange {
            member_id: Some(id("device_5")),
            ..PresenceChange::new(json!({"x": seen.len()}))
        })
        .await
        .unwrap();
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let mut expected = room.members(all()).await.unwrap().members;
    expected.sort_by_key(|row| (row.record.joined_at, row.record.member_id.clone()));
    assert_eq!(seen, expected.iter().map(|row| row.record.member_id.to_string()).collect::<Vec<_>>());
    for limit in [0, 1001] {
        let query = MembersQuery { limit: Some(limit), ..all() };
        assert_eq!(code(room.members(query).await), ErrorCode::InvalidLimit);
    }
    let query = MembersQuery { cursor: Some("nonsense".into()), ..all() };
    assert_eq!(code(room.members(query).await), ErrorCode::InvalidCursor);
    peer.live.close().await;
}

#[tokio::test]
async fn leaving_answers_and_twice_is_no_error() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    let heron = Peer::start("Calm Heron", &[&otter]).await;
    let room = otter.live.room("project_123");
    let never = room.leave(Leave::default()).await.unwrap();
    assert!(!never.left && never.member_id == otter.live.user_id().default_member());

    room.join(Join::new()).await.unwrap();
    let mut events = heron.live.room("project_123").events().await.unwrap();
    rows(&heron.live.room("project_123"), 1).await;
    let left = serde_json::to_value(room.leave(Leave::default()).await.unwrap()).unwrap();
    assert!(is_time(&left["leftAt"]));
    assert_eq!((&left["room"], &left["kind"], &left["left"]), (&json!("project_123"), &json!("room"), &json!(true)));
    assert_eq!(left["memberId"], json!(otter.live.user_id()));
    let seen = serde_json::to_value(event(&mut events, "left").await).unwrap();
    assert_eq!(seen["reason"], "left");
    assert!(!room.leave(Leave::default()).await.unwrap().left);
    otter.live.close().await;
    heron.live.close().await;
}

#[tokio::test]
async fn a_late_update_fails_and_brings_nobody_back() {
    let peer = Peer::start("Quiet Otter", &[]).await;
    let room = peer.live.room("project_123");
    let update = || PresenceChange::new(json!({"cursor": 1}));
    assert_eq!(code(room.presence(update()).await), ErrorCode::NotJoined);
    assert_eq!(code(room.set_metadata(MetadataChange::new(json!({"title": "t"}))).await), ErrorCode::NotJoined);
    room.join(named("device_a")).await.unwrap();
    room.presence(update()).await.unwrap();
    room.leave(Leave::default()).await.unwrap();
    assert_eq!(code(room.presence(update()).await), ErrorCode::NotJoined);
    assert_eq!(room.members(all()).await.unwrap().total, 0);

    // The late update must not land on another member of the same actor either.
    peer.live.without_memory().room("project_123").join(named("device_b")).await.unwrap();
    assert_eq!(code(room.presence(update()).await), ErrorCode::NotJoined);
    peer.live.close().await;
}

#[tokio::test]
async fn the_member_id_comes_from_the_actor_or_is_a_device_key() {
    let peer = Peer::start("Quiet Otter", &[]).await;
    let room = peer.live.room("project_123");
    assert!(peer.live.user_id().as_str().starts_with("u_"));
    assert_eq!(code(room.join(named("u_somebodyelse")).await), ErrorCode::InvalidMemberId);
    room.join(named("device_a")).await.unwrap();
    room.join(named("device_b")).await.unwrap();

    let change = || PresenceChange::new(json!({"cursor": 1}));
    assert_eq!(room.presence(change()).await.unwrap().member_id, id("device_b"), "the one this handle joined last");
    let other = peer.live.without_memory().room("project_123");
    assert_eq!(code(other.presence(change()).await), ErrorCode::AmbiguousMember);
    assert_eq!(code(other.leave(Leave::default()).await), ErrorCode::AmbiguousMember);
    let named = PresenceChange { member_id: Some(id("device_a")), ..change() };
    assert_eq!(other.presence(named).await.unwrap().member_id, id("device_a"));
    other.leave(Leave { member_id: Some(id("device_a")) }).await.unwrap();
    assert_eq!(other.presence(change()).await.unwrap().member_id, id("device_b"), "the only one");

    let guest = peer.live.acting_as("browser-7", Some("Merry Wren")).unwrap().room("project_123");
    assert_eq!(code(guest.join(Join::new().member_id(id("device_b"))).await), ErrorCode::MemberIdConflict);
    let record = guest.join(Join::new()).await.unwrap();
    assert_eq!(record.member_id, peer.live.acting_as("browser-7", None).unwrap().user_id().default_member());
    peer.live.close().await;
}

#[tokio::test]
async fn joining_again_keeps_what_is_not_given() {
    let peer = Peer::start("Quiet Otter", &[]).await;
    let room = peer.live.room("project_123");
    let first = room.join(Join::new().presence(json!({"a": 1, "b": 2})).metadata(json!({"m": 1}))).await.unwrap();
    let mut events = room.events().await.unwrap();
    event(&mut events, "snapshot").await;
    let again = room.join(Join::new().presence(json!({"c": 3}))).await.unwrap();
    assert_eq!(again.joined_at, first.joined_at);
    assert_eq!(Value::Object(again.presence), json!({"c": 3}), "a bag that is given is replaced");
    assert_eq!(Value::Object(again.metadata), json!({"m": 1}), "one that is not stays");
    let next = soon("an event", events.recv()).await.unwrap();
    assert_eq!(next.event.name(), "updated");
    peer.live.close().await;
}

#[tokio::test]
async fn one_person_on_two_devices_is_one_row_until_the_last_leaves() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    let heron = Peer::start("Calm Heron", &[&otter]).await;
    // The second device has the same identity and is a profile of its own.
    let second = tempfile::tempdir().unwrap();
    let profile = second.path().join("profiles/default");
    std::fs::create_dir_all(&profile).unwrap();
    std::fs::copy(otter.live.profile_dir().join("identity.key"), profile.join("identity.key")).unwrap();
    let phone = start_in(second.path(), "Quiet Otter", &[&otter, &heron]).await;
    assert_eq!(phone.user_id(), otter.live.user_id());

    let first = otter.live.room("project_123").join(Join::new().presence(json!({"device": "laptop"}))).await.unwrap();
    let mut seen = heron.live.room("project_123").watch().await.unwrap();
    until("the first device", &mut seen, |room| room.members.len() == 1).await;
    rows(&phone.room("project_123"), 1).await;
    phone.room("project_123").join(Join::new().presence(json!({"device": "phone"}))).await.unwrap();

    let device = |room: &parlor::Snapshot| {
        assert!(room.members.len() <= 1, "one person must never be two rows: {room:#?}");
        room.members.first().and_then(|row| row.record.presence.get("device")?.as_str().map(str::to_owned))
    };
    let both = until("the phone called last", &mut seen, |room| device(room).as_deref() == Some("phone")).await;
    assert_eq!(both.members[0].record.joined_at, first.joined_at, "the earliest");

    phone.room("project_123").leave(Leave::default()).await.unwrap();
    until("the laptop is left", &mut seen, |room| device(room).as_deref() == Some("laptop")).await;
    otter.live.room("project_123").leave(Leave::default()).await.unwrap();
    until("nobody is left", &mut seen, |room| device(room).is_none()).await;
    for live in [&otter.live, &heron.live, &phone] {
        live.close().await;
    }
}

#[tokio::test]
async fn room_metadata_is_shared_and_says_who_changed_it() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    let heron = Peer::start("Calm Heron", &[&otter]).await;
    let (here, there) = (otter.live.room("project_123"), heron.live.room("project_123"));
    here.join(Join::new()).await.unwrap();
    there.join(Join::new().presence(json!({"role": "incident_commander"}))).await.unwrap();
    let settings = json!({"title": "Incident response", "mode": "war_room", "locked": false});
    let set = here.set_metadata(MetadataChange::new(settings.clone())).await.unwrap();
    assert_eq!(Value::Object(set.metadata), settings);
    assert_eq!(set.updated_by, Some(otter.live.user_id()));
    assert!(set.updated_at.is_some());

    let mut seen = there.watch().await.unwrap();
    until("the title", &mut seen, |room| Value::Object(room.metadata.metadata.clone()) == settings).await;
    let change = MetadataChange { unset: vec!["mode".into()], ..MetadataChange::new(json!({"title": "Review"})) };
    there.set_metadata(change).await.unwrap();
    let mut back = here.watch().await.unwrap();
    let now = until("the change", &mut back, |room| room.metadata.metadata["title"] == "Review").await;
    assert_eq!(Value::Object(now.metadata.metadata.clone()), json!({"title": "Review", "locked": false}));
    assert_eq!(now.metadata.updated_by, Some(heron.live.user_id()));
    assert_eq!(code(here.set_metadata(MetadataChange::new(json!("text"))).await), ErrorCode::InvalidMetadata);
    otter.live.close().await;
    heron.live.close().await;
}
