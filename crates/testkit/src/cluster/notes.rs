//! What the cluster writes down while real peers run: the story's clock, every value that was written and by whom, what
//! each process was told, and the first rule that was broken. The tasks that listen to peers write here too.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use parlor::{Event, RoomEvent};
use parlor_core::RowKey;

use super::failure::Failure;
use super::witness::{self, Authors, Run, Witness};
use crate::story::tell::clock;
use crate::story::{Someone, Who, names};

/// Lines of what happened that a failure shows.
const LINES: usize = 150;

/// Shared by the cluster and everything that runs for it.
pub(crate) struct Notes(Mutex<Inner>);

pub(crate) struct Inner {
    began: Instant,
    stood: Duration,
    stands: Option<Instant>,
    value: u64,
    runs: Run,
    authors: Authors,
    /// By computer, while its program runs.
    pub witnesses: BTreeMap<usize, Witness>,
    /// The value that somebody wrote last to a field, and to which row.
    written: BTreeMap<(usize, Who, String), (RowKey, u64)>,
    /// Who was told when that whose member left.
    pub left: Vec<(u64, usize, String)>,
    /// Events told.
    pub events: u64,
    broken: Option<(&'static str, usize, String)>,
    lines: VecDeque<String>,
}

impl Notes {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Inner {
            began: Instant::now(),
            stood: Duration::ZERO,
            stands: None,
            value: 0,
            runs: 0,
            authors: Authors::new(),
            witnesses: BTreeMap::new(),
            written: BTreeMap::new(),
            left: Vec::new(),
            events: 0,
            broken: None,
            lines: VecDeque::new(),
        }))
    }

    /// Everything under the lock is changed in whole steps, so a panic elsewhere left nothing half done.
    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds of the story.
    pub(crate) fn now(&self) -> u64 {
        self.inner().now()
    }

    /// The story's clock begins at nought.
    pub(crate) fn begin(&self) {
        let mut inner = self.inner();
        (inner.began, inner.stood, inner.stands) = (Instant::now(), Duration::ZERO, None);
    }

    /// The story's clock stands still until [`Notes::go`].
    pub(crate) fn stand(&self) {
        self.inner().stands.get_or_insert_with(Instant::now);
    }

    pub(crate) fn go(&self) {
        let mut inner = self.inner();
        if let Some(since) = inner.stands.take() {
            inner.stood += since.elapsed();
        }
    }

    pub(crate) fn say(&self, what: impl Display) {
        self.inner().line(&what);
    }

    /// A program starts on a computer, and is an observer from now on.
    pub(crate) fn started(&self, host: usize) -> Run {
        let mut inner = self.inner();
        inner.runs += 1;
        let run = inner.runs;
        inner.witnesses.insert(host, Witness::new(run));
        run
    }

    pub(crate) fn ended(&self, host: usize) {
        self.inner().witnesses.remove(&host);
    }

    /// A number that was never written before and is greater than all before it.
    pub(crate) fn fresh(&self, run: Run) -> u64 {
        let mut inner = self.inner();
        inner.value += 1;
        let value = inner.value;
        inner.authors.insert(value, run);
        value
    }

    pub(crate) fn wrote(&self, by: Someone, fields: &[String], row: &RowKey, value: u64) {
        let mut inner = self.inner();
        for field in fields {
            inner.written.insert((by.host, by.who, field.clone()), (row.clone(), value));
        }
    }

    /// What somebody wrote last to a field, and to which row.
    pub(crate) fn written_last(&self, of: Someone, field: &str) -> Option<(RowKey, u64)> {
        self.inner().written.get(&(of.host, of.who, field.to_owned())).cloned()
    }

    /// A run of a program was told something.
    pub(crate) fn told(&self, host: usize, run: Run, event: &RoomEvent) {
        let mut inner = self.inner();
        let Inner { witnesses, authors, .. } = &mut *inner;
        // What a stream still holds of a process that ended, nobody was told.
        let Some(witness) = witnesses.get_mut(&host).filter(|witness| witness.run == run) else { return };
        let judged = witness.told(event, authors);
        inner.events += 1;
        inner.line(&format_args!("  {}: {}", names::host(host), witness::tell(event)));
        if let RoomEvent::Change(Event::Left { member, reason }) = event {
            let (now, whose) = (inner.now(), format!("{} left, {reason:?}", witness::name(member)));
            inner.left.push((now, host, whose));
        }
        if let Err((rule, detail)) = judged {
            inner.breaks(rule, host, detail);
        }
    }

    /// A rule is broken; the first one counts.
    pub(crate) fn broken(&self, rule: &'static str, host: usize, detail: String) {
        self.inner().breaks(rule, host, detail);
    }

    /// Whether no rule is broken yet.
    pub(crate) fn intact(&self) -> Result<(), Failure> {
        let inner = self.inner();
        match inner.broken.clone() {
            None => Ok(()),
            Some((rule, host, detail)) => {
                Err(Failure::Broken { rule, host: names::host(host), detail, log: inner.log() })
            }
        }
    }

    /// What happened last, line by line.
    pub(crate) fn log(&self) -> String {
        self.inner().log()
    }
}

impl Inner {
    fn now(&self) -> u64 {
        let stands = self.stands.map_or(Duration::ZERO, |since| since.elapsed());
        let runs = self.began.elapsed().saturating_sub(self.stood).saturating_sub(stands);
        u64::try_from(runs.as_millis()).unwrap_or(u64::MAX)
    }

    fn line(&mut self, what: &dyn Display) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(format!("{}  {what}", clock(self.now())));
    }

    fn breaks(&mut self, rule: &'static str, host: usize, detail: String) {
        self.line(&format_args!("BROKEN “{rule}” at {}: {detail}", names::host(host)));
        self.broken.get_or_insert((rule, host, detail));
    }

    fn log(&self) -> String {
        self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }
}
