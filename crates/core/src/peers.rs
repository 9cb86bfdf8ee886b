//! The other sessions of a room, and what is asked about all of them at once: how many there are for the rate (design A7),
//! and how many records they have. It is known without looking through them, since every cursor asks.

use std::collections::BTreeMap;
use std::ops::Deref;

use crate::ids::SessionId;
use crate::peer::Peer;

/// See the module. Reading is the map's; who changes a peer goes through here.
#[derive(Default)]
pub(crate) struct Peers {
    of: BTreeMap<SessionId, Box<Peer>>,
    /// What all of them come to, but for a change of the one that was touched last.
    sum: Sum,
    touched: Option<SessionId>,
}

/// What sessions come to together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    /// Those with a member or a watcher here, and a link of their own.
    pub linked: u64,
    /// The others with a member or a watcher here.
    pub far: u64,
    pub records: usize,
}

impl Sum {
    fn of(peer: &Peer) -> Self {
        let here = u64::from(!peer.records.is_empty() || peer.watches());
        let (linked, far) = if peer.linked { (here, 0) } else { (0, here) };
        Self { linked, far, records: peer.records.len() }
    }

    fn with(self, other: Self) -> Self {
        let Sum { linked, far, records } = other;
        Self { linked: self.linked + linked, far: self.far + far, records: self.records + records }
    }

    fn without(self, other: Self) -> Self {
        let Sum { linked, far, records } = other;
        Self { linked: self.linked - linked, far: self.far - far, records: self.records - records }
    }
}

impl Peers {
    /// What all of them come to.
    pub fn sum(&self) -> Sum {
        let touched = self.touched.and_then(|id| self.of.get(&id));
        let sum = touched.map_or(self.sum, |peer| self.sum.without(peer.counted).with(Sum::of(peer)));
        debug_assert_eq!(sum, self.of.values().map(|peer| Sum::of(peer)).fold(Sum::default(), Sum::with));
        sum
    }

    pub fn get_mut(&mut self, id: &SessionId) -> Option<&mut Peer> {
        self.touch(*id);
        self.of.get_mut(id).map(|peer| &mut **peer)
    }

    /// The peer, made of what `new` gives when there is none.
    pub fn get_or_insert_with(&mut self, id: SessionId, new: impl FnOnce() -> Peer) -> &mut Peer {
        self.touch(id);
        self.of.entry(id).or_insert_with(|| Box::new(new()))
    }

    pub fn remove(&mut self, id: &SessionId) -> Option<Box<Peer>> {
        self.touch(*id);
        let peer = self.of.remove(id)?;
        self.sum = self.sum.without(peer.counted);
        Some(peer)
    }

    /// Changes each of them.
    pub fn each(&mut self, mut change: impl FnMut(SessionId, &mut Peer)) {
        self.sum = Sum::default();
        for (id, peer) in &mut self.of {
            change(*id, peer);
            peer.counted = Sum::of(peer);
            self.sum = self.sum.with(peer.counted);
        }
    }

    /// The peer is about to change, so what the one before it came to is settled.
    fn touch(&mut self, id: SessionId) {
        let before = self.touched.replace(id).filter(|before| *before != id);
        if let Some(peer) = before.and_then(|before| self.of.get_mut(&before)) {
            let counts = Sum::of(peer);
            self.sum = self.sum.without(std::mem::replace(&mut peer.counted, counts)).with(counts);
        }
    }
}

impl Deref for Peers {
    type Target = BTreeMap<SessionId, Box<Peer>>;

    fn deref(&self) -> &Self::Target {
        &self.of
    }
}

#[cfg(test)]
mod tests {
    use crate::ids::Tick;
    use crate::wire::Pulse;

    use super::*;

    /// [`Peers::sum`] looks through all of them itself when debug assertions are on.
    #[test]
    fn what_they_come_to_is_known_after_any_change() {
        let (ann, bob) = (SessionId([1; 32]), SessionId([2; 32]));
        let mut peers = Peers::default();
        assert_eq!(peers.sum(), Sum::default());
        let linked = |peers: &mut Peers, id, linked| {
            let peer = peers.get_or_insert_with(id, || Peer::new(id, Tick(0)));
            peer.linked = linked;
            peer.pulse = Some(Pulse { count: 0, records: 0, cells: 0, links: 0 });
        };
        linked(&mut peers, ann, true);
        assert_eq!(peers.sum(), Sum { linked: 1, far: 0, records: 0 });
        linked(&mut peers, bob, false);
        assert_eq!(peers.sum(), Sum { linked: 1, far: 1, records: 0 });
        peers.get_mut(&ann).unwrap().linked = false;
        assert_eq!(peers.sum(), Sum { linked: 0, far: 2, records: 0 });
        peers.each(|_, peer| peer.pulse = None);
        assert_eq!(peers.sum(), Sum::default());
        linked(&mut peers, ann, true);
        assert!(peers.remove(&ann).is_some() && peers.remove(&ann).is_none());
        assert_eq!(peers.sum(), Sum::default());
        assert!(peers.get_mut(&ann).is_none());
        linked(&mut peers, ann, true);
        assert_eq!(peers.sum(), Sum { linked: 1, far: 0, records: 0 });
    }
}
