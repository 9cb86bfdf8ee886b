//! Frames as a liar writes them: the format of the wire (design N9) from the outside, with nothing of the core that would
//! keep anybody from saying what is not so. A body is any of these types, [`frame`] puts it behind a version and a kind.

use parlor_core::{Bag, CellKey, CellKind, Certificate, PublicKey, SessionId, Signer, Stamp, VERSION};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Changes of records.
pub const DELTA: u8 = 1;
/// A heartbeat.
pub const BEAT: u8 = 2;
/// A record is over.
pub const LEAVE: u8 = 3;
/// A whole record.
pub const FULL: u8 = 4;
/// A question for somebody's records.
pub const ASK: u8 = 5;
/// Cells.
pub const CELLS: u8 = 6;
/// The beginning of an exchange of cells.
pub const SYNC_REQUEST: u8 = 7;
/// Stamps of cells.
pub const SYNC_STAMPS: u8 = 8;
/// A question for cells.
pub const SYNC_WANT: u8 = 9;
/// A question whether somebody is heard.
pub const WITNESS_ASK: u8 = 12;
/// The answer to it.
pub const TESTIMONY: u8 = 13;

/// Texts of up to so many known words are one number; every other text is its length and this.
const KNOWN_SPAN: usize = 32;

/// Bytes that are written with their length.
#[derive(Clone, Debug)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

/// Changes of some records of one session.
#[derive(Clone, Debug, Serialize)]
pub struct Delta {
    /// Whether receivers are to pass it on.
    pub relay: bool,
    /// The sign of life.
    pub seq: u64,
    /// What changed.
    pub changes: Vec<Change>,
    /// A heartbeat that rides along.
    pub pulse: Option<Pulse>,
}

/// Changed fields of one record.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// Which record.
    pub incarnation: u32,
    /// The version of its content.
    pub rev: u64,
    /// How many versions back this tells everything.
    pub span: u64,
    /// The counter of calls.
    pub act: u64,
    /// What it holds now.
    pub fields: Vec<Field>,
}

/// One field of a record, as it is encoded.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    /// The key.
    pub key: Bytes,
    /// How many versions ago it was set.
    pub age: u64,
    /// The value; nothing when it was removed.
    pub value: Option<Bytes>,
    /// Milliseconds that it lives.
    pub expire: u64,
}

/// A heartbeat by itself.
#[derive(Clone, Debug, Serialize)]
pub struct Beat {
    /// Whether receivers are to pass it on.
    pub relay: bool,
    /// The sign of life.
    pub seq: u64,
    /// The version of the content.
    pub rev: u64,
    /// What is true of the session.
    pub pulse: Pulse,
}

/// What a heartbeat says.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Pulse {
    /// Records of the session.
    pub count: u32,
    /// A hash of them.
    pub records: u32,
    /// A hash of all cells.
    pub cells: u64,
    /// A hash of the links.
    pub links: u32,
}

/// A record is over.
#[derive(Clone, Debug, Serialize)]
pub struct Leave {
    /// The sign of life.
    pub seq: u64,
    /// Which record.
    pub incarnation: u32,
    /// Whether its lease ran out.
    pub expired: bool,
}

/// A whole record.
#[derive(Clone, Debug, Serialize)]
pub struct Full {
    /// The sign of life.
    pub seq: u64,
    /// The numbers of the questions that it answers.
    pub echo: Vec<u64>,
    /// Whose session it is.
    pub certificate: Certificate,
    /// Who acts.
    pub actor: Claim,
    /// The member's id.
    pub member: String,
    /// Which record.
    pub incarnation: u32,
    /// All records of the session.
    pub roster: Vec<u32>,
    /// When it joined, by its own clock.
    pub joined_ms: u64,
    /// The version of its content.
    pub rev: u64,
    /// The counter of calls.
    pub act: u64,
    /// Its metadata, encoded.
    pub metadata: Bytes,
    /// Its presence.
    pub fields: Vec<Field>,
}

/// Who acts in a record.
#[derive(Clone, Debug, Serialize)]
pub struct Claim {
    /// The name.
    pub name: String,
    /// Of a guest, that it agrees.
    pub guest: Option<GuestClaim>,
}

/// That a guest agrees to be hosted.
#[derive(Clone, Debug, Serialize)]
pub struct GuestClaim {
    /// The guest's key.
    pub key: PublicKey,
    /// Its signature of [`guest_message`].
    pub signature: Bytes,
}

/// A question for the records of a session.
#[derive(Clone, Debug, Serialize)]
pub struct Ask {
    /// Which session.
    pub of: SessionId,
    /// What the answer is to echo.
    pub nonce: u64,
}

/// A question whether a session is heard.
#[derive(Clone, Debug, Serialize)]
pub struct WitnessAsk {
    /// Which session.
    pub of: SessionId,
    /// What the answer is to repeat.
    pub nonce: u64,
}

/// The answer to it.
#[derive(Clone, Debug, Serialize)]
pub struct Testimony {
    /// Which session.
    pub of: SessionId,
    /// That of the question.
    pub nonce: u64,
    /// What is said.
    pub word: Word,
}

/// What a witness says of a session.
#[derive(Clone, Copy, Debug, Serialize)]
pub enum Word {
    /// It is heard; so many milliseconds ago.
    Hears(u64),
    /// It is not; the last time was so many milliseconds ago.
    Silent(Option<u64>),
    /// It left, up to this incarnation of its.
    Left(u32),
    /// It is not known.
    Unknown,
}

/// A register with its value and signature.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    key: CellKey,
    hlc: u64,
    writer: PublicKey,
    value: Option<Bytes>,
    signature: Bytes,
}

/// The beginning of an exchange of cells.
#[derive(Clone, Debug, Serialize)]
pub struct SyncRequest {
    /// A hash for each bucket.
    pub buckets: Vec<u32>,
}

/// Stamps of whole buckets.
#[derive(Clone, Debug, Serialize)]
pub struct SyncStamps {
    /// Which buckets.
    pub buckets: Bytes,
    /// All that they hold.
    pub stamps: Vec<(CellKey, Stamp)>,
}

/// A question for cells.
#[derive(Clone, Debug, Serialize)]
pub struct SyncWant {
    /// Which.
    pub keys: Vec<CellKey>,
}

/// A kind of frame and its body.
#[must_use]
pub fn frame(kind: u8, body: &impl Serialize) -> Vec<u8> {
    // Nothing above is of a type that postcard cannot write.
    postcard::to_extend(body, vec![VERSION, kind]).unwrap_or_default()
}

/// A field that is set.
#[must_use]
pub fn field(key: &str, value: &Value) -> Field {
    Field { key: text(key), age: 0, value: Some(json(value)), expire: 0 }
}

/// A bag of a record.
#[must_use]
pub fn bag(bag: Bag) -> Bytes {
    json(&Value::Object(bag))
}

/// What somebody says when a session is its host.
#[must_use]
pub fn guest_message(session: SessionId) -> Vec<u8> {
    [b"parlor guest of session v1".as_slice(), &session.0].concat()
}

/// What the cells of an open room are signed for.
#[must_use]
pub fn root_of(room: &str) -> [u8; 32] {
    blake3::derive_key("parlor open room v1", room.as_bytes())
}

impl Cell {
    /// A cell of the room with this root, in the name of `writer`, and signed by whoever the signer is. Without a value it
    /// is the tombstone of one.
    pub fn write(
        root: &[u8; 32],
        key: CellKey,
        hlc: u64,
        value: Option<Bytes>,
        writer: PublicKey,
        signer: &dyn Signer,
    ) -> Self {
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
        match &value {
            Some(value) => {
                message.push(1);
                message.extend_from_slice(&value.0);
            }
            None => message.push(0),
        }
        Cell { key, hlc, writer, value, signature: Bytes(signer.sign(&message).to_vec()) }
    }
}

/// A text, or a key.
#[must_use]
pub fn text(text: &str) -> Bytes {
    let mut out = Vec::new();
    put_text(text, &mut out);
    Bytes(out)
}

/// A value; numbers are written whole.
#[must_use]
pub fn json(value: &Value) -> Bytes {
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
