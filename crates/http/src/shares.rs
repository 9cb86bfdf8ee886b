//! Which rooms of a peer are shared to browsers: the operations `share` and `change_share`, and the listeners that they begin
//! and end (see `guests`). The list belongs to the peer: the local API and the window switch the same one. It is in memory
//! only, so a peer that starts shares nothing.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use futures::future::join_all;
use parlor::{ActorKind, Error, ErrorCode, Live, RoomId, Share, ShareChange, UserId};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::time::{MissedTickBehavior, interval};

use crate::guests::{Running, Term, Tls, now_ms, offered};
use crate::openapi::{InRoom, refuses};
use crate::problem::Problem;
use crate::request::{Args, Caller, RoomName};
use crate::server::App;
use crate::ui::UiFiles;

/// Rooms that are shared at a time.
const SHARES_MAX: usize = 4;
/// The port, and how many after it are tried when it is taken.
const PORT: u16 = 4767;
const PORTS: u16 = 9;
/// Minutes until sharing ends by itself, unless they are given; a working day, and at most a whole one.
const MINUTES: u32 = 480;
pub(crate) const MINUTES_MAX: u32 = 1440;
/// How often it is seen to that sharing ends in time, and that the links are those of the addresses of the moment.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where the pages for browsers are, asked when a room is shared first.
type Pages = dyn Fn() -> io::Result<UiFiles> + Send + Sync;

/// The rooms of one peer that are shared to browsers. Dropping the last handle ends the listeners without a word; call
/// [`end`](Shares::end).
#[derive(Clone)]
pub struct Shares(Arc<All>);

struct All {
    live: Live,
    pages: Box<Pages>,
    running: Mutex<BTreeMap<RoomId, Running>>,
}

impl Shares {
    /// None yet. `pages` is asked for the user interface when a room is shared.
    pub fn new(live: Live, pages: impl Fn() -> io::Result<UiFiles> + Send + Sync + 'static) -> Self {
        Self(Arc::new(All { live, pages: Box::new(pages), running: Mutex::default() }))
    }

    /// How a room is shared; nothing when it is not.
    ///
    /// # Errors
    /// `INVALID_ROOM_ID`.
    pub async fn share(&self, room: &str) -> Result<Option<Share>, Error> {
        let room = RoomId::new(room)?;
        Ok(self.0.running.lock().await.get(&room).map(|running| running.gate().share()))
    }

    /// Begins to share a room, or ends it. A room that is shared already keeps its link and its guests, unless another
    /// address or port is asked for; minutes that are given count from now.
    ///
    /// # Errors
    /// Those of reading a room; `INVALID_TICKET` for what is no address of this computer, `INVALID_LIMIT` for minutes out of
    /// bounds, `TOO_MANY_ROOMS` when four are shared, `NOT_FOUND` when this peer has no pages for browsers, or there is no
    /// such guest to put out,
    /// `NETWORK_UNAVAILABLE` when the port is taken. Nothing was
    /// changed, but that a room whose address or port was to change is shared no more.
    pub async fn change(&self, room: &str, change: ShareChange) -> Result<Option<Share>, Error> {
        let room = RoomId::new(room)?;
        if !change.on {
            self.stop(&room).await;
            return Ok(None);
        }
        if let Some(user) = &change.put_out {
            return self.put_out(&room, user).await.map(Some);
        }
        let address = change.address.as_deref().map(parsed).transpose()?;
        if let Some(minutes) = change.minutes.filter(|minutes| !(1..=MINUTES_MAX).contains(minutes)) {
            let message = format!("minutes is {minutes}; a whole number from 1 to {MINUTES_MAX} is allowed");
            return Err(Error::new(ErrorCode::InvalidLimit, message).at("minutes"));
        }
        self.begin(room, (address, change.port, change.tls), change.minutes.map(in_minutes)).await.map(Some)
    }

    async fn begin(
        &self,
        room: RoomId,
        (address, port, tls): (Option<IpAddr>, Option<u16>, Option<bool>),
        term: Option<Term>,
    ) -> Result<Share, Error> {
        let mut running = self.0.running.lock().await;
        if let Some(already) = running.get(&room).filter(|running| running.gate().listens(address, port, tls)) {
            if let Some(term) = term {
                already.gate().end_after(term);
            }
            return Ok(already.gate().share());
        }
        // Whoever cannot come in themselves has nothing to share.
        let epoch = self.0.live.room(room.as_str()).access().await?.map(|access| access.epoch);
        let pages = self.pages().await?;
        if address.is_none() && offered(&self.0.live).is_empty() {
            let message = "this computer has no address at which browsers could reach it";
            return Err(Error::new(ErrorCode::NetworkUnavailable, message));
        }
        if running.len() >= SHARES_MAX && !running.contains_key(&room) {
            let message = format!("{SHARES_MAX} rooms are shared, which is as many as may be; end one of them");
            return Err(Error::new(ErrorCode::TooManyRooms, message));
        }
        let tls = match tls {
            Some(true) => Some(Tls::for_addresses(&address.map_or_else(|| offered(&self.0.live), |one| vec![one]))),
            _ => None,
        };
        let tls = tls
            .transpose()
            .map_err(|error| Error::new(ErrorCode::StorageFailed, format!("cannot make a certificate: {error}")))?;
        if let Some(before) = running.remove(&room) {
            before.end().await;
        }
        let listener = listen(address.unwrap_or_else(|| everywhere(&self.0.live)), port).await?;
        let term = term.unwrap_or_else(|| in_minutes(MINUTES));
        let begun = Running::begin(self.0.live.clone(), (room.clone(), epoch), pages, listener, tls, term);
        let begun = begun.map_err(|error| Error::new(ErrorCode::NetworkUnavailable, error.to_string()))?;
        let share = begun.gate().share();
        tokio::spawn(keep(Arc::downgrade(&self.0), room.clone(), Arc::downgrade(begun.gate())));
        running.insert(room, begun);
        Ok(share)
    }

    async fn put_out(&self, room: &RoomId, user: &UserId) -> Result<Share, Error> {
        let gate = self.0.running.lock().await.get(room).map(|running| Arc::clone(running.gate()));
        let gate = gate.ok_or_else(|| Error::new(ErrorCode::NotFound, "the room is not shared to browsers"))?;
        gate.put_out(user).await?;
        Ok(gate.share())
    }

    /// How many rooms are shared, and how many browsers are in them.
    pub(crate) async fn figures(&self) -> (usize, usize) {
        let running = self.0.running.lock().await;
        (running.len(), running.values().map(|running| running.gate().guests_here()).sum())
    }

    /// Ends sharing a room, if it is shared: its guests are out of it when this returns.
    pub async fn stop(&self, room: &RoomId) {
        let running = self.0.running.lock().await.remove(room);
        if let Some(running) = running {
            running.end().await;
        }
    }

    /// Ends sharing a room that the profile's own person forgets.
    ///
    /// # Errors
    /// `INVALID_ROOM_ID`.
    pub async fn forget(&self, who: &Live, room: &str) -> Result<(), Error> {
        let room = RoomId::new(room)?;
        if own_person(who).is_ok() {
            self.stop(&room).await;
        }
        Ok(())
    }

    /// Ends sharing all rooms.
    pub async fn end(&self) {
        let all = std::mem::take(&mut *self.0.running.lock().await);
        join_all(all.into_values().map(Running::end)).await;
    }

    async fn pages(&self) -> Result<UiFiles, Error> {
        let all = Arc::clone(&self.0);
        let read = tokio::task::spawn_blocking(move || (all.pages)())
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)));
        let missing =
            |why: &str| Error::new(ErrorCode::NotFound, format!("this peer has no pages for browsers: {why}"));
        read.map_err(|error| missing(&error.to_string()))?
            .for_guests()
            .ok_or_else(|| missing("the user interface was built by an older version"))
    }
}

fn in_minutes(minutes: u32) -> Term {
    Term::of(Duration::from_secs(u64::from(minutes) * 60), now_ms())
}

/// Where to listen when nobody says: at all addresses, or on loopback when the peer itself is nowhere else.
fn everywhere(live: &Live) -> IpAddr {
    match offered(live).first() {
        Some(only) if only.is_loopback() => *only,
        Some(IpAddr::V6(_)) => Ipv6Addr::UNSPECIFIED.into(),
        _ => Ipv4Addr::UNSPECIFIED.into(),
    }
}

fn parsed(address: &str) -> Result<IpAddr, Error> {
    let wrong =
        |_| Error::new(ErrorCode::InvalidTicket, format!("{address:?} is no address; give one such as 192.168.1.20"));
    address.trim().parse().map_err(wrong).map_err(|error| error.at("address"))
}

async fn listen(address: IpAddr, port: Option<u16>) -> Result<TcpListener, Error> {
    let ports = port.map_or(PORT..=PORT + PORTS, |port| port..=port);
    let mut last = None;
    for port in ports.clone() {
        match TcpListener::bind(SocketAddr::new(address, port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = Some(error),
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
                let message = format!("{address} is no address of this computer");
                return Err(Error::new(ErrorCode::InvalidTicket, message).at("address"));
            }
            Err(error) => {
                let message = format!("cannot listen on {}: {error}", SocketAddr::new(address, port));
                return Err(Error::new(ErrorCode::NetworkUnavailable, message));
            }
        }
    }
    let taken = if port.is_some() { "the port is" } else { "all ports for it are" };
    let why = last.map(|error| format!(" ({error})")).unwrap_or_default();
    let message = format!("{taken} in use by another program, {} to {}{why}", ports.start(), ports.end());
    Err(Error::new(ErrorCode::NetworkUnavailable, message).at("port"))
}

/// Sees to it that sharing ends in time, with the session of the peer, since another has other guests, and when the peer is
/// put out of its private room; and that a change of that room's key changes the link.
async fn keep(all: Weak<All>, room: RoomId, gate: Weak<crate::guests::Gate>) {
    let mut every = interval(LOOK_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let Some(mut sessions) = all.upgrade().map(|all| all.live.sessions()) else { return };
    sessions.mark_unchanged();
    loop {
        every.tick().await;
        let (Some(all), Some(gate)) = (all.upgrade(), gate.upgrade()) else { return };
        gate.look_at_addresses();
        if gate.may_go_on().await && !gate.is_over() && !sessions.has_changed().unwrap_or(true) {
            continue;
        }
        let running = {
            let mut running = all.running.lock().await;
            // Another may have taken its place.
            match running.get(&room) {
                Some(same) if Arc::ptr_eq(same.gate(), &gate) => running.remove(&room),
                _ => None,
            }
        };
        if let Some(running) = running {
            running.end().await;
        }
        return;
    }
}

fn own_person(live: &Live) -> Result<(), Error> {
    match live.actor().kind {
        ActorKind::User => Ok(()),
        ActorKind::Guest => Err(Error::new(ErrorCode::Forbidden, "only the profile's own person shares rooms")),
    }
}

/// How a room is shared to browsers
///
/// `null` when it is not. Only the profile's own person is told.
#[utoipa::path(
    get, path = "/rooms/{room}/share", operation_id = "share", tag = "rooms", params(InRoom),
    responses((status = 200, description = "The link, and who came by it.", body = Option<Share>), refuses::Shared),
)]
pub(crate) async fn share(
    State(app): State<Arc<App>>,
    Caller(live): Caller,
    RoomName(room): RoomName,
) -> Result<Json<Option<Share>>, Problem> {
    own_person(&live)?;
    Ok(Json(app.shares.share(&room).await?))
}

/// Share a room to browsers, or end it
///
/// Begins a listener on the network for this one room: whoever opens the link in a browser comes in as a guest of this peer.
/// What goes to browsers is not encrypted unless `tls` is asked for, of whose certificate browsers warn. It ends by itself after
/// `minutes`, 480 when missing, and with the peer. Ending it takes all of its guests out of the room at once, and no link of
/// before lets anybody in again. With `putOut` that guest alone is put out, and the link is another. Only the profile's own person may, for four rooms at a time.
#[utoipa::path(
    post, path = "/rooms/{room}/share", operation_id = "change_share", tag = "rooms", params(InRoom),
    request_body = ShareChange,
    responses((status = 200, description = "How it is shared now; `null` when it is not.", body = Option<Share>), refuses::ChangeShare),
)]
pub(crate) async fn change_share(
    State(app): State<Arc<App>>,
    Caller(live): Caller,
    RoomName(room): RoomName,
    Args(change): Args<ShareChange>,
) -> Result<Json<Option<Share>>, Problem> {
    own_person(&live)?;
    Ok(Json(app.shares.change(&room, change).await?))
}

#[cfg(test)]
mod tests {
    use parlor::Config;
    use tokio::net::TcpStream;
    use tokio::time::{sleep, timeout};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(15);

    async fn shares(dir: &std::path::Path) -> (Live, Shares) {
        let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
        let config = Config { data_dir: dir.into(), listen, multicast: false, ..Config::default() };
        let live = Live::start(config).await.expect("a peer");
        let pages = || UiFiles::of(["/index.html", "/guest.html"].map(|path| (path.to_owned(), Vec::new())));
        let shares = Shares::new(live.clone(), pages);
        (live, shares)
    }

    fn port(share: &Share) -> u16 {
        let (_, rest) = share.link.rsplit_once(':').expect("a port");
        rest.split('/').next().and_then(|port| port.parse().ok()).expect("a port")
    }

    async fn until_over(shares: &Shares, share: &Share) {
        let over = async {
            while shares.share("r").await.expect("an answer").is_some()
                || TcpStream::connect((Ipv4Addr::LOCALHOST, port(share))).await.is_ok()
            {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, over).await.expect("over in time");
    }

    #[tokio::test]
    async fn it_ends_by_itself() {
        let dir = tempfile::tempdir().expect("a directory");
        let (live, shares) = shares(dir.path()).await;
        let room = RoomId::new("r").expect("a room");
        let share = shares
            .begin(room, (None, Some(0), None), Some(Term::of(Duration::from_millis(1_500), now_ms())))
            .await
            .expect("shared");
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port(&share))).await.is_ok());
        until_over(&shares, &share).await;
        live.close().await;
    }

    #[tokio::test]
    async fn it_ends_with_the_session_of_the_peer() {
        let dir = tempfile::tempdir().expect("a directory");
        let (live, shares) = shares(dir.path()).await;
        let on = ShareChange { on: true, port: Some(0), ..ShareChange::default() };
        let share = shares.change("r", on).await.expect("shared").expect("a share");
        live.new_identity().await.expect("somebody new");
        until_over(&shares, &share).await;
        live.close().await;
    }

    #[tokio::test]
    async fn what_is_asked_for_is_held_against_what_there_is() {
        let dir = tempfile::tempdir().expect("a directory");
        let (live, shares) = shares(dir.path()).await;
        let code =
            async |room: &str, change: ShareChange| shares.change(room, change).await.map_err(|error| error.code);
        let on = ShareChange { on: true, port: Some(0), ..ShareChange::default() };
        for (change, wrong) in [
            (ShareChange { address: Some("here".into()), ..on.clone() }, ErrorCode::InvalidTicket),
            (ShareChange { address: Some("192.0.2.7".into()), ..on.clone() }, ErrorCode::InvalidTicket),
            (ShareChange { minutes: Some(0), ..on.clone() }, ErrorCode::InvalidLimit),
            (ShareChange { minutes: Some(1441), ..on.clone() }, ErrorCode::InvalidLimit),
        ] {
            assert_eq!(code("r", change.clone()).await, Err(wrong), "{change:?}");
        }
        assert_eq!(code("..", on.clone()).await, Err(ErrorCode::InvalidRoomId));
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = taken.local_addr().expect("an address").port();
        let there = ShareChange { port: Some(port), ..on.clone() };
        assert_eq!(code("r", there).await, Err(ErrorCode::NetworkUnavailable));
        assert_eq!(shares.share("r").await, Ok(None), "none of them began anything");

        let first = code("r", on.clone()).await.expect("shared").expect("a share");
        let again = code("r", on.clone()).await.expect("shared").expect("a share");
        assert_eq!(first.link, again.link, "who has the link keeps it");
        for room in ["a", "b", "c"] {
            code(room, on.clone()).await.expect("shared");
        }
        assert_eq!(code("d", on).await, Err(ErrorCode::TooManyRooms));
        shares.end().await;
        assert_eq!(shares.share("r").await, Ok(None));
        live.close().await;
    }
}
