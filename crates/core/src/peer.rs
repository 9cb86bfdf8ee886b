//! What this observer knows of one remote session: its link, its lease, its records (design R4 to R6).

use std::collections::{BTreeMap, BTreeSet};

use crate::fields::Fields;
use crate::ids::{MemberId, Rev, Seq, SessionId, Tick};
use crate::input::DownCause;
use crate::limits::{DISCONNECTED_MS, STALE_MS, TIMEOUT_MS};
use crate::proof::Certificate;
use crate::row_table::Place;
use crate::sync::Purse;
use crate::view::{Actor, Bag, LeftReason};
use crate::wire::Pulse;

/// One remote session in this room.
pub(crate) struct Peer {
    /// Its part of the hash of a set of sessions (design N4).
    pub mark: u32,
    /// The last sign of life, by the receiver's own clock (design R6).
    pub heard: Tick,
    pub seq: Seq,
    pub linked: bool,
    pub loopback: bool,
    /// When its link closed, until a newer frame arrives by another way.
    pub lost: Option<(Tick, DownCause)>,
    pub stale: bool,
    pub certificate: Option<Certificate>,
    pub records: BTreeMap<u32, Box<Record>>,
    /// The incarnations that it had as of a frame with this `seq`: all that it ever had before are over.
    pub roster: (Seq, Vec<u32>),
    pub asked: Option<Asked>,
    /// What its last heartbeat said.
    pub pulse: Option<Pulse>,
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
    /// The link is new: a mismatch in its first beat is repaired at once (design R12).
    pub fresh: bool,
    /// Futile exchanges of cells, for the back-off.
    pub futile: Futile,
    /// Records that had to make room in a full room, and when the last one did.
    pub evicted: Option<(Tick, BTreeSet<u32>)>,
}

/// The last `Ask` to a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub at: Tick,
    pub nonce: u64,
}

/// An exchange of cells that this end began.
#[derive(Clone, Debug)]
pub(crate) struct Syncing {
    /// When stamps are no answer to it any more.
    pub until: Tick,
    /// Buckets that were not answered yet.
    pub buckets: BTreeSet<u8>,
}

/// Exchanges with the same unchanged pair of hashes (design R12).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Futile {
    pub pair: (u64, u64),
    pub count: u32,
    pub not_before: Tick,
}

/// One record of a remote session.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub member: MemberId,
    pub actor: Actor,
    pub joined_ms: u64,
    pub metadata: Bag,
    pub fields: Fields,
    pub act: u64,
    /// Every change up to here is known.
    pub known: Rev,
    /// The newest whole frame of this record, so that an older one cannot bring back its metadata or name.
    pub full_seq: Seq,
    /// Where its row is.
    pub place: Place,
}

impl Peer {
    pub fn new(id: SessionId, now: Tick) -> Self {
        Peer {
            mark: session_mark(&id),
            heard: now,
            seq: Seq(0),
            linked: false,
            loopback: false,
            lost: None,
            stale: false,
            certificate: None,
            records: BTreeMap::new(),
            roster: (Seq(0), Vec::new()),
            asked: None,
            pulse: None,
            answered: None,
            served: None,
            purse: Purse::new(now),
            syncing: None,
            cell_mismatches: 0,
            fresh: false,
            futile: Futile::default(),
            evicted: None,
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
        let fields = self.records.values().filter_map(|record| record.fields.next_expiry());
        fields.min().map_or(next, |at| at.min(next))
    }

    /// Hash of its records as known here, to hold against its beat (design R4).
    pub fn records_hash(&self) -> u32 {
        records_hash(self.records.iter().map(|(incarnation, record)| (&record.member, *incarnation, record.known)))
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
