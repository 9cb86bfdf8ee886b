//! Why a story of real peers went wrong, told so that one need not run it again to know what happened.

use std::fmt;

use parlor::{Error, StartError};

/// A layer of tests that has what a cluster has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layer {
    /// [`crate::sim`]: time, clocks, frames and computers are made up, so everything can go wrong with them.
    Simulator,
    /// The simulator, and [`crate::netns`] with real programs on real network interfaces.
    SimulatorOrNamespaces,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Layer::Simulator => "the simulator (`sim`)",
            Layer::SimulatorOrNamespaces => "the simulator (`sim`) and network namespaces (`netns`)",
        })
    }
}

/// A word of the story language that cannot be had in real time in one process.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{word}” cannot be had with real peers in one process; it is a word for {layer}")]
pub struct Unsupported {
    /// The word as the story tells it.
    pub word: String,
    /// Where it can be had.
    pub layer: Layer,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The story has a word that real peers cannot play. Nothing was done.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// A step names a computer that is not there. Nothing was done.
    #[error("there is no host {host}; there are {hosts}")]
    NoHost {
        /// Its number.
        host: usize,
        /// How many there are.
        hosts: usize,
    },
    /// The program does not run there. Nothing was done.
    #[error("the program of {0} does not run")]
    Off(String),
    /// There is no place for the peers' data.
    #[error("no directory for the peers' data: {0}")]
    Storage(#[from] std::io::Error),
    /// A peer did not start.
    #[error("{host} did not start: {source}")]
    Start {
        /// Whose.
        host: String,
        /// Why.
        source: StartError,
    },
    /// A peer refused what must always go well: to be cut off or mended, or to dial another.
    #[error("{log}\n{host}: {source}")]
    Refused {
        /// Whose.
        host: String,
        /// Why.
        source: Error,
        /// What happened before.
        log: String,
    },
    /// What was expected did not come true.
    #[error("{log}\nexpected: {what}, but {but}; waited {waited_ms} ms, {allowed_ms} ms were allowed")]
    Missed {
        /// What.
        what: String,
        /// What was so instead.
        but: String,
        /// How long it was looked for.
        waited_ms: u64,
        /// How long it had.
        allowed_ms: u64,
        /// What happened before.
        log: String,
    },
    /// A rule was broken that holds at every moment.
    #[error("{log}\n“{rule}” is broken at {host}: {detail}")]
    Broken {
        /// The rule.
        rule: &'static str,
        /// Where it was seen.
        host: String,
        /// How.
        detail: String,
        /// What happened before.
        log: String,
    },
}
