//! The signs of a system that must be asked: how long ago somebody touched a key or the mouse, on macOS and Windows. Neither
//! was tried yet. A locked screen shows as what it comes to, that nobody touches anything.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use super::{Sign, Signs};

/// Between two questions; so much later it is known that somebody is back.
const EVERY: Duration = Duration::from_secs(5);
/// Untouched for so long, a computer has nobody before it: as long as the page waits.
const LIMIT: Duration = Duration::from_secs(60);

/// See the module. `ask` answers how long ago it was, or nothing when the system does not say.
pub struct Asked<A> {
    ask: A,
    turn: Interval,
    idle: bool,
}

impl<A> Asked<A> {
    pub fn new(ask: A) -> Self {
        let mut turn = interval(EVERY);
        // After a sleep it is asked once, and not for every turn that was missed.
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ask, turn, idle: false }
    }
}

impl<A, F> Signs for Asked<A>
where
    A: FnMut() -> F + Send,
    F: Future<Output = Option<Duration>> + Send,
{
    async fn next(&mut self) -> Option<Sign> {
        loop {
            self.turn.tick().await;
            let idle = (self.ask)().await? >= LIMIT;
            if idle != self.idle {
                self.idle = idle;
                return Some(Sign::Idle(idle));
            }
        }
    }
}

/// What this system says.
#[cfg(target_os = "windows")]
pub async fn untouched() -> Option<Duration> {
    user_idle_time::get_idle_time().ok()
}

/// What this system says, by the program that comes with it.
#[cfg(target_os = "macos")]
pub async fn untouched() -> Option<Duration> {
    let asked = tokio::process::Command::new("/usr/sbin/ioreg").args(["-c", "IOHIDSystem", "-d", "4"]).output();
    read_registry(&String::from_utf8_lossy(&asked.await.ok()?.stdout))
}

/// Nanoseconds without a touch, from what `ioreg -c IOHIDSystem` prints: of several devices that of the last touch.
#[cfg(any(target_os = "macos", test))]
fn read_registry(printed: &str) -> Option<Duration> {
    let values = printed.lines().filter_map(|line| line.split_once("\"HIDIdleTime\" = "));
    values.filter_map(|(_, value)| value.trim().parse().ok()).map(Duration::from_nanos).min()
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::future::ready;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_minute_without_a_touch_is_a_sign_and_so_is_the_next_touch() {
        let mut answers: VecDeque<u64> = [3, 58, 59, 60, 65, 2, 1].into();
        let mut asked = Asked::new(|| ready(answers.pop_front().map(Duration::from_secs)));
        let began = tokio::time::Instant::now();
        assert_eq!(asked.next().await, Some(Sign::Idle(true)));
        assert_eq!(began.elapsed(), 3 * EVERY, "the first is asked at once");
        assert_eq!(asked.next().await, Some(Sign::Idle(false)));
        assert_eq!(began.elapsed(), 5 * EVERY);
        assert_eq!(asked.next().await, None, "a system that does not say gives no signs");
    }

    #[test]
    fn what_the_registry_of_macos_prints_is_read() {
        let printed = r#"
+-o Root  <class IORegistryEntry, id 0x100000100, retain 40>
  +-o IOHIDSystem  <class IOHIDSystem, id 0x100000477, registered, matched, active, busy 0 (5 ms), retain 23>
    | {
    |   "HIDIdleTime" = 61250000000
    |   "IOClass" = "IOHIDSystem"
    +-o IOHIDUserClient  <class IOHIDUserClient>
        {
          "HIDIdleTime" = 4095000000
        }"#;
        assert_eq!(read_registry(printed), Some(Duration::from_millis(4_095)));
        assert_eq!(read_registry("  |   \"HIDIdleTime\" = <0040e2>\n"), None);
        assert_eq!(read_registry(""), None);
    }
}
