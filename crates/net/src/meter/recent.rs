//! What each neighbour handed on last. gossipsub hands a message on once to each neighbour, so from one of them nothing
//! comes twice. gossipsub finds that out too, but for free, and forgets who it was.

use std::collections::{BTreeMap, HashSet, VecDeque};

use libp2p::PeerId;
use libp2p::gossipsub::RawMessage;

use crate::gossip::{self, ID_BYTES};

/// Messages of one neighbour that are remembered: two seconds of the busiest room.
const REMEMBERED: usize = 1_024;

type Id = [u8; ID_BYTES];

/// What one neighbour handed on, the oldest first.
#[derive(Debug, Default)]
struct Recent {
    known: HashSet<Id>,
    order: VecDeque<Id>,
}

impl Recent {
    /// False when it is remembered.
    fn add(&mut self, id: Id) -> bool {
        if !self.known.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > REMEMBERED {
            self.order.pop_front().iter().for_each(|oldest| _ = self.known.remove(oldest));
        }
        true
    }
}

/// The same for all who are connected.
#[derive(Debug, Default)]
pub(super) struct Handed(BTreeMap<PeerId, Recent>);

impl Handed {
    /// Takes out what this neighbour handed on before. Returns how many that were.
    pub(super) fn take_repeats(&mut self, peer: PeerId, messages: &mut Vec<RawMessage>) -> u64 {
        if messages.is_empty() {
            return 0;
        }
        let recent = self.0.entry(peer).or_default();
        let all = messages.len();
        messages.retain(|message| recent.add(gossip::id_of(message.source.as_ref(), message.sequence_number)));
        (all - messages.len()) as u64
    }

    pub(super) fn forget(&mut self, peer: &PeerId) {
        self.0.remove(peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u64) -> RawMessage {
        RawMessage {
            source: Some(PeerId::from_multihash(libp2p::multihash::Multihash::wrap(0, &[7; 32]).unwrap()).unwrap()),
            data: Vec::new(),
            sequence_number: Some(number),
            topic: crate::topic::Tag::LOBBY.hash(),
            signature: None,
            key: None,
            validated: false,
        }
    }

    fn repeats(handed: &mut Handed, peer: PeerId, numbers: impl IntoIterator<Item = u64>) -> (u64, usize) {
        let mut messages: Vec<RawMessage> = numbers.into_iter().map(message).collect();
        (handed.take_repeats(peer, &mut messages), messages.len())
    }

    #[test]
    fn once_from_each_is_no_repeat() {
        let (mut handed, one, other) = (Handed::default(), PeerId::random(), PeerId::random());
        assert_eq!(repeats(&mut handed, one, 0..100), (0, 100));
        assert_eq!(repeats(&mut handed, other, 0..100), (0, 100));
        assert_eq!(repeats(&mut handed, one, 50..150), (50, 50));
        assert_eq!(repeats(&mut handed, one, [7; 3]), (3, 0), "in one packet too");
        handed.forget(&one);
        assert_eq!(repeats(&mut handed, one, [7; 3]), (2, 1), "who comes again begins anew");
        assert_eq!(repeats(&mut handed, other, [7]), (1, 0));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let (mut handed, peer) = (Handed::default(), PeerId::random());
        repeats(&mut handed, peer, 0..5_000);
        let recent = &handed.0[&peer];
        assert_eq!((recent.known.len(), recent.order.len()), (REMEMBERED, REMEMBERED));
        assert_eq!(repeats(&mut handed, peer, [4_999, 3_976, 3_975]), (2, 1), "the oldest goes first");
    }
}
