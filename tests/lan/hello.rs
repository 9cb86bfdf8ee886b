//! Parlor's own hello (design N7): where multicast is filtered, where it is switched off or blocked, and against somebody
//! who makes hellos up.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parlor::{Config, Join, MembersQuery, PresenceChange};
use parlor_testkit::headless::Headless;
use parlor_testkit::netns::{Host, Lan};
use parlor_testkit::pretender::{ELSEWHERE, LENGTH, Pretender};
use parlor_testkit::resident::Resident;
use parlor_testkit::wait::{throughout, until};
use serde_json::json;
use tempfile::TempDir;

use crate::party::{MEETING, Party, ROOM, meet, members};

/// How a peer came to know the others.
fn sources(peer: &Headless<'_>) -> Vec<String> {
    let peers = peer.get("/peers").expect("the peers");
    let peers = peers["peers"].as_array().expect("a list");
    peers.iter().map(|peer| peer["source"].as_str().expect("a source").to_owned()).collect()
}

fn all_sources(peers: &[Headless<'_>]) -> Vec<String> {
    peers.iter().flat_map(sources).collect()
}

pub fn serves_where_multicast_is_filtered() {
    let party = Party::new(3);
    party.lan.filter_multicast().expect("a filter");
    for host in party.lan.hosts() {
        // None of it could have come from behind a router, or would get there.
        host.firewall("udp dport 4757 ip ttl > 1 drop").expect("a firewall");
    }
    let peers = party.all_met();
    let sources = all_sources(&peers);
    assert!(sources.iter().filter(|source| *source == "hello").count() >= 3, "each pair by a hello: {sources:?}");
    assert!(sources.iter().all(|source| source == "hello" || source == "inbound"), "{sources:?}");
}

pub fn can_be_switched_off_and_so_can_mdns() {
    for (flag, way) in [("--no-mdns", "hello"), ("--no-hello", "mdns")] {
        let party = Party::new(2);
        for host in party.lan.hosts() {
            // By multicast alone, and none that has come or could go further.
            host.firewall("ip daddr 10.74.0.255 drop; udp dport 4757 ip ttl > 1 drop").expect("a firewall");
        }
        let peers = [party.member_with(0, &[flag]), party.member_with(1, &[flag])];
        meet(&peers);
        let sources = all_sources(&peers);
        assert!(sources.iter().any(|source| source == way), "{flag}: {sources:?}");
        assert!(sources.iter().all(|source| source == way || source == "inbound"), "{flag}: {sources:?}");
    }
}

/// Where nothing of it comes through, an address that somebody types does.
pub fn is_replaced_by_an_address_where_it_is_blocked() {
    let party = Party::new(2);
    for host in party.lan.hosts() {
        host.firewall("udp dport { 4757, 5353 } drop").expect("a firewall");
    }
    let peers = [party.member(0), party.member(1)];
    // The first questions of both are over by then, and a question more.
    throughout(Duration::from_secs(4), || match members(&peers[0]).len() {
        1 => Ok(()),
        count => Err(format!("{count} members, through a firewall")),
    });
    let address = format!("/ip4/{}/tcp/4747", party.lan.hosts()[1].address());
    peers[0].post("/peers", &json!({ "addr": address })).expect("a connection");
    meet(&peers);
    assert_eq!(sources(&peers[0]), ["dialled"]);
}

/// A peer in this process, on a host.
struct Inside {
    resident: Resident,
    _data: TempDir,
}

impl Inside {
    fn start(host: &Host, name: &str) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let config = Config { data_dir: data.path().into(), name: Some(name.to_owned()), ..Config::default() };
        let resident = Resident::start(host, config).expect("a peer");
        resident.ask(|live| async move { live.room(ROOM).join(Join::new()).await }).expect("joining");
        Self { resident, _data: data }
    }

    fn counters(&self) -> BTreeMap<String, u64> {
        self.resident.ask(|live| async move { live.counters().await })
    }

    fn steps(&self) -> Vec<u64> {
        let page = self.resident.ask(|live| async move { live.room(ROOM).members(MembersQuery::default()).await });
        let step = |member: &Arc<parlor::Member>| member.record.presence.get("step").and_then(|step| step.as_u64());
        page.expect("the members").members.iter().map(|member| step(member).unwrap_or_default()).collect()
    }
}

/// Everybody takes a step, and everybody sees that everybody did.
fn all_see_each_other(peers: &[&Inside], step: u64) {
    for peer in peers {
        let change = PresenceChange::new(json!({ "step": step }));
        peer.resident.ask(|live| async move { live.room(ROOM).presence(change).await }).expect("a step");
    }
    for peer in peers {
        let all = vec![step; peers.len()];
        until(MEETING, "the last step of everybody", || (peer.steps() == all).then_some(()));
    }
}

/// Another program has the port for itself: that is counted, and everything else finds peers as before.
pub fn is_missed_where_its_port_is_taken() {
    let lan = Lan::new(2).expect("a LAN");
    let [first, second] = lan.hosts() else { panic!("two hosts") };
    let holder = first.enter(|| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 4757))).expect("the host").expect("the port");
    let (here, there) = (Inside::start(first, "Quiet Otter"), Inside::start(second, "Brave Heron"));
    assert_eq!(here.counters().get("hello_unavailable"), Some(&1));
    assert_eq!(there.counters().get("hello_unavailable"), None);
    all_see_each_other(&[&here, &there], 1);
    drop(holder);
}

/// A flood of hellos with made-up sources, versions, kinds and answers: the room goes on, what is refused is counted by
/// name, nobody is dialled, somebody new comes in meanwhile, and no address gets more than two answers of a peer in any
/// two seconds, one of which may be late.
pub fn is_no_way_to_harm_a_room() {
    let lan = Lan::new(4).expect("a LAN");
    let host = |index: usize| lan.host(index).expect("a host");
    let (here, there) = (Inside::start(host(0), "Quiet Otter"), Inside::start(host(1), "Brave Heron"));
    all_see_each_other(&[&here, &there], 1);
    let victims = [host(0).address(), host(1).address()];
    let mut pretender = Pretender::on(&lan, 2, &victims).expect("a pretender");
    let names = [
        "hello_flood",
        "hello_from_elsewhere",
        "hello_kind_unknown",
        "hello_malformed",
        "hello_not_asked_for",
        "hello_too_often",
        "hello_version_unknown",
    ];
    let (mut step, began) = (1, Instant::now());
    until(Duration::from_secs(60), "all is counted by its name", || {
        (0..4).for_each(|_| pretender.wave());
        step += 1;
        all_see_each_other(&[&here, &there], step);
        let all = |peer: &Inside| names.iter().all(|name| peer.counters().contains_key(*name));
        (all(&here) && all(&there)).then_some(())
    });
    for peer in [&here, &there] {
        let counters = peer.counters();
        let refused: u64 = counters.iter().filter(|(name, _)| name.starts_with("hello_")).map(|(_, times)| times).sum();
        let most = 512 * (2 + began.elapsed().as_secs());
        assert!(refused <= most, "{refused} packets were read, and {most} are enough");
    }
    let new = Inside::start(host(3), "Merry Wren");
    until(MEETING, "somebody new is seen", || {
        pretender.wave();
        (here.steps().len() == 3).then_some(())
    });
    all_see_each_other(&[&here, &there, &new], step + 1);

    assert!(!pretender.was_dialled(), "a question, or an answer to none, is no reason to dial");
    assert!(pretender.asked() > 2_000 && !pretender.answers().is_empty(), "the test lost its point");
    let peers = 3;
    for (at, times) in pretender.answers() {
        for first in times {
            let soon = times.iter().filter(|time| **time >= *first && **time - *first < Duration::from_secs(2)).count();
            assert!(soon <= 2 * peers, "{soon} answers to address {at} in two seconds");
        }
    }
    assert_eq!(pretender.longest(), LENGTH, "an answer is as long as the question");
    assert!(!pretender.answers().contains_key(&ELSEWHERE), "nothing goes to another network");
}
