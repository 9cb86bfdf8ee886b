//! Files of recordings: what is read again, and what is refused.

use serde_json::json;

use crate::fixture::Table;
use crate::{ErrorCode, RECORDED_BYTES, Recording, Replay};

/// A room of two in which something of everything happens, as person 1 recorded it.
fn recorded() -> Recording {
    let mut table = Table::of(2);
    table.seats[1].replica.record(RECORDED_BYTES);
    for at in 0..2 {
        table.join(at, crate::Join::new().presence(json!({ "cursor": 0.1, "status": "online" }))).unwrap();
    }
    table.metadata(0, crate::MetadataChange::new(json!({ "title": "Quarterly numbers" }))).unwrap();
    table.say(1, "hello", Some("once")).unwrap();
    table.pass(5_000);
    table.seats[1].replica.tape().unwrap().recording("0.0.0").unwrap()
}

#[test]
fn what_was_written_is_read_again() {
    let recording = recorded();
    let read = Recording::read(&recording.write()).unwrap();
    assert_eq!((read.head, read.steps), (recording.head, recording.steps));
}

/// N10: a file that was cut short or damaged is refused with a code wherever that happened.
#[test]
fn what_is_not_whole_is_refused() {
    let file = recorded().write();
    let refusal = |bytes: &[u8]| Recording::read(bytes).map_err(|error| error.code).err();
    for length in 0..file.len() {
        assert_eq!(refusal(&file[..length]), Some(ErrorCode::InvalidRecording), "the first {length} bytes");
    }
    for at in 0..file.len() {
        let mut damaged = file.clone();
        damaged[at] ^= 0x20;
        assert_eq!(refusal(&damaged), Some(ErrorCode::InvalidRecording), "another byte {at}");
    }
    assert_eq!(refusal(b"GIF89a"), Some(ErrorCode::InvalidRecording));
    let later = [&file[..16], &[super::recording::RECORDING_VERSION + 1], &file[17..]].concat();
    let said = Recording::read(&later).unwrap_err().message;
    assert!(said.contains("version 2"), "{said}");
}

/// N10: one that was made to do harm carries a checksum that is right. It is refused, or it is played; nothing panics.
#[test]
fn what_was_made_to_do_harm_does_none() {
    let file = recorded().write();
    let body = file.len() - 16;
    let (mut refused, mut played) = (0, 0);
    for at in 17..body {
        for flip in [0x01, 0x80, 0xff] {
            let mut hostile = file.clone();
            hostile[at] ^= flip;
            let checksum = blake3::hash(&hostile[..body]);
            hostile[body..].copy_from_slice(&checksum.as_bytes()[..16]);
            let Ok(recording) = Recording::read(&hostile) else {
                refused += 1;
                continue;
            };
            if let Ok(mut replay) = Replay::new(&recording) {
                replay.play_to(usize::MAX);
                let _ = replay.state();
                played += 1;
            }
        }
    }
    assert!(refused > 100 && played > 100, "{refused} were refused and {played} were played");
}

/// Names, values and keys that people chose are nowhere in what is given away, whatever they stood in. Neither is a
/// signature, from which a short value could be guessed; neither is a part of a key, nor the root of a private room.
#[test]
fn no_secret_is_in_a_recording_for_others() {
    let words =
        ["Harbour", "Zebra", "salaries", "Meyer", "Umbrella", "grudge", "nightshift", "blackmail", "kettle", "otter"];
    for from_the_middle in [false, true] {
        let mut table = Table::private(2);
        let mut harbour = table.seats[1].who.clone();
        harbour.actor.name = "Harbour master".to_owned();
        table.seats[1].who = harbour;
        if !from_the_middle {
            table.seats[1].replica.record(RECORDED_BYTES);
        }
        for (at, member) in [(0, "Zebra desk"), (1, "Umbrella")] {
            let presence = json!({ "salaries": "Meyer", "cursor": 4_711, "tool": ["kettle"], "name": "otter" });
            let join = crate::Join::new().presence(presence).member_id(crate::fixture::member(member));
            table
                .call(at, |replica, who, now| {
                    replica.join(who, join.metadata(json!({ "grudge": "nightshift" })), crate::Lease::Own, now)
                })
                .unwrap();
        }
        table
            .metadata(0, crate::MetadataChange::new(json!({ "title": "blackmail", "salaries": { "Meyer": 90_210 } })))
            .unwrap();
        let note = crate::NoteChange { id: "kettle".into(), text: Some("otter".into()), ..Default::default() };
        table.board(1, crate::BoardChange { set: vec![note], ..Default::default() }).unwrap();
        let said = crate::Publish {
            idempotency_key: Some("nightshift".to_owned()),
            ..crate::Publish::new("grudge", json!({ "text": "blackmail" })).keep()
        };
        table
            .call(0, |replica, who, now| {
                let member_id = Some(crate::fixture::member("Zebra desk"));
                replica.say(who, crate::Publish { member_id, ..said }, now)
            })
            .unwrap();
        table.pass(4_000);
        if from_the_middle {
            table.seats[1].replica.record(RECORDED_BYTES);
            table.pass(4_000);
        }
        let recording = table.seats[1].replica.tape().unwrap().recording("0.0.0").unwrap();
        assert!(!recording.is_whole(), "somebody was there before");
        let has = |file: &[u8], word: &str| file.windows(word.len()).any(|part| part == word.as_bytes());
        let plain = recording.for_others([1; 32], true).unwrap();
        let redacted = recording.for_others([1; 32], false).unwrap();
        for word in words {
            assert!(has(&plain.write(), word), "{word} is in a recording with values");
            assert!(!has(&redacted.write(), word), "{word} is in a recording without");
            assert!(
                !redacted
                    .replayed(&crate::ReplayQuery::default())
                    .is_ok_and(|played| { serde_json::to_string(&played).is_ok_and(|text| text.contains(word)) }),
                "{word} is in what is shown of it"
            );
        }
        let signatures = table.log.iter().filter_map(|(_, _, frame)| {
            match crate::wire::Frame::decode(frame, crate::limits::PAGE_MAX) {
                Ok(crate::wire::Frame::Cells(cells)) => cells.first().map(|cell| cell.signature),
                _ => None,
            }
        });
        let root = table.seats[1].replica.root;
        for (file, name) in [(plain.write(), "with"), (redacted.write(), "without")] {
            for signature in signatures.clone() {
                assert!(!file.windows(64).any(|part| part == signature), "a signature in a recording {name} values");
            }
            assert!(!file.windows(32).any(|part| part == root), "the root of the room in a recording {name} values");
        }
        assert!(plain.outcome().unwrap().broken.is_none() && redacted.outcome().unwrap().broken.is_none());
    }
}

/// A changed key is in nobody's recording, not even sealed.
#[test]
fn parts_of_a_key_are_in_no_recording() {
    let mut table = Table::private(2);
    table.seats[1].replica.record(RECORDED_BYTES);
    table.seats[0].replica.record(RECORDED_BYTES);
    let part = vec![0xab; 48];
    let parts = table.seats.iter().map(|seat| (seat.who.signer.public_key(), part.clone())).collect();
    let key = crate::NewKey { epoch: 1, commitment: [7; 32], share: [8; 32], parts };
    table.call(0, |replica, who, now| replica.change_key(who, key, now)).unwrap();
    table.pass(4_000);
    let text = data_encoding::BASE64.encode(&part);
    for seat in &table.seats {
        let recording = seat.replica.tape().unwrap().recording("0.0.0").unwrap();
        assert!(recording.outcome().unwrap().broken.is_none());
        for values in [true, false] {
            let file = recording.for_others([1; 32], values).unwrap().write();
            assert!(!file.windows(16).any(|bytes| bytes == &part[..16]), "a part, values: {values}");
            assert!(!file.windows(16).any(|bytes| bytes == &text.as_bytes()[..16]), "a part as text, values: {values}");
        }
    }
}

/// What a recorder notes changes nothing of what a replica does.
#[test]
fn whoever_is_recorded_does_the_same() {
    let play = |bytes: usize| {
        let mut table = Table::of(3);
        table.seats.iter_mut().for_each(|seat| seat.replica.record(bytes));
        (0..3).for_each(|at| drop(table.join(at, crate::Join::new()).unwrap()));
        table.pass(20_000);
        table.metadata(0, crate::MetadataChange::new(json!({ "mode": "calm" }))).unwrap();
        table.pass(20_000);
        (table.log, table.seats.into_iter().map(|seat| seat.events).collect::<Vec<_>>())
    };
    assert_eq!(play(0), play(RECORDED_BYTES));
    assert_eq!(play(0), play(2_000));
}

/// What is no number cannot be written down, and was refused: played again, it must not become a call that is taken.
#[test]
fn a_refused_number_writes_nothing_when_it_is_played() {
    let mut table = Table::of(1);
    table.seats[0].replica.record(RECORDED_BYTES);
    table.join(0, crate::Join::new()).unwrap();
    let note = crate::NoteChange { id: "plan".into(), x: Some(f64::NAN), y: Some(1.0), ..Default::default() };
    table.board(0, crate::BoardChange { set: vec![note], ..Default::default() }).unwrap_err();
    let recording = table.seats[0].replica.tape().unwrap().recording("0.0.0").unwrap();
    let played = recording.replayed(&crate::ReplayQuery::default()).unwrap();
    assert_eq!((played.disagreement, played.state.inventory.cells.len()), (None, 0));
}

/// It stays within its bytes, and with none it ends.
#[test]
fn a_recorder_is_bounded() {
    let mut table = Table::joined(2);
    table.seats[0].replica.record(20_000);
    for round in 0..600 {
        table.presence(1, json!({ "cursor": round })).unwrap();
        table.pass(50);
        let recorder = table.seats[0].replica.recorder.as_ref().unwrap();
        let bytes: usize = recorder.reels.iter().map(super::Reel::bytes).sum();
        assert!(bytes < 26_000, "{bytes} bytes after {round} rounds");
    }
    let recording = table.seats[0].replica.tape().unwrap().recording("0.0.0").unwrap();
    assert!(!recording.is_whole());
    table.seats[0].replica.record(0);
    assert!(table.seats[0].replica.tape().is_none());
}

/// Person 1 hears a frame once more that person 0 sent before it left. With the fault, the dead come back by it (R8).
fn incident() -> Recording {
    let mut table = Table::of(0);
    for number in 1..=2 {
        table.add(crate::fixture::seat(number, &format!("person {number}"), number, 1, 1_000));
    }
    // From the opening of the room: such a recording is read by every later program.
    table.seats[1].replica.record(RECORDED_BYTES);
    table.link(0, 1);
    table.join(0, crate::Join::new().presence(json!({ "status": "online" }))).unwrap();
    table.join(1, crate::Join::new()).unwrap();
    table.pass(3_000);
    let is_full = |frame: &[u8]| crate::wire::frame_kind(frame) == "full";
    let old = table.log.iter().find(|(from, _, frame)| *from == 0 && is_full(frame)).map(|(_, _, frame)| frame.clone());
    table.leave(0).unwrap();
    let session = table.seats[0].session;
    table.frame(1, session, session, &old.unwrap());
    table.pass(1_000);
    let recording = table.seats[1].replica.tape().unwrap().recording("0.0.0").unwrap();
    assert!(recording.is_whole());
    recording.for_others([7; 32], false).unwrap()
}

/// A recording of a fault becomes a test that fails for the same reason, and holds when the fault is mended. The test that
/// stands in `returned.rs` is the one that is made here, and runs with all the others.
#[test]
fn a_fault_becomes_a_test_that_fails_for_the_same_reason() {
    let (recording, broken) = super::fault::with(|| {
        let recording = incident();
        let broken = recording.outcome().unwrap().broken.unwrap();
        (recording.as_test("the dead come back").unwrap(), broken)
    });
    assert!(broken.rule.contains("R8"), "{broken}");
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/src/recorder/returned.rs");
    if std::env::var_os("PARLOR_WRITE").is_some() {
        std::fs::write(kept, &recording).unwrap();
    }
    let file = std::fs::read_to_string(kept).unwrap();
    assert!(file == recording, "returned.rs is another test; PARLOR_WRITE=1 writes it anew");

    // With the fault it fails, and says what the recording said.
    let failed = super::fault::with(|| std::panic::catch_unwind(super::returned::the_dead_come_back)).unwrap_err();
    let said = failed.downcast_ref::<String>().unwrap();
    assert!(said.contains(&broken.to_string()), "{said}");
    // Without it holds.
    super::returned::the_dead_come_back();
}

/// Without a fault the state is claimed, and a fault that changes it is noticed.
#[test]
fn a_recording_without_a_fault_becomes_a_test_of_its_state() {
    let source = incident().as_test("2 peers").unwrap();
    assert!(source.contains("fn recorded_2_peers()") && source.contains("assert_eq!(outcome.hash"), "{source}");
    let data = source.split_once("RECORDING: &str = \"").unwrap().1.split_once('"').unwrap().0;
    let recording = Recording::from_text(data).unwrap();
    let sound = recording.outcome().unwrap();
    assert_eq!(sound.broken, None);
    let faulty = super::fault::with(|| recording.outcome().unwrap());
    assert_ne!((&faulty.hash, &faulty.broken), (&sound.hash, &sound.broken));
    let played = super::fault::with(|| recording.replayed(&crate::ReplayQuery::default()).unwrap());
    assert!(played.broken.is_some());
}

/// A lost write that nobody repairs: the one that has it and the one that has not are told apart, whoever is named first.
#[test]
fn two_recordings_name_their_first_disagreement() {
    let mut table = Table::of(2);
    table.seats.iter_mut().for_each(|seat| seat.replica.record(RECORDED_BYTES));
    (0..2).for_each(|at| drop(table.join(at, crate::Join::new()).unwrap()));
    table.pass(5_000);
    table.metadata(0, crate::MetadataChange::new(json!({ "title": "both have it" }))).unwrap();
    table.pass(5_000);
    table.lose = |from, _, frame| from == 0 && matches!(frame, crate::wire::Frame::Cells(_));
    table.metadata(0, crate::MetadataChange::new(json!({ "mode": "only one has it" }))).unwrap();
    table.pass(9_000);
    let files: Vec<Recording> = (0..2u8)
        .map(|at| {
            let tape = table.seats[usize::from(at)].replica.tape().unwrap();
            // Each is redacted at home: their stand-ins differ.
            tape.recording("0.0.0").unwrap().for_others([at; 32], false).unwrap()
        })
        .collect();
    let lineup = crate::Lineup::of(&files[0], &files[1]).unwrap();
    assert!(lineup.common > 10 && lineup.ahead_ms == 0, "{lineup:?}");
    let found = lineup.disagreement.unwrap();
    assert!(found.what.contains("metadata cell") && found.held == [true, false], "{found:?}");
    assert!(found.since[0].as_ref().is_some_and(|step| step.text.contains("changes settings: mode")), "{found:?}");
    assert_eq!(found.since[1], None);
    let other = crate::Lineup::of(&files[1], &files[0]).unwrap().disagreement.unwrap();
    assert_eq!((other.held, &other.what), ([false, true], &found.what));
    let same = crate::Lineup::of(&files[0], &files[0]).unwrap();
    assert_eq!((same.ahead_ms, same.disagreement), (0, None));
}
