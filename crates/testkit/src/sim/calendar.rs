//! The calendar: what is to happen, by the millisecond, and in the order in which it was put down.
//!
//! Nearly all of it lies within a few seconds, so it is a ring of slots, one a millisecond, with a bit for each that holds
//! something; what lies further off waits in a map until the ring comes near. To put a thing down and to take the next
//! cost the same however much there is. The memory of a slot that was emptied is the next one's that is filled: the same
//! few stay in the cache.

use std::collections::{BTreeMap, VecDeque};

/// Milliseconds that the ring spans.
const SLOTS: usize = 8192;
const WORDS: usize = SLOTS / 64;

pub(crate) struct Calendar<T> {
    now: u64,
    slots: Vec<VecDeque<T>>,
    busy: [u64; WORDS],
    /// The memory of slots that hold nothing now.
    spare: Vec<VecDeque<T>>,
    far: BTreeMap<u64, VecDeque<T>>,
}

impl<T> Calendar<T> {
    pub fn new() -> Self {
        Calendar {
            now: 0,
            slots: (0..SLOTS).map(|_| VecDeque::new()).collect(),
            busy: [0; WORDS],
            spare: Vec::new(),
            far: BTreeMap::new(),
        }
    }

    /// Puts something down; what is late already happens next.
    pub fn put(&mut self, at: u64, what: T) {
        let at = at.max(self.now);
        if at - self.now < SLOTS as u64 {
            let slot = at as usize % SLOTS;
            if self.slots[slot].capacity() == 0
                && let Some(spare) = self.spare.pop()
            {
                self.slots[slot] = spare;
            }
            self.slots[slot].push_back(what);
            self.busy[slot / 64] |= 1 << (slot % 64);
        } else {
            self.far.entry(at).or_default().push_back(what);
        }
    }

    /// The next thing that happens until then, with its time.
    pub fn take(&mut self, until: u64) -> Option<(u64, T)> {
        let at = self.next_near().or_else(|| self.far.first_key_value().map(|(at, _)| *at))?;
        if at > until {
            return None;
        }
        self.advance(at);
        let slot = at as usize % SLOTS;
        let what = self.slots[slot].pop_front()?;
        if self.slots[slot].is_empty() {
            self.spare.push(std::mem::take(&mut self.slots[slot]));
            self.busy[slot / 64] &= !(1 << (slot % 64));
        }
        Some((at, what))
    }

    /// The first slot at or after now that holds something.
    fn next_near(&self) -> Option<u64> {
        let start = self.now as usize % SLOTS;
        for step in 0..=WORDS {
            let word = (start / 64 + step) % WORDS;
            let mut bits = self.busy[word];
            if step == 0 {
                bits &= u64::MAX << (start % 64);
            } else if step == WORDS {
                bits &= !(u64::MAX << (start % 64));
            }
            if bits != 0 {
                let slot = word * 64 + bits.trailing_zeros() as usize;
                return Some(self.now + ((slot + SLOTS - start) % SLOTS) as u64);
            }
        }
        None
    }

    fn advance(&mut self, now: u64) {
        self.now = now;
        while let Some(entry) = self.far.first_entry().filter(|entry| *entry.key() - now < SLOTS as u64) {
            let (at, mut what) = entry.remove_entry();
            // Put down before anything could be put into the slot itself.
            let slot = at as usize % SLOTS;
            self.slots[slot].append(&mut what);
            self.busy[slot / 64] |= 1 << (slot % 64);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Against a map by time and order, over spans of every length.
    #[test]
    fn a_calendar_is_a_map_by_time_and_order() {
        let mut random = fastrand::Rng::with_seed(5);
        let mut calendar = Calendar::new();
        let mut plain: BTreeMap<(u64, u64), u64> = BTreeMap::new();
        let (mut now, mut serial) = (0, 0);
        for _ in 0..20_000 {
            let span = *random.choice(&[3, 200, 9_000, 100_000]).unwrap();
            for _ in 0..random.u8(0..3) {
                serial += 1;
                let at = now + random.u64(0..span);
                calendar.put(at, serial);
                plain.insert((at, serial), serial);
            }
            let until = now + random.u64(0..=span / 2);
            while let Some((at, what)) = calendar.take(until) {
                let ((expected, _), held) = plain.pop_first().unwrap();
                assert_eq!((at, what), (expected, held));
                now = at;
                if random.u8(0..8) == 0 {
                    serial += 1;
                    calendar.put(now, serial);
                    plain.insert((now, serial), serial);
                }
            }
            assert!(plain.first_key_value().is_none_or(|((at, _), _)| *at > until));
            now = until;
        }
        assert!(plain.len() < 20_000);
    }
}
