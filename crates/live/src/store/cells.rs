//! The cells of rooms: written where they changed, read whole.

use parlor_core::Kept;
use redb::{Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, Table};

use super::error::contained;
use super::schema::CELLS;
use super::{Store, StoreError};

/// A page of [`Store::load`] ends with the cell that reaches this many bytes.
pub(super) const PAGE: usize = 256 << 10;
/// Bytes that tell whether a cell is the one that was written there.
const CHECK: usize = 8;

/// What a room is for ever, as its replica says.
pub(crate) type Root = [u8; 32];

/// What is to be kept of one room from now on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Changes<'a> {
    /// Which room.
    pub(crate) root: Root,
    /// The places that changed.
    pub(crate) cells: &'a [Kept],
    /// These are all there are: whatever else was kept of the room goes.
    pub(crate) whole: bool,
}

impl Store {
    /// Keeps what changed, in any number of rooms at once: all of it is on disk when this answers.
    ///
    /// # Errors
    /// None of it was kept.
    pub(crate) fn write(&self, changes: &[Changes<'_>]) -> Result<(), StoreError> {
        if changes.iter().all(|room| room.cells.is_empty() && !room.whole) {
            return Ok(());
        }
        self.run(|database| {
            let transaction = database.begin_write()?;
            {
                let mut cells = transaction.open_table(CELLS)?;
                for room in changes {
                    if room.whole {
                        clear(&mut cells, &room.root)?;
                    }
                    for kept in room.cells {
                        let key = key(&room.root, &kept.slot);
                        match &kept.cell {
                            Some(cell) => cells.insert(key.as_slice(), checked(&key, cell).as_slice())?,
                            None => cells.remove(key.as_slice())?,
                        };
                    }
                }
            }
            Ok(transaction.commit()?)
        })
    }

    /// Gives all cells of a room to `page`, a page of about 256 KiB at a time, as they were when this was called. A cell
    /// that is not what was written is left out, and said.
    ///
    /// # Errors
    /// What was given before is sound.
    pub(crate) fn load(&self, root: &Root, mut page: impl FnMut(Vec<Vec<u8>>)) -> Result<(), StoreError> {
        let reading = self.run(Reading::begin)?;
        let mut from = root.to_vec();
        let mut damaged = 0;
        loop {
            let next = contained(|| reading.page(root, &from)).map_err(|fault| self.failed(fault))?;
            damaged += next.damaged;
            if !next.cells.is_empty() {
                page(next.cells);
            }
            match next.from {
                Some(place) => from = place,
                None => break,
            }
        }
        if damaged > 0 {
            let file = super::FILE;
            self.notices.say(format!(
                "{damaged} notes or settings in {file} were damaged and are left out; who else has them brings them back"
            ));
        }
        Ok(())
    }
}

/// Removes all cells of a room from the table.
pub(super) fn clear(cells: &mut Table<'_, &'static [u8], &'static [u8]>, root: &Root) -> Result<bool, redb::Error> {
    let mut any = false;
    let go = |_: &[u8], _: &[u8]| {
        any = true;
        false
    };
    match after(root) {
        Some(end) => cells.retain_in(root.as_slice()..end.as_slice(), go)?,
        None => cells.retain_in(root.as_slice().., go)?,
    }
    Ok(any)
}

/// A look at the store as it was at one moment.
struct Reading {
    cells: ReadOnlyTable<&'static [u8], &'static [u8]>,
    /// Keeps the moment.
    _transaction: ReadTransaction,
}

#[derive(Default)]
struct Page {
    cells: Vec<Vec<u8>>,
    damaged: usize,
    /// Where the next one begins.
    from: Option<Vec<u8>>,
}

impl Reading {
    fn begin(database: &Database) -> Result<Self, redb::Error> {
        let transaction = database.begin_read()?;
        Ok(Reading { cells: transaction.open_table(CELLS)?, _transaction: transaction })
    }

    fn page(&self, root: &Root, from: &[u8]) -> Result<Page, redb::Error> {
        let mut page = Page::default();
        let mut bytes = 0;
        for entry in self.cells.range(from..)? {
            let (key, value) = entry?;
            let (key, value) = (key.value(), value.value());
            if !key.starts_with(root) {
                return Ok(page);
            }
            if bytes >= PAGE {
                page.from = Some(key.to_vec());
                return Ok(page);
            }
            match unchecked(key, value) {
                Some(cell) => page.cells.push(cell.to_vec()),
                None => page.damaged += 1,
            }
            bytes += value.len();
        }
        Ok(page)
    }
}

fn key(root: &Root, slot: &[u8]) -> Vec<u8> {
    [root.as_slice(), slot].concat()
}

/// The first key after all those of a room.
fn after(root: &Root) -> Option<Root> {
    let mut end = *root;
    for byte in end.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            return Some(end);
        }
    }
    None
}

fn check(key: &[u8], cell: &[u8]) -> [u8; CHECK] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_le_bytes()).update(key).update(cell);
    let mut check = [0; CHECK];
    hasher.finalize_xof().fill(&mut check);
    check
}

pub(super) fn checked(key: &[u8], cell: &[u8]) -> Vec<u8> {
    [check(key, cell).as_slice(), cell].concat()
}

pub(super) fn unchecked<'a>(key: &[u8], value: &'a [u8]) -> Option<&'a [u8]> {
    let (said, cell) = value.split_first_chunk()?;
    (*said == check(key, cell)).then_some(cell)
}
