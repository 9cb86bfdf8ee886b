//! Parlor's own hello (design N7): how peers of one network find each other where a switch, a firewall or an access point
//! swallows mDNS.
//!
//! A peer asks "who is here?" on UDP port 4757, to a multicast group and to the broadcast address of each of its networks.
//! Whoever hears it answers the one who asked, and nobody else. Where somebody can be reached is never said: it is where
//! the answer came from, with the port that it names, so that no word of it can send anybody to a third computer.
//!
//! - **A question makes nobody dial.** An answer does, and only one to a question of ours: it repeats the eight random
//!   bytes of it, which somebody who makes up where a packet comes from has not seen. One bit of them says by which of the
//!   two ways the question went, so an answer tells which comes through.
//! - **Nobody can be drowned through us.** An answer is as long as the question; a source gets one in two seconds; and so
//!   many packets are read in a second, evenly, and no more: the rest the system drops unread.
//! - **Nothing leaves the network.** Packets live for one hop, and those from outside our own subnets are refused.
//!
//! It asks four times in the first seconds, stops as soon as five have answered, and then asks again now and then: every ten
//! seconds while it is alone, every minute otherwise; and from the beginning when the network changes or the computer
//! wakes. IPv4 only, since a network without it has no broadcast, and its multicast is that of mDNS.
//!
//! Of several peers on one computer the newest gets what is sent to that computer alone, so an older one may miss an answer.
//! They know each other by their files, and whoever asks later finds them all.
//!
//! `word` is what is said, `manners` decides without I/O whom to answer and when to ask, `ration` how much is read, `post` is
//! the socket and its task, and `ears` what came through lately, for who looks for a fault.

mod ears;
mod manners;
mod post;
mod ration;
mod word;

use libp2p::{Multiaddr, PeerId};

pub(crate) use ears::Ears;
pub(crate) use post::{Hello, start};
pub(crate) use word::Way;

/// Where hellos go, beside the ports of connections (design A11).
pub(crate) const PORT: u16 = 4757;

/// What it tells the actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Somebody answered our question from a network that we are in.
    Peer {
        /// Who they say they are; a connection will prove it.
        peer: PeerId,
        /// By TCP, by QUIC, or by both.
        addresses: Vec<Multiaddr>,
    },
    /// Something was refused, so many times since it was last told.
    Counted(&'static str, u64),
}
