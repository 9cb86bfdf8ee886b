//! The tables of `cargo xtask bench`: Parlor beside other systems, on the same work in the same run, and Parlor at size.
//!
//! The machine is never quiet, so where there is a peer the ratio is the result: rounds of Parlor and of its peer take
//! turns, and each figure is the median over the rounds. Every table is printed and written to `target/bench/NAME.json`.
//!
//! `wire`, `join`, `idle`, `hostile`, `lan` and `api` need peers and libp2p and are built with the feature `net`; `memory` needs what others
//! hold presence with and is built with the feature `peers`; `look` and `scale` need the simulator alone. `iroh` and `chitchat`
//! add those to the tables in which they are.
//! What callgrind counts is built with the feature `instructions`.
//! Memory is counted by a program of its own, `parlor-weigh`, so that counting slows down nothing that is timed.
#![forbid(unsafe_code)]

#[cfg(feature = "net")]
mod api;
#[cfg(any(all(feature = "net", target_os = "linux"), feature = "peers"))]
mod chart;
#[cfg(all(feature = "chitchat", target_os = "linux"))]
mod chitchat;
mod cpu;
#[cfg(feature = "net")]
mod crowd;
#[cfg(feature = "net")]
mod floor;
#[cfg(feature = "net")]
mod hostile;
#[cfg(feature = "instructions")]
pub mod instructions;
#[cfg(all(feature = "net", target_os = "linux"))]
mod join;
#[cfg(all(feature = "net", target_os = "linux"))]
mod lan;
mod look;
#[cfg(feature = "peers")]
mod memory;
#[cfg(any(feature = "peers", feature = "instructions"))]
#[cfg_attr(not(feature = "peers"), allow(dead_code, reason = "the table `memory` uses all of it"))]
mod moves;
#[cfg(feature = "net")]
mod pair;
#[cfg(all(feature = "net", target_os = "linux"))]
mod process;
mod report;
mod samples;
mod scale;
#[cfg(feature = "net")]
mod sealed;
#[cfg(feature = "net")]
mod start;
#[cfg(any(all(feature = "net", target_os = "linux"), feature = "peers"))]
mod targets;
#[cfg(any(feature = "net", feature = "peers", feature = "instructions"))]
#[cfg_attr(not(feature = "peers"), allow(dead_code, reason = "the table `memory` uses all of it"))]
mod trace;
pub mod weigh;
#[cfg(feature = "net")]
mod wire;

use anyhow::bail;

#[cfg(feature = "peers")]
pub use memory::held;

/// Measures one table; true when it reached all that it must. What is in `rest` narrows it: to one attack of `hostile`,
/// which plays the liar itself by the name of `liar`, to one part of `lan`, or to some systems of `memory`. `crowd`,
/// `mover`, `host` and `newcomer` print no table: they move, or come, for what is measured.
///
/// # Errors
/// When something could not be measured.
#[cfg_attr(
    not(any(feature = "net", feature = "peers")),
    allow(unused_variables, reason = "nothing here can be narrowed")
)]
pub fn table(name: &str, rest: &[String]) -> anyhow::Result<bool> {
    match name {
        #[cfg(feature = "net")]
        "api" => tokio::runtime::Runtime::new()?.block_on(api::run()),
        #[cfg(feature = "net")]
        "hostile" => tokio::runtime::Runtime::new()?.block_on(hostile::run(rest.first().map(String::as_str))),
        #[cfg(feature = "net")]
        "liar" => tokio::runtime::Runtime::new()?.block_on(hostile::lie(rest)).map(|()| true),
        #[cfg(feature = "net")]
        "crowd" => tokio::runtime::Runtime::new()?.block_on(crowd::run(rest)).map(|()| true),
        #[cfg(all(feature = "net", target_os = "linux"))]
        "join" => join::run(),
        #[cfg(all(feature = "net", target_os = "linux"))]
        "host" => tokio::runtime::Runtime::new()?.block_on(join::host(rest)).map(|()| true),
        #[cfg(all(feature = "net", target_os = "linux"))]
        "newcomer" => tokio::runtime::Runtime::new()?.block_on(join::newcomer(rest)).map(|()| true),
        #[cfg(all(feature = "net", target_os = "linux"))]
        "idle" => wire::apart::idle(),
        #[cfg(all(feature = "net", target_os = "linux"))]
        "lan" => lan::run(rest.first().map(String::as_str)),
        #[cfg(feature = "net")]
        "wire" => tokio::runtime::Runtime::new()?.block_on(wire::run()),
        #[cfg(all(feature = "net", target_os = "linux"))]
        "mover" => tokio::runtime::Runtime::new()?
            .block_on(async { tokio::spawn(wire::apart::mover(rest.to_vec())).await? })
            .map(|()| true),
        #[cfg(feature = "peers")]
        "memory" => memory::run(rest.first().map(String::as_str)),
        "look" => look::run(),
        "scale" => scale::run(),
        other => bail!(
            "there is no bench {other:?} in this build; there are: wire, join, idle, hostile, lan and api (with the \
             feature net), memory (with the feature peers), look, scale"
        ),
    }
}
