//! A random story, drawn from a seed: who there is, how bad the network is, and what happens when.

use std::collections::BTreeSet;

use super::expect::Expect;
use super::lie::Lie;
use super::step::{Change, Edit, Entry, FrameKind, Someone, Step, Who, set};
use super::weather::{Drops, Faults};
use super::{Computer, Story, mesh, names};

/// After the network healed, everybody agrees within this time.
pub const HEAL_MS: u64 = 30_000;
/// Silence outlives this: whoever is gone is gone everywhere.
pub const SETTLE_MS: u64 = 13_000;
/// Three of the longest beats, within which a lost write is repaired (design R12), and the trips of the exchange.
const REPAIR_MS: u64 = 3 * 2_400 + 50;
/// Milliseconds in a day.
const DAY: i64 = 24 * 3600 * 1000;
/// Fields of presence that random stories write.
pub const FIELDS: [&str; 5] = ["cursor", "typing", "tool", "status", "viewport"];
/// Keys of metadata that random stories write.
pub const KEYS: [&str; 5] = ["title", "mode", "topic", "agenda", "link"];

impl Story {
    /// The story of a seed.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed ^ 0x5eed);
        let hosts = random.usize(2..=6);
        let weather = weather(&mut random);
        // Now and then two hosts are devices of one person.
        let shared = random.bool();
        let heals_at = random.u64(25_000..60_000);
        let mut story = Story::new(&format!("the random story of seed {seed}")).seed(seed).hosts(hosts);
        story.weather = weather;
        story.edges = edges(&mut random, hosts);
        story.late_ms = pick(&mut random, &[0, 20]);
        for (index, host) in story.hosts.iter_mut().enumerate() {
            let person = names::host(if shared && index == 1 { 0 } else { index });
            let clock_ms = if random.bool() { 0 } else { random.i64(-DAY..=DAY) };
            *host = Computer { person, clock_ms, hostile: false };
        }
        for host in 0..hosts {
            story = story.step_at(random.u64(0..1500), Step::Start { host });
            story = story.step_at(random.u64(1500..4000), Step::Join(host.into()));
            // Nobody stays off for good, so that what a restart does is seen too.
            story = story.step_at(random.u64(heals_at / 2..heals_at), Step::Start { host });
        }
        for _ in 0..random.usize(30..140) {
            let at = random.u64(2_000..heals_at);
            let step = step(&mut random, hosts);
            if let (Step::Join(Entry { someone, member, .. }), true) = (&step, random.u8(0..4) == 0) {
                // Gone before everybody heard that it came.
                let leave = Step::Leave { by: *someone, member: member.clone() };
                story = story.step_at(at + random.u64(1..600), leave);
            }
            story = story.step_at(at, step);
        }
        let healed = Expect::Agreement;
        story = story.at(heals_at).heal().expect_within(HEAL_MS, healed.clone());
        story = story.then_after(SETTLE_MS).expect_within(HEAL_MS - SETTLE_MS, healed);
        if random.bool() {
            story = coda(&mut random, story.at(heals_at + HEAL_MS), hosts);
        }
        // Rare faults are drawn last, so that all other stories stay what they are without them.
        if random.u8(0..5) == 0 {
            story = full_queues(&mut random, story, heals_at);
        }
        if random.u8(0..5) == 0 {
            story = with_a_liar(&mut random, story, heals_at);
        }
        if random.u8(0..4) == 0 {
            story = in_private(&mut random, story, heals_at);
        }
        story
    }
}

/// Links that take their time and hold little, all the while or for a while.
fn full_queues(random: &mut fastrand::Rng, mut story: Story, heals_at: u64) -> Story {
    let drops = pick(random, &[Drops::Oldest, Drops::Newest]);
    let (frames, pace_ms) = (random.usize(1..16), pick(random, &[1, 5, 20, 80]));
    let queued = story.weather.clone().queueing(frames, pace_ms, drops);
    if random.bool() {
        story.weather = queued;
        return story;
    }
    let weather = story.weather.clone();
    let (from, until) = (random.u64(2_000..heals_at / 2), random.u64(heals_at / 2..heals_at));
    let between = random.bool().then(|| {
        let host = random.usize(0..story.hosts.len());
        (host, (host + random.usize(1..story.hosts.len())) % story.hosts.len())
    });
    let turns = |faults: Faults| Step::Weather { between, faults };
    story.step_at(from, turns(queued)).step_at(until, turns(weather))
}

/// One host lies, now and then or all the time. It is one without which the others still reach each other: whoever stands
/// between two others alone can keep from each what it likes.
fn with_a_liar(random: &mut fastrand::Rng, mut story: Story, heals_at: u64) -> Story {
    let hosts = story.hosts.len();
    let liar = random.usize(0..hosts);
    let alone = story.hosts.iter().filter(|host| host.person == story.hosts[liar].person).count() == 1;
    if !alone || !holds_without(&story.edges, hosts, liar) {
        return story;
    }
    story.hosts[liar].hostile = true;
    for _ in 0..random.usize(2..20) {
        let victim = (liar + random.usize(1..hosts)) % hosts;
        let lie = lie(random, victim);
        let (at, step) = (random.u64(3_000..heals_at), Step::Lie { host: liar, lie });
        story = story.step_at(at, step.clone());
        if random.bool() {
            // Said twice, it is told at a time when the others know it already.
            story = story.step_at(at + random.u64(1..8_000), step);
        }
    }
    story
}

/// The room is private, and those who may decide over it, and others who may not, do. Who made it is honest.
fn in_private(random: &mut fastrand::Rng, mut story: Story, heals_at: u64) -> Story {
    let hosts = story.hosts.len();
    let creator = story.hosts[0].person.clone();
    if story.hosts.iter().any(|host| host.hostile && host.person == creator) {
        return story;
    }
    story.private = true;
    let liar = story.hosts.iter().position(|host| host.hostile);
    for _ in 0..random.usize(4..24) {
        let host = if random.bool() { 0 } else { random.usize(0..hosts) };
        let (whom, on) = (random.usize(0..hosts), random.u8(0..3) > 0);
        let step = match random.u8(0..7) {
            0..3 => Step::Lock { host, on: random.bool() },
            // A host who lies may do what a host may.
            3..5 if Some(whom) != liar => Step::NameHost { host, whom, on },
            _ => Step::Void { host, whom, on },
        };
        story = story.step_at(random.u64(2_000..heals_at), step);
    }
    for _ in 0..liar.map_or(0, |_| random.usize(1..6)) {
        let (host, victim) = (liar.unwrap_or(0), random.usize(0..hosts));
        story = story.step_at(random.u64(3_000..heals_at), Step::Lie { host, lie: Lie::Usurp { victim } });
    }
    story
}

/// Whether all hosts but one reach each other without that one.
fn holds_without(edges: &BTreeSet<(usize, usize)>, hosts: usize, gone: usize) -> bool {
    let mut reached: BTreeSet<usize> = (0..hosts).find(|host| *host != gone).into_iter().collect();
    for _ in 0..hosts {
        let links = edges.iter().filter(|(a, b)| *a != gone && *b != gone);
        let next: Vec<usize> =
            links.filter(|(a, b)| reached.contains(a) || reached.contains(b)).flat_map(|(a, b)| [*a, *b]).collect();
        reached.extend(next);
    }
    reached.len() + 1 == hosts
}

fn lie(random: &mut fastrand::Rng, victim: usize) -> Lie {
    // The clock as far as it goes, and one step more; and one that is far behind.
    const LAST: u64 = 1 << 59;
    match random.u8(0..19) {
        0 => Lie::TheirMemberId { victim },
        1 => Lie::TheirGuest { victim },
        2 => Lie::ChangeHands,
        3 => Lie::TheirLeave { victim },
        4 => Lie::TheirFrames { victim, frames: random.u16(1..40) },
        5 => Lie::TheirCertificate { victim },
        6 => Lie::TooLarge,
        7 => Lie::TooDeep,
        8 => Lie::Stamp { hlc: pick(random, &[0, LAST, LAST + 1, u64::MAX]) },
        9 => Lie::TheirCell { victim },
        10 => Lie::Sessions { count: random.u16(1..30) },
        11 => Lie::Tombstones { count: random.u16(1..300) },
        12 => Lie::Asks { count: random.u16(1..60) },
        13 => Lie::SyncUnasked,
        14 => Lie::LastNumbers,
        15 => Lie::LastBoot { victim },
        16 => Lie::FalseHashes,
        17 => Lie::FalseWitness { victim },
        _ => Lie::Garbage { count: random.u16(1..40) },
    }
}

/// What follows when all is well again: writes on a network that loses nothing, and then a few whose frames are lost in the
/// moment of them, so that the rules that promise a time are judged wherever the story left everybody.
fn coda(random: &mut fastrand::Rng, mut story: Story, hosts: usize) -> Story {
    for loses in [false, true] {
        for _ in 0..random.usize(1..4) {
            if loses {
                story = story.lose(FrameKind::Cells, 1);
            }
            for _ in 0..random.usize(1..4) {
                story = story.presence(random.usize(0..hosts), set(pick(random, &FIELDS)));
                story = story.then_after(random.u64(0..60));
            }
            let host = random.usize(0..hosts);
            story = story.step(shared(random, host, Who::Person)).then_after(random.u64(0..1_000));
        }
    }
    // Each link that a repair has to cross takes its own three beats.
    let hops = if story.edges == mesh(hosts) { 1 } else { hosts as u64 - 1 };
    story.then_after(hops * REPAIR_MS + 100).expect_agreement()
}

fn pick<T: Copy>(random: &mut fastrand::Rng, from: &[T]) -> T {
    from[random.usize(0..from.len())]
}

fn weather(random: &mut fastrand::Rng) -> Faults {
    let mut faults = Faults::within(1..=pick(random, &[5, 40, 400]));
    faults.loss = pick(random, &[0, 20, 150]);
    faults.doubled = pick(random, &[0, 0, 100]);
    faults.reorder = random.bool();
    faults
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
                let (a, b) = (random.usize(0..hosts), random.usize(0..hosts));
                if a != b {
                    edges.insert((a.min(b), a.max(b)));
                }
            }
            edges
        }
    }
}

fn step(random: &mut fastrand::Rng, hosts: usize) -> Step {
    let host = random.usize(0..hosts);
    let other = (host + random.usize(1..hosts)) % hosts;
    let by = Someone { host, who: if random.u8(0..4) == 0 { Who::Guest } else { Who::Person } };
    let member = (random.u8(0..3) == 0).then(|| format!("desk {}", random.u8(0..3)));
    match random.u8(0..100) {
        0..36 => Step::Presence { by, member: member.filter(|_| random.bool()), change: change(random) },
        36..41 => Step::Note { host, note: note(random), edit: edit(random) },
        41..42 => Step::RemoveNote { host, note: note(random) },
        42..45 => Step::Say { by, key: random.bool().then(|| format!("key {}", random.u8(0..4))) },
        45..53 => {
            let key = pick(random, &KEYS).to_owned();
            Step::Metadata { host, key, delete: random.u8(0..5) == 0 }
        }
        53..62 => {
            let lease_s = (random.u8(0..4) == 0).then(|| random.u32(5..12));
            Step::Join(Entry { someone: by, member, lease_s })
        }
        62..66 => Step::Leave { by, member },
        66..70 => Step::Crash { host, farewell: random.bool() },
        70..72 => Step::Quit { host },
        72..77 => Step::Start { host },
        77..80 => Step::Sleep { host, ms: random.u64(500..30_000) },
        80..82 => Step::Clock { host, off_ms: random.i64(-DAY..=DAY) },
        82..84 => Step::Unplug { host, ms: random.u64(500..20_000) },
        84..87 => {
            let (left, right) = (0..hosts).partition(|_| random.bool());
            Step::Partition { parts: vec![left, right] }
        }
        87..90 => Step::MendAll,
        90..92 => Step::Cut { a: host, b: other },
        92..93 => Step::Mend { a: host, b: other },
        93..94 => Step::Deafen { from: host, to: other },
        94..95 => {
            let between = random.bool().then_some((host, other));
            Step::Weather { between, faults: weather(random) }
        }
        95..97 => Step::Replay { host, via: other, frames: random.u16(1..40) },
        97..98 => Step::Moving {
            by,
            field: pick(random, &FIELDS).to_owned(),
            every_ms: random.u64(10..60),
            ms: random.u64(100..3_000),
        },
        _ => Step::Forge { host, frames: random.u16(1..20) },
    }
}

/// A write of what belongs to all.
fn shared(random: &mut fastrand::Rng, host: usize, who: Who) -> Step {
    match random.u8(0..10) {
        0..4 => Step::Metadata { host, key: pick(random, &KEYS).to_owned(), delete: random.u8(0..5) == 0 },
        4..7 => Step::Note { host, note: note(random), edit: edit(random) },
        7 => Step::RemoveNote { host, note: note(random) },
        _ => Step::Say { by: Someone { host, who }, key: None },
    }
}

fn edit(random: &mut fastrand::Rng) -> Edit {
    pick(random, &[Edit::Move, Edit::Move, Edit::Resize, Edit::Raise, Edit::Paint, Edit::Write])
}

fn note(random: &mut fastrand::Rng) -> String {
    format!("note {}", random.u8(0..4))
}

fn change(random: &mut fastrand::Rng) -> Change {
    let at = random.usize(0..FIELDS.len());
    let field = |at: usize| FIELDS[at % FIELDS.len()].to_owned();
    match random.u8(0..10) {
        0..6 => Change::Set(vec![field(at)]),
        6 => Change::Set(vec![field(at), field(at + 1), field(at + 2)]),
        7 => Change::Replace(vec![field(at)]),
        8 => Change::Unset(vec![field(at)]),
        _ => Change::Expire { field: field(at), ms: random.u64(100..6_000) },
    }
}
