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
    let third = home.path().join("third.parlor-recording");
    let saved = home.json(&["record", "standup", third.to_str().expect("a path"), "--json"]);
    assert_eq!((&saved["room"], &saved["redacted"]), (&"standup".into(), &true.into()));
    assert_eq!(saved["bytes"], std::fs::metadata(&third).expect("a file").len());
    // A name alone is a file where one is.
    let here = home.command(&["record", "standup", "here"]).current_dir(home.path()).output().expect("parlor runs");
    assert!(here.status.success() && home.path().join("here").exists(), "{}", stderr(&here));
    let again = home.command(&["record", "standup", plain]).output().expect("parlor runs");
    assert_eq!(again.status.code(), Some(2), "a file is not written over");
    joined.kill().expect("it ends");
    joined.wait().expect("it ended");

    let out = replay(&[plain]);
    assert!(out.status.success(), "{}", stderr(&out));
    assert!(stdout(&out).contains("Umbrella") && stderr(&out).contains("no rule is broken"), "{}", stdout(&out));
    let out = replay(&[redacted]);
    assert!(out.status.success() && !stdout(&out).contains("Umbrella"), "{}", stdout(&out));
    let listed = |file: &str| -> Value { serde_json::from_str(&stdout(&replay(&[file, "--json"]))).expect("JSON") };
    assert_eq!(listed(redacted)["redacted"], true);
    // The other one was made later, and what came between is in that one alone.
    let played = listed(plain);
    assert_eq!(played["redacted"], false);
    let at = |moment: &str| -> Value {
        serde_json::from_str(&stdout(&replay(&[plain, "--json", "--at", moment]))).expect("JSON")
    };
    let first = at("1");
    assert_eq!(first["state"]["step"], 1);
    // A moment is a step or a time.
    let steps = played["steps"].as_array().expect("steps");
    let joined = steps.iter().find(|step| step["text"].as_str().is_some_and(|text| text.contains("joins")));
    let (step, ms) = joined.map(|step| (&step["step"], step["ms"].as_u64().expect("ms"))).expect("somebody joined");
    assert_eq!(&at(&step.to_string())["state"]["step"], step);
    let last = steps.iter().rfind(|step| step["ms"].as_u64() == Some(ms)).expect("itself");
    assert_eq!(at(&format!("{ms}ms"))["state"]["step"], last["step"]);
    assert_eq!(at("3600s")["state"]["step"], played["total"]);
    let out = stdout(&replay(&[plain, "--at", &step.to_string()]));
    assert!(
        out.contains("* the record of") && out.contains("status of") && out.contains("nothing → \"Umbrella\""),
        "{out}"
    );
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

/// Killed in the middle of writing, it leaves no file that could be taken for one.
#[cfg(unix)]
#[test]
fn who_is_killed_while_a_recording_is_written_leaves_none() {
    use std::os::unix::process::ExitStatusExt as _;

    let home = Home::new();
    let (_serving, _) = home.serve(&[]);
    let presence = format!(r#"{{"status":"{}"}}"#, "long ".repeat(300));
    let mut joined = home.command(&["join", "standup", "--presence", &presence]).spawn().expect("parlor runs");
    let there = || stdout(&home.run(&["members", "standup", "--json"])).contains("long").then_some(());
    until(PATIENCE, "a member", there);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("room.parlor-recording");
    let record = home.command(&["record", "standup", file.to_str().expect("a path")]);
    // The system kills whoever writes more to a file than this: one block of 512 bytes, of which a recording has several.
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 1; exec \"$0\" \"$@\""]).arg(record.get_program()).args(record.get_args());
    for (name, value) in record.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let out = limited.output().expect("a shell");
    assert_eq!(out.status.signal(), Some(nix::sys::signal::Signal::SIGXFSZ as i32), "{}", stderr(&out));
    assert!(!file.exists());
    // What was begun has another name, and is refused by whoever takes it for a recording.
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("it").path()).collect();
    let [unfinished] = left.as_slice() else { panic!("{left:?}") };
    assert!(unfinished.metadata().expect("a file").len() > 0);
    let out = replay(&[unfinished.to_str().expect("a path")]);
    assert!(out.status.code() == Some(1) && stderr(&out).contains("INVALID_RECORDING"), "{}", stderr(&out));
    // And it can be done again, in the same place.
    let out = home.run(&["record", "standup", file.to_str().expect("a path")]);
    assert!(out.status.success() && replay(&[file.to_str().expect("a path")]).status.success(), "{}", stderr(&out));
    joined.kill().expect("it ends");
    joined.wait().expect("it ended");
}

/// A disk that is full is said in words, and nothing is left there.
#[cfg(target_os = "linux")]
#[test]
fn a_recording_that_does_not_fit_on_the_disk_is_not_there() {
    if !may_mount() {
        return;
    }
    let home = Home::new();
    let (_serving, _) = home.serve(&[]);
    let mut joined = home.command(&["join", "standup"]).spawn().expect("parlor runs");
    let there = || stdout(&home.run(&["members", "standup", "--json"])).contains("u_").then_some(());
    until(PATIENCE, "a member", there);
    let folder = tempfile::tempdir().expect("a folder");
    let record = home.command(&["record", "standup", folder.path().join("room").to_str().expect("a path")]);
    // One page of memory, and that is taken.
    let script = r#"mount -t tmpfs -o size=4k,mode=0700 none "$0" && head -c 4096 /dev/zero > "$0/taken" && "$@"; echo "ended with $?, left $(ls -A "$0")""#;
    let mut small = Command::new("unshare");
    small.args(["--mount", "sh", "-c", script]).arg(folder.path()).arg(record.get_program()).args(record.get_args());
    for (name, value) in record.get_envs() {
        match value {
            Some(value) => small.env(name, value),
            None => small.env_remove(name),
        };
    }
    let out = small.output().expect("a shell");
    assert_eq!(stdout(&out).trim(), "ended with 2, left taken", "{}", stderr(&out));
    assert!(stderr(&out).contains("No space left"), "{}", stderr(&out));
    joined.kill().expect("it ends");
    joined.wait().expect("it ended");
}

#[cfg(target_os = "linux")]
fn may_mount() -> bool {
    let may = Command::new("unshare").args(["--mount", "true"]).output().is_ok_and(|tried| tried.status.success());
    assert!(may || std::env::var("CI").as_deref() != Ok("true"), "a mount namespace takes root and `unshare`");
    may
}
