//! The rooms that are open in the net layer, and why (design A4). Opening and closing go through one lock, so that a room
//! is never closed under a call that just opened it.
//!
//! Invariant: a room is open in the net layer if and only if it is in the list, or one of the tasks here is about to make
//! that so. Callers come and go, a request of HTTP may be dropped at any await; so whatever changes both sides runs in a
//! task of its own, to its end.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parlor_core::{Error, ErrorCode, Event, RoomId, Snapshot, Timestamp, UserId, room_root};
use parlor_net::{NetHandle, RoomPort, RoomSecret};
use tokio::sync::Mutex;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

pub(crate) use crate::keep::Hold;
use crate::keep::Keep;
use crate::keys::IdentityKey;
use crate::live::wall_ms;
use crate::profile::Profile;
use crate::saving::{self, Saving};
use crate::{sealed_key, ticket};

/// The last writes of a peer that ends take this long at most.
const LAST_WRITES: Duration = Duration::from_millis(250);

#[derive(Clone)]
pub(crate) struct OpenRooms(Arc<Rooms>);

struct Rooms {
    net: NetHandle,
    profile: Arc<Profile>,
    identity: Arc<IdentityKey>,
    /// Bytes for the recorder of each room.
    recorded: usize,
    open: Mutex<BTreeMap<RoomId, Open>>,
}

/// One open room.
#[derive(Clone)]
pub(crate) struct Open {
    pub(crate) port: RoomPort,
    pub(crate) keep: Arc<Keep>,
    pub(crate) saving: Arc<Saving>,
    /// Whether the call that got this opened it.
    pub(crate) fresh: bool,
}

impl OpenRooms {
    /// With so many bytes for the recorder of each room.
    pub(crate) fn new(net: NetHandle, profile: Arc<Profile>, identity: Arc<IdentityKey>, recorded: usize) -> Self {
        Self(Arc::new(Rooms { net, profile, identity, recorded, open: Mutex::default() }))
    }

    /// Lets a name stand for the private room of this secret in this profile (design N8). An open room of that name is
    /// closed, if this process only looks at it.
    ///
    /// # Errors
    /// `INVALID_TICKET` while this process is in the open room of that name, or when the name stands for another private
    /// room; `STORAGE_FAILED`. Nothing was changed.
    pub(crate) async fn bind(&self, room: &RoomId, secret: RoomSecret) -> Result<(), Error> {
        let (rooms, room) = (Arc::clone(&self.0), room.clone());
        whole(async move { rooms.bind(&room, secret).await }).await?
    }

    /// The room, opened if it was not, and kept open for at least `by` from now.
    ///
    /// # Errors
    /// `TOO_MANY_ROOMS` when this process has as many as it may and is in all of them; `INVALID_TICKET` for a private room
    /// whose secret is lost; `NETWORK_UNAVAILABLE` after close.
    pub(crate) async fn open(&self, room: &RoomId, by: Duration) -> Result<Open, Error> {
        let (rooms, room) = (Arc::clone(&self.0), room.clone());
        whole(async move { rooms.open(&room, by).await }).await?
    }

    /// Takes the key that is in force in a private room, if there is a new one here.
    ///
    /// # Errors
    /// `STORAGE_FAILED`: it is used until this process ends.
    pub(crate) async fn take_key(&self, room: &RoomId) -> Result<(), Error> {
        let (rooms, room) = (Arc::clone(&self.0), room.clone());
        whole(async move { rooms.take_key(&room).await }).await?
    }

    /// The room if it is open; it is then kept open for at least `by` from now.
    pub(crate) async fn get(&self, room: &RoomId, by: Duration) -> Option<Open> {
        let rooms = self.0.open.lock().await;
        let open = rooms.get(room)?;
        open.keep.extend(Instant::now(), by);
        Some(open.clone())
    }

    /// Every open room as it is now.
    pub(crate) async fn snapshots(&self) -> Vec<Arc<Snapshot>> {
        self.0.open.lock().await.values().map(|open| Arc::clone(&open.port.snapshots().borrow())).collect()
    }

    /// Actors with an open stream, by room.
    pub(crate) async fn followers(&self) -> Vec<(RoomId, Vec<UserId>)> {
        let rooms = self.0.open.lock().await;
        let followed = rooms.iter().map(|(room, open)| (room.clone(), open.keep.followers()));
        followed.filter(|(_, users)| !users.is_empty()).collect()
    }

    /// Closes the rooms that nothing keeps open any more.
    pub(crate) async fn sweep(&self) {
        let rooms = Arc::clone(&self.0);
        // A runtime that ends ends the rooms too.
        let _ = whole(async move { rooms.sweep().await }).await;
    }

    /// Closes a room now unless this process has members in it; answers whether it is closed. Its streams end.
    pub(crate) async fn close(&self, room: &RoomId) -> bool {
        let (rooms, room) = (Arc::clone(&self.0), room.clone());
        whole(async move { rooms.close(&room).await }).await.unwrap_or(true)
    }

    /// Writes what is not on disk yet of any room: what others wrote last, since a call that writes answers when it is. A
    /// disk that takes long keeps nobody from leaving.
    pub(crate) async fn flush(&self) {
        let written = timeout(LAST_WRITES, async {
            let open: Vec<Open> = self.0.open.lock().await.values().cloned().collect();
            for open in open {
                // What could not be written was said.
                let _ = open.saving.flush().await;
            }
        });
        if written.await.is_err() {
            tracing::warn!("the disk takes long; what others wrote last is not on it");
        }
    }

    /// Writes all of a room whose cells were taken from the disk, if it is open.
    ///
    /// # Errors
    /// `STORAGE_FAILED`.
    pub(crate) async fn write_again(&self, room: &RoomId) -> Result<(), Error> {
        let open = self.0.open.lock().await.get(room).cloned();
        match open {
            Some(open) => open.saving.write_again().await,
            None => Ok(()),
        }
    }

    /// Lets go of every room of a net layer that has stopped, so that streams which follow them end.
    pub(crate) async fn clear(&self) {
        self.0.open.lock().await.clear();
    }
}

impl Rooms {
    async fn open(self: &Arc<Self>, room: &RoomId, by: Duration) -> Result<Open, Error> {
        let mut rooms = self.open.lock().await;
        let now = Instant::now();
        if let Some(open) = rooms.get(room) {
            open.keep.extend(now, by);
            return Ok(open.clone());
        }
        let secret = self.profile.secret(room)?;
        let prepare = async || self.net.prepare(room.clone(), secret).await;
        let port = match prepare().await {
            Err(error) if error.code == ErrorCode::TooManyRooms && self.close_idlest(&mut rooms).await => {
                prepare().await?
            }
            other => other?,
        };
        let saving = match self.enter(room, secret).await {
            Ok(saving) => saving,
            Err(error) => {
                self.net.close_room(room).await;
                return Err(error);
            }
        };
        tokio::spawn(saving::keep_up(Arc::downgrade(&saving), port.clone(), Arc::clone(&self.profile.notices)));
        let open = Open { port, keep: Keep::new(now), saving, fresh: false };
        open.keep.extend(now, by);
        rooms.insert(room.clone(), open.clone());
        if secret.is_some() {
            tokio::spawn(follow_keys(Arc::downgrade(self), open.port.clone()));
        }
        Ok(Open { fresh: true, ..open })
    }

    /// Gives a room that was prepared what was kept of it, and goes to where the others are.
    async fn enter(&self, room: &RoomId, secret: Option<RoomSecret>) -> Result<Arc<Saving>, Error> {
        let root = room_root(room, secret.map(|secret| secret.room));
        let (store, notices) = (Arc::clone(&self.profile.store), &self.profile.notices);
        let recorded = self.recorded;
        self.net.with(room, move |replica, _| replica.record(recorded)).await?;
        let saving = Saving::restored(room.clone(), root, self.net.clone(), store, notices).await?;
        let mut earlier = Vec::new();
        if let Some(secret) = secret {
            self.take_over_standing(room, &saving, secret).await?;
            earlier = self.profile.earlier(room, Timestamp(wall_ms()));
        }
        self.net.enter(room.clone(), earlier).await?;
        Ok(saving)
    }

    /// Profiles of an earlier version kept who the hosts are in a file by itself.
    async fn take_over_standing(&self, room: &RoomId, saving: &Saving, secret: RoomSecret) -> Result<(), Error> {
        let profile = Arc::clone(&self.profile);
        let kept = tokio::task::spawn_blocking(move || profile.standing(&secret)).await.unwrap_or_default();
        if kept.is_empty() {
            return Ok(());
        }
        self.net.with(room, move |replica, now| replica.restore(&kept, now)).await?;
        // What is not on disk yet stays where it was.
        if saving.flush().await.is_ok() {
            self.profile.forget_standing(&secret);
        }
        Ok(())
    }

    async fn bind(&self, room: &RoomId, secret: RoomSecret) -> Result<(), Error> {
        let mut rooms = self.open.lock().await;
        // A lost secret is found again by any ticket.
        match self.profile.known(room) {
            Some((known, _)) if known.room != secret.room => {
                return Err(ticket::refused("this profile knows another private room of that name; forget it first"));
            }
            Some((_, Some(excluded))) if secret.epoch < excluded => {
                return Err(ticket::refused("the room's key was changed after this ticket was given"));
            }
            // An older ticket of the same room is no reason to go back.
            Some((known, None)) if known.epoch >= secret.epoch => return Ok(()),
            Some((_, None)) if rooms.contains_key(room) => return self.change_key(room, secret).await,
            _ => {}
        }
        if rooms.contains_key(room) && !self.close_if_empty(&mut rooms, room).await {
            return Err(ticket::refused("you are in another room of that name; leave it first"));
        }
        let (profile, room) = (Arc::clone(&self.profile), room.clone());
        blocking(move || profile.bind(&room, &secret)).await
    }

    /// Holds what the room says of its key against the one that is used here. Whoever gets a part of a new one goes over
    /// to it; whoever gets none is out.
    async fn take_key(&self, room: &RoomId) -> Result<(), Error> {
        let mut rooms = self.open.lock().await;
        let (Some((used, None)), true) = (self.profile.known(room), rooms.contains_key(room)) else { return Ok(()) };
        let me = self.identity.identity();
        let Some(key) = self.net.with(room, move |replica, _| replica.handover(&me)).await? else { return Ok(()) };
        if key.epoch < used.epoch || (key.epoch == used.epoch && key.commitment == used.commitment()) {
            let profile = Arc::clone(&self.profile);
            return blocking(move || profile.save_keys()).await;
        }
        if key.included {
            // The part itself may still be on its way.
            let Some(secret) = sealed_key::open(&used, &key, &self.identity) else { return Ok(()) };
            // First what the others may need of it who are away: there may be nobody else who has it.
            let kept = match rooms.get(room) {
                Some(open) => open.saving.flush().await,
                None => Ok(()),
            };
            return self.change_key(room, secret).await.and(kept);
        }
        // Somebody who was invited with a ticket of the same epoch has no part of it and needs none.
        if key.epoch == used.epoch {
            return Ok(());
        }
        let (profile, excluded) = (Arc::clone(&self.profile), room.clone());
        let saved = blocking(move || profile.exclude(&excluded, key.epoch)).await;
        rooms.remove(room);
        self.net.close_room(room).await;
        saved
    }

    /// Goes over to another secret of the room, also when that cannot be saved: the others are there.
    async fn change_key(&self, room: &RoomId, secret: RoomSecret) -> Result<(), Error> {
        let (profile, saved) = (Arc::clone(&self.profile), room.clone());
        let saved = blocking(move || profile.rekey(&saved, &secret, Timestamp(wall_ms()))).await;
        self.net.change_key(room.clone(), secret).await.and(saved)
    }

    async fn sweep(&self) {
        let mut rooms = self.open.lock().await;
        let now = Instant::now();
        let over = |open: &Open| open.keep.until().is_some_and(|until| until <= now);
        let idle: Vec<_> = rooms.iter().filter(|(_, open)| over(open)).map(|(room, _)| room.clone()).collect();
        for room in idle {
            self.close_if_empty(&mut rooms, &room).await;
        }
        for open in rooms.values() {
            open.saving.catch_up().await;
        }
    }

    async fn close(&self, room: &RoomId) -> bool {
        let mut rooms = self.open.lock().await;
        !rooms.contains_key(room) || self.close_if_empty(&mut rooms, room).await
    }

    /// Makes place by closing the room that would close next; answers whether there was one.
    async fn close_idlest(&self, rooms: &mut BTreeMap<RoomId, Open>) -> bool {
        let mut idle: Vec<_> =
            rooms.iter().filter_map(|(room, open)| Some((open.keep.until()?, room.clone()))).collect();
        idle.sort();
        for (_, room) in idle {
            if self.close_if_empty(rooms, &room).await {
                return true;
            }
        }
        false
    }

    async fn close_if_empty(&self, rooms: &mut BTreeMap<RoomId, Open>, room: &RoomId) -> bool {
        let members = self.net.with(room, |replica, _| replica.own_members()).await;
        // An error means that the net layer does not have the room any more.
        if members.is_ok_and(|members| members > 0) {
            return false;
        }
        if let Some(open) = rooms.remove(room) {
            // What could not be written was said.
            let _ = open.saving.flush().await;
        }
        self.net.close_room(room).await;
        true
    }
}

/// Follows what a private room says of its key and its hosts, for as long as the room is open, and keeps it.
async fn follow_keys(rooms: Weak<Rooms>, port: RoomPort) {
    let mut events = port.events();
    let room = port.room.clone();
    drop(port);
    loop {
        let Some(here) = rooms.upgrade() else { return };
        if let Err(error) = here.take_key(&room).await {
            here.profile.notices.say_of(&room, |name| format!("{name}: the new key was not kept: {error}"));
        }
        drop(here);
        loop {
            match events.recv().await {
                Ok((_, Event::Access { .. })) | Err(RecvError::Lagged(_)) => break,
                Ok(_) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }
}

/// Saves a key.
async fn blocking(save: impl FnOnce() -> Result<(), Error> + Send + 'static) -> Result<(), Error> {
    let saved = tokio::task::spawn_blocking(save).await;
    saved.map_err(|error| Error::new(ErrorCode::StorageFailed, format!("saving the key failed: {error}")))?
}

/// Runs to its end whatever becomes of the caller. Fails only when the runtime itself ends.
async fn whole<R: Send + 'static>(work: impl Future<Output = R> + Send + 'static) -> Result<R, Error> {
    tokio::spawn(work).await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Error::new(ErrorCode::NetworkUnavailable, "the peer is closing"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, start};

    /// Polls a call so many times and drops it, as a server does whose client hangs up.
    async fn dropped_after<T>(polls: usize, call: impl Future<Output = T>) {
        let mut call = std::pin::pin!(call);
        for _ in 0..polls {
            if futures::poll!(&mut call).is_ready() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_call_that_is_dropped_leaks_no_room() {
        let dir = tempfile::tempdir().unwrap();
        let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
        let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
        let shared = start::start(config).await.unwrap().session();
        let agree = async |room: &RoomId| {
            // A command that was given before this one is carried out before it.
            let open = shared.net.with(room, |_, _| ()).await.is_ok();
            open == shared.rooms.0.open.lock().await.contains_key(room)
        };
        for polls in 0..8 {
            let room = RoomId::new(&format!("room {polls}")).unwrap();
            dropped_after(polls, shared.rooms.open(&room, Duration::ZERO)).await;
            let settled = async { while !agree(&room).await {} };
            let settled = tokio::time::timeout(Duration::from_secs(10), settled).await;
            assert!(settled.is_ok(), "opening, dropped after {polls} polls: watched, and nobody knows");
            shared.rooms.open(&room, Duration::ZERO).await.unwrap();
            dropped_after(polls, shared.rooms.close(&room)).await;
            let settled = async { while !agree(&room).await {} };
            let settled = tokio::time::timeout(Duration::from_secs(10), settled).await;
            assert!(settled.is_ok(), "closing, dropped after {polls} polls");
            assert!(shared.rooms.close(&room).await);
        }
        assert!(shared.rooms.0.open.lock().await.is_empty());
        shared.net.shutdown().await;
    }

    // R15, N8: an earlier version kept who the hosts are in a file by itself.
    #[tokio::test]
    async fn the_hosts_of_an_older_profile_are_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
        let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
        let live = crate::Live::start(config.clone()).await.unwrap();
        let room = RoomId::new("plan").unwrap();
        live.create_private_room("plan").await.unwrap();
        live.room("plan").join(crate::Join::new()).await.unwrap();
        live.room("plan").change_access(crate::AccessChange { rekey: true, ..Default::default() }).await.unwrap();
        let frames = live.net().with(&room, |replica, _| replica.standing()).await.unwrap();
        let secret = live.profile().secret(&room).unwrap().unwrap();
        live.close().await;
        drop(live);

        // As that version left it: the file, and no cells.
        let frames: Vec<String> = frames.iter().map(|frame| data_encoding::BASE64.encode(frame)).collect();
        assert!(!frames.is_empty());
        let root = data_encoding::HEXLOWER.encode(&secret.room.root[..16]);
        let profile = dir.path().join("profiles/default");
        let file = profile.join(format!("access-{root}.json"));
        std::fs::write(&file, serde_json::to_vec(&frames).unwrap()).unwrap();
        std::fs::remove_file(profile.join(crate::store::FILE)).unwrap();

        let live = crate::Live::start(config.clone()).await.unwrap();
        assert_eq!(live.room("plan").access().await.unwrap().unwrap().epoch, 1);
        assert!(!file.exists(), "it is among the cells of the room now");
        live.close().await;
        drop(live);
        let live = crate::Live::start(config).await.unwrap();
        assert_eq!(live.room("plan").access().await.unwrap().unwrap().epoch, 1);
        live.close().await;
    }
}
