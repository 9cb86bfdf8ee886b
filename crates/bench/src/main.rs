//! `cargo xtask bench`: Parlor beside other systems, on the same work in the same run.
//!
//! The machine is never quiet, so the ratio is the result: rounds of Parlor and of its peer take turns, and each figure is
//! the median over the rounds. Every table is printed and written to `target/bench/NAME.json`.
#![forbid(unsafe_code)]

mod cpu;
mod floor;
mod report;
mod samples;
mod start;
mod wire;

use anyhow::bail;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let what = std::env::args().nth(1).unwrap_or_else(|| "wire".into());
    match what.as_str() {
        "wire" => wire::run().await,
        other => bail!("there is no bench {other:?}; there is: wire"),
    }
}
