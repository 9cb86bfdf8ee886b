use super::*;
use crate::Config;

// F14: whatever became of the room or the network under it, leaving succeeds, and nothing keeps from joining again but a
// peer that was closed.
#[tokio::test]
async fn leaving_succeeds_whatever_became_of_the_room() {
    let dir = tempfile::tempdir().unwrap();
    let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    let live = Live::start(config).await.unwrap();
    let room = live.room("project_123");
    let id = room.room().unwrap();
    let leave = async || room.leave(Leave::default()).await;

    // Forgotten under the feet of who is in it.
    room.join(Join::new()).await.unwrap();
    assert!(live.forget_room("project_123").await.unwrap());
    assert!(!leave().await.unwrap().left);
    room.join(Join::new()).await.unwrap();
    assert!(leave().await.unwrap().left);
    room.join(Join::new()).await.unwrap();

    // Closed between the look and the call.
    live.net().close_room(&id).await;
    while live.net().with(&id, |_, _| ()).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let left = leave().await.unwrap();
    assert!(!left.left && left.room == id && left.member_id == live.user_id().default_member(), "{left:?}");

    // The network is gone, and the peer is about to.
    live.net().shutdown().await;
    assert!(!leave().await.unwrap().left);
    assert_eq!(room.join(Join::new()).await.unwrap_err().code, ErrorCode::NetworkUnavailable);
    live.close().await;
    assert!(!leave().await.unwrap().left);
}
