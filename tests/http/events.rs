//! Server-sent events (design A10, R14).

use std::pin::Pin;

use eventsource_stream::{Event, Eventsource};
use futures::{Stream, StreamExt};
use parlor::PresenceChange;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::fixture::{PATIENCE, Peer};

pub struct Events {
    stream: Pin<Box<dyn Stream<Item = Event> + Send>>,
    /// The id of the last event that was asked for.
    pub place: String,
}

/// The number in an id: `opening-number`.
fn number(id: &str) -> Option<u64> {
    id.split_once('-')?.1.parse().ok()
}

impl Events {
    pub async fn open(peer: &Peer, room: &str, last: Option<&str>) -> Self {
        let mut request = peer.request(Method::GET, &format!("/rooms/{room}/events"));
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = request.send().await.expect("a stream");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let stream = response.bytes_stream().eventsource().map(|event| event.expect("an event")).boxed();
        Self { stream, place: String::new() }
    }

    pub async fn next(&mut self) -> Option<(Event, Value)> {
        let event = timeout(PATIENCE, self.stream.next()).await.expect("an event in time")?;
        let data = serde_json::from_str(&event.data).expect("JSON");
        Some((event, data))
    }

    /// The next event, which must be this one.
    pub async fn expect(&mut self, name: &str) -> Value {
        let (event, data) = self.next().await.expect("an event");
        assert_eq!(event.event, name, "{data}");
        assert_eq!(data["type"], name);
        if name != "resync" {
            assert_eq!(number(&event.id), data["id"].as_u64());
            self.place = event.id;
        }
        data
    }

    /// The place behind the snapshot; the stream is closed.
    async fn then_place(mut self) -> String {
        self.expect("snapshot").await;
        self.place
    }

    /// The next event of this name; others may come before it.
    pub async fn until(&mut self, name: &str) -> Value {
        loop {
            let (event, data) = self.next().await.expect("an event");
            if event.event == name {
                self.place = event.id;
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

// F8: nothing that happened while the client was away is lost, and nothing comes twice.
#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed() {
    let peer = Peer::start().await;
    peer.post("/rooms/r/join", json!({"presence": {"n": 0}})).await.ok();
    let mut events = Events::open(&peer, "r", None).await;
    let snapshot = events.expect("snapshot").await;
    assert_eq!(snapshot["members"][0]["presence"]["n"], 0);

    // Nothing happened: nothing comes, and then what happens.
    let mut again = Events::open(&peer, "r", Some(&events.place)).await;
    peer.post("/rooms/r/presence", json!({"presence": {"n": 1}})).await.ok();
    assert_eq!(again.expect("updated").await["member"]["presence"]["n"], 1);
    drop((events, again));
    let place = Events::open(&peer, "r", None).await.then_place().await;

    // Away for a while, in which the member leaves too.
    for n in 2..=4 {
        peer.post("/rooms/r/presence", json!({"presence": {"n": n}})).await.ok();
    }
    peer.post("/rooms/r/leave", json!({})).await.ok();
    let mut again = Events::open(&peer, "r", Some(&place)).await;
    for n in 2..=4 {
        assert_eq!(again.expect("updated").await["member"]["presence"]["n"], n);
    }
    again.expect("left").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_comes_and_goes_sees_every_event_once() {
    let peer = Peer::start().await;
    peer.post("/rooms/r/join", json!({"presence": {"n": 0}})).await.ok();
    let mut place = Events::open(&peer, "r", None).await.then_place().await;
    let room = peer.live.room("r");
    let writer = tokio::spawn(async move {
        for n in 1..=400 {
            room.presence(PresenceChange::new(json!({"n": n}))).await.expect("taken");
            tokio::task::yield_now().await;
        }
    });
    let mut seen = 0;
    for stay in (1..).map(|round| round % 17) {
        let mut events = Events::open(&peer, "r", Some(&place)).await;
        for _ in 0..=stay {
            let updated = events.expect("updated").await;
            seen += 1;
            assert_eq!(updated["member"]["presence"]["n"], seen);
            if seen == 400 {
                return writer.await.expect("all was written");
            }
        }
        place = events.place;
    }
}

#[tokio::test]
async fn a_client_that_was_away_too_long_is_told_to_begin_again() {
    let peer = Peer::start().await;
    peer.post("/rooms/r/join", json!({"presence": {"n": 0}})).await.ok();
    let place = Events::open(&peer, "r", None).await.then_place().await;
    let room = peer.live.room("r");
    for n in 1..=1_500 {
        room.presence(PresenceChange::new(json!({"n": n}))).await.expect("taken");
    }
    let mut again = Events::open(&peer, "r", Some(&place)).await;
    assert_eq!(again.expect("resync").await["reason"], "expired");
    let snapshot = again.expect("snapshot").await;
    assert_eq!(snapshot["members"][0]["presence"]["n"], 1_500);
}

#[tokio::test]
async fn a_place_of_elsewhere_is_no_place_here() {
    let peer = Peer::start().await;
    peer.post("/rooms/r/join", json!({})).await.ok();
    let mut other = Events::open(&peer, "other", None).await;
    other.expect("snapshot").await;
    let mut events = Events::open(&peer, "r", None).await;
    events.expect("snapshot").await;
    let (opening, _) = events.place.split_once('-').expect("opening and number");
    let places = [
        (other.place.clone(), "unknown"),
        ("nonsense".to_owned(), "unknown"),
        (String::new(), "unknown"),
        (format!("{opening}-x"), "unknown"),
        (format!("{opening}-99999"), "expired"),
        ("\u{e9}".to_owned(), "unknown"),
    ];
    for (place, reason) in places {
        let mut again = Events::open(&peer, "r", Some(&place)).await;
        assert_eq!(again.expect("resync").await["reason"], reason, "{place:?}");
        assert_eq!(again.expect("snapshot").await["members"].as_array().map(Vec::len), Some(1), "{place:?}");
    }

    // Whoever goes away between the two is still where it was.
    let mut raw = peer.request(Method::GET, "/rooms/r/events").header("Last-Event-ID", "-").send().await.expect("sent");
    let mut text = String::new();
    while text.matches("\n\n").count() < 2 {
        let chunk = timeout(PATIENCE, raw.chunk()).await.expect("in time").expect("a chunk").expect("more");
        text += std::str::from_utf8(&chunk).expect("UTF-8");
    }
    let said: Vec<&str> = text.split("\n\n").collect();
    assert!(said[0].starts_with("event: resync\n") && !said[0].contains("\nid:"), "{text}");
    assert!(said[1].starts_with("event: snapshot\n") && said[1].contains("\nid: "), "{text}");
}

/// Numbers begin anew when a room is opened again, and an old one must not be taken for one of those.
#[tokio::test]
async fn a_place_ends_with_the_opening_of_the_room() {
    let peer = Peer::start().await;
    let place = Events::open(&peer, "r", None).await.then_place().await;
    peer.delete("/rooms/r").await.ok();
    let mut again = Events::open(&peer, "r", Some(&place)).await;
    assert_eq!(again.expect("resync").await["reason"], "unknown");
    again.expect("snapshot").await;
    assert_eq!(number(&again.place), number(&place), "the number is the same, and another's");
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
