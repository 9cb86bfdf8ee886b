//! Whether it is our own network that is out (design R9). Then silence says nothing about the others, and the replicas
//! keep them. Two signs count: no usable interface has a carrier, or all of two or more links died by timeout within
//! three seconds. A link that ended by EOF or reset is the other's end and no sign. A peer that listens on loopback only
//! is never in own outage.

use parlor_core::{DownCause, Tick};

/// Deaths within this time count as one event.
const WINDOW_MS: u64 = 3_000;

#[derive(Debug)]
pub(crate) struct Outage {
    loopback_only: bool,
    carrier: bool,
    all_timed_out: bool,
    deaths: Vec<(Tick, DownCause)>,
}

impl Outage {
    pub(crate) fn new(loopback_only: bool) -> Self {
        Outage { loopback_only, carrier: true, all_timed_out: false, deaths: Vec::new() }
    }

    pub(crate) fn out(&self) -> bool {
        !self.loopback_only && (!self.carrier || self.all_timed_out)
    }

    /// Whether a usable interface has a carrier. That it came back ends an outage that the links told of as well: the
    /// dials that follow will say how things are.
    pub(crate) fn carrier(&mut self, carrier: bool) {
        if carrier && !self.carrier {
            self.all_timed_out = false;
        }
        self.carrier = carrier;
    }

    pub(crate) fn link_up(&mut self) {
        self.all_timed_out = false;
        self.deaths.clear();
    }

    /// A peer's last connection closed; `left` links remain.
    pub(crate) fn link_down(&mut self, cause: DownCause, left: usize, now: Tick) {
        self.deaths.retain(|(at, _)| now.since(*at) <= WINDOW_MS);
        self.deaths.push((now, cause));
        let timed_out = self.deaths.iter().all(|(_, cause)| *cause == DownCause::TimedOut);
        self.all_timed_out |= left == 0 && self.deaths.len() >= 2 && timed_out;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DownCause::{Closed, TimedOut};

    fn after(deaths: &[(u64, DownCause, usize)]) -> bool {
        let mut outage = Outage::new(false);
        for (at, cause, left) in deaths {
            outage.link_down(*cause, *left, Tick(*at));
        }
        outage.out()
    }

    #[test]
    fn all_of_two_links_within_three_seconds_is_an_outage() {
        assert!(after(&[(1000, TimedOut, 1), (3500, TimedOut, 0)]));
    }

    #[test]
    fn one_link_or_a_slow_death_or_a_remaining_link_is_none() {
        assert!(!after(&[(1000, TimedOut, 0)]));
        assert!(!after(&[(1000, TimedOut, 1), (4500, TimedOut, 0)]));
        assert!(!after(&[(1000, TimedOut, 2), (1100, TimedOut, 1)]));
    }

    #[test]
    fn an_end_of_stream_among_them_is_the_others_end() {
        assert!(!after(&[(1000, Closed, 1), (1100, TimedOut, 0)]));
    }

    #[test]
    fn a_lost_carrier_is_an_outage_until_it_is_back_but_never_on_loopback() {
        let mut outage = Outage::new(false);
        outage.carrier(false);
        assert!(outage.out());
        outage.carrier(true);
        assert!(!outage.out());
        let mut alone = Outage::new(true);
        alone.carrier(false);
        assert!(!alone.out());
    }

    #[test]
    fn a_new_link_ends_it() {
        let mut outage = Outage::new(false);
        outage.link_down(TimedOut, 1, Tick(1));
        outage.link_down(TimedOut, 0, Tick(2));
        assert!(outage.out());
        outage.link_up();
        assert!(!outage.out());
    }
}
