//! Conflation: from every event of a room to the least that a reader needs who asks now and then.
//!
//! Two queues. *Events* (joins, leaves, changes of state, metadata, messages) keep their order and are never dropped.
//! *Updates* (presence) hold the latest value per member and key, in the order in which members first moved, so that nobody
//! starves. Notes are conflated like updates, the newest of each. What keeps the two queues in step:
//!
//! - an event with a row carries everything about that member, so it voids the member's pending update;
//! - an update never leaves before the last queued event of its member, so a pending update is always newer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use parlor_core::{Bag, Event, Member, MemberState, Note, RowKey, Snapshot, Timestamp};
use serde::Serialize;

use crate::batch::{Batch, FeedEvent, Update};

/// A batch as JSON is shorter than this: Tauri sends messages under 8 KiB on its fast path.
pub(crate) const BATCH_MAX: usize = 7 * 1024;
/// Room for `{"seq":…,"events":[],"updates":[]}` with the longest number.
const FRAME: usize = 64;
/// More than this in the queue is not worth sending: a snapshot is shorter. One snapshot of 256 full rows fits.
const QUEUE_MAX: usize = 4 * 1024 * 1024;

const _: () = {
    use parlor_core::limits::{MEMBER_METADATA_MAX, MEMBERS_MAX, PRESENCE_MAX, ROOM_METADATA_MAX};
    let rows = MEMBERS_MAX * (PRESENCE_MAX + MEMBER_METADATA_MAX + 1024);
    assert!(rows + ROOM_METADATA_MAX < QUEUE_MAX, "a snapshot must not overflow the queue that it empties");
};

#[derive(Default)]
pub(crate) struct Conflate {
    seq: u64,
    queue: VecDeque<Queued>,
    bytes: usize,
    /// How many queued events carry a row of this member.
    queued_rows: BTreeMap<RowKey, usize>,
    pending: BTreeMap<RowKey, Pending>,
    /// The keys of `pending`, oldest first.
    order: VecDeque<RowKey>,
    /// The rows as the reader will know them once everything was sent.
    known: BTreeMap<RowKey, Arc<Member>>,
    /// Notes that changed, as they are now; nothing of one that went.
    notes: BTreeMap<String, Option<Arc<Note>>>,
    /// Notes of the snapshot that are still to be told.
    rest: BTreeMap<String, Arc<Note>>,
}

struct Queued {
    event: FeedEvent,
    size: usize,
}

struct Pending {
    presence: Bag,
    unset: BTreeSet<String>,
    last_seen_at: Timestamp,
}

impl Conflate {
    /// Starts over from a snapshot; what was waiting is void.
    pub(crate) fn reset(&mut self, snapshot: &Snapshot) {
        *self = Self { seq: self.seq, ..Self::default() };
        self.known = snapshot.members.iter().map(|row| (row.key(), Arc::clone(row))).collect();
        let head = |members: Vec<Arc<Member>>, more| FeedEvent::Snapshot {
            room: snapshot.room.clone(),
            members,
            metadata: Arc::clone(&snapshot.metadata),
            access: snapshot.access.clone(),
            watching: snapshot.watching,
            pace_ms: snapshot.pace_ms,
            complete: snapshot.complete,
            at: snapshot.at,
            more,
        };
        self.rest = snapshot.notes.iter().map(|note| (note.id.clone(), Arc::clone(note))).collect();
        let mut left = (BATCH_MAX - FRAME).saturating_sub(json_len(&head(Vec::new(), true)));
        let fits = snapshot.members.iter().take_while(|row| {
            let size = json_len(row) + 1;
            let fits = size < left;
            left = left.saturating_sub(size);
            fits
        });
        let fits = fits.count();
        let (first, rest) = snapshot.members.split_at(fits.min(snapshot.members.len()));
        self.push(head(first.to_vec(), !rest.is_empty() || !self.rest.is_empty()));
        for row in rest {
            self.push(FeedEvent::Joined { member: Arc::clone(row), rest: true });
        }
    }

    /// Takes in one event.
    pub(crate) fn apply(&mut self, event: Event) {
        match event {
            Event::Joined { member } => self.push_row(member, |member| FeedEvent::Joined { member, rest: false }),
            Event::Stale { member } => self.push_row(member, |member| FeedEvent::Stale { member }),
            Event::Active { member } => self.push_row(member, |member| FeedEvent::Active { member }),
            Event::Updated { member, changed } => self.update(member, &changed),
            Event::Left { member, reason } => {
                let key = member.key();
                self.void(&key);
                self.known.remove(&key);
                self.push(FeedEvent::Left { member, reason });
            }
            Event::Metadata { metadata, changed } => self.push(FeedEvent::Metadata { metadata, changed }),
            Event::Access { access } => self.push(FeedEvent::Access { access }),
            Event::Watching { count } => self.push(FeedEvent::Watching { count }),
            Event::Pace { pace_ms } => self.push(FeedEvent::Pace { pace_ms }),
            Event::Complete { complete } => self.push(FeedEvent::Complete { complete }),
            Event::Board { notes, removed } => {
                let changed = notes.into_iter().map(|note| (note.id.clone(), Some(note)));
                for (id, note) in changed.chain(removed.into_iter().map(|id| (id, None))) {
                    self.rest.remove(&id);
                    self.notes.insert(id, note);
                }
            }
            Event::Message { message } => self.push(FeedEvent::Message { message }),
            // What is not shown in a window needs no way there: the health of repair. That the profile was copied is in the
            // status, for the whole of the window.
            Event::Diverged { .. } | Event::Cloned { .. } => {}
        }
    }

    /// Whether so much waits that a snapshot is cheaper.
    pub(crate) fn is_overfull(&self) -> bool {
        self.bytes > QUEUE_MAX
    }

    /// The next batch; `None` when nothing waits.
    pub(crate) fn take(&mut self) -> Option<Batch> {
        let mut left = BATCH_MAX - FRAME;
        let mut events = Vec::new();
        while let Some(queued) = self.queue.pop_front() {
            if !events.is_empty() && queued.size > left {
                self.queue.push_front(queued);
                break;
            }
            left = left.saturating_sub(queued.size);
            self.bytes -= queued.size;
            self.sent(&queued.event);
            events.push(queued.event);
        }
        self.take_notes(&mut left, &mut events);
        let updates = self.take_updates(left, events.is_empty());
        if events.is_empty() && updates.is_empty() {
            return None;
        }
        self.seq += 1;
        Some(Batch { seq: self.seq, events, updates })
    }

    fn take_updates(&mut self, mut left: usize, mut alone: bool) -> Vec<Update> {
        let mut updates = Vec::new();
        let mut waiting = VecDeque::new();
        let mut full = false;
        while let Some(key) = self.order.pop_front() {
            let Some(pending) = self.pending.get(&key) else { continue };
            if full || self.queued_rows.contains_key(&key) {
                waiting.push_back(key);
                continue;
            }
            let update = Update {
                member_id: key.0.clone(),
                user_id: key.1.clone(),
                presence: pending.presence.clone(),
                unset: pending.unset.iter().cloned().collect(),
                last_seen_at: pending.last_seen_at,
            };
            let size = json_len(&update) + 1;
            if size > left && !alone {
                full = true;
                waiting.push_back(key);
                continue;
            }
            alone = false;
            left = left.saturating_sub(size);
            self.pending.remove(&key);
            updates.push(update);
        }
        self.order = waiting;
        updates
    }

    /// Notes that fit, those that changed first.
    fn take_notes(&mut self, left: &mut usize, events: &mut Vec<FeedEvent>) {
        let (mut notes, mut removed, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        let mut alone = events.is_empty();
        let mut fits = |size: usize| {
            let fits = alone || size + FRAME <= *left;
            alone = false;
            *left = left.saturating_sub(size);
            fits
        };
        while let Some((id, note)) = self.notes.pop_first() {
            if !fits(note.as_ref().map_or_else(|| json_len(&id), json_len) + 1) {
                self.notes.insert(id, note);
                break;
            }
            note.map_or_else(|| removed.push(id), |note| notes.push(note));
        }
        while self.notes.is_empty()
            && let Some((id, note)) = self.rest.pop_first()
        {
            if !fits(json_len(&note) + 1) {
                self.rest.insert(id, note);
                break;
            }
            rest.push(note);
        }
        if !notes.is_empty() || !removed.is_empty() {
            *left = left.saturating_sub(FRAME);
            events.push(FeedEvent::Board { notes, removed, rest: false });
        }
        if !rest.is_empty() {
            *left = left.saturating_sub(FRAME);
            events.push(FeedEvent::Board { notes: rest, removed: Vec::new(), rest: true });
        }
    }

    fn update(&mut self, member: Arc<Member>, changed: &[String]) {
        let key = member.key();
        let before = self.known.insert(key.clone(), Arc::clone(&member));
        if !before.is_some_and(|before| differs_in_presence_only(&before, &member)) {
            // An update has no place for the rest of a row, so the whole row goes.
            return self.push_row(member, |member| match member.state {
                MemberState::Active => FeedEvent::Active { member },
                MemberState::Stale => FeedEvent::Stale { member },
            });
        }
        if changed.is_empty() {
            return;
        }
        let pending = self.pending.entry(key.clone()).or_insert_with(|| {
            self.order.push_back(key);
            Pending { presence: Bag::new(), unset: BTreeSet::new(), last_seen_at: member.record.last_seen_at }
        });
        pending.last_seen_at = member.record.last_seen_at;
        for name in changed {
            match member.record.presence.get(name) {
                Some(value) => {
                    pending.unset.remove(name);
                    pending.presence.insert(name.clone(), value.clone());
                }
                None => {
                    pending.presence.remove(name);
                    pending.unset.insert(name.clone());
                }
            }
        }
    }

    fn push_row(&mut self, member: Arc<Member>, event: impl FnOnce(Arc<Member>) -> FeedEvent) {
        let key = member.key();
        self.void(&key);
        self.known.insert(key, Arc::clone(&member));
        self.push(event(member));
    }

    fn push(&mut self, event: FeedEvent) {
        for row in rows(&event) {
            *self.queued_rows.entry(row.key()).or_default() += 1;
        }
        let size = json_len(&event) + 1;
        self.bytes += size;
        self.queue.push_back(Queued { event, size });
    }

    fn sent(&mut self, event: &FeedEvent) {
        for row in rows(event) {
            let key = row.key();
            match self.queued_rows.get_mut(&key) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(self.queued_rows.remove(&key)),
            }
        }
    }

    fn void(&mut self, key: &RowKey) {
        if self.pending.remove(key).is_some() {
            self.order.retain(|waiting| waiting != key);
        }
    }
}

fn rows(event: &FeedEvent) -> &[Arc<Member>] {
    match event {
        FeedEvent::Snapshot { members, .. } => members,
        FeedEvent::Joined { member, .. }
        | FeedEvent::Stale { member }
        | FeedEvent::Active { member }
        | FeedEvent::Left { member, .. } => std::slice::from_ref(member),
        FeedEvent::Metadata { .. }
        | FeedEvent::Board { .. }
        | FeedEvent::Message { .. }
        | FeedEvent::Access { .. }
        | FeedEvent::Watching { .. }
        | FeedEvent::Pace { .. }
        | FeedEvent::Complete { .. } => &[],
    }
}

fn differs_in_presence_only(a: &Member, b: &Member) -> bool {
    a.record.joined_at == b.record.joined_at
        && a.record.metadata == b.record.metadata
        && a.actor == b.actor
        && a.state == b.state
        && (a.own, a.verified, a.conflict) == (b.own, b.verified, b.conflict)
        && a.sessions == b.sessions
}

/// The length of a value as JSON; what cannot be written counts as too long for any batch.
pub(crate) fn json_len(value: &impl Serialize) -> usize {
    parlor_core::json_len(value).unwrap_or(BATCH_MAX)
}

#[cfg(test)]
#[path = "conflate_tests.rs"]
mod tests;
