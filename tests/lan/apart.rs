//! Networks that fall apart and come together, hosts that move, and those that sleep.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use parlor_testkit::headless::Headless;
use parlor_testkit::hub::Groups;
use parlor_testkit::wait::{throughout, until};
use serde_json::json;

use crate::party::{MEETING, Party, ROOM, all_step, find, meet, members, metadata, set_metadata, state};

/// Ten seconds of silence (design R6), and a little to notice.
const MISSED: Duration = Duration::from_secs(13);

fn states(peer: &Headless<'_>, hosts: &[usize]) -> Vec<Option<String>> {
    hosts.iter().map(|host| state(peer, *host)).collect()
}

/// Each side goes on by itself, lists nobody whom it cannot reach, and both have all that was written when they are one.
pub fn two_and_three() {
    let party = Party::over_hub(5);
    let peers = party.all_met();
    party.hub().partition(&[&[0, 1], &[2, 3, 4]]);
    let sides: [&[usize]; 2] = [&[0, 1], &[2, 3, 4]];
    for side in sides {
        for own in side {
            until(MISSED, "only those of the same side", || (members(&peers[*own]).len() == side.len()).then_some(()));
            assert!(states(&peers[*own], side).iter().all(|state| state.as_deref() == Some("active")));
            let complete = peers[*own].get(&format!("/rooms/{ROOM}/members")).expect("the members")["complete"].take();
            assert_eq!(complete, json!(true), "one's own network is not out while somebody is reached");
        }
    }
    set_metadata(&peers[0], &json!({ "metadata": { "here": 1 } }));
    set_metadata(&peers[4], &json!({ "metadata": { "there": 2 } }));
    party.hub().mend();
    let mended = Instant::now();
    let took = all_step(MEETING, &peers, 1);
    assert!(took < Duration::from_secs(5), "{took:?}");
    for peer in &peers {
        let both = json!({ "here": 1, "there": 2 });
        until(MEETING, "what both sides wrote", || (metadata(peer) == both).then_some(()));
    }
    assert!(mended.elapsed() < Duration::from_secs(8), "{:?}", mended.elapsed());
}

/// Links to the old address are dead; the host is current again, on the same row, within five seconds.
// N30
pub fn an_address_changes() {
    let party = Party::over_hub(3);
    let peers = party.all_met();
    let row = members(&peers[0]);
    party.lan.hosts()[1].change_address(Ipv4Addr::new(10, 74, 0, 77)).expect("another address");
    let changed = Instant::now();
    all_step(MEETING, &peers, 1);
    assert!(changed.elapsed() < Duration::from_secs(5), "{:?}", changed.elapsed());
    let ids = |members: &[serde_json::Value]| -> Vec<String> {
        members.iter().map(|member| format!("{} {}", member["memberId"], member["joinedAt"])).collect()
    };
    assert_eq!(ids(&members(&peers[0])), ids(&row), "nobody left and came back");
    until(MEETING, "the new address is known", || {
        peers[0].get("/peers").expect("the peers").to_string().contains("10.74.0.77").then_some(())
    });
}

/// Where nothing but what is for one host passes, an address that somebody types is enough to meet everybody.
// N53 N54
pub fn nothing_for_many_passes() {
    let party = Party::over_hub(3);
    party.hub().filter(Groups::None);
    let peers: Vec<Headless<'_>> = (0..3).map(|host| party.member(host)).collect();
    // Questions to everybody were asked, and nobody heard them.
    until(MEETING, "questions that went nowhere", || (party.hub().counts(0, 1).held_back > 3).then_some(()));
    assert!(peers.iter().all(|peer| members(peer).len() == 1));
    for other in [1, 2] {
        let address = format!("/ip4/{}/tcp/4747", party.lan.hosts()[other].address());
        peers[0].post("/peers", &json!({ "addr": address })).expect("a connection");
    }
    // The two others have no address of each other: the first passes on what they say.
    meet(&peers);
    all_step(Duration::from_secs(3), &peers, 1);
}

/// A computer that sleeps for half a minute is gone for the others after ten seconds, who stay with each other as if nothing
/// was. When it wakes nobody is gone for it, what it missed and what it says are everywhere within five seconds, and it is
/// on the row that it had.
// N48 N49
pub fn a_computer_sleeps() {
    let party = Party::over_hub(3);
    let peers = party.all_met();
    let active = Some("active".to_owned());
    let joined = find(&peers[2], 2).expect("its row")["joinedAt"].take();
    peers[2].freeze().expect("SIGSTOP");
    let asleep = Instant::now();
    for peer in &peers[..2] {
        until(MISSED.saturating_sub(asleep.elapsed()), "who sleeps is gone", || state(peer, 2).is_none().then_some(()));
    }
    throughout(Duration::from_secs(30).saturating_sub(asleep.elapsed()), || {
        let two = [0, 1].iter().all(|own| states(&peers[*own], &[0, 1, 2]) == [active.clone(), active.clone(), None]);
        two.then_some(()).ok_or("those who are awake notice".into())
    });
    set_metadata(&peers[0], &json!({ "metadata": { "title": "Written meanwhile" } }));
    peers[2].thaw().expect("SIGCONT");
    let woke = Instant::now();
    assert_eq!(members(&peers[2]).len(), 3, "nothing ran out while it slept");
    all_step(MEETING, &peers, 1);
    until(MEETING, "what was written meanwhile", || {
        (metadata(&peers[2])["title"] == "Written meanwhile").then_some(())
    });
    assert!(woke.elapsed() < Duration::from_secs(5), "{:?}", woke.elapsed());
    assert_eq!(find(&peers[0], 2).expect("its row")["joinedAt"], joined, "on the row that it had");
}

/// A cable that is out for three seconds: the host says so, nobody is gone at anybody, and all are current within two
/// seconds of its return.
// N34
pub fn a_cable_is_out_for_a_moment() {
    let party = Party::over_hub(3);
    let peers = party.all_met();
    party.lan.cut(2).expect("cutting");
    let network = || peers[2].get("/profile").expect("the status")["network"].clone();
    until(Duration::from_secs(3), "the host says that there is no network", || (network() == "offline").then_some(()));
    throughout(Duration::from_secs(2), || {
        let known = peers.iter().all(|peer| members(peer).len() == 3);
        known.then_some(()).ok_or("somebody is gone".into())
    });
    party.lan.heal(2).expect("healing");
    let healed = Instant::now();
    all_step(MEETING, &peers, 1);
    assert!(healed.elapsed() < Duration::from_millis(3_500), "{:?}", healed.elapsed());
    until(Duration::from_secs(3), "the host says that it has a network", || (network() == "online").then_some(()));
}
