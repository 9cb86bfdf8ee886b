//! Stories: what happens to a room, told in words that a simulator and real peers both understand.
//!
//! A [`Story`] says who there is, how bad the network is, what happens when, and what is expected of it. It reads like
//! prose, and it is plain data: it can be printed, shortened, drawn from a seed ([`Story::random`]) and played. The
//! simulator plays it in no time and exactly; real peers play it as far as real time allows. Nothing here knows of
//! either.
//!
//! ```
//! use parlor_testkit::story::{FrameKind, Story};
//!
//! let story = Story::new("a lost change is told again")
//!     .hosts(3)
//!     .latency(3..=3)
//!     .all_start()
//!     .at(2_000).all_join()
//!     .at(8_000).lose(FrameKind::Cells, 50)
//!     .metadata(0, "title")
//!     .expect_agreement_within(7_200);
//! assert_eq!(story.steps.len(), 9);
//! println!("{story}");
//! ```
//!
//! Nobody writes values down: each write gets a number that was never written before, greater than all before it, so
//! that whoever looks on can tell which of two is newer, who wrote it, and whether anybody did.
//!
//! [`step`] holds the words, [`lie`] what a hostile host says, [`expect`] what can be expected and how that is said,
//! [`weather`] what a network does to frames, [`random`] draws a story, [`tell`] puts one into words and [`code`] into
//! Rust.

mod arguments;
mod build;
pub mod code;
pub mod expect;
mod fewer;
mod lie;
pub mod names;
pub mod random;
pub mod step;
pub mod tell;
pub mod weather;

use std::collections::BTreeSet;

pub use expect::Expect;
pub use lie::Lie;
pub use step::{
    Change, Edit, Entry, FrameKind, Someone, Step, Who, expire, guest, person, replace, set, set_all, unset,
};
pub use weather::{Drops, Faults, Queue};

/// What happens to a room.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// What it is about.
    pub name: String,
    /// The seed of every die that is thrown in it.
    pub seed: u64,
    /// Whether the room is private; the person of the first host made it.
    pub private: bool,
    /// The computers, all off at first. Steps name them by their place here.
    pub hosts: Vec<Computer>,
    /// Who can reach whom at all: pairs of hosts, the smaller first.
    pub edges: BTreeSet<(usize, usize)>,
    /// What the network does to frames until a step changes that.
    pub weather: Faults,
    /// How late a timer may be, in milliseconds.
    pub late_ms: u64,
    /// What happens, each with its time in milliseconds. Equal times happen in the order given.
    pub steps: Vec<(u64, Step)>,
    /// When it ends, in milliseconds.
    pub until: u64,
    /// Where the builder is in time.
    pub(crate) cursor: u64,
}

/// One computer of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Computer {
    /// Whose it is. Two computers of one person are two devices with one identity.
    pub person: String,
    /// How far its wall clock is off when the story begins, in milliseconds.
    pub clock_ms: i64,
    /// Whether its program lies. What honest hosts see of each other must be right all the same.
    pub hostile: bool,
}

/// All pairs of so many hosts.
#[must_use]
pub fn mesh(hosts: usize) -> BTreeSet<(usize, usize)> {
    (0..hosts).flat_map(|a| (a + 1..hosts).map(move |b| (a, b))).collect()
}
