use super::*;
use crate::SessionKey;

/// Three peer ids, ascending; the middle one is us.
fn ids() -> (PeerId, PeerId, PeerId) {
    let mut ids = [0; 3].map(|_| SessionKey::generate().peer());
    ids.sort();
    (ids[0], ids[1], ids[2])
}

fn address(text: &str) -> Multiaddr {
    text.parse().unwrap()
}

const TCP: &str = "/ip4/10.0.0.2/tcp/4747";
const QUIC: &str = "/ip4/10.0.0.2/udp/4747/quic-v1";

fn dialler(me: PeerId) -> Dialler {
    Dialler::new(me, 7, Vec::new(), Tick(0))
}

/// Runs the clock to the next dial, at most to `until`.
fn next(dialler: &mut Dialler, until: u64) -> Option<(u64, Dial)> {
    let mut now = Tick(0);
    loop {
        if let Some(dial) = dialler.poll(now) {
            return Some((now.0, dial));
        }
        now = dialler.next_deadline().filter(|at| at.0 <= until)?.max(now);
    }
}

#[test]
fn the_smaller_dials_at_once_and_the_larger_waits_its_turn() {
    let (small, me, large) = ids();
    let mut dialler = dialler(me);
    dialler.heard(large, &address(TCP), Source::Mdns, false, Tick(0));
    assert_eq!(next(&mut dialler, 0).unwrap().1.target, Target::Peer(large));
    dialler.heard(small, &address(TCP), Source::Mdns, false, Tick(0));
    let (at, dial) = next(&mut dialler, 60_000).unwrap();
    assert_eq!((at, dial.target), (LARGER_WAITS_MS, Target::Peer(small)));
}

/// An answer is heard by who asked, so the smaller one may know nothing of the larger.
#[test]
fn the_larger_dials_soon_whom_it_knows_from_an_answer() {
    let (small, me, large) = ids();
    let mut dialler = dialler(me);
    dialler.heard(large, &address(TCP), Source::Hello, false, Tick(0));
    assert_eq!(next(&mut dialler, 0).unwrap().1.target, Target::Peer(large));
    dialler.heard(small, &address(TCP), Source::Hello, false, Tick(0));
    let (at, dial) = next(&mut dialler, 60_000).unwrap();
    assert_eq!((at, dial.target), (LARGER_WAITS_FOR_HELLO_MS, Target::Peer(small)));
}

/// Whoever hears a question can answer for thousands.
#[test]
fn those_who_only_answered_push_out_nobody_else() {
    let (_, me, large) = ids();
    let mut dialler = dialler(me);
    let real: Vec<PeerId> = (0..100).map(|_| SessionKey::generate().peer()).collect();
    for peer in &real {
        dialler.heard(*peer, &address(TCP), Source::Mdns, false, Tick(0));
    }
    dialler.heard(large, &address(QUIC), Source::Hello, false, Tick(0));
    dialler.connected(large, Some(&address(QUIC)), Some(Target::Peer(large)), Tick(1));
    dialler.disconnected(large, Tick(2));
    for _ in 0..2_000 {
        dialler.heard(SessionKey::generate().peer(), &address(TCP), Source::Hello, false, Tick(3));
    }
    assert!(real.iter().chain([&large]).all(|peer| dialler.peers.contains_key(peer)));
    assert_eq!(dialler.peers.len(), real.len() + 1 + UNPROVEN_MAX);
}

#[test]
fn the_larger_does_not_dial_whom_it_was_reached_by() {
    let (small, me, _) = ids();
    let mut dialler = dialler(me);
    dialler.heard(small, &address(TCP), Source::Mdns, false, Tick(0));
    dialler.connected(small, None, None, Tick(900));
    assert_eq!(next(&mut dialler, 100_000), None);
}

#[test]
fn quic_is_dialled_only_after_tcp_has_failed() {
    let (_, me, large) = ids();
    let mut dialler = dialler(me);
    dialler.heard(large, &address(QUIC), Source::Mdns, false, Tick(0));
    dialler.heard(large, &address(TCP), Source::Mdns, false, Tick(0));
    let dial = dialler.poll(Tick(0)).unwrap();
    assert_eq!(dial.addresses, [address(TCP)]);
    assert_eq!(dialler.poll(Tick(0)), None, "one try at a time");
    dialler.failed(dial.target, &Failure::Unreachable, Tick(10));
    let dial = dialler.poll(Tick(10)).unwrap();
    assert_eq!(dial.addresses, [address(QUIC)]);
    dialler.failed(dial.target, &Failure::Unreachable, Tick(20));
    assert_eq!(dialler.poll(Tick(20)), None);
    let (_, dial) = next(&mut dialler, 20 + backoff::BASE_MS).unwrap();
    assert_eq!(dial.addresses, [address(TCP)], "the next round begins with TCP again");
}

/// Fails every dial for `span` milliseconds and returns the waits between rounds.
fn waits(dialler: &mut Dialler, from: u64, span: u64) -> Vec<u64> {
    let (mut now, mut last, mut waits) = (Tick(from), from, Vec::new());
    while now.0 < from + span {
        while let Some(dial) = dialler.poll(now) {
            waits.push(now.0 - last);
            last = now.0;
            dialler.failed(dial.target, &Failure::Unreachable, now);
        }
        let Some(at) = dialler.next_deadline() else { break };
        now = at.max(now);
    }
    waits
}

#[test]
fn a_missing_peer_of_a_shared_room_is_dialled_every_two_seconds_and_a_stranger_every_thirty() {
    let (_, me, large) = ids();
    let mut near = dialler(me);
    near.connected(large, Some(&address(TCP)), Some(Target::Peer(large)), Tick(0));
    near.shared(large, true);
    near.disconnected(large, Tick(1_000));
    let waits_near = waits(&mut near, 1_000, 50_000);
    assert!(waits_near.iter().all(|wait| *wait <= backoff::NEAR_MS), "{waits_near:?}");
    assert!(waits_near.len() > 20 && waits_near[0] <= backoff::BASE_MS);

    let mut far = dialler(me);
    far.heard(large, &address(TCP), Source::Mdns, false, Tick(0));
    let waits_far = waits(&mut far, 0, 500_000);
    assert!(waits_far.iter().all(|wait| *wait <= backoff::FAR_MS), "{waits_far:?}");
    assert!(waits_far.iter().any(|wait| *wait > 5_000), "{waits_far:?}");
}

#[test]
fn a_peer_that_never_answers_is_forgotten() {
    let (_, me, large) = ids();
    let mut dialler = dialler(me);
    dialler.heard(large, &address(TCP), Source::Mdns, false, Tick(0));
    waits(&mut dialler, 0, FORGET_MS);
    assert_eq!(dialler.poll(Tick(2 * FORGET_MS)), None);
    assert!(dialler.addresses(&large).is_empty());
}

#[test]
fn discovery_starts_the_back_off_anew() {
    let (_, me, large) = ids();
    let mut dialler = dialler(me);
    dialler.heard(large, &address(TCP), Source::Mdns, false, Tick(0));
    waits(&mut dialler, 0, 300_000);
    dialler.heard(large, &address(TCP), Source::Mdns, false, Tick(300_000));
    assert!(dialler.next_deadline().unwrap() <= Tick(300_000));
}

/// Report N19: a restart is somebody else at the same address: the old session loses it and the new one is dialled.
#[test]
fn an_address_goes_to_who_answers_there() {
    let (small, me, large) = ids();
    let mut dialler = dialler(me);
    dialler.connected(large, Some(&address(TCP)), Some(Target::Peer(large)), Tick(0));
    dialler.disconnected(large, Tick(10));
    let (_, dial) = next(&mut dialler, 1_000).unwrap();
    dialler.failed(dial.target, &Failure::Other { answered: small, at: address(TCP) }, Tick(300));
    assert!(dialler.addresses(&large).is_empty());
    let (at, dial) = next(&mut dialler, 3_000).unwrap();
    assert_eq!(dial, Dial { target: Target::Peer(small), addresses: vec![address(TCP)] });
    assert!(at <= 300 + LARGER_WAITS_MS);
}

#[test]
fn the_last_good_address_is_first_and_poor_ones_only_fill_in() {
    let (_, me, large) = ids();
    let mut dialler = dialler(me);
    let (good, other, poor) = (address("/ip4/10.9.9.9/tcp/1"), address(TCP), address("/ip4/169.254.1.1/tcp/1"));
    dialler.heard(large, &poor, Source::Mdns, false, Tick(0));
    assert_eq!(next(&mut dialler, 0).unwrap().1.addresses, [address("/ip4/169.254.1.1/tcp/1")]);
    dialler.failed(Target::Peer(large), &Failure::Unreachable, Tick(1));
    dialler.heard(large, &other, Source::Mdns, false, Tick(2));
    dialler.heard(large, &good, Source::Mdns, false, Tick(2));
    dialler.connected(large, Some(&good), Some(Target::Peer(large)), Tick(3));
    dialler.disconnected(large, Tick(4));
    assert_eq!(next(&mut dialler, 1_000).unwrap().1.addresses, [good, other]);
}

#[test]
fn a_wish_is_dialled_until_somebody_is_connected_by_it_and_again_when_they_go() {
    let (_, me, large) = ids();
    let mut dialler = Dialler::new(me, 7, vec![address(TCP)], Tick(0));
    let waits = waits(&mut dialler, 0, 100_000);
    assert!(waits.len() > 50 && waits.iter().all(|wait| *wait <= backoff::NEAR_MS), "{waits:?}");
    let (_, dial) = next(&mut dialler, 200_000).unwrap();
    dialler.connected(large, Some(&address(TCP)), Some(dial.target), Tick(200_000));
    assert_eq!(dialler.next_deadline(), None);
    assert!(dialler.asked_for(&large));
    dialler.disconnected(large, Tick(300_000));
    assert!(dialler.next_deadline().unwrap() <= Tick(300_000 + backoff::BASE_MS));
}

#[test]
fn a_wish_for_ourselves_is_given_up() {
    let (_, me, _) = ids();
    let mut dialler = Dialler::new(me, 7, vec![address(TCP)], Tick(0));
    let dial = dialler.poll(Tick(0)).unwrap();
    dialler.failed(dial.target, &Failure::Ourselves { at: None }, Tick(1));
    assert_eq!(dialler.next_deadline(), None);
}

#[test]
fn strangers_wait_while_there_are_enough_of_them_but_nobody_of_a_shared_room_does() {
    let (_, me, large) = ids();
    let mut dialler = dialler(me);
    dialler.strangers(false);
    dialler.heard(large, &address(TCP), Source::Mdns, false, Tick(0));
    assert_eq!(dialler.poll(Tick(0)), None);
    dialler.shared(large, true);
    assert!(next(&mut dialler, backoff::FAR_MS).is_some());
}

#[test]
fn resume_dials_everybody_soon() {
    let (_, me, large) = ids();
    let mut dialler = dialler(me);
    dialler.heard(large, &address(TCP), Source::Mdns, false, Tick(0));
    waits(&mut dialler, 0, 300_000);
    dialler.urge(Tick(400_000));
    assert!(dialler.next_deadline().unwrap() <= Tick(400_000 + SPREAD_MS));
}

#[test]
fn without_a_network_only_this_computer_is_dialled_and_with_one_everybody_at_once() {
    let (_, me, large) = ids();
    let mut dialler = dialler(me);
    dialler.carrier(false);
    dialler.heard(large, &address(TCP), Source::Mdns, false, Tick(0));
    assert_eq!((dialler.poll(Tick(0)), dialler.poll(Tick(60_000))), (None, None));
    dialler.carrier(true);
    dialler.urge(Tick(70_000));
    assert!(dialler.poll(Tick(70_000 + SPREAD_EACH_MS)).is_some());
    let mut dialler = self::dialler(me);
    dialler.carrier(false);
    dialler.heard(large, &address("/ip4/127.0.0.1/tcp/4747"), Source::Profile, true, Tick(0));
    assert!(dialler.poll(Tick(0)).is_some());
}

#[test]
fn the_book_is_bounded_and_keeps_who_is_connected() {
    let (_, me, large) = ids();
    let mut dialler = dialler(me);
    dialler.connected(large, Some(&address(TCP)), Some(Target::Peer(large)), Tick(0));
    for at in 1..=(BOOK_MAX as u64 + 50) {
        dialler.heard(PeerId::random(), &address(TCP), Source::Mdns, false, Tick(at));
        for port in 1..40 {
            let address = address(&format!("/ip4/10.0.0.3/tcp/{port}"));
            dialler.heard(large, &address, Source::Inbound, false, Tick(at));
        }
    }
    assert_eq!(dialler.peers.len(), BOOK_MAX);
    assert!(dialler.addresses(&large).len() <= book::ADDRESSES_MAX);
    assert!(dialler.addresses(&large).contains(&address(TCP)), "the one that worked stays");
}

#[test]
fn a_peer_that_is_reachable_again_is_not_waited_for() {
    let (small, me, large) = ids();
    for (peer, latest) in [(large, backoff::BASE_MS), (small, AGAIN_WAITS_MS + backoff::BASE_MS)] {
        let mut dialler = dialler(me);
        dialler.heard(peer, &address(TCP), Source::Dialled, false, Tick(0));
        waits(&mut dialler, 0, 100_000);
        dialler.reachable(peer, Tick(100_000));
        let at = dialler.next_deadline().unwrap().0;
        assert!((100_000..=100_000 + latest).contains(&at), "{at}");
        while let Some(dial) = dialler.poll(Tick(at)) {
            dialler.connected(peer, dial.addresses.first(), Some(dial.target), Tick(at));
        }
        dialler.reachable(peer, Tick(at));
        assert_eq!(dialler.next_deadline(), None, "it is connected");
    }
}

#[test]
fn a_wish_for_nobody_known_may_be_for_the_peer_that_is_reachable_again() {
    let (_, me, large) = ids();
    let mut dialler = Dialler::new(me, 7, vec![address(TCP)], Tick(0));
    waits(&mut dialler, 0, 100_000);
    dialler.reachable(large, Tick(100_000));
    let at = dialler.next_deadline().unwrap().0;
    assert!((100_000..=100_000 + backoff::BASE_MS).contains(&at), "{at}");
}
