//! What came of a soak, as a table and as a verdict.

use std::fmt;
use std::time::Duration;

/// Memory may grow by so much in a hundred.
const GROWTH_MAX: f64 = 5.0;
/// A shorter soak says nothing about growth: what is kept of the last twelve minutes is not full by half way.
const GROWTH_COUNTS_AFTER: Duration = Duration::from_secs(1_800);

/// One host.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// How often its process was started after the first time.
    pub restarts: u32,
    /// Whether its process ended by itself.
    pub died: bool,
    /// Links to other sessions that were made.
    pub links: u32,
    /// Memory in MiB half way and at the end, of a process that ran from first to last.
    pub memory: Option<(f64, f64)>,
}

impl Row {
    /// By how much in a hundred the memory grew.
    #[must_use]
    pub fn growth(&self) -> Option<f64> {
        self.memory.map(|(before, after)| (after / before - 1.0) * 100.0)
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In the order of the hosts.
    pub rows: Vec<Row>,
    /// How long it went on.
    pub time: Duration,
    /// What happened to the network.
    pub ills: u32,
    /// Messages that a peer took.
    pub messages: u64,
    /// Those of them that somebody never got, with whom: lost for good.
    pub lost: Vec<String>,
    /// From the end of the last ill until everybody saw everybody and had all.
    pub settled: Option<Duration>,
}

impl Report {
    /// What must hold and does not.
    #[must_use]
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong: Vec<String> = self.lost.iter().map(|lost| format!("lost for good: {lost}")).collect();
        if self.settled.is_none() {
            wrong.push("everybody did not see everybody in the end".into());
        }
        let died = self.rows.iter().enumerate().filter(|(_, row)| row.died);
        wrong.extend(died.map(|(host, _)| format!("the process of host {host} ended by itself")));
        if self.time >= GROWTH_COUNTS_AFTER {
            let grown = self.rows.iter().enumerate().filter_map(|(host, row)| Some((host, row.growth()?)));
            let much = grown.filter(|(_, growth)| *growth > GROWTH_MAX);
            wrong.extend(much.map(|(host, growth)| format!("the memory of host {host} grew by {growth:.1} %")));
        }
        wrong
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>5} {:>9} {:>7} {:>10} {:>10} {:>8}", "host", "restarts", "links", "half way", "end", "growth")?;
        for (host, row) in self.rows.iter().enumerate() {
            write!(f, "{host:>5} {:>9} {:>7} ", row.restarts, row.links)?;
            match row.memory.zip(row.growth()) {
                Some(((before, after), growth)) => writeln!(f, "{before:>6.1} MiB {after:>6.1} MiB {growth:>6.1} %")?,
                None => writeln!(f, "{:>10} {:>10} {:>8}", "–", "–", "–")?,
            }
        }
        let settled = self.settled.map_or("never".to_owned(), |took| format!("{:.1} s", took.as_secs_f64()));
        writeln!(
            f,
            "{} minutes, {} ills, {} messages, {} lost for good; all current {settled} after the last ill",
            self.time.as_secs() / 60,
            self.ills,
            self.messages,
            self.lost.len()
        )?;
        self.wrong().iter().try_for_each(|wrong| writeln!(f, "✗ {wrong}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(minutes: u64, after: f64) -> Report {
        let row = Row { memory: Some((20.0, after)), ..Row::default() };
        let time = Duration::from_secs(minutes * 60);
        Report { rows: vec![row, Row::default()], time, settled: Some(Duration::ZERO), ..Report::default() }
    }

    #[test]
    fn growth_counts_only_when_there_was_time_for_it() {
        assert!(report(30, 20.9).wrong().is_empty() && report(5, 30.0).wrong().is_empty());
        assert_eq!(report(30, 21.4).wrong(), ["the memory of host 0 grew by 7.0 %"]);
    }

    #[test]
    fn what_is_lost_and_who_did_not_come_back_is_wrong() {
        let mut report = report(1, 20.0);
        (report.lost, report.settled) = (vec!["7 at host 1".into()], None);
        assert_eq!(report.wrong().len(), 2);
        assert!(report.to_string().contains("✗ lost for good: 7 at host 1"));
    }
}
