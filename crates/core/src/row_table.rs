//! Where the rows of a room are kept: each in a place of its own, which a record remembers. What changes thirty times a
//! second is found without a search by name, and readers have all rows in the order of their keys.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Deref;
use std::sync::Arc;

use crate::fields::Fields;
use crate::ids::{MemberId, SessionId, UserId};
use crate::value;
use crate::view::{Member, RowKey, Timestamp};

/// Where a row is, for as long as it has a record. Then it may be another's place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place(u32);

/// All rows of a room.
#[derive(Debug, Default)]
pub(crate) struct RowTable {
    places: BTreeMap<RowKey, Place>,
    rows: Vec<Row>,
    free: Vec<Place>,
    /// Those that readers were told of, in the order of a list: whoever joined first comes first.
    listed: Vec<Place>,
}

/// One row: the records that it is made of, some of which may be over already, and what readers were told of it.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub parts: Parts,
    /// Nothing as long as nobody was told of it.
    member: Option<Arc<Member>>,
}

/// Sessions and incarnations of the records of a row. One is kept in place: every change of the row is held against it.
#[derive(Debug)]
pub(crate) enum Parts {
    One([(SessionId, u32); 1]),
    Many(Vec<(SessionId, u32)>),
}

impl Parts {
    pub fn push(&mut self, part: (SessionId, u32)) {
        *self = self.iter().copied().chain([part]).collect();
    }
}

impl Default for Parts {
    fn default() -> Self {
        Parts::Many(Vec::new())
    }
}

impl FromIterator<(SessionId, u32)> for Parts {
    fn from_iter<I: IntoIterator<Item = (SessionId, u32)>>(parts: I) -> Self {
        let parts: Vec<_> = parts.into_iter().collect();
        match parts[..] {
            [part] => Parts::One([part]),
            _ => Parts::Many(parts),
        }
    }
}

impl Deref for Parts {
    type Target = [(SessionId, u32)];

    fn deref(&self) -> &Self::Target {
        match self {
            Parts::One(part) => part,
            Parts::Many(parts) => parts,
        }
    }
}

impl RowTable {
    /// The row of this key, made when it is new.
    pub fn enter(&mut self, key: RowKey) -> (Place, &mut Row) {
        let place = match self.places.entry(key) {
            Entry::Occupied(held) => *held.get(),
            Entry::Vacant(vacant) => *vacant.insert(self.free.pop().unwrap_or_else(|| {
                self.rows.push(Row::default());
                Place(u32::try_from(self.rows.len() - 1).unwrap_or(u32::MAX))
            })),
        };
        (place, &mut self.rows[place.0 as usize])
    }

    /// What is in a place, whosever it is.
    pub fn at(&mut self, place: Place) -> Option<&mut Row> {
        self.rows.get_mut(place.0 as usize)
    }

    pub fn get(&self, key: &RowKey) -> Option<&Row> {
        let place = self.places.get(key)?;
        self.rows.get(place.0 as usize)
    }

    /// Forgets a row; its place is free for another.
    pub fn remove(&mut self, key: &RowKey) {
        let Some(place) = self.places.remove(key) else { return };
        self.unlist(place);
        self.free.push(place);
        if let Some(row) = self.at(place) {
            *row = Row::default();
        }
    }

    /// What readers are told of a row that is here.
    pub fn show(&mut self, key: &RowKey, member: Arc<Member>) {
        let Some(place) = self.places.get(key).copied() else { return };
        let Some(row) = self.at(place) else { return };
        if row.member.as_ref().is_some_and(|held| rank(held) == rank(&member)) {
            row.member = Some(member);
            return;
        }
        self.unlist(place);
        let at = self.listed.partition_point(|other| self.rank_of(*other) < Some(rank(&member)));
        self.listed.insert(at, place);
        self.rows[place.0 as usize].member = Some(member);
    }

    /// What readers were told of a row.
    pub fn member(&self, key: &RowKey) -> Option<&Arc<Member>> {
        self.get(key)?.member.as_ref()
    }

    /// Whether the row in a place is made of this record alone.
    pub fn is_made_of(&self, place: Place, part: (SessionId, u32)) -> bool {
        self.rows.get(place.0 as usize).is_some_and(|row| row.parts[..] == [part])
    }

    /// What readers were told of the row that this record is of.
    pub fn member_of(&self, place: Place, part: (SessionId, u32)) -> Option<&Arc<Member>> {
        let row = self.rows.get(place.0 as usize)?;
        row.member.as_ref().filter(|_| row.parts.contains(&part))
    }

    /// All rows that readers were told of, by key.
    pub fn members(&self) -> impl Iterator<Item = (&RowKey, &Arc<Member>)> {
        self.told(self.places.iter())
    }

    /// Those from a key on.
    pub fn members_from(&self, first: RowKey) -> impl Iterator<Item = (&RowKey, &Arc<Member>)> {
        self.told(self.places.range(first..))
    }

    /// All of them, whoever joined first in front.
    pub fn list(&self) -> Vec<Arc<Member>> {
        self.listed.iter().filter_map(|place| self.rows.get(place.0 as usize)?.member.clone()).collect()
    }

    /// The keys of all rows.
    pub fn keys(&self) -> impl Iterator<Item = &RowKey> {
        self.places.keys()
    }

    /// How many of them there are.
    pub fn len(&self) -> usize {
        self.listed.len()
    }

    /// How many places there are, free ones included.
    pub fn places(&self) -> usize {
        self.rows.len()
    }

    fn unlist(&mut self, place: Place) {
        let rank = self.rank_of(place);
        let at = self.listed.partition_point(|other| self.rank_of(*other) < rank);
        if self.listed.get(at) == Some(&place) {
            self.listed.remove(at);
        }
    }

    fn rank_of(&self, place: Place) -> Option<Rank<'_>> {
        self.rows.get(place.0 as usize)?.member.as_deref().map(rank)
    }

    fn told<'a>(
        &'a self,
        places: impl Iterator<Item = (&'a RowKey, &'a Place)>,
    ) -> impl Iterator<Item = (&'a RowKey, &'a Arc<Member>)> {
        places.filter_map(|(key, place)| Some((key, self.rows.get(place.0 as usize)?.member.as_ref()?)))
    }
}

/// What decides where a member stands in a list.
type Rank<'a> = (Timestamp, &'a MemberId, &'a UserId);

fn rank(member: &Member) -> Rank<'_> {
    (member.record.joined_at, &member.record.member_id, &member.actor.user_id)
}

impl Row {
    /// What readers were told of it.
    pub fn member(&self) -> Option<&Arc<Member>> {
        self.member.as_ref()
    }

    /// Takes over values of the one record that this row is made of; the keys that are others now, in order. Nothing when
    /// the row is made of more than that, or nobody was told of it yet.
    pub fn patch(
        &mut self,
        part: (SessionId, u32),
        fields: &Fields,
        mut changed: Vec<String>,
        seen: Timestamp,
    ) -> Option<Vec<String>> {
        if self.parts[..] != [part] {
            return None;
        }
        let held = self.member.as_mut()?;
        if changed.is_empty() {
            return Some(changed);
        }
        changed.sort_unstable();
        let shown = &mut Arc::make_mut(held).record;
        changed.retain(|name| {
            let value = fields.get(name).and_then(|field| field.value.as_ref());
            match (value, shown.presence.get_mut(name)) {
                (Some(value), Some(shown)) => value::assign(shown, value.bytes()),
                (Some(value), None) => shown.presence.insert(name.clone(), value.value()).is_none(),
                (None, _) => shown.presence.remove(name).is_some(),
            }
        });
        if !changed.is_empty() {
            shown.last_seen_at = seen;
        }
        Some(changed)
    }
}

#[cfg(test)]
mod tests {
    use crate::ids::PublicKey;

    use super::*;

    fn key(name: &str) -> RowKey {
        (MemberId::new(name).unwrap(), PublicKey([7; 32]).user_id())
    }

    /// A record that is over may remember a place for longer than its row was there.
    #[test]
    fn a_free_place_is_another_rows() {
        let mut table = RowTable::default();
        let (ann, bob) = ((SessionId([1; 32]), 1), (SessionId([2; 32]), 1));
        let (place, row) = table.enter(key("ann"));
        row.parts.push(ann);
        assert_eq!(table.enter(key("ann")).0, place);
        table.remove(&key("ann"));
        assert!(table.get(&key("ann")).is_none());
        let (again, row) = table.enter(key("bob"));
        assert_eq!(again, place, "no place is left empty");
        assert!(row.parts.is_empty());
        row.parts.push(bob);
        let changed = vec!["cursor".to_owned()];
        let patched = table.at(place).unwrap().patch(ann, &Fields::default(), changed, Timestamp(0));
        assert_eq!(patched, None, "ann's record changes nothing of bob's row");
        assert_ne!(table.enter(key("cleo")).0, place);
    }
}
