//! What somebody on the network, or a page that a guest has open, may try at a room that is shared to browsers (design A10).
//! Each attempt is a request that would be answered, but for one thing. It is refused with a code, it is counted, and nothing
//! of it happens.

use std::io::Write;
use std::net::TcpStream;

use futures::{SinkExt, StreamExt};
use parlor_http::GUEST_ROUTES;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

use crate::attempts::{Said, heard};
use crate::fixture::{PATIENCE, TOKEN, answer, eventually};
use crate::sharing::Shared;

/// A request, header by header. PORT, COOKIE and LINK stand for the listener's port, a guest's cookie and the link's secret.
#[derive(Clone)]
struct Attempt {
    line: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Attempt {
    fn bare(line: &str) -> Self {
        let headers = [("Host", "127.0.0.1:PORT"), ("Cookie", "COOKIE"), ("Connection", "close")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { line: line.into(), headers, body: String::new() }
    }

    /// To become a member.
    fn join() -> Self {
        Self::bare("POST /room/join HTTP/1.1").set("Origin", "http://127.0.0.1:PORT").json("{}")
    }

    /// To see who is in the room.
    fn members() -> Self {
        Self::bare("GET /room/members HTTP/1.1")
    }

    /// To come in by the link.
    fn enter() -> Self {
        let enter = Self::bare("POST /enter HTTP/1.1").set("Origin", "http://127.0.0.1:PORT").without("Cookie");
        enter.json("{\"token\":\"LINK\"}")
    }

    fn socket() -> Self {
        Self::bare("GET /room/ws HTTP/1.1")
            .set("Origin", "http://127.0.0.1:PORT")
            .set("Connection", "close, Upgrade")
            .set("Upgrade", "websocket")
            .set("Sec-WebSocket-Version", "13")
            .set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            .set("Sec-WebSocket-Protocol", "parlor.v1")
    }

    fn line(self, line: impl Into<String>) -> Self {
        Self { line: line.into(), ..self }
    }

    /// The only header of this name.
    fn set(self, name: &str, value: &str) -> Self {
        self.without(name).also(name, value)
    }

    fn also(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self
    }

    fn json(self, body: &str) -> Self {
        Self { body: body.into(), ..self.set("Content-Type", "application/json") }
    }

    fn send(&self, shared: &Shared) -> Said {
        let mut text = format!("{}\r\n", self.line);
        let fill = |text: &str| {
            let port = shared.addr.port().to_string();
            text.replace("PORT", &port).replace("COOKIE", &shared.cookie).replace("LINK", &shared.token)
        };
        let body = fill(&self.body);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let measured = ["Content-Length", "Transfer-Encoding"];
        if !body.is_empty() && !self.headers.iter().any(|(name, _)| measured.contains(&name.as_str())) {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        let mut stream = TcpStream::connect(shared.addr).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a deadline");
        let _ = stream.write_all((fill(&text) + "\r\n" + &body).as_bytes());
        heard(&mut stream)
    }
}

/// Makes all attempts and says which were not answered as they should be; then looks whether any of them did something, and
/// whether each was counted.
async fn refused(attempts: Vec<(&str, Attempt, u16, &str)>) {
    let shared = Shared::start().await;
    let (mut wrong, mut counted) = (Vec::new(), std::collections::BTreeMap::<&str, u64>::new());
    for (what, attempt, status, code) in attempts {
        let said = attempt.send(&shared);
        if (said.status, said.code.as_str()) != (status, code) {
            wrong.push(format!("{what}: {status} {code} expected, but\n{}\n", said.text));
        }
        let head = said.text.to_ascii_lowercase();
        assert!(!head.contains("access-control-") && !head.contains("set-cookie"), "{what}: {}", said.text);
        for secret in [TOKEN, &shared.token, &shared.cookie] {
            assert!(!said.text.contains(secret), "{what}: {}", said.text);
        }
        if !code.starts_with("INVALID") {
            *counted.entry(code).or_default() += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let share = shared.share().await;
    assert_eq!(share["refused"], json!(counted));
    assert_eq!(share["guests"], json!([]));
    assert_eq!(shared.peer.get("/rooms/r/members").await.ok()["total"], 0, "none of them did anything");
    assert_eq!(shared.peer.get("/rooms/r/board").await.ok()["notes"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_would_be_answered_but_for_one_thing() {
    let shared = Shared::start().await;
    for attempt in [
        Attempt::join(),
        Attempt::members(),
        Attempt::members().set("Origin", "http://127.0.0.1:PORT"),
        Attempt::members().set("Sec-Fetch-Site", "same-origin"),
        Attempt::join().line("POST http://127.0.0.1:PORT/room/join HTTP/1.1"),
        Attempt::enter(),
        Attempt::bare("GET / HTTP/1.1"),
        // A link in a page of elsewhere that somebody clicks.
        Attempt::bare("GET / HTTP/1.1")
            .set("Sec-Fetch-Site", "cross-site")
            .set("Sec-Fetch-Mode", "navigate")
            .set("Sec-Fetch-Dest", "document"),
    ] {
        let said = attempt.send(&shared);
        assert!(said.text.contains("HTTP/1.1 200 OK\r\n"), "{}: {}", attempt.line, said.text);
    }
    assert_eq!(Attempt::socket().send(&shared).status, 101);
}

/// A name that was made to lead here is still somebody else's: only addresses of this computer that are offered count, and
/// neither its names nor loopback by another spelling.
#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_not_offered_are_refused() {
    let hosts = [
        "evil.example:PORT",
        "localhost:PORT",
        "LOCALHOST:PORT",
        "parlor.local:PORT",
        "127.0.0.1.nip.example:PORT",
        "127.0.0.1.:PORT",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:1",
        "127.0.0.1:0PORT",
        "127.0.0.1:PORT, evil.example",
        "127.1:PORT",
        "127.0.0.2:PORT",
        "2130706433:PORT",
        "0x7f000001:PORT",
        "0177.0.0.1:PORT",
        "0.0.0.0:PORT",
        "[::1]:PORT",
        "[::ffff:127.0.0.1]:PORT",
        "user@127.0.0.1:PORT",
        "",
    ];
    let mut attempts = Vec::new();
    for host in hosts {
        attempts.push((host, Attempt::join().set("Host", host), 403, "FORBIDDEN_HOST"));
    }
    for (what, attempt) in [
        ("no Host", Attempt::join().without("Host")),
        ("two of them", Attempt::join().also("Host", "127.0.0.1:PORT")),
        ("another as the target", Attempt::join().line("POST http://evil.example:PORT/room/join HTTP/1.1")),
        ("said by a proxy", Attempt::join().set("Host", "evil.example").set("X-Forwarded-Host", "127.0.0.1:PORT")),
        ("a socket", Attempt::socket().set("Host", "evil.example:PORT")),
        ("the link", Attempt::enter().set("Host", "evil.example:PORT")),
        ("the page", Attempt::bare("GET / HTTP/1.1").set("Host", "evil.example:PORT")),
        ("a file of it", Attempt::bare("GET /icon.svg HTTP/1.1").set("Host", "evil.example:PORT")),
        ("who one is", Attempt::bare("GET /session HTTP/1.1").set("Host", "evil.example:PORT")),
        (
            "all of the rebound page's own",
            Attempt::join().set("Host", "evil.example:PORT").set("Origin", "http://evil.example:PORT"),
        ),
        ("HTTP/1.0", Attempt::members().line("GET /room/members HTTP/1.0").without("Host")),
    ] {
        attempts.push((what, attempt, 403, "FORBIDDEN_HOST"));
    }
    refused(attempts).await;
}

/// A page of another port of the same address is sent with the cookie, since browsers call it the same site. It is as foreign
/// as any other.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_elsewhere_are_refused() {
    let mut attempts = Vec::new();
    for origin in [
        "http://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "http://localhost:PORT",
        "https://127.0.0.1:PORT",
        "http://127.0.0.1:PORT/",
        "http://127.0.0.1:PORT.evil.example",
        "null",
        "",
    ] {
        attempts.push((origin, Attempt::join().set("Origin", origin), 403, "FORBIDDEN_ORIGIN"));
        attempts.push((origin, Attempt::members().set("Origin", origin), 403, "FORBIDDEN_ORIGIN"));
        attempts.push((origin, Attempt::socket().set("Origin", origin), 403, "FORBIDDEN_ORIGIN"));
        attempts.push((origin, Attempt::enter().set("Origin", origin), 403, "FORBIDDEN_ORIGIN"));
    }
    for site in ["cross-site", "same-site", "anything", ""] {
        attempts.push((site, Attempt::join().set("Sec-Fetch-Site", site), 403, "FORBIDDEN_ORIGIN"));
        attempts.push((site, Attempt::members().set("Sec-Fetch-Site", site), 403, "FORBIDDEN_ORIGIN"));
        let opened = Attempt::bare("GET / HTTP/1.1").set("Sec-Fetch-Site", site).set("Sec-Fetch-Mode", "navigate");
        attempts.push((site, opened.clone().set("Sec-Fetch-Dest", "iframe"), 403, "FORBIDDEN_ORIGIN"));
        attempts.push((site, opened.set("Sec-Fetch-Mode", "no-cors"), 403, "FORBIDDEN_ORIGIN"));
        let read = Attempt::members().set("Sec-Fetch-Site", site).set("Sec-Fetch-Mode", "navigate");
        attempts.push((site, read.set("Sec-Fetch-Dest", "document"), 403, "FORBIDDEN_ORIGIN"));
    }
    let preflight = Attempt::bare("OPTIONS /room/join HTTP/1.1").set("Access-Control-Request-Method", "POST");
    for (what, attempt) in [
        ("a write that says nothing of where from", Attempt::join().without("Origin")),
        ("a socket that says nothing of where from", Attempt::socket().without("Origin")),
        ("the link from nowhere", Attempt::enter().without("Origin")),
        ("two origins", Attempt::join().also("Origin", "http://127.0.0.1:PORT")),
        ("a preflight", preflight.clone().set("Origin", "http://evil.example")),
        ("a preflight from nowhere", preflight),
    ] {
        attempts.push((what, attempt, 403, "FORBIDDEN_ORIGIN"));
    }
    refused(attempts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_come_in_is_refused() {
    let other = Shared::start().await;
    let (name, key) = other.cookie.split_once('=').expect("a cookie");
    let here = "parlor-guest-PORT";
    let api = format!("Bearer {TOKEN}");
    let mut attempts = Vec::new();
    for route in GUEST_ROUTES.iter().filter(|route| !route.open) {
        let attempt = Attempt::bare(&format!("{} {} HTTP/1.1", route.method, route.path)).without("Cookie");
        let attempt = attempt.set("Origin", "http://127.0.0.1:PORT").json("{}");
        attempts.push((route.path, attempt, 401, "UNAUTHORIZED"));
    }
    assert_eq!(attempts.len(), GUEST_ROUTES.len() - 2, "all but how one comes in");
    let without = || Attempt::join().without("Cookie");
    for (what, attempt) in [
        ("the cookie of another listener", Attempt::join().set("Cookie", &other.cookie)),
        ("its key by our name", Attempt::join().set("Cookie", &format!("{here}={key}"))),
        ("both names", Attempt::join().set("Cookie", &format!("{name}={key}; {here}={key}"))),
        ("an empty one", Attempt::join().set("Cookie", &format!("{here}="))),
        ("the same twice", Attempt::join().set("Cookie", "COOKIE; COOKIE")),
        ("in two headers", Attempt::join().also("Cookie", "COOKIE")),
        ("one that a page of another port added", Attempt::join().set("Cookie", &format!("COOKIE; {here}=x"))),
        ("one that came first", Attempt::join().set("Cookie", &format!("{here}=x; COOKIE"))),
        ("more of it", Attempt::join().set("Cookie", "COOKIEx")),
        ("the link as a cookie", Attempt::join().set("Cookie", &format!("{here}=LINK"))),
        ("the link as a bearer", without().set("Authorization", "Bearer LINK")),
        ("the token of the local API", without().set("Authorization", &api)),
        ("the link in the query", without().line("POST /room/join?token=LINK HTTP/1.1")),
        ("the cookie in the query", without().line("POST /room/join?COOKIE HTTP/1.1")),
        ("a user of the local API", without().set("Authorization", &api).set("Parlor-User", "visitor")),
        ("a socket", Attempt::socket().without("Cookie")),
        (
            "a socket with a subprotocol",
            Attempt::socket()
                .without("Cookie")
                .set("Sec-WebSocket-Protocol", &format!("parlor.v1, parlor.bearer.{TOKEN}")),
        ),
        (
            "a socket with the link",
            Attempt::socket().without("Cookie").set("Sec-WebSocket-Protocol", "parlor.v1, parlor.bearer.LINK"),
        ),
    ] {
        attempts.push((what, attempt, 401, "UNAUTHORIZED"));
    }
    refused(attempts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_link_is_refused() {
    let said = |body: &str| Attempt::enter().json(body);
    refused(vec![
        ("nothing", said(""), 401, "UNAUTHORIZED"),
        ("an empty one", said("{\"token\":\"\"}"), 401, "UNAUTHORIZED"),
        ("more of it", said("{\"token\":\"LINKa\"}"), 401, "UNAUTHORIZED"),
        ("with space around it", said("{\"token\":\" LINK\"}"), 401, "UNAUTHORIZED"),
        ("the token of the local API", said(&format!("{{\"token\":\"{TOKEN}\"}}")), 401, "UNAUTHORIZED"),
        ("in the query", said("").line("POST /enter?token=LINK HTTP/1.1"), 401, "UNAUTHORIZED"),
        ("in the path", said("").line("POST /enter/aaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1"), 404, "NOT_FOUND"),
        ("to read it", Attempt::enter().line("GET /enter?token=LINK HTTP/1.1"), 405, "METHOD_NOT_ALLOWED"),
        ("as a header", said("").set("Authorization", "Bearer LINK"), 401, "UNAUTHORIZED"),
        ("by another name", said("{\"ticket\":\"LINK\"}"), 400, "INVALID_TICKET"),
        ("as a list", said("{\"token\":[\"LINK\"]}"), 400, "INVALID_TICKET"),
        ("null", said("{\"token\":null}"), 400, "INVALID_TICKET"),
        (
            "a form",
            said("token=LINK").set("Content-Type", "application/x-www-form-urlencoded"),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            "a form that is JSON",
            said("{\"token\":\"LINK\"}").set("Content-Type", "text/plain"),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_that_lead_elsewhere_are_refused() {
    let paths = [
        "/rooms",
        "/rooms/r/members",
        "/rooms/other/join",
        "/room",
        "/room/",
        "/room/events",
        "/room/share",
        "/room/ticket",
        "/room/members/",
        "/room/members/other",
        "//room/members",
        "/room//members",
        "/./room/members",
        "/room/../room/members",
        "/room/../../rooms/r/members",
        "/room/%2e%2e/rooms/r/members",
        "/room/..%2f..%2frooms%2fr%2fmembers",
        "/%72oom/members",
        "/room%2fmembers",
        "/ROOM/members",
        "/room/members;a=b",
        "/room/members%00",
        "/assets/",
        "/assets/../index.html",
        "/assets/..%2findex.html",
        "/..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%5c..%5cwindows",
        "/index.html",
        "/guest.html",
        "/more.txt",
        "/peers",
        "/profile",
        "/profile/identity",
        "/tickets",
        "/network/check",
        "/diagnostics",
        "/metrics",
        "/openapi.json",
        "/healthz",
        "/inspect",
        "/lab",
        "/api.json",
    ];
    let mut attempts: Vec<_> =
        paths.iter().map(|path| (*path, Attempt::bare(&format!("GET {path} HTTP/1.1")), 404, "NOT_FOUND")).collect();
    for path in
        ["/rooms/other/join", "/rooms/r/leave", "/room/access/other", "/room/join/other", "/peers", "/rooms/r/share"]
    {
        attempts.push((path, Attempt::join().line(format!("POST {path} HTTP/1.1")), 404, "NOT_FOUND"));
    }
    let long = "a".repeat(5_000);
    attempts.extend([
        ("to change who may do what", Attempt::join().line("POST /room/access HTTP/1.1"), 405, "METHOD_NOT_ALLOWED"),
        ("to forget", Attempt::join().line("DELETE /room/board HTTP/1.1"), 405, "METHOD_NOT_ALLOWED"),
        ("a page is read only", Attempt::join().line("POST / HTTP/1.1"), 405, "METHOD_NOT_ALLOWED"),
        ("a socket without asking for one", Attempt::bare("GET /room/ws HTTP/1.1"), 405, "METHOD_NOT_ALLOWED"),
        ("a long path", Attempt::bare(&format!("GET /{long} HTTP/1.1")), 413, "PAYLOAD_TOO_LARGE"),
        ("a long query", Attempt::bare(&format!("GET /room/members?cursor={long} HTTP/1.1")), 413, "PAYLOAD_TOO_LARGE"),
    ]);
    refused(attempts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_much_or_not_a_guests_are_refused() {
    let long = "x".repeat(80 * 1024);
    let chunked = format!("{:x}\r\n{{\"presence\":{{\"a\":\"{long}\"}}}}\r\n0\r\n\r\n", long.len() + 22);
    let declared = |length: &str| Attempt::join().json("").set("Content-Length", length);
    refused(vec![
        ("ten gigabytes that never come", declared("10000000000"), 413, "PAYLOAD_TOO_LARGE"),
        ("one byte too many", declared("65537"), 413, "PAYLOAD_TOO_LARGE"),
        ("in one chunk", Attempt::join().json(&chunked).set("Transfer-Encoding", "chunked"), 413, "PAYLOAD_TOO_LARGE"),
        (
            "many headers",
            (0..80).fold(Attempt::join(), |a, n| a.also(&format!("X-{n}"), "a")),
            413,
            "PAYLOAD_TOO_LARGE",
        ),
        ("compressed", Attempt::join().set("Content-Encoding", "gzip"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("a form", Attempt::join().set("Content-Type", "text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("no type", Attempt::join().without("Content-Type"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        // A ticket has addresses, which this peer would dial.
        ("a ticket", Attempt::join().json("{\"ticket\":\"parlor:a\"}"), 400, "INVALID_PRESENCE"),
        ("more than one member", Attempt::join().json("{\"memberId\":\"desk\"}"), 400, "INVALID_PRESENCE"),
        ("to outlive oneself", Attempt::join().json("{\"presenceTtlSeconds\":3600}"), 400, "INVALID_PRESENCE"),
        (
            "a colour that is none",
            Attempt::join().line("POST /session HTTP/1.1").json("{\"color\":\"red\"}"),
            400,
            "INVALID_PRESENCE",
        ),
        (
            "a name that is none",
            Attempt::join().line("POST /session HTTP/1.1").json("{\"name\":\" \"}"),
            400,
            "INVALID_PRESENCE",
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_tries_the_link_often_has_to_wait() {
    let shared = Shared::start().await;
    let guess = Attempt::enter().json("{\"token\":\"aaaaaaaaaaaaaaaaaaaaaaaaaa\"}");
    let codes: Vec<u16> = (0..40).map(|_| guess.send(&shared).status).collect();
    assert!(codes.contains(&401) && codes.ends_with(&[429, 429, 429]), "{codes:?}");
    assert_eq!(Attempt::members().send(&shared).status, 200, "who is in is not kept out by it");
    let refused = shared.share().await["refused"].clone();
    let sum = ["UNAUTHORIZED", "RATE_LIMITED"].map(|code| refused[code].as_u64().unwrap_or_default());
    assert_eq!(sum[0] + sum[1], 40, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_without_coming_in_has_to_wait() {
    let shared = Shared::start().await;
    let mut last = 200;
    for _ in 0..2_000 {
        last = answer(shared.peer.http.get(shared.url("/session"))).await.status;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    assert_eq!(shared.get("/session").await.status, 200, "who is in is not kept out by it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_asks_without_end_has_to_wait() {
    let shared = Shared::start().await;
    let (_, calm) = shared.enter().await;
    let mut last = 200;
    for _ in 0..2_000 {
        last = shared.get("/session").await.status;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    shared.post_as(&calm, "/room/join", json!({})).await.ok();

    let mut sockets = Vec::new();
    for _ in 0..4 {
        sockets.push(shared.socket(&calm).await.expect("a socket"));
    }
    let fifth = shared.socket(&calm).await.expect_err("one too many");
    assert!(matches!(fifth, SocketError::Http(answer) if answer.status() == 429));

    // A socket that says too much is closed, and what was too much is the browser's.
    let mut loud = sockets.remove(0);
    let nonsense = Message::text(json!({"type": "ack", "seq": 0}).to_string());
    let end = tokio::time::timeout(PATIENCE, async {
        loop {
            if loud.send(nonsense.clone()).await.is_err() {
                return None;
            }
            match futures::future::poll_immediate(loud.next()).await {
                Some(Some(Ok(Message::Close(frame)))) => return frame.map(|frame| u16::from(frame.code)),
                Some(None | Some(Err(_))) => return None,
                _ => {}
            }
        }
    });
    assert!(matches!(end.await.expect("in time"), Some(1008) | None));
    sockets.clear();
    eventually("it may speak again after a moment", async || {
        let mut socket = shared.socket(&calm).await.ok()?;
        socket.send(Message::text(json!({"type": "presence", "id": 1, "presence": {}}).to_string())).await.ok()?;
        while let Some(Ok(message)) = socket.next().await {
            if message.to_text().is_ok_and(|text| text.contains("\"result\"")) {
                return Some(());
            }
        }
        None
    })
    .await;
}

/// The listener lets in 32 browsers. Who has been away for a minute makes place; who is here does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_room_has_place_for_so_many_browsers() {
    let shared = Shared::start().await;
    let mut welcome = 1;
    // From other addresses of this computer, since one address may not come in so often.
    for host in 2..60_u8 {
        let mut stream = from(host, shared.addr).await.expect("a connection");
        let body = json!({"token": shared.token}).to_string();
        let head = format!(
            "POST /enter HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nContent-Type: application/json\r\nConnection: \
             close\r\nContent-Length: {1}\r\n\r\n{body}",
            shared.addr,
            body.len()
        );
        stream.set_read_timeout(Some(PATIENCE)).expect("a deadline");
        stream.write_all(head.as_bytes()).expect("sent");
        let said = heard(&mut stream);
        if said.status != 200 {
            assert_eq!((said.status, said.code.as_str(), welcome), (429, "RATE_LIMITED", 32), "{}", said.text);
            let body: Value = serde_json::from_str(said.text.split_once("\r\n\r\n").expect("a body").1).expect("JSON");
            assert_eq!((&body["limit"], &body["max"]), (&json!("guests"), &json!(32)));
            return;
        }
        welcome += 1;
    }
    panic!("{welcome} were let in");
}

/// Connects from an address of loopback.
async fn from(host: u8, to: std::net::SocketAddr) -> std::io::Result<TcpStream> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind((std::net::Ipv4Addr::new(127, 0, 0, host), 0).into())?;
    let stream = socket.connect(to).await?.into_std()?;
    stream.set_nonblocking(false)?;
    Ok(stream)
}
