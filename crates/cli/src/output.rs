//! Writing to the terminal. Names and texts come from other people, so nothing they contain may steer the terminal;
//! and a reader that closes its end (`parlor watch room | head -1`) ends the command without a word.

use std::io::{self, Write};

use crate::failure::Failure;

/// Writes one line of data to standard output.
pub(crate) fn print(line: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::OutputClosed,
        _ => Failure::Failed(format!("cannot write to standard output: {error}")),
    })
}

/// Writes one line for a person to standard error. When nobody reads that, there is nobody to tell.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", harmless(line));
}

/// Text with everything taken out that a terminal obeys: control characters, and marks that reorder the line.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|letter| if steers(letter) && letter != '\n' { '\u{fffd}' } else { letter }).collect()
}

/// JSON with the same characters escaped; in JSON they stand inside strings only.
pub(crate) fn harmless_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for letter in json.trim_end().chars() {
        match letter {
            letter if steers(letter) => safe.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => safe.push(letter),
        }
    }
    safe
}

fn steers(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\u{9b}c\u{202e}d"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d");
        let json = serde_json::json!({"name": "a\u{9b}\u{202e}é"}).to_string();
        let safe = harmless_json(&json);
        assert!(!safe.chars().any(steers));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).ok(), serde_json::from_str(&json).ok());
    }
}
