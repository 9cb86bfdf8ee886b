//! Carrying out the faults of a [`Lab`](crate::Lab): what is not of gossip that comes in, which `lab/air.rs` sees to.
//! Without `lab: true` there is nothing here, and every frame passes after one look at that.

use std::collections::{BTreeMap, BTreeSet};

use libp2p::PeerId;
use libp2p::gossipsub::{Message, PublishError};
use libp2p::swarm::ConnectionId;
use parlor_core::{Error, Tick, limits};
use tokio::sync::{oneshot, watch};
use tokio::time::{Duration, Instant};

use super::{Actor, Orders};
use crate::author;
use crate::direct::Direct;
use crate::handle::Command;
use crate::lab::{Air, Fate, Fault, LabCounts, LabFaults, LabNetwork, LabOrder, Late, Way, shun};
use crate::seal::SEAL_BYTES;
use crate::topic::Tag;

/// How often a driver that sleeps says for how much longer.
const SHOW_EVERY: Duration = Duration::from_millis(200);

/// A frame that is held back, and whether it passes twice.
enum Held {
    In(PeerId, Direct, bool),
    Out(PeerId, Direct, bool),
    Publish(Tag, Vec<u8>, Vec<PeerId>),
}

/// What only a driver with a lab has.
pub(super) struct Bench {
    late: Late<Held>,
    /// Peers with whom there is no connection while the faults are as they are.
    blocked: BTreeSet<PeerId>,
    wall_ahead_ms: i64,
    /// Until when the driver does nothing, by the time of the air.
    asleep: Option<Tick>,
    shown: watch::Sender<LabNetwork>,
    /// What of it was counted.
    told: LabCounts,
}

impl Bench {
    pub(super) fn new(shown: watch::Sender<LabNetwork>) -> Box<Self> {
        let (late, told) = (Late::new(), LabCounts::default());
        Box::new(Bench { late, blocked: BTreeSet::new(), wall_ahead_ms: 0, asleep: None, shown, told })
    }
}

impl Actor {
    /// Every fault but a crash, which ends the task.
    pub(super) fn fault(&mut self, fault: Fault, reply: oneshot::Sender<Result<(), Error>>, now: Tick) {
        let (apart, done) = match fault {
            Fault::Cut(peer) => (vec![peer], self.set_apart(peer, true)),
            Fault::Mend(peer) => {
                self.deaf_to.remove(&peer);
                (Vec::new(), self.set_apart(peer, false))
            }
            Fault::Deafen(peer) => {
                self.deaf_to.insert(peer);
                (Vec::new(), Ok(()))
            }
            Fault::Change(change) => {
                let (order, peers) = *change;
                let done = self.change_faults(&order, peers);
                let all: Vec<PeerId> = self.peers.keys().copied().collect();
                (all.into_iter().filter(|peer| self.faults_of(peer).is_some_and(|of| of.apart)).collect(), done)
            }
            Fault::Crash => return drop(reply),
        };
        self.weather_turned(now);
        self.show_lab();
        match done {
            Ok(()) if !self.is_asleep() => {
                self.cutting.push((apart, reply));
                self.cuts_made();
            }
            done => drop(reply.send(done)),
        }
    }

    /// A partition between this peer and one other.
    fn set_apart(&mut self, peer: PeerId, apart: bool) -> Result<(), Error> {
        let Some(air) = self.air_mut() else { return Ok(()) };
        let faults = LabFaults { apart, ..*air.weather.of(&peer) };
        air.weather.set_peers(BTreeMap::from([(peer, (!faults.is_fine()).then_some(faults))]), false)
    }

    fn change_faults(&mut self, order: &LabOrder, peers: BTreeMap<PeerId, Option<LabFaults>>) -> Result<(), Error> {
        let (Some(bench), Some(air)) = (&mut self.bench, &mut self.swarm.behaviour_mut().gossip.air) else {
            return Ok(());
        };
        air.weather.set_peers(peers, order.clear)?;
        if order.clear {
            air.weather.set_all(LabFaults::default());
            (bench.wall_ahead_ms, bench.asleep) = (0, None);
            self.deaf_to.clear();
        }
        order.seed.into_iter().for_each(|seed| air.weather.sow(seed));
        order.all.into_iter().for_each(|all| air.weather.set_all(all));
        bench.wall_ahead_ms = order.wall_ahead_ms.unwrap_or(bench.wall_ahead_ms);
        if let Some(ms) = order.sleep_ms {
            bench.asleep = (ms > 0).then(|| air.now().plus(ms));
        }
        // What comes of a jump the next round of the actor sees, as after a sleep.
        self.clock.jump(order.jump_ms);
        Ok(())
    }

    /// Does to connections what the faults say now.
    fn weather_turned(&mut self, now: Tick) {
        let Some(bench) = &self.bench else { return };
        let mut all: BTreeSet<PeerId> = self.peers.keys().chain(&bench.blocked).copied().collect();
        all.extend(self.air().into_iter().flat_map(|air| air.weather.with_faults()));
        for peer in all {
            self.keep_away(&peer, now);
            self.mind_shunned(&peer);
        }
    }

    /// Has no connection with a peer that is apart, nor a new one with a peer that is not heard at all.
    fn keep_away(&mut self, peer: &PeerId, now: Tick) {
        let Some(faults) = self.faults_of(peer) else { return };
        let connected = self.peers.contains_key(peer);
        let Some(bench) = &mut self.bench else { return };
        let blocked = bench.blocked.contains(peer);
        let away = faults.apart || (faults.is_silent() && (blocked || !connected));
        let Some(cuts) = self.swarm.behaviour_mut().cuts.as_mut() else { return };
        if away && !blocked {
            // The swarm closes what is open when it runs next, and refuses whatever becomes a connection from now on: a dial
            // and an incoming connection that are under way are judged by who turns out to be at the other end.
            cuts.block_peer(*peer);
            bench.blocked.insert(*peer);
            self.counters.count("lab_cut");
        } else if !away && blocked {
            cuts.unblock_peer(*peer);
            bench.blocked.remove(peer);
            self.counters.count("lab_mended");
            self.dialler.reachable(*peer, now);
        }
    }

    /// Keeps gossip from going to whom nothing reaches.
    fn mind_shunned(&mut self, peer: &PeerId) {
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        let Some(shut) = gossip.air.as_ref().map(|air| air.weather.is_shut(peer, Way::Out)) else { return };
        shun(gossip, peer, shut);
    }

    /// A connection began: whether it may is decided where it would have been dialled, had it been known whose it is.
    pub(super) fn opened_in_weather(&mut self, peer: PeerId, id: ConnectionId, now: Tick) {
        let Some(faults) = self.faults_of(&peer) else { return };
        // What was before is remembered for a moment.
        self.mind_shunned(&peer);
        if faults.apart {
            self.keep_away(&peer, now);
        } else if faults.is_silent() {
            self.swarm.close_connection(id);
        }
    }

    /// The last connection to a peer is gone.
    pub(super) fn closed_in_weather(&mut self, peer: &PeerId, now: Tick) {
        if let Some(air) = self.air_mut() {
            air.weather.forget(peer);
            self.keep_away(peer, now);
        }
    }

    /// Whether nothing passes between this peer and another. Then that the other end closed cannot be seen either.
    pub(super) fn is_silenced(&self, peer: &PeerId) -> bool {
        self.faults_of(peer).is_some_and(|faults| faults.is_silent())
    }

    /// How much longer a ping takes; nothing when it is lost.
    pub(super) fn ping_in_weather(&self, peer: &PeerId) -> Option<f64> {
        self.air().map_or(Some(0.0), |air| air.weather.ping(peer))
    }

    /// Answers those whose cut has taken effect.
    pub(super) fn cuts_made(&mut self) {
        for (peers, reply) in std::mem::take(&mut self.cutting) {
            match peers.iter().any(|peer| self.swarm.is_connected(peer)) {
                true => self.cutting.push((peers, reply)),
                false => drop(reply.send(Ok(()))),
            }
        }
    }

    /// A frame for one peer, in whatever the weather is.
    pub(super) fn send(&mut self, peer: &PeerId, frame: Direct) {
        let (fate, now) = self.fate(peer, Way::Out);
        match fate.at {
            None => {}
            Some(at) if at <= now => self.send_again(peer, frame, fate.again),
            Some(at) => self.hold(at, frame.bytes.len(), Held::Out(*peer, frame, fate.again)),
        }
    }

    fn send_again(&mut self, peer: &PeerId, frame: Direct, again: bool) {
        if again {
            self.send_now(peer, frame.clone());
        }
        self.send_now(peer, frame);
    }

    /// A frame of one peer.
    pub(super) fn heard_direct(&mut self, peer: &PeerId, frame: Direct, now: Tick) {
        let (fate, air_now) = self.fate(peer, Way::In);
        match fate.at {
            None => {}
            Some(at) if at <= air_now => self.hear_again(peer, frame, fate.again, now),
            Some(at) => self.hold(at, frame.bytes.len(), Held::In(*peer, frame, fate.again)),
        }
    }

    fn hear_again(&mut self, peer: &PeerId, frame: Direct, again: bool, now: Tick) {
        if again {
            self.direct_frame(peer, frame.clone(), now);
        }
        self.direct_frame(peer, frame, now);
    }

    /// A message of gossip that came already.
    pub(super) fn gossip_again(&mut self, via: PeerId, message: Message, now: Tick) {
        let Some(origin) = author::of_gossip(message.source.as_ref(), &via) else { return };
        let room = message.topic != Tag::LOBBY.hash() && message.data.len() <= limits::FRAME_MAX + SEAL_BYTES;
        if room && self.affords(&via, &origin, message.data.len(), now) {
            self.frame(&message.topic, origin, message.data, None, now);
        }
    }

    /// Publishes a frame; in bad weather to those whom it reaches, and when it does.
    pub(super) fn publish_in_weather(&mut self, tag: Tag, bytes: Vec<u8>) -> Result<(), PublishError> {
        let topic = tag.hash();
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        let Some(air) = gossip.air.as_mut().filter(|air| !air.is_calm()) else {
            return gossip.publish(topic, bytes).map(drop);
        };
        let subscribed = self.peers.iter().filter(|(_, peer)| peer.topics.contains(&topic)).map(|(peer, _)| *peer);
        let to: Vec<PeerId> = subscribed.collect();
        if to.is_empty() {
            return gossip.publish(topic, bytes).map(drop);
        }
        let now = air.now();
        // Whom it reaches when, and whom it reaches twice.
        let mut times: BTreeMap<(Tick, bool), Vec<PeerId>> = BTreeMap::new();
        for peer in to {
            let fate = air.weather.fate(&peer, Way::Out, now);
            let Some(at) = fate.at else { continue };
            times.entry((at, false)).or_default().push(peer);
            if fate.again {
                times.entry((at, true)).or_default().push(peer);
            }
        }
        let mut published = Ok(());
        for ((at, _), to) in times {
            match at <= now {
                true => {
                    published =
                        self.swarm.behaviour_mut().gossip.publish_to(topic.clone(), bytes.clone(), &to).map(drop)
                }
                false => self.hold(at, bytes.len(), Held::Publish(tag, bytes.clone(), to)),
            }
        }
        published
    }

    /// Lets pass what was held back until now.
    pub(super) fn let_pass(&mut self, now: Tick) {
        let Some(until) = self.air().map(Air::now) else { return };
        while let Some(held) = self.bench.as_mut().and_then(|bench| bench.late.take(until)) {
            match held {
                Held::In(peer, frame, again) => self.hear_again(&peer, frame, again, now),
                Held::Out(peer, frame, again) => self.send_again(&peer, frame, again),
                Held::Publish(tag, bytes, to) => {
                    let published = self.swarm.behaviour_mut().gossip.publish_to(tag.hash(), bytes, &to);
                    self.count_published(published.map(drop));
                }
            }
        }
    }

    /// When there is something to let pass, by the clock of the rooms.
    pub(super) fn late_due(&self) -> Option<Tick> {
        let (bench, air) = (self.bench.as_ref()?, self.air()?);
        let first = bench.late.next().into_iter().chain(air.next()).min()?;
        Some(first.plus(self.clock.ahead_ms()))
    }

    /// The wall clock as the rooms are told of it.
    pub(super) fn wall_ms(&self) -> u64 {
        let ahead = self.bench.as_ref().map_or(0, |bench| bench.wall_ahead_ms);
        (self.wall)().saturating_add_signed(ahead)
    }

    /// Shows which faults there are and counts what they did.
    pub(super) fn show_lab(&mut self) {
        let (Some(bench), Some(air)) = (&mut self.bench, &self.swarm.behaviour().gossip.air) else { return };
        let (now, counts) = (air.now(), air.weather.counts);
        let before = std::mem::replace(&mut bench.told, counts);
        let news = [
            ("lab_lost", counts.lost - before.lost),
            ("lab_delayed", counts.delayed - before.delayed),
            ("lab_duplicated", counts.duplicated - before.duplicated),
            ("lab_overflowed", counts.overflowed - before.overflowed),
        ];
        news.into_iter().for_each(|(name, times)| self.counters.add(name, times));
        let waiting = bench.late.len() + air.waiting();
        let network = LabNetwork {
            seed: air.weather.seed(),
            all: air.weather.all(),
            peers: air.weather.peers(),
            wall_ahead_ms: bench.wall_ahead_ms,
            ticks_ahead_ms: self.clock.ahead_ms(),
            asleep_ms: bench.asleep.map_or(0, |until| until.since(now)),
            counts,
            waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
        };
        bench.shown.send_if_modified(|shown| std::mem::replace(shown, network.clone()) != network);
    }

    /// Whether the driver is to do nothing.
    pub(super) fn is_asleep(&self) -> bool {
        self.bench.as_ref().is_some_and(|bench| bench.asleep.is_some())
    }

    /// Does nothing until it is time to wake: nothing is read, nothing said, no lease runs out. Whoever calls waits, but for
    /// who changes the faults or ends the peer.
    pub(super) async fn sleep(&mut self, orders: &mut Orders) {
        self.counters.count("lab_slept");
        while let Some(left) = self.sleeps_for() {
            self.show_lab();
            let wake = Instant::now() + left.min(SHOW_EVERY);
            tokio::select! {
                command = orders.receiver.recv(), if orders.has_room() => match command {
                    Some(Command::Lab { fault: fault @ Fault::Change(_), reply }) => self.fault(fault, reply, self.clock.now()),
                    Some(last @ (Command::Lab { fault: Fault::Crash, .. } | Command::Shutdown { .. })) => {
                        orders.waiting.push_front(last);
                        break;
                    }
                    Some(other) => orders.waiting.push_back(other),
                    // Nobody is left to wake it.
                    None => break,
                },
                () = tokio::time::sleep_until(wake) => {}
            }
        }
        if let Some(bench) = &mut self.bench {
            bench.asleep = None;
        }
        self.show_lab();
    }

    fn sleeps_for(&self) -> Option<Duration> {
        let left = self.bench.as_ref()?.asleep?.since(self.air()?.now());
        (left > 0).then(|| Duration::from_millis(left))
    }

    fn fate(&mut self, peer: &PeerId, way: Way) -> (Fate, Tick) {
        let at_once = (Fate { at: Some(Tick(0)), again: false }, Tick(0));
        let Some(air) = self.air_mut() else { return at_once };
        let now = air.now();
        (air.weather.fate(peer, way, now), now)
    }

    fn hold(&mut self, until: Tick, bytes: usize, held: Held) {
        let Some(bench) = &mut self.bench else { return };
        if !bench.late.hold(until, bytes, held)
            && let Some(air) = self.air_mut()
        {
            air.weather.counts.overflowed += 1;
        }
    }

    fn faults_of(&self, peer: &PeerId) -> Option<LabFaults> {
        self.air().map(|air| *air.weather.of(peer))
    }

    fn air(&self) -> Option<&Air> {
        self.swarm.behaviour().gossip.air.as_deref()
    }

    fn air_mut(&mut self) -> Option<&mut Air> {
        self.swarm.behaviour_mut().gossip.air.as_deref_mut()
    }
}
