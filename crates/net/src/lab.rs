//! Faults on purpose (design N6, A10 `lab`): what a test does to a peer that no user may. A [`Lab`] exists only for a
//! driver that was started with `lab: true`, so nothing here can be reached in a peer that people use.
//!
//! A *cut* stands between two peers like a firewall that resets: the connections to the peer are closed at once, none is
//! made in either direction while it lasts, and one that was being made at that moment is refused when it would begin. The
//! rooms see a link that broke. What two peers say may still reach each other by way of a third: that is not what is cut.
//! One end is enough to keep the peers apart; a test cuts both, so that neither goes on dialling a peer that answers and
//! hangs up.
//!
//! A peer that is *deaf* to another loses every frame that the other wrote, by whatever way it comes, and is connected to it
//! all the same: a network that swallows frames in one direction without a sign. Others hear that peer as before.

use std::sync::Arc;

use libp2p::PeerId;
use parlor_core::{Error, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use crate::handle::{Command, ask};

/// What a lab asks of the actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Cut(PeerId),
    Mend(PeerId),
    Deafen(PeerId),
    Crash,
}

/// The faults of one driver, made by [`NetHandle::lab`](crate::NetHandle::lab). For tests.
#[derive(Clone)]
pub struct Lab {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) me: Arc<str>,
}

impl Lab {
    /// Cuts this peer off from another until [`mend`](Lab::mend). When it returns there is no connection to that peer at
    /// this end, and no frame of its own comes any more. The peer need not be connected or even known; twice is a no-op.
    ///
    /// # Errors
    /// `NOT_FOUND` for what is no peer id of another peer, `NETWORK_UNAVAILABLE` when the driver has stopped. Nothing was
    /// touched.
    pub async fn cut(&self, peer_id: &str) -> Result<(), Error> {
        let peer = self.other(peer_id)?;
        self.ask(Fault::Cut(peer)).await
    }

    /// Makes this peer deaf to another until [`mend`](Lab::mend). Twice is a no-op.
    ///
    /// # Errors
    /// Those of [`cut`](Lab::cut).
    pub async fn deafen(&self, peer_id: &str) -> Result<(), Error> {
        let peer = self.other(peer_id)?;
        self.ask(Fault::Deafen(peer)).await
    }

    /// Ends a cut, and being deaf. Whoever knows where the other is dials it within a second, as if nothing had been tried
    /// before; two peers that never met must be told of each other again. Without a fault it is a no-op.
    ///
    /// # Errors
    /// Those of [`cut`](Lab::cut).
    pub async fn mend(&self, peer_id: &str) -> Result<(), Error> {
        let peer = self.other(peer_id)?;
        self.ask(Fault::Mend(peer)).await
    }

    /// Ends the driver as the death of its process would: no leave, no farewell, its sockets closed by the system. A driver
    /// that has stopped already is as dead.
    pub async fn crash(&self) {
        let _ = self.ask(Fault::Crash).await;
    }

    fn other(&self, peer_id: &str) -> Result<PeerId, Error> {
        let known = peer_id.parse().ok().filter(|_| peer_id != &*self.me);
        known.ok_or_else(|| Error::new(ErrorCode::NotFound, format!("{peer_id:?} is no peer id of another peer")))
    }

    async fn ask(&self, fault: Fault) -> Result<(), Error> {
        ask(&self.commands, |reply| Command::Lab { fault, reply }).await
    }
}

/// Cuts that wait for the last connection to go, with who waits.
pub(crate) type Cutting = Vec<(PeerId, oneshot::Sender<()>)>;
