//! The network lab (design A10 `lab`): faults and people on purpose, what they look like to those who look, and that nobody
//! reaches any of it at a peer without a lab.

use std::cell::RefCell;
use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::fixture::{Peer, answer, eventually};
use crate::inspect::Inspection;

/// A peer with a lab and one without, linked and each with a member in the room `r`.
async fn two() -> (Peer, Peer) {
    let here = Peer::start_with(|config| config.lab = true, None).await;
    let there = Peer::beside(&here).await;
    for peer in [&here, &there] {
        peer.post("/rooms/r/join", json!({"presenceTtlSeconds": 600})).await.ok();
    }
    for peer in [&here, &there] {
        eventually("two members", async || (total(peer).await == 2).then_some(())).await;
    }
    (here, there)
}

async fn total(peer: &Peer) -> u64 {
    peer.get("/rooms/r/members").await.ok()["total"].as_u64().expect("a total")
}

async fn peer_id(peer: &Peer) -> String {
    peer.live.status().await.peer_id
}

/// The hash of all that is kept of the room.
async fn hash(peer: &Peer) -> Value {
    Inspection::open(peer, "").await.next().await["rooms"]["r"]["hash"].clone()
}

async fn title(peer: &Peer, title: &str) {
    peer.post("/rooms/r/metadata", json!({"metadata": {"title": title}})).await.ok();
}

async fn shows_title(peer: &Peer, title: &str) {
    let shown = async || peer.get("/rooms/r/metadata").await.ok()["metadata"]["title"] == title;
    eventually("the title", async || shown().await.then_some(())).await;
}

#[tokio::test]
async fn a_peer_without_a_lab_has_none_and_says_how_to_have_one() {
    let peer = Peer::start().await;
    let change = json!({"all": {"apart": true}, "people": [{"room": "r", "count": 5}]});
    for refused in [peer.get("/lab").await, peer.post("/lab", change).await] {
        assert!(refused.body["detail"].as_str().is_some_and(|text| text.contains("--lab")), "{refused:?}");
        refused.refused(403, "FORBIDDEN");
    }
    assert_eq!(peer.get("/rooms/r/members").await.ok()["total"], 0);
    let lab = Peer::start_with(|config| config.lab = true, None).await;
    for method in [Method::GET, Method::POST] {
        let bare = lab.http.request(method, lab.url("/lab")).json(&json!({}));
        answer(bare).await.refused(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn what_is_asked_of_a_lab_is_checked_and_a_mistake_changes_nothing() {
    let peer = Peer::start_with(|config| config.lab = true, None).await;
    peer.post("/lab", json!({"all": {"out": {"delayMs": 5.0}}, "seed": 3})).await.ok();
    let before = peer.get("/lab").await.ok();
    assert_eq!((&before["all"]["out"]["delayMs"], &before["seed"]), (&json!(5), &json!(3)));
    let own = peer_id(&peer).await;
    let crowds: Vec<Value> = ["a", "b"].map(|room| json!({"room": room, "count": 150})).to_vec();
    let many: serde_json::Map<String, Value> = (0..65).map(|n| (format!("12D{n}"), Value::Null)).collect();
    for (change, status, code, path) in [
        (json!({"clear": true, "all": {"in": {"delayMs": 10_001}}}), 400, "INVALID_LIMIT", "all.in.delayMs"),
        (json!({"clear": true, "all": {"in": {"lossPercent": 101}}}), 400, "INVALID_LIMIT", "all.in.lossPercent"),
        (json!({"all": {"in": {"loss": 1}}}), 400, "INVALID_LIMIT", "all.in.loss"),
        (json!({"all": {"in": {"cut": "yes"}}}), 400, "INVALID_LIMIT", "all.in.cut"),
        (json!({"all": null}), 400, "INVALID_LIMIT", "all"),
        (json!({"clear": 1}), 400, "INVALID_JSON", "clear"),
        (json!({"clear": true, "sleepMs": 600_001}), 400, "INVALID_LIMIT", "sleepMs"),
        (json!({"wallAheadMs": -31_622_400_001_i64}), 400, "INVALID_LIMIT", "wallAheadMs"),
        (json!({"wallAheadMs": 1.5}), 400, "INVALID_LIMIT", "wallAheadMs"),
        (json!({"clear": true, "people": crowds}), 400, "INVALID_LIMIT", "people"),
        (json!({"people": [{"room": "..", "count": 1}]}), 400, "INVALID_LIMIT", "people.0.room"),
        (json!({"peers": many}), 400, "INVALID_LIMIT", "peers"),
    ] {
        let refused = peer.post("/lab", change.clone()).await;
        assert_eq!(refused.body["path"], path, "{change}: {refused:?}");
        refused.refused(status, code);
    }
    for nobody in [own.as_str(), "me"] {
        let change = json!({"clear": true, "peers": {nobody: {"apart": true}}});
        peer.post("/lab", change).await.refused(404, "NOT_FOUND");
    }
    assert_eq!(peer.get("/lab").await.ok(), before);
}

/// Members go grey and then are gone, the mesh shows no link, and afterwards both have what each wrote meanwhile.
#[tokio::test]
async fn a_partition_made_in_the_lab_heals() {
    let (here, there) = two().await;
    let (mut seen, other) = (Inspection::open(&here, "").await, peer_id(&there).await);
    let state = here.post("/lab", json!({"peers": {other.as_str(): {"apart": true}}})).await.ok();
    assert_eq!((&state["peers"][0]["peerId"], &state["peers"][0]["faults"]["apart"]), (&json!(other), &json!(true)));
    assert_eq!(here.get("/peers").await.ok()["peers"], json!([]), "closed by the time that it answers");
    seen.until("disconnected", |gone| gone["peerId"] == other.as_str()).await;
    seen.until("lease", |lease| lease["state"] == "stale").await;
    for peer in [&here, &there] {
        let evidence = async || {
            let members = peer.get("/rooms/r/members?evidence=true").await.ok()["members"].clone();
            members.as_array().expect("members").iter().find(|member| member["state"] == "stale").cloned()
        };
        let grey = eventually("somebody is grey", evidence).await;
        assert_eq!(grey["evidence"]["linked"], false, "{grey}");
    }
    for peer in [&here, &there] {
        eventually("alone", async || (total(peer).await == 1).then_some(())).await;
    }
    title(&here, "Here").await;
    there.post("/rooms/r/metadata", json!({"metadata": {"mode": "apart"}})).await.ok();
    assert_ne!(hash(&here).await, hash(&there).await);

    here.post("/lab", json!({"clear": true})).await.ok();
    seen.until("connected", |back| back["peerId"] == other.as_str()).await;
    for peer in [&here, &there] {
        eventually("together", async || (total(peer).await == 2).then_some(())).await;
        shows_title(peer, "Here").await;
    }
    let same = async || (hash(&here).await == hash(&there).await).then_some(());
    eventually("the same hash", same).await;
    assert_eq!(here.get("/rooms/r/metadata").await.ok()["metadata"], json!({"title": "Here", "mode": "apart"}));
}

/// Everything that this peer says is lost while it writes once, and nothing before or after.
#[tokio::test]
async fn a_lost_write_shows_as_a_hash_mismatch_and_then_its_repair() {
    let (here, there) = two().await;
    title(&here, "Before").await;
    shows_title(&there, "Before").await;
    let (mut writer, mut reader) = (Inspection::open(&here, "").await, Inspection::open(&there, "").await);
    here.post("/lab", json!({"all": {"in": {"cut": true}, "out": {"cut": true}}})).await.ok();
    title(&here, "After").await;
    writer.until("frameOut", |frame| frame["kind"] == "cells").await;
    writer.until("counted", |counted| counted["name"] == "lab_lost").await;
    // It is heard again and hears nothing yet, so it is the other who notices, and who asks in vain.
    let state = here.post("/lab", json!({"all": {"in": {"cut": true}}})).await.ok();
    assert!(state["counts"]["lost"].as_u64() > Some(0), "{state}");
    let told = reader.until("hash", |hash| hash["mine"] != hash["theirs"]).await;
    assert_eq!(there.get("/rooms/r/metadata").await.ok()["metadata"]["title"], "Before");

    here.post("/lab", json!({"clear": true})).await.ok();
    let cell = reader.until("cell", |cell| cell["register"]["field"] == "title").await;
    assert_eq!((&cell["outcome"], &cell["own"]), (&json!({"is": "won"}), &json!(false)));
    let repaired = reader.until("hash", |hash| hash["mine"] == hash["theirs"]).await;
    assert_eq!((&repaired["theirs"], &repaired["session"]), (&told["theirs"], &told["session"]));
    shows_title(&there, "After").await;
}

#[tokio::test]
async fn a_lab_answers_while_the_network_sleeps_and_wakes_it() {
    let (here, there) = two().await;
    let state = here.post("/lab", json!({"sleepMs": 600_000})).await.ok();
    assert!(state["asleepMs"].as_u64() > Some(590_000), "{state}");
    eventually("it is gone for the other", async || (total(&there).await == 1).then_some(())).await;
    assert!(here.get("/lab").await.ok()["asleepMs"].as_u64() > Some(0));
    assert_eq!(here.post("/lab", json!({"sleepMs": 0})).await.ok()["asleepMs"], 0);
    eventually("it is back", async || (total(&there).await == 2).then_some(())).await;
}

/// They are members at everybody, marked, and none of them stays when they are sent away.
#[tokio::test]
async fn simulated_people_come_and_move_and_are_marked_everywhere() {
    let (here, there) = two().await;
    let people = async |peer: &Peer| -> Vec<Value> {
        let members = peer.get("/rooms/r/members?limit=1000").await.ok()["members"].clone();
        let all = members.as_array().expect("members").iter();
        all.filter(|member| member["simulated"] == true).cloned().collect()
    };
    let state = here.post("/lab", json!({"people": [{"room": "r", "count": 12, "seed": 7}]})).await.ok();
    assert_eq!((&state["people"][0]["count"], &state["people"][0]["seed"]), (&json!(12), &json!(7)));
    for peer in [&here, &there] {
        let most = async || Some(people(peer).await).filter(|people| people.len() >= 8);
        let came = eventually("most of them came", most).await;
        for member in &came {
            let name = member["actor"]["name"].as_str().expect("a name");
            assert!(name.starts_with("Sim ") && member["presence"]["name"] == name, "{member}");
            assert_eq!((&member["actor"]["kind"], &member["metadata"]["simulated"]), (&json!("guest"), &json!(true)));
            assert_eq!((&member["verified"], &member["conflict"]), (&json!(false), &json!(false)));
        }
    }
    let real = there.get("/rooms/r/members?limit=1000").await.ok()["members"].clone();
    let real = real.as_array().expect("members").iter().filter(|member| member.get("simulated").is_none());
    assert_eq!(real.count(), 2, "nobody else is marked");
    let cursors = RefCell::new(BTreeSet::new());
    let moving = async || {
        let now = people(&there).await;
        let mut seen = cursors.borrow_mut();
        seen.extend(now.iter().map(|member| member["presence"]["cursor"].to_string()));
        (seen.len() > 40).then_some(())
    };
    eventually("they move", moving).await;
    let here_now = async || here.get("/lab").await.ok()["people"][0]["here"].as_u64().filter(|here| *here >= 8);
    eventually("they are counted", here_now).await;
    // The same seed is the same people.
    let ids =
        async || people(&there).await.iter().map(|member| member["memberId"].to_string()).collect::<BTreeSet<_>>();
    let before = ids().await;
    here.post("/lab", json!({"people": [{"room": "r", "count": 0}]})).await.ok();
    for peer in [&here, &there] {
        eventually("all of them left", async || people(peer).await.is_empty().then_some(())).await;
    }
    assert_eq!(total(&there).await, 2, "and nobody else did");
    here.post("/lab", json!({"people": [{"room": "r", "count": 12, "seed": 7}]})).await.ok();
    let again = async || Some(ids().await).filter(|now| now.intersection(&before).count() >= 6);
    eventually("the same people", again).await;
    assert_eq!(here.post("/lab", json!({"clear": true})).await.ok()["people"], json!([]));
    eventually("all of them left", async || people(&there).await.is_empty().then_some(())).await;
}

/// Whoever says of themselves that they are simulated is not for that.
#[tokio::test]
async fn nobody_real_is_taken_for_simulated() {
    let peer = Peer::start().await;
    peer.post("/rooms/r/join", json!({"metadata": {"simulated": true}})).await.ok();
    let members = peer.get("/rooms/r/members").await.ok()["members"].clone();
    assert_eq!((&members[0]["metadata"]["simulated"], members[0].get("simulated")), (&json!(true), None));
}
