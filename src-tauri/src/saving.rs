//! Files that a window saves: what a page cannot do by itself is put one on the disk. They lie where the system keeps what is
//! saved, under names that cover nothing.

use std::io;
use std::path::{Path, PathBuf};

use parlor::{Error, ErrorCode, save_new_file};
use serde::Deserialize;
use tauri::ipc::{InvokeBody, Request};

/// The header with what is asked.
pub const ASKED: &str = "asked";
/// Letters of a room's name that stand in a file's.
const LETTERS: usize = 60;
/// Files of one name in one folder.
const MOST: u32 = 1_000;

/// What a file is called. No other endings are written: nothing that a desktop would run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    name: String,
    ending: Ending,
}

/// What is in a file that a page made.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Ending {
    Md,
    Png,
    Ndjson,
}

impl Ending {
    fn text(self) -> &'static str {
        match self {
            Ending::Md => "md",
            Ending::Png => "png",
            Ending::Ndjson => "ndjson",
        }
    }
}

/// What a call brought: the bytes of a file, and what it is called.
pub fn handed(request: &Request<'_>) -> Result<(Vec<u8>, Asked), Error> {
    let wrong = |why: String| Error::new(ErrorCode::InvalidJson, why);
    let InvokeBody::Raw(file) = request.body() else { return Err(wrong("a file comes as bytes".to_owned())) };
    let asked = request.headers().get(ASKED).ok_or_else(|| wrong("what the file is called is missing".to_owned()))?;
    let asked = serde_json::from_slice(asked.as_bytes())
        .map_err(|error| wrong(format!("what the file is called cannot be understood: {error}")))?;
    Ok((file.clone(), asked))
}

/// Saves it, and says where.
pub fn save(folder: &Path, asked: &Asked, file: &[u8]) -> Result<PathBuf, Error> {
    save_as(folder, &asked.name, asked.ending.text(), file)
}

/// Where the system keeps what is saved, or else the profile.
pub fn folder(downloads: Option<PathBuf>, profile: &Path) -> PathBuf {
    downloads.filter(|folder| folder.is_dir()).unwrap_or_else(|| profile.to_owned())
}

/// Writes a file into a folder, under a name that is free, and says where.
pub fn save_as(folder: &Path, room: &str, ending: &str, file: &[u8]) -> Result<PathBuf, Error> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::new(ErrorCode::StorageFailed, format!("nothing can be saved in {}: {error}", folder.display()))
    };
    for number in 1..=MOST {
        let path = folder.join(name(room, number, ending));
        match save_new_file(&path, file) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    Err(failed(&format!("there are {MOST} of this name already")))
}

/// A name that every file system takes.
fn name(room: &str, number: u32, ending: &str) -> String {
    let plain: String = room.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '-' }).collect();
    let plain: String = plain.trim_matches('-').chars().take(LETTERS).collect();
    let plain = if plain.is_empty() { "room" } else { &plain };
    if number == 1 { format!("{plain}.{ending}") } else { format!("{plain}-{number}.{ending}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Result<Asked, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn a_file_is_saved_under_a_free_name_and_covers_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let board = asked(r#"{"name":"../Deck 3 /","ending":"png"}"#).unwrap();
        let (one, two) = (save(dir.path(), &board, b"one").unwrap(), save(dir.path(), &board, b"two").unwrap());
        assert_eq!([&one, &two], [&dir.path().join("Deck-3.png"), &dir.path().join("Deck-3-2.png")]);
        assert_eq!((std::fs::read(one).unwrap(), std::fs::read(two).unwrap()), (b"one".to_vec(), b"two".to_vec()));
        let nowhere = save(&dir.path().join("nowhere"), &board, b"three").unwrap_err();
        assert_eq!(nowhere.code, ErrorCode::StorageFailed);
        assert_eq!(name("…", 1, "md"), "room.md");
    }

    #[test]
    fn a_page_writes_no_file_that_is_run() {
        for ending in ["sh", "desktop", "exe", "html", "md/../x", ""] {
            assert!(asked(&format!(r#"{{"name":"a","ending":"{ending}"}}"#)).is_err(), "{ending}");
        }
        assert!(asked(r#"{"name":"a","ending":"md","folder":"/etc"}"#).is_err());
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
