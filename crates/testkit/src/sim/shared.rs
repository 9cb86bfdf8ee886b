//! What people write that belongs to all: the room's metadata, the board, the log (design A6, A10, A12); and whether the
//! writer's own replica took it, since a new write beats what its author saw (R10).

use parlor_core::{BoardChange, Error, ErrorCode, MetadataChange, Note, NoteChange, Publish, Replica, RowKey, UserId};
use serde_json::json;

use super::decide::is_host;
use super::oracle::Happening;
use super::rules::{ANSWERS, BEATS};
use super::world::World;
use crate::story::{Edit, Someone};

impl World {
    /// Writes or deletes a key of the room's metadata.
    pub fn set_metadata(&mut self, host: usize, key: &str, delete: bool) {
        let actor = self.hosts[host].person.clone();
        let value = self.truth.fresh(self.hosts[host].session());
        let change = if delete {
            MetadataChange { unset: vec![key.to_owned()], ..MetadataChange::default() }
        } else {
            MetadataChange::new(json!({ key: value }))
        };
        let written = (!delete).then(|| json!(value));
        let saw = |replica: &Replica| replica.metadata().metadata.get(key).and_then(serde_json::Value::as_u64);
        self.writes(host, key, saw, (!delete).then_some(value));
        match self.call(host, |replica, tick| replica.set_metadata(&actor, change, tick)) {
            Some(Ok(metadata)) if metadata.metadata.get(key) != written.as_ref() && !self.is_void_at(host) => {
                let detail =
                    format!("{value} was written to {key}, and the writer itself sees {:?}", metadata.metadata);
                self.wrong(BEATS, host, detail);
            }
            Some(Err(error)) => self.may_refuse(host, &actor.actor.user_id, "metadata", &error),
            _ => {}
        }
    }

    /// Writes to a note of the board.
    pub fn edit_note(&mut self, host: usize, id: &str, edit: Edit) {
        let actor = self.hosts[host].person.clone();
        let value = self.truth.fresh(self.hosts[host].session());
        for field in edit.fields() {
            let saw = |replica: &Replica| find(replica, id).and_then(|note| read(&note, field));
            self.writes(host, &format!("{id}/{field}"), saw, Some(value));
        }
        let mut change = NoteChange { id: id.to_owned(), ..NoteChange::default() };
        let (number, text) = (Some(value as f64), Some(value.to_string()));
        match edit {
            Edit::Move => (change.x, change.y) = (number, number),
            Edit::Resize => (change.w, change.h) = (number, number),
            Edit::Raise => change.z = number,
            Edit::Paint => change.color = text,
            Edit::Write => change.text = text,
        }
        let change = BoardChange { set: vec![change], remove: Vec::new() };
        match self.call(host, |replica, tick| replica.set_board(&actor, change, tick)) {
            Some(Ok(board)) => {
                let note = board.notes.iter().find(|note| note.id == id);
                let took = |field: &&str| note.is_some_and(|note| read(note, field) == Some(value));
                if !edit.fields().iter().all(took) && !self.is_void_at(host) {
                    self.wrong(BEATS, host, format!("{value} was written to “{id}”, and its writer sees {note:?}"));
                }
            }
            Some(Err(error)) => self.may_refuse(host, &actor.actor.user_id, "a note", &error),
            None => {}
        }
    }

    /// Removes a note.
    pub fn remove_note(&mut self, host: usize, id: &str) {
        let actor = self.hosts[host].person.clone();
        let change = BoardChange { set: Vec::new(), remove: vec![id.to_owned()] };
        let removed = |replica: &mut Replica, tick| replica.set_board(&actor, change, tick).map(|_| replica.board());
        match self.call(host, removed) {
            Some(Ok(board)) if board.notes.iter().any(|note| note.id == id) && !self.is_void_at(host) => {
                self.wrong(BEATS, host, format!("“{id}” was removed, and is still there for who removed it"));
            }
            Some(Err(error)) => self.may_refuse(host, &actor.actor.user_id, "the end of a note", &error),
            _ => {}
        }
    }

    /// Says something that is kept.
    pub fn say(&mut self, by: Someone, key: Option<&str>) {
        let Someone { host, who } = by;
        let actor = self.hosts[host].actor(who).clone();
        let Some(session) = self.hosts[host].session() else { return };
        let value = self.truth.fresh(Some(session));
        let user = &actor.actor.user_id;
        let members = self.truth.rows_of(session).iter().filter(|row: &&RowKey| row.1 == *user).count();
        let idempotency_key = key.map(str::to_owned);
        let args = Publish { idempotency_key, ..Publish::new("chat", json!(value)).keep() };
        match self.call(host, |replica, tick| replica.publish_kept(&actor, args, tick)) {
            Some(Ok(message)) => {
                if message.actor.user_id != *user || (key.is_none() && message.data != json!(value)) {
                    self.wrong(ANSWERS, host, format!("{by} said {value}, and the answer is {message:?}"));
                }
                self.happened(&Happening::Said { session, message: &message, key, value });
            }
            Some(Err(error)) if members > 1 && error.code == ErrorCode::AmbiguousMember => {}
            Some(Err(error)) => self.may_refuse(host, user, "a message", &error),
            None => {}
        }
    }

    /// Told before the call, whose events are judged while it is settled.
    fn writes(&mut self, host: usize, register: &str, saw: impl Fn(&Replica) -> Option<u64>, value: Option<u64>) {
        // In a private room a lock or a void that is on its way may take it back: what holds there says `verdict`.
        if self.story.private {
            return;
        }
        let home = &self.hosts[host];
        let Some(process) = home.process.as_ref().filter(|_| home.runs()) else { return };
        let (session, saw) = (process.session, saw(&process.replica));
        self.happened(&Happening::WritesShared { session, register, saw, value });
    }

    /// Only who is no member is refused, or no host of a private room; and nobody writes over the last stamp there is,
    /// which only a liar uses.
    pub(crate) fn may_refuse(&mut self, host: usize, user: &UserId, what: &str, error: &Error) {
        let rows = self.hosts[host].session().map_or(&[][..], |session| self.truth.rows_of(session));
        let access = self.access(host);
        let no_host = access.as_ref().is_some_and(|access| !is_host(access, user));
        let may = match error.code {
            ErrorCode::Forbidden => no_host,
            ErrorCode::RoomLocked => no_host && access.is_some_and(|access| access.locked),
            ErrorCode::NotJoined => rows.iter().all(|row| row.1 != *user),
            ErrorCode::CellFrozen => self.hosts.iter().any(|host| host.hostile),
            _ => false,
        };
        if !may {
            self.wrong(ANSWERS, host, format!("{what} was refused: {error}"));
        }
    }
}

fn find(replica: &Replica, id: &str) -> Option<Note> {
    replica.board().notes.iter().find(|note| note.id == id).map(|note| (**note).clone())
}

/// A register as a replica shows it: a key of the room's metadata, or `note/field` of the board.
pub(crate) fn value(replica: &Replica, register: &str) -> Option<u64> {
    match register.split_once('/') {
        Some((id, field)) => find(replica, id).and_then(|note| read(&note, field)),
        None => replica.metadata().metadata.get(register).and_then(serde_json::Value::as_u64),
    }
}

/// A field of a note as the number that was written, if one was.
pub(crate) fn read(note: &Note, field: &str) -> Option<u64> {
    let whole = |number: f64| (number.fract() == 0.0 && number >= 0.0).then_some(number as u64);
    match field {
        "x" => whole(note.x),
        "y" => whole(note.y),
        "w" => whole(note.w),
        "h" => whole(note.h),
        "z" => whole(note.z),
        "color" => note.color.parse().ok(),
        _ => note.text.parse().ok(),
    }
}
