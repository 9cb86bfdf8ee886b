//! The many-writer half of a replica: registers that converge in any order of arrival (design R1, R10, R11, R12).
//!
//! Of each register the cell with the greatest stamp is kept, and of each kind those registers whose stamps are greatest,
//! tombstones counted. Both are the same whatever came first: what was pushed out of a full map is smaller than all that
//! pushed it, and what is kept only ever grows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::cell::{Cell, CellKey, CellKind, HLC_MAX, Stamp};
use crate::limits::{BOARD_CELLS, LOG_CELLS, METADATA_CELLS};
use crate::sync::cell_size;

/// Keys of the metadata that stand outside the cap.
pub(crate) const ALWAYS_KEPT: [&str; 3] = ["title", "mode", "locked"];
/// Buckets of an exchange.
pub(crate) const BUCKETS: usize = 256;

/// All cells of a room, tombstones included.
pub(crate) struct Cells {
    metadata: Registers,
    board: Registers,
    log: Registers,
    buckets: Buckets,
    hlc: u64,
}

/// Hashes of all cells, each the XOR of the hashes of some: order-free, and a change costs one step.
struct Buckets {
    of: Box<[u64; BUCKETS]>,
    /// The XOR of all buckets, which every heartbeat is held against.
    all: u64,
}

impl Buckets {
    /// A cell comes into a bucket, or goes.
    fn toggle(&mut self, bucket: u8, fingerprint: u64) {
        self.of[usize::from(bucket)] ^= fingerprint;
        self.all ^= fingerprint;
    }
}

/// The registers of one kind.
struct Registers {
    held: BTreeMap<Arc<CellKey>, Held>,
    /// Those that count against the cap, oldest first; whether each has a value, or is a tombstone.
    order: BTreeMap<(Stamp, Arc<CellKey>), bool>,
    cap: usize,
}

/// The newest cell of one register.
pub(crate) struct Held {
    pub stamp: Stamp,
    pub bucket: u8,
    pub cell: Cell,
}

impl Default for Cells {
    fn default() -> Self {
        Cells::with_caps(METADATA_CELLS, BOARD_CELLS, LOG_CELLS)
    }
}

impl Cells {
    /// No cells, and so many of each kind at most.
    pub fn with_caps(metadata: usize, board: usize, log: usize) -> Self {
        let registers = |cap| Registers { held: BTreeMap::new(), order: BTreeMap::new(), cap };
        Cells {
            metadata: registers(metadata),
            board: registers(board),
            log: registers(log),
            buckets: Buckets { of: Box::new([0; BUCKETS]), all: 0 },
            hlc: 0,
        }
    }

    /// The clock for a local write over `key`: ahead of own writes, of the wall and of what it replaces (design R10).
    /// Nothing when no stamp is left above what it replaces, or when a full map keeps only greater ones.
    pub fn next_hlc(&mut self, key: &CellKey, wall_ms: u64) -> Option<u64> {
        let hlc = self.free_hlc(key, wall_ms)?;
        // A replaced stamp raises only what is written over it, so that one bad clock cannot drag the room.
        if hlc == wall_hlc(wall_ms) || hlc == self.hlc + 1 {
            self.hlc = hlc;
        }
        Some(hlc)
    }

    /// The same, for a look ahead: nothing is written.
    pub fn free_hlc(&self, key: &CellKey, wall_ms: u64) -> Option<u64> {
        let registers = self.registers(key.kind);
        let held = registers.held.get(key).map(|held| held.stamp.hlc);
        let hlc = (self.hlc + 1).max(wall_hlc(wall_ms)).max(held.map_or(0, |hlc| hlc + 1));
        let full = held.is_none() && registers.counts(key) && registers.order.len() >= registers.cap;
        let pushed_out = full && registers.order.first_key_value().is_some_and(|((oldest, _), _)| hlc <= oldest.hlc);
        (hlc <= HLC_MAX && !pushed_out).then_some(hlc)
    }

    /// Takes the cell if it is the newest of its register and its map has room. Every register that changed by it, those
    /// that were pushed out included, is added to `touched`. True when the cell was kept.
    pub fn apply(&mut self, cell: Cell, touched: &mut Vec<Arc<CellKey>>) -> bool {
        let stamp = cell.stamp();
        let key = Arc::clone(&cell.key);
        let registers = match key.kind {
            CellKind::Metadata => &mut self.metadata,
            CellKind::Board => &mut self.board,
            CellKind::Log => &mut self.log,
        };
        if registers.held.get(&key).is_some_and(|held| held.stamp >= stamp) {
            return false;
        }
        let bucket = key.bucket();
        let (counts, live) = (registers.counts(&key), cell.value.is_some());
        let old = registers.held.insert(Arc::clone(&key), Held { stamp, bucket, cell });
        self.buckets.toggle(bucket, fingerprint(&key, &stamp));
        if let Some(old) = old {
            self.buckets.toggle(bucket, fingerprint(&key, &old.stamp));
            registers.order.remove(&(old.stamp, Arc::clone(&key)));
        }
        touched.push(Arc::clone(&key));
        let mut kept = true;
        if counts {
            registers.order.insert((stamp, Arc::clone(&key)), live);
            if registers.order.len() > registers.cap
                && let Some(((oldest, pushed), _)) = registers.order.pop_first()
            {
                registers.held.remove(&pushed);
                self.buckets.toggle(pushed.bucket(), fingerprint(&pushed, &oldest));
                kept = pushed != key;
                touched.push(pushed);
            }
        }
        kept
    }

    /// One hash of all of them.
    pub fn hash(&self) -> u64 {
        self.buckets.all
    }

    /// A hash per bucket; 0 of an empty one.
    pub fn buckets(&self) -> Vec<u32> {
        self.buckets.of.iter().map(|bucket| (bucket ^ bucket >> 32) as u32).collect()
    }

    pub fn get(&self, key: &CellKey) -> Option<&Cell> {
        self.registers(key.kind).held.get(key).map(|held| &held.cell)
    }

    pub fn stamp(&self, key: &CellKey) -> Option<Stamp> {
        self.registers(key.kind).held.get(key).map(|held| held.stamp)
    }

    /// How many there are of a kind, those outside its cap included.
    pub fn count(&self, kind: CellKind) -> usize {
        self.registers(kind).held.len()
    }

    /// Bytes of all of them as they are written down.
    pub fn stored_bytes(&self) -> usize {
        let all = [&self.metadata, &self.board, &self.log].into_iter().flat_map(|registers| registers.held.values());
        all.map(|held| cell_size(&held.cell)).sum()
    }

    /// All of a kind, by key.
    #[cfg(test)]
    pub fn of(&self, kind: CellKind) -> impl Iterator<Item = &Held> {
        self.registers(kind).held.values()
    }

    /// Those of one object, a note's fields.
    pub fn of_object<'a>(&'a self, kind: CellKind, object: &'a str) -> impl Iterator<Item = &'a Held> {
        let first = CellKey { kind, object: object.to_owned(), field: String::new() };
        let from = self.registers(kind).held.range(first..).map(|(_, held)| held);
        from.take_while(move |held| held.cell.key.object == object)
    }

    /// All of a kind that count against its cap and have a value, newest first.
    pub fn newest(&self, kind: CellKind) -> impl Iterator<Item = &Held> {
        let registers = self.registers(kind);
        self.newest_keys(kind).filter_map(|key| registers.held.get(key))
    }

    /// The names of the same.
    pub fn newest_keys(&self, kind: CellKind) -> impl Iterator<Item = &CellKey> {
        // Tombstones are most of them after a while, and are passed over without a search.
        self.registers(kind).order.iter().rev().filter(|(_, live)| **live).map(|((_, key), _)| &**key)
    }

    /// The newest stamp of all of a kind that count against its cap, tombstones included.
    pub fn newest_stamp(&self, kind: CellKind) -> Option<Stamp> {
        self.registers(kind).order.last_key_value().map(|((stamp, _), _)| *stamp)
    }

    /// All cells of some buckets, by key.
    pub fn in_buckets(&self, buckets: &BTreeSet<u8>) -> impl Iterator<Item = &Held> {
        let all = [&self.metadata, &self.board, &self.log].into_iter().flat_map(|registers| registers.held.values());
        all.filter(|held| buckets.contains(&held.bucket))
    }

    fn registers(&self, kind: CellKind) -> &Registers {
        match kind {
            CellKind::Metadata => &self.metadata,
            CellKind::Board => &self.board,
            CellKind::Log => &self.log,
        }
    }
}

impl Registers {
    /// Whether a register counts against the cap.
    fn counts(&self, key: &CellKey) -> bool {
        key.kind != CellKind::Metadata || !ALWAYS_KEPT.contains(&key.field.as_str())
    }
}

fn wall_hlc(wall_ms: u64) -> u64 {
    wall_ms.min(HLC_MAX >> 16) << 16
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

#[cfg(test)]
#[path = "cells_tests.rs"]
mod tests;
