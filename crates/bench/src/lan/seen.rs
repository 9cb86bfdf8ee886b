//! How soon people see somebody new, and somebody who restarted.

use std::time::Instant;

use parlor_testkit::netns::{Host, Lan};

use super::{Person, Seeing, all_see, gather, latest};
use crate::report::Figure;
use crate::samples::Samples;

/// Newcomers, each on a host of its own that nobody heard of before.
const NEWCOMERS: usize = 15;
const RESTARTS: usize = 10;

pub(super) fn figures() -> anyhow::Result<Vec<Figure>> {
    let mut figures = newcomers()?;
    figures.extend(restarts()?);
    Ok(figures)
}

/// From the start of a new peer, its profile still to be made, until all see each other.
fn newcomers() -> anyhow::Result<Vec<Figure>> {
    eprintln!("{NEWCOMERS} newcomers, one after the other");
    let (lan, folder) = (Lan::new(2 + NEWCOMERS)?, tempfile::tempdir()?);
    let (homes, others) = lan.hosts().split_at(2);
    let there = gather(homes, &folder)?;
    let mut took = Samples::default();
    for (number, host) in (2..).zip(others) {
        let (began, seen, new) = come(&there, host, folder.path(), number, 0)?;
        took.add(seen - began);
        new.leave();
        all_see(&there, 0)?;
    }
    Ok(vec![
        Figure::alone("first sight of a new peer: median", took.quantile(0.5), "ms").at_most(1_000.0),
        Figure::alone("first sight of a new peer: worst", took.quantile(1.0), "ms").at_most(3_000.0),
    ])
}

/// Somebody starts on a host: when, when the last saw everybody, and who it is.
fn come(
    there: &[Person],
    host: &Host,
    folder: &std::path::Path,
    number: u64,
    step: u64,
) -> anyhow::Result<(Instant, Instant, Person)> {
    let numbers: Vec<u64> = there.iter().map(|person| person.number).chain([number]).collect();
    let mut seeing: Vec<Seeing> = there.iter().map(|person| person.sees(&numbers, step)).collect();
    let began = Instant::now();
    let new = Person::start(host, folder, number)?;
    seeing.push(new.sees(&numbers, step));
    Ok((began, latest(seeing)?, new))
}

/// From the start of a peer whose process died until the others see what it says now.
fn restarts() -> anyhow::Result<Vec<Figure>> {
    eprintln!("{RESTARTS} crashes and restarts");
    let (lan, folder) = (Lan::new(3)?, tempfile::tempdir()?);
    let mut people = gather(lan.hosts(), &folder)?;
    let mut took = Samples::default();
    for _ in 0..RESTARTS {
        if let Some(person) = people.pop() {
            // The others see it active until then, and at another step: its row is not its new session's.
            person.step(9)?;
            let others: Vec<Seeing> = people.iter().map(|other| other.sees(&[0, 1], 0)).collect();
            person.crash();
            latest(others)?;
        }
        let (began, seen, again) = come(&people, lan.host(2)?, folder.path(), 2, 0)?;
        took.add(seen - began);
        people.push(again);
    }
    Ok(vec![
        Figure::alone("a restarted peer is seen: median", took.quantile(0.5), "ms"),
        Figure::alone("a restarted peer is seen: worst", took.quantile(1.0), "ms").at_most(1_000.0),
    ])
}
