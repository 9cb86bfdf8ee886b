use std::collections::BTreeMap;

use libp2p::PeerId;
use parlor_core::{ErrorCode, Tick};

use super::faults::{LabFaults, LabWay, PEERS_MAX};
use super::weather::{Fate, Way, Weather};

fn peer(number: u8) -> PeerId {
    let key = libp2p::identity::Keypair::ed25519_from_bytes([number; 32]).unwrap();
    key.public().to_peer_id()
}

fn out(way: LabWay) -> LabFaults {
    LabFaults { outgoing: way, ..LabFaults::default() }
}

fn weather(seed: u64, all: LabFaults) -> Weather {
    let mut weather = Weather::default();
    weather.sow(seed);
    weather.set_all(all);
    weather
}

/// The fates of so many frames that go out to one peer, one a millisecond.
fn fates(seed: u64, way: LabWay, frames: u64) -> (Vec<Fate>, Weather) {
    let mut weather = weather(seed, out(way));
    ((1..=frames).map(|at| weather.fate(&peer(1), Way::Out, Tick(at))).collect(), weather)
}

#[test]
fn without_a_fault_everything_passes_at_once_and_nothing_is_counted() {
    let (fates, weather) = fates(1, LabWay::default(), 50);
    assert!((1..).zip(&fates).all(|(at, fate)| *fate == Fate { at: Some(Tick(at)), again: false }));
    assert!(weather.is_fine() && weather.counts == Default::default());
}

#[test]
fn the_same_seed_is_the_same_fate_and_another_is_another() {
    let bad = LabWay { loss_percent: 30.0, delay_ms: 40, jitter_ms: 10, duplicate_percent: 10.0, ..LabWay::default() };
    assert_eq!(fates(7, bad, 500).0, fates(7, bad, 500).0);
    assert_ne!(fates(7, bad, 500).0, fates(8, bad, 500).0);
}

#[test]
fn what_happens_on_another_link_or_in_the_other_direction_changes_no_fate() {
    let way = LabWay { loss_percent: 50.0, ..LabWay::default() };
    let alone = fates(7, way, 200).0;
    let mut weather = weather(7, LabFaults { incoming: way, outgoing: way, apart: false });
    let beside: Vec<Fate> = (1..=200)
        .map(|at| {
            weather.fate(&peer(2), Way::Out, Tick(at));
            weather.fate(&peer(1), Way::In, Tick(at));
            weather.fate(&peer(1), Way::Out, Tick(at))
        })
        .collect();
    assert_eq!(alone, beside);
}

#[test]
fn as_much_is_lost_and_doubled_as_was_asked_for() {
    let (fates, weather) =
        fates(1, LabWay { loss_percent: 30.0, duplicate_percent: 20.0, ..LabWay::default() }, 10_000);
    let lost = fates.iter().filter(|fate| fate.at.is_none()).count() as u64;
    let doubled = fates.iter().filter(|fate| fate.again).count() as u64;
    assert!((2_800..3_200).contains(&lost), "{lost}");
    assert!((1_250..1_550).contains(&doubled), "{doubled} of what was not lost");
    let counts = weather.counts;
    assert_eq!((counts.lost, counts.duplicated, counts.delayed, counts.passed), (lost, doubled, 0, 10_000 - lost));
}

#[test]
fn a_delay_varies_within_its_bounds_and_leaves_the_order() {
    let (fates, weather) = fates(3, LabWay { delay_ms: 40, jitter_ms: 10, ..LabWay::default() }, 2_000);
    let times: Vec<Tick> = fates.iter().map(|fate| fate.at.expect("nothing is lost")).collect();
    assert!(times.is_sorted());
    let takes: Vec<u64> = (1..).zip(&times).map(|(at, time)| time.0 - at).collect();
    assert!(takes.iter().all(|takes| (30..=50).contains(takes)));
    assert!(takes.iter().max() > takes.iter().min().map(|least| least + 10).as_ref(), "it does vary");
    assert_eq!(weather.counts.delayed, 2_000);
}

#[test]
fn more_jitter_than_delay_holds_nothing_back_for_less_than_no_time() {
    let (fates, _) = fates(3, LabWay { delay_ms: 5, jitter_ms: 20, ..LabWay::default() }, 500);
    assert!((1..).zip(&fates).all(|(at, fate)| fate.at.is_some_and(|time| (at..=at + 30).contains(&time.0))));
}

#[test]
fn a_cut_is_of_one_direction_and_of_both_it_is_silence() {
    let cut = LabWay { cut: true, ..LabWay::default() };
    let mut one = weather(1, out(cut));
    assert_eq!(one.fate(&peer(1), Way::Out, Tick(5)).at, None);
    assert_eq!(one.fate(&peer(1), Way::In, Tick(5)).at, Some(Tick(5)));
    assert!(!one.of(&peer(1)).is_silent() && one.ping(&peer(1)) == Some(0.0));
    let both = weather(1, LabFaults { incoming: LabWay { loss_percent: 100.0, ..LabWay::default() }, ..out(cut) });
    assert!(both.of(&peer(1)).is_silent() && both.ping(&peer(1)).is_none());
}

#[test]
fn a_ping_takes_as_much_longer_as_frames_do() {
    let late = LabWay { delay_ms: 30, ..LabWay::default() };
    let weather = weather(1, LabFaults { incoming: LabWay { delay_ms: 12, ..late }, outgoing: late, apart: false });
    assert_eq!(weather.ping(&peer(1)), Some(42.0));
}

#[test]
fn a_peer_with_faults_of_its_own_has_those_alone() {
    let mut weather = weather(1, out(LabWay { cut: true, ..LabWay::default() }));
    let own = LabFaults { apart: true, ..LabFaults::default() };
    weather.set_peers(BTreeMap::from([(peer(2), Some(own))]), false).unwrap();
    assert!(weather.of(&peer(2)).apart && weather.fate(&peer(2), Way::Out, Tick(1)).at.is_some());
    assert!(!weather.of(&peer(1)).apart && weather.fate(&peer(1), Way::Out, Tick(1)).at.is_none());
    weather.set_peers(BTreeMap::from([(peer(2), None)]), false).unwrap();
    assert!(weather.fate(&peer(2), Way::Out, Tick(1)).at.is_none());
    weather.set_all(LabFaults::default());
    assert!(weather.is_fine() && weather.fate(&peer(2), Way::Out, Tick(1)).at.is_some());
}

#[test]
fn so_many_peers_may_have_faults_of_their_own() {
    let mut weather = Weather::default();
    let apart = Some(LabFaults { apart: true, ..LabFaults::default() });
    let all: BTreeMap<_, _> = (0..=PEERS_MAX).map(|number| (peer(number as u8), apart)).collect();
    assert_eq!(weather.set_peers(all.clone(), false).unwrap_err().code, ErrorCode::InvalidLimit);
    assert!(weather.is_fine(), "nothing was changed");
    weather.set_peers(all.into_iter().take(PEERS_MAX).collect(), false).unwrap();
    assert_eq!(weather.peers().len(), PEERS_MAX);
    weather.set_peers(BTreeMap::from([(peer(7), apart)]), true).unwrap();
    assert_eq!(weather.with_faults().collect::<Vec<_>>(), [peer(7)], "and the others have none any more");
}

#[test]
fn nothing_overtakes_what_was_held_back_before_the_weather_cleared() {
    let mut weather = weather(1, out(LabWay { delay_ms: 500, ..LabWay::default() }));
    assert_eq!(weather.fate(&peer(1), Way::Out, Tick(10)).at, Some(Tick(510)));
    weather.set_all(LabFaults::default());
    assert_eq!(weather.fate(&peer(1), Way::Out, Tick(20)).at, Some(Tick(510)));
    assert_eq!(weather.fate(&peer(1), Way::Out, Tick(600)).at, Some(Tick(600)));
    weather.forget(&peer(1));
    assert_eq!(weather.fate(&peer(1), Way::Out, Tick(20)).at, Some(Tick(20)), "another connection");
}
