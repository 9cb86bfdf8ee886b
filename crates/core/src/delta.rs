//! Deltas as bytes, in both directions. A moving cursor is one of these thirty times a second for everybody in the room, so
//! it is written from the record and read where it lies: nothing is built of it but what is new.
//!
//! The bytes are those of [`Delta`](crate::wire::Delta) as postcard writes it, and a test holds the two against each other.

use crate::ids::{Rev, Seq};
use crate::limits::FRAME_OBJECTS_MAX;
use crate::raw;
use crate::value::{self, read_varint, take, write_varint};
use crate::wire::{FieldChange, Pulse, VERSION};

/// The kind of a frame of changes.
pub(crate) const KIND: u8 = 1;
/// What a frame is besides its changes, at most: version, kind, relay, seq, their count, and the heartbeat.
const AROUND: usize = 2 + 1 + 10 + 5 + 1 + 25;

/// One field that changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FieldTold<'a> {
    pub key: &'a str,
    /// The record's `rev` less the field's own.
    pub age: u64,
    /// As it is encoded; nothing: the field was removed.
    pub value: Option<&'a [u8]>,
    /// Milliseconds after which it vanishes at the receiver; 0: never.
    pub expire: u64,
}

impl<'a> From<&'a FieldChange> for FieldTold<'a> {
    fn from(change: &'a FieldChange) -> Self {
        let value = change.value.as_ref().map(|value| value.bytes());
        FieldTold { key: &change.key.0, age: change.age, value, expire: change.expire }
    }
}

/// The changed fields of one record.
#[derive(Clone, Debug)]
pub(crate) struct ChangeTold<'a> {
    pub incarnation: u32,
    pub rev: Rev,
    pub span: u64,
    pub act: u64,
    pub fields: FieldsTold<'a>,
}

/// A frame of changes that was read whole once, so that reading it again comes to an end with its last byte.
#[derive(Clone, Debug)]
pub(crate) struct DeltaTold<'a> {
    pub relay: bool,
    pub seq: Seq,
    pub changes: ChangesTold<'a>,
    pub pulse: Option<Pulse>,
    /// It is too short to bring more objects than a frame may.
    pub is_short: bool,
}

/// Changes that are still to be read.
#[derive(Clone, Debug)]
pub(crate) struct ChangesTold<'a> {
    left: usize,
    rest: &'a [u8],
}

/// Fields that are still to be read.
#[derive(Clone, Debug)]
pub(crate) struct FieldsTold<'a> {
    left: usize,
    rest: &'a [u8],
}

impl<'a> DeltaTold<'a> {
    /// Reads the body of a frame; nothing when it is not one whole delta.
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let mut rest = body;
        let relay = read_bool(&mut rest)?;
        let seq = Seq(read_varint(&mut rest)?);
        let left = value::read_count(&mut rest)?;
        let changes = ChangesTold { left, rest };
        for _ in 0..left {
            let fields = read_head(&mut rest)?.fields.left;
            for _ in 0..fields {
                let field = read_field(&mut rest)?;
                field.value.is_none_or(value::is_one).then_some(())?;
            }
        }
        let pulse = if read_bool(&mut rest)? { Some(read_pulse(&mut rest)?) } else { None };
        let is_short = raw::are_too_short_for_more(FRAME_OBJECTS_MAX, body.len());
        rest.is_empty().then_some(DeltaTold { relay, seq, changes, pulse, is_short })
    }
}

impl<'a> Iterator for ChangesTold<'a> {
    type Item = ChangeTold<'a>;

    fn next(&mut self) -> Option<ChangeTold<'a>> {
        self.left = self.left.checked_sub(1)?;
        let change = read_head(&mut self.rest)?;
        if self.left > 0 {
            for _ in 0..change.fields.left {
                read_field(&mut self.rest)?;
            }
        }
        Some(change)
    }
}

impl<'a> Iterator for FieldsTold<'a> {
    type Item = FieldTold<'a>;

    fn next(&mut self) -> Option<FieldTold<'a>> {
        self.left = self.left.checked_sub(1)?;
        read_field(&mut self.rest)
    }
}

/// What stands before the fields of a change.
fn read_head<'a>(rest: &mut &'a [u8]) -> Option<ChangeTold<'a>> {
    let incarnation = read_u32(rest)?;
    let (rev, span, act) = (Rev(read_varint(rest)?), read_varint(rest)?, read_varint(rest)?);
    let left = value::read_count(rest)?;
    Some(ChangeTold { incarnation, rev, span, act, fields: FieldsTold { left, rest } })
}

fn read_field<'a>(rest: &mut &'a [u8]) -> Option<FieldTold<'a>> {
    let mut name = read_bytes(rest)?;
    let key = value::read_text(&mut name)?;
    name.is_empty().then_some(())?;
    let age = read_varint(rest)?;
    let value = if read_bool(rest)? { Some(read_bytes(rest)?) } else { None };
    Some(FieldTold { key, age, value, expire: read_varint(rest)? })
}

fn read_pulse(rest: &mut &[u8]) -> Option<Pulse> {
    let (count, records, cells) = (read_u32(rest)?, read_u32(rest)?, read_varint(rest)?);
    Some(Pulse { count, records, cells, links: read_u32(rest)? })
}

fn read_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let count = value::read_count(rest)?;
    take(rest, count)
}

fn read_bool(rest: &mut &[u8]) -> Option<bool> {
    match take(rest, 1)?.first()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// At most five bytes, as postcard takes it.
fn read_u32(rest: &mut &[u8]) -> Option<u32> {
    let before = rest.len();
    let number = u32::try_from(read_varint(rest)?).ok()?;
    (before - rest.len() <= 5).then_some(number)
}

/// Writes what stands before the fields of a change.
pub(crate) fn write_head(out: &mut Vec<u8>, incarnation: u32, (rev, span, act): (Rev, u64, u64), fields: usize) {
    for number in [u64::from(incarnation), rev.0, span, act, fields as u64] {
        write_varint(number, out);
    }
}

/// Writes one field of a change.
pub(crate) fn write_field(out: &mut Vec<u8>, field: &FieldTold<'_>) {
    let start = out.len();
    out.push(0);
    value::write_key(field.key, out);
    // Its length goes before it, in one byte unless the name is a long one.
    let length = out.len() - start - 1;
    if let Some(place) = out.get_mut(start).filter(|_| length < 0x80) {
        *place = length as u8;
    } else {
        let name = out.split_off(start + 1);
        out.truncate(start);
        write_varint(length as u64, out);
        out.extend_from_slice(&name);
    }
    write_varint(field.age, out);
    out.push(u8::from(field.value.is_some()));
    if let Some(value) = field.value {
        write_varint(value.len() as u64, out);
        out.extend_from_slice(value);
    }
    write_varint(field.expire, out);
}

/// A whole frame of so many changes, which were written already.
pub(crate) fn frame(relay: bool, seq: Seq, (count, changes): (usize, &[u8]), pulse: Option<&Pulse>) -> Vec<u8> {
    let mut out = Vec::with_capacity(AROUND + changes.len());
    out.extend_from_slice(&[VERSION, KIND, u8::from(relay)]);
    write_varint(seq.0, &mut out);
    write_varint(count as u64, &mut out);
    out.extend_from_slice(changes);
    out.push(u8::from(pulse.is_some()));
    if let Some(Pulse { count, records, cells, links }) = pulse {
        for number in [u64::from(*count), u64::from(*records), *cells, u64::from(*links)] {
            write_varint(number, &mut out);
        }
    }
    out
}
