//! The clock of the driver: monotonic, and running on while the computer sleeps (design R9), so that a lease never
//! mistakes a night in a bag for silence without the jump being seen.

use parlor_core::Tick;

/// Milliseconds since it was made, by the boot-time clock where the system has one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    made: boot_time::Instant,
    /// How far it jumped ahead: in a lab alone.
    ahead_ms: u64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Clock { made: boot_time::Instant::now(), ahead_ms: 0 }
    }

    pub(crate) fn now(&self) -> Tick {
        let elapsed = u64::try_from(self.made.elapsed().as_millis()).unwrap_or(u64::MAX);
        Tick(elapsed.saturating_add(self.ahead_ms))
    }

    /// Lets it jump ahead, as after a sleep. Copies that were made before do not.
    pub(crate) fn jump(&mut self, ms: u64) {
        self.ahead_ms = self.ahead_ms.saturating_add(ms);
    }

    /// How far it jumped ahead in all.
    pub(crate) fn ahead_ms(&self) -> u64 {
        self.ahead_ms
    }
}
