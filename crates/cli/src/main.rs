//! The binary `parlor`. The environment is read here and in the declaration of the arguments, nowhere else.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use parlor::Logs;
use parlor_cli::args::Cli;

/// The system's own keeps twice as much of what was freed: a peer is many small things that come and go for months.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let colours = console::colors_enabled_stderr();
    let logs = match Logs::begin(std::env::var("PARLOR_LOG").ok().as_deref(), colours, cli.is_kept()) {
        Ok(logs) => logs,
        Err(error) => {
            eprintln!("parlor: {error}");
            return ExitCode::from(2);
        }
    };
    parlor_cli::run(cli, &logs).await
}
