//! Named counts of what was refused, repaired or odd: what an inspector shows (design N10).

use std::collections::BTreeMap;

/// Counts by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    counts: BTreeMap<&'static str, u64>,
    /// What was counted since it was asked for last, when somebody wants to know.
    named: Option<Vec<&'static str>>,
}

impl Counters {
    pub(crate) fn add(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
        if let Some(named) = &mut self.named {
            named.push(name);
        }
    }

    /// Begins to list what is counted, or ends it.
    pub(crate) fn name_them(&mut self, on: bool) {
        self.named = on.then(Vec::new);
    }

    /// What was counted since, if it is listed.
    pub(crate) fn take_named(&mut self) -> Vec<&'static str> {
        self.named.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The count of one name.
    #[must_use]
    pub fn get(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or_default()
    }

    /// All names that were counted.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.counts.iter().map(|(name, count)| (*name, *count))
    }
}
