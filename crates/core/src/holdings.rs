//! What a replica holds, counted: every map and list that could grow, so that an inspector can show it and a test can
//! hold it against its bound.

use crate::cell::CellKind;
use crate::kept::Noted;
use crate::replica::Replica;

/// Counts of everything that a replica keeps. Each has a bound, which stands beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Other sessions that are known: 512 and those that are linked.
    pub sessions: usize,
    /// Records of members, own ones included: 256, and one session's own beyond that.
    pub records: usize,
    /// Fields of all these records: 256 a record of another, 128 an own one.
    pub fields: usize,
    /// Rows that readers see, at most one a record.
    pub rows: usize,
    /// Places for rows, as many as there ever were at once.
    pub places: usize,
    /// Sessions that are over: 1,024.
    pub departed: usize,
    /// Their records that are over: 256 a session.
    pub buried: usize,
    /// Incarnations that sessions named or that made room: 256 a session, and what fits a frame.
    pub incarnations: usize,
    /// Keys of the room's metadata, deleted ones counted: 1,024 and three.
    pub metadata: usize,
    /// Registers of the board, those of removed notes counted: 32,768.
    pub board: usize,
    /// Messages: 500.
    pub log: usize,
    /// Notes that are shown, at most one a register.
    pub notes: usize,
    /// Leaves to be said again, two for each of the last 400 milliseconds.
    pub leaves: usize,
    /// Questions to be answered: 8.
    pub questions: usize,
    /// Others that were asked about those who fell silent: 6 for each of them.
    pub witnesses: usize,
    /// Answers to peers that wait to be fetched.
    pub answers: usize,
    /// Places whose change the driver has not asked for yet: 8,192.
    pub noted: usize,
    /// What the driver has not fetched yet.
    pub outputs: usize,
    /// Bytes of all registers and messages as they are written down.
    pub stored_bytes: usize,
}

impl Replica {
    /// Counts what is held here. Goes through all of it: for people who look, not for every frame.
    #[must_use]
    pub fn holdings(&self) -> Holdings {
        let peers = || self.peers.values();
        let records = || peers().flat_map(|peer| peer.records.values());
        let named = |peer: &crate::peer::Peer| {
            peer.roster.1.len() + peer.evicted.as_ref().map_or(0, |(_, records)| records.len())
        };
        let own = self.own.values().map(|record| record.fields.len());
        let (departed, buried) = self.departed.count();
        Holdings {
            sessions: self.peers.len(),
            records: records().count() + self.own.len(),
            fields: records().map(|record| record.fields.len()).chain(own).sum(),
            rows: self.rows.len(),
            places: self.rows.places(),
            departed,
            buried,
            incarnations: peers().map(|peer| named(peer)).sum(),
            metadata: self.cells.count(CellKind::Metadata),
            board: self.cells.count(CellKind::Board),
            log: self.cells.count(CellKind::Log),
            notes: self.notes.len(),
            leaves: self.leaving.len(),
            questions: self.questions.len(),
            witnesses: peers().filter_map(|peer| peer.case.as_ref()).map(|case| case.count()).sum(),
            answers: self.serving.len(),
            noted: self.cells.noted().map_or(0, Noted::count),
            outputs: self.outputs(),
            stored_bytes: self.cells.stored_bytes(),
        }
    }
}
