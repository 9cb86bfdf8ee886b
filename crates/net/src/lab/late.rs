//! Frames that are held back, in the order in which they pass. There is room for so many: what is beyond is lost.

use std::collections::BTreeMap;

use parlor_core::Tick;

/// Frames in one such queue, of which the driver has two.
pub(crate) const FRAMES_MAX: usize = 2_048;
/// And their bytes.
const BYTES_MAX: usize = 16 << 20;

/// See the module.
#[derive(Debug)]
pub(crate) struct Late<T> {
    held: BTreeMap<(Tick, u64), (T, usize)>,
    number: u64,
    bytes: usize,
}

impl<T> Late<T> {
    pub(crate) fn new() -> Self {
        Late { held: BTreeMap::new(), number: 0, bytes: 0 }
    }

    /// Takes one in; false when there is no room for it.
    #[must_use]
    pub(crate) fn hold(&mut self, until: Tick, bytes: usize, frame: T) -> bool {
        let fits = self.held.len() < FRAMES_MAX && self.bytes + bytes <= BYTES_MAX;
        if fits {
            self.number += 1;
            self.bytes += bytes;
            self.held.insert((until, self.number), (frame, bytes));
        }
        fits
    }

    /// The next whose time has come.
    pub(crate) fn take(&mut self, now: Tick) -> Option<T> {
        let first = self.held.first_entry().filter(|first| first.key().0 <= now)?;
        let (frame, bytes) = first.remove();
        self.bytes -= bytes;
        Some(frame)
    }

    /// When that is.
    pub(crate) fn next(&self) -> Option<Tick> {
        self.held.first_key_value().map(|((at, _), _)| *at)
    }

    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    /// Lets go of all that are not these.
    pub(crate) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.held.retain(|_, (frame, _)| keep(frame));
        self.bytes = self.held.values().map(|(_, bytes)| bytes).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_pass_in_the_order_of_their_times_and_of_their_coming() {
        let mut late = Late::new();
        for (until, frame) in [(20, "c"), (10, "a"), (20, "d"), (10, "b")] {
            assert!(late.hold(Tick(until), 1, frame));
        }
        assert_eq!((late.next(), late.take(Tick(9))), (Some(Tick(10)), None));
        let mut passed = Vec::new();
        while let Some(frame) = late.take(Tick(20)) {
            passed.push(frame);
        }
        assert_eq!((passed, late.len(), late.next()), (vec!["a", "b", "c", "d"], 0, None));
    }

    #[test]
    fn there_is_room_for_so_many_and_for_so_much() {
        let mut late = Late::new();
        for frame in 0..FRAMES_MAX {
            assert!(late.hold(Tick(1), 1, frame));
        }
        assert!(!late.hold(Tick(1), 1, 0), "one too many");
        late.retain(|frame| *frame == 7);
        assert!(late.hold(Tick(1), BYTES_MAX - 1, 8) && !late.hold(Tick(1), 1, 9), "one byte too many");
        assert_eq!((late.take(Tick(1)), late.take(Tick(1)), late.take(Tick(1))), (Some(7), Some(8), None));
        assert!(late.hold(Tick(1), BYTES_MAX, 1), "what passed takes no room");
    }
}
