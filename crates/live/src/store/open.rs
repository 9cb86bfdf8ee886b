//! Opening the file: what is whole is opened, what is damaged is set aside and begun anew, what is newer is left alone.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Builder, Database, DatabaseError, ReadOnlyDatabase};

use super::disk::Disk;
use super::error::{Fault, StoreError, contained};
use super::salvage::salvage;
use super::schema;
use crate::profile::files;

/// Pages that redb keeps in memory. A room is read once and its cells are in the replica from then on.
pub(super) const CACHE: usize = 4 << 20;
/// A file smaller than this is never worth making smaller.
const SMALL: u64 = 4 << 20;
/// Where redb says how its own file is laid out, twice, and the only value there that this program wrote.
const LAYOUT_AT: [usize; 2] = [64, 192];
const LAYOUT: u8 = 3;
const MAGIC: &[u8] = b"redb";

/// What opening came to.
pub(super) struct Opened {
    pub(super) database: Database,
    /// The damaged file, in whose place another one was begun.
    pub(super) damaged: Option<Damaged>,
}

/// A file that was set aside.
pub(super) struct Damaged {
    /// Where it is now.
    pub(super) aside: PathBuf,
    /// How many entries could still be read.
    pub(super) saved: usize,
}

/// Opens the file, or makes it.
pub(super) fn open(path: &Path, disk: &Disk) -> Result<Opened, StoreError> {
    let io = |error: std::io::Error| Fault::Io(error).at(path);
    if !path.try_exists().map_err(io)? {
        return make(path, disk).map(|database| Opened { database, damaged: None });
    }
    match existing(path, disk) {
        Ok(database) => Ok(Opened { database, damaged: None }),
        Err(Fault::Damaged(problem)) => {
            tracing::warn!(reason = problem, "the store is damaged");
            let aside = files::set_aside(path).map_err(io)?;
            let database = make(path, disk)?;
            let saved = salvage(&aside, &database);
            Ok(Opened { database, damaged: Some(Damaged { aside, saved }) })
        }
        Err(fault) => Err(fault.at(path)),
    }
}

/// Makes a file that is whole before it has its name, so that one that is not whole is a damaged one.
fn make(path: &Path, disk: &Disk) -> Result<Database, StoreError> {
    let made = || {
        let file = files::beside(path)?;
        let database = contained(|| database(file.as_file().try_clone()?, disk))?;
        contained(|| schema::bring_up(&database, 0))?;
        contained(|| Ok(database.close()?))?;
        file.persist_noclobber(path).map_err(|error| error.error)?;
        files::flush_names(path)?;
        existing(path, disk)
    };
    made().map_err(|fault: Fault| fault.at(path))
}

fn existing(path: &Path, disk: &Disk) -> Result<Database, Fault> {
    if path.is_dir() {
        return Err(Fault::Damaged("it is a directory".to_owned()));
    }
    files::make_private(path, 0o600)?;
    refuse_newer(path)?;
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    if file.metadata()?.len() == 0 {
        return Err(Fault::Damaged("it is empty".to_owned()));
    }
    let database = contained(|| self::database(file, disk))?;
    let found = contained(|| schema::version(&database))?;
    schema::not_newer(found)?;
    contained(|| schema::bring_up(&database, found))?;
    Ok(database)
}

fn database(file: File, disk: &Disk) -> Result<Database, redb::Error> {
    let mut builder = Builder::new();
    // All of it is read again when a process starts, so that may as well be the moment when damage is found.
    builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
    Ok(builder.create_with_backend(disk.over(FileBackend::new(file)?))?)
}

/// Looks at the version without touching the file, as far as that can be done: only a file that was closed can be read
/// without being repaired.
fn refuse_newer(path: &Path) -> Result<(), Fault> {
    let mut head = [0; 320];
    if File::open(path)?.read_exact(&mut head).is_ok() && head.starts_with(MAGIC) {
        let [one, other] = LAYOUT_AT.map(|at| head.get(at).copied().unwrap_or(LAYOUT));
        if one == other && one > LAYOUT {
            // Whatever lays out its files in another way also counts another version.
            return Err(Fault::Newer { found: schema::VERSION + 1, known: schema::VERSION });
        }
    }
    let read = contained(|| match ReadOnlyDatabase::open(path) {
        Ok(database) => schema::version(&database).map(Some),
        // Not closed, or damaged: opening it for writing says which.
        Err(DatabaseError::RepairAborted | DatabaseError::Storage(_)) => Ok(None),
        Err(error) => Err(error.into()),
    });
    match read {
        Ok(Some(found)) => schema::not_newer(found),
        Ok(None) | Err(Fault::Damaged(_)) => Ok(()),
        Err(fault) => Err(fault),
    }
}

/// Whether more than half of the file is free.
pub(super) fn is_mostly_empty(database: &Database, path: &Path) -> Result<bool, redb::Error> {
    let len = std::fs::metadata(path).map_err(redb::Error::Io)?.len();
    if len < SMALL {
        return Ok(false);
    }
    let transaction = database.begin_write()?;
    let stats = transaction.stats()?;
    transaction.abort()?;
    Ok(stats.allocated_pages() * (stats.page_size() as u64) < len / 2)
}
