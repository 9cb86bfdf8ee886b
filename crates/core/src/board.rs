//! The board: notes that everybody may write, the last writer winning for each field of each note (design A10, R10).
//!
//! Moving a note and recolouring it at once both survive, because each field is a register of its own. A removed note is
//! one whose `removed` register says so: it wins over edits that were under way, and setting any of its fields again, as
//! an undo does, takes that back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::cell::{CellKey, CellKind, Stamp};
use crate::check;
use crate::error::{Error, ErrorCode};
use crate::ids::{RoomId, Tick, UserId};
use crate::limits::{KEY_MAX, NOTES_MAX, TEXT_MAX};
use crate::proof::LocalActor;
use crate::recorder::step::call;
use crate::replica::Replica;
use crate::view::{Event, Kind, Timestamp};

/// The register that says that a note is gone.
const REMOVED: &str = "removed";
/// Notes in one call: what is signed at once, and fits a request.
const CHANGES_MAX: usize = 500;
/// Fields of a note, each of which is a cell.
const FIELDS: usize = 7;

/// One note. A field that nobody wrote has its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// 1 to 64 bytes, chosen by whoever made it.
    pub id: String,
    /// Left edge, in board units; default 0.
    pub x: f64,
    /// Top edge; default 0.
    pub y: f64,
    /// Width; default 200.
    pub w: f64,
    /// Height; default 150.
    pub h: f64,
    /// Greater lies above; default 0.
    pub z: f64,
    /// A colour's name or value; default `yellow`.
    pub color: String,
    /// Up to 4 KiB; default empty.
    pub text: String,
    /// When the newest of its fields was written, by its writer's clock.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub updated_at: Timestamp,
    /// Who wrote the newest.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub updated_by: UserId,
}

/// Notes of a room: all of them, or those that a call set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Board {
    /// The room.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub room: RoomId,
    /// Always `room`.
    pub kind: Kind,
    /// By id.
    #[cfg_attr(feature = "ts", ts(as = "Vec<Note>"))]
    pub notes: Vec<Arc<Note>>,
}

/// What to write of one note: the fields that are named, also of a note that is not seen here yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, optional_fields))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NoteChange {
    /// 1 to 64 bytes.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Key))]
    pub id: String,
    /// Left edge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<f64>,
    /// Top edge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<f64>,
    /// Width, above 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(exclusive_minimum = 0))]
    pub w: Option<f64>,
    /// Height, above 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(exclusive_minimum = 0))]
    pub h: Option<f64>,
    /// Greater lies above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z: Option<f64>,
    /// At most 64 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 64))]
    pub color: Option<String>,
    /// At most 4 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 4096))]
    pub text: Option<String>,
}

/// Arguments of `board`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct BoardChange {
    /// Notes to write.
    #[cfg_attr(feature = "ts", ts(as = "Option<Vec<NoteChange>>", optional))]
    #[cfg_attr(feature = "openapi", schema(max_items = 500))]
    pub set: Vec<NoteChange>,
    /// Ids of notes to remove.
    #[cfg_attr(feature = "ts", ts(as = "Option<Vec<String>>", optional))]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::schema::Key>, max_items = 500))]
    pub remove: Vec<String>,
}

impl BoardChange {
    /// How many cells it writes, at most: each is signed, kept and told to everybody.
    #[must_use]
    pub fn cells(&self) -> usize {
        let of = |note: &NoteChange| {
            let numbers = [note.x, note.y, note.w, note.h, note.z].iter().flatten().count();
            numbers + usize::from(note.color.is_some()) + usize::from(note.text.is_some())
        };
        self.set.iter().map(of).sum::<usize>() + self.remove.len() * FIELDS
    }
}

impl Replica {
    /// Writes the named fields of notes and removes others, all or nothing. Only a member may call it. An id that is set
    /// and removed by one call is set. Answers the notes that it set, as they are now.
    ///
    /// # Errors
    /// `INVALID_BOARD` for an id or field that cannot be, `PAYLOAD_TOO_LARGE` (2,000 notes on a board, 500 in a call,
    /// 4 KiB of text), `NOT_JOINED`, `CELL_FROZEN`, `ROOM_LOCKED` in a private room. Nothing is touched by any of them.
    pub fn set_board(&mut self, who: &LocalActor, args: BoardChange, now: Tick) -> Result<Board, Error> {
        // What is no number cannot be written down, and is refused below.
        let mut numbers = args.set.iter().flat_map(|note| [note.x, note.y, note.w, note.h, note.z]).flatten();
        if numbers.all(f64::is_finite) {
            self.note_call(who, call::BOARD, &args, now);
        }
        let count = args.set.len() + args.remove.len();
        if count > CHANGES_MAX {
            return Err(Error::too_large("changes", CHANGES_MAX, count, "set"));
        }
        let mut writes: BTreeMap<CellKey, Option<Value>> = BTreeMap::new();
        for (place, id) in args.remove.iter().enumerate() {
            check::name(id, &format!("remove.{place}"), ErrorCode::InvalidBoard)?;
            if self.notes.contains_key(id) {
                writes.insert(CellKey::board(id, REMOVED), Some(Value::Bool(true)));
            }
        }
        let mut named = BTreeSet::new();
        for (place, note) in args.set.into_iter().enumerate() {
            check::name(&note.id, &format!("set.{place}.id"), ErrorCode::InvalidBoard)?;
            let id = note.id.clone();
            named.insert(id.clone());
            for (field, value) in fields(note, &format!("set.{place}"))? {
                writes.insert(CellKey::board(&id, field), Some(value));
            }
            let removed = CellKey::board(&id, REMOVED);
            if self.cells.live(&removed).is_some() || writes.contains_key(&removed) {
                writes.insert(removed, None);
            }
        }
        self.may_write(who)?;
        let new = named.iter().filter(|id| !self.notes.contains_key(*id)).count();
        let notes = self.notes.len() + new;
        if notes > NOTES_MAX && new > 0 {
            return Err(Error::too_large("notes", NOTES_MAX, notes, "board"));
        }
        self.write(who, writes.into_iter().collect(), now)?;
        let notes = named.iter().filter_map(|id| self.notes.get(id).cloned()).collect();
        Ok(self.board_of(notes))
    }

    /// All notes, by id.
    #[must_use]
    pub fn board(&self) -> Board {
        self.board_of(self.notes.values().cloned().collect())
    }

    fn board_of(&self, notes: Vec<Arc<Note>>) -> Board {
        Board { room: self.config.room.clone(), kind: Kind::Room, notes }
    }

    /// Readers are told which notes changed and which went.
    pub(crate) fn board_was_changed(&mut self, touched: &[Arc<CellKey>]) {
        let ids: BTreeSet<&String> =
            touched.iter().filter(|key| key.kind == CellKind::Board).map(|key| &key.object).collect();
        let mut notes = Vec::new();
        let mut removed = Vec::new();
        for id in ids {
            let fresh = self.note(id).map(Arc::new);
            if fresh.as_ref() == self.notes.get(id) {
                continue;
            }
            match fresh {
                Some(note) => {
                    self.notes.insert(id.clone(), Arc::clone(&note));
                    notes.push(note);
                }
                None => {
                    self.notes.remove(id);
                    removed.push(id.clone());
                }
            }
        }
        if !notes.is_empty() || !removed.is_empty() {
            self.notes_shown = Arc::new(self.notes.values().cloned().collect());
            self.emit(Event::Board { notes, removed });
        }
    }

    /// A note as its registers say, unless it is removed or nothing of it was written.
    fn note(&self, id: &str) -> Option<Note> {
        let mut note = Note {
            id: id.to_owned(),
            x: 0.0,
            y: 0.0,
            w: 200.0,
            h: 150.0,
            z: 0.0,
            color: "yellow".to_owned(),
            text: String::new(),
            updated_at: Timestamp(0),
            updated_by: UserId("".into()),
        };
        let mut newest: Option<Stamp> = None;
        for held in self.cells.of_object(CellKind::Board, id) {
            let Some(value) = &held.cell.value else { continue };
            let number = |default: f64| value.number().unwrap_or(default);
            match held.cell.key.field.as_str() {
                REMOVED => return None,
                "x" => note.x = number(note.x),
                "y" => note.y = number(note.y),
                "w" => note.w = number(note.w),
                "h" => note.h = number(note.h),
                "z" => note.z = number(note.z),
                "color" => note.color = value.text().unwrap_or(note.color),
                "text" => note.text = value.text().unwrap_or(note.text),
                // A field of a later version.
                _ => continue,
            }
            newest = newest.max(Some(held.stamp));
        }
        let newest = newest?;
        note.updated_at = Timestamp(newest.hlc >> 16);
        note.updated_by = newest.writer.user_id();
        Some(note)
    }
}

/// The fields that a change names, checked.
fn fields(note: NoteChange, at: &str) -> Result<Vec<(&'static str, Value)>, Error> {
    let code = ErrorCode::InvalidBoard;
    let mut fields = Vec::new();
    let numbers = [("x", note.x), ("y", note.y), ("w", note.w), ("h", note.h), ("z", note.z)];
    for (field, number) in numbers.into_iter().filter_map(|(field, number)| Some((field, number?))) {
        let path = format!("{at}.{field}");
        let finite = Number::from_f64(number).filter(|_| number > 0.0 || !matches!(field, "w" | "h"));
        let Some(finite) = finite else {
            let allowed = if matches!(field, "w" | "h") { "a number above 0" } else { "a finite number" };
            return Err(Error::new(code, format!("{path} is {number}; {allowed} is allowed")).at(&path));
        };
        fields.push((field, Value::Number(finite)));
    }
    let texts = [("color", note.color, KEY_MAX), ("text", note.text, TEXT_MAX)];
    for (field, text, max) in texts.into_iter().filter_map(|(field, text, max)| Some((field, text?, max))) {
        let path = format!("{at}.{field}");
        if text.len() > max {
            return Err(Error::too_large("stringBytes", max, text.len(), &path));
        }
        fields.push((field, Value::String(text)));
    }
    if fields.is_empty() {
        return Err(Error::new(code, format!("{at} names no field of note {}", note.id)).at(at));
    }
    Ok(fields)
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
