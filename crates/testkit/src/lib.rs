//! Tools to test peers with, for Parlor and for whoever builds something like it.
//!
//! - [`netns`] makes a network of Linux network namespaces: hosts on a bridge, each with its own address and its own
//!   multicast, links that can be cut and healed, and nothing left behind. It knows nothing of Parlor.
//! - [`story`] is the language in which tests say what happens, to simulated peers and to real ones.
//! - [`sim`] plays whole rooms in no time, with every fault a network has, and checks each rule at each event.
//! - [`headless`] runs `parlor serve` on such a host and talks to its API from inside.
//! - [`wait`] waits for a condition with a deadline, which is the only way to wait in a test.
//!
//! What they must never do is touch the network of the machine itself.

#[cfg(target_os = "linux")]
pub mod headless;
#[cfg(target_os = "linux")]
pub mod netns;
pub mod sim;
pub mod story;
pub mod wait;
