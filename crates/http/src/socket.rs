//! The WebSocket of a room: batches out, one at a time, each after the acknowledgement of the last; presence writes in,
//! at frame rate (design A10). A page that stops acknowledging costs nothing: the feed conflates what it did not take.
//!
//! Client: `{"type":"ack","seq":n}` · `{"type":"presence","id":n,"presence":{…},…}`
//! Server: `{"type":"batch","seq":n,"events":[…],"updates":[…]}` · `{"type":"result","id":n,"ok":true}`, or `ok: false`
//! with `error`; a message that cannot be read is answered so too, with the `id` it had or `null`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Extension, FromRequestParts};
use axum::http::request::Parts;
use axum::response::Response;
use parlor::{Batch, Error, ErrorCode, Feed, Room, arguments};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::arguments::object;
use crate::guests::Visit;
use crate::openapi::{InRoom, refuses};
use crate::problem::Problem;
use crate::request::{BODY_MAX, Here, Stay};
use crate::visitors::Visitor;

/// A message that the other end has no place for waits this long.
const SENT_WITHIN: Duration = Duration::from_secs(20);
/// The most bytes of a message of a guest: the largest presence is 4 KiB, every character of which may be an escape of six.
const GUEST_MAX: usize = 32 * 1024;
/// The subprotocol that we speak.
const PROTOCOL: &str = "parlor.v1";

/// A room over a WebSocket
///
/// The subprotocol is `parlor.v1`; a browser, which can set no header, also offers `parlor.bearer.TOKEN`. Texts are JSON, at
/// most 256 KiB. The peer sends a `Batch` with `"type": "batch"`, and the next after `{"type": "ack", "seq": n}`. The client
/// sends `{"type": "presence", "id": n, ...}` with the fields of a `PresenceChange`, and is answered `{"type": "result", "id":
/// n, "ok": true}`, or `"ok": false` with `error`.
#[utoipa::path(
    get, path = "/rooms/{room}/ws", operation_id = "watch_socket", tag = "events", params(InRoom),
    responses((status = 101, description = "The protocol is WebSocket from here on."), refuses::Socket),
)]
pub(crate) async fn socket(
    Here(room): Here,
    stay: Stay,
    Extension(visitor): Extension<Arc<Visitor>>,
    Upgrade(upgrade): Upgrade,
) -> Result<Response, Problem> {
    let feed = room.feed().await?;
    let most = if stay.visit.is_some() { GUEST_MAX } else { BODY_MAX };
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(most).max_frame_size(most);
    Ok(upgrade.on_upgrade(move |socket| Conversation::new(socket, room, feed, stay, visitor).run()))
}

/// A request to upgrade; anything else is told what this path is for.
pub(crate) struct Upgrade(WebSocketUpgrade);

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        WebSocketUpgrade::from_request_parts(parts, state).await.map(Upgrade).map_err(
            |rejection: WebSocketUpgradeRejection| {
                Problem::new(
                    ErrorCode::MethodNotAllowed,
                    format!("this path takes WebSockets only: {}", rejection.body_text()),
                )
            },
        )
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Outgoing {
    Batch(Batch),
    Result {
        id: Value,
        ok: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<Error>,
    },
}

struct Conversation {
    socket: WebSocket,
    room: Room,
    feed: Feed,
    stay: Stay,
    /// The batch that waits for its acknowledgement.
    in_flight: Option<u64>,
    /// It counts as a connection for as long as this lives.
    _visitor: Arc<Visitor>,
}

impl Conversation {
    fn new(socket: WebSocket, room: Room, feed: Feed, stay: Stay, visitor: Arc<Visitor>) -> Self {
        Self { socket, room, feed, stay, in_flight: None, _visitor: visitor }
    }

    /// Until either end closes.
    async fn run(mut self) {
        loop {
            // The end first: nobody says or hears anything behind it.
            let go_on = tokio::select! {
                biased;
                () = self.stay.closing.wait() => self.close(self.stay.end).await,
                message = self.socket.recv() => match message {
                    Some(Ok(message)) => match self.stay.visit.as_mut().map_or(Ok(()), Visit::hears) {
                        Ok(()) => self.answer(message).await,
                        Err(end) => self.close(end).await,
                    },
                    Some(Err(_)) | None => false,
                },
                alive = Visit::beat(&mut self.stay.visit) => alive && self.tell(Message::Ping(Bytes::new())).await,
                batch = self.feed.next(), if self.in_flight.is_none() => match batch {
                    Some(batch) => self.send_batch(batch).await,
                    None => self.close((close_code::AWAY, "the room was closed")).await,
                },
            };
            if !go_on {
                return;
            }
        }
    }

    async fn send_batch(&mut self, batch: Batch) -> bool {
        self.in_flight = Some(batch.seq);
        self.send(&Outgoing::Batch(batch)).await
    }

    async fn send(&mut self, outgoing: &Outgoing) -> bool {
        let Ok(text) = serde_json::to_string(outgoing) else { return false };
        self.tell(Message::Text(text.into())).await
    }

    /// Whoever does not read for that long is gone.
    async fn tell(&mut self, message: Message) -> bool {
        matches!(timeout(SENT_WITHIN, self.socket.send(message)).await, Ok(Ok(())))
    }

    async fn close(&mut self, (code, reason): (u16, &'static str)) -> bool {
        self.tell(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
        false
    }

    async fn answer(&mut self, message: Message) -> bool {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return self.result(Value::Null, Err(wrong("messages are text"))).await,
            Message::Ping(_) | Message::Pong(_) => return true,
            Message::Close(_) => return false,
        };
        let mut object = match object(text.as_bytes()) {
            Ok(object) => object,
            Err(error) => return self.result(Value::Null, Err(error)).await,
        };
        let id = object.remove("id").unwrap_or(Value::Null);
        match self.obey(object).await {
            Ok(Reply::Silent) => true,
            Ok(Reply::Done) => self.result(id, Ok(())).await,
            Err(error) => self.result(id, Err(error)).await,
        }
    }

    async fn obey(&mut self, mut message: Map<String, Value>) -> Result<Reply, Error> {
        match message.remove("type").as_ref().and_then(Value::as_str) {
            Some("ack") => {
                let seq = message
                    .get("seq")
                    .and_then(Value::as_u64)
                    .ok_or_else(|| wrong("ack needs seq, a number").at("seq"))?;
                // An acknowledgement of an older batch says nothing about the one in flight.
                self.in_flight = self.in_flight.filter(|in_flight| *in_flight != seq);
                Ok(Reply::Silent)
            }
            Some("presence") => self.room.presence(arguments(message)?).await.map(|_| Reply::Done),
            _ => Err(wrong("type must be ack or presence").at("type")),
        }
    }

    async fn result(&mut self, id: Value, result: Result<(), Error>) -> bool {
        self.send(&Outgoing::Result { id, ok: result.is_ok(), error: result.err() }).await
    }
}

/// Whether a message wants an answer when all went well.
enum Reply {
    Silent,
    Done,
}

fn wrong(message: &str) -> Error {
    Error::new(ErrorCode::InvalidJson, message)
}
