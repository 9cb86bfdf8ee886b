use parlor_core::{Join, MetadataChange, Publish};
use serde_json::json;

use super::*;
use crate::{Config, Live};

fn config(dir: &std::path::Path) -> Config {
    let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    Config { data_dir: dir.into(), listen, multicast: false, ..Config::default() }
}

async fn notices(live: &Live) -> Vec<String> {
    live.status().await.notices
}

// R15: a full disk is an error that the person sees, the room goes on in memory, and all of it is saved when there is room.
#[tokio::test]
async fn a_full_disk_is_told_and_the_room_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::start(config(dir.path())).await.unwrap();
    let room = live.room("plan");
    room.join(Join::new()).await.unwrap();
    room.set_metadata(MetadataChange::new(json!({"title": "before"}))).await.unwrap();
    assert_eq!(notices(&live).await, Vec::<String>::new());

    live.profile().store.leave_room_for(Some(0));
    let error = room.set_metadata(MetadataChange::new(json!({"title": "meanwhile"}))).await.unwrap_err();
    assert_eq!((error.code, error.recoverable), (ErrorCode::StorageFailed, true));
    assert!(error.message.contains("the disk is full") && error.message.contains("plan"), "{}", error.message);
    assert_eq!(room.metadata().await.unwrap().metadata["title"], "meanwhile", "in memory it is so");
    // What nobody keeps needs no disk.
    room.publish(Publish::new("wave", json!(null))).await.unwrap();
    assert_eq!(notices(&live).await, std::slice::from_ref(&error.message));
    let again = room.publish(Publish::new("chat", json!({"text": "anybody?"})).keep()).await.unwrap_err();
    assert_eq!((again.code, notices(&live).await), (ErrorCode::StorageFailed, vec![error.message]));

    live.profile().store.leave_room_for(None);
    room.set_metadata(MetadataChange::new(json!({"mode": "calm"}))).await.unwrap();
    // A person is told no longer.
    while !notices(&live).await.is_empty() {
        tokio::task::yield_now().await;
    }
    live.close().await;
    drop((room, live));

    let live = Live::start(config(dir.path())).await.unwrap();
    let room = live.room("plan");
    let metadata = room.metadata().await.unwrap().metadata;
    assert_eq!(serde_json::Value::Object(metadata), json!({"title": "meanwhile", "mode": "calm"}));
    assert_eq!(room.history(Default::default()).await.unwrap().messages.len(), 1);
    live.close().await;
}

// R15: with nobody to call for it, a disk that has room again is used again.
#[tokio::test]
async fn a_disk_is_tried_again_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::start(config(dir.path())).await.unwrap();
    let room = live.room("plan");
    room.join(Join::new()).await.unwrap();
    live.profile().store.leave_room_for(Some(0));
    room.set_metadata(MetadataChange::new(json!({"title": "kept"}))).await.unwrap_err();
    live.profile().store.leave_room_for(None);
    let deadline = std::time::Instant::now() + 6 * TRY_AGAIN;
    while !notices(&live).await.is_empty() {
        assert!(std::time::Instant::now() < deadline, "it was not tried again");
        tokio::task::yield_now().await;
    }
    live.close().await;
}

// R15: a store that turns out damaged while rooms are open has all of them again.
#[tokio::test]
async fn a_store_that_is_begun_anew_has_what_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::start(config(dir.path())).await.unwrap();
    let room = live.room("plan");
    room.join(Join::new()).await.unwrap();
    room.set_metadata(MetadataChange::new(json!({"title": "kept"}))).await.unwrap();
    let other = live.room("other");
    other.join(Join::new()).await.unwrap();
    other.set_metadata(MetadataChange::new(json!({"title": "kept too"}))).await.unwrap();
    // A disk that fails makes the store look at its file again.
    live.profile().store.leave_room_for(Some(0));
    room.set_metadata(MetadataChange::new(json!({"mode": "unsaved"}))).await.unwrap_err();
    let file = live.profile_dir().join(crate::store::FILE);
    std::fs::write(&file, vec![0xA5; std::fs::metadata(&file).unwrap().len() as usize]).unwrap();
    live.profile().store.leave_room_for(None);
    other.set_metadata(MetadataChange::new(json!({"mode": "last"}))).await.unwrap();
    // Where nobody writes, it is seen to.
    live.rooms_open().sweep().await;
    assert!(notices(&live).await.iter().any(|said| said.contains("was damaged")), "{:?}", notices(&live).await);
    live.close().await;
    drop((room, other, live));
    let live = Live::start(config(dir.path())).await.unwrap();
    for (name, title, mode) in [("plan", "kept", "unsaved"), ("other", "kept too", "last")] {
        let metadata = live.room(name).metadata().await.unwrap().metadata;
        assert_eq!(serde_json::Value::Object(metadata), json!({"title": title, "mode": mode}));
    }
    live.close().await;
}

// R15: a disk that does not answer for a moment costs nothing of what is on it, though the room was entered without it.
#[tokio::test]
async fn what_could_not_be_read_stays_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::start(config(dir.path())).await.unwrap();
    let room = live.room("plan");
    room.join(Join::new()).await.unwrap();
    room.set_metadata(MetadataChange::new(json!({"title": "kept", "mode": "calm"}))).await.unwrap();
    live.close().await;
    drop((room, live));

    let live = Live::start(config(dir.path())).await.unwrap();
    let (room, other) = (live.room("plan"), live.room("other"));
    other.join(Join::new()).await.unwrap();
    // A write that fails makes the store look at its file again.
    live.profile().store.leave_room_for(Some(0));
    other.set_metadata(MetadataChange::new(json!({"title": "unsaved"}))).await.unwrap_err();
    live.profile().store.let_nobody_read(true);
    room.join(Join::new()).await.unwrap();
    assert!(room.metadata().await.unwrap().metadata.is_empty());
    assert!(notices(&live).await.iter().any(|said| said.contains("plan cannot be read")), "{:?}", notices(&live).await);
    room.set_metadata(MetadataChange::new(json!({"mode": "busy"}))).await.unwrap_err();
    live.profile().store.let_nobody_read(false);
    live.profile().store.leave_room_for(None);
    room.set_metadata(MetadataChange::new(json!({"mode": "war_room"}))).await.unwrap();
    live.close().await;
    drop((room, other, live));

    let live = Live::start(config(dir.path())).await.unwrap();
    let metadata = live.room("plan").metadata().await.unwrap().metadata;
    assert_eq!(serde_json::Value::Object(metadata), json!({"title": "kept", "mode": "war_room"}));
    live.close().await;
}

// R8, R15: who leaves is not kept by a disk that never ends its write.
#[tokio::test]
async fn a_disk_that_hangs_keeps_nobody_from_leaving() {
    let (dir, other_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let live = Live::start(config(dir.path())).await.unwrap();
    let other = Live::start(config(other_dir.path())).await.unwrap();
    live.dial(&other.status().await.listen[0]).await.unwrap();
    let (room, seen) = (live.room("plan"), other.room("plan"));
    room.join(Join::new()).await.unwrap();
    seen.join(Join::new()).await.unwrap();
    let members = async || seen.members(Default::default()).await.unwrap().members.len();
    let until = |count: usize| async move {
        while members().await != count {
            tokio::task::yield_now().await;
        }
    };
    let limit = Duration::from_secs(10);
    timeout(limit, until(2)).await.unwrap();

    let open = live.shared.session().rooms.get(&RoomId::new("plan").unwrap(), limit).await.unwrap();
    let hanging = open.saving.writing.lock().await;
    timeout(limit, live.close()).await.unwrap();
    timeout(limit, until(1)).await.unwrap();
    drop(hanging);
    other.close().await;
}
