//! Latencies and what is told of them.

#[cfg(feature = "net")]
use std::time::Duration;

/// Durations of one round.
#[cfg(feature = "net")]
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<Duration>);

#[cfg(feature = "net")]
impl Samples {
    pub fn add(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Milliseconds below which `share` of the samples lie; NaN of none.
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = ((sorted.len() as f64 - 1.0) * share).round().max(0.0) as usize;
        sorted.get(at).map_or(f64::NAN, |sample| sample.as_secs_f64() * 1000.0)
    }
}

/// The median of one figure over rounds.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// One figure over rounds.
#[cfg(any(feature = "net", feature = "peers"))]
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

#[cfg(any(feature = "net", feature = "peers"))]
impl Spread {
    /// NaN of none.
    pub fn of(values: Vec<f64>) -> Self {
        let least = values.iter().copied().fold(f64::NAN, f64::min);
        let most = values.iter().copied().fold(f64::NAN, f64::max);
        Spread { median: median(values), least, most }
    }
}
