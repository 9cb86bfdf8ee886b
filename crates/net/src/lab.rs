//! Faults on purpose (design N6, A10 `lab`): a network that is bad in a way that somebody chose, for finding out what a
//! program does in it. A [`Lab`] exists only for a driver that was started with `lab: true`, so nothing here can be reached
//! in a peer that people use, and costs it nothing.
//!
//! - `faults` is what can be asked for, with its bounds, and what is shown of it.
//! - `weather` decides what becomes of each frame. It has no clock and does no I/O.
//! - `air` lets that happen to gossip, `late` holds frames back, and `actor/lab.rs` does the rest.
//!
//! Faults are of the frames of this process's own driver: in a room with others each end has its own. Gossip, frames to one
//! peer and what is said in the lobby are frames; subscriptions and the handshake of a connection are none and always pass.
//!
//! *Apart* stands between two peers like a firewall that resets: the connections to the peer are closed at once, none is
//! made in either direction while it lasts, and one that was being made at that moment is refused when it would begin. The
//! rooms see a link that broke. What two peers say may still reach each other by way of a third: that is not what is cut.
//! One end is enough to keep the peers apart; a test does it at both, so that neither goes on dialling a peer that answers
//! and hangs up.
//!
//! When *both directions* are cut, it is as if a cable were out: no frame passes and no ping, the connection is closed after
//! the silence that this takes everywhere, and until the cut ends none is made. When one direction is cut, frames are
//! swallowed there without a sign, and the connection stays.
//!
//! A peer that is *deaf* to another loses every frame that the other wrote, by whatever way it comes, and is connected to it
//! all the same. Others hear that peer as before. This one is for tests, and shows on no surface.

mod air;
mod faults;
mod late;
mod weather;
#[cfg(test)]
mod weather_tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use libp2p::PeerId;
use parlor_core::Error;
use tokio::sync::{mpsc, oneshot, watch};

pub use self::faults::{LabCounts, LabFaults, LabNetwork, LabOrder, LabPeer, LabWay};
pub(crate) use self::{
    air::{Air, keep_scores, shun},
    late::Late,
    weather::{Fate, Way},
};
use crate::handle::{Command, ask};

/// What a lab asks of the actor.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    Cut(PeerId),
    Mend(PeerId),
    Deafen(PeerId),
    Change(Box<(LabOrder, BTreeMap<PeerId, Option<LabFaults>>)>),
    Crash,
}

/// The faults of one driver, made by [`NetHandle::lab`](crate::NetHandle::lab).
#[derive(Clone)]
pub struct Lab {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) me: Arc<str>,
    pub(crate) shown: watch::Receiver<LabNetwork>,
}

impl Lab {
    /// Which faults there are, and what they did. Waits for nothing, so it answers while the driver sleeps.
    #[must_use]
    pub fn faults(&self) -> LabNetwork {
        self.shown.borrow().clone()
    }

    /// Holds an order against its bounds, without carrying it out.
    ///
    /// # Errors
    /// `INVALID_LIMIT` for a number out of bounds, `NOT_FOUND` for what is no peer id of another peer.
    pub fn check(&self, order: &LabOrder) -> Result<(), Error> {
        order.check(&self.me).map(drop)
    }

    /// Changes the faults, all of it or nothing, and answers how they are then. Connections to peers that it sets apart are
    /// closed by the time that it returns, unless it lets the driver sleep.
    ///
    /// # Errors
    /// `INVALID_LIMIT` for a number out of bounds or too many peers, `NOT_FOUND` for what is no peer id of another peer,
    /// `NETWORK_UNAVAILABLE` when the driver has stopped. Nothing was changed.
    pub async fn change(&self, order: LabOrder) -> Result<LabNetwork, Error> {
        let peers = order.check(&self.me)?;
        self.ask(Fault::Change(Box::new((order, peers)))).await?;
        Ok(self.faults())
    }

    /// Sets this peer and another apart until [`mend`](Lab::mend). When it returns there is no connection to that peer at
    /// this end, and no frame of its own comes any more. The peer need not be connected or even known; twice is a no-op.
    ///
    /// # Errors
    /// `NOT_FOUND` for what is no peer id of another peer, `NETWORK_UNAVAILABLE` when the driver has stopped. Nothing was
    /// touched.
    pub async fn cut(&self, peer_id: &str) -> Result<(), Error> {
        let peer = faults::other_peer(peer_id, &self.me)?;
        self.ask(Fault::Cut(peer)).await
    }

    /// Makes this peer deaf to another until [`mend`](Lab::mend). Twice is a no-op.
    ///
    /// # Errors
    /// Those of [`cut`](Lab::cut).
    pub async fn deafen(&self, peer_id: &str) -> Result<(), Error> {
        let peer = faults::other_peer(peer_id, &self.me)?;
        self.ask(Fault::Deafen(peer)).await
    }

    /// Ends a cut, and being deaf. Whoever knows where the other is dials it within a second, as if nothing had been tried
    /// before; two peers that never met must be told of each other again. Without a fault it is a no-op.
    ///
    /// # Errors
    /// Those of [`cut`](Lab::cut).
    pub async fn mend(&self, peer_id: &str) -> Result<(), Error> {
        let peer = faults::other_peer(peer_id, &self.me)?;
        self.ask(Fault::Mend(peer)).await
    }

    /// Ends the driver as the death of its process would: no leave, no farewell, its sockets closed by the system. A driver
    /// that has stopped already is as dead.
    pub async fn crash(&self) {
        let _ = self.ask(Fault::Crash).await;
    }

    async fn ask(&self, fault: Fault) -> Result<(), Error> {
        ask(&self.commands, |reply| Command::Lab { fault, reply }).await?
    }
}

/// Orders that wait until the last connection to these peers is gone, with who waits.
pub(crate) type Cutting = Vec<(Vec<PeerId>, oneshot::Sender<Result<(), Error>>)>;
