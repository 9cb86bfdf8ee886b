//! Everything that was refused or went wrong, counted by name (design N10). The names are fixed words of this crate,
//! never text from outside, so the map cannot grow.

use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(crate) struct Counters(BTreeMap<&'static str, u64>);

impl Counters {
    pub(crate) fn count(&mut self, name: &'static str) {
        self.add(name, 1);
    }

    pub(crate) fn add(&mut self, name: &'static str, times: u64) {
        if times > 0 {
            let counter = self.0.entry(name).or_default();
            *counter = counter.saturating_add(times);
        }
    }

    pub(crate) fn read(&self) -> BTreeMap<String, u64> {
        self.0.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }
}
