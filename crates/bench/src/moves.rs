//! Moves of cursors in one thread, with no network in between: the work, how it is timed, and Parlor doing it. The table
//! `memory` has what others hold presence with do the same, and `instructions` counts.

pub mod parlor;
pub mod system;
