//! What was put into the replica of one host, entry by entry, so that a twin can be given the same: it then holds the same,
//! and whoever owns it can weigh it, or look at it step by step.
//!
//! Calls are not written down, so the host must be one that only looks on.

use std::sync::Arc;

use parlor_core::{Config, Input, Replica, Tick};

use super::keys::FakeVerifier;

/// One thing that happened to a replica.
#[derive(Clone, Debug)]
pub enum Entry {
    /// It was made, at this tick, when the wall clock showed so many milliseconds.
    Made(Config, Tick, u64),
    /// It was given this.
    Given(Input, Tick),
}

/// The journal of one host.
#[derive(Debug)]
pub(crate) struct Journal {
    pub host: usize,
    pub entries: Vec<Entry>,
}

/// Gives entries to a twin, which the first of them makes. What the twin wants done is dropped: it was done for the other.
pub fn follow(twin: &mut Option<Replica>, entries: &[Entry]) {
    for entry in entries {
        match entry {
            Entry::Made(config, tick, wall_ms) => {
                *twin = Some(Replica::new(config.clone(), Arc::new(FakeVerifier), *tick, *wall_ms));
            }
            Entry::Given(input, tick) => {
                let Some(twin) = twin else { continue };
                twin.handle(input.clone(), *tick);
                while twin.poll_output().is_some() {}
            }
        }
    }
}
