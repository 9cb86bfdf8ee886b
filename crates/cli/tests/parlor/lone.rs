//! Subcommands while no peer of the profile runs: they start one for the call. And what `serve` says about itself.

use nix::sys::signal::Signal;
use parlor_testkit::wait::until;
use serde_json::{Value, json};

use crate::home::{Home, PATIENCE, stderr, stdout};

#[test]
fn serve_says_where_it_is_and_cleans_up() {
    let home = Home::new();
    let (serving, line) = home.serve(&["--http", "localhost:0", "--token", "token-of-a-test"]);
    let http = line["http"].as_str().expect("an address");
    assert!(http.starts_with("http://127.0.0.1:") && !http.ends_with(":0"), "{line}");
    assert!(line["peerId"].as_str().is_some_and(|id| id.len() > 20), "{line}");
    assert!(line["listen"][0].as_str().is_some_and(|addr| addr.starts_with("/ip4/127.0.0.1/tcp/")), "{line}");
    let api: Value =
        serde_json::from_slice(&std::fs::read(home.profile_dir().join("api.json")).expect("a file")).expect("JSON");
    assert_eq!(
        (&api["url"], &api["token"], &api["peerId"]),
        (&line["http"], &json!("token-of-a-test"), &line["peerId"])
    );

    let status = home.json(&["status", "--json"]);
    assert_eq!(status["peerId"], line["peerId"], "the call used the running peer");
    serving.signal(Signal::SIGINT);
    assert_eq!(serving.end(), (Some(0), String::new()));
    assert!(!home.profile_dir().join("api.json").exists());
    assert_ne!(home.json(&["status", "--json"])["peerId"], line["peerId"], "this one used its own");
    assert!(!home.profile_dir().join("api.json").exists(), "and took its traces along");
}

// G6: what a killed process left behind misleads nobody.
#[test]
fn the_file_of_a_dead_peer_is_ignored() {
    let home = Home::new();
    let (serving, _) = home.serve(&[]);
    serving.signal(Signal::SIGKILL);
    assert_eq!(serving.end().0, None);
    assert!(home.profile_dir().join("api.json").exists());
    home.json(&["status", "--json"]);
}

// M7: a directory that was copied while its peer runs has that peer's files in it. What is started there is a session of
// its own all the same, and never speaks through the original's.
#[test]
fn a_copied_directory_is_not_the_running_peer() {
    let home = Home::new();
    let (_serving, _) = home.serve(&[]);
    let original = home.json(&["status", "--json"]);
    let copy = home.copy();
    assert!(copy.profile_dir().join("api.json").exists(), "the test lost its point");
    let copied = copy.json(&["status", "--json"]);
    assert_eq!(copied["userId"], original["userId"], "the same person");
    assert_ne!(copied["sessionId"], original["sessionId"]);
    assert_ne!(copied["peerId"], original["peerId"]);
    assert_eq!(home.json(&["status", "--json"])["sessionId"], original["sessionId"]);
}

#[test]
fn a_lone_command_sees_a_room_through_the_peers_it_finds() {
    let (here, there) = (Home::new(), Home::new());
    let (_serving, line) = here.serve(&[]);
    let join = here.start(&["join", "blue", "--json"]);
    let record: Value = serde_json::from_str(&join.line()).expect("the record");

    let addr = line["listen"][0].as_str().expect("an address");
    let page = there.json(&["members", "blue", "--json", "--dial", addr, "--wait", "15"]);
    assert_eq!((&page["total"], &page["members"][0]["memberId"]), (&json!(1), &record["memberId"]));
    // Another profile of the same data directory needs no address.
    let page = here.json(&["members", "blue", "--json", "--profile", "second", "--wait", "15"]);
    assert_eq!(page["members"][0]["memberId"], record["memberId"]);
}

/// What it says of networks, and that a problem is exit code 1, is tried in networks: `tests/lan`.
#[test]
fn the_doctor_looks_at_the_running_peer_or_at_its_own() {
    let home = Home::new();
    let own = home.json(&["doctor", "--json"]);
    assert_eq!((&own["findings"][0]["code"], &own["network"]), (&json!("LOOPBACK_ONLY"), &json!("loopback")));
    let (_serving, line) = home.serve(&[]);
    let report = home.json(&["doctor", "--json"]);
    assert_eq!(report["listen"], line["listen"]);
    let output = home.run(&["doctor"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for words in ["INTERFACE", "127.0.0.1/8", "no: this computer only", "Hint: This peer listens on this computer only"]
    {
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_lone_join_is_a_peer_of_its_own() {
    let (here, there) = (Home::new(), Home::new());
    let join = here.start(&["join", "blue"]);
    let first = join.line();
    assert!(first.starts_with("You are in \"blue\" as u_"), "{first}");
    // Its API answers while it runs, so the other subcommands work as beside `serve`.
    here.json(&["presence", "blue", r#"{"status":"busy"}"#, "--json"]);
    let status = here.json(&["status", "--json"]);
    let addr = status["listen"][0].as_str().expect("an address");

    let watch = there.start(&["watch", "blue", "--dial", addr]);
    let (seen, _) = until(PATIENCE, "the member is seen", || {
        let event: Value = serde_json::from_str(&watch.line()).expect("a line of JSON");
        let rows = event["members"].as_array().cloned().unwrap_or_default();
        rows.into_iter().chain([event["member"].clone()]).find(|row| row["presence"]["status"] == "busy")
    });
    join.signal(Signal::SIGTERM);
    assert_eq!(watch.event("left")["member"]["memberId"], seen["memberId"]);
    assert_eq!(join.end().0, Some(0));
}

#[test]
fn the_profile_and_the_rooms_are_kept() {
    let home = Home::new();
    let status = home.json(&["profile", "--name", "Quiet Otter", "--json"]);
    assert_eq!((&status["name"], &status["named"]), (&json!("Quiet Otter"), &json!(true)));
    assert!(stdout(&home.run(&["profile"])).contains("Quiet Otter"));
    home.json(&["create", "blue", "--json"]);
    assert_eq!(home.json(&["rooms", "--json", "--wait", "0"])["rooms"][0]["room"], "blue");
    assert!(stdout(&home.run(&["rooms", "--wait", "0"])).contains("blue"));
    assert_eq!(home.json(&["forget", "blue", "--json"])["forgotten"], true);
    assert!(stdout(&home.run(&["rooms", "--wait", "0"])).contains("No rooms"));
}

#[test]
fn who_is_not_there_is_told_what_to_do() {
    let home = Home::new();
    for arguments in [&["presence", "blue", "{}"][..], &["metadata", "blue", "--set", "title=x"]] {
        let output = home.run(arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            stderr(&output).contains("NOT_JOINED") && stderr(&output).contains("parlor join"),
            "{}",
            stderr(&output)
        );
        assert_eq!(stdout(&output), "");
    }
    assert_eq!(home.json(&["leave", "blue", "--json"])["left"], false);
}

#[test]
fn a_join_ends_when_its_member_is_made_to_leave() {
    let home = Home::new();
    let (serving, _) = home.serve(&[]);
    for arguments in [&["join", "blue"][..], &["join", "blue", "--json"], &["join", "blue", "--as", "visitor"]] {
        let join = home.start(arguments);
        join.line();
        assert!(join.complaint().contains("Ctrl-C"));
        let guest: &[&str] = if arguments.contains(&"--as") { &["--as", "visitor"] } else { &[] };
        let left = home.json(&[&["leave", "blue", "--json"], guest].concat());
        assert_eq!(left["left"], true);
        let (code, text) = join.end();
        assert_eq!(code, Some(0), "{text}");
        let member = left["memberId"].as_str().expect("a member");
        assert!(text.contains(&format!("another program made {member} leave \"blue\"")), "{text}");
    }
    // Forgetting the room takes it away under the feet of who is in it.
    let join = home.start(&["join", "blue"]);
    join.line();
    assert_eq!(home.json(&["forget", "blue", "--json"])["forgotten"], true);
    let (code, text) = join.end();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("forgotten the room"), "{text}");
    serving.signal(Signal::SIGTERM);
    assert_eq!(serving.end().0, Some(0));
}

#[test]
fn serve_waits_for_a_profile_that_is_about_to_be_free() {
    let home = Home::new();
    let look = home.start(&["members", "blue", "--wait", "3"]);
    until(PATIENCE, "the call holds the profile", || home.profile_dir().join("api.json").exists().then_some(()));
    let (serving, line) = home.serve(&[]);
    let complaint = serving.complaint();
    assert!(complaint.contains("waiting") && complaint.contains(&look.pid().to_string()), "{complaint}");
    assert_eq!(look.end().0, Some(0));
    assert_eq!(home.json(&["status", "--json"])["peerId"], line["peerId"]);
    // Whoever waits can be stopped like whoever serves.
    let waits = home.start(&["serve"]);
    waits.complaint();
    waits.signal(Signal::SIGTERM);
    assert_eq!(waits.end(), (Some(0), String::new()));
}

#[test]
fn guests_are_named_on_the_command_line() {
    let home = Home::new();
    let (_serving, _) = home.serve(&[]);
    let join = home.start(&["join", "blue", "--as", "visitor", "--as-name", "Bold Heron", "--json"]);
    let record: Value = serde_json::from_str(&join.line()).expect("the record");
    let page = home.json(&["members", "blue", "--json"]);
    assert_eq!(
        (&page["members"][0]["memberId"], &page["members"][0]["actor"]["name"]),
        (&record["memberId"], &json!("Bold Heron"))
    );
    assert_eq!(home.json(&["leave", "blue", "--as", "visitor", "--json"])["left"], true);
}
