//! From the text of a body to an object, and the arguments of the calls that HTTP alone has an object for. HTTP bodies and
//! WebSocket messages share this; `parlor::arguments` goes on from there.

use parlor::{Arguments, Error, ErrorCode, RoomId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::json;

/// Arguments of `create_room`.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CreateRoom {
    /// 1 to 128 characters.
    #[schema(required)]
    pub room: Option<RoomId>,
    /// Whether only those come in who have a ticket.
    pub private: bool,
}

impl Arguments for CreateRoom {
    fn code_of(_: &str) -> ErrorCode {
        ErrorCode::InvalidRoomId
    }
}

/// Arguments of `read_ticket`.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReadTicket {
    /// `parlor:…` or `parlor://join/…`, in either case of letters.
    #[schema(required, pattern = r"^\s*[Pp][Aa][Rr][Ll][Oo][Rr]:")]
    pub ticket: Option<String>,
}

impl Arguments for ReadTicket {
    fn code_of(_: &str) -> ErrorCode {
        ErrorCode::InvalidTicket
    }
}

/// Arguments of a call that takes none.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Nothing {}

impl Arguments for Nothing {
    fn code_of(_: &str) -> ErrorCode {
        ErrorCode::InvalidJson
    }
}

/// Arguments of `dial`.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Dial {
    /// A multiaddr such as `/ip4/192.168.1.20/tcp/4747`, or `ADDRESS` or `ADDRESS:PORT`.
    #[schema(required, pattern = r"^\s*(/ip[46]/.+|[0-9A-Fa-f:.%\[\]]+)\s*$")]
    pub addr: Option<String>,
}

impl Arguments for Dial {
    // The code of an address that cannot be read, too: both say where to find somebody.
    fn code_of(_: &str) -> ErrorCode {
        ErrorCode::InvalidTicket
    }
}

/// Reads a JSON object. An empty body is an object without fields.
pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, Error> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    match json::read(body)? {
        Value::Object(object) => Ok(object),
        other => {
            let message = format!("the body must be a JSON object, not {}", article(&other));
            Err(Error::new(ErrorCode::InvalidJson, message).at("body"))
        }
    }
}

fn article(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use parlor::{BoardChange, Join, Leave, MetadataChange, PresenceChange, arguments};

    use super::*;

    fn read<T: Arguments>(body: &str) -> Result<T, (ErrorCode, String)> {
        let fail = |error: Error| (error.code, error.message);
        object(body.as_bytes()).map_err(fail).and_then(|object| arguments(object).map_err(fail))
    }

    #[test]
    fn an_empty_body_is_no_arguments() {
        assert_eq!(read::<Join>(""), Ok(Join::default()));
        assert_eq!(read::<Join>("{}"), Ok(Join::default()));
    }

    #[test]
    fn every_mistake_names_its_field_and_what_is_allowed() {
        type Case = (fn(&str) -> Option<(ErrorCode, String)>, &'static str, ErrorCode, &'static [&'static str]);
        let cases: &[Case] = &[
            (|b| read::<Join>(b).err(), "[1]", ErrorCode::InvalidJson, &["object", "array"]),
            (|b| read::<Join>(b).err(), "{", ErrorCode::InvalidJson, &["body", "not JSON"]),
            (|b| read::<Join>(b).err(), " \n", ErrorCode::InvalidJson, &["body", "not JSON"]),
            (|b| read::<Join>(b).err(), r#"{"presence":{"a":NaN}}"#, ErrorCode::InvalidJson, &["presence.a"]),
            (
                |b| read::<BoardChange>(b).err(),
                r#"{"set":[{"id":"a","x":"1"}]}"#,
                ErrorCode::InvalidBoard,
                &["set.0.x"],
            ),
            (|b| read::<BoardChange>(b).err(), r#"{"set":[{"id":"a","q":1}]}"#, ErrorCode::InvalidBoard, &["set.0.q"]),
            (|b| read::<Join>(b).err(), r#"{"presence":5}"#, ErrorCode::InvalidPresence, &["presence", "map"]),
            (|b| read::<Join>(b).err(), r#"{"presence":null}"#, ErrorCode::InvalidPresence, &["presence", "null"]),
            (|b| read::<Join>(b).err(), r#"{"metadata":[]}"#, ErrorCode::InvalidMetadata, &["metadata"]),
            (|b| read::<Join>(b).err(), r#"{"memberId":7}"#, ErrorCode::InvalidMemberId, &["memberId", "string"]),
            (|b| read::<Join>(b).err(), r#"{"memberId":""}"#, ErrorCode::InvalidMemberId, &["memberId", "empty"]),
            (|b| read::<Join>(b).err(), r#"{"presense":{}}"#, ErrorCode::InvalidPresence, &["presense", "presence"]),
            (
                |b| read::<Join>(b).err(),
                r#"{"presenceTtlSeconds":-1}"#,
                ErrorCode::InvalidPresence,
                &["presenceTtlSeconds"],
            ),
            (
                |b| read::<PresenceChange>(b).err(),
                r#"{"presence":{},"mode":"x"}"#,
                ErrorCode::InvalidPresence,
                &["mode", "replace"],
            ),
            (|b| read::<PresenceChange>(b).err(), r#"{"unset":"a"}"#, ErrorCode::InvalidPresence, &["unset"]),
            (|b| read::<PresenceChange>(b).err(), r#"{"expire":{"a":"b"}}"#, ErrorCode::InvalidPresence, &["expire"]),
            (|b| read::<MetadataChange>(b).err(), r#"{"metadata":"x"}"#, ErrorCode::InvalidMetadata, &["metadata"]),
            (|b| read::<Leave>(b).err(), r#"{"member":"x"}"#, ErrorCode::InvalidMemberId, &["member", "memberId"]),
            (|b| read::<CreateRoom>(b).err(), r#"{"room":5}"#, ErrorCode::InvalidRoomId, &["room", "string"]),
            (|b| read::<Dial>(b).err(), r#"{"addr":5}"#, ErrorCode::InvalidTicket, &["addr", "string"]),
        ];
        for (read, body, code, words) in cases {
            let (actual, message) = read(body).unwrap_or_else(|| panic!("{body} was taken"));
            assert_eq!(actual, *code, "{body}: {message}");
            for word in *words {
                assert!(message.contains(word), "{body}: {message} does not say {word}");
            }
        }
    }

    #[test]
    fn a_very_deep_body_is_too_large_rather_than_malformed() {
        let deep = format!("{}1{}", "[".repeat(400), "]".repeat(400));
        assert_eq!(object(deep.as_bytes()).expect_err("too deep").code, ErrorCode::PayloadTooLarge);
    }
}
