//! `bench instructions`: has callgrind count what the core does, and looks whether it counted at all: a limit that is not to be
//! passed holds as well when it did not find what to count.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::debian::{self, Installed};
use crate::suites;
use crate::workspace::{self, Workspace};

/// What counts instructions, as Cargo.lock has its library.
const GUNGRAUN: &str = "0.20.0";
/// Whatever is counted moves 256 cursors, and none can be had for less than a thousand instructions.
const AT_LEAST: u64 = 256_000;

/// Counts, and fails when more is counted than is committed, or nothing. It needs a program beside the library, of the same
/// version.
pub(super) fn count(workspace: &Workspace) -> Result<ExitCode> {
    let missing = debian::missing(debian::COUNTING);
    let there = missing.is_empty() || matches!(debian::install(workspace, &missing, false)?, Installed::Yes);
    ensure!(there, "instructions are counted with valgrind: {}", debian::advice(&missing));
    let runner = suites::tool(workspace, "gungraun-runner", GUNGRAUN)?;
    let counts = workspace.target.join("gungraun/parlor-bench/instructions");
    for old in summaries(&counts)? {
        fs::remove_file(old)?;
    }
    let mut bench = workspace.cargo();
    bench.args(["bench", "--package", "parlor-bench", "--no-default-features", "--features", "instructions"]);
    bench.args(["--bench", "instructions"]).args(workspace.locked());
    bench.env("GUNGRAUN_RUNNER", runner).env("GUNGRAUN_SAVE_SUMMARY", "json");
    let ended = bench.status().with_context(|| format!("cannot run {bench:?}"))?;
    if ended.success() {
        let summaries = summaries(&counts)?;
        ensure!(!summaries.is_empty(), "nothing was counted");
        for path in summaries {
            has_counted(&fs::read_to_string(&path)?).with_context(|| format!("{}", path.display()))?;
        }
    }
    Ok(workspace::exit_code(ended))
}

/// What was counted: a file for each case of each group.
fn summaries(counts: &Path) -> Result<Vec<PathBuf>> {
    let mut cases = Vec::new();
    for group in entries(counts)? {
        cases.extend(entries(&group)?);
    }
    Ok(cases.into_iter().map(|case| case.join("summary.json")).filter(|summary| summary.is_file()).collect())
}

/// What is in a folder; nothing is in what is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

/// Whether this tells of as many instructions as there must be.
fn has_counted(summary: &str) -> Result<()> {
    let summary: Value = serde_json::from_str(summary)?;
    let count = summary.pointer("/profiles/0/data/total/metrics/Ir/values/new").and_then(Value::as_u64);
    let count = count.context("it names no instructions")?;
    ensure!(count >= AT_LEAST, "{count} instructions: what should be counted was not found");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_holds_since_nothing_was_counted_is_an_error() {
        let of = |values: &str| {
            has_counted(&format!(
                r#"{{"profiles":[{{"data":{{"total":{{"metrics":{{"Ir":{{"values":{values}}}}}}}}}}}]}}"#
            ))
        };
        assert!(of(r#"{"new":1631136}"#).is_ok());
        assert!(of(r#"{"new":1631136,"old":0}"#).is_ok());
        assert!(of(r#"{"new":0,"old":1631136}"#).is_err());
        assert!(of(r#"{"old":1631136}"#).is_err());
        assert!(has_counted(r#"{"profiles":[]}"#).is_err());
    }

    #[test]
    fn each_case_of_each_group_has_a_summary() {
        let counts = tempfile::tempdir().expect("a folder");
        let case = counts.path().join("cursors/move");
        fs::create_dir_all(&case).expect("a folder");
        assert_eq!(summaries(counts.path()).expect("readable"), Vec::<PathBuf>::new());
        let summary = case.join("summary.json");
        fs::write(&summary, "{}").expect("a file");
        assert_eq!(summaries(counts.path()).expect("readable"), [summary]);
        assert_eq!(summaries(&counts.path().join("nowhere")).expect("nothing"), Vec::<PathBuf>::new());
    }
}
