//! A recording as a test in Rust, with all that it needs in it.

use std::fmt::Write;

use data_encoding::BASE64;

use crate::error::Error;

use super::recording::{Recording, invalid};

/// Characters of a line of data.
const LINE: usize = 116;

impl Recording {
    /// A test of this name, in Rust, that plays it. It claims that no rule is broken. Where none is by this program, it claims
    /// the state too that is reached at the end: so it holds now, and fails where a fault comes back; where one is, it fails
    /// now, and holds when the fault is mended.
    ///
    /// # Errors
    /// `INVALID_RECORDING` when this program cannot play it.
    pub fn as_test(&self, name: &str) -> Result<String, Error> {
        let outcome = self.outcome()?;
        let name = identifier(name);
        let (words, claim) = match &outcome.broken {
            Some(broken) => (format!("It was made of a replica that broke a rule: {broken}."), String::new()),
            None => (
                format!("{} steps, after which the state is one and the same.", outcome.steps),
                format!("    assert_eq!(outcome.hash, {:?}, \"another state at the end\");\n", outcome.hash),
            ),
        };
        let mut out = format!(
            "//! What the replica of {} was given, as {} recorded it.\n//!\n//! {words}\n\n\
             /// Given the same again, it keeps every rule.\n#[test]\npub(crate) fn {name}() {{\n    \
             let recording = parlor_core::Recording::from_text(RECORDING).expect(\"a recording\");\n    \
             let outcome = recording.outcome().expect(\"a recording that this program can play\");\n    \
assert_eq!(outcome.broken.map(|broken| broken.to_string()), None);\n\
             {claim}}}\n\nconst RECORDING: &str = \"\n",
            self.session().short(),
            if self.program().is_empty() { "a program" } else { self.program() },
        );
        let text = BASE64.encode(&self.write());
        for line in text.as_bytes().chunks(LINE) {
            let _ = writeln!(out, "{}", String::from_utf8_lossy(line));
        }
        out.push_str("\";\n");
        Ok(out)
    }

    /// Reads a file that was written as base64, with space anywhere in it.
    ///
    /// # Errors
    /// As [`Recording::read`].
    pub fn from_text(text: &str) -> Result<Recording, Error> {
        let text: String = text.split_whitespace().collect();
        Recording::read(&BASE64.decode(text.as_bytes()).map_err(|_| invalid("it is not base64"))?)
    }
}

/// A name that a function may have.
fn identifier(name: &str) -> String {
    let word = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
    let name: String = name.chars().map(word).collect();
    let name = name.trim_matches('_');
    match name.chars().next() {
        None => "recorded".to_owned(),
        Some(digit) if digit.is_ascii_digit() => format!("recorded_{name}"),
        Some(_) => name.to_owned(),
    }
}
