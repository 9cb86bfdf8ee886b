//! Runs of a profile that end others (design R2), and who makes room when there are too many (design R11).
//!
//! A later run of the same profile retires every earlier one wherever it is seen. A full room evicts the stalest record
//! and never refuses a newcomer; what was evicted is not taken in again for a while, or it and the newcomer would push
//! each other out with every heartbeat. A session that has many records makes place before those that have few, so that
//! nobody fills a room alone; and one that this replica is linked to goes after those that it only hears of, so that
//! nobody fills it with people who are not there.

use std::cmp::Reverse;

use crate::ids::{SessionId, Tick};
use crate::limits::{MEMBERS_MAX, STALE_MS};
use crate::peer::{Peer, Record};
use crate::proof::Certificate;
use crate::replica::Replica;
use crate::view::{LeftReason, RowKey};

/// Sessions that a replica remembers, those that only look on included.
const PEERS_MAX: usize = 2 * MEMBERS_MAX;
/// A session with more records than this has many.
const MANY: usize = MEMBERS_MAX / 8;
/// For so long an evicted record stays out, unless there is room again.
const EVICTED_MS: u64 = 30_000;

impl Replica {
    /// A greater boot counter of the same profile retires its older sessions at once (design R2).
    pub(crate) fn supersede(&mut self, newer: &Certificate) -> Vec<RowKey> {
        let same = |held: &Certificate| {
            held.identity == newer.identity && held.profile == newer.profile && held.boot < newer.boot
        };
        let older: Vec<SessionId> = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.certificate.as_ref().is_some_and(same))
            .map(|(session, _)| *session)
            .collect();
        older.into_iter().flat_map(|session| self.retire(session)).collect()
    }

    /// Whether a later run of this profile is known here: another session, or this very process.
    pub(crate) fn is_outlived(&self, certificate: &Certificate) -> bool {
        let later = |held: &Certificate| {
            held.identity == certificate.identity && held.profile == certificate.profile && held.boot > certificate.boot
        };
        later(&self.config.certificate) || self.peers.values().filter_map(|peer| peer.certificate.as_ref()).any(later)
    }

    /// A session is over as a whole; the rows that it was part of.
    pub(crate) fn retire(&mut self, session: SessionId) -> Vec<RowKey> {
        self.departed.retire(session);
        let Some(peer) = self.peers.get_mut(&session) else { return Vec::new() };
        peer.pulse = None;
        let records = std::mem::take(&mut peer.records);
        records.into_values().map(|record| (record.member, record.actor.user_id)).collect()
    }

    /// A full room makes place for a newcomer: one record goes of a session that fell silent, else of the one that has the
    /// most of those that have many, else of the one that was heard longest ago.
    pub(crate) fn evict_over_cap(&mut self, newcomer: SessionId, now: Tick) {
        while self.records() > MEMBERS_MAX {
            let stalest = self
                .peers
                .iter()
                .filter(|(_, peer)| !peer.records.is_empty())
                .min_by_key(|(session, peer)| {
                    let many = Reverse(Some(peer.records.len()).filter(|count| *count > MANY));
                    (!peer.stale, many, **session == newcomer, peer.linked, peer.heard, **session)
                })
                .map(|(session, _)| *session);
            let Some((session, record)) = stalest.and_then(|session| Some((session, self.evict(session, now)?))) else {
                return;
            };
            self.counters.add("member_evicted");
            self.refresh(&(record.member, record.actor.user_id), LeftReason::Evicted, now);
            if session == newcomer {
                // One session alone fills the room.
                return;
            }
        }
    }

    fn evict(&mut self, session: SessionId, now: Tick) -> Option<Record> {
        let peer = self.peers.get_mut(&session)?;
        let incarnation = *peer.records.keys().next()?;
        let record = peer.records.remove(incarnation)?;
        let evicted = peer.evicted.get_or_insert_default();
        evicted.0 = now;
        evicted.1.insert(incarnation);
        if evicted.1.len() > MEMBERS_MAX {
            evicted.1.pop_first();
        }
        Some(record)
    }

    /// Whether a record is kept out for now: it made room, and there is none for it.
    pub(crate) fn is_kept_out(&mut self, session: SessionId, incarnation: u32, now: Tick) -> bool {
        let full = self.records() >= MEMBERS_MAX;
        let Some(peer) = self.peers.get_mut(&session) else { return false };
        if peer.evicted.as_ref().is_some_and(|(at, _)| !full || now.since(*at) >= EVICTED_MS) {
            peer.evicted = None;
        }
        peer.evicted.as_ref().is_some_and(|(_, records)| records.contains(&incarnation))
    }

    /// Whether something of a session is kept out, so that its heartbeat cannot agree with what is here.
    pub(crate) fn is_cut_short(&self, session: SessionId, now: Tick) -> bool {
        let peer = self.peers.get(&session);
        let evicted = peer.and_then(|peer| peer.evicted.as_ref());
        evicted.is_some_and(|(at, _)| now.since(*at) < EVICTED_MS && self.records() >= MEMBERS_MAX)
    }

    fn records(&self) -> usize {
        self.own.len() + self.peers.sum().records
    }

    /// The peer, made when it is new; the stalest of those without members makes place.
    pub(crate) fn peer(&mut self, id: SessionId, now: Tick) -> &mut Peer {
        if self.peers.len() >= PEERS_MAX && !self.peers.contains_key(&id) {
            let stalest = self
                .peers
                .iter()
                .filter(|(_, peer)| peer.records.is_empty() && !peer.linked)
                .min_by_key(|(session, peer)| (peer.heard, **session))
                .map(|(session, _)| *session);
            if let Some(session) = stalest {
                self.counters.add("peer_evicted");
                self.peers.remove(&session);
            }
        }
        let due = &mut self.peers_due;
        self.peers.get_or_insert_with(id, || {
            *due = now.plus(STALE_MS).min(*due);
            Peer::new(id, now)
        })
    }
}

#[cfg(test)]
#[path = "sessions_tests.rs"]
mod tests;
