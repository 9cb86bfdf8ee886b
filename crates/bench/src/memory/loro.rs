//! loro: an `EphemeralStore` for each member. What is set locally is told to `subscribe_local_updates` as bytes, which who
//! looks on takes with `apply`; it listens by `subscribe`. A store orders what is set under one key by milliseconds, so that
//! of several moves in one of them it takes the first alone, which is less work.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::anyhow;
use loro::awareness::EphemeralStore;
use loro::{LoroMapValue, LoroValue, Subscription};

use crate::moves::system::System;
use crate::trace::{Cursor, Presence, START};

pub const BY_FIELD: &str = "loro EphemeralStore, a key a field";
pub const WHOLE: &str = "loro EphemeralStore, whole record";
/// After this a key is over, in milliseconds: as its documentation has it.
const TIMEOUT: i64 = 30_000;

/// How a presence is laid out in a store.
pub trait Layout {
    /// The key of the cursor, and what is set there.
    fn of(cursor: Cursor) -> (&'static str, LoroValue);
    /// All of it, for the beginning.
    fn all() -> Vec<(&'static str, LoroValue)>;
}

pub struct Fields;
pub struct Records;

pub type ByField = Loro<Fields>;
pub type Whole = Loro<Records>;

impl Layout for Fields {
    fn of(cursor: Cursor) -> (&'static str, LoroValue) {
        ("cursor", value(serde_json::json!(cursor)))
    }

    fn all() -> Vec<(&'static str, LoroValue)> {
        let presence = serde_json::json!(Presence::at(START));
        let names = ["name", "color", "cursor", "typing", "tool", "viewport"];
        names.iter().map(|name| (*name, value(presence[*name].clone()))).collect()
    }
}

impl Layout for Records {
    fn of(cursor: Cursor) -> (&'static str, LoroValue) {
        ("", value(serde_json::json!(Presence::at(cursor))))
    }

    fn all() -> Vec<(&'static str, LoroValue)> {
        vec![Self::of(START)]
    }
}

fn value(json: serde_json::Value) -> LoroValue {
    LoroValue::from(json)
}

struct Member {
    store: EphemeralStore,
    /// What the store said last.
    said: Arc<Mutex<Vec<u8>>>,
    _heard: Subscription,
}

pub struct Loro<L> {
    members: Vec<Member>,
    looks_on: EphemeralStore,
    heard: Subscription,
    told: Arc<AtomicUsize>,
    layout: PhantomData<L>,
}

fn key(member: usize, field: &str) -> String {
    format!("u_member{member:03}/{field}")
}

impl<L: Layout + 'static> System for Loro<L> {
    type Change = (String, LoroValue);
    const EXACT: bool = false;

    fn new(members: usize) -> anyhow::Result<Self> {
        let member = |_| {
            let store = EphemeralStore::new(TIMEOUT);
            let said = Arc::new(Mutex::new(Vec::new()));
            let last = Arc::clone(&said);
            let heard = store.subscribe_local_updates(Box::new(move |bytes| {
                last.lock().unwrap_or_else(PoisonError::into_inner).clone_from(bytes);
                true
            }));
            Member { store, said, _heard: heard }
        };
        let looks_on = EphemeralStore::new(TIMEOUT);
        let told = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&told);
        let heard = looks_on.subscribe(Box::new(move |event| {
            count.fetch_add(event.updated.len(), Ordering::Relaxed);
            true
        }));
        let mut room =
            Loro { members: (0..members).map(member).collect(), looks_on, heard, told, layout: PhantomData::<L> };
        for member in 0..members {
            for (field, value) in L::all() {
                let frame = room.encode(member, (key(member, field), value))?;
                room.apply(member, frame)?;
            }
        }
        Ok(room)
    }

    fn change(&self, member: usize, cursor: Cursor) -> (String, LoroValue) {
        let (field, value) = L::of(cursor);
        (key(member, field), value)
    }

    fn encode(&mut self, member: usize, (key, value): (String, LoroValue)) -> anyhow::Result<Vec<u8>> {
        let member = &self.members[member];
        member.store.set(&key, value);
        Ok(std::mem::take(&mut *member.said.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn apply(&mut self, _: usize, frame: Vec<u8>) -> anyhow::Result<()> {
        self.looks_on.apply(&frame).map_err(|error| anyhow!("{error}"))
    }

    fn whole(&mut self) -> anyhow::Result<Option<usize>> {
        Ok(Some(self.looks_on.encode_all().len()))
    }

    fn seen(&self, member: usize) -> Option<Cursor> {
        let (field, _) = L::of(START);
        let LoroValue::Map(held) = self.looks_on.get(&key(member, field))? else { return None };
        let inner = held.get("cursor").cloned();
        let cursor: LoroMapValue = inner.and_then(|cursor| cursor.into_map().ok()).unwrap_or(held);
        let number = |name: &str| cursor.get(name)?.clone().into_double().ok();
        Some(Cursor { x: number("x")?, y: number("y")? })
    }

    fn told(&self) -> Option<usize> {
        None
    }

    fn who_looks_on(self) -> Box<dyn Any> {
        Box::new((self.looks_on, self.heard, self.told))
    }
}
