//! The table on the screen and the same in `target/bench/NAME.json`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

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
        }
    }

    pub fn beside(name: &str, parlor: f64, peer: &str, value: f64, unit: &'static str) -> Self {
        let mut figure = Self::alone(name, parlor, unit);
        figure.peers.insert(peer.to_owned(), value);
        figure.ratio = Some(parlor / value);
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
    figures: &'a [Figure],
}

/// Prints the table and writes it beside the other builds' output; false when something that must be reached was not.
pub fn publish(name: &str, figures: &[Figure]) -> anyhow::Result<bool> {
    println!("\n{:<46} {:>10} {:>12} {:>8}  target", "figure", "Parlor", "peer", "ratio");
    for figure in figures {
        let peer = figure.peers.values().next().map_or("–".to_owned(), |value| format!("{value:.3}"));
        let ratio = figure.ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
        let holds = match figure.holds {
            Some(true) => "holds",
            Some(false) => "MISSED",
            None => "",
        };
        println!(
            "{:<46} {:>10.3} {peer:>12} {ratio:>8}  {} {holds}",
            format!("{} ({})", figure.name, figure.unit),
            figure.parlor,
            figure.target.as_deref().unwrap_or(""),
        );
    }
    let folder = PathBuf::from("target/bench");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}.json"));
    let report = Report { machine: machine(), figures };
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
