//! One step of a recording, and its bytes: how much later than the last one, what it was, and what came with it.
//!
//! Sessions and actors are written out once and then by number, and a frame is the bytes that came. Kinds of steps are only
//! ever appended. Nothing that is read is trusted (design N10).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::access::AccessChange;
use crate::board::BoardChange;
use crate::calls::Lease;
use crate::command::{Join, Leave, MetadataChange, PresenceChange};
use crate::handover::NewKey;
use crate::ids::{PublicKey, Rev, Seq, SessionId, Tick, UserId};
use crate::input::{DownCause, Path, Verdict};
use crate::limits::{NAME_MAX, PAGE_MAX};
use crate::message::Publish;
use crate::proof::LocalActor;
use crate::replica::Continuation;
use crate::value::{self, read_varint, take, write_varint};
use crate::view::ActorKind;

/// Where one piece of a reel ends and the next begins: whole pieces are shared with whoever asks for them.
const PIECE: usize = 64 * 1024;
/// No tick, no wall clock and no counter of a recording is beyond this, so that no sum of them overflows.
pub(super) const NUMBER_MAX: u64 = 1 << 48;

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// When.
    pub at: Tick,
    /// Everything that there was to fetch was fetched before it.
    pub polled: bool,
    /// Signatures of it that did not hold, by their turn.
    pub refused: Vec<u32>,
    pub what: What,
}

/// What it was.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    Frame {
        author: SessionId,
        via: SessionId,
        path: Path,
        verdict: Verdict,
        bytes: Vec<u8>,
    },
    LinkUp {
        peer: SessionId,
        loopback: bool,
    },
    LinkDown {
        peer: SessionId,
        cause: DownCause,
    },
    RoundTrip {
        peer: SessionId,
        us: u32,
    },
    /// With a hash of the state after it.
    Wall {
        unix_ms: u64,
        mark: Option<u64>,
    },
    Resumed,
    OwnOutage(bool),
    Timeout,
    Call {
        who: Who,
        call: Call,
    },
    LeaveAll,
    Stay,
    Touch(UserId),
    /// What was kept of a private room.
    Restore(Vec<Vec<u8>>),
    /// What was kept of any room.
    RestoreCells(Vec<Vec<u8>>),
    /// What was told in front of the room.
    Porch(Vec<u8>),
    UseKey {
        epoch: u32,
        commitment: [u8; 32],
    },
    Outrank,
    Continue(Continuation),
    /// Nothing happened: the recording was taken here, and this was the hash of the state.
    Mark(u64),
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    pub key: PublicKey,
    pub name: String,
    /// The host of a guest.
    pub via: Option<UserId>,
}

/// A call with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Call {
    Join(Join, Lease),
    Presence(PresenceChange),
    Leave(Leave),
    Metadata(MetadataChange),
    Board(BoardChange),
    Say(Publish),
    Access(AccessChange),
    ChangeKey(NewKey),
    /// One that was refused for its arguments, which are too deep to be read.
    Unreadable,
}

/// The names of calls, as they are written. Append only.
pub(crate) mod call {
    pub const JOIN: u8 = 0;
    pub const JOIN_CLIENT: u8 = 1;
    pub const PRESENCE: u8 = 2;
    pub const LEAVE: u8 = 3;
    pub const METADATA: u8 = 4;
    pub const BOARD: u8 = 5;
    pub const SAY: u8 = 6;
    pub const ACCESS: u8 = 7;
    pub const CHANGE_KEY: u8 = 8;
}

/// Arguments of `join` without the ticket, which has the secret of a room.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct Unticketed(Join);

impl Unticketed {
    pub fn of(join: &Join) -> Self {
        Unticketed(Join { ticket: None, ..join.clone() })
    }
}

impl Who {
    pub fn of(who: &LocalActor) -> Self {
        let via = (who.actor.kind == ActorKind::Guest).then(|| who.actor.via.clone()).flatten();
        Who { key: who.signer.public_key(), name: who.actor.name.clone(), via }
    }
}

impl Call {
    pub fn name(&self) -> Option<u8> {
        Some(match self {
            Call::Join(_, Lease::Own) => call::JOIN,
            Call::Join(_, Lease::Client) => call::JOIN_CLIENT,
            Call::Presence(_) => call::PRESENCE,
            Call::Leave(_) => call::LEAVE,
            Call::Metadata(_) => call::METADATA,
            Call::Board(_) => call::BOARD,
            Call::Say(_) => call::SAY,
            Call::Access(_) => call::ACCESS,
            Call::ChangeKey(_) => call::CHANGE_KEY,
            Call::Unreadable => return None,
        })
    }

    fn args(&self) -> Value {
        let args = match self {
            Call::Join(args, _) => serde_json::to_value(args),
            Call::Presence(args) => serde_json::to_value(args),
            Call::Leave(args) => serde_json::to_value(args),
            Call::Metadata(args) => serde_json::to_value(args),
            Call::Board(args) => serde_json::to_value(args),
            Call::Say(args) => serde_json::to_value(args),
            Call::Access(args) => serde_json::to_value(args),
            Call::ChangeKey(args) => serde_json::to_value(args),
            Call::Unreadable => Ok(Value::Null),
        };
        args.unwrap_or_default()
    }

    fn read(name: u8, args: &[u8]) -> Option<Call> {
        fn of<T: DeserializeOwned>(args: Value, call: impl FnOnce(T) -> Call) -> Call {
            serde_json::from_value(args).map_or(Call::Unreadable, call)
        }
        let Some(args) = value::decode_args(args) else {
            return (name <= call::CHANGE_KEY).then_some(Call::Unreadable);
        };
        Some(match name {
            call::JOIN => of(args, |args| Call::Join(args, Lease::Own)),
            call::JOIN_CLIENT => of(args, |args| Call::Join(args, Lease::Client)),
            call::PRESENCE => of(args, Call::Presence),
            call::LEAVE => of(args, Call::Leave),
            call::METADATA => of(args, Call::Metadata),
            call::BOARD => of(args, Call::Board),
            call::SAY => of(args, Call::Say),
            call::ACCESS => of(args, Call::Access),
            call::CHANGE_KEY => of(args, Call::ChangeKey),
            _ => return None,
        })
    }
}

const FRAME: u8 = 0;
const LINK_UP: u8 = 1;
const LINK_DOWN: u8 = 2;
const ROUND_TRIP: u8 = 3;
const WALL: u8 = 4;
const RESUMED: u8 = 5;
const OWN_OUTAGE: u8 = 6;
const TIMEOUT: u8 = 7;
const CALL: u8 = 8;
const LEAVE_ALL: u8 = 9;
const TOUCH: u8 = 10;
const RESTORE: u8 = 11;
const RESTORE_CELLS: u8 = 12;
const PORCH: u8 = 13;
const USE_KEY: u8 = 14;
const OUTRANK: u8 = 15;
const CONTINUE: u8 = 16;
const MARK: u8 = 17;
const STAY: u8 = 18;
/// In the byte of the kind.
const POLLED: u8 = 0x40;
const REFUSED: u8 = 0x80;

/// Writes steps down.
#[derive(Clone)]
pub(crate) struct Ink {
    whole: Vec<Arc<Vec<u8>>>,
    open: Vec<u8>,
    bytes: usize,
    steps: usize,
    last: Tick,
    sessions: BTreeMap<SessionId, u64>,
    actors: Vec<Who>,
    /// The flags of the step that is written.
    flags: u8,
    refused: Vec<u32>,
}

impl Ink {
    pub fn new(began: Tick) -> Self {
        Ink {
            whole: Vec::new(),
            open: Vec::new(),
            bytes: 0,
            steps: 0,
            last: began,
            sessions: BTreeMap::new(),
            actors: Vec::new(),
            flags: 0,
            refused: Vec::new(),
        }
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn steps(&self) -> usize {
        self.steps
    }

    /// All pieces, to be read one after the other.
    pub fn copy(&self) -> Vec<Arc<Vec<u8>>> {
        self.whole.iter().cloned().chain([Arc::new(self.open.clone())]).collect()
    }

    /// One step; `write` writes what it was.
    pub fn step(&mut self, at: Tick, polled: bool, refused: &[u32], write: impl FnOnce(&mut Ink)) {
        let before = self.open.len();
        write_varint(at.since(self.last), &mut self.open);
        self.last = self.last.max(at);
        self.flags = if polled { POLLED } else { 0 } | if refused.is_empty() { 0 } else { REFUSED };
        self.refused.clear();
        self.refused.extend_from_slice(refused);
        write(self);
        self.steps += 1;
        self.bytes += self.open.len() - before;
        if self.open.len() >= PIECE {
            self.whole.push(Arc::new(std::mem::take(&mut self.open)));
        }
    }

    pub fn frame(&mut self, (author, via, path): (SessionId, SessionId, Path), bytes: &[u8], verdict: Verdict) {
        self.kind(FRAME);
        self.session(&author);
        self.session(&via);
        let verdict = match verdict {
            Verdict::Accept => 0,
            Verdict::Ignore => 1,
            Verdict::Reject => 2,
        };
        self.open.push(verdict | if path == Path::Direct { 4 } else { 0 });
        self.put(bytes);
    }

    pub fn call(&mut self, who: &LocalActor, name: u8, args: &Value) {
        self.call_of(&Who::of(who), name, args);
    }

    fn call_of(&mut self, who: &Who, name: u8, args: &Value) {
        self.kind(CALL);
        let known = self.actors.iter().position(|known| known == who);
        write_varint(known.unwrap_or(self.actors.len()) as u64, &mut self.open);
        if known.is_none() {
            self.open.extend_from_slice(&who.key.0);
            self.put(who.name.as_bytes());
            self.put(who.via.as_ref().map_or("", UserId::as_str).as_bytes());
            self.actors.push(who.clone());
        }
        self.open.push(name);
        let args = value::encode(args);
        self.put(&args);
    }

    pub fn write(&mut self, what: &What) {
        match what {
            What::Frame { author, via, path, verdict, bytes } => self.frame((*author, *via, *path), bytes, *verdict),
            What::LinkUp { peer, loopback } => {
                self.kind(LINK_UP);
                self.session(peer);
                self.open.push(u8::from(*loopback));
            }
            What::LinkDown { peer, cause } => {
                self.kind(LINK_DOWN);
                self.session(peer);
                self.open.push(match cause {
                    DownCause::Closed => 0,
                    DownCause::TimedOut => 1,
                    DownCause::Unsubscribed => 2,
                });
            }
            What::RoundTrip { peer, us } => {
                self.kind(ROUND_TRIP);
                self.session(peer);
                self.number(u64::from(*us));
            }
            What::Wall { unix_ms, mark } => {
                self.kind(WALL);
                self.number(*unix_ms);
                self.open.push(u8::from(mark.is_some()));
                mark.iter().for_each(|mark| self.open.extend_from_slice(&mark.to_le_bytes()));
            }
            What::Resumed => self.kind(RESUMED),
            What::OwnOutage(out) => {
                self.kind(OWN_OUTAGE);
                self.open.push(u8::from(*out));
            }
            What::Timeout => self.kind(TIMEOUT),
            What::Call { who, call } => {
                let args = call.args();
                self.call_of(who, call.name().unwrap_or(call::LEAVE), &args);
            }
            What::LeaveAll => self.kind(LEAVE_ALL),
            What::Stay => self.kind(STAY),
            What::Touch(user) => {
                self.kind(TOUCH);
                self.put(user.as_str().as_bytes());
            }
            What::Restore(frames) => {
                self.kind(RESTORE);
                self.list(frames);
            }
            What::RestoreCells(cells) => {
                self.kind(RESTORE_CELLS);
                self.list(cells);
            }
            What::Porch(bytes) => {
                self.kind(PORCH);
                self.put(bytes);
            }
            What::UseKey { epoch, commitment } => {
                self.kind(USE_KEY);
                self.number(u64::from(*epoch));
                self.open.extend_from_slice(commitment);
            }
            What::Outrank => self.kind(OUTRANK),
            What::Continue(from) => {
                self.kind(CONTINUE);
                let (seq, rev, incarnations) = from.parts();
                [seq.0, rev.0, u64::from(incarnations)].into_iter().for_each(|number| self.number(number));
            }
            What::Mark(mark) => {
                self.kind(MARK);
                self.open.extend_from_slice(&mark.to_le_bytes());
            }
        }
    }

    fn kind(&mut self, kind: u8) {
        self.open.push(kind | self.flags);
        if self.flags & REFUSED != 0 {
            let refused = std::mem::take(&mut self.refused);
            self.number(refused.len() as u64);
            refused.iter().for_each(|turn| self.number(u64::from(*turn)));
        }
    }

    fn number(&mut self, number: u64) {
        write_varint(number, &mut self.open);
    }

    fn session(&mut self, session: &SessionId) {
        let next = self.sessions.len() as u64;
        let known = self.sessions.get(session).copied();
        self.number(known.unwrap_or(next));
        if known.is_none() {
            self.open.extend_from_slice(&session.0);
            self.sessions.insert(*session, next);
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.open.extend_from_slice(bytes);
    }

    fn list(&mut self, all: &[Vec<u8>]) {
        self.number(all.len() as u64);
        all.iter().for_each(|bytes| self.put(bytes));
    }
}

/// Reads steps; nothing where the bytes are none.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    last: Tick,
    sessions: Vec<SessionId>,
    actors: Vec<Who>,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8], began: Tick) -> Self {
        Reader { rest: bytes, last: began, sessions: Vec::new(), actors: Vec::new() }
    }

    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn step(&mut self) -> Option<Step> {
        let at = Tick(self.last.0.checked_add(self.varint()?).filter(|at| *at <= NUMBER_MAX)?);
        self.last = at;
        let kind = self.byte()?;
        let mut refused = Vec::new();
        if kind & REFUSED != 0 {
            for _ in 0..self.count()? {
                refused.push(u32::try_from(self.varint()?).ok()?);
            }
        }
        let what = self.what(kind & !(POLLED | REFUSED))?;
        Some(Step { at, polled: kind & POLLED != 0, refused, what })
    }

    fn what(&mut self, kind: u8) -> Option<What> {
        Some(match kind {
            FRAME => {
                let (author, via, flags) = (self.session()?, self.session()?, self.byte()?);
                let path = if flags & 4 == 0 { Path::Gossip } else { Path::Direct };
                let verdict = match flags & !4 {
                    0 => Verdict::Accept,
                    1 => Verdict::Ignore,
                    2 => Verdict::Reject,
                    _ => return None,
                };
                What::Frame { author, via, path, verdict, bytes: self.bytes(2 * PAGE_MAX)? }
            }
            LINK_UP => What::LinkUp { peer: self.session()?, loopback: self.flag()? },
            LINK_DOWN => {
                let peer = self.session()?;
                let cause = match self.byte()? {
                    0 => DownCause::Closed,
                    1 => DownCause::TimedOut,
                    2 => DownCause::Unsubscribed,
                    _ => return None,
                };
                What::LinkDown { peer, cause }
            }
            ROUND_TRIP => What::RoundTrip { peer: self.session()?, us: self.small()? },
            WALL => {
                let unix_ms = self.varint().filter(|ms| *ms <= NUMBER_MAX)?;
                What::Wall { unix_ms, mark: if self.flag()? { Some(self.eight()?) } else { None } }
            }
            RESUMED => What::Resumed,
            OWN_OUTAGE => What::OwnOutage(self.flag()?),
            TIMEOUT => What::Timeout,
            CALL => {
                let who = self.who()?;
                let name = self.byte()?;
                let args = self.counted()?;
                What::Call { who, call: Call::read(name, args)? }
            }
            LEAVE_ALL => What::LeaveAll,
            STAY => What::Stay,
            TOUCH => What::Touch(UserId(self.text(64)?.into())),
            RESTORE => What::Restore(self.list()?),
            RESTORE_CELLS => What::RestoreCells(self.list()?),
            PORCH => What::Porch(self.bytes(2 * PAGE_MAX)?),
            USE_KEY => What::UseKey { epoch: self.small()?, commitment: take(&mut self.rest, 32)?.try_into().ok()? },
            OUTRANK => What::Outrank,
            CONTINUE => {
                let [seq, rev] = [self.varint()?, self.varint()?];
                let incarnations = self.small().filter(|count| *count <= u32::MAX / 2)?;
                let sound = seq <= NUMBER_MAX && rev <= NUMBER_MAX;
                What::Continue(sound.then(|| Continuation::new(Seq(seq), Rev(rev), incarnations))?)
            }
            MARK => What::Mark(self.eight()?),
            _ => return None,
        })
    }

    fn byte(&mut self) -> Option<u8> {
        take(&mut self.rest, 1)?.first().copied()
    }

    fn flag(&mut self) -> Option<bool> {
        self.byte().filter(|byte| *byte <= 1).map(|byte| byte == 1)
    }

    fn varint(&mut self) -> Option<u64> {
        read_varint(&mut self.rest)
    }

    fn small(&mut self) -> Option<u32> {
        u32::try_from(self.varint()?).ok()
    }

    fn eight(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(take(&mut self.rest, 8)?.try_into().ok()?))
    }

    fn count(&mut self) -> Option<usize> {
        value::read_count(&mut self.rest)
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let count = self.count()?;
        take(&mut self.rest, count)
    }

    fn bytes(&mut self, max: usize) -> Option<Vec<u8>> {
        self.counted().filter(|bytes| bytes.len() <= max).map(<[u8]>::to_vec)
    }

    fn text(&mut self, max: usize) -> Option<String> {
        String::from_utf8(self.bytes(max)?).ok()
    }

    fn list(&mut self) -> Option<Vec<Vec<u8>>> {
        (0..self.count()?).map(|_| self.bytes(2 * PAGE_MAX)).collect()
    }

    fn session(&mut self) -> Option<SessionId> {
        let number = usize::try_from(self.varint()?).ok()?;
        if number == self.sessions.len() {
            self.sessions.push(SessionId(take(&mut self.rest, 32)?.try_into().ok()?));
        }
        self.sessions.get(number).copied()
    }

    fn who(&mut self) -> Option<Who> {
        let number = usize::try_from(self.varint()?).ok()?;
        if number == self.actors.len() {
            let key = PublicKey(take(&mut self.rest, 32)?.try_into().ok()?);
            let (name, via) = (self.text(NAME_MAX)?, self.text(64)?);
            let via = (!via.is_empty()).then(|| UserId(via.into()));
            self.actors.push(Who { key, name, via });
        }
        self.actors.get(number).cloned()
    }
}
