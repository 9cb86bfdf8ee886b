//! An error as an HTTP answer: `application/problem+json` of RFC 9457, with the code of the contract (design A9).

use axum::http::header::{CONTENT_TYPE, HeaderName, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use parlor::{Error, ErrorCode};
use serde_json::{Map, Value, json};

use crate::condition;

/// The media type of every error.
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// An [`Error`] on its way out.
#[derive(Debug)]
pub struct Problem(pub Error);

impl Problem {
    /// A problem without details.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Problem(Error::new(code, detail))
    }

    /// The body: the details of the error, and over them the members that every problem has.
    fn body(&self) -> Map<String, Value> {
        let Error { code, message, details, recoverable } = &self.0;
        let mut body = details.clone();
        body.insert("title".into(), title(*code).into());
        body.insert("status".into(), code.http_status().into());
        body.insert("detail".into(), message.as_str().into());
        body.insert("code".into(), json!(code));
        body.insert("recoverable".into(), (*recoverable).into());
        body
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Problem(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = Value::Object(self.body()).to_string();
        let mut response = (status, [(CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        response.extensions_mut().insert(self.0.code);
        if let Some((name, value)) = extra_header(&self.0) {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// What HTTP wants beside the status.
fn extra_header(error: &Error) -> Option<(HeaderName, HeaderValue)> {
    match error.code {
        ErrorCode::Unauthorized => Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"parlor\""))),
        ErrorCode::PreconditionFailed => condition::tag(error.details.get("version")?.as_str()?),
        _ => None,
    }
}

/// The code for a person: `NOT_JOINED` reads "Not joined".
fn title(code: ErrorCode) -> String {
    let words = code.as_str().replace('_', " ").to_lowercase().replace("json", "JSON");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_never_hide_what_every_problem_has() {
        let mut error = Error::too_large("depth", 8, 9, "presence.a");
        error.details.insert("code".into(), "SOMETHING".into());
        let body = Problem(error).body();
        assert_eq!(body["code"], "PAYLOAD_TOO_LARGE");
        assert_eq!(body["title"], "Payload too large");
        assert_eq!(body["status"], 413);
        assert_eq!((&body["limit"], &body["max"], &body["actual"]), (&json!("depth"), &json!(8), &json!(9)));
        assert_eq!(body["path"], "presence.a");
    }
}
