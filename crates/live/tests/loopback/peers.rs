//! Peers for these tests, and waiting.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parlor::{Config, Error, ErrorCode, Item, Live, MembersQuery, Room, Snapshot, StartError};
use tempfile::TempDir;
use tokio::sync::watch;

/// More than anything here may take on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a peer in these tests is started with.
pub fn config(data_dir: &Path, profile: &str) -> Config {
    Config {
        profile: profile.into(),
        data_dir: data_dir.into(),
        listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
        multicast: false,
        ..Config::default()
    }
}

/// A running peer with a data directory of its own, so that peers meet only by dialling.
pub struct Peer {
    pub live: Live,
    pub dir: TempDir,
}

impl Peer {
    pub async fn start(name: &str, dial: &[&Peer]) -> Peer {
        let dir = tempfile::tempdir().unwrap();
        let live = start_in(dir.path(), name, dial).await;
        Peer { live, dir }
    }
}

/// Starts the default profile in `dir`.
pub async fn start_in(dir: &Path, name: &str, dial: &[&Peer]) -> Live {
    let config = Config { name: Some(name.into()), dial: addresses(dial).await, ..config(dir, "default") };
    Live::start(config).await.unwrap()
}

pub async fn addresses(peers: &[&Peer]) -> Vec<String> {
    let mut all = Vec::new();
    for peer in peers {
        all.extend(peer.live.status().await.listen);
    }
    all
}

/// Waits for a future.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("not in time: {what}"))
}

/// Waits until the watched room is as wanted.
pub async fn until(
    what: &str,
    room: &mut watch::Receiver<Arc<Snapshot>>,
    mut wanted: impl FnMut(&Snapshot) -> bool,
) -> Arc<Snapshot> {
    let found = match tokio::time::timeout(PATIENCE, room.wait_for(|snapshot| wanted(snapshot))).await {
        Ok(snapshot) => Some(Arc::clone(&snapshot.expect("the room was closed"))),
        Err(_) => None,
    };
    found.unwrap_or_else(|| panic!("not in time: {what}; the room is {:#?}", room.borrow()))
}

/// Waits until this many rows are in the room, and gives them.
pub async fn rows(room: &Room, count: usize) -> Arc<Snapshot> {
    let mut watch = room.watch().await.unwrap();
    until(&format!("{count} rows"), &mut watch, |snapshot| snapshot.members.len() == count).await
}

/// The next event that is wanted; what comes before is passed over.
pub async fn event(events: &mut parlor::Events, name: &str) -> Item {
    soon(&format!("event {name}"), async {
        loop {
            let item = events.recv().await.expect("the room was closed");
            if item.event.name() == name {
                return item;
            }
        }
    })
    .await
}

pub fn all() -> MembersQuery {
    MembersQuery::default()
}

/// The code of a call that must fail.
pub fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorCode {
    result.expect_err("the call must fail").code
}

/// Asks again and again until there is an answer.
pub async fn poll<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    soon(what, async {
        let mut every = tokio::time::interval(Duration::from_millis(20));
        loop {
            every.tick().await;
            if let Some(answer) = ask().await {
                return answer;
            }
        }
    })
    .await
}

/// Starts a profile that its last holder is about to free.
pub async fn start_when_free(config: Config) -> Live {
    poll("the profile is free", async || match Live::start(config.clone()).await {
        Err(StartError::Held { .. }) => None,
        other => Some(other.unwrap()),
    })
    .await
}
