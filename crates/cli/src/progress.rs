//! What a command waits for, told to a person while it waits: one line of standard error that is gone when the wait is
//! over. Where standard error is no terminal there is nobody to tell, and nothing is written.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use console::Term;
use tokio::task::AbortHandle;

use crate::output::harmless;

/// What is over before this is not worth a line.
const UNSEEN: Duration = Duration::from_millis(400);
/// Between two looks of the line.
const EVERY: Duration = Duration::from_millis(120);
const TURNS: [char; 8] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧'];

/// A line about a wait. It goes when this is dropped.
#[derive(Default)]
pub(crate) struct Progress(Option<Ticking>);

struct Ticking {
    line: Arc<Mutex<Line>>,
    ticks: AbortHandle,
}

/// The line, and what stands in it.
struct Line {
    term: Term,
    what: String,
    since: Instant,
    is_shown: bool,
    is_over: bool,
}

impl Progress {
    /// Begins to tell what is waited for. Call it inside a Tokio runtime.
    pub(crate) fn begin(what: &str) -> Self {
        let term = Term::stderr();
        if !term.is_term() {
            return Self(None);
        }
        let line = Line { term, what: harmless(what), since: Instant::now(), is_shown: false, is_over: false };
        let line = Arc::new(Mutex::new(line));
        let ticking = Arc::clone(&line);
        let ticks = tokio::spawn(async move {
            tokio::time::sleep(UNSEEN).await;
            for turn in TURNS.into_iter().cycle() {
                held(&ticking).show(turn);
                tokio::time::sleep(EVERY).await;
            }
        });
        Self(Some(Ticking { line, ticks: ticks.abort_handle() }))
    }

    /// Tells from now on that something else is waited for.
    pub(crate) fn says(&self, what: &str) {
        if let Some(ticking) = &self.0 {
            let mut line = held(&ticking.line);
            (line.what, line.since) = (harmless(what), Instant::now());
        }
    }

    /// Ends it, so that other lines may be written.
    pub(crate) fn end(&self) {
        if let Some(ticking) = &self.0 {
            ticking.ticks.abort();
            held(&ticking.line).end();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

impl Line {
    fn show(&mut self, turn: char) {
        // An abort does not stop what runs already.
        if self.is_over {
            return;
        }
        let text = format!("{turn} {} ({} s)", self.what, self.since.elapsed().as_secs());
        let width = usize::from(self.term.size().1).saturating_sub(1);
        self.is_shown = true;
        // A terminal that takes nothing needs no line either.
        let _ = self.term.clear_line();
        let _ = self.term.write_str(&console::truncate_str(&text, width, "…"));
    }

    fn end(&mut self) {
        if self.is_shown && !self.is_over {
            let _ = self.term.clear_line();
        }
        self.is_over = true;
    }
}

fn held(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}
