//! One operation is written once, in the crate `parlor`, and every surface offers all of them (design §2). This reads
//! what each surface really registers and compares.

mod window;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Command;

/// Commands of the desktop shell that belong to the operation `watch`: a channel has to be opened, closed and
/// acknowledged.
const PARTS_OF_WATCH: [&str; 2] = ["unwatch", "ack"];

/// Commands of the desktop shell that are about the window alone, and those of the window that looks at the peer.
const OF_THE_WINDOW: [&str; 15] = [
    "local_api",
    "set_local_api",
    "set_menu",
    "notify",
    "open_link",
    "open_inspector",
    "inspect",
    "inspect_once",
    "recording",
    "save_recording",
    "save_file",
    "replay",
    "replay_state",
    "replay_test",
    "replay_lineup",
];

fn operations() -> BTreeSet<&'static str> {
    parlor::OPERATIONS.iter().copied().collect()
}

fn shell() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../src-tauri")
}

#[test]
fn every_operation_is_named_once() {
    assert_eq!(operations().len(), parlor::OPERATIONS.len());
}

#[test]
fn http_has_every_operation_and_no_other() {
    let routes: BTreeSet<&str> = parlor_http::ROUTES.iter().map(|route| route.operation).collect();
    assert_eq!(routes, operations());
}

#[test]
fn no_two_routes_are_the_same() {
    let routes: BTreeSet<_> = parlor_http::ROUTES.iter().map(|route| (route.method, route.path)).collect();
    assert_eq!(routes.len(), parlor_http::ROUTES.len());
}

#[test]
fn the_command_line_has_every_operation_and_no_other() {
    let command = parlor_cli::command();
    let named: BTreeSet<&str> = parlor_cli::OPERATIONS.iter().map(|(operation, _, _)| *operation).collect();
    assert_eq!(named, operations());

    for (operation, name, option) in parlor_cli::OPERATIONS {
        let subcommand = command.find_subcommand(name).unwrap_or_else(|| panic!("{operation} needs `parlor {name}`"));
        if let Some(option) = option {
            assert!(has_option(subcommand, option), "{operation} needs `parlor {name} --{option}`");
        }
    }
    let offered: BTreeSet<&str> = command.get_subcommands().map(Command::get_name).collect();
    let mut expected: BTreeSet<&str> = parlor_cli::OPERATIONS.iter().map(|(_, name, _)| *name).collect();
    // With `inspect`, `record` and `replay` the peer is looked at, not used: they are no operations of the engine's list.
    expected.extend(["serve", "docs", "inspect", "record", "replay"]);
    assert_eq!(offered, expected);
}

#[test]
fn the_readme_names_every_subcommand() {
    let readme =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).expect("README.md");
    let (_, rest) = readme.split_once("\n## Command line\n").expect("a section");
    let (section, _) = rest.split_once("\n## ").expect("the end of the section");
    for command in parlor_cli::command().get_subcommands() {
        let name = command.get_name();
        let named = section.contains(&format!("`{name}`")) || section.contains(&format!("`parlor {name}"));
        assert!(named, "the README does not name `parlor {name}`");
    }
}

fn has_option(command: &Command, option: &str) -> bool {
    command.get_arguments().any(|argument| argument.get_long() == Some(option))
}

#[test]
fn the_desktop_shell_allows_and_handles_every_operation_and_no_other() {
    let list = std::fs::read_to_string(shell().join("commands.txt")).expect("src-tauri/commands.txt");
    let allowed: BTreeSet<&str> = list.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut expected = operations();
    expected.extend(PARTS_OF_WATCH);
    expected.extend(OF_THE_WINDOW);
    assert_eq!(allowed, expected, "src-tauri/commands.txt, which build.rs turns into permissions");
    let source = std::fs::read_to_string(shell().join("src/commands.rs")).expect("src-tauri/src/commands.rs");
    assert_eq!(handled(&source), expected, "the commands that the shell registers");
}

/// The names inside `commands!(…)` of the shell's source, from which its handler is made.
fn handled(source: &str) -> BTreeSet<&str> {
    let (_, rest) = source.split_once("\ncommands!(").expect("commands!(…) in src-tauri/src/commands.rs");
    let (list, _) = rest.split_once(')').expect("the end of the list");
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
}
