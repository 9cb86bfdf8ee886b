//! Somebody who says that they are in the room, answers every ping, and reads nothing of what is sent to them.

use futures::StreamExt;
use futures::channel::mpsc;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, Swarm};

use super::bare::{self, topic};
use super::message::subscription;

/// See the [module](self).
pub struct Deaf {
    swarm: Swarm<bare::Deaf>,
    said: mpsc::Sender<Vec<u8>>,
}

impl Deaf {
    /// Connects to a peer and says that it is in the room.
    ///
    /// # Panics
    /// When there is no such peer.
    pub async fn beside(address: &str, peer_id: &str, room: &str) -> Self {
        let mut swarm = bare::deaf();
        let remote: PeerId = peer_id.parse().expect("a peer id");
        swarm.dial(address.parse::<Multiaddr>().expect("an address")).expect("a dial");
        while !matches!(swarm.select_next_some().await, SwarmEvent::ConnectionEstablished { .. }) {}
        let (mut said, stream) = mpsc::channel(1);
        said.try_send(subscription(topic(room).hash().as_str(), true)).expect("room for the first");
        swarm.behaviour_mut().by_hand.send_request(&remote, stream);
        Self { swarm, said }
    }

    /// Stays for as long as the peer lets it; true when it was hung up on.
    pub async fn stay(&mut self) -> bool {
        while !self.said.is_closed() {
            if matches!(self.swarm.select_next_some().await, SwarmEvent::ConnectionClosed { .. }) {
                return true;
            }
        }
        false
    }
}
