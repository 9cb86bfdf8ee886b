//! Other profiles on this computer (design N7). Each running peer writes `profiles/NAME/peer.json` under the data
//! directory; reading those lets two windows find each other with no network at all. A file of a process that is gone is
//! ignored, and one that cannot be read is as good as none.

use std::fs;
use std::io::Read;
use std::path::Path;

use libp2p::{Multiaddr, PeerId};
use serde::Deserialize;

use crate::address::{self, Endpoint};

/// More than a peer with a hundred addresses writes.
const FILE_MAX: u64 = 64 * 1024;
/// Profiles that are looked at.
const PROFILES_MAX: usize = 64;

/// A running peer of another profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Neighbour {
    pub peer: PeerId,
    /// Where it listens, loopback first.
    pub addresses: Vec<Multiaddr>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PeerFile {
    pid: u32,
    peer_id: String,
    listen: Vec<String>,
}

/// The running peers among `data_dir/profiles/*/peer.json`, without ourselves. Reads files: not for an async task.
pub(crate) fn read(data_dir: &Path, me: &PeerId) -> Vec<Neighbour> {
    let Ok(profiles) = fs::read_dir(data_dir.join("profiles")) else { return Vec::new() };
    let files = profiles.flatten().take(PROFILES_MAX).map(|profile| profile.path().join("peer.json"));
    files.filter_map(|file| neighbour(&file)).filter(|neighbour| neighbour.peer != *me).collect()
}

fn neighbour(file: &Path) -> Option<Neighbour> {
    let mut text = Vec::new();
    fs::File::open(file).ok()?.take(FILE_MAX).read_to_end(&mut text).ok()?;
    let file: PeerFile = serde_json::from_slice(&text).ok()?;
    if !alive(file.pid) {
        return None;
    }
    let peer = file.peer_id.parse().ok()?;
    let listen = file.listen.iter().filter_map(|text| text.parse::<Multiaddr>().ok());
    let mut addresses: Vec<Multiaddr> = listen.filter_map(|address| here(&address)).collect();
    addresses.sort_by_key(|address| !address::is_loopback(address));
    addresses.dedup();
    Some(Neighbour { peer, addresses })
}

/// An address of this computer by which to reach a listener: a wildcard is reached over loopback.
fn here(address: &Multiaddr) -> Option<Multiaddr> {
    let Endpoint { ip, port, transport, .. } = address::endpoint(address)?;
    let ip = match ip.is_unspecified() {
        true if ip.is_ipv4() => std::net::Ipv4Addr::LOCALHOST.into(),
        true => std::net::Ipv6Addr::LOCALHOST.into(),
        false => ip,
    };
    (port != 0).then(|| address::multiaddr(ip, port, transport))
}

/// Whether a process runs. One that may not be signalled runs all the same.
#[cfg(unix)]
fn alive(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// Nothing safe tells here; a dial to a dead process is refused at once.
#[cfg(not(unix))]
fn alive(_pid: u32) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SessionKey;

    fn write(dir: &Path, profile: &str, text: &str) {
        let dir = dir.join("profiles").join(profile);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("peer.json"), text).unwrap();
    }

    #[test]
    fn running_peers_are_found_and_dead_own_and_broken_ones_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let (me, other, dead) = (SessionKey::generate(), SessionKey::generate(), SessionKey::generate());
        let pid = std::process::id();
        let file = |pid: u32, key: &SessionKey| {
            let listen = r#"["/ip4/10.0.0.1/tcp/9", "/ip4/0.0.0.0/tcp/9", "nonsense"]"#;
            format!(r#"{{"pid": {pid}, "peerId": "{}", "listen": {listen}, "more": 1}}"#, key.peer_id())
        };
        write(dir.path(), "me", &file(pid, &me));
        write(dir.path(), "other", &file(pid, &other));
        // No system gives out this pid.
        write(dir.path(), "dead", &file(i32::MAX as u32, &dead));
        write(dir.path(), "broken", "{");
        fs::create_dir_all(dir.path().join("profiles/empty")).unwrap();
        let found = read(dir.path(), &me.peer());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].peer, other.peer());
        let addresses: Vec<String> = found[0].addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["/ip4/127.0.0.1/tcp/9", "/ip4/10.0.0.1/tcp/9"]);
    }

    #[test]
    fn no_directory_is_no_neighbours() {
        assert_eq!(read(Path::new("/nonexistent"), &SessionKey::generate().peer()), []);
    }
}
