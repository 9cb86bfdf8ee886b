//! Makes real peers reach exactly those whom the wires of the story let them reach: a pair that has no wire is cut off at
//! both ends, and a pair that never met is told of each other by its younger end, which dials. Two that met before find
//! each other again by themselves, as they would after any broken connection.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use parlor::Error;

use super::Cluster;
use super::computer::{Computer, Process};
use super::failure::Failure;

/// A pair of runs that were connected once, the younger first.
pub(crate) type Met = BTreeSet<(String, String)>;

/// A pair of computers whose programs run, the one that started later first.
struct Pair<'a> {
    younger: (&'a Computer, &'a Process),
    older: (&'a Computer, &'a Process),
}

impl Pair<'_> {
    fn is_cut(&self) -> bool {
        self.younger.1.cut_off.contains(&self.older.1.peer_id)
    }

    fn names(&self) -> (String, String) {
        (self.younger.1.peer_id.clone(), self.older.1.peer_id.clone())
    }

    async fn cut(&self) -> Result<(), (String, Error)> {
        let (one, other) = (self.younger.1, self.older.1);
        let (first, second) = tokio::join!(one.lab.cut(&other.peer_id), other.lab.cut(&one.peer_id));
        self.either(first, second)
    }

    async fn mend(&self) -> Result<(), (String, Error)> {
        let (one, other) = (self.younger.1, self.older.1);
        let (first, second) = tokio::join!(one.lab.mend(&other.peer_id), other.lab.mend(&one.peer_id));
        self.either(first, second)
    }

    async fn meet(&self) -> Result<(), (String, Error)> {
        let met = self.younger.1.live.dial(&self.older.1.address).await;
        self.either(met.map(drop), Ok(()))
    }

    fn either(&self, younger: Result<(), Error>, older: Result<(), Error>) -> Result<(), (String, Error)> {
        younger.map_err(|error| (self.younger.0.name(), error))?;
        older.map_err(|error| (self.older.0.name(), error))
    }
}

impl Cluster {
    /// Makes it so. When this returns, pairs without a wire are apart, and pairs that met for the first time connected.
    pub(crate) async fn rewire(&mut self) -> Result<(), Failure> {
        let pairs = self.pairs();
        let carries = |pair: &&Pair<'_>| self.wires.carries(pair.younger.0.index, pair.older.0.index);
        let apart: Vec<&Pair<'_>> = pairs.iter().filter(|pair| !carries(pair) && !pair.is_cut()).collect();
        let together: Vec<&Pair<'_>> = pairs.iter().filter(|pair| carries(pair) && pair.is_cut()).collect();
        let strangers: Vec<&Pair<'_>> =
            pairs.iter().filter(|pair| carries(pair) && !self.met.contains(&pair.names())).collect();

        let refused = |(host, source)| Failure::Refused { host, source, log: self.notes.log() };
        try_join_all(apart.iter().map(|pair| pair.cut())).await.map_err(refused)?;
        try_join_all(together.iter().map(|pair| pair.mend())).await.map_err(refused)?;
        try_join_all(strangers.iter().map(|pair| pair.meet())).await.map_err(refused)?;

        let [apart, together, strangers] = [apart, together, strangers]
            .map(|pairs| pairs.into_iter().map(Pair::names).collect::<Vec<(String, String)>>());
        self.met.extend(strangers);
        for process in self.computers.iter_mut().filter_map(|computer| computer.process.as_mut()) {
            process.cut_off.extend(apart.iter().filter_map(|pair| other_end(pair, &process.peer_id)).cloned());
            for back in together.iter().filter_map(|pair| other_end(pair, &process.peer_id)) {
                process.cut_off.remove(back);
            }
        }
        Ok(())
    }

    /// Every pair of running programs.
    fn pairs(&self) -> Vec<Pair<'_>> {
        let mut running: Vec<(&Computer, &Process)> = self.running().collect();
        running.sort_by_key(|(_, process)| process.run());
        let mut pairs = Vec::new();
        for (at, younger) in running.iter().enumerate() {
            pairs.extend(running[..at].iter().map(|older| Pair { younger: *younger, older: *older }));
        }
        pairs
    }
}

fn other_end<'a>((younger, older): &'a (String, String), of: &str) -> Option<&'a String> {
    match of {
        of if of == younger => Some(older),
        of if of == older => Some(younger),
        _ => None,
    }
}
