//! The pictures of the README: bars of one figure, Parlor's on top.

use std::path::Path;

use anyhow::{Context, anyhow};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::{FLOOR, Figure, PARLOR};

/// Where they are.
const FOLDER: &str = "docs/bench";
/// The picture of one figure.
struct Chart {
    table: &'static str,
    file: &'static str,
    figure: &'static str,
    heading: &'static str,
    /// By how much the values are divided for it.
    divisor: f64,
}

const CHARTS: [Chart; 6] = [
    Chart {
        table: "memory",
        file: "memory-updates.svg",
        figure: "encode and apply, 32 members",
        heading: "Moves of a cursor, millions a second (32 members)",
        divisor: 1e6,
    },
    Chart {
        table: "memory",
        file: "memory-bytes.svg",
        figure: "bytes of an update, 32 members",
        heading: "Bytes of one move of a cursor (32 members)",
        divisor: 1.0,
    },
    Chart {
        table: "wire",
        file: "wire-latency.svg",
        figure: "8 processes that move: call to event, p50",
        heading: "From a move to the others' event, ms (8 who all move, p50)",
        divisor: 1.0,
    },
    Chart {
        table: "wire",
        file: "wire-processor.svg",
        figure: "8 processes that move: processor of a move that is seen",
        heading: "Processor of a move that is seen, µs (8 who all move)",
        divisor: 1.0,
    },
    Chart {
        table: "join",
        file: "join-warm.svg",
        figure: "32 members, from a link to all of them, warm",
        heading: "From a link to a room of 32 that is known, ms",
        divisor: 1.0,
    },
    Chart {
        table: "idle",
        file: "idle-bytes.svg",
        figure: "an idle room of 8, for each: on loopback",
        heading: "Bytes a second of each of 8 who do nothing",
        divisor: 1.0,
    },
];
const WIDTH: i32 = 720;
const HEAD: i32 = 44;
const ROW: i32 = 30;
const BAR: i32 = 18;
/// Where bars begin, and how long the longest is.
const LEFT: i32 = 250;
const LONGEST: i32 = 380;
const OURS: RGBColor = RGBColor(0x30, 0x63, 0xd9);
const THEIRS: RGBColor = RGBColor(0xb9, 0xbb, 0xc6);
const INK: RGBColor = RGBColor(0x1c, 0x20, 0x24);

/// Draws those of a table, of which all was measured.
pub fn draw(table: &str, figures: &[Figure]) -> anyhow::Result<()> {
    std::fs::create_dir_all(FOLDER)?;
    for Chart { file, figure: name, heading, divisor, .. } in CHARTS.into_iter().filter(|chart| chart.table == table) {
        let figure = figures.iter().find(|figure| figure.name == name).with_context(|| format!("no figure {name}"))?;
        let path = Path::new(FOLDER).join(file);
        bars(&path, heading, &rows(figure, divisor)).map_err(|error| anyhow!("{file}: {error}"))?;
    }
    Ok(())
}

/// Parlor's bar, then those of its peers, the best first.
fn rows(figure: &Figure, divisor: f64) -> Vec<(String, f64)> {
    let mut peers: Vec<(String, f64)> =
        figure.peers.iter().map(|(name, value)| (name.clone(), value / divisor)).collect();
    peers.sort_by(|one, other| one.1.total_cmp(&other.1));
    if figure.unit == "/s" {
        peers.reverse();
    }
    // No system, and a bar that would make all others short.
    peers.retain(|(name, _)| name != FLOOR);
    std::iter::once((PARLOR.to_owned(), figure.parlor / divisor)).chain(peers).collect()
}

fn bars(file: &Path, heading: &str, rows: &[(String, f64)]) -> Result<(), Box<dyn std::error::Error>> {
    let height = HEAD + ROW * i32::try_from(rows.len())? + 12;
    let area = SVGBackend::new(file, (WIDTH as u32, height as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    let text =
        |size: i32, across: HPos| TextStyle::from(("sans-serif", size)).color(&INK).pos(Pos::new(across, VPos::Center));
    area.draw(&Text::new(heading, (16, HEAD / 2), text(16, HPos::Left)))?;
    let most = rows.iter().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
    for (at, (name, value)) in (0..).zip(rows) {
        let middle = HEAD + ROW * at + ROW / 2;
        let end = LEFT + (f64::from(LONGEST) * value / most).round().max(1.0) as i32;
        let color = if at == 0 { OURS } else { THEIRS };
        area.draw(&Text::new(name.as_str(), (LEFT - 10, middle), text(13, HPos::Right)))?;
        area.draw(&Rectangle::new([(LEFT, middle - BAR / 2), (end, middle + BAR / 2)], color.filled()))?;
        area.draw(&Text::new(shown(*value), (end + 8, middle), text(13, HPos::Left)))?;
    }
    area.present()?;
    Ok(())
}

/// Three digits that count.
fn shown(value: f64) -> String {
    let places = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else if value >= 1.0 {
        2
    } else {
        3
    };
    format!("{value:.places$}")
}
