//! Keeps a room on disk (design R15): one task for each open room writes what changed at its replica.
//!
//! A call that writes returns when its change is on disk, so what was answered survives the process. Calls that come while
//! the disk is busy share its next write. What others wrote is in no hurry, and waits a moment for more of it. A disk that
//! fails is told to the person and tried again; the room goes on in memory.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parlor_core::{Error, ErrorCode, KeptChanges, Replica, RoomId, Tick};
use parlor_net::{NetHandle, RoomPort};
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::timeout;

use crate::profile::Notices;
use crate::store::{Changes, Store};

/// What others write is gathered for this long.
const GATHER: Duration = Duration::from_millis(300);
/// Between two tries of a disk that fails.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// Bytes of changes that are written at a time.
const WRITE: usize = 1024 * 1024;
/// Bytes of them that are taken from the replica at a time. A cursor waits as long as that takes: some tenths of a
/// millisecond.
const TAKEN: usize = 16 * 1024;
/// Cells that are judged at a time: each costs some fifty microseconds of the peer.
const JUDGED: usize = 8;

/// How far one room is on disk.
#[derive(Clone, Debug, Default)]
struct Saved {
    /// Everything up to this version of the replica.
    version: u64,
    /// The last try failed, which was of this version, and why.
    failed: Option<(u64, String)>,
}

/// One open room and the disk.
pub(crate) struct Saving {
    room: RoomId,
    root: [u8; 32],
    net: NetHandle,
    store: Arc<Store>,
    saved: watch::Sender<Saved>,
    /// The disk may have more of it than the replica: nothing there is cleared.
    unread: bool,
    /// Somebody waits.
    hurry: Notify,
    /// Taking and writing are one step, or an older change could come after a newer one. Which of the files that the store
    /// began has everything: one that was damaged is begun anew.
    writing: Mutex<u64>,
}

impl Saving {
    /// Gives a room that was prepared what was kept of it. Its later changes are noted from then on.
    pub(crate) async fn restored(
        room: RoomId,
        root: [u8; 32],
        net: NetHandle,
        store: Arc<Store>,
        notices: &Notices,
    ) -> Result<Arc<Saving>, Error> {
        let begun = store.begun();
        let (pages, mut page) = tokio::sync::mpsc::channel::<Vec<Vec<u8>>>(2);
        let from = Arc::clone(&store);
        let reading = tokio::task::spawn_blocking(move || {
            from.load(&root, |cells| {
                for some in cells.chunks(JUDGED) {
                    // The other end is gone when the peer is closing.
                    let _ = pages.blocking_send(some.to_vec());
                }
            })
        });
        while let Some(cells) = page.recv().await {
            net.with(&room, move |replica, now| replica.restore_cells(&cells, now)).await?;
        }
        let read =
            reading.await.map_err(|error| error.to_string()).and_then(|read| read.map_err(|error| error.to_string()));
        let unread = read.is_err();
        if let Err(why) = read {
            notices.say_of(&room, |name| {
                format!("what was kept of {name} cannot be read: {why}; what others have of it comes back")
            });
        }
        net.with(&room, |replica, _| replica.keep()).await?;
        let saving = Saving {
            room,
            root,
            net,
            store,
            saved: watch::Sender::default(),
            unread,
            hurry: Notify::new(),
            writing: Mutex::new(begun),
        };
        Ok(Arc::new(saving))
    }

    /// Returns when everything up to this version is on disk.
    ///
    /// # Errors
    /// `STORAGE_FAILED`.
    pub(crate) async fn reached(&self, version: u64) -> Result<(), Error> {
        let mut saved = self.saved.subscribe();
        self.hurry.notify_one();
        let done = |saved: &Saved| {
            saved.version >= version || saved.failed.as_ref().is_some_and(|(tried, _)| *tried >= version)
        };
        // Its sender is part of what is held here.
        let Ok(saved) = saved.wait_for(done).await else { return Ok(()) };
        match &saved.failed {
            Some((_, why)) if saved.version < version => Err(self.failed(why)),
            _ => Ok(()),
        }
    }

    /// Writes all that is not written yet.
    ///
    /// # Errors
    /// `STORAGE_FAILED`.
    pub(crate) async fn flush(&self) -> Result<(), Error> {
        let mut file = self.writing.lock().await;
        loop {
            let Some(changes) = self.taken().await else {
                // It was closed, and before that everything was written.
                self.saved.send_modify(|saved| saved.version = u64::MAX);
                return Ok(());
            };
            let (version, more) = (changes.version, changes.more);
            if let Err(why) = self.write(changes).await {
                let _ = self.net.with(&self.room, |replica, _| replica.keep_again()).await;
                self.saved.send_modify(|saved| saved.failed = Some((version, why.clone())));
                return Err(self.failed(&why));
            }
            // What was written before is in a file that was set aside.
            let begun = self.store.begun();
            if std::mem::replace(&mut *file, begun) != begun {
                let _ = self.net.with(&self.room, |replica, _| replica.keep_again()).await;
                continue;
            }
            if !more {
                self.saved.send_modify(|saved| *saved = Saved { version, failed: None });
                return Ok(());
            }
        }
    }

    /// Takes what is to be written next, little by little; nothing where the room was closed.
    async fn taken(&self) -> Option<KeptChanges> {
        let take = |replica: &mut Replica, _: Tick| replica.take_changes(TAKEN);
        let mut changes = self.net.with(&self.room, take).await.ok()?;
        while changes.more && changes.bytes() < WRITE {
            // What was taken is written, though the room is closed meanwhile.
            let Ok(next) = self.net.with(&self.room, take).await else { break };
            changes = changes.and(next);
        }
        Some(changes)
    }

    /// Writes all of the room, whose cells were taken from the disk.
    ///
    /// # Errors
    /// `STORAGE_FAILED`.
    pub(crate) async fn write_again(&self) -> Result<(), Error> {
        let _ = self.net.with(&self.room, |replica, _| replica.keep_again()).await;
        self.flush().await
    }

    /// Writes all of the room when the store has begun another file meanwhile.
    pub(crate) async fn catch_up(&self) {
        let behind = self.writing.try_lock().is_ok_and(|file| *file != self.store.begun());
        if behind {
            // What could not be written was said by whoever began the file, and is tried again.
            let _ = self.flush().await;
        }
    }

    fn failed(&self, why: &str) -> Error {
        let room = &self.room;
        let message = format!("{room} is not saved: {why}. Whoever is in the room has it all the same");
        Error::new(ErrorCode::StorageFailed, message)
    }

    async fn write(&self, changes: KeptChanges) -> Result<(), String> {
        if changes.cells.is_empty() && !changes.whole {
            return Ok(());
        }
        let (store, root) = (Arc::clone(&self.store), self.root);
        let whole = changes.whole && !self.unread;
        let written =
            tokio::task::spawn_blocking(move || store.write(&[Changes { root, cells: &changes.cells, whole }]));
        let written = written.await.map_err(|error| error.to_string())?;
        written.map_err(|error| error.to_string())
    }
}

/// Writes what changes in a room, for as long as it is open.
pub(crate) async fn keep_up(saving: Weak<Saving>, port: RoomPort, notices: Arc<Notices>) {
    let mut changed = port.kept();
    drop(port);
    let mut said: Option<String> = None;
    while changed.changed().await.is_ok() {
        let Some(room) = saving.upgrade() else { return };
        // Whoever waits for it ends the wait.
        let _ = timeout(GATHER, room.hurry.notified()).await;
        changed.borrow_and_update();
        match room.flush().await {
            Ok(()) => said.take().into_iter().for_each(|text| notices.take_back(&text)),
            Err(error) => {
                let text = error.message;
                if said.as_ref() != Some(&text) {
                    said.take().into_iter().for_each(|text| notices.take_back(&text));
                    notices.say(text.clone());
                    said = Some(text);
                }
                let _ = timeout(TRY_AGAIN, room.hurry.notified()).await;
            }
        }
    }
}

#[cfg(test)]
#[path = "saving_tests.rs"]
mod tests;
