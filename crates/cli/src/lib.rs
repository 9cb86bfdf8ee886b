//! The command line of Parlor (design A11). `parlor serve` is a peer without a window; every other subcommand is one
//! operation of the crate `parlor`.
//!
//! A subcommand always speaks HTTP: to the running peer of the profile when there is one (`peer`), else to a peer that
//! it starts for the call. So both ways behave the same, and the rules of a room are in neither.
//!
//! What a program reads goes to standard output, everything else to standard error. The exit code is 0, 1 when the
//! call failed, or 2 when it was wrong to begin with (`failure`).

#![forbid(unsafe_code)]

pub mod access;
pub mod args;
pub mod board;
mod calls;
mod client;
pub mod docs;
pub mod doctor;
mod failure;
mod inspect;
pub mod lab;
mod membership;
pub mod messages;
mod output;
mod peer;
mod progress;
mod recording;
mod serve;
pub mod share;
mod signals;
mod stay;
mod text;
mod values;

use std::process::ExitCode;

use args::{Cli, Command};
use clap::CommandFactory;
use parlor::Logs;

pub use failure::Failure;

/// Carries out one command line. What `serve` logs and how it panics is kept in the profile.
pub async fn run(cli: Cli, logs: &Logs) -> ExitCode {
    let result = match cli.command {
        Command::Serve(args) => serve::serve(args, logs).await,
        Command::Join(args) => stay::join(args).await,
        Command::Watch(args) => stay::watch(args).await,
        Command::Inspect(args) => inspect::inspect(args).await,
        Command::Record(args) => recording::record(args).await,
        Command::Replay(args) => recording::replay(&args),
        Command::Rooms(args) => calls::rooms(args).await,
        Command::Create(args) => calls::create(args).await,
        Command::Forget(args) => calls::forget(args).await,
        Command::Presence(args) => calls::presence(args).await,
        Command::Leave(args) => calls::leave(args).await,
        Command::Members(args) => calls::members(args).await,
        Command::Metadata(args) => calls::metadata(args).await,
        Command::Board(args) => board::board(args).await,
        Command::Say(args) => messages::say(args).await,
        Command::Messages(args) => messages::messages(args).await,
        Command::Access(args) => access::access(args).await,
        Command::Ticket(args) => calls::ticket(args).await,
        Command::Share(args) => share::share(args).await,
        Command::Peers(args) => calls::peers(args).await,
        Command::Dial(args) => calls::dial(args).await,
        Command::Doctor(args) => doctor::doctor(args).await,
        Command::Diagnostics(args) => calls::diagnostics(args).await,
        Command::Lab(args) => lab::lab(args).await,
        Command::Status(args) => calls::status(args).await,
        Command::Profile(args) => calls::profile(args).await,
        Command::NewIdentity(args) => calls::new_identity(args).await,
        Command::Docs(args) => docs::docs(&args, command()),
    };
    failure::exit(result)
}

/// The command line as clap sees it: what a test of the surfaces reads.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// The operations of `parlor::OPERATIONS` that a subcommand makes, and with which of its options; `None` is any use.
pub const OPERATIONS: &[(&str, &str, Option<&str>)] = &[
    ("rooms", "rooms", None),
    ("create_room", "create", None),
    ("forget_room", "forget", None),
    ("join", "join", None),
    ("presence", "presence", None),
    ("leave", "leave", None),
    ("members", "members", None),
    ("metadata", "metadata", None),
    ("set_metadata", "metadata", Some("set")),
    ("board", "board", None),
    ("set_board", "board", Some("set")),
    ("history", "messages", None),
    ("publish", "say", None),
    ("access", "access", None),
    ("change_access", "access", Some("rekey")),
    ("ticket", "ticket", None),
    ("read_ticket", "ticket", Some("read")),
    ("share", "share", Some("show")),
    ("change_share", "share", None),
    ("watch", "watch", None),
    ("peers", "peers", None),
    ("dial", "dial", None),
    ("check_network", "doctor", None),
    ("diagnostics", "diagnostics", None),
    ("lab", "lab", None),
    ("change_lab", "lab", None),
    ("status", "status", None),
    ("set_profile", "profile", Some("name")),
    ("new_identity", "new-identity", None),
];
