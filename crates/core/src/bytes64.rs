//! serde for 64-byte signatures, which serde's own array support stops short of.

use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer>(bytes: &[u8; 64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 64], D::Error> {
    let bytes = <&[u8]>::deserialize(deserializer)?;
    bytes.try_into().map_err(|_| serde::de::Error::custom("a signature has 64 bytes"))
}
