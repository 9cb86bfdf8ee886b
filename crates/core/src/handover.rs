//! The changed key of a private room, as the room's own cells carry it (design N8): who put it there, for whom it is, and
//! for each of them a part that only they can read. Whoever finds no part for themselves is out.
//!
//! A key has a number, its epoch, one more than that of the key before. Of two keys of one epoch the one with the greater
//! stamp is in force, as in every register. What is sealed in a part, and how, is the driver's: here it is bytes.

use std::collections::BTreeSet;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::access::not_a_host;
use crate::cell::{Cell, CellKey, CellKind};
use crate::error::{Error, ErrorCode};
use crate::ids::{PublicKey, SessionId, Tick};
use crate::input::Verdict;
use crate::limits::{PAGE_MAX, RECIPIENTS_MAX};
use crate::proof::LocalActor;
use crate::recorder::step::{What, call};
use crate::registers::Held;
use crate::replica::Replica;
use crate::rule;
use crate::sync::{PAGE, cell_size, split};
use crate::view::{LeftReason, RowKey};
use crate::wire::Frame;

/// The field of what is true of a key for everybody.
const KEY: &str = "key";

/// A changed key as one identity finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// How often the key was changed since the room was made.
    pub epoch: u32,
    /// What the key must hash to.
    pub commitment: [u8; 32],
    /// What the parts were sealed with, as the driver needs it.
    pub share: [u8; 32],
    /// The part for this identity; nothing when it has not come yet.
    pub part: Option<Vec<u8>>,
    /// Whether there is one for this identity at all: without it the identity was taken out of the room.
    pub included: bool,
}

/// A key to be put in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewKey {
    /// Its number, greater than that of any key before.
    pub epoch: u32,
    /// What it hashes to.
    pub commitment: [u8; 32],
    /// What the parts were sealed with.
    pub share: [u8; 32],
    /// For each identity that stays, its part.
    pub parts: Vec<(PublicKey, Vec<u8>)>,
}

/// What is true of a key for everybody, as a cell says it. All are base64.
#[derive(Serialize, Deserialize)]
struct Head {
    commitment: String,
    share: String,
    /// Eight bytes of the hash of each identity that it is for, in order.
    to: String,
}

/// The key that is in force.
#[derive(Clone, Debug)]
pub(crate) struct InForce {
    pub epoch: u32,
    pub writer: PublicKey,
    pub hlc: u64,
    commitment: [u8; 32],
    share: [u8; 32],
    to: BTreeSet<[u8; 8]>,
}

impl InForce {
    /// The key that a register tells of.
    fn read(held: &Held) -> Option<Self> {
        let epoch = epoch_of(held.key())?;
        let head = Head::deserialize(held.cell.value.as_ref()?.value()).ok()?;
        let bytes = |text: &str| BASE64.decode(text.as_bytes()).ok();
        let array = |text: &str| bytes(text)?.try_into().ok();
        let (commitment, share) = (array(&head.commitment)?, array(&head.share)?);
        let to = bytes(&head.to)?.as_chunks::<8>().0.iter().copied().collect();
        Some(InForce { epoch, writer: held.cell.writer, hlc: held.stamp.hlc, commitment, share, to })
    }

    /// Whether it is for this identity.
    pub fn is_for(&self, identity: &PublicKey) -> bool {
        self.to.contains(&mark(identity))
    }

    /// Where the part for this identity stands.
    pub fn part_of(&self, identity: &PublicKey) -> CellKey {
        part_key(self.epoch, &self.writer, identity)
    }
}

/// Whether a cell of [`CellKind::Key`] stands where its writer may put it: parts of a key have registers of their host,
/// so that those of two hosts do not mix.
pub(crate) fn is_named(key: &CellKey, writer: &PublicKey) -> bool {
    if key.field == KEY {
        return epoch_of(key).is_some();
    }
    let epoch = key.object.split_once(' ').and_then(|(_, rest)| rest.split_once(' ')).map(|(epoch, _)| epoch);
    let epoch = epoch.and_then(|epoch| epoch.parse().ok());
    epoch.is_some_and(|epoch| part_object(epoch, writer) == key.object) && rule::identity(&key.field).is_some()
}

/// The epoch of the register of a key.
fn epoch_of(key: &CellKey) -> Option<u32> {
    if key.kind != CellKind::Key || key.field != KEY {
        return None;
    }
    let epoch = key.object.strip_prefix("epoch ")?.parse().ok()?;
    (head_key(epoch).object == key.object && epoch > 0).then_some(epoch)
}

fn head_key(epoch: u32) -> CellKey {
    CellKey { kind: CellKind::Key, object: format!("epoch {epoch}"), field: KEY.to_owned() }
}

fn part_key(epoch: u32, writer: &PublicKey, to: &PublicKey) -> CellKey {
    CellKey { kind: CellKind::Key, object: part_object(epoch, writer), field: rule::field_of(to) }
}

fn part_object(epoch: u32, writer: &PublicKey) -> String {
    format!("epoch {epoch} {}", data_encoding::HEXLOWER.encode(&writer.0[..16]))
}

fn framed(cells: Vec<Cell>) -> Vec<Vec<u8>> {
    split(cells, PAGE, cell_size).into_iter().map(|cells| Frame::Cells(cells).encode()).collect()
}

fn mark(identity: &PublicKey) -> [u8; 8] {
    let mut mark = [0; 8];
    mark.copy_from_slice(&blake3::hash(&identity.0).as_bytes()[..8]);
    mark
}

impl Replica {
    /// The key that is in force, if it was ever changed.
    pub(crate) fn key_in_force(&self) -> Option<InForce> {
        let heads = self.cells.of(CellKind::Key).filter(|held| held.key().field == KEY);
        heads.filter_map(InForce::read).max_by_key(|key| key.epoch)
    }

    /// The changed key that is in force, as this identity finds it; nothing when it was never changed.
    #[must_use]
    pub fn handover(&self, identity: &PublicKey) -> Option<Handover> {
        let key = self.key_in_force()?;
        let part = self.cells.live(&key.part_of(identity));
        let part = part.and_then(|part| BASE64.decode(part.text()?.as_bytes()).ok());
        Some(Handover {
            epoch: key.epoch,
            commitment: key.commitment,
            share: key.share,
            part,
            included: key.is_for(identity),
        })
    }

    /// The identities that a new key is for when these are taken out: those who are here, then those who were here last,
    /// at most 256.
    #[must_use]
    pub fn staying(&self, without: &[String]) -> Vec<PublicKey> {
        let Some(access) = &self.access else { return Vec::new() };
        let certificates = self.peers.values().filter(|peer| !peer.records.is_empty());
        let here = certificates.filter_map(|peer| peer.certificate.as_ref()).map(|certificate| certificate.identity);
        let first = [self.config.certificate.identity].into_iter().chain(here);
        let hosts = self.cells.rule().into_iter().flat_map(|rule| rule.hosts.iter().copied());
        let inside = |identity: &PublicKey| {
            let user = identity.user_id();
            access.people.iter().any(|person| person.user_id == user && person.inside)
        };
        let known = self.cells.newest(CellKind::Roster).map(|held| held.cell.writer).filter(inside);
        let mut staying: Vec<PublicKey> = Vec::new();
        for identity in first.chain(hosts).chain(known) {
            if !staying.contains(&identity) && !without.iter().any(|user| user == identity.user_id().as_str()) {
                staying.push(identity);
            }
        }
        staying.truncate(RECIPIENTS_MAX);
        staying
    }

    /// Puts a new key in force (design N8). Only a host may. Everybody who gets no part of it is out as soon as they hear
    /// of it, and so are their members here.
    ///
    /// # Errors
    /// `FORBIDDEN` unless the actor is a host of a private room, `PAYLOAD_TOO_LARGE` for more than 256 identities,
    /// `INVALID_TICKET` for an epoch that is not greater than that in force, `NOT_JOINED`. Nothing is touched by any of
    /// them.
    pub fn change_key(&mut self, who: &LocalActor, key: NewKey, now: Tick) -> Result<(), Error> {
        self.note_call(who, call::CHANGE_KEY, &key, now);
        let writer = who.signer.public_key();
        if self.cells.rule().is_none_or(|rule| !rule.hosts.contains(&writer)) {
            return Err(not_a_host());
        }
        if key.parts.len() > RECIPIENTS_MAX {
            return Err(Error::too_large("identities", RECIPIENTS_MAX, key.parts.len(), "key"));
        }
        if key.epoch <= self.key_in_force().map_or(0, |key| key.epoch) {
            return Err(Error::new(ErrorCode::InvalidTicket, "another key is in force already"));
        }
        self.may_write(who)?;
        let mut to: Vec<[u8; 8]> = key.parts.iter().map(|(identity, _)| mark(identity)).collect();
        to.sort_unstable();
        let head = json!({
            "commitment": BASE64.encode(&key.commitment),
            "share": BASE64.encode(&key.share),
            "to": BASE64.encode(&to.concat()),
        });
        // The parts first, so that nobody who hears of the key in this order has to wait for theirs.
        let parts = key
            .parts
            .iter()
            .map(|(identity, part)| (part_key(key.epoch, &writer, identity), Some(Value::String(BASE64.encode(part)))));
        let writes = parts.chain([(head_key(key.epoch), Some(head))]).collect();
        self.write(who, writes, now)
    }

    /// What those who have the key before only may still be told, so that they find their part of this one: who is a host,
    /// and the key in force. Each is a frame to one peer.
    #[must_use]
    pub fn porch(&self) -> Vec<Vec<u8>> {
        let key = self.key_in_force();
        let of_it = |held: &&Held| {
            let (object, key) = (&held.key().object, key.as_ref());
            key.is_some_and(|key| {
                *object == head_key(key.epoch).object || *object == part_object(key.epoch, &key.writer)
            })
        };
        let key = self.cells.of(CellKind::Key).filter(of_it);
        let cells = self.cells.of(CellKind::Access).chain(key).map(|held| held.cell.clone()).collect();
        framed(cells)
    }

    /// What has to outlive everybody's leaving, or nobody could be let in again and the hosts would be none: the same, and
    /// who was ever in the room. To be kept by the driver and given back by [`restore`](Replica::restore).
    #[must_use]
    pub fn standing(&self) -> Vec<Vec<u8>> {
        let mut frames = self.porch();
        frames.extend(framed(self.cells.of(CellKind::Roster).map(|held| held.cell.clone()).collect()));
        frames
    }

    /// Takes what was kept of this room, judged as if it had come from anybody.
    pub fn restore(&mut self, frames: &[Vec<u8>], now: Tick) {
        for frame in frames {
            if let Ok(Frame::Cells(mut cells)) = Frame::decode(frame, PAGE_MAX) {
                cells.retain(|cell| cell.key.kind.is_of_private_rooms());
                let _: Verdict = self.cells_in(cells, now);
            }
        }
        if self.is_recorded() {
            self.note_step(&What::Restore(frames.to_vec()), now);
        }
    }

    /// Takes what somebody told in front of the room, under the key before: keys and who is a host, and nothing else. True
    /// when something of it was new.
    pub fn hear_at_porch(&mut self, bytes: &[u8], now: Tick) -> bool {
        let news = self.told_at_porch(bytes, now);
        if self.is_recorded() {
            self.note_step(&What::Porch(bytes.to_vec()), now);
        }
        news
    }

    fn told_at_porch(&mut self, bytes: &[u8], now: Tick) -> bool {
        let mut cells = match Frame::decode(bytes, PAGE_MAX) {
            Ok(Frame::Cells(cells)) => cells,
            // Whoever does not know yet that the key was changed says what is said in a room.
            Ok(_) => return false,
            Err(_) => {
                self.counters.add("porch_refused");
                return false;
            }
        };
        let all = cells.len();
        cells.retain(|cell| matches!(cell.key.kind, CellKind::Access | CellKind::Key));
        if cells.len() < all {
            self.counters.add("porch_refused");
        }
        let before = self.cells.hash();
        let _: Verdict = self.cells_in(cells, now);
        before != self.cells.hash()
    }

    /// The driver seals with the key of this number, which hashes to that.
    pub fn use_key(&mut self, epoch: u32, commitment: [u8; 32]) {
        self.note_step(&What::UseKey { epoch, commitment }, self.looked);
        self.key_used = (epoch, commitment);
    }

    /// Once for each new key that is in force: who has no part of it is out. Whoever uses it already came in with it, and
    /// so did all that are heard under it.
    pub(crate) fn put_out(&mut self, key: Option<&InForce>, now: Tick) {
        let Some(key) = key else { return };
        let told = (key.epoch, key.commitment);
        if self.key_told.replace(told) == Some(told) || self.key_used == told || key.epoch < self.key_used.0 {
            return;
        }
        if !key.is_for(&self.config.certificate.identity) {
            self.counters.add("put_out");
            self.leave_all_to(LeftReason::Excluded, now);
        }
        let out = |peer: &crate::peer::Peer| {
            peer.certificate.as_ref().is_some_and(|certificate| !key.is_for(&certificate.identity))
        };
        let out: Vec<SessionId> =
            self.peers.iter().filter(|(_, peer)| out(peer)).map(|(session, _)| *session).collect();
        for session in out {
            let Some(peer) = self.peers.get_mut(&session) else { continue };
            let records = std::mem::take(&mut peer.records);
            records.keys().for_each(|incarnation| self.departed.bury(session, *incarnation));
            let rows: Vec<RowKey> = records.into_values().map(|record| (record.member, record.actor.user_id)).collect();
            self.refresh_all(rows, LeftReason::Excluded, now);
        }
        self.count_watchers();
    }
}

#[cfg(test)]
#[path = "handover_tests.rs"]
mod tests;
