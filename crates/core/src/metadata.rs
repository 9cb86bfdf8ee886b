//! The room's shared settings: what a call may write and what a reader sees (design A6, A8, R10, R11).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use crate::cell::{CELL_VALUE_MAX, Cell, CellKey, CellKind, json_size};
use crate::cells::{ALWAYS_KEPT, Cells};
use crate::check;
use crate::command::MetadataChange;
use crate::error::{Error, ErrorCode};
use crate::ids::{RoomId, Tick};
use crate::limits::{METADATA_SHOWN, OBJECTS_MAX, ROOM_METADATA_KEYS, ROOM_METADATA_MAX};
use crate::proof::LocalActor;
use crate::raw::Raw;
use crate::recorder::step::call;
use crate::registers::Held;
use crate::replica::Replica;
use crate::rows::changed_keys;
use crate::view::{Bag, Event, Kind, RoomMetadata, Timestamp};

impl Replica {
    /// Merges shared settings, key by key; the last writer of a key wins (design A6, R10). Only a member may call it.
    ///
    /// # Errors
    /// `NOT_JOINED`, `INVALID_METADATA`, `PAYLOAD_TOO_LARGE` (32 KiB, 128 live keys, 8 KiB a value), `CELL_FROZEN` for a
    /// key that somebody wrote with the last stamp there is; in a private room `ROOM_LOCKED` unless the actor is a host, and
    /// `FORBIDDEN` for `locked` (design N8); `PRECONDITION_FAILED` when `ifVersion` is not the version of what is read here
    /// at this moment, which is then in the details. Nothing is touched by any of them.
    pub fn set_metadata(&mut self, who: &LocalActor, args: MetadataChange, now: Tick) -> Result<RoomMetadata, Error> {
        self.note_call(who, call::METADATA, &args, now);
        let code = ErrorCode::InvalidMetadata;
        check::bag(&args.metadata, ROOM_METADATA_MAX, "metadata", code)?;
        for (key, value) in &args.metadata {
            let size = json_size(value);
            if size > CELL_VALUE_MAX {
                return Err(Error::too_large("valueBytes", CELL_VALUE_MAX, size, &format!("metadata.{key}")));
            }
        }
        for (place, key) in args.unset.iter().enumerate() {
            check::key(key, &format!("unset.{place}"), code)?;
        }
        if args.metadata.get("locked").is_some_and(|locked| !locked.is_boolean()) {
            return Err(Error::new(code, "metadata.locked must be true or false").at("metadata.locked"));
        }
        self.may_write(who)?;
        if let Some(known) = &args.if_version {
            self.metadata.is_still(known)?;
        }
        let mut after = self.metadata.metadata.clone();
        args.unset.iter().for_each(|key| {
            after.remove(key);
        });
        after.extend(args.metadata.clone());
        // Only what grows is refused: a room that others filled beyond the limits can still be renamed and cleared.
        let before = &self.metadata.metadata;
        if after.len() > ROOM_METADATA_KEYS && after.len() > before.len() {
            return Err(Error::too_large("keys", ROOM_METADATA_KEYS, after.len(), "metadata"));
        }
        let objects = |bag: &Bag| bag.values().map(check::objects).sum::<usize>();
        let count = objects(&after);
        if count > OBJECTS_MAX && count > objects(before) {
            return Err(Error::too_large("objects", OBJECTS_MAX, count, "metadata"));
        }
        let size = check::size(&after);
        if size > ROOM_METADATA_MAX && size > check::size(before) {
            return Err(Error::too_large("bytes", ROOM_METADATA_MAX, size, "metadata"));
        }
        // A key that is set and unset by one call is set.
        let set = args.metadata.keys().cloned().collect::<BTreeSet<String>>();
        let unsets = args.unset.into_iter().filter(|key| !set.contains(key)).collect::<BTreeSet<String>>();
        let unsets = unsets.into_iter().map(|key| (key, None));
        let sets = args.metadata.into_iter().map(|(key, value)| (key, Some(value)));
        let writes = unsets.chain(sets).map(|(field, value)| (CellKey::metadata(&field), value)).collect();
        self.write(who, writes, now)?;
        Ok((*self.metadata).clone())
    }

    /// Only a member writes what is shared, and only where its profile is not outranked.
    pub(crate) fn may_write(&self, who: &LocalActor) -> Result<(), Error> {
        self.not_cloned()?;
        if self.own.values().any(|record| *record.user() == who.actor.user_id) {
            return Ok(());
        }
        Err(Error::new(ErrorCode::NotJoined, "not a member of this room; join first"))
    }

    /// Writes cells in the name of an actor, but those that say what is there already; all of them or, when one is frozen,
    /// none.
    pub(crate) fn write(
        &mut self,
        who: &LocalActor,
        mut writes: Vec<(CellKey, Option<Value>)>,
        now: Tick,
    ) -> Result<(), Error> {
        let wall = self.wall_ms(now);
        writes.retain(|(key, value)| self.cells.live(key) != value.as_ref().map(Raw::of).as_ref());
        self.may_write_cells(who, writes.iter().map(|(key, _)| key))?;
        let writer = who.signer.public_key();
        for (key, _) in &writes {
            if self.cells.free_hlc(key, &writer, wall).is_none() {
                let name = [key.object.as_str(), key.field.as_str()].join(" ");
                let message =
                    format!("{} cannot be written any more: nothing is newer than what holds it", name.trim());
                return Err(Error::new(ErrorCode::CellFrozen, message).at(name.trim()));
            }
        }
        let mut written = Vec::new();
        let mut touched = Vec::new();
        for (key, value) in writes {
            let Some(hlc) = self.cells.next_hlc(&key, &writer, wall) else { continue };
            let cell = Cell::write(key, hlc, value, &*who.signer, &self.root);
            let held = self.cells.stamp_by(&cell.key, &cell.writer);
            if self.cells.apply(cell.clone(), &mut touched) {
                self.observe_cell(&cell, held, None, true);
                written.push(cell);
            }
        }
        self.publish_cells(written);
        self.renew(&who.actor.user_id, now);
        self.cells_were_changed(touched, now);
        Ok(())
    }

    /// Readers are told what is new in these registers.
    pub(crate) fn cells_were_changed(&mut self, touched: Vec<Arc<CellKey>>, now: Tick) {
        if touched.is_empty() {
            return;
        }
        self.cells_changed = now;
        if touched.iter().any(|key| key.kind == CellKind::Metadata) {
            let before: Arc<RoomMetadata> = Arc::clone(&self.metadata);
            self.metadata = shown_after(&before.metadata, &touched, &self.cells, &self.config.room);
            let changed = changed_keys(&before.metadata, &self.metadata.metadata);
            if !changed.is_empty() {
                let metadata = Arc::clone(&self.metadata);
                self.emit(Event::Metadata { metadata, changed });
            }
        }
        self.access_was_changed(&touched, now);
        self.board_was_changed(&touched);
        self.log_was_changed(&touched);
    }
}

impl Cells {
    /// What a register says now.
    pub fn live(&self, key: &CellKey) -> Option<&Raw> {
        self.get(key)?.value.as_ref()
    }
}

impl RoomMetadata {
    fn is_still(&self, known: &str) -> Result<(), Error> {
        if known == self.version {
            return Ok(());
        }
        let message = "the settings are not of this version any more; read them again";
        let mut error = Error::new(ErrorCode::PreconditionFailed, message).at("ifVersion");
        error.details.insert("version".into(), self.version.as_str().into());
        Err(error)
    }
}

/// Which state of the settings of a room this is: all registers with their stamps, deleted ones too, so that a value that
/// was changed and changed back is another state.
fn version(cells: &Cells, room: &RoomId) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("parlor metadata version");
    hasher.update(room.as_str().as_bytes()).update(&cells.hash_of(CellKind::Metadata).to_le_bytes());
    data_encoding::BASE32_NOPAD.encode(&hasher.finalize().as_bytes()[..10]).to_lowercase()
}

/// What a reader sees: everything, as long as callers kept to the limits; else the newest of it, within twice of them.
pub(crate) fn shown(cells: &Cells, room: &RoomId) -> Arc<RoomMetadata> {
    shown_after(&Bag::new(), &[], cells, room)
}

/// The same, after what was seen before and what was written since. Values are built of that alone: somebody may write one key
/// after the other, and a room has hundreds.
pub(crate) fn shown_after(before: &Bag, touched: &[Arc<CellKey>], cells: &Cells, room: &RoomId) -> Arc<RoomMetadata> {
    let always: Vec<CellKey> = ALWAYS_KEPT.iter().map(|key| CellKey::metadata(key)).collect();
    let always = always.iter().filter_map(|key| cells.held(key));
    let (mut keys, mut bytes, mut memory) = METADATA_SHOWN;
    let mut newest = cells.newest_stamp(CellKind::Metadata);
    let mut seen: HashMap<&str, &Raw> = HashMap::with_capacity(before.len() + touched.len());
    for Held { stamp, takes, cell, .. } in always.chain(cells.newest(CellKind::Metadata)) {
        newest = newest.max(Some(*stamp));
        let Some(value) = &cell.value else { continue };
        if keys == 0 || takes.bytes > bytes || takes.memory > memory {
            break;
        }
        (keys, bytes, memory) = (keys - 1, bytes - takes.bytes, memory - takes.memory);
        seen.insert(&cell.key.field, value);
    }
    let mut metadata = before.clone();
    metadata.retain(|key, _| seen.contains_key(key.as_str()));
    for key in touched {
        if let Some(value) = seen.get(key.field.as_str()) {
            metadata.insert(key.field.clone(), value.value());
        }
    }
    // Where something went, what is older may be seen again.
    if metadata.len() < seen.len() {
        for (key, value) in seen {
            if !metadata.contains_key(key) {
                metadata.insert(key.to_owned(), value.value());
            }
        }
    }
    Arc::new(RoomMetadata {
        room: room.clone(),
        kind: Kind::Room,
        metadata,
        updated_at: newest.map(|stamp| Timestamp(stamp.hlc >> 16)),
        updated_by: newest.map(|stamp| stamp.writer.user_id()),
        version: version(cells, room),
    })
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
