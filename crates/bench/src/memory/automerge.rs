//! automerge: a document of all members that each of them forks. A move is a transaction; the change that it made is what
//! `save_incremental` gives, and who looks on takes it with `load_incremental`.

use std::any::Any;

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjId, ObjType, ROOT, ReadDoc};

use crate::moves::system::System;
use crate::trace::{Cursor, Presence, START};

pub const NAME: &str = "automerge";

pub struct Automerge {
    members: Vec<(AutoCommit, ObjId)>,
    looks_on: AutoCommit,
}

fn name(member: usize) -> String {
    format!("u_member{member:03}")
}

fn enter(document: &mut AutoCommit, member: usize) -> anyhow::Result<()> {
    let presence = Presence::at(START);
    let record = document.put_object(ROOT, name(member), ObjType::Map)?;
    document.put(&record, "name", presence.name)?;
    document.put(&record, "color", presence.color)?;
    document.put(&record, "typing", presence.typing)?;
    document.put(&record, "tool", presence.tool)?;
    let cursor = document.put_object(&record, "cursor", ObjType::Map)?;
    document.put(&cursor, "x", presence.cursor.x)?;
    document.put(&cursor, "y", presence.cursor.y)?;
    let viewport = document.put_object(&record, "viewport", ObjType::Map)?;
    document.put(&viewport, "x", u64::from(presence.viewport.x))?;
    document.put(&viewport, "y", u64::from(presence.viewport.y))?;
    document.put(&viewport, "zoom", presence.viewport.zoom)?;
    document.commit();
    Ok(())
}

fn cursor_of(document: &AutoCommit, member: usize) -> Option<ObjId> {
    let (_, record) = document.get(ROOT, name(member)).ok()??;
    Some(document.get(record, "cursor").ok()??.1)
}

impl System for Automerge {
    type Change = Cursor;
    // It keeps what was, so that the trace takes minutes.
    const UPDATES: usize = 10_000;

    fn new(members: usize) -> anyhow::Result<Self> {
        let mut document = AutoCommit::new();
        (0..members).try_for_each(|member| enter(&mut document, member))?;
        let looks_on = document.fork();
        let mut forks = Vec::new();
        for member in 0..members {
            let mut fork = document.fork();
            // What there is by now is no part of what comes.
            fork.save();
            let cursor = cursor_of(&fork, member).ok_or_else(|| anyhow::anyhow!("a fork lacks a member"))?;
            forks.push((fork, cursor));
        }
        Ok(Automerge { members: forks, looks_on })
    }

    fn change(&self, _: usize, cursor: Cursor) -> Cursor {
        cursor
    }

    fn encode(&mut self, member: usize, change: Cursor) -> anyhow::Result<Vec<u8>> {
        let (document, cursor) = &mut self.members[member];
        document.put(&*cursor, "x", change.x)?;
        document.put(&*cursor, "y", change.y)?;
        document.commit();
        Ok(document.save_incremental())
    }

    fn apply(&mut self, _: usize, frame: Vec<u8>) -> anyhow::Result<()> {
        self.looks_on.load_incremental(&frame)?;
        Ok(())
    }

    fn whole(&mut self) -> anyhow::Result<Option<usize>> {
        Ok(Some(self.looks_on.save().len()))
    }

    fn seen(&self, member: usize) -> Option<Cursor> {
        let cursor = cursor_of(&self.looks_on, member)?;
        let number = |name: &str| self.looks_on.get(&cursor, name).ok()??.0.as_f64();
        Some(Cursor { x: number("x")?, y: number("y")? })
    }

    fn told(&self) -> Option<usize> {
        None
    }

    fn who_looks_on(self) -> Box<dyn Any> {
        Box::new(self.looks_on)
    }
}
