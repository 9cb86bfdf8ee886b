//! One run of a test program that ends with the first test that fails.
//!
//! The program runs its tests one after the other and says so line by line; a failure is enough, so what would come after
//! it is not waited for. A mutation can also make a test hang or fill the memory: both have a bound, and both mean that
//! the test noticed.

use std::fmt;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::mutants::together::CHOICE;
use crate::step::end_group;
use crate::workspace::Workspace;

/// What a test program may map, in KiB: far more than any needs, and no danger to the machine.
const MEMORY_KIB: u64 = 6 * 1024 * 1024;
/// The random source of the property tests: whether a mutation is caught must not change from day to day.
const PROPTEST_SEED: &str = "20261104";

/// A test program that cargo has built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The file.
    pub path: PathBuf,
    /// The directory of its package, where cargo runs it.
    pub package: PathBuf,
    /// What its tests are called after: `sim`; nothing for those inside a crate.
    pub name: Option<String>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every test passed.
    Passed,
    /// This one did not.
    Failed(Failure),
}

/// The test that noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its path, after the name of its program.
    pub test: String,
    /// In which way.
    pub how: How,
}

/// What a test did that it should not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It failed.
    Failure,
    /// It was still running when the time was over.
    Deadline,
    /// It took the whole program with it.
    Crash,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.how {
            How::Failure => f.write_str(&self.test),
            How::Deadline => write!(f, "{} (by deadline)", self.test),
            How::Crash => write!(f, "{} (by crash)", self.test),
        }
    }
}

/// Runs the tests of a program, with a mutation chosen by its number or with none, until the first fails.
pub fn run(workspace: &Workspace, program: &Program, chosen: Option<usize>, limit: Duration) -> Result<Ending> {
    let mut command = bounded(&program.path);
    command.env_remove(CHOICE).envs(chosen.map(|number| (CHOICE, number.to_string())));
    command.args(["--test-threads", "1"]).current_dir(&program.package);
    command.env("PROPTEST_RNG_SEED", PROPTEST_SEED).env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1");
    command.env("CARGO_MANIFEST_DIR", &program.package).env_remove("RUST_BACKTRACE");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().with_context(|| format!("cannot run {}", program.path.display()))?;
    let lines = lines_of(&mut child)?;
    let (said, mut last) = watch(workspace, &lines, limit);
    if !matches!(said, Ok(Said::Passed)) {
        end_group(&mut child);
    }
    let status = child.wait()?;
    let how = match said? {
        Said::Passed if status.success() => return Ok(Ending::Passed),
        Said::Passed => bail!("{} says that all is well and ends with {status}", program.path.display()),
        Said::Failed => How::Failure,
        Said::Nothing(how) => {
            // The test that was running stands in the unfinished last line.
            last = lines.iter().last().unwrap_or(last);
            how
        }
    };
    let test = tested(&last).unwrap_or("before the first test");
    let test = program.name.as_ref().map_or(test.to_owned(), |name| format!("{name}::{test}"));
    Ok(Ending::Failed(Failure { test, how }))
}

/// A test program that cannot fill the memory.
#[cfg(unix)]
fn bounded(program: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\"")]).arg(program);
    command
}

#[cfg(not(unix))]
fn bounded(program: &Path) -> Command {
    Command::new(program)
}

/// What a child writes, line by line, as it comes; an unfinished last line too.
fn lines_of(child: &mut Child) -> Result<Receiver<String>> {
    let output = child.stdout.take().context("a program without an output")?;
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        let lines = std::io::BufReader::new(output).lines().map_while(std::result::Result::ok);
        lines.take_while(|line| sender.send(line.clone()).is_ok()).for_each(drop);
    });
    Ok(lines)
}

/// What the lines of a run say.
enum Said {
    Passed,
    Failed,
    /// They end without a result.
    Nothing(How),
}

/// Follows a run until it is decided; what it came to, and the line that says so.
fn watch(workspace: &Workspace, lines: &Receiver<String>, limit: Duration) -> (Result<Said>, String) {
    let started = Instant::now();
    let mut last = String::new();
    let said = loop {
        if workspace.stopping() {
            break Err(anyhow!("stopped"));
        }
        if started.elapsed() > limit {
            break Ok(Said::Nothing(How::Deadline));
        }
        match lines.recv_timeout(Duration::from_millis(200)) {
            Ok(line) => last = line,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => break Ok(Said::Nothing(How::Crash)),
        }
        if last.starts_with("test result: ok") {
            break Ok(Said::Passed);
        }
        if tested(&last).is_some() && last.trim_end().ends_with("FAILED") {
            break Ok(Said::Failed);
        }
    };
    (said, last)
}

/// The test of a line such as `test a::b ... FAILED`, or of its beginning.
fn tested(line: &str) -> Option<&str> {
    let (test, _) = line.strip_prefix("test ")?.split_once(" ...")?;
    Some(test.trim_end_matches(" - should panic"))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::time::Duration;

    use super::{Ending, Failure, How, Program, run};
    use crate::workspace::Workspace;

    /// How a program ends that says this.
    fn ending(script: &str, name: Option<&str>) -> Ending {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("program");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a program");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a program");
        let program = Program { path, package: place.path().to_owned(), name: name.map(str::to_owned) };
        run(&Workspace::in_directory(Path::new(".")), &program, None, Duration::from_secs(2)).expect("an ending")
    }

    fn failed(test: &str, how: How) -> Ending {
        Ending::Failed(Failure { test: test.to_owned(), how })
    }

    const GOOD: &str = "echo 'running 2 tests'; echo 'test a::b ... ok'";

    #[test]
    fn the_first_test_that_fails_is_named_and_nothing_is_waited_for() {
        let bad = format!("{GOOD}; echo 'test a::c - should panic ... FAILED'; sleep 60");
        assert_eq!(ending(&bad, None), failed("a::c", How::Failure));
        assert_eq!(ending(&format!("{GOOD}; echo 'test result: ok. 2 passed'"), None), Ending::Passed);
    }

    #[test]
    fn a_test_that_hangs_or_dies_is_named() {
        assert_eq!(ending(&format!("{GOOD}; printf 'test a::d ... '; sleep 60"), None), failed("a::d", How::Deadline));
        let dies = format!("{GOOD}; printf 'test a::d ... '; kill -9 $$");
        assert_eq!(ending(&dies, Some("sim")), failed("sim::a::d", How::Crash));
        assert_eq!(ending("exit 1", None), failed("before the first test", How::Crash));
    }
}
