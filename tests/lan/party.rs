//! Peers on hosts, and questions about what they see.

use std::path::PathBuf;
use std::time::Duration;

use parlor_testkit::headless::Headless;
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
        let peers: Vec<Headless<'_>> = (0..self.lan.hosts().len()).map(|index| self.member(index)).collect();
        meet(&peers);
        peers
    }
}

/// What the member on a host is called.
pub fn name(index: usize) -> String {
    format!("host {index}")
}

/// Waits until each of these peers sees as many active members as there are peers.
pub fn meet(peers: &[Headless<'_>]) {
    for peer in peers {
        let what = format!("{} sees {} active members", peer.host().namespace(), peers.len());
        until(MEETING, &what, || {
            let members = members(peer);
            let active = members.iter().filter(|member| member["state"] == "active").count();
            (members.len() == peers.len() && active == peers.len()).then_some(())
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
fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("PARLOR_BIN") {
        return path.into();
    }
    let own = std::env::current_exe().expect("this test's own path");
    let program = own.ancestors().nth(2).expect("a target directory").join("parlor");
    assert!(program.exists(), "{} is not there: cargo build --package parlor-cli", program.display());
    program
}
