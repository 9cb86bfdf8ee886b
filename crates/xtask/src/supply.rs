//! What Parlor is made of: the licences, the sources and the pins of all that is not written here.
//!
//! The rules of the crates are in `deny.toml`, the format of cargo-deny; [`crates`] holds the lock file against them, since
//! to build that program takes longer than to build Parlor. [`npm`] does the same for the packages of the user interface.
//! What is known to be broken or withdrawn is in a database that changes every day and lies elsewhere: it is asked where
//! cargo-deny and a copy of it are at hand, and else it is said that nobody asked. [`reasons`] are tests: what
//! `ARCHITECTURE.md` says about dependencies is so, and no crate may hold unsafe code.

mod crates;
mod npm;
#[cfg(test)]
mod reasons;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use console::style;

use crate::step::step;
use crate::tally::Tally;
use crate::workspace::{Workspace, which};

/// Everything that pins what is built.
const LOCKS: [&str; 4] =
    ["Cargo.lock", "ui/package-lock.json", "tests/e2e/package-lock.json", "crates/bench/peers/package-lock.json"];

/// Checks all, and says what is wrong.
pub fn check(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    let found = crates::read(workspace)?;
    let rules = crates::Rules::read(&workspace.root.join("deny.toml"))?;
    tally += say(&format!("licences of {} crates", found.len()), rules.licences(&found));
    tally += say("no crate is banned, none stands twice that may not", rules.bans(&found));
    tally += say("all crates are from one registry", rules.sources(&found));
    for lock in &LOCKS[1..] {
        let packages = npm::read(&workspace.root.join(lock))?;
        tally += say(&format!("licences and pins of {} packages in {lock}", packages.len()), npm::problems(&packages));
    }
    if workspace.ci {
        tally += say("the lock files are as they were committed", changed_locks(workspace));
    }
    tally += advisories(workspace)?;
    Ok(tally)
}

fn say(what: &str, problems: Vec<String>) -> Tally {
    let mark = if problems.is_empty() { style("✓").green() } else { style("✗").red() };
    eprintln!("  {mark} {what}");
    problems.iter().for_each(|problem| eprintln!("    {problem}"));
    Tally::check(problems.is_empty())
}

/// Lock files that a command has changed since they were committed: what was tested is not what others will build.
fn changed_locks(workspace: &Workspace) -> Vec<String> {
    let mut git = Command::new("git");
    let diff = git.args(["diff", "--name-only", "HEAD", "--"]).args(LOCKS).current_dir(&workspace.root).output();
    match diff {
        Ok(diff) if diff.status.success() => {
            let names = String::from_utf8_lossy(&diff.stdout);
            names.lines().map(|name| format!("{name} is not as it was committed")).collect()
        }
        // A copy without its history was not changed by us.
        _ => Vec::new(),
    }
}

/// Asks the database of advisories where there is one; else says so, which is no failure.
fn advisories(workspace: &Workspace) -> Result<Tally> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let database = home.map(|home| home.join("advisory-dbs")).filter(|database| database.is_dir());
    let (Some(program), Some(_)) = (which("cargo-deny"), database) else {
        eprintln!(
            "  {} advisories were not looked at: there is no database here; where it can be fetched, run `cargo deny check \
             advisories`",
            style("·").dim()
        );
        return Ok(Tally::default());
    };
    let mut deny = Command::new(program);
    deny.args(["--offline", "check", "advisories"]).current_dir(&workspace.root);
    Ok(Tally::check(step(workspace, "advisories", "cargo deny check advisories", deny, Duration::from_secs(120))?.ok))
}
