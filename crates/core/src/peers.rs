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
    /// The hashes of links that their heartbeats told, and how many told each; with the same exception.
    told: Vec<(u32, usize)>,
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
    /// Hash of those with members here and a link of their own (design N4).
    pub links: u32,
}

/// What one peer is counted as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    sum: Sum,
    /// The hash of links that its last heartbeat told.
    told: Option<u32>,
}

impl Counted {
    fn of(peer: &Peer) -> Self {
        Self { sum: Sum::of(peer), told: peer.pulse.map(|pulse| pulse.links) }
    }
}

impl Sum {
    fn of(peer: &Peer) -> Self {
        let here = u64::from(!peer.records.is_empty() || peer.watches());
        let (linked, far) = if peer.linked { (here, 0) } else { (0, here) };
        let links = if peer.linked && !peer.records.is_empty() { peer.mark } else { 0 };
        Self { linked, far, records: peer.records.len(), links }
    }

    fn with(self, other: Self) -> Self {
        let Sum { linked, far, records, links } = other;
        Self {
            linked: self.linked + linked,
            far: self.far + far,
            records: self.records + records,
            links: self.links ^ links,
        }
    }

    fn without(self, other: Self) -> Self {
        let Sum { linked, far, records, links } = other;
        Self {
            linked: self.linked - linked,
            far: self.far - far,
            records: self.records - records,
            links: self.links ^ links,
        }
    }
}

impl Peers {
    /// What all of them come to.
    pub fn sum(&self) -> Sum {
        let touched = self.touched.and_then(|id| self.of.get(&id));
        let sum = touched.map_or(self.sum, |peer| self.sum.without(peer.counted.sum).with(Sum::of(peer)));
        debug_assert_eq!(sum, self.of.values().map(|peer| Sum::of(peer)).fold(Sum::default(), Sum::with));
        sum
    }

    /// Whether the last heartbeat of any of them told other links than these (design N4).
    pub fn tell_other_links(&self, mine: u32) -> bool {
        let touched = self.touched.and_then(|id| self.of.get(&id));
        let (before, now) = touched.map_or((None, None), |peer| (peer.counted.told, Counted::of(peer).told));
        let counts = |told: &u32, count: usize| *told != mine && count > usize::from(before == Some(*told));
        let others = now.is_some_and(|now| now != mine) || self.told.iter().any(|(told, count)| counts(told, *count));
        debug_assert_eq!(others, self.of.values().filter_map(|peer| peer.pulse).any(|pulse| pulse.links != mine));
        others
    }

    pub fn get_mut(&mut self, id: &SessionId) -> Option<&mut Peer> {
        self.touch(*id);
        self.of.get_mut(id).map(|peer| &mut **peer)
    }

    /// The same for who changes nothing of it that is counted here: neither its link, nor its pulse, nor which records it has.
    pub fn get_uncounted(&mut self, id: &SessionId) -> Option<&mut Peer> {
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
        self.count(peer.counted, Counted::default());
        Some(peer)
    }

    /// Changes each of them.
    pub fn each(&mut self, mut change: impl FnMut(SessionId, &mut Peer)) {
        let mut of = std::mem::take(&mut self.of);
        for (id, peer) in &mut of {
            change(*id, peer);
            let now = Counted::of(peer);
            self.count(std::mem::replace(&mut peer.counted, now), now);
        }
        self.of = of;
    }

    /// What the peer comes to that was touched last is settled. It need not be: then whoever asks looks at that one.
    pub fn settle(&mut self) {
        let touched = self.touched.take();
        if let Some(peer) = touched.and_then(|touched| self.of.get_mut(&touched)) {
            let now = Counted::of(peer);
            let before = std::mem::replace(&mut peer.counted, now);
            self.count(before, now);
        }
    }

    /// The peer is about to change, so what the one before it came to is settled.
    fn touch(&mut self, id: SessionId) {
        if self.touched != Some(id) {
            self.settle();
            self.touched = Some(id);
        }
    }

    /// One of them comes to something else than before.
    fn count(&mut self, before: Counted, now: Counted) {
        self.sum = self.sum.without(before.sum).with(now.sum);
        if before.told == now.told {
            return;
        }
        if let Some((_, count)) = now.told.and_then(|now| self.told.iter_mut().find(|(told, _)| *told == now)) {
            *count += 1;
        } else {
            self.told.extend(now.told.map(|told| (told, 1)));
        }
        if let Some((_, count)) = before.told.and_then(|before| self.told.iter_mut().find(|(told, _)| *told == before))
        {
            *count -= 1;
        }
        self.told.retain(|(_, count)| *count > 0);
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
        assert_eq!(peers.sum(), Sum { linked: 1, far: 0, records: 0, links: 0 });
        linked(&mut peers, bob, false);
        assert_eq!(peers.sum(), Sum { linked: 1, far: 1, records: 0, links: 0 });
        peers.get_mut(&ann).unwrap().linked = false;
        assert_eq!(peers.sum(), Sum { linked: 0, far: 2, records: 0, links: 0 });
        peers.each(|_, peer| peer.pulse = None);
        assert_eq!(peers.sum(), Sum::default());
        linked(&mut peers, ann, true);
        assert!(peers.remove(&ann).is_some() && peers.remove(&ann).is_none());
        assert_eq!(peers.sum(), Sum::default());
        assert!(peers.get_mut(&ann).is_none());
        linked(&mut peers, ann, true);
        assert_eq!(peers.sum(), Sum { linked: 1, far: 0, records: 0, links: 0 });
    }

    /// So does [`Peers::tell_other_links`].
    #[test]
    fn what_they_tell_of_links_is_known_after_any_change() {
        let (ann, bob) = (SessionId([1; 32]), SessionId([2; 32]));
        let mut peers = Peers::default();
        let tell = |peers: &mut Peers, id, links| {
            let peer = peers.get_or_insert_with(id, || Peer::new(id, Tick(0)));
            peer.pulse = Some(Pulse { count: 1, records: 0, cells: 0, links });
        };
        assert!(!peers.tell_other_links(7));
        tell(&mut peers, ann, 7);
        assert!(!peers.tell_other_links(7) && peers.tell_other_links(8));
        tell(&mut peers, bob, 8);
        assert!(peers.tell_other_links(7) && peers.tell_other_links(8));
        tell(&mut peers, bob, 7);
        tell(&mut peers, ann, 7);
        assert!(!peers.tell_other_links(7) && peers.tell_other_links(8));
        peers.each(|id, peer| {
            if id == ann {
                peer.pulse = None;
            }
        });
        tell(&mut peers, bob, 8);
        assert!(peers.tell_other_links(7) && !peers.tell_other_links(8));
        assert!(peers.remove(&bob).is_some());
        assert!(!peers.tell_other_links(7) && !peers.tell_other_links(8));
    }
}
