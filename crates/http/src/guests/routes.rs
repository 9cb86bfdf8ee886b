//! All that a guest's browser can ask. The router is made of [`GUEST_ROUTES`], so the list is what is served. The handlers of
//! the room are those of the local API; here they act for the guest of the cookie, in the one room of the listener.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{DefaultBodyLimit, Extension, State};
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Json, Router};
use parlor::{
    Arguments, Bag, Board, BoardChange, Error, ErrorCode, Join, Leave, Left, Live, MemberRecord, Message,
    MetadataChange, ProfileChange, Publish, Welcome,
};
use serde::{Deserialize, Serialize};

use super::door::{door, guests_only};
use super::guest::{Guest, OVER};
use super::{CONNECTIONS, Gate, over};
use crate::condition::{IfMatch, Tagged};
use crate::problem::Problem;
use crate::request::{Args, Here, Stay, Surface};
use crate::routes::{method_not_allowed, page, quiet_headers};
use crate::visitors::Visitor;
use crate::{handlers, socket};

/// The most bytes of a body: a call in a room, and not an import of a board.
pub(super) const BODY_MAX: usize = 64 * 1024;
/// A guest stays for so many seconds after the last request and after the socket: a telephone that is gone says nothing.
const LEASE: u32 = 10;

/// One route of a listener for guests.
pub struct GuestRoute {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path. None has a part that a request chooses.
    pub path: &'static str,
    /// Whether it needs no cookie.
    pub open: bool,
    mount: fn() -> MethodRouter<Arc<Gate>>,
}

macro_rules! routes {
    ($($who:ident $method:ident $path:literal => $handler:path),* $(,)?) => {
        &[$(GuestRoute {
            method: stringify!($method),
            path: $path,
            open: matches!(stringify!($who).as_bytes(), b"anybody"),
            mount: || on(MethodFilter::$method, $handler),
        }),*]
    };
}

/// Everything but the files of the page.
pub const GUEST_ROUTES: &[GuestRoute] = routes![
    anybody POST "/enter" => enter,
    anybody GET "/session" => session,
    guests POST "/session" => change_session,
    guests POST "/room/join" => join,
    guests POST "/room/leave" => leave,
    guests POST "/room/presence" => handlers::presence,
    guests GET "/room/members" => handlers::members,
    guests GET "/room/metadata" => handlers::metadata,
    guests POST "/room/metadata" => set_metadata,
    guests GET "/room/board" => handlers::board,
    guests POST "/room/board" => set_board,
    guests GET "/room/messages" => handlers::history,
    guests POST "/room/messages" => publish,
    guests GET "/room/access" => handlers::access,
    guests GET "/room/ws" => socket::socket,
];

pub(super) fn router(gate: Arc<Gate>) -> Router {
    let mount = |router: Router<Arc<Gate>>, route: &GuestRoute| {
        let mounted = (route.mount)();
        router.route(route.path, if route.open { mounted } else { mounted.route_layer(from_fn(guests_only)) })
    };
    GUEST_ROUTES
        .iter()
        .fold(Router::new(), mount)
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(pages)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn_with_state(Arc::clone(&gate), door))
        .layer(map_response(quiet_headers))
        .with_state(gate)
}

async fn pages(State(gate): State<Arc<Gate>>, method: Method, uri: Uri) -> Response {
    page(Some(&gate.pages), method, uri).await
}

/// What of a request means which guest, and there is one room.
impl Surface for Arc<Gate> {
    const BODY_MAX: usize = BODY_MAX;

    fn caller(&self, parts: &Parts) -> Result<Live, Problem> {
        // The door has looked; without it there is nobody to act for.
        Ok(guest(parts)?.live())
    }

    fn room(&self, _: &mut Parts) -> impl Future<Output = Result<String, Problem>> + Send {
        std::future::ready(Ok(self.room.to_string()))
    }

    fn stay(&self, parts: &Parts) -> Result<Stay, Problem> {
        let guest = guest(parts)?;
        Ok(Stay { closing: guest.closing(), end: OVER, visit: Some(guest.visit()?) })
    }

    fn body_within(&self) -> Duration {
        CONNECTIONS.within
    }
}

fn guest(parts: &Parts) -> Result<&Arc<Guest>, Problem> {
    parts.extensions.get::<Arc<Guest>>().ok_or_else(|| over().into())
}

/// Arguments of `enter`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Enter {
    token: String,
}

impl Arguments for Enter {
    fn code_of(_: &str) -> ErrorCode {
        ErrorCode::InvalidTicket
    }
}

/// Arguments of a guest's `join`: a guest is one member, called by the guest's own id, and brings no ticket, whose addresses
/// this peer would dial.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct GuestJoin {
    presence: Option<Bag>,
    metadata: Option<Bag>,
}

impl Arguments for GuestJoin {
    fn code_of(field: &str) -> ErrorCode {
        if field == "metadata" { ErrorCode::InvalidMetadata } else { ErrorCode::InvalidPresence }
    }
}

/// Takes the secret of the link for a cookie. A browser that has one gets another for it, and stays the guest that it is.
async fn enter(
    State(gate): State<Arc<Gate>>,
    Extension(visitor): Extension<Arc<Visitor>>,
    known: Option<Extension<Arc<Guest>>>,
    Args(args): Args<Enter>,
) -> Result<Response, Problem> {
    if !gate.strangers.may_enter(visitor.from.ip(), Instant::now()) {
        return Err(Error::new(ErrorCode::RateLimited, "too many attempts; try again in a minute").into());
    }
    // A key that was changed a moment ago counts at once.
    if !gate.may_go_on().await || !gate.knows(&args.token) {
        return Err(over().into());
    }
    let guest = match known {
        Some(Extension(guest)) => guest,
        None => gate.admit(visitor.from.ip())?,
    };
    // The longest that a room can be shared: when it ends is this end's to say, and may be changed.
    let left = u64::from(crate::shares::MINUTES_MAX) * 60;
    let secure = if gate.fingerprint.is_some() { "; Secure" } else { "" };
    let key = guest.another_key()?;
    let cookie = format!("{}={key}; Path=/; Max-Age={left}; HttpOnly; SameSite=Strict{secure}", gate.cookie);
    Ok(([(SET_COOKIE, cookie)], Json(gate.welcome(&guest).await)).into_response())
}

/// Who this browser is here; `null` for one that has not come in, which no script of its page can see by itself.
async fn session(State(gate): State<Arc<Gate>>, known: Option<Extension<Arc<Guest>>>) -> Json<Option<Welcome>> {
    match known {
        Some(Extension(guest)) => Json(Some(gate.welcome(&guest).await)),
        None => Json(None),
    }
}

/// Name and colour of the guest.
async fn change_session(
    State(gate): State<Arc<Gate>>,
    Extension(guest): Extension<Arc<Guest>>,
    Args(change): Args<ProfileChange>,
) -> Result<Json<Welcome>, Problem> {
    guest.change(change)?;
    Ok(Json(gate.welcome(&guest).await))
}

async fn join(
    Extension(guest): Extension<Arc<Guest>>,
    Here(room): Here,
    Args(args): Args<GuestJoin>,
) -> Result<Json<MemberRecord>, Problem> {
    let GuestJoin { presence, metadata } = args;
    let args = Join { presence, metadata, presence_ttl_seconds: Some(LEASE), ..Join::default() };
    let record = room.join_leased(args).await?;
    guest.joined(true);
    Ok(Json(record))
}

async fn set_metadata(
    State(gate): State<Arc<Gate>>,
    Extension(guest): Extension<Arc<Guest>>,
    here: Here,
    condition: IfMatch,
    Args(args): Args<MetadataChange>,
) -> Result<Tagged, Problem> {
    gate.write(&guest, args.metadata.len() + args.unset.len())?;
    handlers::set_metadata(here, condition, Args(args)).await
}

async fn set_board(
    State(gate): State<Arc<Gate>>,
    Extension(guest): Extension<Arc<Guest>>,
    here: Here,
    Args(args): Args<BoardChange>,
) -> Result<Json<Board>, Problem> {
    gate.write(&guest, args.cells())?;
    handlers::set_board(here, Args(args)).await
}

async fn publish(
    State(gate): State<Arc<Gate>>,
    Extension(guest): Extension<Arc<Guest>>,
    here: Here,
    Args(args): Args<Publish>,
) -> Result<Json<Message>, Problem> {
    match args.keep {
        true => gate.write(&guest, 1)?,
        false => gate.call(&guest)?,
    }
    handlers::publish(here, Args(args)).await
}

async fn leave(Extension(guest): Extension<Arc<Guest>>, here: Here, args: Args<Leave>) -> Result<Json<Left>, Problem> {
    let left = handlers::leave(here, args).await?;
    guest.joined(false);
    Ok(left)
}
