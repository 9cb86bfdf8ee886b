//! The LAN itself, and what a cut cable does to a room.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::Duration;

use parlor_testkit::netns::Lan;
use parlor_testkit::wait::until;
use serde_json::json;

use crate::party::{MEETING, Party, ROOM, meet, members, metadata, set_metadata, state};

pub fn hosts_hear_each_other_until_a_cable_is_cut() {
    let lan = Lan::new(2).expect("a LAN");
    let [first, second] = lan.hosts() else { panic!("two hosts") };
    let address = (first.address(), 7000);
    let listener = first.enter(|| TcpListener::bind(address)).expect("the host").expect("a listener");
    let connect = || {
        let timeout = Duration::from_millis(300);
        second.enter(|| TcpStream::connect_timeout(&address.into(), timeout)).expect("the host")
    };

    let mut near = connect().expect("a connection over the bridge");
    let (mut far, from) = listener.accept().expect("the other end");
    assert_eq!(from.ip(), second.address());
    near.write_all(b"hello").expect("writing");
    let mut heard = [0; 5];
    far.read_exact(&mut heard).expect("reading");
    assert_eq!(&heard, b"hello");

    lan.cut(0).expect("cutting");
    connect().expect_err("a connection over a cut cable");
    lan.heal(0).expect("healing");
    until(Duration::from_secs(5), "a connection over the healed cable", || connect().ok());
    assert!(lan.cut(2).is_err(), "there are two hosts");
}

pub fn nothing_is_left_behind() {
    let lan = Lan::new(1).expect("a LAN");
    let namespace = lan.hosts()[0].namespace().to_owned();
    let listed = |name: &str| std::path::Path::new("/run/netns").join(name).exists();
    assert!(listed(&namespace));
    let mut command = lan.hosts()[0].command("cat");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process on the host");
    let (mut input, mut output) = (child.stdin.take().expect("its input"), child.stdout.take().expect("its output"));
    input.write_all(b".").expect("writing");
    output.read_exact(&mut [0]).expect("an echo, so it runs on the host by now");
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _lan = lan;
        // Not a panic that prints: a test that passes says nothing.
        std::panic::resume_unwind(Box::new("on purpose"));
    }));
    assert!(unwound.is_err());
    assert!(!listed(&namespace), "the namespace went with the LAN");
    until(Duration::from_secs(2), "the end of the process", || child.try_wait().expect("its status"));
}

/// Design R9 and R12: a host whose cable is out keeps showing who was there, says that its view is old, and both sides
/// get what the other wrote meanwhile.
// F5 F13
pub fn a_cut_host_keeps_its_view_and_catches_up() {
    let party = Party::new(3);
    let peers = party.all_met();
    party.lan.cut(2).expect("cutting");
    let complete = || peers[2].get(&format!("/rooms/{ROOM}/members")).expect("the members")["complete"] == true;
    until(MEETING, "the cut host says its view is old", || (!complete()).then_some(()));
    let network = || peers[2].get("/profile").expect("the status")["network"].clone();
    until(MEETING, "the cut host says that there is no network", || (network() == "offline").then_some(()));
    // Ten seconds of silence, and a little to notice.
    until(Duration::from_secs(12), "the others miss it", || state(&peers[0], 2).is_none().then_some(()));
    assert_eq!(members(&peers[2]).len(), 3, "its own outage removes nobody");

    set_metadata(&peers[0], &json!({ "metadata": { "title": "Written here" } }));
    set_metadata(&peers[2], &json!({ "metadata": { "note": "Written there" } }));
    party.lan.heal(2).expect("healing");
    meet(&peers);
    let both = json!({ "title": "Written here", "note": "Written there" });
    for peer in &peers {
        until(MEETING, "what was written on both sides", || (metadata(peer) == both).then_some(()));
    }
    until(MEETING, "a view that is current again", || complete().then_some(()));
    until(MEETING, "a network again", || (network() == "online").then_some(()));
}

/// Design R9: who was away knows nothing of those who fell silent meanwhile. They stay listed while the view is old, and
/// have to prove that they live when it is current again.
// F11
pub fn who_ends_while_one_is_cut_off_is_gone_there_too() {
    let party = Party::new(3);
    let mut peers = party.all_met();
    party.lan.cut(0).expect("cutting");
    until(MEETING, "the cut host says its view is old", || {
        let complete = peers[0].get(&format!("/rooms/{ROOM}/members")).expect("the members")["complete"].take();
        (complete == false).then_some(())
    });
    peers.remove(1).kill().expect("SIGKILL");
    until(Duration::from_secs(12), "the third misses both", || (members(&peers[1]).len() == 1).then_some(()));
    assert_eq!(members(&peers[0]).len(), 3, "its own outage removes nobody");
    party.lan.heal(0).expect("healing");
    until(Duration::from_secs(12), "gone there too", || state(&peers[0], 1).is_none().then_some(()));
    meet(&peers);
}
