//! What the documents promise about the code, looked up in the code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// What people run or build upon, and not what tests it.
const SHIPPED: [&str; 6] = ["crates/core", "crates/net", "crates/live", "crates/http", "crates/cli", "src-tauri"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn manifest(package: &str) -> Table {
    read(&format!("{package}/Cargo.toml")).parse().unwrap_or_else(|error| panic!("{package}: {error}"))
}

/// The names in a manifest's `[dependencies]`, for all platforms.
fn dependencies(manifest: &Table) -> BTreeSet<String> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = targets.filter_map(|target| target.get("dependencies")).chain(manifest.get("dependencies"));
    let entries = tables.filter_map(Value::as_table).flatten();
    entries
        .map(|(name, entry)| entry.get("package").and_then(Value::as_str).unwrap_or(name).to_owned())
        .filter(|name| !name.starts_with("parlor"))
        .collect()
}

/// The names in the first column of the table below a heading; a row without a reason is an error.
fn listed(heading: &str) -> BTreeSet<String> {
    let text = read("ARCHITECTURE.md");
    let (_, section) = text.split_once(&format!("## {heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut names = BTreeSet::new();
    for row in section.lines().filter(|line| line.starts_with('|')).skip(2) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert!(cells.len() == 2 && cells[1].len() > 5, "there is no reason in {row}");
        for name in cells[0].split(',') {
            assert!(names.insert(name.trim().to_owned()), "{name} stands twice");
        }
    }
    names
}

#[test]
fn every_dependency_at_run_time_has_a_reason_and_no_other_is_listed() {
    let crates: BTreeSet<String> = SHIPPED.iter().flat_map(|package| dependencies(&manifest(package))).collect();
    let mut needed = crates;
    for folder in ["ui", "ui/client"] {
        let package: serde_json::Value = serde_json::from_str(&read(&format!("{folder}/package.json"))).expect("JSON");
        let names = package["dependencies"].as_object().into_iter().flatten().map(|(name, _)| name.clone());
        needed.extend(names.filter(|name| name != "parlor-client"));
    }
    // What is compiled into the pages is needed by those who use them, whatever its manifest says.
    needed.insert("svelte".into());
    assert_eq!(listed("Run-time dependencies"), needed);
}

/// The lint of the workspace is for every target of a package: also its tests, its examples and its build script.
#[test]
fn no_crate_may_hold_unsafe_code() {
    let workspace = manifest(".");
    assert_eq!(workspace["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    let mut packages: Vec<String> = vec!["src-tauri".into(), "tests".into()];
    for entry in std::fs::read_dir(root().join("crates")).expect("crates") {
        let path = entry.expect("a crate").path();
        if path.join("Cargo.toml").is_file() {
            packages.push(format!("crates/{}", path.file_name().and_then(|name| name.to_str()).expect("a name")));
        }
    }
    assert!(packages.len() > 9, "{packages:?}");
    for package in packages {
        let manifest = manifest(&package);
        assert_eq!(
            manifest["lints"]["workspace"].as_bool(),
            Some(true),
            "{package} does not take the workspace's lints"
        );
    }
}
