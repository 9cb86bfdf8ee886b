//! `parlor serve` on a host of a [`Lan`](crate::netns::Lan), and calls of its HTTP API from inside that host.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::netns::Host;

/// How long a peer has to start, and to answer a call.
const PATIENCE: Duration = Duration::from_secs(10);
const TOKEN: &str = "token-of-a-test";

/// What goes wrong between a test and a peer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program did not start, or did not say where it listens; what it wrote to standard error is in the file.
    #[error("the peer did not start: {0}")]
    NotStarted(String),
    /// The API did not answer.
    #[error("no answer to {0}: {1}")]
    NoAnswer(String, String),
    /// The API answered with an error.
    #[error("{0} was refused with {1}: {2}")]
    Refused(String, u16, Value),
    /// The host could not be entered.
    #[error(transparent)]
    Host(#[from] crate::netns::Error),
    /// The system refused.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

/// A running `parlor serve`. It is killed when dropped.
#[derive(Debug)]
pub struct Headless<'a> {
    host: &'a Host,
    child: Child,
    http: String,
    peer_id: String,
    agent: ureq::Agent,
    log: PathBuf,
}

impl<'a> Headless<'a> {
    /// Starts `program serve` on `host` with its data in `data_dir`, and waits until it listens. `arguments` come
    /// after the profile, API address and token.
    ///
    /// # Errors
    ///
    /// [`Error::NotStarted`] with what it wrote.
    pub fn start(host: &'a Host, program: &Path, data_dir: &Path, arguments: &[&str]) -> Result<Self, Error> {
        std::fs::create_dir_all(data_dir)?;
        let log = data_dir.join("stderr.log");
        let mut command = host.command(program);
        command.args(["serve", "--http", "127.0.0.1:0", "--token", TOKEN, "--data-dir"]).arg(data_dir).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut child = command.spawn()?;
        let first = child.stdout.take().and_then(first_line);
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).proxy(None);
        let mut peer =
            Self { host, child, http: String::new(), peer_id: String::new(), agent: config.build().into(), log };
        let greeting: Value = first.as_deref().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
        let field = |name: &str| greeting.get(name).and_then(Value::as_str).map(str::to_owned);
        let (Some(http), Some(peer_id)) = (field("http"), field("peerId")) else {
            return Err(Error::NotStarted(format!(
                "its first line was {first:?}, and it complained: {}",
                peer.complaints()
            )));
        };
        peer.http = http;
        peer.peer_id = peer_id;
        Ok(peer)
    }

    /// The host it runs on.
    #[must_use]
    pub fn host(&self) -> &Host {
        self.host
    }

    /// Its id in the network.
    #[must_use]
    pub fn peer_id(&self) -> &str {
        &self.peer_id
    }

    /// Where its API is, on the loopback of its host.
    #[must_use]
    pub fn http(&self) -> &str {
        &self.http
    }

    /// The token of its API.
    #[must_use]
    pub fn token(&self) -> &'static str {
        TOKEN
    }

    /// What it wrote to standard error.
    #[must_use]
    pub fn complaints(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Reads from the API.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn get(&self, path: &str) -> Result<Value, Error> {
        let call = || self.agent.get(self.url(path)).header("authorization", bearer()).call();
        self.answer(&format!("GET {path}"), self.host.enter(call)?)
    }

    /// Writes to the API.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        let call = || self.agent.post(self.url(path)).header("authorization", bearer()).send_json(body);
        self.answer(&format!("POST {path}"), self.host.enter(call)?)
    }

    /// Joins a room with a presence.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn join(&self, room: &str, presence: &Value) -> Result<Value, Error> {
        self.post(&format!("/rooms/{room}/join"), &json!({ "presence": presence }))
    }

    /// The members of a room as it sees them.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn members(&self, room: &str) -> Result<Vec<Value>, Error> {
        let mut page = self.get(&format!("/rooms/{room}/members"))?;
        Ok(page.get_mut("members").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default())
    }

    /// Ends it without a word, as a crash does.
    ///
    /// # Errors
    ///
    /// [`Error::System`].
    pub fn kill(&mut self) -> Result<(), Error> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end (SIGTERM) without waiting for it.
    ///
    /// # Errors
    ///
    /// [`Error::System`].
    pub fn terminate(&self) -> Result<(), Error> {
        self.signal(Signal::SIGTERM)
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    ///
    /// [`Error::System`].
    pub fn quit(&mut self) -> Result<ExitStatus, Error> {
        self.terminate()?;
        Ok(self.child.wait()?)
    }

    /// Stops it where it is (SIGSTOP), as sleep does to a computer: its connections stay, and it answers nothing.
    ///
    /// # Errors
    ///
    /// [`Error::System`].
    pub fn freeze(&self) -> Result<(), Error> {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Errors
    ///
    /// [`Error::System`].
    pub fn thaw(&self) -> Result<(), Error> {
        self.signal(Signal::SIGCONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), Error> {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX));
        kill(pid, signal).map_err(|errno| Error::System(errno.into()))
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, once it has.
    ///
    /// # Errors
    ///
    /// [`Error::System`].
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, Error> {
        Ok(self.child.try_wait()?)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.http)
    }

    fn answer(
        &self,
        call: &str,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value, Error> {
        let lost = |error: ureq::Error| Error::NoAnswer(call.to_owned(), error.to_string());
        let mut response = answer.map_err(lost)?;
        let status = response.status();
        let text = response.body_mut().read_to_string().map_err(lost)?;
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if status.is_success() { Ok(value) } else { Err(Error::Refused(call.to_owned(), status.as_u16(), value)) }
    }
}

impl Drop for Headless<'_> {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

fn bearer() -> String {
    format!("Bearer {TOKEN}")
}

/// The first line a program writes; nothing when none comes in time. What comes after is read and dropped, so that the
/// program never waits for a reader.
fn first_line(stdout: ChildStdout) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            let Ok(line) = line else { return };
            let _ = sender.send(line);
        }
    });
    receiver.recv_timeout(PATIENCE).ok()
}
