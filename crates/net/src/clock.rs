//! The clock of the driver: monotonic, and running on while the computer sleeps (design R9), so that a lease never
//! mistakes a night in a bag for silence without the jump being seen.

use parlor_core::Tick;

/// Milliseconds since it was made, by the boot-time clock where the system has one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(boot_time::Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Clock(boot_time::Instant::now())
    }

    pub(crate) fn now(&self) -> Tick {
        Tick(u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}
