//! From JSON to the arguments of a call, for surfaces whose callers write JSON: HTTP bodies, messages of a WebSocket, calls
//! of a window's page. Whatever is wrong is named: which field, what was found, what is allowed, under the code that belongs
//! to the field (design A9), so that a mistake is answered with the same words everywhere.

use parlor_core::{
    AccessChange, BoardChange, Error, ErrorCode, HistoryQuery, Join, Leave, MembersQuery, MetadataChange,
    PresenceChange, Publish,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use crate::lab::LabChange;
use crate::report::ProfileChange;
use crate::share::ShareChange;

/// Arguments that arrive as a JSON object. Every field may be missing; none may be unknown.
pub trait Arguments: DeserializeOwned {
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

impl Arguments for MembersQuery {
    fn code_of(field: &str) -> ErrorCode {
        of_a_page(field)
    }
}

impl Arguments for HistoryQuery {
    fn code_of(field: &str) -> ErrorCode {
        of_a_page(field)
    }
}

fn of_a_page(field: &str) -> ErrorCode {
    match field {
        "cursor" => ErrorCode::InvalidCursor,
        _ => ErrorCode::InvalidLimit,
    }
}

impl Arguments for ShareChange {
    fn code_of(field: &str) -> ErrorCode {
        match field {
            "address" | "port" => ErrorCode::InvalidTicket,
            "minutes" => ErrorCode::InvalidLimit,
            "putOut" => ErrorCode::InvalidMemberId,
            _ => ErrorCode::InvalidJson,
        }
    }
}

impl Arguments for LabChange {
    fn code_of(field: &str) -> ErrorCode {
        match field {
            "clear" => ErrorCode::InvalidJson,
            // A fault, a number, or a crowd in some room.
            _ => ErrorCode::InvalidLimit,
        }
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

/// Reads the arguments of a call from an object.
///
/// # Errors
/// The code of the field that is wrong, with its place as `path`.
///
/// ```
/// use parlor::{ErrorCode, Join, arguments};
/// use serde_json::json;
///
/// let given = json!({"presence": {"status": "online"}, "memberId": 7});
/// let error = arguments::<Join>(given.as_object().cloned().unwrap_or_default()).unwrap_err();
/// assert_eq!((error.code, &error.details["path"]), (ErrorCode::InvalidMemberId, &json!("memberId")));
/// ```
pub fn arguments<T: Arguments>(object: Map<String, Value>) -> Result<T, Error> {
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
