//! What the derived schemas cannot say by themselves, put right in the document.

use serde_json::{Map, Value, json};

/// Goes through the whole document.
pub(super) fn refine(document: &mut Value) {
    for name in arguments(document) {
        if let Some(schema) = component(document, &name) {
            fields_are_never_null(schema);
        }
    }
    bodies_may_be_empty(document);
    as_prose(document);
    if let Some(note) = component(document, "NoteChange") {
        note["anyOf"] = some_field(note);
    }
    if let Some(publish) = component(document, "Publish") {
        let kept = json!({"properties": {"keep": {"enum": [true]}}, "required": ["keep"]});
        publish["anyOf"] = json!([kept, {"not": {"required": ["idempotencyKey"]}}]);
    }
}

/// Every operation of the document.
pub(super) fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    paths.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut).flat_map(Map::values_mut)
}

fn component<'a>(document: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    document.pointer_mut("/components/schemas")?.get_mut(name)
}

/// The names of the schemas that bodies of requests have.
fn arguments(document: &mut Value) -> Vec<String> {
    let body = |operation: &mut Value| {
        let schema = operation.pointer("/requestBody/content/application~1json/schema/$ref")?;
        Some(schema.as_str()?.rsplit('/').next()?.to_owned())
    };
    operations(document).filter_map(body).collect()
}

/// A field may be missing, and is never `null`: `arguments` says so of every call.
fn fields_are_never_null(schema: &mut Value) {
    let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
    for field in fields.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        field.retain(|word, value| word != "default" || !(value.is_null() || *value == ""));
        if let Some(Value::Array(types)) = field.get_mut("type") {
            types.retain(|kind| kind != "null");
            if let [kind] = types.as_slice() {
                field["type"] = kind.clone();
            }
        }
        if let Some(Value::Array(mut choices)) = field.remove("oneOf") {
            choices.retain(|choice| choice["type"] != "null");
            match choices.as_mut_slice() {
                [Value::Object(only)] => field.append(only),
                _ => drop(field.insert("oneOf".into(), choices.into())),
            }
        }
    }
}

/// A body without anything is an object without fields, so a call needs one only when it needs a field.
fn bodies_may_be_empty(document: &mut Value) {
    let names = arguments(document);
    let needed: Vec<String> = names
        .into_iter()
        .filter(|name| component(document, name).is_some_and(|schema| schema.get("required").is_some()))
        .collect();
    for operation in operations(document) {
        let Some(body) = operation.get_mut("requestBody") else { continue };
        let schema = body.pointer("/content/application~1json/schema/$ref").and_then(Value::as_str);
        let name = schema.and_then(|schema| schema.rsplit('/').next()).unwrap_or_default();
        body["required"] = needed.iter().any(|needed| needed == name).into();
    }
}

/// A note that is set names a field beside its id, and `null` names none.
fn some_field(note: &Value) -> Value {
    let fields = note["properties"].as_object().into_iter().flat_map(Map::keys).filter(|field| *field != "id");
    fields.map(|field| json!({"required": [field], "properties": {field: {"not": {"type": "null"}}}})).collect()
}

/// What stands at the code is for who reads the code: a reader of the document has neither its lines nor what it refers to.
fn as_prose(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(as_prose),
        Value::Object(members) => {
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = prose(text);
            }
            members.values_mut().for_each(as_prose);
        }
        _ => {}
    }
}

/// Only paragraphs and lists have lines; links into the code and references to rules go.
fn prose(text: &str) -> String {
    let paragraphs: Vec<String> = text
        .split("\n\n")
        .map(|paragraph| paragraph.replace("\n- ", "\r- ").replace('\n', " ").replace('\r', "\n"))
        .collect();
    let text = without(&paragraphs.join("\n\n"), "](crate::", ")").replace("[`", "`");
    without(&text, " (design ", ")")
}

/// A text without all that begins and ends so.
fn without(text: &str, begin: &str, end: &str) -> String {
    let mut parts = text.split(begin);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(end).map_or("", |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::prose;

    #[test]
    fn what_stands_at_the_code_becomes_prose() {
        assert_eq!(
            prose("One of\n[`PALETTE`](crate::PALETTE), so (design A4, R2).\n\nMore:\n- a\n- b"),
            "One of `PALETTE`, so.\n\nMore:\n- a\n- b"
        );
        assert_eq!(prose("`[1]` and [x] (or not) stay."), "`[1]` and [x] (or not) stay.");
    }
}
