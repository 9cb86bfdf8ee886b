//! What is left of a fault: a log, and a file about every panic.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::home::{Home, Running};

fn stop(peer: Running) {
    peer.signal(Signal::SIGTERM);
    assert_eq!(peer.end(), (Some(0), String::new()));
}

#[test]
fn a_panic_leaves_a_file_that_the_next_start_mentions_once() {
    let home = Home::new();
    let (broken, _) = home.serve(&["--panic"]);
    let (code, text) = broken.end();
    assert_eq!(code, Some(101), "it panics as ever");
    assert!(text.contains("asked to panic"), "{text}");
    let logs = home.profile_dir().join("logs");
    let new: Vec<_> = fs::read_dir(&logs).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(new.iter().any(|name| name.to_string_lossy().ends_with(".new.json")), "{new:?}");

    // The next start says where the file is, to the person who looks at the terminal and to everybody who asks.
    let (next, _) = home.serve(&[]);
    let complaint = next.complaint();
    assert!(complaint.contains("Parlor had a fault on "), "{complaint}");
    let status = home.json(&["status", "--json"]);
    let notice = status["notices"][0].as_str().unwrap();
    let file = notice.split_once("logs/").and_then(|(_, rest)| rest.split_once(' ')).unwrap().0;
    let path = logs.join(file);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let crash: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(crash["message"], "asked to panic");
    assert_eq!(crash["program"], "parlor");
    assert_eq!(crash["thread"], "main");
    assert_eq!(crash["version"], status["version"]);
    assert!(crash["location"].as_str().unwrap().contains("serve.rs:"), "{crash}");
    assert!(crash["backtrace"].as_str().unwrap().contains("serve"), "{crash}");
    let time = crash["time"].as_str().unwrap();
    assert!(notice.contains(time), "{notice}");
    stop(next);

    let (third, _) = home.serve(&[]);
    assert!(home.json(&["status", "--json"])["notices"].as_array().unwrap().is_empty());
    stop(third);
}

#[test]
fn a_peer_that_serves_keeps_a_log_and_a_command_does_not() {
    let home = Home::new();
    let logs = home.profile_dir().join("logs");
    home.json(&["status", "--json"]);
    assert!(!logs.exists());

    let (peer, _) = home.serve(&[]);
    let file = logs.join("parlor.log");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&logs).unwrap().permissions().mode() & 0o777, 0o700);
    stop(peer);
    let log = fs::read_to_string(&file).unwrap();
    assert!(log.lines().any(|line| line.contains(" INFO parlor") && line.contains("the peer started")), "{log}");
    assert!(log.lines().any(|line| line.contains(" INFO parlor") && line.contains("the peer stopped")), "{log}");
}
