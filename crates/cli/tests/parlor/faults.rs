//! What is left of a fault: a log, and a file about every panic.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use nix::sys::signal::Signal;
use parlor_testkit::wait::until;
use serde_json::{Value, json};

use crate::home::{Home, PATIENCE, Running, stdout};

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

/// Every string in it.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(members) => members.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

/// Two people in an open room and in a private one, who write, at peers that log all that there is to log.
#[test]
fn diagnostics_and_the_whole_log_name_nobody() {
    let (here, there) = (Home::new(), Home::new());
    drop(here.serve(&["--panic"]).0.end());
    let token = "token-of-this-test";
    let (_serving_here, line) = here.serve_and_log("parlor=trace", &["--name", "Quiet Otter", "--token", token]);
    let addr = line["listen"][0].as_str().expect("an address").to_owned();
    let (_serving_there, _) = there.serve_and_log("parlor=trace", &["--name", "Calm Heron", "--dial", &addr]);
    here.json(&["create", "secret plans", "--private", "--json"]);
    let ticket = here.json(&["ticket", "secret plans", "--json"])["ticket"].as_str().expect("a ticket").to_owned();
    let presence = ["--presence", r#"{"status":"so very busy"}"#, "--json"];
    let _members: Vec<Running> = [
        here.start(&[&["join", "blue harbour"], &presence[..]].concat()),
        there.start(&[&["join", "blue harbour"], &presence[..]].concat()),
        here.start(&[&["join", "secret plans"], &presence[..]].concat()),
        there.start(&[&["join", "secret plans", "--ticket", &ticket], &presence[..]].concat()),
    ]
    .into_iter()
    .inspect(|join| drop(join.line()))
    .collect();
    here.json(&["say", "blue harbour", "meet me at noon", "--json"]);
    here.json(&["metadata", "secret plans", "--set", "title=Great Escape", "--json"]);

    let (told, _) = until(PATIENCE, "both rooms have both people", || {
        let told = here.json(&["diagnostics", "--json"]);
        let full = told["rooms"].as_array().is_some_and(|rooms| rooms.iter().all(|room| room["members"] == 2));
        (full && told["rooms"][1].is_object() && told["peers"][0]["rttMs"].is_number()).then_some(told)
    });
    assert_eq!(told["rooms"].as_array().unwrap().iter().filter(|room| room["private"] == true).count(), 1, "{told}");
    let tags: Vec<&Value> = told["rooms"].as_array().unwrap().iter().map(|room| &room["room"]).collect();
    assert_eq!(told["peers"].as_array().unwrap().len(), 1);
    assert!(told["peers"][0]["rooms"].as_array().unwrap().iter().all(|room| tags.contains(&room)), "{told}");
    assert_eq!(told["network"]["state"], json!("loopback"));
    assert!(told["counters"]["sent"].as_u64() > Some(0), "{told}");
    assert_eq!(told["crash"]["message"], "asked to panic");
    assert!(told["log"][0].as_str().is_some_and(|line| line.contains("Parlor had a fault")), "{told}");
    let for_people = stdout(&here.run(&["diagnostics"]));
    let again: Value = serde_json::from_str(&for_people).unwrap();
    assert_eq!(again["session"], told["session"]);

    let logs = here.profile_dir().join("logs");
    let log = fs::read_dir(&logs).unwrap().map(|entry| entry.unwrap().path());
    let log: String = log.map(|path| fs::read_to_string(path).unwrap()).collect();
    for event in ["a room is entered", "a connection is open", "a frame came", "a call was answered", "session="] {
        assert!(log.contains(event), "{event} is not in {log}");
    }
    let keys: Value = serde_json::from_slice(&fs::read(here.profile_dir().join("keys.json")).unwrap()).unwrap();
    let identity = fs::read_to_string(here.profile_dir().join("identity.key")).unwrap();
    let mut secrets: Vec<String> = strings(&keys).into_iter().chain(identity.lines().map(str::to_owned)).collect();
    secrets.retain(|text| text.len() >= 16);
    assert!(secrets.len() >= 2, "{keys}");
    secrets.extend([token.to_owned(), ticket]);
    for name in ["Otter", "Heron", "harbour", "plans", "noon", "Escape", "so very busy"] {
        secrets.push(name.to_owned());
    }
    let passed_on = told.to_string() + &for_people;
    for secret in &secrets {
        assert!(!log.contains(secret.as_str()), "{secret} is in the log");
        assert!(!passed_on.contains(secret.as_str()), "{secret} is in the diagnostics");
    }
    for place in ["127.0.0.1", here.path().to_str().unwrap()] {
        assert!(!passed_on.contains(place), "{place} is in the diagnostics: {passed_on}");
    }
}
