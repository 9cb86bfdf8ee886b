//! What may be written: the checks of design A8, used where a call enters and, piece by piece, where a frame does.

use serde_json::Value;

use crate::error::{Error, ErrorCode};
use crate::limits::{DEPTH_MAX, KEY_MAX, OBJECTS_MAX, STRING_MAX, TEXT_MAX, TOP_KEYS};
use crate::value::json_len;
use crate::view::Bag;

/// The key that stands for "this was not an object"; no check lets it pass.
pub(crate) const NOT_AN_OBJECT: &str = "\u{0}not an object";
/// The key that stands for "somewhere in this was no number"; its value is the place and what was there.
pub(crate) const NOT_FINITE: &str = "\u{0}not finite";

/// A bag of presence or metadata as a whole.
pub(crate) fn bag(bag: &Bag, max: usize, what: &str, code: ErrorCode) -> Result<(), Error> {
    if bag.contains_key(NOT_AN_OBJECT) {
        return Err(Error::new(code, format!("{what} must be a JSON object")).at(what));
    }
    if let Some(found) = bag.get(NOT_FINITE) {
        return Err(not_finite(found, what, code));
    }
    if bag.len() > TOP_KEYS {
        return Err(Error::too_large("keys", TOP_KEYS, bag.len(), what));
    }
    for (name, value) in bag {
        entry(name, value, what, code)?;
    }
    let objects = bag.values().map(objects).sum();
    if objects > OBJECTS_MAX {
        return Err(Error::too_large("objects", OBJECTS_MAX, objects, what));
    }
    if size_at_most(bag) > max {
        let size = size(bag);
        if size > max {
            return Err(Error::too_large("bytes", max, size, what));
        }
    }
    Ok(())
}

fn not_finite(found: &Value, what: &str, code: ErrorCode) -> Error {
    let word = |at: usize| found.get(at).and_then(Value::as_str).unwrap_or_default();
    let path = [what, word(0)].join(".").trim_end_matches('.').to_owned();
    Error::new(code, format!("{path} is {}; a finite number is allowed", word(1))).at(&path)
}

/// The content of a message, as far as it is the same whether it is kept or not.
pub(crate) fn data(data: &Value) -> Result<(), Error> {
    let code = ErrorCode::InvalidMessage;
    if let Some(found) = data.get(NOT_FINITE) {
        return Err(not_finite(found, "data", code));
    }
    nested(data, TEXT_MAX, 3, "data", code)
}

/// One key and its value.
pub(crate) fn entry(name: &str, value: &Value, what: &str, code: ErrorCode) -> Result<(), Error> {
    if is_key(name) && fits(value, STRING_MAX, 2) {
        return Ok(());
    }
    let path = format!("{what}.{name}");
    key(name, &path, code)?;
    nested(value, STRING_MAX, 2, &path, code)
}

/// Objects that a value is made of, at all levels.
pub(crate) fn objects(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(objects).sum(),
        Value::Object(items) => 1 + items.values().map(objects).sum::<usize>(),
        _ => 0,
    }
}

/// Whether [`nested`] finds nothing wrong with a value.
fn fits(value: &Value, string_max: usize, depth: usize) -> bool {
    match value {
        Value::String(text) => text.len() <= string_max,
        Value::Array(items) => depth <= DEPTH_MAX && items.iter().all(|item| fits(item, string_max, depth + 1)),
        Value::Object(items) => {
            let fits = |(name, item): (&String, &Value)| is_key(name) && fits(item, string_max, depth + 1);
            depth <= DEPTH_MAX && items.iter().all(fits)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// What a bag has as JSON at most: found much sooner than its size.
pub(crate) fn size_at_most(bag: &Bag) -> usize {
    bag.iter().map(|(name, value)| text_at_most(name) + 2 + value_at_most(value)).sum::<usize>() + 2
}

fn value_at_most(value: &Value) -> usize {
    match value {
        Value::Null => 4,
        Value::Bool(_) => 5,
        // `-1.2345678901234567e-308`
        Value::Number(_) => 24,
        Value::String(text) => text_at_most(text),
        Value::Array(items) => items.iter().map(|item| value_at_most(item) + 1).sum::<usize>() + 2,
        Value::Object(items) => size_at_most(items),
    }
}

/// Every byte may have to be written as `\u0000`.
fn text_at_most(text: &str) -> usize {
    6 * text.len() + 2
}

/// Bytes of a bag as JSON.
pub(crate) fn size(bag: &Bag) -> usize {
    json_len(bag).unwrap_or(usize::MAX)
}

/// Whether a key may be one.
pub(crate) fn is_key(name: &str) -> bool {
    (1..=KEY_MAX).contains(&name.len()) && !matches!(name, "__proto__" | NOT_AN_OBJECT | NOT_FINITE)
}

/// The same, with what is wrong.
pub(crate) fn key(name: &str, path: &str, code: ErrorCode) -> Result<(), Error> {
    if is_key(name) {
        return Ok(());
    }
    if name.len() > KEY_MAX {
        return Err(Error::too_large("keyBytes", KEY_MAX, name.len(), path));
    }
    if name.is_empty() {
        return Err(Error::new(code, format!("{path}: a key is empty")).at(path));
    }
    Err(Error::new(code, format!("{path}: this key is not allowed")).at(path))
}

/// A key by which people call something of their own: not space alone.
pub(crate) fn name(name: &str, path: &str, code: ErrorCode) -> Result<(), Error> {
    key(name, path, code)?;
    if name.trim().is_empty() {
        return Err(Error::new(code, format!("{path} is empty: it is nothing but space")).at(path));
    }
    Ok(())
}

/// A value at a level of nesting (a bag is the first), whose strings may be so long.
pub(crate) fn nested(value: &Value, string_max: usize, depth: usize, path: &str, code: ErrorCode) -> Result<(), Error> {
    match value {
        Value::String(text) if text.len() > string_max => {
            Err(Error::too_large("stringBytes", string_max, text.len(), path))
        }
        Value::Array(_) | Value::Object(_) if depth > DEPTH_MAX => {
            Err(Error::too_large("depth", DEPTH_MAX, depth, path))
        }
        Value::Array(items) => items.iter().try_for_each(|item| nested(item, string_max, depth + 1, path, code)),
        Value::Object(items) => items.iter().try_for_each(|(name, item)| {
            key(name, path, code)?;
            nested(item, string_max, depth + 1, path, code)
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
