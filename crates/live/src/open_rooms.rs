//! The rooms that are open in the net layer, and why (design A4). Opening and closing go through one lock, so that a room
//! is never closed under a call that just opened it.
//!
//! Invariant: a room is open in the net layer if and only if it is in the list, or one of the tasks here is about to make
//! that so. Callers come and go, a request of HTTP may be dropped at any await; so whatever changes both sides runs in a
//! task of its own, to its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parlor_core::{Error, ErrorCode, RoomId, Snapshot, UserId};
use parlor_net::{NetHandle, RoomPort, RoomSecret};
use tokio::sync::Mutex;

pub(crate) use crate::keep::Hold;
use crate::keep::Keep;
use crate::profile::Profile;
use crate::ticket;

#[derive(Clone)]
pub(crate) struct OpenRooms(Arc<Rooms>);

struct Rooms {
    net: NetHandle,
    profile: Arc<Profile>,
    open: Mutex<BTreeMap<RoomId, Open>>,
}

/// One open room.
#[derive(Clone)]
pub(crate) struct Open {
    pub(crate) port: RoomPort,
    pub(crate) keep: Arc<Keep>,
    /// Whether the call that got this opened it.
    pub(crate) fresh: bool,
}

impl OpenRooms {
    pub(crate) fn new(net: NetHandle, profile: Arc<Profile>) -> Self {
        Self(Arc::new(Rooms { net, profile, open: Mutex::default() }))
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

    /// Lets go of every room of a net layer that has stopped, so that streams which follow them end.
    pub(crate) async fn clear(&self) {
        self.0.open.lock().await.clear();
    }
}

impl Rooms {
    async fn open(&self, room: &RoomId, by: Duration) -> Result<Open, Error> {
        let mut rooms = self.open.lock().await;
        let now = Instant::now();
        if let Some(open) = rooms.get(room) {
            open.keep.extend(now, by);
            return Ok(open.clone());
        }
        let secret = self.profile.secret(room)?;
        let open = async || match secret {
            Some(secret) => self.net.open_private(room.clone(), secret).await,
            None => self.net.open(room.clone()).await,
        };
        let port = match open().await {
            Err(error) if error.code == ErrorCode::TooManyRooms && self.close_idlest(&mut rooms).await => {
                open().await?
            }
            other => other?,
        };
        let open = Open { port, keep: Keep::new(now), fresh: false };
        open.keep.extend(now, by);
        rooms.insert(room.clone(), open.clone());
        Ok(Open { fresh: true, ..open })
    }

    async fn bind(&self, room: &RoomId, secret: RoomSecret) -> Result<(), Error> {
        let mut rooms = self.open.lock().await;
        // A lost secret is found again by any ticket.
        match self.profile.secret(room).ok().flatten() {
            // An older ticket of the same room is no reason to go back.
            Some(known) if known.room == secret.room && known.epoch >= secret.epoch => return Ok(()),
            Some(known) if known.room != secret.room => {
                return Err(ticket::refused("this profile knows another private room of that name; forget it first"));
            }
            _ => {}
        }
        if rooms.contains_key(room) && !self.close_if_empty(&mut rooms, room).await {
            return Err(ticket::refused("you are in another room of that name; leave it first"));
        }
        let (profile, room) = (Arc::clone(&self.profile), room.clone());
        let saved = tokio::task::spawn_blocking(move || profile.bind(&room, &secret)).await;
        saved.map_err(|error| Error::new(ErrorCode::StorageFailed, format!("saving the key failed: {error}")))?
    }

    async fn sweep(&self) {
        let mut rooms = self.open.lock().await;
        let now = Instant::now();
        let over = |open: &Open| open.keep.until().is_some_and(|until| until <= now);
        let idle: Vec<_> = rooms.iter().filter(|(_, open)| over(open)).map(|(room, _)| room.clone()).collect();
        for room in idle {
            self.close_if_empty(&mut rooms, &room).await;
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
        rooms.remove(room);
        self.net.close_room(room).await;
        true
    }
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
}
