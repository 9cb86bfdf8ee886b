//! How replicas are driven: programs start and end, inputs and calls go in, and what comes out is carried out.

use parlor_core::{DownCause, Event, Input, Output, Replica, RowKey, Tick, Verdict};

use super::journal::Entry;
use super::oracle::{Happening, Told};
use super::rules;
use super::sessions::Session;
use super::trace::Fact;
use super::truth::End;
use super::world::{What, World};

/// Between two readings of the wall clock.
pub(crate) const WALL_MS: u64 = 1_000;

impl World {
    /// Calls a replica that runs, and carries out what it wants. Nothing when it does not run.
    pub fn call<R>(&mut self, host: usize, call: impl FnOnce(&mut Replica, Tick) -> R) -> Option<R> {
        let tick = self.hosts[host].tick(self.now);
        if self.hosts[host].asleep {
            return None;
        }
        let process = self.hosts[host].process.as_mut()?;
        let answer = call(&mut process.replica, tick);
        self.hosts[host].save();
        self.settle(host, false);
        Some(answer)
    }

    pub(crate) fn start(&mut self, host: usize) {
        if self.hosts[host].process.is_some() || self.hosts[host].asleep {
            return;
        }
        let id = self.hosts[host].boot(self.story.seed);
        let session = self.sessions.add(id, host, false);
        let (seed, now) = (self.story.seed, self.now);
        let private = self.private_room();
        let config = self.hosts[host].start(seed, id, session, (&self.room, private), now);
        let (tick, wall_ms) = (self.hosts[host].tick(now), self.hosts[host].wall_ms(now));
        self.journal_of(host, || Entry::Made(config, tick, wall_ms));
        self.unpause();
        self.network.restless = true;
        self.trace.note(now, Fact::Started(session));
        self.happened(&Happening::Started(session));
        self.schedule(now + WALL_MS, What::Wall(session));
        if self.hosts[host].unplugged {
            self.happened(&Happening::Outage(session, true));
            self.input(host, Input::OwnOutage(true));
        }
        self.settle(host, false);
    }

    /// The process ends, with a word to its links or without.
    pub(crate) fn die(&mut self, host: usize, farewell: bool) {
        let Some(process) = self.hosts[host].process.take() else { return };
        let session = process.session;
        self.trace.note(self.now, Fact::Gone(session, farewell));
        self.network.restless = true;
        self.truth.all_ended(session, End::Died, self.now);
        self.sessions.end(session, self.now);
        self.views.end(session);
        self.happened(&Happening::Ended(session));
        let peers: Vec<(Session, usize)> =
            self.network.lanes(session).iter().map(|lane| (lane.to, lane.host)).collect();
        for (peer, other) in peers {
            self.network.mark(session, peer, false);
            if farewell && self.carries(host, other) {
                let latency = *self.network.faults_of(host, other).latency.start();
                self.schedule(self.now + latency, What::Down(peer, session, DownCause::Closed));
            }
        }
    }

    /// Feeds an input to a replica that runs and carries out what it wants.
    pub(crate) fn input(&mut self, host: usize, input: Input) -> Verdict {
        let tick = self.hosts[host].tick(self.now);
        if self.hosts[host].runs() {
            self.journal_of(host, || Entry::Given(input.clone(), tick));
        }
        let home = &mut self.hosts[host];
        let Some(process) = home.process.as_mut().filter(|_| !home.asleep) else { return Verdict::Ignore };
        let verdict = process.replica.handle(input, tick);
        self.settle(host, true);
        verdict
    }

    /// Carries out what a replica wants, and puts its next deadline on the calendar.
    fn settle(&mut self, host: usize, after_input: bool) {
        let Some(process) = self.hosts[host].process.as_mut() else { return };
        let session = process.session;
        let mut outputs = std::mem::take(&mut self.outputs);
        outputs.extend(std::iter::from_fn(|| process.replica.poll_output()));
        let members = process.replica.own_members();
        let deadline = process.replica.next_deadline();
        let lost_some = members < process.members;
        process.members = members;
        if lost_some {
            self.notice_endings(host, session);
        }
        for output in outputs.drain(..) {
            match output {
                Output::Publish { bytes, .. } => self.publish(host, session, bytes),
                Output::Send { peer, bytes } => self.send(host, session, peer, bytes),
                Output::Event(event) => self.tell(session, &event),
            }
        }
        self.outputs = outputs;
        let tick = self.hosts[host].tick(self.now);
        if after_input && deadline.is_none_or(|deadline| deadline <= tick) {
            let detail = format!("the next deadline is {deadline:?} after all that was due at {tick:?} was done");
            self.broken(rules::DEADLINE, Some(host), detail);
        }
        let late = if self.story.late_ms > 0 { self.random.u64(0..=self.story.late_ms) } else { 0 };
        let ticks = self.hosts[host].ticks;
        let (Some(process), Some(deadline)) = (self.hosts[host].process.as_mut(), deadline) else { return };
        let at = deadline.0.saturating_sub(ticks).saturating_add(late).max(self.now);
        if process.wake_at.is_none_or(|planned| planned > at) {
            process.wake_at = Some(at);
            self.schedule(at, What::Wake(session));
        }
    }

    /// An observer is told something: every oracle judges it by what the observer knew before.
    pub(crate) fn tell(&mut self, observer: Session, event: &Event) {
        self.events += 1;
        self.trace.told(self.now, observer, event);
        let member = match event {
            Event::Joined { member }
            | Event::Updated { member, .. }
            | Event::Stale { member }
            | Event::Active { member }
            | Event::Left { member, .. } => Some(member),
            _ => None,
        };
        let row = member.map(|member| self.views.row(member));
        if let (Event::Left { member, .. }, true) = (event, self.awaited.counts_left()) {
            self.left_at.push((self.now, observer, member.key()));
        }
        let mut oracles = std::mem::take(&mut self.oracles);
        let told = Told { observer, event, row, before: row.and_then(|row| self.views.member(observer, row)) };
        let broken = oracles.iter_mut().find_map(|oracle| {
            let detail = oracle.told(self, &told).err()?;
            Some((oracle.rule().to_owned(), detail))
        });
        self.oracles = oracles;
        if let Some((rule, detail)) = broken {
            self.broken(&rule, Some(self.sessions.get(observer).host), detail);
        }
        if let Some(row) = row {
            self.views.apply(observer, row, event);
        }
    }

    /// Records that ended without a call: their client lease ran out.
    fn notice_endings(&mut self, host: usize, session: Session) {
        let held = self.own_rows(host);
        for row in self.truth.rows_of(session).to_vec() {
            if !held.contains(&row) {
                self.truth.ended(session, &row, End::Expired, self.now);
            }
        }
    }

    /// The rows that a host's own process has, as its replica tells them.
    pub(crate) fn own_rows(&self, host: usize) -> Vec<RowKey> {
        let Some(process) = self.hosts[host].process.as_ref() else { return Vec::new() };
        let own = super::converge::by_session(&process.replica, self.hosts[host].tick(self.now));
        let id = self.sessions.get(process.session).id.to_string();
        own.into_iter().filter(|(session, _)| *session == id).map(|(_, member)| member.key()).collect()
    }

    pub(crate) fn read_clock(&mut self, session: Session) {
        let Some(host) = self.home(session) else { return };
        if self.hosts[host].asleep {
            self.hosts[host].process.iter_mut().for_each(|process| process.clock_stopped = true);
            return;
        }
        let unix_ms = self.hosts[host].wall_ms(self.now);
        self.input(host, Input::Wall { unix_ms });
        self.schedule(self.now + WALL_MS, What::Wall(session));
    }

    pub(crate) fn wake(&mut self, session: Session) {
        let Some(host) = self.home(session) else { return };
        let now = self.now;
        let Some(process) = &mut self.hosts[host].process else { return };
        let due = process.wake_at == Some(now);
        if due {
            process.wake_at = None;
        }
        // A timer that was overtaken by an earlier one does no harm: where timers are late, it is told all the same.
        if due || self.story.late_ms > 0 {
            self.input(host, Input::Timeout);
        }
    }
}
