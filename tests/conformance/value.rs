//! What arguments stand for: what is too long to write, what was kept of an answer, who is meant.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What was kept, by name; user ids stand under the names of the actors.
pub type Names = BTreeMap<String, Value>;

/// The value that is meant; nothing for one that JSON does not have. `n` is the number of the call.
pub fn meant(written: &Value, names: &Names, n: usize) -> Option<Value> {
    Some(match written {
        Value::String(text) => return word(text, names, n),
        Value::Array(items) => items.iter().filter_map(|item| meant(item, names, n)).collect(),
        Value::Object(object) => match object.iter().next() {
            Some((maker, with)) if object.len() == 1 && maker.starts_with('$') => made(maker, with),
            _ => {
                let members = object
                    .iter()
                    .filter_map(|(key, value)| Some((key.replace("$n", &n.to_string()), meant(value, names, n)?)));
                Value::Object(members.collect())
            }
        },
        other => other.clone(),
    })
}

fn word(text: &str, names: &Names, n: usize) -> Option<Value> {
    if text == "$undefined" {
        return None;
    }
    if text == "$n" {
        return Some(n.into());
    }
    let name = text.strip_prefix("$is ").or_else(|| text.strip_prefix('$'));
    Some(match name.and_then(|name| names.get(name)) {
        Some(kept) => kept.clone(),
        None => text.replace("$n", &n.to_string()).into(),
    })
}

fn made(maker: &str, with: &Value) -> Value {
    let count = |value: &Value| usize::try_from(value.as_u64().expect("a count")).expect("a small one");
    match maker {
        "$text" => match with {
            Value::Array(with) => with[1].as_str().expect("a letter").repeat(count(&with[0])).into(),
            length => "x".repeat(count(length)).into(),
        },
        "$keys" => Value::Object((0..count(with)).map(|key| (format!("k{key}"), json!(1))).collect()),
        "$deep" => (1..count(with)).fold(json!({}), |inside, _| json!({"a": inside})),
        "$key" => Value::Object(Map::from_iter([("k".repeat(count(&with[0])), with[1].clone())])),
        "$notes" => {
            let first = count(&with[0]);
            (first..first + count(&with[1])).map(|note| json!({"id": format!("note {note}"), "x": note})).collect()
        }
        _ => panic!("nothing is made by {maker}"),
    }
}
