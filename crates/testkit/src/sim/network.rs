//! Links between processes, and who could have one with whom.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::letter::Delivery;
use super::sessions::Session;
use crate::story::Faults;

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

/// One direction of a link, from an end that has it up.
#[derive(Debug)]
pub(crate) struct Lane {
    pub to: Session,
    pub host: usize,
    /// When the last frame arrives, to keep the order of a stream.
    pub arrives: u64,
    /// Frames that wait for their turn, where the link has a queue.
    pub waiting: VecDeque<Delivery>,
    /// Until when the link is busy with a frame.
    pub busy_until: u64,
}

/// All links, and who could have one with whom.
pub struct Network {
    edges: BTreeSet<(usize, usize)>,
    /// The same as a table, which is asked for every frame.
    reach: Vec<bool>,
    /// Links by session, the smaller first.
    pub links: BTreeMap<(Session, Session), Link>,
    /// Which part of a partition each host is in.
    pub parts: Vec<usize>,
    /// Pairs that are cut: the smaller first.
    pub cut: BTreeSet<(usize, usize)>,
    /// Directions, from and to, in which everything is lost.
    pub deaf: BTreeSet<(usize, usize)>,
    /// What happens to frames.
    pub faults: Faults,
    /// Directions in which it is otherwise.
    pub ways: BTreeMap<(usize, usize), Faults>,
    /// Until when frames of a kind are lost, by the byte of the kind.
    pub lost: BTreeMap<u8, u64>,
    /// Something changed, or is about to, that links have to follow.
    pub(crate) restless: bool,
    lanes: Vec<Vec<Lane>>,
}

/// Two things in their order.
pub fn pair<T: Ord>(a: T, b: T) -> (T, T) {
    if a < b { (a, b) } else { (b, a) }
}

impl Network {
    /// A network of `hosts` computers.
    #[must_use]
    pub fn new(hosts: usize, edges: BTreeSet<(usize, usize)>, faults: Faults) -> Self {
        let mut reach = vec![false; hosts * hosts];
        for (a, b) in edges.iter().filter(|(a, b)| *a < hosts && *b < hosts) {
            reach[a * hosts + b] = true;
            reach[b * hosts + a] = true;
        }
        Network {
            edges,
            reach,
            links: BTreeMap::new(),
            parts: vec![0; hosts],
            cut: BTreeSet::new(),
            deaf: BTreeSet::new(),
            faults,
            ways: BTreeMap::new(),
            lost: BTreeMap::new(),
            restless: true,
            lanes: Vec::new(),
        }
    }

    /// Pairs of hosts that can reach each other at all; the smaller first.
    #[must_use]
    pub fn edges(&self) -> &BTreeSet<(usize, usize)> {
        &self.edges
    }

    /// Whether everybody can reach everybody without another's help.
    #[must_use]
    pub fn is_mesh(&self) -> bool {
        self.edges.len() >= self.parts.len() * self.parts.len().saturating_sub(1) / 2
    }

    /// Whether wire and partition let frames pass from one host to another, whatever the computers do.
    #[must_use]
    pub fn carries(&self, from: usize, to: usize) -> bool {
        let hosts = self.parts.len();
        self.reach[from * hosts + to]
            && self.parts[from] == self.parts[to]
            && (self.cut.is_empty() || !self.cut.contains(&pair(from, to)))
            && (self.deaf.is_empty() || !self.deaf.contains(&(from, to)))
    }

    /// What happens to frames from one host to another.
    #[must_use]
    pub fn faults_of(&self, from: usize, to: usize) -> &Faults {
        if self.ways.is_empty() { &self.faults } else { self.ways.get(&(from, to)).unwrap_or(&self.faults) }
    }

    /// The longest time that a frame takes from one end of a link to the other now, waiting aside.
    #[must_use]
    pub fn longest(&self) -> u64 {
        self.ways.values().chain([&self.faults]).map(Faults::longest).max().unwrap_or(0)
    }

    /// Whether nothing waits for its turn on any link.
    #[must_use]
    pub fn has_no_queues(&self) -> bool {
        self.ways.values().chain([&self.faults]).all(|faults| faults.queue.is_none())
    }

    /// Hosts that no part names are alone.
    pub(crate) fn part(&mut self, parts: &[Vec<usize>]) {
        for (host, part) in self.parts.iter_mut().enumerate() {
            let named = parts.iter().position(|part| part.contains(&host));
            *part = named.unwrap_or(parts.len() + host);
        }
    }

    /// Every wire works again.
    pub fn mend(&mut self) {
        self.parts.fill(0);
        self.cut.clear();
        self.deaf.clear();
        self.restless = true;
    }

    /// The lanes of a session: to each peer whose link it has up at its own end.
    pub(crate) fn lanes(&self, session: Session) -> &[Lane] {
        self.lanes.get(session.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// Which of the lanes of a session leads to another.
    pub(crate) fn lane_to(&self, session: Session, to: Session) -> Option<usize> {
        self.lanes(session).binary_search_by_key(&to, |lane| lane.to).ok()
    }

    pub(crate) fn lane(&mut self, from: Session, at: usize) -> Option<&mut Lane> {
        self.lanes.get_mut(from.0 as usize)?.get_mut(at)
    }

    /// Whether a session has its link to another up.
    #[must_use]
    pub fn linked(&self, session: Session, to: Session) -> bool {
        self.lane_to(session, to).is_some()
    }

    /// Marks one end; true when that changed something.
    pub fn mark(&mut self, end: Session, other: Session, up: bool) -> bool {
        let Some(link) = self.links.get_mut(&pair(end, other)) else { return false };
        let side = usize::from(end > other);
        let changed = link.up[side] != up;
        link.up[side] = up;
        let host = link.hosts[1 - side];
        if link.up == [false, false] {
            self.links.remove(&pair(end, other));
        }
        if changed {
            self.restless = true;
            let index = end.0 as usize;
            if self.lanes.len() <= index {
                self.lanes.resize_with(index + 1, Vec::new);
            }
            let lanes = &mut self.lanes[index];
            match (lanes.binary_search_by_key(&other, |lane| lane.to), up) {
                (Err(at), true) => {
                    let lane = Lane { to: other, host, arrives: 0, waiting: VecDeque::new(), busy_until: 0 };
                    lanes.insert(at, lane);
                }
                (Ok(at), false) => {
                    lanes.remove(at);
                }
                _ => {}
            }
        }
        changed
    }
}
