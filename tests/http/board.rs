//! The board over HTTP (design A10).

use serde_json::json;

use crate::events::Events;
use crate::fixture::{Peer, eventually};

#[tokio::test]
async fn notes_are_written_field_by_field_and_seen_by_the_others() {
    let here = Peer::start().await;
    let there = Peer::beside(&here).await;
    for peer in [&here, &there] {
        peer.post("/rooms/blue/join", json!({})).await.ok();
    }
    let made = here
        .post("/rooms/blue/board", json!({"set": [{"id": "plan", "text": "Ask the harbour", "x": 40, "y": 20}]}))
        .await
        .ok();
    let user = here.get("/profile").await.ok()["userId"].clone();
    let note = &made["notes"][0];
    let shape = (&made["room"], &made["kind"], &note["id"], &note["w"], &note["h"], &note["z"], &note["color"]);
    let (room, kind, id, yellow) = (json!("blue"), json!("room"), json!("plan"), json!("yellow"));
    assert_eq!(shape, (&room, &kind, &id, &json!(200.0), &json!(150.0), &json!(0.0), &yellow));
    assert_eq!(note["updatedBy"], user);
    assert!(note["updatedAt"].as_str().is_some_and(|at| at.ends_with('Z')), "{note}");

    // The other one moves it, this one recolours it: both survive.
    eventually("it is there", async || {
        let board = there.get("/rooms/blue/board").await.ok();
        (board["notes"][0]["text"] == "Ask the harbour").then_some(())
    })
    .await;
    there.post("/rooms/blue/board", json!({"set": [{"id": "plan", "x": 300}]})).await.ok();
    here.post("/rooms/blue/board", json!({"set": [{"id": "plan", "color": "blue"}]})).await.ok();
    for peer in [&here, &there] {
        eventually("both changes", async || {
            let board = peer.get("/rooms/blue/board").await.ok();
            let note = &board["notes"][0];
            (note["x"] == 300.0 && note["color"] == "blue" && note["text"] == "Ask the harbour").then_some(())
        })
        .await;
    }

    // The answer of a write is what it set; the whole board is read.
    there.post("/rooms/blue/board", json!({"set": [{"id": "other", "y": 5}]})).await.ok();
    let answer =
        there.post("/rooms/blue/board", json!({"set": [{"id": "plan", "z": 3}], "remove": ["other"]})).await.ok();
    assert_eq!((answer["notes"].as_array().map(Vec::len), &answer["notes"][0]["z"]), (Some(1), &json!(3.0)));
    assert_eq!(there.get("/rooms/blue/board").await.ok()["notes"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_stream_tells_of_notes_and_begins_with_all_of_them() {
    let peer = Peer::start().await;
    peer.post("/rooms/blue/join", json!({})).await.ok();
    peer.post("/rooms/blue/board", json!({"set": [{"id": "a", "x": 1}, {"id": "b", "x": 2}]})).await.ok();
    let mut events = Events::open(&peer, "blue", None).await;
    let snapshot = events.until("snapshot").await;
    assert_eq!(snapshot["notes"].as_array().map(Vec::len), Some(2));
    peer.post("/rooms/blue/board", json!({"set": [{"id": "a", "text": "new"}], "remove": ["b"]})).await.ok();
    let board = events.until("board").await;
    assert_eq!((&board["notes"][0]["text"], &board["removed"]), (&json!("new"), &json!(["b"])));
}

#[tokio::test]
async fn what_cannot_be_written_is_named() {
    let peer = Peer::start().await;
    let post = async |body| peer.post("/rooms/blue/board", body).await;
    post(json!({"set": [{"id": "a", "x": 1}]})).await.refused(409, "NOT_JOINED");
    peer.post("/rooms/blue/join", json!({})).await.ok();
    for (body, field) in [
        (json!({"set": {}}), "set"),
        (json!({"set": [{"x": 1}]}), "set.0"),
        (json!({"set": [{"id": "a"}]}), "set.0"),
        (json!({"set": [{"id": "a", "w": 0}]}), "set.0.w"),
        (json!({"set": [{"id": "", "x": 0}]}), "set.0.id"),
        (json!({"set": [{"id": "a", "font": 1}]}), "set.0.font"),
        (json!({"remove": "a"}), "remove"),
        (json!({"notes": []}), "notes"),
    ] {
        let answer = post(body.clone()).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("INVALID_BOARD")), "{body}: {}", answer.body);
        assert_eq!(answer.body["path"], field, "{body}: {}", answer.body);
    }
    let long = "é".repeat(2_049);
    post(json!({"set": [{"id": "a", "text": long}]})).await.refused(413, "PAYLOAD_TOO_LARGE");
    let many: Vec<_> = (0..501).map(|n| json!({"id": format!("n{n}"), "x": 0})).collect();
    post(json!({"set": many})).await.refused(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(peer.get("/rooms/blue/board").await.ok()["notes"], json!([]));
}
