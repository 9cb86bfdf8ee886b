//! When sharing ends by itself. It is a length of time and no hour: somebody who sets the clock of the computer, or a clock that
//! was wrong, ends nothing early and prolongs nothing. The hour is told by the clock as it is when somebody asks.

use std::time::Duration;

use boot_time::Instant;
use parlor::Timestamp;

/// By a clock that goes on while the computer sleeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term(Instant);

impl Term {
    pub(crate) fn of(length: Duration) -> Self {
        Self(Instant::now() + length)
    }

    pub(super) fn is_over(self) -> bool {
        self.left().is_zero()
    }

    fn left(self) -> Duration {
        self.0.checked_duration_since(Instant::now()).unwrap_or_default()
    }

    /// The hour at which it is over, by a clock that shows this now.
    pub(super) fn ends_at(self, wall_ms: u64) -> Timestamp {
        Timestamp(wall_ms.saturating_add(u64::try_from(self.left().as_millis()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_by_a_day_changes_the_hour_and_not_the_length() {
        const DAY_MS: u64 = 86_400_000;
        let term = Term::of(Duration::from_secs(600));
        for wall_ms in [20_000 * DAY_MS, 20_001 * DAY_MS, 19_999 * DAY_MS] {
            let left = term.ends_at(wall_ms).0 - wall_ms;
            assert!((590_000..=600_000).contains(&left), "{left}");
            assert!(!term.is_over());
        }
        let over = Term::of(Duration::ZERO);
        assert!(over.is_over());
        assert_eq!(over.ends_at(5), Timestamp(5));
    }
}
