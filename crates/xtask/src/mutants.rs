//! `cargo xtask mutants`: the rules of the core are broken one by one, and each time a test has to notice.
//!
//! A test that passes says little by itself; that it fails when the rule is broken says what it is worth. [`list`] is the
//! list of what is broken and how, [`slot`] builds the core with one of them, [`trial`] runs tests until one fails. First
//! come the core's own tests, which take seconds; what they let pass goes to the simulator and the property tests.

mod list;
mod slot;
mod trial;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use console::style;
use serde_json::json;

use crate::mutants::list::{Mutation, SOURCES};
use crate::mutants::slot::{Slot, Sources, Suite};
use crate::mutants::trial::{Ending, Failure};
use crate::step::seconds;
use crate::workspace::Workspace;

/// Options of `cargo xtask mutants`.
#[derive(Args)]
pub struct Options {
    /// Only these: an id, or a rule (R4) for all that break it
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
    /// Say what is on the list, and run nothing
    #[arg(long)]
    list: bool,
    /// How many are tested at a time; as many as there are processors when not given
    #[arg(long, value_name = "N")]
    slots: Option<usize>,
    /// Write what came of each to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What came of a mutation.
#[derive(Debug)]
enum Fate {
    Caught(Failure),
    Survived,
    /// It is no mutation: the compiler refuses it, with these words.
    Refused(String),
}

/// How long a run may take, for each suite: a few times what it takes with no rule broken.
type Limits = BTreeMap<&'static str, Duration>;

/// Tests all mutations, or those that are named, and says which test caught which.
pub fn mutants(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let mut list = list::read(&workspace.root)?;
    if let Some(unknown) = options.only.iter().find(|text| !list.iter().any(|mutation| mutation.is_meant(text))) {
        bail!("there is no mutation {unknown}; cargo xtask mutants --list names all");
    }
    if !options.only.is_empty() {
        list.retain(|mutation| options.only.iter().any(|text| mutation.is_meant(text)));
    }
    if options.list {
        list.iter().for_each(|mutation| println!("{:<44} {}", mutation.id, mutation.entry.harm));
        return Ok(ExitCode::SUCCESS);
    }
    let sources = Sources::read(&workspace.root)?;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let slots = options.slots.unwrap_or(processors).clamp(1, list.len().max(1));
    let started = Instant::now();
    let fates = run(workspace, &sources, &list, slots)?;
    eprintln!("  {} mutations in {}", list.len(), seconds(started.elapsed()));
    if let Some(file) = &options.json {
        std::fs::write(file, report(&list, &fates)).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let caught = fates.iter().filter(|fate| matches!(fate, Fate::Caught(_))).count();
    println!("caught {caught} of {}", list.len());
    let ok = list.iter().zip(&fates).all(|(mutation, fate)| is_as_said(mutation, fate));
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One that is called equivalent survives, every other is caught.
fn is_as_said(mutation: &Mutation, fate: &Fate) -> bool {
    match fate {
        Fate::Caught(_) => mutation.entry.equivalent.is_none(),
        Fate::Survived => mutation.entry.equivalent.is_some(),
        Fate::Refused(_) => false,
    }
}

/// Shares the list out to the slots; rows are printed in the order of the list.
fn run(workspace: &Workspace, sources: &Sources, list: &[Mutation], slots: usize) -> Result<Vec<Fate>> {
    let next = AtomicUsize::new(0);
    let (sender, done) = channel();
    std::thread::scope(|scope| {
        for number in 0..slots {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                let work = || -> Result<()> {
                    let slot = Slot::open(workspace, number, sources)?;
                    let limits = unbroken(workspace, &slot, sources)?;
                    while let Some((at, mutation)) = pick(next, list) {
                        let started = Instant::now();
                        let fate = fate(workspace, &slot, sources, mutation, &limits)?;
                        let _ = sender.send(Ok((at, fate, started.elapsed())));
                    }
                    Ok(())
                };
                if let Err(error) = work() {
                    // Nobody takes up another.
                    next.store(list.len(), Ordering::Relaxed);
                    let _ = sender.send(Err(error));
                }
            });
        }
        drop(sender);
        collect(list, done.iter())
    })
}

fn pick<'a>(next: &AtomicUsize, list: &'a [Mutation]) -> Option<(usize, &'a Mutation)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    list.get(at).map(|mutation| (at, mutation))
}

/// Prints what comes in, each when all before it are there.
fn collect(list: &[Mutation], done: impl Iterator<Item = Result<(usize, Fate, Duration)>>) -> Result<Vec<Fate>> {
    let mut waiting = BTreeMap::new();
    let mut fates = Vec::new();
    for message in done {
        let (at, fate, took) = message?;
        waiting.insert(at, (fate, took));
        while let Some((fate, took)) = waiting.remove(&fates.len()) {
            if let Some(mutation) = list.get(fates.len()) {
                row(mutation, &fate, took);
            }
            fates.push(fate);
        }
    }
    if fates.len() < list.len() {
        bail!("only {} of {} mutations were tested", fates.len(), list.len());
    }
    Ok(fates)
}

/// Tests that fail with no rule broken would catch everything.
fn unbroken(workspace: &Workspace, slot: &Slot, sources: &Sources) -> Result<Limits> {
    slot.lay(sources, None)?;
    let mut limits = Limits::new();
    for suite in Suite::ALL {
        let programs =
            slot.build(workspace, suite)?.map_err(anyhow::Error::msg).context("the core does not compile")?;
        if programs.is_empty() {
            bail!("cargo names no test program of the suite {}", suite.name());
        }
        let started = Instant::now();
        for program in &programs {
            if let Ending::Failed(failure) = trial::run(workspace, program, Duration::from_secs(600))? {
                bail!("{failure} fails with no rule broken");
            }
        }
        limits.insert(suite.name(), started.elapsed() * 4 + Duration::from_secs(10));
    }
    Ok(limits)
}

/// Breaks one rule and asks the tests.
fn fate(workspace: &Workspace, slot: &Slot, sources: &Sources, mutation: &Mutation, limits: &Limits) -> Result<Fate> {
    let path = Path::new(SOURCES).join(&mutation.entry.file);
    let mutated = mutation.applied(sources.text(&path)?)?;
    slot.lay(sources, Some((&path, &mutated)))?;
    for suite in Suite::ALL {
        let programs = match slot.build(workspace, suite)? {
            Ok(programs) => programs,
            Err(words) => return Ok(Fate::Refused(words)),
        };
        let limit = limits.get(suite.name()).copied().unwrap_or(Duration::MAX);
        for program in &programs {
            if let Ending::Failed(failure) = trial::run(workspace, program, limit)? {
                return Ok(Fate::Caught(failure));
            }
        }
    }
    Ok(Fate::Survived)
}

fn row(mutation: &Mutation, fate: &Fate, took: Duration) {
    let mark = if is_as_said(mutation, fate) { style("✓").green() } else { style("✗").red() };
    let said = match (fate, &mutation.entry.equivalent) {
        (Fate::Caught(failure), None) => failure.to_string(),
        (Fate::Caught(failure), Some(_)) => format!("is called equivalent, but {failure} catches it"),
        (Fate::Survived, Some(invariant)) => format!("equivalent: {invariant}"),
        (Fate::Survived, None) => format!("nobody notices: {}", mutation.entry.harm),
        (Fate::Refused(_), _) => "does not compile".to_owned(),
    };
    println!("{mark} {:<44} {:>7}  {said}", mutation.id, seconds(took));
    if let Fate::Refused(words) = fate {
        words.lines().for_each(|line| println!("    │ {line}"));
    }
}

/// All of it for a program to read.
fn report(list: &[Mutation], fates: &[Fate]) -> String {
    let rows = list.iter().zip(fates).map(|(mutation, fate)| {
        let by = match fate {
            Fate::Caught(failure) => Some(failure.to_string()),
            Fate::Survived | Fate::Refused(_) => None,
        };
        json!({
            "id": mutation.id,
            "rule": mutation.rule(),
            "harm": mutation.entry.harm,
            "compiles": !matches!(fate, Fate::Refused(_)),
            "caughtBy": by,
            "equivalent": mutation.entry.equivalent,
        })
    });
    format!("{:#}\n", serde_json::Value::from_iter(rows))
}
