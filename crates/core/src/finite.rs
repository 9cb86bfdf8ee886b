//! Numbers that are none. JSON has no word for NaN and infinity, and `serde_json` writes `null` in their place, which is a
//! value of its own; so what a caller's type says is searched for them, and the first is named by its place (design A8).

use std::fmt;

use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::{Value, json};

use crate::check;

/// A number that is none, and where it stands.
#[derive(Debug)]
struct NotFinite {
    /// The innermost step first.
    steps: Vec<String>,
    number: Option<f64>,
}

impl NotFinite {
    /// Its place and what stands there; nothing when writing the value failed in another way.
    fn told(mut self) -> Option<(String, f64)> {
        self.steps.reverse();
        Some((self.steps.join("."), self.number?))
    }

    fn within(mut self, step: impl fmt::Display) -> Self {
        self.steps.push(step.to_string());
        self
    }
}

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {:?}", self.number, self.steps)
    }
}

impl std::error::Error for NotFinite {}

impl serde::ser::Error for NotFinite {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self { steps: Vec::new(), number: None }
    }
}

/// A value as JSON. One with a number that is none, and what cannot be written, becomes what every check refuses.
pub(crate) fn json(value: &impl Serialize) -> Value {
    let written = serde_json::to_value(value).unwrap_or_default();
    // A null may be what was written in the place of such a number.
    let Some((place, number)) = has_null(&written).then(|| search(value)).flatten() else { return written };
    json!({ (check::NOT_FINITE): [place, number.to_string()] })
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(items) => items.values().any(has_null),
        _ => false,
    }
}

/// The first in a value, and its place.
fn search(value: &impl Serialize) -> Option<(String, f64)> {
    value.serialize(Finite).err()?.told()
}

/// Takes everything but what it looks for.
struct Finite;

/// The same inside of something, with the next place in a list, and the last key of a map.
struct Within {
    at: usize,
    key: String,
    /// The variant of an enum that it is of, which is a step by itself.
    variant: Option<&'static str>,
}

impl Within {
    fn of(variant: Option<&'static str>) -> Result<Self, NotFinite> {
        Ok(Self { at: 0, key: String::new(), variant })
    }

    fn at(&self, step: impl fmt::Display, value: &(impl Serialize + ?Sized)) -> Result<(), NotFinite> {
        value.serialize(Finite).map_err(|found| match self.variant {
            Some(variant) => found.within(step).within(variant),
            None => found.within(step),
        })
    }

    fn next(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), NotFinite> {
        self.at += 1;
        self.at(self.at - 1, value)
    }
}

macro_rules! takes {
    ($($name:ident: $type:ty),* $(,)?) => {
        $(fn $name(self, _: $type) -> Result<(), NotFinite> {
            Ok(())
        })*
    };
}

impl Serializer for Finite {
    type Ok = ();
    type Error = NotFinite;
    type SerializeSeq = Within;
    type SerializeTuple = Within;
    type SerializeTupleStruct = Within;
    type SerializeTupleVariant = Within;
    type SerializeMap = Within;
    type SerializeStruct = Within;
    type SerializeStructVariant = Within;

    takes!(
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_char: char,
        serialize_str: &str,
        serialize_bytes: &[u8],
        serialize_unit_struct: &'static str,
    );

    fn serialize_f32(self, number: f32) -> Result<(), NotFinite> {
        self.serialize_f64(number.into())
    }

    fn serialize_f64(self, number: f64) -> Result<(), NotFinite> {
        if number.is_finite() { Ok(()) } else { Err(NotFinite { steps: Vec::new(), number: Some(number) }) }
    }

    fn serialize_none(self) -> Result<(), NotFinite> {
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), NotFinite> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), NotFinite> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NotFinite> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), NotFinite> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), NotFinite> {
        value.serialize(self).map_err(|found| found.within(variant))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Within, NotFinite> {
        Within::of(None)
    }

    fn serialize_tuple(self, _: usize) -> Result<Within, NotFinite> {
        Within::of(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Within, NotFinite> {
        Within::of(None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Within, NotFinite> {
        Within::of(Some(variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Within, NotFinite> {
        Within::of(None)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Within, NotFinite> {
        Within::of(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Within, NotFinite> {
        Within::of(Some(variant))
    }
}

macro_rules! lists {
    ($($trait:ident::$next:ident),*) => {
        $(impl $trait for Within {
            type Ok = ();
            type Error = NotFinite;

            fn $next<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotFinite> {
                self.next(value)
            }

            fn end(self) -> Result<(), NotFinite> {
                Ok(())
            }
        })*
    };
}

lists!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! structs {
    ($($trait:ident),*) => {
        $(impl $trait for Within {
            type Ok = ();
            type Error = NotFinite;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), NotFinite> {
                self.at(key, value)
            }

            fn end(self) -> Result<(), NotFinite> {
                Ok(())
            }
        })*
    };
}

structs!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Within {
    type Ok = ();
    type Error = NotFinite;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotFinite> {
        let text = serde_json::to_value(key).map_err(NotFinite::custom)?;
        self.key = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotFinite> {
        self.at(&self.key, value)
    }

    fn end(self) -> Result<(), NotFinite> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;

    use super::*;

    #[derive(Serialize)]
    struct Cursor {
        x: f64,
        y: Option<f32>,
    }

    #[derive(Serialize)]
    enum Tool {
        Pen(f64),
        Line(f64, f64),
        Box { width: f64 },
        None,
    }

    #[derive(Serialize)]
    struct Wrapped(f64);

    fn place(value: impl Serialize) -> Option<String> {
        let (place, number) = search(&value)?;
        assert!(!number.is_finite());
        Some(place)
    }

    #[test]
    fn what_is_no_number_is_found_wherever_it_stands() {
        let cursor = |x, y| BTreeMap::from([("cursor", Cursor { x, y })]);
        assert_eq!(place(cursor(0.5, None)), None);
        assert_eq!(place(cursor(f64::NAN, None)).as_deref(), Some("cursor.x"));
        assert_eq!(place(cursor(0.0, Some(f32::INFINITY))).as_deref(), Some("cursor.y"));
        assert_eq!(place([vec![0.0], vec![1.0, f64::NEG_INFINITY]]).as_deref(), Some("1.1"));
        assert_eq!(place(("a", f64::NAN)).as_deref(), Some("1"));
        assert_eq!(place(BTreeMap::from([(7, Wrapped(f64::NAN))])).as_deref(), Some("7"));
        assert_eq!(place(Tool::Pen(f64::NAN)).as_deref(), Some("Pen"));
        assert_eq!(place(Tool::Line(0.0, f64::NAN)).as_deref(), Some("Line.1"));
        assert_eq!(place(Tool::Box { width: f64::NAN }).as_deref(), Some("Box.width"));
        assert_eq!(place(Tool::None), None);
        assert_eq!(place(json!({"a": [null, 1.5, "x", true, {"b": 2}]})), None);
    }
}
