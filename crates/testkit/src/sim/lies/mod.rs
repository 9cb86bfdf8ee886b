//! What a hostile host says: frames that no honest program writes, in the name of a session that is really its own.
//!
//! It holds a valid key and a valid certificate, so nothing that it says can be refused for its signature alone, and beside
//! the lies its program does what every program does. It invents sessions too, each with keys of its own, and answers for
//! them when somebody asks, so that they appear.
//!
//! What it says of itself is not judged. What honest hosts believe of each other is, by the same rules as without it.

use std::collections::BTreeMap;
use std::sync::Arc;

use parlor_core::{
    CellKey, CellKind, Certificate, HLC_MAX, Input, LocalActor, Path, PublicKey, SessionId, Signer, Stamp,
};
use serde_json::{Value, json};

use super::keys::FakeSigner;
use super::letter::Letter;
use super::rules::beats::LIE;
use super::rules::verdict::INTO_THE_LOCK;
use super::world::World;
use crate::forge::{
    self, ASK, Ask, BEAT, Beat, Bytes, CELLS, Cell, Change, Claim, DELTA, Delta, FULL, Field, Full, GuestClaim, LEAVE,
    Leave, Pulse, SYNC_REQUEST, SYNC_STAMPS, SYNC_WANT, SyncRequest, SyncStamps, SyncWant, TESTIMONY, Testimony,
    WITNESS_ASK, WitnessAsk, Word, bag, field, frame,
};
use crate::story::Lie;
use crate::story::random::KEYS;

/// The incarnation of the first record that a session makes.
const FIRST: u32 = 1;
/// Records of others that it says are over.
const INCARNATIONS: u32 = 6;
/// Frames of one kind that are few, and more than anybody answers at once.
const FEW: u64 = 4;
const MANY: u64 = 40;
/// A list so deep that a decoder which follows it overflows its stack.
const ABYSS: usize = 4_000;

/// Sessions that one process made up, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Inventions(BTreeMap<SessionId, Invention>);

/// What one of them has to say of itself.
#[derive(Debug)]
struct Invention {
    certificate: Certificate,
    name: String,
    seq: u64,
}

impl World {
    /// A hostile host lies; one that is honest, or does not run, says nothing.
    pub(crate) fn lie(&mut self, host: usize, lie: Lie) {
        if !self.hosts[host].hostile || !self.hosts[host].runs() {
            return;
        }
        match lie {
            Lie::TheirMemberId { victim } => {
                let member = self.hosts[victim].person.actor.user_id.to_string();
                self.false_record(host, |full| Full { member, ..full });
            }
            Lie::TheirGuest { victim } => self.their_guest(host, victim),
            Lie::ChangeHands => {
                self.false_record(host, |full| Full { member: "another".to_owned(), incarnation: FIRST, ..full });
                let claim = guest_claim(&self.hosts[host].guest, self.own_id(host));
                let member = self.hosts[host].person.actor.user_id.to_string();
                self.false_record(host, |full| Full { actor: claim, member, incarnation: FIRST, ..full });
            }
            Lie::TheirLeave { victim } => self.their_leave(host, victim),
            Lie::TheirFrames { victim, frames } => self.their_frames(host, victim, frames),
            Lie::TheirCertificate { victim } => self.their_certificate(host, victim),
            Lie::TooLarge => self.too_large(host),
            Lie::TooDeep => self.too_deep(host),
            Lie::Stamp { hlc } => {
                let signer = self.hosts[host].signer.clone();
                self.false_cell(host, hlc, &json!(format!("{LIE} {hlc}")), signer.public_key());
            }
            Lie::TheirCell { victim } => {
                let writer = self.hosts[victim].signer.public_key();
                let hlc = self.hosts[victim].wall_ms(self.now + 1_000) << 16;
                self.false_cell(host, hlc, &json!(format!("{LIE} of another")), writer);
            }
            Lie::Sessions { count } => (0..count).for_each(|_| {
                let profile = self.random.u64(..);
                self.invent(host, profile, 1, None);
            }),
            Lie::Tombstones { count } => {
                for _ in 0..count {
                    let (seq, incarnation) = (self.seq(host), self.random.u32(1_000..));
                    self.tell_all(host, LEAVE, &Leave { seq, incarnation, expired: self.now.is_multiple_of(2) });
                }
            }
            Lie::Asks { count } => self.ask_often(host, count),
            Lie::SyncUnasked => self.sync_unasked(host),
            Lie::Usurp { victim } => self.usurp(host, victim),
            Lie::LastNumbers => self.last_numbers(host),
            Lie::LastBoot { victim } => self.last_boot(host, victim),
            Lie::FalseWitness { victim } => self.false_witness(host, victim),
            Lie::FalseHashes => {
                let (relay, rev) = (self.random.bool(), self.random.u64(..1_000));
                let beat = Beat { relay, seq: self.seq(host), rev, pulse: self.false_pulse() };
                self.tell_all(host, BEAT, &beat);
            }
            Lie::Garbage { count } => self.garbage(host, count),
        }
    }

    /// The guest of another: with what the guest signed for its own host, and with what this host signs in its name.
    fn their_guest(&mut self, host: usize, victim: usize) {
        let Some(theirs) = self.hosts[victim].session() else { return };
        let guest = self.hosts[victim].guest.clone();
        let signed = guest_claim(&guest, self.sessions.get(theirs).id);
        let mut forged = guest_claim(&guest, self.own_id(host));
        if let Some(forged) = &mut forged.guest {
            let message = forge::guest_message(self.own_id(host));
            forged.signature = Bytes(self.hosts[host].signer.sign(&message).to_vec());
        }
        for actor in [signed, forged] {
            self.false_record(host, |full| Full { actor, member: guest.actor.user_id.to_string(), ..full });
        }
    }

    /// Leaves of the records of another: to all, and to the victim's own neighbours by their own links.
    fn their_leave(&mut self, host: usize, victim: usize) {
        for incarnation in FIRST..=INCARNATIONS {
            let seq = self.seq(host);
            let leave = Leave { seq, incarnation, expired: incarnation % 2 == 0 };
            self.tell_all(host, LEAVE, &leave);
            self.tell_each_link(host, LEAVE, &leave);
        }
        // Whoever lost something by it would be asked for it.
        let Some(session) = self.hosts[victim].session() else { return };
        let of = self.sessions.get(session).id;
        self.tell_all(host, ASK, &Ask { of, nonce: self.now });
    }

    fn their_frames(&mut self, host: usize, victim: usize, count: u16) {
        let Some(process) = self.hosts[host].process.as_ref() else { return };
        let of_victim = |letter: &&Arc<Letter>| {
            self.sessions.find(&letter.author).is_some_and(|author| self.sessions.get(author).host == victim)
        };
        let theirs: Vec<Arc<Letter>> = process.tape.iter().filter(of_victim).cloned().collect();
        let session = process.session;
        if theirs.is_empty() {
            return;
        }
        for _ in 0..count {
            let bytes = theirs[self.random.usize(0..theirs.len())].bytes.to_vec();
            self.publish(host, session, bytes);
        }
    }

    /// The certificate of another, as everybody has seen it, for a record in this host's own frames.
    fn their_certificate(&mut self, host: usize, victim: usize) {
        let Some(session) = self.hosts[victim].session() else { return };
        let (id, boot) = (self.sessions.get(session).id, self.sessions.get(session).boot);
        let of = &self.hosts[victim];
        let name = of.person.actor.name.clone();
        let stolen = Certificate::issue(&*of.signer, id, of.profile, boot, &name);
        let mut renamed = stolen.clone();
        renamed.session = self.own_id(host);
        let member = of.person.actor.user_id.to_string();
        for certificate in [stolen, renamed] {
            let actor = Claim { name: name.clone(), guest: None };
            let member = member.clone();
            self.false_record(host, |full| Full { certificate, actor, member, ..full });
        }
    }

    /// What cells of this room are signed for.
    fn root(&self) -> [u8; 32] {
        let open = || blake3::derive_key("parlor open room v1", self.room.as_str().as_bytes());
        self.private_room().map_or_else(open, |private| private.root)
    }

    /// Decides over a private room as if it were a host, with its own good signature.
    fn usurp(&mut self, host: usize, victim: usize) {
        let hex = |identity: &PublicKey| identity.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (signer, root) = (self.hosts[host].signer.clone(), self.root());
        let (me, other) = (signer.public_key(), self.hosts[victim].signer.public_key());
        let hlc = self.hosts[host].wall_ms(self.now) << 16;
        let key = |kind, object: &str, field: String| CellKey { kind, object: object.to_owned(), field };
        let flag = json!(self.random.bool());
        let head = json!({ "commitment": "AA==", "share": "AA==", "to": "" });
        let cells = [
            (key(CellKind::Access, "host", hex(&me)), hlc, json!(true)),
            (key(CellKind::Access, "host", hex(&other)), hlc, json!(true)),
            (key(CellKind::Access, "void", hex(&other)), hlc, json!(true)),
            (key(CellKind::Key, "epoch 1", "key".to_owned()), hlc, head),
            (CellKey::metadata("locked"), hlc, flag),
            (CellKey::metadata("title"), HLC_MAX, json!(format!("{INTO_THE_LOCK} {}", self.now))),
        ];
        let cell = |(key, hlc, value)| Cell::write(&root, key, hlc, Some(forge::json(&value)), me, &*signer);
        let cells: Vec<Cell> = cells.into_iter().map(cell).collect();
        self.tell_all(host, CELLS, &cells);
    }

    fn too_large(&mut self, host: usize) {
        let long = json!("x".repeat(2_049));
        let bags = [
            json!({ "a": long }),
            Value::Object((0..65).map(|key| (format!("key {key}"), json!(key))).collect()),
            json!({ "__proto__": 1 }),
            json!({ "k".repeat(65): 1 }),
        ];
        for value in bags {
            let Value::Object(bag_of) = value else { continue };
            self.false_record(host, |full| Full { metadata: bag(bag_of.clone()), ..full });
            let fields = bag_of.iter().map(|(key, value)| field(key, value)).collect();
            self.false_change(host, fields);
        }
        self.false_record(host, |full| Full { metadata: forge::json(&json!([1])), ..full });
        // Three keys and more that are each within every limit, and together beyond that of a presence.
        let pieces = (0..12).map(|key| field(&format!("piece {key}"), &json!("x".repeat(900))));
        self.false_change(host, pieces.collect());
        let hlc = self.hosts[host].wall_ms(self.now) << 16;
        let writer = self.hosts[host].signer.public_key();
        self.false_cell(host, hlc, &json!(format!("{LIE} {}", "x".repeat(9_000))), writer);
    }

    fn too_deep(&mut self, host: usize) {
        for depth in [9, 60] {
            let value = (0..depth).fold(json!(1), |inner, _| json!([inner]));
            self.false_change(host, vec![field("cursor", &value)]);
            let hlc = self.hosts[host].wall_ms(self.now) << 16;
            let writer = self.hosts[host].signer.public_key();
            self.false_cell(host, hlc, &value, writer);
        }
        // Lists of one, opened and never closed.
        let abyss = [8, 1].repeat(ABYSS);
        let mut bytes = frame(SYNC_WANT, &SyncWant { keys: Vec::new() });
        bytes[1] = CELLS;
        bytes.extend_from_slice(&abyss);
        let session = self.hosts[host].session();
        session.into_iter().for_each(|session| self.publish(host, session, bytes.clone()));
    }

    fn ask_often(&mut self, host: usize, count: u16) {
        let running: Vec<SessionId> = self.running().map(|(_, replica)| replica.session()).collect();
        for _ in 0..count {
            let of = running[self.random.usize(0..running.len())];
            let ask = Ask { of, nonce: self.random.u64(..) };
            self.tell_all(host, ASK, &ask);
            self.tell_each_link(host, ASK, &ask);
        }
    }

    /// What belongs to an exchange of cells, with no exchange under way: by links and to all.
    fn sync_unasked(&mut self, host: usize) {
        let key = CellKey::metadata(KEYS[0]);
        let stamp = Stamp { hlc: u64::MAX, writer: self.hosts[host].signer.public_key(), hash: [7; 16] };
        let unheard = CellKey { field: "k".repeat(80), ..key.clone() };
        let requests = [Vec::new(), vec![1; 256], vec![0; 256], vec![1; 300]];
        for buckets in requests {
            self.tell_each_link(host, SYNC_REQUEST, &SyncRequest { buckets });
        }
        let stamps =
            SyncStamps { buckets: Bytes((0..=255).collect()), stamps: vec![(key.clone(), stamp), (unheard, stamp)] };
        self.tell_each_link(host, SYNC_STAMPS, &stamps);
        self.tell_all(host, SYNC_STAMPS, &stamps);
        let want = SyncWant { keys: vec![key; 200] };
        self.tell_each_link(host, SYNC_WANT, &want);
        self.tell_all(host, SYNC_WANT, &want);
    }

    /// Testimony that nobody asked for, by links and to all, and questions without end; from now on false answers.
    fn false_witness(&mut self, host: usize, victim: usize) {
        let Some(process) = self.hosts[host].process.as_mut() else { return };
        process.false_witness = true;
        let Some(theirs) = self.hosts[victim].session() else { return };
        let of = self.sessions.get(theirs).id;
        for nonce in 0..FEW {
            let testimony = Testimony { of, nonce, word: false_word(nonce) };
            self.tell_each_link(host, TESTIMONY, &testimony);
            self.tell_all(host, TESTIMONY, &testimony);
            self.tell_each_link(host, WITNESS_ASK, &WitnessAsk { of, nonce });
        }
        for nonce in 0..MANY {
            self.tell_each_link(host, WITNESS_ASK, &WitnessAsk { of: SessionId([7; 32]), nonce });
        }
    }

    /// A false witness answers before its program does: the first answer is the one that counts.
    pub(crate) fn bear_false_witness(&mut self, host: usize, letter: &Letter) {
        let lies = self.hosts[host].hostile && self.hosts[host].process.as_ref().is_some_and(|own| own.false_witness);
        let Some(session) = self.hosts[host].session().filter(|_| lies) else { return };
        let Some(Ok((of, nonce))) = letter.bytes.get(2..).map(postcard::from_bytes::<(SessionId, u64)>) else { return };
        let testimony = Testimony { of, nonce, word: false_word(nonce) };
        self.send(host, session, letter.author, frame(TESTIMONY, &testimony));
    }

    fn last_numbers(&mut self, host: usize) {
        let fields = vec![field("cursor", &json!(1))];
        let change = Change { incarnation: FIRST, rev: u64::MAX, span: u64::MAX, act: u64::MAX, fields };
        self.tell_all(host, DELTA, &Delta { relay: true, seq: u64::MAX - 2, changes: vec![change], pulse: None });
        self.false_record(host, |full| Full {
            seq: u64::MAX - 1,
            rev: u64::MAX,
            act: u64::MAX,
            joined_ms: u64::MAX,
            ..full
        });
        let pulse = self.false_pulse();
        self.tell_all(host, BEAT, &Beat { relay: true, seq: u64::MAX, rev: u64::MAX, pulse });
    }

    /// A run of its own profile that is later than any, and one of another's profile: by itself and by inventions.
    fn last_boot(&mut self, host: usize, victim: usize) {
        for of in [host, victim] {
            let profile = self.hosts[of].profile;
            let signer = self.hosts[host].signer.clone();
            let name = self.hosts[host].person.actor.name.clone();
            let certificate = Certificate::issue(&*signer, self.own_id(host), profile, u64::MAX, &name);
            self.false_record(host, |full| Full { certificate, ..full });
            self.invent(host, 0, u64::MAX, Some((signer, profile)));
        }
    }

    fn garbage(&mut self, host: usize, count: u16) {
        let Some(session) = self.hosts[host].session() else { return };
        for _ in 0..count {
            let length = self.random.usize(0..300);
            let mut bytes: Vec<u8> = (0..length).map(|_| self.random.u8(..)).collect();
            // Half of them begin as frames do.
            if self.random.bool() && length > 2 {
                (bytes[0], bytes[1]) = (parlor_core::VERSION, self.random.u8(0..12));
            }
            match self.random.bool() {
                true => self.publish(host, session, bytes),
                false => self.each_link(host, |world, to| world.send(host, session, to, bytes.clone())),
            }
        }
    }

    /// A session that nobody started, with keys and a member of its own, or with those that are given.
    fn invent(&mut self, host: usize, number: u64, boot: u64, of: Option<(Arc<dyn Signer>, [u8; 16])>) {
        let mut seed = [0; 32];
        seed.iter_mut().for_each(|byte| *byte = self.random.u8(..));
        let id = SessionId(seed);
        let name = format!("nobody {number}");
        let (signer, profile) = of.unwrap_or_else(|| (FakeSigner::of(&name), [number as u8; 16]));
        let certificate = Certificate::issue(&*signer, id, profile, boot, &name);
        self.sessions.add(id, host, true);
        let invention = Invention { certificate, name, seq: 0 };
        let Some(process) = self.hosts[host].process.as_mut() else { return };
        process.inventions.0.insert(id, invention);
        self.speak_for(host, id, Vec::new());
    }

    /// A whole record of an invention, and a heartbeat that agrees with nothing, so that it is asked for more.
    fn speak_for(&mut self, host: usize, id: SessionId, echo: Vec<u64>) {
        let Some(process) = self.hosts[host].process.as_mut() else { return };
        let Some(invention) = process.inventions.0.get_mut(&id) else { return };
        invention.seq += 2;
        let (seq, certificate, name) = (invention.seq, invention.certificate.clone(), invention.name.clone());
        let actor = Claim { name, guest: None };
        let mut full = blank(certificate, actor, seq, self.now);
        full.echo = echo;
        (full.incarnation, full.roster) = (FIRST, vec![FIRST]);
        let pulse = Pulse { count: 1, ..self.false_pulse() };
        self.publish_as(host, id, frame(FULL, &full));
        self.publish_as(host, id, frame(BEAT, &Beat { relay: true, seq: seq + 1, rev: 1, pulse }));
    }

    /// Whoever asks for an invention is answered: its question reached this host.
    pub(crate) fn answer_for_inventions(&mut self, host: usize, bytes: &[u8]) {
        let Some((&[_, ASK], body)) = bytes.split_first_chunk::<2>() else { return };
        let Ok((id, nonce)) = postcard::from_bytes::<(SessionId, u64)>(body) else { return };
        let invented = self.hosts[host].process.as_ref().is_some_and(|process| process.inventions.0.contains_key(&id));
        if invented {
            self.speak_for(host, id, vec![nonce]);
        }
    }

    fn own_id(&self, host: usize) -> SessionId {
        self.hosts[host].session().map_or(SessionId([0; 32]), |session| self.sessions.get(session).id)
    }

    /// About as far as its program has counted its signs of life.
    fn seq(&self, host: usize) -> u64 {
        self.hosts[host].process.as_ref().map_or(0, |process| process.frames) + 1
    }

    fn false_pulse(&mut self) -> Pulse {
        let count = self.random.u32(0..4);
        Pulse { count, records: self.random.u32(..), cells: self.random.u64(..), links: self.random.u32(..) }
    }

    /// A record of its own that was never made, with its own certificate, except for what is changed.
    fn false_record(&mut self, host: usize, change: impl FnOnce(Full) -> Full) {
        let (home, seq) = (&self.hosts[host], self.seq(host));
        let boot = home.session().map_or(1, |session| self.sessions.get(session).boot);
        let name = home.person.actor.name.clone();
        let certificate = Certificate::issue(&*home.signer, self.own_id(host), home.profile, boot, &name);
        let full = change(blank(certificate, Claim { name, guest: None }, seq, self.now));
        self.tell_all(host, FULL, &full);
        self.tell_each_link(host, FULL, &full);
    }

    fn false_change(&mut self, host: usize, fields: Vec<Field>) {
        let seq = self.seq(host);
        let change = Change { incarnation: FIRST, rev: 1_000_000 + seq, span: 2_000_000, act: 1, fields };
        self.tell_all(host, DELTA, &Delta { relay: true, seq, changes: vec![change], pulse: None });
    }

    fn false_cell(&mut self, host: usize, hlc: u64, value: &Value, writer: PublicKey) {
        let key = CellKey::metadata(KEYS[self.random.usize(0..KEYS.len())]);
        let signer = self.hosts[host].signer.clone();
        let cell = Cell::write(&self.root(), key, hlc, Some(forge::json(value)), writer, &*signer);
        self.tell_all(host, CELLS, &[cell].as_slice());
    }

    fn tell_all(&mut self, host: usize, kind: u8, body: &impl serde::Serialize) {
        let Some(session) = self.hosts[host].session() else { return };
        self.publish(host, session, frame(kind, body));
    }

    fn tell_each_link(&mut self, host: usize, kind: u8, body: &impl serde::Serialize) {
        let Some(session) = self.hosts[host].session() else { return };
        self.each_link(host, |world, to| world.send(host, session, to, frame(kind, body)));
    }

    fn each_link(&mut self, host: usize, mut each: impl FnMut(&mut World, SessionId)) {
        let Some(session) = self.hosts[host].session() else { return };
        let peers: Vec<SessionId> =
            self.network.lanes(session).iter().map(|lane| self.sessions.get(lane.to).id).collect();
        peers.into_iter().for_each(|peer| each(self, peer));
    }

    /// A frame of a session that this host made up: to its peers, as if it had been passed on.
    fn publish_as(&mut self, host: usize, author: SessionId, bytes: Vec<u8>) {
        let Some(session) = self.hosts[host].session() else { return };
        self.messages += 1;
        let by = self.sessions.find(&author);
        let letter = Arc::new(Letter { message: self.messages, author, by, order: 0, bytes: bytes.into() });
        self.spread(host, session, session, session, &letter);
        // Its own program hears of them as of anybody.
        self.input(host, Input::Frame { author, via: author, path: Path::Gossip, bytes: letter.bytes.to_vec() });
    }
}

/// Now that somebody is there, now that they left.
fn false_word(nonce: u64) -> Word {
    if nonce.is_multiple_of(2) { Word::Hears(0) } else { Word::Left(u32::MAX) }
}

/// What a record is besides what a lie makes of it.
fn blank(certificate: Certificate, actor: Claim, seq: u64, now: u64) -> Full {
    let incarnation = 100 + (now % 50) as u32;
    Full {
        seq,
        echo: Vec::new(),
        member: format!("{LIE} {now}"),
        certificate,
        actor,
        incarnation,
        roster: vec![FIRST, incarnation],
        joined_ms: now,
        rev: 1,
        act: 1,
        metadata: bag(parlor_core::Bag::new()),
        fields: vec![field("cursor", &json!(1))],
    }
}

/// That somebody agrees to be the guest of a session.
fn guest_claim(guest: &LocalActor, session: SessionId) -> Claim {
    let signature = Bytes(guest.signer.sign(&forge::guest_message(session)).to_vec());
    Claim { name: guest.actor.name.clone(), guest: Some(GuestClaim { key: guest.signer.public_key(), signature }) }
}

#[cfg(test)]
mod tests;
