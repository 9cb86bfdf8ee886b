//! How many packets may be read: evenly, because what is read at once is time that the rooms of the computer wait for.

use parlor_core::Tick;

/// Packets in a second. A room of the largest size says less in one when all of it starts at once.
pub(super) const PER_S: u64 = 512;
/// Packets in a row, after a quiet moment. The rest of a burst waits in the socket, which holds some hundreds.
pub(super) const AT_ONCE: u64 = 32;
/// What one packet costs: a millisecond brings [`PER_S`].
const PACKET: u64 = 1_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Ration {
    left: u64,
    at: Tick,
    ran_out: bool,
}

impl Ration {
    pub(super) fn new(now: Tick) -> Self {
        Self { left: AT_ONCE * PACKET, at: now, ran_out: false }
    }

    /// Whether one may be read now.
    pub(super) fn any(&mut self, now: Tick) -> bool {
        let gained = now.since(self.at).saturating_mul(PER_S);
        self.left = self.left.saturating_add(gained).min(AT_ONCE * PACKET);
        self.at = now;
        self.left >= PACKET
    }

    /// One was read.
    pub(super) fn take(&mut self) {
        self.left = self.left.saturating_sub(PACKET);
        self.ran_out |= self.left < PACKET;
    }

    /// When one may be read again, if none may now.
    pub(super) fn next(&self) -> Option<Tick> {
        (self.left < PACKET).then(|| self.at.plus((PACKET - self.left).div_ceil(PER_S)))
    }

    /// Whether it ran out since this was last asked.
    pub(super) fn ran_out(&mut self) -> bool {
        std::mem::take(&mut self.ran_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_by(ration: &mut Ration, now: Tick) -> u64 {
        let mut read = 0;
        while ration.any(now) {
            ration.take();
            read += 1;
        }
        read
    }

    #[test]
    fn a_flood_is_read_evenly() {
        let mut ration = Ration::new(Tick(0));
        assert_eq!(read_by(&mut ration, Tick(0)), AT_ONCE);
        assert!(ration.ran_out() && !ration.ran_out(), "said once");
        let (mut now, mut read) = (Tick(0), 0);
        while let Some(next) = ration.next().filter(|next| *next <= Tick(1_000)) {
            assert!(next > now, "it waits, and does not spin");
            now = next;
            let at_once = read_by(&mut ration, now);
            assert!((1..=2).contains(&at_once), "{at_once} at once");
            read += at_once;
        }
        assert!((PER_S - 2..=PER_S).contains(&read), "{read}");
        assert!(ration.ran_out());
    }

    #[test]
    fn quiet_saves_up_no_more_than_a_few() {
        let mut ration = Ration::new(Tick(0));
        read_by(&mut ration, Tick(0));
        assert_eq!(read_by(&mut ration, Tick(3_600_000)), AT_ONCE);
        ration.any(Tick(3_700_000));
        ration.take();
        assert_eq!(ration.next(), None, "there is more");
    }
}
