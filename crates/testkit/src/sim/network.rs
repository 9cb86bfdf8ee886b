//! Links between processes, and what happens to frames on them.

use std::collections::{BTreeMap, BTreeSet};

use parlor_core::SessionId;

/// How badly the network treats frames.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// Milliseconds from one end to the other, shortest and longest.
    pub latency: (u64, u64),
    /// Frames in a thousand that are lost.
    pub loss: u32,
    /// Frames in a thousand that arrive twice.
    pub doubled: u32,
    /// Whether frames of one direction may overtake each other.
    pub reorder: bool,
}

impl Faults {
    /// A network without faults where every frame takes `ms`.
    #[must_use]
    pub fn none(ms: u64) -> Self {
        Faults { latency: (ms, ms), loss: 0, doubled: 0, reorder: false }
    }
}

/// A link between two processes. The two ends come up and go down on their own.
#[derive(Clone, Debug)]
pub struct Link {
    /// The hosts, in the order of the key's sessions.
    pub hosts: [usize; 2],
    /// Whether each end has it up.
    pub up: [bool; 2],
    /// Since when nothing passes.
    pub silent_since: Option<u64>,
    /// When it was dialled.
    pub made: u64,
}

/// All links, and who could have one with whom.
pub struct Network {
    /// Pairs of hosts that can reach each other at all; the smaller first.
    pub edges: BTreeSet<(usize, usize)>,
    /// Links by session, the smaller first.
    pub links: BTreeMap<(SessionId, SessionId), Link>,
    /// Which side of a partition each host is on.
    pub sides: Vec<u8>,
    /// Pairs that are cut: the smaller first.
    pub cut: BTreeSet<(usize, usize)>,
    /// Directions, from and to, in which everything is lost.
    pub deaf: BTreeSet<(usize, usize)>,
    /// What happens to frames.
    pub faults: Faults,
    /// When the last frame of each direction arrives, to keep the order of a stream.
    pub arrives: BTreeMap<(SessionId, SessionId), u64>,
}

/// Two things in their order.
pub fn pair<T: Ord>(a: T, b: T) -> (T, T) {
    if a < b { (a, b) } else { (b, a) }
}

impl Network {
    /// A network of `hosts` computers.
    #[must_use]
    pub fn new(hosts: usize, edges: BTreeSet<(usize, usize)>, faults: Faults) -> Self {
        Network {
            edges,
            links: BTreeMap::new(),
            sides: vec![0; hosts],
            cut: BTreeSet::new(),
            deaf: BTreeSet::new(),
            faults,
            arrives: BTreeMap::new(),
        }
    }

    /// Whether wire and partition let frames pass from one host to another, whatever the computers do.
    #[must_use]
    pub fn carries(&self, from: usize, to: usize) -> bool {
        self.edges.contains(&pair(from, to))
            && self.sides.get(from) == self.sides.get(to)
            && !self.cut.contains(&pair(from, to))
            && !self.deaf.contains(&(from, to))
    }

    /// Everything works again.
    pub fn heal(&mut self, faults: Faults) {
        self.sides.fill(0);
        self.cut.clear();
        self.deaf.clear();
        self.faults = faults;
    }

    /// The sessions that `session` has up at its own end.
    #[must_use]
    pub fn linked(&self, session: SessionId) -> Vec<(SessionId, usize)> {
        let of = |(key, link): (&(SessionId, SessionId), &Link)| {
            let [up_first, up_second] = link.up;
            if key.0 == session && up_first {
                Some((key.1, link.hosts[1]))
            } else if key.1 == session && up_second {
                Some((key.0, link.hosts[0]))
            } else {
                None
            }
        };
        self.links.iter().filter_map(of).collect()
    }

    /// Marks one end; true when that changed something.
    pub fn mark(&mut self, end: SessionId, other: SessionId, up: bool) -> bool {
        let Some(link) = self.links.get_mut(&pair(end, other)) else { return false };
        let side = &mut link.up[usize::from(end > other)];
        let changed = *side != up;
        *side = up;
        if link.up == [false, false] {
            self.links.remove(&pair(end, other));
        }
        changed
    }
}
