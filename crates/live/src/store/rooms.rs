//! The rooms that somebody opened before, newest first. They are few: all of them are in memory, and a change is there
//! whether it could be written or not.

use std::cmp::Reverse;

use data_encoding::HEXLOWER;
use parlor_core::{RoomId, Timestamp};
use redb::{Database, ReadableDatabase, ReadableTable, WriteTransaction};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::cells::{Root, checked, clear, unchecked};
use super::schema::{CELLS, ROOMS};
use super::{Store, StoreError};
use crate::held::held;

/// Rooms remembered; the oldest goes first. What is kept of it stays, for whoever opens it by its name again.
pub(super) const MAX: usize = 1_000;

/// One room that was opened before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KnownRoom {
    pub(crate) room: RoomId,
    pub(crate) last_opened_at: Timestamp,
    #[serde(default)]
    pub(crate) title: Option<String>,
    /// Whether it was a private room: one whose key is lost must not be taken for the open room of its name.
    #[serde(default)]
    pub(crate) private: bool,
    /// What its cells are kept under, when that was known as it was opened.
    #[serde(default, with = "hex")]
    pub(crate) root: Option<Root>,
}

/// All of them, newest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) rooms: Vec<KnownRoom>,
    /// Not everything here is on disk.
    pub(super) unsaved: bool,
}

/// What a change leaves to do on disk.
#[derive(Default)]
struct News {
    written: Vec<KnownRoom>,
    gone: Vec<KnownRoom>,
    /// Of rooms whose cells go.
    roots: Vec<Root>,
}

impl Known {
    fn find(&self, room: &RoomId) -> Option<&KnownRoom> {
        self.rooms.iter().find(|known| known.room == *room)
    }

    fn take(&mut self, room: &RoomId) -> Option<KnownRoom> {
        let at = self.rooms.iter().position(|known| known.room == *room)?;
        Some(self.rooms.remove(at))
    }

    /// Puts rooms among the others. Of two of one name the one that was opened last stays.
    fn add(&mut self, rooms: Vec<KnownRoom>) -> News {
        let mut news = News::default();
        for room in rooms {
            if self.find(&room.room).is_some_and(|known| known.last_opened_at >= room.last_opened_at) {
                continue;
            }
            self.take(&room.room);
            self.rooms.push(room.clone());
            news.written.push(room);
        }
        self.rooms.sort_by_key(|room| Reverse(room.last_opened_at));
        news.gone = self.rooms.split_off(self.rooms.len().min(MAX));
        news.written.retain(|room| !news.gone.contains(room));
        news
    }

    fn opened(&mut self, room: &RoomId, private: bool, root: Root, now: Timestamp) -> News {
        let title = self.take(room).filter(|before| before.private == private).and_then(|before| before.title);
        let opened = KnownRoom { room: room.clone(), last_opened_at: now, title, private, root: Some(root) };
        // First, also when the clock went back.
        self.rooms.insert(0, opened.clone());
        News { written: vec![opened], gone: self.rooms.split_off(self.rooms.len().min(MAX)), ..News::default() }
    }

    fn titled(&mut self, titles: &[(RoomId, Option<String>)]) -> News {
        let mut news = News::default();
        for (room, title) in titles {
            if let Some(known) = self.rooms.iter_mut().find(|known| known.room == *room && known.title != *title) {
                known.title.clone_from(title);
                news.written.push(known.clone());
            }
        }
        news
    }
}

impl Store {
    /// Rooms opened before, newest first.
    pub(crate) fn known(&self) -> Vec<KnownRoom> {
        held(&self.known).rooms.clone()
    }

    /// The room of that name.
    pub(crate) fn known_room(&self, room: &RoomId) -> Option<KnownRoom> {
        held(&self.known).find(room).cloned()
    }

    /// The room was opened now; its title stays while it is the same room.
    ///
    /// # Errors
    /// It is known until this process ends.
    pub(crate) fn opened(&self, room: &RoomId, private: bool, root: Root, now: Timestamp) -> Result<(), StoreError> {
        self.change(|known| known.opened(room, private, root, now)).map(drop)
    }

    /// Titles as they are now, of rooms that are known.
    ///
    /// # Errors
    /// They are known until this process ends.
    pub(crate) fn titled(&self, titles: &[(RoomId, Option<String>)]) -> Result<(), StoreError> {
        self.change(|known| known.titled(titles)).map(drop)
    }

    /// Takes over rooms that were known elsewhere.
    ///
    /// # Errors
    /// They are known until this process ends.
    pub(crate) fn take_over(&self, rooms: Vec<KnownRoom>) -> Result<(), StoreError> {
        self.change(|known| known.add(rooms)).map(drop)
    }

    /// Forgets a room with all that is kept of it, also under these roots; answers whether there was anything.
    ///
    /// # Errors
    /// It is back after a restart.
    pub(crate) fn forget_room(&self, room: &RoomId, roots: &[Root]) -> Result<bool, StoreError> {
        let mut was_known = false;
        let any = self.change(|known| {
            let gone: Vec<_> = known.take(room).into_iter().collect();
            was_known = !gone.is_empty();
            let root = gone.iter().filter_map(|room| room.root);
            News { roots: root.chain(roots.iter().copied()).collect(), gone, ..News::default() }
        })?;
        if any {
            self.tidy();
        }
        Ok(any || was_known)
    }

    /// Changes the list, and removes cells of rooms that go; answers whether there were any.
    fn change(&self, change: impl FnOnce(&mut Known) -> News) -> Result<bool, StoreError> {
        // Until it is on disk, so that the disk never goes back.
        let _writing = held(&self.writing);
        let (news, all) = {
            let mut known = held(&self.known);
            let news = change(&mut known);
            (news, known.unsaved.then(|| known.clone()))
        };
        if news.written.is_empty() && news.gone.is_empty() && news.roots.is_empty() && all.is_none() {
            return Ok(false);
        }
        let saved = self.run(|database| {
            let transaction = database.begin_write()?;
            let changed = match &all {
                Some(all) => put_all(&transaction, all)?,
                None => put(&transaction, &news)?,
            };
            let mut any = false;
            for root in &news.roots {
                any |= clear(&mut transaction.open_table(CELLS)?, root)?;
            }
            match changed || any {
                true => transaction.commit()?,
                false => transaction.abort()?,
            }
            Ok(any)
        });
        held(&self.known).unsaved = saved.is_err();
        saved
    }
}

/// What is on disk. A room that a rule made since does not allow costs nobody the others.
pub(super) fn read(database: &Database) -> Result<Known, redb::Error> {
    let mut known = Known::default();
    for entry in database.begin_read()?.open_table(ROOMS)?.iter()? {
        let (key, value) = entry?;
        let room = unchecked(key.value(), value.value()).and_then(|room| serde_json::from_slice(room).ok());
        known.rooms.extend(room);
    }
    known.rooms.sort_by_key(|room| Reverse(room.last_opened_at));
    Ok(known)
}

/// Makes what is on disk what is in memory.
pub(super) fn write_all(database: &Database, known: &Known) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    put_all(&transaction, known)?;
    Ok(transaction.commit()?)
}

fn put_all(transaction: &WriteTransaction, known: &Known) -> Result<bool, redb::Error> {
    transaction.delete_table(ROOMS)?;
    put(transaction, &News { written: known.rooms.clone(), ..News::default() })?;
    Ok(true)
}

fn put(transaction: &WriteTransaction, news: &News) -> Result<bool, redb::Error> {
    let mut rooms = transaction.open_table(ROOMS)?;
    for room in &news.gone {
        rooms.remove(room.room.as_str().as_bytes())?;
    }
    for room in &news.written {
        let json = serde_json::to_vec(room).map_err(std::io::Error::from)?;
        let key = room.room.as_str().as_bytes();
        rooms.insert(key, checked(key, &json).as_slice())?;
    }
    Ok(!news.gone.is_empty() || !news.written.is_empty())
}

/// A root as people read it.
mod hex {
    use super::*;

    pub(super) fn serialize<S: Serializer>(root: &Option<Root>, to: S) -> Result<S::Ok, S::Error> {
        root.as_ref().map(|root| HEXLOWER.encode(root)).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Root>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        Ok(text.and_then(|text| HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()))
    }
}
