//! The many-writer half of a replica: cells that converge in any order of arrival (design R1, R10, R11, R12).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cell::{Cell, CellKey, CellKind, HLC_MAX, Stamp, newest_first};
use crate::ids::RoomId;
use crate::limits::METADATA_CELLS;
use crate::value::Json;
use crate::view::{Kind, RoomMetadata, Timestamp};

/// Keys that stand outside the cap.
const ALWAYS_KEPT: [&str; 3] = ["title", "mode", "locked"];
/// Buckets of an exchange.
pub(crate) const BUCKETS: usize = 256;

/// All cells of a room, tombstones included.
#[derive(Default)]
pub(crate) struct Cells {
    cells: BTreeMap<CellKey, (Stamp, Cell)>,
    /// XOR of the hashes of all of them: order-free, and a change costs one step.
    hash: u64,
    hlc: u64,
}

impl Cells {
    /// The clock for a local write over `key`: ahead of own writes, of the wall and of what it replaces (design R10).
    pub fn next_hlc(&mut self, key: &CellKey, wall_ms: u64) -> u64 {
        let replaced = self.cells.get(key).map_or(0, |(stamp, _)| stamp.hlc);
        let wall = wall_ms.min(HLC_MAX >> 16) << 16;
        let hlc = (self.hlc + 1).max(wall).max(replaced + 1).min(HLC_MAX);
        // A replaced stamp raises only what is written over it, so that one bad clock cannot drag the room.
        if hlc == wall || hlc == self.hlc + 1 {
            self.hlc = hlc;
        }
        hlc
    }

    /// Takes the cell if it is the newest of its register. True when something changed.
    pub fn apply(&mut self, cell: Cell) -> bool {
        let stamp = cell.stamp();
        if self.cells.get(&cell.key).is_some_and(|(held, _)| *held >= stamp) {
            return false;
        }
        let key = cell.key.clone();
        self.hash ^= fingerprint(&key, &stamp);
        if let Some((old, _)) = self.cells.insert(key.clone(), (stamp, cell)) {
            self.hash ^= fingerprint(&key, &old);
        }
        self.evict();
        self.cells.contains_key(&key)
    }

    /// Keeps the cells with the greatest stamps, the same ones at every replica (design R11).
    fn evict(&mut self) {
        let capped = |key: &CellKey| !ALWAYS_KEPT.contains(&key.field.as_str());
        if self.cells.len() <= METADATA_CELLS {
            return;
        }
        let mut stamps: Vec<(Stamp, CellKey)> =
            self.cells.iter().filter(|(key, _)| capped(key)).map(|(key, (stamp, _))| (*stamp, key.clone())).collect();
        if stamps.len() <= METADATA_CELLS {
            return;
        }
        stamps.sort_by(|a, b| newest_first(&a.0, &b.0).then_with(|| a.1.cmp(&b.1)));
        for (stamp, key) in stamps.drain(METADATA_CELLS..) {
            self.hash ^= fingerprint(&key, &stamp);
            self.cells.remove(&key);
        }
    }

    pub fn hash(&self) -> u64 {
        self.hash
    }

    pub fn get(&self, key: &CellKey) -> Option<&Cell> {
        self.cells.get(key).map(|(_, cell)| cell)
    }

    pub fn stamp(&self, key: &CellKey) -> Option<Stamp> {
        self.cells.get(key).map(|(stamp, _)| *stamp)
    }

    /// A hash per bucket.
    pub fn buckets(&self) -> Vec<u32> {
        let mut buckets = vec![0u32; BUCKETS];
        for (key, (stamp, _)) in &self.cells {
            if let Some(bucket) = buckets.get_mut(usize::from(key.bucket())) {
                *bucket ^= fingerprint(key, stamp) as u32;
            }
        }
        buckets
    }

    /// All stamps, by bucket.
    pub fn by_bucket(&self) -> BTreeMap<u8, Vec<(CellKey, Stamp)>> {
        let mut buckets: BTreeMap<u8, Vec<(CellKey, Stamp)>> = BTreeMap::new();
        for (key, (stamp, _)) in &self.cells {
            buckets.entry(key.bucket()).or_default().push((key.clone(), *stamp));
        }
        buckets
    }

    /// All stamps of some buckets.
    pub fn stamps(&self, buckets: &[u8]) -> Vec<(CellKey, Stamp)> {
        self.cells
            .iter()
            .filter(|(key, _)| buckets.contains(&key.bucket()))
            .map(|(key, (stamp, _))| (key.clone(), *stamp))
            .collect()
    }

    /// Live keys and their values.
    pub fn live(&self) -> impl Iterator<Item = (&str, &serde_json::Value)> {
        self.cells.iter().filter_map(|(key, (_, cell))| match (&key.kind, &cell.value) {
            (CellKind::Metadata, Some(Json(value))) => Some((key.field.as_str(), value)),
            _ => None,
        })
    }

    /// What a reader sees.
    pub fn metadata(&self, room: &RoomId) -> Arc<RoomMetadata> {
        let newest = self.cells.values().map(|(stamp, _)| *stamp).max();
        Arc::new(RoomMetadata {
            room: room.clone(),
            kind: Kind::Room,
            metadata: self.live().map(|(key, value)| (key.to_owned(), value.clone())).collect(),
            updated_at: newest.map(|stamp| Timestamp(stamp.hlc >> 16)),
            updated_by: newest.map(|stamp| stamp.writer.user_id()),
        })
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

#[cfg(test)]
#[path = "cells_tests.rs"]
mod tests;
