//! The many-writer half of a replica: registers that converge in any order of arrival (design R1, R10, R11, R12).
//!
//! Of each register the cell with the greatest stamp is kept, and of each kind those registers whose stamps are greatest,
//! tombstones counted. Both are the same whatever came first: what was pushed out of a full map is smaller than all that
//! pushed it, and what is kept only ever grows.
//!
//! In a private room a register has the newest cell of each of its writers, because which of them is read depends on who
//! may write there, and that may change ([`crate::rule`]). The one that is read counts as above; the others are **spare**,
//! and so many of the newest are kept for each kind. A spare pushes out spares only, so that what is not valid costs
//! nobody what is.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cell::{Cell, CellKey, CellKind, HLC_MAX, Stamp};
use crate::ids::PublicKey;
use crate::kept::Noted;
use crate::limits::{ACCESS_CELLS, BOARD_CELLS, KEY_CELLS, LOG_CELLS, METADATA_CELLS, ROSTER_CELLS};
use crate::raw::Raw;
use crate::registers::{Held, Registers};
use crate::rule::{self, HOST, LOCKED, Rule, VOID};
use crate::sync::cell_size;

/// Keys of the metadata that stand outside the cap.
pub(crate) const ALWAYS_KEPT: [&str; 3] = ["title", "mode", LOCKED];
/// Buckets of an exchange.
pub(crate) const BUCKETS: usize = 256;
/// How far beyond the wall clock something is written at most because of others, as a hybrid clock: a day.
const AHEAD: u64 = (24 * 60 * 60 * 1000) << 16;

/// All cells of a room, tombstones included.
pub(crate) struct Cells {
    metadata: Registers,
    board: Registers,
    log: Registers,
    roster: Registers,
    access: Registers,
    keys: Registers,
    buckets: Buckets,
    hlc: u64,
    /// Who may write what in a private room.
    rule: Option<Rule>,
}

/// Hashes of all cells, each the XOR of the hashes of some: order-free, and a change costs one step.
struct Buckets {
    of: Box<[u64; BUCKETS]>,
    /// The XOR of all buckets, which every heartbeat is held against.
    all: u64,
    /// Where something changed, when that is asked for.
    noted: Option<Noted>,
    /// Whether each writer of a register has a place of their own.
    private: bool,
}

impl Buckets {
    /// A cell comes, or goes.
    fn toggle(&mut self, held: &Held) {
        self.of[usize::from(held.bucket)] ^= held.fingerprint;
        self.all ^= held.fingerprint;
        if let Some(noted) = &mut self.noted {
            noted.note((Arc::clone(held.key()), self.private.then_some(held.cell.writer)));
        }
    }
}

/// Where a cell is kept: its register and, in a private room, its writer.
pub(crate) type Slot = (Arc<CellKey>, Option<PublicKey>);

impl Default for Cells {
    fn default() -> Self {
        Cells::with_caps(METADATA_CELLS, BOARD_CELLS, LOG_CELLS)
    }
}

impl Cells {
    /// No cells, and so many of each kind at most.
    pub fn with_caps(metadata: usize, board: usize, log: usize) -> Self {
        Cells {
            metadata: Registers::new(metadata),
            board: Registers::new(board),
            log: Registers::new(log),
            roster: Registers::new(ROSTER_CELLS),
            access: Registers::new(ACCESS_CELLS),
            keys: Registers::new(KEY_CELLS),
            buckets: Buckets { of: Box::new([0; BUCKETS]), all: 0, noted: None, private: false },
            hlc: 0,
            rule: None,
        }
    }

    /// The same in a private room, which this identity made.
    pub fn of_private(mut self, creator: PublicKey) -> Self {
        self.rule = Some(Rule::new(creator));
        self.buckets.private = true;
        self
    }

    /// Who may write what, in a private room.
    pub fn rule(&self) -> Option<&Rule> {
        self.rule.as_ref()
    }

    /// The clock for a local write over `key`: ahead of own writes, of the wall and of what it replaces (design R10).
    /// Nothing when no stamp is left above what it replaces, or when a full map keeps only greater ones.
    pub fn next_hlc(&mut self, key: &CellKey, writer: &PublicKey, wall_ms: u64) -> Option<u64> {
        let hlc = self.free_hlc(key, writer, wall_ms)?;
        // A replaced stamp raises only what is written over it, so that one bad clock cannot drag the room.
        if hlc == wall_hlc(wall_ms) || hlc == self.hlc + 1 {
            self.hlc = hlc;
        }
        Some(hlc)
    }

    /// The same, for a look ahead: nothing is written.
    pub fn free_hlc(&self, key: &CellKey, writer: &PublicKey, wall_ms: u64) -> Option<u64> {
        let replaced = self.stamp(key).max(self.stamp_by(key, writer)).map_or(0, |held| held.hlc + 1);
        let hlc = (self.hlc + 1).max(wall_hlc(wall_ms)).max(replaced).max(self.least_hlc(key, wall_ms));
        (hlc <= HLC_MAX && !self.registers(key.kind).is_full_for(key, hlc)).then_some(hlc)
    }

    /// In a private room a lock comes after all that was written, so that it takes nothing from anybody, and somebody who
    /// comes in comes after the keys that were made before (design N8). What claims to come from beyond tomorrow is left
    /// behind by a lock: after it nothing could be locked or unlocked any more.
    fn least_hlc(&self, key: &CellKey, wall_ms: u64) -> u64 {
        let newest = |registers: &Registers| registers.all_read().map(|held| held.stamp.hlc).max();
        let after = |newest: Option<u64>| newest.map_or(0, |hlc| hlc + 1);
        match key.kind {
            _ if self.rule.is_none() => 0,
            CellKind::Metadata if key.field == LOCKED => {
                let newest = newest(&self.metadata).max(newest(&self.board));
                after(newest).min(wall_hlc(wall_ms).saturating_add(AHEAD))
            }
            // Keys are of hosts alone, whose clock may be far from this one.
            CellKind::Roster => after(newest(&self.keys)),
            _ => 0,
        }
    }

    /// Why this room takes no such cell, by name.
    pub fn refusal(&self, cell: &Cell) -> Option<&'static str> {
        match &self.rule {
            Some(rule) => rule.refusal(cell),
            None => cell.key.kind.is_of_private_rooms().then_some("cell_kind"),
        }
    }

    /// Takes the cell if it is the newest of its register, or in a private room of its writer there, and its map has room.
    /// Every register that reads differently by it, those that were pushed out included, is added to `touched`. True when
    /// the cell was kept.
    pub fn apply(&mut self, cell: Cell, touched: &mut Vec<Arc<CellKey>>) -> bool {
        let new = Held::new(cell);
        let (key, writer) = (Arc::clone(new.key()), new.cell.writer);
        if self.stamp_by(&key, &writer).is_some_and(|held| held >= new.stamp) {
            return false;
        }
        self.buckets.toggle(&new);
        match self.rule.take() {
            None => self.read(new, touched),
            Some(rule) => {
                let read = self.stamp(&key);
                let registers = self.registers_mut(key.kind);
                let of_writer = registers.get(&key).is_some_and(|held| held.cell.writer == writer);
                let old = if of_writer { registers.let_go(&key) } else { registers.take_spare(&key, writer) };
                registers.put_aside(new);
                old.iter().for_each(|old| self.buckets.toggle(old));
                self.settle(&rule, &key, read, touched);
                self.rule = Some(rule);
                if rule::decides(&key) {
                    self.judge_anew(touched);
                }
            }
        }
        self.stamp_by(&key, &writer).is_some()
    }

    /// Lets a register of an open room read a cell.
    fn read(&mut self, new: Held, touched: &mut Vec<Arc<CellKey>>) {
        touched.push(Arc::clone(new.key()));
        let registers = self.registers_mut(new.cell.key.kind);
        let (old, pushed) = (registers.hold(new), registers.push_out());
        touched.extend(pushed.iter().map(|pushed| Arc::clone(pushed.key())));
        old.iter().chain(&pushed).for_each(|gone| self.buckets.toggle(gone));
    }

    /// Lets a register of a private room read the best of its cells; it read `before` until now.
    fn settle(&mut self, rule: &Rule, key: &Arc<CellKey>, before: Option<Stamp>, touched: &mut Vec<Arc<CellKey>>) {
        let registers = self.registers_mut(key.kind);
        let aside = registers.let_go(key);
        aside.into_iter().for_each(|held| registers.put_aside(held));
        let ranks = registers.spares(key).filter_map(|held| rule.rank(&held.cell, held.stamp));
        let best = ranks.max().and_then(|(_, stamp)| registers.take_spare(key, stamp.writer));
        best.into_iter().for_each(|best| drop(registers.hold(best)));
        let pushed: Vec<Held> = std::iter::from_fn(|| registers.push_out()).collect();
        let spares: Vec<Held> = std::iter::from_fn(|| registers.push_out_spare()).collect();
        pushed.iter().chain(&spares).for_each(|gone| self.buckets.toggle(gone));
        for gone in pushed.iter().filter(|gone| gone.key() != key) {
            self.settle(rule, gone.key(), Some(gone.stamp), touched);
        }
        if self.stamp(key) != before {
            touched.push(Arc::clone(key));
        }
    }

    /// Settles registers that may read another cell now.
    fn settle_all(&mut self, rule: &Rule, keys: Vec<Arc<CellKey>>, touched: &mut Vec<Arc<CellKey>>) {
        for key in keys {
            let before = self.stamp(&key);
            self.settle(rule, &key, before, touched);
        }
    }

    /// After something was said about who may write what, all of it is judged anew. Hosts are named by the creator alone,
    /// locks and voids by hosts alone: each step rests on the one before.
    fn judge_anew(&mut self, touched: &mut Vec<Arc<CellKey>>) {
        let Some(before) = self.rule.take() else { return };
        let mut rule = Rule::new(before.creator);
        rule.hosts.extend(rule::named(self.access.of_object(CellKind::Access, HOST)));
        if rule.hosts != before.hosts {
            let lock = [Arc::new(CellKey::metadata(LOCKED))];
            let decided = self.access.keys().into_iter().chain(self.keys.keys()).chain(lock).collect();
            self.settle_all(&rule, decided, touched);
        }
        rule.voided = rule::named(self.access.of_object(CellKind::Access, VOID)).collect();
        let lock = self.metadata.get(&CellKey::metadata(LOCKED));
        let on = lock.filter(|lock| lock.cell.value.as_ref().is_some_and(Raw::is_true));
        rule.locked = on.map(|lock| lock.stamp.hlc);
        if rule != before {
            let shared = [&self.metadata, &self.board, &self.log, &self.roster];
            let shared = shared.into_iter().flat_map(Registers::keys).collect();
            self.settle_all(&rule, shared, touched);
        }
        self.rule = Some(rule);
    }

    /// One hash of all of them.
    pub fn hash(&self) -> u64 {
        self.buckets.all
    }

    /// One hash of all of a kind that are read.
    pub fn hash_of(&self, kind: CellKind) -> u64 {
        self.registers(kind).hash()
    }

    /// A hash per bucket; 0 of an empty one.
    pub fn buckets(&self) -> Vec<u32> {
        self.buckets.of.iter().map(|bucket| (bucket ^ bucket >> 32) as u32).collect()
    }

    /// What a register reads.
    pub fn get(&self, key: &CellKey) -> Option<&Cell> {
        self.registers(key.kind).get(key).map(|held| &held.cell)
    }

    /// The same with what is known of it.
    pub fn held(&self, key: &CellKey) -> Option<&Held> {
        self.registers(key.kind).get(key)
    }

    pub fn stamp(&self, key: &CellKey) -> Option<Stamp> {
        self.registers(key.kind).get(key).map(|held| held.stamp)
    }

    /// The stamp that a cell of this writer is held against.
    pub fn stamp_by(&self, key: &CellKey, writer: &PublicKey) -> Option<Stamp> {
        match self.rule {
            Some(_) => self.registers(key.kind).by(key, writer).map(|held| held.stamp),
            None => self.stamp(key),
        }
    }

    /// Where a cell is kept.
    pub fn slot(&self, cell: &Cell) -> Slot {
        (Arc::clone(&cell.key), self.rule.is_some().then_some(cell.writer))
    }

    /// Where a cell of this register and writer would be kept.
    pub fn place(&self, key: &CellKey, writer: &PublicKey) -> Slot {
        (Arc::new(key.clone()), self.rule.is_some().then_some(*writer))
    }

    /// What is kept there.
    pub fn at(&self, (key, writer): &Slot) -> Option<&Cell> {
        match writer {
            Some(writer) => self.registers(key.kind).by(key, writer).map(|held| &held.cell),
            None => self.get(key),
        }
    }

    /// All that is kept of a register.
    pub fn slots(&self, key: &CellKey) -> Vec<Slot> {
        self.registers(key.kind).of_key(key).map(|held| self.slot(&held.cell)).collect()
    }

    /// Every place where a cell is.
    pub fn all_slots(&self) -> BTreeSet<Slot> {
        self.all().map(|held| self.slot(&held.cell)).collect()
    }

    /// From now on each change is noted here.
    pub fn note_changes(&mut self, noted: Noted) {
        self.buckets.noted = Some(noted);
    }

    pub fn noted(&self) -> Option<&Noted> {
        self.buckets.noted.as_ref()
    }

    pub fn take_noted(&mut self) -> Option<Noted> {
        self.buckets.noted.take()
    }

    /// How many there are of a kind, those outside its cap and those that are spare included.
    pub fn count(&self, kind: CellKind) -> usize {
        self.registers(kind).count()
    }

    /// Bytes of all of them as they are written down.
    pub fn stored_bytes(&self) -> usize {
        self.all().map(|held| cell_size(&held.cell)).sum()
    }

    /// All that are read of a kind, by key.
    pub fn of(&self, kind: CellKind) -> impl Iterator<Item = &Held> {
        self.registers(kind).all_read()
    }

    /// All of a kind, those that are not read included.
    pub fn all_of(&self, kind: CellKind) -> impl Iterator<Item = &Held> {
        self.registers(kind).all()
    }

    /// Those of one object, a note's fields.
    pub fn of_object<'a>(&'a self, kind: CellKind, object: &'a str) -> impl Iterator<Item = &'a Held> {
        self.registers(kind).of_object(kind, object)
    }

    /// All of a kind that count against its cap and have a value, newest first.
    pub fn newest(&self, kind: CellKind) -> impl Iterator<Item = &Held> {
        self.registers(kind).newest().filter(|held| held.cell.value.is_some())
    }

    /// The newest stamp of all of a kind that count against its cap, tombstones included.
    pub fn newest_stamp(&self, kind: CellKind) -> Option<Stamp> {
        self.registers(kind).newest().next().map(|held| held.stamp)
    }

    /// All cells of some buckets.
    pub fn in_buckets(&self, buckets: &BTreeSet<u8>) -> impl Iterator<Item = &Held> {
        self.all().filter(|held| buckets.contains(&held.bucket))
    }

    /// All of them.
    pub fn all_cells(&self) -> impl Iterator<Item = &Cell> {
        self.all().map(|held| &held.cell)
    }

    /// The clock of the last own write.
    pub fn own_hlc(&self) -> u64 {
        self.hlc
    }

    pub fn set_own_hlc(&mut self, hlc: u64) {
        self.hlc = hlc;
    }

    fn all(&self) -> impl Iterator<Item = &Held> {
        let all = [&self.metadata, &self.board, &self.log, &self.roster, &self.access, &self.keys];
        all.into_iter().flat_map(Registers::all)
    }

    fn registers(&self, kind: CellKind) -> &Registers {
        match kind {
            CellKind::Metadata => &self.metadata,
            CellKind::Board => &self.board,
            CellKind::Log => &self.log,
            CellKind::Roster => &self.roster,
            CellKind::Access => &self.access,
            CellKind::Key => &self.keys,
        }
    }

    fn registers_mut(&mut self, kind: CellKind) -> &mut Registers {
        match kind {
            CellKind::Metadata => &mut self.metadata,
            CellKind::Board => &mut self.board,
            CellKind::Log => &mut self.log,
            CellKind::Roster => &mut self.roster,
            CellKind::Access => &mut self.access,
            CellKind::Key => &mut self.keys,
        }
    }
}

fn wall_hlc(wall_ms: u64) -> u64 {
    wall_ms.min(HLC_MAX >> 16) << 16
}

#[cfg(test)]
#[path = "cells_tests.rs"]
mod tests;
