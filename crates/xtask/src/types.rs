//! `cargo xtask gen`: what is written from the code and committed. The TypeScript types of the Rust API, by ts-rs; the
//! OpenAPI document of the HTTP API, and the examples in it, which are answers of a real peer.
//!
//! ts-rs writes one file a type from tests that its derive makes, and a test of `parlor-http` writes the document; they run
//! into a scratch directory. What lands in the tree is that, plus an index that re-exports all types, and nothing else:
//! files of types that are gone go too. The examples are written first, by the test that holds them against a peer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use console::style;

use crate::step::step;
use crate::workspace::Workspace;

/// Options of `cargo xtask gen`.
#[derive(Args)]
pub struct Options {
    /// Write nothing; fail when the files in the tree differ
    #[arg(long)]
    check: bool,
}

/// Where the types lie in the tree.
const PLACE: &str = "ui/client/src/generated";
/// Where the document does.
const DOCUMENT: &str = "docs/openapi.json";
/// The test that drives a peer through every operation.
const EXAMPLES: &str = "every_operation_answers_as_the_document_shows";
/// The crates whose types cross the API, each with a feature `ts`.
const CRATES: [&str; 3] = ["parlor-core", "parlor-net", "parlor"];
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Path in the tree, and content.
type Files = BTreeMap<PathBuf, String>;

/// Writes all of it, or checks the types and the document; the examples have a test of their own.
pub fn generate(workspace: &Workspace, options: Options) -> Result<ExitCode> {
    if options.check {
        return Ok(if check(workspace)? { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    take_examples(workspace)?;
    let fresh = export(workspace)?;
    let tree = committed(workspace)?;
    let differing = differences(&tree, &fresh);
    for path in &differing {
        let file = workspace.root.join(path);
        match fresh.get(path) {
            Some(content) => {
                let directory = file.parent().context("a file without a directory")?;
                std::fs::create_dir_all(directory)?;
                std::fs::write(&file, content).with_context(|| format!("cannot write {}", file.display()))?;
            }
            None => std::fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?,
        }
    }
    let types = fresh.len() - 2;
    eprintln!("  {} {types} types in {PLACE}, and {DOCUMENT}; {} changed", style("✓").green(), differing.len());
    Ok(ExitCode::SUCCESS)
}

/// Whether the types and the document in the tree are those of the code; says which are not.
pub fn check(workspace: &Workspace) -> Result<bool> {
    let fresh = export(workspace)?;
    let differing = differences(&committed(workspace)?, &fresh);
    for path in &differing {
        eprintln!("  {} {} is not what the code says", style("✗").red(), path.display());
    }
    if !differing.is_empty() {
        eprintln!("    run cargo xtask gen and commit what it writes");
    }
    Ok(differing.is_empty())
}

/// What of it is in the tree.
fn committed(workspace: &Workspace) -> Result<Files> {
    let mut files = within(PLACE, read(&workspace.root.join(PLACE))?);
    if let Ok(document) = std::fs::read_to_string(workspace.root.join(DOCUMENT)) {
        files.insert(DOCUMENT.into(), document);
    }
    Ok(files)
}

fn within(place: &str, files: Files) -> Files {
    files.into_iter().map(|(path, content)| (Path::new(place).join(path), content)).collect()
}

/// A run of tests that all need the same of what they depend on.
fn tests(workspace: &Workspace) -> Command {
    let mut cargo = workspace.cargo();
    let features = CRATES.map(|name| format!("{name}/ts")).join(",");
    // The whole workspace, so that what it depends on is the same as in every other build and is not compiled anew.
    cargo.args(["test", "--workspace", "--features", &features]).args(workspace.locked());
    cargo
}

/// Has a peer answer every operation, and writes down what it says.
fn take_examples(workspace: &Workspace) -> Result<()> {
    let mut cargo = tests(workspace);
    cargo.args(["--test", "http", "--", EXAMPLES]).env("PARLOR_WRITE_EXAMPLES", "1");
    if !step(workspace, "examples", "taking down what a peer answers", cargo, LIMIT)?.ok {
        bail!("the examples could not be written");
    }
    Ok(())
}

/// Has ts-rs write all types and adds the index; has the document written.
fn export(workspace: &Workspace) -> Result<Files> {
    let scratch = workspace.scratch().join("types");
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch).with_context(|| format!("cannot clear {}", scratch.display()))?;
    }
    std::fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
    let mut cargo = tests(workspace);
    cargo.args(["--lib", "--", "export_bindings", "export_document"]);
    cargo.env("TS_RS_EXPORT_DIR", &scratch).env("PARLOR_EXPORT_DIR", &scratch);
    if !step(workspace, "types", "exporting the types and the document", cargo, LIMIT)?.ok {
        bail!("the types and the document could not be exported");
    }
    let mut types = read(&scratch)?;
    if types.is_empty() {
        bail!("no types were exported");
    }
    for content in types.values_mut() {
        *content = tidy(content);
    }
    let index = index(types.keys());
    types.insert("index.ts".into(), index);
    let mut files = within(PLACE, types);
    let document = std::fs::read_to_string(scratch.join("openapi.json")).context("no document was exported")?;
    files.insert(DOCUMENT.into(), document);
    Ok(files)
}

/// One trailing newline and no trailing blanks, so that no editor changes a generated file.
fn tidy(content: &str) -> String {
    let mut lines: Vec<&str> = content.lines().map(str::trim_end).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines.join("\n") + "\n"
}

/// A module that re-exports every type.
fn index<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> String {
    let mut lines = vec!["// Written by `cargo xtask gen` from the Rust types. Do not edit.".to_owned(), String::new()];
    lines.extend(paths.map(|path| format!("export type * from \"./{}\";", path.with_extension("").display())));
    lines.join("\n") + "\n"
}

/// The files that are not the same on both sides.
fn differences(tree: &Files, fresh: &Files) -> Vec<PathBuf> {
    let paths: std::collections::BTreeSet<&PathBuf> = tree.keys().chain(fresh.keys()).collect();
    paths.into_iter().filter(|path| tree.get(*path) != fresh.get(*path)).cloned().collect()
}

/// All TypeScript files under a directory; none when it is not there.
fn read(directory: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        if !next.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&next).with_context(|| format!("cannot list {}", next.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "ts") {
                let content =
                    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                files.insert(path.strip_prefix(directory)?.to_owned(), content);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::{Files, differences, index, tidy};

    #[test]
    fn tidies_without_changing_twice() {
        assert_eq!(tidy("a \n\nb\n\n\n"), "a\n\nb\n");
        assert_eq!(tidy(&tidy("x\t")), tidy("x\t"));
    }

    #[test]
    fn names_what_is_new_changed_and_gone() {
        let tree = Files::from([("a.ts".into(), "1".into()), ("b.ts".into(), "1".into()), ("c.ts".into(), "1".into())]);
        let fresh =
            Files::from([("a.ts".into(), "1".into()), ("b.ts".into(), "2".into()), ("d.ts".into(), "1".into())]);
        let names: Vec<_> = differences(&tree, &fresh).iter().map(|path| path.display().to_string()).collect();
        assert_eq!(names, ["b.ts", "c.ts", "d.ts"]);
    }

    #[test]
    fn the_index_exports_every_file() {
        let files = Files::from([("A.ts".into(), String::new()), ("sub/B.ts".into(), String::new())]);
        let index = index(files.keys());
        assert!(index.ends_with("export type * from \"./A\";\nexport type * from \"./sub/B\";\n"));
    }
}
