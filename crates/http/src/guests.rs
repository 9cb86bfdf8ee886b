//! The listener that browsers of this network come to, each for one room (design A10). It has nothing of the local API but
//! its handlers: other routes, another secret, another guard. So it can reach less than that one, and that one stays as it is.
//!
//! A browser opens the link, whose secret stands in the fragment and so is in no request line, log or `Referer`. The page
//! gives it to `POST /enter` once and gets a cookie that no script can read and that goes to this listener alone. From then on
//! the cookie says which guest it is: `door` lets in who may come, `guest` is one browser, `routes` is all that there is to
//! ask. No path names a room: a listener has one, and no request can mean another.
//!
//! Who attacks here is anybody on the network, with or without the link, and any page that a guest has open. What they cannot
//! be kept from without `tls` is listening: everybody on the way reads along, cookie and all, and guests are told so.
//!
//! What this must never do: let in a name that is not an address of this computer, act for the profile's own person, or reach
//! anything of the peer beyond its room.

mod answer;
mod door;
mod guest;
mod purse;
mod routes;
mod term;
mod tls;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::future::join_all;
use parlor::{Error, ErrorCode, Live, RoomId, Share, ShareGuest, Timestamp, UserId, Welcome};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::server::Closing;
use crate::ui::UiFiles;
use crate::visitors::{ConnectionLimits, receive};

use guest::Guest;
pub(crate) use guest::Visit;
use purse::{ALL_CALLING, ALL_WRITING, Purse};
pub use routes::GUEST_ROUTES;
pub(crate) use term::Term;
pub(crate) use tls::Tls;

/// Browsers that one listener lets in.
const GUESTS_MAX: usize = 32;
/// Those of one address. Who empties their cookies is one more each time.
const GUESTS_EACH: usize = 8;
/// Connections of all of them together. A browser opens up to six, and one for its socket.
const CONNECTIONS: ConnectionLimits =
    ConnectionLimits { connections: 256, within: Duration::from_secs(10), stalled: Some(Duration::from_secs(10)) };
/// How long whoever ends sharing waits for it.
const END_WITHIN: Duration = Duration::from_secs(2);
/// Characters of a link's secret, of which each has five bits.
const TOKEN_BYTES: usize = 16;

/// What every request of a guest can reach.
pub(crate) struct Gate {
    live: Live,
    room: RoomId,
    /// What that room is for ever: guests of one room are not to be in another of its name.
    root: Option<[u8; 32]>,
    private: bool,
    pages: UiFiles,
    link: Mutex<Link>,
    /// Of the certificate, when what is said here is encrypted.
    fingerprint: Option<String>,
    /// The name of the cookie. All ports of an address share their cookies, so it names the port.
    cookie: String,
    port: u16,
    /// The one address that it listens at, unless it is all of this computer.
    only: Option<IpAddr>,
    /// Where browsers may come, and so what `Host` may be.
    addresses: Mutex<Vec<IpAddr>>,
    guests: Mutex<Vec<Arc<Guest>>>,
    strangers: purse::Strangers,
    /// Of all guests together.
    writing: Mutex<Purse>,
    calling: Mutex<Purse>,
    refused: Mutex<HashMap<ErrorCode, u32>>,
    term: Mutex<Term>,
    ended: AtomicBool,
}

/// What lets in.
struct Link {
    token: String,
    /// Of a private room, which of its keys was in force when the secret was made.
    epoch: Option<u32>,
}

impl Link {
    fn new(epoch: Option<u32>) -> io::Result<Self> {
        let token = data_encoding::BASE32_NOPAD.encode(&random::<TOKEN_BYTES>()?).to_ascii_lowercase();
        Ok(Self { token, epoch })
    }
}

/// A listener that runs. Dropping it ends it without telling anybody.
pub(crate) struct Running {
    gate: Arc<Gate>,
    closing: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    /// Begins to listen. Of a private room it is told which of its keys is in force.
    pub(crate) fn begin(
        live: Live,
        (room, epoch): (RoomId, Option<u32>),
        pages: UiFiles,
        listener: TcpListener,
        tls: Option<Tls>,
        term: Term,
    ) -> io::Result<Self> {
        let (addr, now) = (listener.local_addr()?, Instant::now());
        let gate = Arc::new(Gate {
            root: live.root_of(&room),
            live,
            room,
            private: epoch.is_some(),
            pages,
            link: Mutex::new(Link::new(epoch)?),
            // The prefix makes browsers refuse one that was not set here by TLS.
            cookie: format!("{}parlor-guest-{}", if tls.is_some() { "__Host-" } else { "" }, addr.port()),
            fingerprint: tls.as_ref().map(|tls| tls.fingerprint.clone()),
            port: addr.port(),
            only: (!addr.ip().is_unspecified()).then_some(addr.ip()),
            addresses: Mutex::default(),
            guests: Mutex::default(),
            strangers: purse::Strangers::default(),
            writing: Mutex::new(Purse::new(ALL_WRITING, now)),
            calling: Mutex::new(Purse::new(ALL_CALLING, now)),
            refused: Mutex::default(),
            term: Mutex::new(term),
            ended: AtomicBool::default(),
        });
        gate.look_at_addresses();
        let (closing, told) = watch::channel(false);
        let router = routes::router(Arc::clone(&gate));
        // Nobody is waited for: what is over is over at once.
        let way = tls.map(|tls| tls.acceptor);
        let receiving = receive(listener, way, router, CONNECTIONS, Default::default(), Closing(told), Duration::ZERO);
        Ok(Self { gate, closing, task: tokio::spawn(receiving) })
    }

    pub(crate) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Ends it, however long whoever wants that goes on waiting for it: a request may be given up, and its guests still
    /// leave. Returns when they have, or after [`END_WITHIN`].
    pub(crate) async fn end(self) {
        let ending = tokio::spawn(self.end_all());
        let _ = timeout(END_WITHIN, ending).await;
    }

    /// Nobody comes in or asks anything any more, and then its guests leave the room.
    async fn end_all(mut self) {
        self.gate.ended.store(true, Ordering::SeqCst);
        let guests: Vec<Arc<Guest>> = std::mem::take(&mut *held(&self.gate.guests));
        guests.iter().for_each(|guest| guest.end());
        self.closing.send_replace(true);
        // No request goes on after this, so none can join behind the leaves. A task that panicked is over too.
        let _ = (&mut self.task).await;
        join_all(guests.iter().map(|guest| guest.leave(&self.gate.room))).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Gate {
    /// The links are those of the addresses that this computer has at the moment.
    pub(crate) fn look_at_addresses(&self) {
        let addresses = self.only.map_or_else(|| offered(&self.live), |only| vec![only]);
        *held(&self.addresses) = addresses;
    }

    /// How the room is shared now.
    pub(crate) fn share(&self) -> Share {
        let token = held(&self.link).token.clone();
        let links = held(&self.addresses).iter().map(|ip| format!("{}/#{token}", self.origin(*ip))).collect();
        let guests = held(&self.guests).iter().filter(|guest| guest.is_here()).map(|guest| guest.shown()).collect();
        let refused = held(&self.refused).iter().map(|(code, count)| (code.as_str(), *count)).collect();
        let share = Share {
            room: self.room.clone(),
            link: String::new(),
            qr: Vec::new(),
            links: Vec::new(),
            encrypted: self.fingerprint.is_some(),
            fingerprint: self.fingerprint.clone(),
            guests,
            guests_max: u32::try_from(GUESTS_MAX).unwrap_or(u32::MAX),
            expires_at: self.expires_at(),
            refused,
        };
        share.with_links(links)
    }

    fn expires_at(&self) -> Timestamp {
        held(&self.term).ends_at(now_ms())
    }

    pub(crate) fn end_after(&self, term: Term) {
        *held(&self.term) = term;
    }

    /// Whether it listens there.
    pub(crate) fn listens(&self, address: Option<IpAddr>, port: Option<u16>, tls: Option<bool>) -> bool {
        let address = tls.is_none_or(|tls| tls == self.fingerprint.is_some())
            && address.is_none_or(|address| self.only == (!address.is_unspecified()).then_some(address));
        address && port.is_none_or(|port| port == 0 || port == self.port)
    }

    /// With a change of a private room's key, what was given before lets nobody in any more, and so this link too. Whoever
    /// is in stays.
    fn key_is(&self, epoch: u32) -> io::Result<()> {
        let mut link = held(&self.link);
        if link.epoch != Some(epoch) {
            *link = Link::new(Some(epoch))?;
        }
        Ok(())
    }

    /// The port that a link need not name.
    fn default_port(&self) -> u16 {
        if self.fingerprint.is_some() { 443 } else { 80 }
    }

    /// What browsers call the pages at one of our addresses.
    fn origin(&self, address: IpAddr) -> String {
        let scheme = if self.fingerprint.is_some() { "https" } else { "http" };
        match self.port == self.default_port() {
            true => format!("{scheme}://{}", door::bare(address)),
            false => format!("{scheme}://{}", SocketAddr::new(address, self.port)),
        }
    }

    /// Whether the person may go on to share it, and by which key: of a private room they may have been put out.
    pub(crate) async fn may_go_on(&self) -> bool {
        if !self.private {
            return true;
        }
        // Asked in nobody's name who is in there: it would be a sign of life of theirs, once a second.
        let Ok(live) = self.live.acting_as("share", None) else { return true };
        match live.room(self.room.as_str()).access().await {
            // A system without random numbers could not give another link.
            Ok(access) => access.is_some_and(|access| self.key_is(access.epoch).is_ok()),
            Err(error) => error.code != ErrorCode::Forbidden,
        }
    }

    /// Lets a guest write so many cells, if they and all of them together have not written too much.
    fn write(&self, guest: &Guest, cells: usize) -> Result<(), Error> {
        match guest.writes(cells) && held(&self.writing).take_all(cells, Instant::now()) {
            true => Ok(()),
            false => Err(Error::new(ErrorCode::RateLimited, "too much was written; try again in a few seconds")),
        }
    }

    /// Lets a guest say something that nobody keeps, likewise.
    fn call(&self, guest: &Guest) -> Result<(), Error> {
        match guest.calls() && held(&self.calling).take(Instant::now()) {
            true => Ok(()),
            false => Err(Error::new(ErrorCode::RateLimited, "too many messages; try again in a second")),
        }
    }

    /// Puts a guest out, and changes the link, by which they would come in again. Whoever else is in stays.
    pub(crate) async fn put_out(&self, user: &UserId) -> Result<(), Error> {
        let no_numbers = |error: io::Error| Error::new(ErrorCode::StorageFailed, format!("no random numbers: {error}"));
        let guest = {
            let mut guests = held(&self.guests);
            let place = guests
                .iter()
                .position(|guest| guest.look().0 == *user)
                .ok_or_else(|| Error::new(ErrorCode::NotFound, "no browser of this room is called so").at("putOut"))?;
            let mut link = held(&self.link);
            *link = Link::new(link.epoch).map_err(no_numbers)?;
            guests.remove(place)
        };
        guest.end();
        let room = self.room.clone();
        // Whoever asked may go away meanwhile.
        let leaving = tokio::spawn(async move { guest.leave_for_good(&room).await });
        let _ = timeout(END_WITHIN, leaving).await;
        Ok(())
    }

    /// How many browsers are in the room.
    pub(crate) fn guests_here(&self) -> usize {
        held(&self.guests).iter().filter(|guest| guest.is_here()).count()
    }

    /// Whether nobody is let in any more: it was ended, its time is over, or the name stands for another room by now.
    pub(crate) fn is_over(&self) -> bool {
        let ended = self.ended.load(Ordering::SeqCst) || held(&self.term).is_over();
        ended || self.live.root_of(&self.room) != self.root
    }

    /// Whether somebody has the link's secret.
    fn knows(&self, token: &str) -> bool {
        token.to_ascii_lowercase().as_bytes().ct_eq(held(&self.link).token.as_bytes()).into()
    }

    /// Whose cookie it is.
    fn guest(&self, key: &str) -> Option<Arc<Guest>> {
        held(&self.guests).iter().find(|guest| guest.has(key)).cloned()
    }

    /// One more. When there are as many as there may be, whoever is away goes for them.
    fn admit(&self, from: IpAddr) -> Result<Arc<Guest>, Error> {
        let guest = Arc::new(Guest::new(&self.live, from)?);
        let mut guests = held(&self.guests);
        // Whoever ended this has taken the list, and would not find the one who comes after.
        if self.is_over() {
            return Err(over());
        }
        let from_there = guests.iter().filter(|guest| guest.from == from).count() >= GUESTS_EACH;
        if from_there || guests.len() >= GUESTS_MAX {
            let goes = |guest: &Arc<Guest>| guest.is_away() && (!from_there || guest.from == from);
            let away = guests.iter().position(goes).ok_or_else(|| {
                let (most, what) = match from_there {
                    true => (GUESTS_EACH, "browsers came from your address"),
                    false => (GUESTS_MAX, "browsers are in this room"),
                };
                let message = format!("{most} {what}, which is as many as may be");
                Error::new(ErrorCode::RateLimited, message).limit("guests", most, most + 1, "")
            })?;
            let away = guests.remove(away);
            away.end();
            let room = self.room.clone();
            tokio::spawn(async move { away.leave_for_good(&room).await });
        }
        guests.push(Arc::clone(&guest));
        Ok(guest)
    }

    async fn welcome(&self, guest: &Guest) -> Welcome {
        let host = self.live.status().await.name;
        let (user_id, name, color, named) = guest.look();
        let (room, private, expires_at) = (self.room.clone(), self.private, self.expires_at());
        Welcome { room, private, user_id, name, color, named, host, encrypted: self.fingerprint.is_some(), expires_at }
    }

    fn count(&self, code: ErrorCode) {
        let mut refused = held(&self.refused);
        let count = refused.entry(code).or_default();
        *count = count.saturating_add(1);
    }
}

impl Guest {
    fn shown(&self) -> ShareGuest {
        let (user_id, name, ..): (UserId, String, String, bool) = self.look();
        ShareGuest { user_id, name }
    }
}

/// Addresses to offer: all of one kind, since a listener has one.
pub(crate) fn offered(live: &Live) -> Vec<IpAddr> {
    let mut addresses = live.addresses();
    let four = addresses.iter().any(IpAddr::is_ipv4);
    addresses.retain(|address| address.is_ipv4() == four);
    addresses
}

fn over() -> Error {
    Error::new(ErrorCode::Unauthorized, "this room is not shared any more; ask for a new link")
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

/// The wall clock, by which people count hours.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What somebody who panicked left is still whole: each change is one assignment.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
