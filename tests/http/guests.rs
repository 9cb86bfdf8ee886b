//! A holder of the token acts for several users: each is a guest via this profile (design A10), and lives by its own
//! lease (design R7).

use reqwest::Method;
use serde_json::{Value, json};

use crate::fixture::{Answer, Peer, answer, eventually};

pub async fn as_guest(peer: &Peer, guest: &str, path: &str, body: Value) -> Answer {
    answer(peer.request(Method::POST, path).header("Parlor-User", guest).json(&body)).await
}

#[tokio::test]
async fn each_guest_is_an_actor_via_the_profile() {
    let peer = Peer::start().await;
    let host = json!(peer.live.status().await.user_id);
    peer.post("/rooms/r/join", json!({})).await.ok();
    let request = peer.request(Method::POST, "/rooms/r/join").header("Parlor-User", "visitor-1");
    let joined = answer(request.header("Parlor-User-Name", "Bold Heron").json(&json!({}))).await.ok();
    assert_ne!(joined["memberId"], host);
    let other = as_guest(&peer, "visitor-2", "/rooms/r/join", json!({})).await.ok();
    assert_ne!(other["memberId"], joined["memberId"]);

    let page = peer.get("/rooms/r/members").await.ok();
    assert_eq!(page["total"], 3);
    let row = page["members"]
        .as_array()
        .expect("members")
        .iter()
        .find(|m| m["memberId"] == joined["memberId"])
        .expect("the guest");
    assert_eq!(
        (&row["actor"]["kind"], &row["actor"]["name"], &row["actor"]["via"]),
        (&json!("guest"), &json!("Bold Heron"), &host)
    );
    assert_eq!(row["verified"], false);
}

#[tokio::test]
async fn a_guest_is_the_same_actor_in_every_request_and_nobody_elses() {
    let peer = Peer::start().await;
    let joined = as_guest(&peer, "visitor-1", "/rooms/r/join", json!({"memberId": "desk"})).await.ok();
    let changed = as_guest(&peer, "visitor-1", "/rooms/r/presence", json!({"presence": {"a": 1}})).await.ok();
    assert_eq!((&changed["memberId"], &changed["joinedAt"]), (&joined["memberId"], &joined["joinedAt"]));

    as_guest(&peer, "visitor-2", "/rooms/r/presence", json!({"presence": {"a": 2}})).await.refused(409, "NOT_JOINED");
    as_guest(&peer, "visitor-2", "/rooms/r/join", json!({"memberId": "desk"})).await.refused(409, "MEMBER_ID_CONFLICT");
    peer.post("/rooms/r/presence", json!({"presence": {"a": 3}})).await.refused(409, "NOT_JOINED");
    let left = as_guest(&peer, "visitor-2", "/rooms/r/leave", json!({"memberId": "desk"})).await.ok();
    assert_eq!(left["left"], false);
    assert_eq!(peer.get("/rooms/r/members").await.ok()["total"], 1);
}

#[tokio::test]
async fn a_name_may_come_as_utf8_or_as_latin1() {
    let peer = Peer::start().await;
    for (guest, bytes) in [("a", &b"Zo\xc3\xab"[..]), ("b", b"Zo\xeb")] {
        let name = reqwest::header::HeaderValue::from_bytes(bytes).expect("a header");
        let request =
            peer.request(Method::POST, "/rooms/r/join").header("Parlor-User", guest).header("Parlor-User-Name", name);
        answer(request.json(&json!({}))).await.ok();
    }
    let page = peer.get("/rooms/r/members").await.ok();
    let names: Vec<_> =
        page["members"].as_array().expect("members").iter().map(|m| m["actor"]["name"].as_str()).collect();
    assert_eq!(names, [Some("Zoë"), Some("Zoë")]);
}

#[tokio::test]
async fn wrong_names_of_guests_are_refused() {
    let peer = Peer::start().await;
    for guest in ["", &"x".repeat(129)] {
        as_guest(&peer, guest, "/rooms/r/join", json!({})).await.refused(400, "INVALID_MEMBER_ID");
    }
    let nobody = peer.request(Method::GET, "/rooms").header("Parlor-User-Name", "Bold Heron");
    answer(nobody).await.refused(400, "INVALID_MEMBER_ID");
    let two = peer.request(Method::GET, "/rooms").header("Parlor-User", "a").header("Parlor-User", "b");
    answer(two).await.refused(400, "INVALID_MEMBER_ID");
}

// G10: nobody stays online without a sign of life.
#[tokio::test]
async fn a_client_that_vanishes_expires_and_one_with_an_open_stream_does_not() {
    let peer = Peer::start().await;
    let ttl = json!({"presenceTtlSeconds": 5});
    as_guest(&peer, "vanishes", "/rooms/r/join", ttl.clone()).await.ok();
    let stays = as_guest(&peer, "stays", "/rooms/r/join", ttl).await.ok();
    let stream =
        peer.request(Method::GET, "/rooms/r/events").header("Parlor-User", "stays").send().await.expect("a stream");

    let rest = eventually("one of them expires", async || {
        let page = peer.get("/rooms/r/members").await.ok();
        (page["total"] == 1).then(|| page["members"][0]["memberId"].clone())
    })
    .await;
    assert_eq!(rest, stays["memberId"]);
    drop(stream);
    eventually("then the other", async || (peer.get("/rooms/r/members").await.ok()["total"] == 0).then_some(())).await;
}
