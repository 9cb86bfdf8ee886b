//! How often the watchdog replaced the connection of each peer, also of those that are away meanwhile.

use std::collections::BTreeMap;

use libp2p::PeerId;

/// Peers that are remembered.
const PEERS_MAX: usize = 256;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Woken(BTreeMap<PeerId, u32>);

impl Woken {
    /// It was replaced once more. Where there is no room, the peer with the fewest makes some.
    pub(crate) fn count(&mut self, peer: PeerId) {
        if self.0.len() >= PEERS_MAX && !self.0.contains_key(&peer) {
            let fewest = self.0.iter().min_by_key(|(_, times)| **times).map(|(peer, _)| *peer);
            fewest.and_then(|peer| self.0.remove(&peer));
        }
        let times = self.0.entry(peer).or_default();
        *times = times.saturating_add(1);
    }

    /// How often it was.
    pub(crate) fn of(&self, peer: &PeerId) -> u32 {
        self.0.get(peer).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peers_with_most_are_remembered() {
        let mut woken = Woken::default();
        let peers: Vec<PeerId> = (0..PEERS_MAX + 50).map(|_| PeerId::random()).collect();
        for _ in 0..3 {
            woken.count(peers[0]);
        }
        for peer in &peers {
            woken.count(*peer);
        }
        assert_eq!((woken.of(&peers[0]), woken.of(peers.last().expect("a peer")), woken.0.len()), (4, 1, PEERS_MAX));
        assert_eq!(woken.of(&PeerId::random()), 0);
    }
}
