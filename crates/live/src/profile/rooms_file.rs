//! `rooms.json`, in which profiles kept the rooms that somebody had opened before there was a store. It is taken over once,
//! and stays as `rooms.json.old`.

use std::path::Path;

use parlor_core::Error;
use serde::{Deserialize, Deserializer};

use super::Notices;
use super::files::{self, Found};
use crate::StartError;
use crate::store::{KnownRoom, Root, Store};

#[derive(Deserialize)]
struct RoomsFile {
    #[serde(deserialize_with = "readable")]
    rooms: Vec<KnownRoom>,
}

/// Those of the rooms that can be read: one that a rule made since does not allow costs nobody the others.
fn readable<'de, D: Deserializer<'de>>(rooms: D) -> Result<Vec<KnownRoom>, D::Error> {
    let rooms = Vec::<serde_json::Value>::deserialize(rooms)?;
    Ok(rooms.into_iter().filter_map(|room| serde_json::from_value(room).ok()).collect())
}

/// Puts what the file has into the store, if there is one. `root_of` says what a room's cells are kept under.
pub(super) fn take_over(
    dir: &Path,
    store: &Store,
    notices: &Notices,
    root_of: impl Fn(&KnownRoom) -> Option<Root>,
) -> Result<(), StartError> {
    let path = dir.join("rooms.json");
    let storage = |error| StartError::storage(&path, error);
    let mut rooms = match files::read_json::<RoomsFile>(&path).map_err(storage)? {
        Found::Value(file) => file.rooms,
        Found::Nothing => return Ok(()),
        Found::Damaged(aside) => {
            notices.damaged(
                "rooms.json",
                &aside,
                "the list of rooms that were opened before it was kept elsewhere is lost",
            );
            return Ok(());
        }
    };
    for room in &mut rooms {
        room.root = root_of(room);
    }
    if let Err(error) = store.take_over(rooms) {
        // They are in memory, and the file stays for the next start.
        notices.say(Error::from(error).message);
        return Ok(());
    }
    std::fs::rename(&path, dir.join("rooms.json.old")).and_then(|()| files::flush_names(&path)).map_err(storage)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;

    fn entry(room: &str, at: &str) -> Value {
        json!({"room": room, "lastOpenedAt": format!("2026-11-25T{at}:00.000Z")})
    }

    fn started(dir: &Path) -> (Store, Arc<Notices>) {
        let notices = Arc::new(Notices::default());
        let store = Store::open(dir, Arc::clone(&notices)).unwrap();
        take_over(dir, &store, &notices, |room| (!room.private).then_some([7; 32])).unwrap();
        (store, notices)
    }

    fn shown(store: &Store) -> Vec<(String, Option<String>, bool, bool)> {
        let known = store.known().into_iter();
        known.map(|known| (known.room.to_string(), known.title, known.private, known.root.is_some())).collect()
    }

    #[test]
    fn an_older_profile_keeps_its_rooms() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rooms.json");
        let mut plans = entry("plans", "10:00");
        plans["title"] = "Plan".into();
        let mut secret = entry("secret", "12:00");
        secret["private"] = true.into();
        // A room that is not allowed any more, and what is no room, cost nobody the others.
        let file = json!({"rooms": [plans, secret, entry("..", "11:00"), {"room": 5}, entry("standup", "09:00")]});
        std::fs::write(&path, file.to_string()).unwrap();
        let expected = [
            ("secret".to_owned(), None, true, false),
            ("plans".to_owned(), Some("Plan".to_owned()), false, true),
            ("standup".to_owned(), None, false, true),
        ];
        let (store, notices) = started(dir.path());
        assert_eq!(shown(&store), expected);
        assert!(notices.all().is_empty() && !path.exists());
        assert_eq!(std::fs::read(dir.path().join("rooms.json.old")).unwrap(), file.to_string().into_bytes());
        store.close();

        // Once: what is forgotten stays forgotten.
        let (store, _) = started(dir.path());
        assert_eq!(shown(&store), expected);
        assert!(store.forget_room(&store.known()[1].room, &[]).unwrap());
        store.close();
        assert_eq!(shown(&started(dir.path()).0).len(), 2);
    }

    #[test]
    fn rooms_that_an_older_version_opened_since_are_taken_over_too() {
        let dir = tempfile::tempdir().unwrap();
        for (room, at) in [("plans", "10:00"), ("standup", "11:00"), ("plans", "09:00")] {
            std::fs::write(dir.path().join("rooms.json"), json!({"rooms": [entry(room, at)]}).to_string()).unwrap();
            started(dir.path()).0.close();
        }
        let known = started(dir.path()).0.known();
        assert_eq!(known.iter().map(|known| known.room.as_str()).collect::<Vec<_>>(), ["standup", "plans"]);
        assert_eq!(known[1].last_opened_at.to_string(), "2026-11-25T10:00:00.000Z");
    }

    #[test]
    fn a_damaged_list_is_set_aside_and_said() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["{\"rooms\":", "{\"rooms\": 5}"] {
            std::fs::write(dir.path().join("rooms.json"), text).unwrap();
            let (store, notices) = started(dir.path());
            assert!(store.known().is_empty());
            assert_eq!(notices.all().len(), 1);
            assert!(notices.all()[0].starts_with("rooms.json was damaged"), "{:?}", notices.all());
        }
        assert_eq!(std::fs::read_to_string(dir.path().join("rooms.json.damaged-2")).unwrap(), "{\"rooms\": 5}");
    }
}
