//! The simulated world: a calendar of events, the hosts, the network, and the time that jumps between them.

use std::collections::BTreeMap;
use std::sync::Arc;

use parlor_core::{DownCause, Input, Output, Replica, RoomId, RowKey, SessionId, Tick, Verdict};

use super::host::Host;
use super::network::{Faults, Network};
use super::oracle::Oracle;
use super::scenario::{Scenario, Step};
use super::trace::Trace;
use super::truth::{End, Truth};

/// Between two looks of the driver at its links.
const DIAL_MS: u64 = 500;
/// Between two readings of the wall clock.
const WALL_MS: u64 = 1_000;
/// Between two checks of everybody's list.
const CHECK_MS: u64 = 1_000;

/// What the calendar holds.
#[derive(Debug)]
pub(crate) enum What {
    Deliver(Delivery),
    Wake(SessionId),
    Wall(SessionId),
    Up { end: SessionId, peer: SessionId },
    Down { end: SessionId, peer: SessionId, cause: DownCause },
    Dial,
    Check,
    Rise(usize),
    Plug(usize),
    Die(SessionId),
    Step(Step),
}

/// A frame on its way over one link.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub to: SessionId,
    pub via: SessionId,
    pub author: SessionId,
    /// The number of the message, for gossip; none for what is sent to one peer alone.
    pub message: Option<u64>,
    pub order: u64,
    pub sent: u64,
    /// A copy that the network made: it reaches the replica although the message was taken already.
    pub copy: bool,
    pub bytes: Arc<[u8]>,
}

/// The world.
pub struct World {
    /// The seed of all dice.
    pub seed: u64,
    /// Milliseconds since the story began.
    pub now: u64,
    /// The computers.
    pub hosts: Vec<Host>,
    /// The links.
    pub network: Network,
    /// What really happened.
    pub truth: Truth,
    /// What observers were told, and whether they may.
    pub oracle: Oracle,
    /// What happened, line by line.
    pub trace: Trace,
    /// The first rule that was broken.
    pub violation: Option<String>,
    /// Frames delivered.
    pub frames: u64,
    /// Frames of this kind are lost, whoever sends them.
    pub swallow: Option<u8>,
    pub(crate) random: fastrand::Rng,
    pub(crate) held: Vec<Delivery>,
    pub(crate) value: u64,
    pub(crate) messages: u64,
    pub(crate) orders: BTreeMap<SessionId, u64>,
    room: RoomId,
    calendar: BTreeMap<(u64, u64), What>,
    serial: u64,
    homes: BTreeMap<SessionId, usize>,
    late_ms: u64,
    healed: bool,
}

impl World {
    /// The world in which a scenario plays; its steps are on the calendar.
    ///
    /// # Panics
    /// Never: the room's name is a valid one.
    #[must_use]
    pub fn new(scenario: &Scenario, keep_lines: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(scenario.seed);
        let hosts = (0..scenario.people.len())
            .map(|index| {
                let skew = scenario.skews.get(index).copied().unwrap_or(0);
                Host::new(index, &scenario.people[index], random.u64(1_000_000..2_000_000), skew)
            })
            .collect::<Vec<_>>();
        let mut world = World {
            seed: scenario.seed,
            now: 0,
            network: Network::new(hosts.len(), scenario.edges.clone(), scenario.faults),
            hosts,
            truth: Truth::default(),
            oracle: Oracle::default(),
            trace: Trace::keeping(keep_lines),
            violation: None,
            frames: 0,
            swallow: None,
            random,
            held: Vec::new(),
            value: 0,
            messages: 0,
            orders: BTreeMap::new(),
            room: RoomId::new("simulated room").unwrap_or_else(|error| unreachable!("{error}")),
            calendar: BTreeMap::new(),
            serial: 0,
            homes: BTreeMap::new(),
            late_ms: scenario.late_ms,
            healed: false,
        };
        for (at, step) in &scenario.steps {
            world.schedule(*at, What::Step(step.clone()));
        }
        world.schedule(DIAL_MS, What::Dial);
        world.schedule(CHECK_MS, What::Check);
        world
    }

    /// Plays until `until`, or until a rule is broken.
    pub fn play(&mut self, until: u64) {
        while self.violation.is_none() {
            let Some(entry) = self.calendar.first_entry().filter(|entry| entry.key().0 <= until) else { break };
            let ((at, _), what) = entry.remove_entry();
            self.now = self.now.max(at);
            self.happen(what);
        }
        if self.violation.is_none() {
            self.now = self.now.max(until);
        }
    }

    /// Records that a rule is broken; the first one counts.
    pub fn broken(&mut self, rule: String) {
        self.trace.line(self.now, format_args!("BROKEN {rule}"));
        self.violation.get_or_insert(rule);
    }

    /// The host on which a session is the one that runs.
    #[must_use]
    pub fn home(&self, session: SessionId) -> Option<usize> {
        let host = *self.homes.get(&session)?;
        (self.hosts[host].session() == Some(session)).then_some(host)
    }

    /// The host of any session, also of one that is over.
    #[must_use]
    pub fn birthplace(&self, session: SessionId) -> Option<usize> {
        self.homes.get(&session).copied()
    }

    /// The replicas that run now, awake, with their hosts.
    pub fn running(&self) -> impl Iterator<Item = (usize, &Replica)> {
        let awake = self.hosts.iter().filter(|host| host.runs());
        awake.filter_map(|host| host.process.as_ref().map(|process| (host.index, &process.replica)))
    }

    /// Calls a replica that runs, and carries out what it wants. Nothing when it does not run.
    pub fn call<R>(&mut self, host: usize, call: impl FnOnce(&mut Replica, Tick) -> R) -> Option<R> {
        let tick = self.hosts[host].tick(self.now);
        if self.hosts[host].asleep {
            return None;
        }
        let process = self.hosts[host].process.as_mut()?;
        let answer = call(&mut process.replica, tick);
        self.settle(host);
        Some(answer)
    }

    pub(crate) fn schedule(&mut self, at: u64, what: What) {
        self.serial += 1;
        self.calendar.insert((at.max(self.now), self.serial), what);
    }

    pub(crate) fn start(&mut self, host: usize) {
        if self.hosts[host].process.is_some() || self.hosts[host].asleep {
            return;
        }
        let session = self.hosts[host].start(self.seed, &self.room, self.now);
        let boot = self.truth.sessions.values().filter(|(other, _)| *other == host).count() as u64 + 1;
        self.truth.sessions.insert(session, (host, boot));
        self.homes.insert(session, host);
        self.trace.line(self.now, format_args!("h{host} starts as {}", session.short()));
        self.oracle.begin(session, self.now);
        self.schedule(self.now + WALL_MS, What::Wall(session));
        if self.hosts[host].unplugged {
            self.input(host, Input::OwnOutage(true));
        }
        self.settle(host);
    }

    /// The process ends, with a word to its links or without.
    pub(crate) fn die(&mut self, host: usize, farewell: bool) {
        let Some(process) = self.hosts[host].process.take() else { return };
        let session = process.session;
        self.trace.line(self.now, format_args!("h{host} {} is gone, farewell {farewell}", session.short()));
        self.truth.all_ended(session, End::Died, self.now);
        self.truth.died.insert(session, self.now);
        if !farewell {
            return;
        }
        for (peer, other) in self.network.linked(session) {
            self.network.mark(session, peer, false);
            if self.carries(host, other) {
                let latency = self.network.faults.latency.0;
                let what = What::Down { end: peer, peer: session, cause: DownCause::Closed };
                self.schedule(self.now + latency, what);
            }
        }
    }

    /// Feeds an input to a replica that runs and carries out what it wants.
    pub(crate) fn input(&mut self, host: usize, input: Input) -> Verdict {
        let tick = self.hosts[host].tick(self.now);
        let home = &mut self.hosts[host];
        let Some(process) = home.process.as_mut().filter(|_| !home.asleep) else { return Verdict::Ignore };
        let verdict = process.replica.handle(input, tick);
        let deadline = process.replica.next_deadline();
        if deadline.is_none_or(|deadline| deadline <= tick) {
            self.broken(format!("h{host}: next_deadline is {deadline:?} after everything due at {tick:?} was done"));
        }
        self.settle(host);
        verdict
    }

    /// Carries out what a replica wants, and puts its next deadline on the calendar.
    fn settle(&mut self, host: usize) {
        let Some(process) = self.hosts[host].process.as_mut() else { return };
        let session = process.session;
        let mut outputs = Vec::new();
        while let Some(output) = process.replica.poll_output() {
            outputs.push(output);
        }
        let members = process.replica.own_members();
        let lost_some = members < process.members;
        process.members = members;
        if lost_some {
            self.notice_endings(host, session);
        }
        for output in outputs {
            match output {
                Output::Publish { bytes } => self.publish(host, session, bytes),
                Output::Send { peer, bytes } => self.send(host, session, peer, bytes),
                Output::Event(event) => {
                    self.trace.line(self.now, format_args!("h{host}   {}", super::oracle::tell(&event)));
                    let verdict = self.oracle.event(session, &event, &self.truth, self.now);
                    if let Err(rule) = verdict {
                        self.broken(format!("h{host}: {rule}"));
                    }
                }
            }
        }
        let late = if self.late_ms > 0 { self.random.u64(0..=self.late_ms) } else { 0 };
        let ticks = self.hosts[host].ticks;
        let Some(process) = self.hosts[host].process.as_mut() else { return };
        let Some(deadline) = process.replica.next_deadline() else { return };
        let at = deadline.0.saturating_sub(ticks).saturating_add(late);
        if process.wake_at.is_none_or(|planned| planned > at) {
            process.wake_at = Some(at);
            self.schedule(at, What::Wake(session));
        }
    }

    /// Records that ended without a call: their client lease ran out.
    fn notice_endings(&mut self, host: usize, session: SessionId) {
        let held = self.own_rows(host);
        for row in self.truth.rows_of(session) {
            if !held.contains(&row) {
                self.truth.ended(session, &row, End::Expired, self.now);
            }
        }
    }

    /// The rows that a host's own process has, as its replica tells them.
    pub(crate) fn own_rows(&self, host: usize) -> Vec<RowKey> {
        let Some(process) = self.hosts[host].process.as_ref() else { return Vec::new() };
        let own = super::converge::by_session(&process.replica, self.hosts[host].tick(self.now));
        let own = own.into_iter().filter(|(session, _)| *session == process.session.to_string());
        own.map(|(_, member)| member.key()).collect()
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Deliver(delivery) => self.deliver(delivery),
            What::Wake(session) => {
                let Some(host) = self.home(session) else { return };
                if let Some(process) = &mut self.hosts[host].process {
                    process.wake_at = None;
                }
                self.input(host, Input::Timeout);
            }
            What::Wall(session) => {
                let Some(host) = self.home(session) else { return };
                let unix_ms = self.hosts[host].wall_ms(self.now);
                self.input(host, Input::Wall { unix_ms });
                self.schedule(self.now + WALL_MS, What::Wall(session));
            }
            What::Up { end, peer } => self.link_up(end, peer),
            What::Down { end, peer, cause } => self.link_down(end, peer, cause),
            What::Dial => {
                self.dial();
                self.schedule(self.now + DIAL_MS, What::Dial);
            }
            What::Check => {
                self.check();
                self.schedule(self.now + CHECK_MS, What::Check);
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
            What::Step(step) => self.step(&step),
        }
    }

    /// Everybody's list is held against what its owner was told, and against the truth.
    fn check(&mut self) {
        let mut broken = Vec::new();
        for (host, replica) in self.running() {
            let session = replica.session();
            let tick = self.hosts[host].tick(self.now);
            if let Err(rule) = self.oracle.check(session, replica, tick, self.now) {
                broken.push(format!("h{host}: {rule}"));
            }
        }
        broken.into_iter().for_each(|rule| self.broken(rule));
    }

    /// A good network from now on, everybody awake and plugged in. Where not everybody reaches everybody, all run too, so
    /// that nobody is missing between two others.
    pub fn heal(&mut self, faults: Faults) {
        self.trace.line(self.now, format_args!("everything heals"));
        self.network.heal(faults);
        for host in 0..self.hosts.len() {
            if self.hosts[host].asleep {
                self.rise(host);
            }
            if self.hosts[host].unplugged {
                self.plug(host, true);
            }
            self.bridge(host);
        }
        self.healed = true;
    }

    fn bridge(&mut self, host: usize) {
        if self.network.edges.len() < self.hosts.len() * (self.hosts.len() - 1) / 2 {
            self.start(host);
        }
    }
}
