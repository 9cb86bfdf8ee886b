//! `api.json` in the profile's directory: how another program of the same user finds the API of the running peer
//! (design A11). It has the token in it, so only the owner can read it, from its first byte on.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What `api.json` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiFile {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// The bearer token.
    pub token: String,
    /// The process that serves it.
    pub pid: u32,
    /// The libp2p peer of that process.
    pub peer_id: String,
}

impl ApiFile {
    /// Where it stands.
    #[must_use]
    pub fn path(profile_dir: &Path) -> PathBuf {
        profile_dir.join("api.json")
    }

    /// Reads it. The process that wrote it may be dead by now.
    #[must_use]
    pub fn read(profile_dir: &Path) -> Option<Self> {
        let text = std::fs::read(Self::path(profile_dir)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Writes it whole or not at all, readable by its owner only.
    pub(crate) fn write(&self, profile_dir: &Path) -> io::Result<WrittenApiFile> {
        self.save(profile_dir)?;
        Ok(WrittenApiFile { profile_dir: profile_dir.to_owned(), contents: self.clone() })
    }

    fn save(&self, profile_dir: &Path) -> io::Result<()> {
        let path = Self::path(profile_dir);
        // A named temporary file is created with mode 0600.
        let file = tempfile::NamedTempFile::new_in(profile_dir)?;
        serde_json::to_writer_pretty(&file, self)?;
        file.persist(&path)?;
        Ok(())
    }
}

/// Removes the file again when the server goes, unless another server has written its own meanwhile.
pub(crate) struct WrittenApiFile {
    profile_dir: PathBuf,
    contents: ApiFile,
}

impl WrittenApiFile {
    /// Another session answers from now on.
    pub(crate) fn name(&mut self, peer_id: String) -> io::Result<()> {
        self.contents.peer_id = peer_id;
        self.contents.save(&self.profile_dir)
    }
}

impl Drop for WrittenApiFile {
    fn drop(&mut self) {
        if ApiFile::read(&self.profile_dir).as_ref() == Some(&self.contents) {
            let _ = std::fs::remove_file(ApiFile::path(&self.profile_dir));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(token: &str) -> ApiFile {
        ApiFile { url: "http://127.0.0.1:1".into(), token: token.into(), pid: 1, peer_id: "p".into() }
    }

    #[test]
    fn it_is_private_and_goes_with_its_server() {
        let directory = tempfile::tempdir().expect("a directory");
        let written = api("a").write(directory.path()).expect("written");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(ApiFile::path(directory.path())).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(ApiFile::read(directory.path()), Some(api("a")));
        drop(written);
        assert_eq!(ApiFile::read(directory.path()), None);
    }

    #[test]
    fn it_names_the_session_of_the_moment() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut written = api("a").write(directory.path()).expect("written");
        written.name("q".into()).expect("written again");
        assert_eq!(ApiFile::read(directory.path()), Some(ApiFile { peer_id: "q".into(), ..api("a") }));
        drop(written);
        assert_eq!(ApiFile::read(directory.path()), None);
    }

    #[test]
    fn a_newer_one_stays() {
        let directory = tempfile::tempdir().expect("a directory");
        let older = api("a").write(directory.path()).expect("written");
        let newer = api("b").write(directory.path()).expect("written");
        drop(older);
        assert_eq!(ApiFile::read(directory.path()), Some(api("b")));
        drop(newer);
    }
}
