//! Who is asked, what they answer, and what no answer can do.

use crate::evidence::{Evidence, EvidencePath, EvidenceVerdict, WitnessSays, Word};
use crate::fixture::{Table, evidence, seat, session};
use crate::input::{DownCause, Input, Path};
use crate::view::Event;
use crate::wire::{Frame, Testimony, WitnessAsk};
use crate::{Join, SessionId, Tick};

const ASK: u8 = 12;
const TESTIMONY: u8 = 13;

fn says(evidence: &Evidence) -> Vec<WitnessSays> {
    evidence.witnesses.iter().map(|witness| witness.says).collect()
}

/// Person 0 is heard by everybody but person 1.
fn deaf_to_one(from: usize, to: usize, _: &Frame) -> bool {
    (from, to) == (0, 1)
}

fn direct(table: &mut Table, at: usize, author: SessionId, frame: &Frame) {
    table.input(at, Input::Frame { author, via: author, path: Path::Direct, bytes: frame.encode() });
}

fn testimony(of: u8, nonce: u64, word: Word) -> Frame {
    Frame::Testimony(Testimony { of: session(of), nonce, word })
}

/// The last nonce that a seat used.
fn nonce(table: &Table, from: usize) -> u64 {
    match table.sent(from, ASK).pop() {
        Some(Frame::WitnessAsk(ask)) => ask.nonce,
        other => panic!("{other:?}"),
    }
}

// R6: "you lost them, three others still hear them", in three rounds of two; and they are given up at ten seconds all the
// same.
#[test]
fn others_say_that_it_is_your_network() {
    let mut table = Table::joined(5);
    table.lose = deaf_to_one;
    table.pass(2_500);
    table.clear();
    while table.told(1).is_empty() {
        table.pass(1);
    }
    assert_eq!(table.told(1), ["stale person 0"]);
    assert_eq!(evidence(&table, 1, 0).verdict, EvidenceVerdict::Quiet);
    assert!(table.sent(1, ASK).is_empty(), "nobody is asked at once");
    let asked = |table: &Table| table.sent(1, ASK).len();
    for (ms, asks, hear) in [(999, 0, 0), (1, 2, 2), (1_499, 2, 2), (1, 4, 3), (1_499, 4, 3), (1, 6, 3), (900, 6, 3)] {
        table.pass(ms);
        assert_eq!((asked(&table), table.seats[1].replica.heard_by(session(1), table.tick())), (asks, hear));
    }
    let known = evidence(&table, 1, 0);
    assert_eq!((known.verdict, says(&known)), (EvidenceVerdict::YouLostThem, vec![WitnessSays::Hears; 3]));
    assert_eq!(known.missed_beats, 4);
    let mut names: Vec<_> = known.witnesses.iter().filter_map(|witness| witness.name.clone()).collect();
    names.sort();
    assert_eq!(names, ["person 2", "person 3", "person 4"]);
    assert!(known.witnesses.iter().all(|witness| witness.heard_ms_ago.unwrap() < 8_000));
    assert_eq!(table.told(1), ["stale person 0"]);
    table.pass(100);
    assert_eq!(table.told(1), ["stale person 0", "left person 0 Timeout"]);
    let last = table.seats[1].events.iter().rev().find_map(|event| match event {
        Event::Left { member, .. } => member.evidence.clone(),
        _ => None,
    });
    assert_eq!(last.map(|evidence| evidence.verdict), Some(EvidenceVerdict::YouLostThem));
    assert_eq!(table.seats[1].replica.holdings().witnesses, 0);
    // Nobody else asked anybody, and nobody was lost elsewhere.
    assert_eq!((0..5).map(|at| table.sent(at, ASK).len()).collect::<Vec<_>>(), [0, 6, 0, 0, 0]);
    assert_eq!((2..5).map(|at| table.sent(at, TESTIMONY).len()).sum::<usize>(), 6);
}

// R6: who is gone is heard by nobody, and each says so.
#[test]
fn a_crash_is_nobodys_network_but_theirs() {
    let mut table = Table::joined(4);
    table.lose = |from, _, _| from == 0;
    (1..4).for_each(|at| table.close(at, 0, DownCause::Closed));
    table.clear();
    table.pass(4_900);
    for at in 1..4 {
        let known = evidence(&table, at, 0);
        assert_eq!((known.verdict, says(&known)), (EvidenceVerdict::AllLostThem, vec![WitnessSays::Silent; 2]), "{at}");
        assert!(known.sentence.contains("You and 2 others") && known.sentence.contains("their end"), "{known:?}");
        assert!(!known.linked && known.rtt_ms.is_none());
    }
    direct(&mut table, 2, session(4), &Frame::WitnessAsk(WitnessAsk { of: session(1), nonce: 8 }));
    let Some(Frame::Testimony(said)) = table.sent(2, TESTIMONY).pop() else { panic!("an answer") };
    assert!(matches!(said.word, Word::Silent(Some(4_900..))), "{said:?}");
    table.pass(200);
    assert!((1..4).all(|at| table.told(at).contains(&"left person 0 Disconnected".to_owned())));
    // Whoever asks later hears that it was given up.
    direct(&mut table, 2, session(4), &Frame::WitnessAsk(WitnessAsk { of: session(1), nonce: 9 }));
    let last = table.sent(2, TESTIMONY).pop();
    assert_eq!(last, Some(testimony(1, 9, Word::Silent(None))));
}

#[test]
fn with_two_there_is_nobody_to_ask() {
    let mut table = Table::joined(2);
    table.lose = |_, _, _| true;
    table.pass(9_000);
    let known = evidence(&table, 1, 0);
    assert_eq!((known.verdict, known.witnesses.len()), (EvidenceVerdict::NobodyToAsk, 0));
    assert!(table.sent(1, ASK).is_empty());
}

// "They left", and this peer missed it.
#[test]
fn others_heard_them_leave() {
    let mut table = Table::joined(4);
    table.lose = deaf_to_one;
    table.leave(0).unwrap();
    while evidence(&table, 1, 0).witnesses.is_empty() {
        table.pass(100);
    }
    let known = evidence(&table, 1, 0);
    assert_eq!((known.verdict, says(&known)), (EvidenceVerdict::Left, vec![WitnessSays::Left; 2]));
    assert_eq!(table.rows(1).len(), 4, "it is listed until its own silence ends it");
}

// R8: of somebody who left, came again and then fell silent, it is not said that they left.
#[test]
fn the_last_end_counts() {
    let mut table = Table::joined(3);
    table.leave(0).unwrap();
    table.pass(1_000);
    table.join(0, Join::new()).unwrap();
    table.lose = |from, _, _| from == 0;
    table.pass(12_000);
    direct(&mut table, 2, session(2), &Frame::WitnessAsk(WitnessAsk { of: session(1), nonce: 1 }));
    assert_eq!(table.sent(2, TESTIMONY).pop(), Some(testimony(1, 1, Word::Silent(None))));
    // And the other way round.
    table.lose = |_, _, _| false;
    table.pass(5_000);
    assert_eq!(table.rows(2).len(), 3);
    table.leave(0).unwrap();
    direct(&mut table, 2, session(2), &Frame::WitnessAsk(WitnessAsk { of: session(1), nonce: 2 }));
    assert_eq!(table.sent(2, TESTIMONY).pop(), Some(testimony(1, 2, Word::Left(2))));
}

#[test]
fn nobody_answers() {
    let mut table = Table::joined(4);
    table.lose = |from, to, frame| (from, to) == (0, 1) || frame.kind() == ASK;
    table.clear();
    while table.told(1).is_empty() {
        table.pass(10);
    }
    table.pass(4_500);
    let known = evidence(&table, 1, 0);
    assert_eq!((known.verdict, says(&known)), (EvidenceVerdict::NoAnswer, vec![WitnessSays::Nothing; 2]));
}

// R9: in own outage nobody is asked, and nothing is said of anybody.
#[test]
fn own_outage_asks_nobody() {
    let mut table = Table::joined(3);
    table.input(1, Input::OwnOutage(true));
    table.lose = |from, to, _| to == 1 && from != 1;
    table.pass(20_000);
    assert!(table.sent(1, ASK).is_empty());
    assert_eq!(evidence(&table, 1, 0).verdict, EvidenceVerdict::OwnOutage);
    // One who is out itself is no witness.
    direct(&mut table, 1, session(3), &Frame::WitnessAsk(WitnessAsk { of: session(1), nonce: 5 }));
    assert_eq!(table.sent(1, TESTIMONY).pop(), Some(testimony(1, 5, Word::Unknown)));
}

// R9: what silence means is not known while the own network is out, also when somebody is heard all the same.
#[test]
fn own_outage_asks_not_even_those_it_hears() {
    let mut table = Table::joined(3);
    table.lose = deaf_to_one;
    table.input(1, Input::OwnOutage(true));
    table.pass(20_000);
    assert_eq!(table.told(1).last().map(String::as_str), Some("stale person 0"));
    assert!(table.sent(1, ASK).is_empty());
    table.input(1, Input::OwnOutage(false));
    table.pass(15_000);
    assert!(!table.sent(1, ASK).is_empty(), "but then");
}

// Whoever is heard again is doubted no more, and what was said is forgotten.
#[test]
fn a_sign_of_life_closes_the_case() {
    let mut table = Table::joined(3);
    table.lose = deaf_to_one;
    table.pass(8_000);
    assert_eq!(table.seats[1].replica.holdings().witnesses, 1);
    table.lose = |_, _, _| false;
    table.presence(0, serde_json::json!({ "back": true })).unwrap();
    let known = evidence(&table, 1, 0);
    assert_eq!(known.verdict, EvidenceVerdict::Here, "{known:?}");
    assert_eq!((known.witnesses.len(), table.seats[1].replica.holdings().witnesses), (0, 0));
}

// R9: after a sleep others are asked anew, as of the time after it.
#[test]
fn sleep_begins_the_case_anew() {
    let mut table = Table::joined(3);
    table.lose = |from, _, _| from == 0;
    table.close(1, 0, DownCause::Closed);
    table.pass(4_000);
    assert_eq!(table.seats[1].replica.holdings().witnesses, 1);
    table.input(1, Input::Resumed);
    assert_eq!(table.seats[1].replica.holdings().witnesses, 0);
    let before = table.sent(1, ASK).len();
    table.pass(900);
    assert_eq!(table.sent(1, ASK).len(), before);
    table.pass(200);
    assert_eq!(table.sent(1, ASK).len(), before + 1);
}

// R9: and after own outage.
#[test]
fn own_outage_closes_the_case() {
    let mut table = Table::joined(3);
    table.lose = |from, _, _| from == 0;
    table.close(1, 0, DownCause::Closed);
    table.pass(3_000);
    assert_eq!(table.seats[1].replica.holdings().witnesses, 1);
    table.input(1, Input::OwnOutage(true));
    table.input(1, Input::OwnOutage(false));
    assert_eq!(table.seats[1].replica.holdings().witnesses, 0);
}

// R8: a witness that missed that they came again knows of the leave before, which says nothing of now.
#[test]
fn an_older_leave_is_none() {
    let mut table = Table::joined(3);
    table.leave(0).unwrap();
    table.pass(1_000);
    table.lose = |from, to, _| (from, to) == (0, 2);
    table.join(0, Join::new()).unwrap();
    table.pass(2_500);
    table.lose = |from, _, _| from == 0;
    table.close(1, 0, DownCause::Closed);
    table.pass(2_000);
    let known = evidence(&table, 1, 0);
    assert_eq!((known.verdict, says(&known)), (EvidenceVerdict::Quiet, vec![WitnessSays::Unknown]));
}

// R3, N10: an answer counts once, from whom it was asked for, over its own link.
#[test]
fn testimony_that_nobody_asked_for_is_refused() {
    let mut table = Table::joined(3);
    table.lose = |from, to, frame| (from, to) == (0, 1) || frame.kind() == ASK;
    let unasked = |table: &Table| table.count(1, "testimony_unasked");
    direct(&mut table, 1, session(3), &testimony(1, 1, Word::Hears(0)));
    assert_eq!(unasked(&table), 1, "nobody was in doubt");
    table.pass(7_200);
    let asked = nonce(&table, 1);
    direct(&mut table, 1, session(3), &testimony(1, asked + 1, Word::Hears(0)));
    direct(&mut table, 1, session(1), &testimony(1, asked, Word::Hears(0)));
    direct(&mut table, 1, session(3), &testimony(3, asked, Word::Hears(0)));
    assert_eq!(unasked(&table), 4);
    assert_eq!(says(&evidence(&table, 1, 0)), [WitnessSays::Nothing]);
    table.frame(1, session(3), session(3), &testimony(1, asked, Word::Hears(0)).encode());
    assert_eq!((unasked(&table), table.count(1, "witness_by_gossip")), (4, 1));
    assert_eq!(says(&evidence(&table, 1, 0)), [WitnessSays::Nothing]);
    direct(&mut table, 1, session(3), &testimony(1, asked, Word::Hears(0)));
    assert_eq!((unasked(&table), says(&evidence(&table, 1, 0))), (4, vec![WitnessSays::Hears]));
    direct(&mut table, 1, session(3), &testimony(1, asked, Word::Left(9)));
    assert_eq!((unasked(&table), says(&evidence(&table, 1, 0))), (5, vec![WitnessSays::Hears]));
}

// R6: a witness that swears to hear somebody keeps nobody alive, and one that swears to a leave ends nobody.
#[test]
fn a_lie_changes_a_sentence_and_nothing_else() {
    let ends = |word: Option<Word>| {
        let mut table = Table::joined(3);
        table.lose = |from, to, frame| (from, to) == (0, 1) || matches!(frame.kind(), ASK | TESTIMONY);
        table.clear();
        let mut ended = 0;
        while ended == 0 {
            table.pass(100);
            if let (Some(word), Some(Frame::WitnessAsk(ask))) = (word, table.sent(1, ASK).pop()) {
                direct(&mut table, 1, session(3), &testimony(1, ask.nonce, word));
            }
            let left = table.told(1).iter().any(|told| told.starts_with("left"));
            ended = if left { table.now } else { 0 };
        }
        (ended, table.told(1))
    };
    let truth = ends(None);
    for word in [Word::Hears(0), Word::Hears(u64::MAX), Word::Silent(Some(0)), Word::Silent(None), Word::Left(9)] {
        assert_eq!(ends(Some(word)), truth, "{word:?}");
    }
}

// N10: what is asked by strangers, about the parties, by gossip or too often is counted and not answered.
#[test]
fn odd_questions_are_not_answered() {
    let mut table = Table::joined(3);
    let ask = |of: u8| Frame::WitnessAsk(WitnessAsk { of: session(of), nonce: 7 });
    direct(&mut table, 1, session(3), &ask(2));
    direct(&mut table, 1, session(3), &ask(3));
    assert_eq!(table.count(1, "witness_of_a_party"), 2);
    direct(&mut table, 1, session(9), &ask(1));
    assert_eq!((table.count(1, "witness_asked_by_stranger"), table.seats[1].replica.holdings().sessions), (1, 2));
    table.frame(1, session(3), session(3), &ask(1).encode());
    assert_eq!((table.count(1, "witness_by_gossip"), table.sent(1, TESTIMONY).len()), (1, 0));
    (0..40).for_each(|_| direct(&mut table, 1, session(3), &ask(1)));
    assert_eq!((table.count(1, "witness_asked_too_often"), table.sent(1, TESTIMONY).len()), (8, 32));
    // Others are not made to pay for it.
    direct(&mut table, 1, session(1), &ask(3));
    assert_eq!(table.sent(1, TESTIMONY).len(), 33);
    table.pass(1_000);
    direct(&mut table, 1, session(3), &ask(1));
    assert_eq!(table.sent(1, TESTIMONY).len(), 34);
    // Nor is one who was linked once and is only heard of.
    table.close(1, 2, DownCause::Closed);
    direct(&mut table, 1, session(3), &ask(1));
    assert_eq!((table.count(1, "witness_asked_by_stranger"), table.sent(1, TESTIMONY).len()), (2, 34));
}

// N10: however many fall silent at once, so many questions go out at once and so many a second.
#[test]
fn questions_have_a_bound() {
    let mut table = Table::joined(21);
    table.lose = |from, to, _| (1..18).contains(&from) && to == 0;
    (1..18).for_each(|peer| table.close(0, peer, DownCause::TimedOut));
    table.clear();
    table.pass(1_000);
    assert_eq!(table.sent(0, ASK).len(), 32);
    assert!(table.count(0, "witness_asks_held_back") > 0);
    table.pass(3_900);
    let count = table.sent(0, ASK).len();
    assert!((33..=32 + 4 * 16).contains(&count), "{count}");
}

// Of a person's devices one is asked, and none of whom it is about.
#[test]
fn each_person_is_one_witness() {
    let mut table = Table::of(2);
    for (number, person) in [(3, "person 0"), (4, "person 2"), (5, "person 2"), (6, "person 2")] {
        let at = table.add(seat(number, person, number, 1, 1_000));
        (0..at).for_each(|other| table.link(at, other));
    }
    (0..6).for_each(|at| drop(table.join(at, Join::new()).unwrap()));
    table.pass(3_000);
    table.lose = deaf_to_one;
    table.pass(9_900);
    let of: std::collections::BTreeSet<_> = table
        .log
        .iter()
        .filter(|(from, _, bytes)| *from == 1 && bytes[1] == ASK)
        .filter_map(|(_, to, _)| *to)
        .collect();
    assert_eq!(of.len(), 1, "{of:?}");
    assert!([4, 5, 6].contains(&of.first().unwrap().0[0]), "{of:?}");
}

// Asking draws nothing at random: a story goes on as it would have.
#[test]
fn asking_draws_nothing() {
    let mut table = Table::joined(4);
    table.lose = |from, _, _| from == 0;
    table.close(1, 0, DownCause::Closed);
    let now = Tick(table.now + 1_000);
    let before = table.seats[1].replica.random.get_seed();
    table.seats[1].replica.ask_witnesses(session(1), now);
    assert_eq!((table.seats[1].replica.random.get_seed(), table.count(1, "witness_asks")), (before, 2));
}

// The way of the last frame: over the own link, or passed on by somebody; and the round trip of that link.
#[test]
fn the_way_of_the_last_frame_is_known() {
    let mut table = Table::joined(3);
    table.input(1, Input::RoundTrip { peer: session(1), us: 1_500 });
    let known = evidence(&table, 1, 0);
    assert_eq!((known.path, known.linked, known.rtt_ms), (EvidencePath::Direct, true, Some(1.5)));
    assert_eq!(evidence(&table, 1, 1).path, EvidencePath::Own);

    table.lose = deaf_to_one;
    table.close(1, 0, DownCause::Closed);
    table.presence(0, serde_json::json!({ "a": 1 })).unwrap();
    let bytes = table.log.iter().rev().find(|(at, ..)| *at == 0).unwrap().2.clone();
    table.frame(1, session(1), session(3), &bytes);
    let known = evidence(&table, 1, 0);
    assert_eq!((known.path, known.through.as_deref()), (EvidencePath::Relayed, Some("person 2")));
    assert_eq!((known.verdict, known.linked, known.rtt_ms), (EvidenceVerdict::Relayed, false, None));
    // The same frame again by its own link is no newer sign of life.
    table.frame(1, session(1), session(1), &bytes);
    assert_eq!(evidence(&table, 1, 0).path, EvidencePath::Relayed);
    // A round trip belongs to a link.
    table.input(1, Input::RoundTrip { peer: session(1), us: 900 });
    table.input(1, Input::RoundTrip { peer: session(77), us: 900 });
    assert_eq!(evidence(&table, 1, 0).rtt_ms, None);
    assert_eq!(table.seats[1].replica.holdings().sessions, 2);

    table.lose = |_, _, _| false;
    table.pass(10);
    table.link(0, 1);
    let known = evidence(&table, 1, 0);
    assert_eq!((known.path, known.verdict), (EvidencePath::Direct, EvidenceVerdict::Here));
}

// Evidence is for those who ask for it.
#[test]
fn evidence_is_not_in_every_list() {
    let table = Table::joined(2);
    assert!(table.rows(0).iter().all(|row| row.evidence.is_none()));
    let json = serde_json::to_value(&*table.rows(0)[0]).unwrap();
    assert!(json.get("evidence").is_none());
}
