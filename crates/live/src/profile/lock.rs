//! One process holds a profile at a time (design §1). The operating system keeps the lock, so it dies with its process
//! and is never stale; the pid in the file only tells people whom to close.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use super::files;
use crate::StartError;

/// A held profile; dropping it frees the profile.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the profile in `dir`.
    pub(crate) fn take(dir: &Path) -> Result<Self, StartError> {
        let path = dir.join("lock");
        let storage = |error| StartError::storage(&path, error);
        // Not truncated on opening: until the lock is ours, the pid in it is the holder's.
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(storage)?;
        files::make_private(&path, 0o600).map_err(storage)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StartError::Held { pid: pid_in(&mut file) }),
            Err(TryLockError::Error(error)) => return Err(storage(error)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(storage)?;
        write!(file, "{}", std::process::id()).and_then(|()| file.flush()).map_err(storage)?;
        Ok(Self { _file: file })
    }
}

fn pid_in(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let held = Lock::take(dir.path()).unwrap();
        let Err(StartError::Held { pid }) = Lock::take(dir.path()) else { panic!("taken twice") };
        assert_eq!(pid, Some(std::process::id()));
        drop(held);
        Lock::take(dir.path()).unwrap();
    }
}
