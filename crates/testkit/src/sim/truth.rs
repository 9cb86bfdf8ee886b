//! What really happened, which no observer can know: which records there were, when each ended and how, and who wrote
//! which value.

use parlor_core::{LeftReason, MemberId, RowKey};
use rustc_hash::FxHashMap;

use super::sessions::{Session, Sessions};

/// A record that ended so long ago can be heard of by nobody any more: longer than anybody sleeps.
const FORGET_MS: u64 = 2 * 3_600_000;

/// How a record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its owner said so.
    Said,
    /// Its client lease ran out, and its owner said so.
    Expired,
    /// Its process died.
    Died,
}

/// One record, from its join to its end.
#[derive(Clone, Debug)]
pub struct Life {
    /// The session that wrote it.
    pub session: Session,
    /// When it was joined.
    pub began: u64,
    /// When it ended and how.
    pub ended: Option<(u64, End)>,
}

/// All records that a row ever had.
#[derive(Clone, Debug, Default)]
pub struct RowLife {
    /// In the order of their joins, without those that were forgotten.
    pub lives: Vec<Life>,
    /// How many were forgotten.
    pub forgotten: usize,
    /// The session of those that were forgotten, when it was one alone.
    forgotten_of: Option<Session>,
    said: bool,
    expired: bool,
    outlived: bool,
}

/// All records of a story, and all values.
#[derive(Debug, Default)]
pub struct Truth {
    rows: FxHashMap<RowKey, RowLife>,
    held: FxHashMap<Session, Vec<RowKey>>,
    /// Who wrote each value; the value is the place.
    writers: Vec<Option<Session>>,
    /// Records there ever were.
    pub records: u64,
}

impl Truth {
    /// A number that was never written before, greater than all that were.
    pub(crate) fn fresh(&mut self, writer: Option<Session>) -> u64 {
        if self.writers.is_empty() {
            self.writers.push(None);
        }
        self.writers.push(writer);
        self.writers.len() as u64 - 1
    }

    /// Who wrote a value, if anybody did.
    #[must_use]
    pub fn writer(&self, value: u64) -> Option<Session> {
        *self.writers.get(usize::try_from(value).ok()?)?
    }

    /// A join that succeeded; joining again begins nothing.
    pub(crate) fn joined(&mut self, session: Session, row: &RowKey, now: u64) {
        let held = self.held.entry(session).or_default();
        if !held.contains(row) {
            held.push(row.clone());
            self.records += 1;
            self.rows.entry(row.clone()).or_default().lives.push(Life { session, began: now, ended: None });
        }
    }

    /// A join that was refused.
    pub(crate) fn forget(&mut self, session: Session, row: &RowKey) {
        self.held.entry(session).or_default().retain(|held| held != row);
        if let Some(of_row) = self.rows.get_mut(row) {
            of_row.lives.retain(|life| life.session != session || life.ended.is_some());
        }
    }

    /// The end of one record.
    pub(crate) fn ended(&mut self, session: Session, row: &RowKey, end: End, now: u64) {
        if let Some(held) = self.held.get_mut(&session) {
            held.retain(|other| other != row);
        }
        let Some(of_row) = self.rows.get_mut(row) else { return };
        of_row.said |= end == End::Said;
        of_row.expired |= end == End::Expired;
        if let Some(life) = of_row.lives.iter_mut().find(|life| life.session == session && life.ended.is_none()) {
            life.ended = Some((now, end));
        }
    }

    /// The end of everything a session had.
    pub(crate) fn all_ended(&mut self, session: Session, end: End, now: u64) {
        for row in self.held.remove(&session).unwrap_or_default() {
            self.ended(session, &row, end, now);
        }
    }

    /// The rows that a session has now, in the order of their joins.
    #[must_use]
    pub fn rows_of(&self, session: Session) -> &[RowKey] {
        self.held.get(&session).map_or(&[], Vec::as_slice)
    }

    /// Every record that a row ever had.
    #[must_use]
    pub fn of_row(&self, row: &RowKey) -> Option<&RowLife> {
        self.rows.get(row)
    }

    /// Whether a session had a member of this name, as far as is remembered.
    #[must_use]
    pub fn had(&self, session: Session, member: &MemberId) -> bool {
        let mut named = self.rows.iter().filter(|(row, _)| row.0 == *member);
        named.any(|(_, of_row)| of_row.lives.iter().any(|life| life.session == session))
    }

    /// Whether somebody may be told that a row left for this reason: nobody but its owner ends a record (design R3).
    #[must_use]
    pub fn allows(&self, sessions: &Sessions, row: &RowKey, reason: LeftReason) -> bool {
        let Some(of_row) = self.rows.get(row) else { return false };
        match reason {
            LeftReason::Left => of_row.said || of_row.expired,
            LeftReason::Expired => of_row.expired,
            LeftReason::Superseded => {
                of_row.outlived || of_row.lives.iter().any(|life| sessions.outlived(life.session))
            }
            LeftReason::Evicted | LeftReason::Excluded => false,
            LeftReason::Disconnected | LeftReason::Timeout => true,
        }
    }

    /// Forgets records that ended long ago.
    pub(crate) fn forget_old(&mut self, sessions: &Sessions, now: u64) {
        for of_row in self.rows.values_mut() {
            let old = |life: &Life| life.ended.is_some_and(|(at, _)| now.saturating_sub(at) > FORGET_MS);
            for life in of_row.lives.iter().filter(|life| old(life)) {
                let same = of_row.forgotten == 0 || of_row.forgotten_of == Some(life.session);
                of_row.forgotten_of = Some(life.session).filter(|_| same);
                of_row.forgotten += 1;
                of_row.outlived |= sessions.outlived(life.session);
            }
            of_row.lives.retain(|life| !old(life));
        }
    }
}

impl RowLife {
    /// How many records there were, forgotten ones included, when all are of one session.
    #[must_use]
    pub fn of_one_session(&self) -> Option<usize> {
        let first = self.lives.first().map(|life| life.session).or(self.forgotten_of)?;
        let alone = self.lives.iter().all(|life| life.session == first)
            && (self.forgotten == 0 || self.forgotten_of == Some(first));
        alone.then_some(self.lives.len() + self.forgotten)
    }
}
