//! The libp2p driver of live rooms.
//!
//! One task, the *actor*, owns the swarm and one [`Replica`](parlor_core::Replica) per room. It carries frames between
//! the replicas and the network, feeds them time, and tells everybody else what happened: a `watch` of snapshots and a
//! bounded `broadcast` of events per room. Callers hold a [`NetHandle`]; its commands are closures over a replica, so
//! that no operation of a room is written twice.
//!
//! What the parts decide:
//!
//! - [`NetHandle`] and [`RoomPort`] are the outside; `actor` is the task behind them.
//! - `dialler`, `links`, `outage` and `lobby` hold the rules for whom to dial, which of two connections stays, whether
//!   our own network is out and which rooms are near. They do no I/O and read no clock, so their tests need neither.
//! - `author` alone decides who wrote a frame; `gossip`, `stream` and `direct` are the ways a frame travels, and `seal` keeps
//!   those of private rooms from everybody else.
//! - `budget` bounds what one peer and one author may send; who goes on regardless is cut off for a while.
//! - `hello` asks the network who is here where mDNS is filtered.
//! - `meeting` says where to be met by those who cannot reach us, `relay` and `rendezvous` what such a place does.
//! - `check` looks at the network for a person who misses somebody, and tries what can be tried.
//! - `inspect` shows what is done to those who look.
//! - `history` keeps the last events of a room for readers that come back.
//! - `clocks` asks linked peers what time it is, so that a clock which is wrong can be shown.
//! - `surroundings` looks at network interfaces and at other profiles on this computer; `news` says when to.
//! - `tags` says what stands for peers and rooms in a log.
//! - [`Lab`] makes faults on purpose; a driver has none unless its configuration says so.
//!
//! Nothing that arrives from the network may panic, block or allocate without bound here; what is refused is counted by
//! name (design N10) and read with [`NetHandle::counters`]. This is the only crate that knows libp2p, and no libp2p
//! type is in its public surface.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod actor;
mod address;
mod author;
mod behaviour;
mod budget;
mod check;
mod circuits;
mod clock;
mod clocks;
mod config;
mod counters;
mod dialler;
mod direct;
mod gossip;
mod handle;
mod hello;
mod history;
mod info;
mod inspect;
mod key;
mod lab;
mod links;
mod listen;
mod lobby;
mod meeting;
mod meter;
mod neighbours;
mod news;
mod outage;
mod panics;
mod relay;
mod rendezvous;
mod rested;
mod seal;
mod stream;
mod surroundings;
mod tags;
mod tcp;
mod topic;
mod woken;

pub use check::{
    AddressCheck, DiscoveryCheck, DiscoveryState, Echo, Ignored, InterfaceCheck, NetworkCheck, PeerCheck, Place, Reach,
};
pub use config::{Discovery, NetConfig, NetError};
pub use handle::{NetHandle, Numbered, RoomPort};
pub use info::{NearRoom, NetworkState, PeerInfo, Speaks};
pub use inspect::{FrameBytes, Inspected, Inspection, Seen, Traffic};
pub use key::SessionKey;
pub use lab::{Lab, LabCounts, LabFaults, LabNetwork, LabOrder, LabPeer, LabWay};
pub use panics::{contain, contained};
pub use seal::{PORCH_MS, RoomSecret};
pub use tags::{peer_tag, room_tag};
