//! Who may do what in a private room: its hosts, its lock, voids and its key (design N8).

use std::sync::Arc;

use parlor_core::{Access, AccessChange, Error, ErrorCode, RoomId};

use crate::room::Room;
use crate::sealed_key;

impl Room {
    /// Who may do what in a private room, and who was in it; nothing for an open room, where everybody may everything
    /// (design N8). A read, like [`members`](Room::members).
    ///
    /// # Errors
    /// `FORBIDDEN` when this profile was taken out of the room.
    pub async fn access(&self) -> Result<Option<Arc<Access>>, Error> {
        let room = self.room()?;
        self.read(&room).await?;
        self.with(&room, |replica, _, _| Ok(replica.access())).await
    }

    /// Names hosts, voids what somebody wrote, puts somebody out or changes the key of a private room (design N8). Everybody
    /// there sees that it happened. Whoever is put out hears nothing more of what is said from then on; who was away gets the
    /// new key when they come back within a day, from whoever is there. Tickets given before a change of the key let nobody
    /// in any more.
    ///
    /// # Errors
    /// `FORBIDDEN` in an open room, for hosts unless the actor made the room, else unless the actor is a host, and for
    /// whatever would take the room from who made it; `NOT_FOUND` for somebody who was never there; `NOT_JOINED`. Nothing was
    /// changed. `STORAGE_FAILED`: it was done, and a new key holds here until this process ends; who starts again with the one
    /// before is told the new one by the others.
    ///
    /// ```
    /// # use parlor::{AccessChange, Config, Join, Live};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// live.create_private_room("plans").await?;
    /// let room = live.room("plans");
    /// room.join(Join::new()).await?;
    /// let before = room.ticket().await?;
    /// let access = room.change_access(AccessChange { rekey: true, ..AccessChange::default() }).await?;
    /// assert_eq!((access.epoch, access.creator == live.user_id()), (1, true));
    /// assert_ne!(room.ticket().await?.ticket, before.ticket); // the one before lets nobody in any more
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn change_access(&self, args: AccessChange) -> Result<Arc<Access>, Error> {
        let room = self.room()?;
        let open = self.joined(&room).await?;
        let needs_key = args.needs_key();
        let without = args.exclude.clone();
        self.written(&room, &open, move |replica, who, now| replica.change_access(who, &args, now)).await?;
        if needs_key {
            self.change_key(&room, without).await?;
        }
        self.with(&room, |replica, _, _| Ok(replica.access()))
            .await?
            .ok_or_else(|| Error::new(ErrorCode::NotFound, format!("{room} was left for another room meanwhile")))
    }

    async fn change_key(&self, room: &RoomId, without: Vec<String>) -> Result<(), Error> {
        let known = self.live.profile().known(room);
        let (before, _) = known
            .ok_or_else(|| Error::new(ErrorCode::NotFound, format!("the key of {room} was forgotten meanwhile")))?;
        let mut fresh = [[0; 32]; 2];
        for bytes in &mut fresh {
            getrandom::fill(bytes).map_err(|error| {
                Error::new(ErrorCode::StorageFailed, format!("the system has no random numbers: {error}"))
            })?;
        }
        self.with(room, move |replica, who, now| {
            let epoch = replica.access().map_or(0, |access| access.epoch).max(before.epoch).saturating_add(1);
            let (_, key) = sealed_key::seal(&before, epoch, fresh, &replica.staying(&without));
            replica.change_key(who, key, now)
        })
        .await?;
        self.live.rooms_open().take_key(room).await
    }
}
