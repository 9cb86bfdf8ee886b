//! Who may reach whom, as the story has it by now. Nothing here knows of peers; [`super::reach`] makes it so.

use std::collections::BTreeSet;

/// The wires between computers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wires {
    /// Pairs that reach each other at all, the smaller first.
    edges: BTreeSet<(usize, usize)>,
    /// Which part of the network each computer is in.
    parts: Vec<usize>,
    /// Pairs that are cut, the smaller first.
    cut: BTreeSet<(usize, usize)>,
}

fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

impl Wires {
    /// So many computers; `edges` as a story has them.
    pub(crate) fn new(hosts: usize, edges: &BTreeSet<(usize, usize)>) -> Self {
        Self { edges: edges.iter().map(|(a, b)| pair(*a, *b)).collect(), parts: vec![0; hosts], cut: BTreeSet::new() }
    }

    /// Whether two computers may reach each other.
    pub(crate) fn carries(&self, a: usize, b: usize) -> bool {
        let pair = pair(a, b);
        self.edges.contains(&pair) && self.parts.get(a) == self.parts.get(b) && !self.cut.contains(&pair)
    }

    /// The network falls into parts; whoever is in none is alone. It replaces the partition before it.
    pub(crate) fn part(&mut self, parts: &[Vec<usize>]) {
        // A part of its own for each, beyond those that are named.
        for (host, part) in self.parts.iter_mut().enumerate() {
            *part = parts.len() + host;
        }
        for (index, hosts) in parts.iter().enumerate() {
            for host in hosts {
                if let Some(part) = self.parts.get_mut(*host) {
                    *part = index;
                }
            }
        }
    }

    pub(crate) fn cut(&mut self, a: usize, b: usize) {
        self.cut.insert(pair(a, b));
    }

    /// Ends a cut, not a partition.
    pub(crate) fn mend(&mut self, a: usize, b: usize) {
        self.cut.remove(&pair(a, b));
    }

    /// Ends every cut and the partition.
    pub(crate) fn mend_all(&mut self) {
        self.parts.fill(0);
        self.cut.clear();
    }

    /// Whether everybody would reach everybody, had nothing been cut.
    pub(crate) fn is_mesh(&self) -> bool {
        let hosts = self.parts.len();
        self.edges.len() == hosts * hosts.saturating_sub(1) / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::mesh;

    fn reached(wires: &Wires) -> Vec<(usize, usize)> {
        mesh(4).into_iter().filter(|(a, b)| wires.carries(*b, *a)).collect()
    }

    #[test]
    fn a_partition_parts_whoever_is_not_named_together() {
        let mut wires = Wires::new(4, &mesh(4));
        wires.part(&[vec![0, 1]]);
        assert_eq!(reached(&wires), [(0, 1)], "2 and 3 are alone");
        wires.part(&[vec![0, 3], vec![1, 2]]);
        assert_eq!(reached(&wires), [(0, 3), (1, 2)], "it replaces the one before");
    }

    #[test]
    fn cuts_partitions_and_missing_wires_end_each_on_their_own() {
        let mut wires = Wires::new(4, &[(0, 1), (2, 1), (3, 0)].into());
        assert!(!wires.is_mesh() && Wires::new(4, &mesh(4)).is_mesh());
        assert_eq!(reached(&wires), [(0, 1), (0, 3), (1, 2)]);
        wires.cut(1, 0);
        wires.part(&[vec![0, 1, 3], vec![2]]);
        assert_eq!(reached(&wires), [(0, 3)]);
        wires.mend(0, 1);
        assert_eq!(reached(&wires), [(0, 1), (0, 3)], "the partition goes on");
        wires.cut(0, 3);
        wires.mend_all();
        assert_eq!(reached(&wires), [(0, 1), (0, 3), (1, 2)], "a wire that never was is not mended");
    }
}
