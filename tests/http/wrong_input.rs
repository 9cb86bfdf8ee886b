//! Everything a caller can get wrong, and the code that says so (design A8, A9). None of it touches any state.

use serde_json::{Value, json};

use crate::fixture::{Peer, TOKEN};
use crate::security::raw;

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!({"a": inner}))
}

fn many_keys(count: usize) -> Value {
    Value::Object((0..count).map(|n| (format!("k{n}"), json!(n))).collect())
}

/// An object whose JSON has exactly this many bytes, in strings that are each short enough.
fn of_size(bytes: usize) -> Value {
    let mut object = serde_json::Map::new();
    let size = |object: &serde_json::Map<String, Value>| Value::Object(object.clone()).to_string().len();
    for n in 0.. {
        let key = format!("k{n:02}");
        object.insert(key.clone(), json!(""));
        let missing = bytes - size(&object);
        object.insert(key, json!("x".repeat(missing.min(1000))));
        if missing <= 1000 {
            break;
        }
        // Room for one more key with its quotes, colon and comma.
        if bytes - size(&object) < 10 {
            panic!("no room to fill {bytes} bytes exactly");
        }
    }
    assert_eq!(size(&object), bytes);
    Value::Object(object)
}

#[tokio::test]
async fn wrong_bodies_are_refused_with_the_code_of_their_field() {
    let peer = Peer::start().await;
    peer.post("/rooms/r/join", json!({"presence": {"kept": 1}, "metadata": {"kept": 2}})).await.ok();
    peer.post("/rooms/r/metadata", json!({"metadata": {"kept": 3}})).await.ok();
    let before = state(&peer).await;

    let cases = [
        ("join", json!([]), 400, "INVALID_JSON"),
        ("join", json!({"presence": "online"}), 400, "INVALID_PRESENCE"),
        ("join", json!({"presence": []}), 400, "INVALID_PRESENCE"),
        ("join", json!({"presence": {"__proto__": {}}}), 400, "INVALID_PRESENCE"),
        ("join", json!({"presence": {"a": {"__proto__": {}}}}), 400, "INVALID_PRESENCE"),
        ("join", json!({"metadata": 1}), 400, "INVALID_METADATA"),
        ("join", json!({"metadata": {"__proto__": 1}}), 400, "INVALID_METADATA"),
        ("join", json!({"memberId": 1}), 400, "INVALID_MEMBER_ID"),
        ("join", json!({"memberId": ""}), 400, "INVALID_MEMBER_ID"),
        ("join", json!({"memberId": "x".repeat(129)}), 400, "INVALID_MEMBER_ID"),
        ("join", json!({"memberId": "a\u{7}b"}), 400, "INVALID_MEMBER_ID"),
        ("join", json!({"memberId": "u_aaaaaaaaaaaaaaaa"}), 400, "INVALID_MEMBER_ID"),
        ("join", json!({"presenceTtlSeconds": 4}), 400, "INVALID_PRESENCE"),
        ("join", json!({"presenceTtlSeconds": 3601}), 400, "INVALID_PRESENCE"),
        ("join", json!({"presenceTtlSeconds": "60"}), 400, "INVALID_PRESENCE"),
        ("join", json!({"presense": {}}), 400, "INVALID_PRESENCE"),
        ("join", json!({"ticket": "parlor:x"}), 400, "INVALID_TICKET"),
        ("join", json!({"presence": of_size(4097)}), 413, "PAYLOAD_TOO_LARGE"),
        ("join", json!({"metadata": of_size(4097)}), 413, "PAYLOAD_TOO_LARGE"),
        ("join", json!({"presence": nested(9)}), 413, "PAYLOAD_TOO_LARGE"),
        ("join", json!({"presence": many_keys(65)}), 413, "PAYLOAD_TOO_LARGE"),
        ("join", json!({"presence": {"a": "x".repeat(2049)}}), 413, "PAYLOAD_TOO_LARGE"),
        ("join", json!({"presence": {"x".repeat(65): 1}}), 413, "PAYLOAD_TOO_LARGE"),
        ("presence", json!({"presence": 5}), 400, "INVALID_PRESENCE"),
        ("presence", json!({"presence": {}, "mode": "overwrite"}), 400, "INVALID_PRESENCE"),
        ("presence", json!({"presence": {}, "unset": "a"}), 400, "INVALID_PRESENCE"),
        ("presence", json!({"presence": {"a": 1}, "expire": {"a": 99}}), 400, "INVALID_PRESENCE"),
        ("presence", json!({"presence": {"a": 1}, "expire": {"a": 3_600_001}}), 400, "INVALID_PRESENCE"),
        ("presence", json!({"presence": {}, "expire": {"a": 100}}), 400, "INVALID_PRESENCE"),
        ("presence", json!({"cursor": 5}), 400, "INVALID_PRESENCE"),
        ("presence", json!({"presence": {}, "memberId": "u_other"}), 409, "NOT_JOINED"),
        ("presence", json!({"presence": of_size(4097)}), 413, "PAYLOAD_TOO_LARGE"),
        ("metadata", json!({"metadata": "title"}), 400, "INVALID_METADATA"),
        ("metadata", json!({"title": "T"}), 400, "INVALID_METADATA"),
        ("metadata", json!({"metadata": {}, "unset": [1]}), 400, "INVALID_METADATA"),
        ("metadata", json!({"metadata": {"__proto__": 1}}), 400, "INVALID_METADATA"),
        ("metadata", json!({"metadata": of_size(32 * 1024 + 1)}), 413, "PAYLOAD_TOO_LARGE"),
        ("leave", json!({"memberId": 1}), 400, "INVALID_MEMBER_ID"),
        ("leave", json!({"member": "x"}), 400, "INVALID_MEMBER_ID"),
    ];
    for (call, body, status, code) in cases {
        let text = body.to_string();
        let problem = peer.post(&format!("/rooms/r/{call}"), body).await;
        let shown: String = text.chars().take(90).collect();
        assert_eq!(
            (problem.status, problem.body["code"].as_str()),
            (status, Some(code)),
            "{call} {shown}: {}",
            problem.body
        );
        problem.refused(status, code);
    }
    assert_eq!(state(&peer).await, before);
}

/// What no refused call may change.
async fn state(peer: &Peer) -> (Value, Value) {
    let mut members = peer.get("/rooms/r/members").await.ok()["members"].take();
    for member in members.as_array_mut().expect("members") {
        member.as_object_mut().expect("a member").remove("lastSeenAt");
    }
    (members, peer.get("/rooms/r/metadata").await.ok())
}

#[tokio::test]
async fn the_limits_themselves_are_allowed() {
    let peer = Peer::start().await;
    let body = json!({"presence": of_size(4096), "metadata": of_size(4096), "memberId": "é".repeat(128), "presenceTtlSeconds": 3600});
    peer.post("/rooms/r/join", body).await.ok();
    peer.post("/rooms/s/join", json!({"presence": nested(8), "presenceTtlSeconds": 5})).await.ok();
    peer.post("/rooms/s/join", json!({"presence": many_keys(64)})).await.ok();
    peer.post("/rooms/s/join", json!({"presence": {"x".repeat(64): "y".repeat(2046)}})).await.ok();
    peer.get("/rooms/s/members?limit=1").await.ok();
    peer.get("/rooms/s/members?limit=1000&by=member").await.ok();
}

#[tokio::test]
async fn too_large_says_which_limit_and_where() {
    let peer = Peer::start().await;
    let problem = peer
        .post("/rooms/r/join", json!({"presence": {"a": {"b": "x".repeat(2049)}}}))
        .await
        .refused(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(problem["max"], 2048);
    assert_eq!(problem["detail"], "presence.a has a string of 2,049 bytes; at most 2,048 are allowed");
    assert!(problem["actual"].as_u64() >= Some(2049), "{problem}");
    assert!(
        problem["limit"].is_string() && problem["path"].as_str().is_some_and(|path| path.starts_with("presence")),
        "{problem}"
    );
}

#[tokio::test]
async fn bodies_that_are_not_json_or_too_long_are_refused() {
    let peer = Peer::start().await;
    for body in ["{", "not json", "{\"presence\":}", "{} {}", "\u{feff}{}", "null", "3"] {
        peer.post_text("/rooms/r/join", body).await.refused(400, "INVALID_JSON");
    }
    let deep = format!("{{\"presence\":{{\"a\":{}1{}}}}}", "[".repeat(500), "]".repeat(500));
    peer.post_text("/rooms/r/join", deep).await.refused(413, "PAYLOAD_TOO_LARGE");
    let long = format!("{{\"presence\":{{\"a\":\"{}\"}}}}", "x".repeat(300 * 1024));
    let problem = peer.post_text("/rooms/r/join", long).await.refused(413, "PAYLOAD_TOO_LARGE");
    assert_eq!((&problem["max"], &problem["path"]), (&json!(256 * 1024), &json!("body")));
}

#[tokio::test]
async fn bodies_may_be_empty_where_nothing_is_needed() {
    let peer = Peer::start().await;
    for call in ["join", "presence", "metadata", "leave"] {
        peer.post_text(&format!("/rooms/r/{call}"), "").await.ok();
    }
    peer.post_text("/rooms", "").await.refused(400, "INVALID_ROOM_ID");
    peer.post_text("/peers", "").await.refused(400, "INVALID_TICKET");
}

#[tokio::test]
async fn wrong_rooms_are_refused_by_every_route() {
    let peer = Peer::start().await;
    for room in ["x".repeat(129), "a%00b".into(), "a%0Ab".into(), "a%7Fb".into(), "%FF".into()] {
        for call in ["members", "metadata", "events"] {
            peer.get(&format!("/rooms/{room}/{call}")).await.refused(400, "INVALID_ROOM_ID");
        }
        for call in ["join", "presence", "leave", "metadata"] {
            peer.post(&format!("/rooms/{room}/{call}"), json!({})).await.refused(400, "INVALID_ROOM_ID");
        }
        peer.delete(&format!("/rooms/{room}")).await.refused(400, "INVALID_ROOM_ID");
    }
    for body in [
        json!({"room": ""}),
        json!({"room": "x".repeat(129)}),
        json!({"room": "a\nb"}),
        json!({"room": "."}),
        json!({"room": ".."}),
        json!({"room": 5}),
        json!({"name": "x"}),
        json!({"room": "x", "private": "yes"}),
    ] {
        peer.post("/rooms", body).await.refused(400, "INVALID_ROOM_ID");
    }
    assert_eq!(peer.get("/rooms").await.ok(), json!({"rooms": []}));
}

/// Most clients make another path of these names; one that sends them as they stand gets the answer of every other way.
#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_not_called_like_a_step_in_a_path() {
    let peer = Peer::start().await;
    for name in [".", "..", "%2E", "%2e%2E", ".%2e"] {
        for (method, call) in [("POST", "/join"), ("GET", "/members"), ("DELETE", "")] {
            let head = format!(
                "{method} /rooms/{name}{call} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {TOKEN}\r\n",
                peer.server.addr.port()
            );
            let body = "Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
            let (status, _, answer) = raw(&peer, &format!("{head}{body}"));
            let code = serde_json::from_str::<Value>(&answer).unwrap_or_default()["code"].take();
            assert_eq!((status, &code), (400, &json!("INVALID_ROOM_ID")), "{method} /rooms/{name}{call}: {answer}");
        }
    }
    // A member has no address.
    assert_eq!(peer.post("/rooms/r/join", json!({"memberId": ".."})).await.ok()["memberId"], "..");
}

#[tokio::test]
async fn wrong_queries_are_refused() {
    let peer = Peer::start().await;
    let cases = [
        ("limit=0", "INVALID_LIMIT"),
        ("limit=1001", "INVALID_LIMIT"),
        ("limit=-1", "INVALID_LIMIT"),
        ("limit=ten", "INVALID_LIMIT"),
        ("limit=1.5", "INVALID_LIMIT"),
        ("limit=", "INVALID_LIMIT"),
        ("limit=99999999999999999999", "INVALID_LIMIT"),
        ("limit=1&limit=2", "INVALID_LIMIT"),
        ("by=device", "INVALID_LIMIT"),
        ("evidence=perhaps", "INVALID_LIMIT"),
        ("limt=5", "INVALID_LIMIT"),
        ("cursor=", "INVALID_CURSOR"),
        ("cursor=nonsense", "INVALID_CURSOR"),
        ("cursor=%00%ff", "INVALID_CURSOR"),
    ];
    for (query, code) in cases {
        let answer = peer.get(&format!("/rooms/r/members?{query}")).await;
        assert_eq!(answer.body["code"], code, "{query}: {}", answer.body);
        answer.refused(400, code);
    }
}

#[tokio::test]
async fn calls_of_somebody_who_is_not_there_are_refused() {
    let peer = Peer::start().await;
    peer.post("/rooms/r/presence", json!({"presence": {"a": 1}})).await.refused(409, "NOT_JOINED");
    peer.post("/rooms/r/metadata", json!({"metadata": {"a": 1}})).await.refused(409, "NOT_JOINED");
    peer.post("/rooms/r/join", json!({})).await.ok();
    peer.post("/rooms/r/leave", json!({})).await.ok();
    let late = peer.post("/rooms/r/presence", json!({"presence": {"a": 1}})).await.refused(409, "NOT_JOINED");
    assert_eq!(late["recoverable"], true);
    assert_eq!(peer.get("/rooms/r/members").await.ok()["total"], 0);
}

#[tokio::test]
async fn a_process_has_at_most_32_rooms() {
    let peer = Peer::start().await;
    for number in 0..32 {
        peer.post(&format!("/rooms/r{number}/join"), json!({})).await.ok();
    }
    peer.post("/rooms/one-more/join", json!({})).await.refused(409, "TOO_MANY_ROOMS");
    peer.post("/rooms/r0/presence", json!({"presence": {"a": 1}})).await.ok();
}

#[tokio::test]
async fn addresses_that_are_none_or_lead_nowhere_are_told_apart() {
    let peer = Peer::start().await;
    for addr in [json!(5), json!(""), json!("nonsense"), json!("http://127.0.0.1"), json!("/ip4/300.0.0.1/tcp/1")] {
        peer.post("/peers", json!({"addr": addr})).await.refused(400, "INVALID_TICKET");
    }
    // Nobody listens on the port that was just given back.
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let nobody = peer.post("/peers", json!({"addr": format!("/ip4/127.0.0.1/tcp/{port}")})).await;
    nobody.refused(503, "NETWORK_UNAVAILABLE");
}

#[tokio::test]
async fn wrong_profiles_are_refused() {
    let peer = Peer::start().await;
    let before = peer.get("/profile").await.ok();
    for body in [
        json!({"name": ""}),
        json!({"name": 5}),
        json!({"name": "x".repeat(257)}),
        json!({"color": "red"}),
        json!({"theme": "blue"}),
        json!({"nick": "x"}),
    ] {
        let answer = peer.post("/profile", body.clone()).await;
        assert!(matches!(answer.status, 400 | 413), "{body}: {}", answer.body);
    }
    assert_eq!(peer.get("/profile").await.ok(), before);
}
