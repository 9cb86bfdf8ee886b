//! Rules that a replay must not break, whatever was put in. They are judged from outside: by what came in, what readers were
//! told, and what is held after it.
//!
//! A recording of a fault usually breaks one of them, and then a test that is made of it says which, and at which step.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::cell::{Cell, CellKey, Stamp};
use crate::error::Error;
use crate::ids::{PublicKey, Rev, SessionId, Tick};
use crate::input::Verdict;
use crate::limits::{PAGE_MAX, TIMEOUT_MS};
use crate::proof::Verifier;
use crate::replica::Replica;
use crate::view::{Event, Member, RowKey};
use crate::wire::Frame;

use super::recording::Recording;
use super::replay::{Played, Replay, hex};
use super::step::{Step, What};

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Broken {
    /// At which step.
    pub step: u32,
    /// Which rule, in a few words.
    pub rule: String,
    /// How.
    pub detail: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {} breaks a rule, {}: {}", self.step, self.rule, self.detail)
    }
}

/// What a replay came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Steps that were played.
    pub steps: usize,
    /// The hash of the state at the end, in hexadecimal digits.
    pub hash: String,
    /// The first rule that was broken.
    pub broken: Option<Broken>,
}

const NEWEST: &str = "the newest cell of a register is read (R10)";
const FORWARD: &str = "no field of a record goes back (R4)";
const BURIED: &str = "nothing resurrects a record that was left (R8)";
const SILENT: &str = "nobody is kept who was silent for ten seconds (R6)";
const GRAMMAR: &str = "events keep their grammar (R14)";

impl Recording {
    /// Plays all of it and says what it came to.
    ///
    /// # Errors
    /// `INVALID_RECORDING` when this program cannot play it.
    pub fn outcome(&self) -> Result<Outcome, Error> {
        let mut replay = Replay::new(self)?;
        let mut judge = Judge::new(replay.replica());
        let mut broken = None;
        for step in &self.steps {
            let Some(played) = replay.step() else { break };
            broken = broken.or_else(|| judge.broken(replay.replica(), step, &played));
        }
        Ok(Outcome { steps: replay.position(), hash: hex(replay.replica().mark()), broken })
    }
}

type Judgement = Result<(), (&'static str, String)>;

/// Says that every signature holds: which did not is known otherwise.
struct Believer;

impl Verifier for Believer {
    fn verify(&self, _: &PublicKey, _: &[u8], _: &[u8; 64]) -> bool {
        true
    }
}

/// What is remembered from step to step.
pub(super) struct Judge {
    shown: BTreeSet<RowKey>,
    /// The versions of fields, by session, incarnation and key.
    fields: BTreeMap<(SessionId, u32), BTreeMap<String, Rev>>,
    left: BTreeSet<(SessionId, u32)>,
    newest: BTreeMap<CellKey, Stamp>,
}

impl Judge {
    pub fn new(replica: &Replica) -> Self {
        let shown = replica.snapshot().members.iter().map(|member| member.key()).collect();
        Judge { shown, fields: BTreeMap::new(), left: BTreeSet::new(), newest: BTreeMap::new() }
    }

    /// What a step broke that was just played.
    pub fn broken(&mut self, replica: &Replica, step: &Step, played: &Played) -> Option<Broken> {
        let verdict = played.verdicts.map(|(_, now)| now);
        let (rule, detail) = self.judge(replica, step, verdict, &played.events).err()?;
        Some(Broken { step: played.step.step, rule: rule.to_owned(), detail })
    }

    fn judge(&mut self, replica: &Replica, step: &Step, verdict: Option<Verdict>, events: &[Event]) -> Judgement {
        if let What::Frame { author, bytes, .. } = &step.what
            && verdict != Some(Verdict::Reject)
            && *author != replica.session()
            && let Ok(frame) = Frame::decode(bytes, PAGE_MAX)
        {
            match frame {
                Frame::Cells(cells) if step.refused.is_empty() => self.cells(replica, cells)?,
                Frame::Leave(leave) => drop(self.left.insert((*author, leave.incarnation))),
                _ => {}
            }
            self.author(replica, *author)?;
        }
        if matches!(step.what, What::Timeout | What::Wall { .. }) {
            silence(replica, step.at)?;
        }
        events.iter().try_for_each(|event| self.event(event))
    }

    /// What came is read, or something newer is, unless newer ones had to make room for each other.
    fn cells(&mut self, replica: &Replica, cells: Vec<Cell>) -> Judgement {
        if replica.cells.rule().is_some() {
            // Who may write what decides too, and has oracles of its own.
            return Ok(());
        }
        for cell in cells {
            let good = replica.cells.refusal(&cell).is_none() && cell.refusal(&replica.root, &Believer).is_none();
            if !good {
                continue;
            }
            let newest = self.newest.entry(CellKey::clone(&cell.key)).or_insert_with(|| cell.stamp());
            *newest = cell.stamp().max(*newest);
            match replica.cells.stamp(&cell.key) {
                Some(held) if held < *newest => {
                    let place = [&cell.key.object, &cell.key.field].map(String::as_str).join(" ");
                    let detail = format!("{} has {}, though {} came", place.trim(), held.hlc, newest.hlc);
                    return Err((NEWEST, detail));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Records of the author of a frame.
    fn author(&mut self, replica: &Replica, author: SessionId) -> Judgement {
        let Some(peer) = replica.peers.get(&author) else { return Ok(()) };
        for (incarnation, record) in peer.records.iter() {
            if self.left.contains(&(author, incarnation)) {
                let detail = format!("record {incarnation} of {} is back after its leave", author.short());
                return Err((BURIED, detail));
            }
            let held = self.fields.entry((author, incarnation)).or_default();
            for (key, field) in record.fields.all() {
                let before = held.insert(key.to_owned(), field.rev);
                if before.is_some_and(|before| before > field.rev) {
                    let (from, to) = (before.unwrap_or_default().0, field.rev.0);
                    let detail = format!("{key} of {} went from version {from} to {to}", author.short());
                    return Err((FORWARD, detail));
                }
            }
        }
        Ok(())
    }

    fn event(&mut self, event: &Event) -> Judgement {
        let (member, expected, word): (&Member, bool, &str) = match event {
            Event::Joined { member } => (member, false, "joined"),
            Event::Updated { member, .. } => (member, true, "updated"),
            Event::Stale { member } => (member, true, "stale"),
            Event::Active { member } => (member, true, "active"),
            Event::Left { member, .. } => (member, true, "left"),
            _ => return Ok(()),
        };
        let key = member.key();
        if self.shown.contains(&key) != expected {
            let there = if expected { "is not there" } else { "is there" };
            return Err((GRAMMAR, format!("{word} of {}, who {there}", member.record.member_id)));
        }
        match event {
            Event::Joined { .. } => drop(self.shown.insert(key)),
            Event::Left { .. } => drop(self.shown.remove(&key)),
            _ => {}
        }
        Ok(())
    }
}

fn silence(replica: &Replica, now: Tick) -> Judgement {
    if replica.outage {
        return Ok(());
    }
    let mut peers = replica.peers.iter();
    match peers.find(|(_, peer)| !peer.records.is_empty() && now.since(peer.heard) > TIMEOUT_MS) {
        Some((session, peer)) => {
            let detail = format!("{} was heard {} ms ago", session.short(), now.since(peer.heard));
            Err((SILENT, detail))
        }
        None => Ok(()),
    }
}
