//! Private rooms over HTTP (design N8): a ticket is what lets somebody in, and a name stands for one room at a time.

use serde_json::{Value, json};

use crate::fixture::{Peer, eventually};

/// Makes the private room, and answers its ticket.
async fn made(peer: &Peer, room: &str) -> String {
    let made = peer.post("/rooms", json!({"room": room, "private": true})).await.ok();
    assert_eq!((&made["room"], &made["private"], &made["joined"]), (&json!(room), &json!(true), &json!(false)));
    made["ticket"].as_str().expect("a ticket").to_owned()
}

async fn members(peer: &Peer, room: &str) -> u64 {
    let page = peer.get(&format!("/rooms/{room}/members")).await.ok();
    page["total"].as_u64().expect("a number")
}

fn listed(rooms: &Value, room: &str) -> Value {
    let rooms = rooms["rooms"].as_array().expect("rooms");
    rooms.iter().find(|listed| listed["room"] == room).cloned().unwrap_or_default()
}

#[tokio::test]
async fn those_with_the_ticket_meet_and_others_do_not() {
    let here = Peer::start().await;
    let (there, stranger) = (Peer::start().await, Peer::beside(&here).await);
    let ticket = made(&here, "plan").await;
    here.post("/rooms/plan/join", json!({"presence": {"where": "the key is"}})).await.ok();
    here.post("/rooms/plan/metadata", json!({"metadata": {"title": "Secret"}})).await.ok();
    // It knows nobody: where to find the others is in the ticket.
    there.post("/rooms/plan/join", json!({"ticket": ticket})).await.ok();
    eventually("both are there", async || (members(&here, "plan").await == 2).then_some(())).await;
    eventually("the title", async || {
        (there.get("/rooms/plan/metadata").await.ok()["metadata"]["title"] == "Secret").then_some(())
    })
    .await;

    // Who knows only the name is in another room, and sees nothing of this one.
    stranger.post("/rooms/plan/join", json!({})).await.ok();
    eventually("the two are linked", async || {
        let peers = stranger.get("/peers").await.ok();
        (peers["peers"].as_array().expect("peers").len() == 1).then_some(())
    })
    .await;
    eventually("its own room is near", async || {
        (listed(&here.get("/rooms").await.ok(), "plan") != json!(null)).then_some(())
    })
    .await;
    assert_eq!(members(&stranger, "plan").await, 1);
    assert_eq!(members(&here, "plan").await, 2);
    let seen = listed(&stranger.get("/rooms").await.ok(), "plan");
    assert_eq!((&seen["private"], &seen["title"], &seen["members"]), (&json!(false), &json!(null), &json!(1)));
    let seen = listed(&here.get("/rooms").await.ok(), "plan");
    assert_eq!((&seen["private"], &seen["title"], &seen["members"]), (&json!(true), &json!("Secret"), &json!(2)));

    // It is in a room of that name, so it has to leave that before it takes the ticket.
    stranger.post("/rooms/plan/join", json!({"ticket": ticket})).await.refused(400, "INVALID_TICKET");
    stranger.post("/rooms/plan/leave", json!({})).await.ok();
    stranger.post("/rooms/plan/join", json!({"ticket": ticket})).await.ok();
    eventually("all three", async || (members(&here, "plan").await == 3).then_some(())).await;
}

/// N27: who made the room may be gone; any of those who are in it invite.
#[tokio::test]
async fn any_who_are_in_invite() {
    let (creator, second, third) = (Peer::start().await, Peer::start().await, Peer::start().await);
    let ticket = made(&creator, "plan").await;
    second.post("/rooms/plan/join", json!({"ticket": ticket})).await.ok();
    eventually("they met", async || (members(&second, "plan").await == 1).then_some(())).await;
    creator.live.close().await;
    let invitation = second.post("/rooms/plan/ticket", json!({})).await.ok();
    assert_eq!(invitation["room"], "plan");
    assert!(invitation["qr"].as_array().is_some_and(|rows| rows.len() > 20));
    let link = invitation["link"].as_str().expect("a link");
    assert!(link.starts_with("parlor://join/"));
    third.post("/rooms/plan/join", json!({"ticket": link})).await.ok();
    eventually("the newcomer is seen", async || (members(&second, "plan").await == 2).then_some(())).await;
    // The room that a forgotten key belonged to is not the open one of its name.
    assert_eq!(third.delete("/rooms/plan").await.ok()["forgotten"], true);
    third.post("/rooms/plan/join", json!({})).await.ok();
    assert_eq!(members(&third, "plan").await, 1, "the open room");
}

#[tokio::test]
async fn a_ticket_says_what_it_is_for_before_it_is_used() {
    let (here, there) = (Peer::start().await, Peer::start().await);
    let ticket = made(&here, "plan").await;
    let info = there.post("/tickets", json!({"ticket": ticket})).await.ok();
    let user = json!(here.live.user_id());
    assert_eq!((&info["room"], &info["private"]), (&json!("plan"), &json!(true)));
    assert_eq!((&info["createdBy"], &info["invitedBy"]), (&user, &user));
    assert_eq!(info["addresses"], json!([here.addr().await]));
    // Open rooms have tickets too: they say where to find their people.
    let open = here.post("/rooms/hall/ticket", json!({})).await.ok();
    let info = there.post("/tickets", json!({"ticket": open["ticket"]})).await.ok();
    assert_eq!((&info["private"], &info["createdBy"]), (&json!(false), &json!(null)));
}

#[tokio::test]
async fn wrong_tickets_are_refused_and_change_nothing() {
    let (here, there) = (Peer::start().await, Peer::start().await);
    let ticket = made(&here, "plan").await;
    let join =
        async |room: &str, ticket: &str| there.post(&format!("/rooms/{room}/join"), json!({"ticket": ticket})).await;
    join("other", &ticket).await.refused(400, "INVALID_TICKET");
    join("plan", "parlor:nonsense").await.refused(400, "INVALID_TICKET");
    join("plan", &ticket[..ticket.len() - 1]).await.refused(400, "INVALID_TICKET");
    join("plan", &"a".repeat(5_000)).await.refused(413, "PAYLOAD_TOO_LARGE");
    there.post("/rooms/plan/join", json!({"ticket": 5})).await.refused(400, "INVALID_TICKET");
    there.post("/tickets", json!({})).await.refused(400, "INVALID_TICKET");
    assert_eq!(there.get("/rooms").await.ok(), json!({"rooms": []}));

    // A profile that has a private room of the name does not take another one for it.
    made(&there, "plan").await;
    join("plan", &ticket).await.refused(400, "INVALID_TICKET");
    let open = Peer::start().await.post("/rooms/plan/ticket", json!({})).await.ok();
    join("plan", open["ticket"].as_str().expect("a ticket")).await.refused(400, "INVALID_TICKET");
    // Made again, it is the room that it was.
    let again = there.post("/rooms", json!({"room": "plan", "private": true})).await.ok();
    let first = there.post("/rooms/plan/ticket", json!({})).await.ok();
    assert_eq!(again["ticket"], first["ticket"]);
    // Somebody who is in the open room cannot make a private one of its name around himself.
    here.post("/rooms/hall/join", json!({})).await.ok();
    here.post("/rooms", json!({"room": "hall", "private": true})).await.refused(400, "INVALID_TICKET");
}
