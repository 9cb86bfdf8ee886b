//! What frames do. The author is its authenticated origin, never a field (design R3); nothing here can be made to panic
//! or to grow without bound by what arrives (design N10).

use crate::check;
use crate::delta::{self, ChangeTold, DeltaTold, FieldTold};
use crate::error::ErrorCode;
use crate::fields::{Fields, changes_fit};
use crate::ids::{Rev, Seq, SessionId, Tick};
use crate::input::{Path, Verdict};
use crate::inspect::{LeaseState, Observation};
use crate::limits::{ASK_EVERY_MS, FRAME_MAX, FRAME_OBJECTS_MAX, MEMBER_METADATA_MAX, PAGE_MAX, STALE_MS};
use crate::peer::{Asked, Record};
use crate::raw;
use crate::replica::{Replica, wall_at};
use crate::row_table::Place;
use crate::view::{Actor, LeftReason, RowKey, Timestamp};
use crate::wire::{Ask, Beat, Frame, Full, Leave, Pulse, Unreadable, open};

/// A frame as it is taken: what is frequent stays where it lies.
enum Taken<'a> {
    Delta(DeltaTold<'a>),
    Other(Frame),
}

impl<'a> Taken<'a> {
    fn read(bytes: &'a [u8], max: usize) -> Result<Self, Unreadable> {
        match open(bytes, max)? {
            (delta::KIND, body) => DeltaTold::read(body).map(Taken::Delta).ok_or(Unreadable::Body),
            (kind, body) => Frame::read(kind, body).map(Taken::Other),
        }
    }
}

/// Whether these bytes are taken as a frame, and why not.
#[cfg(test)]
pub(crate) fn take(bytes: &[u8], max: usize) -> Result<(), Unreadable> {
    Taken::read(bytes, max).map(drop)
}

/// Questions to the room at once and in a second: sessions that somebody invents must not make us ask for each of them.
pub(crate) const ASKS: u64 = 64;
const ASKS_PER_SECOND: u64 = 16;
/// Between two answers to all of the room, and how many of those who asked are named in one.
const ANSWER_EVERY_MS: u64 = 250;
const NAMED: usize = 8;

impl Replica {
    pub(crate) fn frame(&mut self, author: SessionId, via: SessionId, path: Path, bytes: &[u8], now: Tick) -> Verdict {
        if author == self.session() {
            return Verdict::Ignore;
        }
        let max = match path {
            Path::Gossip => FRAME_MAX,
            Path::Direct => PAGE_MAX,
        };
        let frame = match Taken::read(bytes, max) {
            Ok(frame) => frame,
            Err(why) => {
                self.counters.add(match why {
                    Unreadable::TooLarge => "frame_too_large",
                    Unreadable::Version(_) => "frame_version",
                    Unreadable::Kind => "frame_kind",
                    Unreadable::Body => "frame_unreadable",
                });
                // A newer kind or version is not an offence, and somebody else may understand it.
                return match why {
                    Unreadable::Version(_) | Unreadable::Kind => Verdict::Accept,
                    Unreadable::TooLarge | Unreadable::Body => Verdict::Reject,
                };
            }
        };
        let seq = match &frame {
            Taken::Delta(delta) => Some(delta.seq),
            Taken::Other(frame) => frame.seq(),
        };
        self.hear_twin(&author, seq, now);
        let first_hand = author == via;
        // A movement that the author's own link brought already says nothing of who passes it on.
        let passed_on = seq.filter(|seq| !first_hand && self.peers.get(&author).is_none_or(|peer| peer.seq < *seq));
        let verdict = match frame {
            Taken::Delta(delta) => self.delta(author, delta, now),
            Taken::Other(frame) => self.other(author, frame, (first_hand, path), now),
        };
        if let Some(seq) = passed_on {
            self.note_relay(author, via, seq, now);
        }
        verdict
    }

    fn other(&mut self, author: SessionId, frame: Frame, (first_hand, path): (bool, Path), now: Tick) -> Verdict {
        match frame {
            Frame::Beat(beat) => self.beat_in(author, beat, now),
            Frame::Leave(leave) => self.leave_in(author, leave, now),
            Frame::Full(full) => self.full_in(author, *full, first_hand, now),
            Frame::Ask(ask) => self.ask_in(author, ask, path, now),
            Frame::Introduction(said) => self.introduction_in(author, &said, now),
            Frame::Said(said) => self.said_in(author, said, now),
            Frame::Cells(cells) => self.cells_in(cells, now),
            Frame::SyncRequest(request) if path == Path::Direct => self.sync_request_in(author, &request, now),
            Frame::SyncStamps(stamps) if path == Path::Direct => self.sync_stamps_in(author, &stamps, now),
            Frame::SyncWant(want) if path == Path::Direct => self.sync_want_in(author, &want),
            Frame::SyncRequest(_) | Frame::SyncStamps(_) | Frame::SyncWant(_) => {
                self.counters.add("sync_by_gossip");
                Verdict::Ignore
            }
            Frame::WitnessAsk(ask) => self.witness_ask_in(author, &ask, path, now),
            Frame::Testimony(said) => self.testimony_in(author, &said, path, now),
            // Read where it lies.
            Frame::Delta(_) => Verdict::Ignore,
        }
    }

    fn delta(&mut self, author: SessionId, delta: DeltaTold<'_>, now: Tick) -> Verdict {
        let verdict = if delta.relay { Verdict::Accept } else { Verdict::Ignore };
        if self.departed.is_past(&author, delta.seq) {
            self.counters.add("frame_of_departed");
            return verdict;
        }
        let values = delta.changes.clone().flat_map(|change| change.fields).filter_map(|field| field.value);
        if !delta.changes.clone().all(|change| changes_fit(change.fields))
            || !(delta.is_short || raw::have_at_most(FRAME_OBJECTS_MAX, values))
        {
            self.counters.add("presence_over_limit");
            return Verdict::Reject;
        }
        if !delta.changes.clone().is_sorted_by(|a, b| a.incarnation < b.incarnation) {
            // Each change is an event that holds a whole row, so that many of one record would be many copies of it.
            self.counters.add("delta_out_of_order");
            return Verdict::Reject;
        }
        let (newest, stale) = match self.peers.get_uncounted(&author) {
            Some(peer) => (peer.alive(delta.seq, now), peer.stale),
            None => (self.peer(author, now).alive(delta.seq, now), false),
        };
        if newest && stale {
            self.wake(author, now);
        }
        let mut gap = false;
        for change in delta.changes {
            gap |= !self.change_in(author, change, now);
        }
        if gap {
            self.counters.add("delta_gap");
            self.ask(author, now);
        }
        if let Some(pulse) = delta.pulse.filter(|_| newest) {
            self.pulse_in(author, delta.seq, pulse, now);
        }
        verdict
    }

    /// Takes the changes of one record; false when something before them is missing here.
    fn change_in(&mut self, author: SessionId, change: ChangeTold<'_>, now: Tick) -> bool {
        let part = (author, change.incarnation);
        let Some(peer) = self.peers.get_uncounted(&author) else { return false };
        let Some(record) = peer.records.get_mut(change.incarnation) else {
            return self.departed.is_buried(&author, change.incarnation);
        };
        let (since, known) = (Rev(change.rev.0.saturating_sub(change.span)), record.known);
        let complete = known >= since;
        let named = self.observed.is_some().then(|| (record.member.clone(), names(change.fields.clone())));
        let changed = record.fields.merge(change.fields, change.rev, known, now);
        let shown = named.map(|named| (named, changed.clone()));
        let bounded = record.fields.bound();
        record.act = record.act.max(change.act);
        if complete && change.rev > record.known {
            record.known = change.rev;
            record.fields.forget_removals(change.rev);
        }
        if let Some(due) = record.fields.next_expiry() {
            self.peers_due = self.peers_due.min(due);
        }
        let seen = Timestamp(wall_at(self.wall, peer.heard));
        let row = self.rows.at(record.place).filter(|_| !bounded);
        let patched =
            row.and_then(|row| Some((row.patch(part, &record.fields, changed, seen)?, row.member().cloned())));
        let row = patched.is_none().then(|| (record.member.clone(), record.actor.user_id.clone()));
        if bounded {
            self.counters.add("presence_over_limit");
        }
        if let Some(((member, named), changed)) = shown {
            let (session, rev, whole) = (author, change.rev, false);
            self.observe(|_| Observation::Presence { session, member, known, since, rev, whole, named, changed });
        }
        if let Some(row) = row {
            self.refresh(&row, LeftReason::Left, now);
        }
        if let Some((changed, member)) = patched {
            self.emit_updated(member, changed);
        }
        complete
    }

    fn beat_in(&mut self, author: SessionId, beat: Beat, now: Tick) -> Verdict {
        let verdict = if beat.relay { Verdict::Accept } else { Verdict::Ignore };
        if self.departed.is_past(&author, beat.seq) {
            self.counters.add("frame_of_departed");
            return verdict;
        }
        let peer = self.peer(author, now);
        if peer.alive(beat.seq, now) {
            if peer.stale {
                self.wake(author, now);
            }
            self.pulse_in(author, beat.seq, beat.pulse, now);
        }
        verdict
    }

    /// What a session says of itself is held against what is known of it here (design R4, R12, N4).
    fn pulse_in(&mut self, author: SessionId, seq: Seq, pulse: Pulse, now: Tick) {
        let Some(peer) = self.peers.get_mut(&author) else { return };
        peer.pulse = Some(pulse);
        let behind = pulse.count > 0 && peer.records.hash() != pulse.records;
        if pulse.count == 0 {
            self.call_the_roll(author, seq, &[], now);
        }
        if behind {
            self.ask(author, now);
        }
        if self.peers.get(&author).is_some_and(|peer| peer.records.is_empty()) {
            self.count_watchers();
        }
        self.hasten_flush(now);
        self.compare_cells(author, pulse.cells, now);
    }

    fn leave_in(&mut self, author: SessionId, leave: Leave, now: Tick) -> Verdict {
        if self.departed.is_past(&author, leave.seq) {
            self.departed.bury(author, leave.incarnation);
            return Verdict::Accept;
        }
        // Also of a record that is not here yet: no older frame may make it appear afterwards (design R8).
        self.departed.bury(author, leave.incarnation);
        // Also of a session that is not known here: what it said before this is no newer sign of life (design R4).
        let peer = self.peer(author, now);
        let newest = peer.alive(leave.seq, now);
        if let Some(record) = peer.records.remove(leave.incarnation) {
            if newest && peer.records.is_empty() {
                // What it said of its links was of a member. Who goes on to look on says so anew.
                peer.pulse = None;
            }
            let reason = if leave.expired { LeftReason::Expired } else { LeftReason::Left };
            self.refresh(&(record.member, record.actor.user_id), reason, now);
        }
        if newest {
            self.wake(author, now);
        }
        Verdict::Accept
    }

    fn full_in(&mut self, author: SessionId, mut full: Full, first_hand: bool, now: Tick) -> Verdict {
        if self.departed.is_buried(&author, full.incarnation) || self.departed.is_past(&author, full.seq) {
            self.counters.add("frame_of_departed");
            return Verdict::Accept;
        }
        let peer = self.peer(author, now);
        if full.seq < peer.roster.0 && !peer.roster.1.contains(&full.incarnation) {
            // A later frame that arrived earlier did not name it any more.
            self.counters.add("frame_of_departed");
            self.departed.bury(author, full.incarnation);
            return Verdict::Accept;
        }
        let known = peer.records.get(full.incarnation).is_some();
        // An answer proves life as of the question: one that comes much later proves nothing any more.
        let answers =
            peer.asked.is_some_and(|asked| full.echo.contains(&asked.nonce) && now.since(asked.at) < STALE_MS);
        if !known && !first_hand && !answers {
            // Relayed records are how the dead travel: ask the owner (design R5). Nothing else of it counts, so nothing
            // is verified, which is what made-up people would cost most by.
            if peer.alive(full.seq, now) {
                self.wake(author, now);
            }
            self.counters.add("full_at_second_hand");
            self.ask(author, now);
            return Verdict::Accept;
        }
        let Some((actor, metadata)) = self.judge(author, &full) else { return Verdict::Reject };
        let default = actor.user_id.default_member();
        if full.member == default {
            // Mostly they are the same text, and a room has many records: one of both.
            full.member = default;
        }
        let peer = self.peer(author, now);
        if peer
            .records
            .get(full.incarnation)
            .is_some_and(|record| record.member != full.member || record.actor.user_id != actor.user_id)
        {
            // A record cannot change hands or names: its old row would stay for ever.
            self.counters.add("record_changed_hands");
            return Verdict::Reject;
        }
        if peer.alive(full.seq, now) {
            self.wake(author, now);
        }
        self.meet(&full.certificate, full.seq, now);
        if self.is_outlived(&full.certificate) {
            // A later run of the same profile is known already (design R2).
            self.counters.add("session_outlived");
            let rows = self.retire(author);
            self.refresh_all(rows, LeftReason::Superseded, now);
            return Verdict::Accept;
        }
        let retired = self.supersede(&full.certificate);
        if self.is_kept_out(author, full.incarnation, now) {
            self.counters.add("member_kept_out");
            self.refresh_all(retired, LeftReason::Superseded, now);
            return Verdict::Accept;
        }
        let peer = self.peer(author, now);
        peer.certificate = Some(full.certificate.clone());
        let record = peer.records.enter(full.incarnation, || Record {
            known: Rev(0),
            act: full.act,
            fields: Fields::default(),
            place: Place::default(),
            member: full.member.clone(),
            actor: actor.clone(),
            joined_ms: full.joined_ms,
            metadata: metadata.clone(),
            full_seq: full.seq,
        });
        if full.seq >= record.full_seq {
            record.full_seq = full.seq;
            record.actor = actor;
            record.metadata = metadata;
        }
        let row: RowKey = (record.member.clone(), record.actor.user_id.clone());
        let mut shown = None;
        record.act = record.act.max(full.act);
        if full.rev >= record.known {
            let fields = full.fields.iter().map(FieldTold::from);
            let keys = names(fields.clone());
            let known = record.known;
            let changed = record.fields.merge(fields, full.rev, known, now);
            record.fields.keep_only(&keys, full.rev);
            record.fields.bound();
            record.known = full.rev;
            shown = Some((known, keys, changed));
        }
        let due = record.fields.next_expiry();
        due.into_iter().for_each(|due| self.look_at_peers(due));
        if let Some((known, named, changed)) = shown {
            let (session, rev, member) = (author, full.rev, full.member.clone());
            let (since, whole) = (Rev(0), true);
            self.observe(|_| Observation::Presence { session, member, known, since, rev, whole, named, changed });
        }
        let place = self.add_part(row.clone(), author, full.incarnation);
        let record = self.peers.get_mut(&author).and_then(|peer| peer.records.get_mut(full.incarnation));
        if let Some(record) = record {
            record.place = place;
        }
        // The earlier life of a row goes after the later one came, so that this is an update.
        self.call_the_roll(author, full.seq, &full.roster, now);
        self.evict_over_cap(author, now);
        self.refresh(&row, LeftReason::Left, now);
        self.refresh_all(retired, LeftReason::Superseded, now);
        self.count_watchers();
        self.hasten_flush(now);
        Verdict::Accept
    }

    /// Whether a whole record is what it claims: its certificate, its actor, its limits (design R3, A5, A8).
    fn judge(&mut self, author: SessionId, full: &Full) -> Option<(Actor, crate::view::Bag)> {
        let held = self.peers.get(&author).and_then(|peer| peer.certificate.as_ref());
        let proven = held == Some(&full.certificate)
            || (full.certificate.session == author && full.certificate.verify(&*self.verifier));
        if !proven {
            self.counters.add("certificate");
            return None;
        }
        let Some(actor) = full.actor.actor(&full.certificate, &*self.verifier) else {
            self.counters.add("actor");
            return None;
        };
        if full.member.as_str().starts_with("u_") && full.member.as_str() != actor.user_id.as_str() {
            self.counters.add("member_id_of_another");
            return None;
        }
        let metadata = full.metadata.is_within(MEMBER_METADATA_MAX).then(|| full.metadata.value());
        let Some(serde_json::Value::Object(metadata)) = metadata else {
            self.counters.add("metadata_over_limit");
            return None;
        };
        if check::bag(&metadata, MEMBER_METADATA_MAX, "metadata", ErrorCode::InvalidMetadata).is_err() {
            self.counters.add("metadata_over_limit");
            return None;
        }
        if !changes_fit(full.fields.iter().map(FieldTold::from)) {
            self.counters.add("presence_over_limit");
            return None;
        }
        Some((actor, metadata))
    }

    fn ask_in(&mut self, author: SessionId, ask: Ask, path: Path, now: Tick) -> Verdict {
        if ask.of != self.session() {
            return Verdict::Accept;
        }
        let peer = self.peer(author, now);
        if peer.answered.is_some_and(|at| now.since(at) < ASK_EVERY_MS / 2) {
            // Nobody honest asks that often, and an answer is many times the size of the question.
            self.counters.add("asked_too_often");
            return Verdict::Accept;
        }
        peer.answered = Some(now);
        match path {
            Path::Direct => {
                let mut answers = self.fulls(&[ask.nonce], now);
                if answers.is_empty() {
                    answers.push(self.beat());
                }
                answers.into_iter().for_each(|answer| self.send(author, answer));
            }
            Path::Gossip if self.questions.len() < NAMED => {
                self.questions.push(ask.nonce);
                if self.answer_due().is_some_and(|due| due <= now) {
                    self.answer(now);
                }
            }
            Path::Gossip => self.counters.add("asked_too_often"),
        }
        Verdict::Accept
    }

    /// When those who asked by gossip are answered.
    pub(crate) fn answer_due(&self) -> Option<Tick> {
        let due = self.answered_at.map_or(Tick(0), |at| at.plus(ANSWER_EVERY_MS));
        (!self.questions.is_empty()).then_some(due)
    }

    /// Asks a session for its records, at most once in two seconds (design R5).
    pub(crate) fn ask(&mut self, of: SessionId, now: Tick) {
        if self.is_cut_short(of, now) {
            return;
        }
        let Some(peer) = self.peers.get_mut(&of) else { return };
        if peer.asked.is_some_and(|asked| now.since(asked.at) < ASK_EVERY_MS) {
            return;
        }
        let (left, at) = self.asking;
        let left = left.saturating_add(now.since(at) * ASKS_PER_SECOND / 1000).min(ASKS);
        if !peer.linked {
            if left == 0 {
                self.counters.add("asks_held_back");
                return;
            }
            self.asking = (left - 1, now);
        }
        let nonce = self.random.u64(..);
        peer.asked = Some(Asked { at: now, nonce });
        let linked = peer.linked;
        self.counters.add("asks");
        let bytes = Frame::Ask(Ask { of, nonce }).encode();
        if linked { self.send(of, bytes) } else { self.publish(bytes) }
    }

    pub(crate) fn refresh_all(&mut self, rows: Vec<RowKey>, reason: LeftReason, now: Tick) {
        for row in rows {
            self.refresh(&row, reason, now);
        }
    }

    /// Buries the records that their owner no longer had as of `seq`. One that it made since is proven by a later frame.
    fn call_the_roll(&mut self, author: SessionId, seq: Seq, roster: &[u32], now: Tick) {
        let Some(peer) = self.peers.get_mut(&author) else { return };
        if seq > peer.roster.0 {
            peer.roster = (seq, roster.to_vec());
        }
        let over = |(incarnation, record): (u32, &Record)| {
            (record.full_seq < seq && !roster.contains(&incarnation)).then_some(incarnation)
        };
        let gone: Vec<u32> = peer.records.iter().filter_map(over).collect();
        for incarnation in gone {
            self.departed.bury(author, incarnation);
            let record = self.peers.get_mut(&author).and_then(|peer| peer.records.remove(incarnation));
            if let Some(record) = record {
                self.refresh(&(record.member, record.actor.user_id), LeftReason::Left, now);
            }
        }
    }

    /// A session that was silent is heard again.
    pub(crate) fn wake(&mut self, author: SessionId, now: Tick) {
        let Some(peer) = self.peers.get_mut(&author).filter(|peer| peer.stale) else { return };
        peer.stale = peer.is_stale(now);
        if !peer.stale {
            peer.case = None;
        }
        self.peers_due = self.peers_due.min(now.plus(STALE_MS));
        let woke = !peer.stale;
        let rows: Vec<RowKey> =
            peer.records.values().map(|record| (record.member.clone(), record.actor.user_id.clone())).collect();
        if woke {
            self.observe(|_| Observation::Lease {
                session: author,
                state: LeaseState::Active,
                silent_ms: 0,
                reason: None,
            });
        }
        for row in rows {
            self.refresh(&row, LeftReason::Left, now);
        }
    }
}

fn names<'a>(changes: impl Iterator<Item = FieldTold<'a>>) -> Vec<String> {
    changes.map(|change| change.key.to_owned()).collect()
}
