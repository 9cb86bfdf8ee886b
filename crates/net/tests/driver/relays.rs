//! Peers that meet at a relay, and what a relay and its guests may do to each other. On loopback a peer that somebody tells
//! of is not dialled there, so that those below have no way but through the relay.

use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, StreamProtocol, Swarm, SwarmBuilder, identify, noise, relay, tcp, yamux};
use parlor_net::{Discovery, NetConfig};
use serde_json::json;

use crate::support::{LATER, Peer, Person, SOON, has, shows, shows_members, until};

const BOTH: Discovery = Discovery { relays: true, ..Discovery::NONE };

async fn relay() -> Peer {
    Person::new("Calm Badger").start_with(|config| config.relay = true).await.unwrap()
}

/// A peer that was told of the relay.
async fn guest(name: &str, address: String) -> Peer {
    let told = |config: &mut NetConfig| (config.discovery, config.dial) = (BOTH, vec![address]);
    Person::new(name).start_with(told).await.unwrap()
}

async fn link(of: &Peer, to: &Peer) -> Option<(String, String)> {
    let peers = of.net.peers().await;
    peers.into_iter().find(|peer| peer.peer_id == to.net.peer_id()).map(|peer| (peer.transport, peer.source))
}

#[tokio::test]
async fn two_who_have_no_way_to_each_other_meet_at_a_relay_that_is_not_in_the_room() {
    let middle = relay().await;
    let a = guest("Quiet Otter", middle.tcp()).await;
    let b = guest("Brave Heron", middle.tcp()).await;
    let at_a = a.join(json!({})).await;
    let at_b = b.join(json!({})).await;
    shows_members(&at_a, LATER, 2).await;
    shows_members(&at_b, LATER, 2).await;
    a.presence(json!({"cursor": 7})).await;
    shows(&at_b, SOON, |snapshot| has(snapshot, "cursor", &json!(7))).await;
    let (at_one, at_other) = (link(&a, &b).await.unwrap(), link(&b, &a).await.unwrap());
    assert_eq!((at_one.0.as_str(), at_other.0.as_str()), ("relay", "relay"));
    let sources = [at_one.1.as_str(), at_other.1.as_str()];
    assert!(sources.contains(&"rendezvous") && sources.iter().all(|one| ["rendezvous", "relay"].contains(one)));
    assert_eq!(a.net.relay_addrs(), [middle.tcp(), middle.quic()], "for tickets");
    assert_eq!(a.net.listen_addrs().len(), 2, "a place at a relay is no address of ours");
    // A bridge between two who share a room, and no member of it.
    assert_eq!(middle.net.counters().await.get("relay_reserved"), Some(&2));
    assert_eq!(middle.net.peers().await.iter().map(|peer| peer.rooms.len()).sum::<usize>(), 0);
    // Who leaves is told of no longer, and a room that is entered later is told of at once.
    let other = parlor_core::RoomId::new("other").unwrap();
    let (_, at_b) = (a.net.open(other.clone()).await.unwrap(), b.net.open(other).await.unwrap());
    until(SOON, "both are told of", async || middle.count("rendezvous_registered").await >= 4).await;
    drop(at_b);
}

/// An ordinary peer is no relay for anybody, and who wants no relay is at none.
#[tokio::test]
async fn nobody_is_a_relay_or_at_one_unasked() {
    let middle = Person::new("Calm Badger").start().await;
    let a = guest("Quiet Otter", middle.tcp()).await;
    let real = relay().await;
    let b = guest("Brave Heron", real.tcp()).await;
    let declines = Person::new("Sly Stoat").start_dialling(&[&real]).await;
    a.join(json!({})).await;
    b.join(json!({})).await;
    declines.join(json!({})).await;
    until(SOON, "who was told of a relay is at it", async || !b.net.relay_addrs().is_empty()).await;
    until(SOON, "they said who they are", async || {
        let peers = [a.net.peers().await, declines.net.peers().await].concat();
        peers.len() == 2 && peers.iter().all(|peer| peer.version.is_some())
    })
    .await;
    assert_eq!((a.net.relay_addrs(), declines.net.relay_addrs()), (vec![], vec![]));
    assert_eq!((middle.count("relay_reserved").await, real.count("relay_reserved").await), (0, 1));
}

/// The relay is gone without a word, and another process is at its address: everybody is there again, and on one row.
#[tokio::test]
async fn a_relay_that_comes_back_is_used_again() {
    let middle = relay().await;
    let listen = middle.net.listen_addrs();
    let a = guest("Quiet Otter", middle.tcp()).await;
    let b = guest("Brave Heron", middle.tcp()).await;
    let at_a = a.join(json!({})).await;
    b.join(json!({"step": 1})).await;
    shows_members(&at_a, LATER, 2).await;
    drop(middle);
    until(SOON, "its guests notice", async || a.net.peers().await.is_empty() && b.net.peers().await.is_empty()).await;
    assert!(a.net.relay_addrs().is_empty());
    let again =
        Person::new("Calm Badger").start_with(|config| (config.relay, config.listen) = (true, listen)).await.unwrap();
    b.presence(json!({"step": 2})).await;
    shows(&at_a, LATER, |snapshot| has(snapshot, "step", &json!(2)) && snapshot.members.len() == 2).await;
    assert_eq!(again.count("relay_reserved").await, 2);
}

/// Questions and answers of a rendezvous as bytes, whatever they say.
#[derive(Clone, Debug, Default)]
struct Bytes;

impl request_response::Codec for Bytes {
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
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        io.read_to_end(&mut bytes).await.map(|_| bytes)
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
        bytes: Vec<u8>,
    ) -> io::Result<()> {
        io.write_all(&bytes).await
    }
}

#[derive(NetworkBehaviour)]
struct Stranger {
    identify: identify::Behaviour,
    circuits: relay::client::Behaviour,
    relay: relay::Behaviour,
    words: request_response::Behaviour<Bytes>,
}

/// A peer of bare libp2p: it offers to be a relay, can use one, and says at a rendezvous what it is told to say.
fn stranger() -> Swarm<Stranger> {
    let protocol = [(StreamProtocol::new("/rendezvous/1.0.0"), ProtocolSupport::Full)];
    SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_relay_client(noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|key, circuits| {
            let me = key.public().to_peer_id();
            let mut offer = relay::Behaviour::new(me, relay::Config::default());
            offer.set_status(Some(relay::Status::Enable));
            Stranger {
                identify: identify::Behaviour::new(identify::Config::new("parlor/1".into(), key.public())),
                circuits,
                relay: offer,
                words: request_response::Behaviour::with_codec(Bytes, protocol, request_response::Config::default()),
            }
        })
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
        .build()
}

/// As much as libp2p's own client would not survive: a message that is no answer, and a time to keep it that is longer than
/// a clock can count. Each is refused by name, and the relay is not asked again.
#[tokio::test]
async fn a_relay_that_answers_nonsense_harms_nobody() {
    // Of the rendezvous protocol, each after its length: UNREGISTER of "a"; a registration for 2^64 - 1 seconds cannot be
    // told apart from one that cannot be read, for it wants a signature.
    let unregister = vec![7, 8, 2, 34, 3, 10, 1, b'a'];
    let unreadable = vec![3, 8, 99, 0];
    for (answer, counted) in [(unregister, "rendezvous_no_answer"), (unreadable, "rendezvous_failed")] {
        let mut swarm = stranger();
        swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
        let address = loop {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                break address;
            }
        };
        swarm.add_external_address(address.clone());
        let serve = tokio::spawn(async move {
            let mut asked = 0;
            loop {
                if let SwarmEvent::Behaviour(StrangerEvent::Words(request_response::Event::Message {
                    message: request_response::Message::Request { channel, .. },
                    ..
                })) = swarm.select_next_some().await
                {
                    asked += 1;
                    let _ = swarm.behaviour_mut().words.send_response(channel, answer.clone());
                }
                assert!(asked < 10, "it is asked again and again");
            }
        });
        let peer = guest("Quiet Otter", address.to_string()).await;
        let at = peer.join(json!({})).await;
        until(LATER, counted, async || peer.count(counted).await > 0).await;
        peer.presence(json!({"still": "here"})).await;
        shows(&at, SOON, |snapshot| has(snapshot, "still", &json!("here"))).await;
        serve.abort();
        assert!(serve.await.unwrap_err().is_cancelled());
    }
}

/// Who asks a relay for everybody, or what cannot be read, gets no answer and pays; who goes on is cut off. Who wants a
/// circuit to nobody is refused.
#[tokio::test]
async fn a_guest_that_asks_for_too_much_is_refused_and_then_cut_off() {
    let middle = relay().await;
    let other = guest("Quiet Otter", middle.tcp()).await;
    until(SOON, "an honest guest has a place", async || !other.net.relay_addrs().is_empty()).await;
    let mut swarm = stranger();
    let (remote, at): (PeerId, Multiaddr) = (middle.net.peer_id().parse().unwrap(), middle.tcp().parse().unwrap());
    swarm.dial(at.clone()).unwrap();
    while !matches!(swarm.select_next_some().await, SwarmEvent::ConnectionEstablished { .. }) {}
    let nobody = libp2p::identity::Keypair::generate_ed25519().public().to_peer_id();
    let circuit: Multiaddr = format!("{at}/p2p/{remote}/p2p-circuit/p2p/{nobody}").parse().unwrap();
    swarm.dial(circuit).unwrap();
    while !matches!(swarm.select_next_some().await, SwarmEvent::OutgoingConnectionError { .. }) {}
    // Of the rendezvous protocol: DISCOVER, without a namespace; and bytes that are nothing.
    for word in [vec![4, 8, 3, 42, 0], vec![200; 64]] {
        swarm.behaviour_mut().words.send_request(&remote, word);
    }
    let all = async || {
        let counters = middle.net.counters().await;
        let names = ["relay_circuit_refused", "rendezvous_asked_for_all", "rendezvous_unreadable"];
        names.iter().all(|name| counters.contains_key(*name))
    };
    let run = async |swarm: &mut Swarm<Stranger>| {
        while !matches!(swarm.select_next_some().await, SwarmEvent::ConnectionClosed { .. }) {}
    };
    tokio::select! {
        () = until(SOON, "all three are counted", all) => {}
        () = run(&mut swarm) => panic!("it is cut off at once"),
    }
    // A few at a time, for each connection has so many streams.
    let flood = async {
        loop {
            for _ in 0..40 {
                swarm.behaviour_mut().words.send_request(&remote, vec![4, 8, 3, 42, 0]);
            }
            for _ in 0..40 {
                let event = swarm.select_next_some().await;
                if matches!(event, SwarmEvent::ConnectionClosed { .. }) {
                    return;
                }
            }
        }
    };
    tokio::time::timeout(LATER, flood).await.expect("it is cut off");
    assert_eq!(middle.count("flooder_cut_off").await, 1);
    assert!(!other.net.relay_addrs().is_empty(), "and the other keeps its place");
}
