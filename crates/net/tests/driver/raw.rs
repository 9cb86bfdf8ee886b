//! A peer made of bare libp2p, to do what ours never would.

use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::gossipsub::{self, IdentTopic, MessageAuthenticity};
use libp2p::identity::{Keypair, ed25519};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{PeerId, StreamProtocol, Swarm, SwarmBuilder, noise, tcp, yamux};
use parlor_core::{RoomId, SessionId};

use crate::support::Peer;

/// Whatever bytes one likes on the stream of direct frames.
#[derive(Clone, Default)]
pub struct Bytes;

impl request_response::Codec for Bytes {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = ();

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        io.read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> std::io::Result<()> {
        io.read_exact(&mut [0]).await
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> std::io::Result<()> {
        io.write_all(&bytes).await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        (): (),
    ) -> std::io::Result<()> {
        io.write_all(&[1]).await
    }
}

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    pub gossip: gossipsub::Behaviour,
    pub direct: request_response::Behaviour<Bytes>,
    ping: libp2p::ping::Behaviour,
}

pub struct Raw {
    pub swarm: Swarm<Behaviour>,
    pub session: SessionId,
    pub remote: PeerId,
}

/// The sixteen bytes by which a room goes on the wire; they are part of the protocol.
pub fn tag(room: &RoomId) -> [u8; 16] {
    let hash = blake3::derive_key("parlor/1 topic of an open room", room.as_str().as_bytes());
    hash[..16].try_into().unwrap()
}

pub fn topic(room: &RoomId) -> IdentTopic {
    let hex: String = tag(room).iter().map(|byte| format!("{byte:02x}")).collect();
    IdentTopic::new(format!("parlor/1/{hex}"))
}

impl Raw {
    /// Connects to a peer and waits until it has seen us in the room.
    pub async fn connect(to: &Peer, room: &RoomId) -> Raw {
        let pair = ed25519::Keypair::generate();
        let session = SessionId(pair.public().to_bytes());
        let keypair: Keypair = pair.into();
        let config = gossipsub::ConfigBuilder::default().max_transmit_size(1 << 20).build().unwrap();
        let gossip = gossipsub::Behaviour::new(MessageAuthenticity::Signed(keypair.clone()), config).unwrap();
        let protocol = [(StreamProtocol::new("/parlor/1/frame"), ProtocolSupport::Full)];
        let behaviour = Behaviour {
            gossip,
            direct: request_response::Behaviour::new(protocol, request_response::Config::default()),
            ping: libp2p::ping::Behaviour::default(),
        };
        let swarm = SwarmBuilder::with_existing_identity(keypair)
            .with_tokio()
            .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
            .unwrap()
            .with_behaviour(|_| behaviour)
            .unwrap()
            .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
            .build();
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

    /// Sends a direct frame: any length, any bytes.
    pub fn send(&mut self, length: u32, room: &RoomId, frame: &[u8]) {
        let message = [&length.to_le_bytes(), tag(room).as_slice(), frame].concat();
        self.swarm.behaviour_mut().direct.send_request(&self.remote, message);
    }
}
