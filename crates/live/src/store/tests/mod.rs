//! The store against what becomes of disks, files and processes.

mod crash;
mod damage;
mod full;
mod keeping;
mod model;
mod power;
mod rooms;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use parlor_core::Kept;

use super::cells::Root;
use super::{Changes, Store, StoreError};
use crate::held::held;
use crate::profile::Notices;

/// A disk that can be filled, hurried and listened to.
#[derive(Debug, Default)]
pub(super) struct DiskOfTest {
    /// Bytes that may still be written.
    left: Mutex<Option<u64>>,
    /// Nothing can be read.
    unreadable: AtomicBool,
    /// Nothing waits for the disk.
    hurried: AtomicBool,
    /// What was done, when somebody listens.
    heard: Mutex<Option<Vec<power::Done>>>,
}

impl DiskOfTest {
    pub(super) fn before_write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.use_up(bytes.len() as u64)?;
        self.hear(|| power::Done::Wrote(at, bytes.to_vec()));
        Ok(())
    }

    pub(super) fn before_read(&self) -> io::Result<()> {
        if self.unreadable.load(Ordering::Relaxed) { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    }

    pub(super) fn let_nobody_read(&self, unreadable: bool) {
        self.unreadable.store(unreadable, Ordering::Relaxed);
    }

    pub(super) fn before_set_len(&self, _before: u64, len: u64) -> io::Result<()> {
        // As it is with files that have holes: growing costs nothing yet.
        self.hear(|| power::Done::SetLen(len));
        Ok(())
    }

    pub(super) fn before_sync(&self) -> io::Result<bool> {
        self.hear(|| power::Done::Synced);
        Ok(!self.hurried.load(Ordering::Relaxed))
    }

    pub(super) fn leave_room_for(&self, bytes: Option<u64>) {
        *held(&self.left) = bytes;
    }

    fn use_up(&self, bytes: u64) -> io::Result<()> {
        match &mut *held(&self.left) {
            Some(left) if *left < bytes => Err(io::ErrorKind::StorageFull.into()),
            Some(left) => {
                *left -= bytes;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn hear(&self, done: impl FnOnce() -> power::Done) {
        if let Some(heard) = &mut *held(&self.heard) {
            heard.push(done());
        }
    }
}

fn opened(dir: &Path) -> Store {
    let (store, notices) = opened_with(dir);
    assert!(notices.all().is_empty(), "{:?}", notices.all());
    store
}

fn opened_with(dir: &Path) -> (Store, Arc<Notices>) {
    let notices = Arc::new(Notices::default());
    (Store::open(dir, Arc::clone(&notices)).unwrap(), notices)
}

/// One whose writes wait for no disk, for tests of many writes that are not about disks.
fn hurried(dir: &Path) -> Store {
    hurried_with(dir).0
}

fn hurried_with(dir: &Path) -> (Store, Arc<Notices>) {
    let (disk, notices) = (super::Disk::default(), Arc::new(Notices::default()));
    disk.test().hurried.store(true, Ordering::Relaxed);
    (Store::open_on(dir, Arc::clone(&notices), disk).unwrap(), notices)
}

fn root(n: u8) -> Root {
    [n; 32]
}

fn kept(slot: &[u8], cell: Option<&[u8]>) -> Kept {
    Kept { slot: slot.to_vec(), cell: cell.map(<[u8]>::to_vec) }
}

fn put(store: &Store, root: Root, cells: &[(&[u8], Option<&[u8]>)]) -> Result<(), StoreError> {
    let cells: Vec<_> = cells.iter().map(|(slot, cell)| kept(slot, *cell)).collect();
    store.write(&[Changes { root, cells: &cells, whole: false }])
}

/// Forgets what is kept under a root, of a room that nobody opened.
fn forget(store: &Store, root: &Root) -> Result<bool, StoreError> {
    store.forget_room(&parlor_core::RoomId::new("only looked at").unwrap(), &[*root])
}

/// A room's cells, in the order of their slots.
fn cells(store: &Store, root: Root) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    store.load(&root, |page| all.extend(page)).unwrap();
    all
}

/// What files with many rooms have, for whoever has no use for an order.
type Rooms = BTreeMap<Root, BTreeMap<Vec<u8>, Vec<u8>>>;

fn agrees(store: &Store, rooms: &Rooms, roots: impl IntoIterator<Item = Root>) {
    for root in roots {
        let expected: Vec<_> = rooms.get(&root).into_iter().flat_map(|room| room.values().cloned()).collect();
        assert!(cells(store, root) == expected, "the cells of room {} are others", root[0]);
    }
}

fn names(dir: &Path) -> BTreeSet<String> {
    std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
