//! `record` and `replay`.

use std::process::{Command, Output};

use parlor_testkit::wait::until;
use serde_json::Value;

use crate::home::{Home, PATIENCE, stderr, stdout};

/// Plays recordings: no peer is needed for it.
fn replay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_parlor")).arg("replay").args(arguments).output().expect("parlor runs")
}

#[test]
fn a_room_is_recorded_and_played() {
    let home = Home::new();
    let (_serving, _) = home.serve(&[]);
    let mut joined =
        home.command(&["join", "standup", "--presence", r#"{"status":"Umbrella"}"#]).spawn().expect("parlor runs");
    let (plain, redacted) = (home.path().join("plain.parlor-recording"), home.path().join("redacted.parlor-recording"));
    let [plain, redacted] = [&plain, &redacted].map(|path| path.to_str().expect("a path"));
    let there = || {
        let out = home.command(&["members", "standup", "--json"]).output().expect("parlor runs");
        stdout(&out).contains("Umbrella").then_some(())
    };
    until(PATIENCE, "a member", there);
    for (file, options) in [(plain, &["--with-values"][..]), (redacted, &[])] {
        let out = home.command(&[&["record", "standup", file], options].concat()).output().expect("parlor runs");
        assert!(out.status.success(), "{}", stderr(&out));
    }
    let again = home.command(&["record", "standup", plain]).output().expect("parlor runs");
    assert_eq!(again.status.code(), Some(2), "a file is not written over");
    joined.kill().expect("it ends");
    joined.wait().expect("it ended");

    let out = replay(&[plain]);
    assert!(out.status.success(), "{}", stderr(&out));
    assert!(stdout(&out).contains("Umbrella") && stderr(&out).contains("no rule is broken"), "{}", stdout(&out));
    let out = replay(&[redacted]);
    assert!(out.status.success() && !stdout(&out).contains("Umbrella"), "{}", stdout(&out));
    let played: Value = serde_json::from_str(&stdout(&replay(&[redacted, "--json"]))).expect("JSON");
    assert_eq!(played["redacted"], true);
    let first: Value = serde_json::from_str(&stdout(&replay(&[redacted, "--json", "--at", "1"]))).expect("JSON");
    assert_eq!(first["state"]["step"], 1);
    let test = stdout(&replay(&[redacted, "--as-test", "lost note"]));
    assert!(test.contains("fn lost_note()") && test.contains("assert_eq!(outcome.hash"), "{test}");
    let out = replay(&[plain, redacted]);
    assert!(out.status.success() && stdout(&out).contains("They agree"), "{} {}", stdout(&out), stderr(&out));

    let whole = std::fs::read(plain).expect("a file");
    std::fs::write(redacted, &whole[..whole.len() / 2]).expect("written");
    let out = replay(&[redacted]);
    assert_eq!(out.status.code(), Some(1));
    assert!(stderr(&out).contains("INVALID_RECORDING"), "{}", stderr(&out));
}
