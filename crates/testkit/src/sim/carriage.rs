//! How frames travel: published to every linked peer, passed on where the verdict says so, or sent to one alone.

use std::sync::Arc;

use parlor_core::{Input, Path, SessionId, Verdict};

use super::letter::{Delivery, Letter, is_sign_of_life};
use super::oracle::Took;
use super::sessions::Session;
use super::trace::Fact;
use super::world::{What, World};
use crate::story::Drops;

/// The byte of a question on the wire.
const ASK: u8 = 5;
const WITNESS_ASK: u8 = 12;

impl World {
    /// Whether frames pass from one host to another now.
    pub(crate) fn carries(&self, from: usize, to: usize) -> bool {
        !self.hosts[from].unplugged && !self.hosts[to].unplugged && self.network.carries(from, to)
    }

    pub(crate) fn publish(&mut self, host: usize, author: Session, bytes: Vec<u8>) {
        self.messages += 1;
        let letter = self.letter(host, author, self.messages, bytes);
        self.trace.published(self.now, author, &letter, self.network.lanes(author).len());
        self.spread(host, author, author, author, &letter);
    }

    pub(crate) fn send(&mut self, host: usize, author: Session, to: SessionId, bytes: Vec<u8>) {
        let letter = self.letter(host, author, 0, bytes);
        self.trace.sent(self.now, author, to, &letter);
        let Some(to) = self.sessions.find(&to) else { return };
        let Some(lane) = self.network.lane_to(author, to) else { return };
        self.launch(host, lane, Delivery { letter, to, via: author, sent: self.now, copy: false });
    }

    /// Frames that carry `seq` are signs of life, in the order in which their author made them.
    fn letter(&mut self, host: usize, author: Session, message: u64, bytes: Vec<u8>) -> Arc<Letter> {
        let kind = bytes.get(1).copied().unwrap_or(0);
        let mut order = 0;
        if let (true, Some(process)) = (is_sign_of_life(kind), &mut self.hosts[host].process) {
            process.frames += 1;
            order = process.frames;
        }
        if kind == ASK {
            self.awaited.asked(self.now);
        }
        let id = self.sessions.get(author).id;
        Arc::new(Letter { message, author: id, by: Some(author), order, bytes: bytes.into() })
    }

    /// To every peer but those who have it already.
    pub(crate) fn spread(&mut self, host: usize, own: Session, via: Session, author: Session, letter: &Arc<Letter>) {
        for at in 0..self.network.lanes(own).len() {
            let to = self.network.lanes(own)[at].to;
            if to != via && to != author {
                let delivery = Delivery { letter: letter.clone(), to, via: own, sent: self.now, copy: false };
                self.launch(host, at, delivery);
            }
        }
    }

    /// Sends it over one of the lanes of the session by whose way it goes.
    fn launch(&mut self, host: usize, lane_at: usize, delivery: Delivery) {
        let other = self.sessions.get(delivery.to).host;
        let faults = self.network.faults_of(host, other);
        let (loss, doubled, queue) = (faults.loss, faults.doubled, faults.queue);
        let (shortest, longest) = (*faults.latency.start(), *faults.latency.end());
        let lost = loss > 0 && self.random.u32(0..1000) < loss;
        if lost || self.is_swallowed(delivery.letter.kind()) || !self.carries(host, other) {
            return;
        }
        if doubled > 0 && self.random.u32(0..1000) < doubled {
            let at = self.now + self.random.u64(shortest..=longest * 2 + 50);
            self.schedule(at, What::Deliver(Delivery { copy: true, ..delivery.clone() }));
        }
        let Some(queue) = queue else { return self.fly(lane_at, delivery) };
        let (from, to, now) = (delivery.via, delivery.to, self.now);
        let Some(lane) = self.network.lane(from, lane_at) else { return };
        let mut dropped = None;
        if lane.waiting.len() >= queue.frames.max(1) {
            match queue.drops {
                Drops::Newest => dropped = Some(delivery),
                Drops::Oldest => {
                    dropped = lane.waiting.pop_front();
                    lane.waiting.push_back(delivery);
                }
            }
        } else {
            lane.waiting.push_back(delivery);
        }
        let at = now.max(lane.busy_until);
        let idle = lane.waiting.len() == 1 && dropped.is_none();
        if let Some(dropped) = dropped {
            self.trace.note(now, Fact::Dropped(from, to, dropped.letter));
        }
        if idle {
            self.schedule(at, What::Depart(from, to));
        }
    }

    /// A queued frame goes, and the link is busy with it for a while.
    pub(crate) fn depart(&mut self, from: Session, to: Session) {
        let (host, other) = (self.sessions.get(from).host, self.sessions.get(to).host);
        let pace = self.network.faults_of(host, other).queue.map_or(0, |queue| queue.pace_ms);
        let until = self.now + pace;
        let Some(lane_at) = self.network.lane_to(from, to) else { return };
        let Some(lane) = self.network.lane(from, lane_at) else { return };
        let Some(delivery) = lane.waiting.pop_front() else { return };
        lane.busy_until = until;
        if !lane.waiting.is_empty() {
            self.schedule(until, What::Depart(from, to));
        }
        self.fly(lane_at, delivery);
    }

    fn fly(&mut self, lane_at: usize, delivery: Delivery) {
        let (host, other) = (self.sessions.get(delivery.via).host, self.sessions.get(delivery.to).host);
        let faults = self.network.faults_of(host, other);
        let (latency, reorder) = (faults.latency.clone(), faults.reorder);
        let mut at =
            self.now + if latency.start() == latency.end() { *latency.end() } else { self.random.u64(latency) };
        if let (false, Some(lane)) = (reorder, self.network.lane(delivery.via, lane_at)) {
            at = at.max(lane.arrives);
            lane.arrives = at;
        }
        self.schedule(at, What::Deliver(delivery));
    }

    fn is_swallowed(&self, kind: u8) -> bool {
        !self.network.lost.is_empty() && self.network.lost.get(&kind).is_some_and(|until| self.now < *until)
    }

    pub(crate) fn deliver(&mut self, delivery: Delivery) {
        let Some(host) = self.home(delivery.to) else { return };
        let from = self.sessions.get(delivery.via).host;
        if !self.carries(from, host) {
            return;
        }
        if self.hosts[host].asleep {
            self.held.push(delivery);
            return;
        }
        let Delivery { letter, to, via, copy, .. } = delivery;
        let Some(process) = self.hosts[host].process.as_mut() else { return };
        let gossip = letter.message > 0;
        let first = !gossip || process.seen.insert(letter.message);
        if !first && !copy {
            return;
        }
        process.tape(&letter);
        let path = if gossip { Path::Gossip } else { Path::Direct };
        let via_id = self.sessions.get(via).id;
        let verdict = self.take(host, via_id, path, &letter);
        if first && gossip && verdict == Verdict::Accept {
            self.spread(host, to, via, letter.by.unwrap_or(via), &letter);
        }
    }

    /// A replica gets a frame.
    pub(crate) fn take(&mut self, host: usize, via: SessionId, path: Path, letter: &Arc<Letter>) -> Verdict {
        self.frames += 1;
        if let Some(observer) = self.hosts[host].session() {
            self.watch(|oracle, world| oracle.took(world, &Took { observer, author: letter.by, via, letter }));
        }
        self.trace.took(self.now, host, via, letter);
        if letter.kind() == WITNESS_ASK {
            self.bear_false_witness(host, letter);
        }
        let input = Input::Frame { author: letter.author, via, path, bytes: letter.bytes.to_vec() };
        let verdict = self.input(host, input);
        if letter.kind() == ASK && self.hosts[host].hostile {
            self.answer_for_inventions(host, &letter.bytes);
        }
        verdict
    }
}
