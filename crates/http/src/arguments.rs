//! From the text of a body to the arguments of a call. Whatever is wrong is named: which field, what was found, what
//! is allowed, under the code that belongs to the field (design A9). HTTP bodies and WebSocket messages share this.

use parlor::{
    AccessChange, BoardChange, Error, ErrorCode, Join, Leave, MetadataChange, PresenceChange, ProfileChange, Publish,
    RoomId,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_path_to_error::Segment;
use utoipa::ToSchema;

use crate::json;

/// Arguments that arrive as a JSON object. Every field may be missing; none may be unknown.
pub(crate) trait Arguments: DeserializeOwned {
    /// The code of an error in this field, or in a field that does not exist.
    fn code_of(field: &str) -> ErrorCode;
}

impl Arguments for Join {
    fn code_of(field: &str) -> ErrorCode {
        match field {
            "metadata" => ErrorCode::InvalidMetadata,
            "memberId" => ErrorCode::InvalidMemberId,
            "ticket" => ErrorCode::InvalidTicket,
            _ => ErrorCode::InvalidPresence,
        }
    }
}

impl Arguments for PresenceChange {
    fn code_of(field: &str) -> ErrorCode {
        match field {
            "memberId" => ErrorCode::InvalidMemberId,
            _ => ErrorCode::InvalidPresence,
        }
    }
}

impl Arguments for MetadataChange {
    fn code_of(_: &str) -> ErrorCode {
        ErrorCode::InvalidMetadata
    }
}

impl Arguments for BoardChange {
    fn code_of(_: &str) -> ErrorCode {
        ErrorCode::InvalidBoard
    }
}

impl Arguments for Publish {
    fn code_of(field: &str) -> ErrorCode {
        match field {
            "memberId" => ErrorCode::InvalidMemberId,
            _ => ErrorCode::InvalidMessage,
        }
    }
}

impl Arguments for AccessChange {
    // Nearly all of it says who.
    fn code_of(_: &str) -> ErrorCode {
        ErrorCode::InvalidMemberId
    }
}

impl Arguments for Leave {
    fn code_of(_: &str) -> ErrorCode {
        ErrorCode::InvalidMemberId
    }
}

impl Arguments for ProfileChange {
    fn code_of(_: &str) -> ErrorCode {
        ErrorCode::InvalidPresence
    }
}

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

/// Reads the arguments of a call from an object.
pub(crate) fn arguments<T: Arguments>(object: Map<String, Value>) -> Result<T, Error> {
    if let Some((field, _)) = object.iter().find(|(_, value)| value.is_null()) {
        let message = format!("{field} is null; give a value or leave it out");
        return Err(Error::new(T::code_of(field), message).at(field));
    }
    serde_path_to_error::deserialize(Value::Object(object)).map_err(|error| {
        let steps: Vec<String> = error.path().iter().filter_map(step).collect();
        let field = steps.first().map(String::as_str).unwrap_or_default();
        let (code, place) = (T::code_of(field), steps.join("."));
        Error::new(code, format!("{place}: {}", error.inner())).at(&place)
    })
}

/// One step of a place as it is written here: `set.0.x`.
fn step(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { variant } => Some(variant.clone()),
        Segment::Unknown => None,
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
