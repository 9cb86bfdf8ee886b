//! `cargo xtask`: everything this repository does by command, in one place that works on every machine.
//!
//! `run` opens the app from a fresh clone, `test` proves it, `gen` writes the TypeScript types and the OpenAPI
//! document, `mutants` breaks the rules of the core one by one, `fuzz` gives it inputs that nobody thought of, `bundle`
//! makes the package that people install; `sim`, `soak` and `bench` pass on to the programs of their crates. Nothing here knows
//! what Parlor does: this crate only finds tools, calls them, and tells what came of it. [`workspace`] is the ground,
//! [`step`] runs one command into a log, [`debian`] and [`node`] bring what is missing, [`suites`] are the parts of
//! `test`, [`supply`] is the one that looks at what all is made of.

#![forbid(unsafe_code)]

mod bench;
mod bundle;
mod debian;
mod fuzz;
mod mutants;
mod node;
mod python;
mod run;
mod soak;
mod stamp;
mod step;
mod suites;
mod supply;
mod tally;
mod test;
mod tour;
mod types;
mod window;
mod workspace;

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Parlor's own commands")]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Bring what is missing, build, and open the app
    Run(run::Options),
    /// Run the tests: all suites, or those named
    Test(test::Options),
    /// Write the TypeScript types of the Rust API and the OpenAPI document of the HTTP API
    Gen(types::Options),
    /// Run the simulator over many seeds
    Sim(Sim),
    /// Break the rules of the core one by one, and say which test notices
    Mutants(mutants::Options),
    /// Give the core inputs that nobody thought of, and say which it does not stand
    Fuzz(fuzz::Options),
    /// Let real peers live through bad luck for long, and say what they lost (wants root)
    Soak(soak::Options),
    /// Take the pictures of the README, from real rooms
    Tour(tour::Options),
    /// Make the Debian package
    Bundle(bundle::Options),
    /// Compare Parlor with its peers and write target/bench/NAME.json
    Bench(bench::Options),
}

#[derive(Args)]
struct Sim {
    /// How many seeds to run
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many at a time; as many as there are processors when not given
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Tell the story of the first seed in plain words instead
    #[arg(long)]
    story: bool,
    /// Tell all that happens in it, too
    #[arg(long)]
    trace: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match perform(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{} {error:#}", console::style("error:").red().bold().for_stderr());
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    match task {
        Task::Run(options) => run::run(&workspace, &options),
        Task::Test(options) => test::test(&workspace, options),
        Task::Gen(options) => types::generate(&workspace, options),
        Task::Sim(options) => sim(&workspace, &options),
        Task::Mutants(options) => mutants::mutants(&workspace, &options),
        Task::Fuzz(options) => fuzz::fuzz(&workspace, &options),
        Task::Soak(options) => soak::soak(&workspace, &options),
        Task::Tour(options) => tour::tour(&workspace, &options),
        Task::Bundle(options) => bundle::bundle(&workspace, &options),
        Task::Bench(options) => bench::bench(&workspace, &options),
    }
}

/// The simulator in release, and nothing else is built.
fn sim(workspace: &Workspace, options: &Sim) -> Result<ExitCode> {
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--quiet", "--release", "--package", "parlor-testkit", "--example", "sim"]);
    cargo.args(workspace.locked()).arg("--");
    cargo.args(["--seeds", &options.seeds.to_string(), "--from", &options.from.to_string()]);
    if let Some(jobs) = options.jobs {
        cargo.args(["--jobs", &jobs.to_string()]);
    }
    cargo.args(options.story.then_some("--story")).args(options.trace.then_some("--trace"));
    pass_on(cargo)
}

/// Runs a command in the foreground and ends as it ended.
fn pass_on(mut command: Command) -> Result<ExitCode> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    Ok(workspace::exit_code(status))
}
