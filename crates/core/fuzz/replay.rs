//! Any bytes as a recording that somebody hands over: they are refused, or they are played, and nothing panics, hangs or
//! takes much memory. What was read is written and read again as the same, and two replays of it come to the same.

use allocation_counter::measure;

use super::bounds::within;
use crate::{Lineup, Recording, Replay};

/// What a file is allowed to take while it is read, for each of its bytes: a step of two bytes is a value of some hundred.
const READING: u64 = 512;
const BEGINNING: u64 = 64 * 1024;
/// Steps of one that are played: each is an input, and inputs have a target of their own.
const STEPS_MAX: usize = 400;

/// `body`: a file without what says what it is and without its checksum, which both are right.
pub fn any_file(body: &[u8]) {
    let file = of(body);
    let Some(recording) = read(&file) else { return };
    let written = recording.write();
    let again = read(&written).expect("what was written is read");
    assert_eq!(again.write(), written);
    if recording.len() > STEPS_MAX {
        return;
    }
    let (Some(hash), Some(other)) = (played(&recording), played(&again)) else { return };
    assert_eq!(hash, other, "the same comes to the same");
    let outcome = recording.outcome().expect("it was played");
    assert_eq!((outcome.steps, outcome.hash), (recording.len(), hash));
    let lineup = Lineup::of(&recording, &again).expect("it was played");
    assert_eq!(lineup.disagreement, None, "a recording disagrees with itself");
    if let Ok(redacted) = recording.for_others([7; 32], false) {
        assert!(redacted.is_redacted());
    }
}

/// A body as a file.
pub fn of(body: &[u8]) -> Vec<u8> {
    let mut file = b"parlor-recording\x01".to_vec();
    file.extend_from_slice(body);
    let checksum = blake3::hash(&file);
    file.extend_from_slice(&checksum.as_bytes()[..16]);
    file
}

fn read(file: &[u8]) -> Option<Recording> {
    let mut read = None;
    let took = measure(|| read = Recording::read(file).ok());
    let most = BEGINNING + READING * file.len() as u64;
    assert!(took.bytes_max <= most, "reading {} bytes held {} at once", file.len(), took.bytes_max);
    read
}

/// The hash of the state at the end.
fn played(recording: &Recording) -> Option<String> {
    let mut replay = within("making the replica", || Replay::new(recording)).ok()?;
    while within("a step", || replay.step()).is_some() {}
    Some(replay.state().hash)
}
