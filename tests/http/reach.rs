//! What lies where: unknown paths, wrong methods, and the pages of the user interface.

use parlor_http::UiFiles;
use reqwest::Method;
use serde_json::json;

use crate::fixture::{Peer, answer};

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_problems_too() {
    let peer = Peer::start().await;
    for path in ["/", "/nothing", "/rooms/", "/rooms/r", "/rooms/r/join/x", "/Rooms", "/index.html"] {
        let method = if path == "/rooms/r" { Method::DELETE } else { Method::GET };
        let answer = answer(peer.request(method, path)).await;
        match path {
            "/rooms/r" => assert_eq!(answer.ok()["forgotten"], false),
            _ => drop(answer.refused(404, "NOT_FOUND")),
        }
    }
    for (method, path, allow) in [
        (Method::GET, "/rooms/r/join", "POST"),
        (Method::PUT, "/rooms", "GET,HEAD,POST"),
        (Method::POST, "/rooms/r/members", "GET,HEAD"),
        (Method::PATCH, "/rooms/r/metadata", "GET,HEAD,POST"),
        (Method::GET, "/rooms/r", "DELETE"),
        (Method::POST, "/healthz", "GET,HEAD"),
    ] {
        let response = peer.request(method.clone(), path).json(&json!({})).send().await.expect("an answer");
        assert_eq!(
            response.headers().get("allow").and_then(|value| value.to_str().ok()),
            Some(allow),
            "{method} {path}"
        );
        answer(peer.request(method, path).json(&json!({}))).await.refused(405, "METHOD_NOT_ALLOWED");
    }
}

#[tokio::test]
async fn the_pages_need_no_token_and_may_load_nothing_from_elsewhere() {
    let pages = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(pages.path().join("assets")).expect("a directory");
    std::fs::write(pages.path().join("index.html"), "<!doctype html><title>Parlor</title>").expect("a file");
    std::fs::write(pages.path().join("assets/app.js"), "export {}").expect("a file");
    let peer = Peer::start_with(|_| {}, Some(UiFiles::read(pages.path()).expect("pages"))).await;

    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/assets/app.js", "text/javascript; charset=utf-8"),
    ] {
        let response = peer.http.get(peer.url(path)).send().await.expect("a page");
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], content_type);
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        let policy = response.headers()["content-security-policy"].to_str().expect("text");
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "form-action 'none'",
        ] {
            assert!(policy.contains(rule), "{policy}");
        }
    }
    for path in [
        "/nothing.js",
        "/assets/",
        "/assets/..%2f..%2fCargo.toml",
        "/..%2f..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
    ] {
        answer(peer.http.get(peer.url(path))).await.refused(404, "NOT_FOUND");
    }
    answer(peer.http.post(peer.url("/index.html"))).await.refused(405, "METHOD_NOT_ALLOWED");
    answer(peer.http.get(peer.url("/")).header("Host", "evil.example")).await.refused(403, "FORBIDDEN_HOST");
    answer(peer.http.get(peer.url("/rooms"))).await.refused(401, "UNAUTHORIZED");
}
