//! Which path is which operation. The router is built from [`ROUTES`], so the list is what is served.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, Method, Uri, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, get, on, post};
use parlor::ErrorCode;

use crate::problem::Problem;
use crate::server::App;
use crate::ui::UiFiles;
use crate::{events, guard, handlers, inspect, lab, metrics, recordings, request, shares, socket};

/// One route: an operation of the crate `parlor` by its HTTP name.
pub struct Route {
    /// `GET`, `POST` or `DELETE`.
    pub method: &'static str,
    /// The path; `{room}` is a room's name, percent-encoded.
    pub path: &'static str,
    /// The operation's name in `parlor::OPERATIONS`.
    pub operation: &'static str,
    mount: fn() -> MethodRouter<Arc<App>>,
}

macro_rules! routes {
    ($($method:ident $path:literal => $operation:ident: $handler:path),* $(,)?) => {
        &[$(Route {
            method: stringify!($method),
            path: $path,
            operation: stringify!($operation),
            mount: || on(MethodFilter::$method, $handler),
        }),*]
    };
}

/// Every operation; they need the token. `GET /openapi.json`, `GET /metrics`, `GET /inspect`, what is recorded of a room and
/// what is done with a recording, which need it too, and `GET /healthz`, which does not, are no operations.
pub const ROUTES: &[Route] = routes![
    GET "/rooms" => rooms: handlers::rooms,
    POST "/rooms" => create_room: handlers::create_room,
    DELETE "/rooms/{room}" => forget_room: handlers::forget_room,
    POST "/rooms/{room}/join" => join: handlers::join,
    POST "/rooms/{room}/presence" => presence: handlers::presence,
    POST "/rooms/{room}/leave" => leave: handlers::leave,
    GET "/rooms/{room}/members" => members: handlers::members,
    GET "/rooms/{room}/metadata" => metadata: handlers::metadata,
    POST "/rooms/{room}/metadata" => set_metadata: handlers::set_metadata,
    GET "/rooms/{room}/board" => board: handlers::board,
    POST "/rooms/{room}/board" => set_board: handlers::set_board,
    GET "/rooms/{room}/messages" => history: handlers::history,
    POST "/rooms/{room}/messages" => publish: handlers::publish,
    GET "/rooms/{room}/events" => watch: events::events,
    GET "/rooms/{room}/ws" => watch: socket::socket,
    GET "/rooms/{room}/access" => access: handlers::access,
    POST "/rooms/{room}/access" => change_access: handlers::change_access,
    POST "/rooms/{room}/ticket" => ticket: handlers::ticket,
    POST "/tickets" => read_ticket: handlers::read_ticket,
    GET "/rooms/{room}/share" => share: shares::share,
    POST "/rooms/{room}/share" => change_share: shares::change_share,
    GET "/peers" => peers: handlers::peers,
    POST "/peers" => dial: handlers::dial,
    POST "/network/check" => check_network: handlers::check_network,
    GET "/diagnostics" => diagnostics: handlers::diagnostics,
    GET "/lab" => lab: lab::lab,
    POST "/lab" => change_lab: lab::change_lab,
    GET "/profile" => status: handlers::status,
    POST "/profile" => set_profile: handlers::set_profile,
    POST "/profile/identity" => new_identity: handlers::new_identity,
];

/// The whole service.
pub(crate) fn router(app: Arc<App>) -> Router {
    let operations = ROUTES.iter().fold(Router::new(), |router, route| router.route(route.path, (route.mount)()));
    operations
        .route("/openapi.json", get(handlers::openapi))
        .route("/metrics", get(metrics::metrics))
        .route("/inspect", get(inspect::inspect))
        .route("/rooms/{room}/recording", get(recordings::recording))
        .route("/rooms/{room}/replay", get(recordings::replay))
        .merge(files())
        .method_not_allowed_fallback(method_not_allowed)
        .route_layer(from_fn_with_state(app.clone(), guard::token))
        .merge(Router::new().route("/healthz", get(handlers::healthz)).method_not_allowed_fallback(method_not_allowed))
        .fallback(page_or_nothing)
        .layer(DefaultBodyLimit::max(request::BODY_MAX))
        .layer(from_fn_with_state(app.clone(), guard::same_origin))
        .layer(map_response(quiet_headers))
        .layer(from_fn_with_state(app.clone(), metrics::count))
        .with_state(app)
}

/// What is done with a recording that comes as a body.
fn files() -> Router<Arc<App>> {
    Router::new()
        .route(recordings::REPLAY, post(recordings::replay_file))
        .route(recordings::STATE, post(recordings::replay_state))
        .route(recordings::TEST, post(recordings::replay_test))
        .route(recordings::LINEUP, post(recordings::replay_lineup))
        .layer(DefaultBodyLimit::max(recordings::FILES_MAX))
}

pub(crate) async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} does not take {method}; see the Allow header", uri.path());
    Problem::new(ErrorCode::MethodNotAllowed, detail)
}

/// What no route takes is a page of the user interface, or nothing.
async fn page_or_nothing(State(app): State<Arc<App>>, method: Method, uri: Uri) -> Response {
    page(app.ui.as_ref(), method, uri).await
}

/// A file of these pages, or that there is nothing.
pub(crate) async fn page(pages: Option<&UiFiles>, method: Method, uri: Uri) -> Response {
    let file = pages.and_then(|pages| pages.file(uri.path()));
    match (file, method) {
        (Some(file), Method::GET | Method::HEAD) => file.clone().into_response(),
        (Some(_), method) => {
            let problem = method_not_allowed(method, uri).await;
            ([(header::ALLOW, "GET, HEAD")], problem).into_response()
        }
        (None, _) => Problem::new(ErrorCode::NotFound, format!("there is nothing at {}", uri.path())).into_response(),
    }
}

/// Nothing here is for a cache, nothing is what it is not declared to be, and no page of elsewhere may show any of it.
pub(crate) async fn quiet_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
