//! Who is let in (design A10): every refused attempt has its code, and none has a CORS header.

use std::io::{Read, Write};
use std::net::TcpStream;

use parlor_http::{ApiFile, ConnectionLimits, HttpConfig, ROUTES, ServeError};
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixture::{PATIENCE, Peer, TOKEN, answer};

/// Sends a request as it stands and reads the answer: status, headers in lower case, body.
pub fn raw(peer: &Peer, request: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(peer.server.addr).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a deadline");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, head.to_lowercase(), body.to_owned())
}

/// A request to list rooms with this head, in which PORT stands for ours.
fn rooms(peer: &Peer, target: &str, head: &str) -> (u16, String) {
    let port = peer.server.addr.port().to_string();
    let head = head.replace("PORT", &port);
    let target = target.replace("PORT", &port);
    let (status, headers, body) = raw(peer, &format!("GET {target} HTTP/1.1\r\n{head}Connection: close\r\n\r\n"));
    assert!(!headers.contains("access-control-"), "{headers}");
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_from_elsewhere_are_refused() {
    let peer = Peer::start().await;
    let auth = format!("Authorization: Bearer {TOKEN}\r\n");
    let host = "Host: 127.0.0.1:PORT\r\n";
    let cases: &[(&str, String, u16, &str)] = &[
        ("/rooms", format!("{host}{auth}"), 200, ""),
        ("/rooms", format!("Host: localhost:PORT\r\n{auth}"), 200, ""),
        ("/rooms", format!("Host: [::1]:PORT\r\n{auth}"), 200, ""),
        ("/rooms", format!("Host: evil.example:PORT\r\n{auth}"), 403, "FORBIDDEN_HOST"),
        ("/rooms", format!("Host: 127.0.0.1\r\n{auth}"), 403, "FORBIDDEN_HOST"),
        ("/rooms", format!("Host: 127.0.0.1:1\r\n{auth}"), 403, "FORBIDDEN_HOST"),
        ("/rooms", format!("{host}{host}{auth}"), 403, "FORBIDDEN_HOST"),
        ("http://evil.example:PORT/rooms", format!("{host}{auth}"), 403, "FORBIDDEN_HOST"),
        ("/healthz", "Host: evil.example:PORT\r\n".into(), 403, "FORBIDDEN_HOST"),
        ("/rooms", format!("{host}{auth}Origin: http://127.0.0.1:PORT\r\n"), 200, ""),
        ("/rooms", format!("{host}{auth}Origin: http://evil.example\r\n"), 403, "FORBIDDEN_ORIGIN"),
        ("/rooms", format!("{host}{auth}Origin: https://127.0.0.1:PORT\r\n"), 403, "FORBIDDEN_ORIGIN"),
        ("/rooms", format!("{host}{auth}Origin: http://127.0.0.1:1\r\n"), 403, "FORBIDDEN_ORIGIN"),
        ("/rooms", format!("{host}{auth}Origin: null\r\n"), 403, "FORBIDDEN_ORIGIN"),
        ("/rooms", format!("{host}{auth}Sec-Fetch-Site: same-origin\r\n"), 200, ""),
        ("/rooms", format!("{host}{auth}Sec-Fetch-Site: cross-site\r\n"), 403, "FORBIDDEN_ORIGIN"),
        ("/rooms", host.into(), 401, "UNAUTHORIZED"),
        ("/rooms", format!("{host}Authorization: Bearer \r\n"), 401, "UNAUTHORIZED"),
        ("/rooms", format!("{host}Authorization: Bearer {TOKEN}x\r\n"), 401, "UNAUTHORIZED"),
        ("/rooms", format!("{host}Authorization: Basic {TOKEN}\r\n"), 401, "UNAUTHORIZED"),
        ("/rooms", format!("{host}{auth}{auth}"), 401, "UNAUTHORIZED"),
        ("/rooms?token=token-of-a-test", host.into(), 401, "UNAUTHORIZED"),
        ("/rooms", format!("{host}Sec-WebSocket-Protocol: parlor.bearer.{TOKEN}\r\n"), 401, "UNAUTHORIZED"),
    ];
    for (target, head, status, code) in cases {
        assert_eq!(rooms(&peer, target, head), (*status, (*code).to_owned()), "{target} {head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_host_is_refused() {
    let peer = Peer::start().await;
    let (status, _, _) = raw(&peer, &format!("GET /rooms HTTP/1.0\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"));
    assert_eq!(status, 403);
}

#[tokio::test]
async fn every_route_needs_the_token() {
    let peer = Peer::start().await;
    let routes = ROUTES.iter().map(|route| (route.method, route.path)).chain([("GET", "/openapi.json")]);
    for (method, path) in routes {
        let path = path.replace("{room}", "r");
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = peer.http.request(method, peer.url(&path)).json(&json!({}));
        answer(request).await.refused(401, "UNAUTHORIZED");
    }
    assert_eq!(peer.get("/rooms").await.ok(), json!({"rooms": []}), "none of them did anything");
}

#[tokio::test]
async fn a_page_of_another_site_gets_no_preflight() {
    let peer = Peer::start().await;
    let request =
        peer.http.request(Method::OPTIONS, peer.url("/rooms/r/join")).header("Access-Control-Request-Method", "POST");
    let response = request.header("Origin", "http://evil.example").send().await.expect("an answer");
    assert_eq!(response.status(), 403);
    assert!(response.headers().keys().all(|name| !name.as_str().starts_with("access-control")));
}

#[tokio::test]
async fn a_body_must_be_declared_as_json() {
    let peer = Peer::start().await;
    let post = |content_type: Option<&str>, body: &'static str| {
        let mut request = peer.request(Method::POST, "/rooms/r/join");
        if let Some(content_type) = content_type {
            request = request.header("Content-Type", content_type);
        }
        answer(request.body(body))
    };
    for declared in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data"),
        Some("application/jsonx"),
        Some(""),
    ] {
        post(declared, "{}").await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    post(Some("text/plain"), "").await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    assert_eq!(peer.get("/rooms/r/members").await.ok()["total"], 0);
    for declared in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
        post(Some(declared), "{}").await.ok();
    }
    post(None, "").await.ok();
}

#[tokio::test]
async fn answers_are_for_nobodys_cache_and_no_other_page() {
    let peer = Peer::start().await;
    for (path, token) in [("/rooms", true), ("/rooms", false), ("/nothing", true)] {
        let request = if token { peer.request(Method::GET, path) } else { peer.http.get(peer.url(path)) };
        let response = request.send().await.expect("an answer");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.headers()["cross-origin-resource-policy"], "same-origin", "{path}");
    }
}

#[tokio::test]
async fn the_api_file_is_private_and_leads_to_the_api() {
    let peer = Peer::start().await;
    let directory = peer.live.profile_dir().to_owned();
    let api = ApiFile::read(&directory).expect("api.json");
    assert_eq!(
        (api.url.as_str(), api.token.as_str(), api.pid),
        (peer.server.url().as_str(), TOKEN, std::process::id())
    );
    assert_eq!(api.peer_id, peer.live.status().await.peer_id);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(ApiFile::path(&directory)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    peer.server.stop().await;
    assert_eq!(ApiFile::read(&directory), None);
    peer.live.close().await;
}

#[tokio::test]
async fn it_never_listens_beyond_this_computer() {
    let peer = Peer::start().await;
    let start = async |addr: &str, token: &str| {
        let config = HttpConfig {
            addr: addr.parse().expect("an address"),
            token: token.into(),
            ui: None,
            limits: ConnectionLimits::default(),
            shares: peer.shares.clone(),
        };
        parlor_http::serve(peer.live.clone(), config).await.err()
    };
    for addr in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        assert!(matches!(start(addr, TOKEN).await, Some(ServeError::NotLoopback(_))), "{addr}");
    }
    assert!(matches!(start("127.0.0.1:0", "two words").await, Some(ServeError::Token)));
    let taken = peer.server.addr.to_string();
    assert!(matches!(start(&taken, TOKEN).await, Some(ServeError::InUse(_))));
}
