//! One error for every surface: a code of the contract, a sentence, and details that a program can read (design A9).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The code of an error. Unless a variant says otherwise, no state was touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ErrorCode {
    /// The body is not JSON. Nothing was touched.
    InvalidJson,
    /// The room's name breaks a rule. Nothing was touched.
    InvalidRoomId,
    /// The member's name breaks a rule, or is somebody else's `u_` id. Nothing was touched.
    InvalidMemberId,
    /// The presence has a wrong type or a forbidden key. Nothing was touched.
    InvalidPresence,
    /// The metadata has a wrong type or a forbidden key. Nothing was touched.
    InvalidMetadata,
    /// A board write has a wrong field. Nothing was touched.
    InvalidBoard,
    /// A message has a wrong field. Nothing was touched.
    InvalidMessage,
    /// `limit` is not a whole number from 1 to 1000. Nothing was touched.
    InvalidLimit,
    /// The cursor of a page was not made by this API. Nothing was touched.
    InvalidCursor,
    /// The ticket cannot be read. Nothing was touched.
    InvalidTicket,
    /// The file is no recording, or one that was cut short, damaged, or written by a later program. Nothing was touched.
    InvalidRecording,
    /// The token is missing or wrong. Nothing was touched.
    Unauthorized,
    /// The actor may not do this. Nothing was touched.
    Forbidden,
    /// The `Host` header is not one of ours. Nothing was touched.
    ForbiddenHost,
    /// The `Origin` header is not ours. Nothing was touched.
    ForbiddenOrigin,
    /// The room is locked. Nothing was touched.
    RoomLocked,
    /// There is no such thing. Nothing was touched.
    NotFound,
    /// This path does not take this method. Nothing was touched.
    MethodNotAllowed,
    /// The actor is not a member of the room. Nothing was touched.
    NotJoined,
    /// The actor has several members here: name one with `memberId`. Nothing was touched.
    AmbiguousMember,
    /// Another actor holds this member id here. Nothing was touched.
    MemberIdConflict,
    /// The process holds as many rooms as it may. Nothing was touched.
    TooManyRooms,
    /// The cell may not be written any more. Nothing was touched.
    CellFrozen,
    /// This profile runs somewhere else too. Nothing was touched.
    IdentityCloned,
    /// `If-Match` did not match. Nothing was touched.
    PreconditionFailed,
    /// A size, count or depth is over its limit. Nothing was touched.
    PayloadTooLarge,
    /// The body must be `application/json`. Nothing was touched.
    UnsupportedMediaType,
    /// Too many requests. Nothing was touched.
    RateLimited,
    /// The peer is closing, or nobody answers where somebody was looked for. Nothing was touched, unless the peer was closed
    /// while the call was under way: then all of it was done or nothing. The call may be repeated.
    NetworkUnavailable,
    /// A file could not be written. What is in memory was touched, and everybody has it; what is on disk was not.
    StorageFailed,
}

impl ErrorCode {
    /// The status of an HTTP answer with this code.
    #[must_use]
    pub fn http_status(self) -> u16 {
        use ErrorCode as C;
        match self {
            C::InvalidJson
            | C::InvalidRoomId
            | C::InvalidMemberId
            | C::InvalidPresence
            | C::InvalidMetadata
            | C::InvalidBoard
            | C::InvalidMessage
            | C::InvalidLimit
            | C::InvalidCursor
            | C::InvalidTicket
            | C::InvalidRecording => 400,
            C::Unauthorized => 401,
            C::Forbidden | C::ForbiddenHost | C::ForbiddenOrigin | C::RoomLocked => 403,
            C::NotFound => 404,
            C::MethodNotAllowed => 405,
            C::NotJoined
            | C::AmbiguousMember
            | C::MemberIdConflict
            | C::TooManyRooms
            | C::CellFrozen
            | C::IdentityCloned => 409,
            C::PreconditionFailed => 412,
            C::PayloadTooLarge => 413,
            C::UnsupportedMediaType => 415,
            C::RateLimited => 429,
            C::NetworkUnavailable => 503,
            C::StorageFailed => 507,
        }
    }

    /// Whether the same call can succeed later without being changed.
    #[must_use]
    pub fn recoverable(self) -> bool {
        matches!(
            self,
            ErrorCode::NotJoined
                | ErrorCode::RoomLocked
                | ErrorCode::TooManyRooms
                | ErrorCode::RateLimited
                | ErrorCode::NetworkUnavailable
                | ErrorCode::StorageFailed
        )
    }

    /// The code as it is written: `NOT_JOINED`.
    #[must_use]
    pub fn as_str(self) -> String {
        match serde_json::to_value(self) {
            Ok(Value::String(text)) => text,
            _ => String::new(),
        }
    }
}

/// An error of any call: what was wrong and what is allowed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct Error {
    /// What kind of error.
    pub code: ErrorCode,
    /// One sentence for a person.
    pub message: String,
    /// What a program may want to know: `limit`, `max`, `actual`, `path`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[cfg_attr(feature = "ts", ts(optional, type = "Record<string, unknown>"))]
    pub details: Map<String, Value>,
    /// Whether the same call can succeed later without being changed.
    pub recoverable: bool,
}

impl Error {
    /// An error without details.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Map::new(), recoverable: code.recoverable() }
    }

    /// Adds which limit was passed, its value, what was given, and where in the payload.
    #[must_use]
    pub fn limit(mut self, limit: &str, max: usize, actual: usize, path: &str) -> Self {
        self.details.insert("limit".into(), limit.into());
        self.details.insert("max".into(), json!(max));
        self.details.insert("actual".into(), json!(actual));
        self.details.insert("path".into(), path.into());
        self
    }

    /// Adds where in the payload.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        self.details.insert("path".into(), path.into());
        self
    }

    /// A size, count or depth over its limit: `bytes` and `valueBytes` of JSON, `keys`, `keyBytes`, `stringBytes`, `depth`
    /// or `members`, at `path`.
    #[must_use]
    pub fn too_large(limit: &str, max: usize, actual: usize, path: &str) -> Self {
        let (was, allowed) = (grouped(actual), grouped(max));
        let what = match limit {
            "bytes" | "valueBytes" => format!("{path} is {was} bytes of JSON"),
            "keys" => format!("{path} has {was} keys"),
            "objects" => format!("{path} has {was} objects in it"),
            "keyBytes" => format!("{path} has a key of {was} bytes"),
            "stringBytes" => format!("{path} has a string of {was} bytes"),
            "depth" => format!("{path} is nested {was} levels deep"),
            "members" => format!("{path} would have {was} members"),
            _ => format!("{limit} of {path} is {was}"),
        };
        Error::new(ErrorCode::PayloadTooLarge, format!("{what}; at most {allowed} are allowed"))
            .limit(limit, max, actual, path)
    }
}

/// A number as people read it: `10,171`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    // A9: the statuses of the contract.
    #[test]
    fn every_code_has_the_status_of_the_contract() {
        let contract = "
            INVALID_JSON INVALID_ROOM_ID INVALID_MEMBER_ID INVALID_PRESENCE INVALID_METADATA INVALID_BOARD INVALID_MESSAGE
            INVALID_LIMIT INVALID_CURSOR INVALID_TICKET INVALID_RECORDING 400
            UNAUTHORIZED 401
            FORBIDDEN FORBIDDEN_HOST FORBIDDEN_ORIGIN ROOM_LOCKED 403
            NOT_FOUND 404
            METHOD_NOT_ALLOWED 405
            NOT_JOINED AMBIGUOUS_MEMBER MEMBER_ID_CONFLICT TOO_MANY_ROOMS CELL_FROZEN IDENTITY_CLONED 409
            PRECONDITION_FAILED 412
            PAYLOAD_TOO_LARGE 413
            UNSUPPORTED_MEDIA_TYPE 415
            RATE_LIMITED 429
            NETWORK_UNAVAILABLE 503
            STORAGE_FAILED 507";
        let mut codes = Vec::new();
        for word in contract.split_whitespace() {
            let Ok(status) = word.parse::<u16>() else {
                codes.push(serde_json::from_value::<ErrorCode>(word.into()).unwrap());
                continue;
            };
            for code in codes.drain(..) {
                assert_eq!(code.http_status(), status, "{}", code.as_str());
            }
        }
        assert_eq!(variants().len(), contract.split_whitespace().filter(|word| word.parse::<u16>().is_err()).count());
    }

    // A9: whoever is refused has to know whether anything happened.
    #[test]
    fn every_code_says_whether_state_was_touched() {
        for (name, words) in variants() {
            assert!(words.contains("touched"), "{name} does not say whether state was touched: {words}");
        }
    }

    /// The codes with their documentation, as they stand in the source.
    fn variants() -> Vec<(&'static str, String)> {
        let source = include_str!("error.rs");
        let (_, rest) = source.split_once("pub enum ErrorCode {").unwrap();
        let (list, _) = rest.split_once("\n}").unwrap();
        let mut variants = Vec::new();
        let mut words = String::new();
        for line in list.lines().map(str::trim) {
            match line.strip_prefix("///") {
                Some(more) => words += more,
                None if line.is_empty() => {}
                None => variants.push((line.trim_end_matches(','), std::mem::take(&mut words))),
            }
        }
        variants
    }

    #[test]
    fn what_is_too_large_is_said_in_a_sentence() {
        let said = |limit, max, actual, path| Error::too_large(limit, max, actual, path).message;
        assert_eq!(
            said("bytes", 4096, 10_171, "presence"),
            "presence is 10,171 bytes of JSON; at most 4,096 are allowed"
        );
        assert_eq!(
            said("valueBytes", 8192, 9_000, "metadata.plan"),
            "metadata.plan is 9,000 bytes of JSON; at most 8,192 are allowed"
        );
        assert_eq!(said("keys", 64, 65, "presence"), "presence has 65 keys; at most 64 are allowed");
        assert_eq!(said("keyBytes", 64, 70, "unset.k"), "unset.k has a key of 70 bytes; at most 64 are allowed");
        assert_eq!(
            said("stringBytes", 2048, 2_049, "presence.a"),
            "presence.a has a string of 2,049 bytes; at most 2,048 are allowed"
        );
        assert_eq!(said("depth", 8, 9, "presence.in"), "presence.in is nested 9 levels deep; at most 8 are allowed");
        assert_eq!(said("members", 256, 257, "room"), "room would have 257 members; at most 256 are allowed");
        assert_eq!(said("notes", 2, 1_000_000, "board"), "notes of board is 1,000,000; at most 2 are allowed");
        let details = Error::too_large("keys", 64, 65, "presence").details;
        assert_eq!(Value::Object(details), json!({"limit": "keys", "max": 64, "actual": 65, "path": "presence"}));
    }
}
