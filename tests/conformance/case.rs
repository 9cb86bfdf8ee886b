//! The table as it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

/// One case. Its steps stay as they are written until they are played.
pub struct Case {
    pub name: String,
    /// The sentences of the contract that it shows.
    holds: Vec<String>,
    /// The surfaces that it is for; all when there are none.
    only: Vec<String>,
    pub steps: Vec<Map<String, Value>>,
}

impl Case {
    fn of(value: Value) -> Self {
        let words = |key: &str| -> Vec<String> {
            let list = value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
            list.into_iter().map(|word| word.as_str().expect("a word").to_owned()).collect()
        };
        let name = value["name"].as_str().expect("a name").to_owned();
        let steps = value["steps"].as_array().unwrap_or_else(|| panic!("{name}: no steps"));
        let steps = steps.iter().map(|step| step.as_object().expect("a step").clone()).collect();
        let only = words("only");
        assert!(only.is_empty() || value["why"].is_string(), "{name}: says for whom and not why");
        Self { holds: words("holds"), only, steps, name }
    }

    /// Whether this surface plays it.
    pub fn is_for(&self, surface: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == surface)
    }

    /// Whether somebody acts in it.
    pub fn has(&self, who: &str) -> bool {
        self.steps.iter().any(|step| step["by"] == who)
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance")
}

fn read(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every case, by file and place.
pub fn cases() -> Vec<Case> {
    let entries = std::fs::read_dir(folder().join("cases")).expect("cases");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files.iter().flat_map(|file| read(file).as_array().expect("a list").clone()).map(Case::of).collect()
}

/// Whether every sentence of the contract has a case, or tests elsewhere that are there, and no case holds what the contract
/// does not say.
pub fn covered() -> Result<(), String> {
    let said: BTreeMap<String, Sentence> =
        serde_json::from_value(read(&folder().join("sentences.json"))).expect("sentences by number");
    let cases = cases();
    let held: BTreeSet<String> = cases.iter().flat_map(|case| case.holds.clone()).collect();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    let mut wrong: Vec<String> = held.iter().filter(|number| !said.contains_key(*number)).cloned().collect();
    for (number, sentence) in &said {
        match sentence {
            Sentence::Here(says) => {
                assert!(!says.is_empty(), "{number} says nothing");
                wrong.extend((!held.contains(number)).then(|| number.clone()));
            }
            Sentence::Elsewhere { says, elsewhere } => {
                assert!(!says.is_empty() && !elsewhere.is_empty(), "{number} is proven nowhere");
                wrong.extend(elsewhere.iter().filter(|test| !exists(test)).map(|test| format!("{number} by {test}")));
            }
        }
    }
    if wrong.is_empty() && names.len() == cases.len() {
        return Ok(());
    }
    Err(format!("without a case or a sentence: {wrong:?}; {} names for {} cases", names.len(), cases.len()))
}

/// A sentence of the contract.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Sentence {
    /// A case shows it.
    Here(String),
    /// No surface can bring it about, or one alone: these tests show it, each `file::name`.
    Elsewhere { says: String, elsewhere: Vec<String> },
}

/// Whether there is such a test. One of Rust is a function below an attribute of tests; one of TypeScript has its name in
/// quotes.
fn exists(test: &str) -> bool {
    let Some((file, name)) = test.split_once("::") else { return false };
    let Ok(source) = std::fs::read_to_string(folder().join("../..").join(file)) else { return false };
    if file.ends_with(".ts") {
        return source.contains(&format!("it('{name}'"));
    }
    let function = format!("fn {name}(");
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if (line == "#[test]" || line.starts_with("#[tokio::test"))
            && lines.next().is_some_and(|next| next.contains(&function))
        {
            return true;
        }
    }
    false
}
