//! JSON that stays as it came: the encoded bytes of [`crate::value`], known to be well formed. A record keeps its fields
//! this way, since most of what arrives is replaced before anybody reads it twice.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::cell::json_size;
use crate::value;

/// One byte is at most so many of JSON: a known key with its quotes, its colon and its comma.
const JSON_PER_BYTE: usize = 13;

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

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What it has as JSON at most.
    pub fn json_most(&self) -> usize {
        self.len() * JSON_PER_BYTE
    }

    /// Whether it keeps the limits of a value below a bag: its strings, its keys, its depth, and its size as JSON.
    pub fn fits(&self, string_max: usize, max: usize) -> bool {
        value::keeps_limits(&self.0, string_max) && (self.json_most() <= max || json_size(&self.value()) <= max)
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
