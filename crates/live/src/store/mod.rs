//! What of rooms lies on disk (design R15): their cells and the list of known ones, in one embedded database in the
//! profile's folder. Presence never comes here; what a cell says is not looked at here.
//!
//! # The promises
//!
//! - What [`Store::write`] has answered `Ok` for is on disk, whole, whatever becomes of the process or the power.
//! - A write is all there or not there at all, across rooms too.
//! - Nothing is read that was not written: every cell carries a check of its own beside those of the database.
//! - A file that is damaged is set aside, said, and another one begun with what could be read of it; one of a newer Parlor
//!   is left alone.
//!
//! # After an error
//!
//! Nothing of a failed write is there. The file is opened anew by the next call, so a full disk that has room again is
//! no more to be thought of. A file that turns out damaged while it is in use is set aside by the call after the one that
//! failed; then [`Store::begun`] has grown, and whoever holds a room writes it [whole](Changes::whole) again.
//!
//! Everything here blocks on the disk: async callers go through a blocking task. `load` is called without a lock, so a
//! big room that is being read keeps no writer waiting. `disk.rs` is the file, `open.rs` opens it and judges what it finds,
//! `schema.rs` says what is in it, `cells.rs` and `rooms.rs` read and write that,
//! `salvage.rs` reads what is left of a damaged one.

mod cells;
mod disk;
mod error;
mod open;
mod rooms;
mod salvage;
mod schema;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use redb::Database;

use crate::held::held;
use crate::profile::{Notices, files};
pub(crate) use cells::{Changes, Root};
use disk::Disk;
pub(crate) use error::StoreError;
use error::{Fault, contained};
use rooms::Known;
pub(crate) use rooms::KnownRoom;

/// The file, in the profile's folder.
pub(crate) const FILE: &str = "rooms.redb";

/// The cells and the known rooms of a profile.
pub(crate) struct Store {
    path: PathBuf,
    notices: Arc<Notices>,
    disk: Disk,
    file: RwLock<File>,
    known: Mutex<Known>,
    /// Taken from a change of the known rooms until it is on disk.
    writing: Mutex<()>,
}

/// The file as it is now.
#[derive(Default)]
struct File {
    /// Nothing after a fault, until the next call.
    database: Option<Database>,
    /// Counts openings, so that only the one that failed is given up.
    opening: u64,
    /// Counts files that were begun while this process ran, the first not among them.
    begun: u64,
    closed: bool,
}

impl Store {
    /// Opens the store in a profile's folder, or makes it. What a person should know is said among the notices.
    ///
    /// # Errors
    /// [`StoreError::Newer`] and [`StoreError::Io`]; what is there is left as it was.
    pub(crate) fn open(dir: &Path, notices: Arc<Notices>) -> Result<Self, StoreError> {
        Self::open_on(dir, notices, Disk::default())
    }

    fn open_on(dir: &Path, notices: Arc<Notices>, disk: Disk) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        let store =
            Self { path, notices, disk, file: RwLock::default(), known: Mutex::default(), writing: Mutex::default() };
        let known = match store.run(rooms::read) {
            // Nothing else of it can be trusted either.
            Err(StoreError::Damaged { problem, .. }) => {
                store.begin_anew(&problem)?;
                store.run(rooms::read)
            }
            read => read,
        }?;
        *held(&store.known) = known;
        store.write_lock().begun = 0;
        store.tidy();
        Ok(store)
    }

    /// Grows when the file was damaged while this process ran and another one was begun: what is held in memory is to be
    /// written whole.
    pub(crate) fn begun(&self) -> u64 {
        self.read_lock().begun
    }

    /// Ends; later calls are refused. For the moment before somebody else may open the profile.
    pub(crate) fn close(&self) {
        let mut file = self.write_lock();
        file.closed = true;
        let closed = contained(|| Ok(file.database.take().map_or(Ok(()), Database::close)?));
        if let Err(fault) = closed {
            // What redb writes on closing only makes the next opening faster.
            tracing::debug!(reason = %fault.at(Path::new(FILE)), "the store was not closed in peace");
        }
    }

    /// Ends as a process that is killed does: from this moment on nothing is written.
    pub(crate) fn abandon(&self) {
        self.disk.stop();
        self.close();
    }

    /// So many bytes may still be written; as many as there is room for without a number.
    #[cfg(test)]
    pub(crate) fn leave_room_for(&self, bytes: Option<u64>) {
        self.disk.test().leave_room_for(bytes);
    }

    /// Whether the file gives anything away.
    #[cfg(test)]
    pub(crate) fn let_nobody_read(&self, unreadable: bool) {
        self.disk.test().let_nobody_read(unreadable);
    }

    /// Does something with the database, which is opened if it is not. Nothing that redb does gets out of here but an
    /// error: after one, the database is given up and the next call opens it anew.
    fn run<T>(&self, work: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        let (fault, opening) = loop {
            let file = self.read_lock();
            if file.closed {
                return Err(StoreError::Closed);
            }
            let Some(database) = &file.database else {
                drop(file);
                self.open_again()?;
                continue;
            };
            match contained(|| work(database)) {
                Ok(done) => return Ok(done),
                Err(fault) => break (fault, file.opening),
            }
        };
        self.give_up(opening);
        Err(fault.at(&self.path))
    }

    fn open_again(&self) -> Result<(), StoreError> {
        let mut file = self.write_lock();
        if file.closed || file.database.is_some() {
            return Ok(());
        }
        let opened = open::open(&self.path, &self.disk)?;
        file.opening += 1;
        file.database = Some(opened.database);
        if let Some(damaged) = opened.damaged {
            file.begun += 1;
            self.say_damaged(&damaged.aside, damaged.saved);
            // The list is in memory, unless this is the start.
            let mut known = held(&self.known);
            if let Some(database) = &file.database
                && !known.rooms.is_empty()
            {
                known.unsaved = contained(|| rooms::write_all(database, &known)).is_err();
            }
        }
        Ok(())
    }

    fn begin_anew(&self, problem: &str) -> Result<(), StoreError> {
        tracing::warn!(reason = problem, "the store is damaged");
        let aside = files::set_aside(&self.path).map_err(|error| Fault::Io(error).at(&self.path))?;
        self.say_damaged(&aside, 0);
        Ok(())
    }

    fn say_damaged(&self, aside: &Path, saved: usize) {
        let instead = match saved {
            0 => "what others still have of your rooms comes back from them",
            _ => "what could be read of it was saved, and what others still have comes back from them",
        };
        self.notices.damaged(FILE, aside, instead);
    }

    /// What went wrong where a lock is not held.
    fn failed(&self, fault: Fault) -> StoreError {
        let opening = self.read_lock().opening;
        self.give_up(opening);
        fault.at(&self.path)
    }

    fn give_up(&self, opening: u64) {
        let mut file = self.write_lock();
        if file.opening == opening
            && let Some(database) = file.database.take()
        {
            // It is in an unknown state: what it would write on closing is not wanted, the next opening repairs the file.
            self.disk.pause();
            let _ = contained(|| Ok(database.close()?));
            self.disk.resume();
        }
    }

    /// Gives the disk back what was forgotten, when that is much. For its own sake only: failing costs nothing but time.
    fn tidy(&self) {
        let worth = self.run(|database| open::is_mostly_empty(database, &self.path));
        if !matches!(worth, Ok(true)) {
            return;
        }
        let (compacted, opening) = {
            let mut file = self.write_lock();
            let Some(database) = &mut file.database else { return };
            (contained(|| Ok(database.compact()?)), file.opening)
        };
        match compacted {
            // Somebody reads: another time.
            Ok(_) | Err(Fault::Busy) => {}
            Err(fault) => {
                tracing::debug!(reason = %fault.at(Path::new(FILE)), "the store was not made smaller");
                self.give_up(opening);
            }
        }
    }

    fn read_lock(&self) -> RwLockReadGuard<'_, File> {
        self.file.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_lock(&self) -> RwLockWriteGuard<'_, File> {
        self.file.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.path).finish_non_exhaustive()
    }
}
