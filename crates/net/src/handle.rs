//! The outside of the driver: a handle that is cheap to clone, and a port per room.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parlor_core::{Error, ErrorCode, Event, Replica, RoomId, SessionId, Snapshot, Tick};
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::registry::Registry;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::actor;
use crate::address;
use crate::check::{self, DiscoveryCheck, NetworkCheck, Observation};
use crate::config::{NetConfig, NetError};
use crate::history::History;
use crate::info::{NearRoom, NetworkState, PeerInfo};
use crate::inspect::Inspection;
use crate::lab::{Fault, Lab, LabNetwork};
use crate::seal::RoomSecret;

/// A closure over a room's replica, or over the reason why there is none. It returns what sends the answer, for the
/// actor to run when everything that the replica wanted to say has gone out.
pub(crate) type Call = Box<dyn FnOnce(Result<(&mut Replica, Tick), Error>) -> Box<dyn FnOnce() + Send> + Send>;

/// What a handle asks of the actor.
pub(crate) enum Command {
    Prepare { room: RoomId, secret: Option<RoomSecret>, reply: oneshot::Sender<Result<RoomPort, Error>> },
    Enter { room: RoomId, earlier: Vec<(RoomSecret, u64)>, reply: oneshot::Sender<Result<(), Error>> },
    ChangeKey { room: RoomId, secret: RoomSecret, reply: oneshot::Sender<Result<(), Error>> },
    Close { room: RoomId, reply: oneshot::Sender<()> },
    With { room: RoomId, call: Call },
    Dial { address: String, reply: oneshot::Sender<Result<PeerInfo, Error>> },
    Peers { reply: oneshot::Sender<Vec<PeerInfo>> },
    AskAround { reply: oneshot::Sender<Duration> },
    Observe { reply: oneshot::Sender<Observation> },
    Inspect { bytes: bool, reply: oneshot::Sender<Inspection> },
    Counters { reply: oneshot::Sender<BTreeMap<String, u64>> },
    Lab { fault: Fault, reply: oneshot::Sender<Result<(), Error>> },
    Shutdown { reply: oneshot::Sender<()> },
}

/// What the actor publishes without being asked.
#[derive(Clone)]
pub(crate) struct Views {
    pub listen: watch::Receiver<Vec<String>>,
    pub near: watch::Receiver<Arc<Vec<NearRoom>>>,
    pub network: watch::Receiver<NetworkState>,
    pub relays: watch::Receiver<Vec<String>>,
    /// What a lab does.
    pub lab: watch::Receiver<LabNetwork>,
    /// Bytes that came and went.
    pub traffic: Arc<Registry>,
}

/// A running driver.
///
/// Dropping the last handle stops it at once and without a leave, as a crash would; [`NetHandle::shutdown`] is the
/// polite way.
#[derive(Clone)]
pub struct NetHandle {
    commands: mpsc::Sender<Command>,
    views: Views,
    session: SessionId,
    peer_id: Arc<str>,
    lab: bool,
}

impl NetHandle {
    /// Binds the listeners and starts the task. Works without any network; peers are looked for when there is one.
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// An address that cannot be read, a port that is taken, or a system that refuses: each names the address.
    pub async fn start(config: NetConfig) -> Result<NetHandle, NetError> {
        let session = config.session.id();
        let peer_id = config.session.peer_id().into();
        let lab = config.lab;
        let (commands, views) = actor::start(config).await?;
        Ok(NetHandle { commands, views, session, peer_id, lab })
    }

    /// The session of this process.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        self.session
    }

    /// Its peer id, in base58.
    #[must_use]
    pub fn peer_id(&self) -> String {
        self.peer_id.to_string()
    }

    /// Where it listens now, without peer ids; a wildcard shows as the addresses of the interfaces that are up.
    #[must_use]
    pub fn listen_addrs(&self) -> Vec<String> {
        self.views.listen.borrow().clone()
    }

    /// Those of them that others can reach; the ones of this computer alone when there are no others.
    #[must_use]
    pub fn reachable_addrs(&self) -> Vec<String> {
        let all = self.listen_addrs();
        let only_here = |text: &String| text.parse().is_ok_and(|address| address::is_loopback(&address));
        let others: Vec<String> = all.iter().filter(|text| !only_here(text)).cloned().collect();
        if others.is_empty() { all } else { others }
    }

    /// Where the relays are at which this peer can be met now, a few addresses of each: whoever is connected to one of them
    /// meets this peer. Without peer ids.
    #[must_use]
    pub fn relay_addrs(&self) -> Vec<String> {
        self.views.relays.borrow().clone()
    }

    /// The rooms that peers near advertise.
    #[must_use]
    pub fn near(&self) -> watch::Receiver<Arc<Vec<NearRoom>>> {
        self.views.near.clone()
    }

    /// What the interfaces allow.
    #[must_use]
    pub fn network(&self) -> watch::Receiver<NetworkState> {
        self.views.network.clone()
    }

    /// Enters an open room's topic and begins to replicate it. A room that is open already answers its port again.
    ///
    /// # Errors
    /// `TOO_MANY_ROOMS` when 32 are open, `INVALID_TICKET` while another room of that name is open here,
    /// `NETWORK_UNAVAILABLE` when the driver has stopped. Nothing was touched.
    pub async fn open(&self, room: RoomId) -> Result<RoomPort, Error> {
        let port = self.prepare(room.clone(), None).await?;
        self.enter(room, Vec::new()).await?;
        Ok(port)
    }

    /// The first half of opening a room: there is a replica of it, which [`with`](NetHandle::with) reaches, and nobody is
    /// told and nobody is heard. For giving it what was kept of the room, before [`enter`](NetHandle::enter). A room that
    /// is open already answers its port again.
    ///
    /// # Errors
    /// Those of [`open`](NetHandle::open).
    pub async fn prepare(&self, room: RoomId, secret: Option<RoomSecret>) -> Result<RoomPort, Error> {
        self.ask(|reply| Command::Prepare { room, secret, reply }).await?
    }

    /// The second half: enters the room's topic. See [`open_private`](NetHandle::open_private) for `earlier`. No-op for a
    /// room that was entered.
    ///
    /// # Errors
    /// `NOT_FOUND` for a room that was not prepared, `NETWORK_UNAVAILABLE`.
    pub async fn enter(&self, room: RoomId, earlier: Vec<(RoomSecret, u64)>) -> Result<(), Error> {
        self.ask(|reply| Command::Enter { room, earlier, reply }).await?
    }

    /// The same with a private room (design N8): only those who have its secret are met there, its frames are sealed, and
    /// it is never advertised. On the topics of `earlier` secrets, each for as many milliseconds (a day at most), whoever
    /// comes back with one of them is told the key that is in force.
    ///
    /// # Errors
    /// Those of [`open`](NetHandle::open).
    pub async fn open_private(
        &self,
        room: RoomId,
        secret: RoomSecret,
        earlier: Vec<(RoomSecret, u64)>,
    ) -> Result<RoomPort, Error> {
        let port = self.prepare(room.clone(), Some(secret)).await?;
        self.enter(room, earlier).await?;
        Ok(port)
    }

    /// Moves an open private room to another secret of the same room, and stays on the topic of the one before for a day
    /// to hand on the key. Members that come over are not seen to go.
    ///
    /// # Errors
    /// `NOT_FOUND` for a room that is not open, `INVALID_TICKET` when another room of that name is, `NETWORK_UNAVAILABLE`
    /// when the driver has stopped. Nothing was touched.
    pub async fn change_key(&self, room: RoomId, secret: RoomSecret) -> Result<(), Error> {
        self.ask(|reply| Command::ChangeKey { room, secret, reply }).await?
    }

    /// Leaves the room with every member and forgets it. Returns when the leave is on its way; the repeats that make it
    /// certain are sent before the topic is left. No-op for a room that is not open.
    pub async fn close_room(&self, room: &RoomId) {
        let room = room.clone();
        let _ = self.ask(|reply| Command::Close { room, reply }).await;
    }

    /// Runs a closure on a room's replica, on the actor's task: it must not block. When this returns, what it made the
    /// replica say was handed to the network, and the snapshot and the events show it.
    ///
    /// # Errors
    /// `NOT_FOUND` for a room that is not open, `NETWORK_UNAVAILABLE` when the driver has stopped.
    pub async fn with<R: Send + 'static>(
        &self,
        room: &RoomId,
        f: impl FnOnce(&mut Replica, Tick) -> R + Send + 'static,
    ) -> Result<R, Error> {
        let room = room.clone();
        let call = |reply: oneshot::Sender<Result<R, Error>>| -> Call {
            Box::new(move |replica| {
                let result = replica.map(|(replica, now)| f(replica, now));
                Box::new(move || {
                    let _ = reply.send(result);
                })
            })
        };
        self.ask(|reply| Command::With { room, call: call(reply) }).await?
    }

    /// Connects to an address that a person gave: a multiaddr with or without a peer id, `ADDRESS` or `ADDRESS:PORT`.
    ///
    /// # Errors
    /// `INVALID_TICKET` for what is no address, `NETWORK_UNAVAILABLE` when nobody answers there within ten seconds;
    /// both name the address. Nothing was touched.
    pub async fn dial(&self, address: &str) -> Result<PeerInfo, Error> {
        let address = address.to_owned();
        self.ask(|reply| Command::Dial { address, reply }).await?
    }

    /// The connected peers.
    pub async fn peers(&self) -> Vec<PeerInfo> {
        self.ask(|reply| Command::Peers { reply }).await.unwrap_or_default()
    }

    /// Looks at the network: asks once more who is there, waits three seconds for answers, and tries the addresses of known
    /// peers for up to four. A peer that listens on loopback only, or was told not to ask, asks nobody.
    ///
    /// # Errors
    /// `NETWORK_UNAVAILABLE` when the driver has stopped.
    pub async fn check(&self) -> Result<NetworkCheck, Error> {
        check::run(&self.commands).await
    }

    /// What came by mDNS and by Parlor's own question until now, in this order, without asking anybody again. `None` when the
    /// driver has stopped.
    pub async fn ways(&self) -> Option<(DiscoveryCheck, DiscoveryCheck)> {
        self.ask(|reply| Command::Observe { reply }).await.ok().map(|seen| (seen.mdns, seen.hello))
    }

    /// What this peer does from now on, see [`Inspection`]. `None` when the driver has stopped.
    pub async fn inspect(&self, bytes: bool) -> Option<Inspection> {
        self.ask(|reply| Command::Inspect { bytes, reply }).await.ok()
    }

    /// Refusals and repairs by name, of the driver and of every open room.
    pub async fn counters(&self) -> BTreeMap<String, u64> {
        self.ask(|reply| Command::Counters { reply }).await.unwrap_or_default()
    }

    /// The bytes that came and went, by transport, in the text of OpenMetrics; the mark of its end is the caller's to add.
    #[must_use]
    pub fn traffic(&self) -> String {
        let mut text = String::new();
        // A string takes everything.
        let _ = encode_registry(&mut text, &self.views.traffic);
        text
    }

    /// The faults that can be made here; `None` unless the driver was started with `lab: true`.
    #[must_use]
    pub fn lab(&self) -> Option<Lab> {
        let lab =
            || Lab { commands: self.commands.clone(), me: Arc::clone(&self.peer_id), shown: self.views.lab.clone() };
        self.lab.then(lab)
    }

    /// Leaves every room, gives the leaves up to half a second to go out, and stops. Twice is a no-op.
    pub async fn shutdown(&self) {
        let _ = self.ask(|reply| Command::Shutdown { reply }).await;
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Error> {
        ask(&self.commands, command).await
    }
}

/// Sends a command and waits for its answer.
pub(crate) async fn ask<T>(
    commands: &mpsc::Sender<Command>,
    command: impl FnOnce(oneshot::Sender<T>) -> Command,
) -> Result<T, Error> {
    let closing = || Error::new(ErrorCode::NetworkUnavailable, "the peer is closing");
    let (reply, answer) = oneshot::channel();
    commands.send(command(reply)).await.map_err(|_| closing())?;
    answer.await.map_err(|_| closing())
}

/// An event of a room with its number.
pub type Numbered = (u64, Event);

/// An open room as its readers see it.
///
/// A snapshot is published before the events that it includes, and its `at` is the number of the last of them. So a
/// reader subscribes to the events, takes the snapshot, and skips events up to `at`: it misses none and sees none twice.
#[derive(Clone, Debug)]
pub struct RoomPort {
    /// The room.
    pub room: RoomId,
    pub(crate) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(crate) events: broadcast::WeakSender<(u64, Event)>,
    pub(crate) history: History,
    pub(crate) kept: watch::Receiver<u64>,
}

impl RoomPort {
    /// The state after the last change.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// The [`Replica::kept_version`] after the last change. Closed when the room is.
    #[must_use]
    pub fn kept(&self) -> watch::Receiver<u64> {
        self.kept.clone()
    }

    /// Numbered events from here on. A reader that is more than a thousand behind is told that it lagged and starts
    /// again from a snapshot; it never slows the driver. The receiver is closed when the room is.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<(u64, Event)> {
        let closed = || broadcast::channel(1).1;
        self.events.upgrade().map_or_else(closed, |events| events.subscribe())
    }

    /// A name for this opening of the room, which no other opening has, here or elsewhere: numbers of events mean
    /// something within it only.
    #[must_use]
    pub fn opening(&self) -> &str {
        &self.history.opening
    }

    /// The events behind one that a reader had, and those from here on; `None` when some of them are not kept. The two
    /// overlap: what is in the first may come again in the second.
    #[must_use]
    pub fn events_after(&self, number: u64) -> Option<(Vec<Numbered>, broadcast::Receiver<Numbered>)> {
        let from_here = self.events();
        Some((self.history.after(number)?, from_here))
    }

    /// Keeps the last events for readers that come back, for as long as the room is open: a thousand, or half a megabyte of
    /// them. Whoever may come back calls it before the first snapshot is read.
    pub fn keep_events(&self) {
        self.history.keep();
    }
}
