//! A room that is shared to browsers (design A10): how a browser comes in, what it is to the others, and how it ends. What is
//! refused stands in `sharing_attempts`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use futures::{SinkExt, StreamExt};
use parlor_http::ROUTES;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

use crate::fixture::{Answer, PATIENCE, Peer, answer, eventually};

/// A peer that shares the room `r`, and a browser that came in by the link.
pub struct Shared {
    pub peer: Peer,
    pub addr: SocketAddr,
    /// The secret of the link.
    pub token: String,
    /// What the browser sends of its cookie.
    pub cookie: String,
}

impl Shared {
    pub async fn start() -> Self {
        Self::by(Peer::start().await).await
    }

    pub async fn by(peer: Peer) -> Self {
        let share = peer.post("/rooms/r/share", json!({"on": true, "port": 0})).await.ok();
        let (addr, token) = parts(&share);
        let mut shared = Self { peer, addr, token, cookie: String::new() };
        shared.cookie = shared.enter().await.1;
        shared
    }

    /// As the page does it: what is answered, and the cookie of another browser.
    pub async fn enter(&self) -> (Value, String) {
        let (welcome, header) = self.entered(&self.token).await.expect("let in");
        (welcome, header.split(';').next().expect("a cookie").to_owned())
    }

    /// What `POST /enter` answers to a secret: the body, and the header of the cookie.
    pub async fn entered(&self, token: &str) -> Result<(Value, String), Answer> {
        let request = self.peer.http.post(self.url("/enter")).header("Origin", self.url(""));
        let response = request.json(&json!({"token": token})).send().await.expect("an answer");
        let header = response.headers().get("set-cookie").map(|value| value.to_str().expect("text").to_owned());
        let status = response.status().as_u16();
        let body: Value = response.json().await.expect("JSON");
        match header {
            Some(header) => Ok((body, header)),
            None => Err(Answer { status, content_type: "application/problem+json".into(), body }),
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.peer.http.get(self.url(path)).header("Cookie", &self.cookie)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_as(&self.cookie, path, body).await
    }

    pub async fn post_as(&self, cookie: &str, path: &str, body: Value) -> Answer {
        let request = self.peer.http.post(self.url(path)).header("Cookie", cookie).header("Origin", self.url(""));
        answer(request.json(&body)).await
    }

    pub async fn socket(
        &self,
        cookie: &str,
    ) -> Result<tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>, SocketError>
    {
        let mut request = format!("ws://{}/room/ws", self.addr).into_client_request().expect("a request");
        let headers = request.headers_mut();
        headers.insert("Origin", self.url("").parse().expect("a value"));
        headers.insert("Cookie", cookie.parse().expect("a value"));
        headers.insert("Sec-WebSocket-Protocol", "parlor.v1".parse().expect("a value"));
        tokio_tungstenite::connect_async(request).await.map(|(socket, _)| socket)
    }

    pub async fn share(&self) -> Value {
        self.peer.get("/rooms/r/share").await.ok()
    }
}

/// Address and secret of a link.
fn parts(share: &Value) -> (SocketAddr, String) {
    let link = share["link"].as_str().expect("a link");
    let (address, token) = link.strip_prefix("http://").and_then(|rest| rest.split_once("/#")).expect("a link");
    (address.parse().expect("an address"), token.to_owned())
}

async fn names(peer: &Peer) -> Vec<String> {
    let page = peer.get("/rooms/r/members").await.ok();
    page["members"].as_array().expect("members").iter().map(|row| row["actor"]["name"].to_string()).collect()
}

#[tokio::test]
async fn a_browser_comes_in_by_the_link_and_is_a_guest_to_everybody() {
    let shared = Shared::start().await;
    let other = Peer::beside(&shared.peer).await;
    other.post("/rooms/r/join", json!({})).await.ok();

    let session = shared.get("/session").await.ok();
    assert_eq!(
        (&session["room"], &session["named"], &session["encrypted"]),
        (&json!("r"), &json!(false), &json!(false))
    );
    assert_eq!(session["host"], shared.peer.live.status().await.name.as_str());
    let named = shared.post("/session", json!({"name": " Bold Heron ", "color": "#0d8367"})).await.ok();
    assert_eq!(
        (&named["name"], &named["color"], &named["named"]),
        (&json!("Bold Heron"), &json!("#0d8367"), &json!(true))
    );
    let joined = shared.post("/room/join", json!({"presence": {"cursor": 1}})).await.ok();
    assert_eq!((&joined["memberId"], &joined["room"]), (&session["userId"], &json!("r")));
    shared.post("/room/presence", json!({"presence": {"cursor": 128}})).await.ok();
    let note = json!({"set": [{"id": "n", "text": "from a browser"}]});
    shared.post("/room/board", note).await.ok();
    shared.post("/room/messages", json!({"type": "chat", "data": {"text": "hello"}, "keep": true})).await.ok();

    let row = eventually("the other peer sees the guest", async || {
        let page = other.get("/rooms/r/members").await.ok();
        let row = page["members"].as_array()?.iter().find(|row| row["memberId"] == session["userId"])?.clone();
        (row["presence"]["cursor"] == 128).then_some(row)
    })
    .await;
    let actor = &row["actor"];
    assert_eq!((&actor["kind"], &actor["name"]), (&json!("guest"), &json!("Bold Heron")));
    assert_eq!(actor["via"], shared.peer.live.user_id().as_str());
    assert_eq!(row["verified"], false);
    eventually("and the note", async || {
        (other.get("/rooms/r/board").await.ok()["notes"][0]["text"] == "from a browser").then_some(())
    })
    .await;
    other.post("/rooms/r/metadata", json!({"metadata": {"title": "Deck 3"}})).await.ok();
    eventually("and is told what the others do", async || {
        (shared.get("/room/metadata").await.ok()["metadata"]["title"] == "Deck 3").then_some(())
    })
    .await;
    let share = shared.share().await;
    assert_eq!(share["guests"], json!([{"userId": session["userId"], "name": "Bold Heron"}]));
    assert_eq!(shared.get("/room/members").await.ok()["total"], 2);
    assert_eq!(shared.get("/room/messages").await.ok()["messages"][0]["data"]["text"], "hello");
    assert_eq!(shared.get("/room/access").await.ok(), Value::Null, "the room is open");
}

#[tokio::test]
async fn each_browser_is_somebody_and_stays_so() {
    let mut shared = Shared::start().await;
    let mine = shared.get("/session").await.ok();
    let (other, cookie) = shared.enter().await;
    assert_ne!((&other["userId"], &other["name"]), (&mine["userId"], &mine["name"]));
    // Who follows the link once more with the cookie of before is who they were. The cookie is another: that of before may
    // have been put there by somebody who has it too.
    let before = shared.cookie.clone();
    let again = json!({"token": shared.token.to_uppercase()});
    let request =
        shared.peer.http.post(shared.url("/enter")).header("Origin", shared.url("")).header("Cookie", &before);
    let response = request.json(&again).send().await.expect("an answer");
    let header = response.headers()["set-cookie"].to_str().expect("text").to_owned();
    assert_eq!(response.json::<Value>().await.expect("JSON")["userId"], mine["userId"]);
    shared.cookie = header.split(';').next().expect("a cookie").to_owned();
    assert_ne!(shared.cookie, before);
    shared.post_as(&before, "/room/join", json!({})).await.refused(401, "UNAUTHORIZED");
    let joined = shared.post_as(&cookie, "/room/join", json!({})).await.ok();
    assert_eq!(joined["memberId"], other["userId"]);
    shared.post("/room/presence", json!({"presence": {"a": 1}})).await.refused(409, "NOT_JOINED");
    shared.post("/room/join", json!({})).await.ok();
    let theirs = json!({"memberId": joined["memberId"]});
    assert_eq!(shared.post("/room/leave", theirs.clone()).await.ok()["left"], false, "nobody leaves for another");
    shared
        .post("/room/presence", json!({"memberId": joined["memberId"], "presence": {}}))
        .await
        .refused(409, "NOT_JOINED");
    assert_eq!(names(&shared.peer).await.len(), 2);
}

/// An open room of which nobody here is a member makes way for a private one of its name: its guests are not to be in that.
#[tokio::test]
async fn a_name_that_stands_for_another_room_is_shared_no_more() {
    let shared = Shared::start().await;
    shared.get("/room/members").await.ok();
    shared.peer.post("/rooms", json!({"room": "r", "private": true})).await.ok();
    shared.peer.post("/rooms/r/join", json!({})).await.ok();
    let read = shared.peer.http.get(shared.url("/room/members")).header("Cookie", &shared.cookie).send().await;
    // The listener may be gone by now.
    assert!(read.is_err() || read.is_ok_and(|answer| answer.status() == 401));
    if let Ok(response) = shared
        .peer
        .http
        .post(shared.url("/enter"))
        .header("Origin", shared.url(""))
        .json(&json!({"token": shared.token}))
        .send()
        .await
    {
        assert_eq!(response.status(), 401, "nor does the link let in");
    }
    eventually("it is not shared any more", async || shared.share().await.is_null().then_some(())).await;
    assert_eq!(names(&shared.peer).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_put_out_and_the_others_stay() {
    let mut shared = Shared::start().await;
    let (other, cookie) = shared.enter().await;
    let mine = shared.get("/session").await.ok();
    for cookie in [&shared.cookie, &cookie] {
        shared.post_as(cookie, "/room/join", json!({})).await.ok();
    }
    let mut socket = shared.socket(&cookie).await.expect("a socket");
    let metrics = shared.peer.get("/metrics").await.body;
    let metrics = metrics.as_str().expect("a text");
    assert!(metrics.contains("parlor_shares 1\n") && metrics.contains("parlor_guests 2\n"), "{metrics}");
    let out = |user: &Value| json!({"on": true, "putOut": user});
    let nobody = shared.peer.post("/rooms/r/share", out(&json!("u_aaaaaaaaaaaaaaaa"))).await.refused(404, "NOT_FOUND");
    assert_eq!(nobody["path"], "putOut");
    shared.peer.post("/rooms/other/share", out(&other["userId"])).await.refused(404, "NOT_FOUND");
    shared.peer.post("/rooms/r/share", out(&json!(5))).await.refused(400, "INVALID_MEMBER_ID");
    let share = shared.peer.post("/rooms/r/share", out(&other["userId"])).await.ok();
    assert_eq!(share["guests"], json!([{"userId": mine["userId"], "name": mine["name"]}]));
    assert_eq!(names(&shared.peer).await, [mine["name"].to_string()], "they are out when it is answered");
    shared.post_as(&cookie, "/room/join", json!({})).await.refused(401, "UNAUTHORIZED");
    let ended = tokio::time::timeout(PATIENCE, async {
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Close(frame) = message {
                return frame.map(|frame| u16::from(frame.code));
            }
        }
        None
    });
    assert_eq!(ended.await.expect("in time"), Some(4001));
    assert!(shared.entered(&shared.token).await.is_err(), "the link of before lets nobody in");
    shared.get("/room/members").await.ok();
    shared.token = parts(&share).1;
    shared.enter().await;
}

/// Two who end it at once, and one who goes away while it ends: it is over, and its guests are out.
#[tokio::test(flavor = "multi_thread")]
async fn two_may_end_it_at_once() {
    let shared = Shared::start().await;
    shared.post("/room/join", json!({})).await.ok();
    let end = || shared.peer.post("/rooms/r/share", json!({"on": false}));
    let impatient = tokio::time::timeout(std::time::Duration::from_micros(200), end());
    let (one, other, _) = tokio::join!(end(), end(), impatient);
    assert_eq!((one.ok(), other.ok(), shared.share().await), (Value::Null, Value::Null, Value::Null));
    eventually("its guest is out", async || names(&shared.peer).await.is_empty().then_some(())).await;
    assert!(TcpStream::connect(shared.addr).is_err());
}

/// The cookie can be read by no script and goes to nobody else; the secret stands where no server sees it by itself.
#[tokio::test]
async fn the_cookie_and_the_link_are_kept_to_themselves() {
    let shared = Shared::start().await;
    let (_, header) = shared.entered(&shared.token).await.expect("let in");
    let mut words: Vec<&str> = header.split("; ").collect();
    let value = words.remove(0);
    assert!(value.starts_with(&format!("parlor-guest-{}=", shared.addr.port())) && value.len() > 60, "{value}");
    assert!(!value.contains(&shared.token));
    words.retain(|word| !word.starts_with("Max-Age="));
    assert_eq!(words, ["Path=/", "HttpOnly", "SameSite=Strict"]);
    assert!(shared.token.len() >= 26);

    let page = shared.peer.http.get(shared.url("/")).send().await.expect("an answer");
    let headers = page.headers().clone();
    let header = |name: &str| headers[name].to_str().expect("text").to_owned();
    assert!(header("content-security-policy").contains("default-src 'none'; script-src 'self'"));
    assert!(header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!((header("referrer-policy"), header("x-content-type-options")), ("no-referrer".into(), "nosniff".into()));
    assert!(page.text().await.expect("a page").contains("A guest"));
    assert_eq!(shared.get("/icon.svg").await.status, 200);
    assert_eq!(shared.get("/assets/app-1a2b.js").await.status, 200);
    for path in ["/index.html", "/guest.html", "/inspector", "/inspector.html", "/more.txt"] {
        shared.get(path).await.refused(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn nothing_of_the_local_api_is_there() {
    let shared = Shared::start().await;
    shared.post("/room/join", json!({})).await.ok();
    let others = [
        "/healthz",
        "/openapi.json",
        "/metrics",
        "/inspect",
        "/rooms/r/recording",
        "/rooms/r/replay",
        "/lab",
        "/api.json",
    ]
    .map(|path| ("GET", path));
    for (method, path) in ROUTES.iter().map(|route| (route.method, route.path)).chain(others) {
        for room in ["r", "other"] {
            let path = path.replace("{room}", room);
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let request = shared.peer.http.request(method.clone(), shared.url(&path)).header("Cookie", &shared.cookie);
            let request = request.header("Origin", shared.url("")).header("Authorization", "Bearer token-of-a-test");
            let request = if method == Method::POST { request.json(&json!({})) } else { request };
            answer(request).await.refused(404, "NOT_FOUND");
        }
    }
    // Nor does a guest act for anybody else, whatever it says of itself.
    let request = shared.peer.http.post(shared.url("/room/join")).header("Cookie", &shared.cookie);
    let request = request.header("Origin", shared.url("")).header("Parlor-User", "visitor-1");
    let joined = answer(request.json(&json!({}))).await.ok();
    assert_eq!(joined["memberId"], shared.get("/session").await.ok()["userId"]);
    assert_eq!(shared.peer.get("/rooms").await.ok()["rooms"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn only_the_person_of_the_profile_shares() {
    let peer = Peer::start().await;
    for (method, body) in [(Method::GET, None), (Method::POST, Some(json!({"on": true, "port": 0})))] {
        let request = peer.request(method, "/rooms/r/share").header("Parlor-User", "visitor-1");
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        answer(request).await.refused(403, "FORBIDDEN");
    }
    assert_eq!(peer.get("/rooms/r/share").await.ok(), Value::Null);
    let wrong = [
        (json!({"on": "yes"}), "INVALID_JSON", "on"),
        (json!({"on": true, "port": 65536}), "INVALID_TICKET", "port"),
        (json!({"on": true, "address": 5}), "INVALID_TICKET", "address"),
        (json!({"on": true, "minutes": 0}), "INVALID_LIMIT", "minutes"),
        (json!({"on": true, "minutes": null}), "INVALID_LIMIT", "minutes"),
        (json!({"off": true}), "INVALID_JSON", "off"),
    ];
    let whole = peer.post("/rooms/r/share", json!({"on": true, "port": 0.0, "minutes": 60.0})).await.ok();
    assert_eq!(whole["room"], "r", "a whole number may be written so");
    peer.post("/rooms/r/share", json!({"on": false})).await.ok();
    for (body, code, path) in wrong {
        assert_eq!(peer.post("/rooms/r/share", body).await.refused(400, code)["path"], path);
    }
}

/// Everybody sees it at once, and nobody comes back: not with the cookie, not with the link, not by a socket that was open.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_shared_no_more_is_over_for_all_guests() {
    let shared = Shared::start().await;
    let other = Peer::beside(&shared.peer).await;
    other.post("/rooms/r/join", json!({})).await.ok();
    let (_, second) = shared.enter().await;
    let mut sockets = Vec::new();
    for cookie in [&shared.cookie, &second] {
        shared.post_as(cookie, "/room/join", json!({})).await.ok();
        sockets.push(shared.socket(cookie).await.expect("a socket"));
    }
    eventually("three are there", async || (other.get("/rooms/r/members").await.ok()["total"] == 3).then_some(()))
        .await;

    assert_eq!(shared.peer.post("/rooms/r/share", json!({"on": false})).await.ok(), Value::Null);
    eventually("one is left", async || (other.get("/rooms/r/members").await.ok()["total"] == 1).then_some(())).await;
    for mut socket in sockets {
        let end = tokio::time::timeout(PATIENCE, async {
            loop {
                match socket.next().await {
                    Some(Ok(Message::Close(frame))) => return frame.map(|frame| u16::from(frame.code)),
                    Some(Ok(_)) => {}
                    other => panic!("no goodbye: {other:?}"),
                }
            }
        });
        assert_eq!(end.await.expect("in time"), Some(4001));
    }
    assert!(TcpStream::connect(shared.addr).is_err(), "nobody listens there");

    // At the same port, later: another link and other guests.
    let port = shared.addr.port();
    let share = shared.peer.post("/rooms/r/share", json!({"on": true, "port": port})).await.ok();
    assert_ne!(parts(&share).1, shared.token);
    assert!(shared.entered(&shared.token).await.is_err());
    shared.get("/room/members").await.refused(401, "UNAUTHORIZED");
    assert_eq!(shared.get("/session").await.ok(), Value::Null);
    assert_eq!(share["guests"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_forgotten_is_shared_no_more() {
    let shared = Shared::start().await;
    shared.post("/room/join", json!({})).await.ok();
    shared.peer.delete("/rooms/r").await.ok();
    assert_eq!(shared.share().await, Value::Null);
    assert!(TcpStream::connect(shared.addr).is_err());
    assert_eq!(shared.peer.get("/rooms/r/members").await.ok()["total"], 0);
}

/// What was given before the key of a private room was changed lets nobody in any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_private_room_with_another_key_has_another_link() {
    let peer = Peer::start().await;
    peer.post("/rooms", json!({"room": "r", "private": true})).await.ok();
    peer.post("/rooms/r/join", json!({})).await.ok();
    let mut shared = Shared::by(peer).await;
    let welcome = shared.post("/session", json!({"name": "Bold Heron"})).await.ok();
    assert_eq!(welcome["private"], true);
    shared.post("/room/join", json!({})).await.ok();
    shared.peer.post("/rooms/r/access", json!({"rekey": true})).await.ok();
    assert!(shared.entered(&shared.token).await.is_err(), "at once");
    let token = eventually("another link", async || {
        let (_, token) = parts(&shared.share().await);
        (token != shared.token).then_some(token)
    })
    .await;
    assert!(shared.entered(&shared.token).await.is_err());
    assert_eq!(shared.get("/room/members").await.ok()["total"], 2, "who is in stays");
    shared.token = token;
    shared.enter().await;
}

/// A page that is closed says so; who carries a telephone away says nothing, and is gone soon all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_vanishes_is_gone_soon() {
    let shared = Shared::start().await;
    shared.post("/room/join", json!({})).await.ok();
    // It answers no ping, and reads nothing.
    let mut silent = TcpStream::connect(shared.addr).expect("a connection");
    let head = format!(
        "GET /room/ws HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nCookie: {1}\r\nConnection: Upgrade\r\nUpgrade: \
         websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        shared.addr, shared.cookie
    );
    silent.write_all(head.as_bytes()).expect("sent");
    let mut some = [0; 12];
    silent.read_exact(&mut some).expect("an answer");
    assert_eq!(&some, b"HTTP/1.1 101");
    assert_eq!(shared.peer.get("/rooms/r/members").await.ok()["total"], 1);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(40);
    while shared.peer.get("/rooms/r/members").await.ok()["total"] == 1 {
        assert!(std::time::Instant::now() < deadline, "still there");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_carries_the_room_and_answers_pings() {
    let shared = Shared::start().await;
    shared.post("/room/join", json!({})).await.ok();
    let mut socket = shared.socket(&shared.cookie).await.expect("a socket");
    let hello = Message::text(json!({"type": "presence", "id": 1, "presence": {"cursor": 7}}).to_string());
    socket.send(hello).await.expect("sent");
    let mut seen = (false, false);
    while seen != (true, true) {
        let message =
            tokio::time::timeout(PATIENCE, socket.next()).await.expect("in time").expect("a message").expect("one");
        if let Message::Text(text) = message {
            let message: Value = serde_json::from_str(&text).expect("JSON");
            seen.0 |= message["type"] == "batch";
            seen.1 |= message["type"] == "result" && message["ok"] == true;
        }
    }
    assert_eq!(shared.get("/room/members").await.ok()["members"][0]["presence"]["cursor"], 7);
}
