//! From JSON to the arguments of a call, for surfaces whose callers write JSON: HTTP bodies, messages of a WebSocket, calls
//! of a window's page. Whatever is wrong is named: which field, what was found, what is allowed, under the code that belongs
//! to the field (design A9), so that a mistake is answered with the same words everywhere.

use parlor_core::{
    AccessChange, BoardChange, Error, ErrorCode, HistoryQuery, Join, Leave, MembersQuery, MetadataChange,
    PresenceChange, Publish,
};
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
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
    serde_path_to_error::deserialize(Given(Value::Object(object))).map_err(
        |error: serde_path_to_error::Error<serde_json::Error>| {
            let steps: Vec<String> = error.path().iter().filter_map(step).collect();
            let field = steps.first().map(String::as_str).unwrap_or_default();
            let (code, place) = (T::code_of(field), steps.join("."));
            Error::new(code, format!("{place}: {}", error.inner())).at(&place)
        },
    )
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

/// What was given, read as it is meant: serde takes a list of the values of an object's fields for the object, which nobody
/// means who writes JSON.
struct Given(Value);

impl<'de> Deserializer<'de> for Given {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.into_iter().map(Given));
                let list = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(list)
            }
            Value::Object(fields) => {
                visitor.visit_map(MapDeserializer::new(fields.into_iter().map(|(key, value)| (key, Given(value)))))
            }
            plain => plain.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Array(_) => Err(Self::Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

impl IntoDeserializer<'_, serde_json::Error> for Given {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn place<T: Arguments + std::fmt::Debug>(given: Value) -> String {
        let error = arguments::<T>(given.as_object().cloned().unwrap()).unwrap_err();
        error.details["path"].as_str().unwrap().to_owned()
    }

    /// Where an object is meant, in whatever depth.
    #[test]
    fn a_list_is_no_object() {
        assert_eq!(place::<BoardChange>(json!({"set": [{"id": "a"}, ["b", 1, 2]]})), "set.1");
        assert_eq!(place::<LabChange>(json!({"all": [{}, {}, false]})), "all");
        assert_eq!(place::<LabChange>(json!({"all": {"in": []}})), "all.in");
        assert_eq!(place::<LabChange>(json!({"people": [["r", 1]]})), "people.0");
        assert_eq!(place::<LabChange>(json!({"peers": {"p": []}})), "peers.p");
        // A list where one is meant, and within what nobody has fixed.
        let said = arguments::<BoardChange>(json!({"remove": ["a"]}).as_object().cloned().unwrap());
        assert_eq!(said.unwrap().remove, ["a"]);
        let given = json!({"presence": {"points": [[1, 2.5], [3, null]]}});
        let joined = arguments::<Join>(given.as_object().cloned().unwrap()).unwrap();
        assert_eq!(serde_json::to_value(joined).unwrap()["presence"], given["presence"]);
    }
}
