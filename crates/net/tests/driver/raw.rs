//! A peer made of bare libp2p, to do what ours never would.

use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc;
use libp2p::gossipsub;
use libp2p::gossipsub::IdentTopic;
use libp2p::request_response::ProtocolSupport;
use libp2p::swarm::SwarmEvent;
use libp2p::{PeerId, Swarm};
use parlor_core::{RoomId, SessionId};

pub use parlor_testkit::liar::bare::BehaviourEvent;
use parlor_testkit::liar::bare::{self, Bare, Behaviour};

use crate::support::Peer;

pub struct Raw {
    pub swarm: Swarm<Behaviour>,
    pub session: SessionId,
    pub remote: PeerId,
}

pub fn topic(room: &RoomId) -> IdentTopic {
    bare::topic(room.as_str())
}

impl Raw {
    /// Connects to a peer and waits until it has seen us in the room.
    pub async fn connect(to: &Peer, room: &RoomId) -> Raw {
        Self::connect_as(bare::swarm(), to, room).await
    }

    /// The same, of whoever takes in streams and reads nothing of them.
    pub async fn connect_deaf(to: &Peer, room: &RoomId) -> Raw {
        Self::connect_as(bare::swarm_with(ProtocolSupport::Full), to, room).await
    }

    async fn connect_as(Bare { swarm, session, .. }: Bare, to: &Peer, room: &RoomId) -> Raw {
        let mut raw = Raw { swarm, session, remote: to.net.peer_id().parse().unwrap() };
        raw.swarm.behaviour_mut().gossip.subscribe(&topic(room)).unwrap();
        raw.swarm.dial(to.tcp().parse::<libp2p::Multiaddr>().unwrap()).unwrap();
        raw.run_until(|event| {
            matches!(event, SwarmEvent::Behaviour(BehaviourEvent::Gossip(gossipsub::Event::Subscribed { topic: seen, .. }))
                if *seen == topic(room).hash())
        })
        .await;
        raw
    }

    /// Runs the network until an event fits.
    pub async fn run_until(&mut self, fits: impl Fn(&SwarmEvent<BehaviourEvent>) -> bool) {
        let wait = async { while !fits(&self.swarm.select_next_some().await) {} };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("no such network event");
    }

    /// Runs the network until something else is done.
    pub async fn run_while<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = std::pin::pin!(other);
        loop {
            tokio::select! {
                done = &mut other => return done,
                _ = self.swarm.select_next_some() => {}
            }
        }
    }

    /// Opens a stream of movements, and says these bytes on it, whole items or not.
    pub fn stream(&mut self, bytes: Vec<u8>) -> mpsc::Sender<Vec<u8>> {
        let (mut more, said) = mpsc::channel(1_024);
        more.try_send(bytes).unwrap();
        self.swarm.behaviour_mut().stream.send_request(&self.remote, said);
        more
    }

    /// Sends a direct frame: any length, any bytes.
    pub fn send(&mut self, length: u32, room: &RoomId, frame: &[u8]) {
        let message = bare::direct(length, room.as_str(), frame);
        self.swarm.behaviour_mut().direct.send_request(&self.remote, message);
    }
}
