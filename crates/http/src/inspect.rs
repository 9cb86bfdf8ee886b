//! `GET /inspect` (design A10): what the peer does, as server-sent events, for an inspector.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event as SseEvent, KeepAlive};
use futures::{Stream, stream};
use parlor::{Inspect, Inspection, RoomId};

use crate::openapi::refuses;
use crate::problem::Problem;
use crate::request::Looking;
use crate::server::{App, Closing};

const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What the peer does
///
/// Server-sent events: `snapshot` with all that is held, then `seen` for each frame, cell, presence, link, lease, hash, sync,
/// dial, connection and refusal as it happens. The data of each is an `Inspect` as JSON. A reader that is too slow is told by
/// `missed` how much it missed, and gets a `snapshot`; it never slows the peer, and nothing is noted while nobody looks.
#[utoipa::path(
    get, path = "/inspect", operation_id = "inspect", tag = "peer",
    params(
        ("room" = Option<RoomId>, Query, description = "This room, and what is in none. All rooms when missing."),
        (
            "bytes" = Option<bool>, Query,
            description = "With the first 1,024 bytes of each frame, as it travels: those of private rooms are sealed.",
        ),
    ),
    responses(
        (
            status = 200, description = "The stream. It ends when the peer is closed or becomes somebody new.",
            body = String, content_type = "text/event-stream",
        ),
        refuses::Inspect,
    ),
)]
pub(crate) async fn inspect(
    State(app): State<Arc<App>>,
    Looking(options): Looking,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>, Problem> {
    let inspection = app.live.inspect(options).await?;
    let open = (inspection, app.closing.clone());
    let stream = stream::unfold(open, |(mut inspection, mut closing)| async {
        let event = next(&mut inspection, &mut closing).await?;
        Some((Ok(event), (inspection, closing)))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

async fn next(inspection: &mut Inspection, closing: &mut Closing) -> Option<SseEvent> {
    let inspect = tokio::select! {
        inspect = inspection.recv() => inspect?,
        () = closing.wait() => return None,
    };
    let name = match inspect {
        Inspect::Snapshot(_) => "snapshot",
        Inspect::Seen(_) => "seen",
        Inspect::Missed { .. } => "missed",
    };
    SseEvent::default().event(name).json_data(&inspect).ok()
}
