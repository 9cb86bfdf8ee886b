//! Connections that say little or nothing, and many of them (design A10, N10).

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use parlor_http::ConnectionLimits;
use reqwest::Method;
use serde_json::json;

use crate::attempts::heard;
use crate::fixture::{PATIENCE, Peer, TOKEN, eventually};

/// Long enough for a busy machine to send a head that is ready.
const SOON: Duration = Duration::from_secs(2);
const NEVER: Duration = Duration::from_secs(3600);

async fn peer(connections: usize, within: Duration) -> Peer {
    Peer::start_bounded(|_| {}, None, ConnectionLimits { connections, within, stalled: None }).await
}

fn connect(peer: &Peer) -> TcpStream {
    let stream = TcpStream::connect(peer.server.addr).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a deadline");
    stream
}

fn head(peer: &Peer, line: &str, rest: &str) -> String {
    let port = peer.server.addr.port();
    format!("{line} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\n{rest}\r\n")
}

/// Whether the other end has closed; looks without waiting.
fn is_closed(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).expect("a socket");
    let mut byte = [0];
    match (&mut &*stream).read(&mut byte) {
        Ok(0) => true,
        Ok(_) => panic!("nothing was asked"),
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_says_nothing_is_closed() {
    let peer = peer(8, SOON).await;
    let said = heard(&mut connect(&peer));
    assert_eq!(said.text, "");
    // Also one that was answered, and then says nothing more.
    let mut stream = connect(&peer);
    stream.write_all(head(&peer, "GET /rooms", "").as_bytes()).expect("sent");
    assert_eq!(heard(&mut stream).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_comes_byte_by_byte_has_a_deadline() {
    let peer = peer(8, SOON).await;
    let mut stream = connect(&peer);
    stream.set_read_timeout(Some(Duration::from_millis(20))).expect("a deadline");
    let started = Instant::now();
    let endless = head(&peer, "GET /rooms", "X-Slow: ").into_bytes();
    let mut bytes = endless[..endless.len() - 2].iter().copied().chain(std::iter::repeat(b'x'));
    loop {
        assert!(started.elapsed() < PATIENCE, "it may go on for ever");
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => panic!("an answer to what was never asked"),
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {}
            Err(_) => break,
        }
        if stream.write_all(&[bytes.next().expect("endless")]).is_err() {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stops_is_refused() {
    let peer = peer(8, SOON).await;
    for (declared, sent) in [("Content-Length: 100", "{"), ("Transfer-Encoding: chunked", "1\r\n{\r\n")] {
        let mut stream = connect(&peer);
        let rest = format!("Content-Type: application/json\r\n{declared}\r\n");
        let request = head(&peer, "POST /rooms/r/join", &rest) + sent;
        stream.write_all(request.as_bytes()).expect("sent");
        let said = heard(&mut stream);
        assert_eq!((said.status, said.code.as_str()), (400, "INVALID_JSON"), "{declared}: {}", said.text);
        assert!(said.text.contains("did not arrive"), "{}", said.text);
    }
    assert_eq!(peer.get("/rooms").await.ok(), json!({"rooms": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_are_bounded_and_starve_nobody() {
    let peer = peer(8, NEVER).await;
    let idle: Vec<TcpStream> = (0..40).map(|_| connect(&peer)).collect();
    for _ in 0..3 {
        let fresh = reqwest::Client::builder().no_proxy().build().expect("a client");
        let request = fresh.get(peer.url("/rooms")).bearer_auth(TOKEN).timeout(PATIENCE);
        assert_eq!(request.send().await.expect("an answer").status(), 200);
    }
    eventually("no more than eight stay open", async || {
        (idle.iter().filter(|stream| !is_closed(stream)).count() <= 8).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_shown_the_token_is_never_closed_for_another() {
    let peer = peer(2, NEVER).await;
    let mut stream = peer.request(Method::GET, "/rooms/r/events").send().await.expect("a stream");
    let mut socket = connect(&peer);
    let protocol = format!(
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \
         dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: parlor.v1, parlor.bearer.{TOKEN}\r\n"
    );
    let request = head(&peer, "GET /rooms/r/ws", &protocol).replace(&format!("Authorization: Bearer {TOKEN}\r\n"), "");
    socket.write_all(request.as_bytes()).expect("sent");
    assert_eq!(heard(&mut socket).status, 101);

    for _ in 0..20 {
        assert_eq!(heard(&mut connect(&peer)).text, "", "there is no place for a third");
    }
    // Both still get what happens.
    peer.live.room("r").join(parlor::Join::default()).await.expect("joined");
    let mut told = String::new();
    while !told.contains("event: joined") {
        let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await.expect("in time").expect("a stream");
        told.push_str(&String::from_utf8_lossy(&chunk.expect("more")));
    }
    drop(stream);
    eventually("the place of one that went is free", async || {
        let mut next = connect(&peer);
        next.write_all(head(&peer, "GET /rooms", "Connection: close\r\n").as_bytes()).ok()?;
        (heard(&mut next).status == 200).then_some(())
    })
    .await;
    assert!(socket.write(&[0x89, 0x80, 1, 2, 3, 4]).is_ok(), "the socket lives");
}
