//! How frames travel: published to every linked peer, passed on where the verdict says so, or sent to one alone; and the
//! little of a driver that links need: dialling, pings that fail, ends that notice.

use std::sync::Arc;

use parlor_core::{DownCause, Input, Path, SessionId, Verdict};

use super::host::Taped;
use super::network::{Link, pair};
use super::world::{Delivery, What, World};

/// A link over which nothing passes is closed after this long (design N6).
const PING_MS: u64 = 6_000;
/// An end that the other end never joined, or left alone, is closed after this long.
const HALF_MS: u64 = 2_000;
/// Frames that a process keeps for the tape.
const TAPE: usize = 300;

impl World {
    /// Whether frames pass from one host to another now.
    pub(crate) fn carries(&self, from: usize, to: usize) -> bool {
        let plugged = |host: usize| !self.hosts[host].unplugged;
        plugged(from) && plugged(to) && self.network.carries(from, to)
    }

    pub(crate) fn publish(&mut self, host: usize, author: SessionId, bytes: Vec<u8>) {
        self.messages += 1;
        let message = self.messages;
        let order = self.order(author, &bytes);
        self.trace.line(self.now, format_args!("h{host} publishes {}", tell(&bytes)));
        let bytes: Arc<[u8]> = bytes.into();
        self.spread(host, author, author, message, order, &bytes);
    }

    pub(crate) fn send(&mut self, host: usize, author: SessionId, to: SessionId, bytes: Vec<u8>) {
        let order = self.order(author, &bytes);
        let linked = self.network.linked(author).iter().any(|(peer, _)| *peer == to);
        self.trace.line(self.now, format_args!("h{host} sends to {} {}", to.short(), tell(&bytes)));
        if linked {
            let delivery = Delivery {
                to,
                via: author,
                author,
                message: None,
                order,
                sent: self.now,
                copy: false,
                bytes: bytes.into(),
            };
            self.launch(host, delivery);
        }
    }

    /// Frames that carry `seq` are signs of life, in the order in which their author made them.
    fn order(&mut self, author: SessionId, bytes: &[u8]) -> u64 {
        if !matches!(bytes.get(1), Some(1..=4)) {
            return 0;
        }
        let order = self.orders.entry(author).or_default();
        *order += 1;
        *order
    }

    fn spread(&mut self, host: usize, via: SessionId, author: SessionId, message: u64, order: u64, bytes: &Arc<[u8]>) {
        let Some(own) = self.hosts[host].session() else { return };
        for (to, _) in self.network.linked(own) {
            if to != via && to != author {
                let delivery = Delivery {
                    to,
                    via: own,
                    author,
                    message: Some(message),
                    order,
                    sent: self.now,
                    copy: false,
                    bytes: bytes.clone(),
                };
                self.launch(host, delivery);
            }
        }
    }

    fn launch(&mut self, host: usize, delivery: Delivery) {
        let faults = self.network.faults;
        let swallowed = self.swallow.is_some() && self.swallow == delivery.bytes.get(1).copied();
        let lost = faults.loss > 0 && self.random.u32(0..1000) < faults.loss;
        let Some(other) = self.birthplace(delivery.to) else { return };
        if swallowed || lost || !self.carries(host, other) {
            return;
        }
        if faults.doubled > 0 && self.random.u32(0..1000) < faults.doubled {
            let at = self.now + self.random.u64(faults.latency.0..=faults.latency.1 * 2 + 50);
            self.schedule(at, What::Deliver(Delivery { copy: true, ..delivery.clone() }));
        }
        let mut at = self.now + self.random.u64(faults.latency.0..=faults.latency.1);
        if !faults.reorder {
            let last = self.network.arrives.entry((delivery.via, delivery.to)).or_default();
            at = at.max(*last);
            *last = at;
        }
        self.schedule(at, What::Deliver(delivery));
    }

    pub(crate) fn deliver(&mut self, delivery: Delivery) {
        let Some(host) = self.home(delivery.to) else { return };
        let Some(from) = self.birthplace(delivery.via) else { return };
        if !self.carries(from, host) {
            return;
        }
        if self.hosts[host].asleep {
            self.held.push(delivery);
            return;
        }
        let Some(process) = self.hosts[host].process.as_mut() else { return };
        let first = delivery.message.is_none_or(|message| process.seen.insert(message));
        if !first && !delivery.copy {
            return;
        }
        if process.tape.len() < TAPE {
            let Delivery { author, order, bytes, .. } = delivery.clone();
            process.tape.push(Taped { author, order, bytes });
        }
        let path = if delivery.message.is_some() { Path::Gossip } else { Path::Direct };
        let verdict = self.take(host, delivery.author, delivery.via, path, delivery.order, &delivery.bytes);
        if let (true, Verdict::Accept, Some(message)) = (first, verdict, delivery.message) {
            self.spread(host, delivery.via, delivery.author, message, delivery.order, &delivery.bytes);
        }
    }

    /// A replica gets a frame.
    pub(crate) fn take(
        &mut self,
        host: usize,
        author: SessionId,
        via: SessionId,
        path: Path,
        order: u64,
        bytes: &Arc<[u8]>,
    ) -> Verdict {
        self.frames += 1;
        if let Some(own) = self.hosts[host].session() {
            self.oracle.heard(own, author, order, self.now);
        }
        let way = if author == via { String::new() } else { format!(" via {}", via.short()) };
        self.trace.line(self.now, format_args!("h{host} <- {}{way} {}", author.short(), tell(bytes)));
        self.input(host, Input::Frame { author, via, path, bytes: bytes.to_vec() })
    }

    pub(crate) fn link_up(&mut self, end: SessionId, peer: SessionId) {
        let Some(host) = self.home(end).filter(|host| self.hosts[*host].runs()) else { return };
        if self.network.mark(end, peer, true) {
            self.trace.line(self.now, format_args!("h{host} link to {} is up", peer.short()));
            self.input(host, Input::LinkUp { peer, loopback: false });
        }
    }

    pub(crate) fn link_down(&mut self, end: SessionId, peer: SessionId, cause: DownCause) {
        let Some(host) = self.home(end).filter(|host| self.hosts[*host].runs()) else { return };
        if self.network.mark(end, peer, false) {
            self.trace.line(self.now, format_args!("h{host} link to {} is down, {cause:?}", peer.short()));
            self.oracle.down(end, peer, self.now);
            self.input(host, Input::LinkDown { peer, cause });
        }
    }

    /// What a driver does about links twice a second.
    pub(crate) fn dial(&mut self) {
        self.close_dead();
        let edges: Vec<(usize, usize)> = self.network.edges.iter().copied().collect();
        for (a, b) in edges {
            let (Some(first), Some(second)) = (self.hosts[a].session(), self.hosts[b].session()) else { continue };
            let key = pair(first, second);
            let reachable = self.passes(a, b) && !self.network.links.contains_key(&key);
            if !reachable {
                continue;
            }
            let hosts = if key.0 == first { [a, b] } else { [b, a] };
            let link = Link { hosts, up: [false, false], silent_since: None, made: self.now };
            self.network.links.insert(key, link);
            let trip = 2 * self.network.faults.latency.1;
            for (end, peer) in [(first, second), (second, first)] {
                let at = self.now + trip + self.random.u64(0..50);
                self.schedule(at, What::Up { end, peer });
            }
        }
    }

    fn close_dead(&mut self) {
        let mut down = Vec::new();
        let keys: Vec<(SessionId, SessionId)> = self.network.links.keys().copied().collect();
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
}

/// A frame in words.
fn tell(bytes: &[u8]) -> String {
    let kind = match bytes.get(1) {
        Some(1) => "delta",
        Some(2) => "beat",
        Some(3) => "leave",
        Some(4) => "full",
        Some(5) => "ask",
        Some(6) => "cells",
        Some(7) => "sync request",
        Some(8) => "sync stamps",
        Some(9) => "sync want",
        _ => "frame of no known kind",
    };
    format!("{kind}, {} bytes", bytes.len())
}
