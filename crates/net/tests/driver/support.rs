//! A peer with an identity, and waiting for what its rooms show.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use parlor_core::{
    Certificate, Event, Join, Lease, LocalActor, MemberRecord, PresenceChange, PublicKey, RoomId, Signer, Snapshot,
    Verifier,
};
use parlor_net::{Discovery, NetConfig, NetError, NetHandle, RoomPort, SessionKey};
use tokio::sync::broadcast;
use tokio::time::timeout;

pub const ROOM: &str = "project_123";
pub const SOON: Duration = Duration::from_secs(10);
pub const LATER: Duration = Duration::from_secs(15);

pub struct Identity(SigningKey);

impl Signer for Identity {
    fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        ed25519_dalek::Signer::sign(&self.0, message).to_bytes()
    }
}

pub struct Dalek;

impl Verifier for Dalek {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
        let key = VerifyingKey::from_bytes(&key.0);
        key.is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
    }
}

pub fn wall() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64
}

pub fn room() -> RoomId {
    RoomId::new(ROOM).unwrap()
}

/// Somebody who may run one peer after the other.
#[derive(Clone)]
pub struct Person {
    name: String,
    pub signer: Arc<Identity>,
    profile: [u8; 16],
}

impl Person {
    pub fn new(name: &str) -> Self {
        let seed = *blake3::hash(name.as_bytes()).as_bytes();
        let profile = seed[..16].try_into().unwrap();
        Person { name: name.into(), signer: Arc::new(Identity(SigningKey::from_bytes(&seed))), profile }
    }

    pub fn actor(&self) -> LocalActor {
        LocalActor::user(self.signer.clone(), &self.name)
    }

    pub fn certificate(&self, session: parlor_core::SessionId) -> Certificate {
        Certificate::issue(&*self.signer, session, self.profile, wall(), &self.name)
    }

    /// TCP and QUIC on free ports of loopback.
    pub fn config(&self) -> NetConfig {
        let session = SessionKey::generate();
        NetConfig {
            certificate: self.certificate(session.id()),
            verifier: Arc::new(Dalek),
            listen: vec!["/ip4/127.0.0.1/tcp/0".into(), "/ip4/127.0.0.1/udp/0/quic-v1".into()],
            dial: Vec::new(),
            discovery: Discovery::NONE,
            relay: false,
            neighbours: None,
            wall,
            lab: false,
            seed: u64::from_le_bytes(session.id().0[..8].try_into().unwrap()),
            session,
        }
    }

    pub async fn start(&self) -> Peer {
        self.start_with(|_| {}).await.unwrap()
    }

    /// A peer that keeps connected to others.
    pub async fn start_dialling(&self, others: &[&Peer]) -> Peer {
        let dial = others.iter().map(|other| other.tcp()).collect();
        self.start_with(|config| config.dial = dial).await.unwrap()
    }

    /// A peer whose network can be made to fail, keeping connected to others.
    pub async fn start_in_lab(&self, others: &[&Peer]) -> Peer {
        let dial = others.iter().map(|other| other.tcp()).collect();
        let change = |config: &mut NetConfig| (config.lab, config.dial) = (true, dial);
        self.start_with(change).await.unwrap()
    }

    pub async fn start_with(&self, change: impl FnOnce(&mut NetConfig)) -> Result<Peer, NetError> {
        let mut config = self.config();
        change(&mut config);
        let net = NetHandle::start(config).await?;
        Ok(Peer { net, actor: self.actor() })
    }
}

pub struct Peer {
    pub net: NetHandle,
    pub actor: LocalActor,
}

impl Peer {
    fn listening(&self, part: &str) -> String {
        self.net.listen_addrs().into_iter().find(|address| address.contains(part)).unwrap()
    }

    pub fn tcp(&self) -> String {
        self.listening("/tcp/")
    }

    pub fn quic(&self) -> String {
        self.listening("/quic-v1")
    }

    pub async fn open(&self) -> RoomPort {
        self.net.open(room()).await.unwrap()
    }

    /// Opens the room and joins it with a presence.
    pub async fn join(&self, presence: serde_json::Value) -> RoomPort {
        let port = self.open().await;
        let actor = self.actor.clone();
        let join = Join::new().presence(presence);
        let record: Result<MemberRecord, _> =
            self.net.with(&room(), move |replica, now| replica.join(&actor, join, Lease::Own, now)).await.unwrap();
        record.unwrap();
        port
    }

    pub async fn presence(&self, presence: serde_json::Value) {
        let actor = self.actor.clone();
        let change = PresenceChange::new(presence);
        let call = move |replica: &mut parlor_core::Replica, now| replica.presence(&actor, change, now);
        self.net.with(&room(), call).await.unwrap().unwrap();
    }

    pub async fn count(&self, name: &str) -> u64 {
        self.net.counters().await.get(name).copied().unwrap_or_default()
    }

    /// Connections that are open now.
    pub async fn connections(&self) -> u64 {
        self.count("connection_opened").await - self.count("connection_closed").await
    }
}

/// Waits until a room shows what is asked for.
pub async fn shows(port: &RoomPort, within: Duration, what: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
    let mut snapshots = port.snapshots();
    let result = timeout(within, snapshots.wait_for(|snapshot| what(snapshot))).await;
    let shown = result.map(|snapshot| snapshot.unwrap().clone());
    shown.unwrap_or_else(|_| panic!("not within {within:?}; shown: {:#?}", port.snapshots().borrow()))
}

pub async fn shows_members(port: &RoomPort, within: Duration, count: usize) -> Arc<Snapshot> {
    shows(port, within, |snapshot| snapshot.members.len() == count).await
}

/// Whether some member shows a value under a key of its presence.
pub fn has(snapshot: &Snapshot, key: &str, value: &serde_json::Value) -> bool {
    snapshot.members.iter().any(|member| member.record.presence.get(key) == Some(value))
}

/// Waits for an event that fits.
pub async fn event(
    events: &mut broadcast::Receiver<(u64, Event)>,
    within: Duration,
    fits: impl Fn(&Event) -> bool,
) -> Event {
    let wait = async {
        loop {
            let (_, event) = events.recv().await.unwrap();
            if fits(&event) {
                return event;
            }
        }
    };
    timeout(within, wait).await.expect("no such event")
}

/// Asks again and again until the answer is yes.
pub async fn until<F: Future<Output = bool>>(within: Duration, what: &str, mut ask: impl FnMut() -> F) {
    let mut every = tokio::time::interval(Duration::from_millis(20));
    let wait = async {
        while !ask().await {
            every.tick().await;
        }
    };
    timeout(within, wait).await.unwrap_or_else(|_| panic!("not within {within:?}: {what}"));
}
