//! What each neighbour handed on last. gossipsub hands a message on once to each neighbour, so from one of them nothing
//! comes twice. gossipsub finds that out too, but for free, and forgets who it was.
//!
//! That holds for as long as the neighbour remembers the message itself. Afterwards anybody can make it hand it on again,
//! which is no fault of its own.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use libp2p::PeerId;
use libp2p::gossipsub::RawMessage;

use crate::gossip::{self, HEARD_FOR, ID_BYTES};

/// Messages of one neighbour that are remembered: two seconds of the busiest room,
const REMEMBERED: usize = 1_024;
/// and for how long. Far less than at the neighbour: there it may have stood in line, and its clock is not ours.
const WITHIN: Duration = Duration::from_secs(20);

const _: () = assert!(2 * WITHIN.as_secs() < HEARD_FOR.as_secs(), "whoever hands it on remembers it for longer");

type Id = [u8; ID_BYTES];

/// What one neighbour handed on, the oldest first.
#[derive(Debug, Default)]
struct Recent {
    known: HashSet<Id>,
    order: VecDeque<(Instant, Id)>,
}

impl Recent {
    /// False when it is remembered.
    fn add(&mut self, id: Id, now: Instant) -> bool {
        while let Some((at, oldest)) = self.order.front()
            && (self.order.len() > REMEMBERED || now.saturating_duration_since(*at) > WITHIN)
        {
            self.known.remove(oldest);
            self.order.pop_front();
        }
        if !self.known.insert(id) {
            return false;
        }
        self.order.push_back((now, id));
        true
    }
}

/// The same for all who are connected.
#[derive(Debug, Default)]
pub(super) struct Handed(BTreeMap<PeerId, Recent>);

impl Handed {
    /// Takes out what this neighbour handed on before. Returns how many that were.
    pub(super) fn take_repeats(&mut self, peer: PeerId, messages: &mut Vec<RawMessage>, now: Instant) -> u64 {
        if messages.is_empty() {
            return 0;
        }
        let recent = self.0.entry(peer).or_default();
        let all = messages.len();
        messages.retain(|message| recent.add(gossip::id_of(message.source.as_ref(), message.sequence_number), now));
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
        repeats_at(handed, peer, numbers, Instant::now())
    }

    fn repeats_at(
        handed: &mut Handed,
        peer: PeerId,
        numbers: impl IntoIterator<Item = u64>,
        now: Instant,
    ) -> (u64, usize) {
        let mut messages: Vec<RawMessage> = numbers.into_iter().map(message).collect();
        (handed.take_repeats(peer, &mut messages, now), messages.len())
    }

    /// Somebody plays to a neighbour what it has forgotten; the neighbour is not to pay for it here.
    #[test]
    fn what_a_neighbour_may_have_forgotten_is_no_repeat() {
        let (mut handed, peer, began) = (Handed::default(), PeerId::random(), Instant::now());
        assert_eq!(repeats_at(&mut handed, peer, 0..300, began), (0, 300));
        assert_eq!(repeats_at(&mut handed, peer, 0..300, began + WITHIN), (300, 0));
        assert_eq!(repeats_at(&mut handed, peer, 0..300, began + HEARD_FOR), (0, 300));
        assert_eq!(handed.0[&peer].order.len(), 300, "and the first time is forgotten");
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
        assert_eq!((recent.known.len(), recent.order.len()), (REMEMBERED + 1, REMEMBERED + 1));
        assert_eq!(repeats(&mut handed, peer, [4_999, 3_976, 3_975]), (2, 1), "the oldest goes first");
    }
}
