//! The table on the screen and the same in `target/bench/NAME.json`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

#[cfg(any(feature = "net", feature = "peers"))]
use crate::samples::Spread;

/// What is measured beside the others.
#[cfg(any(feature = "net", feature = "peers"))]
pub const PARLOR: &str = "Parlor";
/// The work without any rule, which is no system.
#[cfg(any(feature = "net", feature = "peers"))]
pub const FLOOR: &str = "the floor";

/// One figure beside its peers.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    pub name: String,
    pub parlor: f64,
    pub peers: BTreeMap<String, f64>,
    pub unit: &'static str,
    /// Parlor's figure by that of its first peer; null where there is none.
    pub ratio: Option<f64>,
    /// What must be reached, in words; null where nothing is promised yet.
    pub target: Option<String>,
    pub holds: Option<bool>,
    pub stretch: Option<String>,
    /// The least and the most of Parlor's rounds, where it is the median of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<[f64; 2]>,
}

impl Figure {
    pub fn alone(name: &str, parlor: f64, unit: &'static str) -> Self {
        Figure {
            name: name.to_owned(),
            parlor,
            peers: BTreeMap::new(),
            unit,
            ratio: None,
            target: None,
            holds: None,
            stretch: None,
            spread: None,
        }
    }

    pub fn beside(name: &str, parlor: f64, peer: &str, value: f64, unit: &'static str) -> Self {
        let mut figure = Self::alone(name, parlor, unit);
        figure.peers.insert(peer.to_owned(), value);
        figure.ratio = Some(parlor / value);
        figure
    }

    /// Medians beside those of several peers; the ratio is to the best of them that `count`.
    #[cfg(any(feature = "net", feature = "peers"))]
    pub fn among<'a>(
        name: &str,
        parlor: Spread,
        peers: impl Iterator<Item = (&'a str, Spread)>,
        counts: impl Fn(&str) -> bool,
        more_is_better: bool,
        unit: &'static str,
    ) -> Self {
        let mut figure = Self::alone(name, parlor.median, unit);
        figure.spread = Some([parlor.least, parlor.most]);
        figure.peers = peers.map(|(peer, spread)| (peer.to_owned(), spread.median)).collect();
        let of_peers = figure.peers.iter().filter(|(peer, _)| counts(peer)).map(|(_, value)| *value);
        let best = if more_is_better { of_peers.reduce(f64::max) } else { of_peers.reduce(f64::min) };
        figure.ratio = best.map(|best| parlor.median / best);
        figure
    }

    /// Beside the same figure of a smaller room, so that the growth is seen.
    pub fn grown(name: &str, parlor: f64, smaller: Option<f64>, unit: &'static str) -> Self {
        match smaller {
            Some(smaller) => Self::beside(name, parlor, "smaller room", smaller, unit),
            None => Self::alone(name, parlor, unit),
        }
    }

    /// The ratio must not be above this.
    #[cfg(feature = "net")]
    pub fn ratio_at_most(mut self, most: f64) -> Self {
        self.target = Some(format!("ratio ≤ {most}"));
        self.holds = self.ratio.map(|ratio| ratio <= most);
        self
    }

    /// The figure must not be above this.
    pub fn at_most(mut self, most: f64) -> Self {
        self.target = Some(format!("≤ {most} {}", self.unit));
        self.holds = Some(self.parlor <= most);
        self
    }
}

#[derive(Serialize)]
struct Report<'a> {
    machine: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    versions: BTreeMap<String, String>,
    figures: &'a [Figure],
}

/// Prints the table and writes it beside the other builds' output; false when something that must be reached was not.
pub fn publish(name: &str, figures: &[Figure]) -> anyhow::Result<bool> {
    write(name, figures, BTreeMap::new())
}

/// The same with the versions of these crates, as the lock file has them.
#[cfg(feature = "peers")]
pub fn publish_with(name: &str, figures: &[Figure], crates: &[&str]) -> anyhow::Result<bool> {
    #[derive(serde::Deserialize)]
    struct Lock {
        package: Vec<Package>,
    }
    #[derive(serde::Deserialize)]
    struct Package {
        name: String,
        version: String,
    }
    let lock: Lock = toml::from_str(&std::fs::read_to_string("Cargo.lock")?)?;
    let told = lock.package.into_iter().filter(|package| crates.contains(&package.name.as_str()));
    write(name, figures, told.map(|package| (package.name, package.version)).collect())
}

fn write(name: &str, figures: &[Figure], versions: BTreeMap<String, String>) -> anyhow::Result<bool> {
    println!("\n{:<46} {:>12} {:>14} {:>8}  target", "figure", "Parlor", "peer", "ratio");
    for figure in figures {
        let one = figure.peers.len() == 1;
        let peer = figure.peers.values().next().filter(|_| one).map_or("–".to_owned(), |value| format!("{value:.3}"));
        let ratio = figure.ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
        let holds = match figure.holds {
            Some(true) => "holds",
            Some(false) => "MISSED",
            None => "",
        };
        println!(
            "{:<46} {:>12.3} {peer:>14} {ratio:>8}  {} {holds}",
            format!("{} ({})", figure.name, figure.unit),
            figure.parlor,
            figure.target.as_deref().unwrap_or(""),
        );
        for (peer, value) in figure.peers.iter().filter(|_| !one) {
            println!("  {peer:<57} {value:>14.3}");
        }
    }
    let folder = PathBuf::from("target/bench");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}.json"));
    let report = Report { machine: machine(), versions, figures };
    std::fs::write(&path, serde_json::to_string_pretty(&report)?)?;
    println!("\nwritten to {}", path.display());
    Ok(figures.iter().all(|figure| figure.holds != Some(false)))
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} cores,{}", model.replace([':', '\t'], ""))
}
