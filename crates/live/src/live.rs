//! A running peer and the handles on it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use parlor_core::limits::ID_MAX_CHARS;
use parlor_core::{Actor, Error, ErrorCode, LocalActor, MemberId, RoomId, Signer, Timestamp, UserId};
use parlor_net::{NetHandle, PeerInfo, RoomSecret, Speaks};

use crate::held::held;
use crate::keys::Guest;
use crate::lab::Lab;
use crate::names;
use crate::open_rooms::OpenRooms;
use crate::profile::Profile;
use crate::report::{ProfileChange, RoomSummary, Status, skew};
use crate::room::Room;
use crate::shared::Shared;
use crate::ticket::{self, ADDRESSES_MAX, Invitation, Ticket};
use crate::{Config, StartError, near, palette, start, upkeep};

/// A running peer, and who acts through this handle: the profile's own person, or a guest made by
/// [`acting_as`](Live::acting_as). Cheap to clone.
///
/// Dropping the last handle stops the peer without a word, which the others see as a lost connection; call
/// [`close`](Live::close) to leave.
#[derive(Clone)]
pub struct Live {
    pub(crate) shared: Arc<Shared>,
    guest: Option<Guest>,
    /// The member that this handle and its clones joined with last, by room (design A3).
    joined: Arc<Mutex<BTreeMap<RoomId, MemberId>>>,
}

impl Live {
    /// Takes the profile, makes this run's session and starts listening. The profile directory and the identity are made
    /// when they are new. Needs a tokio runtime.
    ///
    /// # Errors
    /// See [`StartError`]: the profile is held by another process, an address is wrong or taken, a file is damaged.
    ///
    /// ```
    /// use parlor::{Config, Live};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let live = Live::start(Config {
    ///     data_dir: dir.path().into(),                     // default: the platform's
    ///     listen: vec!["/ip4/127.0.0.1/tcp/0".into()],     // default: every interface
    ///     multicast: false,                                // default: look for peers near
    ///     ..Config::default()
    /// })
    /// .await?;
    /// println!("{} is {}", live.user_id(), live.status().await.name);
    /// live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn start(config: Config) -> Result<Live, StartError> {
        let shared = start::start(config).await?;
        *held(&shared.upkeep) = Some(tokio::spawn(upkeep::run(Arc::downgrade(&shared))).abort_handle());
        Ok(Live { shared, guest: None, joined: Arc::default() })
    }

    /// A handle on a room. Nothing happens yet; a name that breaks a rule is the error of the first call.
    pub fn room(&self, id: impl Into<String>) -> Room {
        Room::new(self.clone(), id.into())
    }

    /// The same peer, acting for a guest: somebody whom this peer hosts, such as a user of its HTTP API (design A10).
    /// The same `guest` of the same profile is the same user for as long as the profile's person is. Others see `kind:
    /// "guest"`, `via` this profile and `verified: false`. Without a name the guest is called by its id.
    ///
    /// # Errors
    /// `INVALID_MEMBER_ID` unless `guest` has 1 to 128 characters and no control characters; for the name those of
    /// [`set_profile`](Live::set_profile). Nothing was changed.
    ///
    /// ```
    /// # use parlor::{ActorKind, Config, Live};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// let guest = live.acting_as("browser-7", Some("Merry Wren"))?;
    /// assert_eq!(guest.actor().kind, ActorKind::Guest);
    /// assert_eq!(guest.actor().via, Some(live.user_id()));
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn acting_as(&self, guest: &str, name: Option<&str>) -> Result<Live, Error> {
        let characters = guest.chars().count();
        if !(1..=ID_MAX_CHARS).contains(&characters) || guest.chars().any(char::is_control) {
            let rule = "a guest's id has 1 to 128 characters and no control characters";
            return Err(Error::new(ErrorCode::InvalidMemberId, rule).limit("guest", ID_MAX_CHARS, characters, "guest"));
        }
        let name = match name {
            Some(name) => names::checked(name)?,
            None => names::shortened(guest).to_owned(),
        };
        let guest = Guest { id: guest.into(), name: name.into() };
        Ok(Live { shared: Arc::clone(&self.shared), guest: Some(guest), joined: Arc::default() })
    }

    /// The same peer and actor with a memory of its own: calls without `memberId` then do not fall back to the member that
    /// another handle joined with. For surfaces whose callers outlive no handle, such as one request.
    #[must_use]
    pub fn without_memory(&self) -> Live {
        Live { joined: Arc::default(), ..self.clone() }
    }

    /// Who acts through this handle.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.local_actor().actor
    }

    /// The user id of who acts through this handle.
    #[must_use]
    pub fn user_id(&self) -> UserId {
        self.local_actor().actor.user_id
    }

    /// Rooms that peers near are in, rooms that this process has open and rooms opened before: those with people first,
    /// then the most recently opened.
    ///
    /// ```
    /// # use parlor::{Config, Join, Live};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// live.create_room("standup").await?;
    /// live.room("project_123").join(Join::new()).await?;
    /// let rooms = live.rooms().await;
    /// assert_eq!((rooms[0].room.as_str(), rooms[0].members, rooms[0].joined), ("project_123", 1, true));
    /// assert_eq!((rooms[1].room.as_str(), rooms[1].members), ("standup", 0));
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn rooms(&self) -> Vec<RoomSummary> {
        near::rooms(&self.shared, &self.user_id()).await
    }

    /// Remembers a room among the recent ones, so that it is listed before anybody is in it. Open rooms need no more than
    /// their name: this makes nothing that others could see.
    ///
    /// # Errors
    /// `INVALID_ROOM_ID`, and `INVALID_TICKET` for a private room whose key is lost: nothing was changed. `STORAGE_FAILED`:
    /// it is remembered until this process ends.
    pub async fn create_room(&self, id: impl Into<String>) -> Result<RoomSummary, Error> {
        self.list(RoomId::new(&id.into())?).await
    }

    /// Makes a private room: only those come in, or learn anything of it, who have a ticket (design N8). From then on the
    /// name stands for that room in this profile, and this identity is its creator. A private room of that name which the
    /// profile knows already is answered as it is.
    ///
    /// # Errors
    /// `INVALID_ROOM_ID`; `INVALID_TICKET` while this process is in the open room of that name, which it has to leave first,
    /// or when the key of a private one was lost; `STORAGE_FAILED`. Nothing was changed.
    ///
    /// ```
    /// # use parlor::{Config, Join, Live};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (dir, other_dir) = (tempfile::tempdir()?, tempfile::tempdir()?);
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let other = Config { data_dir: other_dir.path().into(), ..config.clone() };
    /// # let (live, other) = (Live::start(config).await?, Live::start(other).await?);
    /// let room = live.create_private_room("plans").await?;
    /// assert!(room.private);
    /// let invitation = live.room("plans").ticket().await?; // give it to those who may come in
    ///
    /// other.room("plans").join(Join::new().ticket(&invitation.ticket)).await?;
    /// # live.close().await;
    /// # other.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_private_room(&self, id: impl Into<String>) -> Result<RoomSummary, Error> {
        let room = RoomId::new(&id.into())?;
        if self.shared.profile.secret(&room)?.is_none() {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret).map_err(|error| {
                Error::new(ErrorCode::StorageFailed, format!("the system has no random numbers: {error}"))
            })?;
            let session = self.shared.session();
            let secret = RoomSecret::first(session.identity.public_key(), secret);
            let bound = session.rooms.bind(&room, secret).await;
            // Another call may have made it meanwhile: then this is that room.
            if self.shared.profile.secret(&room)?.is_none() {
                bound?;
            }
        }
        self.list(room).await
    }

    async fn list(&self, room: RoomId) -> Result<RoomSummary, Error> {
        let kept = room.clone();
        self.blocking(move |profile| profile.opened(&kept, Timestamp(wall_ms()))).await?;
        let rooms = self.rooms().await;
        rooms.into_iter().find(|known| known.room == room).ok_or_else(|| {
            Error::new(ErrorCode::NotFound, format!("{room} was forgotten again before this call ended"))
        })
    }

    /// Forgets a room: it leaves the list of recent ones, this actor's members leave it, and what this process holds of it
    /// goes unless somebody else is in it through this peer. Answers whether it was known.
    ///
    /// # Errors
    /// `INVALID_ROOM_ID`: nothing was changed. `STORAGE_FAILED`: it may be back after a restart.
    pub async fn forget_room(&self, id: impl Into<String>) -> Result<bool, Error> {
        let room = RoomId::new(&id.into())?;
        let was_open = near::leave_all(&self.shared, &room, &self.local_actor()).await;
        self.shared.session().rooms.close(&room).await;
        held(&self.joined).remove(&room);
        let forgotten = room.clone();
        let known = self.blocking(move |profile| profile.forget(&forgotten)).await?;
        // Somebody else is in it, and was promised that it is kept.
        self.shared.session().rooms.write_again(&room).await?;
        Ok(known || was_open)
    }

    /// Uses a ticket: from then on the room's name stands for the room that the ticket is for. The peers that it names are
    /// looked for meanwhile.
    pub(crate) async fn accept(&self, ticket: &Ticket) -> Result<(), Error> {
        match ticket.secret() {
            Some(secret) => self.shared.session().rooms.bind(ticket.room(), *secret).await?,
            None if self.shared.profile.secret(ticket.room()) != Ok(None) => {
                return Err(ticket::refused("the ticket is for an open room, and you know a private one of that name"));
            }
            None => {}
        }
        for address in ticket.addresses() {
            let (net, address) = (self.net(), address.clone());
            // Whoever does not answer is found in another way, or is gone.
            tokio::spawn(async move { drop(net.dial(&address).await) });
        }
        Ok(())
    }

    /// A ticket of a room, with where to find those who are in it: this peer, relays where it can be met, and peers that it
    /// is linked to there.
    pub(crate) async fn invite(&self, room: &RoomId) -> Result<Invitation, Error> {
        let secret = self.shared.profile.secret(room)?;
        let mut addresses = self.net().reachable_addrs();
        addresses.truncate(ADDRESSES_MAX / 2);
        addresses.extend(self.net().relay_addrs());
        addresses.truncate(ADDRESSES_MAX - 1);
        // One that is met at a relay only is found there.
        let near = |peer: &PeerInfo| peer.rooms.contains(room) && peer.transport != "relay";
        for peer in self.peers().await.into_iter().filter(near) {
            // Where an incoming connection comes from is not where its peer listens.
            addresses.extend(peer.addresses.into_iter().skip(usize::from(peer.direction == "in")).take(1));
        }
        let inviter = self.shared.session().identity.public_key();
        Ok(Ticket::new(room.clone(), secret, inviter, addresses).invitation())
    }

    /// What the room of this name is, for ever: another value once the name stands for another room in this profile. `None`
    /// for one that it cannot enter.
    #[must_use]
    pub fn root_of(&self, room: &RoomId) -> Option<[u8; 32]> {
        let secret = self.shared.profile.secret(room).ok()?;
        Some(parlor_core::room_root(room, secret.map(|secret| secret.room)))
    }

    /// The peers that this one is linked to.
    pub async fn peers(&self) -> Vec<PeerInfo> {
        self.net().peers().await
    }

    /// Connects to a peer by its multiaddr, such as `/ip4/192.168.1.20/tcp/4747`, or by `ADDRESS` or `ADDRESS:PORT`, and
    /// answers who it is. Waits up to 10 s.
    ///
    /// # Errors
    /// `INVALID_TICKET` for what is no address; `NETWORK_UNAVAILABLE` when nobody answers there. Nothing was changed.
    ///
    /// ```
    /// # use parlor::{Config, ErrorCode, Live};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (here, there) = (tempfile::tempdir()?, tempfile::tempdir()?);
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: here.path().into(), listen, multicast: false, ..Config::default() };
    /// # let other = Live::start(Config { data_dir: there.path().into(), ..config.clone() }).await?;
    /// # let live = Live::start(config).await?;
    /// let met = live.dial(&other.status().await.listen[0]).await?;
    /// assert_eq!(met.peer_id, other.status().await.peer_id);
    /// assert_eq!(live.dial("the other room").await.unwrap_err().code, ErrorCode::InvalidTicket);
    /// # live.close().await;
    /// # other.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn dial(&self, addr: &str) -> Result<PeerInfo, Error> {
        self.net().dial(addr).await
    }

    /// What was refused, repaired and lost, by name, since this session of the peer began. The names are for people who look
    /// for a fault, and may change.
    pub async fn counters(&self) -> BTreeMap<String, u64> {
        self.net().counters().await
    }

    /// The peer and the profile's own person, whoever acts through this handle.
    pub async fn status(&self) -> Status {
        let session = self.shared.session();
        let net = &session.net;
        let settings = self.shared.profile.settings();
        let peers = net.peers().await;
        let cloned = session.look_at_clones(&peers).await;
        // Read before the call below waits: a borrow may not be held meanwhile.
        let network = *net.network().borrow();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            profile: self.shared.profile.name().to_owned(),
            user_id: session.identity.public_key().user_id(),
            name: settings.name,
            color: settings.color,
            theme: settings.theme,
            named: settings.named,
            peer_id: net.peer_id(),
            session_id: net.session_id().to_string(),
            listen: net.listen_addrs(),
            network,
            links: u32::try_from(peers.len()).unwrap_or(u32::MAX),
            clock_ahead_ms: skew(&peers),
            newer: u32::try_from(peers.iter().filter(|peer| peer.speaks == Speaks::Newer).count()).unwrap_or(u32::MAX),
            cloned,
            notices: self.shared.profile.notices.all(),
        }
    }

    /// Changes the person's name, colour or theme and saves them. A new name or colour shows at once in rooms where their
    /// presence has `name` or `color`, and names the actor of every join from now on.
    ///
    /// # Errors
    /// `INVALID_PRESENCE` for an empty name, one with control characters, or a colour outside [`PALETTE`](crate::PALETTE);
    /// `PAYLOAD_TOO_LARGE` for a name over 256 bytes; `FORBIDDEN` for a guest. Nothing was changed then. `STORAGE_FAILED`:
    /// it holds until this process ends.
    ///
    /// ```
    /// # use parlor::{Config, Live, ProfileChange};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// assert!(!live.status().await.named);
    /// let status = live.set_profile(ProfileChange { name: Some("Quiet Otter".into()), ..Default::default() }).await?;
    /// assert!(status.named && status.name == "Quiet Otter");
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_profile(&self, change: ProfileChange) -> Result<Status, Error> {
        self.own_profile()?;
        let name = change.name.as_deref().map(names::checked).transpose()?;
        let color = change.color.as_deref().map(palette::checked).transpose()?;
        let theme = change.theme;
        let (new_name, new_color) = (name.clone(), color.clone());
        let saved = self.blocking(move |profile| {
            profile.change_settings(|settings| {
                if let Some(name) = new_name {
                    settings.name = name;
                    settings.named = true;
                }
                if let Some(color) = new_color {
                    settings.color = color;
                }
                settings.theme = theme.unwrap_or(settings.theme);
            })
        });
        let saved = saved.await;
        if let Some(name) = &name {
            let session = self.shared.session();
            let signer: Arc<dyn Signer> = Arc::clone(&session.identity) as Arc<dyn Signer>;
            *held(&session.own) = LocalActor::user(signer, name);
        }
        near::show(&self.shared, name, color).await;
        saved?;
        Ok(self.status().await)
    }

    /// The faults that a test can make here; `None` unless the peer was started with `lab: true`.
    ///
    /// ```
    /// # use parlor::{Config, Live};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (here, there) = (tempfile::tempdir()?, tempfile::tempdir()?);
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: here.path().into(), listen, multicast: false, ..Config::default() };
    /// # let other = Live::start(Config { data_dir: there.path().into(), ..config.clone() }).await?;
    /// let live = Live::start(Config { lab: true, ..config }).await?;
    /// let met = live.dial(&other.status().await.listen[0]).await?;
    /// let lab = live.lab().ok_or("started without a lab")?;
    /// lab.cut(&met.peer_id).await?;
    /// assert!(live.peers().await.is_empty());
    /// lab.crash().await;
    /// assert!(live.room("project_123").join(parlor::Join::new()).await.is_err());
    /// # other.close().await;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn lab(&self) -> Option<Lab> {
        Lab::of(&self.shared)
    }

    /// The directory of the profile.
    #[must_use]
    pub fn profile_dir(&self) -> &Path {
        self.shared.profile.dir()
    }

    /// Writes what is not on disk yet for at most 250 ms, leaves every room, tells the others for at most 500 ms, stops and
    /// frees the profile. Calls fail with `NETWORK_UNAVAILABLE` afterwards; closing twice is fine.
    ///
    /// ```
    /// # use parlor::{Config, ErrorCode, Join, Live};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// let room = live.room("project_123");
    /// room.join(Join::new()).await?;
    /// live.close().await; // the others are told that this person left
    /// assert_eq!(room.join(Join::new()).await.unwrap_err().code, ErrorCode::NetworkUnavailable);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn close(&self) {
        if let Some(upkeep) = held(&self.shared.upkeep).take() {
            upkeep.abort();
        }
        // A session that is about to begin is waited for, so that it ends as well.
        *self.shared.closed.lock().await = true;
        let session = self.shared.session();
        session.rooms.flush().await;
        session.net.shutdown().await;
        session.rooms.clear().await;
        let profile = Arc::clone(&self.shared.profile);
        // Freeing the profile cannot fail; a panic in it must not keep a program from ending.
        let _ = tokio::task::spawn_blocking(move || profile.release()).await;
        tracing::info!("the peer stopped");
    }

    /// A guest has none, and changes nobody's.
    pub(crate) fn own_profile(&self) -> Result<(), Error> {
        match &self.guest {
            Some(_) => Err(Error::new(ErrorCode::Forbidden, "a guest has no profile to change")),
            None => Ok(()),
        }
    }

    pub(crate) fn local_actor(&self) -> LocalActor {
        let session = self.shared.session();
        self.guest.as_ref().map_or_else(|| held(&session.own).clone(), |guest| guest.of(&session.identity))
    }

    pub(crate) fn net(&self) -> NetHandle {
        self.shared.session().net.clone()
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.shared.profile
    }

    pub(crate) fn rooms_open(&self) -> OpenRooms {
        self.shared.session().rooms.clone()
    }

    pub(crate) fn remember(&self, room: &RoomId, member: &MemberId) {
        held(&self.joined).insert(room.clone(), member.clone());
    }

    /// The member that this handle joined with. It is remembered beyond `leave`, so that a late update fails with
    /// `NOT_JOINED` rather than reach another member of the actor.
    pub(crate) fn remembered(&self, room: &RoomId) -> Option<MemberId> {
        held(&self.joined).get(room).cloned()
    }

    /// Puts a room that was joined among the recent ones. The join stands even if that cannot be saved.
    pub(crate) async fn opened(&self, room: &RoomId) {
        let room = room.clone();
        let saved = self.blocking(move |profile| profile.opened(&room, Timestamp(wall_ms()))).await;
        if let Err(error) = saved {
            self.shared.profile.notices.say(error.message);
        }
    }

    async fn blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Profile) -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Error> {
        let profile = Arc::clone(&self.shared.profile);
        tokio::task::spawn_blocking(move || work(&profile))
            .await
            .map_err(|error| Error::new(ErrorCode::StorageFailed, format!("saving the profile failed: {error}")))?
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("profile", &self.shared.profile.name()).field("actor", &self.actor()).finish()
    }
}

/// The wall clock in milliseconds since 1970.
pub(crate) fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
