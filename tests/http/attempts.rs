//! What a web page, or a program without the token, may try (design A10). Each attempt is a request that would be
//! answered, but for one thing; it is refused with a code of design A9, and nothing of it happens. What is no request at
//! all has no code: it is refused by status, and the connection is closed.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::fixture::{PATIENCE, Peer, TOKEN};

/// A request, byte for byte; PORT stands for ours wherever it is written.
#[derive(Clone)]
struct Request {
    line: String,
    host: String,
    token: String,
    headers: Vec<String>,
    content_type: String,
    length: String,
    body: String,
}

impl Request {
    /// To join the room `r`, with all that is needed.
    fn join() -> Self {
        Self {
            line: "POST /rooms/r/join HTTP/1.1".into(),
            host: "Host: 127.0.0.1:PORT".into(),
            token: format!("Authorization: Bearer {TOKEN}"),
            headers: Vec::new(),
            content_type: "Content-Type: application/json".into(),
            length: "Content-Length: 2".into(),
            body: "{}".into(),
        }
    }

    /// To see who is in the room `r`.
    fn members() -> Self {
        Self::bare("GET /rooms/r/members HTTP/1.1")
    }

    fn bare(line: &str) -> Self {
        let nothing = String::new;
        Self { line: line.into(), content_type: nothing(), length: nothing(), body: nothing(), ..Self::join() }
    }

    /// To open the room's WebSocket, as a browser does it.
    fn socket() -> Self {
        let headers = [
            "Connection: close, Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            &format!("Sec-WebSocket-Protocol: parlor.v1, parlor.bearer.{TOKEN}"),
            "Origin: http://127.0.0.1:PORT",
        ];
        let headers = headers.map(str::to_owned).to_vec();
        Self { token: String::new(), headers, ..Self::bare("GET /rooms/r/ws HTTP/1.1") }
    }

    fn with(mut self, header: impl Into<String>) -> Self {
        self.headers.push(header.into());
        self
    }

    fn line(self, line: impl Into<String>) -> Self {
        Self { line: line.into(), ..self }
    }

    fn host(self, host: impl Into<String>) -> Self {
        Self { host: host.into(), ..self }
    }

    fn token(self, token: impl Into<String>) -> Self {
        Self { token: token.into(), ..self }
    }

    fn content_type(self, content_type: impl Into<String>) -> Self {
        Self { content_type: content_type.into(), ..self }
    }

    fn body(self, length: &str, body: impl Into<String>) -> Self {
        Self { length: length.into(), body: body.into(), ..self }
    }

    /// Another header in the place of the one with the same name.
    fn instead(mut self, header: &str) -> Self {
        let name = header.split(':').next().expect("a name");
        self.headers.retain(|other| !other.starts_with(&format!("{name}:")));
        if header.contains(':') { self.with(header) } else { self }
    }

    fn bytes(&self, port: u16) -> Vec<u8> {
        let mut lines = vec![&self.line, &self.host, &self.token];
        lines.extend(&self.headers);
        lines.extend([&self.content_type, &self.length]);
        let mut text = String::new();
        for line in lines.into_iter().filter(|line| !line.is_empty()) {
            text.push_str(line);
            text.push_str("\r\n");
        }
        if !self.headers.iter().any(|header| header.starts_with("Connection:")) {
            text.push_str("Connection: close\r\n");
        }
        (text + "\r\n" + &self.body).replace("PORT", &port.to_string()).into_bytes()
    }
}

/// What came back before the server closed, or agreed to a WebSocket.
pub struct Said {
    pub status: u16,
    pub code: String,
    pub text: String,
}

/// Sends bytes and listens to the end. A server that refuses may close before it has read all.
pub fn say(peer: &Peer, bytes: &[u8]) -> Said {
    let mut stream = TcpStream::connect(peer.server.addr).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a deadline");
    let _ = stream.write_all(bytes);
    heard(&mut stream)
}

pub fn heard(stream: &mut TcpStream) -> Said {
    let mut all = Vec::new();
    let mut some = [0; 4096];
    while !all.starts_with(b"HTTP/1.1 101") {
        match stream.read(&mut some) {
            Ok(0) => break,
            Ok(read) => all.extend(&some[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => {
                panic!("it was neither answered nor closed: {error}; so far {}", String::from_utf8_lossy(&all))
            }
        }
    }
    let text = String::from_utf8_lossy(&all).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    Said { status, code: body["code"].as_str().unwrap_or_default().into(), text }
}

/// Makes all attempts and says which were not answered as they should be; then looks whether any of them did something.
async fn refused(attempts: Vec<(&str, Request, u16, &str)>) {
    let peer = Peer::start().await;
    let mut wrong = Vec::new();
    for (what, request, status, code) in attempts {
        let said = say(&peer, &request.bytes(peer.server.addr.port()));
        if (said.status, said.code.as_str()) != (status, code) {
            wrong.push(format!("{what}: {status} {code} expected, but\n{}\n", said.text));
        }
        let head = said.text.to_ascii_lowercase();
        let problem = head.contains("content-type: application/problem+json");
        assert_eq!(problem, !code.is_empty(), "{what}: {}", said.text);
        assert!(!head.contains("access-control-"), "{what}: {}", said.text);
        assert!(!said.text.contains(TOKEN), "{what}: {}", said.text);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(peer.get("/rooms").await.ok(), json!({"rooms": []}), "none of them did anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_would_be_answered_but_for_one_thing() {
    let peer = Peer::start().await;
    let port = peer.server.addr.port();
    for request in [
        Request::join(),
        Request::members(),
        Request::join().host("Host: LocalHost:PORT").with("Origin: http://localhost:PORT"),
        Request::join().host("Host: [::1]:PORT").with("Sec-Fetch-Site: same-origin"),
        Request::join().line("POST http://127.0.0.1:PORT/rooms/r/join HTTP/1.1"),
        Request::join().body("Transfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n"),
        Request::join().with("Expect: 100-continue").with("Content-Encoding: identity"),
    ] {
        let said = say(&peer, &request.bytes(port));
        assert!(said.text.contains("HTTP/1.1 200 OK\r\n"), "{}", said.text);
    }
    assert_eq!(say(&peer, &Request::socket().bytes(port)).status, 101);
}

/// A name of the attacker's that was made to lead here is still the attacker's name.
#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_not_ours_are_refused() {
    let hosts = [
        "evil.example:PORT",
        "127.0.0.1.evil.example:PORT",
        "evil.example:PORT, 127.0.0.1:PORT",
        "localhost.:PORT",
        "127.0.0.1.:PORT",
        "localhost.localdomain:PORT",
        "localhost:PORT.evil.example",
        "127.0.0.1",
        "localhost",
        "127.0.0.1:",
        "127.0.0.1:1",
        "127.0.0.1:0PORT",
        "127.0.0.1:+PORT",
        "127.0.0.1:PORT0",
        "127.1:PORT",
        "127.0.0.2:PORT",
        "0.0.0.0:PORT",
        "0:PORT",
        "2130706433:PORT",
        "0x7f000001:PORT",
        "0177.0.0.1:PORT",
        "[::]:PORT",
        "[0:0:0:0:0:0:0:1]:PORT",
        "[::ffff:127.0.0.1]:PORT",
        "[::1%lo]:PORT",
        "[::1%25lo]:PORT",
        "::1:PORT",
        "[::1]",
        "user@127.0.0.1:PORT",
        "127.0.0.1:PORT@evil.example",
        "127.0.0.1:PORT/",
        "http://127.0.0.1:PORT",
        "",
    ];
    let mut attempts: Vec<_> = hosts
        .iter()
        .map(|host| (*host, Request::join().host(format!("Host: {host}")), 403, "FORBIDDEN_HOST"))
        .collect();
    let good = "Host: 127.0.0.1:PORT";
    attempts.extend([
        ("no Host", Request::join().host(""), 403, "FORBIDDEN_HOST"),
        ("two hosts", Request::join().with("Host: evil.example:PORT"), 403, "FORBIDDEN_HOST"),
        ("the same twice", Request::join().with(good), 403, "FORBIDDEN_HOST"),
        (
            "another as the target",
            Request::join().line("POST http://evil.example:PORT/rooms/r/join HTTP/1.1"),
            403,
            "FORBIDDEN_HOST",
        ),
        (
            "ours as the target, another as Host",
            Request::join().line("POST http://127.0.0.1:PORT/rooms/r/join HTTP/1.1").host("Host: evil.example:PORT"),
            403,
            "FORBIDDEN_HOST",
        ),
        (
            "a person in the target",
            Request::join().line("POST http://a:b@127.0.0.1:PORT/rooms/r/join HTTP/1.1"),
            403,
            "FORBIDDEN_HOST",
        ),
        (
            "another port as the target",
            Request::join().line("POST http://127.0.0.1:1/rooms/r/join HTTP/1.1"),
            403,
            "FORBIDDEN_HOST",
        ),
        ("HTTP/1.0 without Host", Request::join().line("POST /rooms/r/join HTTP/1.0").host(""), 403, "FORBIDDEN_HOST"),
        (
            "HTTP/1.0 of another name",
            Request::join().line("POST /rooms/r/join HTTP/1.0").host("Host: evil.example:PORT"),
            403,
            "FORBIDDEN_HOST",
        ),
        (
            "said by a proxy",
            Request::join().host("Host: evil.example:PORT").with("X-Forwarded-Host: 127.0.0.1:PORT"),
            403,
            "FORBIDDEN_HOST",
        ),
        ("a socket", Request::socket().host("Host: evil.example:PORT"), 403, "FORBIDDEN_HOST"),
        (
            "what needs no token",
            Request::bare("GET /healthz HTTP/1.1").host("Host: evil.example:PORT"),
            403,
            "FORBIDDEN_HOST",
        ),
        ("a page", Request::bare("GET / HTTP/1.1").host("Host: evil.example:PORT"), 403, "FORBIDDEN_HOST"),
        ("what is not there", Request::bare("GET /no HTTP/1.1").host("Host: evil.example"), 403, "FORBIDDEN_HOST"),
    ]);
    refused(attempts).await;
}

/// Another port of this computer is another site, as is the same port without `http`.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_elsewhere_are_refused() {
    let mut attempts = Vec::new();
    for origin in [
        "http://evil.example",
        "http://evil.example:PORT",
        "null",
        "",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "http://127.0.0.1:3000",
        "http://localhost:PORT",
        "https://127.0.0.1:PORT",
        "http://127.0.0.1:PORT/",
        "http://127.0.0.1:PORT.evil.example",
        "http://127.0.0.1:PORT http://evil.example",
        "http://[::1]:PORT",
        "127.0.0.1:PORT",
        "file://",
        "chrome-extension://abcdefghijklmnop",
        "tauri://localhost",
    ] {
        let header = format!("Origin: {origin}");
        attempts.push((origin, Request::join().with(&header), 403, "FORBIDDEN_ORIGIN"));
        attempts.push((origin, Request::members().with(&header), 403, "FORBIDDEN_ORIGIN"));
        attempts.push((origin, Request::socket().instead(&header), 403, "FORBIDDEN_ORIGIN"));
    }
    for site in ["cross-site", "same-site", "Cross-Site", "same-origin, cross-site", ""] {
        let header = format!("Sec-Fetch-Site: {site}");
        attempts.push((site, Request::join().with(&header), 403, "FORBIDDEN_ORIGIN"));
        attempts.push((site, Request::socket().instead("Origin").with(&header), 403, "FORBIDDEN_ORIGIN"));
        attempts.push((site, Request::bare("GET / HTTP/1.1").with(&header), 403, "FORBIDDEN_ORIGIN"));
    }
    let ours = "Origin: http://127.0.0.1:PORT";
    attempts.extend([
        ("two origins", Request::join().with(ours).with("Origin: http://evil.example"), 403, "FORBIDDEN_ORIGIN"),
        (
            "ours and from elsewhere",
            Request::join().with(ours).with("Sec-Fetch-Site: cross-site"),
            403,
            "FORBIDDEN_ORIGIN",
        ),
        (
            "a preflight",
            Request::bare("OPTIONS /rooms/r/join HTTP/1.1")
                .token("")
                .with("Origin: http://evil.example")
                .with("Access-Control-Request-Method: POST")
                .with("Access-Control-Request-Headers: authorization")
                .with("Access-Control-Request-Private-Network: true"),
            403,
            "FORBIDDEN_ORIGIN",
        ),
    ]);
    refused(attempts).await;
}

/// What a page of elsewhere can have sent without being asked first, if it had the token.
#[tokio::test(flavor = "multi_thread")]
async fn forms_are_refused() {
    let types = [
        "text/plain",
        "text/plain; charset=application/json",
        "text/plain;application/json",
        "text/plain; boundary=application/json",
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; application/json",
        "multipart/form-data; boundary=application/json",
        "multipart/form-data",
        "application/json, text/plain",
        "text/plain, application/json",
        "application/jsonp",
        "application/json+x",
        "application/problem+json",
        "application",
        "json",
        "*/*",
        ";application/json",
        "",
    ];
    let mut attempts = Vec::new();
    for declared in types {
        let header = format!("Content-Type: {declared}");
        attempts.push((declared, Request::join().content_type(&header), 415, "UNSUPPORTED_MEDIA_TYPE"));
        let empty = Request::join().content_type(&header).body("Content-Length: 0", "");
        attempts.push((declared, empty, 415, "UNSUPPORTED_MEDIA_TYPE"));
    }
    let form = Request::join().content_type("Content-Type: application/x-www-form-urlencoded");
    attempts.extend([
        ("no type", Request::join().content_type(""), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (
            "no type, chunked",
            Request::join().content_type("").body("Transfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n"),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        ("two types", Request::join().with("Content-Type: text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("a form that forgets", form.clone().line("DELETE /rooms/r HTTP/1.1"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("a form that dials", form.line("POST /peers HTTP/1.1"), 415, "UNSUPPORTED_MEDIA_TYPE"),
    ]);
    refused(attempts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_token_is_refused() {
    let (head, tail) = TOKEN.split_at(TOKEN.len() - 1);
    let values = [
        String::new(),
        TOKEN.to_owned(),
        "Bearer".into(),
        "Bearer ".into(),
        format!("Bearer {head}"),
        format!("Bearer {tail}"),
        format!("Bearer {TOKEN}x"),
        format!("Bearer x{TOKEN}"),
        format!("Bearer {}", TOKEN.to_uppercase()),
        format!("Bearer {TOKEN} {TOKEN}"),
        format!("Bearer {TOKEN},"),
        format!("Bearer \"{TOKEN}\""),
        format!("Bearer={TOKEN}"),
        format!("Bearer\t{TOKEN}"),
        format!("Bearer {head} {tail}"),
        format!("Basic {TOKEN}"),
        format!("Token {TOKEN}"),
        format!("Bearer Bearer {TOKEN}"),
        "Bearer *".into(),
        "Bearer null".into(),
        "Bearer undefined".into(),
    ];
    let mut attempts: Vec<_> = values
        .iter()
        .map(|value| (&**value, Request::join().token(format!("Authorization: {value}")), 401, "UNAUTHORIZED"))
        .collect();
    let none = Request::join().token("");
    let other = |header: String| (none.clone().with(header), 401, "UNAUTHORIZED");
    let named =
        |what: &'static str, (request, status, code): (Request, u16, &'static str)| (what, request, status, code);
    attempts.extend([
        ("none", none.clone(), 401, "UNAUTHORIZED"),
        ("two headers", Request::join().with(format!("Authorization: Bearer {TOKEN}")), 401, "UNAUTHORIZED"),
        ("right and wrong", Request::join().with("Authorization: Bearer x"), 401, "UNAUTHORIZED"),
        named("a cookie", other(format!("Cookie: token={TOKEN}; Authorization=Bearer {TOKEN}"))),
        named("a proxy's header", other(format!("Proxy-Authorization: Bearer {TOKEN}"))),
        named("another header", other(format!("X-Api-Key: {TOKEN}"))),
        named("a socket's way", other(format!("Sec-WebSocket-Protocol: parlor.bearer.{TOKEN}"))),
        (
            "the query",
            none.clone().line(format!("POST /rooms/r/join?token={TOKEN}&access_token={TOKEN} HTTP/1.1")),
            401,
            "UNAUTHORIZED",
        ),
        (
            "a person in the address",
            none.clone().line(format!("POST /rooms/r/join?authorization=Bearer%20{TOKEN} HTTP/1.1")),
            401,
            "UNAUTHORIZED",
        ),
        ("the body", none.clone().body("", format!("{{\"token\":\"{TOKEN}\"}}")), 401, "UNAUTHORIZED"),
        ("to forget", Request::bare("DELETE /rooms/r HTTP/1.1").token(""), 401, "UNAUTHORIZED"),
        (
            "a path that ends like a socket's",
            Request::bare("DELETE /rooms/ws HTTP/1.1")
                .token("")
                .with(format!("Sec-WebSocket-Protocol: parlor.bearer.{TOKEN}")),
            401,
            "UNAUTHORIZED",
        ),
    ]);
    for protocols in [
        "parlor.v1".to_owned(),
        "parlor.v1, parlor.bearer.".into(),
        format!("parlor.v1, parlor.bearer.{head}"),
        format!("parlor.v1, parlor.bearer.{TOKEN}x"),
        format!("parlor.v1, parlor.bearer {TOKEN}"),
        format!("parlor.v1, {TOKEN}"),
        format!("parlor.v1, PARLOR.BEARER.{TOKEN}"),
        format!("parlor.v1, parlor.bearer.{}", TOKEN.to_uppercase()),
    ] {
        let header = format!("Sec-WebSocket-Protocol: {protocols}");
        attempts.push(("a socket", Request::socket().instead(&header), 401, "UNAUTHORIZED"));
    }
    attempts.push((
        "a socket without subprotocols",
        Request::socket().instead("Sec-WebSocket-Protocol"),
        401,
        "UNAUTHORIZED",
    ));
    refused(attempts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_much_or_not_what_they_say_are_refused() {
    let long = "x".repeat(300 * 1024);
    let chunked = format!("{:x}\r\n{{\"presence\":{{\"a\":\"{long}\"}}}}\r\n0\r\n\r\n", long.len() + 22);
    let compressed = |coding: &str| Request::join().with(format!("Content-Encoding: {coding}"));
    refused(vec![
        (
            "ten gigabytes that never come",
            Request::join().body("Content-Length: 10000000000", ""),
            413,
            "PAYLOAD_TOO_LARGE",
        ),
        ("one byte too many", Request::join().body("Content-Length: 262145", ""), 413, "PAYLOAD_TOO_LARGE"),
        (
            "to be asked first",
            Request::join().with("Expect: 100-continue").body("Content-Length: 262145", ""),
            413,
            "PAYLOAD_TOO_LARGE",
        ),
        ("in one chunk", Request::join().body("Transfer-Encoding: chunked", chunked), 413, "PAYLOAD_TOO_LARGE"),
        (
            "where no body belongs",
            Request::bare("DELETE /rooms/r HTTP/1.1")
                .content_type("Content-Type: application/json")
                .body("Content-Length: 262145", ""),
            413,
            "PAYLOAD_TOO_LARGE",
        ),
        ("gzip", compressed("gzip"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("br", compressed("br"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("twice", compressed("identity, gzip"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("shorter than declared", Request::join().body("Content-Length: 1", "{}"), 400, "INVALID_JSON"),
        ("another encoding", Request::join().body("Content-Length: 4", "\0{\0}"), 400, "INVALID_JSON"),
        ("a form that looks like JSON", Request::join().body("Content-Length: 5", "{\"=\"}"), 400, "INVALID_JSON"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_that_lead_elsewhere_are_refused() {
    let read = |path: &str| Request::bare(&format!("GET {path} HTTP/1.1"));
    let long = "a".repeat(5000);
    let odd = [
        ("/rooms/../rooms/r/members", 404, "NOT_FOUND"),
        ("/../rooms", 404, "NOT_FOUND"),
        ("/./rooms", 404, "NOT_FOUND"),
        ("//rooms", 404, "NOT_FOUND"),
        ("/rooms//members", 400, "INVALID_ROOM_ID"),
        ("/rooms/r//members", 404, "NOT_FOUND"),
        ("/rooms/r/members/", 404, "NOT_FOUND"),
        ("/%72ooms", 404, "NOT_FOUND"),
        ("/rooms%2fr%2fmembers", 404, "NOT_FOUND"),
        ("/rooms;a=b", 404, "NOT_FOUND"),
        ("/..%2f..%2fetc%2fpasswd", 404, "NOT_FOUND"),
        ("/%2e%2e/%2e%2e/etc/passwd", 404, "NOT_FOUND"),
        ("/..%5c..%5cwindows", 404, "NOT_FOUND"),
        ("/api.json", 404, "NOT_FOUND"),
        ("/%00", 404, "NOT_FOUND"),
        ("/rooms/%2e/members", 400, "INVALID_ROOM_ID"),
        ("/rooms/%2e%2e/members", 400, "INVALID_ROOM_ID"),
        ("/rooms/.%2E/members", 400, "INVALID_ROOM_ID"),
        ("/rooms/a%00b/members", 400, "INVALID_ROOM_ID"),
        ("/rooms/a%0d%0aSet-Cookie:b/members", 400, "INVALID_ROOM_ID"),
        ("/rooms/%c0%ae%c0%ae/members", 400, "INVALID_ROOM_ID"),
        ("/rooms/%e0%80%ae/members", 400, "INVALID_ROOM_ID"),
        ("/rooms/%f0%80%80%ae/members", 400, "INVALID_ROOM_ID"),
        ("/rooms/%ff/members", 400, "INVALID_ROOM_ID"),
        ("/rooms/%ed%a0%80/members", 400, "INVALID_ROOM_ID"),
    ];
    let mut attempts: Vec<_> = odd.iter().map(|(path, status, code)| (*path, read(path), *status, *code)).collect();
    attempts.extend([
        ("a long path", read(&format!("/{long}")), 413, "PAYLOAD_TOO_LARGE"),
        ("a long name", read(&format!("/rooms/{long}/members")), 413, "PAYLOAD_TOO_LARGE"),
        ("a long query", read(&format!("/rooms/r/members?cursor={long}")), 413, "PAYLOAD_TOO_LARGE"),
        ("a longer path than any", read(&format!("/{}", "a".repeat(70_000))), 431, ""),
        ("a name in the place of a path", read("rooms"), 403, "FORBIDDEN_HOST"),
        ("a byte that is none", read("/rooms/\u{7f}\u{1}"), 400, ""),
    ]);
    refused(attempts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_that_are_not_meant_are_refused() {
    let mut attempts = Vec::new();
    for method in ["TRACE", "PUT", "PATCH", "DELETE", "PROPFIND", "OPTIONS", "GET", "post"] {
        let request = Request::join().line(format!("{method} /rooms/r/join HTTP/1.1"));
        attempts.push((method, request, 405, "METHOD_NOT_ALLOWED"));
    }
    for header in ["X-HTTP-Method-Override: POST", "X-HTTP-Method: POST", "X-Method-Override: POST"] {
        let request = Request::bare("GET /rooms/r/join?_method=POST HTTP/1.1").with(header);
        attempts.push((header, request, 405, "METHOD_NOT_ALLOWED"));
    }
    attempts.extend([
        ("a page is read only", Request::bare("TRACE /healthz HTTP/1.1"), 405, "METHOD_NOT_ALLOWED"),
        ("a socket without asking for one", Request::bare("GET /rooms/r/ws HTTP/1.1"), 405, "METHOD_NOT_ALLOWED"),
        ("a tunnel", Request::bare("CONNECT 127.0.0.1:PORT HTTP/1.1"), 404, "NOT_FOUND"),
        ("a tunnel to elsewhere", Request::bare("CONNECT evil.example:443 HTTP/1.1"), 403, "FORBIDDEN_HOST"),
        ("all", Request::bare("OPTIONS * HTTP/1.1"), 404, "NOT_FOUND"),
        ("none", Request::bare(" /rooms HTTP/1.1"), 400, ""),
        ("HTTP/2", Request::bare("PRI * HTTP/2.0"), 400, ""),
        ("HTTP/0.9", Request::bare("GET /rooms"), 400, ""),
    ]);
    refused(attempts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_are_too_much_are_refused() {
    let many = |count: usize| (0..count).fold(Request::join(), |request, n| request.with(format!("X-{n}: a")));
    refused(vec![
        ("many headers", many(100), 413, "PAYLOAD_TOO_LARGE"),
        ("more than are read", many(1000), 431, ""),
        ("one that is huge", Request::join().with(format!("X-A: {}", "a".repeat(100_000))), 431, ""),
        ("a name that is none", Request::join().with("X A: a"), 400, ""),
        ("a continued line", Request::join().with("X-A: a\r\n b: c"), 400, ""),
        ("a lone line feed in a value", Request::join().with("X-A: a\rb"), 400, ""),
        ("a name without a value", Request::join().with("X-A"), 400, ""),
    ])
    .await;
}

/// Whatever could be read in two ways is read in one, and nothing after it is taken for a request.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_hides_in_another() {
    let peer = Peer::start().await;
    let port = peer.server.addr.port();
    let hidden = String::from_utf8(Request::join().line("POST /rooms/hidden/join HTTP/1.1").bytes(port)).expect("text");
    let length = hidden.len() + 5;
    let keep = || Request::join().with("Connection: keep-alive");
    for (what, request, status) in [
        (
            "a length, then chunks",
            keep().body(&format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"), "0\r\n\r\n"),
            200,
        ),
        (
            "chunks, then a length",
            keep().body(&format!("Transfer-Encoding: chunked\r\nContent-Length: {length}"), "0\r\n\r\n"),
            200,
        ),
        ("two lengths", keep().body("Content-Length: 2\r\nContent-Length: 4", "{}"), 400),
        ("a list of lengths", keep().body("Content-Length: 2, 2", "{}"), 400),
        ("a signed length", keep().body("Content-Length: +2", "{}"), 400),
        ("a length in hex", keep().body("Content-Length: 0x2", "{}"), 400),
        ("a negative length", keep().body("Content-Length: -1", "{}"), 400),
        ("chunks of another kind", keep().body("Transfer-Encoding: xchunked", "0\r\n\r\n"), 400),
        ("chunks within another coding", keep().body("Transfer-Encoding: chunked, identity", "0\r\n\r\n"), 400),
        (
            "chunks by HTTP/1.0",
            keep().line("POST /rooms/r/join HTTP/1.0").body("Transfer-Encoding: chunked", "0\r\n\r\n"),
            400,
        ),
        ("a space before the colon", keep().body("Transfer-Encoding : chunked", "0\r\n\r\n"), 400),
        ("a chunk without a size", keep().body("Transfer-Encoding: chunked", "\r\n"), 400),
        ("a chunk of endless size", keep().body("Transfer-Encoding: chunked", "fffffffffffffffff\r\n"), 400),
    ] {
        let mut bytes = request.bytes(port);
        bytes.extend(hidden.as_bytes());
        let said = say(&peer, &bytes);
        assert_eq!(said.status, status, "{what}: {}", said.text);
        assert_eq!(said.text.matches("HTTP/1.1 ").count(), 1, "{what}: {}", said.text);
    }
    let rooms = peer.get("/rooms").await.ok().to_string();
    assert!(!rooms.contains("hidden"), "{rooms}");
}
