//! What really happened, which no observer can know: which records there were, when each ended and how.

use std::collections::BTreeMap;

use parlor_core::{LeftReason, MemberId, RowKey, SessionId};

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
    pub session: SessionId,
    /// The host of that session.
    pub host: usize,
    /// The row it was part of.
    pub row: RowKey,
    /// When it was joined.
    pub began: u64,
    /// When it ended and how.
    pub ended: Option<(u64, End)>,
}

/// All records of a story.
#[derive(Debug, Default)]
pub struct Truth {
    /// In the order of their joins.
    pub lives: Vec<Life>,
    /// When each session died.
    pub died: BTreeMap<SessionId, u64>,
    /// The host of each session, and its boot counter there.
    pub sessions: BTreeMap<SessionId, (usize, u64)>,
}

impl Truth {
    /// A join that succeeded; joining again begins nothing.
    pub fn joined(&mut self, session: SessionId, host: usize, row: &RowKey, now: u64) {
        if self.living(session, row).is_none() {
            self.lives.push(Life { session, host, row: row.clone(), began: now, ended: None });
        }
    }

    /// A join that was refused.
    pub fn forget(&mut self, session: SessionId, row: &RowKey) {
        self.lives.retain(|life| life.session != session || life.row != *row || life.ended.is_some());
    }

    /// The end of one record.
    pub fn ended(&mut self, session: SessionId, row: &RowKey, end: End, now: u64) {
        if let Some(life) = self.living(session, row) {
            life.ended = Some((now, end));
        }
    }

    /// The end of everything a session had.
    pub fn all_ended(&mut self, session: SessionId, end: End, now: u64) {
        for life in self.lives.iter_mut().filter(|life| life.session == session && life.ended.is_none()) {
            life.ended = Some((now, end));
        }
    }

    /// The rows that a session has now.
    #[must_use]
    pub fn rows_of(&self, session: SessionId) -> Vec<RowKey> {
        let now = self.lives.iter().filter(|life| life.session == session && life.ended.is_none());
        now.map(|life| life.row.clone()).collect()
    }

    /// Every record that a row ever had.
    pub fn of_row<'a>(&'a self, row: &'a RowKey) -> impl Iterator<Item = &'a Life> {
        self.lives.iter().filter(move |life| life.row == *row)
    }

    /// Whether a session had a member of this name.
    #[must_use]
    pub fn had(&self, session: SessionId, member: &MemberId) -> bool {
        self.lives.iter().any(|life| life.session == session && life.row.0 == *member)
    }

    /// Whether somebody may be told that a row left for this reason: nobody but its owner ends a record (design R3).
    #[must_use]
    pub fn allows(&self, row: &RowKey, reason: LeftReason) -> bool {
        let ended = |end: End| self.of_row(row).any(|life| life.ended.is_some_and(|(_, how)| how == end));
        match reason {
            LeftReason::Left => ended(End::Said) || ended(End::Expired),
            LeftReason::Expired => ended(End::Expired),
            LeftReason::Superseded => self.of_row(row).any(|life| self.outlived(life.session)),
            LeftReason::Evicted => false,
            LeftReason::Disconnected | LeftReason::Timeout => true,
        }
    }

    /// Whether a later run of the same host exists, which retires this one wherever it is seen.
    #[must_use]
    pub fn outlived(&self, session: SessionId) -> bool {
        let Some((host, boot)) = self.sessions.get(&session) else { return false };
        self.sessions.values().any(|(other, later)| other == host && later > boot)
    }

    fn living(&mut self, session: SessionId, row: &RowKey) -> Option<&mut Life> {
        self.lives.iter_mut().find(|life| life.session == session && life.row == *row && life.ended.is_none())
    }
}
