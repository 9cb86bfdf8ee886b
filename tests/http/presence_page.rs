//! The page whose API people know, walked from its first example to its last (design A1, A3, A4, A5, A6).

use serde_json::{Value, json};

use crate::fixture::{Peer, eventually, is_time};

/// The member as another peer sees it, once it does.
async fn seen_by(peer: &Peer, room: &str, fits: impl Fn(&Value) -> bool) -> Value {
    eventually("the other peer sees it", async || {
        let page = peer.get(&format!("/rooms/{room}/members")).await.ok();
        page["members"].as_array().expect("members").iter().find(|member| fits(member)).cloned()
    })
    .await
}

#[tokio::test]
async fn join_with_initial_presence_returns_the_member_record() {
    let peer = Peer::start().await;
    let me = peer.live.status().await.user_id.to_string();
    let body = json!({"presence": {"status": "online", "typing": false}});
    let record = peer.post("/rooms/project_123/join", body).await.ok();

    assert!(is_time(&record["joinedAt"]) && is_time(&record["lastSeenAt"]), "{record}");
    let mut record = record;
    for time in ["joinedAt", "lastSeenAt"] {
        record.as_object_mut().expect("an object").remove(time);
    }
    let expected = json!({
        "room": "project_123",
        "kind": "room",
        "memberId": me,
        "metadata": {},
        "presence": {"status": "online", "typing": false},
    });
    assert_eq!(record, expected);
}

#[tokio::test]
async fn presence_updates_merge_and_reach_the_other_peer() {
    let here = Peer::start().await;
    let there = Peer::beside(&here).await;
    here.post("/rooms/project_123/join", json!({"presence": {"status": "online", "typing": false}})).await.ok();

    let examples = [
        json!({"status": "online", "typing": true}),
        json!({"cursor": 128, "selection": {"from": 120, "to": 128}}),
        json!({"tool": "pen", "viewport": {"x": 120, "y": 80, "zoom": 1.25}}),
    ];
    let mut last = Value::Null;
    for presence in examples {
        last = here.post("/rooms/project_123/presence", json!({"presence": presence})).await.ok();
    }
    let whole = json!({
        "status": "online", "typing": true,
        "cursor": 128, "selection": {"from": 120, "to": 128},
        "tool": "pen", "viewport": {"x": 120, "y": 80, "zoom": 1.25},
    });
    assert_eq!(last["presence"], whole);
    seen_by(&there, "project_123", |member| member["presence"] == whole).await;
}

#[tokio::test]
async fn members_are_listed_with_metadata_presence_actor_and_times() {
    let here = Peer::start().await;
    let there = Peer::beside(&here).await;
    let body = json!({"presence": {"status": "online"}, "metadata": {"role": "incident_commander"}});
    here.post("/rooms/project_123/join", body).await.ok();

    let member = seen_by(&there, "project_123", |_| true).await;
    let status = here.live.status().await;
    assert_eq!(member["metadata"], json!({"role": "incident_commander"}));
    assert_eq!(member["presence"], json!({"status": "online"}));
    assert_eq!(member["actor"], json!({"kind": "user", "userId": status.user_id, "name": status.name}));
    assert!(is_time(&member["joinedAt"]) && is_time(&member["lastSeenAt"]), "{member}");
    assert_eq!(
        (&member["state"], &member["self"], &member["verified"]),
        (&json!("active"), &json!(false), &json!(true))
    );

    let page = there.get("/rooms/project_123/members?limit=100").await.ok();
    assert_eq!((&page["total"], &page["nextCursor"], &page["complete"]), (&json!(1), &Value::Null, &json!(true)));
    assert!(page["watching"].is_u64(), "{page}");
}

#[tokio::test]
async fn leaving_takes_the_member_away_at_once_and_twice_is_no_error() {
    let here = Peer::start().await;
    let there = Peer::beside(&here).await;
    here.post("/rooms/project_123/join", json!({})).await.ok();
    seen_by(&there, "project_123", |_| true).await;

    let left = here.post_text("/rooms/project_123/leave", "").await.ok();
    assert_eq!((&left["room"], &left["kind"], &left["left"]), (&json!("project_123"), &json!("room"), &json!(true)));
    assert!(is_time(&left["leftAt"]), "{left}");
    eventually("the other peer sees nobody", async || {
        let page = there.get("/rooms/project_123/members").await.ok();
        (page["total"] == 0).then_some(())
    })
    .await;

    let again = here.post_text("/rooms/project_123/leave", "").await.ok();
    assert_eq!((&again["left"], &again["memberId"]), (&json!(false), &left["memberId"]));
}

#[tokio::test]
async fn a_member_id_of_ones_own_makes_several_members_of_one_user() {
    let peer = Peer::start().await;
    for device in ["device_1", "device_2"] {
        let body = json!({"memberId": device, "presence": {"status": "online"}});
        let record = peer.post("/rooms/project_123/join", body).await.ok();
        assert_eq!(record["memberId"], device);
    }
    let body = json!({"memberId": "device_1", "presence": {"status": "busy"}});
    let record = peer.post("/rooms/project_123/presence", body).await.ok();
    assert_eq!((&record["memberId"], &record["presence"]["status"]), (&json!("device_1"), &json!("busy")));

    // A request is no handle: which of the two is meant does not depend on who asked last.
    for call in ["presence", "leave"] {
        peer.post(&format!("/rooms/project_123/{call}"), json!({})).await.refused(409, "AMBIGUOUS_MEMBER");
    }
    let page = peer.get("/rooms/project_123/members").await.ok();
    let statuses: Vec<_> = page["members"]
        .as_array()
        .expect("members")
        .iter()
        .map(|m| (&m["memberId"], &m["presence"]["status"]))
        .collect();
    assert_eq!(statuses, [(&json!("device_1"), &json!("busy")), (&json!("device_2"), &json!("online"))]);
}

#[tokio::test]
async fn room_metadata_is_shared_and_stands_beside_presence() {
    let here = Peer::start().await;
    let there = Peer::beside(&here).await;
    here.post("/rooms/project_123/join", json!({})).await.ok();

    let metadata = json!({"title": "Incident response", "mode": "war_room", "locked": false});
    let set = here.post("/rooms/project_123/metadata", json!({"metadata": metadata})).await.ok();
    assert_eq!(set["metadata"], metadata);
    assert_eq!(set["updatedBy"], json!(here.live.status().await.user_id));
    assert!(is_time(&set["updatedAt"]), "{set}");
    here.post("/rooms/project_123/presence", json!({"presence": {"status": "online", "role": "incident_commander"}}))
        .await
        .ok();

    let seen = eventually("the other peer has the settings", async || {
        let read = there.get("/rooms/project_123/metadata").await.ok();
        (read["metadata"] == metadata).then_some(read)
    })
    .await;
    assert_eq!(seen, set);
    seen_by(&there, "project_123", |member| member["presence"]["role"] == "incident_commander").await;

    let less =
        here.post("/rooms/project_123/metadata", json!({"metadata": {"mode": null}, "unset": ["locked"]})).await.ok();
    assert_eq!(less["metadata"], json!({"title": "Incident response", "mode": null}));
}

#[tokio::test]
async fn joining_again_keeps_joined_at_and_what_is_not_given() {
    let peer = Peer::start().await;
    let first = peer.post("/rooms/r/join", json!({"presence": {"a": 1}, "metadata": {"b": 2}})).await.ok();
    let again = peer.post("/rooms/r/join", json!({"presence": {"c": 3}})).await.ok();
    assert_eq!(again["joinedAt"], first["joinedAt"]);
    assert_eq!((&again["presence"], &again["metadata"]), (&json!({"c": 3}), &json!({"b": 2})));
}

#[tokio::test]
async fn modes_unset_and_expiry_do_what_they_say() {
    let peer = Peer::start().await;
    peer.post("/rooms/r/join", json!({"presence": {"a": 1, "b": null, "c": {"d": 1}}})).await.ok();
    let presence = async |body: Value| peer.post("/rooms/r/presence", body).await.ok()["presence"].take();

    assert_eq!(presence(json!({"presence": {"c": {"e": 2}}, "unset": ["a"]})).await, json!({"b": null, "c": {"e": 2}}));
    assert_eq!(presence(json!({"presence": {"x": 1}, "mode": "replace"})).await, json!({"x": 1}));
    assert_eq!(
        presence(json!({"presence": {"typing": true}, "expire": {"typing": 100}})).await,
        json!({"x": 1, "typing": true})
    );
    eventually("typing is gone", async || (presence(json!({})).await == json!({"x": 1})).then_some(())).await;
}
