//! Small files that are whole or not there: written beside their place, flushed, then moved into it. A file that cannot
//! be understood is kept under another name, because it may be all that somebody has.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// How the names of files begin that are being written.
const UNFINISHED: &str = ".unfinished-";

/// What reading a JSON file found.
pub(crate) enum Found<T> {
    /// No such file.
    Nothing,
    /// What it says.
    Value(T),
    /// It could not be understood; it is now at this path.
    Damaged(PathBuf),
}

/// Reads a JSON file; one that is damaged is set aside.
///
/// # Errors
/// The file is there and cannot be read, or cannot be set aside.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<Found<T>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Found::Value(value)),
        Err(_) => set_aside(path).map(Found::Damaged),
    }
}

/// Writes a JSON file in one step, readable by its owner alone.
pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    written_beside(path, &bytes)?.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Writes a file that must not be there yet, in one step, readable by its owner alone.
///
/// # Errors
/// `AlreadyExists` when it is there; it is left as it was.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    written_beside(path, bytes)?.persist_noclobber(path).map_err(|error| error.error)?;
    flush_names(path)
}

/// Writes a file in the place of the one that is there, in one step, readable by its owner alone.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    written_beside(path, bytes)?.persist(path).map_err(|error| error.error)?;
    flush_names(path)
}

/// Until the directory is flushed too, a power cut may take the file back while later ones stay.
pub(crate) fn flush_names(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    std::fs::File::open(parent(path))?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Removes what writers left unfinished when they were killed. For the holder of the directory's lock only.
pub(crate) fn clear_unfinished(dir: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn parent(path: &Path) -> &Path {
    // A name alone is in the folder where one is, and its parent has no name.
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// An empty file that can take that place when it is whole. It has mode 0600 and a fresh name, and is removed when it is
/// dropped before.
pub(crate) fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(parent(path))
}

fn written_beside(path: &Path, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let mut file = beside(path)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Takes from everybody but the owner what they may do with a file or a directory, as far as `mode` goes.
pub(crate) fn make_private(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if std::fs::metadata(path)?.permissions().mode() & 0o777 & !mode != 0 {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
        }
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}

/// Moves a file to the first free name `NAME.damaged-N`.
pub(crate) fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let free = (1_u32..)
        .map(|n| path.with_file_name(format!("{name}.damaged-{n}")))
        .find(|candidate| !candidate.exists())
        .ok_or_else(|| io::Error::other("no free name to set the damaged file aside"))?;
    std::fs::rename(path, &free)?;
    Ok(free)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        assert!(matches!(read_json::<Vec<u8>>(&path).unwrap(), Found::Nothing));
        write_json(&path, &[1, 2]).unwrap();
        write_json(&path, &[3]).unwrap();
        assert!(matches!(read_json::<Vec<u8>>(&path).unwrap(), Found::Value(v) if v == [3]));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_damaged_file_is_kept_and_never_covers_an_older_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        for n in 1..=2 {
            std::fs::write(&path, format!("{{ broken {n}")).unwrap();
            let Found::Damaged(aside) = read_json::<Vec<u8>>(&path).unwrap() else { panic!("not noticed") };
            assert_eq!(aside, dir.path().join(format!("a.json.damaged-{n}")));
            assert_eq!(std::fs::read_to_string(aside).unwrap(), format!("{{ broken {n}"));
            assert!(!path.exists());
        }
    }

    #[test]
    fn creating_never_overwrites() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        create(&path, b"first").unwrap();
        assert_eq!(create(&path, b"second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
    }

    #[test]
    fn only_what_was_left_unfinished_is_cleared() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        write_json(&path, &[1]).unwrap();
        let unfinished = written_beside(&path, b"half").unwrap().keep().unwrap().1;
        clear_unfinished(dir.path()).unwrap();
        assert!(path.exists() && !unfinished.exists());
    }
}
