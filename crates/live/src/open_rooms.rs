//! The rooms that are open in the net layer, and why (design A4). Opening and closing go through one lock, so that a room
//! is never closed under a call that just opened it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parlor_core::{Error, ErrorCode, RoomId, Snapshot, UserId};
use parlor_net::{NetHandle, RoomPort};
use tokio::sync::Mutex;

pub(crate) use crate::keep::Hold;
use crate::keep::Keep;

pub(crate) struct OpenRooms {
    net: NetHandle,
    rooms: Mutex<BTreeMap<RoomId, Open>>,
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
    pub(crate) fn new(net: NetHandle) -> Self {
        Self { net, rooms: Mutex::default() }
    }

    /// The room, opened if it was not, and kept open for at least `by` from now.
    ///
    /// # Errors
    /// `TOO_MANY_ROOMS` when this process has as many as it may and is in all of them; `NETWORK_UNAVAILABLE` after close.
    pub(crate) async fn open(&self, room: &RoomId, by: Duration) -> Result<Open, Error> {
        let mut rooms = self.rooms.lock().await;
        let now = Instant::now();
        if let Some(open) = rooms.get(room) {
            open.keep.extend(now, by);
            return Ok(open.clone());
        }
        let port = match self.net.open(room.clone()).await {
            Err(error) if error.code == ErrorCode::TooManyRooms && self.close_idlest(&mut rooms).await => {
                self.net.open(room.clone()).await?
            }
            other => other?,
        };
        let open = Open { port, keep: Keep::new(now), fresh: false };
        open.keep.extend(now, by);
        rooms.insert(room.clone(), open.clone());
        Ok(Open { fresh: true, ..open })
    }

    /// The room if it is open; it is then kept open for at least `by` from now.
    pub(crate) async fn get(&self, room: &RoomId, by: Duration) -> Option<Open> {
        let rooms = self.rooms.lock().await;
        let open = rooms.get(room)?;
        open.keep.extend(Instant::now(), by);
        Some(open.clone())
    }

    /// Every open room as it is now.
    pub(crate) async fn snapshots(&self) -> Vec<Arc<Snapshot>> {
        self.rooms.lock().await.values().map(|open| Arc::clone(&open.port.snapshots().borrow())).collect()
    }

    /// Actors with an open stream, by room.
    pub(crate) async fn followers(&self) -> Vec<(RoomId, Vec<UserId>)> {
        let rooms = self.rooms.lock().await;
        let followed = rooms.iter().map(|(room, open)| (room.clone(), open.keep.followers()));
        followed.filter(|(_, users)| !users.is_empty()).collect()
    }

    /// Closes the rooms that nothing keeps open any more.
    pub(crate) async fn sweep(&self) {
        let mut rooms = self.rooms.lock().await;
        let now = Instant::now();
        let over = |open: &Open| open.keep.until().is_some_and(|until| until <= now);
        let idle: Vec<_> = rooms.iter().filter(|(_, open)| over(open)).map(|(room, _)| room.clone()).collect();
        for room in idle {
            self.close_if_empty(&mut rooms, &room).await;
        }
    }

    /// Closes a room now unless this process has members in it; answers whether it is closed. Its streams end.
    pub(crate) async fn close(&self, room: &RoomId) -> bool {
        let mut rooms = self.rooms.lock().await;
        !rooms.contains_key(room) || self.close_if_empty(&mut rooms, room).await
    }

    /// Lets go of every room of a net layer that has stopped, so that streams which follow them end.
    pub(crate) async fn clear(&self) {
        self.rooms.lock().await.clear();
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
