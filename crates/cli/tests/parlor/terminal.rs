//! What only a terminal is told: progress while something takes long, and colours.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use nix::pty::openpty;

use crate::home::{Home, stderr};

/// Runs a command to its end with a terminal in the place of standard error; answers what was written there.
fn on_a_terminal(mut command: Command) -> String {
    let pty = openpty(None, None).expect("a terminal");
    let mut screen = File::from(pty.master);
    command.env("TERM", "xterm-256color").env_remove("NO_COLOR").env_remove("CLICOLOR").env_remove("CLICOLOR_FORCE");
    let mut child = command.stdout(Stdio::null()).stderr(File::from(pty.slave)).spawn().expect("parlor runs");
    // Once nobody else has the other end, reading comes to an end: as an error, which is how a terminal says it.
    drop(command);
    let mut written = Vec::new();
    let _ = screen.read_to_end(&mut written);
    child.wait().expect("it ends");
    String::from_utf8_lossy(&written).into_owned()
}

#[test]
fn a_wait_is_told_on_a_terminal_and_its_line_is_gone_afterwards() {
    let home = Home::new();
    let command = ["members", "standup", "--wait", "1.5"];
    let written = on_a_terminal(home.command(&command));
    assert!(
        written.contains("looking for others (0 s)") && written.contains("looking for others (1 s)"),
        "{written:?}"
    );
    let (before, rest) = written.split_once("parlor: found no other peer").expect("what came of it");
    // Go to the start of the line, and clear it.
    assert!(before.ends_with("\r\u{1b}[2K"), "{before:?}");
    assert!(!rest.contains("looking for others"), "{rest:?}");

    let piped = home.run(&command);
    let piped = stderr(&piped);
    assert_eq!(piped.lines().count(), 1, "a file is told nothing but what came of it: {piped:?}");
    assert!(piped.starts_with("parlor: found no other peer") && !piped.contains('\u{1b}'), "{piped:?}");
}

#[test]
fn dialling_says_whom() {
    let home = Home::new();
    // A port of loopback that takes connections and says nothing.
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = format!("/ip4/127.0.0.1/tcp/{}", deaf.local_addr().expect("an address").port());
    let written = on_a_terminal(home.command(&["dial", &addr]));
    assert!(written.contains(&format!("connecting to {addr}")), "{written:?}");
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let home = Home::new();
    let logged = |no_color: Option<&str>| {
        let mut command = home.command(&["status"]);
        command.env("PARLOR_LOG", "info");
        let mut wrapped = Command::new("env");
        wrapped
            .args(no_color.map(|value| format!("NO_COLOR={value}")))
            .arg(command.get_program())
            .args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => wrapped.env(key, value),
                None => wrapped.env_remove(key),
            };
        }
        on_a_terminal(wrapped)
    };
    let is_coloured =
        |text: &str| text.contains("\u{1b}[3") || text.contains("\u{1b}[2m") || text.contains("\u{1b}[0m");
    let plain = logged(Some("1"));
    assert!(plain.contains("INFO") && !is_coloured(&plain), "{plain:?}");
    let coloured = logged(None);
    assert!(coloured.contains("INFO") && is_coloured(&coloured), "{coloured:?}");
}
