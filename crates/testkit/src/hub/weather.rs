//! What becomes of a frame on its way from one port to another. No clock and no I/O: the same seed and the same frames at
//! the same times meet the same fate, whatever happens between other ports.

use std::time::Duration;

use fastrand::Rng;

/// How much longer a frame takes that those behind it overtake.
const HELD: Duration = Duration::from_millis(15);

/// How a network treats frames in one direction between two ports. The default lets everything pass at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// Frames in a thousand that are lost.
    pub loss: u32,
    /// How long a frame takes.
    pub delay: Duration,
    /// At most that much more or less, of the same likelihood each. Frames stay in order all the same.
    pub jitter: Duration,
    /// Frames in a thousand that arrive twice.
    pub doubled: u32,
    /// Frames in a thousand that those behind them overtake.
    pub overtaken: u32,
    /// Whether the link comes and goes.
    pub flaps: Option<Flaps>,
}

/// A link that is up for a while, then down for a while, and so on, beginning when the weather turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaps {
    /// How long everything passes.
    pub up: Duration,
    /// How long nothing does.
    pub down: Duration,
}

impl Weather {
    /// Everything passes at once.
    pub const FINE: Self =
        Self { loss: 0, delay: Duration::ZERO, jitter: Duration::ZERO, doubled: 0, overtaken: 0, flaps: None };

    /// So many frames in a thousand are lost.
    #[must_use]
    pub fn losing(mut self, per_thousand: u32) -> Self {
        self.loss = per_thousand;
        self
    }

    /// Every frame takes `delay`, give or take `jitter`.
    #[must_use]
    pub fn delaying(mut self, delay: Duration, jitter: Duration) -> Self {
        (self.delay, self.jitter) = (delay, jitter);
        self
    }

    /// So many frames in a thousand arrive twice.
    #[must_use]
    pub fn doubling(mut self, per_thousand: u32) -> Self {
        self.doubled = per_thousand;
        self
    }

    /// So many frames in a thousand are overtaken by those behind them.
    #[must_use]
    pub fn reordering(mut self, per_thousand: u32) -> Self {
        self.overtaken = per_thousand;
        self
    }

    /// The link is up for a while, then down for a while.
    #[must_use]
    pub fn flapping(mut self, up: Duration, down: Duration) -> Self {
        self.flaps = Some(Flaps { up, down });
        self
    }
}

/// What became of the frames in one direction between two ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Those that are on their way or arrived; one that arrives twice counts once.
    pub passed: u64,
    /// Those that the weather took.
    pub lost: u64,
    /// Those that arrive twice.
    pub doubled: u64,
    /// Those that others overtake.
    pub overtaken: u64,
    /// Those that a cable which is out, a partition or a filter kept back.
    pub held_back: u64,
}

/// When a frame arrives, and when once more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fate {
    pub first: Option<Duration>,
    pub again: Option<Duration>,
}

/// One direction between two ports.
#[derive(Debug)]
pub(super) struct Path {
    weather: Weather,
    /// When the weather turned.
    since: Duration,
    rng: Rng,
    /// When the last frame arrives that nothing overtakes.
    last: Duration,
    pub counts: Counts,
}

impl Path {
    pub fn new(seed: u64, weather: Weather, now: Duration) -> Self {
        Path { weather, since: now, rng: Rng::with_seed(seed), last: Duration::ZERO, counts: Counts::default() }
    }

    pub fn turn(&mut self, weather: Weather, now: Duration) {
        (self.weather, self.since) = (weather, now);
    }

    pub fn fate(&mut self, now: Duration) -> Fate {
        let Weather { loss, doubled, overtaken, .. } = self.weather;
        if self.is_down(now) || self.one_of(loss) {
            self.counts.lost += 1;
            return Fate::default();
        }
        self.counts.passed += 1;
        let arrives = now + self.takes();
        let first = if self.one_of(overtaken) {
            self.counts.overtaken += 1;
            arrives.max(self.last) + HELD
        } else {
            self.last = self.last.max(arrives);
            self.last
        };
        let again = self.one_of(doubled).then(|| first + self.takes());
        self.counts.doubled += u64::from(again.is_some());
        Fate { first: Some(first), again }
    }

    fn is_down(&self, now: Duration) -> bool {
        let Some(Flaps { up, down }) = self.weather.flaps else { return false };
        let period = (up + down).as_nanos().max(1);
        now.saturating_sub(self.since).as_nanos() % period >= up.as_nanos()
    }

    fn one_of(&mut self, per_thousand: u32) -> bool {
        per_thousand > 0 && self.rng.u32(0..1_000) < per_thousand
    }

    fn takes(&mut self) -> Duration {
        let Weather { delay, jitter, .. } = self.weather;
        if jitter.is_zero() {
            return delay;
        }
        let least = delay.saturating_sub(jitter);
        let span = u64::try_from((delay + jitter - least).as_nanos()).unwrap_or(u64::MAX);
        least + Duration::from_nanos(self.rng.u64(0..=span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// The fates of so many frames, one a millisecond.
    fn fates(seed: u64, weather: Weather, frames: u32) -> (Vec<Fate>, Counts) {
        let mut path = Path::new(seed, weather, Duration::ZERO);
        ((0..frames).map(|at| path.fate(MS * at)).collect(), path.counts)
    }

    #[test]
    fn in_fine_weather_everything_arrives_at_once() {
        let (fates, counts) = fates(1, Weather::FINE, 50);
        for (at, fate) in (0..).zip(&fates) {
            assert_eq!(*fate, Fate { first: Some(MS * at), again: None });
        }
        assert_eq!(counts, Counts { passed: 50, ..Counts::default() });
    }

    #[test]
    fn the_same_seed_is_the_same_fate_and_another_is_another() {
        let bad = Weather::FINE.losing(300).delaying(MS * 40, MS * 10).doubling(100).reordering(100);
        assert_eq!(fates(7, bad, 500), fates(7, bad, 500));
        assert_ne!(fates(7, bad, 500), fates(8, bad, 500));
    }

    #[test]
    fn as_much_is_lost_and_doubled_as_was_asked_for() {
        let (fates, counts) = fates(1, Weather::FINE.losing(300).doubling(200), 10_000);
        let lost = fates.iter().filter(|fate| fate.first.is_none()).count();
        assert!((2_800..3_200).contains(&lost), "{lost}");
        let doubled = fates.iter().filter(|fate| fate.again.is_some()).count();
        assert!((1_250..1_550).contains(&doubled), "{doubled} of what was not lost");
        assert_eq!((counts.lost, counts.doubled), (lost as u64, doubled as u64));
        assert_eq!(counts.passed + counts.lost, 10_000);
        let (all, _) = super::tests::fates(1, Weather::FINE.losing(1_000), 1_000);
        assert!(all.iter().all(|fate| *fate == Fate::default()));
    }

    #[test]
    fn jitter_is_within_bounds_and_leaves_the_order() {
        let (fates, _) = fates(3, Weather::FINE.delaying(MS * 40, MS * 10), 2_000);
        let times: Vec<Duration> = fates.iter().map(|fate| fate.first.expect("nothing is lost")).collect();
        assert!(times.is_sorted());
        let takes = (0..).zip(&times).map(|(at, time)| *time - MS * at);
        assert!(takes.clone().all(|takes| (MS * 30..=MS * 50).contains(&takes)));
        assert!(takes.clone().max() > takes.min().map(|least| least + MS * 10), "it does vary");
    }

    #[test]
    fn a_frame_is_overtaken_by_those_behind_it_and_by_no_more() {
        let (fates, counts) = fates(3, Weather::FINE.reordering(100), 1_000);
        let times: Vec<Duration> = fates.iter().map(|fate| fate.first.expect("nothing is lost")).collect();
        let passed_by = |at: usize| times[at + 1..].iter().filter(|later| **later < times[at]).count();
        let overtaken = (0..times.len() - 20).filter(|at| passed_by(*at) > 0).count();
        assert!((60..140).contains(&overtaken) && overtaken as u64 <= counts.overtaken, "{overtaken}");
        assert!((0..times.len()).all(|at| passed_by(at) < HELD.as_millis() as usize));
    }

    #[test]
    fn a_link_that_flaps_begins_up() {
        let weather = Weather::FINE.flapping(MS * 300, MS * 200);
        let mut path = Path::new(1, Weather::FINE, Duration::ZERO);
        path.turn(weather, MS * 1_000);
        let passes = |path: &mut Path, at: u32| path.fate(MS * at).first.is_some();
        for (at, up) in [(1_000, true), (1_299, true), (1_300, false), (1_499, false), (1_500, true), (1_800, false)] {
            assert_eq!(passes(&mut path, at), up, "at {at}");
        }
    }
}
