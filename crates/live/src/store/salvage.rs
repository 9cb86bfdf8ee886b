//! What can still be read of a damaged file.
//!
//! A bit that fell over in one cell should not cost all rooms. The file is read from both ends as far as that goes, without
//! being changed, and every entry by itself is held against its own check: whatever the damage did to the order of things,
//! nothing comes out of here that was not written once.

use std::ops::Bound;
use std::path::Path;

use redb::{Builder, Database, ReadOnlyDatabase, ReadOnlyTable, ReadableDatabase, TableDefinition};

use super::cells::{PAGE, unchecked};
use super::error::contained;
use super::open::CACHE;
use super::schema::{self, CELLS, ROOMS};

type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;
type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// Carries over into a new file what is sound; answers how many entries that were.
pub(super) fn salvage(damaged: &Path, into: &Database) -> usize {
    // Only a file that was closed can be read as it is: of one that was not, nobody can say which of its pages count.
    let open = || Ok(Builder::new().set_cache_size(CACHE).open_read_only(damaged)?);
    let Ok(from) = contained(open) else { return 0 };
    let mut carried = 0;
    // What entries of another version mean, this one cannot know.
    if matches!(contained(|| schema::version(&from)), Ok(schema::VERSION)) {
        carried = carry_over(&from, into, ROOMS) + carry_over(&from, into, CELLS);
    }
    let _ = contained(|| Ok(from.close()?));
    carried
}

fn carry_over(from: &ReadOnlyDatabase, into: &Database, table: Table) -> usize {
    let Ok(transaction) = contained(|| Ok(from.begin_read()?)) else { return 0 };
    let Ok(source) = contained(|| Ok(transaction.open_table(table)?)) else { return 0 };
    let mut between = Between::default();
    let mut carried = 0;
    for back in [false, true] {
        loop {
            let mut sound = Entries::new();
            let read = contained(|| between.read(&source, back, &mut sound));
            let count = sound.len();
            if contained(|| write(into, table, sound)).is_err() {
                return carried;
            }
            carried += count;
            match read {
                Ok(true) => {}
                Ok(false) => return carried,
                // From this end it goes no further.
                Err(_) => break,
            }
        }
    }
    carried
}

/// What was not read yet: all keys between these.
#[derive(Default)]
struct Between {
    front: Vec<u8>,
    back: Option<Vec<u8>>,
}

impl Between {
    /// Reads a page from the front or from the back; answers whether there is more.
    fn read(
        &mut self,
        source: &ReadOnlyTable<&'static [u8], &'static [u8]>,
        back: bool,
        sound: &mut Entries,
    ) -> Result<bool, redb::Error> {
        let front = self.front.clone();
        let end = self.back.clone();
        let end = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut range = source.range::<&[u8]>((Bound::Excluded(front.as_slice()), end))?;
        let mut bytes = 0;
        while bytes < PAGE {
            let Some(entry) = (if back { range.next_back() } else { range.next() }) else { return Ok(false) };
            let (key, value) = entry?;
            let (key, value) = (key.value(), value.value());
            if key <= self.front.as_slice() || self.back.as_deref().is_some_and(|back| key >= back) {
                // In circles, else.
                return Err(redb::Error::Corrupted("its keys are not in order".to_owned()));
            }
            if unchecked(key, value).is_some() {
                sound.push((key.to_vec(), value.to_vec()));
            }
            bytes += key.len() + value.len();
            if back {
                self.back = Some(key.to_vec());
            } else {
                self.front = key.to_vec();
            }
        }
        Ok(true)
    }
}

fn write(into: &Database, table: Table, entries: Entries) -> Result<(), redb::Error> {
    let transaction = into.begin_write()?;
    {
        let mut table = transaction.open_table(table)?;
        for (key, value) in entries {
            table.insert(key.as_slice(), value.as_slice())?;
        }
    }
    Ok(transaction.commit()?)
}
