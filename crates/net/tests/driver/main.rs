//! The driver over real sockets: loopback only, dialled explicitly, no multicast. Every wait is for a condition with a
//! deadline.

#![allow(clippy::unwrap_used)]

mod checks;
mod gossip;
mod lab;
mod meeting;
mod neighbours;
mod private;
mod raw;
mod refusals;
mod rekey;
mod relays;
mod restarts;
mod starting;
mod streams;
mod support;
mod versions;
mod weather;
