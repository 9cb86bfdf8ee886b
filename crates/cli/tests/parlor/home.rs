//! A data directory of its own, and the processes that run in it.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use parlor_testkit::wait::until;
use serde_json::Value;

/// Nothing on loopback takes this long.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// A data directory. Processes of other homes do not find these by themselves.
pub struct Home(tempfile::TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    pub fn profile_dir(&self) -> PathBuf {
        self.0.path().join("profiles/default")
    }

    pub fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    /// Everything in it as it is now, in another place.
    pub fn copy(&self) -> Home {
        let copy = Home::new();
        let status = Command::new("cp").arg("-a").arg(self.path().join(".")).arg(copy.path()).status();
        assert!(status.expect("cp runs").success());
        copy
    }

    /// `parlor` with these arguments, which keeps to this computer and to this home.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
        command.args(arguments).args(["--no-multicast", "--listen", "/ip4/127.0.0.1/tcp/0"]);
        command.env("PARLOR_DATA_DIR", self.0.path()).env_remove("PARLOR_LOG").env_remove("PARLOR_TOKEN");
        command.stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Output {
        finish(self.command(arguments))
    }

    /// Runs it, demands success, and reads its output as JSON.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", stdout(&output)))
    }

    /// Starts it and lets it run.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::new(self.command(arguments))
    }

    /// Starts it in a folder, and lets it run.
    pub fn start_in(&self, folder: &std::path::Path, arguments: &[&str]) -> Running {
        let mut command = self.command(arguments);
        command.current_dir(folder);
        Running::new(command)
    }

    /// Starts `parlor serve` and reads its first line.
    pub fn serve(&self, arguments: &[&str]) -> (Running, Value) {
        self.serving(self.command(&[&["serve"], arguments].concat()))
    }

    /// The same, with a log of what this filter lets through.
    pub fn serve_and_log(&self, filter: &str, arguments: &[&str]) -> (Running, Value) {
        let mut command = self.command(&[&["serve"], arguments].concat());
        command.env("PARLOR_LOG", filter);
        self.serving(command)
    }

    fn serving(&self, command: Command) -> (Running, Value) {
        let running = Running::new(command);
        let line = serde_json::from_str(&running.line()).expect("the first line is JSON");
        (running, line)
    }
}

/// A process under way. It is killed when dropped.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    complaints: Receiver<String>,
}

impl Running {
    fn new(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("parlor starts");
        let (output, errors) = (child.stdout.take().expect("a pipe"), child.stderr.take().expect("a pipe"));
        Self { child, lines: lines_of(output), complaints: lines_of(errors) }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of its output.
    #[track_caller]
    pub fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line of output in time")
    }

    /// The next line of what it writes for people.
    #[track_caller]
    pub fn complaint(&self) -> String {
        self.complaints.recv_timeout(PATIENCE).expect("a line on standard error in time")
    }

    /// The next line that is an event of this type.
    #[track_caller]
    pub fn event(&self, kind: &str) -> Value {
        loop {
            let event: Value = serde_json::from_str(&self.line()).expect("a line of JSON");
            if event["type"] == kind {
                return event;
            }
        }
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("the process lives");
    }

    /// Waits for its end: the exit code, and what it wrote to standard error since that was read last.
    #[track_caller]
    pub fn end(mut self) -> (Option<i32>, String) {
        let (status, _) = until(PATIENCE, "the process ends", || self.child.try_wait().expect("a child"));
        // The pipe is closed with the process, and the list of lines with it.
        let text = self.complaints.iter().map(|line| line + "\n").collect();
        (status.code(), text)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end, which must come in time.
#[track_caller]
pub fn finish(mut command: Command) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("parlor runs");
    let pid = Pid::from_raw(child.id().cast_signed());
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    match receiver.recv_timeout(2 * PATIENCE) {
        Ok(output) => output.expect("an end"),
        Err(_) => {
            let _ = kill(pid, Signal::SIGKILL);
            panic!("{command:?} does not end");
        }
    }
}

fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
