//! Telling those who look on. Nothing is told, and nothing noted, while there are none.

use std::sync::Arc;

use parlor_core::{Observation, RoomId, Tick};
use tokio::sync::broadcast;

use super::Actor;
use crate::inspect::{Inspected, Inspection, KEPT, Seen, Traffic};

/// Counters of what goes well: a frame that comes or goes is told as such.
const ORDINARY: [&str; 6] =
    ["published", "published_alone", "sent", "gossip_heard", "connection_opened", "connection_closed"];

/// Those who look on.
pub(super) struct Inspectors {
    told: broadcast::Sender<Arc<Inspected>>,
    /// Whether there were any at the last look.
    any: bool,
    number: u64,
}

impl Inspectors {
    pub(super) fn none() -> Self {
        Inspectors { told: broadcast::Sender::new(KEPT), any: false, number: 0 }
    }

    /// Whether anybody looks.
    pub(super) fn any(&self) -> bool {
        self.any
    }
}

impl Actor {
    /// A new look.
    pub(super) fn inspect(&mut self) -> Inspection {
        let inspection = Inspection { seen: self.inspectors.told.subscribe() };
        self.mind_inspectors();
        inspection
    }

    /// Begins to note what is done when somebody looks, and ends it when nobody does.
    pub(super) fn mind_inspectors(&mut self) {
        let any = self.inspectors.told.receiver_count() > 0;
        if any != self.inspectors.any {
            self.inspectors.any = any;
            self.counters.list(any);
        }
        if any {
            self.rooms.values_mut().for_each(|room| room.replica.inspect(true));
        } else {
            self.rooms
                .values_mut()
                .filter(|room| room.replica.is_inspected())
                .for_each(|room| room.replica.inspect(false));
        }
    }

    /// Tells what was noted since.
    pub(super) fn show_inspectors(&mut self, now: Tick) {
        if !self.inspectors.any {
            return;
        }
        for (name, times) in self.counters.take_listed() {
            if !ORDINARY.contains(&name) {
                self.show_traffic(Traffic::Counted { name, times }, now);
            }
        }
        let rooms: Vec<RoomId> = self.rooms.keys().cloned().collect();
        for room in rooms {
            self.show_room(&room, None, now);
        }
    }

    /// Tells what a room noted. `took_us`: how long the frame took that it was handed last.
    pub(super) fn show_room(&mut self, room: &RoomId, took_us: Option<u64>, now: Tick) {
        let Some(open) = self.rooms.get_mut(room) else { return };
        for observation in open.replica.take_observations() {
            let took_us = took_us.filter(|_| matches!(observation, Observation::FrameIn { .. }));
            self.show(Some(room.clone()), took_us, Seen::Room(observation), now);
        }
    }

    /// Tells what the network does.
    pub(super) fn show_traffic(&mut self, traffic: Traffic, now: Tick) {
        if self.inspectors.any {
            self.show(None, None, Seen::Network(traffic), now);
        }
    }

    fn show(&mut self, room: Option<RoomId>, took_us: Option<u64>, seen: Seen, now: Tick) {
        self.inspectors.number += 1;
        let (number, wall_ms) = (self.inspectors.number, self.wall_ms());
        // Nobody is left to tell: the next look ends it.
        let _ = self.inspectors.told.send(Arc::new(Inspected { number, wall_ms, tick_ms: now.0, room, took_us, seen }));
    }
}
