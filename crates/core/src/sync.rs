//! How lost cells are found and repaired (design R12): a hash in every heartbeat, then 256 bucket hashes, then the stamps
//! of the buckets that differ, then only what is newer.

use std::collections::BTreeSet;

use crate::cell::{Cell, CellKey, HLC_MAX};
use crate::cells::BUCKETS;
use crate::ids::{SessionId, Tick};
use crate::input::Verdict;
use crate::limits::{FRAME_MAX, KEY_MAX};
use crate::peer::{Futile, Syncing};
use crate::replica::Replica;
use crate::wire::{Frame, SyncRequest, SyncStamps, SyncWant};

/// Own stillness before a sync, so that what is on its way may arrive.
const STILL_MS: u64 = 500;
/// Futile exchanges before the back-off begins, and its bounds.
const FUTILE: u32 = 3;
const BACK_OFF_MS: (u64, u64) = (2_000, 60_000);
/// Room for the envelope of a page.
const PAGE: usize = FRAME_MAX - 256;
/// One exchange of cells in a room at a time: the next waits this long.
const IN_FLIGHT_MS: u64 = 500;
/// Stamps that come later than this are no answer any more.
const ANSWER_MS: u64 = 10_000;
/// Stamps, or keys that are wanted, in one frame: a key has 64 bytes at most, a stamp 58.
const STAMPS: usize = 80;
const _: () = assert!(STAMPS * (KEY_MAX + 70) + 256 < PAGE, "so many stamps fit a frame");

impl Replica {
    /// Holds a heartbeat's hash against ours. In the first one of a new link a difference is repaired at once.
    pub(crate) fn compare_cells(&mut self, peer_id: SessionId, theirs: u64, now: Tick) {
        let mine = self.cells.hash();
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
        if peer.futile.count >= FUTILE {
            let wait = BACK_OFF_MS.0.saturating_mul(1 << (peer.futile.count - FUTILE).min(5)).min(BACK_OFF_MS.1);
            peer.futile.not_before = now.plus(wait);
            self.counters.add("diverged");
        }
        self.counters.add("syncs");
        let request = SyncRequest { buckets: self.cells.buckets() };
        self.send(peer_id, Frame::SyncRequest(request).encode());
    }

    pub(crate) fn sync_request_in(&mut self, author: SessionId, request: &SyncRequest, now: Tick) -> Verdict {
        if request.buckets.len() != BUCKETS {
            self.counters.add("sync_unreadable");
            return Verdict::Reject;
        }
        let peer = self.peer(author, now);
        if peer.served.is_some_and(|at| now.since(at) < IN_FLIGHT_MS / 2) {
            self.counters.add("sync_too_often");
            return Verdict::Ignore;
        }
        peer.served = Some(now);
        let mine = self.cells.buckets();
        let differing: Vec<u8> = (0u8..=255)
            .zip(mine.iter().zip(&request.buckets))
            .filter(|(_, (mine, theirs))| mine != theirs)
            .map(|(bucket, _)| bucket)
            .collect();
        // Whole buckets, as many as fit a frame, so that what is not named is known to be missing here.
        let mut all = self.cells.by_bucket();
        let mut page = SyncStamps { buckets: Vec::new(), stamps: Vec::new() };
        for bucket in differing {
            let stamps = all.remove(&bucket).unwrap_or_default();
            if stamps.len() > STAMPS {
                // Somebody filled this bucket on purpose. No part of it can say what is missing here: the exchange that
                // the other end begins tells that.
                for part in stamps.chunks(STAMPS) {
                    let part = SyncStamps { buckets: Vec::new(), stamps: part.to_vec() };
                    self.send(author, Frame::SyncStamps(part).encode());
                }
                continue;
            }
            if page.stamps.len() + stamps.len() > STAMPS {
                let full = std::mem::replace(&mut page, SyncStamps { buckets: Vec::new(), stamps: Vec::new() });
                self.send(author, Frame::SyncStamps(full).encode());
            }
            page.buckets.push(bucket);
            page.stamps.extend(stamps);
        }
        if !page.buckets.is_empty() {
            self.send(author, Frame::SyncStamps(page).encode());
        }
        Verdict::Ignore
    }

    pub(crate) fn sync_stamps_in(&mut self, author: SessionId, theirs: &SyncStamps, now: Tick) -> Verdict {
        // Taken as an answer only: who could send them unasked could have all cells sent at will.
        let syncing = self.peers.get_mut(&author).and_then(|peer| peer.syncing.as_mut());
        let Some(syncing) = syncing.filter(|syncing| now <= syncing.until) else {
            self.counters.add("sync_unasked");
            return Verdict::Ignore;
        };
        let buckets: Vec<u8> = theirs.buckets.iter().copied().filter(|bucket| syncing.buckets.remove(bucket)).collect();
        let mut want = Vec::new();
        let mut newer = Vec::new();
        for (key, stamp) in &theirs.stamps {
            match self.cells.stamp(key) {
                Some(held) if held > *stamp => newer.extend(self.cells.get(key).cloned()),
                Some(held) if held == *stamp => {}
                _ if key.is_valid() && stamp.hlc <= HLC_MAX => want.push(key.clone()),
                _ => self.counters.add("sync_stamp_refused"),
            }
        }
        let named: BTreeSet<&CellKey> = theirs.stamps.iter().map(|(key, _)| key).collect();
        for (key, _) in self.cells.stamps(&buckets) {
            if !named.contains(&key) {
                newer.extend(self.cells.get(&key).cloned());
            }
        }
        self.send_cells(author, newer);
        for keys in want.chunks(STAMPS) {
            self.send(author, Frame::SyncWant(SyncWant { keys: keys.to_vec() }).encode());
        }
        Verdict::Ignore
    }

    pub(crate) fn sync_want_in(&mut self, author: SessionId, want: &SyncWant) -> Verdict {
        let keys: BTreeSet<&CellKey> = want.keys.iter().take(STAMPS).collect();
        let cells: Vec<Cell> = keys.into_iter().filter_map(|key| self.cells.get(key).cloned()).collect();
        self.send_cells(author, cells);
        Verdict::Ignore
    }

    pub(crate) fn cells_in(&mut self, cells: Vec<Cell>, now: Tick) -> Verdict {
        let mut changed = false;
        let mut refused = false;
        for cell in cells {
            if self.cells.stamp(&cell.key).is_some_and(|held| held >= cell.stamp()) {
                continue;
            }
            if let Some(why) = cell.refusal(&self.root, &*self.verifier) {
                self.counters.add(why);
                refused = true;
                continue;
            }
            changed |= self.cells.apply(cell);
        }
        self.cells_were_changed(changed, now);
        if refused { Verdict::Ignore } else { Verdict::Accept }
    }

    fn send_cells(&mut self, to: SessionId, cells: Vec<Cell>) {
        for page in pages(cells) {
            self.send(to, Frame::Cells(page).encode());
        }
    }
}

/// Cells in pages that each fit a frame.
pub(crate) fn pages(cells: Vec<Cell>) -> Vec<Vec<Cell>> {
    let mut pages: Vec<Vec<Cell>> = Vec::new();
    let mut room = 0;
    for cell in cells {
        let size = postcard::experimental::serialized_size(&cell).unwrap_or(PAGE);
        if size > room || pages.is_empty() {
            pages.push(Vec::new());
            room = PAGE;
        }
        room = room.saturating_sub(size);
        if let Some(page) = pages.last_mut() {
            page.push(cell);
        }
    }
    pages
}
