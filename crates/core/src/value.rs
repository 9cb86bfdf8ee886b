//! JSON on the wire: compact, bounded in depth before it is built, and the same bytes for the same value.
//!
//! postcard is not self-describing, and a decoder that recurses as deep as a frame is long could be made to overflow its
//! stack; so the few lines of this codec carry JSON inside the postcard bodies. A tag byte, then: nothing (`null`, `false`,
//! `true`), a zigzag varint, a varint, 4 or 8 bytes of IEEE 754 (4 when that loses nothing), a text, a list, an object, or a
//! decimal: digits and a power of ten. Of the ways to say a number the shortest is taken, so that nothing is ever much
//! longer here than it is as JSON: what fits the limits, which are of JSON, fits its frame.

use std::cell::Cell;
use std::io;

use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Number, Value};

use crate::check;
use crate::limits::DEPTH_MAX;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const UINT: u8 = 4;
const F32: u8 = 5;
const F64: u8 = 6;
pub(crate) const TEXT: u8 = 7;
pub(crate) const LIST: u8 = 8;
pub(crate) const OBJECT: u8 = 9;
const DECIMAL: u8 = 10;

/// Keys that presence uses all the time, as one byte. Append only: a position is part of the wire format.
const KNOWN: [&str; 28] = [
    "cursor",
    "x",
    "y",
    "t",
    "pts",
    "typing",
    "tool",
    "viewport",
    "zoom",
    "w",
    "h",
    "selection",
    "name",
    "color",
    "status",
    "role",
    "chat",
    "from",
    "to",
    "anchor",
    "head",
    "title",
    "mode",
    "locked",
    "online",
    "away",
    "text",
    "id",
];
const KNOWN_SPAN: u64 = 32;
const _: () = assert!(KNOWN.len() as u64 <= KNOWN_SPAN);

/// A text that is there once, for whoever would keep it many times.
pub(crate) fn known(text: &str) -> Option<&'static str> {
    KNOWN.iter().copied().find(|known| *known == text)
}

/// A JSON value as bytes.
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(24);
    write(value, &mut out);
    out
}

/// The value that the bytes say; nothing when they are not one whole value within the depth limit. What is built may be a
/// hundred times as large as the bytes: judge these first.
pub(crate) fn decode(bytes: &[u8]) -> Option<Value> {
    if !is_one(bytes) {
        return None;
    }
    read(&mut &*bytes, 1)
}

/// The same of the arguments of a call, in which a bag is one level deeper.
pub(crate) fn decode_args(bytes: &[u8]) -> Option<Value> {
    let mut rest = bytes;
    skip(&mut rest, 0, &|_| true, &|_| true)?;
    if !rest.is_empty() {
        return None;
    }
    read(&mut &*bytes, 0)
}

/// Bytes that a text may have to spare, such as from a longer one before it. More, and texts that are long in turns would
/// together be many times what limits allow.
const SPARE: usize = 16;

/// Makes a value what the bytes say, which are well formed; whether it is another one now. Mostly it has the same shape as
/// before, as a cursor does, and nothing is built.
pub(crate) fn assign(held: &mut Value, bytes: &[u8]) -> bool {
    let mut rest = bytes;
    assign_next(held, &mut rest, 1).unwrap_or_else(|| {
        *held = Value::Null;
        true
    })
}

fn assign_next(held: &mut Value, rest: &mut &[u8], depth: usize) -> Option<bool> {
    let whole = *rest;
    let mut changed = false;
    match (*rest.first()?, &mut *held) {
        (OBJECT, Value::Object(items)) if depth <= DEPTH_MAX => {
            take(rest, 1)?;
            let mut same = read_count(rest)? == items.len();
            let mut members = items.iter_mut();
            while let Some((name, item)) = members.next().filter(|_| same) {
                same = read_text(rest)? == name;
                changed |= same && assign_next(item, rest, depth + 1)?;
            }
            if same {
                return Some(changed);
            }
            *rest = whole;
        }
        (LIST, Value::Array(items)) if depth <= DEPTH_MAX => {
            take(rest, 1)?;
            if read_count(rest)? == items.len() {
                for item in items {
                    changed |= assign_next(item, rest, depth + 1)?;
                }
                return Some(changed);
            }
            *rest = whole;
        }
        (TEXT, Value::String(held)) => {
            take(rest, 1)?;
            let text = read_text(rest)?;
            changed = held != text;
            if changed && (text.len()..=text.len() + SPARE).contains(&held.capacity()) {
                text.clone_into(held);
            } else if changed {
                *held = text.to_owned();
            }
            return Some(changed);
        }
        _ => {}
    }
    let value = read(rest, depth)?;
    changed |= *held != value;
    *held = value;
    Some(changed)
}

/// Whether the bytes are one whole value within the depth limit; nothing is built.
pub(crate) fn is_one(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    skip(&mut rest, 1, &|_| true, &|_| true).is_some() && rest.is_empty()
}

/// Whether an encoded value below a bag keeps the limits of strings, keys and depth (design A8).
pub(crate) fn keeps_limits(bytes: &[u8], string_max: usize) -> bool {
    skip(&mut &*bytes, 2, &|text: &str| text.len() <= string_max, &check::is_key).is_some()
}

/// Whether it is a list or an object.
pub(crate) fn is_nested(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(&(LIST | OBJECT)))
}

/// Bytes that a well-formed value has as JSON; nothing is built.
pub(crate) fn json_size(bytes: &[u8]) -> usize {
    json_len(&Reading(Cell::new(bytes))).unwrap_or(usize::MAX)
}

/// Bytes that something has as JSON, without writing it down; nothing when it cannot be written.
pub fn json_len(value: &impl Serialize) -> Option<usize> {
    let mut written = Written(0);
    serde_json::to_writer(&mut written, value).ok().map(|()| written.0)
}

/// The members of an object, as they are encoded; nothing when the bytes are not one whole object.
pub(crate) fn members(bytes: &[u8]) -> Option<Vec<(&str, &[u8])>> {
    let mut rest = bytes;
    if *take(&mut rest, 1)?.first()? != OBJECT {
        return None;
    }
    let count = read_count(&mut rest)?;
    let mut found = Vec::new();
    for _ in 0..count {
        let key = read_text(&mut rest)?;
        let whole = rest;
        skip(&mut rest, 2, &|_| true, &|_| true)?;
        found.push((key, take(&mut &*whole, whole.len() - rest.len())?));
    }
    rest.is_empty().then_some(found)
}

/// Counts what is written to it.
struct Written(usize);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is still to be read of a well-formed value, as something to write.
struct Reading<'a>(Cell<&'a [u8]>);

impl<'a> Reading<'a> {
    fn next<T>(&self, read: impl FnOnce(&mut &'a [u8]) -> Option<T>) -> Option<T> {
        let mut rest = self.0.get();
        let read = read(&mut rest);
        self.0.set(rest);
        read
    }
}

impl Serialize for Reading<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let odd = || S::Error::custom("not a value");
        let tag = self.0.get().first().copied().ok_or_else(odd)?;
        let count = |rest: &mut &_| take(rest, 1).and_then(|_| read_count(rest));
        match tag {
            TEXT => {
                let text = self.next(|rest| take(rest, 1).and_then(|_| read_text(rest))).ok_or_else(odd)?;
                serializer.serialize_str(text)
            }
            LIST => {
                let count = self.next(count).ok_or_else(odd)?;
                let mut list = serializer.serialize_seq(Some(count))?;
                for _ in 0..count {
                    list.serialize_element(self)?;
                }
                list.end()
            }
            OBJECT => {
                let count = self.next(count).ok_or_else(odd)?;
                let mut object = serializer.serialize_map(Some(count))?;
                for _ in 0..count {
                    object.serialize_entry(self.next(read_text).ok_or_else(odd)?, self)?;
                }
                object.end()
            }
            _ => self.next(|rest| read(rest, DEPTH_MAX)).ok_or_else(odd)?.serialize(serializer),
        }
    }
}

/// A key of a bag: one byte when it is a known one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub String);

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = Vec::with_capacity(self.0.len() + 1);
        write_key(&self.0, &mut out);
        serializer.serialize_bytes(&out)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = <&[u8]>::deserialize(deserializer)?;
        let mut rest = bytes;
        match read_key(&mut rest) {
            Some(key) if rest.is_empty() => Ok(Key(key)),
            _ => Err(serde::de::Error::custom("not a key")),
        }
    }
}

pub(crate) fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(NULL),
        Value::Bool(false) => out.push(FALSE),
        Value::Bool(true) => out.push(TRUE),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => {
            out.push(TEXT);
            write_key(text, out);
        }
        Value::Array(items) => {
            out.push(LIST);
            write_varint(items.len() as u64, out);
            items.iter().for_each(|item| write(item, out));
        }
        Value::Object(items) => {
            out.push(OBJECT);
            write_varint(items.len() as u64, out);
            for (key, item) in items {
                write_key(key, out);
                write(item, out);
            }
        }
    }
}

fn write_number(number: &Number, out: &mut Vec<u8>) {
    if let Some(int) = number.as_i64() {
        out.push(INT);
        write_zigzag(int, out);
    } else if let Some(uint) = number.as_u64() {
        out.push(UINT);
        write_varint(uint, out);
    } else {
        let float = number.as_f64().unwrap_or(0.0);
        let narrow = float as f32;
        let binary = if f64::from(narrow).to_bits() == float.to_bits() { 5 } else { 9 };
        let start = out.len();
        if let Some((digits, power)) = decimal(float) {
            out.push(DECIMAL);
            write_zigzag(digits, out);
            write_zigzag(power, out);
        }
        if out.len() == start || out.len() - start > binary {
            out.truncate(start);
            match binary {
                5 => {
                    out.push(F32);
                    out.extend_from_slice(&narrow.to_le_bytes());
                }
                _ => {
                    out.push(F64);
                    out.extend_from_slice(&float.to_le_bytes());
                }
            }
        }
    }
}

/// The shortest digits and power of ten that read back as exactly this number.
fn decimal(float: f64) -> Option<(i64, i64)> {
    // A few decimal places, as coordinates have them: found without writing the number down.
    if float.fract() != 0.0 {
        for (places, ten) in [(1, 10.0), (2, 100.0), (3, 1000.0)] {
            let scaled = float * ten;
            if scaled.fract() == 0.0 && scaled.abs() < 1e15 && (scaled / ten).to_bits() == float.to_bits() {
                return Some((scaled as i64, -places));
            }
        }
    }
    let text = format!("{float:e}");
    let (mantissa, power) = text.split_once('e')?;
    let fraction = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let digits: i64 = mantissa.replace('.', "").parse().ok()?;
    let power = power.parse::<i64>().ok()? - i64::try_from(fraction).ok()?;
    (from_decimal(digits, power)?.to_bits() == float.to_bits()).then_some((digits, power))
}

fn from_decimal(digits: i64, power: i64) -> Option<f64> {
    // Both are exact as floats, so their quotient is the number nearest to it.
    if digits.unsigned_abs() < 1 << 53 && (-3..0).contains(&power) {
        let ten = [1000.0, 100.0, 10.0].into_iter().nth(usize::try_from(power + 3).ok()?)?;
        return Some(digits as f64 / ten);
    }
    format!("{digits}e{power}").parse().ok()
}

pub(crate) fn write_key(text: &str, out: &mut Vec<u8>) {
    if let Some(at) = KNOWN.iter().position(|known| *known == text) {
        write_varint(at as u64, out);
    } else {
        write_varint(text.len() as u64 + KNOWN_SPAN, out);
        out.extend_from_slice(text.as_bytes());
    }
}

fn write_zigzag(value: i64, out: &mut Vec<u8>) {
    write_varint(((value << 1) ^ (value >> 63)) as u64, out);
}

pub(crate) fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn read(rest: &mut &[u8], depth: usize) -> Option<Value> {
    Some(match *take(rest, 1)?.first()? {
        NULL => Value::Null,
        FALSE => Value::Bool(false),
        TRUE => Value::Bool(true),
        INT => Value::from(read_zigzag(rest)?),
        UINT => Value::from(read_varint(rest)?),
        F32 => {
            let bytes: [u8; 4] = take(rest, 4)?.try_into().ok()?;
            Value::Number(Number::from_f64(f64::from(f32::from_le_bytes(bytes)))?)
        }
        F64 => {
            let bytes: [u8; 8] = take(rest, 8)?.try_into().ok()?;
            Value::Number(Number::from_f64(f64::from_le_bytes(bytes))?)
        }
        DECIMAL => {
            let (digits, power) = (read_zigzag(rest)?, read_zigzag(rest)?);
            Value::Number(Number::from_f64(from_decimal(digits, power)?)?)
        }
        TEXT => Value::String(read_key(rest)?),
        LIST if depth <= DEPTH_MAX => {
            let count = read_count(rest)?;
            // Only what is whole is read: the count is right, and room is made once.
            let mut items = Vec::with_capacity(count);
            for _ in 0..count {
                items.push(read(rest, depth + 1)?);
            }
            Value::Array(items)
        }
        OBJECT if depth <= DEPTH_MAX => {
            let count = read_count(rest)?;
            let mut items = serde_json::Map::new();
            for _ in 0..count {
                let key = read_key(rest)?;
                items.insert(key, read(rest, depth + 1)?);
            }
            Value::Object(items)
        }
        _ => return None,
    })
}

/// Passes over a value that is well formed and whose texts and keys are as they should be.
pub(crate) fn skip(
    rest: &mut &[u8],
    depth: usize,
    text: &impl Fn(&str) -> bool,
    key: &impl Fn(&str) -> bool,
) -> Option<()> {
    match *take(rest, 1)?.first()? {
        NULL | FALSE | TRUE => {}
        INT | UINT => drop(read_varint(rest)?),
        F32 => {
            let bytes: [u8; 4] = take(rest, 4)?.try_into().ok()?;
            f32::from_le_bytes(bytes).is_finite().then_some(())?;
        }
        F64 => {
            let bytes: [u8; 8] = take(rest, 8)?.try_into().ok()?;
            f64::from_le_bytes(bytes).is_finite().then_some(())?;
        }
        DECIMAL => {
            let (digits, power) = (read_zigzag(rest)?, read_zigzag(rest)?);
            from_decimal(digits, power)?.is_finite().then_some(())?;
        }
        TEXT => text(read_text(rest)?).then_some(())?,
        LIST if depth <= DEPTH_MAX => {
            for _ in 0..read_count(rest)? {
                skip(rest, depth + 1, text, key)?;
            }
        }
        OBJECT if depth <= DEPTH_MAX => {
            for _ in 0..read_count(rest)? {
                key(read_text(rest)?).then_some(())?;
                skip(rest, depth + 1, text, key)?;
            }
        }
        _ => return None,
    }
    Some(())
}

/// A count that the bytes at hand can hold: every item is at least one byte.
pub(crate) fn read_count(rest: &mut &[u8]) -> Option<usize> {
    let count = usize::try_from(read_varint(rest)?).ok()?;
    (count <= rest.len()).then_some(count)
}

fn read_key(rest: &mut &[u8]) -> Option<String> {
    read_text(rest).map(str::to_owned)
}

pub(crate) fn read_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let head = read_varint(rest)?;
    if head < KNOWN_SPAN {
        return KNOWN.get(usize::try_from(head).ok()?).copied();
    }
    let bytes = take(rest, usize::try_from(head - KNOWN_SPAN).ok()?)?;
    std::str::from_utf8(bytes).ok()
}

fn read_zigzag(rest: &mut &[u8]) -> Option<i64> {
    let raw = read_varint(rest)?;
    Some((raw >> 1) as i64 ^ -((raw & 1) as i64))
}

pub(crate) fn read_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *take(rest, 1)?.first()?;
        if shift == 63 && byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

pub(crate) fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    Some(head)
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
