//! Where this peer can be met by those who cannot reach it: at relays (design N7). A state machine without I/O, as the
//! dialler is: which relays there are goes in with the time, and what to ask of them comes out.
//!
//! Any connected peer that offers to be a relay will do, those first whose address a person gave: what a relay learns,
//! every linked peer learns. At one the peer reserves a place, says of its rooms that it is in them, and asks who else is;
//! it does so every twenty seconds, and at once when it enters a room. A relay that refuses, or that is lost and comes
//! back, is asked again with growing waits. When it is gone for good another one takes its place.

use std::collections::BTreeMap;

use libp2p::PeerId;
use parlor_core::Tick;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::rendezvous::TTL_S;

/// Relays where places are reserved at a time: a second one, so that one may go.
const AT_ONCE: usize = 2;
/// Relays that are remembered.
const KNOWN_MAX: usize = 16;
/// Between two rounds of saying and asking, give or take a fifth.
const ROUND_MS: u64 = 20_000;
/// A relay has so long to answer.
const ANSWER_MS: u64 = 10_000;
/// First and widest step of the wait after a refusal.
const REFUSED_MS: (u64, u64) = (1_000, 60_000);
/// A place lasts far longer than this, however wrong the clock of one who has it.
const RENEWED_MS: u64 = 10_000;
/// A relay whose answer is no answer, or that gives none, is not asked again for so long.
const DISTRUST_MS: u64 = 3_600_000;

const _: () = assert!(2 * (ROUND_MS + ROUND_MS / 5) < TTL_S * 1_000, "one lost round forgets nobody");

/// What is to be done at a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Reserve a place.
    Reserve(PeerId),
    /// Say of every room that we are in it, and ask who else is.
    Say(PeerId),
}

/// What the answer of a relay means that gives a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reserved {
    Ours,
    /// It has to be renewed again and again.
    Hasty,
    /// Nobody waits for it: it comes too late, or from who is not trusted.
    Unasked,
}

#[derive(Debug)]
enum Place {
    /// To be asked for then.
    Wanted(Tick),
    /// Asked for, at that time.
    Asked(Tick),
    /// Ours; the next round is then.
    Held(Tick),
}

#[derive(Debug)]
struct Relay {
    asked_for: bool,
    connected: bool,
    place: Option<Place>,
    refused: u32,
    /// When it gave a place last.
    gave: Option<Tick>,
    /// Nothing is asked of it before.
    shunned: Option<Tick>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Meeting {
    on: bool,
    rng: ChaCha8Rng,
    relays: BTreeMap<PeerId, Relay>,
}

impl Meeting {
    /// `on`: whether relays are used at all.
    pub(crate) fn new(on: bool, seed: u64) -> Self {
        Meeting { on, rng: ChaCha8Rng::seed_from_u64(seed), relays: BTreeMap::new() }
    }

    /// A connected peer offers to be a relay. `asked_for`: a person gave its address.
    pub(crate) fn met(&mut self, relay: PeerId, asked_for: bool, now: Tick) {
        if !self.on {
            return;
        }
        if let Some(known) = self.relays.get_mut(&relay) {
            known.asked_for |= asked_for;
            known.connected = true;
        } else {
            self.forget_one();
            if self.relays.len() < KNOWN_MAX || asked_for {
                let (connected, place, gave, shunned) = (true, None, None, None);
                self.relays.insert(relay, Relay { asked_for, connected, place, refused: 0, gave, shunned });
            }
        }
        self.choose(now);
    }

    /// It is no longer connected. Who is not trusted is remembered, and takes the place of another like it.
    pub(crate) fn lost(&mut self, relay: &PeerId, now: Tick) {
        let Some(entry) = self.relays.get_mut(relay) else { return };
        (entry.connected, entry.place) = (false, None);
        self.relays.retain(|_, relay| relay.connected || relay.shunned.is_some_and(|until| until > now));
        self.choose(now);
    }

    /// Gives the places that are free to the best relays that have none.
    fn choose(&mut self, now: Tick) {
        let taken = self.relays.values().filter(|relay| relay.place.is_some()).count();
        let trusted = |relay: &Relay| relay.shunned.is_none_or(|until| until <= now);
        let usable = |relay: &Relay| relay.connected && relay.place.is_none() && trusted(relay);
        let mut free: Vec<&mut Relay> = self.relays.values_mut().filter(|relay| usable(relay)).collect();
        free.sort_by_key(|relay| !relay.asked_for);
        for relay in free.into_iter().take(AT_ONCE.saturating_sub(taken)) {
            relay.place = Some(Place::Wanted(now));
        }
    }

    /// When there are too many, whoever is shunned and gone makes room: else a handful of liars would keep out every
    /// relay for an hour.
    fn forget_one(&mut self) {
        if self.relays.len() < KNOWN_MAX {
            return;
        }
        let gone = self.relays.iter().filter(|(_, relay)| !relay.connected);
        let oldest = gone.min_by_key(|(_, relay)| relay.shunned).map(|(peer, _)| *peer);
        if let Some(peer) = oldest {
            self.relays.remove(&peer);
        }
    }

    /// A relay says that a place is ours, or still is.
    pub(crate) fn reserved(&mut self, relay: &PeerId, renewal: bool, now: Tick) -> Reserved {
        let Some(relay) = self.relays.get_mut(relay).filter(|relay| relay.place.is_some()) else {
            return Reserved::Unasked;
        };
        if renewal && relay.gave.is_some_and(|before| now.since(before) < RENEWED_MS) {
            return Reserved::Hasty;
        }
        (relay.refused, relay.gave) = (0, Some(now));
        if !matches!(relay.place, Some(Place::Held(_))) {
            relay.place = Some(Place::Held(now));
        }
        Reserved::Ours
    }

    /// It was refused, or is ours no longer. Another relay gets its turn if there is one.
    pub(crate) fn refused(&mut self, relay: &PeerId, now: Tick) {
        let Some(entry) = self.relays.get_mut(relay).filter(|relay| relay.place.is_some()) else { return };
        let step = REFUSED_MS.0.saturating_mul(1 << entry.refused.min(16)).min(REFUSED_MS.1);
        entry.refused = entry.refused.saturating_add(1);
        entry.place = Some(Place::Wanted(now.plus(self.rng.random_range(step / 2..=step))));
    }

    /// It does what no program of ours does.
    pub(crate) fn distrust(&mut self, relay: &PeerId, now: Tick) {
        let Some(relay) = self.relays.get_mut(relay) else { return };
        (relay.place, relay.shunned) = (None, Some(now.plus(DISTRUST_MS)));
        self.choose(now);
    }

    /// A room was entered: those who are in it are to be found now.
    pub(crate) fn news(&mut self, now: Tick) {
        for relay in self.relays.values_mut() {
            if let Some(Place::Held(round)) = &mut relay.place {
                *round = now.min(*round);
            }
        }
    }

    /// Whether the peer is a relay where we have a place, or are about to.
    pub(crate) fn uses(&self, relay: &PeerId) -> bool {
        self.relays.get(relay).is_some_and(|relay| relay.place.is_some())
    }

    /// The relays where we can be met now.
    pub(crate) fn held(&self) -> impl Iterator<Item = &PeerId> {
        self.relays.iter().filter(|(_, relay)| matches!(relay.place, Some(Place::Held(_)))).map(|(peer, _)| peer)
    }

    /// The next thing that is due; ask until there is none.
    pub(crate) fn poll(&mut self, now: Tick) -> Option<Step> {
        let silent = |relay: &Relay| matches!(relay.place, Some(Place::Asked(at)) if now.since(at) > ANSWER_MS);
        let silent: Vec<PeerId> =
            self.relays.iter().filter(|(_, relay)| silent(relay)).map(|(peer, _)| *peer).collect();
        silent.iter().for_each(|peer| self.distrust(peer, now));
        let Self { relays, rng, .. } = self;
        for (peer, relay) in relays.iter_mut() {
            match relay.place {
                Some(Place::Wanted(at)) if at <= now => {
                    relay.place = Some(Place::Asked(now));
                    return Some(Step::Reserve(*peer));
                }
                Some(Place::Held(round)) if round <= now => {
                    let wait = rng.random_range(ROUND_MS - ROUND_MS / 5..=ROUND_MS + ROUND_MS / 5);
                    relay.place = Some(Place::Held(now.plus(wait)));
                    return Some(Step::Say(*peer));
                }
                _ => {}
            }
        }
        None
    }

    /// When [`Meeting::poll`] has something next.
    pub(crate) fn next_deadline(&self) -> Option<Tick> {
        let due = |relay: &Relay| match relay.place {
            Some(Place::Wanted(at) | Place::Held(at)) => Some(at),
            Some(Place::Asked(at)) => Some(at.plus(ANSWER_MS + 1)),
            None => None,
        };
        self.relays.values().filter_map(due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SessionKey;

    fn relays(count: usize) -> Vec<PeerId> {
        let mut peers: Vec<PeerId> = (0..count).map(|_| SessionKey::generate().peer()).collect();
        peers.sort();
        peers
    }

    fn all(meeting: &mut Meeting, now: u64) -> Vec<Step> {
        std::iter::from_fn(|| meeting.poll(Tick(now))).collect()
    }

    #[test]
    fn a_place_is_reserved_and_then_rooms_are_told_of_again_and_again() {
        let relay = relays(1)[0];
        let mut meeting = Meeting::new(true, 1);
        meeting.met(relay, false, Tick(0));
        assert_eq!(all(&mut meeting, 0), [Step::Reserve(relay)]);
        assert_eq!((all(&mut meeting, 1), meeting.held().count()), (vec![], 0), "it has not answered");
        assert_eq!(meeting.reserved(&relay, false, Tick(5)), Reserved::Ours);
        assert_eq!(all(&mut meeting, 5), [Step::Say(relay)]);
        assert_eq!(meeting.held().collect::<Vec<_>>(), [&relay]);
        assert_eq!(meeting.reserved(&relay, true, Tick(5 + RENEWED_MS)), Reserved::Ours);
        let round = meeting.next_deadline().unwrap();
        assert!((16_005..=24_005).contains(&round.0), "{round:?}: a renewal is no reason to hurry");
        assert_eq!(all(&mut meeting, round.0), [Step::Say(relay)]);
        meeting.news(round.plus(1));
        assert_eq!(all(&mut meeting, round.0 + 1), [Step::Say(relay)], "a room was entered");
    }

    #[test]
    fn a_relay_that_refuses_is_asked_again_with_growing_waits() {
        let relay = relays(1)[0];
        let mut meeting = Meeting::new(true, 1);
        meeting.met(relay, true, Tick(0));
        let mut now = 0;
        for step in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
            assert_eq!(all(&mut meeting, now), [Step::Reserve(relay)]);
            meeting.refused(&relay, Tick(now));
            let wait = meeting.next_deadline().unwrap().0 - now;
            assert!((step / 2..=step).contains(&wait), "{wait} after {step}");
            now += wait;
        }
        all(&mut meeting, now);
        meeting.reserved(&relay, false, Tick(now));
        meeting.refused(&relay, Tick(now));
        assert!(meeting.next_deadline().unwrap().0 <= now + 1_000, "it was ours, so it counts as new");
    }

    #[test]
    fn two_are_used_those_first_that_a_person_named_and_another_takes_the_place_of_one_that_is_gone() {
        let relays = relays(4);
        let mut meeting = Meeting::new(true, 1);
        meeting.met(relays[0], false, Tick(0));
        for (relay, asked_for) in [(relays[1], false), (relays[2], false), (relays[3], true)] {
            meeting.met(relay, asked_for, Tick(0));
        }
        let used = |meeting: &Meeting| relays.iter().map(|relay| meeting.uses(relay)).collect::<Vec<_>>();
        assert_eq!(used(&meeting), [true, true, false, false]);
        meeting.lost(&relays[0], Tick(1));
        assert_eq!(used(&meeting), [false, true, false, true]);
        meeting.distrust(&relays[3], Tick(2));
        assert_eq!(used(&meeting), [false, true, true, false]);
        meeting.lost(&relays[1], Tick(3));
        assert_eq!(used(&meeting), [false, false, true, false], "who was distrusted stays so");
        meeting.lost(&relays[3], Tick(4));
        meeting.met(relays[3], true, Tick(5));
        assert_eq!(used(&meeting), [false, false, true, false], "also when it comes back");
        meeting.met(relays[3], true, Tick(2 + DISTRUST_MS));
        assert_eq!(used(&meeting), [false, false, true, true]);
    }

    #[test]
    fn a_relay_that_does_not_answer_makes_place_for_another() {
        let relays = relays(3);
        let mut meeting = Meeting::new(true, 1);
        relays.iter().for_each(|relay| meeting.met(*relay, false, Tick(0)));
        all(&mut meeting, 0);
        meeting.reserved(&relays[1], false, Tick(1));
        all(&mut meeting, 1);
        let due = meeting.next_deadline().unwrap();
        assert_eq!((due, all(&mut meeting, due.0)), (Tick(ANSWER_MS + 1), vec![Step::Reserve(relays[2])]));
        assert!(!meeting.uses(&relays[0]));
    }

    #[test]
    fn a_place_that_nobody_waits_for_is_none_of_ours() {
        let relay = relays(1)[0];
        let mut meeting = Meeting::new(true, 1);
        assert_eq!(meeting.reserved(&relay, false, Tick(0)), Reserved::Unasked);
        meeting.met(relay, true, Tick(0));
        all(&mut meeting, 0);
        all(&mut meeting, ANSWER_MS + 1);
        assert_eq!(meeting.reserved(&relay, false, Tick(ANSWER_MS + 2)), Reserved::Unasked, "too late");
        assert_eq!((meeting.held().count(), meeting.next_deadline()), (0, None));
    }

    #[test]
    fn a_place_that_has_to_be_renewed_at_once_is_none() {
        let relay = relays(1)[0];
        let mut meeting = Meeting::new(true, 1);
        meeting.met(relay, true, Tick(0));
        all(&mut meeting, 0);
        meeting.reserved(&relay, false, Tick(1));
        assert_eq!(meeting.reserved(&relay, true, Tick(RENEWED_MS)), Reserved::Hasty);
        meeting.distrust(&relay, Tick(RENEWED_MS));
        assert_eq!(meeting.reserved(&relay, true, Tick(9 * RENEWED_MS)), Reserved::Unasked, "nor is it one later");
        // One that was lost with its connection is no renewal.
        let other = relays(1)[0];
        meeting.met(other, false, Tick(RENEWED_MS));
        all(&mut meeting, RENEWED_MS);
        meeting.reserved(&other, false, Tick(RENEWED_MS));
        meeting.lost(&other, Tick(RENEWED_MS));
        meeting.met(other, false, Tick(RENEWED_MS));
        all(&mut meeting, RENEWED_MS);
        assert_eq!(meeting.reserved(&other, false, Tick(RENEWED_MS)), Reserved::Ours);
    }

    #[test]
    fn liars_that_are_gone_make_room_for_another() {
        let mut meeting = Meeting::new(true, 1);
        for relay in relays(2 * KNOWN_MAX) {
            meeting.met(relay, false, Tick(0));
            assert!(meeting.uses(&relay), "it has its chance");
            meeting.distrust(&relay, Tick(0));
            meeting.lost(&relay, Tick(0));
            assert!(meeting.relays.len() <= KNOWN_MAX);
        }
    }

    #[test]
    fn who_wants_no_relay_has_none_and_offers_are_bounded() {
        let mut meeting = Meeting::new(false, 1);
        meeting.met(relays(1)[0], true, Tick(0));
        assert_eq!((all(&mut meeting, 0), meeting.next_deadline()), (vec![], None));
        let mut meeting = Meeting::new(true, 1);
        for relay in relays(100) {
            meeting.met(relay, false, Tick(0));
        }
        assert_eq!(meeting.relays.len(), KNOWN_MAX);
    }
}
