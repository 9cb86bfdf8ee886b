//! Recordings in the inspector's window: what a page cannot do by itself is put a file on the disk, and a file that it was
//! given comes as bytes, with what is asked of it in a header.

use std::io;
use std::path::{Path, PathBuf};

use parlor::{Error, ErrorCode, ReplayAt, ReplayQuery, save_recording};
use serde::Deserialize;
use tauri::ipc::{InvokeBody, Request};

/// The header with what is asked.
const ASKED: &str = "asked";
/// The ending of a recording's name.
const ENDING: &str = ".parlor-recording";
/// Letters of a room's name that stand in a file's.
const LETTERS: usize = 60;
/// Files of one room in one folder.
const MOST: u32 = 1_000;

/// What is asked of a recording.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asked {
    at: Option<usize>,
    at_ms: Option<u64>,
    from: Option<usize>,
    limit: Option<usize>,
    /// What a test is called.
    pub name: Option<String>,
    /// Of two files, how many bytes are the first.
    pub first: Option<usize>,
}

impl Asked {
    /// Which moment.
    pub fn moment(&self) -> Result<Option<ReplayAt>, Error> {
        match (self.at, self.at_ms) {
            (Some(_), Some(_)) => Err(Error::new(ErrorCode::InvalidLimit, "one of at and atMs is allowed").at("atMs")),
            (at, at_ms) => Ok(at.map(ReplayAt::Step).or(at_ms.map(ReplayAt::Ms))),
        }
    }

    /// Which part.
    pub fn query(&self) -> Result<ReplayQuery, Error> {
        Ok(ReplayQuery { at: self.moment()?, from: self.from, limit: self.limit })
    }
}

/// The two files of a call that brought both.
pub fn two(mut files: Vec<u8>, asked: &Asked) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let wrong = |why| Error::new(ErrorCode::InvalidLimit, why).at("first");
    let first = asked.first.ok_or_else(|| wrong("first is missing: how many bytes are the first file"))?;
    if first > files.len() {
        return Err(wrong("first is more than there is"));
    }
    let second = files.split_off(first);
    Ok((files, second))
}

/// What a call brought: bytes, and what is asked of them.
pub fn handed(request: &Request<'_>) -> Result<(Vec<u8>, Asked), Error> {
    let wrong = |why: String| Error::new(ErrorCode::InvalidRecording, why);
    let InvokeBody::Raw(file) = request.body() else { return Err(wrong("a recording comes as bytes".to_owned())) };
    let asked = match request.headers().get(ASKED) {
        None => Asked::default(),
        Some(asked) => serde_json::from_slice(asked.as_bytes())
            .map_err(|error| wrong(format!("what is asked of it cannot be understood: {error}")))?,
    };
    Ok((file.clone(), asked))
}

/// Where the system keeps what is saved, or else the profile.
pub fn folder(downloads: Option<PathBuf>, profile: &Path) -> PathBuf {
    downloads.filter(|folder| folder.is_dir()).unwrap_or_else(|| profile.to_owned())
}

/// Writes a recording of a room into a folder, under a name that is free, and says where.
pub fn save(folder: &Path, room: &str, file: &[u8]) -> Result<PathBuf, Error> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::new(ErrorCode::StorageFailed, format!("the recording cannot be saved in {}: {error}", folder.display()))
    };
    for number in 1..=MOST {
        let path = folder.join(name(room, number));
        match save_recording(&path, file) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    Err(failed(&format!("there are {MOST} of this room already")))
}

/// A name that every file system takes.
fn name(room: &str, number: u32) -> String {
    let plain: String = room.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '-' }).collect();
    let plain: String = plain.trim_matches('-').chars().take(LETTERS).collect();
    let plain = if plain.is_empty() { "room" } else { &plain };
    if number == 1 { format!("{plain}{ENDING}") } else { format!("{plain}-{number}{ENDING}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_saved_under_a_free_name_and_covers_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let saved = |file: &[u8]| save(dir.path(), "../Deck 3 /", file).unwrap();
        let (one, two) = (saved(b"one"), saved(b"two"));
        assert_eq!(
            [&one, &two],
            [&dir.path().join("Deck-3.parlor-recording"), &dir.path().join("Deck-3-2.parlor-recording")]
        );
        assert_eq!((std::fs::read(one).unwrap(), std::fs::read(two).unwrap()), (b"one".to_vec(), b"two".to_vec()));
        let nowhere = save(&dir.path().join("nowhere"), "Deck 3", b"three").unwrap_err();
        assert_eq!(nowhere.code, ErrorCode::StorageFailed);
        assert_eq!(name("…", 1), "room.parlor-recording");
    }

    #[test]
    fn what_cannot_be_is_refused_as_over_http() {
        let place = |error: Error| (error.code, error.details["path"].as_str().map(str::to_owned));
        let both = Asked { at: Some(1), at_ms: Some(2), ..Asked::default() };
        assert_eq!(place(both.query().unwrap_err()), (ErrorCode::InvalidLimit, Some("atMs".to_owned())));
        let split = |first| two(b"abc".to_vec(), &Asked { first, ..Asked::default() });
        assert_eq!(split(Some(1)), Ok((b"a".to_vec(), b"bc".to_vec())));
        for wrong in [None, Some(4)] {
            assert_eq!(place(split(wrong).unwrap_err()), (ErrorCode::InvalidLimit, Some("first".to_owned())));
        }
    }

    #[test]
    fn it_lies_with_the_profile_where_the_system_has_no_place_for_it() {
        let (dir, profile) = (tempfile::tempdir().unwrap(), Path::new("profile"));
        assert_eq!(folder(Some(dir.path().to_owned()), profile), dir.path());
        for none in [Some(dir.path().join("nowhere")), None] {
            assert_eq!(folder(none, profile), profile);
        }
    }
}
