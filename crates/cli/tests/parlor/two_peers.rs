//! Two `parlor serve` on loopback, and the other subcommands at both ends.

use nix::sys::signal::Signal;
use parlor_testkit::wait::until;
use serde_json::{Value, json};

use crate::home::{Home, PATIENCE, Running, stderr, stdout};

struct Pair {
    here: Home,
    there: Home,
    serving_here: Running,
    _serving_there: Running,
}

/// Two peers, of which the second dialled the first.
fn pair() -> Pair {
    let (here, there) = (Home::new(), Home::new());
    let (serving_here, line) = here.serve(&[]);
    let addr = line["listen"][0].as_str().expect("an address").to_owned();
    let (serving_there, _) = there.serve(&["--dial", &addr]);
    Pair { here, there, serving_here, _serving_there: serving_there }
}

fn total(home: &Home) -> Value {
    home.json(&["members", "blue", "--json"])["total"].clone()
}

#[test]
fn who_joins_at_one_is_seen_at_the_other_until_ctrl_c() {
    let Pair { here, there, serving_here: _here, _serving_there } = pair();
    let watch = there.start(&["watch", "blue"]);
    assert_eq!(watch.event("snapshot")["members"], json!([]));

    let join = here.start(&[
        "join",
        "blue",
        "--json",
        "--presence",
        r#"{"status":"online"}"#,
        "--metadata",
        r#"{"role":"scribe"}"#,
    ]);
    let record: Value = serde_json::from_str(&join.line()).expect("the record");
    assert_eq!((&record["room"], &record["presence"]), (&json!("blue"), &json!({"status": "online"})));

    let joined = watch.event("joined");
    assert_eq!(joined["member"]["memberId"], record["memberId"]);
    assert_eq!(
        (&joined["member"]["presence"], &joined["member"]["metadata"]),
        (&json!({"status": "online"}), &json!({"role": "scribe"}))
    );
    let page = there.json(&["members", "blue", "--json"]);
    assert_eq!((&page["total"], &page["members"][0]["memberId"]), (&json!(1), &record["memberId"]));
    let table = stdout(&there.run(&["members", "blue"]));
    let mut lines = table.lines();
    assert!(lines.next().is_some_and(|head| head.starts_with("NAME")), "{table}");
    assert!(lines.next().is_some_and(|row| row.contains("online") && row.contains("active")), "{table}");
    assert!(table.contains("1 member, "), "{table}");
    let known = there.json(&["members", "blue", "--evidence", "--json"]);
    assert_eq!(known["members"][0]["evidence"]["verdict"], "here", "{known}");
    let words = stdout(&there.run(&["members", "blue", "--evidence"]));
    assert!(words.lines().any(|line| line.contains(": Heard ") && line.ends_with(" on a direct link.")), "{words}");

    here.json(&["presence", "blue", r#"{"status":"busy"}"#, "--json"]);
    assert_eq!(watch.event("updated")["member"]["presence"]["status"], "busy");
    here.json(&["metadata", "blue", "--set", "title=Incident response", "--set", "locked=false", "--json"]);
    assert_eq!(watch.event("metadata")["metadata"]["metadata"], json!({"title": "Incident response", "locked": false}));
    assert!(stdout(&there.run(&["metadata", "blue"])).contains("Incident response"));

    join.signal(Signal::SIGINT);
    let left = watch.event("left");
    assert_eq!((&left["member"]["memberId"], &left["reason"]), (&record["memberId"], &json!("left")));
    assert_eq!(join.end().0, Some(0));
    assert_eq!(total(&there), 0);

    watch.signal(Signal::SIGTERM);
    assert_eq!(watch.end(), (Some(0), String::new()));
}

#[test]
fn a_peer_that_is_told_to_stop_takes_its_members_along_at_once() {
    let Pair { here, there, serving_here, _serving_there } = pair();
    let join = here.start(&["join", "blue"]);
    until(PATIENCE, "the other sees the member", || (total(&there) == 1).then_some(()));
    let watch = there.start(&["watch", "blue"]);
    watch.event("snapshot");

    serving_here.signal(Signal::SIGTERM);
    assert_eq!(watch.event("left")["reason"], "left", "said, not noticed");
    assert_eq!(serving_here.end().0, Some(0));
    assert!(!here.profile_dir().join("api.json").exists());

    let (code, text) = join.end();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("has stopped"), "{text}");
}

// G5: a peer that is killed is grey at once and gone within its bound, which is no leave that anybody said.
#[test]
fn a_peer_that_is_killed_is_gone_within_its_bound() {
    let Pair { here, there, serving_here, _serving_there } = pair();
    let join = here.start(&["join", "blue"]);
    until(PATIENCE, "the other sees the member", || (total(&there) == 1).then_some(()));
    let watch = there.start(&["watch", "blue"]);
    watch.event("snapshot");
    serving_here.signal(Signal::SIGKILL);
    let stale = watch.event("stale");
    let left = watch.event("left");
    assert_eq!((&left["member"]["memberId"], &left["reason"]), (&stale["member"]["memberId"], &json!("disconnected")));
    assert_eq!(total(&there), 0);
    assert_eq!(join.end().0, Some(1));
}

// G5: a command that is killed does not leave a ghost for ever.
#[test]
fn a_join_that_is_killed_expires() {
    let Pair { here, there, serving_here: _here, _serving_there } = pair();
    let join = here.start(&["join", "blue", "--ttl", "5"]);
    until(PATIENCE, "the other sees the member", || (total(&there) == 1).then_some(()));
    join.signal(Signal::SIGKILL);
    until(PATIENCE, "the member expires", || (total(&there) == 0).then_some(()));
}

#[test]
fn a_reader_that_closes_its_end_is_no_error() {
    let home = Home::new();
    let (_serving, _) = home.serve(&[]);
    let mut watch = home
        .command(&["watch", "blue"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("parlor starts");
    let mut first = String::new();
    let mut output = std::io::BufReader::new(watch.stdout.take().expect("a pipe"));
    std::io::BufRead::read_line(&mut output, &mut first).expect("a line");
    assert!(first.contains("snapshot"), "{first}");
    drop(output);

    let join = home.start(&["join", "blue"]);
    let (status, _) = until(PATIENCE, "watch ends", || watch.try_wait().expect("a child"));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut watch.stderr.take().expect("a pipe"), &mut text).expect("text");
    assert_eq!((status.code(), text.as_str()), (Some(0), ""));
    drop(join);
}

#[test]
fn peers_are_dialled_and_listed_by_name() {
    let (here, there) = (Home::new(), Home::new());
    let (_one, line) = here.serve(&["--name", "Quiet Otter"]);
    let (_two, _) = there.serve(&[]);
    let addr = line["listen"][0].as_str().expect("an address");
    assert_eq!(there.json(&["dial", addr, "--json"])["peerId"], line["peerId"]);
    let peers = there.json(&["peers", "--json"]);
    assert_eq!(peers["peers"][0]["peerId"], line["peerId"]);
    // Who somebody is, is known from the rooms that are shared.
    let _join = here.start(&["join", "blue"]);
    let (text, _) = until(PATIENCE, "the name is known", || {
        total(&there);
        let text = stdout(&there.run(&["peers"]));
        text.contains("Quiet Otter").then_some(text)
    });
    assert!(text.starts_with("NAME"), "{text}");
}

/// Report N16: two runs with one identity on one computer see each other, since each has a session of its own.
#[test]
fn a_copied_profile_is_told_and_becomes_somebody_new() {
    let home = Home::new();
    let (serving, line) = home.serve(&[]);
    let before = home.json(&["status", "--json"]);
    let watching = home.start(&["watch", "blue"]);
    watching.event("snapshot");
    let copy = home.copy();
    let address = line["listen"][0].as_str().expect("an address");
    let (_there, _) = copy.serve(&["--dial", address]);
    let joined = copy.start(&["join", "blue"]);
    assert_eq!(joined.line(), format!("You are in \"blue\" as {}.", before["userId"].as_str().expect("an id")));
    assert_eq!(watching.event("cloned")["cloned"]["readOnly"], true);
    let status = stdout(&home.run(&["status"]));
    assert!(status.contains("a copy of this profile runs elsewhere") && status.contains("read-only"), "{status}");
    let refused = home.run(&["join", "blue"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("becomes a new identity"), "{}", stderr(&refused));

    let said = stdout(&home.run(&["new-identity"]));
    let after = home.json(&["status", "--json"]);
    assert!(said.contains(after["userId"].as_str().expect("an id")), "{said}");
    assert_ne!(after["userId"], before["userId"]);
    assert_eq!(after["listen"], before["listen"], "it is the running peer that goes on");
    let complaint = serving.complaint();
    assert!(complaint.contains(after["peerId"].as_str().expect("an id")), "{complaint}");
    let again = home.start(&["join", "blue"]);
    assert!(again.line().contains(after["userId"].as_str().expect("an id")));
}
