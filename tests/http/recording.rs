//! `GET /rooms/:roomId/recording` and `/replay`, and `POST /replay…`: what a room was given, for those who look for a fault.

use parlor::Recording;
use reqwest::Method;
use serde_json::json;

use crate::fixture::{Peer, answer, eventually};

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

/// A file that is handed over, at `path`.
fn handed(peer: &Peer, path: &str, file: Vec<u8>) -> reqwest::RequestBuilder {
    peer.request(Method::POST, path).header("Content-Type", "application/octet-stream").body(file)
}

#[tokio::test]
async fn a_file_is_played_by_any_peer_and_touches_none_of_its_rooms() {
    let (here, there) = (Peer::start().await, Peer::start().await);
    here.post("/rooms/r/join", json!({})).await.ok();
    here.post("/rooms/r/metadata", json!({ "metadata": { "title": "Harbour" } })).await.ok();
    let file = file(&here, "?values=true").await;
    let recording = Recording::read(&file).expect("a recording");

    let played = answer(handed(&there, "/replay?from=2&limit=1", file.clone())).await.ok();
    assert_eq!((&played["room"], &played["steps"][0]["step"]), (&json!("r"), &json!(2)));
    assert_eq!((&played["total"], &played["broken"]), (&json!(recording.len()), &json!(null)));
    assert_eq!(there.get("/rooms").await.ok()["rooms"], json!([]), "no room was opened");

    let steps = recording.replayed(&parlor::ReplayQuery::default()).expect("a replay").steps;
    let titled = steps.iter().find(|step| step.text.contains("settings: title")).expect("a title");
    let state = |query: String| {
        let (peer, file) = (&there, file.clone());
        async move { answer(handed(peer, &format!("/replay/state{query}"), file)).await.ok() }
    };
    let at = state(format!("?at={}", titled.step)).await;
    assert_eq!(at["step"], json!(titled.step));
    let [change] = at["changes"].as_array().expect("changes").as_slice() else { panic!("{:#}", at["changes"]) };
    assert_eq!((&change["what"], &change["register"]["field"]), (&json!("cell"), &json!("title")));
    assert_eq!((change.get("before"), &change["after"]), (None, &json!("Harbour")));
    assert_eq!(state(format!("?at={}", titled.step - 1)).await["inventory"]["cells"], json!([]));
    // The same moment by its time, as far as there is nothing else in the same millisecond.
    let last = steps.iter().rfind(|step| step.ms == titled.ms).expect("itself");
    assert_eq!(state(format!("?atMs={}", titled.ms)).await["step"], json!(last.step));
    assert_eq!(state(String::new()).await["step"], json!(recording.len()));

    let test = handed(&there, "/replay/test?name=lost%20title", file.clone()).send().await.expect("an answer");
    assert_eq!(test.headers()["content-type"], "text/plain; charset=utf-8");
    assert!(test.text().await.expect("a body").contains("fn lost_title()"));
}

#[tokio::test]
async fn two_files_are_held_against_each_other() {
    let (here, there) = (Peer::start().await, Peer::start().await);
    here.post("/rooms/r/join", json!({})).await.ok();
    there.post("/rooms/r/join", json!({})).await.ok();
    there.post("/peers", json!({ "addr": here.addr().await })).await.ok();
    eventually("both know both", || async {
        let both = [here.get("/rooms/r/members").await.ok(), there.get("/rooms/r/members").await.ok()];
        both.iter().all(|page| page["total"] == 2).then_some(())
    })
    .await;
    let (one, other) = (file(&here, "").await, file(&there, "").await);
    let both = [one.clone(), other].concat();
    let lineup = answer(handed(&here, &format!("/replay/lineup?first={}", one.len()), both.clone())).await.ok();
    assert!(lineup["common"].as_u64().is_some_and(|common| common > 0), "{lineup:#}");
    for query in ["", "?first=x", "?first=99999999", "?second=1"] {
        let refused = handed(&here, &format!("/replay/lineup{query}"), both.clone());
        answer(refused).await.refused(400, "INVALID_LIMIT");
    }
    let wrong = handed(&here, &format!("/replay/lineup?first={}", one.len() - 1), both);
    answer(wrong).await.refused(400, "INVALID_RECORDING");
}

#[tokio::test]
async fn a_file_passes_the_doors_that_everything_passes() {
    let peer = Peer::start().await;
    peer.post("/rooms/r/join", json!({})).await.ok();
    let file = file(&peer, "").await;
    for path in ["/replay", "/replay/state", "/replay/test", "/replay/lineup?first=1"] {
        let bare = || peer.http.post(peer.url(path)).body(file.clone());
        let octets = |request: reqwest::RequestBuilder| request.header("Content-Type", "application/octet-stream");
        answer(octets(bare())).await.refused(401, "UNAUTHORIZED");
        answer(octets(bare()).header("Host", "parlor.example")).await.refused(403, "FORBIDDEN_HOST");
        answer(octets(bare()).header("Origin", "http://evil.example")).await.refused(403, "FORBIDDEN_ORIGIN");
        // What a page of elsewhere can send unasked, and what is JSON.
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json"] {
            let other = peer.request(Method::POST, path).header("Content-Type", kind).body(file.clone());
            answer(other).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
        }
        let nothing = if path.ends_with("first=1") { "INVALID_LIMIT" } else { "INVALID_RECORDING" };
        answer(peer.request(Method::POST, path)).await.refused(400, nothing);
        answer(peer.request(Method::GET, path)).await.refused(405, "METHOD_NOT_ALLOWED");
        let damaged = handed(&peer, path, file[..file.len() / 2].to_vec());
        answer(damaged).await.refused(400, "INVALID_RECORDING");
        answer(handed(&peer, path, Vec::new()))
            .await
            .refused(400, if path.contains("first") { "INVALID_LIMIT" } else { "INVALID_RECORDING" });
        answer(handed(&peer, path, vec![0; 2 * parlor::REPLAYED_MAX + 1])).await.refused(413, "PAYLOAD_TOO_LARGE");
    }
    answer(handed(&peer, "/replay", vec![0; parlor::REPLAYED_MAX + 1])).await.refused(413, "PAYLOAD_TOO_LARGE");
    for query in ["values=true", "at=-1", "at=1&atMs=1", "atMs=x", "from=x", "limit=1.5", "what=1"] {
        let refused = handed(&peer, &format!("/replay?{query}"), file.clone());
        answer(refused).await.refused(400, "INVALID_LIMIT");
    }
    for query in ["from=1", "limit=1", "at="] {
        let refused = handed(&peer, &format!("/replay/state?{query}"), file.clone());
        answer(refused).await.refused(400, "INVALID_LIMIT");
    }
}

#[tokio::test]
async fn how_much_is_written_down_is_told() {
    let peer = Peer::start().await;
    let room = peer.live.room("r");
    assert_eq!(room.recorded().await, Ok(None), "it is not open");
    peer.post("/rooms/r/join", json!({})).await.ok();
    let before = room.recorded().await.expect("an answer").expect("a ring");
    peer.post("/rooms/r/metadata", json!({ "metadata": { "title": "Harbour" } })).await.ok();
    let after = room.recorded().await.expect("an answer").expect("a ring");
    assert!(after.inputs > before.inputs && after.bytes > before.bytes, "{before:?}, then {after:?}");
    assert!(after.whole && after.bytes < after.bytes_max && after.span_ms < after.span_max_ms, "{after:?}");
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
