//! What holds presence in memory, beside what people would take instead: the same members, the same moves of a cursor,
//! in one thread of one process, with no network in between. Times are those of the processor.
//!
//! The **trace** is a room of 8, 32 or 128 members and moves that come round by round, each of one cursor
//! ([`trace`](crate::trace)). Every system is used the way its own documentation says ([`System`](system::System) says
//! what is timed and what is not):
//!
//! - **Parlor**: a replica for each member and one that looks on, all linked with all, through the public calls of the core
//!   ([`parlor`](crate::moves::parlor)): limits are checked, turns are taken, fields have revisions, heartbeats ride along, and
//!   who looks on gets an event for each move. A record of presence is signed by no one in the core: it has one writer, and a
//!   driver says whose frame it is. What signing a frame costs on the wire is in the table `wire`.
//! - **yrs** and **y-protocols** in Node: an awareness for each member; a move sends the member's whole state.
//! - **loro**: one ephemeral store for each member, with a key for each field or one for the whole record.
//! - **automerge**: a document that members fork; a move is a change of it.
//! - **chitchat**: a node that has all members' keys and tells another, after each move or after one of each member.
//! - **the floor**: a struct as postcard writes it, put into a map; no rules at all. It is no competitor.

mod automerge;
mod chitchat;
mod floor;
mod loro;
mod node;
mod yrs;

use std::collections::BTreeMap;

use crate::chart;
use crate::report::{FLOOR, Figure, PARLOR, publish_with};
use crate::samples::Spread;
use crate::targets::Targets;
use crate::weigh::weighed;

use crate::moves::system::{Measured, measured};
use crate::moves::{parlor, system};

/// Members of the rooms.
const SIZES: [usize; 3] = [8, 32, 128];
/// The room that targets are about.
const TYPICAL: usize = 32;
/// Rounds in which all systems take turns, in the typical room and in the others.
const ROUNDS: usize = 5;
const ROUNDS_ELSEWHERE: usize = 3;
/// Crates whose versions are told.
const CRATES: [&str; 6] = ["parlor-core", "yrs", "loro", "automerge", "chitchat", "postcard"];

/// One system: what it is called, and how a room of so many is measured.
type Contender = (&'static str, fn(usize) -> anyhow::Result<Measured>);

const CONTENDERS: [Contender; 9] = [
    (PARLOR, measured::<parlor::Parlor>),
    (yrs::NAME, measured::<yrs::Yrs>),
    (loro::BY_FIELD, measured::<loro::ByField>),
    (loro::WHOLE, measured::<loro::Whole>),
    (automerge::NAME, measured::<automerge::Automerge>),
    (chitchat::ONE, chitchat::one),
    (chitchat::ALL, chitchat::all),
    (node::NAME, node::measured),
    (FLOOR, measured::<floor::Floor>),
];

/// What is told of each system.
const KINDS: [Kind; 5] = [
    Kind { name: "encode", unit: "/s", more: true, of: |one| one.encode },
    Kind { name: "apply", unit: "/s", more: true, of: |one| one.apply },
    Kind { name: "encode and apply", unit: "/s", more: true, of: |one| Some(one.both) },
    Kind { name: "bytes of an update", unit: "B", more: false, of: |one| Some(one.bytes) },
    Kind { name: "bytes of the whole room", unit: "B", more: false, of: |one| one.whole },
];

struct Kind {
    name: &'static str,
    unit: &'static str,
    /// Whether more of it is better.
    more: bool,
    of: fn(&Measured) -> Option<f64>,
}

/// The table: all systems, or those whose name contains `only`.
pub fn run(only: Option<&str>) -> anyhow::Result<bool> {
    let chosen: Vec<Contender> =
        CONTENDERS.into_iter().filter(|(name, _)| only.is_none_or(|only| name.contains(only))).collect();
    let mut figures = Vec::new();
    for members in SIZES {
        let rounds = if members == TYPICAL { ROUNDS } else { ROUNDS_ELSEWHERE };
        let mut of: BTreeMap<&str, Vec<Measured>> = BTreeMap::new();
        for round in 1..=rounds {
            for (name, measure) in &chosen {
                let one = measure(members)?;
                eprintln!("{members} members, round {round} of {rounds}: {name}: {one}");
                of.entry(name).or_default().push(one);
            }
        }
        for kind in &KINDS {
            figures.extend(figure(kind, members, &of));
        }
        figures.push(memory(members, &chosen)?);
    }
    if only.is_none() {
        Targets::read()?.hold("memory", &mut figures)?;
    }
    let reached = publish_with("memory", &figures, &CRATES)?;
    if only.is_none() {
        chart::draw("memory", &figures)?;
    }
    Ok(reached)
}

/// One figure of all systems that have it.
fn figure(kind: &Kind, members: usize, of: &BTreeMap<&str, Vec<Measured>>) -> Option<Figure> {
    let spread = |name: &str| {
        let values: Option<Vec<f64>> = of.get(name)?.iter().map(kind.of).collect();
        values.map(Spread::of)
    };
    let own = spread(PARLOR)?;
    let name = format!("{}, {members} members", kind.name);
    let peers = of.keys().filter(|name| **name != PARLOR).filter_map(|name| Some((*name, spread(name)?)));
    Some(Figure::among(&name, own, peers, |peer| peer != FLOOR, kind.more, kind.unit))
}

/// What a member takes at one who looks on. A program of its own counts it.
fn memory(members: usize, chosen: &[Contender]) -> anyhow::Result<Figure> {
    let of = |name: &str| weighed::<Option<f64>>(&["held", name, &members.to_string()]);
    let mut peers = Vec::new();
    for (name, _) in chosen.iter().filter(|(name, _)| *name != PARLOR) {
        if let Some(bytes) = of(name)? {
            peers.push((*name, Spread::of(vec![bytes])));
        }
    }
    let own = Spread::of(of(PARLOR)?.into_iter().collect());
    let name = format!("memory of a member, {members} members");
    Ok(Figure::among(&name, own, peers.into_iter(), |peer| peer != FLOOR, false, "B"))
}

/// Bytes of the heap that a member takes at one who looks on, once everybody moved; nothing where the system does not part
/// who looks on from the others.
///
/// # Errors
/// When there is no such system, or it could not be had.
pub fn held(name: &str, members: usize, scales: &crate::weigh::Scales) -> anyhow::Result<Option<f64>> {
    Ok(Some(match name {
        PARLOR => system::held::<parlor::Parlor>(members, scales)?,
        yrs::NAME => system::held::<yrs::Yrs>(members, scales)?,
        loro::BY_FIELD => system::held::<loro::ByField>(members, scales)?,
        loro::WHOLE => system::held::<loro::Whole>(members, scales)?,
        automerge::NAME => system::held::<automerge::Automerge>(members, scales)?,
        FLOOR => system::held::<floor::Floor>(members, scales)?,
        _ => return Ok(None),
    }))
}
