//! `cargo xtask gen`: the TypeScript types of the Rust API, written by ts-rs and committed.
//!
//! ts-rs writes one file a type from tests that its derive makes; they run into a scratch directory. What lands in
//! the tree is that, plus an index that re-exports all of it, and nothing else: files of types that are gone go too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
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
/// The crates whose types cross the API, each with a feature `ts`.
const CRATES: [&str; 3] = ["parlor-core", "parlor-net", "parlor"];
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Path inside [`PLACE`], and content.
type Files = BTreeMap<PathBuf, String>;

/// Writes the types, or checks them.
pub fn generate(workspace: &Workspace, options: Options) -> Result<ExitCode> {
    if options.check {
        return Ok(if check(workspace)? { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let place = workspace.root.join(PLACE);
    let fresh = export(workspace)?;
    let tree = read(&place)?;
    let differing = differences(&tree, &fresh);
    for path in &differing {
        let file = place.join(path);
        match fresh.get(path) {
            Some(content) => {
                let directory = file.parent().context("a file without a directory")?;
                std::fs::create_dir_all(directory)?;
                std::fs::write(&file, content).with_context(|| format!("cannot write {}", file.display()))?;
            }
            None => std::fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?,
        }
    }
    eprintln!("  {} {} types in {PLACE}, {} changed", style("✓").green(), fresh.len() - 1, differing.len());
    Ok(ExitCode::SUCCESS)
}

/// Whether the types in the tree are those of the code; says which are not.
pub fn check(workspace: &Workspace) -> Result<bool> {
    let fresh = export(workspace)?;
    let differing = differences(&read(&workspace.root.join(PLACE))?, &fresh);
    for path in &differing {
        eprintln!("  {} {PLACE}/{} is not what the code says", style("✗").red(), path.display());
    }
    if !differing.is_empty() {
        eprintln!("    run cargo xtask gen and commit what it writes");
    }
    Ok(differing.is_empty())
}

/// Has ts-rs write all types, and adds the index.
fn export(workspace: &Workspace) -> Result<Files> {
    let scratch = workspace.scratch().join("types");
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch).with_context(|| format!("cannot clear {}", scratch.display()))?;
    }
    let features = CRATES.map(|name| format!("{name}/ts")).join(",");
    let mut cargo = workspace.cargo();
    // The whole workspace, so that what it depends on is the same as in every other build and is not compiled anew.
    cargo.args(["test", "--workspace", "--features", &features, "--lib"]).args(workspace.locked());
    cargo.args(["--", "export_bindings"]);
    cargo.env("TS_RS_EXPORT_DIR", &scratch);
    if !step(workspace, "types", "exporting the types", cargo, LIMIT)?.ok {
        bail!("the types could not be exported");
    }
    let mut files = read(&scratch)?;
    if files.is_empty() {
        bail!("no types were exported");
    }
    for content in files.values_mut() {
        *content = tidy(content);
    }
    let index = index(files.keys());
    files.insert("index.ts".into(), index);
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
