//! What every observer knows by the events that it was told: a reader that renders nothing but events sees this.

use std::sync::Arc;

use parlor_core::{Actor, Bag, Event, Member, MemberRecord, RowKey};
use rustc_hash::FxHashMap;

use super::oracle::Row;
use super::sessions::Session;

/// The views of all observers, and the numbers of all rows.
///
/// In a big room many observers are told the same of a row, one after the other. They share what they were told, so that
/// what they knew before is looked at where it was looked at just now.
#[derive(Debug, Default)]
pub struct Views {
    numbers: FxHashMap<RowKey, Row>,
    keys: Vec<RowKey>,
    /// The row whose number was asked for last: mostly that of the next event too.
    asked: usize,
    /// By row, then by session.
    rows: Vec<Vec<Option<Arc<Member>>>>,
    /// What was told last of each row, to share it with the next who is told the same.
    newest: Vec<Option<Arc<Member>>>,
}

impl Views {
    pub(crate) fn end(&mut self, session: Session) {
        for held in self.rows.iter_mut().filter_map(|row| row.get_mut(session.0 as usize)) {
            *held = None;
        }
    }

    /// The number of a member's row.
    pub(crate) fn row(&mut self, member: &Member) -> Row {
        let is_its = |key: &RowKey| key.0 == member.record.member_id && key.1 == member.actor.user_id;
        if !self.keys.get(self.asked).is_some_and(is_its) {
            self.asked = self.number(&member.key()).0 as usize;
        }
        Row(self.asked as u32)
    }

    pub(crate) fn number(&mut self, key: &RowKey) -> Row {
        if let Some(row) = self.numbers.get(key) {
            return *row;
        }
        let row = Row(u32::try_from(self.keys.len()).unwrap_or(u32::MAX));
        self.keys.push(key.clone());
        self.numbers.insert(key.clone(), row);
        row
    }

    /// The number of a row, if anybody ever saw it.
    #[must_use]
    pub fn find(&self, key: &RowKey) -> Option<Row> {
        self.numbers.get(key).copied()
    }

    /// What tells a row from others.
    #[must_use]
    pub fn key(&self, row: Row) -> &RowKey {
        &self.keys[row.0 as usize]
    }

    /// A row as an observer knows it, but for the time at which it was seen last: that may be another observer's.
    #[must_use]
    pub fn member(&self, observer: Session, row: Row) -> Option<&Arc<Member>> {
        self.rows.get(row.0 as usize)?.get(observer.0 as usize)?.as_ref()
    }

    /// All rows that an observer knows.
    pub fn all(&self, observer: Session) -> impl Iterator<Item = (Row, &Arc<Member>)> {
        let rows = (0..).map(Row).zip(&self.rows);
        rows.filter_map(move |(row, held)| Some((row, held.get(observer.0 as usize)?.as_ref()?)))
    }

    /// A field of a row as an observer knows it, when it is a number.
    #[must_use]
    pub fn value(&self, observer: Session, row: Row, field: &str) -> Option<u64> {
        self.member(observer, row)?.record.presence.get(field)?.as_u64()
    }

    pub(crate) fn apply(&mut self, observer: Session, row: Row, event: &Event) {
        let (observer, row) = (observer.0 as usize, row.0 as usize);
        if self.rows.len() <= row {
            self.rows.resize_with(row + 1, Vec::new);
            self.newest.resize(row + 1, None);
        }
        let of_row = &mut self.rows[row];
        if of_row.len() <= observer {
            of_row.resize(observer + 1, None);
        }
        let (held, newest) = (&mut of_row[observer], &mut self.newest[row]);
        match event {
            Event::Joined { member } | Event::Updated { member, .. } => tell(held, newest, member),
            Event::Stale { member } | Event::Active { member } => {
                // What else is new follows in an update.
                if let Some(held) = held {
                    Arc::make_mut(held).state = member.state;
                }
            }
            Event::Left { .. } => *held = None,
            _ => {}
        }
    }
}

/// Makes what one observer holds of a row what it is told, and shares it with whoever was told the same just now.
fn tell(held: &mut Option<Arc<Member>>, newest: &mut Option<Arc<Member>>, member: &Member) {
    // Nobody but its host is told that a member is its own.
    if !member.own {
        if newest.as_deref().is_some_and(|newest| say_the_same(newest, member)) {
            held.clone_from(newest);
            return;
        }
        *newest = None;
    }
    match held.as_mut().and_then(Arc::get_mut) {
        Some(held) => follow(held, member),
        // A copy: who shares the member with its replica makes it copy it at the next change.
        None => *held = Some(Arc::new(member.clone())),
    }
    if !member.own {
        newest.clone_from(held);
    }
}

/// Whether two members of one row are the same, but for the time at which they were seen last.
fn say_the_same(a: &Member, b: &Member) -> bool {
    let Member { record, actor, state, own, verified, conflict, simulated, sessions, evidence } = b;
    let MemberRecord { room, kind, member_id: _, joined_at, last_seen_at: _, metadata, presence } = record;
    let Actor { kind: of, user_id: _, name, via } = actor;
    a.record.presence == *presence
        && (a.state, a.own, a.verified, a.conflict, a.simulated) == (*state, *own, *verified, *conflict, *simulated)
        && (a.record.kind, a.record.joined_at) == (*kind, *joined_at)
        && a.record.metadata == *metadata
        && (a.actor.kind, &a.actor.name, &a.actor.via) == (*of, name, via)
        && a.sessions == *sessions
        && a.evidence == *evidence
        && a.record.room == *room
}

/// Makes one member what the other is, and touches only what differs.
fn follow(held: &mut Member, now: &Member) {
    let Member { record, actor, state, own, verified, conflict, simulated, sessions, evidence } = now;
    let MemberRecord { room, kind, member_id, joined_at, last_seen_at, metadata, presence } = record;
    follow_bag(&mut held.record.presence, presence);
    follow_bag(&mut held.record.metadata, metadata);
    (held.record.kind, held.record.joined_at, held.record.last_seen_at) = (*kind, *joined_at, *last_seen_at);
    (held.state, held.own, held.verified) = (*state, *own, *verified);
    (held.conflict, held.simulated) = (*conflict, *simulated);
    take_over(&mut held.record.room, room);
    take_over(&mut held.record.member_id, member_id);
    take_over(&mut held.actor, actor);
    take_over(&mut held.sessions, sessions);
    take_over(&mut held.evidence, evidence);
}

fn take_over<T: Clone + PartialEq>(held: &mut T, now: &T) {
    if held != now {
        held.clone_from(now);
    }
}

fn follow_bag(held: &mut Bag, now: &Bag) {
    if held.len() != now.len() || !held.keys().eq(now.keys()) {
        held.clone_from(now);
        return;
    }
    for (held, now) in held.values_mut().zip(now.values()) {
        take_over(held, now);
    }
}

#[cfg(test)]
mod tests {
    use parlor_core::{LeftReason, MemberState, PublicKey};
    use serde_json::json;

    use super::*;

    fn bag(value: serde_json::Value) -> Bag {
        value.as_object().cloned().unwrap_or_default()
    }

    fn member(cursor: u64, turn: u64, own: bool) -> Arc<Member> {
        let member = json!({"room": "room", "kind": "room", "memberId": "desk", "joinedAt": "2027-01-15T08:00:00Z",
            "lastSeenAt": "2027-01-15T08:00:00Z", "metadata": {"turn": turn}, "presence": {"cursor": cursor},
            "actor": {"kind": "user", "userId": PublicKey([7; 32]).user_id(), "name": "ann"}, "state": "active",
            "self": own, "verified": true, "conflict": false});
        Arc::new(serde_json::from_value(member).unwrap())
    }

    /// Whoever shares a copy with others knows what it was told, and no more: held against copies of everybody's own.
    #[test]
    fn who_shares_a_copy_knows_what_it_was_told() {
        let mut random = fastrand::Rng::with_seed(11);
        let mut views = Views::default();
        let mut plain = vec![None; 4];
        let row = views.row(&member(0, 0, false));
        let mut shared = 0;
        for _ in 0..5_000 {
            let at = random.usize(0..plain.len());
            let told = member(random.u64(0..2), random.u64(0..2), random.u8(0..8) == 0);
            let mut turned = Member::clone(&told);
            turned.state = if random.bool() { MemberState::Stale } else { MemberState::Active };
            let event = match random.u8(0..12) {
                0 => Event::Left { member: told, reason: LeftReason::Left },
                1 => Event::Stale { member: Arc::new(turned) },
                _ if plain[at].is_none() => Event::Joined { member: told },
                _ => Event::Updated { member: told, changed: Vec::new() },
            };
            let held: &mut Option<Member> = &mut plain[at];
            match &event {
                Event::Left { .. } => *held = None,
                Event::Stale { member } => held.iter_mut().for_each(|held| held.state = member.state),
                Event::Joined { member } | Event::Updated { member, .. } => *held = Some(Member::clone(member)),
                _ => {}
            }
            views.apply(Session(at as u32), row, &event);
            let all: Vec<_> = (0..).map(Session).take(plain.len()).map(|at| views.member(at, row)).collect();
            assert_eq!(all.iter().map(|held| held.map(|held| Member::clone(held))).collect::<Vec<_>>(), plain);
            shared += usize::from(all.iter().flatten().any(|held| Arc::strong_count(held) > 2));
        }
        assert!(shared > 500, "only {shared} times was something shared");
    }

    #[test]
    fn a_bag_becomes_the_other() {
        let bags = [json!({}), json!({"a": 1}), json!({"a": 2}), json!({"b": 2}), json!({"a": 2, "b": {"c": null}})];
        for before in bags.iter().cloned().map(bag) {
            for now in bags.iter().cloned().map(bag) {
                let mut held = before.clone();
                follow_bag(&mut held, &now);
                assert_eq!(held, now, "from {before:?}");
            }
        }
    }
}
