//! JSON that stays as it came: the encoded bytes of [`crate::value`], known to be well formed. Records and cells keep their
//! values this way: most of what arrives is replaced before anybody reads it twice, and what is built of it may take a
//! hundred times the memory, so that it is judged first (design N10).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::value;
use crate::weight::{self, Weight};

/// One byte is at most so many of JSON: a known key with its quotes, its colon and its comma.
const JSON_PER_BYTE: usize = 13;

/// Bytes of the shortest object that has something in it.
const OBJECT_BYTES: usize = 4;

/// [`Raw::have_at_most`] of values that are nobody's yet.
pub(crate) fn have_at_most<'a>(objects: usize, values: impl Iterator<Item = &'a [u8]> + Clone) -> bool {
    are_too_short_for_more(objects, values.clone().map(<[u8]>::len).sum())
        || values.map(|value| weight::weigh(value).objects).sum::<usize>() <= objects
}

/// Whether values of so many bytes together cannot be more objects than that.
pub(crate) fn are_too_short_for_more(objects: usize, bytes: usize) -> bool {
    bytes / OBJECT_BYTES <= objects
}

/// Whether a well-formed value is no longer as JSON than this.
pub(crate) fn is_within(bytes: &[u8], max: usize) -> bool {
    bytes.len() * JSON_PER_BYTE <= max || value::json_size(bytes) <= max
}

/// One encoded value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Raw(Box<[u8]>);

impl Raw {
    pub fn of(value: &Value) -> Raw {
        Raw(value::encode(value).into())
    }

    pub fn value(&self) -> Value {
        value::decode(&self.0).unwrap_or_default()
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What it has as JSON at most.
    pub fn json_most(&self) -> usize {
        self.len() * JSON_PER_BYTE
    }

    /// What it is when it is built.
    pub fn weight(&self) -> Weight {
        weight::weigh(&self.0)
    }

    /// Whether these together are no more objects than that. Mostly they are too short to be as many, and are not looked at.
    pub fn have_at_most<'a>(objects: usize, values: impl Iterator<Item = &'a Raw> + Clone) -> bool {
        have_at_most(objects, values.map(Raw::bytes))
    }

    /// A copy of bytes that are known to be well formed.
    pub fn copy_of(bytes: &[u8]) -> Raw {
        Raw(bytes.into())
    }

    /// Becomes a copy of bytes that are known to be well formed. Mostly they are as many as before.
    pub fn become_copy_of(&mut self, bytes: &[u8]) {
        if self.0.len() == bytes.len() {
            self.0.copy_from_slice(bytes);
        } else {
            self.0 = bytes.into();
        }
    }

    /// What it has as JSON.
    pub fn json_size(&self) -> usize {
        value::json_size(&self.0)
    }

    /// Whether its strings, its keys and its depth keep the limits of a value below a bag.
    pub fn is_well_formed(&self, string_max: usize) -> bool {
        value::keeps_limits(&self.0, string_max)
    }

    /// Whether it is no longer as JSON than this.
    pub fn is_within(&self, max: usize) -> bool {
        is_within(&self.0, max)
    }

    /// The number that it is.
    pub fn number(&self) -> Option<f64> {
        self.scalar()?.as_f64()
    }

    /// The text that it is.
    pub fn text(&self) -> Option<String> {
        self.scalar()?.as_str().map(str::to_owned)
    }

    /// Whether it is `true`.
    pub fn is_true(&self) -> bool {
        self.scalar() == Some(Value::Bool(true))
    }

    /// Itself, unless there is something in it.
    pub fn scalar(&self) -> Option<Value> {
        (!value::is_nested(&self.0)).then(|| self.value())
    }

    /// Its members, if it is an object.
    pub fn members(&self) -> Option<Vec<(&str, Raw)>> {
        let members = value::members(&self.0)?;
        Some(members.into_iter().map(|(key, bytes)| (key, Raw(bytes.into()))).collect())
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = <&[u8]>::deserialize(deserializer)?;
        let whole = value::is_one(bytes);
        whole.then(|| Raw(bytes.into())).ok_or_else(|| serde::de::Error::custom("not a value"))
    }
}
