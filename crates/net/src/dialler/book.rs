//! What is known about one peer's addresses, and in which order they are worth trying.

use libp2p::Multiaddr;
use parlor_core::Tick;

use crate::address::{self, Rank, Subnet, Transport};

/// Addresses of one peer; a peer that claims more is refused the rest.
pub(crate) const ADDRESSES_MAX: usize = 12;

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
pub(crate) struct Addresses(Vec<Known>);

impl Addresses {
    /// Notes an address. True when it was new. When there are too many, the one that never worked and was heard of
    /// longest ago makes room.
    pub(crate) fn hear(&mut self, address: &Multiaddr, local: bool, now: Tick) -> bool {
        let (Some(address), Some(parts)) = (address::bare(address), address::endpoint(address)) else { return false };
        if let Some(known) = self.0.iter_mut().find(|known| known.address == address) {
            known.heard = now;
            known.local |= local;
            return false;
        }
        if self.0.len() >= ADDRESSES_MAX {
            let stalest = self.0.iter().enumerate().filter(|(_, known)| known.good.is_none());
            let Some((at, _)) = stalest.min_by_key(|(_, known)| known.heard) else { return false };
            self.0.remove(at);
        }
        self.0.push(Known { address, transport: parts.transport, local, good: None, heard: now });
        true
    }

    pub(crate) fn worked(&mut self, address: &Multiaddr, now: Tick) {
        if let Some(known) = address::bare(address).and_then(|bare| self.0.iter_mut().find(|k| k.address == bare)) {
            known.good = Some(now);
        }
    }

    /// Whether the peer was ever reached at one of them.
    pub(crate) fn any_worked(&self) -> bool {
        self.0.iter().any(|known| known.good.is_some())
    }

    pub(crate) fn remove(&mut self, address: &Multiaddr) {
        let bare = address::bare(address);
        self.0.retain(|known| Some(&known.address) != bare.as_ref());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of one transport worth trying: the last good one first, then by rank; poor ones only when no better one of
    /// any transport exists (design N7).
    pub(crate) fn worth(&self, transport: Transport, subnets: &[Subnet]) -> Vec<Multiaddr> {
        let ranked = self.0.iter().map(|known| (address::rank(&known.address, known.local, subnets), known));
        let mut ranked: Vec<_> = ranked.filter(|(rank, _)| *rank != Rank::Useless).collect();
        if ranked.iter().any(|(rank, _)| *rank < Rank::Poor) {
            ranked.retain(|(rank, known)| *rank < Rank::Poor || known.good.is_some());
        }
        ranked.retain(|(_, known)| known.transport == transport);
        ranked.sort_by_key(|(rank, known)| (std::cmp::Reverse(known.good), *rank));
        ranked.into_iter().map(|(_, known)| known.address.clone()).collect()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Multiaddr> {
        self.0.iter().map(|known| &known.address)
    }
}
