//! Simulated people: a crowd in a room by a seed, for whoever builds a user interface alone. They come, go, move, type and
//! select, and say and write nothing, so that nothing of them stays.
//!
//! They are guests that this peer hosts, members like any other: everybody in the room sees them, over the network too.
//! That they are nobody stands in the metadata of each, from which every peer reads `Member::simulated`, and in their names
//! ("Sim 7 Quiet Otter") for programs that know no such flag. Nobody is ever in a room whom nobody asked for: only a peer
//! with a lab has them, and only where it was told to.

mod person;
mod seeded;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parlor_core::{
    Bag, Error, ErrorCode, Join, Lease, Leave, LocalActor, PresenceChange, Replica, RoomId, SIMULATED, Tick,
};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::keep::LINGER;
use crate::keys::{Guest, IdentityKey};
use crate::lab::{LabCrowd, LabPeople};
use crate::shared::Shared;
use person::{Act, Person};

/// All simulated people of a peer.
pub(crate) const PEOPLE_MAX: u32 = 200;
/// The widest seed: what every language keeps whole that has floats alone.
const SEED_MAX: u64 = (1 << 53) - 1;
/// Changes of presence that all of a crowd make in a second, at most.
const CHANGES_PER_S: u64 = 600;
/// Between two steps of somebody, at best.
const STEP_MS: u64 = 33;
/// Between two looks at which notes there are, and whether the room is still open.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Notes that may be selected.
const NOTES_MAX: usize = 50;

/// The crowds of a peer, by room.
#[derive(Default)]
pub(crate) struct People(Mutex<BTreeMap<RoomId, Crowd>>);

struct Crowd {
    count: u32,
    seed: u64,
    actors: Vec<LocalActor>,
    here: Arc<AtomicU32>,
    task: AbortHandle,
}

impl People {
    /// Holds an order against the bound.
    ///
    /// # Errors
    /// `INVALID_LIMIT` when there would be too many, or a seed is wider than what JSON is sure to keep.
    pub(crate) async fn check(&self, orders: &[LabPeople], clear: bool) -> Result<(), Error> {
        if let Some((place, order)) = orders.iter().enumerate().find(|(_, order)| order.seed > SEED_MAX) {
            let path = format!("people.{place}.seed");
            let message = format!("{path} is {}; 0 to {SEED_MAX} is allowed", order.seed);
            return Err(Error::new(ErrorCode::InvalidLimit, message).at(&path));
        }
        let crowds = self.0.lock().await;
        let stay = crowds.iter().filter(|_| !clear);
        let mut counts: BTreeMap<&RoomId, u32> = stay.map(|(room, crowd)| (room, crowd.count)).collect();
        counts.extend(orders.iter().map(|order| (&order.room, order.count)));
        let total = counts.values().fold(0_u32, |sum, count| sum.saturating_add(*count));
        if total <= PEOPLE_MAX {
            return Ok(());
        }
        let message = format!("there would be {total} simulated people; at most {PEOPLE_MAX} are allowed");
        let limit = (PEOPLE_MAX as usize, total as usize);
        Err(Error::new(ErrorCode::InvalidLimit, message).limit("people", limit.0, limit.1, "people"))
    }

    /// A crowd of so many in a room, instead of the one before; none for a count of 0.
    ///
    /// # Errors
    /// Those of opening a room. The crowd before is gone then.
    pub(crate) async fn set(&self, shared: &Arc<Shared>, order: &LabPeople) -> Result<(), Error> {
        let mut crowds = self.0.lock().await;
        if let Some(before) = crowds.remove(&order.room) {
            before.end(shared, &order.room).await;
        }
        if order.count == 0 {
            return Ok(());
        }
        let session = shared.session();
        session.rooms.open(&order.room, LINGER).await?;
        let step_ms = (u64::from(order.count) * 1_000 / CHANGES_PER_S).max(STEP_MS);
        let persons: Vec<Person> = (0..order.count).map(|number| Person::new(order.seed, number, step_ms)).collect();
        let actors: Vec<LocalActor> = (0..).zip(&persons).map(|of| actor(&session.identity, order.seed, of)).collect();
        let here = Arc::new(AtomicU32::new(0));
        let run = Run {
            shared: Arc::downgrade(shared),
            peer_id: session.net.peer_id(),
            room: order.room.clone(),
            persons,
            actors: actors.clone(),
            here: Arc::clone(&here),
            step_ms,
        };
        let task = tokio::spawn(run.live()).abort_handle();
        crowds.insert(order.room.clone(), Crowd { count: order.count, seed: order.seed, actors, here, task });
        Ok(())
    }

    /// Sends all of them away.
    pub(crate) async fn clear(&self, shared: &Arc<Shared>) {
        for (room, crowd) in std::mem::take(&mut *self.0.lock().await) {
            crowd.end(shared, &room).await;
        }
    }

    /// Which there are.
    pub(crate) async fn shown(&self) -> Vec<LabCrowd> {
        let mut crowds = self.0.lock().await;
        // One whose session is over has nobody in it any more.
        crowds.retain(|_, crowd| !crowd.task.is_finished());
        let shown = crowds.iter().map(|(room, crowd)| LabCrowd {
            room: room.clone(),
            count: crowd.count,
            seed: crowd.seed,
            here: crowd.here.load(Ordering::Relaxed),
        });
        shown.collect()
    }
}

impl Crowd {
    async fn end(self, shared: &Shared, room: &RoomId) {
        self.task.abort();
        let leave = move |replica: &mut Replica, now: Tick| {
            for actor in &self.actors {
                // Who is away already stays so.
                let _ = replica.leave(actor, Leave::default(), now);
            }
        };
        let left = shared.session().net.with(room, leave).await;
        if let Err(error) = left {
            tracing::debug!(room = shared.profile.tag(room), reason = error.code.as_str(), "a crowd had left already");
        }
    }
}

/// Somebody of a seed: the same one each time, on this profile.
fn actor(host: &IdentityKey, seed: u64, (number, person): (u32, &Person)) -> LocalActor {
    let guest = Guest { id: format!("simulated {seed} {number}").into(), name: person.name.as_str().into() };
    guest.of(host)
}

/// A crowd that lives.
struct Run {
    shared: Weak<Shared>,
    peer_id: String,
    room: RoomId,
    persons: Vec<Person>,
    actors: Vec<LocalActor>,
    here: Arc<AtomicU32>,
    step_ms: u64,
}

impl Run {
    /// Until the peer or its session ends. It holds neither while it waits.
    async fn live(mut self) {
        let mut every = interval(Duration::from_millis(self.step_ms));
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let began = Instant::now();
        let (mut notes, mut looked): (Vec<String>, Option<Instant>) = (Vec::new(), None);
        loop {
            every.tick().await;
            let Some(shared) = self.shared.upgrade() else { return };
            let session = shared.session();
            if session.net.peer_id() != self.peer_id {
                return;
            }
            let look = looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY);
            // When all of them are away it may have been closed.
            if look && let Err(error) = session.rooms.open(&self.room, LINGER * 2).await {
                let (room, reason) = (shared.profile.tag(&self.room), error.code.as_str());
                tracing::warn!(room, reason, "simulated people cannot go on");
                return;
            }
            let now = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let acts: Vec<(LocalActor, Act)> =
                self.persons.iter_mut().zip(&self.actors).fold(Vec::new(), |mut all, (person, actor)| {
                    all.extend(person.step(now, &notes).into_iter().map(|act| (actor.clone(), act)));
                    all
                });
            if acts.is_empty() && !look {
                continue;
            }
            let all: BTreeSet<_> = self.actors.iter().map(|actor| actor.actor.user_id.clone()).collect();
            let done = session.net.with(&self.room, move |replica, now| {
                acts.into_iter().for_each(|(actor, act)| carry_out(replica, &actor, act, now));
                look.then(|| look_around(replica, &all, now))
            });
            match done.await {
                Ok(None) => {}
                Ok(Some((seen, here))) => {
                    (notes, looked) = (seen, Some(Instant::now()));
                    self.here.store(here, Ordering::Relaxed);
                }
                Err(error) if error.code == ErrorCode::NotFound => looked = None,
                Err(_) => return,
            }
        }
    }
}

/// What is refused, such as to a peer that a copy of its profile outranks, is not worth more than not being seen.
fn carry_out(replica: &mut Replica, actor: &LocalActor, act: Act, now: Tick) {
    let refused = match act {
        Act::Come(presence) => {
            let metadata = Bag::from_iter([(SIMULATED.to_owned(), Value::Bool(true))]);
            let join = Join { presence: Some(presence), metadata: Some(metadata), ..Join::default() };
            replica.join(actor, join, Lease::Own, now).err()
        }
        Act::Tell(presence) => {
            replica.presence(actor, PresenceChange { presence, ..PresenceChange::default() }, now).err()
        }
        Act::Go => replica.leave(actor, Leave::default(), now).err(),
    };
    if let Some(error) = refused {
        tracing::debug!(reason = error.code.as_str(), "somebody simulated was refused");
    }
}

/// The notes that there are, and how many of these are members.
fn look_around(replica: &Replica, of: &BTreeSet<parlor_core::UserId>, now: Tick) -> (Vec<String>, u32) {
    let notes = replica.board().notes.iter().take(NOTES_MAX).map(|note| note.id.clone()).collect();
    let query = parlor_core::MembersQuery {
        limit: Some(parlor_core::limits::MEMBERS_LIMIT_MAX),
        ..parlor_core::MembersQuery::default()
    };
    let members = replica.members(&query, now).map(|page| page.members).unwrap_or_default();
    let here = members.iter().filter(|member| of.contains(&member.actor.user_id)).count();
    (notes, u32::try_from(here).unwrap_or(u32::MAX))
}
