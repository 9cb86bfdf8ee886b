//! From what is known to a verdict and its sentence.

use proptest::prelude::*;

use super::*;

fn witness(says: WitnessSays) -> Witness {
    Witness { session_id: "aa".into(), user_id: None, name: None, says, heard_ms_ago: None }
}

fn facts(silent_ms: u64, says: &[WitnessSays]) -> Facts {
    Facts {
        now: Tick(100_000),
        heard: Tick(100_000 - silent_ms),
        stale: silent_ms >= 5_000,
        linked: true,
        relayed: None,
        lost: None,
        outage: false,
        rtt_us: None,
        asked: !says.is_empty(),
        over: false,
        witnesses: says.iter().copied().map(witness).collect(),
    }
}

/// Every verdict there is, with the sentence for it.
#[test]
fn each_state_has_its_sentence() {
    use EvidenceVerdict as E;
    use WitnessSays::{Hears, Left, Nothing, Silent, Unknown};
    let relayed = |by: Option<&str>| Some(by.map(str::to_owned));
    let unlinked = |more: Facts| Facts { linked: false, ..more };
    let cases = [
        (facts(400, &[]), E::Here, "Heard 0.4 s ago on a direct link."),
        (
            unlinked(Facts { relayed: relayed(Some("Carol")), ..facts(840, &[]) }),
            E::Relayed,
            "Heard 0.8 s ago through Carol; there is no direct link.",
        ),
        (
            Facts { relayed: relayed(None), ..facts(0, &[]) },
            E::Here,
            "Heard 0.0 s ago through others, and there is a direct link too.",
        ),
        (facts(2_399, &[]), E::Here, "Heard 2.4 s ago on a direct link."),
        (facts(2_400, &[]), E::Quiet, "Not heard for 2.4 s."),
        (facts(5_000, &[]), E::Quiet, "Not heard for 5.0 s."),
        (
            facts(6_040, &[Nothing, Nothing]),
            E::Quiet,
            "Not heard for 6.0 s; 2 others were asked and did not answer yet.",
        ),
        (facts(6_000, &[Nothing]), E::Quiet, "Not heard for 6.0 s; 1 other was asked and did not answer yet."),
        (
            facts(7_000, &[Hears, Hears, Nothing, Hears]),
            E::YouLostThem,
            "You lost them 7.0 s ago, but 3 others still hear them: it is your network.",
        ),
        (
            facts(7_000, &[Hears]),
            E::YouLostThem,
            "You lost them 7.0 s ago, but 1 other still hears them: it is your network.",
        ),
        (
            facts(9_949, &[Hears, Silent, Left]),
            E::SomeLostThem,
            "You and 2 others lost them 9.9 s ago, but 1 other still hears them: the network is in two pieces.",
        ),
        (
            facts(9_950, &[Silent, Silent, Unknown]),
            E::AllLostThem,
            "You and 2 others lost them 9 s ago: nobody who was asked hears them.",
        ),
        (
            unlinked(Facts { lost: Some(DownCause::Closed), ..facts(6_000, &[Silent]) }),
            E::AllLostThem,
            "You and 1 other lost them 6.0 s ago: their end of the link closed, and nobody who was asked hears them.",
        ),
        (facts(6_000, &[Left, Silent, Left]), E::Left, "They left: 2 others heard them say so, and this peer did not."),
        (
            facts(6_000, &[Left, Silent]),
            E::AllLostThem,
            "You and 2 others lost them 6.0 s ago: nobody who was asked hears them.",
        ),
        (
            Facts { asked: true, ..facts(6_000, &[]) },
            E::NobodyToAsk,
            "Not heard for 6.0 s, and nobody else is here to ask.",
        ),
        (
            Facts { over: true, ..facts(9_500, &[Nothing, Nothing]) },
            E::NoAnswer,
            "Not heard for 9.5 s, and of 2 others asked none answered: it may be your network.",
        ),
        (
            Facts { over: true, ..facts(9_500, &[Unknown]) },
            E::NoAnswer,
            "Not heard for 9.5 s, and of 1 other asked none knows them.",
        ),
        (
            Facts { outage: true, ..facts(30_000, &[Silent]) },
            E::OwnOutage,
            "This peer's own network is out, so nothing is known of them.",
        ),
        (Facts { outage: true, ..facts(300, &[]) }, E::Here, "Heard 0.3 s ago on a direct link."),
    ];
    for (facts, verdict, sentence) in cases {
        let evidence = facts.clone().evidence();
        assert_eq!((evidence.verdict, evidence.sentence.as_str()), (verdict, sentence), "{facts:?}");
        assert_eq!(evidence.heard_ms_ago, facts.silence());
    }
    assert_eq!(Facts::own().verdict, E::Own);
}

#[test]
fn numbers_come_in_their_units() {
    let evidence = Facts { rtt_us: Some(1_250), ..facts(7_300, &[]) }.evidence();
    assert_eq!((evidence.rtt_ms, evidence.missed_beats, evidence.path), (Some(1.25), 3, EvidencePath::Direct));
    let relayed = Facts { relayed: Some(Some("Carol".into())), ..facts(0, &[]) }.evidence();
    assert_eq!((relayed.path, relayed.through.as_deref()), (EvidencePath::Relayed, Some("Carol")));
}

/// A witness hears somebody when it heard them since we did: the frame that was the last here is no news.
#[test]
fn only_a_later_frame_counts_as_hearing() {
    let (heard, now) = (Tick(50_000), Tick(57_000));
    let says = |at, word| weigh(Some((Tick(at), word)), heard, now);
    assert_eq!(says(56_000, Word::Hears(300)), (WitnessSays::Hears, Some(1_300)));
    assert_eq!(says(56_000, Word::Hears(4_999)), (WitnessSays::Hears, Some(5_999)));
    assert_eq!(says(56_000, Word::Hears(5_000)), (WitnessSays::Silent, Some(6_000)));
    assert_eq!(says(56_000, Word::Hears(u64::MAX)), (WitnessSays::Silent, Some(u64::MAX)));
    assert_eq!(says(57_000, Word::Silent(Some(7_000))), (WitnessSays::Silent, Some(7_000)));
    assert_eq!(says(57_000, Word::Silent(None)), (WitnessSays::Silent, None));
    assert_eq!(weigh(None, heard, now), (WitnessSays::Nothing, None));
}

fn any_says() -> impl Strategy<Value = WitnessSays> {
    use WitnessSays::{Hears, Left, Nothing, Silent, Unknown};
    prop::sample::select(vec![Hears, Silent, Left, Unknown, Nothing])
}

proptest! {
    /// Whoever hears somebody is told nothing of witnesses, whatever they say; and only those who hear make it our fault.
    #[test]
    fn witnesses_speak_of_the_silent_alone(silent in 0u64..12_000, says in prop::collection::vec(any_says(), 0..6)) {
        let verdict = facts(silent, &says).verdict();
        let hear = says.iter().filter(|says| **says == WitnessSays::Hears).count();
        if silent < 5_000 {
            prop_assert!(matches!(verdict, EvidenceVerdict::Here | EvidenceVerdict::Quiet));
        }
        let ours = matches!(verdict, EvidenceVerdict::YouLostThem | EvidenceVerdict::SomeLostThem);
        prop_assert_eq!(ours, silent >= 5_000 && hear > 0);
    }

    /// One liar among others that say the same turns their verdict round at no number of them.
    #[test]
    fn one_lie_does_not_turn_it_round(honest in 2usize..6, lie in any_says()) {
        let verdict = |truth| facts(7_000, &[vec![truth; honest], vec![lie]].concat()).verdict();
        prop_assert_eq!(verdict(WitnessSays::Hears), EvidenceVerdict::YouLostThem);
        let lost = verdict(WitnessSays::Silent);
        prop_assert!(matches!(lost, EvidenceVerdict::AllLostThem | EvidenceVerdict::SomeLostThem), "{lost:?}");
    }

    /// What a witness says of its own clock is a number of somebody else: any will do.
    #[test]
    fn any_word_is_weighed(at in any::<u64>(), ms in any::<u64>(), heard in any::<u64>(), now in any::<u64>()) {
        for word in [Word::Hears(ms), Word::Silent(Some(ms)), Word::Silent(None), Word::Left(7), Word::Unknown] {
            let _ = weigh(Some((Tick(at), word)), Tick(heard), Tick(now));
        }
    }
}
