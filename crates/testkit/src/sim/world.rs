//! The simulated world: a calendar of events, the hosts, the network, and the time that jumps between them.

use std::sync::Arc;

use parlor_core::{DownCause, Output, Replica, RoomId, RowKey};

use super::calendar::Calendar;
use super::host::Host;
use super::journal::{Entry, Journal};
use super::letter::Delivery;
use super::network::Network;
use super::oracle::{Happening, Oracle, Violation};
use super::rules;
use super::sessions::{Session, Sessions};
use super::trace::{Fact, Trace};
use super::truth::Truth;
use super::views::Views;
use crate::story::Story;

/// Between two looks of the driver at its links.
const DIAL_MS: u64 = 500;
/// Between two checks.
const SECOND_MS: u64 = 1_000;
/// Between two times that what is long over is forgotten.
const FORGET_MS: u64 = 600_000;

/// What the calendar holds.
#[derive(Debug)]
pub(crate) enum What {
    Deliver(Delivery),
    /// The next frame that waits in a queue may go.
    Depart(Session, Session),
    Wake(Session),
    Wall(Session),
    Up(Session, Session),
    Down(Session, Session, DownCause),
    Dial,
    Second,
    Forget,
    Rise(usize),
    Plug(usize),
    Die(Session),
    Step(u32),
    Move(u32),
    Await(u32),
}

/// The world.
pub struct World {
    /// The story that plays.
    pub story: Arc<Story>,
    /// Milliseconds since the story began.
    pub now: u64,
    /// The computers.
    pub hosts: Vec<Host>,
    /// The links.
    pub network: Network,
    /// Every session that there was.
    pub sessions: Sessions,
    /// What really happened.
    pub truth: Truth,
    /// What every observer was told.
    pub views: Views,
    /// What happened, fact by fact.
    pub trace: Trace,
    /// The first rule that was broken.
    pub violation: Option<Violation>,
    /// Frames delivered.
    pub frames: u64,
    /// Events told.
    pub events: u64,
    /// When members left, by what observers were told, where a story wants to know.
    pub(crate) left_at: Vec<(u64, Session, RowKey)>,
    pub(crate) awaited: super::expect::Awaited,
    pub(crate) moves: Vec<super::steps::Moving>,
    pub(crate) random: fastrand::Rng,
    pub(crate) held: Vec<Delivery>,
    pub(crate) messages: u64,
    pub(crate) healed: bool,
    pub(crate) oracles: Vec<Box<dyn Oracle>>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) room: RoomId,
    calendar: Calendar<What>,
    journal: Option<Journal>,
    /// What is done over and over, and waits until somebody runs again, with its interval.
    paused: Vec<(What, u64)>,
    /// Whose list is looked at next.
    turn: usize,
}

impl World {
    /// The world in which a story plays, with the oracles that always watch; `keep` facts of the trace are kept.
    #[must_use]
    pub fn new(story: &Story, keep: usize) -> Self {
        let mut world = World::unwatched(story, keep);
        world.oracles = rules::all();
        world
    }

    /// The same without any oracle: for those who bring their own.
    ///
    /// # Panics
    /// Never: the room's name is a valid one.
    #[must_use]
    pub fn unwatched(story: &Story, keep: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(story.seed);
        let hosts: Vec<Host> = (0..)
            .zip(&story.hosts)
            .map(|(index, computer)| Host::new(index, computer, random.u64(1_000_000..2_000_000)))
            .collect();
        let mut sessions = Sessions::default();
        for host in hosts.iter().filter(|host| !host.hostile) {
            sessions.trust(host.person.actor.user_id.clone());
            sessions.trust(host.guest.actor.user_id.clone());
        }
        let mut world = World {
            story: Arc::new(story.clone()),
            now: 0,
            network: Network::new(hosts.len(), story.edges.clone(), story.weather.clone()),
            hosts,
            sessions,
            truth: Truth::default(),
            views: Views::default(),
            trace: Trace::keeping(keep),
            violation: None,
            frames: 0,
            events: 0,
            left_at: Vec::new(),
            awaited: super::expect::Awaited::of(story),
            moves: Vec::new(),
            random,
            held: Vec::new(),
            messages: 0,
            healed: false,
            oracles: Vec::new(),
            outputs: Vec::new(),
            room: RoomId::new("simulated room").unwrap_or_else(|error| unreachable!("{error}")),
            calendar: Calendar::new(),
            journal: None,
            paused: Vec::new(),
            turn: 0,
        };
        for (index, (at, _)) in (0..).zip(&story.steps) {
            world.schedule(*at, What::Step(index));
        }
        world.schedule(DIAL_MS, What::Dial);
        world.schedule(SECOND_MS, What::Second);
        world.schedule(FORGET_MS, What::Forget);
        world
    }

    /// Each replica that is made from now on has a flight recorder of so many bytes.
    pub fn record(&mut self, bytes: usize) {
        self.hosts.iter_mut().for_each(|host| host.recorded = bytes);
    }

    /// Adds an oracle.
    pub fn add(&mut self, oracle: impl Oracle + 'static) {
        self.oracles.push(Box::new(oracle));
    }

    /// Plays until `until`, or until a rule is broken.
    pub fn play(&mut self, until: u64) {
        while self.violation.is_none() {
            let Some((at, what)) = self.calendar.take(until) else { break };
            self.now = self.now.max(at);
            self.happen(what);
        }
        if self.violation.is_none() {
            self.now = self.now.max(until);
        }
    }

    /// Plays the story to its end, or until a rule is broken: all that it expects has come true then.
    pub fn play_out(&mut self) {
        let until = self.story.until;
        while self.violation.is_none() && self.now < until {
            // A story that waits for nothing any more, and in which nothing happens any more, is over.
            if self.waits_for_nothing() {
                break;
            }
            self.play(until.min(self.now + SECOND_MS));
        }
        self.watch(|oracle, world| oracle.end(world));
    }

    /// Records that a rule is broken; the first one counts.
    pub fn broken(&mut self, rule: &str, host: Option<usize>, detail: String) {
        let violation = Violation { rule: rule.to_owned(), at: self.now, host, detail };
        if self.violation.is_none() {
            self.trace.note(self.now, Fact::Broken(violation.to_string()));
            self.violation = Some(violation);
        }
    }

    /// Asks every oracle.
    pub(crate) fn watch(&mut self, mut ask: impl FnMut(&mut dyn Oracle, &World) -> Result<(), String>) {
        let mut oracles = std::mem::take(&mut self.oracles);
        for oracle in &mut oracles {
            if let Err(detail) = ask(&mut **oracle, self) {
                let rule = oracle.rule().to_owned();
                self.broken(&rule, None, detail);
            }
        }
        self.oracles = oracles;
    }

    pub(crate) fn happened(&mut self, what: &Happening<'_>) {
        self.watch(|oracle, world| oracle.happened(world, what));
    }

    /// How often each oracle found something to judge, by its rule.
    #[must_use]
    pub fn judged(&self) -> Vec<(String, u64)> {
        self.oracles.iter().map(|oracle| (oracle.rule().to_owned(), oracle.judged())).collect()
    }

    /// What the trace kept, in words.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        super::tell::lines(&self.trace, &self.sessions)
    }

    /// The host on which a session is the one that runs.
    #[must_use]
    pub fn home(&self, session: Session) -> Option<usize> {
        let known = self.sessions.get(session);
        (known.ended.is_none() && !known.invented).then_some(known.host)
    }

    /// The replicas that run now, awake, with their hosts.
    pub fn running(&self) -> impl Iterator<Item = (usize, &Replica)> {
        let awake = self.hosts.iter().filter(|host| host.runs());
        awake.filter_map(|host| host.process.as_ref().map(|process| (host.index, &process.replica)))
    }

    /// The same of honest hosts alone.
    pub fn honest(&self) -> impl Iterator<Item = (usize, &Replica)> {
        self.running().filter(|(host, _)| !self.hosts[*host].hostile)
    }

    /// Whether a row belongs to an honest person or guest.
    #[must_use]
    pub fn is_honest(&self, row: &RowKey) -> bool {
        self.sessions.is_honest(&row.1)
    }

    /// Observers whose lists are looked at in this second: all in a small world, one after the other in a big one, so
    /// that a second costs about the same in both.
    #[must_use]
    pub fn on_turn(&self) -> Vec<usize> {
        let hosts = self.hosts.len().max(1);
        let count = (512 / (hosts * hosts)).clamp(1, hosts);
        let all = (0..count).map(|step| (self.turn + step) % hosts);
        all.filter(|host| self.hosts[*host].runs() && !self.hosts[*host].hostile).collect()
    }

    pub(crate) fn schedule(&mut self, at: u64, what: What) {
        self.calendar.put(at.max(self.now), what);
    }

    /// Writes down from now on what one host's replica is given. It must be one that makes no calls.
    pub fn keep_journal(&mut self, host: usize) {
        self.journal = Some(Journal { host, entries: Vec::new() });
    }

    /// What was written down since this was asked last.
    pub fn take_journal(&mut self) -> Vec<Entry> {
        self.journal.as_mut().map(|journal| std::mem::take(&mut journal.entries)).unwrap_or_default()
    }

    pub(crate) fn journal_of(&mut self, host: usize, entry: impl FnOnce() -> Entry) {
        if let Some(journal) = self.journal.as_mut().filter(|journal| journal.host == host) {
            journal.entries.push(entry());
        }
    }

    /// Does something again after a while; while nobody runs, there is nothing to do it for, and the time is skipped.
    fn again(&mut self, what: What, every: u64) {
        if self.hosts.iter().any(Host::runs) {
            self.schedule(self.now + every, what);
        } else {
            self.paused.push((what, every));
        }
    }

    /// Somebody runs again.
    pub(crate) fn unpause(&mut self) {
        for (what, every) in std::mem::take(&mut self.paused) {
            self.schedule((self.now / every + 1) * every, what);
        }
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Deliver(delivery) => self.deliver(delivery),
            What::Depart(from, to) => self.depart(from, to),
            What::Wake(session) => self.wake(session),
            What::Wall(session) => self.read_clock(session),
            What::Up(end, peer) => self.link_up(end, peer),
            What::Down(end, peer, cause) => self.link_down(end, peer, cause),
            What::Dial => {
                self.dial();
                self.again(What::Dial, DIAL_MS);
            }
            What::Second => {
                self.watch(|oracle, world| oracle.second(world));
                self.turn = (self.turn + 1) % self.hosts.len().max(1);
                self.again(What::Second, SECOND_MS);
            }
            What::Forget => {
                self.truth.forget_old(&self.sessions, self.now);
                self.schedule(self.now + FORGET_MS, What::Forget);
            }
            What::Rise(host) => self.rise(host),
            What::Plug(host) => self.plug(host, true),
            What::Die(session) => {
                if let Some(host) = self.home(session) {
                    self.die(host, true);
                    if self.healed {
                        self.bridge(host);
                    }
                }
            }
            What::Step(index) => {
                let story = self.story.clone();
                if let Some((_, step)) = story.steps.get(index as usize) {
                    self.step(step);
                }
            }
            What::Move(index) => self.keep_moving(index),
            What::Await(index) => self.look_again(index),
        }
    }
}
