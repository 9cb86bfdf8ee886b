//! What every observer is told, and whether it may be: the rules that hold at each single event.
//!
//! - the grammar of events per member (design R14), and that an update says something new;
//! - no field of a record ever goes back (R4): every value that is written is a number greater than all before it;
//! - nobody appears who is not there: no resurrection after leave, crash or replay (R5, R8);
//! - nobody is removed by anybody but its owner or its silence (R3, R6), nobody by time slept through or in own outage
//!   (R9), and silence does remove, with no traffic at all (G3);
//! - no value is seen that nobody wrote;
//! - a reader that only applies events knows what the list says.

use std::collections::BTreeMap;
use std::sync::Arc;

use parlor_core::{Event, LeftReason, Member, MemberState, Replica, RowKey, SessionId, Tick};

use super::converge;
use super::truth::{Life, Truth};

/// Silence after which a member has left, after which it is stale, and from a closed link to its end (design R6).
const TIMEOUT_MS: u64 = 10_000;
const STALE_MS: u64 = 5_000;
const DISCONNECTED_MS: u64 = 5_000;
/// How late a timer of the simulator may be, and something to spare.
const LATE_MS: u64 = 60;
/// The longest that a frame may be on its way, by all hops, or kept for a sleeper.
const TRANSIT_MS: u64 = 6_000;

/// What one observer was told and heard.
#[derive(Debug, Default)]
struct Observer {
    rows: BTreeMap<RowKey, Arc<Member>>,
    newest: BTreeMap<(RowKey, String, SessionId), u64>,
    /// The newest sign of life of each session: its place among all of them, and when it came.
    life: BTreeMap<SessionId, (u64, u64)>,
    /// When the link of a session went down.
    down: BTreeMap<SessionId, u64>,
    /// When all leases began anew: the start, the last resume, the end of the last outage.
    renewed: u64,
    outage: bool,
    /// How often each row left because its owner said so.
    buried: BTreeMap<RowKey, usize>,
}

/// All observers.
#[derive(Debug, Default)]
pub struct Oracle {
    observers: BTreeMap<SessionId, Observer>,
    /// Who wrote each value.
    pub authors: BTreeMap<u64, SessionId>,
    /// Events judged.
    pub events: u64,
}

impl Oracle {
    /// A process starts to observe.
    pub fn begin(&mut self, observer: SessionId, now: u64) {
        self.observers.insert(observer, Observer { renewed: now, ..Observer::default() });
    }

    /// It slept.
    pub fn resumed(&mut self, observer: SessionId, now: u64) {
        if let Some(observer) = self.observers.get_mut(&observer) {
            observer.renewed = now;
        }
    }

    /// Its own network is out, or is back.
    pub fn outage(&mut self, observer: SessionId, outage: bool, now: u64) {
        if let Some(observer) = self.observers.get_mut(&observer) {
            if observer.outage && !outage {
                observer.renewed = now;
            }
            observer.outage = outage;
        }
    }

    /// A frame reached it.
    pub fn heard(&mut self, observer: SessionId, author: SessionId, order: u64, now: u64) {
        if let Some(observer) = self.observers.get_mut(&observer) {
            let life = observer.life.entry(author).or_insert((0, 0));
            if order > life.0 {
                *life = (order, now);
                observer.down.remove(&author);
            }
        }
    }

    /// A link of it went down.
    pub fn down(&mut self, observer: SessionId, peer: SessionId, now: u64) {
        if let Some(observer) = self.observers.get_mut(&observer) {
            observer.down.insert(peer, now);
        }
    }

    /// Judges an event.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn event(&mut self, observer: SessionId, event: &Event, truth: &Truth, now: u64) -> Result<(), String> {
        self.events += 1;
        let Some(seen) = self.observers.get_mut(&observer) else { return Ok(()) };
        match event {
            Event::Joined { member } => {
                let row = member.key();
                if seen.rows.insert(row.clone(), member.clone()).is_some() {
                    return Err(format!("grammar: {row:?} joined, who was there"));
                }
                seen.may_appear(&row, truth, now)?;
                seen.no_step_back(&row, member, &self.authors)
            }
            Event::Updated { member, changed } => {
                let row = member.key();
                let Some(held) = seen.rows.insert(row.clone(), member.clone()) else {
                    return Err(format!("grammar: {row:?} was updated, who was not there"));
                };
                if changed.is_empty() && same(&held, member) {
                    return Err(format!("{row:?} was updated, and nothing changed"));
                }
                seen.no_step_back(&row, member, &self.authors)
            }
            Event::Stale { member } | Event::Active { member } => {
                let row = member.key();
                match seen.rows.get_mut(&row) {
                    None => Err(format!("grammar: {row:?} turned, who was not there")),
                    Some(held) if held.state == member.state => Err(format!("{row:?} turned to what it was")),
                    Some(held) => {
                        // What else is new follows in an update.
                        Arc::make_mut(held).state = member.state;
                        Ok(())
                    }
                }
            }
            Event::Left { member, reason } => {
                let row = member.key();
                if seen.rows.remove(&row).is_none() {
                    return Err(format!("grammar: {row:?} left, who was not there"));
                }
                if matches!(reason, LeftReason::Left | LeftReason::Expired) {
                    *seen.buried.entry(row.clone()).or_default() += 1;
                }
                if !truth.allows(&row, *reason) {
                    return Err(format!("{row:?} left, {reason:?}, which its owner never said"));
                }
                seen.may_expire(&row, *reason, truth, now)
            }
            Event::Metadata { metadata, changed } => {
                if changed.is_empty() {
                    return Err("metadata changed, and nothing in it".to_owned());
                }
                let written = |value: &serde_json::Value| value.as_u64().is_some_and(|n| self.authors.contains_key(&n));
                match metadata.metadata.iter().find(|(_, value)| !written(value)) {
                    Some((key, value)) => Err(format!("metadata {key} is {value}, which nobody wrote")),
                    None => Ok(()),
                }
            }
            Event::Board { .. } | Event::Message { .. } | Event::Diverged { .. } => Ok(()),
            Event::Watching { .. } | Event::Complete { .. } => Ok(()),
        }
    }

    /// Holds an observer's list against what it was told, and everybody in it against their silence.
    ///
    /// # Errors
    /// The rule that is broken.
    pub fn check(&self, observer: SessionId, replica: &Replica, tick: Tick, now: u64) -> Result<(), String> {
        let Some(seen) = self.observers.get(&observer) else { return Ok(()) };
        let listed = converge::by_member(replica, tick);
        if listed.len() != seen.rows.len() {
            return Err(format!("{} rows in the list, {} by events", listed.len(), seen.rows.len()));
        }
        for member in listed {
            let Some(held) = seen.rows.get(&member.key()) else {
                return Err(format!("{:?} is in the list and by no event", member.key()));
            };
            if !same(held, &member) || held.state != member.state {
                return Err(format!("{:?} differs from what events said: {held:?} is {member:?}", member.key()));
            }
        }
        if seen.outage {
            return Ok(());
        }
        for (session, member) in converge::by_session(replica, tick) {
            let Some((session, life)) = seen.life_of(&session).filter(|(session, _)| *session != observer) else {
                continue;
            };
            let since = life.max(seen.renewed);
            let down = seen.down.get(&session).map(|at| (*at).max(seen.renewed));
            let silent = now.saturating_sub(since);
            if silent > TIMEOUT_MS + LATE_MS || down.is_some_and(|at| now - at > DISCONNECTED_MS + LATE_MS) {
                return Err(format!("{:?} of {} is still here after {silent} ms", member.key(), session.short()));
            }
            let stale = member.sessions.iter().all(|session| session.state == MemberState::Stale);
            if (silent > STALE_MS + LATE_MS || down.is_some_and(|at| now - at > LATE_MS)) && !stale {
                return Err(format!("{:?} of {} is active after {silent} ms", member.key(), session.short()));
            }
            if silent < STALE_MS && down.is_none() && stale {
                return Err(format!("{:?} of {} is stale after {silent} ms", member.key(), session.short()));
            }
        }
        Ok(())
    }

    /// The value of a field as an observer knows it.
    #[must_use]
    pub fn value(&self, observer: SessionId, row: &RowKey, field: &str) -> Option<u64> {
        self.observers.get(&observer)?.rows.get(row)?.record.presence.get(field)?.as_u64()
    }
}

impl Observer {
    fn may_appear(&self, row: &RowKey, truth: &Truth, now: u64) -> Result<(), String> {
        let lives: Vec<&Life> = truth.of_row(row).collect();
        let alone = lives.iter().all(|life| life.session == lives[0].session);
        // Of one session, every life that was told to be over is: what is left may be on its way yet.
        let told = self.buried.get(row).copied().unwrap_or(0);
        let all_told = alone && told >= lives.len();
        let may = |life: &&&Life| match life.ended {
            None => true,
            Some((at, _)) => now - at <= TRANSIT_MS && !all_told,
        };
        match lives.iter().find(may) {
            Some(_) => Ok(()),
            None => Err(format!("{row:?} appeared, but is over: {lives:?}")),
        }
    }

    fn may_expire(&self, row: &RowKey, reason: LeftReason, truth: &Truth, now: u64) -> Result<(), String> {
        if !matches!(reason, LeftReason::Timeout | LeftReason::Disconnected) {
            return Ok(());
        }
        if self.outage && reason == LeftReason::Timeout {
            return Err(format!("{row:?} timed out during own outage"));
        }
        // A row goes with the last of its sessions: one of them at least was silent for long enough, or closed its link.
        let mut heard = Vec::new();
        for life in truth.of_row(row) {
            let Some((_, at)) = self.life.get(&life.session) else { continue };
            let ms = now - (*at).max(self.renewed);
            let closed = self.down.get(&life.session).map(|at| now - (*at).max(self.renewed));
            let over = match reason {
                LeftReason::Timeout => ms >= TIMEOUT_MS,
                _ => closed.is_some_and(|ms| ms >= DISCONNECTED_MS),
            };
            if over {
                return Ok(());
            }
            heard.push((life.session, ms, closed));
        }
        Err(format!("{row:?} left, {reason:?}, though heard and closed: {heard:?}"))
    }

    fn no_step_back(
        &mut self,
        row: &RowKey,
        member: &Member,
        authors: &BTreeMap<u64, SessionId>,
    ) -> Result<(), String> {
        for (field, value) in &member.record.presence {
            let Some(value) = value.as_u64() else { continue };
            let Some(author) = authors.get(&value) else {
                return Err(format!("{row:?} shows {field} {value}, which nobody wrote"));
            };
            let newest = self.newest.entry((row.clone(), field.clone(), *author)).or_default();
            if value < *newest {
                return Err(format!("{field} of {row:?} went back from {newest} to {value}"));
            }
            *newest = value;
        }
        Ok(())
    }

    fn life_of(&self, session: &str) -> Option<(SessionId, u64)> {
        self.life.iter().find(|(id, _)| id.to_string() == session).map(|(id, (_, at))| (*id, *at))
    }
}

/// Whether two views of a row say the same, but for the time it was seen last.
fn same(a: &Member, b: &Member) -> bool {
    a.record.presence == b.record.presence
        && a.record.metadata == b.record.metadata
        && a.record.joined_at == b.record.joined_at
        && a.actor == b.actor
        && a.own == b.own
        && a.conflict == b.conflict
}

/// An event in words.
#[must_use]
pub fn tell(event: &Event) -> String {
    let of = |member: &Member| {
        let record = &member.record;
        let presence = serde_json::to_string(&record.presence).unwrap_or_default();
        format!("{} of {} {presence}", record.member_id, member.actor.name)
    };
    match event {
        Event::Joined { member } => format!("joined {}", of(member)),
        Event::Updated { member, changed } => format!("updated {} {changed:?}", of(member)),
        Event::Stale { member } => format!("stale {}", of(member)),
        Event::Active { member } => format!("active {}", of(member)),
        Event::Left { member, reason } => format!("left {} {reason:?}", of(member)),
        Event::Metadata { changed, .. } => format!("metadata {changed:?}"),
        Event::Board { notes, removed } => format!("board {} notes, {removed:?} removed", notes.len()),
        Event::Message { message } => format!("message {} of {}", message.id, message.actor.name),
        Event::Diverged { session_id } => format!("diverged from {session_id}"),
        Event::Watching { count } => format!("watching {count}"),
        Event::Complete { complete } => format!("complete {complete}"),
    }
}
