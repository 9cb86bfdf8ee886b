//! Who may ask a listener for guests. `Host` must be an address of this computer with our port, which no name that was made to
//! lead here is. What writes, and what opens a socket, must come from our own page by its `Origin`; browsers send it with both
//! and let no page change it. Everything but the page itself and `POST /enter` needs the cookie of a guest.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::{COOKIE, HOST, HeaderMap, ORIGIN, UPGRADE};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use parlor::{Error, ErrorCode};
use tokio::time::timeout;

use super::answer::in_turn;
use super::guest::Guest;
use super::routes::BODY_MAX;
use super::{Gate, held, over};
use crate::guard::{JSON, check_content_type, check_declared_length, check_size, single};
use crate::problem::Problem;
use crate::visitors::Visitor;

/// Refusals that are counted and shown to who shares the room: those that no page of ours runs into by itself.
const COUNTED: [ErrorCode; 9] = [
    ErrorCode::Unauthorized,
    ErrorCode::Forbidden,
    ErrorCode::ForbiddenHost,
    ErrorCode::ForbiddenOrigin,
    ErrorCode::NotFound,
    ErrorCode::MethodNotAllowed,
    ErrorCode::PayloadTooLarge,
    ErrorCode::UnsupportedMediaType,
    ErrorCode::RateLimited,
];

/// How long a request waits until its guest reads the answers before it: longer than one that is not read may take.
const TURN_WITHIN: Duration = Duration::from_secs(15);

/// Looks at everything that comes, also for pages and for what is not there.
pub(super) async fn door(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let response = match check(&gate, &mut request) {
        Ok(None) => next.run(request).await,
        Ok(Some(guest)) => match timeout(TURN_WITHIN, Arc::clone(&guest.answers).acquire_owned()).await {
            Ok(Ok(turn)) => in_turn(next.run(request).await, turn),
            Ok(Err(_)) => Problem::from(over()).into_response(),
            Err(_) => rated("answers wait to be read; read those first").into_response(),
        },
        Err(problem) => problem.into_response(),
    };
    if let Some(code) = response.extensions().get::<ErrorCode>().filter(|code| COUNTED.contains(code)) {
        gate.count(*code);
    }
    response
}

/// Lets in who has a cookie; for everything of the room.
pub(super) async fn guests_only(request: Request, next: Next) -> Result<Response, Problem> {
    if request.extensions().get::<Arc<Guest>>().is_none() {
        return Err(over().into());
    }
    Ok(next.run(request).await)
}

/// The guest who asks, if it is one.
fn check(gate: &Gate, request: &mut Request) -> Result<Option<Arc<Guest>>, Problem> {
    check_origin(gate, request)?;
    check_size(request.headers(), request.uri())?;
    if gate.is_over() {
        return Err(over().into());
    }
    let visitor = request.extensions().get::<Arc<Visitor>>().cloned();
    let guest = cookie(request.headers(), &gate.cookie).and_then(|key| gate.guest(key));
    let in_time = match (&guest, &visitor) {
        (Some(guest), visitor) => guest.asks(visitor.as_ref()),
        (None, Some(visitor)) => gate.strangers.may_ask(visitor.from.ip(), Instant::now()),
        (None, None) => false,
    };
    if !in_time {
        return Err(rated("too many requests; try again in a second"));
    }
    if let Some(guest) = &guest {
        request.extensions_mut().insert(Arc::clone(guest));
    }
    check_content_type(request, JSON)?;
    check_declared_length(request.headers(), BODY_MAX)?;
    Ok(guest)
}

fn rated(message: &str) -> Problem {
    Error::new(ErrorCode::RateLimited, message).into()
}

fn check_origin(gate: &Gate, request: &Request) -> Result<(), Problem> {
    let (headers, uri) = (request.headers(), request.uri());
    let host = single(headers, &HOST).unwrap_or_default();
    let target = uri.authority().map(axum::http::uri::Authority::as_str);
    let to = request.extensions().get::<Arc<Visitor>>().and_then(|visitor| visitor.to);
    // Whoever was led to another address of this computer, such as one of another network, came to no link of ours.
    let offered = held(&gate.addresses).iter().copied().find(|address| Some(*address) == to);
    let name = offered.filter(|address| is_name(host, SocketAddr::new(*address, gate.port), gate.default_port()));
    let Some(name) = name.filter(|_| target.is_none_or(|target| target == host)) else {
        return Err(Problem::new(ErrorCode::ForbiddenHost, "this is not an address that the room is shared at"));
    };
    let foreign = |site: &HeaderValue| !site.as_bytes().eq_ignore_ascii_case(b"same-origin") && site != "none";
    if headers.get_all("sec-fetch-site").iter().any(foreign) && !is_opened(request) {
        return Err(Problem::new(ErrorCode::ForbiddenOrigin, "pages of other sites may not use this"));
    }
    let ours = gate.origin(name);
    let origin = single(headers, &ORIGIN);
    let reads = matches!(*request.method(), Method::GET | Method::HEAD) && !headers.contains_key(UPGRADE);
    if (headers.contains_key(ORIGIN) || !reads) && origin != Some(&*ours) {
        return Err(Problem::new(ErrorCode::ForbiddenOrigin, format!("the Origin header must be {ours}")));
    }
    Ok(())
}

/// Whether this is how a browser writes where it is: it leaves out the port that a scheme has by itself. Others may write it.
fn is_name(host: &str, address: SocketAddr, default_port: u16) -> bool {
    host == address.to_string() || (address.port() == default_port && host == bare(address.ip()))
}

/// An address as it stands in a link, without a port.
pub(super) fn bare(address: IpAddr) -> String {
    match address {
        IpAddr::V4(four) => four.to_string(),
        IpAddr::V6(six) => format!("[{six}]"),
    }
}

/// Whether somebody followed the link from a page of elsewhere. What they get says nothing of the room.
fn is_opened(request: &Request) -> bool {
    let is = |name: &str, value: &str| request.headers().get(name).is_some_and(|given| given == value);
    *request.method() == Method::GET
        && request.uri().path() == "/"
        && is("sec-fetch-mode", "navigate")
        && is("sec-fetch-dest", "document")
}

/// The value of the cookie, if it stands there once: a page of another port of this address can add one.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut values = all.flat_map(|list| list.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut ours = values.by_ref().filter(|(given, _)| *given == name);
    let (_, first) = ours.next()?;
    ours.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_the_scheme_may_be_left_out_and_no_other() {
        let is = |host: &str, address: &str, default| is_name(host, address.parse().expect("an address"), default);
        assert!(is("10.0.0.1:80", "10.0.0.1:80", 80) && is("10.0.0.1", "10.0.0.1:80", 80));
        assert!(is("[fd00::1]:443", "[fd00::1]:443", 443) && is("[fd00::1]", "[fd00::1]:443", 443));
        assert!(!is("10.0.0.1", "10.0.0.1:443", 80) && !is("10.0.0.1", "10.0.0.1:4767", 80));
        assert!(!is("fd00::1", "[fd00::1]:80", 80) && !is("10.0.0.2", "10.0.0.1:80", 80) && !is("", "10.0.0.1:80", 80));
    }

    #[test]
    fn a_cookie_counts_when_it_stands_there_once() {
        let given = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(COOKIE, HeaderValue::from_str(value).expect("a value"));
            }
            cookie(&headers, "parlor-guest-1").map(str::to_owned)
        };
        assert_eq!(given(&["parlor-guest-1=x"]).as_deref(), Some("x"));
        assert_eq!(given(&["a=b; parlor-guest-1=x; parlor-guest-12=y"]).as_deref(), Some("x"));
        assert_eq!(given(&["parlor-guest-1=x; parlor-guest-1=x"]), None);
        assert_eq!(given(&["parlor-guest-1=x", "parlor-guest-1=y"]), None);
        for other in ["", "parlor-guest-1", "parlor-guest-12=x", "Parlor-Guest-1=x", "a=parlor-guest-1=x"] {
            assert_eq!(given(&[other]), None, "{other}");
        }
    }
}
