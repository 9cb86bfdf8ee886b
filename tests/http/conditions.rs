//! Versions of the shared settings: `ETag`, `If-Match`, `If-None-Match` (design A9, A10; RFC 9110, section 13).

use std::collections::BTreeSet;

use futures::future::join_all;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::fixture::{Peer, answer, eventually};

const PATH: &str = "/rooms/r/metadata";

async fn joined() -> Peer {
    let peer = Peer::start().await;
    peer.post("/rooms/r/join", json!({})).await.ok();
    peer
}

async fn read(peer: &Peer, known: Option<&str>) -> Response {
    let request = peer.request(Method::GET, PATH);
    let request = known.into_iter().fold(request, |request, tag| request.header("If-None-Match", tag));
    request.send().await.expect("an answer")
}

fn write(peer: &Peer, tag: &str, body: &Value) -> reqwest::RequestBuilder {
    peer.request(Method::POST, PATH).header("If-Match", tag).json(body)
}

fn etag(response: &Response) -> String {
    response.headers()["etag"].to_str().expect("text").to_owned()
}

#[tokio::test]
async fn settings_have_a_tag_that_changes_with_them_and_that_every_peer_gives_them() {
    let here = joined().await;
    let there = Peer::beside(&here).await;
    let before = etag(&read(&here, None).await);
    let set = here.request(Method::POST, PATH).json(&json!({"metadata": {"title": "T"}})).send().await.expect("sent");
    let tag = etag(&set);
    assert_ne!(tag, before);
    assert_eq!(tag, format!("\"{}\"", set.json::<Value>().await.expect("JSON")["version"].as_str().expect("text")));
    assert_eq!(etag(&read(&here, None).await), tag);
    eventually("the other peer has the same", async || (etag(&read(&there, None).await) == tag).then_some(())).await;
}

#[tokio::test]
async fn who_has_the_settings_is_not_sent_them_again() {
    let peer = joined().await;
    let tag = etag(&read(&peer, None).await);
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".into()] {
        let response = read(&peer, Some(&known)).await;
        assert_eq!((response.status().as_u16(), etag(&response)), (304, tag.clone()), "{known}");
        assert_eq!(response.text().await.expect("a body"), "");
    }
    peer.post(PATH, json!({"metadata": {"title": "T"}})).await.ok();
    for known in [tag.as_str(), "\"other\""] {
        let response = read(&peer, Some(known)).await;
        assert_eq!(response.status(), 200, "{known}");
        assert_eq!(response.json::<Value>().await.expect("JSON")["metadata"], json!({"title": "T"}));
    }
    let wrong = peer.request(Method::GET, PATH).header("If-None-Match", "unquoted");
    assert_eq!(answer(wrong).await.refused(412, "PRECONDITION_FAILED")["path"], "if-none-match");
}

#[tokio::test]
async fn a_write_for_another_version_is_refused_and_changes_nothing() {
    let peer = joined().await;
    let old = etag(&read(&peer, None).await);
    peer.post(PATH, json!({"metadata": {"title": "One"}})).await.ok();
    let before = peer.get(PATH).await.ok();
    let now = before["version"].as_str().expect("a version");
    let change = json!({"metadata": {"title": "Two"}});

    let wrong = [old.clone(), format!("W/\"{now}\""), format!("{old}, \"other\""), now.to_owned(), "\"\"".into()];
    for tag in &wrong {
        let response = write(&peer, tag, &change).send().await.expect("an answer");
        if tag.starts_with('"') || tag.starts_with('W') {
            assert_eq!(response.headers()["etag"], format!("\"{now}\""), "{tag}: what there is now");
        }
        let problem = answer(write(&peer, tag, &change)).await.refused(412, "PRECONDITION_FAILED");
        assert_eq!(problem["recoverable"], false, "it has to read again");
    }
    let body = json!({"metadata": {"title": "Two"}, "ifVersion": old.trim_matches('"')});
    let problem = peer.post(PATH, body.clone()).await.refused(412, "PRECONDITION_FAILED");
    assert_eq!((&problem["path"], &problem["version"]), (&json!("ifVersion"), &json!(now)));
    // Both have to hold.
    answer(write(&peer, &format!("\"{now}\""), &body)).await.refused(412, "PRECONDITION_FAILED");
    assert_eq!(peer.get(PATH).await.ok(), before);

    // What is wrong in itself is said first.
    answer(write(&peer, &old, &json!({"metadata": 5}))).await.refused(400, "INVALID_METADATA");
    answer(write(&peer, &old, &change).header("Parlor-User", "visitor")).await.refused(409, "NOT_JOINED");

    for tag in ["*".to_owned(), format!("{old}, \"TAG\""), "\"TAG\"".into()] {
        let now = peer.get(PATH).await.ok()["version"].as_str().expect("a version").to_owned();
        let number = now.clone();
        let change = json!({"metadata": {"title": number}});
        let set = answer(write(&peer, &tag.replace("TAG", &now), &change)).await.ok();
        assert_eq!(set["metadata"]["title"], now, "{tag}");
    }
}

/// The condition is looked at where it is written, so of many who read the same, one writes.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_read_the_same_version_one_writes() {
    let peer = joined().await;
    for round in 0..10 {
        let tag = etag(&read(&peer, None).await);
        let attempts = (0..16).map(|number| {
            let request = write(&peer, &tag, &json!({"metadata": {format!("{round}-{number}"): number}}));
            async move { answer(request).await.status }
        });
        let mut statuses = join_all(attempts).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [[200].as_slice(), &[412; 15]].concat(), "round {round}");
    }
    let read = peer.get(PATH).await.ok();
    let rounds: BTreeSet<&str> =
        read["metadata"].as_object().expect("settings").keys().filter_map(|key| key.split('-').next()).collect();
    assert_eq!((rounds.len(), read["metadata"].as_object().map(serde_json::Map::len)), (10, Some(10)));
}
