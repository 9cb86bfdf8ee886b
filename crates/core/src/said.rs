//! What is said to those who are here and kept by nobody (design A12): a reaction, a wave, "come here".
//!
//! It is a frame of its own and no part of a record, so that two in a row are two. Nobody repairs it: whoever misses the
//! frame has missed it. A frame that is played back later says nothing again, because each has the `seq` of its author,
//! and of the last 64 of these it is known which were heard.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cell::{CELL_VALUE_MAX, json_size};
use crate::check;
use crate::error::{Error, ErrorCode};
use crate::ids::{Seq, SessionId, Tick};
use crate::input::Verdict;
use crate::limits::{KEY_MAX, OBJECTS_MAX, TEXT_MAX};
use crate::message::{Message, Publish};
use crate::proof::LocalActor;
use crate::raw::Raw;
use crate::recorder::step::call;
use crate::replica::Replica;
use crate::view::Event;
use crate::wire::{Frame, Said};

/// Said by one session in one room: so many at once, then so many a second.
const AT_ONCE: u64 = 32;
const PER_SECOND: u64 = 16;

/// What may still be said, or asked.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Breath {
    left_ms: u64,
    at: Tick,
}

impl Breath {
    /// Thousandths of one thing said.
    const WHOLE: u64 = AT_ONCE * 1000;

    pub fn new(now: Tick) -> Self {
        Breath { left_ms: Self::WHOLE, at: now }
    }

    pub fn take(&mut self, now: Tick) -> bool {
        let left = self.left_ms.saturating_add(now.since(self.at).saturating_mul(PER_SECOND)).min(Self::WHOLE);
        (self.left_ms, self.at) = (left, now);
        let enough = left >= 1000;
        if enough {
            self.left_ms -= 1000;
        }
        enough
    }
}

/// Which of an author's were heard: the newest, and a bit for each of the 64 numbers before it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Heard {
    newest: u64,
    before: u64,
}

impl Heard {
    /// Whether this one is heard for the first time. What is older than the 64 before the newest counts as heard.
    pub fn first(&mut self, Seq(seq): Seq) -> bool {
        if seq > self.newest {
            let by = seq - self.newest;
            let moved = if by < 64 { self.before << by } else { 0 };
            self.before = if by <= 64 { moved | 1 << (by - 1) } else { moved };
            self.newest = seq;
            return true;
        }
        let age = self.newest - seq;
        if age == 0 || age > 64 {
            return false;
        }
        let bit = 1 << (age - 1);
        let first = self.before & bit == 0;
        self.before |= bit;
        first
    }
}

impl Replica {
    /// Says something: kept for those who come later, or to those who are here. Only a member may.
    ///
    /// # Errors
    /// `INVALID_MESSAGE`, `PAYLOAD_TOO_LARGE` (4 KiB a string, 8 KiB in all), `NOT_JOINED`, `AMBIGUOUS_MEMBER`;
    /// `CELL_FROZEN` for one that is kept; `RATE_LIMITED` for others beyond 32 at once and 16 a second. Nothing is touched by
    /// any of them.
    pub fn say(&mut self, who: &LocalActor, args: Publish, now: Tick) -> Result<Message, Error> {
        if args.keep {
            return self.publish_kept(who, args, now);
        }
        self.note_call(who, call::SAY, &args, now);
        self.pass(who, args, now)
    }

    fn pass(&mut self, who: &LocalActor, args: Publish, now: Tick) -> Result<Message, Error> {
        let code = ErrorCode::InvalidMessage;
        check::name(&args.kind, "type", code)?;
        check::data(&args.data)?;
        if args.idempotency_key.is_some() {
            let message = "idempotencyKey is for messages that are kept; give keep: true, or leave it out";
            return Err(Error::new(code, message).at("idempotencyKey"));
        }
        let size = json_size(&args.data);
        if size > CELL_VALUE_MAX {
            return Err(Error::too_large("bytes", CELL_VALUE_MAX, size, "data"));
        }
        let objects = check::objects(&args.data);
        if objects > OBJECTS_MAX {
            return Err(Error::too_large("objects", OBJECTS_MAX, objects, "data"));
        }
        self.may_write(who)?;
        let member = self.own_member(who, args.member_id.as_ref())?;
        let incarnation = self.find_own(who, Some(&member))?;
        if !self.breath.take(now) {
            let message = format!("too much was said; {PER_SECOND} a second are passed on, {AT_ONCE} at once");
            return Err(Error::new(ErrorCode::RateLimited, message));
        }
        let (seq, relay, data) = (self.next_seq(), self.wants_relay(), Raw::of(&args.data));
        self.publish(Frame::Said(Said { relay, seq, incarnation, kind: args.kind.clone(), data }).encode());
        self.renew(&who.actor.user_id, now);
        let message = Message {
            id: id_of(&self.session(), seq),
            kind: args.kind,
            data: args.data,
            actor: who.actor.clone(),
            member_id: member,
            published_at: self.timestamp(now),
            kept: false,
        };
        self.emit(Event::Message { message: Arc::new(message.clone()) });
        Ok(message)
    }

    pub(crate) fn said_in(&mut self, author: SessionId, said: Said, now: Tick) -> Verdict {
        let verdict = if said.relay { Verdict::Accept } else { Verdict::Ignore };
        if self.departed.is_past(&author, said.seq) {
            self.counters.add("frame_of_departed");
            return verdict;
        }
        if !said.is_within_limits() {
            self.counters.add("said_over_limit");
            return Verdict::Reject;
        }
        let peer = self.peer(author, now);
        let (newest, first) = (peer.alive(said.seq, now), peer.said.first(said.seq));
        let record = peer.records.get(said.incarnation).map(|record| (record.actor.clone(), record.member.clone()));
        if newest {
            self.wake(author, now);
        }
        match record {
            _ if !first => self.counters.add("said_again"),
            // It came before whoever says it, or after they left.
            None => self.counters.add("said_by_nobody"),
            Some((actor, member_id)) => {
                let message = Message {
                    id: id_of(&author, said.seq),
                    kind: said.kind,
                    data: said.data.value(),
                    actor,
                    member_id,
                    published_at: self.timestamp(now),
                    kept: false,
                };
                self.emit(Event::Message { message: Arc::new(message) });
            }
        }
        verdict
    }
}

/// The same at every observer.
fn id_of(session: &SessionId, seq: Seq) -> String {
    let hash = blake3::derive_key("parlor said id v1", &[&session.0[..], &seq.0.to_le_bytes()].concat());
    format!("s_{}", data_encoding::BASE32_NOPAD.encode(&hash[..10]).to_lowercase())
}

impl Said {
    fn is_within_limits(&self) -> bool {
        (1..=KEY_MAX).contains(&self.kind.len())
            && check::key(&self.kind, "type", ErrorCode::InvalidMessage).is_ok()
            && self.data.is_well_formed(TEXT_MAX)
            && self.data.is_within(CELL_VALUE_MAX)
            && Raw::have_at_most(OBJECTS_MAX, std::iter::once(&self.data))
    }
}

#[cfg(test)]
#[path = "said_tests.rs"]
mod tests;
