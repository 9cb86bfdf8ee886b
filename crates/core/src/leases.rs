//! Who is alive: links, leases, sleep and own outage (design R6, R7, R9). Everything here runs on the receiver's own
//! clock, and fires with no traffic at all.

use crate::ids::{SessionId, Tick};
use crate::input::DownCause;
use crate::inspect::{LeaseState, Observation};
use crate::limits::{BEAT_MS, LEAVE_REPEATS_MS, STALE_MS};
use crate::peer::{Futile, Peer};
use crate::replica::Replica;
use crate::view::{Event, LeftReason};

/// A driver looks at least once per heartbeat; longer than this without a look, and it did not run.
const STALL_MS: u64 = STALE_MS;
const _: () = assert!(STALL_MS > 2 * BEAT_MS, "a timer that is a little late is no stall");
/// Between two heartbeats that are hastened to tell of other links, at least: in a big room, where so many would do so, it
/// is two turns instead.
const LINKS_EVERY_MS: u64 = 500;

impl Replica {
    pub(crate) fn link_up(&mut self, id: SessionId, loopback: bool, now: Tick) {
        self.look_at_peers(now.plus(STALE_MS));
        let peer = self.peers.get_or_insert_with(id, || Peer::new(id, now));
        peer.linked = true;
        peer.loopback = loopback;
        peer.fresh = true;
        peer.cell_mismatches = 0;
        peer.futile = Futile::default();
        self.observe(|_| Observation::Link { session: id, up: true, cause: None });
        self.greet_twin(id);
        for full in self.fulls(&[], now) {
            self.send(id, full);
        }
        let beat = self.beat();
        self.send(id, beat);
        // By gossip too, which shows that it works on this link.
        self.hasten_beat(now);
    }

    pub(crate) fn link_down(&mut self, id: SessionId, cause: DownCause, now: Tick) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if !peer.linked {
            return;
        }
        peer.linked = false;
        peer.rtt_us = None;
        peer.lost = Some((now, cause));
        self.peers_due = now;
        if peer.records.is_empty() {
            // It may come back, but an old frame of it must not count as somebody who looks on.
            self.departed.expire(id, peer.seq);
            self.peers.remove(&id);
            self.count_watchers();
        }
        self.observe(|_| Observation::Link { session: id, up: false, cause: Some(cause) });
        self.twin_down(&id, cause, now);
    }

    /// A ping was answered. It is no sign of life of anybody's members: gossip may be dead on a link that answers pings.
    pub(crate) fn round_trip(&mut self, id: &SessionId, us: u32) {
        if let Some(peer) = self.peers.get_mut(id).filter(|peer| peer.linked) {
            peer.rtt_us = Some(us);
        }
    }

    /// Others learn soon whom of the room this peer is linked to, since their choice of forwarding hangs on it (design N4).
    fn tell_links_soon(&mut self, now: Tick) {
        if self.links_hash() != self.links_told {
            self.hasten_beat(now);
        }
    }

    /// Not all at once for the same newcomer, and not at each turn of somebody who comes and goes.
    fn hasten_beat(&mut self, now: Tick) {
        let turn = self.shared_turn_ms();
        let after = self.links_due.map_or(now, |at| at.plus(LINKS_EVERY_MS.max(2 * turn)));
        let soon = now.plus(100 + u64::from(self.mark) % turn.clamp(100, 1_000)).max(after);
        // One that closes says nothing more.
        if soon < self.beat_at && self.beat_at < Tick(u64::MAX) {
            (self.beat_at, self.links_due) = (soon, Some(soon));
        }
    }

    /// The computer slept: nobody is judged by time slept through, and own state is told at once (design R9).
    pub(crate) fn resumed(&mut self, now: Tick) {
        self.looked = now;
        self.observe(|replica| Observation::Outage { out: replica.outage, slept: true });
        self.spare_twins(now);
        self.peers_due = now;
        // Who is still without a link after that is asked about anew.
        self.heard_all(now);
        for record in self.own.values_mut() {
            record.renew(now);
        }
        for full in self.fulls(&[], now) {
            self.publish(full);
        }
        self.beat_at = now;
    }

    /// Nobody is judged by the time before this.
    fn heard_all(&mut self, now: Tick) {
        self.peers.each(|_, peer| {
            peer.heard = now;
            peer.case = None;
            if let Some((at, _)) = &mut peer.lost {
                *at = now;
            }
        });
    }

    pub(crate) fn set_outage(&mut self, outage: bool, now: Tick) {
        let outage = outage && !self.config.loopback_only;
        if outage == self.outage {
            return;
        }
        self.outage = outage;
        self.peers_due = now;
        if !outage {
            self.heard_all(now);
            self.spare_twins(now);
            self.beat_at = now;
        }
        self.observe(|_| Observation::Outage { out: outage, slept: false });
        self.emit(Event::Complete { complete: !outage });
    }

    /// Everything that is due at `now`.
    pub(crate) fn run_timers(&mut self, now: Tick) {
        if now.since(self.looked) > STALL_MS {
            // This process itself was stopped, though nobody said so: the others are not to be judged by that.
            self.counters.add("stalled");
            self.resumed(now);
        }
        self.looked = now;
        if self.own_due <= now {
            self.expire_own(now);
        }
        if self.peers_due <= now {
            self.expire_peers(now);
        }
        self.expire_twins(now);
        self.repeat_leaves(now);
        if self.answer_due().is_some_and(|at| at <= now) {
            self.answer(now);
        }
        if self.flush_at.is_some_and(|at| at <= now) {
            self.flush(now);
        }
        self.tell_links_soon(now);
        if self.beat_at <= now {
            self.publish_beat(now);
        }
    }

    /// A peer may change at `at` with no traffic at all. What comes earlier than needed is harmless.
    pub(crate) fn look_at_peers(&mut self, at: Tick) {
        self.peers_due = self.peers_due.min(at);
    }

    /// The same for own records: their leases and what vanishes in them.
    pub(crate) fn look_at_own(&mut self) {
        let due = self.own.values().flat_map(|record| {
            let lease = record.lease.map(|lease| lease.ends);
            [lease, record.fields.next_expiry()].into_iter().flatten()
        });
        self.own_due = due.min().unwrap_or(Tick(u64::MAX));
    }

    fn expire_own(&mut self, now: Tick) {
        let over: Vec<u32> = self
            .own
            .iter()
            .filter(|(_, record)| record.lease.is_some_and(|lease| lease.ends <= now))
            .map(|(incarnation, _)| *incarnation)
            .collect();
        for incarnation in over {
            self.part(incarnation, LeftReason::Expired, now);
        }
        let mut rows = Vec::new();
        let mut rev = self.rev;
        for record in self.own.values_mut() {
            if record.expire(&mut rev, now) {
                rows.push((record.member.clone(), record.user().clone()));
            }
        }
        self.rev = rev;
        for row in rows {
            self.schedule_flush(now);
            self.refresh(&row, LeftReason::Left, now);
        }
        self.look_at_own();
    }

    fn expire_peers(&mut self, now: Tick) {
        let mut rows = Vec::new();
        let (mut over, mut doubted, mut changed) = (Vec::new(), Vec::new(), Vec::new());
        let outage = self.outage;
        self.peers.each(|id, peer| {
            if let Some(reason) = peer.over(now, outage) {
                over.push((id, reason));
                return;
            }
            let stale = peer.is_stale(now);
            let turned = stale != peer.stale;
            peer.stale = stale;
            if turned && !peer.records.is_empty() {
                let state = if stale { LeaseState::Stale } else { LeaseState::Active };
                changed.push((id, state, now.since(peer.heard)));
            }
            if peer.doubt(outage, now) {
                doubted.push(id);
            }
            for (member, user, fields) in peer.records.fields_mut() {
                if fields.hide_expired(now) || turned {
                    rows.push((member.clone(), user.clone()));
                }
            }
        });
        for (session, state, silent_ms) in changed {
            self.observe(|_| Observation::Lease { session, state, silent_ms, reason: None });
        }
        for row in rows {
            self.refresh(&row, LeftReason::Left, now);
        }
        for (id, reason) in over {
            self.drop_peer(id, reason, now);
        }
        for id in doubted {
            self.ask_witnesses(id, now);
        }
        let due = self.peers.values().map(|peer| peer.next_deadline(self.outage)).min();
        self.peers_due = due.unwrap_or(Tick(u64::MAX));
    }

    /// Forgets a session that fell silent, but remembers how far it was (design R8).
    pub(crate) fn drop_peer(&mut self, id: SessionId, reason: LeftReason, now: Tick) {
        let evidence = self.last_evidence(id, reason, now);
        let Some(peer) = self.peers.remove(&id) else { return };
        self.departed.expire(id, peer.seq);
        if !peer.records.is_empty() {
            let (state, silent_ms) = (LeaseState::Over, now.since(peer.heard));
            self.observe(|_| Observation::Lease { session: id, state, silent_ms, reason: Some(reason) });
            self.departed.give_up(id);
        }
        if peer.linked {
            // Still connected but silent: kept as a link, so that a late frame is heard as one of a linked peer.
            let silent = self.peers.get_or_insert_with(id, || Peer::new(id, now));
            silent.linked = true;
            silent.loopback = peer.loopback;
            silent.rtt_us = peer.rtt_us;
            silent.seq = peer.seq;
        }
        for record in peer.records.into_values() {
            self.refresh_knowing(&(record.member, record.actor.user_id), reason, evidence.as_ref(), now);
        }
        self.count_watchers();
    }

    fn repeat_leaves(&mut self, now: Tick) {
        if self.leaving.is_empty() {
            return;
        }
        let (due, later): (Vec<_>, Vec<_>) = self.leaving.drain(..).partition(|(at, ..)| *at <= now);
        self.leaving = later;
        for (_, incarnation, expired) in due {
            self.publish_leave(incarnation, expired);
        }
    }

    pub(crate) fn say_leave(&mut self, incarnation: u32, expired: bool, now: Tick) {
        self.publish_leave(incarnation, expired);
        self.leaving.extend(LEAVE_REPEATS_MS.map(|ms| (now.plus(ms), incarnation, expired)));
    }

    /// Whether leaves are still being repeated: a closing process waits for them, at most 400 ms.
    #[must_use]
    pub fn is_parting(&self) -> bool {
        !self.leaving.is_empty()
    }

    pub(crate) fn count_watchers(&mut self) {
        let count = self.peers.values().filter(|peer| peer.watches()).count();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if count != self.watching {
            self.watching = count;
            self.emit(Event::Watching { count });
        }
    }
}

#[cfg(test)]
#[path = "leases_tests.rs"]
mod tests;
