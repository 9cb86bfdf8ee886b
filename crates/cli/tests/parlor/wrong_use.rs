//! Exit code 2, and a message that says what was wrong and what is allowed.

use std::net::TcpListener;
use std::process::{Command, Output};

use crate::home::{Home, finish, stderr, stdout};

#[track_caller]
fn refused(output: &Output, words: &[&str]) {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for word in words {
        assert!(text.contains(word), "{text:?} does not say {word:?}");
    }
    assert!(!text.contains("panicked"), "{text}");
    assert_eq!(stdout(output), "");
}

#[test]
fn wrong_arguments_say_what_is_allowed() {
    let home = Home::new();
    let long = "x".repeat(129);
    let cases: &[(&[&str], &[&str])] = &[
        (&["serve", "--bind", "x"], &["--bind"]),
        (&["serve", "--http", "0.0.0.0:0"], &["0.0.0.0:0", "127.0.0.1:PORT"]),
        (&["serve", "--http", "127.0.0.2:0"], &["127.0.0.2:0", "127.0.0.1:PORT"]),
        (&["serve", "--token", "two words"], &["token", "A-Z"]),
        (&["serve", "--profile", "../other"], &["../other", "letters"]),
        (&["status", "--profile", ""], &["profile", "letters"]),
        (&["serve", "--dial", "nonsense"], &["nonsense"]),
        (&["members", "blue", "--dial", "/dns4"], &["/dns4", "/ip4/"]),
        (&["dial", "nonsense"], &["nonsense"]),
        (&["members", &long], &["128", "INVALID_ROOM_ID"]),
        (&["members", ""], &["roomId", "INVALID_ROOM_ID"]),
        (&["members", ".."], &["\"..\"", "another place", "INVALID_ROOM_ID"]),
        (&["watch", "."], &["\".\"", "another place", "INVALID_ROOM_ID"]),
        (&["members", "a\nb"], &["control character", "INVALID_ROOM_ID"]),
        (&["create", ".."], &["\"..\"", "another place", "INVALID_ROOM_ID"]),
        (&["forget", "."], &["\".\"", "another place", "INVALID_ROOM_ID"]),
        (&["join", "..", "--presence", "{}"], &["\"..\"", "another place", "INVALID_ROOM_ID"]),
        (&["members", "blue", "--limit", "1001"], &["1001", "1 to 1000"]),
        (&["members", "blue", "--cursor", "nonsense", "--wait", "0"], &["cursor", "INVALID_CURSOR"]),
        (&["presence", "blue", "[]"], &["JSON object"]),
        (&["join", "blue", "--presence", "{"], &["not JSON"]),
        (&["join", "blue", "--member", ""], &["memberId", "INVALID_MEMBER_ID"]),
        (&["join", "blue", "--ttl", "4"], &["5", "3600"]),
        (&["profile", "--color", "red"], &["red", "#"]),
        (&["profile", "--theme", "blue"], &["light", "dark"]),
        (&["serve", "--ui", "--ui-dir", "/nowhere"], &["/nowhere"]),
    ];
    for (arguments, words) in cases {
        eprintln!("{arguments:?}");
        refused(&home.run(arguments), words);
    }
}

#[test]
fn a_wrong_address_to_listen_on_is_named() {
    let home = Home::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
    command.args(["serve", "--no-multicast", "--listen", "127.0.0.1:0", "--data-dir"]).arg(home.path());
    refused(&finish(command), &["127.0.0.1:0"]);
}

#[test]
fn ports_in_use_are_named() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    refused(&home.run(&["serve", "--http", &format!("127.0.0.1:{port}")]), &[&port.to_string(), "in use"]);
    let listen = format!("/ip4/127.0.0.1/tcp/{port}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
    command.args(["serve", "--no-multicast", "--listen", &listen, "--data-dir"]).arg(home.path());
    refused(&finish(command), &[&port.to_string(), "in use"]);
}

#[test]
fn a_profile_in_use_says_by_whom_and_what_to_do() {
    let home = Home::new();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let config = parlor::Config {
        data_dir: home.path().into(),
        listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
        multicast: false,
        ..parlor::Config::default()
    };
    // This test is the process without an API.
    let live = runtime.block_on(parlor::Live::start(config)).expect("a peer");
    let pid = std::process::id().to_string();
    refused(&home.run(&["members", "blue"]), &["default", &pid, "HTTP API", "--profile"]);
    refused(&home.run(&["serve"]), &["default", &pid, "--profile"]);
    runtime.block_on(live.close());
    assert_eq!(home.run(&["status"]).status.code(), Some(0));
}

#[test]
fn nothing_to_do_is_wrong_and_help_is_not() {
    let home = Home::new();
    let bare = finish(Command::new(env!("CARGO_BIN_EXE_parlor")));
    assert_eq!(bare.status.code(), Some(2));
    for arguments in [&["--help"][..], &["--version"], &["members", "--help"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
        command.args(arguments);
        let output = finish(command);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("parlor"), "{}", stdout(&output));
    }
    drop(home);
}
