//! Telling those who look on. Nothing is told, and nothing noted, while there are none.

use std::sync::Arc;

use parlor_core::{Observation, RoomId, Tick};
use tokio::sync::broadcast;

use super::Actor;
use crate::inspect::{FrameBytes, Inspected, Inspection, KEPT, Seen, Traffic};

/// Counters of what goes well: a frame that comes or goes is told as such.
const ORDINARY: [&str; 8] = [
    "published",
    "published_alone",
    "streamed",
    "sent",
    "gossip_heard",
    "stream_heard",
    "connection_opened",
    "connection_closed",
];

/// Those who look on.
pub(super) struct Inspectors {
    told: broadcast::Sender<Arc<Inspected>>,
    /// Whether there were any at the last look.
    any: bool,
    /// Held by those among them who want bytes of frames.
    bytes: Arc<()>,
    number: u64,
}

impl Inspectors {
    pub(super) fn none() -> Self {
        Inspectors { told: broadcast::Sender::new(KEPT), any: false, bytes: Arc::default(), number: 0 }
    }

    /// Whether anybody looks.
    pub(super) fn any(&self) -> bool {
        self.any
    }

    /// Whether anybody wants bytes of frames.
    pub(super) fn want_bytes(&self) -> bool {
        self.any && Arc::strong_count(&self.bytes) > 1
    }
}

/// What is known of a frame that a replica was handed.
pub(super) struct Handed {
    /// How long it took.
    pub(super) took_us: Option<u64>,
    /// Its bytes, as they came.
    pub(super) frame: Option<FrameBytes>,
}

impl Actor {
    /// A new look, which may want bytes of frames.
    pub(super) fn inspect(&mut self, bytes: bool) -> Inspection {
        let bytes = bytes.then(|| Arc::clone(&self.inspectors.bytes));
        let inspection = Inspection { seen: self.inspectors.told.subscribe(), _bytes: bytes };
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
            let bytes = self.inspectors.want_bytes();
            for room in self.rooms.values_mut() {
                room.replica.inspect(true);
                room.replica.inspect_bytes(bytes);
            }
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

    /// Tells what a room noted. `handed`: what is known of the frame that it was handed last.
    pub(super) fn show_room(&mut self, room: &RoomId, mut handed: Option<Handed>, now: Tick) {
        let Some(open) = self.rooms.get_mut(room) else { return };
        for mut observation in open.replica.take_observations() {
            let (took_us, frame) = match &mut observation {
                Observation::FrameIn { .. } => {
                    handed.take().map_or((None, None), |Handed { took_us, frame }| (took_us, frame))
                }
                Observation::FrameOut { head, bytes, .. } if !head.is_empty() => {
                    (None, Some(FrameBytes::of_head(std::mem::take(head), *bytes)))
                }
                _ => (None, None),
            };
            self.show(Some(room.clone()), took_us, frame, Seen::Room(observation), now);
        }
    }

    /// Tells what the network does.
    pub(super) fn show_traffic(&mut self, traffic: Traffic, now: Tick) {
        if self.inspectors.any {
            self.show(None, None, None, Seen::Network(traffic), now);
        }
    }

    fn show(&mut self, room: Option<RoomId>, took_us: Option<u64>, frame: Option<FrameBytes>, seen: Seen, now: Tick) {
        self.inspectors.number += 1;
        let (number, wall_ms) = (self.inspectors.number, self.wall_ms());
        // Nobody is left to tell: the next look ends it.
        let seen = Inspected { number, wall_ms, tick_ms: now.0, room, took_us, frame, seen };
        let _ = self.inspectors.told.send(Arc::new(seen));
    }
}
