//! Nobody is removed by anybody but its owner or its silence (design R3, R6), nobody by time slept through or in own
//! outage (R9), and silence does remove, with no traffic at all.

use std::collections::BTreeMap;

use parlor_core::{Event, LeftReason, MemberState, RowKey};

use super::name;
use crate::sim::converge;
use crate::sim::oracle::{Happening, Oracle, Told, Took};
use crate::sim::sessions::Session;
use crate::sim::world::World;
use crate::story::names;

/// Silence after which a member has left, after which it is stale, and from a closed link to its end (design R6).
const TIMEOUT_MS: u64 = 10_000;
const STALE_MS: u64 = 5_000;
const DISCONNECTED_MS: u64 = 5_000;
/// How late a timer of the simulator may be, and something to spare.
const LATE_MS: u64 = 60;
/// Longer than anybody sleeps: what is known of a session that ended so long ago is forgotten.
const FORGET_MS: u64 = 2 * 3_600_000;

/// The newest sign of life of one session that an observer heard.
#[derive(Clone, Copy, Debug)]
struct Life {
    observer: Session,
    /// Its place among all of them, and when it came.
    order: u64,
    at: u64,
}

/// What one observer heard of links, and when its own leases began.
#[derive(Debug, Default)]
struct Heard {
    /// When the link of a session went down.
    down: BTreeMap<Session, u64>,
    /// When all leases began anew: the start, the last resume, the end of the last outage.
    renewed: u64,
    outage: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Leases {
    /// By session; nothing for those that ended.
    observers: Vec<Option<Heard>>,
    /// By author, then by observer, so that what many hear of one frame lies side by side.
    lives: Vec<Vec<Life>>,
    seconds: u64,
    judged: u64,
}

impl Oracle for Leases {
    fn rule(&self) -> &str {
        super::LEASES
    }

    fn took(&mut self, world: &World, took: &Took<'_>) -> Result<(), String> {
        if let (Some(author), Some(Some(heard))) = (took.author, self.observers.get_mut(took.observer.0 as usize)) {
            let (observer, order) = (took.observer, took.letter.order);
            if self.lives.len() <= author.0 as usize {
                self.lives.resize_with(author.0 as usize + 1, Vec::new);
            }
            let lives = &mut self.lives[author.0 as usize];
            let at = lives.binary_search_by_key(&observer, |life| life.observer).unwrap_or_else(|at| {
                lives.insert(at, Life { observer, order: 0, at: 0 });
                at
            });
            let life = &mut lives[at];
            if order > life.order {
                (life.order, life.at) = (order, world.now);
                if !heard.down.is_empty() {
                    heard.down.remove(&author);
                }
            }
        }
        Ok(())
    }

    fn happened(&mut self, world: &World, what: &Happening<'_>) -> Result<(), String> {
        let now = world.now;
        match what {
            Happening::Started(session) => {
                self.observers.resize_with(session.0 as usize + 1, || None);
                self.observers[session.0 as usize] = Some(Heard { renewed: now, ..Heard::default() });
            }
            Happening::Ended(session) => {
                self.observers[session.0 as usize] = None;
                for lives in &mut self.lives {
                    if let Ok(at) = lives.binary_search_by_key(session, |life| life.observer) {
                        lives.remove(at);
                    }
                }
            }
            Happening::Resumed(session) => {
                if let Some(heard) = self.of_mut(*session) {
                    heard.renewed = now;
                }
            }
            Happening::Outage(session, outage) => {
                if let Some(heard) = self.of_mut(*session) {
                    if heard.outage && !outage {
                        heard.renewed = now;
                    }
                    heard.outage = *outage;
                }
            }
            Happening::Down { end, peer } => {
                if let Some(heard) = self.of_mut(*end) {
                    heard.down.insert(*peer, now);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn told(&mut self, world: &World, told: &Told<'_>) -> Result<(), String> {
        let Event::Left { reason, .. } = told.event else { return Ok(()) };
        let Some(row) = told.row.map(|row| world.views.key(row)).filter(|row| world.is_honest(row)) else {
            return Ok(());
        };
        if !world.truth.allows(&world.sessions, row, *reason) {
            return Err(format!("{} left, {reason:?}, which its owner never said", name(world, row)));
        }
        self.judged += 1;
        let Some(heard) = self.of(told.observer) else { return Ok(()) };
        self.may_expire(world, told.observer, heard, row, *reason)
    }

    fn second(&mut self, world: &World) -> Result<(), String> {
        self.seconds += 1;
        if self.seconds.is_multiple_of(600) {
            let old = |session: &Session| {
                world.sessions.get(*session).ended.is_some_and(|at| world.now.saturating_sub(at) > FORGET_MS)
            };
            for heard in self.observers.iter_mut().flatten() {
                heard.down.retain(|session, _| !old(session));
            }
            for (_, lives) in (0..).map(Session).zip(&mut self.lives).filter(|(session, _)| old(session)) {
                *lives = Vec::new();
            }
        }
        world.on_turn().into_iter().try_for_each(|host| self.silence_is_seen(world, host))
    }

    fn end(&mut self, world: &World) -> Result<(), String> {
        (0..world.hosts.len()).try_for_each(|host| self.silence_is_seen(world, host))
    }

    fn judged(&self) -> u64 {
        self.judged
    }
}

impl Leases {
    fn of(&self, session: Session) -> Option<&Heard> {
        self.observers.get(session.0 as usize)?.as_ref()
    }

    fn of_mut(&mut self, session: Session) -> Option<&mut Heard> {
        self.observers.get_mut(session.0 as usize)?.as_mut()
    }

    /// When an observer took the newest sign of life of another session.
    fn life(&self, observer: Session, of: Session) -> Option<u64> {
        let lives = self.lives.get(of.0 as usize)?;
        let at = lives.binary_search_by_key(&observer, |life| life.observer).ok()?;
        lives.get(at).map(|life| life.at)
    }

    /// Holds everybody in an observer's list against their silence.
    fn silence_is_seen(&self, world: &World, host: usize) -> Result<(), String> {
        let home = &world.hosts[host];
        let Some(process) = home.process.as_ref().filter(|_| home.runs() && !home.hostile) else { return Ok(()) };
        let Some(heard) = self.of(process.session).filter(|heard| !heard.outage) else { return Ok(()) };
        let now = world.now;
        for (session, member) in converge::by_session(&process.replica, home.tick(now)) {
            let Some(session) = world.sessions.named(&session) else { continue };
            if session == process.session || !world.is_honest(&member.key()) {
                continue;
            }
            let Some(life) = self.life(process.session, session) else { continue };
            let down = heard.down.get(&session).map(|at| now - (*at).max(heard.renewed));
            let silent = now.saturating_sub(life.max(heard.renewed));
            let stale = member.sessions.iter().all(|session| session.state == MemberState::Stale);
            let wrong = if silent > TIMEOUT_MS + LATE_MS || down.is_some_and(|ms| ms > DISCONNECTED_MS + LATE_MS) {
                "still here"
            } else if (silent > STALE_MS + LATE_MS || down.is_some_and(|ms| ms > LATE_MS)) && !stale {
                "active"
            } else if silent < STALE_MS && down.is_none() && stale {
                "stale"
            } else {
                continue;
            };
            let (at, of) = (names::host(host), world.sessions.name(session));
            return Err(format!("{} of {of} is {wrong} at {at} after {silent} ms", name(world, &member.key())));
        }
        Ok(())
    }

    fn may_expire(
        &self,
        world: &World,
        observer: Session,
        of: &Heard,
        row: &RowKey,
        reason: LeftReason,
    ) -> Result<(), String> {
        if !matches!(reason, LeftReason::Timeout | LeftReason::Disconnected) {
            return Ok(());
        }
        if of.outage && reason == LeftReason::Timeout {
            return Err(format!("{} timed out during own outage", name(world, row)));
        }
        // A row goes with the last of its sessions: one of them at least was silent for long enough, or closed its link.
        let now = world.now;
        let mut heard = Vec::new();
        for life in world.truth.of_row(row).into_iter().flat_map(|of_row| &of_row.lives) {
            let Some(at) = self.life(observer, life.session) else { continue };
            let ms = now - at.max(of.renewed);
            let closed = of.down.get(&life.session).map(|at| now - (*at).max(of.renewed));
            let over = match reason {
                LeftReason::Timeout => ms >= TIMEOUT_MS,
                _ => closed.is_some_and(|ms| ms >= DISCONNECTED_MS),
            };
            if over {
                return Ok(());
            }
            heard.push(format!("{} heard {ms} ms ago, closed {closed:?}", world.sessions.name(life.session)));
        }
        Err(format!("{} left, {reason:?}, though {}", name(world, row), names::list(&heard)))
    }
}
