//! A few replicas on one table, for the tests of this crate: frames arrive at once, time moves when told to.

use std::sync::Arc;

use serde_json::Value;

use crate::evidence::Evidence;
use crate::ids::{MemberId, PublicKey, RoomId, SessionId, Tick};
use crate::input::{DownCause, Input, Output, Path, Verdict};
use crate::limits::PAGE_MAX;
use crate::metadata::shown;
use crate::proof::{Certificate, LocalActor, Signer, Verifier};
use crate::view::{By, Event, Member, MembersQuery};
use crate::wire::Frame;
use crate::{
    Config, Error, Join, Lease, Leave, MemberRecord, MetadataChange, PresenceChange, PrivateRoom, Replica, RoomMetadata,
};

/// A "signature" is a keyed hash.
pub(crate) struct FakeSigner(pub PublicKey);

pub(crate) struct FakeVerifier;

impl FakeSigner {
    pub fn of(name: &str) -> Arc<dyn Signer> {
        Arc::new(FakeSigner(PublicKey(*blake3::hash(name.as_bytes()).as_bytes())))
    }
}

impl Signer for FakeSigner {
    fn public_key(&self) -> PublicKey {
        self.0
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        seal(&self.0, message)
    }
}

impl Verifier for FakeVerifier {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
        seal(key, message) == *signature
    }
}

fn seal(key: &PublicKey, message: &[u8]) -> [u8; 64] {
    let mut signature = [0; 64];
    blake3::Hasher::new_keyed(&key.0).update(message).finalize_xof().fill(&mut signature);
    signature
}

pub(crate) fn session(number: u8) -> SessionId {
    SessionId([number; 32])
}

pub(crate) fn member(id: &str) -> MemberId {
    MemberId::new(id).unwrap()
}

/// One peer of the table.
pub(crate) struct Seat {
    pub session: SessionId,
    pub who: LocalActor,
    pub guest: LocalActor,
    pub replica: Replica,
    pub events: Vec<Event>,
}

/// Replicas and the frames between them.
pub(crate) struct Table {
    pub now: u64,
    pub seats: Vec<Seat>,
    /// Whether a frame from one seat to another is lost.
    pub lose: fn(from: usize, to: usize, frame: &Frame) -> bool,
    /// Every frame that was sent: by whom, to whom if to one alone.
    pub log: Vec<(usize, Option<SessionId>, Vec<u8>)>,
}

/// Replicas for seats with these people, profiles and boot counters.
pub(crate) fn seat(number: u8, person: &str, profile: u8, boot: u64, now: u64) -> Seat {
    seat_in(None, number, person, profile, boot, now)
}

fn seat_in(private: Option<PrivateRoom>, number: u8, person: &str, profile: u8, boot: u64, now: u64) -> Seat {
    let signer = FakeSigner::of(person);
    let certificate = Certificate::issue(&*signer, session(number), [profile; 16], boot, person);
    let config = Config {
        room: RoomId::new("room").unwrap(),
        certificate,
        seed: u64::from(number),
        loopback_only: false,
        private,
    };
    let who = LocalActor::user(signer, person);
    let guest = format!("guest of {person}");
    let guest = LocalActor::guest(FakeSigner::of(&guest), &guest, who.actor.user_id.clone());
    let replica = Replica::new(config, Arc::new(FakeVerifier), Tick(now), 1_800_000_000_000 + now);
    Seat { session: session(number), who, guest, replica, events: Vec::new() }
}

impl Table {
    /// `count` people, all linked with all, nobody a member yet.
    pub fn of(count: u8) -> Table {
        let seats = (0..count).map(|number| seat(number + 1, &format!("person {number}"), number + 1, 1, 1_000));
        let mut table = Table { now: 1_000, seats: seats.collect(), lose: |_, _, _| false, log: Vec::new() };
        table.link_all();
        table
    }

    fn link_all(&mut self) {
        for a in 0..self.seats.len() {
            for b in 0..a {
                self.link(a, b);
            }
        }
    }

    /// A private room that person 0 made, everybody a member.
    pub fn private(count: u8) -> Table {
        let made = PrivateRoom::new(FakeSigner::of("person 0").public_key(), &[1; 32]);
        let mut table = Table::of(0);
        for number in 0..count {
            let seat = seat_in(Some(made), number + 1, &format!("person {number}"), number + 1, 1, 1_000);
            table.add(seat);
        }
        table.link_all();
        for at in 0..table.seats.len() {
            table.join(at, Join::new()).unwrap();
        }
        table.pass(3_000);
        table.clear();
        table
    }

    /// Somebody comes into a private room with the key of this epoch, and is linked with all.
    pub fn newcomer(&mut self, epoch: u32, commitment: [u8; 32]) -> usize {
        self.newcomer_with(epoch, commitment, &[])
    }

    /// The same, with what its profile kept of the room.
    pub fn newcomer_with(&mut self, epoch: u32, commitment: [u8; 32], kept: &[Vec<u8>]) -> usize {
        let made = PrivateRoom::new(FakeSigner::of("person 0").public_key(), &[1; 32]);
        let number = self.seats.len() as u8;
        let mut seat = seat_in(Some(made), number + 1, &format!("person {number}"), number + 1, 1, self.now);
        seat.replica.use_key(epoch, commitment);
        seat.replica.restore(kept, Tick(self.now));
        // Its clock is years behind, as that of a computer whose battery is empty.
        seat.replica.handle(Input::Wall { unix_ms: 1_600_000_000_000 }, Tick(self.now));
        let at = self.add(seat);
        // As it is with people: in the room first, and then the others come.
        self.join(at, Join::new()).unwrap();
        (0..at).for_each(|other| self.link(at, other));
        at
    }

    /// The same, everybody a member.
    pub fn joined(count: u8) -> Table {
        let mut table = Table::of(count);
        for at in 0..table.seats.len() {
            table.join(at, Join::new()).unwrap();
        }
        table.pass(3_000);
        table.clear();
        table
    }

    /// Forgets what was told and sent so far.
    pub fn clear(&mut self) {
        self.log.clear();
        self.seats.iter_mut().for_each(|seat| seat.events.clear());
    }

    pub fn add(&mut self, seat: Seat) -> usize {
        self.seats.push(seat);
        self.seats.len() - 1
    }

    pub fn link(&mut self, a: usize, b: usize) {
        for (end, peer) in [(a, b), (b, a)] {
            let peer = self.seats[peer].session;
            self.input(end, Input::LinkUp { peer, loopback: false });
        }
    }

    pub fn close(&mut self, at: usize, peer: usize, cause: DownCause) {
        let peer = self.seats[peer].session;
        self.input(at, Input::LinkDown { peer, cause });
    }

    pub fn tick(&self) -> Tick {
        Tick(self.now)
    }

    pub fn input(&mut self, at: usize, input: Input) -> Verdict {
        let now = self.tick();
        let verdict = self.seats[at].replica.handle(input, now);
        let next = self.seats[at].replica.next_deadline().unwrap();
        assert!(next > now, "next_deadline {next:?} after all that was due at {now:?} is done");
        self.settle();
        verdict
    }

    /// A frame by `author` reaches seat `at` by way of `via`.
    pub fn frame(&mut self, at: usize, author: SessionId, via: SessionId, bytes: &[u8]) -> Verdict {
        self.input(at, Input::Frame { author, via, path: Path::Gossip, bytes: bytes.to_vec() })
    }

    pub fn call<R>(&mut self, at: usize, call: impl FnOnce(&mut Replica, &LocalActor, Tick) -> R) -> R {
        let now = self.tick();
        let who = self.seats[at].who.clone();
        let answer = call(&mut self.seats[at].replica, &who, now);
        self.settle();
        answer
    }

    pub fn join(&mut self, at: usize, args: Join) -> Result<MemberRecord, Error> {
        self.call(at, |replica, who, now| replica.join(who, args, Lease::Own, now))
    }

    pub fn presence(&mut self, at: usize, presence: Value) -> Result<MemberRecord, Error> {
        self.change(at, PresenceChange::new(presence))
    }

    pub fn change(&mut self, at: usize, change: PresenceChange) -> Result<MemberRecord, Error> {
        self.call(at, |replica, who, now| replica.presence(who, change, now))
    }

    pub fn metadata(&mut self, at: usize, change: MetadataChange) -> Result<RoomMetadata, Error> {
        self.call(at, |replica, who, now| replica.set_metadata(who, change, now))
    }

    pub fn board(&mut self, at: usize, change: crate::BoardChange) -> Result<crate::Board, Error> {
        self.call(at, |replica, who, now| replica.set_board(who, change, now))
    }

    pub fn say(&mut self, at: usize, text: &str, idempotency_key: Option<&str>) -> Result<crate::Message, Error> {
        let publish = crate::Publish {
            idempotency_key: idempotency_key.map(str::to_owned),
            ..crate::Publish::new("chat", serde_json::json!({ "text": text })).keep()
        };
        self.call(at, |replica, who, now| replica.publish_kept(who, publish, now))
    }

    pub fn leave(&mut self, at: usize) -> Result<crate::Left, Error> {
        self.call(at, |replica, who, now| replica.leave(who, Leave::default(), now))
    }

    /// Delivers everything that is on its way.
    pub fn settle(&mut self) {
        loop {
            let mut sent = Vec::new();
            for (at, seat) in self.seats.iter_mut().enumerate() {
                while let Some(output) = seat.replica.poll_output() {
                    match output {
                        Output::Publish { bytes, .. } => sent.push((at, None, bytes)),
                        Output::Send { peer, bytes } => sent.push((at, Some(peer), bytes)),
                        Output::Event(event) => seat.events.push(event),
                    }
                }
            }
            if sent.is_empty() {
                return self.look_at_settings();
            }
            for (from, to, bytes) in sent {
                self.log.push((from, to, bytes.clone()));
                self.carry(from, to, &bytes);
            }
        }
    }

    /// What is shown was built change by change, and is what is there.
    fn look_at_settings(&self) {
        for Seat { replica, .. } in &self.seats {
            assert_eq!(replica.metadata(), shown(&replica.cells, &replica.config.room), "a change was missed");
        }
    }

    fn carry(&mut self, from: usize, to: Option<SessionId>, bytes: &[u8]) {
        let frame = Frame::decode(bytes, PAGE_MAX).unwrap();
        let author = self.seats[from].session;
        let now = self.tick();
        for at in 0..self.seats.len() {
            let linked = self.seats[from].replica.peers.get(&self.seats[at].session).is_some_and(|peer| peer.linked);
            let meant = to.is_none_or(|to| to == self.seats[at].session);
            if at != from && linked && meant && !(self.lose)(from, at, &frame) {
                let path = if to.is_some() { Path::Direct } else { Path::Gossip };
                let input = Input::Frame { author, via: author, path, bytes: bytes.to_vec() };
                self.seats[at].replica.handle(input, now);
            }
        }
    }

    /// Time passes, with every timer on time.
    pub fn pass(&mut self, ms: u64) {
        let until = self.now + ms;
        loop {
            let due = self.seats.iter().filter_map(|seat| seat.replica.next_deadline()).min().unwrap();
            if due.0 > until {
                break;
            }
            self.now = self.now.max(due.0);
            for at in 0..self.seats.len() {
                self.input(at, Input::Timeout);
            }
        }
        self.now = until;
    }

    pub fn rows(&self, at: usize) -> Vec<Arc<Member>> {
        let query = MembersQuery { limit: Some(1000), ..MembersQuery::default() };
        self.seats[at].replica.members(&query, self.tick()).unwrap().members
    }

    pub fn by_session(&self, at: usize) -> Vec<Arc<Member>> {
        let query = MembersQuery { limit: Some(1000), by: By::Session, ..MembersQuery::default() };
        self.seats[at].replica.members(&query, self.tick()).unwrap().members
    }

    /// The presence of a person as seat `at` sees it.
    pub fn seen(&self, at: usize, person: usize) -> Option<Value> {
        let user = self.seats[person].who.actor.user_id.clone();
        let row = self.rows(at).into_iter().find(|row| row.actor.user_id == user)?;
        Some(Value::Object(row.record.presence.clone()))
    }

    /// What happened to members and metadata at a seat, in words: `joined person 1`, `left person 1 Timeout`.
    pub fn told(&self, at: usize) -> Vec<String> {
        let told = |event: &Event| match event {
            Event::Joined { member } => format!("joined {}", member.actor.name),
            Event::Updated { member, changed } => format!("updated {} {changed:?}", member.actor.name),
            Event::Stale { member } => format!("stale {}", member.actor.name),
            Event::Active { member } => format!("active {}", member.actor.name),
            Event::Left { member, reason } => format!("left {} {reason:?}", member.actor.name),
            Event::Metadata { changed, .. } => format!("metadata {changed:?}"),
            Event::Board { notes, removed } => {
                format!("board {:?} {removed:?}", notes.iter().map(|note| &note.id).collect::<Vec<_>>())
            }
            Event::Message { message } => format!("message {} {}", message.actor.name, message.data),
            Event::Access { access } => {
                format!("access key {} locked {} people {}", access.epoch, access.locked, access.people.len())
            }
            Event::Diverged { session_id } => format!("diverged {}", &session_id[..2]),
            Event::Watching { count } => format!("watching {count}"),
            Event::Pace { pace_ms } => format!("pace {pace_ms}"),
            Event::Complete { complete } => format!("complete {complete}"),
            Event::Cloned { cloned: None } => "cloned no more".to_owned(),
            Event::Cloned { cloned: Some(cloned) } => {
                format!("cloned by {}{}", cloned.others.len(), if cloned.read_only { ", read-only" } else { "" })
            }
        };
        let events =
            self.seats[at].events.iter().filter(|event| !matches!(event, Event::Watching { .. } | Event::Pace { .. }));
        events.map(told).collect()
    }

    /// Frames sent since the log was cleared, of one kind.
    pub fn sent(&self, from: usize, kind: u8) -> Vec<Frame> {
        let own = self.log.iter().filter(|(at, _, bytes)| *at == from && bytes[1] == kind);
        own.map(|(_, _, bytes)| Frame::decode(bytes, PAGE_MAX).unwrap()).collect()
    }

    pub fn count(&self, at: usize, name: &str) -> u64 {
        self.seats[at].replica.counters().get(name)
    }
}

/// Which limit an error is about, what it allows, what was given, and where.
pub fn limit(error: &crate::Error) -> (&str, u64, u64, &str) {
    let text = |key: &str| error.details[key].as_str().unwrap();
    let number = |key: &str| error.details[key].as_u64().unwrap();
    (text("limit"), number("max"), number("actual"), text("path"))
}

/// What is known at seat `at` of whether a person is there.
pub fn evidence(table: &Table, at: usize, person: usize) -> Evidence {
    let user = &table.seats[person].who.actor.user_id;
    let query = MembersQuery { limit: Some(1000), evidence: true, ..MembersQuery::default() };
    let page = table.seats[at].replica.members(&query, table.tick()).unwrap();
    let row = page.members.into_iter().find(|row| row.actor.user_id == *user).expect("it is listed");
    *row.evidence.clone().expect("it was asked for")
}
