//! `GET /rooms/:roomId/recording` and `/replay`: what a room was given, for those who look for a fault.

use parlor::Recording;
use reqwest::Method;
use serde_json::json;

use crate::fixture::{Peer, answer};

async fn file(peer: &Peer, query: &str) -> Vec<u8> {
    let response = peer.request(Method::GET, &format!("/rooms/r/recording{query}")).send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/octet-stream");
    response.bytes().await.expect("a body").to_vec()
}

#[tokio::test]
async fn a_room_is_saved_without_names_and_values_unless_they_are_asked_for() {
    let peer = Peer::start().await;
    peer.post("/rooms/r/join", json!({ "presence": { "status": "Umbrella" } })).await.ok();
    peer.post("/rooms/r/metadata", json!({ "metadata": { "title": "Harbour" } })).await.ok();
    let has = |file: &[u8], word: &str| file.windows(word.len()).any(|part| part == word.as_bytes());
    let (redacted, plain) = (file(&peer, "").await, file(&peer, "?values=true").await);
    for word in ["Umbrella", "Harbour"] {
        assert!(has(&plain, word) && !has(&redacted, word), "{word}");
    }
    for file in [&redacted, &plain] {
        let recording = Recording::read(file).expect("a recording");
        assert!(recording.is_whole() && !recording.has_strayed());
        let played = recording.replayed(&parlor::ReplayQuery::default()).expect("a replay");
        assert_eq!((played.disagreement, played.broken, played.state.members.len()), (None, None, 1));
    }
}

#[tokio::test]
async fn a_room_is_played_step_by_step() {
    let peer = Peer::start().await;
    peer.post("/rooms/r/join", json!({})).await.ok();
    peer.post("/rooms/r/metadata", json!({ "metadata": { "title": "Harbour" } })).await.ok();
    let played = peer.get("/rooms/r/replay?values=true").await.ok();
    assert_eq!((&played["room"], &played["redacted"], &played["broken"]), (&json!("r"), &json!(false), &json!(null)));
    let steps = played["steps"].as_array().expect("steps");
    assert_eq!(played["total"], json!(steps.len()));
    let call = |word: &str| {
        let of = |step: &&serde_json::Value| step["text"].as_str().is_some_and(|text| text.contains(word));
        steps.iter().find(of).unwrap_or_else(|| panic!("no step {word} in {steps:#?}"))["step"]
            .as_u64()
            .expect("a number")
    };
    let (joined, titled) = (call("joins"), call("changes settings: title"));
    assert!(joined < titled);
    for (at, members, cells) in [(joined - 1, 0, 0), (joined, 1, 0), (titled, 1, 1)] {
        let state = peer.get(&format!("/rooms/r/replay?at={at}&from=2&limit=1")).await.ok();
        assert_eq!((&state["state"]["step"], state["steps"][0]["step"].as_u64()), (&json!(at), Some(2)));
        let held = |list: &serde_json::Value| list.as_array().map_or(0, Vec::len);
        let counts = (held(&state["state"]["members"]), held(&state["state"]["inventory"]["cells"]));
        assert_eq!(counts, (members, cells), "after step {at}");
    }
}

#[tokio::test]
async fn what_cannot_be_saved_is_refused() {
    let peer = Peer::start().await;
    peer.get("/rooms/nowhere/recording").await.refused(404, "NOT_FOUND");
    peer.post("/rooms/r/join", json!({})).await.ok();
    for query in ["values=maybe", "at=-1", "from=x", "limit=1.5", "what=1", "at=1&at=2"] {
        peer.get(&format!("/rooms/r/recording?{query}")).await.refused(400, "INVALID_LIMIT");
        peer.get(&format!("/rooms/r/replay?{query}")).await.refused(400, "INVALID_LIMIT");
    }
    let unasked = peer.http.get(peer.url("/rooms/r/recording"));
    answer(unasked).await.refused(401, "UNAUTHORIZED");
    let off = Peer::start_with(|config| config.recorder = false, None).await;
    off.post("/rooms/r/join", json!({})).await.ok();
    off.get("/rooms/r/recording").await.refused(404, "NOT_FOUND");
}
