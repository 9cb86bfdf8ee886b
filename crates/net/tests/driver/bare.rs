//! A swarm of bare libp2p that speaks our protocols and keeps none of our rules. What goes on the wire is written down here
//! a second time on purpose, so that a change of it is noticed.

use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::gossipsub::{self, IdentTopic, MessageAuthenticity};
use libp2p::identity::{Keypair, ed25519};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{StreamProtocol, Swarm, SwarmBuilder, noise, tcp, yamux};
use parlor_core::SessionId;

/// The sixteen bytes that stand for an open room.
pub fn tag(room: &str) -> [u8; 16] {
    let hash = blake3::derive_key("parlor/1 topic of an open room", room.as_bytes());
    std::array::from_fn(|at| hash[at])
}

pub fn topic(room: &str) -> IdentTopic {
    let hex: String = tag(room).iter().map(|byte| format!("{byte:02x}")).collect();
    IdentTopic::new(format!("parlor/1/{hex}"))
}

/// A direct frame with a length before it, which need not be true.
pub fn direct(length: u32, room: &str, frame: &[u8]) -> Vec<u8> {
    [&length.to_le_bytes(), tag(room).as_slice(), frame].concat()
}

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    pub gossip: gossipsub::Behaviour,
    pub direct: request_response::Behaviour<Bytes>,
    ping: libp2p::ping::Behaviour,
}

/// One that sends more and longer messages than ours would.
pub fn swarm() -> (Swarm<Behaviour>, SessionId) {
    let pair = ed25519::Keypair::generate();
    let session = SessionId(pair.public().to_bytes());
    let keypair: Keypair = pair.into();
    let config = gossipsub::ConfigBuilder::default()
        .max_transmit_size(1 << 20)
        .heartbeat_initial_delay(Duration::from_millis(50))
        .publish_queue_duration(Duration::from_secs(30))
        .connection_handler_queue_len(100_000)
        .build()
        .expect("a configuration");
    let gossip = gossipsub::Behaviour::new(MessageAuthenticity::Signed(keypair.clone()), config).expect("gossip");
    let protocol = [(StreamProtocol::new("/parlor/1/frame"), ProtocolSupport::Full)];
    let behaviour = Behaviour {
        gossip,
        direct: request_response::Behaviour::new(protocol, request_response::Config::default()),
        ping: libp2p::ping::Behaviour::default(),
    };
    let swarm = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .expect("a transport")
        .with_behaviour(|_| behaviour)
        .expect("a behaviour")
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
        .build();
    (swarm, session)
}

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
    ) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        io.read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<()> {
        io.read_exact(&mut [0]).await
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()> {
        io.write_all(&bytes).await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        (): (),
    ) -> io::Result<()> {
        io.write_all(&[1]).await
    }
}
