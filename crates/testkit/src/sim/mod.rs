//! A deterministic simulator of rooms: many replicas, one clock, a network that misbehaves by the roll of a seeded die.
//!
//! A **host** is a computer with its own clocks; a **process** is one run of the program on it, with a fresh session and
//! a greater boot counter than the run before. Processes are joined by **links** that come up and go down at both ends,
//! and over which frames are delayed, lost, doubled, overtaken and passed on, as gossip does it: to every linked peer,
//! once a message, where the receiver's verdict says so. Nothing here waits: time jumps from event to event.
//!
//! What is checked while it runs stands in [`oracle`] (what each observer is told), [`truth`] (what really happened, to
//! hold it against) and [`converge`] (whether all agree after the network healed). [`scenario`] draws a random story from
//! a seed, [`focus`] holds stories that are about one rule each, and [`run`] plays them. The same seed gives the same
//! [`trace`], byte for byte, so a failure is a number:
//!
//! ```text
//! cargo xtask sim --seeds 1 --from 4711
//! ```
//!
//! A convergence check alone catches almost nothing: a new rule of the core needs an oracle here and a mutation that
//! shows that the oracle bites.

mod carriage;
pub mod converge;
pub mod focus;
pub mod host;
pub mod keys;
pub mod network;
pub mod oracle;
pub mod run;
pub mod scenario;
mod steps;
pub mod trace;
pub mod truth;
pub mod world;

pub use run::{Outcome, run};
pub use scenario::{Scenario, Step};
pub use world::World;
