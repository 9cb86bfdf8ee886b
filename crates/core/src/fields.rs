//! The presence of one record: fields that each carry the revision that set them (design R4, A3).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cell::json_size;
use crate::ids::{Rev, Tick};
use crate::limits::{PRESENCE_MAX, TOP_KEYS};
use crate::value::{Json, Key};
use crate::view::Bag;
use crate::wire::FieldChange;

/// One field. Without a value it is a removal that is still told to those who may not have heard.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub rev: Rev,
    pub value: Option<Value>,
    /// When it vanishes here.
    pub expires: Option<Tick>,
}

/// All fields of a record.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fields(BTreeMap<String, Field>);

impl Fields {
    pub fn bag(&self) -> Bag {
        self.0.iter().filter_map(|(key, field)| Some((key.clone(), field.value.clone()?))).collect()
    }

    pub fn get(&self, key: &str) -> Option<&Field> {
        self.0.get(key)
    }

    pub fn live_keys(&self) -> impl Iterator<Item = &String> {
        self.0.iter().filter(|(_, field)| field.value.is_some()).map(|(key, _)| key)
    }

    pub fn set(&mut self, key: &str, field: Field) {
        self.0.insert(key.to_owned(), field);
    }

    /// The next time a field vanishes.
    pub fn next_expiry(&self) -> Option<Tick> {
        self.0.values().filter(|field| field.value.is_some()).filter_map(|field| field.expires).min()
    }

    /// Keys whose time is over at `now`.
    pub fn expired(&self, now: Tick) -> Vec<String> {
        let over = |field: &Field| field.value.is_some() && field.expires.is_some_and(|at| at <= now);
        self.0.iter().filter(|(_, field)| over(field)).map(|(key, _)| key.clone()).collect()
    }

    /// Hides what expired here; its revision stays, so that nothing older comes back.
    pub fn hide_expired(&mut self, now: Tick) -> bool {
        let over = self.expired(now);
        for key in &over {
            if let Some(field) = self.0.get_mut(key) {
                field.value = None;
                field.expires = None;
            }
        }
        !over.is_empty()
    }

    /// Forgets removals that everybody was told of: those up to `rev`.
    pub fn forget_removals(&mut self, rev: Rev) {
        self.0.retain(|_, field| field.value.is_some() || field.rev > rev);
    }

    /// What changed after `since`, for a frame at `rev`.
    pub fn changes(&self, since: Rev, rev: Rev, now: Tick) -> Vec<FieldChange> {
        self.0
            .iter()
            .filter(|(_, field)| field.rev > since)
            .map(|(key, field)| FieldChange {
                key: Key(key.clone()),
                age: rev.0.saturating_sub(field.rev.0),
                value: field.value.clone().map(Json),
                expire: field.expires.map_or(0, |at| at.since(now).max(1)),
            })
            .collect()
    }

    /// All that is there, for a whole record at `rev`: what it does not name is gone.
    pub fn live(&self, rev: Rev, now: Tick) -> Vec<FieldChange> {
        let mut changes = self.changes(Rev(0), rev, now);
        changes.retain(|change| change.value.is_some());
        changes
    }

    /// Takes over changes that are newer than what is held and than `known`, up to which all is known already.
    pub fn merge(&mut self, changes: Vec<FieldChange>, rev: Rev, known: Rev, now: Tick) {
        for change in changes {
            let field_rev = Rev(rev.0.saturating_sub(change.age));
            let newer = field_rev > known && self.0.get(&change.key.0).is_none_or(|held| field_rev > held.rev);
            if newer {
                let expires = (change.expire > 0).then(|| now.plus(change.expire));
                self.0.insert(
                    change.key.0,
                    Field { rev: field_rev, value: change.value.map(|Json(value)| value), expires },
                );
            }
        }
    }

    /// Drops what a whole record of `rev` does not name any more.
    pub fn keep_only(&mut self, keys: &[String], rev: Rev) {
        self.0.retain(|key, field| field.rev > rev || keys.contains(key));
    }

    /// Keeps the newest fields within what an honest writer can have, and something to spare for changes that overtake
    /// each other; true when others had to go. The writer's next whole record sets it right.
    pub fn bound(&mut self) -> bool {
        let mut newest: Vec<(Rev, String, usize)> = self
            .0
            .iter()
            .map(|(key, field)| (field.rev, key.clone(), key.len() + field.value.as_ref().map_or(0, json_size)))
            .collect();
        if newest.len() <= TOP_KEYS && newest.iter().map(|(.., size)| size).sum::<usize>() <= PRESENCE_MAX {
            return false;
        }
        newest.sort_by(|a, b| b.cmp(a));
        let mut bytes = 0;
        let kept = newest.iter().take(4 * TOP_KEYS).take_while(|(.., size)| {
            bytes += size;
            bytes <= 4 * PRESENCE_MAX
        });
        let kept = kept.count();
        for (_, key, _) in newest.iter().skip(kept) {
            self.0.remove(key);
        }
        kept < newest.len()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}
