//! Frames: `version:u8 | kind:u8 | body`, the body in postcard (design N9).
//!
//! Kinds and enum variants are only ever appended. A frame of an unknown kind is ignored and counted, one of an unknown
//! version is reported once per peer. The length is checked before anything is decoded, and no length inside is trusted.

use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::cell::{Cell, CellKey, Stamp};
use crate::delta;
use crate::evidence::Word;
use crate::ids::{MemberId, Rev, Seq, SessionId};
use crate::limits::{FRAME_MAX, PAGE_MAX};
use crate::proof::{ActorClaim, Certificate};
use crate::raw::Raw;
use crate::value::Key;

/// The version this build writes.
pub const VERSION: u8 = 1;
/// The kind of a frame of cells.
const CELLS: u8 = 6;

/// One frame, decoded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Frame {
    Delta(Delta),
    Beat(Beat),
    Leave(Leave),
    Full(Box<Full>),
    Ask(Ask),
    Cells(Vec<Cell>),
    SyncRequest(SyncRequest),
    SyncStamps(SyncStamps),
    SyncWant(SyncWant),
    Introduction(Box<Introduction>),
    Said(Said),
    WitnessAsk(WitnessAsk),
    Testimony(Testimony),
}

/// What changed in the records of a session since it told last: one frame, however many of its members moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Delta {
    /// Asks receivers to pass it on (design N4).
    pub relay: bool,
    pub seq: Seq,
    /// Each record at most once, in the order of incarnations.
    #[serde(deserialize_with = "list")]
    pub changes: Vec<RecordChange>,
    /// A heartbeat that was due rides along (design R6).
    pub pulse: Option<Pulse>,
}

/// Changed fields of one record, and those of the frame before it, so that one lost frame loses nothing (design R4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecordChange {
    /// Which record of the session.
    pub incarnation: u32,
    /// The record's content version with this change.
    pub rev: Rev,
    /// `rev` less the version from which on this tells every change.
    pub span: u64,
    /// Orders the calls of one member's sessions (design A5).
    pub act: u64,
    #[serde(deserialize_with = "list")]
    pub fields: Vec<FieldChange>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FieldChange {
    pub key: Key,
    /// The frame's `rev` less the field's own.
    pub age: u64,
    /// Nothing: the field was removed.
    pub value: Option<Raw>,
    /// Milliseconds after which it vanishes at the receiver; 0: never.
    pub expire: u64,
}

/// A heartbeat by itself, while nothing else is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Beat {
    pub relay: bool,
    pub seq: Seq,
    pub rev: Rev,
    pub pulse: Pulse,
}

/// What is true of a session now, in hashes (design R4, R12, N4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pulse {
    /// Records of the session in the room; 0 of one that only watches.
    pub count: u32,
    /// Hash of `(memberId, incarnation, last rev)` of each.
    pub records: u32,
    /// Hash of all cells and tombstones.
    pub cells: u64,
    /// Hash of the sessions with members here that the sender is linked to.
    pub links: u32,
}

/// A record is over for good (design R8).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Leave {
    pub seq: Seq,
    pub incarnation: u32,
    pub expired: bool,
}

/// One record, whole (design R5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Full {
    pub seq: Seq,
    /// The nonces of the `Ask`s it answers.
    pub echo: Vec<u64>,
    pub certificate: Certificate,
    pub actor: ActorClaim,
    pub member: MemberId,
    pub incarnation: u32,
    /// The incarnations of all records of this session here.
    pub roster: Vec<u32>,
    pub joined_ms: u64,
    pub rev: Rev,
    pub act: u64,
    pub metadata: Raw,
    #[serde(deserialize_with = "list")]
    pub fields: Vec<FieldChange>,
}

/// Please tell me your records (design R5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ask {
    pub of: SessionId,
    pub nonce: u64,
}

/// Who I am, to somebody who runs the same profile (design R2). It names the other's session, which no earlier process had,
/// so it cannot be an old frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Introduction {
    pub to: SessionId,
    pub seq: Seq,
    pub certificate: Certificate,
}

/// Something said to those who are here (design A12).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Said {
    /// Asks receivers to pass it on (design N4).
    pub relay: bool,
    pub seq: Seq,
    /// Which record of the session says it.
    pub incarnation: u32,
    pub kind: String,
    pub data: Raw,
}

/// Do you hear this session? To one linked peer alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WitnessAsk {
    pub of: SessionId,
    pub nonce: u64,
}

/// What its author knows of a session that it was asked about. It is no sign of life of either.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Testimony {
    pub of: SessionId,
    /// That of the question.
    pub nonce: u64,
    pub word: Word,
}

/// A hash per bucket of cells: what do you have that differs? (design R12)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SyncRequest {
    pub buckets: Vec<u32>,
}

/// The stamps of the differing buckets: send what is newer, ask for what is older.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SyncStamps {
    #[serde(with = "serde_bytes_compat")]
    pub buckets: Vec<u8>,
    #[serde(deserialize_with = "list")]
    pub stamps: Vec<(CellKey, Stamp)>,
}

/// Send me these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SyncWant {
    #[serde(deserialize_with = "list")]
    pub keys: Vec<CellKey>,
}

/// Cells that are told, each of which speaks for itself.
#[derive(Deserialize)]
struct Told(#[serde(deserialize_with = "list")] Vec<Cell>);

/// What stands in lists.
trait Item {
    /// Bytes that one has at least.
    const LEAST: usize;
}

impl Item for RecordChange {
    const LEAST: usize = 5;
}

impl Item for FieldChange {
    const LEAST: usize = 5;
}

impl Item for Cell {
    const LEAST: usize = 102;
}

impl Item for (CellKey, Stamp) {
    const LEAST: usize = 52;
}

impl Item for CellKey {
    const LEAST: usize = 3;
}

/// Reads a list. Items are many times as large as their bytes, so room is made once, and for no more than a frame can hold
/// (design N10).
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de> + Item>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Items<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de> + Item> Visitor<'de> for Items<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
            // Nothing is said of a count that is greater than that of the bytes that are left.
            let count = items.size_hint().ok_or_else(|| A::Error::custom("more items than bytes"))?;
            let mut list = Vec::with_capacity(count.min(PAGE_MAX / T::LEAST));
            while let Some(item) = items.next_element()? {
                list.push(item);
            }
            Ok(list)
        }
    }

    deserializer.deserialize_seq(Items(PhantomData))
}

/// A list of bytes as bytes, not as a list of numbers.
mod serde_bytes_compat {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        <&[u8]>::deserialize(deserializer).map(<[u8]>::to_vec)
    }
}

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    TooLarge,
    Version(u8),
    Kind,
    Body,
}

impl Frame {
    pub fn kind(&self) -> u8 {
        match self {
            Frame::Delta(_) => delta::KIND,
            Frame::Beat(_) => 2,
            Frame::Leave(_) => 3,
            Frame::Full(_) => 4,
            Frame::Ask(_) => 5,
            Frame::Cells(_) => CELLS,
            Frame::SyncRequest(_) => 7,
            Frame::SyncStamps(_) => 8,
            Frame::SyncWant(_) => 9,
            Frame::Introduction(_) => 10,
            Frame::Said(_) => 11,
            Frame::WitnessAsk(_) => 12,
            Frame::Testimony(_) => 13,
        }
    }

    /// The number by which a sign of life of the author is newer than another (design R4).
    pub fn seq(&self) -> Option<Seq> {
        match self {
            Frame::Delta(body) => Some(body.seq),
            Frame::Beat(body) => Some(body.seq),
            Frame::Leave(body) => Some(body.seq),
            Frame::Full(body) => Some(body.seq),
            Frame::Introduction(body) => Some(body.seq),
            Frame::Said(body) => Some(body.seq),
            Frame::Ask(_) | Frame::Cells(_) | Frame::SyncRequest(_) | Frame::SyncStamps(_) | Frame::SyncWant(_) => None,
            Frame::WitnessAsk(_) | Frame::Testimony(_) => None,
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        let head = vec![VERSION, self.kind()];
        let body = match self {
            Frame::Delta(body) => postcard::to_extend(body, head),
            Frame::Beat(body) => postcard::to_extend(body, head),
            Frame::Leave(body) => postcard::to_extend(body, head),
            Frame::Full(body) => postcard::to_extend(body, head),
            Frame::Ask(body) => postcard::to_extend(body, head),
            Frame::Cells(body) => postcard::to_extend(body, head),
            Frame::SyncRequest(body) => postcard::to_extend(body, head),
            Frame::SyncStamps(body) => postcard::to_extend(body, head),
            Frame::SyncWant(body) => postcard::to_extend(body, head),
            Frame::Introduction(body) => postcard::to_extend(body, head),
            Frame::Said(body) => postcard::to_extend(body, head),
            Frame::WitnessAsk(body) => postcard::to_extend(body, head),
            Frame::Testimony(body) => postcard::to_extend(body, head),
        };
        // Writing into memory fails only for types that postcard cannot write, and there is none of those above.
        body.unwrap_or_default()
    }

    /// Reads a frame of at most `max` bytes.
    pub fn decode(bytes: &[u8], max: usize) -> Result<Frame, Unreadable> {
        let (kind, body) = open(bytes, max)?;
        Frame::read(kind, body)
    }

    /// Reads the body of a frame of this kind.
    pub fn read(kind: u8, body: &[u8]) -> Result<Frame, Unreadable> {
        Ok(match kind {
            delta::KIND => Frame::Delta(read(body)?),
            2 => Frame::Beat(read(body)?),
            3 => Frame::Leave(read(body)?),
            4 => Frame::Full(read(body)?),
            5 => Frame::Ask(read(body)?),
            CELLS => Frame::Cells(read::<Told>(body)?.0),
            7 => Frame::SyncRequest(read(body)?),
            8 => Frame::SyncStamps(read(body)?),
            9 => Frame::SyncWant(read(body)?),
            10 => Frame::Introduction(read(body)?),
            11 => Frame::Said(read(body)?),
            12 => Frame::WitnessAsk(read(body)?),
            13 => Frame::Testimony(read(body)?),
            _ => return Err(Unreadable::Kind),
        })
    }
}

/// The number that an author gave to a frame, if it is one that has a number and can be read.
#[must_use]
pub fn frame_number(frame: &[u8]) -> Option<u64> {
    Frame::decode(frame, PAGE_MAX).ok()?.seq().map(|seq| seq.0)
}

/// The kind and the body of a frame of at most `max` bytes.
pub(crate) fn open(bytes: &[u8], max: usize) -> Result<(u8, &[u8]), Unreadable> {
    if bytes.len() > max {
        return Err(Unreadable::TooLarge);
    }
    let (&version, rest) = bytes.split_first().ok_or(Unreadable::Body)?;
    if version != VERSION {
        return Err(Unreadable::Version(version));
    }
    let (&kind, body) = rest.split_first().ok_or(Unreadable::Body)?;
    // Only cells, and what is said about them, come in pages.
    if matches!(kind, 1..=5 | 10..=13) && bytes.len() > FRAME_MAX {
        return Err(Unreadable::TooLarge);
    }
    Ok((kind, body))
}

/// What kind of frame this is, by name; `unknown` when it is none of this version.
pub(crate) fn frame_kind(frame: &[u8]) -> &'static str {
    match frame {
        [VERSION, delta::KIND, ..] => "delta",
        [VERSION, 2, ..] => "beat",
        [VERSION, 3, ..] => "leave",
        [VERSION, 4, ..] => "full",
        [VERSION, 5, ..] => "ask",
        [VERSION, CELLS, ..] => "cells",
        [VERSION, 7, ..] => "syncRequest",
        [VERSION, 8, ..] => "syncStamps",
        [VERSION, 9, ..] => "syncWant",
        [VERSION, 10, ..] => "introduction",
        [VERSION, 11, ..] => "said",
        [VERSION, 12, ..] => "witnessAsk",
        [VERSION, 13, ..] => "testimony",
        _ => "unknown",
    }
}

/// A frame of many cells as several of at most `count`, so that whoever drives a replica need not have it judge all their
/// signatures in one go; nothing when it is no frame of more.
#[must_use]
pub fn split_cells(frame: &[u8], count: usize) -> Option<Vec<Vec<u8>>> {
    if frame.get(1) != Some(&CELLS) {
        return None;
    }
    match Frame::decode(frame, PAGE_MAX) {
        Ok(Frame::Cells(cells)) if cells.len() > count => {
            Some(cells.chunks(count.max(1)).map(|some| Frame::Cells(some.to_vec()).encode()).collect())
        }
        _ => None,
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unreadable> {
    // The types borrow nothing in the end, but their byte strings are read as slices of `body`.
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Ok(value),
        _ => Err(Unreadable::Body),
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
