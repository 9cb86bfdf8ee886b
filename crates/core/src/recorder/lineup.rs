//! Two recordings of one incident, held against each other.
//!
//! What both peers heard, or one said and the other heard, has a number of its author, by which the two are lined up and
//! their clocks compared. Then what each came to hold is followed item by item: a cell by its writer and clock, a record by
//! its session. Peers differ for moments all the time, while something is on its way; they **disagree** when something that one
//! holds is missing at the other at the end, and was for a while. The disagreement that is the oldest is the first.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::cell::CellKind;
use crate::error::Error;
use crate::ids::{PublicKey, SessionId, Tick};
use crate::limits::PAGE_MAX;
use crate::view::Timestamp;
use crate::wire::Frame;

use super::recording::Recording;
use super::replay::{Replay, ReplayStep};
use super::step::What;

/// What differs for no longer than this may still be on its way.
const ON_ITS_WAY_MS: u64 = 3_000;

/// Two recordings, lined up.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Lineup {
    /// Frames that both know.
    pub common: usize,
    /// By how many milliseconds the ticks of the second are ahead of those of the first, as far as frames tell. Each peer
    /// counts them from its own start, so this says when they started and not whether an hour is wrong.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub ahead_ms: i64,
    /// Where they differ first; `null` when they agree on all that lasted.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub disagreement: Option<Disagreement>,
}

/// What one holds and the other does not.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Disagreement {
    /// It, in words.
    pub what: String,
    /// Whether each holds it at the end: the first, then the second.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<bool>, min_items = 2, max_items = 2))]
    pub held: [bool; 2],
    /// The step with which each came to that; nothing of one that never held it.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Option<ReplayStep>>, min_items = 2, max_items = 2))]
    pub since: [Option<ReplayStep>; 2],
}

/// Something that both should hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Record(SessionId, u32),
    Cell(CellKind, PublicKey, u64),
}

/// Whether an item is there at one peer, and since which step that is so.
struct Held {
    there: bool,
    at: Tick,
    step: ReplayStep,
}

/// One recording, followed to its end.
struct Side {
    items: BTreeMap<Item, Held>,
    /// When frames were said or heard, by author and number.
    frames: BTreeMap<(SessionId, u64), Tick>,
    session: SessionId,
    end: Tick,
}

impl Lineup {
    /// Lines up two recordings.
    ///
    /// # Errors
    /// `INVALID_RECORDING` when this program cannot play one of them.
    pub fn of(first: &Recording, second: &Recording) -> Result<Lineup, Error> {
        let (one, other) = (Side::of(first)?, Side::of(second)?);
        let ahead = ahead(&one, &other);
        let common = one.frames.keys().filter(|frame| other.frames.contains_key(frame)).count();
        let mut found: Option<(i64, Disagreement)> = None;
        if common > 0 {
            let mine = |at: Tick| signed(at) + ahead;
            let end = mine(one.end).min(signed(other.end));
            let settled = |at: i64| at + signed(Tick(ON_ITS_WAY_MS)) <= end;
            let names = one.items.keys().chain(other.items.keys());
            for item in names {
                let sides = (one.items.get(item), other.items.get(item));
                let there = |held: Option<&Held>| held.is_some_and(|held| held.there);
                if there(sides.0) == there(sides.1) {
                    continue;
                }
                let when = [sides.0.map(|held| mine(held.at)), sides.1.map(|held| signed(held.at))];
                let since = when.into_iter().flatten().max().unwrap_or(i64::MAX);
                if !settled(since) || found.as_ref().is_some_and(|(before, _)| *before <= since) {
                    continue;
                }
                let step = |held: Option<&Held>| held.map(|held| held.step.clone());
                let disagreement = Disagreement {
                    what: item.words(),
                    held: [there(sides.0), there(sides.1)],
                    since: [step(sides.0), step(sides.1)],
                };
                found = Some((since, disagreement));
            }
        }
        Ok(Lineup { common, ahead_ms: ahead, disagreement: found.map(|(_, disagreement)| disagreement) })
    }
}

fn signed(at: Tick) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX / 4)
}

/// How far the ticks of the second are ahead: halfway between what frames of each side took at least to the other.
fn ahead(one: &Side, other: &Side) -> i64 {
    let common = one.frames.iter().filter_map(|(frame, at)| Some((frame.0, *at, *other.frames.get(frame)?)));
    let delays: Vec<(SessionId, i64)> = common.map(|(of, mine, theirs)| (of, signed(theirs) - signed(mine))).collect();
    let of = |session: SessionId| delays.iter().filter(move |(of, _)| *of == session).map(|(_, delay)| *delay);
    match (of(one.session).min(), of(other.session).max()) {
        (Some(there), Some(back)) => i64::midpoint(there, back),
        (Some(only), None) | (None, Some(only)) => only,
        // Frames of others: half of them took longer to one, half to the other.
        (None, None) => {
            let mut all: Vec<i64> = delays.iter().map(|(_, delay)| *delay).collect();
            all.sort_unstable();
            all.get(all.len() / 2).copied().unwrap_or(0)
        }
    }
}

impl Side {
    fn of(recording: &Recording) -> Result<Side, Error> {
        let mut replay = Replay::new(recording)?;
        let session = recording.session();
        let mut side = Side { items: BTreeMap::new(), frames: BTreeMap::new(), session, end: recording.begin.at() };
        let mut cells = None;
        for step in &recording.steps {
            let Some(played) = replay.step() else { break };
            side.end = step.at;
            if let What::Frame { author, bytes, .. } = &step.what {
                side.number(*author, bytes, step.at);
            }
            for frame in &played.said {
                side.number(session, frame, step.at);
            }
            side.follow(&replay, &mut cells, step.at, &played.step);
        }
        Ok(side)
    }

    fn number(&mut self, author: SessionId, frame: &[u8], at: Tick) {
        if let Some(seq) = Frame::decode(frame, PAGE_MAX).ok().and_then(|frame| frame.seq()) {
            self.frames.entry((author, seq.0)).or_insert(at);
        }
    }

    /// Notes what is held otherwise than before this step.
    fn follow(&mut self, replay: &Replay<'_>, cells: &mut Option<u64>, at: Tick, step: &ReplayStep) {
        let replica = replay.replica();
        let mut now: BTreeSet<Item> = BTreeSet::new();
        for incarnation in replica.own.keys() {
            now.insert(Item::Record(self.session, *incarnation));
        }
        for (session, peer) in replica.peers.iter() {
            now.extend(peer.records.keys().map(|incarnation| Item::Record(*session, *incarnation)));
        }
        let hash = replica.cells.hash();
        let looked = *cells != Some(hash);
        if looked {
            *cells = Some(hash);
            now.extend(replica.cells.all_cells().map(|cell| Item::Cell(cell.key.kind, cell.writer, cell.hlc)));
        }
        for (item, held) in &mut self.items {
            let concerned = looked || matches!(item, Item::Record(..));
            if concerned && held.there && !now.contains(item) {
                *held = Held { there: false, at, step: step.clone() };
            }
        }
        for item in now {
            if self.items.get(&item).is_none_or(|held| !held.there) {
                self.items.insert(item, Held { there: true, at, step: step.clone() });
            }
        }
    }
}

impl Item {
    fn words(&self) -> String {
        match self {
            Item::Record(session, incarnation) => format!("record {incarnation} of session {}", session.short()),
            Item::Cell(kind, writer, hlc) => {
                let kind = format!("{kind:?}").to_lowercase();
                format!("the {kind} cell that {} wrote at {}", writer.user_id(), Timestamp(hlc >> 16))
            }
        }
    }
}
