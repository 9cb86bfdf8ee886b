//! One room, as callers use it. Every call here is the one implementation behind the Rust, HTTP, desktop and command line
//! surfaces.

use std::sync::Arc;
use std::time::Duration;

use parlor_core::{
    Error, ErrorCode, Join, Kind, Lease, Leave, Left, LocalActor, MemberRecord, MembersPage, MembersQuery,
    MetadataChange, PresenceChange, Replica, RoomId, RoomMetadata, Snapshot, Tick, Timestamp,
};
use tokio::sync::watch;

use crate::events::Events;
use crate::feed::Feed;
use crate::keep::{LINGER, WATCH};
use crate::live::{Live, wall_ms};
use crate::open_rooms::Open;
use crate::tail::{ResyncReason, Tail};
use crate::ticket::{self, Invitation, Ticket};

/// A read that opens a room waits at most this long for the others to say who they are…
const FIRST_READ: Duration = Duration::from_millis(600);
/// …and only until nothing more came for this long.
const SETTLED: Duration = Duration::from_millis(80);

/// A handle on one room, made by [`Live::room`]. Cheap to clone; making one does nothing yet.
///
/// All calls may fail with these besides what they name themselves (design A9); nothing was changed then:
///
/// - `INVALID_ROOM_ID`: the room's name is empty, longer than 128 characters, has control characters, or is `.` or `..`;
/// - `TOO_MANY_ROOMS`: this process is in 32 rooms already;
/// - `NETWORK_UNAVAILABLE`: the peer was closed.
#[derive(Clone)]
pub struct Room {
    pub(crate) live: Live,
    id: Arc<str>,
}

impl Room {
    pub(crate) fn new(live: Live, id: String) -> Self {
        Self { live, id: id.into() }
    }

    /// The room's name as it was given.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Becomes a member, with presence and metadata from the first moment: nobody ever sees half a record (design A2).
    ///
    /// The member id is the actor's user id unless one is named. Joining again keeps `joinedAt`, replaces the bags that
    /// are given and keeps the others. The member stays until [`leave`](Room::leave) or until the peer is closed, and the
    /// handle remembers it for the calls that follow.
    ///
    /// Limits: presence and metadata 4 KiB each as JSON, 64 keys, 8 levels; 1 to 128 characters of member id (design A8).
    ///
    /// # Errors
    /// `INVALID_MEMBER_ID`, `INVALID_PRESENCE`, `INVALID_METADATA`, `PAYLOAD_TOO_LARGE`; `MEMBER_ID_CONFLICT` when another
    /// actor holds the id here; `INVALID_TICKET` for a ticket that cannot be read, is for another room, or for a private
    /// room while you are in another one of its name. Nothing was changed, but that a good ticket stays taken when the rest
    /// of the call is refused.
    ///
    /// ```
    /// # use parlor::{Config, Join, Live};
    /// # use serde_json::json;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// let me = live.room("project_123").join(Join::new().presence(json!({"status": "online", "typing": false}))).await?;
    /// assert_eq!(me.member_id.as_str(), live.user_id().as_str());
    /// assert_eq!(me.presence["typing"], false);
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn join(&self, args: Join) -> Result<MemberRecord, Error> {
        let record = self.join_with(args, Lease::Own).await?;
        self.live.remember(&record.room, &record.member_id);
        Ok(record)
    }

    /// Like [`join`](Room::join), for a client that may vanish without a word, such as one of the HTTP API: the member
    /// lives `presenceTtlSeconds` (5 to 3600, default 60) after the last call of its actor in this room, and while the
    /// actor has a stream open; then it leaves, reason `expired` (design R7). The handle does not remember the member, since
    /// clients that share it need not know of each other.
    ///
    /// # Errors
    /// Those of [`join`](Room::join); `INVALID_PRESENCE` for a lease out of bounds. Nothing was changed.
    pub async fn join_leased(&self, args: Join) -> Result<MemberRecord, Error> {
        self.join_with(args, Lease::Client).await
    }

    /// A ticket that lets others in: its room's name and where to find those who are there, and a private room's secret,
    /// so give it to nobody else. Any who are in may invite.
    ///
    /// # Errors
    /// `INVALID_TICKET` when this profile lost the secret of a private room. Nothing is changed.
    ///
    /// ```
    /// # use parlor::{Config, Join, Live, Ticket};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// let room = live.room("project_123");
    /// room.join(Join::new()).await?;
    /// let invitation = room.ticket().await?;
    /// assert!(invitation.link.starts_with("parlor://join/"));
    ///
    /// // Whoever gets it can read what it is for before they use it.
    /// assert_eq!(Ticket::parse(&invitation.ticket)?.room().as_str(), "project_123");
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ticket(&self) -> Result<Invitation, Error> {
        let room = self.room()?;
        self.live.invite(&room).await
    }

    async fn join_with(&self, mut args: Join, lease: Lease) -> Result<MemberRecord, Error> {
        let room = self.room()?;
        if let Some(ticket) = args.ticket.take() {
            let ticket = Ticket::parse(&ticket)?;
            if *ticket.room() != room {
                return Err(ticket::refused(&format!("the ticket is for the room {:?}", ticket.room())));
            }
            self.live.accept(&ticket).await?;
        }
        self.opened(&room, LINGER).await?;
        let record = self.with(&room, move |replica, who, now| replica.join(who, args, lease, now)).await?;
        self.live.opened(&room).await;
        Ok(record)
    }

    /// Changes the live state of a member (design A3).
    ///
    /// Keys merge at the top level: those that are not named stay, nested values are replaced whole, `null` is a value.
    /// `mode: replace` sets exactly what is given, `unset` removes keys, `expire` makes a key vanish everywhere that many
    /// milliseconds (100 to 3,600,000) after its last refresh. Without `memberId` it is the member that this handle joined
    /// with, else the actor's only one here.
    ///
    /// Call it as often as you like: the answer is immediate, and what goes out is coalesced to at most 30 a second, the
    /// last value always among them (design A7).
    ///
    /// # Errors
    /// `NOT_JOINED` before `join` and after `leave`: a late update never brings a member back. `AMBIGUOUS_MEMBER`,
    /// `INVALID_PRESENCE`, `PAYLOAD_TOO_LARGE` (presence over 4 KiB as JSON). Nothing was changed.
    ///
    /// ```
    /// # use parlor::{Config, ErrorCode, Join, Live, PresenceChange};
    /// # use serde_json::json;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// let room = live.room("project_123");
    /// let early = room.presence(PresenceChange::new(json!({"cursor": 128}))).await;
    /// assert_eq!(early.unwrap_err().code, ErrorCode::NotJoined);
    ///
    /// room.join(Join::new().presence(json!({"status": "online"}))).await?;
    /// let me = room.presence(PresenceChange::new(json!({"cursor": 128}))).await?;
    /// assert_eq!(serde_json::Value::Object(me.presence), json!({"status": "online", "cursor": 128}));
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn presence(&self, mut args: PresenceChange) -> Result<MemberRecord, Error> {
        let room = self.room()?;
        args.member_id = args.member_id.or_else(|| self.live.remembered(&room));
        self.joined(&room).await?;
        self.with(&room, move |replica, who, now| replica.presence(who, args, now)).await
    }

    /// Who is here, this actor included: a page of the rows in their stable order, `joinedAt` then `memberId` (design A4).
    ///
    /// Reading starts a watch: the room is then followed for 60 s after the last read, without joining it. The read that
    /// opens the room waits up to 600 ms for the peers that are linked to say who they are.
    ///
    /// With `evidence: true` each row says what is known of whether it is there: its last frame and by which way that came,
    /// the round trip, heartbeats that are missing, whether others hear it, and in one sentence what follows. Others are
    /// asked from a second after somebody fell silent on, until they are heard again or gone.
    ///
    /// # Errors
    /// `INVALID_LIMIT` unless `limit` is 1 to 1000 (default 100); `INVALID_CURSOR` for a cursor of something else.
    ///
    /// ```
    /// # use parlor::{Config, Join, Live, MembersQuery};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// let room = live.room("project_123");
    /// room.join(Join::new()).await?;
    /// let page = room.members(MembersQuery { limit: Some(100), ..MembersQuery::default() }).await?;
    /// assert_eq!((page.total, page.next_cursor), (1, None));
    /// assert!(page.members[0].own);
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn members(&self, query: MembersQuery) -> Result<MembersPage, Error> {
        let room = self.room()?;
        self.read(&room).await?;
        self.with(&room, move |replica, _, now| replica.members(&query, now)).await
    }

    /// The room's shared settings, who changed them last and when (design A6). A read, like [`members`](Room::members).
    ///
    /// # Errors
    /// Only those of every call.
    ///
    /// ```
    /// # use parlor::{Config, Join, Live, MetadataChange};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// let room = live.room("project_123");
    /// assert!(room.metadata().await?.metadata.is_empty());
    ///
    /// room.join(Join::new()).await?;
    /// room.set_metadata(MetadataChange::new(serde_json::json!({"mode": "war_room"}))).await?;
    /// let settings = room.metadata().await?;
    /// assert_eq!(settings.metadata["mode"], "war_room");
    /// assert!(settings.updated_at.is_some());
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn metadata(&self) -> Result<RoomMetadata, Error> {
        let room = self.room()?;
        self.read(&room).await?;
        self.with(&room, |replica, _, _| Ok((*replica.metadata()).clone())).await
    }

    /// Changes the room's shared settings: keys merge, `unset` deletes; the last writer of a key wins everywhere (design
    /// A6, R10). Limits: 32 KiB as JSON and 128 keys (design A8), 8 KiB a value.
    ///
    /// With [`if_version`](MetadataChange::if_version) it is written only if what this peer knows is still of that version.
    /// Of two such calls at one peer, one is refused; what another peer writes at the same moment meets by the rule above.
    ///
    /// # Errors
    /// `NOT_JOINED`: only a member may. `INVALID_METADATA`, `PAYLOAD_TOO_LARGE`, `PRECONDITION_FAILED`. Nothing was changed
    /// by these. `STORAGE_FAILED`: everybody has it, and the disk has not.
    ///
    /// ```
    /// # use parlor::{Config, ErrorCode, Join, Live, MetadataChange};
    /// # use serde_json::json;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// let room = live.room("project_123");
    /// room.join(Join::new()).await?;
    /// room.set_metadata(MetadataChange::new(json!({"title": "Incident response", "locked": false}))).await?;
    /// let settings = room.metadata().await?;
    /// assert_eq!(settings.metadata["title"], "Incident response");
    /// assert_eq!(settings.updated_by, Some(live.user_id()));
    ///
    /// // Only if nobody was faster.
    /// let change = MetadataChange::new(json!({"mode": "war_room"})).if_version(&settings.version);
    /// room.set_metadata(change.clone()).await?;
    /// assert_eq!(room.set_metadata(change).await.unwrap_err().code, ErrorCode::PreconditionFailed);
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_metadata(&self, args: MetadataChange) -> Result<RoomMetadata, Error> {
        let room = self.room()?;
        let open = self.joined(&room).await?;
        self.written(&room, &open, move |replica, who, now| replica.set_metadata(who, args, now)).await
    }

    /// Takes a member out of the room (design R8, A3). It always succeeds here, whatever the network does, also when the
    /// peer was closed; the others hear of it three times over 400 ms. Doing it twice is no error: `left` is false then.
    ///
    /// # Errors
    /// `AMBIGUOUS_MEMBER` when the actor has several members here and none is named.
    ///
    /// ```
    /// # use parlor::{Config, Join, Leave, Live};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// let room = live.room("project_123");
    /// room.join(Join::new()).await?;
    /// assert!(room.leave(Leave::default()).await?.left);
    /// assert!(!room.leave(Leave::default()).await?.left);
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn leave(&self, mut args: Leave) -> Result<Left, Error> {
        let room = self.room()?;
        args.member_id = args.member_id.or_else(|| self.live.remembered(&room));
        let member_id = args.member_id.clone().unwrap_or_else(|| self.live.user_id().default_member());
        if self.live.rooms_open().get(&room, LINGER).await.is_some() {
            match self.with(&room, move |replica, who, now| replica.leave(who, args, now)).await {
                // The room was closed, or the peer was, since it was looked up: both left it with everybody.
                Err(error) if matches!(error.code, ErrorCode::NotFound | ErrorCode::NetworkUnavailable) => {}
                answer => return answer,
            }
        }
        Ok(Left { room, kind: Kind::Room, member_id, left: false, left_at: Timestamp(wall_ms()) })
    }

    /// The room as it is at every moment. Always the newest state: a reader that is slow misses what was in between.
    /// Follows the room, without joining it, for as long as a receiver is held. Closed when the peer is or when the room
    /// was forgotten.
    ///
    /// # Errors
    /// Only those of every call.
    ///
    /// ```
    /// # use parlor::{Config, Join, Live, PresenceChange};
    /// # use serde_json::json;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// let room = live.room("project_123");
    /// let mut newest = room.watch().await?;
    /// assert!(newest.borrow().members.is_empty());
    /// room.join(Join::new().presence(json!({"status": "online"}))).await?;
    /// room.presence(PresenceChange::new(json!({"status": "busy"}))).await?;
    /// let busy = newest.wait_for(|room| room.members.iter().any(|row| row.record.presence["status"] == "busy")).await?;
    /// assert_eq!(busy.watching, 0);
    /// # drop(busy);
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn watch(&self) -> Result<watch::Receiver<Arc<Snapshot>>, Error> {
        let room = self.room()?;
        let open = self.opened(&room, WATCH).await?;
        let hold = open.keep.hold(self.live.user_id());
        let mut snapshots = open.port.snapshots();
        let (sender, receiver) = watch::channel(Arc::clone(&snapshots.borrow_and_update()));
        tokio::spawn(async move {
            let _hold = hold;
            loop {
                tokio::select! {
                    () = sender.closed() => return,
                    changed = snapshots.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        sender.send_replace(Arc::clone(&snapshots.borrow_and_update()));
                    }
                }
            }
        });
        Ok(receiver)
    }

    /// Every event of the room, from a snapshot of this moment on. For each member they follow `(joined (updated | stale | active)*
    /// left)*` (design R14), where the rows of a snapshot count as joined.
    ///
    /// # Errors
    /// Only those of every call.
    ///
    /// ```
    /// # use parlor::{Config, Join, Live};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// let room = live.room("project_123");
    /// let mut events = room.events().await?;
    /// assert_eq!(events.recv().await.ok_or("closed")?.event.name(), "snapshot");
    /// room.join(Join::new()).await?;
    /// assert_eq!(events.recv().await.ok_or("closed")?.event.name(), "joined");
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn events(&self) -> Result<Events, Error> {
        let open = self.followed().await?;
        Ok(self.told(&open, Tail::new(open.port.events(), open.port.snapshots())))
    }

    /// The same for a follower that may go away and come back. The first time it has no place; then it gives the
    /// [`place`](Events::place) of the last item that it had, and gets what it missed, in order, and nothing twice. From the
    /// first call on the last events of the room are kept for that, a thousand or half a megabyte of them. When some of what
    /// it missed is gone, or when the room was opened again meanwhile, it is told so by
    /// [`RoomEvent::Resync`](crate::RoomEvent::Resync), and a snapshot follows.
    ///
    /// # Errors
    /// Only those of every call.
    ///
    /// ```
    /// # use parlor::{Config, Join, Live, PresenceChange};
    /// # use serde_json::json;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// let room = live.room("project_123");
    /// let mut events = room.events_from(None).await?;
    /// let snapshot = events.recv().await.ok_or("closed")?;
    /// let place = events.place(&snapshot);
    /// drop(events);
    /// room.join(Join::new()).await?;
    /// let mut events = room.events_from(place.as_deref()).await?;
    /// assert_eq!(events.recv().await.ok_or("closed")?.event.name(), "joined");
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn events_from(&self, place: Option<&str>) -> Result<Events, Error> {
        let open = self.followed().await?;
        open.port.keep_events();
        let begin = || Tail::new(open.port.events(), open.port.snapshots());
        let Some(place) = place else { return Ok(self.told(&open, begin())) };
        let here = place.split_once('-').filter(|(opening, _)| *opening == open.port.opening());
        let tail = match here.and_then(|(_, number)| number.parse().ok()) {
            None => begin().because(ResyncReason::Unknown),
            Some(number) => match open.port.events_after(number) {
                Some((missed, events)) => Tail::behind(number, missed, events, open.port.snapshots()),
                None => begin().because(ResyncReason::Expired),
            },
        };
        Ok(self.told(&open, tail))
    }

    fn told(&self, open: &Open, tail: Tail) -> Events {
        Events::new(tail, open.keep.hold(self.live.user_id()), open.port.opening().into())
    }

    /// The room for a window: conflated, in small messages, at the reader's own speed.
    ///
    /// # Errors
    /// Only those of every call.
    ///
    /// ```
    /// # use parlor::{Config, FeedEvent, Join, Live, PresenceChange};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// let room = live.room("project_123");
    /// let mut feed = room.feed().await?;
    /// let first = feed.next().await.ok_or("closed")?;
    /// assert!(matches!(first.events[0], FeedEvent::Snapshot { .. }));
    ///
    /// // Between two looks of a window, a member that moves a lot is one update with its last values.
    /// room.join(Join::new()).await?;
    /// feed.next().await.ok_or("closed")?;
    /// for x in 0..100 {
    ///     room.presence(PresenceChange::new(serde_json::json!({"x": x}))).await?;
    /// }
    /// let moved = feed.next().await.ok_or("closed")?;
    /// assert_eq!((moved.updates.len(), &moved.updates[0].presence["x"]), (1, &serde_json::json!(99)));
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn feed(&self) -> Result<Feed, Error> {
        let open = self.followed().await?;
        let tail = Tail::new(open.port.events(), open.port.snapshots());
        Ok(Feed::new(tail, open.keep.hold(self.live.user_id())))
    }

    /// Renews the client leases of this actor in the room, as every other call does (design R7). Does nothing where it has
    /// none.
    pub async fn touch(&self) {
        if let Ok(room) = self.room()
            && self.live.rooms_open().get(&room, LINGER).await.is_some()
        {
            // A peer that was closed meanwhile has no leases to renew.
            let _ = self.with(&room, |_, _, _| Ok(())).await;
        }
    }

    async fn followed(&self) -> Result<Open, Error> {
        let room = self.room()?;
        let open = self.opened(&room, WATCH).await?;
        // Touches, so that a stream counts from its first moment.
        self.with(&room, |_, _, _| Ok(())).await?;
        Ok(open)
    }

    pub(crate) fn room(&self) -> Result<RoomId, Error> {
        RoomId::new(&self.id)
    }

    async fn opened(&self, room: &RoomId, by: Duration) -> Result<Open, Error> {
        self.live.rooms_open().open(room, by).await
    }

    /// A room that is not open has no members of this process.
    pub(crate) async fn joined(&self, room: &RoomId) -> Result<Open, Error> {
        self.live
            .rooms_open()
            .get(room, LINGER)
            .await
            .ok_or_else(|| Error::new(ErrorCode::NotJoined, format!("not a member of {room}; call join first")))
    }

    pub(crate) async fn read(&self, room: &RoomId) -> Result<(), Error> {
        let open = self.opened(room, WATCH).await?;
        if open.fresh && !self.live.net().peers().await.is_empty() {
            settle(open.port.snapshots()).await;
        }
        Ok(())
    }

    /// Runs a call that writes what is shared, and returns when that is on disk (design R15).
    pub(crate) async fn written<R: Send + 'static>(
        &self,
        room: &RoomId,
        open: &Open,
        call: impl FnOnce(&mut Replica, &LocalActor, Tick) -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Error> {
        let (answer, version) = self
            .with(room, |replica, who, now| {
                let before = replica.kept_version();
                let answer = call(replica, who, now)?;
                Ok((answer, Some(replica.kept_version()).filter(|after| *after > before)))
            })
            .await?;
        if let Some(version) = version {
            open.saving.reached(version).await?;
        }
        Ok(answer)
    }

    /// Runs a call at the replica. Each is a sign of life of its actor (design R7).
    pub(crate) async fn with<R: Send + 'static>(
        &self,
        room: &RoomId,
        call: impl FnOnce(&mut Replica, &LocalActor, Tick) -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Error> {
        let who = self.live.local_actor();
        let run = move |replica: &mut Replica, now: Tick| {
            replica.touch(&who.actor.user_id, now);
            call(replica, &who, now)
        };
        self.live.net().with(room, run).await?
    }
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Room").field(&self.id).finish()
    }
}

/// Waits until a room that was just opened has heard from the others, or until that takes too long.
async fn settle(mut snapshots: watch::Receiver<Arc<Snapshot>>) {
    let heard = async {
        loop {
            let empty = {
                let snapshot = snapshots.borrow_and_update();
                snapshot.members.is_empty()
            };
            if empty {
                if snapshots.changed().await.is_err() {
                    return;
                }
            } else if !matches!(tokio::time::timeout(SETTLED, snapshots.changed()).await, Ok(Ok(()))) {
                return;
            }
        }
    };
    // Too long is an empty room, or one whose people are far: the list is what is known so far.
    let _ = tokio::time::timeout(FIRST_READ, heard).await;
}

#[cfg(test)]
#[path = "room_tests.rs"]
mod tests;
