//! One command, run into a log of its own.
//!
//! The command writes to a file and not to a pipe, so a grandchild that outlives it can never hold us up. It gets its
//! own process group, so that a time limit or Ctrl-C ends all of it, and no standard input, so nothing can wait for an
//! answer. On a terminal its last line is shown as it works; elsewhere a line a minute says that it still does.

use std::fs::File;
use std::io::{IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use console::style;
use indicatif::{ProgressBar, ProgressStyle};

use crate::workspace::Workspace;

/// How many lines of a log are shown when its command failed.
const TAIL_LINES: usize = 60;
/// How long a process has to end after it was asked to.
const GRACE: Duration = Duration::from_secs(5);

/// How a step ended.
pub struct Outcome {
    /// Whether it ended by itself and well.
    pub ok: bool,
    /// All it wrote.
    pub log: PathBuf,
}

impl Outcome {
    /// All it wrote, as text.
    pub fn text(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }
}

/// Runs `command` and says on standard error what came of it. `name` is the log's, `what` is shown.
pub fn step(workspace: &Workspace, name: &str, what: &str, command: Command, limit: Duration) -> Result<Outcome> {
    let outcome = quietly(workspace, name, what, command, limit)?;
    if !outcome.ok {
        show_tail(workspace, &outcome.log);
    }
    Ok(outcome)
}

/// [`step`] without the log's tail on failure, for a caller that has something better to show.
pub fn quietly(
    workspace: &Workspace,
    name: &str,
    what: &str,
    mut command: Command,
    limit: Duration,
) -> Result<Outcome> {
    let logs = workspace.scratch();
    std::fs::create_dir_all(&logs).with_context(|| format!("cannot make {}", logs.display()))?;
    let path = logs.join(format!("{name}.log"));
    let mut log = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    writeln!(log, "$ {}", as_typed(&command))?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);

    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot run {:?}", command.get_program()))?;
    let mut progress = Progress::new(what);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if workspace.stopping() {
            progress.end();
            end_group(&mut child);
            bail!("stopped");
        }
        if started.elapsed() > limit {
            end_group(&mut child);
            break None;
        }
        progress.show(started.elapsed(), &path);
        std::thread::sleep(Duration::from_millis(40));
    };
    progress.end();
    Ok(report(workspace, what, status, path, started.elapsed(), limit))
}

/// Says how it ended.
fn report(
    workspace: &Workspace,
    what: &str,
    status: Option<ExitStatus>,
    log: PathBuf,
    took: Duration,
    limit: Duration,
) -> Outcome {
    let ok = status.is_some_and(|status| status.success());
    let took = style(seconds(took)).dim();
    match status {
        Some(status) if status.success() => eprintln!("  {} {what}  {took}", style("✓").green()),
        Some(status) => {
            eprintln!("  {} {what}  {took}  {status}, see {}", style("✗").red(), workspace.show(&log));
        }
        None => {
            let limit = seconds(limit);
            eprintln!("  {} {what}  not done within {limit}, see {}", style("✗").red(), workspace.show(&log));
        }
    }
    Outcome { ok, log }
}

/// Shows the end of a log, indented.
pub fn show_tail(workspace: &Workspace, log: &Path) {
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len().saturating_sub(TAIL_LINES);
    eprintln!("    {}", style(format!("the end of {}:", workspace.show(log))).dim());
    for line in lines.iter().skip(first) {
        eprintln!("    │ {}", console::strip_ansi_codes(line));
    }
}

/// Asks a process to end (SIGTERM where there is such a thing), and makes it end when it does not.
pub fn end(child: &mut Child) {
    signal(child, false, false);
    let asked = Instant::now();
    while asked.elapsed() < GRACE {
        match child.try_wait() {
            Ok(None) => std::thread::sleep(Duration::from_millis(20)),
            _ => return,
        }
    }
    signal(child, false, true);
    let _ = child.wait();
}

/// [`end`] for a process and all that share its group.
pub fn end_group(child: &mut Child) {
    signal(child, true, false);
    let asked = Instant::now();
    while asked.elapsed() < GRACE && matches!(child.try_wait(), Ok(None)) {
        std::thread::sleep(Duration::from_millis(20));
    }
    // The group may outlive its first process; what is left of it ends here.
    signal(child, true, true);
    let _ = child.wait();
}

#[cfg(unix)]
fn signal(child: &mut Child, group: bool, kill: bool) {
    use nix::sys::signal::{Signal, kill as send, killpg};
    let Ok(pid) = i32::try_from(child.id()).map(nix::unistd::Pid::from_raw) else { return };
    let signal = if kill { Signal::SIGKILL } else { Signal::SIGTERM };
    // An error means that it has ended already, which is what is wanted.
    let _ = if group { killpg(pid, signal) } else { send(pid, signal) };
}

#[cfg(not(unix))]
fn signal(child: &mut Child, _group: bool, _kill: bool) {
    let _ = child.kill();
}

/// The moving line of a step, or a line a minute where lines cannot move.
struct Progress<'a> {
    what: &'a str,
    bar: Option<ProgressBar>,
    shown: Duration,
}

impl<'a> Progress<'a> {
    fn new(what: &'a str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("  {spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { what, bar, shown: Duration::ZERO }
    }

    fn show(&mut self, elapsed: Duration, log: &Path) {
        let often = if self.bar.is_some() { Duration::from_millis(120) } else { Duration::from_secs(60) };
        if elapsed < self.shown + often {
            return;
        }
        self.shown = elapsed;
        let line = last_line(log).unwrap_or_default();
        match &self.bar {
            Some(bar) => {
                bar.set_message(format!("{}  {}  {}", self.what, seconds(elapsed), style(line).dim()));
                bar.tick();
            }
            None => eprintln!("  … {}  {}  {line}", self.what, seconds(elapsed)),
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The last whole line of a file that somebody is writing.
fn last_line(log: &Path) -> Option<String> {
    let mut file = File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(400))).ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(console::strip_ansi_codes(line.trim()).chars().take(90).collect())
}

/// A command as one would type it, without what only Debug output quotes.
fn as_typed(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// A duration for people.
pub fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:02.0} s", duration.as_secs() / 60, seconds % 60.0)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::path::Path;
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::step;
    use crate::workspace::Workspace;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn keeps_both_outputs_and_the_way_it_ended() {
        let directory = tempfile::tempdir().expect("a directory");
        let workspace = Workspace::in_directory(directory.path());
        let good = step(&workspace, "good", "good", shell("echo one; echo two >&2; cat"), Duration::from_secs(5));
        let good = good.expect("a step");
        assert!(good.ok);
        assert!(good.text().ends_with("one\ntwo\n"), "{}", good.text());
        let bad = step(&workspace, "bad", "bad", shell("exit 3"), Duration::from_secs(5)).expect("a step");
        assert!(!bad.ok);
        assert!(step(&workspace, "none", "none", Command::new("/no/such/program"), Duration::from_secs(5)).is_err());
    }

    #[test]
    fn ends_what_takes_too_long_with_all_it_started() {
        let directory = tempfile::tempdir().expect("a directory");
        let workspace = Workspace::in_directory(directory.path());
        let started = Instant::now();
        let script = shell("sleep 60 & echo $!; wait");
        let slow = step(&workspace, "slow", "slow", script, Duration::from_millis(300)).expect("a step");
        assert!(!slow.ok);
        assert!(started.elapsed() < Duration::from_secs(30));
        let child = slow.text().lines().last().expect("a process id").to_owned();
        let state = || std::fs::read_to_string(Path::new("/proc").join(&child).join("stat")).unwrap_or_default();
        let over = |state: String| state.is_empty() || state.contains(") Z ");
        // It was told to end, and does so when it gets a processor.
        let deadline = Instant::now() + Duration::from_secs(10);
        while !over(state()) {
            assert!(Instant::now() < deadline, "its child lives on: {}", state());
            std::thread::yield_now();
        }
    }

    #[test]
    fn stops_when_told_to() {
        let directory = tempfile::tempdir().expect("a directory");
        let workspace = Workspace::in_directory(directory.path());
        workspace.stop();
        let started = Instant::now();
        assert!(step(&workspace, "long", "long", shell("sleep 60"), Duration::from_secs(60)).is_err());
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}
