//! A random story, drawn from a seed: who there is, how bad the network is, and what happens when.

use std::collections::BTreeSet;

use super::network::{Faults, pair};

/// Who of a host acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The person of its profile.
    Person,
    /// Its guest.
    Guest,
}

/// What `presence` is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// One field.
    Set(u8),
    /// Three fields at once.
    SetThree(u8),
    /// One field and nothing else.
    Replace(u8),
    /// A field goes.
    Unset(u8),
    /// A field that vanishes by itself after so many milliseconds.
    Expire(u8, u64),
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The program starts.
    Start(usize),
    /// A member joins, under a name or as itself, for good or with a client lease of so many seconds.
    Join(usize, Who, Option<u8>, Option<u32>),
    /// A member's live state changes.
    Presence(usize, Who, Change),
    /// The room's metadata changes; `true`: the key is deleted.
    Metadata(usize, u8, bool),
    /// A member leaves.
    Leave(usize, Who, Option<u8>),
    /// The process dies; `true`: the system closes its connections.
    Crash(usize, bool),
    /// The program ends as it should.
    Quit(usize),
    /// The computer sleeps for so long.
    Sleep(usize, u64),
    /// The wall clock jumps.
    WallStep(usize, i64),
    /// The network cable is out for so long.
    Unplug(usize, u64),
    /// The network falls into sides.
    Partition(Vec<u8>),
    /// Partitions, cuts and deaf directions end.
    Mend,
    /// One pair loses its wire.
    Cut(usize, usize),
    /// One direction loses everything.
    Deafen(usize, usize),
    /// Frames that a process took earlier come again, by way of another.
    Replay(usize, usize, u16),
    /// Frames of others come in the name of somebody who did not write them, some of them broken.
    Forge(usize, u16),
}

/// A story.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it was drawn from, and the seed of all dice in it.
    pub seed: u64,
    /// The identity of each host's person.
    pub people: Vec<String>,
    /// How far each wall clock is off.
    pub skews: Vec<i64>,
    /// Who can reach whom.
    pub edges: BTreeSet<(usize, usize)>,
    /// How bad the network is until it heals.
    pub faults: Faults,
    /// How late a timer may be.
    pub late_ms: u64,
    /// What happens, in order of time.
    pub steps: Vec<(u64, Step)>,
    /// When everything heals.
    pub heals_at: u64,
}

/// Milliseconds in a day.
const DAY: i64 = 24 * 3600 * 1000;

impl Scenario {
    /// `hosts` computers in a full mesh without faults, all started, nothing else.
    #[must_use]
    pub fn calm(seed: u64, hosts: usize, latency_ms: u64) -> Self {
        Scenario {
            seed,
            people: (0..hosts).map(|index| format!("person {index}")).collect(),
            skews: vec![0; hosts],
            edges: mesh(hosts),
            faults: Faults::none(latency_ms),
            late_ms: 0,
            steps: (0..hosts).map(|host| (host as u64 * 50, Step::Start(host))).collect(),
            heals_at: 0,
        }
    }

    /// The story of a seed.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed ^ 0x5eed);
        let hosts = random.usize(2..=6);
        let longest = *random.choice(&[5, 40, 400]).unwrap_or(&5);
        let faults = Faults {
            latency: (1, longest),
            loss: *random.choice(&[0, 20, 150]).unwrap_or(&0),
            doubled: *random.choice(&[0, 0, 100]).unwrap_or(&0),
            reorder: random.bool(),
        };
        // Now and then two hosts are devices of one person.
        let shared = random.bool();
        let people = (0..hosts).map(|index| if shared && index == 1 { 0 } else { index });
        let mut steps: Vec<(u64, Step)> = (0..hosts).map(|host| (random.u64(0..1500), Step::Start(host))).collect();
        steps.extend((0..hosts).map(|host| (random.u64(1500..4000), Step::Join(host, Who::Person, None, None))));
        let heals_at = random.u64(25_000..60_000);
        for _ in 0..random.usize(30..140) {
            let at = random.u64(2_000..heals_at);
            let step = step(&mut random, hosts);
            if let (Step::Join(host, who, name, _), true) = (&step, random.u8(0..4) == 0) {
                // Gone before everybody heard that it came.
                steps.push((at + random.u64(1..600), Step::Leave(*host, *who, *name)));
            }
            steps.push((at, step));
        }
        // Nobody stays off for good, so that what a restart does is seen too.
        steps.extend((0..hosts).map(|host| (random.u64(heals_at / 2..heals_at), Step::Start(host))));
        steps.sort_by_key(|(at, _)| *at);
        Scenario {
            seed,
            people: people.map(|index| format!("person {index}")).collect(),
            skews: (0..hosts).map(|_| if random.bool() { 0 } else { random.i64(-DAY..=DAY) }).collect(),
            edges: edges(&mut random, hosts),
            faults,
            late_ms: *random.choice(&[0, 20]).unwrap_or(&0),
            steps,
            heals_at,
        }
    }
}

fn mesh(hosts: usize) -> BTreeSet<(usize, usize)> {
    (0..hosts).flat_map(|a| (a + 1..hosts).map(move |b| (a, b))).collect()
}

/// A full mesh, a line, a star, or a random tree with some edges more: always connected.
fn edges(random: &mut fastrand::Rng, hosts: usize) -> BTreeSet<(usize, usize)> {
    match random.u8(0..5) {
        0 | 1 => mesh(hosts),
        2 => (1..hosts).map(|b| (b - 1, b)).collect(),
        3 => (1..hosts).map(|b| (0, b)).collect(),
        _ => {
            let mut edges: BTreeSet<(usize, usize)> = (1..hosts).map(|b| (random.usize(0..b), b)).collect();
            for _ in 0..hosts {
                let (a, b) = pair(random.usize(0..hosts), random.usize(0..hosts));
                if a != b {
                    edges.insert((a, b));
                }
            }
            edges
        }
    }
}

fn step(random: &mut fastrand::Rng, hosts: usize) -> Step {
    let host = random.usize(0..hosts);
    let other = (host + random.usize(1..hosts)) % hosts;
    let who = if random.u8(0..4) == 0 { Who::Guest } else { Who::Person };
    let name = (random.u8(0..3) == 0).then(|| random.u8(0..3));
    match random.u8(0..100) {
        0..45 => Step::Presence(host, who, change(random)),
        45..55 => Step::Metadata(host, random.u8(0..5), random.u8(0..5) == 0),
        55..64 => Step::Join(host, who, name, (random.u8(0..4) == 0).then(|| random.u32(5..12))),
        64..68 => Step::Leave(host, who, name),
        68..72 => Step::Crash(host, random.bool()),
        72..74 => Step::Quit(host),
        74..79 => Step::Start(host),
        79..82 => Step::Sleep(host, random.u64(500..30_000)),
        82..84 => Step::WallStep(host, random.i64(-DAY..=DAY)),
        84..86 => Step::Unplug(host, random.u64(500..20_000)),
        86..89 => Step::Partition((0..hosts).map(|_| random.u8(0..2)).collect()),
        89..93 => Step::Mend,
        93..95 => Step::Cut(host, other),
        95..96 => Step::Deafen(host, other),
        96..98 => Step::Replay(host, other, random.u16(1..40)),
        _ => Step::Forge(host, random.u16(1..20)),
    }
}

fn change(random: &mut fastrand::Rng) -> Change {
    let field = random.u8(0..5);
    match random.u8(0..10) {
        0..6 => Change::Set(field),
        6 => Change::SetThree(field),
        7 => Change::Replace(field),
        8 => Change::Unset(field),
        _ => Change::Expire(field, random.u64(100..6_000)),
    }
}
