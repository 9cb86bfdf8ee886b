//! What of a room outlives the process (design R15): its cells, as bytes that the driver keeps and gives back.
//!
//! The replica notes where something changed, and hands it out when it is asked. So a driver writes when it can, any number
//! of changes of one register are one write, and nothing waits here for a slow disk but names. Presence is no cell, and is
//! never among it.

use std::collections::BTreeSet;

use crate::cell::Cell;
use crate::cells::Slot;
use crate::ids::Tick;
use crate::recorder::step::What;
use crate::replica::Replica;

/// Places that are noted one by one; beyond, everything counts as changed.
const NOTED_MAX: usize = 8_192;

/// One place where a cell is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The place, the same for ever.
    pub slot: Vec<u8>,
    /// The cell there; nothing when there is none any more.
    pub cell: Option<Vec<u8>>,
}

/// What changed since it was asked for last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptChanges {
    /// The places.
    pub cells: Vec<Kept>,
    /// These are all the cells there are: whatever else was kept of the room is to go.
    pub whole: bool,
    /// There is more, to be asked for.
    pub more: bool,
    /// With these written, all is kept up to this [`Replica::kept_version`], unless there is more.
    pub version: u64,
}

impl KeptChanges {
    /// How many bytes they are.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.cells.iter().map(|kept| kept.slot.len() + kept.cell.as_ref().map_or(0, Vec::len)).sum()
    }

    /// These and what was taken next, as one.
    #[must_use]
    pub fn and(mut self, next: KeptChanges) -> KeptChanges {
        // All the cells there are take the place of what was there before them.
        if next.whole {
            return next;
        }
        self.cells.extend(next.cells);
        (self.more, self.version) = (next.more, next.version);
        self
    }
}

/// The places that changed.
#[derive(Debug)]
pub(crate) struct Noted {
    /// Counts changes.
    version: u64,
    /// Nothing: too many to tell.
    places: Option<BTreeSet<Slot>>,
}

impl Noted {
    pub fn new() -> Self {
        Noted { version: 0, places: Some(BTreeSet::new()) }
    }

    pub fn note(&mut self, place: Slot) {
        self.version += 1;
        let Some(places) = &mut self.places else { return };
        places.insert(place);
        if places.len() > NOTED_MAX {
            self.places = None;
        }
    }

    /// How many places are remembered.
    pub fn count(&self) -> usize {
        self.places.as_ref().map_or(0, BTreeSet::len)
    }
}

impl Replica {
    /// From now on changes are noted, for [`take_changes`](Replica::take_changes). What is held now counts as kept.
    /// Twice is once.
    pub fn keep(&mut self) {
        if self.cells.noted().is_none() {
            self.cells.note_changes(Noted::new());
        }
    }

    /// Grows with every change of what is to be kept; 0 while nothing is.
    #[must_use]
    pub fn kept_version(&self) -> u64 {
        self.cells.noted().map_or(0, |noted| noted.version)
    }

    /// What changed, of about so many bytes, at least one place. After it could not be written, call
    /// [`keep_again`](Replica::keep_again).
    pub fn take_changes(&mut self, bytes: usize) -> KeptChanges {
        let Some(mut noted) = self.cells.take_noted() else { return KeptChanges::default() };
        let whole = noted.places.is_none();
        let mut places = noted.places.take().unwrap_or_else(|| self.cells.all_slots());
        let mut changes = KeptChanges { whole, version: noted.version, ..KeptChanges::default() };
        let mut taken = 0;
        while let Some(place) = places.pop_first() {
            let cell = self.cells.at(&place).map(|cell| postcard::to_stdvec(cell).unwrap_or_default());
            let slot = postcard::to_stdvec(&place).unwrap_or_default();
            taken += slot.len() + cell.as_ref().map_or(0, Vec::len);
            changes.cells.push(Kept { slot, cell });
            // All of it is one write, or a crash in between would cost what was there.
            if taken >= bytes && !whole {
                break;
            }
        }
        changes.more = !places.is_empty();
        noted.places = Some(places);
        self.cells.note_changes(noted);
        changes
    }

    /// What was taken was not written: everything counts as changed.
    pub fn keep_again(&mut self) {
        let Some(mut noted) = self.cells.take_noted() else { return };
        noted.places = None;
        noted.version += 1;
        self.cells.note_changes(noted);
    }

    /// Takes back cells that were kept, each judged as if it had come from anybody (design R13). For the time before
    /// [`keep`](Replica::keep) is called.
    pub fn restore_cells(&mut self, cells: &[Vec<u8>], now: Tick) {
        let read = |bytes: &Vec<u8>| postcard::from_bytes::<Cell>(bytes).ok();
        let found: Vec<Cell> = cells.iter().filter_map(read).collect();
        if found.len() < cells.len() {
            self.counters.add("kept_unreadable");
        }
        let _ = self.cells_in(found, now);
        if self.is_recorded() {
            self.note_step(&What::RestoreCells(cells.to_vec()), now);
        }
    }
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
