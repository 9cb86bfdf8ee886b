//! A deterministic simulator of rooms: many replicas, one clock, a network that misbehaves by the roll of a seeded die.
//!
//! A **host** is a computer with its own clocks; a **session** is one run of the program on it, with a greater boot
//! counter than the run before. Sessions are joined by **links** that come up and go down at both ends, and over which
//! frames are delayed, lost, doubled, overtaken and passed on, as gossip does it: to every linked peer, once a message,
//! where the receiver's verdict says so. Nothing here waits: time jumps from event to event.
//!
//! A [`World`] plays a [`Story`](crate::story::Story). While it does, an [`Oracle`] for each of the [`rules`] is asked at
//! every event; [`truth`] is what really happened, to hold what observers are told against, and [`converge`] says whether
//! all agree. [`focus`] holds stories that are about one rule each, [`scale`] those that are about size, and
//! [`run`](mod@run) plays the random story of a seed. The same seed gives the same [`trace`], fact by fact, so a failure is a number:
//!
//! ```text
//! cargo xtask sim --seeds 1 --from 4711
//! ```
//!
//! A convergence check alone catches almost nothing: a new rule of the core needs an oracle here and a mutation that
//! shows that the oracle bites.

mod calendar;
mod calls;
mod carriage;
pub mod converge;
mod decide;
mod drive;
pub mod expect;
pub mod focus;
pub mod host;
pub mod journal;
pub mod keys;
pub mod letter;
mod lies;
mod links;
pub mod network;
pub mod oracle;
pub mod rules;
pub mod run;
pub mod scale;
pub mod sessions;
mod shared;
pub mod shrink;
mod steps;
pub mod sweep;
pub mod tell;
pub mod trace;
pub mod truth;
pub mod views;
pub mod world;

pub use oracle::{Happening, Oracle, Row, Told, Took, Violation};
pub use run::{Outcome, play, run, twice};
pub use sessions::Session;
pub use shrink::{Failure, check, check_with};
pub use sweep::{Sum, Sweep};
pub use world::World;
