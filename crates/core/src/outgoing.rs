//! What is told to the others, and when: deltas at an adaptive rate, heartbeats, whole records (design R4, R5, R6, A7).

use crate::ids::{SessionId, Tick};
use crate::limits::{BEAT_MS, FRAME_MAX, TOP_KEYS};
use crate::own::OwnRecord;
use crate::peer::{records_hash, sessions_hash};
use crate::replica::Replica;
use crate::value::Json;
use crate::wire::{Beat, Delta, Frame, Full, Leave, Pulse};

/// Deltas a second with somebody to see them, in a small room.
const RATE_MAX: u64 = 30;
/// Frames a second that all members of a big room together may send.
const RATE_SHARED: u64 = 240;
/// The most that a heartbeat adds to a delta.
const PULSE_BYTES: usize = 32;

impl Replica {
    /// Milliseconds between two deltas: 30 a second with other sessions here, 1 alone, fewer in a big room (design A7).
    fn delta_interval(&self) -> u64 {
        let others = self.peers.values().filter(|peer| !peer.records.is_empty() || peer.watches()).count() as u64;
        match others {
            0 => 1000,
            others => 1000 / (RATE_SHARED / others).clamp(1, RATE_MAX),
        }
    }

    /// The first change goes out at once, later ones when their turn comes; the last value always does.
    pub(crate) fn schedule_flush(&mut self, now: Tick) {
        if self.flush_at.is_none() {
            let turn = self.told_at.map_or(now, |at| at.plus(self.delta_interval()));
            self.flush_at = Some(turn.max(now));
        }
    }

    /// Somebody new is here to see: a turn that was set while alone comes sooner.
    pub(crate) fn hasten_flush(&mut self, now: Tick) {
        if let (Some(at), Some(told)) = (self.flush_at, self.told_at) {
            self.flush_at = Some(at.min(told.plus(self.delta_interval()).max(now)));
        }
    }

    pub(crate) fn flush(&mut self, now: Tick) {
        self.flush_at = None;
        self.told_at = Some(now);
        let dirty: Vec<u32> =
            self.own.iter().filter(|(_, record)| record.dirty).map(|(incarnation, _)| *incarnation).collect();
        let relay = self.wants_relay();
        let last = dirty.last().copied();
        for incarnation in dirty {
            let seq = self.next_seq();
            let Some(record) = self.own.get_mut(&incarnation) else { continue };
            let whole = record.whole;
            let [since, _] = record.told;
            let mut delta = Delta {
                relay,
                seq,
                rev: record.rev,
                span: record.rev.0 - since.0,
                incarnation,
                act: record.act,
                fields: record.fields.changes(since, record.rev, now),
                pulse: None,
            };
            record.mark_told();
            if whole {
                // Removals were forgotten: whoever misses this frame must see a gap in the next.
                record.mark_told();
            }
            let few = !whole && delta.fields.len() <= 2 * TOP_KEYS;
            let mut bytes = Frame::Delta(delta.clone()).encode();
            if few && bytes.len() + PULSE_BYTES <= FRAME_MAX {
                // The next turn would be too late for the heartbeat: it rides along (design R6).
                if last == Some(incarnation) && self.beat_at <= now.plus(self.delta_interval()) {
                    delta.pulse = Some(self.pulse());
                    self.beat_done(now);
                    bytes = Frame::Delta(delta).encode();
                }
                self.publish(bytes);
            } else {
                // Many or large fields changed within two frames: the whole record is smaller.
                if let Some(full) = self.full(incarnation, None, now) {
                    self.publish(full);
                }
            }
        }
    }

    pub(crate) fn publish_beat(&mut self, now: Tick) {
        let beat = self.beat();
        self.publish(beat);
        self.beat_done(now);
    }

    fn beat_done(&mut self, now: Tick) {
        let jitter = BEAT_MS / 5;
        self.beat_at = now.plus(self.random.u64(BEAT_MS - jitter..=BEAT_MS + jitter));
    }

    pub(crate) fn beat(&mut self) -> Vec<u8> {
        let relay = self.wants_relay();
        let seq = self.next_seq();
        Frame::Beat(Beat { relay, seq, rev: self.rev, pulse: self.pulse() }).encode()
    }

    fn pulse(&self) -> Pulse {
        let told = self.own.iter().map(|(incarnation, record)| (&record.member, *incarnation, record.told[1]));
        Pulse {
            count: u32::try_from(self.own.len()).unwrap_or(u32::MAX),
            records: records_hash(told),
            cells: self.cells.hash(),
            links: self.links_hash(),
        }
    }

    /// Every own record, whole. What waits for its turn is told to all first: whoever gets a whole record would otherwise
    /// be ahead of what the heartbeat says, and ask for nothing.
    pub(crate) fn fulls(&mut self, echo: Option<u64>, now: Tick) -> Vec<Vec<u8>> {
        if self.own.values().any(|record| record.dirty) {
            self.flush(now);
        }
        let incarnations: Vec<u32> = self.own.keys().copied().collect();
        incarnations.into_iter().filter_map(|incarnation| self.full(incarnation, echo, now)).collect()
    }

    pub(crate) fn full(&mut self, incarnation: u32, echo: Option<u64>, now: Tick) -> Option<Vec<u8>> {
        let seq = self.next_seq();
        let session = self.session();
        let roster = self.own.keys().copied().collect();
        let certificate = self.config.certificate.clone();
        let record: &OwnRecord = self.own.get(&incarnation)?;
        let full = Full {
            seq,
            echo,
            certificate,
            actor: record.who.claim(session),
            member: record.member.clone(),
            incarnation,
            roster,
            joined_ms: record.joined_ms,
            rev: record.rev,
            act: record.act,
            metadata: Json(record.metadata.clone().into()),
            fields: record.fields.live(record.rev, now),
        };
        Some(Frame::Full(Box::new(full)).encode())
    }

    pub(crate) fn publish_leave(&mut self, incarnation: u32, expired: bool) {
        let seq = self.next_seq();
        self.publish(Frame::Leave(Leave { seq, incarnation, expired }).encode());
    }

    /// Sessions with members here that this one is linked to, itself included when it has one (design N4).
    pub(crate) fn links_hash(&self) -> u32 {
        let mut linked: Vec<SessionId> = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.linked && !peer.records.is_empty())
            .map(|(session, _)| *session)
            .collect();
        if !self.own.is_empty() {
            linked.push(self.session());
        }
        linked.sort_unstable();
        sessions_hash(&linked)
    }

    /// While somebody's links differ from ours, frames have to be passed on to reach everyone (design N4).
    fn wants_relay(&self) -> bool {
        let mine = self.links_hash();
        self.peers.values().filter_map(|peer| peer.pulse).any(|pulse| pulse.links != mine)
    }
}
