//! Examples of the document: requests and answers of a real peer, which a test drives through every operation. That test
//! writes `examples.json` and fails when a peer answers otherwise than the file says.
//!
//! What was refused is no example of a request: tools send those, and expect them to be taken.

use serde_json::{Map, Value, json};

use super::exact::operations;

const EXAMPLES: &str = include_str!("examples.json");

/// Puts each example where it belongs: the request to the body, the answer to its status.
pub(super) fn insert(document: &mut Value) {
    let examples: Value = serde_json::from_str(EXAMPLES).unwrap_or_default();
    for operation in operations(document) {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        for example in examples[&id].as_array().into_iter().flatten() {
            let name = example["name"].as_str().unwrap_or_default();
            let taken = example["status"] == 200;
            let mut answer = json!({"summary": example["summary"], "value": example["answer"]});
            if let Some(request) = example.get("request") {
                match operation.pointer_mut("/requestBody/content/application~1json") {
                    Some(body) if taken => {
                        body["examples"][name] = json!({"summary": example["summary"], "value": request});
                    }
                    _ => answer["description"] = format!("The body was `{request}`.").into(),
                }
            }
            let response = operation["responses"].get_mut(example["status"].to_string());
            let contents = response.and_then(|response| response.get_mut("content")?.as_object_mut());
            for content in contents.into_iter().flat_map(Map::values_mut) {
                content["examples"][name] = answer.clone();
            }
        }
    }
}
