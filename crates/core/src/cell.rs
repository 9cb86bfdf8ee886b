//! A cell: one register that many may write, the last writer winning by stamp (design R10, R11, R13).
//!
//! What a register belongs to is its [`CellKind`]: the room's metadata, one field of one note of the board, or one message
//! of the log. A message is written once: its name is derived from its writer's key, so that nobody else can write over it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bytes64;
use crate::check;
use crate::error::ErrorCode;
use crate::handover;
use crate::ids::PublicKey;
use crate::limits::{NAME_MAX, OBJECTS_MAX, STRING_MAX, TEXT_MAX};
use crate::message;
use crate::proof::{Signer, Verifier};
use crate::raw::Raw;
use crate::rule::{self, HOST, VOID};
use crate::value::json_len;
use crate::wire::VERSION;

/// No stamp above this is taken by any replica: 2^43 ms of wall clock, some 278 years (design R10).
pub const HLC_MAX: u64 = 1 << 59;
/// Bytes of one value as JSON, so that a cell always fits a frame.
pub const CELL_VALUE_MAX: usize = 8 * 1024;

/// What a cell belongs to. Append only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum CellKind {
    /// The room's shared settings: `object` is empty, `field` the key.
    Metadata,
    /// One field of one note: `object` is the note's id.
    Board,
    /// One message: `object` is its id, `field` what the id was made from, see [`CellKey::message`].
    Log,
    /// Somebody who was in a private room: `object` is the identity in hexadecimal, `field` is `name`.
    Roster,
    /// Who may write in a private room: `object` is `host` or `void`, `field` an identity in hexadecimal.
    Access,
    /// A changed key of a private room: `object` names it, `field` is `key` or the identity in hexadecimal that a part of
    /// it is for.
    Key,
}

impl CellKind {
    /// Whether there are such cells in private rooms only.
    pub(crate) fn is_of_private_rooms(self) -> bool {
        matches!(self, CellKind::Roster | CellKind::Access | CellKind::Key)
    }
}

/// Which register.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CellKey {
    /// What it belongs to.
    pub kind: CellKind,
    /// The note or message; empty for metadata.
    pub object: String,
    /// The field of it.
    pub field: String,
}

impl CellKey {
    /// A metadata key.
    #[must_use]
    pub fn metadata(field: &str) -> Self {
        CellKey { kind: CellKind::Metadata, object: String::new(), field: field.to_owned() }
    }

    /// A field of a note.
    #[must_use]
    pub fn board(note: &str, field: &str) -> Self {
        CellKey { kind: CellKind::Board, object: note.to_owned(), field: field.to_owned() }
    }

    /// The message that `writer` names `nonce`: the same two are the same message, which is what stores it once. The id
    /// is `m_` and base32 of the first ten bytes of a hash of both.
    #[must_use]
    pub fn message(writer: &PublicKey, nonce: &str) -> Self {
        let hash = blake3::derive_key("parlor message id v1", &[&writer.0, nonce.as_bytes()].concat());
        let id = data_encoding::BASE32_NOPAD.encode(&hash[..10]).to_lowercase();
        CellKey { kind: CellKind::Log, object: format!("m_{id}"), field: nonce.to_owned() }
    }

    /// Where an identity says that it was in a private room, and how it is called.
    #[must_use]
    pub fn roster(identity: &PublicKey) -> Self {
        CellKey { kind: CellKind::Roster, object: rule::field_of(identity), field: "name".to_owned() }
    }

    /// Whether an identity is a host, or void: `object` says which.
    pub(crate) fn access(object: &str, identity: &PublicKey) -> Self {
        CellKey { kind: CellKind::Access, object: object.to_owned(), field: rule::field_of(identity) }
    }

    /// Whether it names a register that there can be.
    pub(crate) fn is_valid(&self) -> bool {
        let key = |text: &str| check::key(text, "", ErrorCode::InvalidMetadata).is_ok();
        let object = if self.kind == CellKind::Metadata { self.object.is_empty() } else { key(&self.object) };
        object && key(&self.field)
    }

    /// Which of the 256 buckets of an exchange it falls in.
    pub(crate) fn bucket(&self) -> u8 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[self.kind as u8]);
        hasher.update(&(self.object.len() as u64).to_le_bytes());
        hasher.update(self.object.as_bytes());
        hasher.update(self.field.as_bytes());
        hasher.finalize().as_bytes()[0]
    }
}

/// The version of a cell, totally ordered: hybrid clock, then writer, then value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    /// Wall milliseconds × 65,536, raised over what was replaced.
    pub hlc: u64,
    /// Who wrote it.
    pub writer: PublicKey,
    /// The first half of BLAKE3 of the value's bytes.
    pub hash: [u8; 16],
}

/// One written value, or the tombstone of one, with the proof of who wrote it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cell {
    pub key: Arc<CellKey>,
    pub hlc: u64,
    pub writer: PublicKey,
    pub value: Option<Raw>,
    #[serde(with = "bytes64")]
    pub signature: [u8; 64],
}

impl Cell {
    pub fn write(key: CellKey, hlc: u64, value: Option<Value>, signer: &dyn Signer, root: &[u8; 32]) -> Self {
        let value = value.as_ref().map(Raw::of);
        let mut cell = Cell { key: Arc::new(key), hlc, writer: signer.public_key(), value, signature: [0; 64] };
        cell.signature = signer.sign(&cell.message(root));
        cell
    }

    pub fn stamp(&self) -> Stamp {
        let mut hash = [0; 16];
        hash.copy_from_slice(&blake3::hash(&self.value_bytes()).as_bytes()[..16]);
        Stamp { hlc: self.hlc, writer: self.writer, hash }
    }

    /// Why this cell is refused, by name; nothing when it is good. Judges the cell alone, never a total (design R11).
    pub fn refusal(&self, root: &[u8; 32], verifier: &dyn Verifier) -> Option<&'static str> {
        if self.hlc > HLC_MAX {
            return Some("cell_stamp_over_cap");
        }
        if !self.key.is_valid() {
            return Some("cell_key");
        }
        if !self.is_well_formed() {
            return Some("cell_value");
        }
        if self.value.as_ref().is_some_and(|value| !value.is_within(CELL_VALUE_MAX)) {
            return Some("cell_size");
        }
        if !Raw::have_at_most(OBJECTS_MAX, self.value.iter()) {
            return Some("cell_objects");
        }
        // Only now, because it builds some of the value.
        if self.key.kind == CellKind::Log && !self.value.as_ref().is_some_and(message::is_body) {
            return Some("cell_value");
        }
        if !verifier.verify(&self.writer, &self.message(root), &self.signature) {
            return Some("cell_signature");
        }
        None
    }

    fn is_well_formed(&self) -> bool {
        let fits = |string_max| self.value.as_ref().is_none_or(|value| value.is_well_formed(string_max));
        match self.key.kind {
            CellKind::Metadata => fits(STRING_MAX),
            CellKind::Board => fits(TEXT_MAX),
            // Nobody takes a message back, and nobody but its writer can have written it.
            CellKind::Log => fits(TEXT_MAX) && *self.key == CellKey::message(&self.writer, &self.key.field),
            // Nobody brings somebody else along.
            CellKind::Roster => fits(NAME_MAX) && *self.key == CellKey::roster(&self.writer),
            CellKind::Access => {
                matches!(self.key.object.as_str(), HOST | VOID) && rule::identity(&self.key.field).is_some()
            }
            CellKind::Key => fits(TEXT_MAX) && handover::is_named(&self.key, &self.writer),
        }
    }

    fn value_bytes(&self) -> Vec<u8> {
        match &self.value {
            Some(value) => [&[1], value.bytes()].concat(),
            None => vec![0],
        }
    }

    /// What the writer signs: domain, wire version, room, register, clock, value.
    fn message(&self, root: &[u8; 32]) -> Vec<u8> {
        let mut message = b"parlor cell".to_vec();
        message.push(VERSION);
        message.extend_from_slice(root);
        message.push(self.key.kind as u8);
        for text in [&self.key.object, &self.key.field] {
            message.extend_from_slice(&(text.len() as u64).to_le_bytes());
            message.extend_from_slice(text.as_bytes());
        }
        message.extend_from_slice(&self.hlc.to_le_bytes());
        message.extend_from_slice(&self.value_bytes());
        message
    }
}

pub(crate) fn json_size(value: &Value) -> usize {
    json_len(value).unwrap_or(usize::MAX)
}
