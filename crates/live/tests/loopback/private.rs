//! Private rooms of a profile: what the name stands for when a key is lost, the disk is full, or two make it at once.

use std::os::unix::fs::PermissionsExt as _;

use parlor::{ErrorCode, Join, Live, MembersQuery, RoomSummary};

use crate::peers::{code, config};

async fn listed(live: &Live, room: &str) -> Option<RoomSummary> {
    live.rooms().await.into_iter().find(|listed| listed.room.as_str() == room)
}

#[tokio::test]
async fn a_room_whose_key_is_lost_is_not_the_open_room_of_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::start(config(dir.path(), "default")).await.unwrap();
    live.create_private_room("plan").await.unwrap();
    let invitation = live.room("plan").ticket().await.unwrap();
    let keys = live.profile_dir().join("keys.json");
    assert_eq!(std::fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o600);
    let kept = std::fs::read(&keys).unwrap();
    live.close().await;

    std::fs::write(&keys, "{\"half\":").unwrap();
    let live = Live::start(config(dir.path(), "default")).await.unwrap();
    assert!(live.status().await.notices.iter().any(|notice| notice.starts_with("keys.json")));
    assert!(keys.with_file_name("keys.json.damaged-1").exists());
    let room = live.room("plan");
    // Also when it is asked for again and again, in every way.
    for _ in 0..2 {
        assert_eq!(code(room.join(Join::new()).await), ErrorCode::InvalidTicket);
        assert_eq!(code(room.members(MembersQuery::default()).await), ErrorCode::InvalidTicket);
        assert_eq!(code(room.ticket().await), ErrorCode::InvalidTicket);
        assert_eq!(code(live.create_room("plan").await), ErrorCode::InvalidTicket);
        assert_eq!(code(live.create_private_room("plan").await), ErrorCode::InvalidTicket);
        assert!(listed(&live, "plan").await.unwrap().private);
    }
    room.join(Join::new().ticket(&invitation.ticket)).await.expect("the ticket brings the key back");
    assert_eq!(std::fs::read(&keys).unwrap(), kept);
    assert!(live.forget_room("plan").await.unwrap());
    room.join(Join::new()).await.expect("what is forgotten is lost to nobody");
    assert!(!listed(&live, "plan").await.unwrap().private);
    live.close().await;
}

#[tokio::test]
async fn two_who_make_it_at_once_have_one_room() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::start(config(dir.path(), "default")).await.unwrap();
    for number in 0..8 {
        let name = format!("plan {number}");
        let make = async || {
            live.create_private_room(name.as_str()).await?;
            live.room(name.as_str()).ticket().await
        };
        let (one, two) = tokio::join!(make(), make());
        assert_eq!(one.unwrap().ticket, two.unwrap().ticket);
    }
    live.close().await;
}

#[tokio::test]
async fn a_key_that_cannot_be_kept_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::start(config(dir.path(), "default")).await.unwrap();
    // Nothing can be moved to where a directory is, as nothing can be written to a full disk.
    std::fs::create_dir(live.profile_dir().join("keys.json")).unwrap();
    assert_eq!(code(live.create_private_room("plan").await), ErrorCode::StorageFailed);
    assert!(listed(&live, "plan").await.is_none());
    live.room("plan").join(Join::new()).await.expect("the open room of that name");
    assert!(!listed(&live, "plan").await.unwrap().private);
    live.close().await;
}
