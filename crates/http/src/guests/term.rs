//! When sharing ends by itself. It is a length of time and no hour: somebody who sets the clock of the computer, or a clock that
//! was wrong, ends nothing early and prolongs nothing. The hour is told by the clock as it is when somebody asks.

use std::time::Duration;

use boot_time::Instant;
use parlor::Timestamp;

/// Two clocks never agree to the millisecond: an hour that differs by less is the one that was told before.
const SAME_MS: u64 = 2_000;

/// By a clock that goes on while the computer sleeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    end: Instant,
    /// The hour of the end, by the wall clock as it was at the beginning.
    hour: u64,
}

impl Term {
    pub(crate) fn of(length: Duration, wall_ms: u64) -> Self {
        Self { end: Instant::now() + length, hour: after(wall_ms, length) }
    }

    pub(super) fn is_over(self) -> bool {
        self.left().is_zero()
    }

    fn left(self) -> Duration {
        self.end.checked_duration_since(Instant::now()).unwrap_or_default()
    }

    /// The hour at which it is over, by a clock that shows this now.
    pub(super) fn ends_at(self, wall_ms: u64) -> Timestamp {
        let hour = after(wall_ms, self.left());
        Timestamp(if hour.abs_diff(self.hour) < SAME_MS { self.hour } else { hour })
    }
}

fn after(wall_ms: u64, length: Duration) -> u64 {
    wall_ms.saturating_add(u64::try_from(length.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_by_a_day_changes_the_hour_and_not_the_length() {
        const DAY_MS: u64 = 86_400_000;
        let term = Term::of(Duration::from_secs(600), 20_000 * DAY_MS);
        for wall_ms in [20_001 * DAY_MS, 19_999 * DAY_MS] {
            let left = term.ends_at(wall_ms).0 - wall_ms;
            assert!((590_000..=600_000).contains(&left), "{left}");
            assert!(!term.is_over());
        }
        for wall_ms in [20_000 * DAY_MS, 20_000 * DAY_MS + 3] {
            assert_eq!(term.ends_at(wall_ms), Timestamp(20_000 * DAY_MS + 600_000), "told once, told the same again");
        }
        let over = Term::of(Duration::ZERO, 5);
        assert!(over.is_over());
        assert_eq!(over.ends_at(5), Timestamp(5));
    }
}
