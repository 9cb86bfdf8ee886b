//! The table of cases that every surface is held against, and how one is played; see `README.md`.

pub mod case;
mod pattern;
mod play;
mod value;
pub mod world;

pub use case::{cases, covered};
pub use play::{Surface, play};
pub use world::{World, perform};
