//! One browser that was let in: a guest of this peer (design §1), with a key of its own that nobody else can ask for. What it
//! is called by is a random number that never leaves this process; its cookie is another.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use axum::extract::ws::close_code;
use parlor::{Error, ErrorCode, Leave, Live, PALETTE, ProfileChange, RoomId, UserId};
use subtle::ConstantTimeEq;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::purse::{ASKING, CALLING, Purse, SAYING, WRITING};
use super::{held, random};
use crate::server::Closing;
use crate::visitors::Visitor;

/// Answers that a guest is given at a time. One that is not read keeps what it says in memory.
const ANSWERS_MAX: usize = 2;
/// Sockets of one guest, one for each tab.
const SOCKETS_MAX: usize = 4;
/// Connections of one guest that are closed for nobody: as many as a browser has to one server, and its socket.
const CONNECTIONS_KNOWN: usize = 7;
const _: () =
    assert!(CONNECTIONS_KNOWN * super::GUESTS_MAX < super::CONNECTIONS.connections, "somebody new finds a place");
/// A socket is asked this often whether the other end is there…
const BEAT: Duration = Duration::from_secs(5);
/// …and is given up after this much silence: who carries a telephone out of the network closes nothing.
const SILENCE: Duration = Duration::from_secs(12);
/// A guest is shown for this long after the last sign.
const LINGERS: Duration = Duration::from_secs(12);
/// A guest who was not heard for this long makes place for another.
const AWAY: Duration = Duration::from_secs(60);

/// What a socket says to a guest when there is nothing to come back for.
pub(super) const OVER: (u16, &str) = (4001, "the room is not shared any more");

pub(crate) struct Guest {
    /// Where the guest came from.
    pub(super) from: IpAddr,
    /// What the profile calls the guest.
    id: String,
    state: Mutex<State>,
    closing: watch::Sender<bool>,
    /// One more for each socket.
    sockets: Arc<()>,
    pub(super) answers: Arc<Semaphore>,
}

struct State {
    /// What the cookie says.
    key: String,
    live: Live,
    name: String,
    color: String,
    named: bool,
    joined: bool,
    seen: Instant,
    asking: Purse,
    saying: Purse,
    writing: Purse,
    calling: Purse,
    /// Connections that were taken for the guest's.
    connections: Vec<Weak<Visitor>>,
}

impl Guest {
    pub(super) fn new(host: &Live, from: IpAddr) -> Result<Self, Error> {
        let id = format!("browser:{}", data_encoding::BASE32_NOPAD.encode(&random::<16>().map_err(no_numbers)?));
        let number = u64::from_le_bytes(random::<8>().map_err(no_numbers)?);
        let name = parlor::proposed_name(number);
        let place = usize::try_from(number % PALETTE.len() as u64).unwrap_or_default();
        let color = PALETTE.get(place).copied().unwrap_or_default().to_owned();
        let now = Instant::now();
        let state = State {
            key: new_key()?,
            live: host.acting_as(&id, Some(&name))?,
            name,
            color,
            named: false,
            joined: false,
            seen: now,
            asking: Purse::new(ASKING, now),
            saying: Purse::new(SAYING, now),
            writing: Purse::new(WRITING, now),
            calling: Purse::new(CALLING, now),
            connections: Vec::new(),
        };
        let closing = watch::Sender::new(false);
        let answers = Arc::new(Semaphore::new(ANSWERS_MAX));
        Ok(Self { from, id, state: Mutex::new(state), closing, sockets: Arc::default(), answers })
    }

    pub(super) fn has(&self, key: &str) -> bool {
        key.as_bytes().ct_eq(held(&self.state).key.as_bytes()).into()
    }

    /// Another cookie, instead of the one of before: that may have been put into this browser by somebody who has it too.
    pub(super) fn another_key(&self) -> Result<String, Error> {
        let key = new_key()?;
        held(&self.state).key.clone_from(&key);
        Ok(key)
    }

    /// The peer, for this guest.
    pub(super) fn live(&self) -> Live {
        held(&self.state).live.clone()
    }

    /// User id, name, colour, and whether the guest chose them.
    pub(super) fn look(&self) -> (UserId, String, String, bool) {
        let state = held(&self.state);
        (state.live.user_id(), state.name.clone(), state.color.clone(), state.named)
    }

    /// Takes a new name or colour. Who joins from then on is called by it.
    pub(super) fn change(&self, change: ProfileChange) -> Result<(), Error> {
        let ProfileChange { name, color, .. } = change;
        if let Some(color) = color.as_deref().filter(|color| !PALETTE.contains(color)) {
            let message = format!("{color:?} is no colour of the palette");
            return Err(Error::new(ErrorCode::InvalidPresence, message).at("color"));
        }
        let live = self.live();
        let named = name.as_deref().map(|name| live.acting_as(&self.id, Some(name))).transpose()?;
        let mut state = held(&self.state);
        if let Some(live) = named {
            state.name = live.actor().name;
            state.live = live;
            state.named = true;
        }
        state.color = color.unwrap_or_else(|| state.color.clone());
        Ok(())
    }

    /// Whether the guest may ask once more, by this connection.
    pub(super) fn asks(&self, visitor: Option<&Arc<Visitor>>) -> bool {
        let mut state = held(&self.state);
        let now = Instant::now();
        state.seen = now;
        if let Some(visitor) = visitor {
            state.connections.retain(|one| one.strong_count() > 0);
            let known = state.connections.iter().any(|one| one.as_ptr() == Arc::as_ptr(visitor));
            if !known && state.connections.len() < CONNECTIONS_KNOWN {
                state.connections.push(Arc::downgrade(visitor));
                visitor.is_known();
            }
        }
        state.asking.take(now)
    }

    /// Whether the guest may write so many cells.
    pub(super) fn writes(&self, cells: usize) -> bool {
        held(&self.state).writing.take_all(cells, Instant::now())
    }

    /// Whether the guest may say something that nobody keeps.
    pub(super) fn calls(&self) -> bool {
        held(&self.state).calling.take(Instant::now())
    }

    pub(super) fn joined(&self, joined: bool) {
        held(&self.state).joined = joined;
    }

    /// Whether the guest is in the room.
    pub(super) fn is_here(&self) -> bool {
        let state = held(&self.state);
        state.joined && (self.sockets() > 0 || state.seen.elapsed() < LINGERS)
    }

    /// Whether the guest would not notice if another took their place.
    pub(super) fn is_away(&self) -> bool {
        self.sockets() == 0 && held(&self.state).seen.elapsed() >= AWAY
    }

    /// Ends all streams of the guest.
    pub(super) fn end(&self) {
        self.closing.send_replace(true);
    }

    /// Takes the guest out of the room when a request of theirs may still be under way, which could join behind that: once
    /// all their answers are given.
    pub(super) async fn leave_for_good(&self, room: &RoomId) {
        self.leave(room).await;
        let all = self.answers.acquire_many(u32::try_from(ANSWERS_MAX).unwrap_or(u32::MAX));
        let _ = timeout(LINGERS, all).await;
        self.answers.close();
        self.leave(room).await;
    }

    /// Takes the guest out of the room.
    pub(super) async fn leave(&self, room: &RoomId) {
        let live = self.live();
        let member_id = Some(live.user_id().default_member());
        // A peer that was closed meanwhile has left with everybody.
        let _ = live.room(room.as_str()).leave(Leave { member_id }).await;
    }

    pub(super) fn closing(&self) -> Closing {
        Closing(self.closing.subscribe())
    }

    /// One more socket.
    pub(super) fn visit(self: &Arc<Self>) -> Result<Visit, Error> {
        if self.sockets() >= SOCKETS_MAX {
            let message = format!("{SOCKETS_MAX} sockets are open, which is as many as a browser may have");
            return Err(Error::new(ErrorCode::RateLimited, message));
        }
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (guest, socket) = (Arc::clone(self), Arc::clone(&self.sockets));
        Ok(Visit { guest, _socket: socket, heard: Instant::now(), beat })
    }

    fn sockets(&self) -> usize {
        Arc::strong_count(&self.sockets) - 1
    }
}

fn no_numbers(error: io::Error) -> Error {
    Error::new(ErrorCode::StorageFailed, format!("no random numbers: {error}"))
}

fn new_key() -> Result<String, Error> {
    Ok(data_encoding::BASE64URL_NOPAD.encode(&random::<32>().map_err(no_numbers)?))
}

/// What a guest's socket is held to.
pub(crate) struct Visit {
    guest: Arc<Guest>,
    _socket: Arc<()>,
    heard: Instant,
    beat: Interval,
}

impl Visit {
    /// Something came.
    ///
    /// # Errors
    /// How to close: it came too often.
    pub(crate) fn hears(&mut self) -> Result<(), (u16, &'static str)> {
        self.heard = Instant::now();
        if held(&self.guest.state).saying.take(self.heard) {
            Ok(())
        } else {
            Err((close_code::POLICY, "too many messages"))
        }
    }

    /// Returns when it is time to ask whether the other end is there: false when it was silent for too long. May be dropped.
    pub(crate) async fn beat(visit: &mut Option<Visit>) -> bool {
        match visit {
            None => std::future::pending().await,
            Some(visit) => {
                visit.beat.tick().await;
                visit.heard.elapsed() < SILENCE
            }
        }
    }
}
