//! What a step changed of what is held: the difference of two inventories, for people.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::cell::CellKind;
use crate::ids::{MemberId, UserId};
use crate::inspect::Register;
use crate::inventory::{HeldCell, HeldRecord, Inventory};

/// Changes that are listed: a step may bring all that was kept of a room.
const LISTED: usize = 1_000;

/// One thing that is other than before.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "what", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ReplayChange {
    /// What a session says of a member came, or went.
    Record {
        /// The session.
        session_id: String,
        /// The member.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        member_id: MemberId,
        /// It is held now.
        here: bool,
    },
    /// A session fell silent, or is heard again.
    Silence {
        /// Which.
        session_id: String,
        /// One of its members.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        member_id: MemberId,
        /// It is silent now.
        silent: bool,
    },
    /// A key of presence.
    Presence {
        /// Of which session.
        session_id: String,
        /// Of which member.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        member_id: MemberId,
        /// The key.
        key: String,
        /// Its value before; missing when it had none.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional, type = "unknown"))]
        before: Option<Value>,
        /// Its value now; missing when it has none.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional, type = "unknown"))]
        after: Option<Value>,
    },
    /// A cell, by its register and its writer: in a private room each writer's is kept.
    Cell {
        /// Which register.
        register: Register,
        /// Who wrote what is held now, or was held before.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        writer: UserId,
        /// Whether the register reads it.
        read: bool,
        /// Its value before; missing when it had none.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional, type = "unknown"))]
        before: Option<Value>,
        /// Its value now; missing when it has none.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional, type = "unknown"))]
        after: Option<Value>,
    },
    /// The own network went, or came back.
    Complete {
        /// Everybody can be heard now.
        complete: bool,
    },
}

/// The difference between what was held before and after.
pub(super) fn changes(before: &Inventory, after: &Inventory) -> Vec<ReplayChange> {
    let mut found = Vec::new();
    if before.complete != after.complete {
        found.push(ReplayChange::Complete { complete: after.complete });
    }
    records(before, after, &mut found);
    cells(before, after, &mut found);
    found.truncate(LISTED);
    found
}

fn records(before: &Inventory, after: &Inventory, found: &mut Vec<ReplayChange>) {
    fn by_place(inventory: &Inventory) -> BTreeMap<(&str, u32), &HeldRecord> {
        inventory.records.iter().map(|record| ((record.session_id.as_str(), record.incarnation), record)).collect()
    }
    let (was, is) = (by_place(before), by_place(after));
    for (place, record) in &was {
        if !is.contains_key(place) {
            found.push(of_record(record, false));
        }
    }
    for (place, record) in &is {
        let earlier = was.get(place);
        if earlier.is_none() {
            found.push(of_record(record, true));
        }
        if record.stale != earlier.is_some_and(|earlier| earlier.stale) {
            let (session_id, member_id) = (record.session_id.clone(), record.member_id.clone());
            found.push(ReplayChange::Silence { session_id, member_id, silent: record.stale });
        }
        let values = |record: &HeldRecord| -> BTreeMap<String, Value> {
            let set = record.fields.iter().filter_map(|field| Some((field.key.clone(), field.value.clone()?)));
            set.collect()
        };
        let (mut before, after) = (earlier.copied().map(values).unwrap_or_default(), values(record));
        let mut keys: Vec<String> = before.keys().chain(after.keys()).cloned().collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            let (before, after) = (before.remove(&key), after.get(&key).cloned());
            if before != after {
                let (session_id, member_id) = (record.session_id.clone(), record.member_id.clone());
                found.push(ReplayChange::Presence { session_id, member_id, key, before, after });
            }
        }
    }
}

fn of_record(record: &HeldRecord, here: bool) -> ReplayChange {
    ReplayChange::Record { session_id: record.session_id.clone(), member_id: record.member_id.clone(), here }
}

/// What registers read, and beside it what is kept and not read: in a private room each writer has a cell.
fn cells(before: &Inventory, after: &Inventory, found: &mut Vec<ReplayChange>) {
    /// Of what is read, whose it is does not matter.
    type Place<'a> = (CellKind, &'a str, &'a str, Option<&'a UserId>);
    fn place(cell: &HeldCell) -> Place<'_> {
        let Register { kind, object, field } = &cell.register;
        (*kind, object, field, (!cell.read).then_some(&cell.version.writer))
    }
    fn by_place(inventory: &Inventory) -> BTreeMap<Place<'_>, &HeldCell> {
        inventory.cells.iter().map(|cell| (place(cell), cell)).collect()
    }
    let (was, is) = (by_place(before), by_place(after));
    let mut places: Vec<&Place<'_>> = was.keys().chain(is.keys()).collect();
    places.sort_unstable();
    places.dedup();
    for place in places {
        let (earlier, now) = (was.get(place).copied(), is.get(place).copied());
        let same = earlier.map(|cell| &cell.version) == now.map(|cell| &cell.version);
        let Some(cell) = now.or(earlier).filter(|_| !same) else { continue };
        found.push(ReplayChange::Cell {
            register: cell.register.clone(),
            writer: cell.version.writer.clone(),
            read: cell.read,
            before: earlier.and_then(|cell| cell.value.clone()),
            after: now.and_then(|cell| cell.value.clone()),
        });
    }
}
