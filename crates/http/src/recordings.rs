//! The flight recorder of a room: its file, and what it says step by step. Like `GET /inspect`, it is for those who look for
//! a fault.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use parlor::{Error, ErrorCode, Lineup, REPLAYED_MAX, ReplayState, Replayed};
use tokio::sync::SemaphorePermit;
use tokio::time::timeout;

use crate::openapi::{InRoom, refuses};
use crate::problem::Problem;
use crate::request::{First, Moment, Named, Playing, Replaying, RoomName};
use crate::server::App;

/// The routes whose body is a recording. Such a body is of a type that a page of elsewhere cannot send unasked either.
pub(crate) const REPLAY: &str = "/replay";
pub(crate) const STATE: &str = "/replay/state";
pub(crate) const TEST: &str = "/replay/test";
pub(crate) const LINEUP: &str = "/replay/lineup";
pub(crate) const FILES: [&str; 4] = [REPLAY, STATE, TEST, LINEUP];
/// The most bytes of such a body: two recordings.
pub(crate) const FILES_MAX: usize = 2 * REPLAYED_MAX;

/// Whether what a request brings is a recording, if it is anything.
pub(crate) fn takes_files(request: &Request) -> bool {
    FILES.contains(&request.uri().path())
}

/// Save what a room was given
///
/// A file for `parlor replay`: what this peer was given in the room during the last ten minutes. Names and values are replaced
/// by others of the same length, unless `values=true`. The room has to be open here.
#[utoipa::path(
    get, path = "/rooms/{room}/recording", operation_id = "recording", tag = "peer",
    params(InRoom, ("values" = Option<bool>, Query, description = "With names and values as they are.")),
    responses(
        (status = 200, description = "The file.", body = Vec<u8>, content_type = "application/octet-stream"),
        refuses::Recorded,
    ),
)]
pub(crate) async fn recording(
    State(app): State<Arc<App>>,
    RoomName(room): RoomName,
    Replaying { options, .. }: Replaying,
) -> Result<impl IntoResponse, Problem> {
    let file = app.live.room(room).recording(options).await?;
    let named = "attachment; filename=\"room.parlor-recording\"";
    Ok(([(CONTENT_TYPE, "application/octet-stream"), (CONTENT_DISPOSITION, named)], file))
}

/// What a room was given, step by step
///
/// The same, played once more by this peer: each step with what followed from it, and all that was held after step `at`, or
/// after the last one. Steps from `from` on are listed, `limit` of them, 1,000 when it is missing.
#[utoipa::path(
    get, path = "/rooms/{room}/replay", operation_id = "replay", tag = "peer",
    params(
        InRoom,
        ("values" = Option<bool>, Query, description = "With names and values as they are."),
        ("at" = Option<u32>, Query, description = "The state after this step."),
        ("atMs" = Option<u64>, Query, description = "Instead: the state so many milliseconds after the beginning."),
        ("from" = Option<u32>, Query, description = "The first step that is listed."),
        ("limit" = Option<u32>, Query, description = "So many are listed at most; up to 10,000."),
    ),
    responses((status = 200, description = "What was played.", body = Replayed), refuses::Recorded),
)]
pub(crate) async fn replay(
    State(app): State<Arc<App>>,
    RoomName(room): RoomName,
    Replaying { options, query }: Replaying,
) -> Result<Json<Replayed>, Problem> {
    Ok(Json(app.live.room(room).replay(options, query).await?))
}

/// A recording, step by step
///
/// A file of `recording` or `parlor record`, played by this peer: each step with what followed from it, and all that was held
/// at one moment. At most 16 MiB. It touches no room, and nothing of it is kept. Two are taken in at a time and one is played;
/// others wait.
#[utoipa::path(
    post, path = "/replay", operation_id = "replay_file", tag = "peer",
    params(
        ("at" = Option<u32>, Query, description = "The state after this step."),
        ("atMs" = Option<u64>, Query, description = "Instead: the state so many milliseconds after the beginning."),
        ("from" = Option<u32>, Query, description = "The first step that is listed."),
        ("limit" = Option<u32>, Query, description = "So many are listed at most; up to 10,000."),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file."),
    responses((status = 200, description = "What was played.", body = Replayed), refuses::Handed),
)]
pub(crate) async fn replay_file(
    State(app): State<Arc<App>>,
    Playing(query): Playing,
    request: Request,
) -> Result<Json<Replayed>, Problem> {
    let (file, _turn) = handed(request, &app).await?;
    Ok(Json(app.live.replay(file, query).await?))
}

/// One moment of a recording
///
/// What was held then, and what the step before it changed. It is played no further than that.
#[utoipa::path(
    post, path = "/replay/state", operation_id = "replay_state", tag = "peer",
    params(
        ("at" = Option<u32>, Query, description = "After this step; the last one when missing."),
        ("atMs" = Option<u64>, Query, description = "Instead: so many milliseconds after the beginning."),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file."),
    responses((status = 200, description = "What was held.", body = ReplayState), refuses::Handed),
)]
pub(crate) async fn replay_state(
    State(app): State<Arc<App>>,
    Moment(at): Moment,
    request: Request,
) -> Result<Json<ReplayState>, Problem> {
    let (file, _turn) = handed(request, &app).await?;
    Ok(Json(app.live.replay_state(file, at).await?))
}

/// A recording as a test
///
/// In Rust, with the recording in it. It fails while the recording breaks a rule, or when the state becomes another.
#[utoipa::path(
    post, path = "/replay/test", operation_id = "replay_test", tag = "peer",
    params(("name" = Option<String>, Query, description = "What it is called.")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file."),
    responses(
        (status = 200, description = "The source.", body = String, content_type = "text/plain"),
        refuses::Handed,
    ),
)]
pub(crate) async fn replay_test(
    State(app): State<Arc<App>>,
    Named(name): Named,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    let (file, _turn) = handed(request, &app).await?;
    let source = app.live.replay_test(file, name.as_deref().unwrap_or("recorded")).await?;
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], source))
}

/// Two recordings of one incident
///
/// Two files, one behind the other, of two peers: they are lined up by the frames that both know, and where the two peers
/// disagree first is named.
#[utoipa::path(
    post, path = "/replay/lineup", operation_id = "replay_lineup", tag = "peer",
    params(("first" = u64, Query, description = "How many bytes of the body are the first file.")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "Both files."),
    responses((status = 200, description = "Where they disagree.", body = Lineup), refuses::Handed),
)]
pub(crate) async fn replay_lineup(
    State(app): State<Arc<App>>,
    First(length): First,
    request: Request,
) -> Result<Json<Lineup>, Problem> {
    let (files, _turn) = handed(request, &app).await?;
    if length > files.len() {
        return Err(Error::new(ErrorCode::InvalidLimit, "first is more than there is").at("first").into());
    }
    Ok(Json(app.live.line_up(files.slice(..length), files.slice(length..)).await?))
}

/// The recording of a request, when it is its turn to be taken in, and that turn.
async fn handed(request: Request, app: &Arc<App>) -> Result<(Bytes, Option<SemaphorePermit<'_>>), Problem> {
    // The turns are closed by nobody.
    let turn = app.files.acquire().await.ok();
    let wrong = |detail: String| Problem::new(ErrorCode::InvalidRecording, detail);
    match timeout(app.body_within, Bytes::from_request(request, app)).await {
        Ok(Ok(body)) => Ok((body, turn)),
        Ok(Err(refused)) if refused.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(Error::too_large("bytes", FILES_MAX, FILES_MAX + 1, "body").into())
        }
        Ok(Err(refused)) => Err(wrong(format!("the recording could not be read ({})", refused.status()))),
        Err(_) => Err(wrong(format!("the recording did not arrive within {} s", app.body_within.as_secs_f32()))),
    }
}
