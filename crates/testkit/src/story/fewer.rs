//! Smaller stories: the same without some steps, without a host, on a milder network. What shortens a failing story tries
//! these one after the other.

use std::collections::BTreeSet;

use super::expect::Expect;
use super::lie::Lie;
use super::step::{Change, Entry, Someone, Step};
use super::weather::Faults;
use super::{Story, mesh, names};

impl Story {
    /// The same without the steps whose place is in this range.
    #[must_use]
    pub fn without_steps(&self, range: std::ops::Range<usize>) -> Self {
        let mut story = self.clone();
        story.steps.drain(range);
        story
    }

    /// The same without a host: what it did goes with it, and hosts after it move up by one.
    #[must_use]
    pub fn without_host(&self, gone: usize) -> Self {
        let mut story = self.clone();
        let moved = |host: usize| (host != gone).then(|| if host > gone { host - 1 } else { host });
        story.hosts.remove(gone);
        let pairs = self.edges.iter().filter_map(|(a, b)| Some((moved(*a)?, moved(*b)?)));
        story.edges = pairs.collect::<BTreeSet<_>>();
        if self.edges == mesh(self.hosts.len()) {
            story.edges = mesh(story.hosts.len());
        }
        for (index, host) in story.hosts.iter_mut().enumerate() {
            // A person keeps the name of its first host.
            let was = if index >= gone { index + 1 } else { index };
            if host.person == names::host(was) {
                host.person = names::host(index);
            } else if let Some(first) = (0..self.hosts.len()).find(|other| self.hosts[*other].person == host.person) {
                host.person = names::host(moved(first).unwrap_or(index));
            }
        }
        story.steps = self.steps.iter().filter_map(|(at, step)| Some((*at, renumbered(step, &moved)?))).collect();
        story
    }

    /// Milder versions, one change each: of the network, of clocks and timers, of what single steps ask for.
    #[must_use]
    pub fn milder(&self) -> Vec<Self> {
        let mut stories = Vec::new();
        let mut offer = |change: &dyn Fn(&mut Story)| {
            let mut story = self.clone();
            change(&mut story);
            if story != *self {
                stories.push(story);
            }
        };
        offer(&|story| story.weather = Faults::none(1));
        offer(&|story| story.weather.loss = 0);
        offer(&|story| story.weather.doubled = 0);
        offer(&|story| story.weather.reorder = false);
        offer(&|story| story.weather.queue = None);
        offer(&|story| story.weather.latency = 1..=1);
        offer(&|story| story.late_ms = 0);
        offer(&|story| story.edges = mesh(story.hosts.len()));
        for index in 0..self.hosts.len() {
            offer(&|story| story.hosts[index].clock_ms = 0);
            offer(&|story| story.hosts[index].person = names::host(index));
        }
        for at in 0..self.steps.len() {
            for step in simpler(&self.steps[at].1) {
                offer(&|story| story.steps[at].1 = step.clone());
            }
        }
        stories
    }

    /// The same with less time before the step at this place, which takes all that follows with it.
    #[must_use]
    pub fn sooner(&self, place: usize, ms: u64) -> Self {
        let mut story = self.clone();
        story.steps[place..].iter_mut().for_each(|(at, _)| *at -= ms);
        story.until -= ms;
        story
    }
}

/// The step as it is told when hosts have other numbers; nothing when it needs one that is gone.
fn renumbered(step: &Step, moved: &dyn Fn(usize) -> Option<usize>) -> Option<Step> {
    let someone = |of: &Someone| Some(Someone { host: moved(of.host)?, who: of.who });
    let all = |hosts: &[usize]| hosts.iter().filter_map(|host| moved(*host)).collect::<Vec<usize>>();
    let mut step = step.clone();
    match &mut step {
        Step::Start { host }
        | Step::Metadata { host, .. }
        | Step::Lock { host, .. }
        | Step::Note { host, .. }
        | Step::RemoveNote { host, .. }
        | Step::Crash { host, .. }
        | Step::Quit { host }
        | Step::Sleep { host, .. }
        | Step::Clock { host, .. }
        | Step::Unplug { host, .. }
        | Step::Forge { host, .. } => *host = moved(*host)?,
        Step::Join(Entry { someone: by, .. })
        | Step::Presence { by, .. }
        | Step::Moving { by, .. }
        | Step::Say { by, .. }
        | Step::Leave { by, .. } => *by = someone(by)?,
        Step::Cut { a, b } | Step::Mend { a, b } | Step::Deafen { from: a, to: b } => {
            (*a, *b) = (moved(*a)?, moved(*b)?);
        }
        Step::Weather { between: Some((from, to)), .. } => (*from, *to) = (moved(*from)?, moved(*to)?),
        Step::NameHost { host, whom, .. } | Step::Void { host, whom, .. } => {
            (*host, *whom) = (moved(*host)?, moved(*whom)?);
        }
        Step::Replay { host, via, .. } => (*host, *via) = (moved(*host)?, moved(*via)?),
        Step::Partition { parts } => parts.iter_mut().for_each(|part| *part = all(part)),
        Step::Lie { host, lie } => {
            *host = moved(*host)?;
            if let Some(victim) = lie.victim_mut() {
                *victim = moved(*victim)?;
            }
        }
        Step::Expect { what, .. } => match what {
            Expect::Sees { observers, of, .. } | Expect::Knows { observers, of } => {
                // What some were expected to see is not to be expected of all.
                let named = !observers.is_empty();
                *observers = all(observers);
                if named && observers.is_empty() {
                    return None;
                }
                *of = someone(of)?;
            }
            Expect::Gone { of } => *of = someone(of)?,
            Expect::Members { observer, .. } => *observer = moved(*observer)?,
            Expect::Agreement | Expect::NobodyLeft { .. } | Expect::Asked { .. } => {}
        },
        Step::Weather { between: None, .. } | Step::MendAll | Step::Lose { .. } | Step::Heal => {}
    }
    Some(step)
}

/// Steps that ask for less.
fn simpler(step: &Step) -> Vec<Step> {
    let mut steps = Vec::new();
    match step {
        Step::Join(Entry { someone, member, lease_s }) => {
            let plain = Entry { someone: *someone, member: None, lease_s: None };
            steps.push(Step::Join(plain.clone()));
            steps.push(Step::Join(Entry { lease_s: *lease_s, ..plain.clone() }));
            steps.push(Step::Join(Entry { member: member.clone(), ..plain }));
        }
        Step::Presence { by, member, change } => {
            let field = match change {
                Change::Set(fields) | Change::Replace(fields) | Change::Unset(fields) => fields.first().cloned(),
                Change::Expire { field, .. } => Some(field.clone()),
            };
            steps.extend(field.map(|field| Step::Presence { by: *by, member: None, change: Change::Set(vec![field]) }));
            steps.push(Step::Presence { by: *by, member: member.clone(), change: change.clone() });
        }
        Step::Moving { by, field, every_ms, ms } => {
            steps.push(Step::Presence { by: *by, member: None, change: Change::Set(vec![field.clone()]) });
            steps.push(Step::Moving { by: *by, field: field.clone(), every_ms: *every_ms, ms: ms / 2 });
        }
        Step::Replay { host, via, frames } => {
            steps.extend([1, frames / 2].map(|frames| Step::Replay { host: *host, via: *via, frames }));
        }
        Step::Forge { host, frames } => steps.extend([1, frames / 2].map(|frames| Step::Forge { host: *host, frames })),
        Step::Weather { between, faults } => {
            steps.push(Step::Weather { between: *between, faults: Faults::within(faults.latency.clone()) });
            steps.push(Step::Weather { between: None, faults: faults.clone() });
        }
        Step::Clock { host, .. } => steps.push(Step::Clock { host: *host, off_ms: 0 }),
        Step::Lie { host, lie } => steps.extend(lie.fewer().map(|lie| Step::Lie { host: *host, lie })),
        _ => {}
    }
    steps.retain(|other| other != step);
    steps
}

impl Lie {
    /// The host that it is about, if it is about one.
    fn victim_mut(&mut self) -> Option<&mut usize> {
        match self {
            Lie::TheirMemberId { victim }
            | Lie::TheirGuest { victim }
            | Lie::TheirLeave { victim }
            | Lie::TheirFrames { victim, .. }
            | Lie::TheirCertificate { victim }
            | Lie::TheirCell { victim }
            | Lie::Usurp { victim }
            | Lie::FalseWitness { victim }
            | Lie::LastBoot { victim } => Some(victim),
            _ => None,
        }
    }

    /// Half as many of what it sends, where it sends many.
    fn fewer(self) -> Option<Self> {
        let half = |count: u16| (count > 1).then_some(count / 2);
        Some(match self {
            Lie::TheirFrames { victim, frames } => Lie::TheirFrames { victim, frames: half(frames)? },
            Lie::Sessions { count } => Lie::Sessions { count: half(count)? },
            Lie::Tombstones { count } => Lie::Tombstones { count: half(count)? },
            Lie::Asks { count } => Lie::Asks { count: half(count)? },
            Lie::Garbage { count } => Lie::Garbage { count: half(count)? },
            _ => return None,
        })
    }
}
