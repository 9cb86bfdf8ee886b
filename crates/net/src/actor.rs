//! The task that owns the swarm and the replicas. It waits for whichever comes first of a command, something from the
//! network, news of the surroundings and a deadline; handles it; and then lets every replica say what it has to say.
//! Nothing in it blocks, and nothing outside it touches what it owns.

mod dials;
mod frames;
mod inspect;
mod lab;
mod line;
mod observe;
mod peers;
mod porch;
mod relays;
mod room;
mod rooms;
mod upkeep;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use libp2p::core::transport::ListenerId;
use libp2p::gossipsub::TopicHash;
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, mdns};
use parlor_core::{Certificate, Continuation, RoomId, Tick, Verifier};
use prometheus_client::registry::Registry;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tracing::{Instrument as _, debug, info};

use crate::address;
use crate::behaviour::{self, Behaviour, BehaviourEvent, Wanted};
use crate::budget::{FROM_AUTHOR, FROM_NEIGHBOUR, OF_STRANGERS, PASSED_ON, Purses};
use crate::check::DiscoveryState;
use crate::clock::Clock;
use crate::config::{Discovery, NetConfig, NetError};
use crate::counters::Counters;
use crate::dialler::{Dialler, Source};
use crate::handle::{Command, Views};
use crate::hello::{self, Heard, Hello};
use crate::info::{NearRoom, NetworkState};
use crate::lab::{Cutting, Fault, LabNetwork};
use crate::listen::{self, Listening};
use crate::lobby::Lobby;
use crate::meeting::Meeting;
use crate::meter::{Stint, give_way, or_wait};
use crate::outage::Outage;
use crate::surroundings::{self, Homes, Interfaces, Surroundings};
use crate::tags;
use crate::topic::Tag;
use crate::woken::Woken;
use dials::Purpose;
use inspect::Inspectors;
use lab::Bench;
use line::Line;
use peers::Peer;
use room::{Room, Whom};

/// Commands that may wait for the actor; a caller beyond that waits itself.
const COMMANDS: usize = 256;
/// Between two rounds of [`Actor::every_second`].
const ROUND_MS: u64 = 1_000;
/// A leave goes out three times over 400 ms (design R8); then the room, or the peer, may go.
const LEAVING_MS: u64 = 430;
/// And then connections are closed in order, for as long as this.
const CLOSING_MS: u64 = 60;
/// How long `start` waits for the listeners to tell their addresses. Without a network there may be none.
const ADDRESSES_WAIT: Duration = Duration::from_millis(500);

/// An interface that is told of this much later counts as a new one.
const ADDRESSES_PAUSE: Duration = Duration::from_millis(20);

const _: () = assert!(LEAVING_MS + CLOSING_MS <= 500, "a polite end takes half a second at most");
const _: () = assert!(parlor_core::limits::LEAVE_REPEATS_MS[1] < LEAVING_MS, "every repeat goes out");

/// Which ways to find peers are in use.
struct Ways {
    mdns: DiscoveryState,
    hello: DiscoveryState,
}

/// See the module.
struct Actor {
    clock: Clock,
    wall: fn() -> u64,
    rng: ChaCha8Rng,
    me: PeerId,
    certificate: Certificate,
    verifier: Arc<dyn Verifier>,
    loopback_only: bool,
    swarm: Swarm<Behaviour>,
    rooms: BTreeMap<RoomId, Room>,
    topics: HashMap<TopicHash, RoomId>,
    /// What goes by gossip, or to one peer alone, once what goes to all by streams had its turn.
    waiting: Vec<(Tag, Whom, Vec<u8>)>,
    /// Until when all of it waits, when streams have said it and it is left to those who have none.
    held_until: Option<Tick>,
    /// Whether something goes by streams, whose connections had no turn since.
    gives_way: bool,
    /// How far we had counted in any room that was closed. One mark for all of them, so it does not grow with the rooms
    /// that were ever opened. To begin beyond it is beyond what anybody remembers of us in the room that is opened again,
    /// and in one that is new nothing is remembered.
    left: Continuation,
    peers: BTreeMap<PeerId, Peer>,
    woken: Woken,
    dialler: Dialler,
    meeting: Meeting,
    /// Who asked for which place at a relay.
    places: HashMap<ListenerId, PeerId>,
    /// Who has a place here, when this peer is a relay.
    guests: BTreeSet<PeerId>,
    pending: HashMap<ConnectionId, Purpose>,
    lobby: Lobby,
    outage: Outage,
    /// What the replicas were told last.
    out: bool,
    /// A later run of this profile is known, so that no room here is written to any more (design R2).
    outranked: bool,
    interfaces: Option<Interfaces>,
    homes: Homes,
    hello: Hello,
    ways: Ways,
    counters: Counters,
    inspectors: Inspectors,
    /// What neighbours may still send.
    senders: Purses,
    /// What authors may still have sent.
    authors: Purses,
    /// What of theirs may still be passed on.
    passed_on: Purses,
    /// The same of strangers, by the neighbour who brings it.
    of_strangers: Purses,
    /// Cells whose turn to be judged comes.
    line: Line,
    /// Who sent far too much, and until when nothing is taken from them.
    cut_off: Vec<(PeerId, Tick)>,
    /// Frames of private rooms that this process sealed: no two may have the same number.
    sealed: u64,
    /// In a lab alone.
    bench: Option<Box<Bench>>,
    cutting: Cutting,
    /// Peers whose frames are lost on purpose.
    deaf_to: BTreeSet<PeerId>,
    listen: watch::Sender<Vec<String>>,
    near: watch::Sender<Arc<Vec<NearRoom>>>,
    network: watch::Sender<NetworkState>,
    relays: watch::Sender<Vec<String>>,
    /// When the rooms near are shown again, because something was heard of one.
    near_due: Option<Tick>,
    near_shown: Tick,
}

/// Binds and starts the task.
pub(crate) async fn start(config: NetConfig) -> Result<(mpsc::Sender<Command>, Views), NetError> {
    let listen = listen::parse(&config.listen)?;
    let wishes = wishes(&config.dial)?;
    let here = !listen.is_empty() && listen.iter().all(address::is_loopback);
    let me = config.session.peer();
    let relays = config.discovery.relays && !config.relay;
    let discovery = Discovery { relays, ..if here { Discovery::NONE } else { config.discovery } };
    let mut traffic = Registry::with_prefix("parlor");
    let clock = Clock::start();
    let wanted = Wanted { discovery, relay: config.relay, lab: config.lab };
    let (mut swarm, mdns_failed) =
        behaviour::swarm(&config.session, &wanted, clock, &mut traffic).map_err(|reason| NetError::Start { reason })?;
    let listening = listen::listen(&mut swarm, &listen)?;
    let lobby = Tag::LOBBY.topic();
    swarm.behaviour_mut().gossip.subscribe(&lobby).map_err(|error| NetError::Start { reason: error.to_string() })?;

    let lab = watch::Sender::new(LabNetwork::default());
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    let mut actor = Actor {
        clock,
        wall: config.wall,
        me,
        certificate: config.certificate,
        verifier: config.verifier,
        loopback_only: listening.loopback_only,
        swarm,
        rooms: BTreeMap::new(),
        topics: HashMap::new(),
        waiting: Vec::new(),
        held_until: None,
        gives_way: false,
        left: Continuation::default(),
        peers: BTreeMap::new(),
        woken: Woken::default(),
        dialler: Dialler::new(me, rand::Rng::random(&mut rng), wishes, clock.now()),
        meeting: Meeting::new(discovery.relays, rand::Rng::random(&mut rng)),
        places: HashMap::new(),
        guests: BTreeSet::new(),
        pending: HashMap::new(),
        lobby: Lobby::new(rand::Rng::random(&mut rng)),
        outage: Outage::new(listening.loopback_only),
        out: false,
        outranked: false,
        interfaces: None,
        homes: Homes::default(),
        hello: Hello::silent(),
        ways: Ways { mdns: DiscoveryState::of(discovery.mdns), hello: DiscoveryState::of(discovery.hello) },
        counters: Counters::default(),
        inspectors: Inspectors::none(),
        senders: Purses::new(FROM_NEIGHBOUR),
        authors: Purses::new(FROM_AUTHOR),
        passed_on: Purses::new(PASSED_ON),
        of_strangers: Purses::new(OF_STRANGERS),
        line: Line::default(),
        cut_off: Vec::new(),
        sealed: 0,
        bench: config.lab.then(|| Bench::new(lab.clone())),
        cutting: Cutting::new(),
        deaf_to: BTreeSet::new(),
        listen: watch::Sender::new(Vec::new()),
        near: watch::Sender::default(),
        network: watch::Sender::default(),
        relays: watch::Sender::default(),
        near_due: None,
        near_shown: Tick(0),
        rng,
    };
    if mdns_failed {
        info!(kind = "mdns", reason = "it cannot be started", "a way to find peers is not there");
        actor.counters.count("mdns_unavailable");
        actor.ways.mdns = DiscoveryState::Unavailable;
    }
    if discovery.hello {
        match hello::start(config.session.id(), rand::Rng::random(&mut actor.rng), clock, actor.listen.subscribe()) {
            Ok(hello) => actor.hello = hello,
            Err(reason) => {
                info!(kind = "hello", %reason, "a way to find peers is not there");
                actor.counters.count("hello_unavailable");
                actor.ways.hello = DiscoveryState::Unavailable;
            }
        }
    }
    if let Ok(interfaces) = Interfaces::read() {
        actor.look_around(Surroundings { interfaces, neighbours: Vec::new() }, clock.now());
    }
    let views = Views {
        listen: actor.listen.subscribe(),
        near: actor.near.subscribe(),
        network: actor.network.subscribe(),
        relays: actor.relays.subscribe(),
        lab: lab.subscribe(),
        traffic: Arc::new(traffic),
    };
    let (commands, receiver) = mpsc::channel(COMMANDS);
    let orders = Orders { receiver, waiting: VecDeque::new() };
    let span = tracing::info_span!("session", session = tags::peer(&me));
    tokio::spawn(actor.run(orders, surroundings::watch(config.neighbours, me)).instrument(span));
    let _ = tokio::time::timeout(ADDRESSES_WAIT, addresses_known(views.listen.clone(), listening)).await;
    Ok((commands, views))
}

/// Waits until every listener has told an address, and a wildcard those of all interfaces: they come one by one.
async fn addresses_known(mut known: watch::Receiver<Vec<String>>, listening: Listening) {
    let tcp_and_quic =
        |known: &[String]| ["/tcp/", "/quic-v1"].iter().all(|part| known.iter().any(|a| a.contains(part)));
    let enough = |known: &Vec<String>| known.len() >= listening.count && (!listening.anywhere || tcp_and_quic(known));
    let _ = known.wait_for(enough).await;
    while listening.wildcard && tokio::time::timeout(ADDRESSES_PAUSE, known.changed()).await.is_ok_and(|ok| ok.is_ok())
    {
    }
}

fn wishes(dial: &[String]) -> Result<Vec<Multiaddr>, NetError> {
    let bad = |text: &String| NetError::BadAddress { address: text.clone(), what: "dial" };
    let typed = |text: &String| address::typed(text).map_err(|_| bad(text));
    Ok(dial.iter().map(typed).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// What callers ask for. Some of it may have had to wait, while the driver was put to sleep.
struct Orders {
    receiver: mpsc::Receiver<Command>,
    waiting: VecDeque<Command>,
}

impl Orders {
    /// The next; `None` when there is nobody to ask for anything any more.
    async fn next(&mut self) -> Option<Command> {
        match self.waiting.pop_front() {
            Some(command) => Some(command),
            None => self.receiver.recv().await,
        }
    }

    /// Whether more of it may wait.
    fn has_room(&self) -> bool {
        self.waiting.len() < COMMANDS
    }
}

/// What the actor does next.
#[expect(clippy::large_enum_variant, reason = "there is one of it at a time")]
enum Next {
    Command(Option<Command>),
    Network(SwarmEvent<BehaviourEvent>),
    Hello(Heard),
    Surroundings(Surroundings),
    /// Judges what stands in line.
    InLine,
    /// Lets the replicas run, because one wants to or a second is over.
    Due,
}

impl Actor {
    async fn run(mut self, mut orders: Orders, mut surroundings: mpsc::Receiver<Surroundings>) {
        let mut woke = self.clock.now();
        let mut round = woke;
        let mut heard = false;
        let mut stint = Stint::begin();
        loop {
            if self.is_asleep() {
                self.sleep(&mut orders).await;
            }
            let now = self.clock.now();
            if now.since(woke) > upkeep::JUMP_MS {
                self.resumed(now);
            }
            woke = now;
            if round <= now {
                self.every_second(now);
                round = now.plus(ROUND_MS);
            }
            self.settle(now);
            if !self.waiting.is_empty() && self.held_until.is_none_or(|until| until <= now) {
                give_way().await;
                self.say_waiting();
            }
            debug_assert_eq!(
                self.waiting.is_empty(),
                self.held_until.is_none(),
                "nothing waits for what may come late"
            );
            let due = [self.dialler.next_deadline(), self.meeting.next_deadline(), self.held_until];
            let first = due.into_iter().flatten().fold(round, Tick::min);
            let wait = Instant::now() + self.until_deadline(first, now);
            let (next, waited) = or_wait(async {
                tokio::select! {
                    command = orders.next() => Next::Command(command),
                    event = self.swarm.select_next_some() => Next::Network(event),
                    Some(hello) = self.hello.heard.recv() => Next::Hello(hello),
                    Some(seen) = surroundings.recv() => Next::Surroundings(seen),
                    // Connections are tasks of their own, which bring the next cursor: they go first.
                    () = tokio::task::yield_now(), if !self.line.is_empty() => Next::InLine,
                    () = tokio::time::sleep_until(wait) => Next::Due,
                }
            })
            .await;
            // There may be no end to what one connection brings, and another has the next cursor. Who waited gave way.
            let brought = std::mem::take(&mut heard);
            if waited && self.line.is_empty() {
                stint.waited();
            } else {
                stint.give_way();
            }
            if brought && !waited {
                give_way().await;
            }
            self.gives_way &= !(brought || waited);
            match next {
                Next::Command(None) => return,
                Next::Command(Some(Command::Shutdown { reply })) => {
                    orders.receiver.close();
                    orders.waiting.clear();
                    self.shut_down().await;
                    // The ports first: who asked may begin another session on them.
                    drop(self);
                    let _ = reply.send(());
                    return;
                }
                Next::Command(Some(Command::Lab { fault: Fault::Crash, reply })) => {
                    // The sockets first: who asked then knows that the ports are on their way to be free.
                    drop(self);
                    let _ = reply.send(Ok(()));
                    return;
                }
                Next::Command(Some(command)) => self.command(command),
                Next::Network(event) => {
                    self.network_event(event);
                    heard = true;
                }
                Next::Hello(hello) => self.said_hello(hello, self.clock.now()),
                Next::Surroundings(seen) => self.look_around(seen, self.clock.now()),
                Next::InLine => self.next_in_line(self.clock.now()),
                Next::Due => {}
            }
        }
    }

    /// Everything that follows from what just happened.
    fn settle(&mut self, now: Tick) {
        self.mind_inspectors();
        self.let_pass(now);
        self.pump(now);
        self.outrank_all(now);
        self.drop_closed(now);
        if self.near_due.is_some_and(|due| due <= now) {
            self.show_near(now);
        }
        self.run_dialler(now);
        self.run_meeting(now);
        self.cuts_made();
        self.show_lab();
        self.show_inspectors(now);
    }

    /// How long to sleep: until a room wants something, at most until `latest`.
    fn until_deadline(&self, latest: Tick, now: Tick) -> Duration {
        let rooms =
            self.rooms.values().flat_map(|room| [room.replica.next_deadline().filter(|_| room.entered), room.closing]);
        let first = rooms.flatten().chain(self.near_due).chain(self.late_due()).fold(latest, Tick::min);
        // A deadline that stays in the past must not become a busy loop.
        Duration::from_millis(first.since(now).max(1))
    }

    fn command(&mut self, command: Command) {
        // Answers to those who have gone away are nobody's loss.
        match command {
            Command::Prepare { room, secret, reply } => {
                let _ = reply.send(self.prepare(room, secret));
            }
            Command::Enter { room, earlier, reply } => {
                let entered = self.enter(&room);
                if entered.is_ok() {
                    self.open_porches(&room, earlier, self.clock.now());
                }
                self.settle(self.clock.now());
                let _ = reply.send(entered);
            }
            Command::Close { room, reply } => {
                self.close(&room);
                self.settle(self.clock.now());
                let _ = reply.send(());
            }
            Command::ChangeKey { room, secret, reply } => {
                let changed = self.change_key(&room, secret);
                self.settle(self.clock.now());
                let _ = reply.send(changed);
            }
            Command::With { room, call } => {
                let answer = self.call(&room, call);
                self.settle(self.clock.now());
                answer();
            }
            Command::Dial { address, reply } => self.dial_typed(address, reply),
            Command::Peers { reply } => {
                let _ = reply.send(self.infos(self.clock.now()));
            }
            Command::AskAround { reply } => {
                let _ = reply.send(self.ask_around());
            }
            Command::Observe { reply } => {
                let _ = reply.send(self.observe(self.clock.now()));
            }
            Command::Inspect { bytes, reply } => {
                let _ = reply.send(self.inspect(bytes));
            }
            Command::Counters { reply } => {
                let _ = reply.send(self.all_counters());
            }
            Command::Lab { fault, reply } => self.fault(fault, reply, self.clock.now()),
            Command::Shutdown { reply } => drop::<oneshot::Sender<()>>(reply),
        }
    }

    fn network_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        let now = self.clock.now();
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => self.gossip(event, now),
            SwarmEvent::Behaviour(BehaviourEvent::Direct(event)) => self.direct(event, now),
            SwarmEvent::Behaviour(BehaviourEvent::Streams(event)) => self.streamed(event, now),
            SwarmEvent::Behaviour(BehaviourEvent::Clocks(event)) => self.clocks(event, now),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(event)) => self.pinged(&event, now),
            SwarmEvent::Behaviour(BehaviourEvent::Identify(event)) => self.identified(event, now),
            // Expired says nothing about a peer (design N7).
            SwarmEvent::Behaviour(BehaviourEvent::Mdns(mdns::Event::Discovered(peers))) => {
                for (peer, address) in peers {
                    self.dialler.heard(peer, &address, Source::Mdns, false, now);
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Relay(event)) => self.relayed_for_others(&event),
            SwarmEvent::Behaviour(BehaviourEvent::Register(event)) => self.registered_others(event, now),
            SwarmEvent::Behaviour(BehaviourEvent::Circuits(event)) => self.circuit(event, now),
            SwarmEvent::Behaviour(BehaviourEvent::Rendezvous(event)) => self.rendezvous(event, now),
            SwarmEvent::Behaviour(_) => {}
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.connection_opened(peer_id, connection_id, &endpoint, now);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
                self.connection_closed(peer_id, connection_id, cause.as_ref(), now);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.dial_failed(connection_id, &error, now);
            }
            SwarmEvent::IncomingConnectionError { error, .. } => {
                debug!(reason = %error, "somebody who dialled did not get in");
                self.counters.count("incoming_failed");
            }
            SwarmEvent::NewListenAddr { address, .. } => {
                debug!(%address, "an address is listened on");
                self.listens(address, true);
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                debug!(%address, "an address is gone");
                self.listens(address, false);
            }
            SwarmEvent::ListenerClosed { listener_id, addresses, reason } => {
                if !self.place_lost(listener_id, now) {
                    info!(?reason, "a listener is closed");
                    self.counters.count("listener_closed");
                }
                addresses.into_iter().for_each(|address| self.listens(address, false));
            }
            SwarmEvent::ListenerError { error, .. } => {
                info!(reason = %error, "a listener is in trouble");
                self.counters.count("listener_error");
            }
            _ => {}
        }
    }

    /// An address is listened on, or no longer.
    fn listens(&mut self, address: Multiaddr, still: bool) {
        if address::is_relayed(&address) {
            return;
        }
        let listeners = self.swarm.listeners().filter(|address| !address::is_relayed(address));
        self.listen.send_replace(listeners.map(ToString::to_string).collect());
        self.reachable_at(address, still);
    }

    fn all_counters(&self) -> BTreeMap<String, u64> {
        let mut counters = self.counters.read();
        for (name, count) in self.rooms.values().flat_map(|room| room.replica.counters().iter()) {
            *counters.entry(name.to_owned()).or_default() += count;
        }
        counters
    }

    /// Leaves every room, keeps the network running until the leaves are out, and closes the connections.
    async fn shut_down(&mut self) {
        let now = self.clock.now();
        let parting = |room: &Room| room.replica.own_members() > 0 || room.replica.is_parting();
        let wait = match self.rooms.values().any(parting) && !self.peers.is_empty() {
            true => LEAVING_MS,
            false => 0,
        };
        for room in self.rooms.values_mut() {
            room.replica.leave_all(now);
        }
        self.pump(now);
        self.advertise(now);
        self.poll_until(now.plus(wait), |_| false).await;
        for peer in self.peers.keys().copied().collect::<Vec<_>>() {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let end = self.clock.now().plus(CLOSING_MS);
        self.poll_until(end, |actor| actor.peers.is_empty()).await;
    }

    /// Runs the network and the replicas, without commands and without dialling.
    async fn poll_until(&mut self, end: Tick, done: impl Fn(&Self) -> bool) {
        loop {
            let now = self.clock.now();
            self.let_pass(now);
            self.pump(now);
            self.say_waiting();
            if now >= end || done(self) {
                return;
            }
            let wait = Instant::now() + self.until_deadline(end, now);
            tokio::select! {
                event = self.swarm.select_next_some() => self.network_event(event),
                () = tokio::time::sleep_until(wait) => {}
            }
        }
    }
}
