//! JSON text, read strictly: a name that stands twice in one object is refused, since two readers would take different ones
//! of its values. Whatever is wrong is told with its place, `presence.selection.from`, also where the text is no JSON at all.

use std::cell::RefCell;
use std::fmt;

use parlor::{Error, ErrorCode};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads one value, and nothing after it.
pub(crate) fn read(text: &[u8]) -> Result<Value, Error> {
    let place = RefCell::new(Vec::new());
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = At(&place).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| {
        let said = error.to_string();
        let mut place = place.into_inner();
        // The parser's own limit, far beyond ours; it stands in for it so that a deep body is not called malformed.
        let deep = said.starts_with("recursion limit");
        if deep {
            // As every depth is told: by the argument and what of it goes too deep.
            place.truncate(2);
        }
        let place = place.join(".");
        let what = if place.is_empty() { "body" } else { place.as_str() };
        if deep {
            return Error::too_large("depth", parlor::limits::DEPTH_MAX, 128, what);
        }
        // The parser has several words for a surrogate without its other half.
        let half = ["surrogate", "unexpected end of hex escape"].iter().any(|words| said.contains(words));
        let why = if half { "half of a character, a surrogate that stands alone: " } else { "" };
        let message = format!("{what} is not JSON: {why}{said}");
        Error::new(ErrorCode::InvalidJson, message).at(what)
    })
}

/// Where the reader is. What fails leaves it where it failed.
#[derive(Clone, Copy)]
struct At<'a>(&'a RefCell<Vec<String>>);

impl At<'_> {
    fn within<T, E>(self, step: String, read: impl FnOnce(Self) -> Result<T, E>) -> Result<T, E> {
        self.0.borrow_mut().push(step);
        let value = read(self)?;
        self.0.borrow_mut().pop();
        Ok(value)
    }
}

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = self.within(list.len().to_string(), |at| items.next_element_seed(at))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = self.within(name.clone(), |at| match object.contains_key(&name) {
                true => Err(A::Error::custom("this name stands twice in its object")),
                false => members.next_value_seed(at),
            })?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(text: &str) -> (ErrorCode, String, String) {
        let error = read(text.as_bytes()).expect_err(text);
        (error.code, error.details["path"].as_str().expect("a place").to_owned(), error.message)
    }

    #[test]
    fn what_is_json_is_read_as_it_stands() {
        let text = r#" {"a": [1, -2, 3.5, 18446744073709551615, "\ud83d\ude00", null, true], "b": {"a": {}}} "#;
        let value = json!({"a": [1, -2, 3.5, u64::MAX, "😀", null, true], "b": {"a": {}}});
        assert_eq!(read(text.as_bytes()).expect("JSON"), value);
        assert_eq!(read(text.as_bytes()).expect("JSON"), serde_json::from_str::<Value>(text).expect("JSON"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let cases = [
            ("{", "body", "EOF"),
            ("{} {}", "body", "trailing"),
            (r#"{"a": 1, "b": 2, "a": 3}"#, "a", "twice"),
            (r#"{"a": {"b": 1, "b": 1}}"#, "a.b", "twice"),
            (r#"{"a": [{}, {"b": 1, "\u0062": 1}]}"#, "a.1.b", "twice"),
            (r#"{"presence": {"x": NaN}}"#, "presence.x", "expected"),
            (r#"{"presence": {"x": 1e999}}"#, "presence.x", "out of range"),
            (r#"{"presence": {"x": "\ud800"}}"#, "presence.x", "surrogate"),
            (r#"{"presence": {"x": "\udc00\ud800"}}"#, "presence.x", "surrogate"),
            (r#"{"presence": {"\ud800": 1}}"#, "presence", "surrogate"),
            (r#"{"presence": {"x": [1, 2, ]}}"#, "presence.x.2", "trailing comma"),
        ];
        for (text, place, word) in cases {
            let (code, path, message) = refused(text);
            assert_eq!((code, path.as_str()), (ErrorCode::InvalidJson, place), "{text}: {message}");
            assert!(message.starts_with(place) && message.contains(word), "{text}: {message}");
        }
    }

    #[test]
    fn what_is_too_deep_is_too_large() {
        let deep = format!(r#"{{"presence": {{"a": {}1{}}}}}"#, "[".repeat(400), "]".repeat(400));
        let (code, path, _) = refused(&deep);
        assert_eq!((code, path.as_str()), (ErrorCode::PayloadTooLarge, "presence.a"));
    }
}
