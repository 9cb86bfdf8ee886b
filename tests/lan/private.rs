//! What somebody on the same network learns of a private room (design N8): nothing but that peers talk.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use parlor_testkit::netns::Host;
use parlor_testkit::wait::until;
use serde_json::{Value, json};

use crate::party::{MEETING, Party};

/// Nobody writes these by chance.
const NAME: &str = "salt-marsh-7f3a";
const TITLE: &str = "Ledger of the quiet pond";
const WORDS: &str = "the key lies under the third stone";

/// All that goes in and out of a host by one of its ports, into a file.
pub struct Capture(Child);

impl Capture {
    pub fn start(host: &Host, port: &str, file: &Path) -> Self {
        let mut command = host.command("tcpdump");
        command.args(["-i", port, "-s", "0", "--immediate-mode", "-U", "-w"]).arg(file);
        let child = command.stderr(Stdio::null()).stdin(Stdio::null()).spawn().expect("tcpdump");
        until(MEETING, "the capture has begun", || file.metadata().is_ok_and(|file| file.len() > 0).then_some(()));
        Self(child)
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn holds(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

pub fn an_outsider_learns_neither_its_name_nor_a_word() {
    let party = Party::new(3);
    let folder = tempfile::tempdir().expect("a directory");
    let files: Vec<_> = (0..2).map(|host| folder.path().join(format!("{host}.pcap"))).collect();
    let captures: Vec<Capture> =
        files.iter().zip(party.lan.hosts()).map(|(file, host)| Capture::start(host, "eth0", file)).collect();
    let (here, there, outsider) = (party.peer(0), party.peer(1), party.peer(2));
    let made = here.post("/rooms", &json!({"room": NAME, "private": true})).expect("the room");
    let ticket = made["ticket"].as_str().expect("its ticket").to_owned();
    here.join(NAME, &json!({"note": WORDS})).expect("joining");
    let join = json!({"ticket": ticket, "presence": {}});
    there.post(&format!("/rooms/{NAME}/join"), &join).expect("joining by ticket");
    here.post(&format!("/rooms/{NAME}/metadata"), &json!({"metadata": {"title": TITLE}})).expect("a title");
    until(MEETING, "they see each other", || {
        let title = there.get(&format!("/rooms/{NAME}/metadata")).expect("the metadata")["metadata"]["title"].take();
        let seen = there.members(NAME).expect("the members").iter().any(|one| one["presence"]["note"] == WORDS);
        (seen && title == TITLE).then_some(())
    });

    // An open room, whose adverts have arrived when it is listed: a private one's would have arrived as well.
    here.join("hall", &json!({})).expect("joining");
    let (rooms, _) = until(MEETING, "the open room is near", || {
        let rooms = outsider.get("/rooms").expect("the rooms");
        let near = rooms["rooms"].as_array().expect("rooms").iter().any(|room| room["room"] == "hall");
        near.then_some(rooms)
    });
    let (peers, _) = until(MEETING, "the outsider is linked to both", || {
        let peers = outsider.get("/peers").expect("the peers")["peers"].take();
        (peers.as_array().expect("peers").len() == 2).then_some(peers)
    });
    outsider.join(NAME, &json!({})).expect("joining the open room of that name");
    until(Duration::from_secs(15), "the outsider is alone there", || {
        let open = outsider.members(NAME).expect("the members");
        (open.len() == 1).then_some(())
    });
    for (what, told) in [("rooms", &rooms), ("peers", &peers)] {
        assert!(!told.to_string().contains(NAME), "the outsider's {what} name it: {told}");
    }
    assert!(peers.as_array().expect("peers").iter().all(|peer| peer["rooms"] == Value::Array(Vec::new())), "{peers}");

    drop(captures);
    let secret = ticket.trim_start_matches("parlor:");
    for file in &files {
        let bytes = std::fs::read(file).expect("the capture");
        assert!(holds(&bytes, "_p2p"), "what is in the clear, discovery, can be seen");
        for words in [NAME, TITLE, WORDS, "note", &secret[..24], &secret.to_ascii_uppercase()[..24]] {
            assert!(!holds(&bytes, words), "{words:?} can be read in {} bytes", bytes.len());
        }
    }
}
