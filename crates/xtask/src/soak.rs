//! `soak`: real peers on hosts of a network that is bad to them, for as long as one likes. The program is testkit's.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::workspace::Workspace;
use crate::{bench, pass_on};

/// Options of `cargo xtask soak`.
#[derive(Args)]
pub struct Options {
    /// For how long
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// How many hosts, each with a peer
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(3..=64))]
    hosts: u64,
    /// What draws the bad luck
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Ends with 1 when something was lost, somebody did not come back, or memory grew.
pub fn soak(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    bench::build(workspace, &["--package", "parlor-cli"])?;
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--quiet", "--release", "--package", "parlor-testkit", "--example", "soak"]);
    cargo.args(workspace.locked()).arg("--");
    cargo.args([options.minutes, options.hosts, options.seed].map(|number| number.to_string()));
    cargo.arg(workspace.program("parlor", "release"));
    pass_on(cargo)
}
