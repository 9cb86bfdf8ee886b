//! What others may send (design N10): a purse per peer that hands us frames, and one per author whoever hands them on.
//!
//! A purse fills steadily up to a bound, and stays when its owner hangs up. A frame that it cannot pay for is dropped
//! unread and passed on to nobody, which honest rooms repair by themselves; a peer that goes on regardless is cut off
//! for a while. So a flood ends at the first honest peer that it reaches, and what comes through is no more than a busy
//! room.

use std::collections::BTreeMap;

use parlor_core::{SessionId, Tick};

/// What a purse gains, and how much it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) frames_per_s: u64,
    frames_max: u64,
    bytes_per_s: u64,
    bytes_max: u64,
}

/// From one neighbour, whoever wrote it. A star of 64 people in one room passes on 240 frames a second at its centre, and
/// a newcomer is sent a room of 256 members and a full board at once.
pub(crate) const FROM_NEIGHBOUR: Rate =
    Rate { frames_per_s: 2_000, frames_max: 8_000, bytes_per_s: 2 << 20, bytes_max: 32 << 20 };
/// From one author, by whatever way. A session says 30 things a second in a room, which come twice while others have to pass
/// them on, and all of its records when asked, of which there are 256 at most, with a full board of 512 pages. So who moves
/// all the time in more than eight rooms that are not whole, or in more than sixteen that are, says too much.
pub(crate) const FROM_AUTHOR: Rate =
    Rate { frames_per_s: 500, frames_max: 1_000, bytes_per_s: 1 << 20, bytes_max: 32 << 20 };
/// Of one author, to be passed on: this goes out once for each of our links, beside what we say ourselves, and their queues
/// are short. In a room that needs it a session says 30 things a second, and those of half a second may come at once after a
/// hitch; whoever is behind us has the next cursor behind all of them. What is not passed on is repaired.
pub(crate) const PASSED_ON: Rate =
    Rate { frames_per_s: 100, frames_max: 16, bytes_per_s: 512 << 10, bytes_max: 1 << 20 };
/// Of all who are strangers here together, by way of one neighbour, to be passed on: less than of one author, for whoever
/// makes people up makes an author of each. A session is a stranger until its members are known, which takes two round trips;
/// of so many at once that this is not enough for, the rest is heard of with their next heartbeat.
pub(crate) const OF_STRANGERS: Rate = Rate { frames_per_s: 16, frames_max: 64, ..PASSED_ON };
/// Of one peer, at the rendezvous of a relay: it says of 32 rooms that it is there, and asks who else is, every twenty
/// seconds, and of all at once when the relay is new.
pub(crate) const AT_RENDEZVOUS: Rate =
    Rate { frames_per_s: 8, frames_max: 256, bytes_per_s: 32 << 10, bytes_max: 512 << 10 };
/// Of all peers together. What they say is kept for a minute, so that bounds what is kept, whoever they are.
pub(crate) const ALL_AT_RENDEZVOUS: Rate =
    Rate { frames_per_s: 512, frames_max: 8_192, bytes_per_s: 256 << 10, bytes_max: 8 << 20 };
/// What no program of ours ever sends costs as much as so many frames.
pub(crate) const WRONG: u64 = 50;
/// Frames over the budget after which a neighbour is cut off.
const OVER_MAX: u32 = 2_000;
/// How long it stays so.
pub(crate) const CUT_OFF_MS: u64 = 60_000;
/// Purses that are remembered, so that nobody has a full one again by hanging up. Those that were opened longest ago make
/// room: they would be full again.
const PURSES_MAX: usize = 4_096;

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    /// It is paid for.
    Paid,
    /// It is dropped.
    Over,
    /// And whoever sent it is to be cut off.
    TooMuch,
}

/// What is left. Counted in thousandths, so that a millisecond's gain is a whole number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    frames: u64,
    bytes: u64,
    at: Tick,
    over: u32,
}

impl Budget {
    pub(crate) fn new(rate: &Rate, now: Tick) -> Self {
        Self { frames: rate.frames_max * 1_000, bytes: rate.bytes_max * 1_000, at: now, over: 0 }
    }

    pub(crate) fn spend_all(&mut self, rate: &Rate, count: u64, bytes: usize, now: Tick) -> Spent {
        let passed = now.since(self.at);
        self.at = now;
        let filled =
            |left: u64, per_s: u64, max: u64| left.saturating_add(passed.saturating_mul(per_s)).min(max * 1_000);
        self.frames = filled(self.frames, rate.frames_per_s, rate.frames_max);
        self.bytes = filled(self.bytes, rate.bytes_per_s, rate.bytes_max);
        let frames = self.frames.checked_sub(count.saturating_mul(1_000));
        let bytes = self.bytes.checked_sub((bytes as u64).saturating_mul(1_000));
        let (Some(frames), Some(bytes)) = (frames, bytes) else {
            self.over = self.over.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
            return if self.over >= OVER_MAX { Spent::TooMuch } else { Spent::Over };
        };
        (self.frames, self.bytes) = (frames, bytes);
        // Who keeps to the rate again is forgiven.
        if frames > rate.frames_max * 500 {
            self.over = 0;
        }
        Spent::Paid
    }
}

/// The purses of neighbours, or those of authors.
#[derive(Debug)]
pub(crate) struct Purses {
    rate: Rate,
    of: BTreeMap<SessionId, Budget>,
}

impl Purses {
    /// None yet; each will be filled at this rate.
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, of: BTreeMap::new() }
    }

    /// Pays for a frame of this session.
    pub(crate) fn spend(&mut self, session: SessionId, bytes: usize, now: Tick) -> Spent {
        self.spend_all(session, 1, bytes, now)
    }

    /// Pays for so many frames, all or none of them.
    pub(crate) fn spend_all(&mut self, session: SessionId, count: u64, bytes: usize, now: Tick) -> Spent {
        if self.of.len() >= PURSES_MAX && !self.of.contains_key(&session) {
            // A quarter at once, so that making room for inventions costs next to nothing.
            let mut spoke: Vec<Tick> = self.of.values().map(|budget| budget.at).collect();
            let (_, &mut quiet, _) = spoke.select_nth_unstable(PURSES_MAX / 4);
            self.of.retain(|_, budget| budget.at > quiet);
        }
        let budget = self.of.entry(session).or_insert_with(|| Budget::new(&self.rate, now));
        budget.spend_all(&self.rate, count, bytes, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spend(budget: &mut Budget, rate: &Rate, bytes: usize, now: Tick) -> Spent {
        budget.spend_all(rate, 1, bytes, now)
    }

    fn after(ms: u64) -> Tick {
        Tick(1_000 + ms)
    }

    #[test]
    fn a_busy_room_for_an_hour_costs_nothing_over() {
        let mut budget = Budget::new(&FROM_NEIGHBOUR, after(0));
        for frame in 0..3_600 * 480 {
            assert_eq!(spend(&mut budget, &FROM_NEIGHBOUR, 200, after(frame * 1_000 / 480)), Spent::Paid, "{frame}");
        }
    }

    #[test]
    fn a_newcomer_may_be_sent_a_whole_room_at_once() {
        let mut budget = Budget::new(&FROM_NEIGHBOUR, after(0));
        let pages = (16 << 20) / (32 << 10);
        for bytes in std::iter::repeat_n(12 << 10, 256).chain(std::iter::repeat_n(32 << 10, pages)) {
            assert_eq!(spend(&mut budget, &FROM_NEIGHBOUR, bytes, after(5)), Spent::Paid);
        }
    }

    #[test]
    fn a_flood_is_dropped_and_then_cut_off() {
        let mut budget = Budget::new(&FROM_NEIGHBOUR, after(0));
        let spent: Vec<Spent> = (0..12_000).map(|_| spend(&mut budget, &FROM_NEIGHBOUR, 10, after(1))).collect();
        let count = |what| spent.iter().filter(|spent| **spent == what).count();
        assert_eq!((count(Spent::Paid), count(Spent::Over)), (8_000, OVER_MAX as usize - 1));
        assert_eq!(spent.last(), Some(&Spent::TooMuch));
        // Few frames, many bytes.
        let mut budget = Budget::new(&FROM_NEIGHBOUR, after(0));
        let paid =
            (0..1_000).filter(|_| spend(&mut budget, &FROM_NEIGHBOUR, 64 << 10, after(1)) == Spent::Paid).count();
        assert_eq!(paid, 512);
    }

    #[test]
    fn what_comes_in_one_piece_is_paid_for_one_by_one() {
        let mut budget = Budget::new(&FROM_NEIGHBOUR, after(0));
        let spent: Vec<Spent> = (0..25).map(|_| budget.spend_all(&FROM_NEIGHBOUR, 400, 0, after(1))).collect();
        let count = |what| spent.iter().filter(|spent| **spent == what).count();
        assert_eq!((count(Spent::Paid), count(Spent::Over), count(Spent::TooMuch)), (20, 4, 1));
    }

    #[test]
    fn one_burst_too_many_is_forgiven() {
        let mut budget = Budget::new(&FROM_NEIGHBOUR, after(0));
        for _ in 0..9_500 {
            spend(&mut budget, &FROM_NEIGHBOUR, 10, after(1));
        }
        assert_eq!(spend(&mut budget, &FROM_NEIGHBOUR, 10, after(10_000)), Spent::Paid);
        let again: Vec<Spent> = (0..9_500).map(|_| spend(&mut budget, &FROM_NEIGHBOUR, 10, after(10_001))).collect();
        assert!(!again.contains(&Spent::TooMuch));
    }

    #[test]
    fn invented_authors_are_bounded_and_do_not_refill_anybody() {
        let mut authors = Purses::new(FROM_AUTHOR);
        let busy = SessionId([255; 32]);
        let mut paid = 0;
        for frame in 0..20_000_u64 {
            let mut author = [0; 32];
            author[..8].copy_from_slice(&frame.to_le_bytes());
            authors.spend(SessionId(author), 10, after(frame / 100));
            if frame % 2 == 0 {
                paid += u64::from(authors.spend(busy, 10, after(frame / 100)) == Spent::Paid);
            }
            assert!(authors.of.len() <= PURSES_MAX);
        }
        assert_eq!(paid, FROM_AUTHOR.frames_max + FROM_AUTHOR.frames_per_s / 5 - 1, "of 10,000 in a fifth of a second");
    }

    #[test]
    fn who_hangs_up_has_the_same_purse_when_they_call_again() {
        let mut senders = Purses::new(FROM_NEIGHBOUR);
        let (one, other) = (SessionId([1; 32]), SessionId([2; 32]));
        assert_eq!(senders.spend_all(one, FROM_NEIGHBOUR.frames_max, 0, after(0)), Spent::Paid);
        assert_eq!(senders.spend(one, 0, after(0)), Spent::Over);
        assert_eq!(senders.spend(other, 0, after(0)), Spent::Paid);
        assert_eq!(senders.spend(one, 0, after(1)), Spent::Paid, "it fills up as time goes by, and not by calling");
        assert_eq!(senders.spend_all(one, 1_000, 0, after(1)), Spent::Over);
    }
}
