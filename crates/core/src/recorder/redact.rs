//! Takes names and values out of a recording so that what is left still does the same.
//!
//! Every name, every key that an application chose and every value becomes a stand-in ([`StandIns`]). But replicas decide by
//! hashes too: of cells, of buckets, of records, in heartbeats and in exchanges. So the recording is played in two seats at
//! once, as it was and as it will be. What a hash from outside was equal to in the first seat, its stand-in is equal to in the
//! second; any other becomes one that is equal to nothing. Both then ask and refuse alike, and what the second comes to is what
//! the file says. Only what it would send in an exchange of cells is other cells, since a bucket is the hash of a name.
//!
//! Signatures go in any case, since a short value can be guessed from a signature of it, and so do the parts of changed keys.
//! What stays: times, lengths, counts, true and false, ids that are made of public keys, and these keys themselves.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::cell::{Cell, CellKey, CellKind};
use crate::command::{Join, Leave, MetadataChange, PresenceChange};
use crate::error::Error;
use crate::fields::Fields;
use crate::handover::NewKey;
use crate::ids::{RoomId, SessionId};
use crate::limits::PAGE_MAX;
use crate::message::Publish;
use crate::peer::records_hash;
use crate::proof::{ActorClaim, Certificate};
use crate::raw::Raw;
use crate::replica::Replica;
use crate::wire::{FieldChange, Frame, Pulse, SyncStamps, Unreadable};

use super::base::{Begin, State};
use super::recording::Recording;
use super::replay::{Fetched, Seat};
use super::stand_in::StandIns;
use super::step::{Call, Step, What, Who};

/// The field of a changed key that says what is true of it for everybody.
const HEAD: &str = "key";

impl Recording {
    /// The same without names and values, or with them when `values` is set; in both cases without signatures and without
    /// parts of keys. `key` decides which stand-in stands for what: give one that nobody knows, and forget it.
    ///
    /// # Errors
    /// `INVALID_RECORDING` when this program cannot play it.
    pub fn for_others(&self, key: [u8; 32], values: bool) -> Result<Recording, Error> {
        let mut editor = Editor { stand_ins: StandIns::new(key, values), cells: HashMap::new(), buckets: Vec::new() };
        let mut was = Seat::new(&self.begin, self.state()?);
        let made = editor.made(&self.begin);
        let state = self.state()?.map(|state| editor.state(state));
        let mut becomes = Seat::new(&made, state);
        editor.reached(&was.replica, &becomes.replica);
        if made.state.is_some() {
            editor.pulses_of(&was.replica, &mut becomes.replica);
        }
        let begin = match &made.state {
            None => made,
            Some(_) => Begin { state: Some(State::written(&becomes.replica)), ..made },
        };
        let mut head = super::recording::Head { redacted: !values, ..self.head.clone() };
        let mut steps = Vec::with_capacity(self.steps.len());
        for (number, step) in (1..).zip(&self.steps) {
            let before = Before::of(&was.replica, &step.what);
            let (verdict, mark) = was.step(step, &mut Fetched::default());
            let said = if let What::Frame { verdict, .. } = step.what { verdict.into() } else { verdict };
            if mark.is_some_and(|(recorded, reached)| recorded != reached) || said != verdict {
                head.strayed = head.strayed.or(Some(number));
            }
            let mut other = Step { what: editor.what(&step.what, &before, &was, &becomes), ..step.clone() };
            let (verdict, _) = becomes.step(&other, &mut Fetched::default());
            match &mut other.what {
                What::Frame { verdict: said, .. } => *said = verdict.unwrap_or(*said),
                What::Wall { mark: Some(mark), .. } | What::Mark(mark) => *mark = becomes.replica.mark(),
                _ => {}
            }
            editor.reached(&was.replica, &becomes.replica);
            steps.push(other);
        }
        Ok(Recording { head, begin, steps })
    }
}

/// What has to be looked at before a step, because the step changes it.
#[derive(Default)]
struct Before {
    version: String,
    nonce: String,
    /// The hash of the author's records.
    records: Option<u32>,
}

impl Before {
    fn of(replica: &Replica, what: &What) -> Self {
        match what {
            What::Frame { author, .. } => Before { records: hash_of_records(replica, author), ..Before::default() },
            What::Call { call: Call::Metadata(_), .. } => {
                Before { version: replica.metadata().version.clone(), ..Before::default() }
            }
            What::Call { call: Call::Say(args), .. } if args.keep && args.idempotency_key.is_none() => {
                Before { nonce: format!("{:016x}", replica.random.clone().u64(..)), ..Before::default() }
            }
            _ => Before::default(),
        }
    }
}

fn hash_of_records(replica: &Replica, of: &SessionId) -> Option<u32> {
    let peer = replica.peers.get(of)?;
    Some(records_hash(peer.records.iter().map(|(incarnation, record)| (&record.member, incarnation, record.known))))
}

/// Rewrites steps.
struct Editor {
    stand_ins: StandIns,
    /// Hashes of all cells that the first seat came to, and what the second had then.
    cells: HashMap<u64, u64>,
    /// Bucket by bucket the two of them, as of now.
    buckets: Vec<(u32, u32)>,
}

impl Editor {
    /// Both seats came to this.
    fn reached(&mut self, was: &Replica, becomes: &Replica) {
        let (one, other) = (was.cells.hash(), becomes.cells.hash());
        if self.buckets.is_empty() || self.cells.insert(one, other) != Some(other) {
            self.cells.insert(one, other);
            self.buckets = was.cells.buckets().into_iter().zip(becomes.cells.buckets()).collect();
        }
    }

    fn made(&mut self, begin: &Begin) -> Begin {
        let mut begin = begin.clone();
        let made = &mut begin.made;
        made.room = RoomId::new(&self.stand_ins.text(made.room.as_str())).unwrap_or_else(|_| made.room.clone());
        self.certificate(&mut made.certificate);
        // Nothing is signed any more for which it would be needed.
        made.private.iter_mut().for_each(|(_, root)| *root = [0; 32]);
        begin
    }

    fn certificate(&mut self, certificate: &mut Certificate) {
        certificate.name = self.stand_ins.text(&certificate.name);
        certificate.signature = [0; 64];
    }

    fn state(&mut self, mut state: State) -> State {
        for (_, own) in &mut state.own {
            own.member = self.stand_ins.member(&own.member);
            own.name = self.stand_ins.text(&own.name);
            own.metadata = self.stand_ins.bag(&own.metadata);
            own.fields = self.fields(&own.fields);
        }
        for (_, peer) in &mut state.peers {
            peer.certificate.iter_mut().for_each(|certificate| self.certificate(certificate));
            for record in peer.records.all_mut() {
                record.member = self.stand_ins.member(&record.member);
                record.actor.name = self.stand_ins.text(&record.actor.name);
                record.metadata = self.stand_ins.bag(&record.metadata);
                record.fields = self.fields(&record.fields);
            }
        }
        state.cells.iter_mut().for_each(|cell| *cell = self.cell(cell));
        state
    }

    fn fields(&mut self, fields: &Fields) -> Fields {
        let mut others = Fields::default();
        for (key, field) in fields.all() {
            let value = field.value.as_ref().map(|value| self.stand_ins.field(key, value));
            others.set(&self.stand_ins.key(key), field.rev, value.as_ref().map(Raw::bytes), field.expires);
        }
        others
    }

    /// What others said last of their hashes, in a state that is the second seat's by now.
    fn pulses_of(&mut self, was: &Replica, becomes: &mut Replica) {
        let mut pulses = Vec::new();
        for (session, peer) in becomes.peers.iter() {
            let Some(pulse) = peer.pulse else { continue };
            let same = hash_of_records(was, session) == Some(pulse.records);
            let records = if same { hash_of_records(becomes, session) } else { None };
            pulses.push((*session, self.pulse(session, pulse, records)));
        }
        for (session, pulse) in pulses {
            let Some(peer) = becomes.peers.get_mut(&session) else { continue };
            peer.pulse = Some(pulse);
            peer.futile.pair = (self.hash(peer.futile.pair.0), self.hash(peer.futile.pair.1));
        }
    }

    /// A hash of all cells: that of the second seat when the first one had these.
    fn hash(&self, hash: u64) -> u64 {
        match self.cells.get(&hash) {
            _ if hash == 0 => 0,
            Some(known) => *known,
            None => u64::from_le_bytes(self.stand_ins.bytes(&hash.to_le_bytes(), 0)),
        }
    }

    fn pulse(&self, author: &SessionId, pulse: Pulse, records: Option<u32>) -> Pulse {
        let unknown =
            || u32::from_le_bytes(self.stand_ins.bytes(&[&author.0[..], &pulse.records.to_le_bytes()].concat(), 1));
        let none = pulse.count == 0;
        let records = if none { pulse.records } else { records.unwrap_or_else(unknown) };
        Pulse { records, cells: self.hash(pulse.cells), ..pulse }
    }

    fn what(&mut self, what: &What, before: &Before, was: &Seat, becomes: &Seat) -> What {
        match what {
            What::Frame { author, via, path, verdict, bytes } => {
                let bytes = self.frame(author, bytes, before, &was.replica, &becomes.replica);
                What::Frame { author: *author, via: *via, path: *path, verdict: *verdict, bytes }
            }
            What::Call { who, call } => {
                let who = Who { name: self.stand_ins.text(&who.name), ..who.clone() };
                What::Call { who, call: self.call(call, before, &becomes.replica) }
            }
            What::Restore(frames) => What::Restore(frames.iter().map(|frame| self.kept(frame)).collect()),
            What::RestoreCells(cells) => What::RestoreCells(cells.iter().map(|cell| self.kept_cell(cell)).collect()),
            What::Porch(bytes) => What::Porch(self.kept(bytes)),
            other => other.clone(),
        }
    }

    fn call(&mut self, call: &Call, before: &Before, becomes: &Replica) -> Call {
        match call {
            Call::Join(args, lease) => {
                let args = Join {
                    presence: args.presence.as_ref().map(|bag| self.stand_ins.bag(bag)),
                    metadata: args.metadata.as_ref().map(|bag| self.stand_ins.bag(bag)),
                    member_id: args.member_id.as_ref().map(|member| self.stand_ins.member(member)),
                    ticket: None,
                    ..args.clone()
                };
                Call::Join(args, *lease)
            }
            Call::Presence(args) => Call::Presence(PresenceChange {
                presence: self.stand_ins.bag(&args.presence),
                member_id: args.member_id.as_ref().map(|member| self.stand_ins.member(member)),
                unset: args.unset.iter().map(|key| self.stand_ins.key(key)).collect(),
                expire: args.expire.iter().map(|(key, ms)| (self.stand_ins.key(key), *ms)).collect(),
                ..args.clone()
            }),
            Call::Leave(args) => {
                Call::Leave(Leave { member_id: args.member_id.as_ref().map(|member| self.stand_ins.member(member)) })
            }
            Call::Metadata(args) => Call::Metadata(MetadataChange {
                metadata: self.stand_ins.bag(&args.metadata),
                unset: args.unset.iter().map(|key| self.stand_ins.key(key)).collect(),
                if_version: args.if_version.as_ref().map(|version| {
                    let known = becomes.metadata().version.clone();
                    if *version == before.version { known } else { "another".to_owned() }
                }),
            }),
            Call::Board(args) => {
                let mut args = args.clone();
                args.remove.iter_mut().for_each(|id| *id = self.stand_ins.text(id));
                for note in &mut args.set {
                    note.id = self.stand_ins.text(&note.id);
                    for text in [&mut note.color, &mut note.text].into_iter().flatten() {
                        *text = self.text_value("text", text);
                    }
                    for number in
                        [&mut note.x, &mut note.y, &mut note.w, &mut note.h, &mut note.z].into_iter().flatten()
                    {
                        let other = self.stand_ins.value(&Value::from(*number));
                        *number = other.as_f64().unwrap_or(*number);
                    }
                }
                Call::Board(args)
            }
            Call::Say(args) => {
                if !before.nonce.is_empty() {
                    // Drawn at random by both seats.
                    self.stand_ins.let_stand(&before.nonce);
                }
                Call::Say(Publish {
                    kind: self.text_value("type", &args.kind),
                    data: self.stand_ins.value(&args.data),
                    member_id: args.member_id.as_ref().map(|member| self.stand_ins.member(member)),
                    idempotency_key: args.idempotency_key.as_ref().map(|key| self.stand_ins.text(key)),
                    ..args.clone()
                })
            }
            Call::Access(args) => Call::Access(args.clone()),
            Call::ChangeKey(key) => {
                let parts = key.parts.iter().map(|(identity, part)| (*identity, vec![0; part.len()])).collect();
                Call::ChangeKey(NewKey { parts, ..key.clone() })
            }
            Call::Unreadable => Call::Unreadable,
        }
    }

    /// A text as it would be under this key of a bag.
    fn text_value(&mut self, key: &str, text: &str) -> String {
        let raw = self.stand_ins.field(key, &Raw::of(&Value::from(text)));
        raw.text().unwrap_or_default()
    }

    fn frame(
        &mut self,
        author: &SessionId,
        bytes: &[u8],
        before: &Before,
        was: &Replica,
        becomes: &Replica,
    ) -> Vec<u8> {
        let mut frame = match Frame::decode(bytes, PAGE_MAX) {
            Ok(frame) => frame,
            Err(why) => return blank(bytes, why),
        };
        match &mut frame {
            Frame::Delta(delta) => {
                for change in &mut delta.changes {
                    self.changes(&mut change.fields);
                }
                let pulse = delta.pulse.map(|pulse| self.pulse_in(author, pulse, before, was));
                delta.pulse = pulse;
            }
            Frame::Beat(beat) => beat.pulse = self.pulse_in(author, beat.pulse, before, was),
            Frame::Full(full) => {
                self.certificate(&mut full.certificate);
                self.claim(&mut full.actor);
                full.member = self.stand_ins.member(&full.member);
                full.metadata = self.stand_ins.raw(&full.metadata);
                self.changes(&mut full.fields);
            }
            Frame::Introduction(said) => self.certificate(&mut said.certificate),
            Frame::Said(said) => {
                said.kind = self.text_value("type", &said.kind);
                said.data = self.stand_ins.raw(&said.data);
            }
            Frame::Cells(cells) => cells.iter_mut().for_each(|cell| *cell = self.cell(cell)),
            Frame::SyncRequest(request) => {
                for (bucket, (theirs, (mine, other))) in (0u32..).zip(request.buckets.iter_mut().zip(&self.buckets)) {
                    *theirs = match *theirs {
                        0 => 0,
                        same if same == *mine => *other,
                        theirs => u32::from_le_bytes(self.stand_ins.bytes(&theirs.to_le_bytes(), 2 + bucket)).max(1),
                    };
                }
            }
            Frame::SyncStamps(stamps) => self.stamps(stamps, was, becomes),
            Frame::SyncWant(want) => {
                // Whose a message is, its name does not say: those that are here are found by their own.
                for key in &mut want.keys {
                    let writer = was.cells.get(key).map(|cell| cell.writer);
                    *key = self.cell_key(key, writer.as_ref());
                }
            }
            Frame::Leave(_) | Frame::Ask(_) | Frame::WitnessAsk(_) | Frame::Testimony(_) => {}
        }
        frame.encode()
    }

    /// The first seat knows whether what is said of the records is what it has of them now, or had before.
    fn pulse_in(&mut self, author: &SessionId, pulse: Pulse, before: &Before, was: &Replica) -> Pulse {
        let mut same = None;
        if let Some(peer) = was.peers.get(author) {
            let hash = hash_of_records(was, author);
            if Some(pulse.records) == hash || Some(pulse.records) == before.records {
                let members: Vec<_> = peer
                    .records
                    .iter()
                    .map(|(incarnation, record)| (self.stand_ins.member(&record.member), incarnation, record.known))
                    .collect();
                let all = members.iter().map(|(member, incarnation, known)| (member, *incarnation, *known));
                same = Some(records_hash(all));
            }
        }
        self.pulse(author, pulse, same)
    }

    fn stamps(&mut self, stamps: &mut SyncStamps, was: &Replica, becomes: &Replica) {
        for (key, stamp) in &mut stamps.stamps {
            let other = self.cell_key(key, Some(&stamp.writer));
            let held = was.cells.stamp_by(key, &stamp.writer) == Some(*stamp);
            let known = becomes.cells.stamp_by(&other, &stamp.writer).filter(|_| held);
            stamp.hash = known.map_or_else(|| self.stand_ins.bytes(&stamp.hash, 1), |known| known.hash);
            *key = other;
        }
    }

    fn changes(&mut self, fields: &mut [FieldChange]) {
        for change in fields {
            change.value = change.value.as_ref().map(|value| self.stand_ins.field(&change.key.0, value));
            change.key = self.stand_ins.wire_key(&change.key);
        }
    }

    fn claim(&mut self, claim: &mut ActorClaim) {
        claim.name = self.stand_ins.text(&claim.name);
        claim.guest.iter_mut().for_each(|guest| guest.signature = [0; 64]);
    }

    fn cell_key(&mut self, key: &CellKey, writer: Option<&crate::ids::PublicKey>) -> CellKey {
        if self.stand_ins.keeps() {
            return key.clone();
        }
        match key.kind {
            CellKind::Metadata => CellKey::metadata(&self.stand_ins.key(&key.field)),
            CellKind::Board => CellKey::board(&self.stand_ins.text(&key.object), &self.stand_ins.key(&key.field)),
            CellKind::Log => {
                let nonce = self.stand_ins.text(&key.field);
                match writer.filter(|writer| *key == CellKey::message(writer, &key.field)) {
                    Some(writer) => CellKey::message(writer, &nonce),
                    None => CellKey { object: self.stand_ins.text(&key.object), field: nonce, kind: key.kind },
                }
            }
            // Made of public keys and numbers.
            CellKind::Roster | CellKind::Access | CellKind::Key => key.clone(),
        }
    }

    fn cell(&mut self, cell: &Cell) -> Cell {
        let key = self.cell_key(&cell.key, Some(&cell.writer));
        let value = cell.value.as_ref().map(|value| match cell.key.kind {
            CellKind::Key if cell.key.field == HEAD => value.clone(),
            CellKind::Key => match value.text() {
                Some(part) => Raw::of(&Value::String("A".repeat(part.len()))),
                None => Raw::of(&Value::Null),
            },
            CellKind::Roster => self.stand_ins.field("name", value),
            CellKind::Board | CellKind::Metadata => self.stand_ins.field(&cell.key.field, value),
            CellKind::Access | CellKind::Log => self.stand_ins.raw(value),
        });
        Cell { key: Arc::new(key), hlc: cell.hlc, writer: cell.writer, value, signature: [0; 64] }
    }

    /// A frame of cells that was kept, or told in front of the room.
    fn kept(&mut self, bytes: &[u8]) -> Vec<u8> {
        match Frame::decode(bytes, PAGE_MAX) {
            Ok(Frame::Cells(cells)) => Frame::Cells(cells.iter().map(|cell| self.cell(cell)).collect()).encode(),
            Ok(_) => Vec::new(),
            Err(why) => blank(bytes, why),
        }
    }

    fn kept_cell(&mut self, bytes: &[u8]) -> Vec<u8> {
        let cell: Option<Cell> = postcard::from_bytes(bytes).ok();
        cell.map_or_else(Vec::new, |cell| postcard::to_stdvec(&self.cell(&cell)).unwrap_or_default())
    }
}

/// As many bytes that are unreadable for the same reason, and say nothing else.
fn blank(bytes: &[u8], why: Unreadable) -> Vec<u8> {
    let kept = match why {
        Unreadable::TooLarge | Unreadable::Version(_) => 1,
        Unreadable::Kind | Unreadable::Body => 2,
    };
    let mut other: Vec<u8> = bytes.iter().take(kept).copied().collect();
    other.resize(bytes.len(), 0xff);
    other
}
