//! `cargo xtask mutants`: the rules of the core are broken one by one, and each time a test has to notice.
//!
//! A test that passes says little by itself; that it fails when the rule is broken says what it is worth. [`list`] is the
//! list of what is broken and how, [`together`] puts all of it into one program that is told which rule to break, [`slot`]
//! builds it, [`trial`] runs tests until one fails. First come the core's own tests; what they let pass goes to the
//! simulator.

mod list;
mod slot;
mod together;
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
use crate::mutants::together::Together;
use crate::mutants::trial::{Ending, Failure, Program};
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
    jobs: Option<usize>,
    /// Build each by itself instead of all in one program: slow, and it names what does not compile
    #[arg(long)]
    apart: bool,
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
    let started = Instant::now();
    let fates = run(workspace, &sources, &list, options)?;
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

/// All that can be chosen are in one build and tested side by side, then the others one by one.
fn run(workspace: &Workspace, sources: &Sources, list: &[Mutation], options: &Options) -> Result<Vec<Fate>> {
    // What is built by itself has a place of its own, so that the program of all the others stays as it was built.
    let (slot, alone) = (Slot::open(workspace, "together", sources)?, Slot::open(workspace, "apart", sources)?);
    let together = if options.apart { Together::none(list) } else { Together::of(list, sources)? };
    slot.lay(sources, &together.files)?;
    let tests = Tests::build(workspace, &slot)?.map_err(anyhow::Error::msg).context("the core does not compile")?;
    let limits = tests.unbroken(workspace)?;
    let (sender, done) = channel();
    let next = &AtomicUsize::new(0);
    let jobs = options.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    std::thread::scope(|scope| {
        let (tests, limits, together, alone) = (&tests, &limits, &together, &alone);
        let workers: Vec<_> = (0..jobs.max(1))
            .map(|_| {
                let sender = sender.clone();
                scope.spawn(move || {
                    while let Some(at) = pick(next, &together.chosen) {
                        let started = Instant::now();
                        let fate = tests.fate(workspace, Some(at + 1), limits);
                        let _ = sender.send((at, fate, started.elapsed()));
                    }
                })
            })
            .collect();
        scope.spawn(move || {
            workers.into_iter().for_each(|worker| drop(worker.join()));
            for (at, mutation) in list.iter().enumerate().filter(|(at, _)| !together.chosen[*at]) {
                let started = Instant::now();
                let fate = apart(workspace, alone, sources, mutation, limits);
                let failed = fate.is_err();
                if sender.send((at, fate, started.elapsed())).is_err() || failed {
                    break;
                }
            }
        });
        let fates = collect(list, done.iter());
        // Whoever works takes up no other when one failed.
        next.store(list.len(), Ordering::Relaxed);
        fates
    })
}

fn pick(next: &AtomicUsize, chosen: &[bool]) -> Option<usize> {
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        if *chosen.get(at)? {
            return Some(at);
        }
    }
}

/// Prints what comes in, as it comes.
fn collect(list: &[Mutation], done: impl Iterator<Item = (usize, Result<Fate>, Duration)>) -> Result<Vec<Fate>> {
    let mut fates = BTreeMap::new();
    for (at, fate, took) in done {
        let fate = fate?;
        row(&list[at], &fate, took);
        fates.insert(at, fate);
    }
    if fates.len() < list.len() {
        bail!("only {} of {} mutations were tested", fates.len(), list.len());
    }
    Ok(fates.into_values().collect())
}

/// The test programs of a build, in the order of asking.
struct Tests(Vec<(Suite, Vec<Program>)>);

impl Tests {
    /// Builds them; the compiler's words when it refuses.
    fn build(workspace: &Workspace, slot: &Slot) -> Result<std::result::Result<Self, String>> {
        let mut tests = Vec::new();
        for suite in Suite::ALL {
            match slot.build(workspace, suite)? {
                Ok(programs) if programs.is_empty() => bail!("cargo names no test program of {}", suite.name()),
                Ok(programs) => tests.push((suite, programs)),
                Err(words) => return Ok(Err(words)),
            }
        }
        Ok(Ok(Self(tests)))
    }

    /// Tests that fail with no rule broken would catch everything.
    fn unbroken(&self, workspace: &Workspace) -> Result<Limits> {
        let mut limits = Limits::new();
        for (suite, programs) in &self.0 {
            let started = Instant::now();
            for program in programs {
                if let Ending::Failed(failure) = trial::run(workspace, program, None, Duration::from_secs(600))? {
                    bail!("{failure} fails with no rule broken");
                }
            }
            limits.insert(suite.name(), started.elapsed() * 4 + Duration::from_secs(10));
        }
        Ok(limits)
    }

    /// Asks them, with a mutation chosen or built in.
    fn fate(&self, workspace: &Workspace, chosen: Option<usize>, limits: &Limits) -> Result<Fate> {
        for (suite, programs) in &self.0 {
            let limit = limits.get(suite.name()).copied().unwrap_or(Duration::MAX);
            for program in programs {
                if let Ending::Failed(failure) = trial::run(workspace, program, chosen, limit)? {
                    return Ok(Fate::Caught(failure));
                }
            }
        }
        Ok(Fate::Survived)
    }
}

/// Builds one mutation by itself, and asks the tests.
fn apart(workspace: &Workspace, slot: &Slot, sources: &Sources, mutation: &Mutation, limits: &Limits) -> Result<Fate> {
    let path = Path::new(SOURCES).join(&mutation.entry.file);
    let mutated = mutation.applied(sources.text(&path)?)?;
    slot.lay(sources, &BTreeMap::from([(path, mutated)]))?;
    match Tests::build(workspace, slot)? {
        Ok(tests) => tests.fate(workspace, None, limits),
        Err(words) => Ok(Fate::Refused(words)),
    }
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
