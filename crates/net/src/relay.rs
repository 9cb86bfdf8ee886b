//! What a relay gives: a place where two peers meet that cannot reach each other, such as those of two subnets that share a
//! computer (design N7). Only a peer that was started for it is one.
//!
//! A peer *reserves*, which costs the relay a row; whoever wants to reach that peer opens a *circuit*, which is two streams
//! that the relay copies into each other. What it copies is sealed by the two ends (Noise), so a relay that is not in
//! their room reads nothing of it. The bounds below are for whoever would use all of it up.

use std::num::NonZeroU32;
use std::time::Duration;

use libp2p::{PeerId, relay};

/// Peers that can be met here; as many as two large rooms have members.
const RESERVATIONS_MAX: usize = 512;
/// Circuits in all: 64 peers on either side, all of whom meet.
const CIRCUITS_MAX: usize = 4_096;
/// Circuits that one peer opened.
const CIRCUITS_EACH: usize = 256;
/// How long a circuit lasts; who still needs it opens another.
const DAY: Duration = Duration::from_secs(86_400);
/// The peer that reserved reads the end of it from its own clock, which may be a day ahead (design R6).
const RESERVED_FOR: Duration = Duration::from_secs(3 * 86_400);
/// What goes through one circuit. Two people who never rest say a third of it in a day.
const CIRCUIT_BYTES: u64 = 4 << 30;
/// Reservations of one peer at once, and then one in so many seconds: it asks again when its connection was replaced.
const RESERVE_BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(15);
const RESERVE_EVERY: Duration = Duration::from_secs(10);
/// Circuits of one peer at once: a whole room, which was lost with the relay. Then one in so many seconds.
const OPEN_BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(255);
const OPEN_EVERY: Duration = Duration::from_secs(1);

pub(crate) fn behaviour(me: PeerId) -> relay::Behaviour {
    let config = relay::Config {
        max_reservations: RESERVATIONS_MAX,
        max_reservations_per_peer: 1,
        reservation_duration: RESERVED_FOR,
        reservation_rate_limiters: Vec::new(),
        max_circuits: CIRCUITS_MAX,
        max_circuits_per_peer: CIRCUITS_EACH,
        max_circuit_duration: DAY,
        max_circuit_bytes: CIRCUIT_BYTES,
        circuit_src_rate_limiters: Vec::new(),
    };
    let config =
        config.reservation_rate_per_peer(RESERVE_BURST, RESERVE_EVERY).circuit_src_per_peer(OPEN_BURST, OPEN_EVERY);
    let mut behaviour = relay::Behaviour::new(me, config);
    // Whether others can reach us is for them to find out.
    behaviour.set_status(Some(relay::Status::Enable));
    behaviour
}

/// What happened, as it is counted.
pub(crate) fn counted(event: &relay::Event) -> Option<&'static str> {
    use relay::Event;
    match event {
        Event::ReservationReqAccepted { renewed: false, .. } => Some("relay_reserved"),
        Event::ReservationReqDenied { .. } => Some("relay_reservation_refused"),
        Event::CircuitReqAccepted { .. } => Some("relay_circuit_opened"),
        Event::CircuitReqDenied { .. } => Some("relay_circuit_refused"),
        Event::CircuitClosed { .. } => Some("relay_circuit_closed"),
        _ => None,
    }
}
