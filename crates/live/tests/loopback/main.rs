//! The public API between real peers on loopback. Peers dial each other explicitly and nothing is multicast; every wait
//! is for a condition and has a deadline.
// A test ends at the first thing that is not as expected, in its helpers too.
#![allow(clippy::unwrap_used)]

mod access;
mod copies;
mod events;
mod evidence;
mod kept;
mod leases;
mod peers;
mod presence;
mod private;
mod profile;
mod rooms;
mod traces;
