//! How often somebody may ask: a purse that fills again with time. Pure, with time as an argument.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Instant;

use super::held;

/// Addresses that are remembered. Beyond them those go whose purse has filled again, or else the longest unseen.
const ADDRESSES_MAX: usize = 1024;

/// So many at once, and then so many a second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub most: f64,
    pub a_second: f64,
}

/// Requests of an address that shows no cookie: a browser loads its page with about twenty.
const UNKNOWN: Rate = Rate { most: 240.0, a_second: 20.0 };
/// Requests of a guest.
pub(super) const ASKING: Rate = Rate { most: 240.0, a_second: 40.0 };
/// Messages of a guest's sockets: up to thirty a second of presence, and an acknowledgement for each frame that is drawn.
pub(super) const SAYING: Rate = Rate { most: 600.0, a_second: 200.0 };
/// Cells that a guest writes, each of which is signed here, kept on disk and passed on by everybody: a hundred notes at
/// once, and then two keystrokes' worth of each of a handful of notes.
pub(super) const WRITING: Rate = Rate { most: 1_000.0, a_second: 40.0 };
/// Those of all guests together.
pub(super) const ALL_WRITING: Rate = Rate { most: 3_000.0, a_second: 120.0 };
/// Messages of a guest that nobody keeps. A session may say sixteen a second of these, and it is the host's as well.
pub(super) const CALLING: Rate = Rate { most: 8.0, a_second: 2.0 };
/// Those of all guests together, so that the host keeps half.
pub(super) const ALL_CALLING: Rate = Rate { most: 16.0, a_second: 8.0 };
/// Attempts of an address to come in.
const ENTERING: Rate = Rate { most: 20.0, a_second: 0.2 };

/// What is left of a rate.
#[derive(Debug)]
pub(super) struct Purse {
    rate: Rate,
    coins: f64,
    at: Instant,
}

impl Purse {
    pub(super) fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, coins: rate.most, at: now }
    }

    /// Whether there was one left.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        self.take_all(1, now)
    }

    /// Whether so many were left; else none is taken. What costs more than ever fits takes a full purse.
    pub(super) fn take_all(&mut self, count: usize, now: Instant) -> bool {
        let cost = (count as f64).min(self.rate.most);
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.coins = (self.coins + since * self.rate.a_second).min(self.rate.most);
        self.at = now;
        let paid = self.coins >= cost;
        self.coins -= if paid { cost } else { 0.0 };
        paid
    }

    fn is_full(&self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.coins + since * self.rate.a_second >= self.rate.most
    }
}

/// Those who have not come in, by address.
#[derive(Default)]
pub(super) struct Strangers(Mutex<BTreeMap<IpAddr, (Purse, Purse)>>);

impl Strangers {
    /// Whether this address may ask once more.
    pub(super) fn may_ask(&self, address: IpAddr, now: Instant) -> bool {
        self.with(address, now, |(asking, _)| asking.take(now))
    }

    /// Whether this address may try to come in once more.
    pub(super) fn may_enter(&self, address: IpAddr, now: Instant) -> bool {
        self.with(address, now, |(_, entering)| entering.take(now))
    }

    fn with<R>(&self, address: IpAddr, now: Instant, take: impl FnOnce(&mut (Purse, Purse)) -> R) -> R {
        let mut all = held(&self.0);
        if all.len() >= ADDRESSES_MAX && !all.contains_key(&address) {
            all.retain(|_, (asking, entering)| !asking.is_full(now) || !entering.is_full(now));
            if all.len() >= ADDRESSES_MAX
                && let Some(oldest) = all.iter().min_by_key(|(_, (asking, _))| asking.at).map(|(address, _)| *address)
            {
                all.remove(&oldest);
            }
        }
        take(all.entry(address).or_insert_with(|| (Purse::new(UNKNOWN, now), Purse::new(ENTERING, now))))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_purse_fills_with_time_and_never_over() {
        let start = Instant::now();
        let mut purse = Purse::new(Rate { most: 3.0, a_second: 2.0 }, start);
        let taken = |purse: &mut Purse, at| (0..10).filter(|_| purse.take(at)).count();
        assert_eq!(taken(&mut purse, start), 3);
        assert_eq!(taken(&mut purse, start + Duration::from_millis(400)), 0);
        assert_eq!(taken(&mut purse, start + Duration::from_secs(1)), 2);
        assert_eq!(taken(&mut purse, start + Duration::from_secs(3600)), 3);
    }

    #[test]
    fn what_costs_more_takes_more_and_what_is_refused_takes_nothing() {
        let start = Instant::now();
        let mut purse = Purse::new(Rate { most: 10.0, a_second: 1.0 }, start);
        assert!(purse.take_all(7, start) && !purse.take_all(4, start) && purse.take_all(3, start));
        assert!(!purse.take(start) && purse.take_all(0, start));
        assert!(!purse.take_all(500, start + Duration::from_secs(9)));
        assert!(purse.take_all(500, start + Duration::from_secs(10)), "a full purse pays for anything once");
        assert!(!purse.take(start + Duration::from_secs(10)));
    }

    #[test]
    fn each_address_has_its_own_and_they_are_bounded() {
        let (now, strangers) = (Instant::now(), Strangers::default());
        let address = |number: u32| IpAddr::V4(Ipv4Addr::from_bits(number));
        let entered = (0..100).filter(|_| strangers.may_enter(address(0), now)).count();
        assert_eq!((entered, strangers.may_enter(address(1), now)), (20, true));
        assert!(!strangers.may_enter(address(0), now), "who asked too often is remembered");
        for number in 0..5_000 {
            strangers.may_ask(address(number), now + Duration::from_millis(number.into()));
        }
        assert!(held(&strangers.0).len() <= ADDRESSES_MAX);
        assert!(!strangers.may_enter(address(0), now + Duration::from_secs(1)), "by whatever else came since");
    }
}
