//! `parlor share`: a room for browsers, by a running peer and by one that is there for nothing else.

use std::net::TcpStream;
use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::home::{Home, stderr, stdout};

/// Pages as a build leaves them, and nothing in them.
fn pages(home: &Home) -> String {
    let dir = home.path().join("pages");
    std::fs::create_dir_all(&dir).expect("a folder");
    for page in ["index.html", "guest.html"] {
        std::fs::write(dir.join(page), "<!doctype html>").expect("a page");
    }
    dir.to_str().expect("a path").to_owned()
}

fn address(link: &str) -> &str {
    link.strip_prefix("http://").and_then(|rest| rest.split_once("/#")).expect("a link").0
}

#[test]
fn a_running_peer_shares_until_it_is_told_to_stop() {
    let home = Home::new();
    let (_serving, _) = home.serve(&["--ui-dir", &pages(&home)]);
    assert_eq!(stdout(&home.run(&["share", "standup", "--show"])), "The room is not shared to browsers.\n");
    let share = home.json(&["share", "standup", "--port", "0", "--minutes", "30", "--json"]);
    let link = share["link"].as_str().expect("a link");
    assert!(TcpStream::connect(address(link)).is_ok(), "the command is over, and the peer shares");

    let text = stdout(&home.run(&["share", "standup", "--show", "--qr"]));
    assert!(text.contains(link) && text.contains("not encrypted") && text.contains('█'), "{text}");
    assert!(!text.contains("Refused") && !text.contains("In the room"), "{text}");
    let again = home.json(&["share", "standup", "--json"]);
    assert_eq!((&again["link"], &again["expiresAt"]), (&share["link"], &share["expiresAt"]), "nothing is begun anew");

    assert_eq!(stdout(&home.run(&["share", "standup", "--stop"])), "The room is not shared to browsers.\n");
    assert!(TcpStream::connect(address(link)).is_err());
    assert_eq!(home.json(&["share", "standup", "--show", "--json"]), Value::Null);

    let text = stdout(&home.run(&["share", "standup", "--port", "0", "--tls"]));
    let share = home.json(&["share", "standup", "--show", "--json"]);
    assert!(share["link"].as_str().is_some_and(|link| link.starts_with("https://") && text.contains(link)), "{text}");
    assert!(text.contains(share["fingerprint"].as_str().expect("a fingerprint")), "{text}");
    assert!(!text.contains("not encrypted"), "{text}");
}

#[test]
fn a_peer_of_its_own_shares_until_ctrl_c() {
    let home = Home::new();
    pages(&home);
    // Where a build of the interface is looked for.
    let built = home.path().join("ui");
    std::fs::create_dir(&built).expect("a folder");
    std::fs::rename(home.path().join("pages"), built.join("dist")).expect("moved");
    let sharing = home.start_in(home.path(), &["share", "standup", "--port", "0", "--json"]);
    let share: Value = serde_json::from_str(&sharing.line()).expect("JSON");
    let link = share["link"].as_str().expect("a link").to_owned();
    assert!(sharing.complaint().contains("Ctrl-C"));
    assert!(TcpStream::connect(address(&link)).is_ok());
    sharing.signal(Signal::SIGINT);
    assert_eq!(sharing.end(), (Some(0), String::new()));
    assert!(TcpStream::connect(address(&link)).is_err());
}

#[test]
fn what_is_wrong_is_said() {
    let home = Home::new();
    let nowhere = home.start_in(Path::new("/"), &["share", "standup"]);
    let (code, text) = nowhere.end();
    assert!(code == Some(1) && text.contains("no pages for browsers") && text.contains("--ui-dir"), "{code:?} {text}");
    let (_serving, _) = home.serve(&["--ui-dir", &pages(&home)]);
    let output = home.run(&["share", "standup", "--address", "192.0.2.4"]);
    assert!(stderr(&output).contains("192.0.2.4 is no address of this computer"), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(2));
    for wrong in
        [&["share", "standup", "--stop", "--qr"][..], &["share", "standup", "--minutes", "1441"], &["share", ".."]]
    {
        assert_eq!(home.run(wrong).status.code(), Some(2), "{wrong:?}");
    }
}
