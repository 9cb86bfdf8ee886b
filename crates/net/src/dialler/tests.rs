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
const BY_TCP: Route = Route::Direct(Transport::Tcp);
const BY_QUIC: Route = Route::Direct(Transport::Quic);

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
    dialler.connected(large, BY_QUIC, Some(&address(QUIC)), Some(Target::Peer(large)), Tick(1));
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
    dialler.connected(small, BY_TCP, None, None, Tick(900));
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
    near.connected(large, BY_TCP, Some(&address(TCP)), Some(Target::Peer(large)), Tick(0));
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
    dialler.connected(large, BY_TCP, Some(&address(TCP)), Some(Target::Peer(large)), Tick(0));
    dialler.disconnected(large, Tick(10));
    let (_, dial) = next(&mut dialler, 1_000).unwrap();
    dialler.failed(dial.target, &Failure::Other { answered: small, at: address(TCP) }, Tick(300));
    assert!(dialler.addresses(&large).is_empty());
    let (at, dial) = next(&mut dialler, 3_000).unwrap();
    assert_eq!(dial, Dial { target: Target::Peer(small), addresses: vec![address(TCP)], beside: false });
    assert!(at <= 300 + LARGER_WAITS_MS);
}

/// Report N14: mDNS tells of every address of a host, its loopback too, where nobody but ourselves would answer. One that is
/// no use, or where another answered, is no reason not to try the rest.
#[test]
fn an_address_that_is_no_use_spoils_no_other() {
    let (small, me, large) = ids();
    let mut dialler = dialler(me);
    for foreign in ["/ip4/127.0.0.1/tcp/4747", "/ip6/::1/tcp/4747"] {
        dialler.heard(large, &address(foreign), Source::Mdns, false, Tick(0));
    }
    assert_eq!(next(&mut dialler, 60_000), None);
    let wrong = address("/ip4/10.0.0.3/tcp/4747");
    dialler.heard(large, &wrong, Source::Mdns, false, Tick(60_000));
    dialler.heard(large, &address(TCP), Source::Mdns, false, Tick(60_000));
    let dial = dialler.poll(Tick(120_000)).unwrap();
    assert_eq!(dial.addresses.len(), 2, "{dial:?}");
    dialler.failed(dial.target, &Failure::Other { answered: small, at: wrong.clone() }, Tick(120_010));
    assert!(!dialler.addresses(&large).contains(&wrong));
    let again = std::iter::from_fn(|| dialler.poll(Tick(180_000))).find(|dial| dial.target == Target::Peer(large));
    assert_eq!(again.unwrap().addresses, [address(TCP)]);
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
    dialler.connected(large, BY_TCP, Some(&good), Some(Target::Peer(large)), Tick(3));
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
    dialler.connected(large, BY_TCP, Some(&address(TCP)), Some(dial.target), Tick(200_000));
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
    dialler.connected(large, BY_TCP, Some(&address(TCP)), Some(Target::Peer(large)), Tick(0));
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
            dialler.connected(peer, BY_TCP, dial.addresses.first(), Some(dial.target), Tick(at));
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

const RELAY: &str = "/ip4/10.9.0.1/tcp/4747";

/// A dialler that knows of two peers, of which it is the middle one, through a relay that it is connected to.
fn through_a_relay() -> (PeerId, PeerId, PeerId, Dialler) {
    let (small, me, large) = ids();
    let relay = SessionKey::generate().peer();
    let mut dialler = dialler(me);
    dialler.relay(relay, Some(address(RELAY)));
    for peer in [small, large] {
        dialler.heard(peer, &address(TCP), Source::Rendezvous, false, Tick(0));
        dialler.heard_through(peer, relay, Tick(0));
    }
    (small, large, relay, dialler)
}

#[test]
fn whom_a_relay_leads_to_is_dialled_through_it_unless_nothing_is_in_between() {
    let (_, large, relay, mut dialler) = through_a_relay();
    let circuit = address::circuit(relay, &address(RELAY), large);
    let dial = dialler.poll(Tick(0)).unwrap();
    assert_eq!(dial, Dial { target: Target::Peer(large), addresses: vec![circuit.clone()], beside: false });
    dialler.failed(dial.target, &Failure::Unreachable, Tick(1));
    assert_eq!(dialler.poll(Tick(1)).unwrap().addresses, [address(TCP)], "then as if there were no relay");

    let (_, large, _, mut dialler) = through_a_relay();
    dialler.subnets(vec![Subnet { ip: "10.0.0.9".parse().unwrap(), prefix: 24, private: false }]);
    let dial = dialler.poll(Tick(0)).unwrap();
    assert_eq!(dial.addresses, [address(TCP)]);
    dialler.failed(dial.target, &Failure::Unreachable, Tick(1));
    let last = dialler.poll(Tick(1)).unwrap().addresses;
    assert_eq!(last.iter().map(address::relay_of).collect::<Vec<_>>(), [dialler.relays.keys().next().copied()]);
    assert_eq!(dialler.peers.get(&large).unwrap().dialling, Some(Route::Relayed));
}

#[test]
fn without_the_relay_no_circuit_is_dialled() {
    let (_, large, relay, mut dialler) = through_a_relay();
    dialler.relay(relay, None);
    let (_, dial) = next(&mut dialler, 0).unwrap();
    assert_eq!((dial.target, dial.addresses), (Target::Peer(large), vec![address(TCP)]));
}

/// The smaller tries first, so that two direct connections at once, which would be one too many, are rare.
#[test]
fn a_circuit_is_replaced_as_soon_as_there_is_a_direct_way() {
    let (small, large, _, mut dialler) = through_a_relay();
    while let Some(dial) = dialler.poll(Tick(LARGER_WAITS_FOR_HELLO_MS)) {
        let Target::Peer(peer) = dial.target else { panic!("{dial:?}") };
        dialler.connected(peer, Route::Relayed, dial.addresses.first(), Some(dial.target), Tick(400));
    }
    let direct = |peer| Dial { target: Target::Peer(peer), addresses: vec![address(TCP)], beside: true };
    assert_eq!(next(&mut dialler, 60_000), Some((400 + DIRECT_AFTER_MS, direct(large))));
    assert_eq!(next(&mut dialler, 60_000), Some((400 + LARGER_WAITS_MS, direct(small))));
    dialler.connected(large, BY_TCP, Some(&address(TCP)), Some(Target::Peer(large)), Tick(2_000));
    dialler.failed(Target::Peer(small), &Failure::Unreachable, Tick(2_000));
    let tries: Vec<u64> = std::iter::from_fn(|| {
        let (at, dial) = next(&mut dialler, 3_600_000)?;
        assert_eq!(dial, direct(small), "and not the one that is reached");
        dialler.failed(dial.target, &Failure::Unreachable, Tick(at));
        Some(at)
    })
    .take(50)
    .collect();
    let waits: Vec<u64> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        waits.iter().all(|wait| (backoff::NEAR_MS..=backoff::NEAR_MS + DIRECT_EVERY_MS).contains(wait)),
        "{waits:?}"
    );
    assert!(waits[20..].iter().sum::<u64>() > 10 * backoff::FAR_MS, "they become rare: {waits:?}");
    // A circuit beside a direct connection is nothing new, and one that is left is.
    dialler.connected(large, Route::Relayed, None, None, Tick(4_000_000));
    assert!(!dialler.peers.get(&large).unwrap().wanting());
    dialler.only_relayed(large, Tick(4_000_000));
    assert!(dialler.peers.get(&large).unwrap().wanting());
}
