//! A peer made of bare libp2p that does what ours never would. It has the frames of an honest replica to begin with, so
//! that what it says is nearly right.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use futures::StreamExt;
use libp2p::gossipsub;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, Swarm};
use parlor_core::{
    Certificate, Config, Input, Join, Lease, LocalActor, MemberId, Output, PublicKey, Replica, RoomId, SessionId,
    Signer, Tick, Verifier,
};

use crate::bare::{self, Behaviour, BehaviourEvent, topic};

pub struct Identity(SigningKey);

impl Identity {
    pub fn of(name: &str) -> Self {
        Self(SigningKey::from_bytes(blake3::hash(name.as_bytes()).as_bytes()))
    }
}

impl Signer for Identity {
    fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        ed25519_dalek::Signer::sign(&self.0, message).to_bytes()
    }
}

struct Judge;

impl Verifier for Judge {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
        let key = VerifyingKey::from_bytes(&key.0);
        key.is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
    }
}

pub struct Liar {
    swarm: Swarm<Behaviour>,
    session: SessionId,
    remote: PeerId,
    room: String,
}

impl Liar {
    /// Connects to a peer, and waits until that one has seen it in the room.
    pub async fn beside(address: &str, peer_id: &str, room: &str) -> Self {
        let (swarm, session) = bare::swarm();
        let mut liar = Self { swarm, session, remote: peer_id.parse().expect("a peer id"), room: room.to_owned() };
        liar.swarm.behaviour_mut().gossip.subscribe(&topic(room)).expect("the topic");
        liar.dial(address);
        let hash = topic(room).hash();
        liar.until(|event| {
            matches!(event, SwarmEvent::Behaviour(BehaviourEvent::Gossip(gossipsub::Event::Subscribed { topic, .. }))
                if *topic == hash)
        })
        .await;
        liar
    }

    pub fn dial(&mut self, address: &str) {
        self.swarm.dial(address.parse::<Multiaddr>().expect("an address")).expect("a dial");
    }

    /// Says something to the room, signed by this peer; whether there is place for it in the own queue.
    pub fn publish(&mut self, bytes: Vec<u8>) -> bool {
        self.swarm.behaviour_mut().gossip.publish(topic(&self.room).hash(), bytes).is_ok()
    }

    /// Says something to the peer alone.
    pub fn send(&mut self, frame: &[u8]) {
        self.send_as_long_as(u32::try_from(16 + frame.len()).expect("a length"), frame);
    }

    /// The same, with a length that need not be true.
    pub fn send_as_long_as(&mut self, length: u32, frame: &[u8]) {
        let message = bare::direct(length, &self.room, frame);
        self.swarm.behaviour_mut().direct.send_request(&self.remote, message);
    }

    /// Runs the network until an event fits.
    pub async fn until(&mut self, fits: impl Fn(&SwarmEvent<BehaviourEvent>) -> bool) {
        let wait = async { while !fits(&self.swarm.select_next_some().await) {} };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("no such network event");
    }

    /// Runs the network until the peer has hung up.
    pub async fn until_cut_off(&mut self) {
        self.until(|event| matches!(event, SwarmEvent::ConnectionClosed { num_established: 0, .. })).await;
    }

    /// Runs the network until something else is done.
    pub async fn during<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = pin!(other);
        loop {
            tokio::select! {
                done = &mut other => return done,
                _ = self.swarm.select_next_some() => {}
            }
        }
    }

    /// The frames of an honest replica of this session, for somebody called `name` whose certificate `signed` signs: the
    /// whole record as it is told to a new link, then everything that is published.
    pub fn frames(&self, name: &str, signed: &str, member: Option<&str>, presence: serde_json::Value) -> Frames {
        let (person, signer) = (Identity::of(name), Identity::of(signed));
        let mut certificate = Certificate::issue(&signer, self.session, [7; 16], wall_ms(), name);
        certificate.identity = person.public_key();
        let room = RoomId::new(&self.room).expect("a room");
        let config = Config { room, certificate, seed: 1, loopback_only: true, private: None };
        let mut replica = Replica::new(config, Arc::new(Judge), Tick(1), wall_ms());
        let who = LocalActor::user(Arc::new(person), name);
        let mut join = Join::new().presence(presence);
        join.member_id = member.map(|id| MemberId::new(id).expect("a member id"));
        replica.join(&who, join, Lease::Own, Tick(1)).expect("joining");
        replica.handle(Input::LinkUp { peer: SessionId([1; 32]), loopback: true }, Tick(2));
        replica.leave_all(Tick(3));
        let mut frames = Frames { sent: Vec::new(), published: Vec::new() };
        while let Some(output) = replica.poll_output() {
            match output {
                Output::Send { bytes, .. } => frames.sent.push(bytes),
                Output::Publish { bytes } => frames.published.push(bytes),
                Output::Event(_) => {}
            }
        }
        frames
    }
}

/// What an honest replica says when it joins, is linked to somebody, and leaves.
pub struct Frames {
    pub sent: Vec<Vec<u8>>,
    pub published: Vec<Vec<u8>>,
}

/// The frame with every occurrence of some bytes replaced by as many others.
pub fn patched(frame: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "lengths stand before their texts");
    let mut bytes = frame.to_vec();
    let mut at = 0;
    while at + from.len() <= bytes.len() {
        if bytes[at..].starts_with(from.as_bytes()) {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
        at += 1;
    }
    assert_ne!(bytes, frame, "{from} does not stand in it");
    bytes
}

fn wall_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Asks again and again until the answer is yes.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    let mut every = tokio::time::interval(Duration::from_millis(20));
    let look = async {
        while !ask().await {
            every.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), look).await.unwrap_or_else(|_| panic!("never: {what}"));
}
