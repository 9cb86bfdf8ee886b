//! What a replica does, for those who want to see it: each frame with its verdict and the reasons for it, each cell that was
//! written over or lost, each link, and whoever fell silent.
//!
//! It is noted only between [`Replica::inspect`] on and off; otherwise it costs one look at an empty place. What is not
//! fetched in time is lost, oldest first, and counted, so a slow reader costs no memory and holds up nothing. Nothing here
//! changes what a replica does.

use std::collections::VecDeque;

use serde::{Serialize, Serializer};

use crate::cell::{Cell, CellKey, CellKind, Stamp};
use crate::ids::{MemberId, Rev, SessionId, UserId};
use crate::input::{DownCause, Path, Verdict};
use crate::replica::Replica;
use crate::view::LeftReason;
use crate::wire::frame_kind;

/// Bytes of a frame that are shown to those who ask for them.
pub const SHOWN_BYTES: usize = 1_024;
/// Observations that wait to be fetched.
const WAITING_MAX: usize = 1_024;

/// One thing that a replica did.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "what", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Observation {
    /// A frame came in and was judged. What it changed is told before it.
    FrameIn {
        /// Such as `delta` or `beat`; `unknown` of one that is none of ours.
        kind: &'static str,
        /// The session that signed it.
        #[serde(serialize_with = "text")]
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        author: SessionId,
        /// The session whose link brought it: the author itself at first hand.
        #[serde(serialize_with = "text")]
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        via: SessionId,
        /// To the room or to this peer alone.
        path: Path,
        /// Its length, without seal and envelope.
        bytes: usize,
        /// Whether it is passed on.
        verdict: Verdict,
        /// What was refused or noticed of it, by the names of the counters.
        reasons: Vec<&'static str>,
    },
    /// A frame goes out.
    FrameOut {
        /// As of [`Observation::FrameIn`].
        kind: &'static str,
        /// The one session it is for; everybody when missing.
        #[serde(serialize_with = "maybe_text", skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional, type = "string"))]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
        to: Option<SessionId>,
        /// Its length.
        bytes: usize,
        /// Its first bytes, when they are asked for; never of a private room, whose frames are sealed after this.
        #[serde(skip)]
        #[cfg_attr(feature = "openapi", schema(ignore))]
        head: Vec<u8>,
    },
    /// A cell met the register that it is for.
    Cell {
        /// Which register.
        register: Register,
        /// Who wrote the cell and when.
        version: CellVersion,
        /// What became of it.
        outcome: CellOutcome,
        /// What the register held before.
        #[serde(skip_serializing_if = "Option::is_none")]
        held: Option<CellVersion>,
        /// It was written here.
        own: bool,
    },
    /// Somebody's presence came in.
    Presence {
        /// Of which session.
        #[serde(serialize_with = "text")]
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        session: SessionId,
        /// Of which member.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        member: MemberId,
        /// The version that was known here before.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        #[cfg_attr(feature = "openapi", schema(value_type = u64))]
        known: Rev,
        /// The version from which on the frame tells every change.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        #[cfg_attr(feature = "openapi", schema(value_type = u64))]
        since: Rev,
        /// The version that it brought.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        #[cfg_attr(feature = "openapi", schema(value_type = u64))]
        rev: Rev,
        /// It tells all there is, so that what is not named is gone.
        whole: bool,
        /// Keys that it named. A frame repeats those of the frame before it.
        named: Vec<String>,
        /// Keys whose values are others now.
        changed: Vec<String>,
    },
    /// A link to a peer that is in the room came up or went down.
    Link {
        /// Which.
        #[serde(serialize_with = "text")]
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        session: SessionId,
        /// Up or down.
        up: bool,
        /// Why it is down.
        #[serde(skip_serializing_if = "Option::is_none")]
        cause: Option<DownCause>,
    },
    /// The lease of a session with members: heard again, silent for too long, or given up.
    Lease {
        /// Which.
        #[serde(serialize_with = "text")]
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        session: SessionId,
        /// What it is now.
        state: LeaseState,
        /// Milliseconds since it was heard.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        silent_ms: u64,
        /// Why it was given up.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<LeftReason>,
    },
    /// The hash of all cells that a peer told, held against the one here.
    Hash {
        /// Whose.
        #[serde(serialize_with = "text")]
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        session: SessionId,
        /// Ours, in hexadecimal digits.
        mine: String,
        /// Theirs.
        theirs: String,
    },
    /// A step of an exchange of cells.
    Sync {
        /// With whom.
        #[serde(serialize_with = "text")]
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        session: SessionId,
        /// Which step.
        step: SyncStep,
        /// Buckets of the 256 that differ, or cells that are asked for or sent.
        count: usize,
    },
    /// This peer's own network is out, or back; or the computer slept.
    Outage {
        /// Whether it is out.
        out: bool,
        /// It was a sleep that is over, or time in which this process did not run.
        slept: bool,
    },
    /// Something was refused or noticed outside of a frame, by the name of its counter.
    Counted {
        /// The name.
        name: &'static str,
        /// How often at once.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        times: u64,
    },
    /// So many observations were lost before this one, because nobody fetched them.
    Lost {
        /// How many.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        count: u64,
    },
}

/// A register that many write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Register {
    /// What it belongs to.
    pub kind: CellKind,
    /// The note, or whatever else has several fields; empty for the room's metadata.
    pub object: String,
    /// The key.
    pub field: String,
}

impl Register {
    pub(crate) fn of(key: &CellKey) -> Self {
        Register { kind: key.kind, object: key.object.clone(), field: key.field.clone() }
    }
}

/// The stamp of a cell: the greater one wins, by clock, then writer, then value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CellVersion {
    /// Milliseconds since 1970 of the hybrid clock.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub wall_ms: u64,
    /// Its counter within the millisecond.
    pub count: u16,
    /// Who wrote it.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub writer: UserId,
    /// The first eight hexadecimal digits of the value's hash.
    pub value: String,
}

impl CellVersion {
    pub(crate) fn of(stamp: &Stamp) -> Self {
        CellVersion {
            wall_ms: stamp.hlc >> 16,
            // The lowest sixteen bits.
            count: (stamp.hlc & 0xffff) as u16,
            writer: stamp.writer.user_id(),
            value: data_encoding::HEXLOWER.encode(&stamp.hash[..4]),
        }
    }
}

/// What became of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CellOutcome {
    /// The register reads it now.
    Won,
    /// It was known already.
    Known,
    /// What the register held is newer.
    Lost {
        /// By what.
        by: Newer,
    },
    /// It is kept and not read: somebody with more say wrote this register, or it is locked.
    Aside,
    /// The map of the room is full of newer ones.
    PushedOut,
    /// It is no good cell.
    Refused {
        /// Why, by the name of the counter.
        why: &'static str,
    },
}

/// By what one stamp is greater than another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Newer {
    /// A later clock.
    Clock,
    /// The same clock and a greater writer's key.
    Writer,
    /// The same clock and writer and a greater hash of the value.
    Value,
}

impl Newer {
    /// By what `this` is the greater one.
    fn of(this: &Stamp, other: &Stamp) -> Newer {
        match () {
            () if this.hlc != other.hlc => Newer::Clock,
            () if this.writer != other.writer => Newer::Writer,
            () => Newer::Value,
        }
    }
}

/// What a session's lease is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum LeaseState {
    /// It was silent and is heard again.
    Active,
    /// It is silent; its members are grey.
    Stale,
    /// It was given up; its members are gone.
    Over,
}

/// A step of an exchange of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum SyncStep {
    /// This peer sends the hashes of its buckets, of which so many have cells.
    Asks,
    /// The other end sent its own; so many differ.
    IsAsked,
    /// This peer asks for so many cells that are newer there.
    Wants,
    /// This peer sends so many cells.
    Sends,
}

/// What was observed and not fetched.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    waiting: VecDeque<Observation>,
    lost: u64,
    /// Bytes of frames are noted too.
    bytes: bool,
}

impl Observed {
    fn add(&mut self, observation: Observation) {
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_front();
            self.lost += 1;
        }
        self.waiting.push_back(observation);
    }
}

impl Replica {
    /// Begins to note what this replica does, or ends it. What was noted and not fetched is forgotten.
    pub fn inspect(&mut self, on: bool) {
        if on != self.observed.is_some() {
            self.observed = on.then(Box::default);
            self.counters.name_them(on);
        }
    }

    /// Whether the first [`SHOWN_BYTES`] of frames that go out are noted with them, of an open room.
    pub fn inspect_bytes(&mut self, on: bool) {
        if let Some(observed) = &mut self.observed {
            observed.bytes = on && self.config.private.is_none();
        }
    }

    /// Whether it is noted.
    #[must_use]
    pub fn is_inspected(&self) -> bool {
        self.observed.is_some()
    }

    /// What was noted since it was asked for last, oldest first.
    pub fn take_observations(&mut self) -> Vec<Observation> {
        let Some(observed) = &mut self.observed else { return Vec::new() };
        let lost = std::mem::take(&mut observed.lost);
        let lost = (lost > 0).then_some(Observation::Lost { count: lost });
        lost.into_iter().chain(observed.waiting.drain(..)).collect()
    }

    /// Notes what `observation` makes, when somebody looks.
    pub(crate) fn observe(&mut self, observation: impl FnOnce(&Self) -> Observation) {
        if self.observed.is_none() {
            return;
        }
        let observation = observation(self);
        if let Some(observed) = &mut self.observed {
            observed.add(observation);
        }
    }

    /// Notes a frame that goes out.
    pub(crate) fn observe_out(&mut self, to: Option<SessionId>, bytes: &[u8]) {
        let shown = self.observed.as_ref().is_some_and(|observed| observed.bytes);
        let head = || bytes.iter().copied().take(if shown { SHOWN_BYTES } else { 0 }).collect();
        self.observe(|_| Observation::FrameOut { kind: frame_kind(bytes), to, bytes: bytes.len(), head: head() });
    }

    pub(crate) fn observe_sync(&mut self, session: SessionId, step: SyncStep, count: usize) {
        self.observe(|_| Observation::Sync { session, step, count });
    }

    /// Notes what was counted and belongs to no frame.
    pub(crate) fn observe_counted(&mut self) {
        for name in self.counters.take_named() {
            self.observe(|_| Observation::Counted { name, times: 1 });
        }
    }

    /// Notes a frame that came in, with what was counted on its account.
    pub(crate) fn observe_frame(&mut self, bytes: &[u8], from: (SessionId, SessionId, Path), verdict: Verdict) {
        let reasons = self.counters.take_named();
        let ((author, via, path), kind) = (from, frame_kind(bytes));
        self.observe(|_| Observation::FrameIn { kind, author, via, path, bytes: bytes.len(), verdict, reasons });
    }

    /// Notes what became of a cell. `before`: what its register held, as far as this cell is held against it.
    pub(crate) fn observe_cell(
        &mut self,
        cell: &Cell,
        before: Option<Stamp>,
        refused: Option<&'static str>,
        own: bool,
    ) {
        self.observe(|replica| {
            let stamp = cell.stamp();
            let outcome = match (refused, before) {
                (Some(why), _) => CellOutcome::Refused { why },
                (None, Some(held)) if held == stamp => CellOutcome::Known,
                (None, Some(held)) if held > stamp => CellOutcome::Lost { by: Newer::of(&held, &stamp) },
                _ if replica.cells.stamp(&cell.key) == Some(stamp) => CellOutcome::Won,
                _ if replica.cells.stamp_by(&cell.key, &cell.writer) == Some(stamp) => CellOutcome::Aside,
                _ => CellOutcome::PushedOut,
            };
            let held = before.as_ref().map(CellVersion::of);
            let (register, version) = (Register::of(&cell.key), CellVersion::of(&stamp));
            Observation::Cell { register, version, outcome, held, own }
        });
    }
}

fn text<S: Serializer>(session: &SessionId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(session)
}

// serde asks for a reference to the field.
#[expect(clippy::ref_option)]
fn maybe_text<S: Serializer>(session: &Option<SessionId>, serializer: S) -> Result<S::Ok, S::Error> {
    match session {
        Some(session) => serializer.collect_str(session),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
#[path = "inspect_tests.rs"]
mod tests;
