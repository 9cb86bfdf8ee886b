//! The tables of `cargo xtask bench`: Parlor beside other systems, on the same work in the same run, and Parlor at size.
//!
//! The machine is never quiet, so where there is a peer the ratio is the result: rounds of Parlor and of its peer take
//! turns, and each figure is the median over the rounds. Every table is printed and written to `target/bench/NAME.json`.
//!
//! `wire` needs peers and libp2p and is built with the feature `net`; `scale` needs the simulator alone. Memory is counted
//! by a program of its own, `parlor-weigh`, so that counting slows down nothing that is timed.
#![forbid(unsafe_code)]

mod cpu;
#[cfg(feature = "net")]
mod floor;
mod report;
#[cfg(feature = "net")]
mod samples;
mod scale;
#[cfg(feature = "net")]
mod start;
pub mod weigh;
#[cfg(feature = "net")]
mod wire;

use anyhow::bail;

/// Measures one table; true when it reached all that it must.
///
/// # Errors
/// When something could not be measured.
pub fn table(name: &str) -> anyhow::Result<bool> {
    match name {
        #[cfg(feature = "net")]
        "wire" => tokio::runtime::Runtime::new()?.block_on(wire::run()),
        "scale" => scale::run(),
        other => bail!("there is no bench {other:?} in this build; there are: wire (with the feature net), scale"),
    }
}
