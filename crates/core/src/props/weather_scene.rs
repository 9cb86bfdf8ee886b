//! The scene of [`super::weather`]: an observer, three owners, and the frames between them, each of which arrives when a
//! step says so.
//!
//! A frame that is published reaches the observer over the owner's own link while that is up, else by way of somebody else.
//! One that is sent to the observer alone takes the link or is lost. One that arrives again comes by way of somebody else:
//! nobody but its author has the author's link.

use std::collections::BTreeMap;

use super::weather_model::{Arrival, CALM_MS, Judge, KEYS, Shown, Sky, Step};
use crate::command::{Join, Leave, PresenceChange, PresenceMode};
use crate::fixture::{Seat, seat, session};
use crate::ids::{SessionId, Tick};
use crate::input::{DownCause, Input, Output, Path};
use crate::limits::{PAGE_MAX, STALE_MS};
use crate::view::{Bag, Event, Member, MemberState, MembersQuery};
use crate::wire::Frame;
use crate::{Lease, Replica, UserId};

/// People who own something.
pub const OWNERS: usize = 3;
/// When a scene begins.
const BEGIN: u64 = 1_000;
/// The wall clock of all, less their ticks.
const WALL: u64 = 1_800_000_000_000;
/// Somebody who passes frames on.
const PASSER: u8 = 255;

/// A frame that an owner made.
#[derive(Clone, Debug)]
struct Sent {
    session: usize,
    path: Path,
    bytes: Vec<u8>,
}

/// One owner, and all that it ever sent.
struct Stage {
    seat: Seat,
    session: usize,
    /// Its link with the observer is up, at both ends.
    linked: bool,
    /// Whether its frames arrive at once, and whether the observer's do.
    there: bool,
    back: bool,
    sent: Vec<Sent>,
    /// Places in `sent` of those that are on their way.
    waiting: Vec<usize>,
}

/// All of it.
pub struct Scene {
    pub observer: Seat,
    /// What the observer was told, by kind.
    pub told: BTreeMap<String, u64>,
    stages: Vec<Stage>,
    people: Vec<UserId>,
    judge: Judge,
    /// What the observer asked of whom, and when.
    asked: Vec<(SessionId, u64, u64)>,
    now: u64,
}

impl Scene {
    /// Three owners, linked with the observer, and nobody has joined.
    pub fn begin() -> (Scene, Sky) {
        let stage = |owner| Stage {
            seat: person(owner, 0, BEGIN),
            session: 0,
            linked: false,
            there: true,
            back: true,
            sent: Vec::new(),
            waiting: Vec::new(),
        };
        let stages: Vec<Stage> = (0..OWNERS).map(stage).collect();
        let people = stages.iter().map(|stage| stage.seat.who.actor.user_id.clone()).collect();
        let observer = seat(1, "observer", 1, 1, BEGIN);
        let (judge, asked) = (Judge::default(), Vec::new());
        let mut scene = Scene { observer, told: BTreeMap::new(), stages, people, judge, asked, now: BEGIN };
        let sky = Sky::clear(BEGIN, OWNERS);
        (0..OWNERS).for_each(|owner| scene.link(owner, true, DownCause::Closed, &sky));
        (scene, sky)
    }

    /// Makes one step, which the sky has made already.
    pub fn make(&mut self, step: &Step, sky: &Sky) {
        match step {
            Step::Join { owner, .. } => {
                self.pass(1, sky);
                self.call(*owner, sky, |seat, now| {
                    let args = Join { presence: Some(bag(sky)), ..Join::new() };
                    seat.replica.join(&seat.who, args, Lease::Own, now).unwrap();
                });
            }
            Step::Write { owner, keys, unset, replace, expire } => {
                let change = PresenceChange {
                    presence: bag(sky),
                    mode: if *replace { PresenceMode::Replace } else { PresenceMode::Merge },
                    unset: unset.iter().filter(|key| !keys.contains(*key)).map(|key| (*key).to_owned()).collect(),
                    expire: keys.iter().filter_map(|key| Some(((*key).to_owned(), (*expire)?))).collect(),
                    ..PresenceChange::default()
                };
                let joined = sky.owners[*owner].now().is_some();
                self.call(*owner, sky, |seat, now| {
                    assert_eq!(seat.replica.presence(&seat.who, change, now).is_ok(), joined);
                });
            }
            Step::Leave { owner } => self.call(*owner, sky, |seat, now| {
                seat.replica.leave(&seat.who, Leave::default(), now).unwrap();
            }),
            Step::Restart { owner } => {
                let stage = &mut self.stages[*owner];
                stage.session += 1;
                (stage.seat, stage.linked) = (person(*owner, stage.session, self.now), false);
            }
            Step::Weather { owner, there, back } => {
                (self.stages[*owner].there, self.stages[*owner].back) = (*there, *back);
            }
            Step::Lose { owner, nth } => {
                let _ = self.stages[*owner].take(*nth);
            }
            Step::Take { owner, nth } => {
                if let Some(place) = self.stages[*owner].take(*nth) {
                    self.arrive(*owner, place, false, sky);
                }
            }
            Step::Again { owner, nth } => {
                if let Some(place) = self.stages[*owner].sent.len().checked_sub(nth + 1) {
                    self.arrive(*owner, place, true, sky);
                }
            }
            Step::Link { owner, up, timed_out, alone } => {
                let cause = if *timed_out { DownCause::TimedOut } else { DownCause::Closed };
                self.stages[*owner].there &= *up || !alone;
                self.link(*owner, *up, cause, sky);
            }
            Step::Sleep => {
                self.judge.renew(self.now);
                self.observe(Input::Resumed, None, sky);
            }
            Step::Outage { on } => self.outage(*on, sky),
            Step::Pass { ms } => self.pass(*ms, sky),
            Step::Calm => self.calm(sky),
        }
        self.judge.look(sky, self.now);
        self.listed_as_told();
    }

    /// From now on all is well, and in three beats the observer shows what is true.
    fn calm(&mut self, sky: &Sky) {
        self.outage(false, sky);
        for owner in 0..OWNERS {
            self.stages[owner].waiting.clear();
            (self.stages[owner].there, self.stages[owner].back) = (true, true);
            self.link(owner, true, DownCause::Closed, sky);
        }
        self.pass(CALM_MS, sky);
        for (owner, person) in sky.owners.iter().enumerate() {
            let shown = self.judge.shown().get(&owner);
            // A session that died is silent, and how long that takes is told by its lease; unless a later one joined.
            let died = |shown: &Shown| {
                person.lives.iter().any(|life| life.joined == shown.joined && life.session != person.session)
            };
            match (person.now(), shown) {
                (Some(life), Some(shown)) => {
                    let values = person.shows();
                    let (joined, stale) = (life.joined, false);
                    assert_eq!(*shown, Shown { joined, values, stale }, "owner {owner} after three beats of calm");
                }
                (None, None) => {}
                (None, Some(shown)) if died(shown) => {}
                (truth, shown) => panic!("after three beats of calm owner {owner} is {truth:?} and shown as {shown:?}"),
            }
        }
    }

    fn outage(&mut self, on: bool, sky: &Sky) {
        self.judge.outage(on, self.now);
        self.observe(Input::OwnOutage(on), None, sky);
    }

    fn link(&mut self, owner: usize, up: bool, cause: DownCause, sky: &Sky) {
        let stage = &mut self.stages[owner];
        if stage.linked == up {
            return;
        }
        stage.linked = up;
        let (peer, observer, session) = (stage.seat.session, self.observer.session, stage.session);
        let input = |peer| match up {
            true => Input::LinkUp { peer, loopback: false },
            false => Input::LinkDown { peer, cause },
        };
        if !up {
            self.judge.link_down(owner, session, cause, self.now);
        }
        self.observe(input(peer), None, sky);
        self.call(owner, sky, |seat, now| _ = seat.replica.handle(input(observer), now));
    }

    /// Time passes, every timer on time.
    fn pass(&mut self, ms: u64, sky: &Sky) {
        let until = self.now + ms;
        loop {
            let owners = self.stages.iter().filter_map(|stage| stage.seat.replica.next_deadline());
            let due = owners.chain(self.observer.replica.next_deadline()).min().unwrap_or(Tick(u64::MAX));
            if due.0 > until {
                break;
            }
            self.now = self.now.max(due.0);
            for owner in 0..OWNERS {
                self.call(owner, sky, |seat, now| _ = seat.replica.handle(Input::Timeout, now));
            }
            self.observe(Input::Timeout, None, sky);
            // What was due is done, or time would stand still.
            let owners = self.stages.iter().map(|stage| &stage.seat.replica);
            let next = owners.chain([&self.observer.replica]).filter_map(Replica::next_deadline).min();
            assert!(next > Some(Tick(self.now)), "at {} the next deadline is {next:?}", self.now);
        }
        self.now = until;
    }

    /// Somebody does something at an owner; what it sends goes on its way.
    fn call(&mut self, owner: usize, sky: &Sky, call: impl FnOnce(&mut Seat, Tick)) {
        let observer = self.observer.session;
        let stage = &mut self.stages[owner];
        call(&mut stage.seat, Tick(self.now));
        let mut places = Vec::new();
        while let Some(output) = stage.seat.replica.poll_output() {
            let (path, bytes) = match output {
                Output::Publish { bytes, .. } => (Path::Gossip, bytes),
                Output::Send { peer, bytes } if peer == observer => (Path::Direct, bytes),
                _ => continue,
            };
            places.push(stage.sent.len());
            stage.sent.push(Sent { session: stage.session, path, bytes });
        }
        if !stage.there {
            stage.waiting.extend(places);
            return;
        }
        places.into_iter().for_each(|place| self.arrive(owner, place, false, sky));
    }

    /// A frame reaches the observer.
    fn arrive(&mut self, owner: usize, place: usize, again: bool, sky: &Sky) {
        let stage = &self.stages[owner];
        let Sent { session: of, path, bytes } = stage.sent[place].clone();
        let author = session(number(owner, of));
        let at_first_hand = !again && stage.linked && of == stage.session;
        if path == Path::Direct && !at_first_hand {
            return;
        }
        let via = if at_first_hand { author } else { session(PASSER) };
        let mut may_introduce = false;
        match Frame::decode(&bytes, PAGE_MAX) {
            Ok(Frame::Full(full)) => {
                let asked = self.asked.iter().filter(|(whom, _, at)| *whom == author && self.now < at + STALE_MS);
                may_introduce =
                    at_first_hand || asked.map(|(_, nonce, _)| nonce).any(|nonce| full.echo.contains(nonce));
                self.judge.hear(owner, of, place, self.now);
            }
            Ok(Frame::Delta(_) | Frame::Beat(_)) => self.judge.hear(owner, of, place, self.now),
            Ok(Frame::Leave(leave)) => {
                self.judge.hear(owner, of, place, self.now);
                self.judge.bury(owner, of, leave.incarnation);
            }
            _ => {}
        }
        let arrival = Arrival { owner, place, may_introduce };
        self.observe(Input::Frame { author, via, path, bytes }, Some(arrival), sky);
    }

    /// The observer takes an input: what it is told is judged, and what it asks goes to those whom it reaches.
    fn observe(&mut self, input: Input, arrival: Option<Arrival>, sky: &Sky) {
        self.observer.replica.handle(input, Tick(self.now));
        let mut sent = Vec::new();
        while let Some(output) = self.observer.replica.poll_output() {
            match output {
                Output::Event(event) => self.judged(&event, arrival, sky),
                Output::Publish { bytes, .. } => sent.push((None, bytes)),
                Output::Send { peer, bytes } => sent.push((Some(peer), bytes)),
            }
        }
        for (to, bytes) in sent {
            if let Ok(Frame::Ask(ask)) = Frame::decode(&bytes, PAGE_MAX) {
                self.asked.push((ask.of, ask.nonce, self.now));
            }
            for owner in 0..OWNERS {
                let stage = &self.stages[owner];
                let reaches = match to {
                    None => stage.back,
                    Some(peer) => stage.back && stage.linked && peer == stage.seat.session,
                };
                if reaches {
                    let author = self.observer.session;
                    let path = if to.is_some() { Path::Direct } else { Path::Gossip };
                    let input = Input::Frame { author, via: author, path, bytes: bytes.clone() };
                    self.call(owner, sky, |seat, now| _ = seat.replica.handle(input, now));
                }
            }
        }
    }

    fn judged(&mut self, event: &Event, arrival: Option<Arrival>, sky: &Sky) {
        let name = match event {
            Event::Left { reason, .. } => format!("Left {reason:?}"),
            other => format!("{other:?}").split([' ', '{']).next().unwrap_or_default().to_owned(),
        };
        *self.told.entry(name).or_default() += 1;
        match event {
            Event::Joined { member }
            | Event::Updated { member, .. }
            | Event::Stale { member }
            | Event::Active { member } => {
                let owner = self.owner(member);
                self.judge.shows(owner, shown(member), sky, arrival, self.now);
            }
            Event::Left { member, reason } => {
                let owner = self.owner(member);
                self.judge.left(owner, *reason, sky, self.now);
            }
            _ => {}
        }
    }

    /// The list is what events said (design R14).
    fn listed_as_told(&self) {
        let query = MembersQuery { limit: Some(1000), ..MembersQuery::default() };
        let members = self.observer.replica.members(&query, Tick(self.now)).unwrap().members;
        let listed: BTreeMap<usize, Shown> = members.iter().map(|member| (self.owner(member), shown(member))).collect();
        assert_eq!(&listed, self.judge.shown(), "R14: the list is what events said");
    }

    fn owner(&self, member: &Member) -> usize {
        self.people.iter().position(|user| *user == member.actor.user_id).expect("an owner")
    }
}

impl Stage {
    /// The place of one of those that wait, which waits no more.
    fn take(&mut self, nth: usize) -> Option<usize> {
        let nth = nth.checked_rem(self.waiting.len())?;
        Some(self.waiting.remove(nth))
    }
}

fn number(owner: usize, session: usize) -> u8 {
    u8::try_from(10 + 80 * owner + session % 80).unwrap_or(PASSER)
}

fn person(owner: usize, session: usize, now: u64) -> Seat {
    let profile = 10 + u8::try_from(owner).unwrap_or_default();
    seat(number(owner, session), &format!("owner {owner}"), profile, session as u64 + 1, now)
}

/// The values that the last step wrote.
fn bag(sky: &Sky) -> Bag {
    sky.wrote.iter().map(|(key, number)| ((*key).to_owned(), (*number).into())).collect()
}

fn shown(member: &Member) -> Shown {
    let value = |key: &&str| Some(((*key).to_owned(), member.record.presence.get(*key)?.as_u64()?));
    let values: BTreeMap<String, u64> = KEYS.iter().filter_map(value).collect();
    assert_eq!(values.len(), member.record.presence.len(), "a field that nobody wrote");
    Shown { joined: member.record.joined_at.0 - WALL, values, stale: member.state == MemberState::Stale }
}
