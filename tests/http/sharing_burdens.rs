//! What a guest by browser may cost who shares a room (design A10, N10): what they write, say and do not read is bounded for
//! each and for all of them, and the others and the host have theirs all the while.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::attempts::heard;
use crate::fixture::{PATIENCE, Peer};
use crate::sharing::Shared;

/// So many notes with a text of so many bytes.
fn notes(turn: usize, count: usize, bytes: usize) -> Value {
    let note = |number| json!({"id": format!("n{turn}-{number}"), "x": 1, "y": 2, "text": "x".repeat(bytes)});
    json!({ "set": (0..count).map(note).collect::<Vec<_>>() })
}

/// Each field of a note is signed, kept and told to everybody, so it is cells that are counted and not requests.
#[tokio::test(flavor = "multi_thread")]
async fn who_writes_without_end_has_to_wait_and_nobody_else() {
    let shared = Shared::start().await;
    let (_, calm) = shared.enter().await;
    for cookie in [&shared.cookie, &calm] {
        shared.post_as(cookie, "/room/join", json!({})).await.ok();
    }
    let mut written = 0;
    let refused = loop {
        let answer = shared.post("/room/board", notes(written, 100, 1)).await;
        if answer.status != 200 {
            break answer;
        }
        written += 1;
        assert!(written < 40, "{written} times a hundred notes");
    };
    assert_eq!(refused.refused(429, "RATE_LIMITED")["recoverable"], true);
    assert!(written >= 3, "a hundred notes at once are nothing: {written}");
    let keys = |turn: usize| (0..60).map(|key| (format!("k{key}"), json!(turn))).collect::<serde_json::Map<_, _>>();
    let mut refused = 0;
    while refused == 0 {
        let answer = shared.post("/room/metadata", json!({ "metadata": keys(written) })).await;
        refused += u32::from(answer.status == 429);
        written += 1;
        assert!(written < 40, "{written} times sixty keys");
    }
    shared.post_as(&calm, "/room/board", notes(99, 100, 1)).await.ok();
    assert_eq!(shared.get("/room/board").await.status, 200, "reading is another thing");
    assert_eq!(shared.share().await["refused"], json!({"RATE_LIMITED": 2}));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_calls_without_end_leaves_the_host_its_voice() {
    let shared = Shared::start().await;
    shared.post("/room/join", json!({})).await.ok();
    shared.peer.post("/rooms/r/join", json!({})).await.ok();
    let wave = || json!({"type": "reaction", "data": "wave"});
    let mut said = 0;
    while shared.post("/room/messages", wave()).await.status == 200 {
        said += 1;
        assert!(said < 100);
    }
    assert!(said >= 8, "{said}");
    // Of what a session may say at once, which is both of theirs, half is left.
    for _ in 0..8 {
        shared.peer.post("/rooms/r/messages", wave()).await.ok();
    }
    shared.post("/room/messages", json!({"type": "chat", "data": "kept", "keep": true})).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_place_for_so_many_browsers() {
    let shared = Shared::start().await;
    for _ in 0..7 {
        shared.enter().await;
    }
    let ninth = shared.entered(&shared.token).await.expect_err("one too many");
    let body = ninth.refused(429, "RATE_LIMITED");
    assert_eq!((&body["limit"], &body["max"], &body["actual"]), (&json!("guests"), &json!(8), &json!(9)));
    shared.post("/enter", json!({"token": shared.token})).await.ok();
}

/// Whether a socket of its own is still answered after so many acknowledgements of nothing.
async fn may_say(shared: &Shared, cookie: &str, count: usize) -> bool {
    let mut socket = shared.socket(cookie).await.expect("a socket");
    for _ in 0..count {
        // Once it is closed, nothing more is sent.
        let _ = socket.feed(Message::text(json!({"type": "ack", "seq": 0}).to_string())).await;
    }
    let _ = socket.send(Message::text(json!({"type": "presence", "id": 1, "presence": {}}).to_string())).await;
    let answered = tokio::time::timeout(PATIENCE, async {
        while let Some(Ok(message)) = socket.next().await {
            if message.to_text().is_ok_and(|text| text.contains("\"result\"")) {
                return true;
            }
        }
        false
    });
    answered.await.expect("in time")
}

/// What a guest said too much of is not forgotten because another socket is opened.
#[tokio::test(flavor = "multi_thread")]
async fn another_socket_is_no_other_purse() {
    let shared = Shared::start().await;
    let (_, calm) = shared.enter().await;
    assert!(may_say(&shared, &shared.cookie, 590).await);
    assert!(!may_say(&shared, &shared.cookie, 590).await, "it has said nearly all that it may");
    assert!(may_say(&shared, &calm, 590).await, "the other has not");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_guest_is_short() {
    let shared = Shared::start().await;
    shared.post("/room/join", json!({})).await.ok();
    let message = |bytes: usize| {
        let text = json!({"type": "presence", "id": 1, "presence": {"cursor": 1}}).to_string();
        Message::text(format!("{text}{}", " ".repeat(bytes - text.len())))
    };
    for (bytes, taken) in [(31 * 1024, true), (33 * 1024, false)] {
        let mut socket = shared.socket(&shared.cookie).await.expect("a socket");
        // One that is too long may be noticed before all of it is sent.
        let _ = socket.send(message(bytes)).await;
        let answered = tokio::time::timeout(PATIENCE, async {
            while let Some(Ok(message)) = socket.next().await {
                if message.to_text().is_ok_and(|text| text.contains("\"result\"")) {
                    return true;
                }
            }
            false
        });
        assert_eq!(answered.await.expect("in time"), taken, "{bytes}");
    }
}

/// Asks for the board on a connection of its own, and reads nothing. The system takes in little for it.
async fn ask(shared: &Shared, cookie: &str) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(16 * 1024).expect("a small buffer");
    let stream = socket.connect(shared.addr).await.expect("a connection").into_std().expect("a stream");
    stream.set_nonblocking(false).expect("one that waits");
    let head = format!("GET /room/board HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n", shared.addr);
    (&stream).write_all(head.as_bytes()).expect("sent");
    stream
}

/// Reads no more than the beginning.
fn is_answered(mut stream: &TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).expect("a deadline");
    let mut first = [0; 12];
    stream.read_exact(&mut first).expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 200");
}

/// Answers that nobody reads are in memory, so a guest has two of them at most, and not for long.
#[tokio::test(flavor = "multi_thread")]
async fn who_reads_nothing_is_given_two_answers_and_then_hung_up_on() {
    let shared = Shared::start().await;
    let (_, calm) = shared.enter().await;
    shared.peer.post("/rooms/r/join", json!({})).await.ok();
    // More than the system keeps of a connection by itself.
    for turn in 0..40 {
        shared.peer.post("/rooms/r/board", notes(turn, 48, 4_000)).await.ok();
    }
    let stalled = [ask(&shared, &shared.cookie).await, ask(&shared, &shared.cookie).await];
    let whole = shared.peer.get("/rooms/r/board").await.ok().to_string().len();
    stalled.iter().for_each(is_answered);
    let third = shared.get("/session");
    let mut third = std::pin::pin!(third);
    let soon = tokio::time::timeout(Duration::from_secs(2), &mut third).await;
    assert!(soon.is_err(), "a third answer waits for its turn");
    for _ in 0..3 {
        let page =
            crate::fixture::answer(shared.peer.http.get(shared.url("/room/board")).header("Cookie", &calm)).await;
        assert_eq!(page.status, 200, "others have theirs");
    }
    assert_eq!(third.await.status, 200, "its turn comes when one of the others is given up");
    // With one more that is not read there is a turn left only when both are.
    let again = ask(&shared, &shared.cookie).await;
    is_answered(&again);
    assert_eq!(shared.get("/session").await.status, 200);
    for mut stream in stalled {
        let mut rest = Vec::new();
        // An end, or a reset.
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.len() < whole, "all of {whole} bytes came");
    }
}

/// Who was led to another address of this computer came by no link of ours, whatever they say.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_offered_is_nobodys() {
    let peer = Peer::start().await;
    let share = peer.post("/rooms/r/share", json!({"on": true, "port": 0, "address": "0.0.0.0"})).await.ok();
    let link = share["link"].as_str().expect("a link").to_owned();
    let name = link.trim_start_matches("http://").split('/').next().expect("a name").to_owned();
    let port: u16 = name.rsplit(':').next().expect("a port").parse().expect("a number");
    for (address, status) in [("127.0.0.1", 200), ("127.0.0.2", 403)] {
        let mut stream = TcpStream::connect((address, port)).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a deadline");
        let head = format!("GET /session HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("sent");
        assert_eq!(heard(&mut stream).status, status, "{address}");
    }
}
