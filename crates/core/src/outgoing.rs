//! What is told to the others, and when: deltas at an adaptive rate, heartbeats, whole records (design R4, R5, R6, A7).

use crate::delta;
use crate::ids::Tick;
use crate::input::Way;
use crate::limits::{BEAT_MS, FRAME_MAX, FRAME_OBJECTS_MAX, TOP_KEYS};
use crate::own::OwnRecord;
use crate::peer::records_hash;
use crate::peers::Sum;
use crate::raw::Raw;
use crate::replica::Replica;
use crate::view::Event;
use crate::weight;
use crate::wire::{Beat, Frame, Full, Leave, Pulse};

/// Changes that are told in one frame, as they are written.
#[derive(Default)]
struct Told {
    count: usize,
    bytes: Vec<u8>,
    /// Objects that they are made of.
    objects: usize,
}

impl Told {
    fn has_room_for(&self, more: &Told) -> bool {
        self.bytes.len() + more.bytes.len() <= PAGE_BYTES && self.objects + more.objects <= FRAME_OBJECTS_MAX
    }

    fn add(&mut self, more: &Told) {
        self.count += more.count;
        self.bytes.extend_from_slice(&more.bytes);
        self.objects += more.objects;
    }
}

/// Microseconds between two frames with somebody to see them, in a small room: 30 a second.
const TURN_MIN_US: u64 = 1_000_000 / 30;
/// The same alone, and in the biggest room: 1 a second.
const TURN_MAX_US: u64 = 1_000_000;
/// Frames a second that all members of a big room together may send.
const RATE_SHARED: u64 = 240;
/// Sessions without a link that count however few links there are.
const FAR: u64 = 6;
/// The most that a heartbeat adds to a delta, and what a delta is besides its changes.
const PULSE_BYTES: usize = 32;
const HEAD_BYTES: usize = 24;
/// Changes of one frame.
const PAGE_BYTES: usize = FRAME_MAX - HEAD_BYTES - PULSE_BYTES;
/// Room for what is written of a record, as long as one cursor moved.
const CHANGE_BYTES: usize = 64;

/// Microseconds between two frames with so many others.
fn turn_us(others: u64) -> u64 {
    (others * 1_000_000 / RATE_SHARED).clamp(TURN_MIN_US, TURN_MAX_US)
}

/// The same in milliseconds, for those who set values: one of theirs for each frame, and not now and then two.
pub(crate) fn pace_ms(others: u64) -> u32 {
    u32::try_from(turn_us(others).div_ceil(1000)).unwrap_or(u32::MAX)
}

impl Replica {
    /// Microseconds between two frames of changes: 30 a second with other sessions here, 1 alone, fewer in a big room
    /// (design A7).
    pub(crate) fn turn_us(&self) -> u64 {
        match self.company() {
            0 => TURN_MAX_US,
            others => turn_us(others),
        }
    }

    /// The same in milliseconds, for what is not to wait because nobody is known yet.
    pub(crate) fn shared_turn_ms(&self) -> u64 {
        turn_us(self.company()) / 1000
    }

    /// Tells the rate when it is another than before.
    fn tell_pace(&mut self) {
        let pace_ms = pace_ms(self.company());
        if pace_ms != std::mem::replace(&mut self.pace_ms, pace_ms) {
            self.emit(Event::Pace { pace_ms });
        }
    }

    /// Other sessions, as the rate counts them. Those without a link of their own cannot be told from ones that somebody
    /// made up, and slow nobody down beyond what those with one do, or a small room would.
    fn company(&self) -> u64 {
        let Sum { linked, far, .. } = self.peers.sum();
        linked + u64::min(far, linked.max(FAR))
    }

    fn next_turn(&self, told_us: u64) -> Tick {
        Tick(told_us.saturating_add(self.turn_us()).div_ceil(1000))
    }

    /// The first change goes out at once, later ones when their turn comes; the last value always does.
    pub(crate) fn schedule_flush(&mut self, now: Tick) {
        // The rate and the links are asked for several times from here on.
        self.peers.settle();
        if self.flush_at.is_none() {
            self.flush_at = Some(self.told_us.map_or(now, |told| self.next_turn(told)).max(now));
        }
    }

    /// Somebody new is here to see: a turn that was set while alone comes sooner.
    pub(crate) fn hasten_flush(&mut self, now: Tick) {
        if let (Some(at), Some(told)) = (self.flush_at, self.told_us) {
            self.flush_at = Some(at.min(self.next_turn(told).max(now)));
        }
    }

    /// Tells all that changed, of all own records, in as few frames as it fits. However many those are, they count: the
    /// rate is one of the session, not of a member.
    pub(crate) fn flush(&mut self, now: Tick) {
        self.flush_at = None;
        let mut page = Told::default();
        // Nearly always everything is on the last one.
        let mut pages: Vec<Told> = Vec::new();
        let mut whole = Vec::new();
        let mut next = 0;
        while let Some(incarnation) = self.next_dirty(next) {
            next = incarnation.saturating_add(1);
            match self.change(incarnation, now) {
                Some(change) if page.count == 0 => page = change,
                Some(change) if page.has_room_for(&change) => page.add(&change),
                Some(change) => pages.push(std::mem::replace(&mut page, change)),
                None => whole.push(incarnation),
            }
        }
        let last = (page.count > 0).then_some(page);
        let frames = (whole.len() + pages.len() + usize::from(last.is_some())) as u64;
        for incarnation in whole {
            // Many or large fields changed within two frames: the whole record is smaller.
            if let Some(full) = self.full(incarnation, &[], now) {
                self.publish(full);
            }
        }
        let count = pages.len() + 1;
        for (at, page) in (1..).zip(pages.into_iter().chain(last)) {
            let (relay, seq) = (self.wants_relay(), self.next_seq());
            let mut pulse = None;
            // The next turn would be too late for the heartbeat: it rides along (design R6).
            if at == count && self.beat_at <= now.plus(self.turn_us() / 1000) {
                pulse = Some(self.pulse());
                self.beat_done(now);
            }
            // A heartbeat shows that gossip works, so what it rides on goes by gossip as well (design N2).
            let way = if relay || pulse.is_some() { Way::Both } else { Way::Links };
            self.publish_by(way, delta::frame(relay, seq, (page.count, &page.bytes), pulse.as_ref()));
        }
        self.count_turns(frames, now);
    }

    /// The time from which the next turn counts. A frame that waited for its turn counts from when that was, not from when
    /// a timer of whole milliseconds fired, so that 30 a second are 30.
    fn count_turns(&mut self, frames: u64, now: Tick) {
        if frames == 0 {
            return;
        }
        let (now_us, turn) = (now.0 * 1000, self.turn_us());
        let due = self.told_us.map_or(now_us, |told| told + turn);
        let counted = if now_us >= due && now_us - due < 1000 { due } else { now_us };
        self.told_us = Some(counted + (frames - 1) * turn);
        self.tell_pace();
    }

    /// The first own record from this incarnation on of which something is to be told.
    fn next_dirty(&self, from: u32) -> Option<u32> {
        self.own.range(from..).find(|(_, record)| record.dirty).map(|(incarnation, _)| *incarnation)
    }

    /// What changed in a record since the frame before the last; nothing when it is better told whole.
    fn change(&mut self, incarnation: u32, now: Tick) -> Option<Told> {
        let record = self.own.get_mut(&incarnation)?;
        let whole = record.whole;
        let [since, _] = record.told;
        let fields = record.fields.changes(since, record.rev, now);
        let count = fields.clone().count();
        let mut change = Told { count: 1, bytes: Vec::with_capacity(CHANGE_BYTES), objects: 0 };
        delta::write_head(&mut change.bytes, incarnation, (record.rev, record.rev.0 - since.0, record.act), count);
        for field in fields {
            delta::write_field(&mut change.bytes, &field);
            change.objects += field.value.map_or(0, |value| weight::weigh(value).objects);
        }
        record.mark_told();
        if whole {
            // Removals were forgotten: whoever misses this frame must see a gap in the next.
            record.mark_told();
        }
        (!whole && count <= 2 * TOP_KEYS && change.bytes.len() <= PAGE_BYTES).then_some(change)
    }

    pub(crate) fn publish_beat(&mut self, now: Tick) {
        let beat = self.beat();
        self.publish(beat);
        self.beat_done(now);
    }

    fn beat_done(&mut self, now: Tick) {
        self.links_told = self.links_hash();
        let jitter = BEAT_MS / 5;
        self.beat_at = now.plus(self.random.u64(BEAT_MS - jitter..=BEAT_MS + jitter));
        self.tell_pace();
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

    /// Answers who asked for own records. To all of the room: the first question at once, those that come soon after
    /// together, because an answer is many times the size of a question.
    pub(crate) fn answer(&mut self, now: Tick) {
        let nonces: Vec<u64> = self.questions.drain(..).collect();
        self.answered_at = Some(now);
        let mut answers = self.fulls(&nonces, now);
        if answers.is_empty() {
            answers.push(self.beat());
        }
        answers.into_iter().for_each(|answer| self.publish(answer));
    }

    /// Every own record, whole. What waits for its turn is told to all first: whoever gets a whole record would otherwise
    /// be ahead of what the heartbeat says, and ask for nothing.
    pub(crate) fn fulls(&mut self, echo: &[u64], now: Tick) -> Vec<Vec<u8>> {
        if self.own.values().any(|record| record.dirty) {
            self.flush(now);
        }
        let incarnations: Vec<u32> = self.own.keys().copied().collect();
        incarnations.into_iter().filter_map(|incarnation| self.full(incarnation, echo, now)).collect()
    }

    pub(crate) fn full(&mut self, incarnation: u32, echo: &[u64], now: Tick) -> Option<Vec<u8>> {
        let seq = self.next_seq();
        let session = self.session();
        let roster = self.own.keys().copied().collect();
        let certificate = self.config.certificate.clone();
        let record: &OwnRecord = self.own.get(&incarnation)?;
        let full = Full {
            seq,
            echo: echo.to_vec(),
            certificate,
            actor: record.who.claim(session),
            member: record.member.clone(),
            incarnation,
            roster,
            joined_ms: record.joined_ms,
            rev: record.rev,
            act: record.act,
            metadata: Raw::of(&record.metadata.clone().into()),
            fields: record.fields.whole(record.rev, now),
        };
        Some(Frame::Full(Box::new(full)).encode())
    }

    pub(crate) fn publish_leave(&mut self, incarnation: u32, expired: bool) {
        let seq = self.next_seq();
        self.publish(Frame::Leave(Leave { seq, incarnation, expired }).encode());
    }

    /// Sessions with members here that this one is linked to, itself included when it has one (design N4).
    pub(crate) fn links_hash(&self) -> u32 {
        let own = (!self.own.is_empty()).then_some(self.mark);
        self.peers.sum().links ^ own.unwrap_or(0)
    }

    /// While somebody's links differ from ours, frames have to be passed on to reach everyone (design N4).
    pub(crate) fn wants_relay(&self) -> bool {
        self.peers.tell_other_links(self.links_hash())
    }
}

#[cfg(test)]
#[path = "outgoing_tests.rs"]
mod tests;
