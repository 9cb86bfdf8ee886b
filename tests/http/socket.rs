//! The WebSocket: batches under credit, presence writes, and answers to whatever else is sent.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::fixture::{PATIENCE, Peer, TOKEN};

pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

async fn connect(peer: &Peer, path: &str, protocols: &str) -> Result<(Socket, String), Error> {
    let mut request = peer.url(path).replacen("http", "ws", 1).into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", protocols.parse().expect("a header"));
    let (socket, response) = connect_async(request).await?;
    let chosen =
        response.headers().get("sec-websocket-protocol").and_then(|value| value.to_str().ok()).unwrap_or_default();
    Ok((Socket(socket), chosen.to_owned()))
}

impl Socket {
    pub async fn open(peer: &Peer, room: &str) -> Self {
        let (socket, chosen) =
            connect(peer, &format!("/rooms/{room}/ws"), &format!("parlor.v1, parlor.bearer.{TOKEN}"))
                .await
                .expect("a socket");
        assert_eq!(chosen, "parlor.v1", "the token is never echoed");
        socket
    }

    pub async fn say(&mut self, message: impl Into<String>) {
        self.0.send(Message::Text(message.into().into())).await.expect("sent");
    }

    async fn next(&mut self) -> Value {
        loop {
            match timeout(PATIENCE, self.0.next())
                .await
                .expect("a message in time")
                .expect("a message")
                .expect("a good one")
            {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Close(frame) => panic!("closed: {frame:?}"),
                _ => {}
            }
        }
    }

    /// The next answer, to whatever message.
    pub async fn any_result(&mut self) -> Value {
        loop {
            let message = self.next().await;
            if message["type"] == "result" {
                return message;
            }
        }
    }

    /// The answer to the message with this id; the batches before it are handed to `batch`.
    async fn result(&mut self, id: Value, mut batch: impl FnMut(Value)) -> Value {
        loop {
            let message = self.next().await;
            match message["type"].as_str() {
                Some("result") => {
                    assert_eq!(message["id"], id, "{message}");
                    return message;
                }
                _ => batch(message),
            }
        }
    }
}

#[tokio::test]
async fn batches_come_one_at_a_time_each_after_the_acknowledgement_of_the_last() {
    let peer = Peer::start().await;
    let mut socket = Socket::open(&peer, "r").await;
    let first = socket.next().await;
    assert_eq!((&first["type"], &first["events"][0]["type"]), (&json!("batch"), &json!("snapshot")));

    // Without an acknowledgement nothing more comes, whatever happens; the answer to a question shows that.
    peer.post("/rooms/r/join", json!({"presence": {"n": 0}})).await.ok();
    for n in 1..=20 {
        peer.post("/rooms/r/presence", json!({"presence": {"n": n}})).await.ok();
    }
    socket.say(json!({"type": "presence", "id": 1, "presence": {"n": 21}}).to_string()).await;
    let result = socket.result(json!(1), |batch| panic!("a batch without credit: {batch}")).await;
    assert_eq!(result, json!({"type": "result", "id": 1, "ok": true}));
    // An acknowledgement of something else is none.
    socket.say(json!({"type": "ack", "seq": first["seq"].as_u64().expect("a number") + 7}).to_string()).await;
    socket.say(json!({"type": "presence", "id": 2, "presence": {}}).to_string()).await;
    socket.result(json!(2), |batch| panic!("a batch without credit: {batch}")).await;

    socket.say(json!({"type": "ack", "seq": first["seq"]}).to_string()).await;
    let mut latest = Value::Null;
    while latest != 21 {
        let batch = socket.next().await;
        assert_eq!(batch["type"], "batch");
        let joined =
            batch["events"].as_array().expect("events").iter().filter_map(|event| event["member"]["presence"].get("n"));
        let updated =
            batch["updates"].as_array().expect("updates").iter().filter_map(|update| update["presence"].get("n"));
        latest = joined.chain(updated).last().cloned().unwrap_or(latest);
        socket.say(json!({"type": "ack", "seq": batch["seq"]}).to_string()).await;
    }
}

#[tokio::test]
async fn whatever_is_wrong_is_answered_and_the_socket_lives_on() {
    let peer = Peer::start().await;
    let mut socket = Socket::open(&peer, "r").await;
    let cases = [
        ("", Value::Null, "INVALID_JSON"),
        ("{", Value::Null, "INVALID_JSON"),
        ("[1]", Value::Null, "INVALID_JSON"),
        ("{}", Value::Null, "INVALID_JSON"),
        (r#"{"type":"dance","id":1}"#, json!(1), "INVALID_JSON"),
        (r#"{"type":7,"id":"a"}"#, json!("a"), "INVALID_JSON"),
        (r#"{"type":"ack","id":2}"#, json!(2), "INVALID_JSON"),
        (r#"{"type":"ack","id":3,"seq":"1"}"#, json!(3), "INVALID_JSON"),
        (r#"{"type":"presence","id":4,"presence":5}"#, json!(4), "INVALID_PRESENCE"),
        (r#"{"type":"presence","id":5,"presence":{},"extra":1}"#, json!(5), "INVALID_PRESENCE"),
        (r#"{"type":"presence","id":6,"presence":{"__proto__":1}}"#, json!(6), "INVALID_PRESENCE"),
        (r#"{"type":"presence","id":7,"presence":{},"memberId":""}"#, json!(7), "INVALID_MEMBER_ID"),
        (r#"{"type":"presence","id":7,"presence":{"a":1,"a":2}}"#, Value::Null, "INVALID_JSON"),
        (r#"{"type":"presence","id":7,"presence":{"a":NaN}}"#, Value::Null, "INVALID_JSON"),
        (r#"{"type":"presence","id":8,"presence":{}}"#, json!(8), "NOT_JOINED"),
    ];
    for (message, id, code) in cases {
        socket.say(message).await;
        let result = socket.result(id, |_| {}).await;
        assert_eq!((&result["ok"], &result["error"]["code"]), (&json!(false), &json!(code)), "{message}");
        assert!(result["error"]["message"].as_str().is_some_and(|text| !text.is_empty()));
    }
    socket.0.send(Message::Binary(vec![1, 2, 3].into())).await.expect("sent");
    assert_eq!(socket.result(Value::Null, |_| {}).await["error"]["code"], "INVALID_JSON");

    peer.post("/rooms/r/join", json!({})).await.ok();
    socket.say(json!({"type": "presence", "id": 9, "presence": {"a": 1}}).to_string()).await;
    assert_eq!(socket.result(json!(9), |_| {}).await["ok"], true);
}

#[tokio::test]
async fn a_socket_needs_the_token_and_an_upgrade() {
    let peer = Peer::start().await;
    for protocols in ["parlor.v1", "parlor.v1, parlor.bearer.wrong", "parlor.bearer."] {
        match connect(&peer, "/rooms/r/ws", protocols).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), 401, "{protocols}"),
            Err(other) => panic!("{protocols}: {other}"),
            Ok(_) => panic!("{protocols} was let in"),
        }
    }
    let long = "x".repeat(129);
    match connect(&peer, &format!("/rooms/{long}/ws"), &format!("parlor.v1, parlor.bearer.{TOKEN}")).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 400),
        other => panic!("{:?}", other.map(|(_, chosen)| chosen)),
    }
    peer.get("/rooms/r/ws").await.refused(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn a_socket_closes_when_the_server_stops() {
    let peer = Peer::start().await;
    let mut socket = Socket::open(&peer, "r").await;
    socket.next().await;
    peer.server.stop().await;
    let end = timeout(PATIENCE, socket.0.next()).await.expect("an end in time");
    assert!(matches!(end, Some(Ok(Message::Close(Some(_)))) | Some(Err(_)) | None), "{end:?}");
    peer.live.close().await;
}
