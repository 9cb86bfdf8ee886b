//! What is known about one peer's addresses, and in which order they are worth trying.

use libp2p::{Multiaddr, PeerId};
use parlor_core::Tick;

use crate::address::{self, Rank, Subnet, Transport};

/// Addresses of one peer; a peer that claims more is refused the rest.
pub(crate) const ADDRESSES_MAX: usize = 12;

/// Relays through which one peer can be reached.
const RELAYS_MAX: usize = 4;

#[derive(Clone, Debug)]
struct Known {
    address: Multiaddr,
    transport: Transport,
    /// Learned in a way that makes loopback mean this computer.
    local: bool,
    good: Option<Tick>,
    heard: Tick,
}

/// The addresses of one peer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses {
    known: Vec<Known>,
    /// Whom it said that it can be reached through, the last first.
    relays: Vec<PeerId>,
}

impl Addresses {
    /// Notes an address. True when it was new. When there are too many, the one that never worked and was heard of
    /// longest ago makes room.
    pub(crate) fn hear(&mut self, address: &Multiaddr, local: bool, now: Tick) -> bool {
        let (Some(address), Some(parts)) = (address::bare(address), address::endpoint(address)) else { return false };
        if let Some(known) = self.known.iter_mut().find(|known| known.address == address) {
            known.heard = now;
            known.local |= local;
            return false;
        }
        if self.known.len() >= ADDRESSES_MAX {
            let stalest = self.known.iter().enumerate().filter(|(_, known)| known.good.is_none());
            let Some((at, _)) = stalest.min_by_key(|(_, known)| known.heard) else { return false };
            self.known.remove(at);
        }
        self.known.push(Known { address, transport: parts.transport, local, good: None, heard: now });
        true
    }

    pub(crate) fn worked(&mut self, address: &Multiaddr, now: Tick) {
        if let Some(known) = address::bare(address).and_then(|bare| self.known.iter_mut().find(|k| k.address == bare)) {
            known.good = Some(now);
        }
    }

    /// Whether the peer was ever reached at one of them.
    pub(crate) fn any_worked(&self) -> bool {
        self.known.iter().any(|known| known.good.is_some())
    }

    pub(crate) fn remove(&mut self, address: &Multiaddr) {
        let bare = address::bare(address);
        self.known.retain(|known| Some(&known.address) != bare.as_ref());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty() && self.relays.is_empty()
    }

    /// Notes a relay. True when it was new.
    pub(crate) fn hear_through(&mut self, relay: PeerId) -> bool {
        let fresh = !self.relays.contains(&relay);
        self.relays.retain(|known| *known != relay);
        self.relays.insert(0, relay);
        self.relays.truncate(RELAYS_MAX);
        fresh
    }

    pub(crate) fn relays(&self) -> &[PeerId] {
        &self.relays
    }

    /// Whether there is an address that must be expected to answer: it did before, or nothing is in between.
    pub(crate) fn any_near(&self, subnets: &[Subnet]) -> bool {
        self.known
            .iter()
            .any(|known| known.good.is_some() || address::rank(&known.address, known.local, subnets) <= Rank::OnLink)
    }

    /// Those of one transport worth trying: the last good one first, then by rank; poor ones only when no better one of
    /// any transport exists (design N7).
    pub(crate) fn worth(&self, transport: Transport, subnets: &[Subnet]) -> Vec<Multiaddr> {
        let ranked = self.known.iter().map(|known| (address::rank(&known.address, known.local, subnets), known));
        let mut ranked: Vec<_> = ranked.filter(|(rank, _)| *rank != Rank::Useless).collect();
        if ranked.iter().any(|(rank, _)| *rank < Rank::Poor) {
            ranked.retain(|(rank, known)| *rank < Rank::Poor || known.good.is_some());
        }
        ranked.retain(|(_, known)| known.transport == transport);
        ranked.sort_by_key(|(rank, known)| (std::cmp::Reverse(known.good), *rank));
        ranked.into_iter().map(|(_, known)| known.address.clone()).collect()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Multiaddr> {
        self.known.iter().map(|known| &known.address)
    }
}
