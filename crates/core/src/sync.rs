//! How lost cells are found and repaired (design R12): a hash in every heartbeat, then 256 bucket hashes, then the stamps
//! of the buckets that differ, then only what is newer.

use crate::cell::Cell;
use crate::cells::BUCKETS;
use crate::ids::{SessionId, Tick};
use crate::input::Verdict;
use crate::limits::FRAME_MAX;
use crate::peer::Futile;
use crate::replica::Replica;
use crate::wire::{Frame, SyncRequest, SyncStamps, SyncWant};

/// Own stillness before a sync, so that what is on its way may arrive.
const STILL_MS: u64 = 500;
/// Futile exchanges before the back-off begins, and its bounds.
const FUTILE: u32 = 3;
const BACK_OFF_MS: (u64, u64) = (2_000, 60_000);
/// Room for the envelope of a page.
const PAGE: usize = FRAME_MAX - 256;

impl Replica {
    /// Holds a beat's hash against ours. `fresh`: the first beat of a new link, where a difference is repaired at once.
    pub(crate) fn compare_cells(&mut self, peer_id: SessionId, theirs: u64, fresh: bool, now: Tick) {
        let mine = self.cells.hash();
        let still = now.since(self.cells_changed) >= STILL_MS;
        let Some(peer) = self.peers.get_mut(&peer_id) else { return };
        if theirs == mine {
            peer.cell_mismatches = 0;
            peer.futile = Futile::default();
            return;
        }
        peer.cell_mismatches = peer.cell_mismatches.saturating_add(1);
        let due = fresh || (peer.cell_mismatches >= 2 && still);
        if !due || !peer.linked || (now < peer.futile.not_before && peer.futile.pair == (mine, theirs)) {
            return;
        }
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

    pub(crate) fn sync_request_in(&mut self, author: SessionId, request: &SyncRequest) -> Verdict {
        if request.buckets.len() != BUCKETS {
            self.counters.add("sync_unreadable");
            return Verdict::Reject;
        }
        let mine = self.cells.buckets();
        let differing: Vec<u8> = (0u8..=255)
            .zip(mine.iter().zip(&request.buckets))
            .filter(|(_, (mine, theirs))| mine != theirs)
            .map(|(bucket, _)| bucket)
            .collect();
        // A page of buckets at a time, so that one answer always fits one frame.
        for buckets in differing.chunks(8) {
            let stamps = self.cells.stamps(buckets);
            let frame = Frame::SyncStamps(SyncStamps { buckets: buckets.to_vec(), stamps }).encode();
            if frame.len() <= FRAME_MAX {
                self.send(author, frame);
            } else {
                for bucket in buckets {
                    let stamps = self.cells.stamps(&[*bucket]);
                    self.send(author, Frame::SyncStamps(SyncStamps { buckets: vec![*bucket], stamps }).encode());
                }
            }
        }
        Verdict::Ignore
    }

    pub(crate) fn sync_stamps_in(&mut self, author: SessionId, theirs: SyncStamps) -> Verdict {
        let mut want = Vec::new();
        let mut newer = Vec::new();
        for (key, stamp) in &theirs.stamps {
            match self.cells.stamp(key) {
                Some(held) if held > *stamp => newer.extend(self.cells.get(key).cloned()),
                Some(held) if held == *stamp => {}
                _ => want.push(key.clone()),
            }
        }
        for (key, _) in self.cells.stamps(&theirs.buckets) {
            if !theirs.stamps.iter().any(|(held, _)| *held == key) {
                newer.extend(self.cells.get(&key).cloned());
            }
        }
        self.send_cells(author, newer);
        for keys in want.chunks(100) {
            self.send(author, Frame::SyncWant(SyncWant { keys: keys.to_vec() }).encode());
        }
        Verdict::Ignore
    }

    pub(crate) fn sync_want_in(&mut self, author: SessionId, want: SyncWant) -> Verdict {
        let cells: Vec<Cell> = want.keys.iter().filter_map(|key| self.cells.get(key).cloned()).collect();
        self.send_cells(author, cells);
        Verdict::Ignore
    }

    pub(crate) fn cells_in(&mut self, cells: Vec<Cell>, now: Tick) -> Verdict {
        let mut changed = Vec::new();
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
            let field = cell.key.field.clone();
            if self.cells.apply(cell) {
                changed.push(field);
            }
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
