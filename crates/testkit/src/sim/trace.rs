//! What happened, line by line: readable, and hashed so that two runs can be held against each other.

use std::collections::VecDeque;
use std::fmt;

/// The last lines of a run and the hash of all of them.
pub struct Trace {
    lines: VecDeque<String>,
    keep: usize,
    hasher: blake3::Hasher,
    count: u64,
}

impl Trace {
    /// Keeps the last `keep` lines.
    #[must_use]
    pub fn keeping(keep: usize) -> Self {
        Trace { lines: VecDeque::new(), keep, hasher: blake3::Hasher::new(), count: 0 }
    }

    /// Adds a line.
    pub fn line(&mut self, at_ms: u64, text: fmt::Arguments<'_>) {
        let line = format!("{:>9.3}  {text}", at_ms as f64 / 1000.0);
        self.hasher.update(line.as_bytes()).update(b"\n");
        self.count += 1;
        if self.lines.len() >= self.keep {
            self.lines.pop_front();
        }
        if self.keep > 0 {
            self.lines.push_back(line);
        }
    }

    /// The hash of every line so far.
    #[must_use]
    pub fn hash(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }

    /// How many lines there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The lines that are kept.
    pub fn tail(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }
}
