//! Two networks, and one computer that is in both: its hosts cannot reach each other, and it passes no packet from one to
//! the other. The peer there, when it is a relay, is where everybody meets (design N7).

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use parlor_testkit::headless::Headless;
use parlor_testkit::wait::until;
use serde_json::{Value, json};

use crate::party::{MEETING, Party, ROOM, all_step, meet, members, name, state, step};
use crate::private::{Capture, holds};

/// The number of the relay's host in the first network, after two others.
const RELAY: usize = 2;
/// From the start of a relay that crashed: everybody dials it again within two seconds, reserves, and hears who is there.
const BACK: Duration = Duration::from_secs(8);

/// Two networks of two hosts, and the relay's.
struct Two {
    here: Party,
    there: Party,
    /// The relay's addresses.
    relay: [Ipv4Addr; 2],
}

impl Two {
    fn new() -> Self {
        let (here, there) = (Party::over_hub(3), Party::elsewhere(75, 2));
        let both = &here.lan.hosts()[RELAY];
        let relay = [both.address(), there.lan.plug(both).expect("a second port")];
        let two = Self { here, there, relay };
        let far = SocketAddr::new(two.there.lan.hosts()[0].address().into(), 22);
        let reach = || TcpStream::connect_timeout(&far, Duration::from_millis(200)).map(drop);
        let refused = two.here.lan.hosts()[0].enter(reach).expect("the host").expect_err("there is no way");
        assert_eq!(refused.kind(), std::io::ErrorKind::NetworkUnreachable);
        two
    }

    fn relay(&self, flags: &[&str]) -> Headless<'_> {
        self.here.peer_with(RELAY, &[&["--relay"], flags].concat())
    }

    /// The address by which one of the networks reaches the relay.
    fn at(&self, network: usize) -> String {
        format!("/ip4/{}/tcp/4747", self.relay[network])
    }
}

/// A peer on a host that has joined under a name of its own.
fn join<'a>(party: &'a Party, host: usize, number: usize, flags: &[&str]) -> Headless<'a> {
    let peer = party.peer_with(host, flags);
    peer.join(ROOM, &json!({ "name": name(number), "cursor": null })).expect("joining");
    peer
}

/// What is said of the link to each of these at a peer, in their order.
fn of(peer: &Headless<'_>, others: &[&Headless<'_>], field: &str) -> Vec<String> {
    let peers = peer.get("/peers").expect("the peers")["peers"].take();
    let of = |other: &&Headless<'_>| {
        let all = peers.as_array().into_iter().flatten();
        let mut link = all.filter(|link| link["peerId"] == other.peer_id());
        link.next().and_then(|link| link[field].as_str()).unwrap_or_default().to_owned()
    };
    others.iter().map(of).collect()
}

/// The figure of a name that Prometheus is told, or 0.
fn counted(peer: &Headless<'_>, name: &str) -> f64 {
    let text = peer.get("/metrics").expect("the metrics");
    let text = text.as_str().unwrap_or_default();
    let line = text.lines().find(|line| line.contains(&format!("\"{name}\"")));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
}

/// Two peers on each side, who were told of nothing: they find the relay as they find each other, and through it those of
/// the other side. Cursors arrive from everybody at everybody.
pub fn two_networks_meet_at_one() {
    let two = Two::new();
    let relay = two.relay(&[]);
    let peers = [
        join(&two.here, 0, 0, &[]),
        join(&two.here, 1, 1, &[]),
        join(&two.there, 0, 2, &[]),
        join(&two.there, 1, 3, &[]),
    ];
    meet(&peers);
    all_step(Duration::from_secs(3), &peers, 1);
    for (near, far) in [([0, 1], [2, 3]), ([2, 3], [0, 1])] {
        let across: Vec<&Headless<'_>> = far.iter().map(|far| &peers[*far]).collect();
        for own in near {
            until(MEETING, "linked to both of the other side, through the relay", || {
                (of(&peers[own], &across, "transport") == ["relay", "relay"]).then_some(())
            });
            let sources = of(&peers[own], &across, "source");
            assert!(sources.iter().all(|source| ["rendezvous", "relay"].contains(&source.as_str())), "{sources:?}");
        }
        assert_eq!(of(&peers[near[0]], &[&peers[near[1]]], "transport"), ["tcp"], "neighbours need no relay");
        assert_eq!(of(&peers[near[0]], &[&relay], "transport"), ["tcp"]);
    }
    assert!(counted(&relay, "relay_reserved") >= 4.0, "each has a place");
    assert_eq!(counted(&relay, "relay_circuit_refused"), 0.0);
}

/// With nothing but the relay's address, typed. It is killed: those of the other side grey. It starts again, as somebody
/// new at the same address, and within eight seconds all are current again, on the rows that they had.
pub fn one_that_crashes_is_back_with_everybody() {
    let two = Two::new();
    let mut relay = two.relay(&["--no-multicast"]);
    let [here, there] = [0, 1].map(|network| two.at(network));
    let peers = [
        join(&two.here, 0, 0, &["--no-multicast", "--dial", &here]),
        join(&two.there, 0, 1, &["--no-multicast", "--dial", &there]),
    ];
    meet(&peers);
    all_step(Duration::from_secs(3), &peers, 1);
    let rows = |peer: &Headless<'_>| -> Vec<String> {
        members(peer).iter().map(|member| format!("{} {}", member["memberId"], member["joinedAt"])).collect()
    };
    let before = rows(&peers[0]);
    relay.kill().expect("SIGKILL");
    for (peer, other) in [(&peers[0], 1), (&peers[1], 0)] {
        until(Duration::from_secs(3), "the other greys", || (state(peer, other)? == "stale").then_some(()));
    }
    drop(relay);
    peers.iter().for_each(|peer| step(peer, 2));
    let relay = two.relay(&["--no-multicast"]);
    let started = Instant::now();
    meet(&peers);
    all_step(BACK, &peers, 3);
    assert!(started.elapsed() < BACK, "{:?}", started.elapsed());
    assert_eq!(peers.each_ref().map(rows), [before.clone(), before], "nobody left and came back");
    assert!(counted(&relay, "relay_reserved") >= 2.0);
}

/// The computer in the middle begins to pass packets on: the circuit goes, one connection is left, and nobody notices.
pub fn give_way_to_a_direct_way() {
    let two = Two::new();
    let relay = two.relay(&[]);
    let peers = [join(&two.here, 0, 0, &[]), join(&two.there, 0, 1, &[])];
    meet(&peers);
    until(MEETING, "a circuit", || (of(&peers[0], &[&peers[1]], "transport") == ["relay"]).then_some(()));
    let both = &two.here.lan.hosts()[RELAY];
    both.pass_on(true).expect("a router");
    two.here.lan.hosts()[0].route(&two.there.lan, two.relay[0]).expect("a way there");
    two.there.lan.hosts()[0].route(&two.here.lan, two.relay[1]).expect("a way back");
    for (peer, other) in [(&peers[0], 1), (&peers[1], 0)] {
        until(Duration::from_secs(60), "a direct connection instead", || {
            assert_eq!(state(peer, other).as_deref(), Some("active"), "all the while");
            (of(peer, &[&peers[other]], "transport") == ["tcp"]).then_some(())
        });
    }
    until(MEETING, "the circuit is closed", || {
        let open = counted(&relay, "relay_circuit_opened") - counted(&relay, "relay_circuit_closed");
        (open == 0.0).then_some(())
    });
    all_step(Duration::from_secs(3), &peers, 1);
}

/// A private room across a relay that is not in it. All that the relay's computer sends and receives names it nowhere, and
/// neither does its API.
pub fn learn_nothing_of_a_private_room() {
    const NAME: &str = "heron-bank-51c9";
    const TITLE: &str = "Accounts of the far shore";
    const WORDS: &str = "seven oars are under the jetty";
    let two = Two::new();
    let folder = tempfile::tempdir().expect("a directory");
    let ports = ["eth0", "eth1"];
    let files = ports.map(|port| folder.path().join(format!("{port}.pcap")));
    let both = &two.here.lan.hosts()[RELAY];
    let captures: Vec<Capture> =
        ports.iter().zip(&files).map(|(port, file)| Capture::start(both, port, file)).collect();
    let relay = two.relay(&[]);
    let (here, there) = (two.here.peer(0), two.there.peer(0));
    let made = here.post("/rooms", &json!({"room": NAME, "private": true})).expect("the room");
    here.join(NAME, &json!({"note": WORDS})).expect("joining");
    here.post(&format!("/rooms/{NAME}/metadata"), &json!({"metadata": {"title": TITLE}})).expect("a title");
    let join = json!({"ticket": made["ticket"], "presence": {}});
    there.post(&format!("/rooms/{NAME}/join"), &join).expect("joining by ticket");
    until(MEETING, "they see each other", || {
        let title = there.get(&format!("/rooms/{NAME}/metadata")).expect("the metadata")["metadata"]["title"].take();
        let seen = there.members(NAME).expect("the members").iter().any(|one| one["presence"]["note"] == WORDS);
        (seen && title == TITLE).then_some(())
    });
    assert_eq!(of(&here, &[&there], "transport"), ["relay"]);
    for what in ["/rooms", "/peers", "/metrics"] {
        let told: Value = relay.get(what).expect("an answer");
        assert!(!told.to_string().contains(NAME), "{what} of the relay names it: {told}");
    }
    drop(captures);
    let ticket = made["ticket"].as_str().expect("its ticket").trim_start_matches("parlor:");
    for file in &files {
        let bytes = std::fs::read(file).expect("the capture");
        assert!(holds(&bytes, "_p2p"), "what is in the clear, discovery, can be seen");
        assert!(bytes.len() > 10_000, "and the rest is there too: {} bytes", bytes.len());
        for words in [NAME, TITLE, WORDS, &ticket[..24], &ticket.to_ascii_uppercase()[..24]] {
            assert!(!holds(&bytes, words), "{words:?} can be read in {} bytes", bytes.len());
        }
    }
}

/// Who starts with `--no-relays` is met by nobody through one, though linked to it like everybody.
pub fn are_used_by_nobody_who_declines() {
    let two = Two::new();
    let relay = two.relay(&[]);
    let declines = join(&two.here, 0, 0, &["--no-relays"]);
    let there = [join(&two.there, 0, 1, &[]), join(&two.there, 1, 2, &[])];
    meet(&there);
    until(MEETING, "linked to the relay", || (of(&declines, &[&relay], "transport") == ["tcp"]).then_some(()));
    until(MEETING, "the others asked the relay", || (counted(&relay, "rendezvous_served") >= 2.0).then_some(()));
    assert_eq!(members(&declines).len(), 1);
    assert_eq!(of(&declines, &[&there[0], &there[1]], "transport"), ["", ""]);
    // Who does not decline is found by those two in the same way, so they would have found this one.
    let joins = join(&two.here, 1, 3, &[]);
    until(MEETING, "another is found through it", || {
        (of(&joins, &[&there[0], &there[1]], "transport") == ["relay", "relay"]).then_some(())
    });
    assert_eq!(of(&declines, &[&there[0], &there[1]], "transport"), ["", ""]);
}
