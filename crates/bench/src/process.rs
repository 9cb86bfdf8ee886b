//! A process that is spoken to by lines.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::Context;

use crate::cpu;

/// What runs in Node, below the root of the repository, where benches run.
const IN_NODE: &str = "crates/bench/peers";
/// No line takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// See the module. It ends when it is dropped.
pub struct Process {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Process {
    /// A program of ours in Node.
    pub fn node(program: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new("node");
        command.arg(Path::new(IN_NODE).join(program)).args(arguments);
        Self::begin(command)
    }

    /// This program in another part, such as one who moves.
    pub fn own(part: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(part).args(arguments);
        Self::begin(command)
    }

    fn begin(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {command:?}"))?;
        let input = child.stdin.take().context("it has no input")?;
        let output = child.stdout.take().context("it has no output")?;
        let (said, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if said.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Process { child, input, lines })
    }

    /// What it says next.
    pub fn line(&mut self) -> anyhow::Result<String> {
        self.lines.recv_timeout(PATIENCE).context("one of those who are measured says nothing")
    }

    /// Tells it a line.
    pub fn tell(&mut self, line: &str) -> anyhow::Result<()> {
        Ok(writeln!(self.input, "{line}")?)
    }

    /// Processor time of it so far.
    pub fn spent(&self) -> anyhow::Result<Duration> {
        cpu::spent_by(&self.child.id().to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes that went over loopback since the machine was started.
pub fn on_loopback() -> anyhow::Result<u64> {
    let text = std::fs::read_to_string("/proc/net/dev")?;
    let counts = text.lines().find_map(|line| line.trim().strip_prefix("lo:")).context("there is no loopback")?;
    Ok(counts.split_whitespace().next().unwrap_or_default().parse()?)
}
