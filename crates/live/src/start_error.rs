//! Why a peer did not start. Every message says what to do.

use std::io;
use std::path::{Path, PathBuf};

use parlor_core::Error;
use parlor_net::NetError;

/// Why [`Live::start`](crate::Live::start) failed. No peer is running afterwards and the profile is free again; the
/// profile's directory may have been made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another process runs with this profile (design §1: one process holds a profile at a time).
    #[error("this profile is in use by {}; close it there or choose another profile", holder(*.pid))]
    Held {
        /// The process that holds it, when it could be read.
        pid: Option<u32>,
    },
    /// The profile's name cannot be the name of a directory.
    #[error("{0:?} cannot name a profile; use 1 to 64 letters, digits, '.', '_' or '-', not starting with '.'")]
    BadProfile(String),
    /// The person's name breaks a rule.
    #[error("{0}")]
    BadName(Error),
    /// An address to listen on or to dial is not one.
    #[error("{0}")]
    BadAddress(String),
    /// Somebody listens there already.
    #[error("{0}")]
    PortInUse(String),
    /// `identity.key` is there and cannot be used. It is never overwritten, since nobody could make it again.
    #[error(
        "{} is damaged ({problem}); put back a copy of it, or move the file and profile.json away to start as somebody new",
        .path.display()
    )]
    DamagedIdentity {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The profile had an identity and its file is gone.
    #[error(
        "{} is missing, though this profile was {user_id}; put back a copy of it, or move profile.json away to start as somebody new",
        .path.display()
    )]
    LostIdentity {
        /// The file.
        path: PathBuf,
        /// Who the profile was.
        user_id: String,
    },
    /// A file of the profile could not be read or written.
    #[error("cannot use {}: {source}", .path.display())]
    Storage {
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is kept of rooms cannot be used: a newer version wrote it, or the disk refuses. It is left as it was.
    #[error("{0}")]
    Rooms(Error),
    /// The system gave no randomness for keys.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
    /// The network could not be used for another reason.
    #[error("{0}")]
    Network(Error),
}

impl StartError {
    pub(crate) fn storage(path: &Path, source: io::Error) -> Self {
        Self::Storage { path: path.to_path_buf(), source }
    }
}

impl From<NetError> for StartError {
    fn from(error: NetError) -> Self {
        match error {
            NetError::BadAddress { .. } => Self::BadAddress(error.to_string()),
            NetError::PortInUse { .. } | NetError::PortsInUse { .. } => Self::PortInUse(error.to_string()),
            NetError::Listen { .. } | NetError::Start { .. } => Self::Network(error.into()),
        }
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}
