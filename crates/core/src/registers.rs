//! The registers of one kind: the cells that are read, so many of the newest, and beside them, in a private room, spare
//! ones (see [`crate::cells`]). Nothing here knows who may write what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::cell::{Cell, CellKey, CellKind, Stamp};
use crate::cells::ALWAYS_KEPT;
use crate::ids::PublicKey;
use crate::raw::Raw;

/// Spares that are kept: a fourth of what is read.
const SPARE_PART: usize = 4;

/// One cell that is kept.
pub(crate) struct Held {
    pub stamp: Stamp,
    pub bucket: u8,
    /// A hash of its register and its stamp.
    pub fingerprint: u64,
    /// What it takes of what is shown of a room's settings, where it is one of them.
    pub takes: Takes,
    pub cell: Cell,
}

/// Of the document that readers of a room's settings get.
#[derive(Clone, Copy, Default)]
pub(crate) struct Takes {
    /// As JSON, with its key.
    pub bytes: usize,
    /// When it is built.
    pub memory: usize,
}

impl Takes {
    fn of(cell: &Cell) -> Self {
        let value = cell.value.as_ref().filter(|_| cell.key.kind == CellKind::Metadata);
        let takes =
            |value: &Raw| Takes { bytes: cell.key.field.len() + value.json_size(), memory: value.weight().memory };
        value.map(takes).unwrap_or_default()
    }
}

impl Held {
    pub fn new(cell: Cell) -> Self {
        let stamp = cell.stamp();
        let fingerprint = fingerprint(&cell.key, &stamp);
        Held { stamp, bucket: cell.key.bucket(), fingerprint, takes: Takes::of(&cell), cell }
    }

    pub fn key(&self) -> &Arc<CellKey> {
        &self.cell.key
    }
}

pub(crate) struct Registers {
    read: BTreeMap<Arc<CellKey>, Arc<Held>>,
    /// Those that count against the cap, oldest first. They are the same, so that none has to be looked up by its name.
    order: BTreeMap<(Stamp, Arc<CellKey>), Arc<Held>>,
    cap: usize,
    /// The XOR of the fingerprints of all that are read.
    hash: u64,
    /// Cells that are not read, one of a writer and register.
    spare: BTreeMap<(Arc<CellKey>, PublicKey), Held>,
    /// The same, oldest first.
    spare_order: BTreeSet<(Stamp, Arc<CellKey>)>,
}

impl Registers {
    pub fn new(cap: usize) -> Self {
        let (read, order) = (BTreeMap::new(), BTreeMap::new());
        Registers { read, order, cap, hash: 0, spare: BTreeMap::new(), spare_order: BTreeSet::new() }
    }

    /// What a register reads.
    pub fn get(&self, key: &CellKey) -> Option<&Held> {
        self.read.get(key).map(|held| &**held)
    }

    /// The cell of one writer of a register, read or spare.
    pub fn by(&self, key: &CellKey, writer: &PublicKey) -> Option<&Held> {
        self.of_key(key).find(|held| held.cell.writer == *writer)
    }

    /// All cells of a register, the one that is read first.
    pub fn of_key(&self, key: &CellKey) -> impl Iterator<Item = &Held> {
        self.get(key).into_iter().chain(self.spares(key))
    }

    pub fn spares(&self, key: &CellKey) -> impl Iterator<Item = &Held> {
        let key = Arc::new(key.clone());
        let first = (Arc::clone(&key), PublicKey([0; 32]));
        let from = self.spare.range(first..).map(|(_, held)| held);
        from.take_while(move |held| *held.key() == key)
    }

    /// One hash of all that are read: another one after every write, also after one that goes back.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// All that are read, by key.
    pub fn all_read(&self) -> impl Iterator<Item = &Held> {
        self.read.values().map(|held| &**held)
    }

    /// Those of one object, by field.
    pub fn of_object<'a>(&'a self, kind: CellKind, object: &'a str) -> impl Iterator<Item = &'a Held> {
        let first = CellKey { kind, object: object.to_owned(), field: String::new() };
        let from = self.read.range(first..).map(|(_, held)| &**held);
        from.take_while(move |held| held.cell.key.object == object)
    }

    pub fn all(&self) -> impl Iterator<Item = &Held> {
        self.all_read().chain(self.spare.values())
    }

    pub fn count(&self) -> usize {
        self.read.len() + self.spare.len()
    }

    /// The names of all registers, each at least once.
    pub fn keys(&self) -> Vec<Arc<CellKey>> {
        self.all().map(|held| Arc::clone(held.key())).collect()
    }

    /// Those that count against the cap, newest first.
    pub fn newest(&self) -> impl Iterator<Item = &Held> {
        self.order.values().rev().map(|held| &**held)
    }

    /// Whether a stamp of this clock is too old for a register that is new here.
    pub fn is_full_for(&self, key: &CellKey, hlc: u64) -> bool {
        let full = counts(key) && !self.read.contains_key(key) && self.order.len() >= self.cap;
        full && self.order.first_key_value().is_some_and(|((oldest, _), _)| hlc <= oldest.hlc)
    }

    /// Lets a register read this cell; what it read before comes back.
    pub fn hold(&mut self, new: Held) -> Option<Held> {
        let key = Arc::clone(new.key());
        let old = self.let_go(&key);
        self.hash ^= new.fingerprint;
        let new = Arc::new(new);
        if counts(&key) {
            self.order.insert((new.stamp, Arc::clone(&key)), Arc::clone(&new));
        }
        self.read.insert(key, new);
        old
    }

    /// Takes away what a register reads.
    pub fn let_go(&mut self, key: &Arc<CellKey>) -> Option<Held> {
        let old = self.read.remove(key)?;
        self.hash ^= old.fingerprint;
        self.order.remove(&(old.stamp, Arc::clone(key)));
        Arc::into_inner(old)
    }

    /// Takes the oldest out of a map that is too full.
    pub fn push_out(&mut self) -> Option<Held> {
        if self.order.len() <= self.cap {
            return None;
        }
        let ((_, key), held) = self.order.pop_first()?;
        self.read.remove(&key);
        self.hash ^= held.fingerprint;
        Arc::into_inner(held)
    }

    /// Keeps a cell without letting its register read it.
    pub fn put_aside(&mut self, held: Held) {
        self.spare_order.insert((held.stamp, Arc::clone(held.key())));
        self.spare.insert((Arc::clone(held.key()), held.cell.writer), held);
    }

    /// Takes a spare.
    pub fn take_spare(&mut self, key: &Arc<CellKey>, writer: PublicKey) -> Option<Held> {
        let held = self.spare.remove(&(Arc::clone(key), writer))?;
        self.spare_order.remove(&(held.stamp, Arc::clone(key)));
        Some(held)
    }

    /// Takes the oldest spare where there are too many.
    pub fn push_out_spare(&mut self) -> Option<Held> {
        if self.spare_order.len() <= self.cap.div_ceil(SPARE_PART) {
            return None;
        }
        let (stamp, key) = self.spare_order.pop_first()?;
        self.spare.remove(&(key, stamp.writer))
    }
}

fn fingerprint(key: &CellKey, stamp: &Stamp) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[key.kind as u8]);
    for text in [&key.object, &key.field] {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.update(&stamp.hlc.to_le_bytes());
    hasher.update(&stamp.writer.0);
    hasher.update(&stamp.hash);
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// Whether a register counts against the cap.
fn counts(key: &CellKey) -> bool {
    key.kind != CellKind::Metadata || !ALWAYS_KEPT.contains(&key.field.as_str())
}
