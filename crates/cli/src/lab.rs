//! `lab`: faults and simulated people on purpose, of a peer that was started with `serve --lab` (design A10 `lab`).

use clap::{Args, Subcommand, ValueEnum};
use parlor::{LabFaults, LabState, LabWay};
use serde_json::{Map, Value, json};

use crate::args::PeerArgs;
use crate::calls::{Done, show, with_peer};
use crate::client::{Answer, addressable};
use crate::failure::Failure;
use crate::text::{Text, table};
use crate::values::whole;

/// Arguments of `lab`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Faults are of the frames of this peer alone, and end with it. Start it with: parlor serve --lab"
)]
pub struct LabArgs {
    /// What to do; without it the state is shown.
    #[command(subcommand)]
    pub what: Option<LabCommand>,
    /// The look and the peer.
    #[command(flatten)]
    pub show: ShowArgs,
}

/// What can be done in a lab.
#[derive(Debug, Subcommand)]
pub enum LabCommand {
    /// Show which faults there are, what they did, and who is simulated
    Show(ShowArgs),
    /// Set faults of the network; those of before are replaced
    Set(SetArgs),
    /// Simulate people in a room: everybody in it sees them, marked as what they are
    People(PeopleArgs),
    /// End all of it
    Clear(ShowArgs),
}

/// Arguments of `lab show` and `lab clear`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Print the API's answer as JSON
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// In which direction frames meet a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Direction {
    /// What comes in.
    In,
    /// What goes out.
    Out,
    /// Both.
    #[default]
    Both,
}

/// Arguments of `lab set`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct SetArgs {
    /// Only for this peer, by its id, which then has no other faults; without a fault it has those of all again
    #[arg(long, value_name = "PEER_ID")]
    pub of: Option<String>,
    /// In which direction
    #[arg(long, value_enum, default_value = "both")]
    pub way: Direction,
    /// Hold frames back for so many milliseconds, 0 to 10000
    #[arg(long, value_name = "MS", value_parser = whole::<0, 10_000>)]
    pub delay: Option<u32>,
    /// At most that many milliseconds more or less
    #[arg(long, value_name = "MS", value_parser = whole::<0, 10_000>)]
    pub jitter: Option<u32>,
    /// Lose so many frames in a hundred
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub loss: Option<f64>,
    /// Let so many frames in a hundred arrive twice
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub duplicate: Option<f64>,
    /// Let nothing pass; in both directions it is as if the cable were out
    #[arg(long)]
    pub cut: bool,
    /// Have no connections: the two are on different sides of a partition
    #[arg(long)]
    pub apart: bool,
    /// Draw chances anew from this number
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Set the wall clock so many milliseconds ahead; less than 0 is behind
    #[arg(long, value_name = "MS", allow_negative_numbers = true)]
    pub wall_ahead: Option<i64>,
    /// Let the clock of leases jump ahead once by so many milliseconds, as after a sleep of the computer
    #[arg(long, value_name = "MS")]
    pub jump: Option<u64>,
    /// Let the network do nothing for so many milliseconds; 0 wakes it
    #[arg(long, value_name = "MS")]
    pub sleep: Option<u64>,
    /// The look and the peer.
    #[command(flatten)]
    pub show: ShowArgs,
}

/// Arguments of `lab people`.
#[derive(Debug, Args)]
pub struct PeopleArgs {
    /// The room's name, 1 to 128 characters
    #[arg(long, value_name = "ROOM")]
    pub room: String,
    /// How many, 0 to 200; 0 sends them away
    #[arg(long, value_name = "COUNT", value_parser = whole::<0, 200>)]
    pub count: u32,
    /// The same number is the same people who do the same
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// The look and the peer.
    #[command(flatten)]
    pub show: ShowArgs,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=100.0).contains(number));
    number.ok_or_else(|| "not a number from 0 to 100".to_owned())
}

impl SetArgs {
    fn faults(&self) -> LabFaults {
        let way = LabWay {
            cut: self.cut,
            delay_ms: self.delay.unwrap_or(0),
            jitter_ms: self.jitter.unwrap_or(0),
            loss_percent: self.loss.unwrap_or(0.0),
            duplicate_percent: self.duplicate.unwrap_or(0.0),
        };
        let there = |direction| if self.way == direction { LabWay::default() } else { way };
        LabFaults { incoming: there(Direction::Out), outgoing: there(Direction::In), apart: self.apart }
    }

    /// Whether the call is about frames at all.
    fn has_faults(&self) -> bool {
        let numbers = [self.delay.is_some(), self.jitter.is_some(), self.loss.is_some(), self.duplicate.is_some()];
        self.cut || self.apart || numbers.contains(&true)
    }

    fn change(&self) -> Result<Value, Failure> {
        let faults = || serde_json::to_value(self.faults()).map_err(|error| Failure::Failed(error.to_string()));
        let mut change = Map::new();
        match &self.of {
            Some(peer) => {
                let faults = if self.has_faults() { faults()? } else { Value::Null };
                change.insert("peers".to_owned(), Map::from_iter([(peer.clone(), faults)]).into());
            }
            None if self.has_faults() => drop(change.insert("all".to_owned(), faults()?)),
            None => {}
        }
        let numbers = [("seed", self.seed), ("jumpMs", self.jump), ("sleepMs", self.sleep)];
        change.extend(numbers.into_iter().filter_map(|(key, number)| Some((key.to_owned(), number?.into()))));
        change.extend(self.wall_ahead.map(|ms| ("wallAheadMs".to_owned(), ms.into())));
        Ok(change.into())
    }
}

pub(crate) async fn lab(args: LabArgs) -> Done {
    let (change, look) = match args.what {
        None => (None, args.show),
        Some(LabCommand::Show(look)) => (None, look),
        Some(LabCommand::Clear(look)) => (Some(json!({ "clear": true })), look),
        Some(LabCommand::Set(set)) => (Some(set.change()?), set.show),
        Some(LabCommand::People(PeopleArgs { room, count, seed, show })) => {
            addressable(&room)?;
            (Some(json!({ "people": [{ "room": room, "count": count, "seed": seed }] })), show)
        }
    };
    let answer = with_peer(&look.peer, None, async |peer| match &change {
        Some(change) => peer.client.post(&["lab"], change).await,
        None => peer.client.get(&["lab"], &[]).await,
    });
    show(&answer.await?, look.json, text)
}

fn text(answer: &Answer) -> Text {
    let LabState { network, people } = answer.read()?;
    let own = network.peers.iter().map(|peer| (peer.peer_id.as_str(), &peer.faults));
    let faults = std::iter::once(("all", &network.all)).chain(own).flat_map(|(whose, faults)| {
        let apart = faults.apart.then(|| vec![whose.to_owned(), "apart".to_owned(), "no connections".to_owned()]);
        let ways = [("in", &faults.incoming), ("out", &faults.outgoing)];
        let ways = ways.map(|(name, way)| vec![whose.to_owned(), name.to_owned(), said(way)]);
        apart.into_iter().chain(ways)
    });
    let mut parts = vec![table(&["LINKS", "WAY", "FAULTS"], faults)];
    let counts = &network.counts;
    let mut rows = vec![
        (
            "frames",
            format!(
                "{} passed, {} of them late, {} twice; {} lost, {} for want of room; {} wait",
                counts.passed, counts.delayed, counts.duplicated, counts.lost, counts.overflowed, network.waiting
            ),
        ),
        ("seed", network.seed.to_string()),
    ];
    let clocks = [
        ("wall clock", network.wall_ahead_ms != 0, format!("{:+} ms", network.wall_ahead_ms)),
        ("leases", network.ticks_ahead_ms != 0, format!("jumped ahead by {} ms", network.ticks_ahead_ms)),
        ("asleep", network.asleep_ms != 0, format!("for {} ms more", network.asleep_ms)),
    ];
    rows.extend(clocks.into_iter().filter(|(_, shown, _)| *shown).map(|(name, _, text)| (name, text)));
    parts.push(table(&["LAB", ""], rows.into_iter().map(|(name, text)| vec![name.to_owned(), text])));
    if !people.is_empty() {
        let rows = people.iter().map(|crowd| {
            vec![crowd.room.to_string(), crowd.count.to_string(), crowd.here.to_string(), crowd.seed.to_string()]
        });
        parts.push(table(&["ROOM", "SIMULATED", "HERE", "SEED"], rows));
    }
    Ok(parts.join("\n\n"))
}

/// The faults of one direction.
fn said(way: &LabWay) -> String {
    let jitter = if way.jitter_ms > 0 { format!(" ± {} ms", way.jitter_ms) } else { String::new() };
    let parts = [
        (way.cut, "cut".to_owned()),
        (way.delay_ms > 0 || way.jitter_ms > 0, format!("{} ms late{jitter}", way.delay_ms)),
        (way.loss_percent > 0.0, format!("{} % lost", way.loss_percent)),
        (way.duplicate_percent > 0.0, format!("{} % twice", way.duplicate_percent)),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|(shown, _)| *shown).map(|(_, text)| text).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Cli, Command};

    fn change(line: &str) -> Value {
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let Command::Lab(LabArgs { what: Some(LabCommand::Set(set)), .. }) = cli.command else { panic!("{line}") };
        set.change().unwrap()
    }

    #[test]
    fn flags_become_faults_of_one_direction_or_of_both() {
        let fine = json!({ "cut": false, "delayMs": 0, "jitterMs": 0, "lossPercent": 0.0, "duplicatePercent": 0.0 });
        let lossy = json!({ "cut": false, "delayMs": 20, "jitterMs": 0, "lossPercent": 2.5, "duplicatePercent": 0.0 });
        let both = json!({ "all": { "in": lossy, "out": lossy, "apart": false } });
        assert_eq!(change("parlor lab set --delay 20 --loss 2.5"), both);
        let into = json!({ "all": { "in": lossy, "out": fine, "apart": false } });
        assert_eq!(change("parlor lab set --way in --delay 20 --loss 2.5"), into);
        let of = json!({ "peers": { "12D3": { "in": fine, "out": fine, "apart": true } } });
        assert_eq!(change("parlor lab set --of 12D3 --apart"), of);
        assert_eq!(change("parlor lab set --of 12D3"), json!({ "peers": { "12D3": null } }));
        assert_eq!(
            change("parlor lab set --wall-ahead -5 --sleep 100 --jump 7 --seed 3"),
            json!({ "wallAheadMs": -5, "sleepMs": 100, "jumpMs": 7, "seed": 3 })
        );
    }

    #[test]
    fn what_is_out_of_bounds_is_wrong_use() {
        let lines = ["set --delay 10001", "set --loss 101", "set", "people --room r --count 201", "people --count 5"];
        for line in lines {
            assert!(Cli::try_parse_from(format!("parlor lab {line}").split(' ')).is_err(), "{line}");
        }
        for line in ["", " show", " clear --json", " people --room r --count 0", " --json"] {
            assert!(Cli::try_parse_from(format!("parlor lab{line}").split(' ')).is_ok(), "{line}");
        }
    }
}
