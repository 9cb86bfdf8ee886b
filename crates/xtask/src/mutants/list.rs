//! The list of mutations: `crates/core/mutants/*.toml`, a file per family of rules, a table per mutation.
//!
//! ```toml
//! [R4-beat-hash-ignored]
//! harm = "A last change that was lost stays lost until its member moves again."
//! file = "incoming.rs"
//! find = "let behind = pulse.count > 0 && peer.records_hash() != pulse.records;"
//! with = "let behind = false;"
//! ```
//!
//! The id begins with the rule that is broken. `find` stands in the file exactly once, so that a list that the code has
//! left behind is noticed at once and not when somebody reads it. One that nobody can notice names, as `equivalent`, the
//! invariant that makes it so.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Where the list lies in the tree.
const PLACE: &str = "crates/core/mutants";
/// Where the files that it names lie.
pub const SOURCES: &str = "crates/core/src";

/// One way to break a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// The rule, and what is done to it in a few words.
    pub id: String,
    /// What it is.
    pub entry: Entry,
}

/// A table of the list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What goes wrong for somebody who uses Parlor.
    pub harm: String,
    /// The file in [`SOURCES`].
    pub file: String,
    /// A text that stands there exactly once.
    pub find: String,
    /// What stands there instead.
    pub with: String,
    /// Why no test can notice: the invariant that makes it so.
    pub equivalent: Option<String>,
}

impl Mutation {
    /// The rule that it breaks: `R4`.
    pub fn rule(&self) -> &str {
        self.id.split_once('-').map_or(&self.id, |(rule, _)| rule)
    }

    /// The file with this mutation.
    pub fn applied(&self, source: &str) -> Result<String> {
        let Entry { find, with, file, .. } = &self.entry;
        match source.matches(find.as_str()).count() {
            1 => Ok(source.replacen(find.as_str(), with, 1)),
            count => bail!("{}: this text stands in {file} {count} times and not once:\n{find}", self.id),
        }
    }

    /// Whether somebody who names `text` means this one: its id, or the beginning of it before a hyphen.
    pub fn is_meant(&self, text: &str) -> bool {
        self.id.strip_prefix(text).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }

    /// R9 before R10.
    fn order(&self) -> (char, u32, String) {
        let family = self.id.chars().next().unwrap_or(' ');
        let number = self.rule().get(1..).and_then(|number| number.parse().ok()).unwrap_or(u32::MAX);
        (family, number, self.id.clone())
    }
}

/// All mutations, in the order of their rules.
pub fn read(root: &Path) -> Result<Vec<Mutation>> {
    let place = root.join(PLACE);
    let mut list = Vec::new();
    for file in std::fs::read_dir(&place).with_context(|| format!("cannot list {}", place.display()))? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            list.extend(parse(&text).with_context(|| format!("{} is no list of mutations", path.display()))?);
        }
    }
    list.sort_by_key(Mutation::order);
    if let Some(twin) = list.windows(2).find(|pair| pair.iter().all(|mutation| mutation.id == pair[0].id)) {
        bail!("there are two mutations with the id {}", twin[0].id);
    }
    Ok(list)
}

fn parse(text: &str) -> Result<Vec<Mutation>> {
    let tables: std::collections::BTreeMap<String, Entry> = toml::from_str(text)?;
    Ok(tables.into_iter().map(|(id, entry)| Mutation { id, entry }).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{SOURCES, parse, read};

    fn root() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
    }

    #[test]
    fn every_text_stands_in_its_file_exactly_once() {
        let wrong: Vec<String> = read(root())
            .expect("a list")
            .iter()
            .filter_map(|mutation| {
                let path = root().join(SOURCES).join(&mutation.entry.file);
                let source = std::fs::read_to_string(&path).unwrap_or_default();
                match mutation.applied(&source) {
                    Ok(mutated) if mutated != source => None,
                    Ok(_) => Some(format!("{} changes nothing", mutation.id)),
                    Err(error) => Some(error.to_string()),
                }
            })
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }

    /// The rules of the design that the core keeps. A1 and A9 are shapes.
    #[test]
    fn every_rule_is_broken_somehow() {
        let list = read(root()).expect("a list");
        let broken: BTreeSet<&str> = list.iter().map(|mutation| mutation.rule()).collect();
        let rules = (2..=15).map(|n| format!("R{n}")).chain((2..=8).map(|n| format!("A{n}")));
        let rules: BTreeSet<String> = rules.chain(["A12", "N4", "N8", "N9", "N10"].map(str::to_owned)).collect();
        let unbroken: Vec<&String> = rules.iter().filter(|rule| !broken.contains(rule.as_str())).collect();
        assert!(unbroken.is_empty(), "no mutation breaks {unbroken:?}");
        let unknown: Vec<_> = broken.iter().filter(|rule| !rules.contains(**rule)).collect();
        assert!(unknown.is_empty(), "there are no rules {unknown:?} in the core");
        assert!(list.len() >= 40, "{}", list.len());
        assert!(list.iter().filter(|mutation| mutation.entry.equivalent.is_some()).count() <= 5);
        for mutation in &list {
            assert!(mutation.entry.harm.ends_with('.'), "{}: say in a sentence what goes wrong", mutation.id);
        }
    }

    #[test]
    fn a_rule_names_all_its_mutations_and_no_other() {
        let text = "[R1-first]\nharm = 'h.'\nfile = 'f'\nfind = 'a'\nwith = 'b'\n";
        let list = parse(&format!("{text}{}", text.replace("R1-", "R10-"))).expect("two");
        assert_eq!(list.iter().map(|mutation| mutation.is_meant("R1")).collect::<Vec<_>>(), [true, false]);
        assert!(list.iter().all(|mutation| mutation.is_meant(&mutation.id)));
        assert_eq!(list[1].rule(), "R10");
        assert_eq!(list[0].applied("xay").expect("once"), "xby");
        assert!(list[0].applied("aa").is_err() && list[0].applied("").is_err());
        assert!(parse(&text.replace("harm", "arm")).is_err());
    }
}
