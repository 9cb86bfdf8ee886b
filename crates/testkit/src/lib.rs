//! Tools to test peers with, for Parlor and for whoever builds something like it.
//!
//! - [`netns`] makes a network of Linux network namespaces: hosts on a bridge, each with its own address and its own
//!   multicast, links that can be cut and healed, and nothing left behind. It knows nothing of Parlor.
//! - [`story`] is the language in which tests say what happens, to simulated peers and to real ones.
//! - [`sim`] plays whole rooms in no time, with every fault a network has, and checks each rule at each event.
//! - `cluster` (with the feature of that name, which builds libp2p) plays the same stories with real peers over loopback,
//!   all in one process.
//! - [`headless`] runs `parlor serve` on such a host and talks to its API from inside.
//! - [`wait`] waits for a condition with a deadline, which is the only way to wait in a test.
//!
//! # Which one to take
//!
//! | | simulator | cluster | namespaces |
//! |---|---|---|---|
//! | what runs | replicas | peers: driver, libp2p, profile on disk | the program that people run |
//! | time | made up: an hour is milliseconds | real | real |
//! | faults | all there are, to the frame | crash, quit, cut pairs, partitions | crash, quit, `kill -9`, a cable that swallows everything |
//! | who finds whom | as the story says | as the story says | real discovery, multicast and all |
//! | a failure | comes again from its seed | may not come again | may not come again |
//! | needs | nothing | loopback | Linux and root |
//! | a test takes | milliseconds | seconds | ten seconds and more |
//!
//! A rule of replication is for the simulator: it plays thousands of stories while a cluster plays one. What the simulator
//! makes up is for the cluster: dialling, connections that break, gossip, signatures, the profile, the public API. What a
//! cluster does not do either is for the namespaces: discovery, interfaces, cables, processes. A story that the first two
//! both can play is best given to both.
//!
//! What they must never do is touch the network of the machine itself.

#[cfg(feature = "cluster")]
pub mod cluster;
#[cfg(target_os = "linux")]
pub mod headless;
#[cfg(target_os = "linux")]
pub mod netns;
pub mod sim;
pub mod story;
pub mod wait;
