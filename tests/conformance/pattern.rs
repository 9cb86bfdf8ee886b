//! Whether an answer is what was expected.

use serde_json::{Map, Value};

use super::value::Names;

/// What an object has that may hold more than is named.
const MORE: &str = "...";

/// Holds a value against a pattern; what is wrong with it, with its place. Keeps what the pattern says to keep.
pub fn fits(pattern: &Value, value: &Value, names: &mut Names) -> Result<(), String> {
    at("", pattern, Some(value), names)
}

fn at(place: &str, pattern: &Value, value: Option<&Value>, names: &mut Names) -> Result<(), String> {
    let Some(value) = value else {
        return if pattern == "$absent" { Ok(()) } else { Err(format!("{place} is missing")) };
    };
    let ok = match pattern {
        Value::String(word) if word.starts_with('$') => return fits_word(place, word, value, names),
        Value::Array(items) => {
            let Some(list) = value.as_array() else { return Err(format!("{place} is no list but {value}")) };
            if list.len() != items.len() {
                return Err(format!("{place} has {} items instead of {}: {value}", list.len(), items.len()));
            }
            for (n, (item, value)) in items.iter().zip(list).enumerate() {
                at(&format!("{place}.{n}"), item, Some(value), names)?;
            }
            true
        }
        Value::Object(object) => match object.iter().next() {
            Some((word, with)) if object.len() == 1 && word.starts_with('$') => {
                return fits_list(place, word, with, value, names);
            }
            _ => return fits_object(place, object, value, names),
        },
        // 1 and 1.0 are one number in JSON.
        Value::Number(number) => number.as_f64() == value.as_f64(),
        other => other == value,
    };
    if ok { Ok(()) } else { Err(format!("{place} is {value} instead of {pattern}")) }
}

fn fits_object(place: &str, object: &Map<String, Value>, value: &Value, names: &mut Names) -> Result<(), String> {
    let Some(members) = value.as_object() else { return Err(format!("{place} is no object but {value}")) };
    if !object.contains_key(MORE)
        && let Some(more) = members.keys().find(|key| !object.contains_key(*key))
    {
        return Err(format!("{place}.{more} is there and should not be: {value}"));
    }
    for (key, pattern) in object.iter().filter(|(key, _)| *key != MORE) {
        at(&format!("{place}.{key}"), pattern, members.get(key), names)?;
    }
    Ok(())
}

fn fits_word(place: &str, word: &str, value: &Value, names: &mut Names) -> Result<(), String> {
    let name = word.split_once(' ').map_or(&word[1..], |(_, name)| name);
    let ok = match word.split(' ').next() {
        Some("$any") => true,
        Some("$text") => value.as_str().is_some_and(|text| !text.is_empty()),
        Some("$number") => value.is_number(),
        Some("$time") => is_time(value),
        Some("$let") => {
            names.insert(name.to_owned(), value.clone());
            true
        }
        Some("$not") => names.get(name).is_some_and(|kept| kept != value),
        _ => match names.get(name) {
            Some(kept) => kept == value,
            None => return Err(format!("{place}: nothing is called {word}")),
        },
    };
    if ok { Ok(()) } else { Err(format!("{place} is {value}, which is not {word} {:?}", names.get(name))) }
}

fn fits_list(place: &str, word: &str, with: &Value, value: &Value, names: &mut Names) -> Result<(), String> {
    let Some(items) = value.as_array() else { return Err(format!("{place} is no list but {value}")) };
    let length = || with.as_u64().and_then(|length| usize::try_from(length).ok()).expect("a length");
    let ok = match word {
        "$each" => {
            for (n, item) in items.iter().enumerate() {
                at(&format!("{place}.{n}"), with, Some(item), names)?;
            }
            true
        }
        "$has" => items.iter().any(|item| at(place, with, Some(item), &mut names.clone()).is_ok()),
        "$length" => items.len() == length(),
        "$atMost" => items.len() <= length(),
        _ => panic!("there is no pattern {word}"),
    };
    if ok { Ok(()) } else { Err(format!("{place} does not fit {word} {with}: {value}")) }
}

/// RFC 3339, UTC, milliseconds.
fn is_time(value: &Value) -> bool {
    let shape = b"0000-00-00T00:00:00.000Z";
    value.as_str().is_some_and(|text| {
        text.len() == shape.len()
            && text
                .bytes()
                .zip(shape)
                .all(|(byte, shape)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == *shape })
    })
}
