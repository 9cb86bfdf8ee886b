//! The binary `parlor`. The environment is read here and in the declaration of the arguments, nowhere else.

#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;

use clap::Parser;
use parlor_cli::args::Cli;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = match EnvFilter::try_new(std::env::var("PARLOR_LOG").unwrap_or_else(|_| "warn".into())) {
        Ok(filter) => filter,
        Err(error) => {
            eprintln!("parlor: PARLOR_LOG: {error}; allowed are error, warn, info, debug, trace and target=level");
            return ExitCode::from(2);
        }
    };
    let colours = console::colors_enabled_stderr();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colours).init();
    parlor_cli::run(cli).await
}
