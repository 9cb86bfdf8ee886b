//! What goes into the dialler and comes out of it.

use libp2p::{Multiaddr, PeerId};

/// How a peer became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// It dialled us.
    Inbound,
    /// It dialled us through a relay.
    Relay,
    /// A relay told that it is in a room of ours.
    Rendezvous,
    /// It answered a hello.
    Hello,
    /// By mDNS.
    Mdns,
    /// Another profile of this computer.
    Profile,
    /// A person gave its address.
    Dialled,
}

impl Source {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Source::Inbound => "inbound",
            Source::Relay => "relay",
            Source::Rendezvous => "rendezvous",
            Source::Hello => "hello",
            Source::Mdns => "mdns",
            Source::Profile => "profile",
            Source::Dialled => "dialled",
        }
    }
}

/// What a dial is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Peer(PeerId),
    Wish(usize),
}

impl Target {
    /// Who is dialled, when that is known.
    pub(crate) fn peer(self) -> Option<PeerId> {
        match self {
            Target::Peer(peer) => Some(peer),
            Target::Wish(_) => None,
        }
    }
}

/// Something to dial now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dial {
    pub target: Target,
    pub addresses: Vec<Multiaddr>,
    /// To have a better connection beside the one that there is.
    pub beside: bool,
}

/// Why a dial came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nobody there.
    Unreachable,
    /// Somebody else answered.
    Other { answered: PeerId, at: Multiaddr },
    /// It is our own address that was dialled; `None`: there was no other.
    Ourselves { at: Option<Multiaddr> },
}
