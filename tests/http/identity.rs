//! Becoming somebody new over HTTP, and what a copied profile is told there (design R2, report M8).

use std::path::Path;

use parlor_http::ApiFile;
use reqwest::Method;
use serde_json::{Value, json};

use crate::events::Events;
use crate::fixture::{Peer, answer, eventually};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for file in std::fs::read_dir(from).expect("a profile") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
    }
}

#[tokio::test]
async fn a_person_becomes_somebody_new_and_the_api_goes_on() {
    let peer = Peer::start().await;
    let before = peer.post("/profile", json!({"name": "Quiet Otter", "color": "#0d8367"})).await.ok();
    assert_eq!(before["cloned"], Value::Null);
    peer.post("/rooms/r/join", json!({})).await.ok();
    let mut events = Events::open(&peer, "r", None).await;

    let guest = peer.request(Method::POST, "/profile/identity").header("Parlor-User", "visitor-1");
    answer(guest.json(&json!({}))).await.refused(403, "FORBIDDEN");
    peer.post("/profile/identity", json!({"name": "x"})).await.refused(400, "INVALID_JSON");
    assert_eq!(peer.get("/profile").await.ok()["userId"], before["userId"], "nothing was changed");

    let after = peer.post_text("/profile/identity", "").await.ok();
    for other in ["userId", "peerId", "sessionId"] {
        assert_ne!(after[other], before[other], "{other}");
    }
    for same in ["name", "color", "listen", "profile", "cloned"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    while events.next().await.is_some() {}
    // Programs of the same user find the API by the session that answers.
    eventually("api.json names the session", async || {
        let file = ApiFile::read(peer.live.profile_dir()).expect("api.json");
        (file.peer_id == after["peerId"]).then_some(())
    })
    .await;
    assert_eq!(peer.get("/rooms/r/members").await.ok()["total"], 0);
    let joined = peer.post("/rooms/r/join", json!({})).await.ok();
    assert_eq!(joined["memberId"], after["userId"]);
}

#[tokio::test]
async fn both_runs_of_a_copied_profile_are_told() {
    let here = Peer::start().await;
    here.post("/rooms/r/join", json!({})).await.ok();
    let mut events = Events::open(&here, "r", None).await;
    let data = tempfile::tempdir().expect("a directory");
    copy(here.live.profile_dir(), &data.path().join("profiles/default"));
    let dial = here.addr().await;
    let change = |config: &mut parlor::Config| {
        config.data_dir = data.path().into();
        config.dial.push(dial);
    };
    let there = Peer::start_with(change, None).await;
    there.post("/rooms/r/join", json!({})).await.ok();

    let told = events.until("cloned").await;
    assert_eq!(
        (&told["cloned"]["readOnly"], told["cloned"]["others"].as_array().map(Vec::len)),
        (&json!(true), Some(1))
    );
    for (peer, read_only) in [(&here, true), (&there, false)] {
        let status = eventually("a status that says so", async || {
            Some(peer.get("/profile").await.ok()).filter(|status| !status["cloned"].is_null())
        });
        assert_eq!(status.await["cloned"]["readOnly"], read_only);
    }
    here.post("/rooms/r/join", json!({})).await.refused(409, "IDENTITY_CLONED");

    let new = here.post("/profile/identity", json!({})).await.ok();
    assert_eq!(new["cloned"], Value::Null);
    here.post("/rooms/r/join", json!({})).await.ok();
    let total = async || (there.get("/rooms/r/members").await.ok()["total"] == 2).then_some(());
    eventually("two people", total).await;
}
