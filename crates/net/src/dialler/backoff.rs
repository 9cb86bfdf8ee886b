//! How long to wait before the next try: full jitter, so that many peers that lost each other at once do not come back
//! at once (design N6).

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// The first step.
pub(crate) const BASE_MS: u64 = 250;
/// The widest step while somebody of a shared room is missing.
pub(crate) const NEAR_MS: u64 = 2_000;
/// The widest step otherwise.
pub(crate) const FAR_MS: u64 = 30_000;
/// Full jitter may draw nearly nothing; that must not become a busy loop.
const FLOOR_MS: u64 = 20;

/// Tries since the last success or news.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backoff(u32);

impl Backoff {
    /// The wait before the next try, at most `widest`.
    pub(crate) fn next(&mut self, widest: u64, rng: &mut ChaCha8Rng) -> u64 {
        let step = BASE_MS.saturating_mul(1 << self.0.min(16)).min(widest);
        self.0 = self.0.saturating_add(1);
        rng.random_range(FLOOR_MS..=step)
    }

    pub(crate) fn reset(&mut self) {
        self.0 = 0;
    }
}
