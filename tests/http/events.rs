//! Server-sent events (design A10, R14).

use std::pin::Pin;

use eventsource_stream::{Event, Eventsource};
use futures::{Stream, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::fixture::{PATIENCE, Peer};

pub struct Events(Pin<Box<dyn Stream<Item = Event> + Send>>);

impl Events {
    pub async fn open(peer: &Peer, room: &str, last: Option<&str>) -> Self {
        let mut request = peer.request(Method::GET, &format!("/rooms/{room}/events"));
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = request.send().await.expect("a stream");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(response.bytes_stream().eventsource().map(|event| event.expect("an event")).boxed())
    }

    pub async fn next(&mut self) -> Option<(Event, Value)> {
        let event = timeout(PATIENCE, self.0.next()).await.expect("an event in time")?;
        let data = serde_json::from_str(&event.data).expect("JSON");
        Some((event, data))
    }

    /// The next event, which must be this one.
    async fn expect(&mut self, name: &str) -> Value {
        let (event, data) = self.next().await.expect("an event");
        assert_eq!(event.event, name, "{data}");
        assert_eq!(data["type"], name);
        assert_eq!(event.id.parse::<u64>().ok(), data["id"].as_u64());
        data
    }

    /// The next event of this name; others may come before it.
    pub async fn until(&mut self, name: &str) -> Value {
        loop {
            let (event, data) = self.next().await.expect("an event");
            if event.event == name {
                return data;
            }
        }
    }
}

#[tokio::test]
async fn a_stream_opens_with_a_snapshot_and_goes_on_with_what_happens() {
    let here = Peer::start().await;
    let there = Peer::beside(&here).await;
    let mut events = Events::open(&there, "r", None).await;
    let snapshot = events.expect("snapshot").await;
    assert_eq!((&snapshot["room"], &snapshot["members"]), (&json!("r"), &json!([])));

    here.post("/rooms/r/join", json!({"presence": {"a": 1}})).await.ok();
    let joined = events.until("joined").await;
    assert_eq!(joined["member"]["presence"], json!({"a": 1}));
    here.post("/rooms/r/presence", json!({"presence": {"a": 2}})).await.ok();
    let updated = events.until("updated").await;
    assert_eq!((&updated["member"]["presence"], &updated["changed"]), (&json!({"a": 2}), &json!(["a"])));
    here.post("/rooms/r/metadata", json!({"metadata": {"title": "T"}})).await.ok();
    let metadata = events.until("metadata").await;
    assert_eq!((&metadata["metadata"]["metadata"], &metadata["changed"]), (&json!({"title": "T"}), &json!(["title"])));
    here.post("/rooms/r/leave", json!({})).await.ok();
    let left = events.until("left").await;
    assert_eq!((&left["member"]["memberId"], &left["reason"]), (&joined["member"]["memberId"], &json!("left")));
    assert!(snapshot["id"].as_u64() < joined["id"].as_u64() && joined["id"].as_u64() < left["id"].as_u64());
}

// F8: what happened while the client was away is in the snapshot it comes back to.
#[tokio::test]
async fn a_client_that_comes_back_gets_a_snapshot_of_now() {
    let peer = Peer::start().await;
    peer.post("/rooms/r/join", json!({})).await.ok();
    let mut events = Events::open(&peer, "r", None).await;
    let first = events.expect("snapshot").await;
    assert_eq!(first["members"].as_array().map(Vec::len), Some(1));
    drop(events);
    peer.post("/rooms/r/leave", json!({})).await.ok();

    for last in [first["id"].to_string(), "99999999".into(), "nonsense".into()] {
        let mut again = Events::open(&peer, "r", Some(&last)).await;
        assert_eq!(again.expect("snapshot").await["members"], json!([]), "after {last}");
    }
}

#[tokio::test]
async fn a_stream_ends_when_the_server_stops() {
    let peer = Peer::start().await;
    let mut events = Events::open(&peer, "r", None).await;
    events.expect("snapshot").await;
    peer.server.stop().await;
    assert!(events.next().await.is_none());
    peer.live.close().await;
}
