use super::*;

const HERE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const THERE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const PORTS: Ports = Ports { tcp: 4747, quic: 4747 };

fn session(number: u8) -> SessionId {
    SessionId([number; 32])
}

fn asking(number: u8) -> Manners {
    let mut manners = Manners::new(session(number), u64::from(number));
    manners.begin(vec![Place { ip: HERE, prefix: 24, ports: PORTS }], Tick(0));
    manners
}

/// The question that is due at a time.
fn question(manners: &mut Manners, now: Tick) -> Word {
    let asked = manners.poll(now);
    let [asked] = asked.as_slice() else { panic!("{} questions", asked.len()) };
    Word::read(&asked.multicast).unwrap()
}

fn answer(question: Word, by: u8) -> [u8; LENGTH] {
    Word { kind: Kind::Answer, session: session(by), ..question }.write()
}

/// Every time at which it asks, up to `until`.
fn times(manners: &mut Manners, until: u64) -> Vec<u64> {
    let mut times = Vec::new();
    while let Some(due) = manners.next_deadline().filter(|due| due.0 <= until) {
        if !manners.poll(due).is_empty() {
            times.push(due.0);
        }
    }
    times
}

#[test]
fn who_asks_is_answered_where_they_are_and_found_where_the_answer_came_from() {
    let (mut asking, mut answering) = (asking(1), asking(2));
    let word = question(&mut asking, Tick(0));
    let Outcome::Answer(bytes) = answering.heard(&word.write(), THERE, Tick(0)) else { panic!("no answer") };
    assert_eq!(bytes.len(), word.write().len(), "and no more than was asked");
    let found = asking.heard(&bytes, THERE, Tick(5));
    let addresses =
        ["/ip4/10.0.0.2/tcp/4747", "/ip4/10.0.0.2/udp/4747/quic-v1"].map(|address| address.parse().unwrap()).into();
    let peer = author::peer_of(&session(2)).unwrap();
    assert_eq!(found, Outcome::Found { peer, addresses, way: Way::Multicast });
}

/// For who asks why nobody is found: the answer to what was broadcast is told from that to what was multicast.
#[test]
fn an_answer_says_by_which_way_the_question_came() {
    let (mut manners, mut other) = (asking(1), asking(2));
    let asked = manners.poll(Tick(0)).remove(0);
    assert_eq!(asked.multicast.iter().zip(asked.broadcast).filter(|(one, two)| *one != two).count(), 1);
    assert_eq!(manners.heard(&asked.broadcast, HERE, Tick(0)), Outcome::Own(Way::Broadcast));
    let Outcome::Answer(bytes) = other.heard(&asked.broadcast, THERE, Tick(0)) else { panic!("no answer") };
    let found = manners.heard(&bytes, THERE, Tick(1));
    assert!(matches!(found, Outcome::Found { way: Way::Broadcast, .. }), "{found:?}");
}

#[test]
fn a_question_is_no_reason_to_dial_and_an_answer_only_to_the_question_of_now() {
    let mut manners = asking(1);
    let word = question(&mut manners, Tick(0));
    let guessed = Word { nonce: [0; 8], ..word };
    assert_eq!(manners.heard(&answer(guessed, 2), THERE, Tick(1)), Outcome::Refused("hello_not_asked_for"));
    let earlier = answer(word, 2);
    assert!(matches!(manners.heard(&earlier, THERE, Tick(1)), Outcome::Found { .. }));
    times(&mut manners, 2_500);
    manners.begin(vec![Place { ip: HERE, prefix: 24, ports: PORTS }], Tick(3_000));
    assert_eq!(manners.heard(&earlier, THERE, Tick(3_001)), Outcome::Refused("hello_not_asked_for"));
}

/// At the start the addresses of a computer come one by one, faster than answers do; and who answered the first question
/// does not answer the second for two seconds.
#[test]
fn an_address_that_comes_later_takes_nothing_from_the_answers() {
    let mut manners = asking(1);
    let word = question(&mut manners, Tick(0));
    let second = Place { ip: Ipv4Addr::new(10, 9, 0, 1), prefix: 24, ports: PORTS };
    manners.begin(vec![Place { ip: HERE, prefix: 24, ports: PORTS }, second], Tick(5));
    assert!(matches!(manners.heard(&answer(word, 2), THERE, Tick(6)), Outcome::Found { .. }));
    assert_eq!(manners.poll(Tick(5)).len(), 2, "and both networks are asked at once");
}

/// What is sent to everybody comes back.
#[test]
fn what_it_said_itself_is_no_news() {
    let mut manners = asking(1);
    let word = question(&mut manners, Tick(0));
    assert_eq!(manners.heard(&word.write(), HERE, Tick(0)), Outcome::Own(Way::Multicast));
    assert_eq!(manners.heard(&answer(word, 1), HERE, Tick(0)), Outcome::Own(Way::Multicast));
}

#[test]
fn only_our_own_networks_are_heard() {
    let mut manners = asking(1);
    let word = Word { session: session(2), ..question(&mut manners, Tick(0)) };
    for elsewhere in ["10.0.1.2", "127.0.0.1", "192.0.2.7", "10.0.0.255"] {
        let outcome = manners.heard(&word.write(), elsewhere.parse().unwrap(), Tick(0));
        assert_eq!(outcome, Outcome::Refused("hello_from_elsewhere"), "{elsewhere}");
    }
    assert!(matches!(manners.heard(&word.write(), THERE, Tick(0)), Outcome::Answer(_)));
}

#[test]
fn a_source_gets_one_answer_in_two_seconds_whoever_it_says_it_is() {
    let mut manners = asking(1);
    let word = question(&mut manners, Tick(0));
    let ask = |by: u8| Word { session: session(by), ..word }.write();
    assert!(matches!(manners.heard(&ask(2), THERE, Tick(10)), Outcome::Answer(_)));
    for by in 2..200 {
        assert_eq!(manners.heard(&ask(by), THERE, Tick(2_009)), Outcome::Refused("hello_too_often"));
    }
    assert!(matches!(manners.heard(&ask(2), THERE, Tick(2_010)), Outcome::Answer(_)));
}

#[test]
fn sources_without_end_are_answered_and_remembered_up_to_a_bound() {
    let mut manners = Manners::new(session(1), 1);
    manners.begin(vec![Place { ip: Ipv4Addr::new(10, 0, 0, 1), prefix: 8, ports: PORTS }], Tick(0));
    let ask = Word { session: session(2), ..question(&mut manners, Tick(0)) }.write();
    let answered = |manners: &mut Manners, now: Tick| {
        let sources = (0..20_000_u32).map(|number| Ipv4Addr::from(u32::from(HERE) + 1 + number));
        sources.filter(|from| matches!(manners.heard(&ask, *from, now), Outcome::Answer(_))).count()
    };
    assert_eq!(answered(&mut manners, Tick(0)), ANSWERED_MAX);
    assert_eq!(manners.heard(&ask, Ipv4Addr::new(10, 9, 9, 9), Tick(1)), Outcome::Refused("hello_flood"));
    assert_eq!(answered(&mut manners, Tick(ANSWER_EVERY_MS)), ANSWERED_MAX, "and it is over when they stop");
    assert!(manners.answered.len() <= ANSWERED_MAX);
}

#[test]
fn who_answers_for_thousands_is_believed_so_often_and_no_more() {
    let mut manners = asking(1);
    let word = question(&mut manners, Tick(0));
    let mut believed = |number: u32, from: Ipv4Addr| {
        let mut made_up = Word { kind: Kind::Answer, ..word };
        made_up.session.0[..4].copy_from_slice(&number.to_be_bytes());
        matches!(manners.heard(&made_up.write(), from, Tick(0)), Outcome::Found { .. })
    };
    assert_eq!((0..1_000).filter(|number| believed(*number, THERE)).count(), BELIEVED_OF_SOURCE_MAX);
    let sources = |number: u32| Ipv4Addr::new(10, 0, 0, 3 + u8::try_from(number % 200).unwrap());
    let others = (1_000..5_000).filter(|number| believed(*number, sources(*number))).count();
    assert_eq!(BELIEVED_OF_SOURCE_MAX + others, BELIEVED_MAX);
}

#[test]
fn alone_it_asks_at_once_a_few_times_and_then_now_and_then() {
    let times = times(&mut asking(1), 120_000);
    assert_eq!(times[..4], FIRST_MS);
    let gaps = times[3..].windows(2).map(|pair| pair[1] - pair[0]);
    assert!(gaps.clone().count() >= 8 && gaps.clone().all(|gap| (8_000..=12_000).contains(&gap)), "{times:?}");
}

#[test]
fn five_answers_are_enough() {
    let mut manners = asking(1);
    let word = question(&mut manners, Tick(0));
    for by in 2..=6 {
        assert!(matches!(manners.heard(&answer(word, by), THERE, Tick(20)), Outcome::Found { .. }));
    }
    let next = times(&mut manners, 100_000)[0];
    assert!((48_020..=72_020).contains(&next), "{next}");
}

#[test]
fn with_company_it_asks_seldom_and_goes_back_when_that_is_gone() {
    let mut manners = asking(1);
    let word = question(&mut manners, Tick(0));
    assert!(matches!(manners.heard(&answer(word, 2), THERE, Tick(1)), Outcome::Found { .. }));
    let mut later = times(&mut manners, 75_000);
    assert_eq!(later[..3], FIRST_MS[1..], "one is not enough to stop the first questions");
    let fourth = later.pop().unwrap();
    assert!(fourth >= 2_500 + 48_000, "{later:?} {fourth}");
    let next = times(&mut manners, fourth + 20_000)[0] - fourth;
    assert!((8_000..=12_000).contains(&next), "nobody answered the last one: {next}");
}

#[test]
fn without_a_network_it_asks_nobody() {
    let mut manners = asking(1);
    manners.begin(Vec::new(), Tick(1));
    assert_eq!((manners.poll(Tick(1_000_000)), manners.next_deadline()), (Vec::new(), None));
    let word = Word { kind: Kind::Question, nonce: [1; 8], session: session(2), ports: PORTS };
    assert_eq!(manners.heard(&word.write(), THERE, Tick(2)), Outcome::Refused("hello_from_elsewhere"));
}

#[test]
fn networks_are_those_of_people_where_somebody_listens() {
    let subnet = |ip: &str, private| Subnet { ip: ip.parse().unwrap(), prefix: 24, private };
    let subnets = [
        subnet("10.0.0.1", false),
        subnet("172.17.0.1", true),
        subnet("169.254.7.7", false),
        subnet("10.9.0.1", false),
        subnet("fe80::1", false),
    ];
    let listeners: Vec<Multiaddr> = ["/ip4/10.0.0.1/tcp/4747", "/ip4/10.0.0.1/udp/4750/quic-v1"]
        .into_iter()
        .chain(["/ip4/172.17.0.1/tcp/4747", "/ip4/169.254.7.7/tcp/4747"])
        .map(|address| address.parse().unwrap())
        .collect();
    let places = Place::all(&subnets, &listeners);
    assert_eq!(places, [Place { ip: HERE, prefix: 24, ports: Ports { tcp: 4747, quic: 4750 } }]);
    // A cable between two computers.
    let places = Place::all(&subnets[2..3], &listeners);
    assert_eq!(places[0].ip, Ipv4Addr::new(169, 254, 7, 7));
}

#[test]
fn the_broadcast_address_is_the_last_of_the_network() {
    let of = |ip: &str, prefix| Place { ip: ip.parse().unwrap(), prefix, ports: PORTS }.broadcast();
    assert_eq!(of("10.74.0.3", 24), Some(Ipv4Addr::new(10, 74, 0, 255)));
    assert_eq!(of("172.20.77.3", 20), Some(Ipv4Addr::new(172, 20, 79, 255)));
    assert_eq!(of("10.0.0.1", 0), Some(Ipv4Addr::BROADCAST));
    assert_eq!((of("10.0.0.1", 31), of("10.0.0.1", 32)), (None, None));
}
