//! A relay that lies to those who reserve a place at it. It offers what a relay offers, and every answer is written by hand,
//! so that no library keeps it from being absurd.

use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::core::PeerRecord;
use libp2p::identity::Keypair;
use libp2p::request_response::{self, Message, ProtocolSupport};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, StreamProtocol, Swarm, SwarmBuilder, identify, noise, ping, tcp, yamux};

use super::persona::wall_ms;

const RESERVE: &str = "/libp2p/circuit/relay/0.2.0/hop";
const RENDEZVOUS: &str = "/rendezvous/1.0.0";
/// Fields of protobuf that are numbers, and those that are bytes.
const NUMBER: u8 = 0;
const BYTES: u8 = 2;
/// Words of a rendezvous.
const REGISTER_RESPONSE: u64 = 1;
const DISCOVER: u64 = 3;
const DISCOVER_RESPONSE: u64 = 4;

/// What it answers.
#[derive(Clone, Debug)]
pub struct Lies {
    /// Until when a place is reserved, in seconds of its clock from now; without, later than any clock can count.
    pub reserved_for_s: Option<u64>,
    /// Addresses by which who reserved can be reached, as it says.
    pub addresses: u16,
    /// For how many seconds it says that somebody is in the room who was asked about.
    pub told_for_s: u64,
    /// Whether it answers who says that they are in a room with what is no answer to that.
    pub confused: bool,
}

impl Default for Lies {
    /// No lie at all.
    fn default() -> Self {
        Self { reserved_for_s: Some(86_400), addresses: 1, told_for_s: 60, confused: false }
    }
}

/// What the relay saw of those who came to it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Places that it was asked for.
    pub reserved: usize,
    /// Questions about who is in a room.
    pub asked: usize,
    /// Connections to it that ended.
    pub hung_up: usize,
    /// How often it was told where somebody can be reached.
    pub told: usize,
    /// The most addresses of circuits that it was told at once.
    pub circuits: usize,
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    reserve: request_response::Behaviour<Words>,
    rendezvous: request_response::Behaviour<Words>,
}

/// See the [module](self).
pub struct LyingRelay {
    swarm: Swarm<Behaviour>,
    keypair: Keypair,
    lies: Lies,
    /// What it saw so far.
    pub seen: Seen,
}

impl LyingRelay {
    /// Begins to listen on loopback; the second value is where.
    ///
    /// # Panics
    /// When libp2p cannot be set up.
    pub async fn start(lies: Lies) -> (Self, String) {
        let keypair = Keypair::generate_ed25519();
        let public = keypair.public();
        let words = |name: &'static str| {
            let protocol = [(StreamProtocol::new(name), ProtocolSupport::Inbound)];
            request_response::Behaviour::with_codec(Words, protocol, request_response::Config::default())
        };
        let behaviour = Behaviour {
            identify: identify::Behaviour::new(identify::Config::new("parlor/1".into(), public)),
            ping: ping::Behaviour::default(),
            reserve: words(RESERVE),
            rendezvous: words(RENDEZVOUS),
        };
        let mut swarm = SwarmBuilder::with_existing_identity(keypair.clone())
            .with_tokio()
            .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
            .expect("a transport")
            .with_behaviour(|_| behaviour)
            .expect("a behaviour")
            .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(3_600)))
            .build();
        swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().expect("an address")).expect("a listener");
        let address = loop {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                break address;
            }
        };
        swarm.add_external_address(address.clone());
        (Self { swarm, keypair, lies, seen: Seen::default() }, address.to_string())
    }

    /// Whom it says that it is.
    #[must_use]
    pub fn local(&self) -> &PeerId {
        self.swarm.local_peer_id()
    }

    /// Serves until something else is done.
    pub async fn during<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = std::pin::pin!(other);
        loop {
            tokio::select! {
                done = &mut other => return done,
                event = self.swarm.select_next_some() => self.hear(event),
            }
        }
    }

    fn hear(&mut self, event: SwarmEvent<BehaviourEvent>) {
        use request_response::Event;
        match event {
            SwarmEvent::ConnectionClosed { .. } => self.seen.hung_up += 1,
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received { info, .. })) => {
                let circuits = info.listen_addrs.iter().filter(|at| at.to_string().contains("p2p-circuit")).count();
                self.seen.told += 1;
                self.seen.circuits = self.seen.circuits.max(circuits);
            }
            SwarmEvent::Behaviour(BehaviourEvent::Reserve(Event::Message {
                message: Message::Request { channel, .. },
                ..
            })) => {
                self.seen.reserved += 1;
                let _ = self.swarm.behaviour_mut().reserve.send_response(channel, place(&self.lies));
            }
            SwarmEvent::Behaviour(BehaviourEvent::Rendezvous(Event::Message {
                message: Message::Request { request, channel, .. },
                ..
            })) => {
                let discover = request.get(1..3) == Some(&[8, 3]) || request.get(2..4) == Some(&[8, 3]);
                self.seen.asked += usize::from(discover);
                let answer = match (discover, self.lies.confused) {
                    (true, _) => told(&self.keypair, self.lies.told_for_s),
                    (false, false) => registered(),
                    (false, true) => with_length(&[field(1, NUMBER, DISCOVER), part(5, &[])].concat()),
                };
                let _ = self.swarm.behaviour_mut().rendezvous.send_response(channel, answer);
            }
            _ => {}
        }
    }
}

/// A place, as HopMessage of the circuit protocol: STATUS, a reservation, OK.
fn place(lies: &Lies) -> Vec<u8> {
    let until = lies.reserved_for_s.map_or(u64::MAX, |seconds| wall_ms() / 1_000 + seconds);
    let mut reservation = field(1, NUMBER, until);
    for port in 1..=lies.addresses {
        let address: Multiaddr = format!("/ip4/127.0.0.1/tcp/{port}").parse().expect("an address");
        reservation.extend(part(2, address.as_ref()));
    }
    with_length(&[field(1, NUMBER, 2), part(3, &reservation), field(5, NUMBER, 100)].concat())
}

/// That somebody was noted for a minute.
fn registered() -> Vec<u8> {
    let response = [field(1, NUMBER, 0), field(3, NUMBER, 60)].concat();
    with_length(&[field(1, NUMBER, REGISTER_RESPONSE), part(3, &response)].concat())
}

/// That it is in the room itself, for so long.
fn told(keypair: &Keypair, seconds: u64) -> Vec<u8> {
    let record = PeerRecord::new(keypair, vec!["/ip4/127.0.0.1/tcp/1".parse().expect("an address")]).expect("a record");
    let record = record.into_signed_envelope().into_protobuf_encoding();
    let registration = [part(1, b"room"), part(2, &record), field(3, NUMBER, seconds)].concat();
    // The cookie is a number, and the room that was asked about.
    let cookie = [&[0; 8], b"room".as_slice()].concat();
    let response = [part(1, &registration), part(2, &cookie), field(3, NUMBER, 0)].concat();
    with_length(&[field(1, NUMBER, DISCOVER_RESPONSE), part(6, &response)].concat())
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn field(number: u8, kind: u8, value: u64) -> Vec<u8> {
    [vec![number << 3 | kind], varint(value)].concat()
}

fn part(number: u8, bytes: &[u8]) -> Vec<u8> {
    [field(number, BYTES, bytes.len() as u64), bytes.to_vec()].concat()
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    [varint(bytes.len() as u64), bytes.to_vec()].concat()
}

/// A question and its answer as bytes, whatever they say.
#[derive(Clone, Debug, Default)]
struct Words;

impl request_response::Codec for Words {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        io.read_to_end(&mut bytes).await.map(|_| bytes)
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        _: &mut T,
    ) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        _: &mut T,
        _: Vec<u8>,
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()> {
        io.write_all(&bytes).await
    }
}
