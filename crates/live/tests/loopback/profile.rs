//! The profile: who holds it, what happens to damaged files, names and colours.

use std::os::unix::fs::PermissionsExt as _;

use parlor::{Config, ErrorCode, Join, Live, PALETTE, ProfileChange, StartError, Theme};
use serde_json::{Value, json};

use crate::peers::{Peer, code, config, soon, until};

#[tokio::test]
async fn a_held_profile_names_its_holder_and_is_free_after_close() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::start(config(dir.path(), "default")).await.unwrap();
    let error = Live::start(config(dir.path(), "default")).await.unwrap_err();
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
    assert!(matches!(error, StartError::Held { pid: Some(pid) } if pid == std::process::id()));
    let other = Live::start(config(dir.path(), "second")).await.unwrap();
    assert_ne!(other.user_id(), live.user_id());

    let file: Value = serde_json::from_slice(&std::fs::read(live.profile_dir().join("peer.json")).unwrap()).unwrap();
    let status = live.status().await;
    assert_eq!(file, json!({"pid": std::process::id(), "peerId": status.peer_id, "listen": status.listen}));

    live.close().await;
    assert!(!live.profile_dir().join("peer.json").exists());
    let again = Live::start(config(dir.path(), "default")).await.unwrap();
    assert_eq!(again.user_id(), live.user_id());
    assert_ne!(again.status().await.peer_id, status.peer_id, "every start is a new session");
    again.close().await;
    other.close().await;
}

#[tokio::test]
async fn a_proposed_name_stays_until_the_person_chooses() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::start(config(dir.path(), "default")).await.unwrap();
    let first = live.status().await;
    assert!(!first.named && first.name.contains(' ') && PALETTE.contains(&first.color.as_str()));
    assert_eq!(std::fs::metadata(live.profile_dir().join("identity.key")).unwrap().permissions().mode() & 0o777, 0o600);
    live.close().await;

    let live = Live::start(config(dir.path(), "default")).await.unwrap();
    assert_eq!((live.status().await.name, live.status().await.color), (first.name, first.color));
    let change =
        ProfileChange { name: Some(" Brave Heron ".into()), color: Some(PALETTE[3].into()), theme: Some(Theme::Dark) };
    let status = live.set_profile(change).await.unwrap();
    assert!(status.named && status.name == "Brave Heron" && status.color == PALETTE[3]);
    live.close().await;

    let live = Live::start(config(dir.path(), "default")).await.unwrap();
    let kept = live.status().await;
    assert!(kept.named && kept.name == "Brave Heron" && kept.color == PALETTE[3] && kept.theme == Theme::Dark);
    assert!(kept.notices.is_empty());
    let set = |change| live.set_profile(change);
    let named = |name: &str| ProfileChange { name: Some(name.into()), ..Default::default() };
    assert_eq!(code(set(named("")).await), ErrorCode::InvalidPresence);
    assert_eq!(code(set(named(&"x".repeat(300))).await), ErrorCode::PayloadTooLarge);
    let red = ProfileChange { color: Some("red".into()), ..Default::default() };
    assert_eq!(code(set(red).await), ErrorCode::InvalidPresence);
    let guest = live.acting_as("browser-7", None).unwrap();
    assert_eq!(code(guest.set_profile(named("Other")).await), ErrorCode::Forbidden);
    assert_eq!(code(live.acting_as("", None)), ErrorCode::InvalidMemberId);
    live.close().await;
}

#[tokio::test]
async fn a_new_name_shows_where_the_presence_has_one() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    let heron = Peer::start("Calm Heron", &[&otter]).await;
    let shown = json!({"name": "Quiet Otter", "color": PALETTE[0], "status": "online"});
    otter.live.room("shown").join(Join::new().presence(shown)).await.unwrap();
    otter.live.room("plain").join(Join::new().presence(json!({"status": "online"}))).await.unwrap();
    let change = ProfileChange { name: Some("Loud Otter".into()), color: Some(PALETTE[1].into()), theme: None };
    otter.live.set_profile(change).await.unwrap();

    let mut shown = heron.live.room("shown").watch().await.unwrap();
    let expected = json!({"name": "Loud Otter", "color": PALETTE[1], "status": "online"});
    until("the new name", &mut shown, |room| {
        room.members.iter().any(|row| Value::Object(row.record.presence.clone()) == expected)
    })
    .await;
    let mut plain = heron.live.room("plain").watch().await.unwrap();
    let plain = until("the member", &mut plain, |room| room.members.len() == 1).await;
    assert_eq!(Value::Object(plain.members[0].record.presence.clone()), json!({"status": "online"}));

    otter.live.room("later").join(Join::new()).await.unwrap();
    let mut later = heron.live.room("later").watch().await.unwrap();
    let later = until("the member", &mut later, |room| room.members.len() == 1).await;
    assert_eq!(later.members[0].actor.name, "Loud Otter");
    otter.live.close().await;
    heron.live.close().await;
}

#[tokio::test]
async fn damaged_files_are_kept_aside_and_said_once() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::start(Config { name: Some("Quiet Otter".into()), ..config(dir.path(), "default") }).await.unwrap();
    let (user, profile) = (live.user_id(), live.profile_dir().to_path_buf());
    live.create_room("project_123").await.unwrap();
    live.close().await;

    let files = ["settings.json", "rooms.redb", "profile.json"];
    for file in files {
        std::fs::write(profile.join(file), "{\"half\":").unwrap();
    }
    let live = Live::start(config(dir.path(), "default")).await.unwrap();
    let status = live.status().await;
    assert_eq!(live.user_id(), user, "the identity is another file");
    assert!(!status.named && status.name != "Quiet Otter");
    assert!(live.rooms().await.is_empty());
    assert_eq!(status.notices.len(), 3);
    for file in files {
        assert!(status.notices.iter().any(|notice| notice.starts_with(file)), "{file}: {:?}", status.notices);
        assert_eq!(std::fs::read_to_string(profile.join(format!("{file}.damaged-1"))).unwrap(), "{\"half\":");
    }
    live.close().await;

    let live = Live::start(config(dir.path(), "default")).await.unwrap();
    assert!(live.status().await.notices.is_empty(), "once");
    assert_eq!(live.status().await.name, status.name);
    live.close().await;
}

#[tokio::test]
async fn a_damaged_or_lost_identity_stops_the_start_and_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::start(config(dir.path(), "default")).await.unwrap();
    let (user, path) = (live.user_id(), live.profile_dir().join("identity.key"));
    live.close().await;
    let whole = std::fs::read(&path).unwrap();

    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = Live::start(config(dir.path(), "default")).await.unwrap_err();
    assert!(matches!(error, StartError::DamagedIdentity { .. }), "{error}");
    assert!(error.to_string().contains("identity.key") && error.to_string().contains("put back a copy"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), whole[..whole.len() / 2]);

    std::fs::remove_file(&path).unwrap();
    let error = Live::start(config(dir.path(), "default")).await.unwrap_err();
    assert!(matches!(error, StartError::LostIdentity { .. }), "{error}");
    assert!(error.to_string().contains(user.as_str()) && !path.exists(), "{error}");

    std::fs::write(&path, &whole).unwrap();
    let live = Live::start(config(dir.path(), "default")).await.unwrap();
    assert_eq!(live.user_id(), user);
    live.close().await;
}

#[tokio::test]
async fn what_a_newer_version_kept_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::start(config(dir.path(), "default")).await.unwrap();
    live.create_room("project_123").await.unwrap();
    let (profile, file) = (live.profile_dir().to_path_buf(), live.profile_dir().join("rooms.redb"));
    live.close().await;
    let before = std::fs::read(&file).unwrap();
    // Where the database says how it is laid out.
    let mut newer = before.clone();
    (newer[64], newer[192]) = (4, 4);
    std::fs::write(&file, &newer).unwrap();
    let error = Live::start(config(dir.path(), "default")).await.unwrap_err();
    assert!(matches!(error, StartError::Rooms(_)), "{error}");
    assert!(error.to_string().contains("start the newer Parlor again"), "{error}");
    assert!(std::fs::read(&file).unwrap() == newer);

    std::fs::write(&file, &before).unwrap();
    // Also a folder that was made for everybody to read.
    std::fs::set_permissions(&profile, std::fs::Permissions::from_mode(0o755)).unwrap();
    let live = Live::start(config(dir.path(), "default")).await.unwrap();
    assert_eq!(live.rooms().await.len(), 1);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&profile), 0o700);
    let files: Vec<_> = std::fs::read_dir(&profile).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 5 && files.iter().all(|file| mode(file) == 0o600), "{files:?}");
    live.close().await;
}

/// Profiles had a list of rooms before they had a store.
#[tokio::test]
async fn an_older_profile_opens_with_its_rooms() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::start(config(dir.path(), "default")).await.unwrap();
    let profile = live.profile_dir().to_path_buf();
    live.close().await;
    std::fs::remove_file(profile.join("rooms.redb")).unwrap();
    let opened =
        json!({"room": "plans", "lastOpenedAt": "2026-11-25T10:00:00.000Z", "title": "Plan", "private": false});
    std::fs::write(profile.join("rooms.json"), json!({"rooms": [opened]}).to_string()).unwrap();
    for _ in 0..2 {
        let live = Live::start(config(dir.path(), "default")).await.unwrap();
        let rooms = live.rooms().await;
        assert_eq!(
            rooms.iter().map(|room| (room.room.as_str(), room.title.as_deref())).collect::<Vec<_>>(),
            [("plans", Some("Plan"))]
        );
        assert!(live.status().await.notices.is_empty());
        live.close().await;
    }
    assert!(profile.join("rooms.json.old").exists() && !profile.join("rooms.json").exists());
}

#[tokio::test]
async fn what_cannot_start_says_why_and_frees_the_profile() {
    let dir = tempfile::tempdir().unwrap();
    let base = || config(dir.path(), "default");
    for name in ["", "../up", ".hidden", "a/b"] {
        let error = Live::start(Config { profile: name.into(), ..base() }).await.unwrap_err();
        assert!(matches!(error, StartError::BadProfile(_)), "{error}");
    }
    let error = Live::start(Config { name: Some("\u{7}".into()), ..base() }).await.unwrap_err();
    assert!(matches!(error, StartError::BadName(_)), "{error}");
    let error = Live::start(Config { listen: vec!["127.0.0.1:80".into()], ..base() }).await.unwrap_err();
    assert!(matches!(error, StartError::BadAddress(_)) && error.to_string().contains("127.0.0.1:80"), "{error}");
    let error = Live::start(Config { dial: vec!["nowhere".into()], ..base() }).await.unwrap_err();
    assert!(matches!(error, StartError::BadAddress(_)) && error.to_string().contains("nowhere"), "{error}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("/ip4/127.0.0.1/tcp/{}", taken.local_addr().unwrap().port());
    let error = Live::start(Config { listen: vec![address.clone()], ..base() }).await.unwrap_err();
    assert!(matches!(error, StartError::PortInUse(_)) && error.to_string().contains(&address), "{error}");

    let live = Live::start(base()).await.unwrap();
    live.close().await;
}

/// Design §1, R2: the lock dies with the process, what it wrote stays, and the next start is the same person.
#[tokio::test]
async fn a_crash_frees_the_profile_and_leaves_its_files_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let lab = || Config { lab: true, ..config(dir.path(), "default") };
    let live = Live::start(config(dir.path(), "default")).await.unwrap();
    assert!(live.lab().is_none(), "off unless asked for");
    live.close().await;

    let live = Live::start(lab()).await.unwrap();
    let mut events = live.room("project_123").events().await.unwrap();
    live.room("project_123").join(Join::new()).await.unwrap();
    let (user, held) = (live.user_id(), live.clone());
    live.lab().unwrap().crash().await;
    assert!(live.profile_dir().join("peer.json").exists(), "nobody cleans up after a crash");
    assert_eq!(code(held.room("project_123").join(Join::new()).await), ErrorCode::NetworkUnavailable);
    soon("the end of the stream", async { while events.recv().await.is_some() {} }).await;

    let again = Live::start(lab()).await.unwrap();
    assert_eq!(again.user_id(), user);
    let file = || std::fs::read(again.profile_dir().join("peer.json")).unwrap();
    let written = file();
    drop((live, held));
    assert_eq!(file(), written, "what is left of the dead one touches nothing");
    again.close().await;
}
