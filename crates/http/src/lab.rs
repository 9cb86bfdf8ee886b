//! `GET` and `POST /lab` (design A10): faults and people on purpose, of a peer that was started with a lab.

use axum::Json;
use parlor::{LabChange, LabState};

use crate::openapi::{ActingFor, refuses};
use crate::problem::Problem;
use crate::request::{Args, Caller};

/// What a network lab has on
///
/// Faults of this peer's own frames, what they did so far, and simulated people by room. Only a peer that was started with
/// `--lab` has a lab. Answers also while the lab lets the network sleep.
#[utoipa::path(
    get, path = "/lab", operation_id = "lab", tag = "peer", params(ActingFor),
    responses((status = 200, description = "The state of the lab.", body = LabState), refuses::Lab),
)]
pub(crate) async fn lab(Caller(live): Caller) -> Result<Json<LabState>, Problem> {
    Ok(Json(live.lab_state().await?))
}

/// Change what a network lab has on
///
/// Delay, loss, duplication and cuts by peer and direction, partitions, a wrong wall clock, sleep, and simulated people in
/// rooms. What is not named stays as it is; `clear` ends all of it first. Only a peer that was started with `--lab` has a lab.
#[utoipa::path(
    post, path = "/lab", operation_id = "change_lab", tag = "peer", params(ActingFor), request_body = LabChange,
    responses((status = 200, description = "The state of the lab afterwards.", body = LabState), refuses::ChangeLab),
)]
pub(crate) async fn change_lab(Caller(live): Caller, Args(change): Args<LabChange>) -> Result<Json<LabState>, Problem> {
    Ok(Json(live.change_lab(change).await?))
}
