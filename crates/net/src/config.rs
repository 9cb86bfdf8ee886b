//! What the driver is started with, and why it may refuse to start.

use std::path::PathBuf;
use std::sync::Arc;

use parlor_core::{Certificate, Error, ErrorCode, Verifier};

use crate::address::FORMS;
use crate::key::SessionKey;

/// Everything the driver needs to know. It reads no environment and no file but the neighbours' `peer.json`.
#[derive(Clone)]
pub struct NetConfig {
    /// The key of this process, fresh at every start.
    pub session: SessionKey,
    /// What the profile's identity says about that key.
    pub certificate: Certificate,
    /// Judges the signatures of certificates and cells.
    pub verifier: Arc<dyn Verifier>,
    /// Multiaddrs to listen on; port 0 takes a free one. Empty: all interfaces, TCP and UDP port 4747 or the next free
    /// of nine.
    pub listen: Vec<String>,
    /// Addresses to keep connected to, with or without a peer id behind them.
    pub dial: Vec<String>,
    /// How to look for others on the network. A peer that listens on loopback only multicasts and broadcasts nothing.
    pub discovery: Discovery,
    /// Whether this peer is a relay: where others meet that cannot reach each other, such as those of two subnets. It uses
    /// no relays itself.
    pub relay: bool,
    /// The data directory, for finding other profiles on this computer; `None` does not look for any.
    pub neighbours: Option<PathBuf>,
    /// The wall clock, milliseconds since 1970. It is shown to people and stamps cells; no lease depends on it.
    pub wall: fn() -> u64,
    /// Where jitter comes from.
    pub seed: u64,
    /// Whether faults can be made on purpose, with [`NetHandle::lab`](crate::NetHandle::lab). For tests; a peer that people
    /// use has it off.
    pub lab: bool,
}

/// The ways to look for peers on the network that nobody gave an address of (design N7). Each is a hint of where to dial;
/// none says that a peer is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// Multicast DNS, on UDP port 5353.
    pub mdns: bool,
    /// Parlor's own question by multicast and broadcast, on UDP port 4757.
    pub hello: bool,
    /// Being met at relays, and meeting others there.
    pub relays: bool,
}

impl Discovery {
    /// All of them.
    pub const ALL: Self = Self { mdns: true, hello: true, relays: true };
    /// None: nothing is multicast or broadcast, and nobody is met at a relay.
    pub const NONE: Self = Self { mdns: false, hello: false, relays: false };
}

/// Why the driver did not start. Nothing is left behind: no task, no socket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// An address of `listen` or `dial` cannot be read or used.
    #[error("{address:?} is not an address to {what}; give {FORMS}")]
    BadAddress {
        /// As it was given.
        address: String,
        /// `listen on` or `dial`.
        what: &'static str,
    },
    /// Another process has the port.
    #[error("{address}: the port is in use by another process; give another port, or 0 for any free one")]
    PortInUse {
        /// As it was given.
        address: String,
    },
    /// All ports that are tried without `listen` are taken.
    #[error("ports {first} to {last} are all in use; end a peer, or name an address with another port")]
    PortsInUse {
        /// The first that was tried.
        first: u16,
        /// The last.
        last: u16,
    },
    /// The system refused to listen.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// As it was given.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// The transports could not be made.
    #[error("cannot start the network: {reason}")]
    Start {
        /// What went wrong.
        reason: String,
    },
}

impl From<NetError> for Error {
    fn from(error: NetError) -> Self {
        Error::new(ErrorCode::NetworkUnavailable, error.to_string())
    }
}
