//! Waiting for a condition, with a deadline.
//!
//! A test that sleeps is slow on a fast machine and wrong on a slow one. These look again and again and return at
//! once when there is something to see.

use std::time::{Duration, Instant};

/// How long one look is after the other.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Looks until there is something, and returns it with how long it took.
///
/// # Panics
///
/// With `what` when there is nothing within `limit`.
#[track_caller]
pub fn until<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> (T, Duration) {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return (found, start.elapsed());
        }
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// Looks for as long as `period` and demands that `holds` every time; it answers what is wrong when it does not.
///
/// # Panics
///
/// With what `holds` says, and when, as soon as it does not hold.
#[track_caller]
pub fn throughout(period: Duration, mut holds: impl FnMut() -> Result<(), String>) {
    let start = Instant::now();
    while start.elapsed() < period {
        if let Err(wrong) = holds() {
            panic!("after {:?}: {wrong}", start.elapsed());
        }
        std::thread::sleep(BETWEEN_LOOKS * 5);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{throughout, until};

    #[test]
    fn returns_what_it_finds_at_once() {
        let mut looks = 0;
        let (found, took) = until(Duration::from_secs(5), "three looks", || {
            looks += 1;
            (looks == 3).then_some("found")
        });
        assert_eq!(found, "found");
        assert!(took < Duration::from_secs(4));
    }

    #[test]
    #[should_panic(expected = "nothing comes")]
    fn names_what_did_not_come() {
        until(Duration::from_millis(20), "nothing comes", || None::<()>);
    }

    #[test]
    #[should_panic(expected = "it broke")]
    fn notices_a_moment_of_wrong() {
        let mut looks = 0;
        throughout(Duration::from_secs(5), || {
            looks += 1;
            if looks < 3 { Ok(()) } else { Err("it broke".into()) }
        });
    }
}
