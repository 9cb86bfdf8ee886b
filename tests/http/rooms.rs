//! Rooms, peers and the profile over HTTP, and the pages of a long list.

use serde_json::{Value, json};

use crate::fixture::{Peer, eventually};

fn listed<'a>(rooms: &'a Value, room: &str) -> Option<&'a Value> {
    rooms["rooms"].as_array().expect("rooms").iter().find(|listed| listed["room"] == room)
}

#[tokio::test]
async fn a_room_is_made_listed_joined_and_forgotten() {
    let peer = Peer::start().await;
    assert_eq!(peer.get("/rooms").await.ok(), json!({"rooms": []}));

    let made = peer.post("/rooms", json!({"room": "blue"})).await.ok();
    assert_eq!(
        (&made["room"], &made["kind"], &made["private"], &made["joined"]),
        (&json!("blue"), &json!("room"), &json!(false), &json!(false))
    );
    assert_eq!(listed(&peer.get("/rooms").await.ok(), "blue").expect("listed")["members"], 0);

    peer.post("/rooms/blue/join", json!({})).await.ok();
    peer.post("/rooms/blue/metadata", json!({"metadata": {"title": "The blue room"}})).await.ok();
    eventually("the list says so", async || {
        let rooms = peer.get("/rooms").await.ok();
        let blue = listed(&rooms, "blue").expect("listed");
        (blue["joined"] == true && blue["members"] == 1 && blue["title"] == "The blue room").then_some(())
    })
    .await;

    assert_eq!(peer.delete("/rooms/blue").await.ok(), json!({"room": "blue", "kind": "room", "forgotten": true}));
    assert_eq!(peer.get("/rooms").await.ok(), json!({"rooms": []}));
    assert_eq!(peer.delete("/rooms/blue").await.ok()["forgotten"], false);
}

#[tokio::test]
async fn names_of_rooms_may_have_any_letters() {
    let peer = Peer::start().await;
    for (path, name) in
        [("a%20b", "a b"), ("a%2Fb", "a/b"), ("%C3%BC%E6%97%A5", "ü日"), ("%3F%23%25", "?#%"), ("x.y", "x.y")]
    {
        let record = peer.post(&format!("/rooms/{path}/join"), json!({})).await.ok();
        assert_eq!(record["room"], name);
    }
    let long = "é".repeat(128);
    assert_eq!(peer.post("/rooms", json!({"room": long})).await.ok()["room"], long);
}

#[tokio::test]
async fn peers_are_dialled_and_listed() {
    let (here, there) = (Peer::start().await, Peer::start().await);
    assert_eq!(here.get("/peers").await.ok(), json!({"peers": []}));
    let there_id = json!(there.live.status().await.peer_id);
    let dialled = here.post("/peers", json!({"addr": there.addr().await})).await.ok();
    assert_eq!(dialled["peerId"], there_id);

    let peers = here.get("/peers").await.ok();
    assert_eq!(peers["peers"].as_array().expect("peers").len(), 1);
    assert_eq!(peers["peers"][0]["peerId"], there_id);
    assert_eq!(peers["peers"][0]["transport"], "tcp");
}

#[tokio::test]
async fn the_profile_is_read_and_changed() {
    let peer = Peer::start().await;
    let before = peer.get("/profile").await.ok();
    assert_eq!((&before["profile"], &before["named"]), (&json!("default"), &json!(false)));
    assert!(before["userId"].as_str().is_some_and(|id| id.starts_with("u_")), "{before}");

    let after = peer.post("/profile", json!({"name": "Quiet Otter", "color": "#0d8367"})).await.ok();
    assert_eq!(
        (&after["name"], &after["color"], &after["named"]),
        (&json!("Quiet Otter"), &json!("#0d8367"), &json!(true))
    );
    assert_eq!(after["userId"], before["userId"]);
    assert_eq!(peer.get("/profile").await.ok()["name"], "Quiet Otter");
}

#[tokio::test]
async fn a_long_list_comes_in_pages_that_hold_everybody_once() {
    let peer = Peer::start().await;
    for number in 0..5 {
        peer.post("/rooms/r/join", json!({"memberId": format!("m{number}")})).await.ok();
    }
    let (mut names, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let more = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = peer.get(&format!("/rooms/r/members?limit=2{more}")).await.ok();
        assert_eq!(page["total"], 5);
        let members = page["members"].as_array().expect("members");
        assert!((1..=2).contains(&members.len()));
        names.extend(members.iter().map(|member| member["memberId"].as_str().expect("an id").to_owned()));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(names, ["m0", "m1", "m2", "m3", "m4"]);

    let sessions = peer.get("/rooms/r/members?by=session&limit=1").await.ok();
    assert_eq!(sessions["members"][0]["sessions"].as_array().map(Vec::len), Some(1), "{sessions}");
    assert!(sessions["members"][0].get("evidence").is_none(), "{sessions}");
    let known = peer.get("/rooms/r/members?evidence=true&limit=1").await.ok();
    assert_eq!(known["members"][0]["evidence"]["verdict"], "own", "{known}");
}

#[tokio::test]
async fn health_needs_no_token() {
    let peer = Peer::start().await;
    let health = crate::fixture::answer(peer.http.get(peer.url("/healthz"))).await.ok();
    assert_eq!(health["status"], "ok");
    assert_eq!(health["version"], peer.get("/profile").await.ok()["version"]);
}
