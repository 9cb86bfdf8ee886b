//! What each step of a story does.

use std::collections::BTreeMap;
use std::sync::Arc;

use parlor_core::{
    ErrorCode, Input, Join, Lease, Leave, LocalActor, MemberId, MetadataChange, Path, PresenceChange, PresenceMode,
    RowKey,
};
use serde_json::json;

use super::network::pair;
use super::scenario::{Change, Step, Who};
use super::truth::End;
use super::world::{What, World};

/// A process that ends as it should waits this long for its leaves to be repeated.
const QUIT_MS: u64 = 500;
/// Frames older than this are not delivered to somebody who wakes.
const HELD_MS: u64 = 3_000;

impl World {
    /// Lets a step happen now.
    pub fn step(&mut self, step: &Step) {
        self.trace.line(self.now, format_args!("-- {step:?}"));
        match step {
            Step::Start(host) => self.start(*host),
            Step::Join(host, who, name, lease) => self.join(*host, *who, *name, *lease),
            Step::Presence(host, who, change) => {
                self.presence(*host, *who, *change);
            }
            Step::Metadata(host, key, delete) => self.set_metadata(*host, *key, *delete),
            Step::Leave(host, who, name) => self.leave(*host, *who, *name),
            Step::Crash(host, farewell) => self.die(*host, *farewell),
            Step::Quit(host) => self.quit(*host),
            Step::Sleep(host, ms) => self.sleep(*host, *ms),
            Step::WallStep(host, ms) => self.hosts[*host].skew_ms = *ms,
            Step::Unplug(host, ms) => {
                self.plug(*host, false);
                self.schedule(self.now + ms, What::Plug(*host));
            }
            Step::Partition(sides) => self.network.sides.clone_from(sides),
            Step::Mend => self.network.heal(self.network.faults),
            Step::Cut(a, b) => {
                self.network.cut.insert(pair(*a, *b));
            }
            Step::Deafen(from, to) => {
                self.network.deaf.insert((*from, *to));
            }
            Step::Replay(host, via, count) => self.replay(*host, *via, *count),
            Step::Forge(host, count) => self.forge(*host, *count),
        }
    }

    /// Somebody of a host.
    #[must_use]
    pub fn actor(&self, host: usize, who: Who) -> LocalActor {
        match who {
            Who::Person => self.hosts[host].person.clone(),
            Who::Guest => self.hosts[host].guest.clone(),
        }
    }

    /// A number that was never written before, by the process of `host`.
    pub fn fresh(&mut self, host: usize) -> u64 {
        self.value += 1;
        if let Some(session) = self.hosts[host].session() {
            self.oracle.authors.insert(self.value, session);
        }
        self.value
    }

    fn join(&mut self, host: usize, who: Who, name: Option<u8>, lease: Option<u32>) {
        let actor = self.actor(host, who);
        let member = name.and_then(|name| MemberId::new(&format!("desk {name}")).ok());
        let turn = self.fresh(host);
        let mut args = Join::new().presence(json!({ "f0": turn })).metadata(json!({ "host": host, "turn": turn }));
        args.member_id.clone_from(&member);
        args.presence_ttl_seconds = lease;
        let lease = if lease.is_some() { Lease::Client } else { Lease::Own };
        let Some(session) = self.hosts[host].session() else { return };
        let member = member.unwrap_or_else(|| actor.actor.user_id.default_member());
        let row: RowKey = (member, actor.actor.user_id.clone());
        // Known before the call, whose event is judged while it is settled.
        let knew = self.truth.rows_of(session).contains(&row);
        let now = self.now;
        if !self.hosts[host].asleep && !knew {
            self.truth.joined(session, host, &row, now);
        }
        match self.call(host, |replica, tick| replica.join(&actor, args, lease, tick)) {
            Some(Err(error)) if !knew && error.code == ErrorCode::MemberIdConflict => self.truth.forget(session, &row),
            Some(Err(error)) => self.broken(format!("h{host}: join was refused: {error}")),
            Some(Ok(_)) | None => {}
        }
    }

    /// Changes a presence; the number that was written, if one was and the call went well.
    pub fn presence(&mut self, host: usize, who: Who, change: Change) -> Option<u64> {
        let actor = self.actor(host, who);
        let value = self.fresh(host);
        let field = |field: u8| format!("f{}", field % 5);
        let change = match change {
            Change::Set(at) => PresenceChange::new(json!({ field(at): value })),
            Change::SetThree(at) => {
                PresenceChange::new(json!({ field(at): value, field(at + 1): value, field(at + 2): value }))
            }
            Change::Replace(at) => {
                let mode = PresenceMode::Replace;
                PresenceChange { mode, ..PresenceChange::new(json!({ field(at): value })) }
            }
            Change::Unset(at) => PresenceChange { unset: vec![field(at)], ..PresenceChange::default() },
            Change::Expire(at, ms) => {
                let expire = BTreeMap::from([(field(at), ms)]);
                PresenceChange { expire, ..PresenceChange::new(json!({ field(at): value })) }
            }
        };
        let sets: Vec<String> = change.presence.keys().cloned().collect();
        let session = self.hosts[host].session()?;
        let rows = self.truth.rows_of(session).into_iter().filter(|row| row.1 == actor.actor.user_id).count();
        let answer = self.call(host, |replica, tick| replica.presence(&actor, change, tick))?;
        let expected = match (&answer, rows) {
            (Ok(_), 1) => true,
            (Err(error), 0) => error.code == ErrorCode::NotJoined,
            (Err(error), 2..) => error.code == ErrorCode::AmbiguousMember,
            _ => false,
        };
        if !expected {
            self.broken(format!("h{host}: presence with {rows} members answered {answer:?}"));
        }
        let record = answer.ok()?;
        // Whoever called last speaks for the member, on whatever other devices it is (design A5).
        if !sets.is_empty() && sets.iter().any(|key| record.presence.get(key) != Some(&json!(value))) {
            self.broken(format!("h{host}: wrote {value} to {sets:?}, and the answer is {record:?}"));
        }
        Some(value)
    }

    /// Writes metadata, and sees that the writer's own replica took it: a new write beats what its author saw.
    pub fn set_metadata(&mut self, host: usize, key: u8, delete: bool) {
        let actor = self.actor(host, Who::Person);
        let key = format!("k{key}");
        let value = self.fresh(host);
        let change = if delete {
            MetadataChange { unset: vec![key.clone()], ..MetadataChange::default() }
        } else {
            MetadataChange::new(json!({ key.clone(): value }))
        };
        let written = (!delete).then(|| json!(value));
        match self.call(host, |replica, tick| replica.set_metadata(&actor, change, tick)) {
            Some(Ok(metadata)) if metadata.metadata.get(&key) != written.as_ref() => {
                self.broken(format!("h{host}: a new write of {key} does not beat what its author saw"));
            }
            Some(Err(error)) if error.code != ErrorCode::NotJoined => {
                self.broken(format!("h{host}: metadata was refused: {error}"));
            }
            _ => {}
        }
    }

    fn leave(&mut self, host: usize, who: Who, name: Option<u8>) {
        let actor = self.actor(host, who);
        let member_id = name.and_then(|name| MemberId::new(&format!("desk {name}")).ok());
        let Some(session) = self.hosts[host].session().filter(|_| !self.hosts[host].asleep) else { return };
        let mut rows = self.truth.rows_of(session);
        rows.retain(|row| row.1 == actor.actor.user_id && member_id.as_ref().is_none_or(|member| row.0 == *member));
        if let [row] = &rows[..] {
            let now = self.now;
            self.truth.ended(session, row, End::Said, now);
        }
        let answer = self.call(host, |replica, tick| replica.leave(&actor, Leave { member_id }, tick));
        let expected = match (&answer, rows.len()) {
            (None, _) => true,
            (Some(Ok(left)), found) => left.left == (found == 1) && found < 2,
            (Some(Err(error)), found) => error.code == ErrorCode::AmbiguousMember && found > 1,
        };
        if !expected {
            self.broken(format!("h{host}: leave of {} members answered {answer:?}", rows.len()));
        }
    }

    fn quit(&mut self, host: usize) {
        let Some(session) = self.hosts[host].session().filter(|_| !self.hosts[host].asleep) else { return };
        let now = self.now;
        self.truth.all_ended(session, End::Said, now);
        self.call(host, |replica, tick| replica.leave_all(tick));
        self.schedule(now + QUIT_MS, What::Die(session));
    }

    fn sleep(&mut self, host: usize, ms: u64) {
        if !self.hosts[host].runs() {
            return;
        }
        self.hosts[host].asleep = true;
        self.schedule(self.now + ms, What::Rise(host));
    }

    pub(crate) fn rise(&mut self, host: usize) {
        if !self.hosts[host].asleep {
            return;
        }
        self.hosts[host].asleep = false;
        let Some(session) = self.hosts[host].session() else { return };
        self.trace.line(self.now, format_args!("h{host} wakes"));
        if let Some(process) = &mut self.hosts[host].process {
            process.wake_at = None;
        }
        self.oracle.resumed(session, self.now);
        self.input(host, Input::Resumed);
        let (own, others) = std::mem::take(&mut self.held).into_iter().partition(|frame| frame.to == session);
        self.held = others;
        let own: Vec<super::world::Delivery> = own;
        let unplugged = self.hosts[host].unplugged;
        self.oracle.outage(session, unplugged, self.now);
        self.input(host, Input::OwnOutage(unplugged));
        // A connection that outlived a short sleep still holds what came meanwhile; after a long one it is reset.
        let now = self.now;
        own.into_iter().filter(|frame| now - frame.sent <= HELD_MS).for_each(|delivery| self.deliver(delivery));
    }

    pub(crate) fn plug(&mut self, host: usize, plugged: bool) {
        if self.hosts[host].unplugged != plugged {
            return;
        }
        self.hosts[host].unplugged = !plugged;
        self.trace.line(self.now, format_args!("h{host} plugged in: {plugged}"));
        if let Some(session) = self.hosts[host].session().filter(|_| !self.hosts[host].asleep) {
            self.oracle.outage(session, !plugged, self.now);
            self.input(host, Input::OwnOutage(!plugged));
        }
    }

    /// Old frames, as somebody would send them again, those that this host took and those that it never saw: by way of
    /// another, since nobody else has the author's link.
    fn replay(&mut self, host: usize, via: usize, count: u16) {
        let taped = |at: usize| self.hosts[at].process.as_ref().map(|process| process.tape.clone()).unwrap_or_default();
        let tape = [taped(host), taped(via)].concat();
        let Some(via) = self.hosts[via].session() else { return };
        if tape.is_empty() || !self.hosts[host].runs() {
            return;
        }
        let mut taped = Vec::new();
        for _ in 0..count {
            let at = self.random.usize(0..tape.len());
            taped.extend(tape.get(at).cloned());
        }
        for frame in taped.into_iter().filter(|frame| frame.author != via) {
            self.take(host, frame.author, via, Path::Gossip, frame.order, &frame.bytes);
        }
    }

    /// Frames in the name of a stranger, whole or broken: nobody but the stranger may suffer.
    fn forge(&mut self, host: usize, count: u16) {
        let stranger = parlor_core::SessionId([self.random.u8(..); 32]);
        let Some(process) = self.hosts[host].process.as_ref().filter(|_| !self.hosts[host].asleep) else { return };
        let tape = process.tape.clone();
        for _ in 0..count {
            let Some(frame) = tape.get(self.random.usize(0..tape.len().max(1))) else { return };
            let mut bytes = frame.bytes.to_vec();
            match self.random.u8(0..3) {
                0 => {}
                1 => bytes.truncate(self.random.usize(0..=bytes.len())),
                _ => {
                    let at = self.random.usize(0..bytes.len().max(1));
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = self.random.u8(..);
                    }
                }
            }
            let bytes: Arc<[u8]> = bytes.into();
            self.take(host, stranger, stranger, Path::Gossip, 0, &bytes);
        }
    }
}
