use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::document;
use crate::ROUTES;

fn parsed() -> Value {
    serde_json::from_str(document()).expect("JSON")
}

/// Method and path of every operation, and its id.
fn operations(document: &Value) -> BTreeMap<(String, String), String> {
    let paths = document["paths"].as_object().expect("paths");
    let each = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").iter();
        methods.map(move |(method, operation)| {
            let id = operation["operationId"].as_str().expect("an id").to_owned();
            ((method.to_uppercase(), path.clone()), id)
        })
    });
    each.collect()
}

/// Paths that are no operations.
const OTHERS: [&str; 6] =
    ["/healthz", "/inspect", "/metrics", "/openapi.json", "/rooms/{room}/recording", "/rooms/{room}/replay"];

#[test]
fn it_has_every_route_and_no_other() {
    let operations = operations(&parsed());
    let mut routes: BTreeSet<(String, String)> =
        ROUTES.iter().map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
    routes.extend(OTHERS.map(|path| ("GET".to_owned(), path.to_owned())));
    routes.extend(crate::recordings::FILES.map(|path| ("POST".to_owned(), path.to_owned())));
    assert_eq!(operations.keys().cloned().collect::<BTreeSet<_>>(), routes);
}

#[test]
fn every_operation_has_the_name_that_it_has_elsewhere() {
    let operations = operations(&parsed());
    for route in ROUTES {
        let id = &operations[&(route.method.to_owned(), route.path.to_owned())];
        let named = if route.operation == "watch" { id.starts_with("watch_") } else { id == route.operation };
        assert!(named, "{id} is {}", route.operation);
    }
    assert_eq!(operations.values().collect::<BTreeSet<_>>().len(), operations.len(), "two have the same name");
}

#[test]
fn only_who_asks_whether_it_is_up_needs_no_token() {
    let document = parsed();
    assert!(document["security"][0]["token"].is_array());
    for ((method, path), id) in operations(&document) {
        let operation = &document["paths"][&path][method.to_lowercase()];
        assert_eq!(operation.get("security").is_some(), path == "/healthz", "{id}");
        assert_eq!(operation["responses"].get("401").is_some(), path != "/healthz", "{id}");
        let words = ["summary", "description"].map(|word| operation[word].as_str().unwrap_or_default().len());
        assert!(words.iter().all(|length| *length > 10), "{id} says too little");
    }
}

/// Every reference leads somewhere, and nothing stands there for nobody.
#[test]
fn every_schema_is_there_and_is_used() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = parsed();
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    let mut there: BTreeSet<String> = schemas.keys().map(|name| format!("#/components/schemas/{name}")).collect();
    // What streams and sockets carry stands there for readers.
    used.extend(["Item", "Batch", "Inspect"].map(|name| format!("#/components/schemas/{name}")));
    there.retain(|name| !used.contains(name));
    assert_eq!(there, BTreeSet::new(), "used by nobody");
    for name in used {
        assert!(document.pointer(&name[1..]).is_some(), "{name}");
    }
}

/// `cargo xtask gen` names a directory to write the document to; the copy in the tree is held against the code.
#[test]
fn export_document() {
    if let Some(place) = std::env::var_os("PARLOR_EXPORT_DIR") {
        std::fs::write(Path::new(&place).join("openapi.json"), document()).expect("written");
        return;
    }
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let committed = std::fs::read_to_string(committed).expect("docs/openapi.json");
    assert!(committed == document(), "docs/openapi.json is not what the code says; run `cargo xtask gen`");
}
