//! A peer made of bare libp2p that does what ours never would. It is one of the network in every way that can be checked: a
//! session with a key, an identity with a certificate, a link to an honest peer, the room's topic. What it says is as it
//! likes: [`Attack`]s are what it knows to say, and [`ATTACKS`] are all of them.
//!
//! Tests play each attack and ask the honest peers whether they are still right; the bench plays them and asks how long a
//! cursor takes meanwhile. Neither has an attack of its own that the other lacks.

mod attacks;
pub mod bare;
mod deaf;
mod limits;
mod message;
mod persona;
mod relay;
mod waves;

use std::collections::BTreeMap;
use std::future::Future;
use std::net::TcpStream;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc;
use libp2p::gossipsub;
use libp2p::identity::Keypair;
use libp2p::request_response::{self, Event, Message};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, Swarm};
use parlor_core::{Certificate, SessionId};

pub use attacks::{ATTACKS, Attack};
use bare::{Bare, Behaviour, BehaviourEvent, Endless, Recorder, topic};
pub use deaf::Deaf;
pub use message::{Signed, grafts, rpc, subscription, with_length};
pub use persona::{Identity, Persona, wall_ms};
pub use relay::{Lies, LyingRelay, Seen};

use crate::forge;

/// Pieces of one or more RPCs that wait for the stream at most.
const POUR: usize = 1_024;
/// Messages in one RPC, at most, or it is not read.
const IN_ONE: usize = 4;
/// Direct frames that are remembered.
const HEARD_MAX: usize = 1_000;
/// How long something of the network may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whom a liar is against: an honest peer beside the one that it is linked to.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Its peer id.
    pub peer_id: String,
    /// The `u_` id of its person.
    pub user_id: String,
}

/// What goes out, one after the other.
#[derive(Clone, Debug)]
enum Piece {
    /// On the stream of gossip, with so many messages in it.
    Pour(Vec<u8>, u64),
    EndPour,
    /// On the stream of movements.
    Stream(Vec<u8>),
    EndStream,
    /// To the peer alone.
    Send(Vec<u8>),
}

/// What was rehearsed, to be said when its time has come.
#[derive(Clone, Debug, Default)]
pub struct Script(Vec<Piece>);

/// See the [module](self).
pub struct Liar {
    swarm: Swarm<Behaviour>,
    keypair: Keypair,
    remote: PeerId,
    room: String,
    address: String,
    number: u64,
    pour: Option<mpsc::Sender<Vec<u8>>>,
    stream: Option<mpsc::Sender<Vec<u8>>>,
    heard: Vec<Vec<u8>>,
    recorder: Recorder,
    cut_off: bool,
    /// Connections that say nothing.
    pub(crate) silent: Vec<TcpStream>,
    said: u64,
    /// While it rehearses.
    script: Option<Script>,
    /// The session that it really is.
    pub me: Persona,
    /// Sessions that it made up, each with a key of its own.
    pub inventions: BTreeMap<SessionId, (Keypair, Persona)>,
}

impl Liar {
    /// Connects to a peer, and waits until that one has seen it in the room.
    ///
    /// # Panics
    /// When there is no such peer, or it has nothing to do with this one.
    pub async fn beside(address: &str, peer_id: &str, room: &str) -> Self {
        let Bare { swarm, keypair, session, recorder } = bare::swarm();
        let mut liar = Self {
            swarm,
            keypair,
            remote: peer_id.parse().expect("a peer id"),
            room: room.to_owned(),
            address: address.to_owned(),
            // Of a run of its own, so that no number of an earlier one comes again.
            number: wall_ms() << 20,
            pour: None,
            stream: None,
            heard: Vec::new(),
            recorder,
            cut_off: false,
            silent: Vec::new(),
            said: 0,
            script: None,
            me: Persona::new("Liar", session, room),
            inventions: BTreeMap::new(),
        };
        liar.swarm.behaviour_mut().gossip.subscribe(&topic(room)).expect("the topic");
        liar.dial();
        let hash = topic(room).hash();
        liar.until(|event| {
            matches!(event, SwarmEvent::Behaviour(BehaviourEvent::Gossip(gossipsub::Event::Subscribed { topic, .. }))
                if *topic == hash)
        })
        .await;
        liar
    }

    /// Dials the peer, again when it has hung up.
    pub fn dial(&mut self) {
        self.cut_off = false;
        // One that is under way already is as good.
        let _ = self.address.parse::<Multiaddr>().map(|address| self.swarm.dial(address));
    }

    /// Whether the peer has hung up.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        self.cut_off
    }

    /// How many messages and direct frames it has put into its queues.
    #[must_use]
    pub fn said(&self) -> u64 {
        self.said
    }

    /// How many connections it holds that say nothing.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.silent.len()
    }

    /// The room it is in.
    #[must_use]
    pub fn room(&self) -> &str {
        &self.room
    }

    /// Where its peer listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its own peer id.
    #[must_use]
    pub fn local(&self) -> &PeerId {
        self.swarm.local_peer_id()
    }

    /// The session of its peer, which is the key in its peer id.
    #[must_use]
    pub fn remote_session(&self) -> SessionId {
        let bytes = self.remote.to_bytes();
        SessionId(bytes.last_chunk().copied().unwrap_or_default())
    }

    /// Says something to the room, well signed by this peer; whether there was place for it in the queue.
    pub fn publish(&mut self, data: Vec<u8>) -> bool {
        let topic = topic(&self.room).hash();
        self.publish_to(topic.as_str(), data)
    }

    /// The same to any topic.
    pub fn publish_to(&mut self, topic: &str, data: Vec<u8>) -> bool {
        let me = *self.swarm.local_peer_id();
        let key = self.keypair.clone();
        let message = self.sign(&me, &key, topic, data);
        self.pass_on(&[message])
    }

    /// A message in the name of `from`, signed with a key, whosever it is.
    pub fn sign(&mut self, from: &PeerId, key: &Keypair, topic: &str, data: Vec<u8>) -> Signed {
        self.number += 1;
        Signed::new(from, key, self.number, topic, data)
    }

    /// A message in the name of somebody else with a signature of its own.
    pub fn forge(&mut self, from: &PeerId, data: Vec<u8>) -> Signed {
        let (topic, key) = (topic(&self.room).hash(), self.keypair.clone());
        self.sign(from, &key, topic.as_str(), data)
    }

    /// Messages as they are, at once and in as few RPCs as are read, as if they had come this way.
    pub fn pass_on(&mut self, messages: &[Signed]) -> bool {
        self.put(Piece::Pour(messages.chunks(IN_ONE).flat_map(rpc).collect(), messages.len() as u64))
    }

    /// Bytes on the stream of gossip. It is opened when there is none, and takes the place of the library's own.
    pub fn pour(&mut self, bytes: Vec<u8>) -> bool {
        self.put(Piece::Pour(bytes, 0))
    }

    /// Ends the stream that was poured to: the next bytes open another.
    pub fn end_stream(&mut self) {
        self.put(Piece::EndPour);
    }

    /// Says bytes on a stream of movements, whole items or not.
    pub fn stream(&mut self, bytes: Vec<u8>) -> bool {
        self.put(Piece::Stream(bytes))
    }

    /// Ends that stream: the next bytes open another.
    pub fn close_stream(&mut self) {
        self.put(Piece::EndStream);
    }

    /// Says something to the peer alone.
    pub fn send(&mut self, frame: &[u8]) {
        self.send_as_long_as(u32::try_from(16 + frame.len()).unwrap_or(u32::MAX), frame);
    }

    /// The same, with a length that need not be true.
    pub fn send_as_long_as(&mut self, length: u32, frame: &[u8]) {
        self.put(Piece::Send(bare::direct(length, &self.room, frame)));
    }

    /// What would be said, made and signed and not said.
    pub fn rehearse(&mut self, say: impl FnOnce(&mut Self)) -> Script {
        self.script = Some(Script::default());
        say(self);
        self.script.take().unwrap_or_default()
    }

    /// Says what was rehearsed.
    pub fn say(&mut self, script: Script) {
        for piece in script.0 {
            self.put(piece);
        }
    }

    /// Puts it into its queue, or down for later; false when there is no place.
    fn put(&mut self, piece: Piece) -> bool {
        if let Some(script) = &mut self.script {
            script.0.push(piece);
            return true;
        }
        let Behaviour { by_hand, stream, direct, .. } = self.swarm.behaviour_mut();
        match piece {
            Piece::Pour(bytes, messages) => {
                let poured = say_on(&mut self.pour, by_hand, &self.remote, bytes);
                self.said += if poured { messages } else { 0 };
                return poured;
            }
            Piece::EndPour => self.pour = None,
            Piece::Stream(bytes) => return say_on(&mut self.stream, stream, &self.remote, bytes),
            Piece::EndStream => self.stream = None,
            Piece::Send(message) => {
                direct.send_request(&self.remote, message);
                self.said += 1;
            }
        }
        true
    }

    /// Everything that gossip brought so far, signatures and all.
    #[must_use]
    pub fn tape(&self) -> Vec<gossipsub::RawMessage> {
        self.recorder.tape()
    }

    /// The certificate of a peer, as it told it of itself on this link.
    #[must_use]
    pub fn stolen(&self) -> Option<Certificate> {
        self.heard.iter().find_map(|frame| {
            let body = frame.strip_prefix(&[parlor_core::VERSION, forge::FULL])?;
            let ((_, _, certificate), _) = postcard::take_from_bytes::<(u64, Vec<u64>, Certificate)>(body).ok()?;
            Some(certificate)
        })
    }

    /// Runs the network until an event fits.
    ///
    /// # Panics
    /// When none does for long.
    pub async fn until(&mut self, fits: impl Fn(&SwarmEvent<BehaviourEvent>) -> bool) {
        let wait = async {
            loop {
                let event = self.swarm.select_next_some().await;
                let fits = fits(&event);
                self.hear(event);
                if fits {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("no such network event");
    }

    /// Runs the network until the peer has hung up.
    pub async fn until_cut_off(&mut self) {
        if !self.cut_off {
            self.until(|event| matches!(event, SwarmEvent::ConnectionClosed { num_established: 0, .. })).await;
        }
    }

    /// Runs the network until something else is done.
    pub async fn during<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = pin!(other);
        loop {
            tokio::select! {
                done = &mut other => return done,
                event = self.swarm.select_next_some() => self.hear(event),
            }
        }
    }

    /// Runs the network for a while.
    pub async fn pass(&mut self, time: Duration) {
        self.during(tokio::time::sleep(time)).await;
    }

    fn hear(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionClosed { num_established: 0, .. } => self.cut_off = true,
            SwarmEvent::Behaviour(BehaviourEvent::Direct(Event::Message {
                message: Message::Request { request, channel, .. },
                ..
            })) => {
                // What it does not answer its peer would wait for.
                let _ = self.swarm.behaviour_mut().direct.send_response(channel, ());
                let frame = request.get(20..).unwrap_or_default().to_vec();
                self.answer(&frame);
                if self.heard.len() < HEARD_MAX {
                    self.heard.push(frame);
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(gossipsub::Event::Message { message, .. })) => {
                self.answer(&message.data);
            }
            _ => {}
        }
    }

    /// Whoever asks for an invention is answered, so that it appears.
    fn answer(&mut self, frame: &[u8]) {
        let Some(body) = frame.strip_prefix(&[parlor_core::VERSION, forge::ASK]) else { return };
        let Ok((of, nonce)) = postcard::from_bytes::<(SessionId, u64)>(body) else { return };
        self.speak_for(of, vec![nonce]);
    }

    /// A session that nobody started tells of itself, by way of this peer.
    pub(crate) fn speak_for(&mut self, id: SessionId, echo: Vec<u64>) {
        let Some((key, mut persona)) = self.inventions.remove(&id) else { return };
        let from = key.public().to_peer_id();
        let full = persona.full(1, |full| {
            full.echo = echo;
            full.member = format!("{} {}", full.actor.name, full.certificate.session.short());
        });
        let beat = persona.beat();
        let topic = topic(&self.room).hash();
        let messages = [full, beat].map(|data| self.sign(&from, &key, topic.as_str(), data));
        self.pass_on(&messages);
        self.inventions.insert(id, (key, persona));
    }

    /// Makes up a session with a key, an identity and a record of its own.
    pub(crate) fn invent(&mut self, number: u32) -> SessionId {
        let pair = libp2p::identity::ed25519::Keypair::generate();
        let id = SessionId(pair.public().to_bytes());
        let persona = Persona::new(&format!("nobody {number}"), id, &self.room);
        self.inventions.insert(id, (pair.into(), persona));
        id
    }
}

/// Bytes on a stream that stays open. It is opened when there is none; false when too much waits for it.
fn say_on(
    open: &mut Option<mpsc::Sender<Vec<u8>>>,
    streams: &mut request_response::Behaviour<Endless>,
    remote: &PeerId,
    bytes: Vec<u8>,
) -> bool {
    if open.as_ref().is_none_or(mpsc::Sender::is_closed) {
        let (sender, stream) = mpsc::channel(POUR);
        streams.send_request(remote, stream);
        *open = Some(sender);
    }
    open.as_mut().is_some_and(|open| open.try_send(bytes).is_ok())
}
