//! The little of a driver that links need: dialling, pings that fail, ends that notice; sleep, and cables.

use parlor_core::{DownCause, Input};

use super::drive::WALL_MS;
use super::network::{Link, pair};
use super::oracle::Happening;
use super::sessions::Session;
use super::trace::Fact;
use super::world::{What, World};
use crate::story::Faults;

/// A link over which nothing passes is closed after this long (design N6).
const PING_MS: u64 = 6_000;
/// An end that the other end never joined, or left alone, is closed after this long.
const HALF_MS: u64 = 2_000;
/// Frames older than this are not delivered to somebody who wakes.
const HELD_MS: u64 = 3_000;

impl World {
    pub(crate) fn link_up(&mut self, end: Session, peer: Session) {
        let Some(host) = self.home(end).filter(|host| self.hosts[*host].runs()) else { return };
        if self.network.mark(end, peer, true) {
            self.trace.note(self.now, Fact::Up(end, peer));
            self.happened(&Happening::Up { end, peer });
            let peer = self.sessions.get(peer).id;
            self.input(host, Input::LinkUp { peer, loopback: false });
        }
    }

    pub(crate) fn link_down(&mut self, end: Session, peer: Session, cause: DownCause) {
        let Some(host) = self.home(end).filter(|host| self.hosts[*host].runs()) else { return };
        if self.network.mark(end, peer, false) {
            self.trace.note(self.now, Fact::Down(end, peer, cause));
            self.happened(&Happening::Down { end, peer });
            let peer = self.sessions.get(peer).id;
            self.input(host, Input::LinkDown { peer, cause });
        }
    }

    /// What a driver does about links twice a second, unless nothing changed since it looked last.
    pub(crate) fn dial(&mut self) {
        if !self.network.restless {
            return;
        }
        self.network.restless = false;
        self.close_dead();
        let edges: Vec<(usize, usize)> = self.network.edges().iter().copied().collect();
        for (a, b) in edges {
            let (Some(first), Some(second)) = (self.hosts[a].session(), self.hosts[b].session()) else { continue };
            let key = pair(first, second);
            if self.network.links.contains_key(&key) || !self.passes(a, b) {
                continue;
            }
            let hosts = if key.0 == first { [a, b] } else { [b, a] };
            let link = Link { hosts, up: [false, false], silent_since: None, made: self.now };
            self.network.links.insert(key, link);
            let trip = self.network.faults_of(a, b).longest() + self.network.faults_of(b, a).longest();
            for (end, peer) in [(first, second), (second, first)] {
                let at = self.now + trip + self.random.u64(0..50);
                self.schedule(at, What::Up(end, peer));
            }
        }
        let pending = |link: &Link| link.up != [true, true] || link.silent_since.is_some();
        self.network.restless |= self.network.links.values().any(pending);
    }

    fn close_dead(&mut self) {
        let mut down = Vec::new();
        let keys: Vec<(Session, Session)> = self.network.links.keys().copied().collect();
        for key in keys {
            let alive = self.home(key.0).is_some() && self.home(key.1).is_some();
            let Some(link) = self.network.links.get(&key) else { continue };
            let passes = alive && self.passes(link.hosts[0], link.hosts[1]);
            let now = self.now;
            let Some(link) = self.network.links.get_mut(&key) else { continue };
            let half = link.up != [true, true] && now - link.made >= HALF_MS;
            if passes && !half {
                link.silent_since = None;
                continue;
            }
            let since = *link.silent_since.get_or_insert(now);
            let cause = if passes { DownCause::Closed } else { DownCause::TimedOut };
            if passes || now - since >= PING_MS {
                let ends = [(key.0, key.1), (key.1, key.0)];
                down.extend(ends.into_iter().map(|(end, peer)| (end, peer, cause)));
                if link.up == [false, false] {
                    self.network.links.remove(&key);
                }
            }
        }
        for (end, peer, cause) in down {
            self.link_down(end, peer, cause);
            // An end whose process is over notices nothing.
            if self.home(end).is_none() {
                self.network.mark(end, peer, false);
            }
        }
    }

    fn passes(&self, a: usize, b: usize) -> bool {
        self.hosts[a].runs() && self.hosts[b].runs() && self.carries(a, b) && self.carries(b, a)
    }

    pub(crate) fn rise(&mut self, host: usize) {
        if !self.hosts[host].asleep {
            return;
        }
        self.hosts[host].asleep = false;
        self.network.restless = true;
        let Some(session) = self.hosts[host].session() else { return };
        self.trace.note(self.now, Fact::Wakes(host));
        let mut clock_stopped = false;
        if let Some(process) = &mut self.hosts[host].process {
            process.wake_at = None;
            clock_stopped = std::mem::take(&mut process.clock_stopped);
        }
        if clock_stopped {
            self.schedule(self.now + WALL_MS, What::Wall(session));
        }
        self.unpause();
        self.happened(&Happening::Resumed(session));
        self.input(host, Input::Resumed);
        let (own, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.held).into_iter().partition(|frame| frame.to == session);
        self.held = others;
        let unplugged = self.hosts[host].unplugged;
        self.happened(&Happening::Outage(session, unplugged));
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
        self.network.restless = true;
        self.trace.note(self.now, Fact::Cable(host, plugged));
        if let Some(session) = self.hosts[host].session().filter(|_| !self.hosts[host].asleep) {
            self.happened(&Happening::Outage(session, !plugged));
            self.input(host, Input::OwnOutage(!plugged));
        }
    }

    /// A good network from now on, everybody awake and plugged in. Where not everybody reaches everybody, all run too, so
    /// that nobody is missing between two others.
    pub fn heal(&mut self) {
        let gentle = Faults { reorder: self.story.weather.reorder, ..Faults::none(2) };
        self.network.mend();
        self.network.faults = gentle;
        self.network.ways.clear();
        self.network.lost.clear();
        for host in 0..self.hosts.len() {
            self.rise(host);
            if self.hosts[host].unplugged {
                self.plug(host, true);
            }
            self.bridge(host);
        }
        self.healed = true;
    }

    pub(crate) fn bridge(&mut self, host: usize) {
        if !self.network.is_mesh() {
            self.start(host);
        }
    }
}
