//! What every observer knows by the events that it was told: a reader that renders nothing but events sees this.

use std::sync::Arc;

use parlor_core::{Bag, Event, Member, MemberRecord, RowKey};
use rustc_hash::FxHashMap;

use super::oracle::Row;
use super::sessions::Session;

/// The views of all observers, and the numbers of all rows.
#[derive(Debug, Default)]
pub struct Views {
    numbers: FxHashMap<RowKey, Row>,
    keys: Vec<RowKey>,
    /// By session, then by row.
    rows: Vec<Vec<Option<Arc<Member>>>>,
}

impl Views {
    pub(crate) fn begin(&mut self, session: Session) {
        self.rows.resize_with(self.rows.len().max(session.0 as usize + 1), Vec::new);
    }

    pub(crate) fn end(&mut self, session: Session) {
        if let Some(rows) = self.rows.get_mut(session.0 as usize) {
            *rows = Vec::new();
        }
    }

    /// The number of a member's row.
    pub(crate) fn row(&mut self, member: &Member) -> Row {
        self.number(&member.key())
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

    /// A row as an observer knows it.
    #[must_use]
    pub fn member(&self, observer: Session, row: Row) -> Option<&Arc<Member>> {
        self.rows.get(observer.0 as usize)?.get(row.0 as usize)?.as_ref()
    }

    /// All rows that an observer knows.
    pub fn all(&self, observer: Session) -> impl Iterator<Item = (Row, &Arc<Member>)> {
        let rows = self.rows.get(observer.0 as usize).map_or(&[][..], Vec::as_slice);
        (0..).map(Row).zip(rows).filter_map(|(row, member)| Some((row, member.as_ref()?)))
    }

    /// A field of a row as an observer knows it, when it is a number.
    #[must_use]
    pub fn value(&self, observer: Session, row: Row, field: &str) -> Option<u64> {
        self.member(observer, row)?.record.presence.get(field)?.as_u64()
    }

    pub(crate) fn apply(&mut self, observer: Session, row: Row, event: &Event) {
        let Some(rows) = self.rows.get_mut(observer.0 as usize) else { return };
        if rows.len() <= row.0 as usize {
            rows.resize(row.0 as usize + 1, None);
        }
        let held = &mut rows[row.0 as usize];
        match event {
            // A copy: who shares the member with its replica makes it copy it at the next change.
            Event::Joined { member } => *held = Some(Arc::new((**member).clone())),
            Event::Updated { member, .. } => match held {
                Some(held) => follow(Arc::make_mut(held), member),
                None => *held = Some(Arc::new((**member).clone())),
            },
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

/// Makes one member what the other is, and touches only what differs.
fn follow(held: &mut Member, now: &Member) {
    let Member { record, actor, state, own, verified, conflict, sessions } = now;
    let MemberRecord { room, kind, member_id, joined_at, last_seen_at, metadata, presence } = record;
    follow_bag(&mut held.record.presence, presence);
    follow_bag(&mut held.record.metadata, metadata);
    (held.record.kind, held.record.joined_at, held.record.last_seen_at) = (*kind, *joined_at, *last_seen_at);
    (held.state, held.own, held.verified, held.conflict) = (*state, *own, *verified, *conflict);
    take_over(&mut held.record.room, room);
    take_over(&mut held.record.member_id, member_id);
    take_over(&mut held.actor, actor);
    take_over(&mut held.sessions, sessions);
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
    use serde_json::json;

    use super::*;

    fn bag(value: serde_json::Value) -> Bag {
        value.as_object().cloned().unwrap_or_default()
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
