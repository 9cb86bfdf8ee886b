//! Peers on hosts, and questions about what they see.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use parlor_testkit::headless::Headless;
use parlor_testkit::hub::Hub;
use parlor_testkit::netns::{Host, Lan};
use parlor_testkit::wait::until;
use serde_json::{Value, json};

/// The room of every test.
pub const ROOM: &str = "war_room";
/// Discovery, connection and first exchange; far more than they take, for a busy machine.
pub const MEETING: Duration = Duration::from_secs(10);

/// A LAN, and a place for each peer's data.
pub struct Party {
    pub lan: Lan,
    data: tempfile::TempDir,
}

impl Party {
    pub fn new(hosts: usize) -> Self {
        let data = tempfile::tempdir().expect("a directory for the peers' data");
        Self { lan: Lan::new(hosts).expect("a LAN"), data }
    }

    /// Hosts of another network, where the LAN is a hub as well.
    pub fn elsewhere(network: u8, hosts: usize) -> Self {
        let data = tempfile::tempdir().expect("a directory for the peers' data");
        Self { lan: Lan::elsewhere(network, hosts, 1).expect("a LAN"), data }
    }

    /// Hosts whose weather is the test's to make. The seed is always the same: a test that fails by chance would.
    pub fn over_hub(hosts: usize) -> Self {
        let data = tempfile::tempdir().expect("a directory for the peers' data");
        Self { lan: Lan::over_hub(hosts, 1).expect("a LAN"), data }
    }

    pub fn hub(&self) -> &Hub {
        self.lan.hub().expect("a hub")
    }

    fn host(&self, index: usize) -> &Host {
        self.lan.host(index).expect("a host")
    }

    /// A peer on a host, as people start it: no addresses, no flags. The same host gets the same profile again.
    pub fn peer(&self, index: usize) -> Headless<'_> {
        self.peer_with(index, &[])
    }

    /// A peer on a host, with flags.
    pub fn peer_with(&self, index: usize, flags: &[&str]) -> Headless<'_> {
        let data = self.data.path().join(index.to_string());
        Headless::start(self.host(index), &program(), &data, flags).expect("a peer")
    }

    /// What `parlor` says on a host when it is run to its end there, and its exit code. The same host has the same profile.
    pub fn says(&self, index: usize, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = self.host(index).command(program());
        command.args(arguments).arg("--data-dir").arg(self.data.path().join(index.to_string()));
        let output = command.stdin(Stdio::null()).output().expect("parlor runs");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{output:?}");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    }

    /// What `parlor watch` prints on a host, beside the peer that runs there.
    pub fn watch(&self, index: usize) -> Watch {
        let mut command = self.host(index).command(program());
        command.args(["watch", ROOM, "--data-dir"]).arg(self.data.path().join(index.to_string()));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("parlor runs");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let (told, events) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event = serde_json::from_str(&line).expect("a line of JSON");
                if told.send(event).is_err() {
                    break;
                }
            }
        });
        Watch { child, events }
    }

    /// A peer that has joined.
    pub fn member(&self, index: usize) -> Headless<'_> {
        self.member_with(index, &[])
    }

    /// A peer with flags that has joined.
    pub fn member_with(&self, index: usize, flags: &[&str]) -> Headless<'_> {
        let peer = self.peer_with(index, flags);
        peer.join(ROOM, &json!({ "name": name(index), "cursor": null })).expect("joining");
        peer
    }

    /// A peer that has joined on each host, all of which see each other.
    pub fn all_met(&self) -> Vec<Headless<'_>> {
        self.all_met_within(MEETING)
    }

    /// The same, where it takes longer.
    pub fn all_met_within(&self, limit: Duration) -> Vec<Headless<'_>> {
        let peers: Vec<Headless<'_>> = (0..self.lan.hosts().len()).map(|index| self.member(index)).collect();
        meet_within(limit, &peers);
        peers
    }
}

/// Events, as they come.
pub struct Watch {
    child: Child,
    events: Receiver<Value>,
}

impl Watch {
    /// The next event like this; others may come before it.
    pub fn next(&self, limit: Duration, what: &str, like: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let left = limit.saturating_sub(began.elapsed());
            let event = self.events.recv_timeout(left);
            let event = event.unwrap_or_else(|_| panic!("not within {limit:?}: {what}"));
            if like(&event) {
                return event;
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the member on a host is called.
pub fn name(index: usize) -> String {
    format!("host {index}")
}

/// Waits until each of these peers sees as many active members as there are peers.
pub fn meet(peers: &[Headless<'_>]) {
    meet_within(MEETING, peers);
}

/// The same, where it takes longer.
pub fn meet_within(limit: Duration, peers: &[Headless<'_>]) {
    let began = Instant::now();
    for peer in peers {
        let what = format!("{} sees {} active members", peer.host().namespace(), peers.len());
        until(limit.saturating_sub(began.elapsed()), &what, || {
            let members = members(peer);
            let active = members.iter().filter(|member| member["state"] == "active").count();
            (members.len() == peers.len() && active == peers.len()).then_some(())
        });
    }
}

/// Sets a step in the presence of the member at a peer.
pub fn step(peer: &Headless<'_>, step: u32) {
    let change = json!({ "presence": { "step": step } });
    peer.post(&format!("/rooms/{ROOM}/presence"), &change).expect("taking a step");
}

/// Everybody takes a step, and everybody sees that everybody did, on one row each. Answers how long that took.
pub fn all_step(limit: Duration, peers: &[Headless<'_>], number: u32) -> Duration {
    let began = Instant::now();
    peers.iter().for_each(|peer| step(peer, number));
    all_at_step(limit, peers, number);
    began.elapsed()
}

/// Waits until everybody sees that everybody is at this step, on one row each.
pub fn all_at_step(limit: Duration, peers: &[Headless<'_>], number: u32) {
    let began = Instant::now();
    for peer in peers {
        let what = format!("{} sees everybody at step {number}", peer.host().namespace());
        until(limit.saturating_sub(began.elapsed()), &what, || {
            let steps: Vec<Value> = members(peer).iter().map(|member| member["presence"]["step"].clone()).collect();
            (steps == vec![json!(number); peers.len()]).then_some(())
        });
    }
}

/// The members as a peer sees them.
pub fn members(peer: &Headless<'_>) -> Vec<Value> {
    peer.members(ROOM).expect("the members")
}

/// The member of a host as a peer sees it.
pub fn find(peer: &Headless<'_>, index: usize) -> Option<Value> {
    members(peer).into_iter().find(|member| member["presence"]["name"] == name(index))
}

/// The state of the member of a host as a peer sees it: `active`, `stale`, or `None` when it is gone.
pub fn state(peer: &Headless<'_>, index: usize) -> Option<String> {
    find(peer, index).map(|member| member["state"].as_str().unwrap_or_default().to_owned())
}

/// The room's shared settings as a peer sees them.
pub fn metadata(peer: &Headless<'_>) -> Value {
    peer.get(&format!("/rooms/{ROOM}/metadata")).expect("the metadata")["metadata"].take()
}

/// Changes the room's shared settings at a peer.
pub fn set_metadata(peer: &Headless<'_>, change: &Value) {
    peer.post(&format!("/rooms/{ROOM}/metadata"), change).expect("changing the metadata");
}

/// The `parlor` that cargo built beside this test, unless `PARLOR_BIN` names another.
pub fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("PARLOR_BIN") {
        return path.into();
    }
    let own = std::env::current_exe().expect("this test's own path");
    let program = own.ancestors().nth(2).expect("a target directory").join("parlor");
    assert!(program.exists(), "{} is not there: cargo build --package parlor-cli", program.display());
    program
}
