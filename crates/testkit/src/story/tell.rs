//! A story in plain words: what a failure prints, and what anybody can read.

use std::fmt;

use super::expect::Expect;
use super::lie::Lie;
use super::names::{self, list};
use super::step::{Change, Edit, Entry, FrameKind, Someone, Step, Who};
use super::weather::{Drops, Faults};
use super::{Story, mesh};

/// A time as people read it: seconds and milliseconds.
#[must_use]
pub fn clock(ms: u64) -> String {
    format!("{:>9.3}", ms as f64 / 1000.0)
}

/// A length of time: `300 ms`, `5 s`, `2.5 min`.
#[must_use]
pub fn span(ms: u64) -> String {
    let whole = |unit: f64| {
        let text = format!("{:.2}", ms as f64 / unit);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..120_000 => format!("{} s", whole(1_000.0)),
        120_000..7_200_000 => format!("{} min", whole(60_000.0)),
        7_200_000..172_800_000 => format!("{} h", whole(3_600_000.0)),
        _ => format!("{} days", whole(86_400_000.0)),
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<usize> = (0..self.hosts.len()).collect();
        writeln!(f, "{}, with dice of seed {}", self.name, self.seed)?;
        writeln!(f, "  hosts: {}", names::hosts(&all))?;
        for (index, host) in self.hosts.iter().enumerate() {
            let own = names::host(index);
            if host.person != own {
                writeln!(f, "  {own} is a device of {}", host.person)?;
            }
            if host.clock_ms != 0 {
                writeln!(f, "  {own}'s wall clock is {}", off(host.clock_ms))?;
            }
            if host.hostile {
                writeln!(f, "  {own} is hostile")?;
            }
        }
        if self.edges != mesh(self.hosts.len()) {
            let pairs: Vec<String> =
                self.edges.iter().map(|(a, b)| format!("{}–{}", names::host(*a), names::host(*b))).collect();
            writeln!(f, "  links: {}", list(&pairs))?;
        }
        writeln!(f, "  network: {}", self.weather)?;
        if self.late_ms > 0 {
            writeln!(f, "  timers are up to {} late", span(self.late_ms))?;
        }
        for (at, step) in &self.steps {
            writeln!(f, "{}  {step}", clock(*at))?;
        }
        write!(f, "{}  the end", clock(self.until))
    }
}

impl fmt::Display for Someone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.who {
            Who::Person => f.write_str(&names::host(self.host)),
            Who::Guest => write!(f, "{}'s guest", names::host(self.host)),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shortest, longest) = (self.latency.start(), self.latency.end());
        match shortest == longest {
            true => write!(f, "every frame takes {shortest} ms")?,
            false => write!(f, "a frame takes {shortest} to {longest} ms")?,
        }
        if self.loss > 0 {
            write!(f, ", {} % are lost", f64::from(self.loss) / 10.0)?;
        }
        if self.doubled > 0 {
            write!(f, ", {} % come twice", f64::from(self.doubled) / 10.0)?;
        }
        if self.reorder {
            f.write_str(", and frames overtake each other")?;
        }
        if let Some(queue) = self.queue {
            let goes = match queue.drops {
                Drops::Oldest => "oldest",
                Drops::Newest => "newest",
            };
            write!(f, "; a link needs {} ms a frame and holds {}, then the {goes} goes", queue.pace_ms, queue.frames)?;
        }
        Ok(())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Set(fields) => write!(f, "sets {}", list(fields)),
            Change::Replace(fields) => write!(f, "sets {} and nothing else", list(fields)),
            Change::Unset(fields) => write!(f, "removes {}", list(fields)),
            Change::Expire { field, ms } => write!(f, "sets {field} for {}", span(*ms)),
        }
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Edit::Move => "moves",
            Edit::Resize => "resizes",
            Edit::Raise => "raises",
            Edit::Paint => "paints",
            Edit::Write => "writes on",
        })
    }
}

impl fmt::Display for FrameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FrameKind::Delta => "changes",
            FrameKind::Beat => "heartbeats",
            FrameKind::Leave => "leaves",
            FrameKind::Full => "whole records",
            FrameKind::Ask => "questions",
            FrameKind::Cells => "cells",
        })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} joins", self.someone)?;
        if let Some(member) = &self.member {
            write!(f, " as “{member}”")?;
        }
        self.lease_s.map_or(Ok(()), |lease| write!(f, " with a lease of {lease} s"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |host: &usize| names::host(*host);
        let under = |member: &Option<String>| member.as_ref().map(|id| format!(" as “{id}”")).unwrap_or_default();
        match self {
            Step::Start { host } => write!(f, "{} starts", name(host)),
            Step::Join(entry) => entry.fmt(f),
            Step::Presence { by, member, change } => write!(f, "{by}{} {change}", under(member)),
            Step::Moving { by, field, every_ms, ms } => {
                write!(f, "{by} moves {field} every {every_ms} ms for {}", span(*ms))
            }
            Step::Metadata { host, key, delete: false } => write!(f, "{} writes the room's {key}", name(host)),
            Step::Metadata { host, key, delete: true } => write!(f, "{} deletes the room's {key}", name(host)),
            Step::Lock { host, on: true } => write!(f, "{} locks the room", name(host)),
            Step::Lock { host, on: false } => write!(f, "{} unlocks the room", name(host)),
            Step::NameHost { host, whom, on: true } => write!(f, "{} names {} a host", name(host), name(whom)),
            Step::NameHost { host, whom, on: false } => write!(f, "{} names {} a host no more", name(host), name(whom)),
            Step::Void { host, whom, on: true } => write!(f, "{} voids what {} wrote", name(host), name(whom)),
            Step::Void { host, whom, on: false } => write!(f, "{} lets what {} wrote count", name(host), name(whom)),
            Step::Note { host, note, edit } => write!(f, "{} {edit} the note “{note}”", name(host)),
            Step::RemoveNote { host, note } => write!(f, "{} removes the note “{note}”", name(host)),
            Step::Say { by, key: None } => write!(f, "{by} says something"),
            Step::Say { by, key: Some(key) } => write!(f, "{by} says something, once, as “{key}”"),
            Step::Leave { by, member } => write!(f, "{by}{} leaves", under(member)),
            Step::Crash { host, farewell: true } => write!(f, "{} is killed", name(host)),
            Step::Crash { host, farewell: false } => write!(f, "{} loses power", name(host)),
            Step::Quit { host } => write!(f, "{} quits", name(host)),
            Step::Sleep { host, ms } => write!(f, "{} sleeps for {}", name(host), span(*ms)),
            Step::Clock { host, off_ms } => write!(f, "{}'s wall clock is set and is {}", name(host), off(*off_ms)),
            Step::Unplug { host, ms } => write!(f, "{}'s cable is out for {}", name(host), span(*ms)),
            Step::Partition { parts } => {
                let parts: Vec<String> =
                    parts.iter().filter(|part| !part.is_empty()).map(|part| names::hosts(part)).collect();
                write!(f, "the network falls into {}", parts.join(" | "))
            }
            Step::Cut { a, b } => write!(f, "the wire between {} and {} is cut", name(a), name(b)),
            Step::Mend { a, b } => write!(f, "the wire between {} and {} is mended", name(a), name(b)),
            Step::Deafen { from, to } => write!(f, "{} hears nothing of {} any more", name(to), name(from)),
            Step::MendAll => f.write_str("every wire is mended"),
            Step::Weather { between: None, faults } => write!(f, "the network turns: {faults}"),
            Step::Weather { between: Some((from, to)), faults } => {
                write!(f, "the way from {} to {} turns: {faults}", name(from), name(to))
            }
            Step::Lose { kind, ms } => write!(f, "all {kind} are lost for {}", span(*ms)),
            Step::Heal => f.write_str("everything heals"),
            Step::Replay { host, via, frames } => {
                write!(f, "{frames} old frames reach {} again by way of {}", name(host), name(via))
            }
            Step::Forge { host, frames } => {
                write!(f, "{frames} old frames reach {} in a stranger's name", name(host))
            }
            Step::Lie { host, lie } => write!(f, "{} {lie}", name(host)),
            Step::Expect { what, within_ms: 0 } => write!(f, "expected: {what}"),
            Step::Expect { what, within_ms } => write!(f, "expected within {}: {what}", span(*within_ms)),
        }
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = |observers: &[usize]| match observers {
            [] => "everybody".to_owned(),
            some => names::hosts(some),
        };
        match self {
            Expect::Agreement => f.write_str("all agree"),
            Expect::Sees { observers, of, field } => {
                write!(f, "what {of} wrote to {field} has reached {}", who(observers))
            }
            Expect::Knows { observers, of } => write!(f, "{of} is known to {}", who(observers)),
            Expect::Gone { of } => write!(f, "{of} is in nobody's list"),
            Expect::NobodyLeft { since_ms } => write!(f, "nobody left since {}", clock(*since_ms).trim_start()),
            Expect::Asked { since_ms, asked: true } => {
                write!(f, "somebody asked since {}", clock(*since_ms).trim_start())
            }
            Expect::Asked { since_ms, asked: false } => {
                write!(f, "nobody asked since {}", clock(*since_ms).trim_start())
            }
            Expect::Members { observer, count } => write!(f, "{} lists {count} members", names::host(*observer)),
        }
    }
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |host: &usize| names::host(*host);
        match self {
            Lie::TheirMemberId { victim } => write!(f, "joins under the own id of {}", name(victim)),
            Lie::TheirGuest { victim } => write!(f, "shows {}'s guest as its own", name(victim)),
            Lie::ChangeHands => f.write_str("gives its record another id and another owner"),
            Lie::TheirLeave { victim } => write!(f, "says leave for {}", name(victim)),
            Lie::TheirFrames { victim, frames } => {
                write!(f, "sends {frames} frames of {} as its own", name(victim))
            }
            Lie::TheirCertificate { victim } => write!(f, "shows the certificate of {}", name(victim)),
            Lie::TooLarge => f.write_str("sends values over every limit"),
            Lie::TooDeep => f.write_str("sends values nested too deep"),
            Lie::Stamp { hlc } => write!(f, "writes a cell with {hlc} on its clock"),
            Lie::TheirCell { victim } => write!(f, "forges a cell of {}", name(victim)),
            Lie::Sessions { count } => write!(f, "invents {count} sessions"),
            Lie::Tombstones { count } => write!(f, "buries {count} records that never were"),
            Lie::Asks { count } => write!(f, "asks {count} times"),
            Lie::SyncUnasked => f.write_str("sends what belongs to an exchange that nobody began"),
            Lie::LastNumbers => f.write_str("counts as far as a number goes"),
            Lie::LastBoot { victim } => {
                write!(f, "claims the last boot of its own profile and of {}'s", name(victim))
            }
            Lie::Usurp { victim } => write!(f, "decides over the room as if it were a host, and over {}", name(victim)),
            Lie::FalseWitness { victim } => write!(f, "bears false witness of all, and unasked of {}", name(victim)),
            Lie::FalseHashes => f.write_str("beats with hashes that nobody has"),
            Lie::Garbage { count } => write!(f, "sends {count} frames of garbage"),
        }
    }
}

fn off(ms: i64) -> String {
    match ms {
        0 => "right".to_owned(),
        1.. => format!("{} fast", span(ms.unsigned_abs())),
        _ => format!("{} slow", span(ms.unsigned_abs())),
    }
}
