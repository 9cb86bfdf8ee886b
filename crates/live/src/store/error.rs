//! What can go wrong with the store, in words that say what to do, and the net under the database: nothing of a damaged
//! file may take the process with it.

use std::io;
use std::path::{Path, PathBuf};

use parlor_core::{Error, ErrorCode};

/// Why the store did not do it. Nothing of what was asked for was done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// A newer Parlor wrote the file. It is left alone.
    #[error(
        "{} is of version {found} and this Parlor reads up to version {known}; start the newer Parlor again, or move the \
         file away to begin with no rooms",
        .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of what is in it.
        found: u64,
        /// The version that this program writes.
        known: u64,
    },
    /// There is no room for it.
    #[error(
        "the disk is full, so {} was not written; what was saved before is safe, make room and it is saved again",
        .0.display()
    )]
    Full(PathBuf),
    /// The file cannot be read or written.
    #[error("cannot use {}: {source}; check the disk and who may write there", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is in the file makes no sense.
    #[error("{} is damaged ({problem}); it is set aside and begun anew with what is open", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Another process has the file open.
    #[error("{} is in use by another process; close it there", .0.display())]
    Busy(PathBuf),
    /// The store was closed.
    #[error("this peer is closed")]
    Closed,
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Error::new(ErrorCode::NetworkUnavailable, error.to_string()),
            _ => Error::new(ErrorCode::StorageFailed, error.to_string()).at(super::FILE),
        }
    }
}

/// What went wrong, before it is said at which file.
#[derive(Debug)]
pub(super) enum Fault {
    Damaged(String),
    Newer { found: u64, known: u64 },
    Busy,
    Io(io::Error),
}

impl Fault {
    pub(super) fn at(self, path: &Path) -> StoreError {
        let path = path.to_path_buf();
        match self {
            Fault::Damaged(problem) => StoreError::Damaged { path, problem },
            Fault::Newer { found, known } => StoreError::Newer { path, found, known },
            Fault::Busy => StoreError::Busy(path),
            Fault::Io(source) if is_full(source.kind()) => StoreError::Full(path),
            Fault::Io(source) => StoreError::Io { path, source },
        }
    }
}

fn is_full(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // What redb says of a file that is too short, or none of its own.
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Fault::Damaged(error.to_string()),
            _ => Fault::Io(error),
        }
    }
}

impl From<redb::Error> for Fault {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) => error.into(),
            redb::Error::DatabaseAlreadyOpen | redb::Error::TransactionInProgress => Fault::Busy,
            redb::Error::PreviousIo | redb::Error::DatabaseClosed => Fault::Io(io::Error::other(error.to_string())),
            // All others say that what is there is not what was written.
            error => Fault::Damaged(error.to_string()),
        }
    }
}

/// Does it; a panic of the database counts as damage.
pub(super) fn contained<T>(work: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, Fault> {
    // Whoever sees a fault gives the database up, so nothing half done is used again.
    match parlor_net::contain(work) {
        Ok(done) => done.map_err(Fault::from),
        Err(panic) => {
            let said = panic.downcast_ref::<&str>().map(|said| (*said).to_owned());
            let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(Fault::Damaged(said.unwrap_or_else(|| "the database gave up".to_owned())))
        }
    }
}
