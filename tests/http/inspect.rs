//! `GET /inspect` (design A10): what a peer does, as it happens.

use std::pin::Pin;
use std::time::Duration;

use eventsource_stream::Eventsource;
use futures::{FutureExt, Stream, StreamExt};
use parlor::{Inspect, InspectOptions};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout, timeout_at};

use crate::fixture::{PATIENCE, Peer, answer, eventually};

pub struct Inspection(Pin<Box<dyn Stream<Item = Value> + Send>>);

impl Inspection {
    pub async fn open(peer: &Peer, query: &str) -> Self {
        let response = peer.request(Method::GET, &format!("/inspect{query}")).send().await.expect("a stream");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let events = response.bytes_stream().eventsource().map(|event| {
            let event = event.expect("an event");
            let data: Value = serde_json::from_str(&event.data).expect("JSON");
            assert_eq!(data["type"], event.event.as_str());
            data
        });
        Self(events.boxed())
    }

    pub async fn next(&mut self) -> Value {
        timeout(PATIENCE, self.0.next()).await.expect("an event in time").expect("an event")
    }

    /// The next that is like this; others may come before it.
    pub async fn until(&mut self, what: &str, like: impl Fn(&Value) -> bool) -> Value {
        let mut before = Vec::new();
        // Beats come without end.
        let deadline = Instant::now() + 2 * PATIENCE;
        loop {
            let seen = timeout_at(deadline, self.0.next()).await;
            let seen = seen.unwrap_or_else(|_| panic!("no {what} after {before:#?}"));
            let seen = seen.expect("an event");
            if seen["what"] == what && like(&seen) {
                return seen;
            }
            before.push(seen);
        }
    }
}

#[tokio::test]
async fn a_write_is_seen_at_both_ends() {
    let here = Peer::start().await;
    let there = Peer::beside(&here).await;
    for peer in [&here, &there] {
        answer(peer.request(Method::POST, "/rooms/r/join").json(&json!({}))).await.ok();
    }
    let (mut at_here, mut at_there) = (Inspection::open(&here, "").await, Inspection::open(&there, "?room=r").await);
    for inspection in [&mut at_here, &mut at_there] {
        let snapshot = inspection.next().await;
        assert_eq!((&snapshot["type"], snapshot["rooms"]["r"]["records"].is_array()), (&json!("snapshot"), true));
        assert!(snapshot["counters"].is_object() && snapshot["peers"].is_array());
    }
    let change = json!({ "metadata": { "title": "Seen" } });
    answer(here.request(Method::POST, "/rooms/r/metadata").json(&change)).await.ok();
    let title = |seen: &Value| seen["register"]["field"] == "title";
    let written = at_here.until("cell", title).await;
    assert_eq!(
        (&written["own"], &written["outcome"], &written["room"]),
        (&json!(true), &json!({"is": "won"}), &json!("r"))
    );
    let sent = at_here.until("frameOut", |seen| seen["kind"] == "cells").await;
    let came = at_there.until("cell", title).await;
    assert_eq!((&came["own"], &came["version"]), (&json!(false), &written["version"]));
    let frame = at_there.until("frameIn", |seen| seen["kind"] == "cells").await;
    assert_eq!((&frame["verdict"], &frame["bytes"]), (&json!("accept"), &sent["bytes"]));
    assert!(frame["tookUs"].is_u64() && frame["number"].as_u64() > came["number"].as_u64(), "{frame}");
    // What is in a snapshot now.
    let snapshot = Inspection::open(&there, "").await.next().await;
    let cells = snapshot["rooms"]["r"]["cells"].as_array().expect("cells").clone();
    let cell = cells.iter().find(|cell| title(cell)).expect("the title");
    assert_eq!((&cell["value"], &cell["version"], &cell["read"]), (&json!("Seen"), &written["version"], &json!(true)));
}

/// The bytes of a frame that was seen.
fn bytes(seen: &Value) -> Vec<u8> {
    let hex = seen["frame"]["hex"].as_str().unwrap_or_else(|| panic!("no bytes in {seen}"));
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("digits")).collect()
}

fn has(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|part| part == word.as_bytes())
}

#[tokio::test]
async fn frames_come_with_their_bytes_to_those_who_ask() {
    let here = Peer::start().await;
    let there = Peer::beside(&here).await;
    for peer in [&here, &there] {
        peer.post("/rooms/r/join", json!({})).await.ok();
    }
    let mut plain = Inspection::open(&there, "").await;
    let (mut told, mut heard) =
        (Inspection::open(&here, "?bytes=true").await, Inspection::open(&there, "?room=r&bytes=true").await);
    // Each has begun to look.
    for look in [&mut plain, &mut told, &mut heard] {
        assert_eq!(look.next().await["type"], "snapshot");
    }
    here.post("/rooms/r/metadata", json!({ "metadata": { "title": "Umbrella" } })).await.ok();
    let cells = |seen: &Value| seen["kind"] == "cells" && seen["bytes"].as_u64() > Some(100);
    let (sent, came) = (told.until("frameOut", cells).await, heard.until("frameIn", cells).await);
    assert_eq!(bytes(&sent), bytes(&came), "the same frame at both ends");
    assert_eq!((bytes(&came).len() as u64, &came["frame"]["leftOut"]), (came["bytes"].as_u64().unwrap(), &json!(0)));
    assert!(bytes(&came).starts_with(&[1, 6]) && has(&bytes(&came), "Umbrella"), "version, kind, and what was written");
    assert_eq!((&came["frame"]["sealed"], came["frame"].get("seq")), (&json!(false), None));
    let beat = heard.until("frameIn", |seen| seen["kind"] == "beat").await;
    assert!(beat["frame"]["seq"].is_u64(), "{beat}");
    assert_eq!(plain.until("frameIn", cells).await.get("frame"), None, "who did not ask gets none");

    // A long one is told in part.
    let note = json!({ "set": [{ "id": "plan", "text": "long ".repeat(700) }] });
    here.post("/rooms/r/board", note).await.ok();
    let long = heard.until("frameIn", |seen| seen["kind"] == "cells" && seen["bytes"].as_u64() > Some(3_500)).await;
    assert_eq!(bytes(&long).len(), 1_024);
    assert_eq!(long["frame"]["leftOut"].as_u64(), long["bytes"].as_u64().map(|all| all - 1_024));
    for query in ["?bytes=yes", "?bytes=", "?byte=true"] {
        here.get(&format!("/inspect{query}")).await.refused(400, "INVALID_LIMIT");
    }
}

#[tokio::test]
async fn frames_of_a_private_room_are_shown_as_they_were_sealed() {
    let here = Peer::start().await;
    let there = Peer::beside(&here).await;
    let made = here.post("/rooms", json!({ "room": "secret", "private": true })).await.ok();
    here.post("/rooms/secret/join", json!({})).await.ok();
    there.post("/rooms/secret/join", json!({ "ticket": made["ticket"] })).await.ok();
    for peer in [&here, &there] {
        let both = async || (peer.get("/rooms/secret/members").await.ok()["total"] == 2).then_some(());
        eventually("each sees the other", both).await;
    }
    let (mut told, mut heard) =
        (Inspection::open(&here, "?bytes=true").await, Inspection::open(&there, "?bytes=true").await);
    for look in [&mut told, &mut heard] {
        assert_eq!(look.next().await["type"], "snapshot");
    }
    here.post("/rooms/secret/presence", json!({ "presence": { "status": "Umbrella" } })).await.ok();
    let delta = |seen: &Value| seen["kind"] == "delta" && seen["room"] == "secret";
    let came = heard.until("frameIn", delta).await;
    // The counter and the authentication tag are what a seal adds.
    assert_eq!(bytes(&came).len() as u64, came["bytes"].as_u64().unwrap() + 24, "{came}");
    assert_eq!((&came["frame"]["sealed"], came["frame"].get("seq")), (&json!(true), None));
    assert!(bytes(&came).starts_with(&[1, 1]) && !has(&bytes(&came), "Umbrella"), "{came}");
    assert_eq!(told.until("frameOut", delta).await.get("frame"), None, "it is sealed after this");
}

#[tokio::test]
async fn connections_are_seen_and_another_room_is_not() {
    let here = Peer::start().await;
    let mut seen = Inspection::open(&here, "?room=quiet").await;
    assert_eq!(seen.next().await["rooms"], json!({}));
    answer(here.request(Method::POST, "/rooms/loud/join").json(&json!({}))).await.ok();
    let there = Peer::beside(&here).await;
    answer(there.request(Method::POST, "/rooms/loud/join").json(&json!({}))).await.ok();
    let connected = seen.until("connected", |seen| seen["dialled"] == false).await;
    assert_eq!(connected.get("room"), None);
    answer(there.request(Method::POST, "/rooms/quiet/join").json(&json!({}))).await.ok();
    answer(here.request(Method::POST, "/rooms/quiet/join").json(&json!({}))).await.ok();
    loop {
        let next = seen.next().await;
        assert_ne!(next["room"], "loud", "{next}");
        if next["what"] == "frameIn" {
            break;
        }
    }
    there.live.close().await;
    seen.until("disconnected", |gone| gone["peerId"] == connected["peerId"]).await;
}

#[tokio::test]
async fn an_address_that_somebody_gave_is_seen_to_be_dialled() {
    let here = Peer::start().await;
    let mut seen = Inspection::open(&here, "").await;
    let nobody = "/ip4/127.0.0.1/tcp/1";
    here.post("/peers", json!({ "addr": nobody })).await.refused(503, "NETWORK_UNAVAILABLE");
    let dial = seen.until("dial", |_| true).await;
    assert_eq!((&dial["addresses"], dial.get("peerId")), (&json!([nobody]), None));
    assert_ne!(seen.until("dialFailed", |_| true).await["reason"], "");
}

#[tokio::test]
async fn who_looks_away_sees_nothing_and_then_how_it_is() {
    let here = Peer::start().await;
    let mut inspection = here.live.inspect(InspectOptions::default()).await.expect("a look");
    assert!(matches!(inspection.recv().await, Some(Inspect::Snapshot(_))));
    inspection.pause();
    here.post("/rooms/r/join", json!({})).await.ok();
    assert!(inspection.recv().now_or_never().is_none(), "nothing while it is paused");
    inspection.resume().await.expect("a look again");
    let next = timeout(PATIENCE, inspection.recv()).await.expect("in time");
    let Some(Inspect::Snapshot(snapshot)) = next else { panic!("{next:?}") };
    assert_eq!(snapshot.rooms.values().map(|room| room.records.len()).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn who_is_too_slow_is_told_how_much_was_missed() {
    let here = Peer::start().await;
    here.post("/rooms/r/join", json!({})).await.ok();
    let mut inspection = here.live.inspect(InspectOptions::default()).await.expect("a look");
    assert!(matches!(inspection.recv().await, Some(Inspect::Snapshot(_))));
    let first = Instant::now();
    // Each of these is more than a thousand cells.
    for turn in 0..12 {
        let notes: Vec<Value> = (0..400)
            .map(|id| json!({ "id": format!("n{id}"), "x": turn, "y": turn, "text": turn.to_string() }))
            .collect();
        here.post("/rooms/r/board", json!({ "set": notes })).await.ok();
    }
    let mut next = async || timeout(PATIENCE, inspection.recv()).await.expect("in time").expect("a look");
    let Inspect::Missed { count } = next().await else { panic!("something was missed") };
    assert!(count > 1_000, "{count}");
    // It goes on meanwhile, and what takes work is not done again and again for one who is never in time.
    let snapshot = loop {
        match next().await {
            Inspect::Snapshot(snapshot) => break snapshot,
            Inspect::Seen(_) | Inspect::Missed { .. } => {}
        }
    };
    assert!(first.elapsed() > Duration::from_millis(4_900), "{:?}", first.elapsed());
    assert!(snapshot.rooms.values().all(|room| room.cells.len() >= 1_200), "as it is now");
    assert!(matches!(next().await, Inspect::Seen(_)), "and it goes on");
}

#[tokio::test]
async fn what_is_looked_at_is_checked() {
    let here = Peer::start().await;
    let refused = |query: &str| answer(here.request(Method::GET, &format!("/inspect{query}")));
    refused("?what=cell").await.refused(400, "INVALID_LIMIT");
    refused("?room=a&room=b").await.refused(400, "INVALID_LIMIT");
    refused("?room=").await.refused(400, "INVALID_ROOM_ID");
    answer(here.http.get(here.url("/inspect"))).await.refused(401, "UNAUTHORIZED");
}
