//! yrs: an `Awareness` for each member. The state is set whole, as its documentation has it; the update is written as
//! `Awareness::update_with_clients` gives it, and who looks on takes it with `apply_update` and listens by `on_change`.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use yrs::Doc;
use yrs::sync::{Awareness, AwarenessUpdate};
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;

use crate::moves::system::System;
use crate::trace::{Cursor, Presence, START};

pub const NAME: &str = "yrs Awareness";

pub struct Yrs {
    members: Vec<Awareness>,
    looks_on: Awareness,
    told: Arc<AtomicUsize>,
}

fn awareness(number: usize) -> Awareness {
    // As great as the numbers are that clients draw.
    Awareness::new(Doc::with_client_id(3_000_000_019 + number as u64))
}

impl System for Yrs {
    type Change = Presence;

    fn new(members: usize) -> anyhow::Result<Self> {
        let told = Arc::new(AtomicUsize::new(0));
        let mut looks_on = awareness(members);
        let count = Arc::clone(&told);
        looks_on.on_change("bench", move |_, event, _| {
            count.fetch_add(event.updated().len(), Ordering::Relaxed);
        });
        let mut room = Yrs { members: (0..members).map(awareness).collect(), looks_on, told };
        for member in 0..members {
            let frame = room.encode(member, Presence::at(START))?;
            room.apply(member, frame)?;
        }
        Ok(room)
    }

    fn change(&self, _: usize, cursor: Cursor) -> Presence {
        Presence::at(cursor)
    }

    fn encode(&mut self, member: usize, change: Presence) -> anyhow::Result<Vec<u8>> {
        let awareness = &mut self.members[member];
        awareness.set_local_state(change)?;
        Ok(awareness.update_with_clients([awareness.client_id()])?.encode_v1())
    }

    fn apply(&mut self, _: usize, frame: Vec<u8>) -> anyhow::Result<()> {
        Ok(self.looks_on.apply_update(AwarenessUpdate::decode_v1(&frame)?)?)
    }

    fn whole(&mut self) -> anyhow::Result<Option<usize>> {
        Ok(Some(self.looks_on.update()?.encode_v1().len()))
    }

    fn seen(&self, member: usize) -> Option<Cursor> {
        let state: Value = self.looks_on.state(self.members.get(member)?.client_id())?;
        let cursor = state.get("cursor")?;
        Some(Cursor { x: cursor.get("x")?.as_f64()?, y: cursor.get("y")?.as_f64()? })
    }

    fn told(&self) -> Option<usize> {
        Some(self.told.load(Ordering::Relaxed))
    }

    fn who_looks_on(self) -> Box<dyn Any> {
        Box::new(self.looks_on)
    }
}
