//! `cargo xtask tour`: the pictures that the README and its readers use, from real rooms with eight people, each on a peer
//! of their own.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::workspace::Workspace;
use crate::{debian, node, pass_on};

/// Options of `cargo xtask tour`.
#[derive(Args)]
pub struct Options {
    /// Where the pictures go
    #[arg(long, value_name = "DIR", default_value = "target/tour")]
    out: PathBuf,
    /// Install missing packages without asking
    #[arg(long)]
    yes: bool,
}

/// Builds the command line and the pages, and takes the pictures.
pub fn tour(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    node::check()?;
    let missing = debian::missing(debian::BROWSER);
    if !missing.is_empty() && debian::install(workspace, &missing, options.yes)? != debian::Installed::Yes {
        bail!("these packages are missing: {}", debian::advice(&missing));
    }
    if !(node::install(workspace, "ui")? && node::build_ui(workspace)? && node::install(workspace, "tests/e2e")?) {
        bail!("the user interface was not built");
    }
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--package", "parlor-cli"]).args(workspace.locked());
    if !cargo.status().context("cannot run cargo")?.success() {
        bail!("the command line was not built");
    }
    let mut tour = Command::new("node");
    tour.current_dir(&workspace.root).arg("tests/e2e/tour.js").arg(&options.out);
    tour.env("PARLOR_BIN", workspace.program("parlor", "debug"));
    tour.env("PARLOR_UI_DIR", workspace.root.join("ui/dist"));
    pass_on(tour)
}
