//! Frames as a liar writes them: the format of the wire (design N9) from the outside, with nothing of the core that would
//! keep anybody from saying what is not so.

use parlor_core::{Bag, CellKey, CellKind, Certificate, PublicKey, SessionId, Signer, Stamp, VERSION};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Texts of up to so many known words are one number; every other text is its length and this.
const KNOWN_SPAN: usize = 32;

/// Bytes that are written with their length.
pub(super) struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

#[derive(Serialize)]
pub(super) struct Delta {
    pub relay: bool,
    pub seq: u64,
    pub changes: Vec<Change>,
    pub pulse: Option<Pulse>,
}

#[derive(Serialize)]
pub(super) struct Change {
    pub incarnation: u32,
    pub rev: u64,
    pub span: u64,
    pub act: u64,
    pub fields: Vec<Field>,
}

#[derive(Serialize)]
pub(super) struct Field {
    key: Bytes,
    age: u64,
    value: Option<Bytes>,
    expire: u64,
}

#[derive(Serialize)]
pub(super) struct Beat {
    pub relay: bool,
    pub seq: u64,
    pub rev: u64,
    pub pulse: Pulse,
}

#[derive(Clone, Copy, Serialize)]
pub(super) struct Pulse {
    pub count: u32,
    pub records: u32,
    pub cells: u64,
    pub links: u32,
}

#[derive(Serialize)]
pub(super) struct Leave {
    pub seq: u64,
    pub incarnation: u32,
    pub expired: bool,
}

#[derive(Serialize)]
pub(super) struct Full {
    pub seq: u64,
    pub echo: Vec<u64>,
    pub certificate: Certificate,
    pub actor: Claim,
    pub member: String,
    pub incarnation: u32,
    pub roster: Vec<u32>,
    pub joined_ms: u64,
    pub rev: u64,
    pub act: u64,
    pub metadata: Bytes,
    pub fields: Vec<Field>,
}

#[derive(Serialize)]
pub(super) struct Claim {
    pub name: String,
    pub guest: Option<GuestClaim>,
}

#[derive(Serialize)]
pub(super) struct GuestClaim {
    pub key: PublicKey,
    pub signature: Bytes,
}

#[derive(Serialize)]
pub(super) struct Ask {
    pub of: SessionId,
    pub nonce: u64,
}

#[derive(Serialize)]
pub(super) struct Cell {
    key: CellKey,
    hlc: u64,
    writer: PublicKey,
    value: Option<Bytes>,
    signature: Bytes,
}

#[derive(Serialize)]
pub(super) struct SyncRequest {
    pub buckets: Vec<u32>,
}

#[derive(Serialize)]
pub(super) struct SyncStamps {
    pub buckets: Bytes,
    pub stamps: Vec<(CellKey, Stamp)>,
}

#[derive(Serialize)]
pub(super) struct SyncWant {
    pub keys: Vec<CellKey>,
}

/// A kind of frame and its body.
pub(super) fn frame(kind: u8, body: &impl Serialize) -> Vec<u8> {
    // Nothing above is of a type that postcard cannot write.
    postcard::to_extend(body, vec![VERSION, kind]).unwrap_or_default()
}

/// A field that is set.
pub(super) fn field(key: &str, value: &Value) -> Field {
    Field { key: text(key), age: 0, value: Some(json(value)), expire: 0 }
}

/// A bag of a record.
pub(super) fn bag(bag: Bag) -> Bytes {
    json(&Value::Object(bag))
}

/// What somebody says when a session is its host.
pub(super) fn guest_message(session: SessionId) -> Vec<u8> {
    [b"parlor guest of session v1".as_slice(), &session.0].concat()
}

impl Cell {
    /// A cell of the room, in the name of `writer`, and signed by whoever the signer is.
    pub fn write(
        root: &[u8; 32],
        key: CellKey,
        hlc: u64,
        value: &Value,
        writer: PublicKey,
        signer: &dyn Signer,
    ) -> Self {
        let value = json(value);
        let kind = match key.kind {
            CellKind::Metadata => 0,
            CellKind::Board => 1,
            CellKind::Log => 2,
            CellKind::Roster => 3,
            CellKind::Access => 4,
            CellKind::Key => 5,
        };
        let mut message = [b"parlor cell".as_slice(), &[VERSION], root, &[kind]].concat();
        for text in [&key.object, &key.field] {
            message.extend_from_slice(&(text.len() as u64).to_le_bytes());
            message.extend_from_slice(text.as_bytes());
        }
        message.extend_from_slice(&hlc.to_le_bytes());
        message.push(1);
        message.extend_from_slice(&value.0);
        Cell { key, hlc, writer, value: Some(value), signature: Bytes(signer.sign(&message).to_vec()) }
    }
}

fn text(text: &str) -> Bytes {
    let mut out = Vec::new();
    put_text(text, &mut out);
    Bytes(out)
}

/// A value; numbers are written whole.
pub(super) fn json(value: &Value) -> Bytes {
    let mut out = Vec::new();
    put(value, &mut out);
    Bytes(out)
}

fn put(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0),
        Value::Bool(set) => out.push(1 + u8::from(*set)),
        Value::Number(number) => {
            out.push(4);
            put_number(number.as_u64().unwrap_or(0), out);
        }
        Value::String(text) => {
            out.push(7);
            put_text(text, out);
        }
        Value::Array(items) => {
            out.push(8);
            put_number(items.len() as u64, out);
            items.iter().for_each(|item| put(item, out));
        }
        Value::Object(items) => {
            out.push(9);
            put_number(items.len() as u64, out);
            for (key, item) in items {
                put_text(key, out);
                put(item, out);
            }
        }
    }
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    put_number((text.len() + KNOWN_SPAN) as u64, out);
    out.extend_from_slice(text.as_bytes());
}

fn put_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number as u8) | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
