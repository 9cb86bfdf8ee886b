//! What may not be passed on, taken out of a line that was written for its owner. Nothing that we log names anybody; but
//! libraries log too, a panic says what it likes, and a person may have asked for more than we would write.

use std::net::IpAddr;

use parlor_core::RoomId;

use crate::profile::Profile;

/// A shorter name is part of too many words.
const LETTERS_MIN: usize = 3;

/// What is known to be somebody's, and what stands for it.
pub(super) struct Redaction(Vec<(String, String)>);

impl Redaction {
    /// The folder of the profile and the home around it, the names of rooms and those of people.
    pub(super) fn of<'a>(
        profile: &Profile,
        rooms: impl Iterator<Item = RoomId>,
        people: impl Iterator<Item = &'a str>,
    ) -> Self {
        let rooms = rooms.map(|room| (room.to_string(), profile.tag(&room)));
        let people = people.map(|name| (name.to_owned(), "SOMEBODY".to_owned()));
        let folders = [(profile.dir().display().to_string(), "PROFILE".to_owned())];
        let home = directories::BaseDirs::new().map(|dirs| (dirs.home_dir().display().to_string(), "HOME".to_owned()));
        Self::new(rooms.chain(people).chain(folders).chain(home).collect())
    }

    fn new(mut words: Vec<(String, String)>) -> Self {
        words.retain(|(word, _)| word.chars().count() >= LETTERS_MIN);
        // One name may be part of another.
        words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        words.dedup();
        Self(words)
    }

    /// A line of at most so many letters, with all of that and every address taken out.
    pub(super) fn of_line(&self, line: &str, letters: usize) -> String {
        let named = self.0.iter().fold(line.to_owned(), |line, (word, instead)| line.replace(word, instead));
        without_addresses(&named).chars().take(letters).collect()
    }
}

/// The text with `…` for what stands between quotes of any kind.
pub(super) fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    for letter in text.chars() {
        match quote {
            Some(open) if open == letter => quote = None,
            Some(_) => continue,
            None if matches!(letter, '"' | '`') => {
                quote = Some(letter);
                out.push(letter);
                out.push('…');
            }
            None => {}
        }
        if quote.is_none() {
            out.push(letter);
        }
    }
    out
}

/// The text with `ADDRESS` for each address of the network.
fn without_addresses(text: &str) -> String {
    let part_of_address = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(from) = rest.find(part_of_address) {
        let (before, at) = rest.split_at(from);
        let (found, after) = at.split_at(at.find(|c: char| !part_of_address(c)).unwrap_or(at.len()));
        out.push_str(before);
        // `parlor_net::actor` has a `::ac` in it.
        let inside =
            out.chars().next_back().is_some_and(part_of_word) || after.chars().next().is_some_and(part_of_word);
        out.push_str(if !inside && is_address(found) { "ADDRESS" } else { found });
        rest = after;
    }
    out + rest
}

/// An address, a port behind it or not.
fn is_address(text: &str) -> bool {
    let text = text.trim_end_matches([':', '.']);
    let without_port = text.rsplit_once(':').map_or(text, |(address, _)| address);
    [text, without_port].iter().any(|text| text.len() > 2 && text.parse::<IpAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_replaced_the_longer_first() {
        let pairs = [("quiet harbour", "1a2b"), ("quiet", "SOMEBODY"), ("at", "NEVER")];
        let redaction = Redaction::new(pairs.map(|(word, instead)| (word.to_owned(), instead.to_owned())).to_vec());
        assert_eq!(redaction.of_line("at quiet harbour, quiet", 100), "at 1a2b, SOMEBODY");
        assert_eq!(redaction.of_line("somewhat long", 8), "somewhat");
    }

    #[test]
    fn addresses_are_taken_out_and_nothing_else() {
        for (text, left) in [
            ("dialled /ip4/192.168.1.5/tcp/4747", "dialled /ip4/ADDRESS/tcp/4747"),
            ("from 192.168.1.5:4747.", "from ADDRESS"),
            ("at [fe80::1c2d]:80 and 2001:db8::5", "at [ADDRESS]:80 and ADDRESS"),
            (
                "2026-11-29T15:04:05.123Z  WARN parlor_net::actor: bad",
                "2026-11-29T15:04:05.123Z  WARN parlor_net::actor: bad",
            ),
            ("version 0.1.0 :: dead beef", "version 0.1.0 :: dead beef"),
            ("äöü 10.0.0.1 ß", "äöü ADDRESS ß"),
        ] {
            assert_eq!(without_addresses(text), left);
        }
    }

    #[test]
    fn what_stands_in_quotes_is_taken_out() {
        assert_eq!(unquoted(r#"no entry "Quiet Otter" in `plans`"#), r#"no entry "…" in `…`"#);
        assert_eq!(unquoted("byte 3 of `never closed"), "byte 3 of `…");
        assert_eq!(unquoted("nothing"), "nothing");
    }
}
