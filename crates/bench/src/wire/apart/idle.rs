//! What a room of eight costs each peer while nobody does anything: Parlor, all that it is measured beside in `wire`, and
//! chitchat, once with a round a second and once in a hurry.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Crowd, GOSSIPSUB, ROUNDS, SETTLE, contenders};
use crate::chart;
#[cfg(feature = "chitchat")]
use crate::chitchat;
use crate::report::{Figure, PARLOR, publish};
use crate::samples::Spread;
use crate::targets::Targets;

#[cfg(feature = "chitchat")]
const CHITCHAT: &[&str] = &[chitchat::NAME, chitchat::QUICK];
#[cfg(not(feature = "chitchat"))]
const CHITCHAT: &[&str] = &[];
const PEERS: usize = 8;
const FOR: Duration = Duration::from_secs(20);

/// What one round measured, of one peer in one second.
struct Idle {
    /// Milliseconds of the processor, with a share of the server's.
    processor: f64,
    /// Bytes that came and went.
    bytes: f64,
}

pub fn run() -> anyhow::Result<bool> {
    let mut of: BTreeMap<&str, Vec<Idle>> = BTreeMap::new();
    for round in 1..=ROUNDS {
        for name in contenders().chain(CHITCHAT.iter().copied()) {
            let one = measure(name)?;
            eprintln!(
                "round {round} of {ROUNDS}: {name}: {:.2} ms of the processor and {:.0} B a second for each of {PEERS}",
                one.processor, one.bytes
            );
            of.entry(name).or_default().push(one);
        }
    }
    let figure = |what: &str, beside: &str, unit, value: &dyn Fn(&Idle) -> f64| {
        let spread = |name: &str| Spread::of(of.get(name).into_iter().flatten().map(value).collect());
        let others = of.keys().filter(|name| **name != PARLOR).map(|name| (*name, spread(name)));
        let name = format!("an idle room of {PEERS}, for each: {what}");
        Figure::among(&name, spread(PARLOR), others, |peer| peer == beside, false, unit)
    };
    let mut figures = vec![
        figure("processor", GOSSIPSUB, "ms/s", &|one| one.processor),
        figure("on loopback", GOSSIPSUB, "B/s", &|one| one.bytes),
    ];
    #[cfg(feature = "chitchat")]
    figures.push(figure("on loopback, beside chitchat in a hurry", chitchat::QUICK, "B/s", &|one| one.bytes));
    Targets::read()?.hold("idle", &mut figures)?;
    let reached = publish("idle", &figures)?;
    chart::draw("idle", &figures)?;
    Ok(reached)
}

fn measure(name: &str) -> anyhow::Result<Idle> {
    // Who has no move to make is quiet from then on.
    let mut crowd = Crowd::gather(name, PEERS, 0)?;
    crowd.go()?;
    std::thread::sleep(SETTLE);
    let before = crowd.spent()?;
    std::thread::sleep(FOR);
    let after = crowd.spent()?;
    let share = FOR.as_secs_f64() * PEERS as f64;
    Ok(Idle {
        processor: (after.0 - before.0).as_secs_f64() * 1000.0 / share,
        bytes: (after.1 - before.1) as f64 / share,
    })
}
