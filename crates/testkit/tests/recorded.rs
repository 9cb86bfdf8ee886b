//! What a flight recorder wrote down of a story, put into a replica once more, comes to the same state at every step.

use parlor_core::{Error, RECORDED_BYTES, Recording, Replay, Replica};
use parlor_testkit::sim::World;
use parlor_testkit::story::Story;

/// Little enough that a story is recorded from its middle only.
const LITTLE: usize = 20_000;

/// What the replicas that run at the end of a story recorded, and each of these replicas.
fn each(
    seed: u64,
    bytes: usize,
    mut judge: impl FnMut(&str, &Replica, Recording) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut world = World::unwatched(&Story::random(seed), 0);
    world.record(bytes);
    world.play_out();
    for (host, replica) in world.running() {
        let Some(tape) = replica.tape() else { panic!("host {host} is not recorded") };
        let read = Recording::read(&tape.recording("a test")?.write())?;
        judge(&format!("seed {seed}, host {host}"), replica, read)?;
    }
    Ok(())
}

/// Every hash and every verdict that was recorded, and the state at the end, as a replica reads it.
fn comes_to_the_same(name: &str, replica: &Replica, recording: &Recording) -> Result<usize, Error> {
    let mut replay = Replay::new(recording)?;
    let mut marks = 0;
    while let Some(played) = replay.step() {
        let step = &played.step;
        if let Some((recorded, reached)) = played.marks {
            assert_eq!(recorded, reached, "{name}: another state after step {} ({})", step.step, step.text);
            marks += 1;
        }
        if let Some((recorded, now)) = played.verdicts {
            assert_eq!(recorded, now, "{name}: another verdict of step {} ({})", step.step, step.text);
        }
    }
    assert_eq!(replay.replica().mark(), replica.mark(), "{name}");
    let rows = |replica: &Replica| {
        let members = replica.snapshot().members;
        members.iter().map(|row| (row.key(), row.state, row.record.presence.clone())).collect::<Vec<_>>()
    };
    assert_eq!(rows(replay.replica()), rows(replica), "{name}");
    assert_eq!(replay.replica().metadata(), replica.metadata(), "{name}");
    assert_eq!(replay.replica().board(), replica.board(), "{name}");
    assert_eq!(replay.replica().access(), replica.access(), "{name}");
    Ok(marks)
}

#[test]
fn a_story_that_was_recorded_from_its_beginning_comes_to_the_same() {
    let mut marks = 0;
    for seed in 0..60 {
        each(seed, RECORDED_BYTES, |name, replica, recording| {
            assert!(recording.is_whole(), "{name}");
            marks += comes_to_the_same(name, replica, &recording)?;
            Ok(())
        })
        .unwrap();
    }
    assert!(marks > 1_000, "{marks} hashes were recorded");
}

#[test]
fn a_story_that_was_recorded_from_its_middle_comes_to_the_same() {
    let mut from_the_middle = 0;
    for seed in 0..60 {
        each(seed, LITTLE, |name, replica, recording| {
            from_the_middle += usize::from(!recording.is_whole());
            comes_to_the_same(name, replica, &recording).map(drop)
        })
        .unwrap();
    }
    assert!(from_the_middle > 20, "{from_the_middle} recordings begin in the middle");
}

/// What a replica does does not follow from names and values, but from which of them are the same, and how long they are.
#[test]
fn a_story_without_names_and_values_goes_as_it_went() {
    let (mut steps, mut unlike) = (0, 0);
    for seed in 0..40 {
        for bytes in [RECORDED_BYTES, LITTLE] {
            each(seed, bytes, |name, _, recording| {
                let other = Recording::read(&recording.for_others([seed as u8; 32], false)?.write())?;
                assert!(other.is_redacted() && !other.has_strayed(), "{name}");
                let (mut was, mut is) = (Replay::new(&recording)?, Replay::new(&other)?);
                while let (Some(one), Some(two)) = (was.step(), is.step()) {
                    let step = one.step.step;
                    steps += 1;
                    if let Some((recorded, reached)) = two.marks {
                        assert_eq!(recorded, reached, "{name}: another state after step {step} ({})", two.step.text);
                    }
                    let kinds =
                        |events: &[parlor_core::Event]| events.iter().map(std::mem::discriminant).collect::<Vec<_>>();
                    unlike += usize::from(kinds(&one.events) != kinds(&two.events) || one.verdicts != two.verdicts);
                }
                assert_eq!(is.position(), recording.len(), "{name}");
                assert_eq!(other.outcome()?.broken, None, "{name}");
                Ok(())
            })
            .unwrap();
        }
    }
    assert!(steps > 20_000, "{steps} steps");
    assert_eq!(unlike, 0, "of {steps} steps so many told something else");
}

/// Two recordings of one story agree on all that lasted, and are lined up by many frames.
#[test]
fn two_recordings_of_one_story_are_lined_up() {
    let mut common = 0;
    for seed in 0..20 {
        let mut all = Vec::new();
        each(seed, RECORDED_BYTES, |_, _, recording| {
            all.push(recording);
            Ok(())
        })
        .unwrap();
        if let [one, other, ..] = &all[..] {
            common += parlor_core::Lineup::of(one, other).unwrap().common;
        }
    }
    assert!(common > 100, "{common} frames in common");
}
