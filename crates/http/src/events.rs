//! Server-sent events of a room (design A10). The stream opens with a snapshot, and the id of every event is a place in this
//! opening of the room. A client that comes back with `Last-Event-ID` gets what it missed, or is told by `resync` that a
//! snapshot follows. `resync` has no id of its own: whoever goes away between the two comes back from where it was.
//!
//! A client that does not read is not written to: what it misses is bounded where the events are kept, and then it gets a
//! snapshot. While the stream is open the crate `parlor` renews the client leases of its actor (design R7).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event as SseEvent, KeepAlive};
use futures::{Stream, stream};
use parlor::{Events, Item};

use crate::openapi::{InRoom, LastEventId, refuses};
use crate::problem::Problem;
use crate::request::Here;
use crate::server::{App, Closing};

/// A comment after this much silence tells a dead connection from a quiet room.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The events of a room
///
/// Server-sent events: first `snapshot`, then `joined`, `updated`, `stale`, `active`, `left`, `metadata`, `access`, `board`,
/// `message`, `watching`, `pace`, `complete`, `diverged` and `cloned` as they happen. The data of each is an `Item` as JSON.
///
/// A reader that comes back with `Last-Event-ID` gets what it missed and nothing twice, without a snapshot. When that is not
/// kept any more (a thousand events later, or when the room was opened again), and when a reader is too slow, it gets
/// `resync` with a `reason`, then a `snapshot`, which resets what it knew. A comment after every 15 s of silence. While the
/// stream is open, the actor's members in the room live.
#[utoipa::path(
    get, path = "/rooms/{room}/events", operation_id = "watch_events", tag = "events", params(InRoom, LastEventId),
    responses(
        (
            status = 200, description = "The stream. It ends when the room or the peer is closed.",
            body = String, content_type = "text/event-stream",
        ),
        refuses::Reading,
    ),
)]
pub(crate) async fn events(
    State(app): State<Arc<App>>,
    Here(room): Here,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>, Problem> {
    // What is no text is no place either.
    let place = headers.get("last-event-id").map(|place| place.to_str().unwrap_or_default());
    let events = room.events_from(place).await?;
    let open = Open { events, closing: app.closing.clone() };
    let stream = stream::unfold(open, |mut open| async { Some((Ok(open.next().await?), open)) });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

struct Open {
    events: Events,
    closing: Closing,
}

impl Open {
    async fn next(&mut self) -> Option<SseEvent> {
        tokio::select! {
            item = self.events.recv() => item.and_then(|item| encode(&item, self.events.place(&item))),
            () = self.closing.wait() => None,
        }
    }
}

/// The data keeps the type and the number, so that a line of JSON says what it is by itself.
fn encode(item: &Item, place: Option<String>) -> Option<SseEvent> {
    let event = SseEvent::default().event(item.event.name());
    let event = place.into_iter().fold(event, SseEvent::id);
    event.json_data(item).ok()
}
