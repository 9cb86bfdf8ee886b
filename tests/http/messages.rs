//! Messages over HTTP (design A12).

use serde_json::{Value, json};

use crate::events::Events;
use crate::fixture::{Peer, eventually};
use crate::guests::as_guest;

fn texts(page: &Value) -> Vec<&str> {
    page["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .map(|one| one["data"]["text"].as_str().expect("a text"))
        .collect()
}

#[tokio::test]
async fn what_is_kept_is_there_for_those_who_come_later() {
    let here = Peer::start().await;
    here.post("/rooms/blue/join", json!({})).await.ok();
    let say = json!({"type": "chat", "data": {"text": "first"}, "keep": true});
    let said = here.post("/rooms/blue/messages", say).await.ok();
    let user = here.get("/profile").await.ok()["userId"].clone();
    assert_eq!(
        (&said["type"], &said["actor"]["userId"], &said["memberId"], &said["kept"]),
        (&json!("chat"), &user, &user, &json!(true))
    );
    here.post("/rooms/blue/messages", json!({"type": "chat", "data": {"text": "second"}, "keep": true})).await.ok();
    here.post("/rooms/blue/messages", json!({"type": "reaction", "data": {"emoji": "👋"}})).await.ok();

    let there = Peer::beside(&here).await;
    let page = eventually("both messages", async || {
        let page = there.get("/rooms/blue/messages").await.ok();
        (page["messages"].as_array()?.len() == 2).then_some(page)
    })
    .await;
    assert_eq!((texts(&page), &page["nextCursor"]), (vec!["second", "first"], &Value::Null));
    assert_eq!(page["messages"][1], said, "the same everywhere");

    let newest = there.get("/rooms/blue/messages?limit=1").await.ok();
    assert_eq!(texts(&newest), ["second"]);
    let cursor = newest["nextCursor"].as_str().expect("a cursor");
    let older = there.get(&format!("/rooms/blue/messages?limit=1&cursor={cursor}")).await.ok();
    assert_eq!((texts(&older), &older["nextCursor"]), (vec!["first"], &Value::Null));
}

#[tokio::test]
async fn a_stream_hears_what_is_said_and_what_passes() {
    let here = Peer::start().await;
    let there = Peer::beside(&here).await;
    for peer in [&here, &there] {
        peer.post("/rooms/blue/join", json!({})).await.ok();
    }
    eventually("both are there", async || (there.get("/rooms/blue/members").await.ok()["total"] == 2).then_some(()))
        .await;
    let mut events = Events::open(&there, "blue", None).await;
    events.until("snapshot").await;
    let wave = here.post("/rooms/blue/messages", json!({"type": "reaction", "data": {"emoji": "👋"}})).await.ok();
    let heard = events.until("message").await;
    assert_eq!((&heard["message"]["id"], &heard["message"]["kept"]), (&wave["id"], &json!(false)));
    assert_eq!((&heard["message"]["actor"], &heard["message"]["data"]), (&wave["actor"], &wave["data"]));
    let said =
        here.post("/rooms/blue/messages", json!({"type": "chat", "data": {"text": "hello"}, "keep": true})).await.ok();
    assert_eq!(events.until("message").await["message"], said);
    assert_eq!(there.get("/rooms/blue/messages").await.ok()["messages"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_same_key_stores_once() {
    let peer = Peer::start().await;
    peer.post("/rooms/blue/join", json!({})).await.ok();
    let say = |text: &str| json!({"type": "chat", "data": {"text": text}, "keep": true, "idempotencyKey": "k1"});
    let first = peer.post("/rooms/blue/messages", say("once")).await.ok();
    assert_eq!(peer.post("/rooms/blue/messages", say("twice")).await.ok(), first);
    assert_eq!(texts(&peer.get("/rooms/blue/messages").await.ok()), ["once"]);
}

#[tokio::test]
async fn guests_speak_for_themselves() {
    let peer = Peer::start().await;
    let ada = as_guest(&peer, "ada", "/rooms/blue/join", json!({})).await.ok();
    let say = json!({"type": "chat", "data": {"text": "hello"}, "keep": true});
    let said = as_guest(&peer, "ada", "/rooms/blue/messages", say.clone()).await.ok();
    assert_eq!(
        (&said["memberId"], &said["actor"]["kind"], &said["actor"]["name"]),
        (&ada["memberId"], &json!("guest"), &json!("ada"))
    );
    // The profile's own person has not joined.
    peer.post("/rooms/blue/messages", say).await.refused(409, "NOT_JOINED");
}

#[tokio::test]
async fn what_cannot_be_said_is_named() {
    let peer = Peer::start().await;
    peer.post("/rooms/blue/join", json!({})).await.ok();
    let post = async |body| peer.post("/rooms/blue/messages", body).await;
    for (body, code) in [
        (json!({}), "INVALID_MESSAGE"),
        (json!({"type": ""}), "INVALID_MESSAGE"),
        (json!({"type": 5}), "INVALID_MESSAGE"),
        (json!({"type": "chat", "keep": "yes"}), "INVALID_MESSAGE"),
        (json!({"type": "chat", "text": "hello"}), "INVALID_MESSAGE"),
        (json!({"type": "chat", "idempotencyKey": "k"}), "INVALID_MESSAGE"),
        (json!({"type": "chat", "memberId": ""}), "INVALID_MEMBER_ID"),
    ] {
        post(body).await.refused(400, code);
    }
    post(json!({"type": "chat", "data": {"text": "x".repeat(4_097)}})).await.refused(413, "PAYLOAD_TOO_LARGE");
    post(json!({"type": "chat", "memberId": "somebody"})).await.refused(409, "NOT_JOINED");
    for (query, code) in [("limit=0", "INVALID_LIMIT"), ("cursor=x", "INVALID_CURSOR"), ("by=member", "INVALID_LIMIT")]
    {
        peer.get(&format!("/rooms/blue/messages?{query}")).await.refused(400, code);
    }
    let mut answers = Vec::new();
    for _ in 0..40 {
        answers.push(post(json!({"type": "wave"})).await);
    }
    let refused = answers.into_iter().find(|answer| answer.status != 200).expect("a limit");
    refused.refused(429, "RATE_LIMITED");
}
