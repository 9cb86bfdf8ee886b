//! What is in the file, and how an older one becomes a newer one.
//!
//! ```text
//! about   "schema"          → check ‖ the version of all this
//! cells   root ‖ slot       → check ‖ cell
//! rooms   name of the room  → check ‖ KnownRoom as JSON
//! ```
//!
//! `about` is the same in every version, so that each can tell whether it is one that it knows.

use redb::{Database, ReadableDatabase, TableDefinition, TableError, WriteTransaction};

use super::cells::{checked, unchecked};
use super::error::Fault;

pub(super) const ABOUT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("about");
pub(super) const CELLS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("cells");
pub(super) const ROOMS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rooms");

const SCHEMA: &str = "schema";

type Step = fn(&WriteTransaction) -> Result<(), redb::Error>;

/// The step at N makes version N + 1 of version N. A file without a version is one that was just made.
const STEPS: &[Step] = &[first];

/// The version that this program writes.
pub(super) const VERSION: u64 = STEPS.len() as u64;

fn first(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(CELLS)?;
    transaction.open_table(ROOMS)?;
    Ok(())
}

/// The version of what is there.
pub(super) fn version(database: &impl ReadableDatabase) -> Result<u64, redb::Error> {
    match database.begin_read()?.open_table(ABOUT) {
        Ok(about) => match about.get(SCHEMA)? {
            // Checked here, since it is read before the database has checked all of itself.
            Some(value) => unchecked(SCHEMA.as_bytes(), value.value())
                .and_then(|version| Some(u64::from_le_bytes(version.try_into().ok()?)))
                .ok_or_else(|| redb::Error::Corrupted("its version cannot be read".to_owned())),
            None => Ok(0),
        },
        Err(TableError::TableDoesNotExist(_)) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// Whether a newer Parlor wrote it.
pub(super) fn not_newer(found: u64) -> Result<(), Fault> {
    if found > VERSION { Err(Fault::Newer { found, known: VERSION }) } else { Ok(()) }
}

/// Makes an older file one of this version, in one step: it is the one or the other.
pub(super) fn bring_up(database: &Database, found: u64) -> Result<(), redb::Error> {
    let steps = usize::try_from(found).ok().and_then(|found| STEPS.get(found..)).unwrap_or_default();
    if steps.is_empty() {
        return Ok(());
    }
    let transaction = database.begin_write()?;
    for step in steps {
        step(&transaction)?;
    }
    say(&transaction, VERSION)?;
    Ok(transaction.commit()?)
}

fn say(transaction: &WriteTransaction, version: u64) -> Result<(), redb::Error> {
    let value = checked(SCHEMA.as_bytes(), &version.to_le_bytes());
    transaction.open_table(ABOUT)?.insert(SCHEMA, value.as_slice())?;
    Ok(())
}

/// What a file of another version looks like to this one.
#[cfg(test)]
pub(super) fn pretend(database: &Database, version: u64) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    say(&transaction, version)?;
    Ok(transaction.commit()?)
}
