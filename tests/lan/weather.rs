//! Rooms in bad weather. What each test must show stands beside it; the hub's own counts show that there was bad weather.

use std::time::{Duration, Instant};

use parlor_testkit::headless::Headless;
use parlor_testkit::hub::Weather;
use parlor_testkit::wait::{throughout, until};
use serde_json::{Value, json};

use crate::party::{MEETING, Party, ROOM, all_at_step, all_step, members, metadata, set_metadata, state, step};

/// Everybody steps so often, then the title is written; everybody sees the last steps and the title within the limit.
fn all_comes_through(peers: &[Headless<'_>], limit: Duration) {
    for number in 1..=20 {
        peers.iter().for_each(|peer| step(peer, number));
    }
    set_metadata(&peers[0], &json!({ "metadata": { "title": "Storm" } }));
    let began = Instant::now();
    all_at_step(limit, peers, 20);
    for peer in peers {
        let left = limit.saturating_sub(began.elapsed());
        until(left, "the title", || (metadata(peer)["title"] == "Storm").then_some(()));
    }
}

fn lost(party: &Party) -> u64 {
    let hosts = party.lan.hosts().len();
    let pairs = (0..hosts).flat_map(|from| (0..hosts).map(move |to| (from, to)));
    pairs.map(|(from, to)| party.hub().counts(from, to).lost).sum()
}

/// Everybody meets as on a fine day, and the last of everything is everywhere within two seconds; nobody is ever gone.
pub fn five_in_a_hundred_are_lost() {
    let party = Party::over_hub(3);
    party.hub().weather_everywhere(Weather::FINE.losing(50));
    let peers = party.all_met();
    all_comes_through(&peers, Duration::from_secs(3));
    assert!(lost(&party) > 10, "the test lost its point");
}

/// Slower, but everything and everybody comes through: no row is missing and none is there twice in the end.
pub fn thirty_in_a_hundred_are_lost() {
    let party = Party::over_hub(3);
    party.hub().weather_everywhere(Weather::FINE.losing(300));
    let peers = party.all_met_within(Duration::from_secs(40));
    all_comes_through(&peers, Duration::from_secs(30));
    assert!(lost(&party) > 50, "the test lost its point");
}

/// A move takes the way and not much more, and nobody is thought silent.
pub fn everything_takes_a_tenth_of_a_second() {
    let party = Party::over_hub(3);
    let delay = Duration::from_millis(100);
    party.hub().weather_everywhere(Weather::FINE.delaying(delay, Duration::from_millis(30)));
    let peers = party.all_met();
    let mut took: Vec<Duration> = (1..=9).map(|number| all_step(Duration::from_secs(3), &peers, number)).collect();
    took.sort();
    assert!(took[0] >= Duration::from_millis(70), "the test lost its point: {took:?}");
    // A turn of the rate, the way, and the questions of this test.
    assert!(took[4] < 2 * delay + Duration::from_millis(200), "{took:?}");
    throughout(Duration::from_secs(5), || {
        let active = |own: usize, other: usize| state(&peers[own], other).as_deref() == Some("active");
        (0..3)
            .all(|own| (0..3).all(|other| active(own, other)))
            .then_some(())
            .ok_or("somebody is thought silent".into())
    });
}

/// What one says hardly gets to the other, while the way back is fine: both are current within the limit.
pub fn one_direction_is_bad() {
    let party = Party::over_hub(3);
    let peers = party.all_met();
    party.hub().weather(0, 1, Weather::FINE.losing(400));
    all_comes_through(&peers, Duration::from_secs(20));
    // And goes on doing so until enough was lost for it to mean something.
    let mut steps = 21..;
    until(Duration::from_secs(60), "frames are lost", || {
        all_step(Duration::from_secs(20), &peers, steps.next()?);
        (party.hub().counts(0, 1).lost > 5).then_some(())
    });
    assert_eq!(party.hub().counts(1, 0).lost, 0);
}

/// Nothing that one sends gets to the other: the third passes it on (design N4), so that all are current again.
pub fn one_direction_is_dead() {
    let party = Party::over_hub(3);
    let peers = party.all_met();
    party.hub().weather(0, 1, Weather::FINE.losing(1_000));
    // The link is closed after six seconds without an answer, and it may take a second more to notice.
    all_step(Duration::from_secs(12), &peers, 1);
    until(Duration::from_secs(12), "both ends have given the link up", || {
        let linked = |own: usize| {
            let peers_of = peers[own].get("/peers").expect("the peers")["peers"].take();
            peers_of.as_array().map_or(0, Vec::len)
        };
        (linked(0) == 1 && linked(1) == 1).then_some(())
    });
    let took = all_step(MEETING, &peers, 2);
    assert!(took < Duration::from_secs(2), "passed on within {took:?}");
}

/// Everything twice and out of order makes nothing twice: messages that are kept are there once, and rows are.
pub fn frames_come_twice_and_out_of_order() {
    let party = Party::over_hub(3);
    party.hub().weather_everywhere(Weather::FINE.doubling(300).reordering(300));
    let peers = party.all_met();
    let count = 10;
    for number in 0..count {
        for (host, peer) in peers.iter().enumerate() {
            let message = json!({ "type": "note", "data": { "host": host, "number": number }, "keep": true });
            peer.post(&format!("/rooms/{ROOM}/messages"), &message).expect("publishing");
        }
    }
    all_comes_through(&peers, MEETING);
    let history = |peer: &Headless<'_>| -> Vec<Value> {
        let page = peer.get(&format!("/rooms/{ROOM}/messages?limit=100")).expect("the messages");
        page["messages"].as_array().cloned().unwrap_or_default()
    };
    for peer in &peers {
        until(MEETING, "all messages", || (history(peer).len() >= count * peers.len()).then_some(()));
        let mut said: Vec<String> = history(peer).iter().map(|message| message["data"].to_string()).collect();
        said.sort();
        said.dedup();
        assert_eq!((said.len(), history(peer).len()), (count * peers.len(), count * peers.len()), "each once");
        assert_eq!(members(peer).len(), peers.len());
    }
    let doubled: u64 = [(0, 1), (1, 2), (2, 0)].map(|(from, to)| party.hub().counts(from, to).doubled).iter().sum();
    assert!(doubled > 50, "the test lost its point: {doubled}");
}

/// A link that comes and goes takes nobody else with it, and when it stays everybody is current within four seconds.
// N10 N11 N34
pub fn a_link_flaps() {
    let party = Party::over_hub(3);
    let peers = party.all_met();
    let ms = Duration::from_millis;
    party.hub().weather_around(2, Weather::FINE.flapping(ms(700), ms(900)));
    let mut number = 0;
    throughout(Duration::from_secs(8), || {
        number += 1;
        step(&peers[2], number);
        let sees = |own: usize, other: usize| state(&peers[own], other).as_deref() == Some("active");
        (sees(0, 1) && sees(1, 0)).then_some(()).ok_or("those with good cables lost each other".into())
    });
    party.hub().weather_around(2, Weather::FINE);
    let took = all_step(Duration::from_secs(8), &peers, 1_000);
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert!(party.hub().counts(2, 0).lost > 5, "the test lost its point");
}
