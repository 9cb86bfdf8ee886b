//! The rooms that somebody opened before.

use parlor_core::{RoomId, Timestamp};

use super::super::rooms::MAX;
use super::super::{Disk, KnownRoom};
use super::*;

fn room(n: usize) -> RoomId {
    RoomId::new(&format!("room {n}")).unwrap()
}

fn shown(store: &Store) -> Vec<String> {
    store.known().iter().map(|known| known.room.to_string()).collect()
}

#[test]
fn the_newest_stand_first_and_the_oldest_go() {
    let dir = tempfile::tempdir().unwrap();
    let store = hurried(dir.path());
    for n in 0..MAX {
        store.opened(&room(n), false, root(n as u8), Timestamp(n as u64)).unwrap();
    }
    for n in [0, 1] {
        put(&store, root(n), &[(b"a", Some(b"one"))]).unwrap();
    }
    store.opened(&room(MAX), false, root(99), Timestamp(0)).unwrap();
    assert_eq!(store.known().len(), MAX);
    assert_eq!(store.known()[0].room, room(MAX), "also when the clock went back");
    for n in [0, 1] {
        assert_eq!(cells(&store, root(n)), [b"one"], "whoever opens it again finds it as it was");
    }
    store.opened(&room(5), false, root(5), Timestamp(9_999)).unwrap();
    assert_eq!((store.known()[0].room.clone(), store.known()[0].root), (room(5), Some(root(5))));
    assert!(!store.forget_room(&room(0), &[]).unwrap(), "it made room");
    let before = store.known();
    drop(store);
    let after = opened(dir.path()).known();
    assert_eq!(after.len(), before.len());
    assert!(before.iter().all(|room| after.contains(room)));
}

#[test]
fn a_forgotten_room_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path());
    store.opened(&room(1), false, root(1), Timestamp(1)).unwrap();
    store.opened(&room(2), false, root(2), Timestamp(2)).unwrap();
    for n in 1..=4 {
        put(&store, root(n), &[(b"a", Some(b"one"))]).unwrap();
    }
    // What is kept under the root that it was opened with, and under another that it may have had.
    assert!(store.forget_room(&room(1), &[root(3)]).unwrap() && !store.forget_room(&room(1), &[root(3)]).unwrap());
    assert!(store.forget_room(&room(7), &[root(4)]).unwrap(), "a room that was only looked at had something");
    assert_eq!([1, 2, 3, 4].map(|n| cells(&store, root(n)).len()), [0, 1, 0, 0]);
    drop(store);
    let store = opened(dir.path());
    assert_eq!(shown(&store), ["room 2"]);
    assert_eq!([1, 2, 3, 4].map(|n| cells(&store, root(n)).len()), [0, 1, 0, 0]);
}

#[test]
fn a_title_outlives_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path());
    let plan = [(room(1), Some("Plan".to_owned()))];
    store.titled(&plan).unwrap();
    assert!(store.known().is_empty(), "a room that was only looked at is not remembered");
    store.opened(&room(1), false, root(99), Timestamp(1)).unwrap();
    store.titled(&plan).unwrap();
    drop(store);
    let store = opened(dir.path());
    store.opened(&room(1), false, root(99), Timestamp(2)).unwrap();
    assert_eq!(store.known_room(&room(1)).unwrap().title.as_deref(), Some("Plan"));
    store.opened(&room(1), true, root(98), Timestamp(3)).unwrap();
    assert_eq!(store.known_room(&room(1)).unwrap().title, None, "it is another room's");
    store.titled(&[(room(1), None)]).unwrap();
}

#[test]
fn a_room_that_is_not_allowed_any_more_costs_nobody_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path());
    store.opened(&room(1), false, root(99), Timestamp(1)).unwrap();
    store
        .run(|database| {
            let transaction = database.begin_write()?;
            {
                let mut rooms = transaction.open_table(super::super::schema::ROOMS)?;
                for (key, json) in [("..", r#"{"room":"..","lastOpenedAt":"2026-11-25T10:00:00.000Z"}"#), ("half", "{")]
                {
                    let value = super::super::cells::checked(key.as_bytes(), json.as_bytes());
                    rooms.insert(key.as_bytes(), value.as_slice())?;
                }
                // Nor one that is not what was written.
                let json = br#"12345678{"room":"changed","lastOpenedAt":"2026-11-25T10:00:00.000Z"}"#;
                rooms.insert(b"changed".as_slice(), json.as_slice())?;
            }
            Ok(transaction.commit()?)
        })
        .unwrap();
    drop(store);
    assert_eq!(shown(&opened(dir.path())), ["room 1"]);
}

#[test]
fn rooms_that_were_known_elsewhere_stand_among_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path());
    store.opened(&room(2), false, root(2), Timestamp(20)).unwrap();
    let older =
        |n, at| KnownRoom { room: room(n), last_opened_at: Timestamp(at), title: None, private: true, root: None };
    store.take_over(vec![older(1, 30), older(2, 10), older(3, 5)]).unwrap();
    let expected = ["room 1", "room 2", "room 3"];
    assert_eq!(shown(&store), expected);
    assert!(!store.known()[1].private, "what was opened last is true");
    drop(store);
    assert_eq!(shown(&opened(dir.path())), expected);
}

/// What could not be saved is saved with the next change.
#[test]
fn a_full_disk_costs_no_room() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Disk::default();
    let store = Store::open_on(dir.path(), Arc::default(), disk.clone()).unwrap();
    store.opened(&room(1), false, root(99), Timestamp(1)).unwrap();
    *held(&disk.test().left) = Some(0);
    assert!(matches!(store.opened(&room(2), false, root(99), Timestamp(2)), Err(StoreError::Full(_))));
    assert!(store.forget_room(&room(1), &[root(1)]).is_err());
    assert_eq!(shown(&store), ["room 2"]);
    *held(&disk.test().left) = None;
    store.opened(&room(3), false, root(99), Timestamp(3)).unwrap();
    drop(store);
    assert_eq!(shown(&opened(dir.path())), ["room 3", "room 2"]);
}
