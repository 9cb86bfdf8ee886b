//! What happens to a network that is soaked: one ill at a time, drawn from a seed, with calm after it. Pure: the same
//! seed draws the same ills.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;

use crate::hub::Weather;

/// How long an ill lasts, in seconds, and the calm after it.
const LASTS: std::ops::RangeInclusive<u64> = 2..=14;
const CALM: std::ops::RangeInclusive<u64> = 3..=8;

/// Something bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ill {
    /// Bad weather everywhere.
    Storm(Weather),
    /// A cable is out, and its host sees that.
    Cut(usize),
    /// A cable behind a switch is out, and nobody sees that.
    Silence(usize),
    /// What one says does not reach another; the way back is fine.
    Deaf(usize, usize),
    /// These hosts and the rest are apart.
    Apart(Vec<usize>),
    /// A process is killed, and started anew after the ill.
    Crash(usize),
    /// A process ends in order, and is started anew at once.
    Restart(usize),
    /// A process is stopped, as sleep does.
    Sleep(usize),
    /// A member leaves the room and comes back at once.
    Rejoin(usize),
}

impl fmt::Display for Ill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ill::Storm(weather) => write!(
                f,
                "a storm: {} ‰ lost, {} ‰ twice, {} ‰ overtaken, {:?} ± {:?}",
                weather.loss, weather.doubled, weather.overtaken, weather.delay, weather.jitter
            ),
            Ill::Cut(host) => write!(f, "the cable of {host} is out"),
            Ill::Silence(host) => write!(f, "nothing gets to {host}"),
            Ill::Deaf(from, to) => write!(f, "{to} does not hear {from}"),
            Ill::Apart(some) => write!(f, "{some:?} are apart"),
            Ill::Crash(host) => write!(f, "{host} is killed"),
            Ill::Restart(host) => write!(f, "{host} starts anew"),
            Ill::Sleep(host) => write!(f, "{host} sleeps"),
            Ill::Rejoin(host) => write!(f, "{host} leaves and comes back"),
        }
    }
}

/// Draws ills for so many hosts, the first of which keep their processes, so that their memory tells something.
#[derive(Debug)]
pub(super) struct Ills {
    rng: Rng,
    hosts: usize,
    keep: usize,
}

impl Ills {
    pub fn new(seed: u64, hosts: usize, keep: usize) -> Self {
        Ills { rng: Rng::with_seed(seed), hosts, keep }
    }

    /// The next one, how long it lasts, and how long it is calm afterwards.
    pub fn next(&mut self) -> (Ill, Duration, Duration) {
        let host = self.rng.usize(0..self.hosts);
        let mortal = self.rng.usize(self.keep.min(self.hosts - 1)..self.hosts);
        let other = (host + self.rng.usize(1..self.hosts.max(2))) % self.hosts;
        let ill = match self.rng.u32(0..9) {
            0 => Ill::Storm(self.storm()),
            1 => Ill::Cut(host),
            2 => Ill::Silence(host),
            3 if other != host => Ill::Deaf(host, other),
            4 => Ill::Apart((0..self.hosts).filter(|_| self.rng.bool()).collect()),
            5 => Ill::Crash(mortal),
            6 => Ill::Restart(mortal),
            7 => Ill::Sleep(host),
            _ => Ill::Rejoin(host),
        };
        let seconds = |seconds: u64| Duration::from_secs(seconds);
        (ill, seconds(self.rng.u64(LASTS)), seconds(self.rng.u64(CALM)))
    }

    fn storm(&mut self) -> Weather {
        let ms = Duration::from_millis;
        let delay = self.rng.u64(0..=120);
        let jitter = self.rng.u64(0..=delay / 2);
        let weather = Weather::FINE.losing(self.rng.u32(0..=200)).delaying(ms(delay), ms(jitter));
        weather.doubling(self.rng.u32(0..=100)).reordering(self.rng.u32(0..=200))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_ills_and_the_first_hosts_keep_their_processes() {
        let draw = |seed: u64| {
            let mut ills = Ills::new(seed, 8, 2);
            (0..500).map(|_| ills.next()).collect::<Vec<_>>()
        };
        let drawn = draw(1);
        assert_eq!(drawn, draw(1));
        assert_ne!(drawn, draw(2));
        let ends = drawn.iter().filter_map(|(ill, ..)| match ill {
            Ill::Crash(host) | Ill::Restart(host) => Some(*host),
            _ => None,
        });
        assert!(ends.clone().count() > 50 && ends.clone().all(|host| (2..8).contains(&host)));
        let kinds = drawn.iter().map(|(ill, ..)| std::mem::discriminant(ill));
        assert_eq!(kinds.collect::<std::collections::HashSet<_>>().len(), 9, "every ill is drawn");
    }
}
