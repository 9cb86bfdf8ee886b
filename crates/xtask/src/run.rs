//! `cargo xtask run`: from a fresh clone to an open window.
//!
//! Each step looks first whether it has anything to do, so that a second start goes straight to the window.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use console::style;

use crate::debian::{self, Installed};
use crate::node;
use crate::window;
use crate::workspace::Workspace;

/// Options of `cargo xtask run`.
#[derive(Args)]
pub struct Options {
    /// Open two windows, of the profiles `one` and `two`, that find each other
    #[arg(long)]
    two: bool,
    /// Install missing packages without asking
    #[arg(long)]
    yes: bool,
    /// Build with optimisation
    #[arg(long)]
    release: bool,
    /// What follows `--` goes to parlor-desktop as it is
    #[arg(last = true)]
    rest: Vec<String>,
}

/// The exit code for "you have to do something first".
const YOUR_TURN: u8 = 2;

/// Brings what is missing, builds, opens the window, and ends with it.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    if !window::has_display() {
        eprintln!(
            "There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so no window can open.\nWithout one, \
             `parlor serve` is the same peer for the command line and its API:\n\n    cargo run --package parlor-cli -- \
             serve\n"
        );
        return Ok(ExitCode::from(YOUR_TURN));
    }
    if let Err(problem) = node::check() {
        eprintln!("{} {problem}", style("Not yet:").yellow().bold());
        return Ok(ExitCode::from(YOUR_TURN));
    }
    if !packages(workspace, options.yes)? {
        return Ok(ExitCode::from(YOUR_TURN));
    }
    if !(node::install(workspace, "ui")? && node::build_ui(workspace)?) {
        bail!("the user interface was not built");
    }
    build(workspace, options.release)?;

    let program = workspace.program("parlor-desktop", if options.release { "release" } else { "debug" });
    let profiles: &[&str] = if options.two { &["one", "two"] } else { &[] };
    window::open(workspace, &program, profiles, &options.rest)
}

/// Brings the packages to build with, or says how to; false when that is for the reader to do.
fn packages(workspace: &Workspace, yes: bool) -> Result<bool> {
    if !cfg!(target_os = "linux") {
        return Ok(true);
    }
    let missing = debian::missing(debian::BUILD);
    if missing.is_empty() {
        return Ok(true);
    }
    let installed = debian::install(workspace, &missing, yes)?;
    let missing = debian::missing(debian::BUILD);
    match installed {
        Installed::Yes if missing.is_empty() => Ok(true),
        Installed::Yes | Installed::Failed => bail!("these packages are still missing: {}", missing.join(" ")),
        Installed::No => {
            let advice = debian::advice(&missing);
            eprintln!(
                "Parlor needs some packages to be built. On Debian and Ubuntu type\n\n    {advice}\n\nand run this again."
            );
            Ok(false)
        }
    }
}

/// Builds the desktop app, with cargo's own progress on the terminal.
fn build(workspace: &Workspace, release: bool) -> Result<()> {
    let fresh = !workspace.program("parlor-desktop", if release { "release" } else { "debug" }).exists();
    eprintln!("  building the app{}", if fresh { " (the first time takes some minutes)" } else { "" });
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--package", "parlor-desktop"]);
    if release {
        cargo.arg("--release");
    }
    cargo.args(workspace.locked());
    let status = cargo.status().context("cannot run cargo")?;
    if !status.success() {
        bail!("the app was not built: cargo ended with {status}");
    }
    Ok(())
}
