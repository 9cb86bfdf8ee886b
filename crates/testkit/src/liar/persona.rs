//! Who a liar says it is: an identity of its own with real signatures, and the frames of one session of it. What comes out
//! is what an honest program would say, except for what is changed on purpose.

use std::time::{SystemTime, UNIX_EPOCH};

use ed25519_dalek::SigningKey;
use parlor_core::{Bag, CellKey, Certificate, PublicKey, SessionId, Signer};
use serde_json::{Value, json};

use crate::forge::{self, Bytes, Cell, Change, Claim, Delta, Field, Full, Leave, Pulse, frame};

/// A key that belongs to a name.
#[derive(Clone)]
pub struct Identity(SigningKey);

impl Identity {
    /// The key of this name, always the same.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self(SigningKey::from_bytes(blake3::hash(name.as_bytes()).as_bytes()))
    }
}

impl Signer for Identity {
    fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        ed25519_dalek::Signer::sign(&self.0, message).to_bytes()
    }
}

/// One session of somebody, and how far it has counted.
pub struct Persona {
    /// Who signs.
    pub signer: Identity,
    /// Whose session it is, well signed.
    pub certificate: Certificate,
    /// The name it gives.
    pub name: String,
    root: [u8; 32],
    seq: u64,
}

impl Persona {
    /// Somebody of this name, in an open room.
    #[must_use]
    pub fn new(name: &str, session: SessionId, room: &str) -> Self {
        let signer = Identity::of(name);
        let mut profile = [0; 16];
        profile.copy_from_slice(&session.0[..16]);
        let certificate = Certificate::issue(&signer, session, profile, wall_ms(), name);
        Self { signer, certificate, name: name.to_owned(), root: forge::root_of(room), seq: 0 }
    }

    /// The next sign of life.
    pub fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    /// A whole record of this session, except for what is changed. `incarnation` is which of its records.
    pub fn full(&mut self, incarnation: u32, change: impl FnOnce(&mut Full)) -> Vec<u8> {
        let mut full = Full {
            seq: self.next_seq(),
            echo: Vec::new(),
            certificate: self.certificate.clone(),
            actor: Claim { name: self.name.clone(), guest: None },
            member: format!("liar {incarnation}"),
            incarnation,
            roster: vec![incarnation],
            joined_ms: wall_ms(),
            rev: 1,
            act: 1,
            metadata: forge::bag(Bag::new()),
            fields: vec![forge::field("mark", &json!("a lie"))],
        };
        change(&mut full);
        frame(forge::FULL, &full)
    }

    /// A change of one of its records.
    pub fn delta(&mut self, incarnation: u32, fields: Vec<Field>) -> Vec<u8> {
        let seq = self.next_seq();
        let change = Change { incarnation, rev: 1_000 + seq, span: 1_000_000, act: 1, fields };
        frame(forge::DELTA, &Delta { relay: true, seq, changes: vec![change], pulse: None })
    }

    /// A heartbeat that agrees with nothing, so that whoever hears it asks.
    pub fn beat(&mut self) -> Vec<u8> {
        let seq = self.next_seq();
        let pulse = Pulse { count: 1, records: seq as u32, cells: seq, links: seq as u32 };
        frame(forge::BEAT, &forge::Beat { relay: true, seq, rev: seq, pulse })
    }

    /// That one of its records is over.
    pub fn leave(&mut self, incarnation: u32) -> Vec<u8> {
        let seq = self.next_seq();
        frame(forge::LEAVE, &Leave { seq, incarnation, expired: incarnation.is_multiple_of(2) })
    }

    /// A cell, well signed, with the clock that is right now.
    #[must_use]
    pub fn cell(&self, key: CellKey, value: Option<&Value>) -> Cell {
        self.cell_at(key, wall_ms() << 16, value)
    }

    /// The same with any clock.
    #[must_use]
    pub fn cell_at(&self, key: CellKey, hlc: u64, value: Option<&Value>) -> Cell {
        self.cell_of(key, hlc, value.map(forge::json), self.signer.public_key())
    }

    /// The same with any bytes for a value, in anybody's name.
    #[must_use]
    pub fn cell_of(&self, key: CellKey, hlc: u64, value: Option<Bytes>, writer: PublicKey) -> Cell {
        Cell::write(&self.root, key, hlc, value, writer, &self.signer)
    }
}

/// What the clock on the wall says.
#[must_use]
pub fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
