//! The floor: the least that can be done. A struct as postcard writes it is put into a map; nobody is told of it, and there
//! are no rules.

use std::any::Any;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::moves::system::System;
use crate::trace::{Cursor, START};

pub struct Floor {
    revs: Vec<u32>,
    looks_on: HashMap<u32, (f64, f64)>,
}

#[derive(Serialize, Deserialize)]
struct Update {
    member: u32,
    rev: u32,
    x: f32,
    y: f32,
}

impl System for Floor {
    type Change = Cursor;

    fn new(members: usize) -> anyhow::Result<Self> {
        let numbers = (0..members).map(|member| (member as u32, (START.x, START.y)));
        Ok(Floor { revs: vec![0; members], looks_on: numbers.collect() })
    }

    fn change(&self, _: usize, cursor: Cursor) -> Cursor {
        cursor
    }

    fn encode(&mut self, member: usize, change: Cursor) -> anyhow::Result<Vec<u8>> {
        self.revs[member] += 1;
        let (x, y) = (change.x as f32, change.y as f32);
        Ok(postcard::to_stdvec(&Update { member: member as u32, rev: self.revs[member], x, y })?)
    }

    fn apply(&mut self, _: usize, frame: Vec<u8>) -> anyhow::Result<()> {
        let update: Update = postcard::from_bytes(&frame)?;
        self.looks_on.insert(update.member, (f64::from(update.x), f64::from(update.y)));
        Ok(())
    }

    fn whole(&mut self) -> anyhow::Result<Option<usize>> {
        Ok(None)
    }

    fn seen(&self, member: usize) -> Option<Cursor> {
        self.looks_on.get(&(member as u32)).map(|(x, y)| Cursor { x: *x, y: *y })
    }

    fn told(&self) -> Option<usize> {
        None
    }

    fn who_looks_on(self) -> Box<dyn Any> {
        Box::new(self.looks_on)
    }
}
