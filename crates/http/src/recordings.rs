//! The flight recorder of a room: its file, and what it says step by step. Like `GET /inspect`, it is for those who look for
//! a fault.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use parlor::Replayed;

use crate::openapi::{InRoom, refuses};
use crate::problem::Problem;
use crate::request::{Replaying, RoomName};
use crate::server::App;

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
