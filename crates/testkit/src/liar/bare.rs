//! A swarm of bare libp2p that speaks our protocols and keeps none of our rules. What goes on the wire is written down here
//! a second time on purpose, so that a change of it is noticed.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::channel::mpsc;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::gossipsub::{self, DataTransform, IdentTopic, Message, MessageAuthenticity, RawMessage, TopicHash};
use libp2p::identity::{Keypair, ed25519};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{StreamProtocol, Swarm, SwarmBuilder, noise, tcp, yamux};
use parlor_core::SessionId;

/// Messages that a recorder keeps.
const RECORDED_MAX: usize = 20_000;
/// Direct frames under way at once.
const STREAMS: usize = 1_000;

/// The sixteen bytes that stand for an open room.
#[must_use]
pub fn tag(room: &str) -> [u8; 16] {
    let hash = blake3::derive_key("parlor/1 topic of an open room", room.as_bytes());
    std::array::from_fn(|at| hash[at])
}

/// The topic of an open room.
#[must_use]
pub fn topic(room: &str) -> IdentTopic {
    let hex: String = tag(room).iter().map(|byte| format!("{byte:02x}")).collect();
    IdentTopic::new(format!("parlor/1/{hex}"))
}

/// Where open rooms are advertised.
#[must_use]
pub fn lobby() -> IdentTopic {
    IdentTopic::new("parlor/1/lobby")
}

/// An item of a stream, with a length before it, which need not be true.
#[must_use]
pub fn streamed(length: u16, room: &str, frame: &[u8]) -> Vec<u8> {
    [&length.to_le_bytes(), tag(room).as_slice(), frame].concat()
}

/// A direct frame with a length before it, which need not be true.
#[must_use]
pub fn direct(length: u32, room: &str, frame: &[u8]) -> Vec<u8> {
    [&length.to_le_bytes(), tag(room).as_slice(), frame].concat()
}

pub use speaks::{Behaviour, BehaviourEvent, Deaf, DeafEvent};

#[allow(missing_docs, reason = "the derive writes an enum, and no word about it")]
mod speaks {
    use super::{Endless, NetworkBehaviour, Recorder, Whole, gossipsub, request_response};

    /// What the swarm speaks.
    #[derive(NetworkBehaviour)]
    pub struct Behaviour {
        /// gossipsub as it comes, and everything that it hears written down.
        pub gossip: gossipsub::Behaviour<Recorder>,
        /// Frames to one peer.
        pub direct: request_response::Behaviour<Whole>,
        /// gossipsub by hand: bytes on a stream of its protocol.
        pub by_hand: request_response::Behaviour<Endless>,
        /// Bytes on a stream of movements.
        pub stream: request_response::Behaviour<Endless>,
        pub(super) ping: libp2p::ping::Behaviour,
    }

    /// What somebody speaks who hears nothing: gossip's streams are taken in, and never read.
    #[derive(NetworkBehaviour)]
    pub struct Deaf {
        pub(crate) by_hand: request_response::Behaviour<Endless>,
        pub(super) ping: libp2p::ping::Behaviour,
    }
}

/// A swarm, and what it is.
pub struct Bare {
    /// The network.
    pub swarm: Swarm<Behaviour>,
    /// The key of its session.
    pub keypair: Keypair,
    /// The session.
    pub session: SessionId,
    /// What it hears.
    pub recorder: Recorder,
}

/// One that sends more and longer messages than ours would.
///
/// # Panics
/// When libp2p cannot be set up.
#[must_use]
pub fn swarm() -> Bare {
    swarm_with(ProtocolSupport::Outbound)
}

/// The same, which takes in streams of movements, or not. It reads nothing of them.
///
/// # Panics
/// When libp2p cannot be set up.
#[must_use]
pub fn swarm_with(streams: ProtocolSupport) -> Bare {
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
    let authenticity = MessageAuthenticity::Signed(keypair.clone());
    let recorder = Recorder::default();
    let gossip = gossipsub::Behaviour::new_with_transform(authenticity, config, recorder.clone()).expect("gossip");
    let protocol = [(StreamProtocol::new("/parlor/1/frame"), ProtocolSupport::Full)];
    let many = request_response::Config::default().with_max_concurrent_streams(STREAMS);
    let behaviour = Behaviour {
        gossip,
        direct: request_response::Behaviour::new(protocol, many),
        by_hand: by_hand("/meshsub/1.1.0", ProtocolSupport::Outbound),
        stream: by_hand("/parlor/1/stream", streams),
        ping: libp2p::ping::Behaviour::default(),
    };
    let swarm = SwarmBuilder::with_existing_identity(keypair.clone())
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .expect("a transport")
        .with_behaviour(|_| behaviour)
        .expect("a behaviour")
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
        .build();
    Bare { swarm, keypair, session, recorder }
}

/// One that answers pings and reads nothing else.
///
/// # Panics
/// When libp2p cannot be set up.
#[must_use]
pub fn deaf() -> Swarm<Deaf> {
    let behaviour =
        Deaf { by_hand: by_hand("/meshsub/1.1.0", ProtocolSupport::Full), ping: libp2p::ping::Behaviour::default() };
    SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .expect("a transport")
        .with_behaviour(|_| behaviour)
        .expect("a behaviour")
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(3_600)))
        .build()
}

fn by_hand(protocol: &'static str, support: ProtocolSupport) -> request_response::Behaviour<Endless> {
    let long = request_response::Config::default().with_request_timeout(Duration::from_secs(3_600));
    request_response::Behaviour::new([(StreamProtocol::new(protocol), support)], long)
}

/// Writes down what gossip brings, signatures and all.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Vec<RawMessage>>>);

impl Recorder {
    /// All that was heard so far, the newest last.
    #[must_use]
    pub fn tape(&self) -> Vec<RawMessage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl DataTransform for Recorder {
    fn inbound_transform(&self, raw: RawMessage) -> Result<Message, io::Error> {
        let mut tape = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tape.len() < RECORDED_MAX {
            tape.push(raw.clone());
        }
        Ok(Message { source: raw.source, data: raw.data, sequence_number: raw.sequence_number, topic: raw.topic })
    }

    fn outbound_transform(&self, _: &TopicHash, data: Vec<u8>) -> Result<Vec<u8>, io::Error> {
        Ok(data)
    }
}

/// Whatever bytes one likes on the stream of direct frames.
#[derive(Clone, Default)]
pub struct Whole;

impl request_response::Codec for Whole {
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

/// Bytes that go out on one stream for as long as there are any. It is a request whose end never comes.
#[derive(Clone, Default)]
pub struct Endless;

impl request_response::Codec for Endless {
    type Protocol = StreamProtocol;
    type Request = mpsc::Receiver<Vec<u8>>;
    type Response = ();

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        _: &mut T,
    ) -> io::Result<Self::Request> {
        std::future::pending().await
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<()> {
        io.read_exact(&mut [0]).await
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        mut bytes: Self::Request,
    ) -> io::Result<()> {
        while let Some(next) = bytes.next().await {
            io.write_all(&next).await?;
            io.flush().await?;
        }
        Ok(())
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        _: &mut T,
        (): (),
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
