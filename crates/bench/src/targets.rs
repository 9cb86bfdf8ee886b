//! What must be reached, from `crates/bench/targets.toml`. A target without a figure is one that nobody measured, and fails.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::report::Figure;

/// By table, then by figure.
#[derive(Deserialize)]
pub struct Targets(BTreeMap<String, BTreeMap<String, Target>>);

/// Bounds of one figure: of its value in its unit, and of its ratio to the best peer.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Target {
    pub at_least: Option<f64>,
    pub at_most: Option<f64>,
    pub ratio_at_least: Option<f64>,
    pub ratio_at_most: Option<f64>,
}

impl Targets {
    /// Those that were committed with this program.
    pub fn read() -> anyhow::Result<Targets> {
        Targets::of(include_str!("../targets.toml"))
    }

    fn of(text: &str) -> anyhow::Result<Targets> {
        toml::from_str(text).context("targets.toml")
    }

    /// Holds the figures of a table against its targets.
    pub fn hold(&self, table: &str, figures: &mut [Figure]) -> anyhow::Result<()> {
        let targets = self.0.get(table).with_context(|| format!("there are no targets for {table}"))?;
        for (name, target) in targets {
            let Some(figure) = figures.iter_mut().find(|figure| figure.name == *name) else {
                bail!("{name} must be reached, and was not measured");
            };
            target.hold(figure);
        }
        Ok(())
    }
}

impl Target {
    fn hold(&self, figure: &mut Figure) {
        let (value, ratio) = (figure.parlor, figure.ratio.unwrap_or(f64::NAN));
        let unit = figure.unit;
        let bounds = [
            self.at_least.map(|least| (format!("≥ {least} {unit}"), value >= least)),
            self.at_most.map(|most| (format!("≤ {most} {unit}"), value <= most)),
            self.ratio_at_least.map(|least| (format!("ratio ≥ {least}"), ratio >= least)),
            self.ratio_at_most.map(|most| (format!("ratio ≤ {most}"), ratio <= most)),
        ];
        let (words, hold): (Vec<String>, Vec<bool>) = bounds.into_iter().flatten().unzip();
        figure.target = Some(words.join(", "));
        figure.holds = Some(hold.into_iter().all(|holds| holds));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_measured_or_not_reached_does_not_hold() {
        let targets = Targets::of("[table]\none = { at_least = 2, ratio_at_most = 1.5 }").unwrap();
        let held = |name: &str, value: f64, peer: f64| {
            let mut figures = [Figure::beside(name, value, "peer", peer, "/s")];
            targets.hold("table", &mut figures).map(|()| figures[0].holds)
        };
        assert_eq!(held("one", 3.0, 2.0).unwrap(), Some(true));
        assert_eq!(held("one", 1.0, 2.0).unwrap(), Some(false));
        assert_eq!(held("one", 3.0, 1.0).unwrap(), Some(false));
        assert_eq!(held("one", f64::NAN, 1.0).unwrap(), Some(false));
        assert!(held("another", 3.0, 2.0).is_err());
        assert!(targets.hold("elsewhere", &mut []).is_err());
    }

    #[test]
    fn the_committed_ones_are_read() {
        assert!(Targets::read().unwrap().0.contains_key("memory"));
    }
}
