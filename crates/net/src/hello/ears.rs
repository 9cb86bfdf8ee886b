//! What came through in our networks since they were last asked. Nothing depends on it: it is for a person who wants to know
//! why nobody is found.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use libp2p::PeerId;
use parlor_core::Tick;

use super::manners::BELIEVED_MAX;
use super::word::Way;

/// One way of asking in one network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ear {
    /// Our own question came back, as it does to everybody who listens on a computer that says it.
    pub echo: bool,
    /// The system did not let it out.
    pub refused: bool,
}

/// All of them, by our address there, and who answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ears {
    places: BTreeMap<(Ipv4Addr, Way), Ear>,
    /// By the better of the ways by which the question came to them, and when they last answered.
    others: BTreeMap<PeerId, (Way, Tick)>,
}

impl Ears {
    /// Nothing heard yet in these networks.
    pub(super) fn at(here: impl Iterator<Item = Ipv4Addr>) -> Self {
        let both = here.flat_map(|ip| [Way::Multicast, Way::Broadcast].map(|way| ((ip, way), Ear::default())));
        Self { places: both.collect(), others: BTreeMap::new() }
    }

    /// Whether that changed anything; a network that is not ours any more is none.
    pub(super) fn note(&mut self, here: Ipv4Addr, way: Way, change: impl FnOnce(&mut Ear)) -> bool {
        let Some(ear) = self.places.get_mut(&(here, way)) else { return false };
        let before = *ear;
        change(ear);
        *ear != before
    }

    /// Somebody answered from an address. A peer of this computer is no sign of a network, and beyond a bound nobody is.
    pub(super) fn answered(&mut self, by: PeerId, from: Ipv4Addr, way: Way, now: Tick) {
        let own = self.places.contains_key(&(from, way));
        if !own && (self.others.len() < BELIEVED_MAX || self.others.contains_key(&by)) {
            let best = self.others.get(&by).map_or(way, |(before, _)| way.min(*before));
            self.others.insert(by, (best, now));
        }
    }

    /// What was heard at an address; `None` where nothing is asked.
    pub(crate) fn get(&self, here: Ipv4Addr, way: Way) -> Option<Ear> {
        self.places.get(&(here, way)).copied()
    }

    /// How many answered what came to them this way at best.
    pub(crate) fn answers(&self, way: Way) -> usize {
        self.others.values().filter(|(by, _)| *by == way).count()
    }

    /// When somebody last answered.
    pub(crate) fn last(&self) -> Option<Tick> {
        self.others.values().map(|(_, at)| *at).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_answers_twice_counts_once_and_by_the_better_way() {
        let [here, there] = [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)];
        let mut ears = Ears::at([here].into_iter());
        let [one, two] = [PeerId::random(), PeerId::random()];
        for (by, way, at) in
            [(one, Way::Broadcast, 1), (one, Way::Multicast, 2), (one, Way::Broadcast, 3), (two, Way::Broadcast, 4)]
        {
            ears.answered(by, there, way, Tick(at));
        }
        assert_eq!((ears.answers(Way::Multicast), ears.answers(Way::Broadcast), ears.last()), (1, 1, Some(Tick(4))));
        ears.answered(PeerId::random(), here, Way::Multicast, Tick(5));
        assert_eq!(ears.others.len(), 2, "another window of this computer");
        (0..1_000).for_each(|_| ears.answered(PeerId::random(), there, Way::Multicast, Tick(5)));
        assert_eq!(ears.others.len(), BELIEVED_MAX, "whoever makes up answers fills no memory");
    }
}
