//! What a network does to frames.

use std::ops::RangeInclusive;

/// How badly the network treats frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// Milliseconds from one end to the other, shortest and longest.
    pub latency: RangeInclusive<u64>,
    /// Frames in a thousand that are lost.
    pub loss: u32,
    /// Frames in a thousand that arrive twice.
    pub doubled: u32,
    /// Whether frames of one direction may overtake each other.
    pub reorder: bool,
    /// How much a link holds; everything when there is none.
    pub queue: Option<Queue>,
}

/// A link that takes its time, and holds so many frames at most.
///
/// Who sends is not told that a queue is full: a publish that no queue takes is one that nobody hears, and no caller ever
/// hears of that (design N3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Frames that wait or are on their way in one direction.
    pub frames: usize,
    /// Milliseconds that the link needs for each, one after the other, before the latency begins.
    pub pace_ms: u64,
    /// Which frame goes when one too many comes.
    pub drops: Drops,
}

/// Which frame a full queue drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drops {
    /// The one that waits longest.
    Oldest,
    /// The one that comes.
    Newest,
}

impl Faults {
    /// A network without faults where every frame takes `ms`.
    #[must_use]
    pub fn none(ms: u64) -> Self {
        Faults::within(ms..=ms)
    }

    /// A network without faults where a frame takes any time in this range.
    #[must_use]
    pub fn within(latency: RangeInclusive<u64>) -> Self {
        Faults { latency, loss: 0, doubled: 0, reorder: false, queue: None }
    }

    /// So many frames in a thousand are lost.
    #[must_use]
    pub fn losing(mut self, per_thousand: u32) -> Self {
        self.loss = per_thousand;
        self
    }

    /// So many frames in a thousand arrive twice.
    #[must_use]
    pub fn doubling(mut self, per_thousand: u32) -> Self {
        self.doubled = per_thousand;
        self
    }

    /// Frames may overtake each other.
    #[must_use]
    pub fn reordering(mut self) -> Self {
        self.reorder = true;
        self
    }

    /// Links hold `frames` at most, and need `pace_ms` for each.
    #[must_use]
    pub fn queueing(mut self, frames: usize, pace_ms: u64, drops: Drops) -> Self {
        self.queue = Some(Queue { frames, pace_ms, drops });
        self
    }

    /// The longest time from one end to the other, waiting aside.
    #[must_use]
    pub fn longest(&self) -> u64 {
        *self.latency.end()
    }
}
