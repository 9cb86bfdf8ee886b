//! What a request says about its call: who acts, in which room, with which arguments.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::close_code;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use parlor::{
    Arguments, By, Error, ErrorCode, HistoryQuery, InspectOptions, Live, MembersQuery, RecordingOptions, ReplayAt,
    ReplayQuery, Room, RoomId, arguments, limits,
};
use tokio::time::timeout;

use crate::arguments::object;
use crate::guests::Visit;
use crate::problem::Problem;
use crate::server::{App, Closing};

/// The most that a body may have. The largest call is 32 KiB of room metadata, and every character of it may be
/// written as an escape of six.
pub(crate) const BODY_MAX: usize = 256 * 1024;

/// What a listener makes of the requests that come to it. Handlers are the same for all listeners, and know only this.
pub(crate) trait Surface: Clone + Send + Sync + 'static {
    /// The most bytes of a body.
    const BODY_MAX: usize;

    /// Who acts.
    fn caller(&self, parts: &Parts) -> Result<Live, Problem>;

    /// The name of the room that is meant.
    fn room(&self, parts: &mut Parts) -> impl Future<Output = Result<String, Problem>> + Send;

    /// For how long, and how fast, a stream may go on.
    fn stay(&self, parts: &Parts) -> Result<Stay, Problem>;

    /// How long a body may take to arrive.
    fn body_within(&self) -> Duration;
}

impl Surface for Arc<App> {
    const BODY_MAX: usize = BODY_MAX;

    /// The profile's own person, or the guest that `Parlor-User` names.
    fn caller(&self, parts: &Parts) -> Result<Live, Problem> {
        let name = text(parts, "parlor-user-name")?;
        match text(parts, "parlor-user")? {
            Some(user) => Ok(self.live.acting_as(&user, name.as_deref())?),
            None if name.is_some() => {
                Err(Problem::new(ErrorCode::InvalidMemberId, "Parlor-User-Name names nobody without Parlor-User"))
            }
            // One request is no handle: which member is meant must not depend on the requests of others.
            None => Ok(self.live.without_memory()),
        }
    }

    /// The room of the path.
    async fn room(&self, parts: &mut Parts) -> Result<String, Problem> {
        RoomName::from_request_parts(parts, self).await.map(|RoomName(name)| name)
    }

    fn stay(&self, _: &Parts) -> Result<Stay, Problem> {
        Ok(Stay { closing: self.closing.clone(), end: (close_code::AWAY, "the peer is closing"), visit: None })
    }

    fn body_within(&self) -> Duration {
        self.body_within
    }
}

/// How a stream goes on and ends.
pub(crate) struct Stay {
    /// Tells that it has to end.
    pub closing: Closing,
    /// What a socket says then.
    pub end: (u16, &'static str),
    /// What a browser of another computer is held to.
    pub visit: Option<Visit>,
}

impl<S: Surface> FromRequestParts<S> for Stay {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, surface: &S) -> Result<Self, Problem> {
        surface.stay(parts)
    }
}

/// The peer, for the actor of this request.
pub(crate) struct Caller(pub Live);

impl<S: Surface> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, surface: &S) -> Result<Self, Problem> {
        surface.caller(parts).map(Caller)
    }
}

/// A header as text. Tools send UTF-8; `fetch` sends Latin-1, whose bytes are code points.
fn text(parts: &Parts, name: &str) -> Result<Option<String>, Problem> {
    let mut values = parts.headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::new(ErrorCode::InvalidMemberId, format!("the header {name} stands there twice")));
    }
    let bytes = value.as_bytes();
    let latin = || bytes.iter().copied().map(char::from).collect();
    Ok(Some(std::str::from_utf8(bytes).map_or_else(|_| latin(), str::to_owned)))
}

/// The room that is meant, for the actor of this request. To ask about a room is a sign of life there (design R7).
pub(crate) struct Here(pub Room);

impl<S: Surface> FromRequestParts<S> for Here {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, surface: &S) -> Result<Self, Problem> {
        let live = surface.caller(parts)?;
        let room = live.room(surface.room(parts).await?);
        room.touch().await;
        Ok(Here(room))
    }
}

/// The room's name in the path, decoded.
pub(crate) struct RoomName(pub String);

impl FromRequestParts<Arc<App>> for RoomName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let undecodable =
            |_| Error::new(ErrorCode::InvalidRoomId, "room: the name in the path is not UTF-8").at("room");
        let Path(name) = Path::<String>::from_request_parts(parts, app).await.map_err(undecodable)?;
        RoomId::new(&name).map_err(|error| error.at("room"))?;
        Ok(RoomName(name))
    }
}

/// The arguments in the body.
pub(crate) struct Args<T>(pub T);

impl<T: Arguments, S: Surface> FromRequest<S> for Args<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, surface: &S) -> Result<Self, Problem> {
        let declared = request.headers().get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
        let body = match timeout(surface.body_within(), Bytes::from_request(request, surface)).await {
            Err(_) => {
                let within = surface.body_within().as_secs_f32();
                return Err(Problem::new(ErrorCode::InvalidJson, format!("the body did not arrive within {within} s")));
            }
            Ok(Ok(body)) => body,
            Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                return Err(Error::too_large("bytes", S::BODY_MAX, declared.unwrap_or(S::BODY_MAX + 1), "body").into());
            }
            Ok(Err(rejection)) => {
                let status = rejection.into_response().status();
                return Err(Problem::new(ErrorCode::InvalidJson, format!("the body could not be read ({status})")));
            }
        };
        Ok(Args(arguments(object(&body)?)?))
    }
}

/// Which members to list, from the query of the address.
pub(crate) struct Listing(pub MembersQuery);

impl<S: Send + Sync> FromRequestParts<S> for Listing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Listing(listing(pairs(parts, "limit, cursor, by and evidence")?)?))
    }
}

/// Which messages to list, from the query of the address.
pub(crate) struct Paging(pub HistoryQuery);

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let allowed = "limit and cursor";
        let mut query = HistoryQuery::default();
        for (key, value) in each_once(pairs(parts, allowed)?)? {
            match key.as_str() {
                "limit" => query.limit = Some(limit(&value)?),
                "cursor" => query.cursor = Some(cursor(value)?),
                _ => return Err(unknown(&key, allowed).into()),
            }
        }
        Ok(Paging(query))
    }
}

/// What to look at, from the query of the address.
pub(crate) struct Looking(pub InspectOptions);

impl FromRequestParts<Arc<App>> for Looking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let (mut options, allowed) = (InspectOptions::default(), "room and bytes");
        for (key, value) in each_once(pairs(parts, allowed)?)? {
            match key.as_str() {
                "room" => options.room = Some(RoomId::new(&value).map_err(|error| error.at("room"))?),
                "bytes" => options.bytes = truth(&key, &value)?,
                _ => return Err(unknown(&key, allowed).into()),
            }
        }
        Ok(Looking(options))
    }
}

/// How a recording is saved, and which part of it is wanted, from the query of the address.
pub(crate) struct Replaying {
    pub options: RecordingOptions,
    pub query: ReplayQuery,
}

/// Which part of a recording that is handed over is wanted.
pub(crate) struct Playing(pub ReplayQuery);

/// Which moment of it.
pub(crate) struct Moment(pub Option<ReplayAt>);

/// What its test is to be called.
pub(crate) struct Named(pub Option<String>);

/// Where the first of two ends.
pub(crate) struct First(pub usize);

impl FromRequestParts<Arc<App>> for Replaying {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let (mut options, mut query) = (RecordingOptions::default(), ReplayQuery::default());
        let allowed = "values, at, atMs, from and limit";
        for (key, value) in each_once(pairs(parts, allowed)?)? {
            if key == "values" {
                options.values = truth(&key, &value)?;
            } else if !part(&mut query, &key, &value)? {
                return Err(unknown(&key, allowed).into());
            }
        }
        Ok(Replaying { options, query })
    }
}

impl FromRequestParts<Arc<App>> for Playing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let (mut query, allowed) = (ReplayQuery::default(), "at, atMs, from and limit");
        for (key, value) in each_once(pairs(parts, allowed)?)? {
            if !part(&mut query, &key, &value)? {
                return Err(unknown(&key, allowed).into());
            }
        }
        Ok(Playing(query))
    }
}

impl FromRequestParts<Arc<App>> for Moment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let (mut query, allowed) = (ReplayQuery::default(), "at and atMs");
        for (key, value) in each_once(pairs(parts, allowed)?)? {
            if !key.starts_with("at") || !part(&mut query, &key, &value)? {
                return Err(unknown(&key, allowed).into());
            }
        }
        Ok(Moment(query.at))
    }
}

impl FromRequestParts<Arc<App>> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        only(parts, "name").map(Named)
    }
}

impl FromRequestParts<Arc<App>> for First {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let missing = || wrong("first", "first is missing: how many bytes of the body are the first file".into());
        let length = number("first", &only(parts, "first")?.ok_or_else(missing)?)?;
        Ok(First(length))
    }
}

/// The one thing that a query may have.
fn only(parts: &Parts, name: &str) -> Result<Option<String>, Problem> {
    let mut found = None;
    for (key, value) in each_once(pairs(parts, name)?)? {
        if key != name {
            return Err(wrong(&key, format!("{key} is unknown; {name} is allowed")).into());
        }
        found = Some(value);
    }
    Ok(found)
}

/// Takes one word of a query about a recording; false when it is none.
fn part(query: &mut ReplayQuery, key: &str, value: &str) -> Result<bool, Error> {
    match key {
        "at" | "atMs" if query.at.is_some() => return Err(wrong(key, "one of at and atMs is allowed".into())),
        "at" => query.at = Some(ReplayAt::Step(number(key, value)?)),
        "atMs" => query.at = Some(ReplayAt::Ms(number(key, value)?)),
        "from" => query.from = Some(number(key, value)?),
        "limit" => query.limit = Some(number(key, value)?),
        _ => return Ok(false),
    }
    Ok(true)
}

fn truth(key: &str, value: &str) -> Result<bool, Error> {
    value.parse().map_err(|_| wrong(key, format!("{key} is {value:?}; true or false is allowed")))
}

/// As everywhere, digits only; but here nothing is a number.
fn number<N: std::str::FromStr + std::fmt::Display>(key: &str, value: &str) -> Result<N, Error> {
    let not = || wrong(key, format!("{key} is {value:?}; a whole number is allowed"));
    value.parse::<N>().ok().filter(|number| number.to_string() == value).ok_or_else(not)
}

fn pairs(parts: &Parts, allowed: &str) -> Result<Vec<(String, String)>, Problem> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let unreadable = |_| Problem::new(ErrorCode::InvalidLimit, format!("the query cannot be read; it takes {allowed}"));
    pairs.map(|pairs| pairs.0).map_err(unreadable)
}

fn listing(pairs: Vec<(String, String)>) -> Result<MembersQuery, Error> {
    let mut query = MembersQuery::default();
    for (key, value) in each_once(pairs)? {
        match key.as_str() {
            "limit" => query.limit = Some(limit(&value)?),
            "cursor" => query.cursor = Some(cursor(value)?),
            "by" => {
                let wrong = || wrong("by", format!("by is {value:?}; member or session is allowed"));
                query.by = by(&value).ok_or_else(wrong)?;
            }
            "evidence" => query.evidence = truth(&key, &value)?,
            _ => return Err(unknown(&key, "limit, cursor, by and evidence")),
        }
    }
    Ok(query)
}

fn each_once(pairs: Vec<(String, String)>) -> Result<Vec<(String, String)>, Error> {
    let twice = |at: usize| pairs[..at].iter().any(|(key, _)| *key == pairs[at].0);
    match (0..pairs.len()).find(|at| twice(*at)) {
        Some(at) => Err(wrong(&pairs[at].0, format!("{} stands there twice", pairs[at].0))),
        None => Ok(pairs),
    }
}

fn unknown(key: &str, allowed: &str) -> Error {
    wrong(key, format!("{key} is unknown; {allowed} are allowed"))
}

fn wrong(key: &str, message: String) -> Error {
    let code = if key == "cursor" { ErrorCode::InvalidCursor } else { ErrorCode::InvalidLimit };
    Error::new(code, message).at(key)
}

fn cursor(value: String) -> Result<String, Error> {
    if value.is_empty() {
        return Err(wrong("cursor", "cursor is empty; leave it out for the first page".into()));
    }
    Ok(value)
}

fn limit(value: &str) -> Result<u32, Error> {
    let allowed = || format!("limit is {value:?}; a whole number from 1 to {} is allowed", limits::MEMBERS_LIMIT_MAX);
    whole(value).ok_or_else(|| wrong("limit", allowed()))
}

/// Digits only: `+5` and ` 5` are not how a number is written here.
fn whole(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { text.parse().ok()? } else { return None };
    (1..=limits::MEMBERS_LIMIT_MAX).contains(&number).then_some(number)
}

fn by(text: &str) -> Option<By> {
    match text {
        "member" => Some(By::Member),
        "session" => Some(By::Session),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<MembersQuery, ErrorCode> {
        listing(pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()).map_err(|e| e.code)
    }

    #[test]
    fn a_listing_takes_what_the_contract_names_and_nothing_else() {
        let all = read(&[("limit", "1000"), ("cursor", "abc"), ("by", "session"), ("evidence", "true")]);
        let all = all.expect("a good query");
        assert_eq!((all.limit, all.cursor.as_deref(), all.by), (Some(1000), Some("abc"), By::Session));
        assert!(all.evidence && read(&[("evidence", "false")]) == Ok(MembersQuery::default()));
        for evidence in ["", "1", "yes", "True"] {
            assert_eq!(read(&[("evidence", evidence)]), Err(ErrorCode::InvalidLimit), "{evidence}");
        }
        for limit in ["0", "1001", "", "ten", "-1", "+5", " 5", "1.5", "99999999999999999999"] {
            assert_eq!(read(&[("limit", limit)]), Err(ErrorCode::InvalidLimit), "{limit}");
        }
        assert_eq!(read(&[("cursor", "")]), Err(ErrorCode::InvalidCursor));
        assert_eq!(read(&[("cursor", "a"), ("cursor", "b")]), Err(ErrorCode::InvalidCursor));
        assert_eq!(read(&[("by", "device")]), Err(ErrorCode::InvalidLimit));
        assert_eq!(read(&[("limt", "5")]), Err(ErrorCode::InvalidLimit));
    }
}
