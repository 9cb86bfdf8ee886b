//! `bench`: builds what a table measures, and nothing else, and measures it.

mod instructions;

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::workspace::Workspace;
use crate::{node, pass_on, suites, workspace};

#[derive(Args)]
pub struct Options {
    /// Which table: wire (beside bare libp2p, iroh-gossip, Zenoh and what runs on a server, over loopback), join (from a link to
    /// a whole room), idle (a room in which nobody does anything, beside the same as wire), memory (beside what else holds
    /// presence, in one process), instructions (of the core, counted by callgrind), hostile (beside somebody who lies), lan
    /// (on hosts made of network namespaces), api (what HTTP adds to the crate, and two hundred readers), look (what the
    /// recorder and the inspector cost), scale (big rooms and long months, simulated), ui (the interface in Chromium) or
    /// window (the same in WebKitGTK, for more than half an hour)
    table: String,
    /// What follows `--` goes to the bench as it is
    #[arg(last = true)]
    rest: Vec<String>,
}

/// Measures one table; it ends with 1 when something that must be reached was not.
pub fn bench(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let mut command = match options.table.as_str() {
        "wire" => {
            if !(node::install(workspace, "ui")? && node::build_ui(workspace)?) {
                bail!("the user interface was not built");
            }
            if !node::install(workspace, "crates/bench/peers")? {
                bail!("what runs in Node was not installed");
            }
            build(workspace, &["--package", "parlor-cli", "--package", "parlor-desktop"])?;
            // By itself, since what others are made of would change what those two are made of.
            build(workspace, &["--package", "parlor-bench", "--features", "chitchat,iroh,zenoh"])?;
            on_a_screen(workspace)
        }
        "idle" | "join" => {
            if !node::install(workspace, "crates/bench/peers")? {
                bail!("what runs in Node was not installed");
            }
            build(workspace, &["--package", "parlor-bench", "--features", "chitchat,iroh,zenoh"])?;
            Command::new(workspace.program("parlor-bench", "release"))
        }
        "look" | "scale" => {
            build(workspace, &["--package", "parlor-bench", "--no-default-features"])?;
            Command::new(workspace.program("parlor-bench", "release"))
        }
        "memory" => {
            if !node::install(workspace, "crates/bench/peers")? {
                bail!("what runs in Node was not installed");
            }
            build(workspace, &["--package", "parlor-bench", "--no-default-features", "--features", "peers"])?;
            Command::new(workspace.program("parlor-bench", "release"))
        }
        "instructions" => return instructions::count(workspace),
        "lan" => {
            build(workspace, &["--package", "parlor-bench", "--features", "chitchat"])?;
            Command::new(workspace.program("parlor-bench", "release"))
        }
        "hostile" | "api" => {
            build(workspace, &["--package", "parlor-bench"])?;
            Command::new(workspace.program("parlor-bench", "release"))
        }
        "ui" => {
            if !(node::install(workspace, "ui")?
                && node::build_ui(workspace)?
                && node::install(workspace, "tests/e2e")?)
            {
                bail!("the user interface was not built");
            }
            build(workspace, &["--package", "parlor-cli", "--package", "parlor-bench"])?;
            let mut node = Command::new("node");
            node.current_dir(&workspace.root).arg("tests/e2e/bench.js").arg(workspace.target.join("bench"));
            node.env("PARLOR_BIN", workspace.program("parlor", "release"));
            node.env("PARLOR_BENCH", workspace.program("parlor-bench", "release"));
            node.env("PARLOR_UI_DIR", workspace.root.join("ui/dist"));
            return pass_on(node);
        }
        "window" => {
            if !(node::install(workspace, "ui")? && node::build_ui(workspace)?) {
                bail!("the user interface was not built");
            }
            build(workspace, &["--package", "parlor-bench", "--package", "parlor-desktop"])?;
            let mut node = Command::new("node");
            node.current_dir(&workspace.root).arg("tests/desktop/bench.mjs").arg(workspace.target.join("bench"));
            node.args(&options.rest);
            node.env("PARLOR_BENCH", workspace.program("parlor-bench", "release"));
            node.env("PARLOR_DESKTOP_BIN", workspace.program("parlor-desktop", "release"));
            node.env("TAURI_DRIVER", suites::driver(workspace)?);
            return pass_on(node);
        }
        other => {
            bail!(
                "there is no table {other:?}; there are: wire, join, idle, memory, instructions, hostile, lan, api, look, \
                 scale, ui, window"
            )
        }
    };
    command.arg(&options.table).args(&options.rest).current_dir(&workspace.root);
    pass_on(command)
}

/// Builds these in release; what is not built is an error.
pub fn build(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    let mut build = workspace.cargo();
    build.args(["build", "--release"]).args(packages).args(workspace.locked());
    let status = build.status().context("cannot run cargo")?;
    if !status.success() {
        bail!("what is to be measured was not built: cargo ended with {status}");
    }
    Ok(())
}

/// Where there is no screen, the window's start is measured on a virtual one.
fn on_a_screen(workspace: &Workspace) -> Command {
    let program = workspace.program("parlor-bench", "release");
    let screen = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    match workspace::which("xvfb-run").filter(|_| !screen) {
        Some(virtual_screen) => {
            let mut command = Command::new(virtual_screen);
            command.args(["--auto-servernum", "--server-args", "-screen 0 1280x800x24 -nolisten tcp"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}
