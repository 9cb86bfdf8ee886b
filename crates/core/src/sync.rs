//! How lost cells are found and repaired (design R12): a hash in every heartbeat, then 256 bucket hashes, then the stamps
//! of the buckets that differ, then only what is newer. What a bucket of ours holds goes out at once where the other end
//! has nothing, so that a newcomer waits for one round trip.
//!
//! Whoever begins an exchange pays for it: an answer is taken for what was asked only, and what one peer is sent by
//! request is drawn from a purse that fills slowly, so that a few bytes of questions cannot be made into megabytes.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::cell::{Cell, CellKey, HLC_MAX, Stamp};
use crate::cells::{BUCKETS, Slot};
use crate::ids::{SessionId, Tick};
use crate::input::Verdict;
use crate::inspect::{Observation, SyncStep};
use crate::limits::{FRAME_MAX, PAGE_MAX};
use crate::peer::{Futile, Syncing};
use crate::replica::Replica;
use crate::view::Event;
use crate::wire::{Frame, SyncRequest, SyncStamps, SyncWant};

/// Own stillness before a sync, so that what is on its way may arrive.
const STILL_MS: u64 = 500;
/// Futile exchanges before the back-off begins, and its bounds.
const FUTILE: u32 = 3;
const BACK_OFF_MS: (u64, u64) = (2_000, 60_000);
/// Bytes of cells or stamps in one frame to a peer, and in one to all: the rest is the envelope.
pub(crate) const PAGE: usize = PAGE_MAX - 512;
const PUBLISHED: usize = FRAME_MAX - 256;
/// One exchange of cells in a room at a time: the next waits this long.
const IN_FLIGHT_MS: u64 = 500;
/// Stamps that come later than this are no answer any more.
const ANSWER_MS: u64 = 10_000;
/// The least between two requests of one peer that are answered.
const SERVE_EVERY_MS: u64 = IN_FLIGHT_MS / 2;
/// What a peer is sent by request: a full board and more at once, then so many bytes a millisecond.
const PURSE: u64 = 16 * 1024 * 1024;
const PURSE_PER_MS: u64 = 512;

/// An answer that is sent page by page.
pub(crate) struct Serving {
    to: SessionId,
    what: Wanted,
}

/// What is still to be sent of it.
enum Wanted {
    Cells(VecDeque<Slot>),
    /// Stamps of these buckets; of the first one, when it does not fit a page, those after a place.
    Stamps {
        buckets: BTreeSet<u8>,
        after: Option<Slot>,
    },
}

/// What one peer may still be sent by request.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Purse {
    bytes: u64,
    at: Tick,
}

impl Purse {
    pub fn new(now: Tick) -> Self {
        Purse { bytes: PURSE, at: now }
    }

    /// Takes so many bytes out; false when there are not enough.
    fn take(&mut self, bytes: usize, now: Tick) -> bool {
        self.bytes = self.bytes.saturating_add(now.since(self.at).saturating_mul(PURSE_PER_MS)).min(PURSE);
        self.at = now;
        let left = self.bytes.checked_sub(bytes as u64);
        self.bytes = left.unwrap_or(self.bytes);
        left.is_some()
    }
}

impl Replica {
    /// Holds a heartbeat's hash against ours. In the first one of a new link a difference is repaired at once.
    pub(crate) fn compare_cells(&mut self, peer_id: SessionId, theirs: u64, now: Tick) {
        let mine = self.cells.hash();
        self.observe(|_| Observation::Hash {
            session: peer_id,
            mine: format!("{mine:016x}"),
            theirs: format!("{theirs:016x}"),
        });
        let still = now.since(self.cells_changed) >= STILL_MS;
        let Some(peer) = self.peers.get_mut(&peer_id) else { return };
        if theirs == mine {
            peer.cell_mismatches = 0;
            peer.futile = Futile::default();
            peer.fresh = false;
            return;
        }
        peer.cell_mismatches = peer.cell_mismatches.saturating_add(1);
        let due = peer.fresh || (peer.cell_mismatches >= 2 && still);
        let futile = now < peer.futile.not_before && peer.futile.pair == (mine, theirs);
        if !due || !peer.linked || futile || now < self.syncing {
            return;
        }
        peer.fresh = false;
        peer.syncing = Some(Syncing { until: now.plus(ANSWER_MS), buckets: (0..=255).collect() });
        self.syncing = now.plus(IN_FLIGHT_MS);
        peer.futile.count = if peer.futile.pair == (mine, theirs) { peer.futile.count + 1 } else { 1 };
        peer.futile.pair = (mine, theirs);
        let count = peer.futile.count;
        if count >= FUTILE {
            let wait = BACK_OFF_MS.0.saturating_mul(1 << (count - FUTILE).min(5)).min(BACK_OFF_MS.1);
            peer.futile.not_before = now.plus(wait);
            self.counters.add("diverged");
        }
        if count == FUTILE {
            self.emit(Event::Diverged { session_id: peer_id.to_string() });
        }
        self.counters.add("syncs");
        let request = SyncRequest { buckets: self.cells.buckets() };
        self.observe_sync(peer_id, SyncStep::Asks, request.buckets.iter().filter(|bucket| **bucket != 0).count());
        self.send(peer_id, Frame::SyncRequest(request).encode());
    }

    pub(crate) fn sync_request_in(&mut self, author: SessionId, request: &SyncRequest, now: Tick) -> Verdict {
        if request.buckets.len() != BUCKETS {
            self.counters.add("sync_unreadable");
            return Verdict::Reject;
        }
        let peer = self.peer(author, now);
        if peer.served.is_some_and(|at| now.since(at) < SERVE_EVERY_MS) {
            self.counters.add("sync_too_often");
            return Verdict::Ignore;
        }
        peer.served = Some(now);
        let mine = self.cells.buckets();
        let pairs = || (0u8..=255).zip(mine.iter().zip(&request.buckets)).filter(|(_, (mine, theirs))| mine != theirs);
        let missing: BTreeSet<u8> =
            pairs().filter(|(_, (_, theirs))| **theirs == 0).map(|(bucket, _)| bucket).collect();
        let differing: BTreeSet<u8> =
            pairs().map(|(bucket, _)| bucket).filter(|bucket| !missing.contains(bucket)).collect();
        self.observe_sync(author, SyncStep::IsAsked, missing.len() + differing.len());
        let newer = self.cells.in_buckets(&missing).map(|held| self.cells.slot(&held.cell)).collect();
        self.serving.push_back(Serving { to: author, what: Wanted::Cells(newer) });
        self.serving.push_back(Serving { to: author, what: Wanted::Stamps { buckets: differing, after: None } });
        Verdict::Ignore
    }

    pub(crate) fn sync_stamps_in(&mut self, author: SessionId, theirs: &SyncStamps, now: Tick) -> Verdict {
        // Taken as an answer only: who could send them unasked could have all cells sent at will.
        let syncing = self.peers.get_mut(&author).and_then(|peer| peer.syncing.as_mut());
        let Some(syncing) = syncing.filter(|syncing| now <= syncing.until) else {
            self.counters.add("sync_unasked");
            return Verdict::Ignore;
        };
        let buckets: BTreeSet<u8> =
            theirs.buckets.iter().copied().filter(|bucket| syncing.buckets.remove(bucket)).collect();
        let mut want = Vec::new();
        let mut newer = VecDeque::new();
        for (key, stamp) in &theirs.stamps {
            let slot = self.cells.place(key, &stamp.writer);
            match self.cells.stamp_by(key, &stamp.writer) {
                Some(held) if held > *stamp => newer.push_back(slot),
                Some(held) if held == *stamp => {}
                _ if key.is_valid() && stamp.hlc <= HLC_MAX => want.push(key.clone()),
                _ => self.counters.add("sync_stamp_refused"),
            }
        }
        let named: BTreeSet<Slot> =
            theirs.stamps.iter().map(|(key, stamp)| self.cells.place(key, &stamp.writer)).collect();
        let held = self.cells.in_buckets(&buckets).map(|held| self.cells.slot(&held.cell));
        newer.extend(held.filter(|slot| !named.contains(slot)));
        self.serving.push_back(Serving { to: author, what: Wanted::Cells(newer) });
        self.observe_sync(author, SyncStep::Wants, want.len());
        for keys in split(want, PAGE, key_size) {
            self.send(author, Frame::SyncWant(SyncWant { keys }).encode());
        }
        Verdict::Ignore
    }

    pub(crate) fn sync_want_in(&mut self, author: SessionId, want: &SyncWant) -> Verdict {
        let keys: BTreeSet<&CellKey> = want.keys.iter().collect();
        let held = keys.into_iter().flat_map(|key| self.cells.slots(key)).collect();
        self.serving.push_back(Serving { to: author, what: Wanted::Cells(held) });
        Verdict::Ignore
    }

    pub(crate) fn cells_in(&mut self, cells: Vec<Cell>, now: Tick) -> Verdict {
        let mut touched = Vec::new();
        let mut refused = false;
        for cell in cells {
            let held = self.cells.stamp_by(&cell.key, &cell.writer);
            if held.is_some_and(|held| held >= cell.stamp()) {
                self.observe_cell(&cell, held, None, false);
                continue;
            }
            let refusal = self.cells.refusal(&cell).or_else(|| cell.refusal(&self.root, &*self.verifier));
            if let Some(why) = refusal {
                self.counters.add(why);
                self.observe_cell(&cell, held, Some(why), false);
                refused = true;
                continue;
            }
            let shown = self.is_inspected().then(|| cell.clone());
            self.cells.apply(cell, &mut touched);
            shown.iter().for_each(|cell| self.observe_cell(cell, held, None, false));
        }
        self.cells_were_changed(touched, now);
        if refused { Verdict::Ignore } else { Verdict::Accept }
    }

    /// Sends one page of an answer, as far as the peer's purse goes, and keeps the rest of it for the next. What the purse
    /// does not hold comes with a later exchange.
    pub(crate) fn serve(&mut self, mut serving: Serving) {
        let page = match &mut serving.what {
            Wanted::Cells(keys) => self.page_of_cells(keys).map(Frame::Cells),
            Wanted::Stamps { buckets, after } => self.page_of_stamps(buckets, after).map(Frame::SyncStamps),
        };
        let (Some(page), Some(peer)) = (page, self.peers.get_mut(&serving.to)) else { return };
        let bytes = page.encode();
        let count = if let Frame::Cells(cells) = &page { cells.len() } else { 0 };
        if peer.purse.take(bytes.len(), self.looked) {
            if count > 0 {
                self.observe_sync(serving.to, SyncStep::Sends, count);
            }
            self.send(serving.to, bytes);
            self.serving.push_front(serving);
        } else {
            self.counters.add("sync_purse_empty");
        }
    }

    fn page_of_cells(&self, slots: &mut VecDeque<Slot>) -> Option<Vec<Cell>> {
        let mut page = Vec::new();
        let mut room = PAGE;
        while let Some(slot) = slots.front() {
            // One that is gone by now is not missed.
            if let Some(cell) = self.cells.at(slot) {
                let size = cell_size(cell);
                if size > room && !page.is_empty() {
                    break;
                }
                room = room.saturating_sub(size);
                page.push(cell.clone());
            }
            slots.pop_front();
        }
        (!page.is_empty()).then_some(page)
    }

    /// Whole buckets, as many as fit a frame, so that what is not named is known to be missing here.
    fn page_of_stamps(&self, buckets: &mut BTreeSet<u8>, after: &mut Option<Slot>) -> Option<SyncStamps> {
        let first = *buckets.first()?;
        let mut sizes = [0; BUCKETS];
        for held in self.cells.in_buckets(buckets) {
            sizes[usize::from(held.bucket)] += stamp_size(&held.cell.key);
        }
        let mut room = PAGE;
        let mut stamps = Vec::new();
        if sizes[usize::from(first)] < PAGE {
            let fits = |bucket: &&u8| {
                let left = room.checked_sub(sizes[usize::from(**bucket)] + 1);
                room = left.unwrap_or(room);
                left.is_some()
            };
            let page: BTreeSet<u8> = buckets.iter().take_while(fits).copied().collect();
            stamps.extend(self.cells.in_buckets(&page).map(|held| ((*held.cell.key).clone(), held.stamp)));
            buckets.retain(|bucket| !page.contains(bucket));
            return Some(SyncStamps { buckets: page.into_iter().collect(), stamps });
        }
        // Somebody filled this bucket on purpose. No part of it can say what is missing here: the exchange that the other
        // end begins tells that.
        let only = BTreeSet::from([first]);
        let sent = after.take();
        let mut all: Vec<(Slot, Stamp)> =
            self.cells.in_buckets(&only).map(|held| (self.cells.slot(&held.cell), held.stamp)).collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (slot, stamp) in all.into_iter().filter(|(slot, _)| sent.as_ref().is_none_or(|sent| slot > sent)) {
            let Some(left) = room.checked_sub(stamp_size(&slot.0)) else {
                return Some(SyncStamps { buckets: Vec::new(), stamps });
            };
            room = left;
            stamps.push(((*slot.0).clone(), stamp));
            *after = Some(slot);
        }
        *after = None;
        buckets.pop_first();
        Some(SyncStamps { buckets: Vec::new(), stamps })
    }

    /// Tells all of own writes.
    pub(crate) fn publish_cells(&mut self, cells: Vec<Cell>) {
        for page in split(cells, PUBLISHED, cell_size) {
            self.publish(Frame::Cells(page).encode());
        }
    }
}

/// Parts that each have at most so many bytes, or one item.
pub(crate) fn split<T>(items: Vec<T>, bytes: usize, size: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut parts: Vec<Vec<T>> = Vec::new();
    let mut room = 0;
    for item in items {
        let size = size(&item);
        if size > room || parts.is_empty() {
            parts.push(Vec::new());
            room = bytes;
        }
        room = room.saturating_sub(size);
        if let Some(part) = parts.last_mut() {
            part.push(item);
        }
    }
    parts
}

/// Bytes of a cell as it is sent and written down.
pub(crate) fn cell_size(cell: &Cell) -> usize {
    postcard::experimental::serialized_size(cell).unwrap_or(PAGE)
}

fn key_size(key: &CellKey) -> usize {
    key.object.len() + key.field.len() + 3
}

fn stamp_size(key: &CellKey) -> usize {
    key_size(key) + 10 + 32 + 16
}

#[cfg(test)]
#[path = "sync_tests.rs"]
mod tests;
