//! `GET /metrics` (design A10): the text that Prometheus reads, what it counts, and what it never says.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;

use crate::fixture::{Peer, answer, eventually};

/// Labels in order.
type Labels = BTreeMap<String, String>;

/// A text of OpenMetrics, taken apart strictly.
#[derive(Debug, Default)]
struct Exposition {
    /// The type of each family.
    families: BTreeMap<String, String>,
    samples: BTreeMap<(String, Labels), f64>,
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

impl Exposition {
    fn parse(text: &str) -> Self {
        let text = text.strip_suffix("# EOF\n").expect("the mark of the end");
        let mut read = Exposition::default();
        let mut helped = BTreeSet::new();
        let mut family = String::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# ") {
                let [word, name, rest] = rest.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
                assert!(is_name(name), "{line}");
                assert!(name.starts_with("parlor_"), "{line}");
                match word {
                    "HELP" => assert!(helped.insert(name.to_owned()) && rest.ends_with('.'), "{line}"),
                    "TYPE" => assert!(read.families.insert(name.to_owned(), rest.to_owned()).is_none(), "{line}"),
                    "UNIT" => assert!(name.ends_with(&format!("_{rest}")), "{line}"),
                    _ => panic!("{line}"),
                }
                name.clone_into(&mut family);
                continue;
            }
            assert!(helped.contains(&family), "no help: {line}");
            let (sample, value) = line.rsplit_once(' ').expect("a value");
            let (name, labels) = sample
                .split_once('{')
                .map_or((sample, ""), |(name, rest)| (name, rest.strip_suffix('}').expect("the end of the labels")));
            let suffix = name.strip_prefix(family.as_str()).expect("samples stand with their family");
            let kind = read.families[&family].as_str();
            assert_eq!(
                suffix,
                match kind {
                    "counter" => "_total",
                    "gauge" => "",
                    "info" => "_info",
                    _ => panic!("{line}"),
                }
            );
            let mut named = Labels::new();
            for label in labels.split_terminator(',') {
                let (label, value) = label.split_once("=\"").expect("a label");
                let value = value.strip_suffix('"').expect("a quote");
                assert!(is_name(label) && !value.contains(['"', '\\']), "{line}");
                assert!(named.insert(label.to_owned(), value.to_owned()).is_none(), "{line}");
            }
            let value = value.parse().expect("a number");
            assert!(read.samples.insert((name.to_owned(), named), value).is_none(), "twice: {line}");
        }
        read
    }

    fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        self.samples.get(&(name.to_owned(), labels)).copied()
    }

    /// All samples of a name.
    fn sum(&self, name: &str) -> f64 {
        self.samples.iter().filter(|((known, _), _)| known == name).map(|(_, value)| value).sum()
    }
}

async fn read(peer: &Peer) -> (String, Exposition) {
    let response = peer.request(Method::GET, "/metrics").send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[CONTENT_TYPE], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = response.text().await.expect("a text");
    let exposition = Exposition::parse(&text);
    (text, exposition)
}

#[tokio::test]
async fn it_counts_what_there_is_and_what_happened() {
    let here = Peer::start().await;
    let there = Peer::beside(&here).await;
    let (_, before) = read(&here).await;
    assert_eq!((before.value("parlor_rooms", &[]), before.sum("parlor_members")), (Some(0.0), 0.0));

    here.post("/rooms/r/join", json!({})).await.ok();
    here.post("/rooms/r/join", json!({"memberId": "device_1"})).await.ok();
    there.post("/rooms/r/join", json!({})).await.ok();
    let now = eventually("all three are counted", async || {
        let (_, now) = read(&here).await;
        (now.value("parlor_members", &[("state", "active")]) == Some(3.0)).then_some(now)
    })
    .await;
    assert_eq!(now.value("parlor_members", &[("state", "stale")]), Some(0.0));
    for (name, value) in [("parlor_rooms", 1.0), ("parlor_own_members", 2.0), ("parlor_links", 1.0)] {
        assert_eq!(now.value(name, &[]), Some(value), "{name}");
    }
    assert_eq!(now.value("parlor_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), Some(1.0));
    assert!(now.value("parlor_http_connections", &[]) >= Some(1.0));
    assert!(now.value("parlor_events_total", &[("name", "connection_opened")]) >= Some(1.0), "{now:#?}");
    for direction in ["Inbound", "Outbound"] {
        let bytes = now.samples.iter().filter(|((name, labels), _)| {
            name == "parlor_libp2p_bandwidth_bytes_total" && labels["direction"] == direction
        });
        assert!(bytes.map(|(_, value)| value).sum::<f64>() > 500.0, "{direction}: {now:#?}");
    }

    // What is over stays counted.
    here.post("/rooms/r/presence", json!({"memberId": "nobody"})).await.refused(409, "NOT_JOINED");
    answer(here.http.get(here.url("/metrics"))).await.refused(401, "UNAUTHORIZED");
    here.delete("/rooms/r").await.ok();
    let after = eventually("the room is gone", async || {
        let (_, after) = read(&here).await;
        (after.value("parlor_rooms", &[]) == Some(0.0)).then_some(after)
    })
    .await;
    for ((name, labels), value) in now.samples.iter().filter(|((name, _), _)| name.ends_with("_total")) {
        let later = after.samples.get(&(name.clone(), labels.clone()));
        assert!(later >= Some(value), "{name} {labels:?} went from {value} to {later:?}");
    }
    let refused = |code| after.value("parlor_http_refusals_total", &[("code", code)]);
    assert_eq!((refused("NOT_JOINED"), refused("UNAUTHORIZED")), (Some(1.0), Some(1.0)));
    let joins = [("method", "POST"), ("path", "/rooms/{room}/join"), ("status", "200")];
    assert_eq!(after.value("parlor_http_requests_total", &joins), Some(2.0));
}

/// A counter of a room that is closed goes on where it was, or a monitor takes it for a restart.
#[tokio::test]
async fn what_a_closed_room_counted_stays_counted() {
    let here = Peer::start().await;
    here.post("/rooms/r/join", json!({})).await.ok();
    here.post("/rooms/r/metadata", json!({"metadata": {"title": "T"}})).await.ok();
    let there = Peer::beside(&here).await;
    there.get("/rooms/r/metadata").await.ok();
    let counted = eventually("the room is told what was written before", async || {
        let counted = there.live.counters().await;
        counted.contains_key("syncs").then_some(counted)
    })
    .await;
    there.delete("/rooms/r").await.ok();
    let after = there.live.counters().await;
    assert!(after.get("syncs") >= counted.get("syncs"), "{after:?}");
}

#[tokio::test]
async fn it_says_nothing_of_anybody() {
    let here = Peer::start().await;
    let there = Peer::beside(&here).await;
    let secret = ["nightshift", "walrus_7", "Merry Wren", "quince", "%C3%A4pfel", "äpfel", "visitor-9"];
    here.post("/profile", json!({"name": "Merry Wren"})).await.ok();
    let path = "/rooms/nightshift/join";
    here.post(path, json!({"memberId": "walrus_7", "presence": {"quince": 1}})).await.ok();
    there.post(path, json!({})).await.ok();
    answer(here.request(Method::POST, path).header("Parlor-User", "visitor-9").json(&json!({}))).await.ok();
    here.get("/rooms/%C3%A4pfel/members").await.ok();
    here.get("/quince").await.refused(404, "NOT_FOUND");
    here.post("/rooms/nightshift/presence", json!({"memberId": "quince"})).await;
    answer(here.request(Method::from_bytes(b"QUINCE").expect("a method"), "/rooms")).await;
    eventually("they meet", async || (here.get("/rooms/nightshift/members").await.ok()["total"] == 3).then_some(()))
        .await;

    let (text, _) = read(&here).await;
    let (one, other) = (here.live.status().await, there.live.status().await);
    let mut secret: Vec<String> = secret.iter().map(|text| (*text).to_owned()).collect();
    for status in [one, other] {
        secret.extend([status.user_id.to_string(), status.peer_id, status.session_id, status.name, status.profile]);
    }
    secret.push("127.0.0.1".to_owned());
    for word in secret {
        let said = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|part| part == word);
        assert!(!said && (word.len() < 6 || !text.contains(&word)), "{word} stands in\n{text}");
    }
}
