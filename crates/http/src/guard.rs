//! Who may ask at all (design A10). Loopback is not a boundary: every web page that the user opens and every program
//! on the computer can reach it. So `Host` must be ours (a name that was rebound to 127.0.0.1 is not), `Origin` must be
//! ours when a browser sends one, and every route but `/healthz` needs the token of this process. A head or a declared
//! body beyond what a call can need is refused before anything else is read.

use std::sync::Arc;

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, ORIGIN, SEC_WEBSOCKET_PROTOCOL,
};
use axum::http::{HeaderName, HeaderValue, Method, Uri};
use axum::middleware::Next;
use axum::response::Response;
use parlor::{Error, ErrorCode};
use subtle::ConstantTimeEq;

use crate::problem::Problem;
use crate::recordings;
use crate::request::BODY_MAX;
use crate::server::App;
use crate::visitors::Visitor;

/// Names of this computer that a browser may have in its address bar.
const LOOPBACK_NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];
/// The subprotocol prefix by which a browser passes the token to a WebSocket: it can set no header there.
const BEARER_PROTOCOL: &str = "parlor.bearer.";

/// What a body is declared as, and what one is that is nothing but a recording.
pub(crate) const JSON: &str = "application/json";
pub(crate) const FILE: &str = "application/octet-stream";

/// The longest path and query. A room's name of 128 characters, each four bytes written as escapes, has 1,536.
const TARGET_MAX: usize = 4 * 1024;
/// The most headers. Browsers send about twenty.
const HEADERS_MAX: usize = 64;

/// Checks where a request comes from and that its head has a reasonable size; for everything, also the pages.
pub(crate) async fn same_origin(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    check_origin(request.headers(), request.uri(), app.port)?;
    check_size(request.headers(), request.uri())?;
    Ok(next.run(request).await)
}

/// Checks the token, and that a write is JSON; for every operation.
pub(crate) async fn token(State(app): State<Arc<App>>, request: Request, next: Next) -> Result<Response, Problem> {
    if !holds_token(request.headers(), request.uri().path(), &app.token) {
        return Err(Problem::new(
            ErrorCode::Unauthorized,
            "the token is missing or wrong; send the header `Authorization: Bearer TOKEN` with the token of api.json",
        ));
    }
    if let Some(visitor) = request.extensions().get::<Arc<Visitor>>() {
        visitor.is_known();
    }
    let file = recordings::takes_files(&request);
    check_content_type(&request, if file { FILE } else { JSON })?;
    check_declared_length(request.headers(), if file { recordings::FILES_MAX } else { BODY_MAX })?;
    Ok(next.run(request).await)
}

/// `Host` is one of our names with our port, and a browser that says where it comes from says the same.
fn check_origin(headers: &HeaderMap, uri: &Uri, port: u16) -> Result<(), Problem> {
    let host = single(headers, &HOST).map(str::to_ascii_lowercase).unwrap_or_default();
    let target = uri.authority().map(|authority| authority.as_str().to_ascii_lowercase());
    if !is_ours(&host, port) || target.is_some_and(|target| target != host) {
        return Err(Problem::new(
            ErrorCode::ForbiddenHost,
            format!("the Host header must be 127.0.0.1:{port}, localhost:{port} or [::1]:{port}"),
        ));
    }
    // A page of another port of this computer is `same-site`, and is as foreign as any other.
    let foreign = |site: &HeaderValue| !site.as_bytes().eq_ignore_ascii_case(b"same-origin") && site != "none";
    if headers.get_all("sec-fetch-site").iter().any(foreign) {
        return Err(Problem::new(ErrorCode::ForbiddenOrigin, "pages of other sites may not use this API"));
    }
    let ours = format!("http://{host}");
    if headers.contains_key(ORIGIN) && single(headers, &ORIGIN) != Some(ours.as_str()) {
        return Err(Problem::new(ErrorCode::ForbiddenOrigin, format!("the Origin header, if sent, must be {ours}")));
    }
    Ok(())
}

/// Whether a `Host` names this computer and our port; port 80 is the one that browsers leave out.
fn is_ours(host: &str, port: u16) -> bool {
    LOOPBACK_NAMES.iter().any(|name| {
        let rest = host.strip_prefix(name);
        rest.is_some_and(|rest| rest == format!(":{port}") || (port == 80 && rest.is_empty()))
    })
}

pub(crate) fn check_size(headers: &HeaderMap, uri: &Uri) -> Result<(), Problem> {
    let target = uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > TARGET_MAX {
        return Err(Error::too_large("bytes", TARGET_MAX, target, "path").into());
    }
    if headers.len() > HEADERS_MAX {
        return Err(Error::too_large("headers", HEADERS_MAX, headers.len(), "head").into());
    }
    Ok(())
}

/// The value of a header that stands there once.
pub(crate) fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() {
        return None;
    }
    first.to_str().ok()
}

fn holds_token(headers: &HeaderMap, path: &str, token: &str) -> bool {
    let header = single(headers, &AUTHORIZATION)
        .and_then(|value| value.split_once(' '))
        .and_then(|(scheme, rest)| scheme.eq_ignore_ascii_case("bearer").then_some(rest.trim()));
    let matches = |given: &str| bool::from(given.as_bytes().ct_eq(token.as_bytes()));
    header.is_some_and(matches) || (is_socket(path) && offered_tokens(headers).any(matches))
}

/// Whether this is the path of a WebSocket, and not one that happens to end like it: a room may be called `ws`.
fn is_socket(path: &str) -> bool {
    let room = path.strip_prefix("/rooms/").and_then(|rest| rest.strip_suffix("/ws"));
    room.is_some_and(|room| !room.is_empty() && !room.contains('/'))
}

/// Tokens among the subprotocols that a WebSocket offers.
fn offered_tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .filter_map(|protocol| protocol.trim().strip_prefix(BEARER_PROTOCOL))
}

/// A body must be declared as what it is: the three types that a foreign page can send unasked are others. A call without
/// a body needs no type. No body is unpacked: what it unpacks to has no bound.
pub(crate) fn check_content_type(request: &Request, takes: &str) -> Result<(), Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let headers = request.headers();
    if headers.get_all(CONTENT_ENCODING).iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Problem::new(ErrorCode::UnsupportedMediaType, "the body must not be compressed"));
    }
    let declared = single(headers, &CONTENT_TYPE)
        .is_some_and(|value| value.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(takes)));
    let nothing = !headers.contains_key(CONTENT_TYPE) && request.body().is_end_stream();
    if declared || nothing {
        return Ok(());
    }
    let what = if takes == JSON { "JSON" } else { "a recording" };
    let detail = format!("the body must be {what}: send `Content-Type: {takes}`");
    Err(Problem::new(ErrorCode::UnsupportedMediaType, detail))
}

/// A body that says it is too long is not waited for.
pub(crate) fn check_declared_length(headers: &HeaderMap, most: usize) -> Result<(), Problem> {
    let declared = single(headers, &CONTENT_LENGTH).and_then(|length| length.parse().ok()).unwrap_or(0);
    if declared > most { Err(Error::too_large("bytes", most, declared, "body").into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header value"))
        });
        HeaderMap::from_iter(pairs)
    }

    fn origin(pairs: &[(&'static str, &str)]) -> Option<ErrorCode> {
        check_origin(&headers(pairs), &Uri::from_static("/rooms"), 7000).err().map(|problem| problem.0.code)
    }

    #[test]
    fn only_our_own_names_with_our_port_pass() {
        for host in ["127.0.0.1:7000", "localhost:7000", "LOCALHOST:7000", "[::1]:7000"] {
            assert_eq!(origin(&[("host", host)]), None, "{host}");
        }
        for host in
            ["", "127.0.0.1", "127.0.0.1:7001", "evil.example:7000", "127.0.0.1:7000.evil.example", "localhost.:7000"]
        {
            assert_eq!(origin(&[("host", host)]), Some(ErrorCode::ForbiddenHost), "{host}");
        }
        assert_eq!(origin(&[]), Some(ErrorCode::ForbiddenHost));
    }

    #[test]
    fn an_absolute_target_may_not_contradict_the_host() {
        let headers = headers(&[("host", "127.0.0.1:7000")]);
        let target = Uri::from_static("http://evil.example:7000/rooms");
        assert!(check_origin(&headers, &target, 7000).is_err());
        assert!(check_origin(&headers, &Uri::from_static("http://127.0.0.1:7000/rooms"), 7000).is_ok());
    }

    #[test]
    fn two_hosts_are_none() {
        let mut headers = headers(&[("host", "127.0.0.1:7000")]);
        headers.append(HOST, HeaderValue::from_static("127.0.0.1:7000"));
        assert!(check_origin(&headers, &Uri::from_static("/"), 7000).is_err());
    }

    #[test]
    fn only_our_own_pages_pass() {
        let host = ("host", "127.0.0.1:7000");
        assert_eq!(origin(&[host, ("origin", "http://127.0.0.1:7000")]), None);
        for page in
            ["null", "http://127.0.0.1:7001", "https://127.0.0.1:7000", "http://localhost:7000", "http://evil.example"]
        {
            assert_eq!(origin(&[host, ("origin", page)]), Some(ErrorCode::ForbiddenOrigin), "{page}");
        }
        assert_eq!(origin(&[host, ("sec-fetch-site", "same-origin")]), None);
        assert_eq!(origin(&[host, ("sec-fetch-site", "none")]), None, "typed into the address bar");
        for site in ["cross-site", "same-site", "anything"] {
            assert_eq!(origin(&[host, ("sec-fetch-site", site)]), Some(ErrorCode::ForbiddenOrigin), "{site}");
        }
    }

    #[test]
    fn the_token_comes_as_bearer_or_as_subprotocol_of_a_socket() {
        let bearer = |value| holds_token(&headers(&[("authorization", value)]), "/rooms", "secret");
        assert!(bearer("Bearer secret") && bearer("bearer secret"));
        for value in ["secret", "Bearer", "Bearer ", "Bearer secre", "Bearer secrett", "Basic secret", "Bearer SECRET"]
        {
            assert!(!bearer(value), "{value}");
        }
        let offer = headers(&[("sec-websocket-protocol", "parlor.v1, parlor.bearer.secret")]);
        assert!(holds_token(&offer, "/rooms/a/ws", "secret"));
        for path in ["/rooms/a/members", "/rooms/ws", "/rooms//ws", "/rooms/a/b/ws", "/ws"] {
            assert!(!holds_token(&offer, path, "secret"), "only where no header can be set, and not at {path}");
        }
    }
}
