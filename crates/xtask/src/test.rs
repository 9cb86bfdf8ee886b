//! `cargo xtask test`: every suite, one after the other, and one line at the end.
//!
//! A failure never stops the next suite. What a suite needs is brought before the first one starts; a suite that
//! cannot have it is counted as skipped (nobody allowed it) or failed (it was tried), never left out silently.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::{Args, ValueEnum};
use console::style;

use crate::debian::{self, Installed, Need};
use crate::node;
use crate::step::seconds;
use crate::suites::Session;
use crate::tally::Tally;
use crate::workspace::Workspace;

/// Options of `cargo xtask test`.
#[derive(Args)]
pub struct Options {
    /// Which suites; all when none is named
    suites: Vec<Suite>,
    /// Install missing packages without asking
    #[arg(long)]
    yes: bool,
}

/// A part of the tests. The order is that of running: the user interface is built first, since the app embeds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Suite {
    /// Licences, sources and pins of all that is not written here
    Supply,
    /// The user interface: types, unit tests, build
    Ui,
    /// All crates: format, clippy, unit, integration and documentation tests
    Rust,
    /// The committed TypeScript types and OpenAPI document are those of the code
    Types,
    /// Real peers in one process live through the stories of the simulator
    Cluster,
    /// Three peers in network namespaces with real discovery
    Lan,
    /// The HTTP API, fuzzed from its own OpenAPI document
    Api,
    /// Two browsers against two headless peers
    E2e,
    /// The desktop window, driven by WebDriver
    Desktop,
}

impl Suite {
    const ALL: [Suite; 9] = [
        Suite::Supply,
        Suite::Ui,
        Suite::Rust,
        Suite::Types,
        Suite::Cluster,
        Suite::Lan,
        Suite::Api,
        Suite::E2e,
        Suite::Desktop,
    ];

    fn name(self) -> &'static str {
        match self {
            Suite::Supply => "supply",
            Suite::Ui => "ui",
            Suite::Rust => "rust",
            Suite::Types => "types",
            Suite::Cluster => "cluster",
            Suite::Lan => "lan",
            Suite::Api => "api",
            Suite::E2e => "e2e",
            Suite::Desktop => "desktop",
        }
    }

    /// What the system must have for it.
    fn needs(self) -> Vec<&'static Need> {
        let parts: &[&[Need]] = match self {
            Suite::Supply | Suite::Ui => &[],
            Suite::Rust | Suite::Types | Suite::Cluster => &[debian::BUILD],
            Suite::Lan => &[debian::BUILD, debian::NETWORK],
            Suite::Api => &[debian::BUILD, debian::NETWORK, debian::PYTHON],
            Suite::E2e => &[debian::BUILD, debian::BROWSER],
            Suite::Desktop => &[debian::BUILD, debian::WINDOW],
        };
        if cfg!(target_os = "linux") { parts.iter().copied().flatten().collect() } else { Vec::new() }
    }
}

/// Runs the suites and prints the line that says what came of them.
pub fn test(workspace: &Workspace, options: Options) -> Result<ExitCode> {
    let mut suites = if options.suites.is_empty() { Suite::ALL.to_vec() } else { options.suites };
    suites.sort();
    suites.dedup();

    heading("setup");
    node::check()?;
    let installed = packages(workspace, &suites, options.yes)?;
    let mut session = Session::new(workspace);
    let mut rows = Vec::new();
    for suite in suites {
        heading(suite.name());
        let started = Instant::now();
        let missing = debian::missing(suite.needs());
        let tally = if missing.is_empty() {
            run(&mut session, suite)?
        } else {
            eprintln!("  {} needs {}", style("✗").red(), missing.join(" "));
            if installed == Installed::Failed { Tally::check(false) } else { Tally::skip() }
        };
        rows.push((suite, tally, started.elapsed()));
    }

    heading("result");
    let mut sum = Tally::default();
    for (suite, tally, took) in rows {
        let mark = if tally.failed > 0 { style("✗").red() } else { style("✓").green() };
        let all = tally.passed + tally.failed + tally.skipped;
        eprintln!("  {mark} {:<8} {:>5} of {all:<5} {}", suite.name(), tally.passed, style(seconds(took)).dim());
        sum += tally;
    }
    println!("{}", sum.line());
    let ok = sum.failed == 0 && sum.passed > 0 && !(workspace.ci && sum.skipped > 0);
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Brings the packages of all suites at once.
fn packages(workspace: &Workspace, suites: &[Suite], yes: bool) -> Result<Installed> {
    let missing = debian::missing(suites.iter().flat_map(|suite| suite.needs()));
    if missing.is_empty() {
        return Ok(Installed::Yes);
    }
    let installed = debian::install(workspace, &missing, yes)?;
    if installed == Installed::No {
        eprintln!("  some suites need packages; on Debian type\n\n    {}\n", debian::advice(&missing));
    }
    Ok(installed)
}

/// A suite that cannot even be tried is one failure; being told to stop ends everything.
fn run(session: &mut Session<'_>, suite: Suite) -> Result<Tally> {
    let tally = match suite {
        Suite::Supply => session.supply(),
        Suite::Ui => session.ui(),
        Suite::Rust => session.rust(),
        Suite::Types => session.types(),
        Suite::Cluster => session.cluster(),
        Suite::Lan => session.lan(),
        Suite::Api => session.api(),
        Suite::E2e => session.e2e(),
        Suite::Desktop => session.desktop(),
    };
    tally.or_else(|error| {
        if session.stopping() {
            return Err(error);
        }
        eprintln!("  {} {error:#}", style("✗").red());
        Ok(Tally::check(false))
    })
}

fn heading(name: &str) {
    eprintln!("\n{}", style(format!("── {name} {}", "─".repeat(60_usize.saturating_sub(name.len())))).bold());
}
