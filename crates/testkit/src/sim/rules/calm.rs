//! When a rule may promise a time: the network is whole and loses nothing, and for a while nobody came or went.
//!
//! What an oracle promises in calm it promises of the honest, and of those who can reach each other by the links of the
//! honest: who alone joins two others may keep them apart, and no rule helps against that.

use std::collections::BTreeSet;

use crate::sim::letter::byte_of;
use crate::sim::oracle::Happening;
use crate::sim::world::World;
use crate::story::{FrameKind, Step};

/// So long after the last disturbance everybody knows everybody, and who has to pass on what.
pub(crate) const CALM_MS: u64 = 8_000;
/// The longest time between two heartbeats (design R6).
pub(crate) const BEAT_MAX_MS: u64 = 2_400;

/// Whether something is more than a write or a look: it may take a while until everybody knows everybody again.
pub(crate) fn disturbs(what: &Happening<'_>) -> bool {
    !matches!(
        what,
        Happening::Step(
            Step::Presence { .. }
                | Step::Moving { .. }
                | Step::Metadata { .. }
                | Step::Note { .. }
                | Step::RemoveNote { .. }
                | Step::Say { .. }
                | Step::Expect { .. },
        ) | Happening::Wrote { .. }
            | Happening::WritesShared { .. }
            | Happening::Said { .. }
    )
}

/// Whether the network loses nothing, or nothing but a kind of frame that is named.
pub(crate) fn is_lossless(world: &World, but: Option<FrameKind>) -> bool {
    let network = &world.network;
    let but = but.map(byte_of);
    network.faults.loss == 0
        && network.faults.queue.is_none()
        && network.ways.is_empty()
        && network.lost.iter().all(|(kind, until)| Some(*kind) == but || *until <= world.now)
}

/// Hops between the two honest hosts that are farthest apart; nothing when some are out of reach, when a link is not up at
/// both ends, or when there are fewer than two.
pub(crate) fn hops(world: &World) -> Option<u64> {
    let running: Vec<usize> = world.honest().map(|(host, _)| host).collect();
    if running.len() < 2 {
        return None;
    }
    let farthest = running.iter().map(|from| farthest(world, *from, &running)).collect::<Option<Vec<u64>>>()?;
    farthest.into_iter().max()
}

fn farthest(world: &World, from: usize, running: &[usize]) -> Option<u64> {
    let mut left: BTreeSet<usize> = running.iter().copied().filter(|host| *host != from).collect();
    let mut edge = vec![from];
    let mut hops = 0;
    while !left.is_empty() {
        let mut next = Vec::new();
        for host in edge {
            let session = world.hosts[host].session()?;
            for lane in world.network.lanes(session) {
                if left.remove(&lane.host) {
                    let back = world.network.linked(lane.to, session);
                    next.push(back.then_some(lane.host)?);
                }
            }
        }
        if next.is_empty() {
            return None;
        }
        hops += 1;
        edge = next;
    }
    Some(hops)
}
