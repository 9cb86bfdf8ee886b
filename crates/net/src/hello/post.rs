//! The socket, and the task that minds it. It stands apart from the actor, so that a flood of packets costs the rooms
//! nothing: what is not read is dropped by the system.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use libp2p::Multiaddr;
use parlor_core::{SessionId, Tick};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::ears::{Ear, Ears};
use super::manners::{Manners, Outcome, Place};
use super::ration::Ration;
use super::word::{LENGTH, Way};
use super::{Heard, PORT};
use crate::address::Subnet;
use crate::clock::Clock;

/// Of those that stay within an organisation (RFC 2365), and nobody else's.
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 47, 57);
/// Between two tellings of what was refused.
const TELL_MS: u64 = 1_000;
/// What the actor has not taken yet.
const WAITING: usize = 128;

/// The actor's end.
pub(crate) struct Hello {
    /// What was heard. Never ends while the task runs.
    pub heard: mpsc::Receiver<Heard>,
    ears: watch::Receiver<Ears>,
    subnets: watch::Sender<Vec<Subnet>>,
}

impl Hello {
    /// One that hears nothing, because it is switched off or cannot be.
    pub(crate) fn silent() -> Self {
        Self {
            heard: mpsc::channel(1).1,
            ears: watch::Sender::default().subscribe(),
            subnets: watch::Sender::default(),
        }
    }

    /// The networks that this computer is in.
    pub(crate) fn subnets(&self, subnets: Vec<Subnet>) {
        self.subnets.send_replace(subnets);
    }

    /// What came through since it last began to ask.
    pub(crate) fn ears(&self) -> Ears {
        self.ears.borrow().clone()
    }

    /// The computer woke, or somebody wants to know how things are: others may be here by now.
    pub(crate) fn again(&self) {
        self.subnets.send_modify(|_| {});
    }
}

/// Takes the port and starts the task, which ends with its [`Hello`].
///
/// # Errors
/// When the system does not give the port.
pub(crate) fn start(
    me: SessionId,
    seed: u64,
    clock: Clock,
    listeners: watch::Receiver<Vec<String>>,
) -> io::Result<Hello> {
    let socket = open()?;
    let (told, heard) = mpsc::channel(WAITING);
    let (subnets, ears) = (watch::Sender::default(), watch::Sender::default());
    let heard_so_far = ears.subscribe();
    let post = Post {
        socket,
        manners: Manners::new(me, seed),
        clock,
        joined: Vec::new(),
        counted: BTreeMap::new(),
        told_at: clock.now(),
        ration: Ration::new(clock.now()),
        ears,
        told,
    };
    tokio::spawn(post.run(subnets.subscribe(), listeners));
    Ok(Hello { heard, ears: heard_so_far, subnets })
}

/// Peers of one computer share the port.
fn open() -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    // The BSDs share a port only so; on Linux it would deal out packets among the peers at random.
    #[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
    socket.set_reuse_port(true)?;
    socket.set_broadcast(true)?;
    socket.set_ttl_v4(1)?;
    socket.set_multicast_ttl_v4(1)?;
    socket.set_multicast_loop_v4(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, PORT).into())?;
    UdpSocket::from_std(socket.into())
}

struct Post {
    socket: UdpSocket,
    manners: Manners,
    clock: Clock,
    /// The networks in whose group we are.
    joined: Vec<Ipv4Addr>,
    /// Refused, and not told yet.
    counted: BTreeMap<&'static str, u64>,
    told_at: Tick,
    ration: Ration,
    ears: watch::Sender<Ears>,
    told: mpsc::Sender<Heard>,
}

impl Post {
    async fn run(mut self, mut subnets: watch::Receiver<Vec<Subnet>>, mut listeners: watch::Receiver<Vec<String>>) {
        // One byte more than a word, so that a longer packet is not taken for one.
        let mut bytes = [0; LENGTH + 1];
        loop {
            let now = self.clock.now();
            if now.since(self.told_at) >= TELL_MS {
                self.told_at = now;
                self.tell_counts();
            }
            self.ask(now).await;
            let may_read = self.ration.any(now);
            let dues = self.manners.next_deadline().into_iter().chain(self.ration.next());
            let next = dues.fold(self.told_at.plus(TELL_MS), Tick::min);
            let wait = Instant::now() + Duration::from_millis(next.since(now).max(1));
            tokio::select! {
                () = self.told.closed() => return,
                changed = subnets.changed() => match changed {
                    Ok(()) => self.look_around(&subnets.borrow_and_update(), &listeners.borrow_and_update()),
                    Err(_) => return,
                },
                Ok(()) = listeners.changed() => {
                    self.look_around(&subnets.borrow_and_update(), &listeners.borrow_and_update());
                }
                got = self.socket.recv_from(&mut bytes), if may_read => {
                    self.ration.take();
                    // An error is that of a packet sent before, or one too long where the system says so.
                    if let Ok((length, SocketAddr::V4(from))) = got {
                        self.packet(bytes.get(..length).unwrap_or_default(), from).await;
                    }
                }
                () = tokio::time::sleep_until(wait) => {}
            }
        }
    }

    fn look_around(&mut self, subnets: &[Subnet], listeners: &[String]) {
        let listeners: Vec<Multiaddr> = listeners.iter().filter_map(|address| address.parse().ok()).collect();
        let places = Place::all(subnets, &listeners);
        for place in &places {
            if !self.joined.contains(&place.ip) && self.socket.join_multicast_v4(GROUP, place.ip).is_ok() {
                self.joined.push(place.ip);
            }
        }
        let Self { joined, socket, .. } = self;
        joined.retain(|ip| {
            let stays = places.iter().any(|place| place.ip == *ip);
            if !stays {
                // The group went with the network, as a rule.
                let _ = socket.leave_multicast_v4(GROUP, *ip);
            }
            stays
        });
        self.ears.send_replace(Ears::at(places.iter().map(|place| place.ip)));
        self.manners.begin(places, self.clock.now());
    }

    /// A network that is full, or gone, is no reason not to ask in the others.
    async fn ask(&mut self, now: Tick) {
        for asked in self.manners.poll(now) {
            let here = asked.place.ip;
            let mut sent = SockRef::from(&self.socket).set_multicast_if_v4(&here);
            if sent.is_ok() {
                sent = self.socket.send_to(&asked.multicast, (GROUP, PORT)).await.map(drop);
            }
            self.note(here, Way::Multicast, |ear| ear.refused |= sent.is_err());
            if let Some(broadcast) = asked.place.broadcast() {
                let sent = self.socket.send_to(&asked.broadcast, (broadcast, PORT)).await;
                self.note(here, Way::Broadcast, |ear| ear.refused |= sent.is_err());
            }
        }
    }

    async fn packet(&mut self, bytes: &[u8], from: SocketAddrV4) {
        match self.manners.heard(bytes, *from.ip(), self.clock.now()) {
            Outcome::Own(way) => self.note(*from.ip(), way, |ear| ear.echo = true),
            Outcome::Answer(answer) => {
                let _ = self.socket.send_to(&answer, from).await;
            }
            Outcome::Found { peer, addresses, way } => {
                self.ears.send_modify(|ears| ears.answered(peer, *from.ip(), way, self.clock.now()));
                if self.told.try_send(Heard::Peer { peer, addresses }).is_err() {
                    self.count("hello_flood");
                }
            }
            Outcome::Refused(name) => self.count(name),
        }
    }

    fn note(&self, here: Ipv4Addr, way: Way, change: impl FnOnce(&mut Ear)) {
        self.ears.send_if_modified(|ears| ears.note(here, way, change));
    }

    fn count(&mut self, name: &'static str) {
        *self.counted.entry(name).or_default() += 1;
    }

    fn tell_counts(&mut self) {
        if self.ration.ran_out() {
            self.count("hello_flood");
        }
        let Self { counted, told, .. } = self;
        counted.retain(|name, times| told.try_send(Heard::Counted(name, *times)).is_err());
    }
}
