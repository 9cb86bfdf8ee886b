//! Readers that stop reading (design A10): what they miss is bounded, whoever they are and however
//! many, and when they read again they have the newest. A program of its own, since it weighs its own process.

#[path = "../http/fixture.rs"]
#[expect(dead_code, reason = "more is in it than these tests need")]
mod fixture;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use futures::{SinkExt, StreamExt};
use parlor::{Join, PresenceChange, Room};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use fixture::{PATIENCE, Peer, TOKEN};

/// Readers of each kind.
const READERS: usize = 8;
/// What one update brings that nobody reads.
const BYTES: usize = 3_000;
/// Updates that fill what is kept for readers who are slow.
const FILLED: u64 = 3_000;
/// And so many more: sixty megabytes, for each reader if they were kept for it.
const MORE: u64 = 20_000;
/// What all of them may cost together meanwhile.
const MOST_MIB: u64 = 24;

/// Of this process.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}

async fn write(room: &Room, numbers: std::ops::RangeInclusive<u64>) {
    let filling = "x".repeat(BYTES / 2);
    for n in numbers {
        room.presence(PresenceChange::new(json!({"n": n, "a": filling, "b": filling}))).await.expect("taken");
    }
}

/// A stream of events of which only the head was read.
fn stream(peer: &Peer) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(peer.server.addr).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a deadline");
    let port = peer.server.addr.port();
    let head =
        format!("GET /rooms/r/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("sent");
    let mut byte = [0; 12];
    stream.read_exact(&mut byte).expect("an answer");
    assert_eq!(&byte, b"HTTP/1.1 200");
    BufReader::new(stream)
}

/// Reads on until the number is there; whether it was told that something is left out.
fn catch_up(mut stream: BufReader<TcpStream>, last: u64) -> bool {
    let (mut resync, mut line) = (false, Vec::new());
    loop {
        line.clear();
        assert!(stream.read_until(b'\n', &mut line).expect("more") > 0, "the stream ended");
        resync |= line.starts_with(b"event: resync");
        let Some(data) = line.strip_prefix(b"data: ") else { continue };
        let Ok(data) = serde_json::from_slice::<Value>(data) else { continue };
        let row = if data["type"] == "snapshot" { &data["members"][0] } else { &data["member"] };
        if row["presence"]["n"] == last {
            return resync;
        }
    }
}

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// A socket that nothing was read of.
async fn socket(peer: &Peer) -> Socket {
    let mut request = peer.url("/rooms/r/ws").replacen("http", "ws", 1).into_client_request().expect("a request");
    let protocols = format!("parlor.v1, parlor.bearer.{TOKEN}").parse().expect("a header");
    request.headers_mut().insert("sec-websocket-protocol", protocols);
    connect_async(request).await.expect("a socket").0
}

/// Reads and acknowledges until the number is there; how many bytes that took.
async fn take(mut socket: Socket, last: u64) -> usize {
    let mut bytes = 0;
    loop {
        let message = timeout(PATIENCE, socket.next()).await.expect("in time").expect("more").expect("a message");
        let Message::Text(text) = message else { continue };
        bytes += text.len();
        let batch: Value = serde_json::from_str(&text).expect("JSON");
        let events = batch["events"].as_array().into_iter().flatten();
        let rows = events.flat_map(|event| [&event["members"][0], &event["member"]]);
        let updates = batch["updates"].as_array().into_iter().flatten();
        if rows.chain(updates).any(|row| row["presence"]["n"] == last) {
            return bytes;
        }
        let ack = json!({"type": "ack", "seq": batch["seq"]}).to_string();
        socket.send(Message::Text(ack.into())).await.expect("sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_stop_reading_cost_little_and_come_back_to_the_newest() {
    let peer = Peer::start().await;
    let room = peer.live.room("r");
    room.join(Join::new()).await.expect("joined");
    let streams: Vec<_> = (0..READERS).map(|_| stream(&peer)).collect();
    let mut sockets = Vec::new();
    for _ in 0..READERS {
        sockets.push(socket(&peer).await);
    }

    write(&room, 1..=FILLED).await;
    let filled = resident_mib();
    write(&room, FILLED + 1..=FILLED + MORE).await;
    let grown = resident_mib().saturating_sub(filled);
    assert!(grown <= MOST_MIB, "{grown} MiB more for {} readers that read nothing", 2 * READERS);

    let last = FILLED + MORE;
    let caught_up = streams.into_iter().map(|stream| tokio::task::spawn_blocking(move || catch_up(stream, last)));
    for resync in futures::future::join_all(caught_up).await {
        assert!(resync.expect("the newest"), "what was left out was said");
    }
    for socket in sockets {
        let bytes = take(socket, last).await;
        assert!(bytes < 8 * BYTES, "{bytes} bytes to know the newest of one member");
    }
}
