//! Everything that was refused or went wrong, counted by name (design N10). The names are fixed words of this crate,
//! never text from outside, so the map cannot grow.

use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(crate) struct Counters {
    counts: BTreeMap<&'static str, u64>,
    /// What was counted since it was asked for last, when somebody wants to know.
    listed: Option<Vec<(&'static str, u64)>>,
}

impl Counters {
    pub(crate) fn count(&mut self, name: &'static str) {
        self.add(name, 1);
    }

    pub(crate) fn add(&mut self, name: &'static str, times: u64) {
        if times > 0 {
            let counter = self.counts.entry(name).or_default();
            *counter = counter.saturating_add(times);
            if let Some(listed) = &mut self.listed {
                listed.push((name, times));
            }
        }
    }

    /// Begins to list what is counted, or ends it.
    pub(crate) fn list(&mut self, on: bool) {
        self.listed = on.then(Vec::new);
    }

    /// What was counted since, if it is listed.
    pub(crate) fn take_listed(&mut self) -> Vec<(&'static str, u64)> {
        self.listed.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(crate) fn read(&self) -> BTreeMap<String, u64> {
        self.counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }
}
