//! The parts of `cargo xtask test`: what each runs, and how its tests are counted.
//!
//! All cargo commands select the same packages and features, so that one build serves every suite.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::node;
use crate::python;
use crate::step::{quietly, show_tail, step};
use crate::supply;
use crate::tally::Tally;
use crate::types;
use crate::workspace::{Workspace, which};

/// What every cargo command of the tests selects.
const ALL: &str = "--workspace";
/// The test in namespaces is behind this feature, so that the suite of all crates leaves it to its own suite.
const WITH_LAN: [&str; 2] = ["--features", "parlor-tests/lan"];
/// So is the one of real peers in one process, and the one that wants a program of others. None changes how a library is
/// built.
const WITH_CLUSTER: [&str; 2] = ["--features", "parlor-tests/cluster"];
const WITH_API: [&str; 2] = ["--features", "parlor-tests/api"];
/// What no program that is handed out is built with is read at least.
const WITH_CONSOLE: [&str; 2] = ["--features", "parlor-cli/tokio-console,parlor-desktop/tokio-console"];
/// The version of the driver of desktop windows; newer ones belong to another line of Tauri.
const TAURI_DRIVER: &str = "2.1.0";

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// One call of `cargo xtask test`: remembers what is built already.
pub struct Session<'a> {
    workspace: &'a Workspace,
    interface: Option<bool>,
    programs: Option<bool>,
}

impl<'a> Session<'a> {
    /// Nothing built yet.
    pub fn new(workspace: &'a Workspace) -> Self {
        Self { workspace, interface: None, programs: None }
    }

    /// Whether somebody wants this to end.
    pub fn stopping(&self) -> bool {
        self.workspace.stopping()
    }

    /// What all is made of.
    pub fn supply(&mut self) -> Result<Tally> {
        supply::check(self.workspace)
    }

    /// The user interface: types, unit tests, build.
    pub fn ui(&mut self) -> Result<Tally> {
        if !node::install(self.workspace, "ui")? {
            bail!("npm ci failed");
        }
        let mut tally = Tally::check(node::npm_run(self.workspace, "ui-check", "check")?.ok);
        let report = self.workspace.scratch().join("vitest.json");
        let _ = std::fs::remove_file(&report);
        let mut vitest = Command::new(which("npx").unwrap_or_else(|| "npx".into()));
        vitest.current_dir(self.workspace.root.join("ui"));
        vitest.args(["--no-install", "vitest", "run", "--reporter=default", "--reporter=json"]);
        vitest.arg(format!("--outputFile.json={}", report.display()));
        let outcome = step(self.workspace, "ui-vitest", "vitest", vitest, minutes(5))?;
        tally += Tally::of_vitest(&std::fs::read_to_string(&report).unwrap_or_default()).with_exit(outcome.ok);
        tally += Tally::check(self.interface()?);
        Ok(tally)
    }

    /// All crates: format, clippy, and every test but the one in namespaces.
    pub fn rust(&mut self) -> Result<Tally> {
        let mut format = self.workspace.cargo();
        format.args(["fmt", "--all", "--check"]);
        let mut tally = Tally::check(step(self.workspace, "rust-fmt", "cargo fmt --check", format, minutes(2))?.ok);

        // The app embeds the user interface, so nothing of it compiles before that is there.
        self.interface()?;
        if self.programs()? {
            let mut test = self.cargo("test");
            test.arg("--no-fail-fast");
            tally += self.cargo_test("rust-test", "cargo test", test, minutes(20))?;
        } else {
            tally += Tally::check(false);
        }

        let mut clippy = self.cargo("clippy");
        clippy.args(WITH_LAN).args(WITH_CLUSTER).args(WITH_API).args(WITH_CONSOLE);
        clippy.args(["--all-targets", "--", "-D", "warnings"]);
        tally += Tally::check(step(self.workspace, "rust-clippy", "cargo clippy", clippy, minutes(15))?.ok);
        Ok(tally)
    }

    /// The committed types and the committed document are those of the code.
    pub fn types(&mut self) -> Result<Tally> {
        Ok(Tally::check(types::check(self.workspace)?))
    }

    /// Real peers in one process: the stories, and the examples in the documentation.
    pub fn cluster(&mut self) -> Result<Tally> {
        let mut test = self.cargo("test");
        test.args(WITH_CLUSTER).args(["--test", "cluster"]);
        let mut tally = self.cargo_test("cluster", "stories that real peers live through", test, minutes(8))?;
        let mut examples = self.cargo("test");
        examples.args(WITH_CLUSTER).arg("--doc");
        tally += self.cargo_test("cluster-doc", "examples with real peers", examples, minutes(8))?;
        Ok(tally)
    }

    /// Peers in network namespaces.
    pub fn lan(&mut self) -> Result<Tally> {
        if !self.programs()? {
            bail!("the programs were not built");
        }
        let mut test = self.cargo("test");
        test.args(WITH_LAN).args(["--test", "lan"]).env("PARLOR_BIN", self.workspace.program("parlor", "debug"));
        self.cargo_test("lan", "three hosts on a bridge", test, minutes(8))
    }

    /// The HTTP API against its own document.
    pub fn api(&mut self) -> Result<Tally> {
        if !self.programs()? {
            bail!("the programs were not built");
        }
        let fuzzer = python::install(self.workspace, "schemathesis", &self.workspace.root.join("tests/api"))?;
        let mut test = self.cargo("test");
        test.args(WITH_API).args(["--test", "api"]).env("PARLOR_BIN", self.workspace.program("parlor", "debug"));
        test.env("SCHEMATHESIS_BIN", fuzzer.join("schemathesis"));
        self.cargo_test("api", "requests made of the document", test, minutes(10))
    }

    /// Browsers against headless peers.
    pub fn e2e(&mut self) -> Result<Tally> {
        if !(self.interface()? && self.programs()?) {
            bail!("what is to be tested was not built");
        }
        if !node::install(self.workspace, "tests/e2e")? {
            bail!("npm ci failed");
        }
        self.node_test("tests/e2e", "two browsers, two peers", minutes(20))
    }

    /// The desktop window by WebDriver.
    pub fn desktop(&mut self) -> Result<Tally> {
        if !(self.interface()? && self.programs()?) {
            bail!("what is to be tested was not built");
        }
        if self.workspace.root.join("tests/desktop/package-lock.json").exists()
            && !node::install(self.workspace, "tests/desktop")?
        {
            bail!("npm ci failed");
        }
        driver(self.workspace)?;
        self.node_test("tests/desktop", "the window", minutes(12))
    }

    /// Builds the user interface, once.
    fn interface(&mut self) -> Result<bool> {
        if let Some(built) = self.interface {
            return Ok(built);
        }
        let built = node::install(self.workspace, "ui")? && node::build_ui(self.workspace)?;
        self.interface = Some(built);
        Ok(built)
    }

    /// Builds every program and test, once.
    fn programs(&mut self) -> Result<bool> {
        if let Some(built) = self.programs {
            return Ok(built);
        }
        self.interface()?;
        let mut build = self.cargo("build");
        build.args(["--lib", "--bins", "--tests", "--examples"]);
        let built = step(self.workspace, "rust-build", "cargo build", build, minutes(25))?.ok;
        self.programs = Some(built);
        Ok(built)
    }

    fn cargo(&self, command: &str) -> Command {
        let mut cargo = self.workspace.cargo();
        cargo.args([command, ALL]).args(self.workspace.locked());
        cargo
    }

    /// Runs a cargo test and counts; shows what each failed test said, or the end of the log when none did.
    fn cargo_test(&self, log: &str, what: &str, test: Command, limit: Duration) -> Result<Tally> {
        let outcome = quietly(self.workspace, log, what, test, limit)?;
        let text = outcome.text();
        if !outcome.ok {
            let said = failures(&text);
            said.iter().for_each(|line| eprintln!("    │ {line}"));
            if said.is_empty() {
                show_tail(self.workspace, &outcome.log);
            }
        }
        Ok(Tally::of_cargo(&text).with_exit(outcome.ok))
    }

    /// Runs the `*.test.*` files of a directory with Node's own runner, one after the other.
    fn node_test(&self, directory: &str, what: &str, limit: Duration) -> Result<Tally> {
        let at = self.workspace.root.join(directory);
        let files = test_files(&at)?;
        let name = directory.replace('/', "-");
        let report = self.workspace.scratch().join(format!("{name}.tap"));
        std::fs::create_dir_all(self.workspace.target.join("pictures"))?;
        let _ = std::fs::remove_file(&report);
        let mut node = Command::new(which("node").unwrap_or_else(|| "node".into()));
        node.current_dir(&at);
        node.args(["--test", "--test-concurrency=1", "--test-reporter=spec", "--test-reporter-destination=stdout"]);
        node.arg("--test-reporter=tap").arg(format!("--test-reporter-destination={}", report.display()));
        node.args(files);
        node.env("PARLOR_BIN", self.workspace.program("parlor", "debug"));
        node.env("PARLOR_DESKTOP_BIN", self.workspace.program("parlor-desktop", "debug"));
        node.env("PARLOR_UI_DIR", self.workspace.root.join("ui/dist"));
        node.env("PARLOR_PICTURES", self.workspace.target.join("pictures"));
        node.env("TAURI_DRIVER", self.workspace.target.join("tools/bin/tauri-driver"));
        let outcome = step(self.workspace, &name, what, node, limit)?;
        Ok(Tally::of_tap(&std::fs::read_to_string(&report).unwrap_or_default()).with_exit(outcome.ok))
    }
}

/// The driver of desktop windows, installed beside the build.
pub fn driver(workspace: &Workspace) -> Result<PathBuf> {
    tool(workspace, "tauri-driver", TAURI_DRIVER)
}

/// A program from the registry, installed beside the build.
pub fn tool(workspace: &Workspace, name: &str, version: &str) -> Result<PathBuf> {
    let place = workspace.target.join("tools");
    let program = place.join("bin").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        let mut install = workspace.cargo();
        install.args(["install", name, "--version", version, "--locked", "--root"]).arg(&place);
        if !step(workspace, name, &format!("installing {name}"), install, minutes(10))?.ok {
            bail!("{name} could not be installed");
        }
    }
    Ok(program)
}

/// The most lines of failed tests that are shown; the log has the rest.
const FAILURES_SHOWN: usize = 120;

/// What failed tests said: in cargo's output, from `failures:` to the result of that target.
fn failures(output: &str) -> Vec<&str> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in output.lines() {
        inside = (inside || line == "failures:") && !line.starts_with("test result:");
        if inside || line.starts_with("error: test failed") {
            lines.push(line);
        }
    }
    lines.truncate(FAILURES_SHOWN);
    lines
}

/// The test files of a directory, in order. Named one by one, because what Node makes of a directory depends on its
/// version.
fn test_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if [".test.js", ".test.mjs", ".test.ts"].iter().any(|end| name.ends_with(end)) {
            files.push(path);
        }
    }
    if files.is_empty() {
        bail!("there are no tests in {}", directory.display());
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::failures;

    #[test]
    fn finds_what_failed_tests_said() {
        let output = "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\nfailures:\n\n---- b stdout ----\nit broke\n\ntest \
                      result: FAILED. 1 passed; 1 failed\n\nerror: test failed, to rerun pass `--lib`\ntest result: ok. 3 \
                      passed\n";
        let expected =
            ["failures:", "", "---- b stdout ----", "it broke", "", "error: test failed, to rerun pass `--lib`"];
        assert_eq!(failures(output), expected);
        assert!(failures("error: could not compile").is_empty());
    }
}
