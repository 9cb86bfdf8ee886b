//! What this observer knows of one remote session: its link, its lease, its records (design R4 to R6).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::fields::Fields;
use crate::ids::{MemberId, Rev, Seq, SessionId, Tick, UserId};
use crate::input::DownCause;
use crate::limits::{DISCONNECTED_MS, STALE_MS, TIMEOUT_MS};
use crate::peers::Counted;
use crate::proof::Certificate;
use crate::row_table::Place;
use crate::said::{Breath, Heard};
use crate::sync::Purse;
use crate::view::{Actor, Bag, LeftReason};
use crate::wire::Pulse;
use crate::witness::Case;

/// One remote session in this room. What every frame of its looks at stands first, and so lies side by side.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[repr(C)]
pub(crate) struct Peer {
    pub records: Records,
    /// The last sign of life, by the receiver's own clock (design R6).
    pub heard: Tick,
    pub seq: Seq,
    /// Its part of the hash of a set of sessions (design N4).
    pub mark: u32,
    pub stale: bool,
    pub linked: bool,
    pub loopback: bool,
    /// The link is new: a mismatch in its first beat is repaired at once (design R12).
    pub fresh: bool,
    /// What its last heartbeat said.
    pub pulse: Option<Pulse>,
    /// When its link closed, until a newer frame arrives by another way.
    pub lost: Option<(Tick, DownCause)>,
    pub certificate: Option<Certificate>,
    /// The incarnations that it had as of a frame with this `seq`: all that it ever had before are over.
    pub roster: (Seq, Vec<u32>),
    pub asked: Option<Asked>,
    /// When an `Ask` of its was answered last.
    pub answered: Option<Tick>,
    /// When a `SyncRequest` of its was answered last.
    pub served: Option<Tick>,
    /// What it may still be sent of cells by request.
    pub purse: Purse,
    /// What it was asked for of its cells.
    pub syncing: Option<Syncing>,
    /// Beats in a row whose hash of cells differed from ours.
    pub cell_mismatches: u8,
    /// Futile exchanges of cells, for the back-off.
    pub futile: Futile,
    /// What it said to those who are here.
    pub said: Heard,
    /// When a sign of life of its was passed on last, and by whom.
    pub relayed: Option<(Tick, SessionId)>,
    /// The last answered ping on its link, in microseconds.
    pub rtt_us: Option<u32>,
    /// What it may still ask about others.
    pub asks: Breath,
    /// What others were asked about it, while it is silent.
    pub case: Option<Box<Case>>,
    /// Records that had to make room in a full room, and when the last one did.
    pub evicted: Option<(Tick, BTreeSet<u32>)>,
    /// What it was last counted as.
    #[serde(skip)]
    pub counted: Counted,
}

/// The last `Ask` to a session.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub at: Tick,
    pub nonce: u64,
}

/// An exchange of cells that this end began.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Syncing {
    /// When stamps are no answer to it any more.
    pub until: Tick,
    /// Buckets that were not answered yet.
    pub buckets: BTreeSet<u8>,
}

/// Exchanges with the same unchanged pair of hashes (design R12).
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Futile {
    pub pair: (u64, u64),
    pub count: u32,
    pub not_before: Tick,
}

/// One record of a remote session.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[repr(C)]
pub(crate) struct Record {
    /// Every change up to here is known.
    pub known: Rev,
    pub act: u64,
    pub fields: Fields,
    /// Where its row is.
    #[serde(skip)]
    pub place: Place,
    pub member: MemberId,
    #[serde(with = "crate::recorder::base::actor")]
    pub actor: Actor,
    pub joined_ms: u64,
    #[serde(with = "crate::recorder::base::bag")]
    pub metadata: Bag,
    /// The newest whole frame of this record, so that an older one cannot bring back its metadata or name.
    pub full_seq: Seq,
}

/// The records of one session, by incarnation. Nearly always it is one, which most frames look at: no tree of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Records {
    all: Vec<(u32, Record)>,
    /// Their hash, until one of them changes.
    #[serde(skip)]
    hash: Option<u32>,
}

impl Records {
    pub fn get(&self, incarnation: u32) -> Option<&Record> {
        let at = self.find(incarnation).ok()?;
        self.all.get(at).map(|(_, record)| record)
    }

    pub fn get_mut(&mut self, incarnation: u32) -> Option<&mut Record> {
        let at = self.find(incarnation).ok()?;
        self.hash = None;
        self.all.get_mut(at).map(|(_, record)| record)
    }

    /// The record of an incarnation, made when it is not there.
    pub fn enter(&mut self, incarnation: u32, make: impl FnOnce() -> Record) -> &mut Record {
        self.hash = None;
        let at = self.find(incarnation).unwrap_or_else(|at| {
            self.all.reserve_exact(1);
            self.all.insert(at, (incarnation, make()));
            at
        });
        &mut self.all[at].1
    }

    /// All of them, to be changed.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut Record> {
        self.hash = None;
        self.all.iter_mut().map(|(_, record)| record)
    }

    pub fn remove(&mut self, incarnation: u32) -> Option<Record> {
        let at = self.find(incarnation).ok()?;
        self.hash = None;
        Some(self.all.remove(at).1)
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &Record)> {
        self.all.iter().map(|(incarnation, record)| (*incarnation, record))
    }

    pub fn keys(&self) -> impl Iterator<Item = &u32> {
        self.all.iter().map(|(incarnation, _)| incarnation)
    }

    pub fn values(&self) -> impl Iterator<Item = &Record> {
        self.all.iter().map(|(_, record)| record)
    }

    pub fn into_values(self) -> impl Iterator<Item = Record> {
        self.all.into_iter().map(|(_, record)| record)
    }

    /// Whose each is, and its fields, which the hash does not say: it says up to where all is known.
    pub fn fields_mut(&mut self) -> impl Iterator<Item = (&MemberId, &UserId, &mut Fields)> {
        self.all.iter_mut().map(|(_, record)| (&record.member, &record.actor.user_id, &mut record.fields))
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What a heartbeat says of the same records, when nothing is missing here (design R4).
    pub fn hash(&mut self) -> u32 {
        let all = self.all.iter().map(|(incarnation, record)| (&record.member, *incarnation, record.known));
        *self.hash.get_or_insert_with(|| records_hash(all))
    }

    fn find(&self, incarnation: u32) -> Result<usize, usize> {
        self.all.binary_search_by_key(&incarnation, |(held, _)| *held)
    }
}

impl Peer {
    pub fn new(id: SessionId, now: Tick) -> Self {
        Peer {
            records: Records::default(),
            heard: now,
            seq: Seq(0),
            mark: session_mark(&id),
            stale: false,
            linked: false,
            loopback: false,
            fresh: false,
            pulse: None,
            lost: None,
            certificate: None,
            roster: (Seq(0), Vec::new()),
            asked: None,
            answered: None,
            served: None,
            purse: Purse::new(now),
            syncing: None,
            cell_mismatches: 0,
            futile: Futile::default(),
            said: Heard::default(),
            relayed: None,
            rtt_us: None,
            asks: Breath::new(now),
            case: None,
            evicted: None,
            counted: Counted::default(),
        }
    }

    /// Takes a sign of life; false when one as new was taken before.
    pub fn alive(&mut self, seq: Seq, now: Tick) -> bool {
        if seq <= self.seq {
            return false;
        }
        self.seq = seq;
        self.heard = now;
        self.lost = None;
        true
    }

    /// Whether it looks on without a member here.
    pub fn watches(&self) -> bool {
        // One whose link closed while it had no records is forgotten at once, and any newer frame ends that it is lost.
        self.records.is_empty() && self.pulse.is_some_and(|pulse| pulse.count == 0)
    }

    pub fn is_stale(&self, now: Tick) -> bool {
        self.lost.is_some() || now.since(self.heard) >= STALE_MS
    }

    /// Why the session is over at `now`, if it is.
    pub fn over(&self, now: Tick, outage: bool) -> Option<LeftReason> {
        // In own outage silence says nothing, except over loopback: only an end that was said does (design R9).
        let counts = !outage || self.loopback;
        match self.lost {
            Some((at, cause)) if (counts || cause != DownCause::TimedOut) && now.since(at) >= DISCONNECTED_MS => {
                Some(LeftReason::Disconnected)
            }
            _ if counts && now.since(self.heard) >= TIMEOUT_MS => Some(LeftReason::Timeout),
            _ => None,
        }
    }

    /// The next moment at which its state can change with no traffic at all.
    pub fn next_deadline(&self, outage: bool) -> Tick {
        let silence = if self.stale { TIMEOUT_MS } else { STALE_MS };
        let counts = !outage || self.loopback;
        let mut next = if self.stale && !counts { Tick(u64::MAX) } else { self.heard.plus(silence) };
        match self.lost {
            Some((at, _)) if !self.stale => next = at,
            Some((at, cause)) if counts || cause != DownCause::TimedOut => next = next.min(at.plus(DISCONNECTED_MS)),
            _ => {}
        }
        if let Some(round) = self.case.as_ref().and_then(|case| case.next()).filter(|_| counts) {
            next = next.min(round);
        }
        let fields = self.records.values().filter_map(|record| record.fields.next_expiry());
        fields.min().map_or(next, |at| at.min(next))
    }
}

/// Hash of `(memberId, incarnation, last rev)` of each record, in the order of incarnations.
pub(crate) fn records_hash<'a>(records: impl Iterator<Item = (&'a MemberId, u32, Rev)>) -> u32 {
    // Nearly always one record of less than a block, and hashed with every heartbeat: at once, which is half the work.
    let mut bytes = Vec::with_capacity(64);
    for (member, incarnation, rev) in records {
        bytes.extend_from_slice(&(member.as_str().len() as u64).to_le_bytes());
        bytes.extend_from_slice(member.as_str().as_bytes());
        bytes.extend_from_slice(&incarnation.to_le_bytes());
        bytes.extend_from_slice(&rev.0.to_le_bytes());
    }
    first_four(&blake3::hash(&bytes))
}

/// A session's part of the hash of a set of sessions, which is the XOR of all parts: in no order, and cheap to keep
/// (design N4).
pub(crate) fn session_mark(session: &SessionId) -> u32 {
    first_four(&blake3::hash(&session.0))
}

fn first_four(hash: &blake3::Hash) -> u32 {
    let mut first = [0; 4];
    first.copy_from_slice(&hash.as_bytes()[..4]);
    u32::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use crate::ids::PublicKey;
    use crate::view::ActorKind;

    use super::*;

    fn record(known: u64) -> Record {
        let user_id = PublicKey([7; 32]).user_id();
        Record {
            known: Rev(known),
            act: 1,
            fields: Fields::default(),
            place: Place::default(),
            member: user_id.default_member(),
            actor: Actor { kind: ActorKind::User, user_id, name: "ann".to_owned(), via: None },
            joined_ms: 1,
            metadata: Bag::new(),
            full_seq: Seq(1),
        }
    }

    /// R4: the hash that is kept is that of the records as they are.
    #[test]
    fn the_hash_of_records_follows_them() {
        let of = |all: &[(u32, u64)]| {
            let mut records = Records::default();
            for (incarnation, known) in all {
                records.enter(*incarnation, || record(*known));
            }
            records.hash()
        };
        let mut records = Records::default();
        assert_eq!(records.hash(), of(&[]));
        records.enter(5, || record(1));
        assert_eq!(records.hash(), of(&[(5, 1)]));
        records.enter(2, || record(1));
        assert_eq!(records.hash(), of(&[(2, 1), (5, 1)]));
        if let Some(record) = records.get_mut(5) {
            record.known = Rev(9);
        }
        assert_eq!(records.hash(), of(&[(2, 1), (5, 9)]));
        records.enter(2, || record(8)).known = Rev(3);
        assert_eq!(records.hash(), of(&[(2, 3), (5, 9)]));
        assert!(records.remove(2).is_some());
        assert_eq!(records.hash(), of(&[(5, 9)]));
        assert_eq!((records.get(2).is_none(), records.get(5).map(|record| record.known)), (true, Some(Rev(9))));
        assert_eq!(of(&[(2, 1), (5, 1)]), of(&[(5, 1), (2, 1)]), "in the order of incarnations");
        assert_ne!(of(&[(2, 1)]), of(&[(2, 2)]));
    }
}
