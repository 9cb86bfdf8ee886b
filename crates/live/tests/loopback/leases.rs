//! Client leases (design R7), restarts (design R2) and lost peers.

use parlor::{Config, Join, LeftReason, PresenceChange};
use serde_json::json;

use crate::peers::{Peer, all, config, event, rows, start_when_free, until};

#[tokio::test]
async fn a_guest_that_falls_silent_leaves_and_one_that_listens_stays() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    let heron = Peer::start("Calm Heron", &[&otter]).await;
    let guest = |id: &str| otter.live.acting_as(id, None).unwrap().room("project_123");
    let (listening, silent) = (guest("listening"), guest("silent"));
    // The one that listens joined first, so without its stream it would be the first to go.
    let stays = listening.join_leased(Join::new().ttl_seconds(5)).await.unwrap().member_id;
    let stream = listening.events().await.unwrap();
    let goes = silent.join_leased(Join::new().ttl_seconds(5)).await.unwrap().member_id;

    let mut events = heron.live.room("project_123").events().await.unwrap();
    rows(&heron.live.room("project_123"), 2).await;
    let left = serde_json::to_value(event(&mut events, "left").await).unwrap();
    assert_eq!(left["member"]["memberId"], json!(goes));
    assert_eq!(left["member"]["actor"]["kind"], "guest");
    assert_eq!(left["member"]["actor"]["via"], json!(otter.live.user_id()));
    assert_eq!(left["member"]["verified"], false);
    assert_eq!(left["reason"], json!(LeftReason::Expired));
    let page = heron.live.room("project_123").members(all()).await.unwrap();
    assert_eq!(page.members.iter().map(|row| row.record.member_id.clone()).collect::<Vec<_>>(), [stays]);

    drop(stream);
    let left = serde_json::to_value(event(&mut events, "left").await).unwrap();
    assert_eq!(left["reason"], json!(LeftReason::Expired));
    otter.live.close().await;
    heron.live.close().await;
}

// G6 G7
#[tokio::test]
async fn a_restart_is_one_row_that_goes_on() {
    let heron = Peer::start("Calm Heron", &[]).await;
    let otter = Peer::start("Quiet Otter", &[&heron]).await;
    let user = otter.live.user_id();
    let join = |run: u8| Join::new().presence(json!({"run": run}));
    otter.live.room("project_123").join(join(1)).await.unwrap();
    let mut seen = heron.live.room("project_123").watch().await.unwrap();
    until("the first run", &mut seen, |room| room.members.len() == 1).await;

    // Gone without a word, as a crash is.
    let Peer { live, dir } = otter;
    drop(live);
    let again = Config {
        dial: heron.live.status().await.listen,
        name: Some("Quiet Otter".into()),
        ..config(dir.path(), "default")
    };
    let again = start_when_free(again).await;
    assert_eq!(again.user_id(), user, "the same identity");
    again.room("project_123").join(join(2)).await.unwrap();
    let after = until("the second run", &mut seen, |room| {
        assert!(room.members.len() <= 1, "a restart must never be two rows: {room:#?}");
        room.members.first().is_some_and(|row| row.record.presence["run"] == 2)
    });
    assert_eq!(after.await.members[0].actor.user_id, user);

    again.room("project_123").presence(PresenceChange::new(json!({"run": 3}))).await.unwrap();
    until("it goes on", &mut seen, |room| room.members.len() == 1 && room.members[0].record.presence["run"] == 3).await;
    again.close().await;
    heron.live.close().await;
}
