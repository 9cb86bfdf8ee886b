//! The presence of one record: fields that each carry the revision that set them (design R4, A3).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::check;
use crate::ids::{Rev, Tick};
use crate::limits::{OBJECTS_MAX, PRESENCE_MAX, STRING_MAX, TOP_KEYS};
use crate::raw::Raw;
use crate::value::{Key, known};
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

    pub fn set(&mut self, key: &str, field: Field) {
        self.put(self.find(key), key, field);
    }

    /// The same where the place was found already.
    fn put(&mut self, found: Result<usize, usize>, key: &str, field: Field) {
        match found {
            Ok(at) => {
                if let Some((_, held)) = self.0.get_mut(at) {
                    *held = field;
                }
            }
            Err(at) => {
                // Rarely more than a few, and a room has many records: no room to spare.
                self.0.reserve_exact(1);
                let name = known(key).map_or_else(|| Name::Owned(key.to_owned()), Name::Borrowed);
                self.0.insert(at, (name, field));
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
    pub fn changes(&self, since: Rev, rev: Rev, now: Tick) -> Vec<FieldChange> {
        let newer = self.0.iter().filter(|(_, field)| field.rev > since);
        let change = |(key, field): &(Name, Field)| FieldChange {
            key: Key(key.to_string()),
            age: rev.0.saturating_sub(field.rev.0),
            value: field.value.clone(),
            expire: field.expires.map_or(0, |at| at.since(now).max(1)),
        };
        newer.map(change).collect()
    }

    /// All that is there, for a whole record at `rev`: what it does not name is gone.
    pub fn whole(&self, rev: Rev, now: Tick) -> Vec<FieldChange> {
        let mut changes = self.changes(Rev(0), rev, now);
        changes.retain(|change| change.value.is_some());
        changes
    }

    /// Takes over changes that are newer than what is held and than `known`, up to which all is known already. The keys
    /// whose values are others now.
    pub fn merge(&mut self, changes: Vec<FieldChange>, rev: Rev, known: Rev, now: Tick) -> Vec<String> {
        let mut changed = Vec::new();
        for change in changes {
            let field_rev = Rev(rev.0.saturating_sub(change.age));
            let found = self.find(&change.key.0);
            let held = found.ok().and_then(|at| self.0.get(at)).map(|(_, field)| field);
            if field_rev <= known || held.is_some_and(|held| field_rev <= held.rev) {
                continue;
            }
            let differs = held.and_then(|held| held.value.as_ref()) != change.value.as_ref();
            let expires = (change.expire > 0).then(|| now.plus(change.expire));
            self.put(found, &change.key.0, Field { rev: field_rev, value: change.value, expires });
            if differs {
                changed.push(change.key.0);
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
pub(crate) fn changes_fit(changes: &[FieldChange]) -> bool {
    changes.len() <= 2 * TOP_KEYS
        && Raw::have_at_most(OBJECTS_MAX, changes.iter().filter_map(|change| change.value.as_ref()))
        && changes.iter().all(|change| {
            check::is_key(&change.key.0)
                && change.value.as_ref().is_none_or(|raw| raw.is_well_formed(STRING_MAX) && raw.is_within(PRESENCE_MAX))
        })
}
