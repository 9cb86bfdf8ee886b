//! The presence of one record: fields that each carry the revision that set them (design R4, A3).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::check;
use crate::delta::FieldTold;
use crate::ids::{Rev, Tick};
use crate::limits::{OBJECTS_MAX, PRESENCE_MAX, STRING_MAX, TOP_KEYS};
use crate::raw::{self, Raw};
use crate::value::{self, Key, known};
use crate::view::Bag;
use crate::wire::FieldChange;

/// Bytes of JSON that an object has at least, with its comma: `{"":0},`.
const OBJECT_JSON: usize = 6;

/// One field. Without a value it is a removal that is still told to those who may not have heard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Field {
    pub rev: Rev,
    pub value: Option<Raw>,
    /// When it vanishes here.
    pub expires: Option<Tick>,
}

/// A key. Those that presence uses all the time are in one place for all records, and so at hand.
type Name = Cow<'static, str>;

/// All fields of a record, by key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fields(Vec<(Name, Field)>);

impl Fields {
    pub fn bag(&self) -> Bag {
        self.live().map(|(key, raw)| (key.to_owned(), raw.value())).collect()
    }

    pub fn get(&self, key: &str) -> Option<&Field> {
        let at = self.find(key).ok()?;
        self.0.get(at).map(|(_, field)| field)
    }

    /// All of them, removals that are still told included.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.0.iter().map(|(key, field)| (&**key, field))
    }

    /// Keys that have a value, and their values.
    pub fn live(&self) -> impl Iterator<Item = (&str, &Raw)> + Clone {
        self.0.iter().filter_map(|(key, field)| Some((&**key, field.value.as_ref()?)))
    }

    /// Sets a field to this encoded value, or removes it.
    pub fn set(&mut self, key: &str, rev: Rev, value: Option<&[u8]>, expires: Option<Tick>) {
        self.put(self.find(key), key, (rev, value, expires));
    }

    /// The same where the place was found already.
    fn put(
        &mut self,
        found: Result<usize, usize>,
        key: &str,
        (rev, value, expires): (Rev, Option<&[u8]>, Option<Tick>),
    ) {
        match found {
            Ok(at) => {
                if let Some((_, held)) = self.0.get_mut(at) {
                    (held.rev, held.expires) = (rev, expires);
                    match (&mut held.value, value) {
                        (Some(held), Some(value)) => held.become_copy_of(value),
                        (held, value) => *held = value.map(Raw::copy_of),
                    }
                }
            }
            Err(at) => {
                // Rarely more than a few, and a room has many records: no room to spare.
                self.0.reserve_exact(1);
                let name = known(key).map_or_else(|| Name::Owned(key.to_owned()), Name::Borrowed);
                self.0.insert(at, (name, Field { rev, value: value.map(Raw::copy_of), expires }));
            }
        }
    }

    /// The next time a field vanishes.
    pub fn next_expiry(&self) -> Option<Tick> {
        self.0.iter().filter(|(_, field)| field.value.is_some()).filter_map(|(_, field)| field.expires).min()
    }

    /// Keys whose time is over at `now`.
    pub fn expired(&self, now: Tick) -> Vec<String> {
        let over = |field: &Field| field.value.is_some() && field.expires.is_some_and(|at| at <= now);
        self.0.iter().filter(|(_, field)| over(field)).map(|(key, _)| key.to_string()).collect()
    }

    /// Hides what expired here; its revision stays, so that nothing older comes back.
    pub fn hide_expired(&mut self, now: Tick) -> bool {
        let mut hidden = false;
        for (_, field) in &mut self.0 {
            if field.value.is_some() && field.expires.is_some_and(|at| at <= now) {
                field.value = None;
                field.expires = None;
                hidden = true;
            }
        }
        hidden
    }

    /// Forgets removals that everybody was told of: those up to `rev`.
    pub fn forget_removals(&mut self, rev: Rev) {
        self.0.retain(|(_, field)| field.value.is_some() || field.rev > rev);
    }

    /// What changed after `since`, for a frame at `rev`.
    pub fn changes(&self, since: Rev, rev: Rev, now: Tick) -> impl Iterator<Item = FieldTold<'_>> + Clone {
        let newer = self.0.iter().filter(move |(_, field)| field.rev > since);
        newer.map(move |(key, field)| FieldTold {
            key,
            age: rev.0.saturating_sub(field.rev.0),
            value: field.value.as_ref().map(Raw::bytes),
            expire: field.expires.map_or(0, |at| at.since(now).max(1)),
        })
    }

    /// All that is there, for a whole record at `rev`: what it does not name is gone.
    pub fn whole(&self, rev: Rev, now: Tick) -> Vec<FieldChange> {
        let change = |told: FieldTold<'_>| {
            let value = Some(Raw::copy_of(told.value?));
            Some(FieldChange { key: Key(told.key.to_owned()), age: told.age, value, expire: told.expire })
        };
        self.changes(Rev(0), rev, now).filter_map(change).collect()
    }

    /// Takes over changes that are newer than what is held and than `known`, up to which all is known already. The keys
    /// whose values are others now.
    pub fn merge<'a>(
        &mut self,
        changes: impl IntoIterator<Item = FieldTold<'a>>,
        rev: Rev,
        known: Rev,
        now: Tick,
    ) -> Vec<String> {
        let mut changed = Vec::new();
        for change in changes {
            let field_rev = Rev(rev.0.saturating_sub(change.age));
            let found = self.find(change.key);
            let held = found.ok().and_then(|at| self.0.get(at)).map(|(_, field)| field);
            if field_rev <= known || held.is_some_and(|held| field_rev <= held.rev) {
                continue;
            }
            let differs = held.and_then(|held| held.value.as_ref()).map(Raw::bytes) != change.value;
            let expires = (change.expire > 0).then(|| now.plus(change.expire));
            self.put(found, change.key, (field_rev, change.value, expires));
            if differs {
                changed.push(change.key.to_owned());
            }
        }
        changed
    }

    /// Drops what a whole record of `rev` does not name any more.
    pub fn keep_only(&mut self, keys: &[String], rev: Rev) {
        self.0.retain(|(key, field)| field.rev > rev || keys.iter().any(|kept| **kept == **key));
    }

    /// Keeps the newest fields within what an honest writer can have, and something to spare for changes that overtake
    /// each other; true when others had to go. The writer's next whole record sets it right.
    pub fn bound(&mut self) -> bool {
        let size = |(key, field): &(Name, Field)| key.len() + field.value.as_ref().map_or(0, Raw::len);
        if self.0.len() <= TOP_KEYS
            && self.0.iter().map(size).sum::<usize>() <= PRESENCE_MAX
            && Raw::have_at_most(OBJECTS_MAX, self.live().map(|(_, raw)| raw))
        {
            return false;
        }
        let before = self.0.len();
        self.0.sort_by(|a, b| (b.1.rev, &b.0).cmp(&(a.1.rev, &a.0)));
        let (mut bytes, mut objects) = (0, 0);
        let kept = self.0.iter().take(4 * TOP_KEYS).take_while(|field| {
            bytes += size(field);
            objects += field.1.value.as_ref().map_or(0, |raw| raw.weight().objects);
            bytes <= 4 * PRESENCE_MAX && objects <= 2 * OBJECTS_MAX
        });
        let kept = kept.count();
        self.0.truncate(kept);
        self.0.sort_by(|a, b| a.0.cmp(&b.0));
        kept < before
    }

    /// Whether these values and so many more, of so many keys and bytes, are surely within the limits of a presence.
    pub fn have_room(&self, keys: usize, json: usize) -> bool {
        let most = |(key, raw): (&str, &Raw)| 6 * key.len() + 4 + raw.json_most();
        self.live().count() + keys <= TOP_KEYS
            && self.live().map(most).sum::<usize>() + json < PRESENCE_MAX.min(OBJECT_JSON * OBJECTS_MAX)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(held, _)| (**held).cmp(key))
    }
}

/// Whether changes that arrive keep the limits, piece by piece (design A8).
pub(crate) fn changes_fit<'a>(changes: impl Iterator<Item = FieldTold<'a>> + Clone) -> bool {
    let fits = |value: &[u8]| value::keeps_limits(value, STRING_MAX) && raw::is_within(value, PRESENCE_MAX);
    let (mut count, mut bytes) = (0, 0);
    for change in changes.clone() {
        count += 1;
        bytes += change.value.map_or(0, <[u8]>::len);
        if !(check::is_key(change.key) && change.value.is_none_or(fits)) {
            return false;
        }
    }
    let few = raw::are_too_short_for_more(OBJECTS_MAX, bytes);
    count <= 2 * TOP_KEYS && (few || raw::have_at_most(OBJECTS_MAX, changes.filter_map(|change| change.value)))
}
