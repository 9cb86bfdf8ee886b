//! A room of which every peer is a process of its own, as on computers of their own: all move, evenly apart, and each writes
//! down when it moved and when it saw the others move. Parlor, bare gossipsub, iroh-gossip, Zenoh, and what runs on a server
//! in Node do the same.
//!
//! Times are of the clock that all processes of a computer share, processor time is that of all processes together, the
//! server's with it, and bytes are those that went over loopback: the machine has to be quiet.

#[cfg(feature = "chitchat")]
mod chitchat;
mod gossip;
mod idle;
#[cfg(feature = "iroh")]
mod iroh;
mod mover;
mod own;
#[cfg(feature = "zenoh")]
mod zenoh;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::bail;

pub use idle::run as idle;
pub use mover::run as mover;

use crate::process::{self, Process};
use crate::report::{Figure, PARLOR};
use crate::samples::{Samples, Spread};

/// Peers in a room.
const SIZES: [usize; 3] = [2, 8, 16];

/// How often each moves: a little less than nobody's source coalesces (design A7), which is 30 a second, and in a room of 16,
/// where those whom each hears share 240 a second, 16.
fn every(peers: usize) -> Duration {
    Duration::from_millis(if peers > 9 { 66 } else { 36 })
}

/// Moves of each peer.
const COUNT: usize = 150;
/// From when all see all until they move: what any of these does when it starts is over, and each Parlor knows that all are
/// linked, so that nobody passes on a move.
const SETTLE: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;
const GOSSIPSUB: &str = "gossipsub";
const IROH: &str = "iroh-gossip";
const ZENOH: &str = "Zenoh";
const Y_WEBSOCKET: &str = "y-websocket";
/// Those that have a server, which forwards what each says to all.
const ON_A_SERVER: [&str; 3] = [Y_WEBSOCKET, "Hocuspocus", "socket.io"];

/// What one round measured.
struct Measured {
    /// From the call to the event.
    latency: Samples,
    /// Moves that somebody never saw, or after a later one.
    lost: usize,
    /// Microseconds of the processor for each move that somebody saw.
    processor: f64,
    /// Bytes on loopback for each.
    bytes: f64,
}

/// All that are built in.
fn contenders() -> impl Iterator<Item = &'static str> {
    let others = [(cfg!(feature = "iroh"), IROH), (cfg!(feature = "zenoh"), ZENOH)];
    let others = others.into_iter().filter_map(|(built, name)| built.then_some(name));
    [PARLOR, GOSSIPSUB].into_iter().chain(others).chain(ON_A_SERVER)
}

/// The figures of all sizes.
pub fn run() -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for peers in SIZES {
        let mut of: BTreeMap<&str, Vec<Measured>> = BTreeMap::new();
        for round in 1..=ROUNDS {
            for name in contenders() {
                // Somebody who does not come up is no reason to throw away what was measured of the others; that a figure is
                // missing which must be there, the table tells.
                let one = measure(name, peers).or_else(|failed| {
                    eprintln!("{name} once more: {failed:#}");
                    measure(name, peers)
                });
                let one = match one {
                    Ok(one) => one,
                    Err(failed) if name != PARLOR => {
                        eprintln!("{peers} peers, round {round} of {ROUNDS}: {name} is left out: {failed:#}");
                        continue;
                    }
                    Err(failed) => return Err(failed),
                };
                let (p50, p99) = (one.latency.quantile(0.5), one.latency.quantile(0.99));
                let Measured { lost, processor, bytes, .. } = one;
                eprintln!(
                    "{peers} peers, round {round} of {ROUNDS}: {name}: p50 {p50:.2} ms, p99 {p99:.2} ms, \
                     {processor:.0} µs and {bytes:.0} B a move, {lost} lost"
                );
                of.entry(name).or_default().push(one);
            }
        }
        let figure = |what: &str, beside: &str, unit, value: &dyn Fn(&Measured) -> f64| {
            let spread = |name: &str| Spread::of(of.get(name).into_iter().flatten().map(value).collect());
            let others = of.keys().filter(|name| **name != PARLOR).map(|name| (*name, spread(name)));
            let name = format!("{peers} processes that move: {what}");
            Figure::among(&name, spread(PARLOR), others, |peer| peer == beside, false, unit)
        };
        figures.extend([
            figure("call to event, p50", GOSSIPSUB, "ms", &|one| one.latency.quantile(0.5)),
            figure("call to event, p50, beside y-websocket", Y_WEBSOCKET, "ms", &|one| one.latency.quantile(0.5)),
            figure("call to event, p99", GOSSIPSUB, "ms", &|one| one.latency.quantile(0.99)),
            figure("processor of a move that is seen", GOSSIPSUB, "µs", &|one| one.processor),
            figure("on loopback for each", GOSSIPSUB, "B", &|one| one.bytes),
        ]);
        let lost = of.get(PARLOR).into_iter().flatten().map(|one| one.lost).sum::<usize>();
        figures.push(Figure::alone(&format!("{peers} processes that move: moves lost"), lost as f64, ""));
    }
    Ok(figures)
}

/// All who are in the room, each of whom sees all others, and their server.
struct Crowd {
    movers: Vec<Process>,
    server: Option<Process>,
}

impl Crowd {
    /// Who will move this often.
    fn gather(name: &str, peers: usize, count: usize) -> anyhow::Result<Self> {
        let mut server = None;
        let mut addresses: Vec<String> = Vec::new();
        if ON_A_SERVER.contains(&name) {
            let mut process = Process::node("server.js", &[name])?;
            addresses.push(process.line()?);
            server = Some(process);
        }
        let mut movers = Vec::new();
        for number in 0..peers {
            let numbers = [number, peers, count, every(peers).as_millis() as usize].map(|number| number.to_string());
            let numbers = numbers.each_ref().map(String::as_str);
            let here: Vec<&str> = addresses.iter().map(String::as_str).collect();
            movers.push(if server.is_some() {
                Process::node("mover.js", &[&[name], here.as_slice(), &numbers].concat())?
            } else {
                let mut mover = Process::own("mover", &[&[name], numbers.as_slice(), &here].concat())?;
                addresses.push(mover.line()?);
                mover
            });
        }
        for mover in &mut movers {
            let said = mover.line()?;
            if said != "ready" {
                bail!("one of {name} said {said:?}");
            }
        }
        Ok(Crowd { movers, server })
    }

    fn go(&mut self) -> anyhow::Result<()> {
        self.movers.iter_mut().try_for_each(|mover| mover.tell("go"))
    }

    /// Processor time of all of them, and bytes on loopback, so far.
    fn spent(&self) -> anyhow::Result<(Duration, u64)> {
        let time = self.movers.iter().chain(&self.server).map(Process::spent).sum::<anyhow::Result<Duration>>()?;
        Ok((time, process::on_loopback()?))
    }
}

fn measure(name: &str, peers: usize) -> anyhow::Result<Measured> {
    let mut crowd = Crowd::gather(name, peers, COUNT)?;
    std::thread::sleep(SETTLE);
    let before = crowd.spent()?;
    crowd.go()?;
    let said = crowd.movers.iter_mut().map(Process::line).collect::<anyhow::Result<Vec<_>>>()?;
    let after = crowd.spent()?;
    let (spent, bytes) = (after.0 - before.0, after.1 - before.1);
    let told = said.iter().map(|line| Ok(serde_json::from_str(line)?)).collect::<anyhow::Result<Vec<mover::Told>>>()?;
    let mut latency = Samples::default();
    for (at, mover) in told.iter().enumerate() {
        for (other, _) in told.iter().enumerate().filter(|(other, _)| *other != at) {
            for (number, seen) in mover.heard.get(other).into_iter().flatten() {
                let Some(sent) = told[other].sent.get(*number) else { bail!("{name} saw a move that nobody made") };
                latency.add(Duration::from_nanos(seen.saturating_sub(*sent)));
            }
        }
    }
    let seen = latency.len();
    Ok(Measured {
        latency,
        lost: (peers * (peers - 1) * COUNT).saturating_sub(seen),
        processor: spent.as_secs_f64() * 1e6 / seen as f64,
        bytes: bytes as f64 / seen as f64,
    })
}
