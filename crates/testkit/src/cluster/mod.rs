//! Real peers in one process, and the words of the story language for them.
//!
//! A [`Cluster`] runs a [`parlor::Live`] for each computer: a profile of its own in a temporary directory, real
//! connections over loopback, real time. Nothing is multicast, and nobody finds anybody by files: who is connected to whom
//! is what the test says. So it shows what the simulator cannot: that the driver, the transports and the profile on disk
//! keep the rules too.
//!
//! ```
//! use parlor_testkit::cluster::Cluster;
//! use parlor_testkit::story::set;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), parlor_testkit::cluster::Failure> {
//! let mut cluster = Cluster::start(3).await?;
//! cluster.all_join().await?;
//! cluster.expect_agreement_within(5_000).await?;
//!
//! cluster.cut(0, 2).await?;
//! cluster.presence(0, set("cursor")).await?;
//! cluster.expect_seen_within(2_000, 0, "cursor").await?; // by way of the third
//! cluster.expect_nobody_left_since(0).await?;
//!
//! cluster.crash(1).await?;
//! cluster.expect_gone_within(6_000, 1).await?;
//! cluster.close().await
//! # }
//! ```
//!
//! The same [`Story`] that the simulator plays is played here by [`play`], as far as real time allows; [`layers`] says
//! word by word how far that is, and [`Unsupported`] who has the rest. Time in a story is real time, with one liberty:
//! **the story's clock stands still** while a step is carried out, and while something is overdue that was expected, for
//! as long as the cluster's [patience](Cluster::patience) lasts. So a busy computer makes a story longer, not wrong.
//!
//! While it runs, each process is an observer whose events are held against their grammar (design R14) and against what
//! was really written (R4), and each call against what it should answer (A2 to A6). The first rule that is broken is the
//! answer of whatever is asked next, and of [`Cluster::close`].

mod calls;
mod computer;
mod expect;
mod failure;
pub mod layers;
mod notes;
mod play;
mod reach;
mod steps;
mod wires;
mod witness;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parlor::{Live, Room, UserId};
use tempfile::TempDir;

use crate::story::{Change, Entry, Someone, Step, Story};
use computer::{Computer, Process};
pub use failure::{Failure, Layer, Unsupported};
pub use layers::{can_act, can_play};
use notes::Notes;
pub use play::{Played, play};
use reach::Met;
use wires::Wires;

/// The room in which every story plays.
pub const ROOM: &str = "story";
/// How long the story's clock stands still for something that is overdue, unless the test says otherwise.
const PATIENCE: Duration = Duration::from_secs(3);

/// Real peers in one process. See the [module](self).
///
/// The words do what they do in the simulator; where no program runs, nothing happens. Times are milliseconds. A cluster
/// that is dropped dies as its peers would; [`Cluster::close`] also says whether a rule was broken.
pub struct Cluster {
    computers: Vec<Computer>,
    wires: Wires,
    met: Met,
    users: BTreeMap<Someone, UserId>,
    notes: Arc<Notes>,
    patience: Duration,
    _data: TempDir,
}

impl Cluster {
    /// So many peers, each of another person, all running and all connected; nobody has joined. Needs a tokio runtime.
    ///
    /// # Errors
    /// Whatever keeps a peer from starting.
    pub async fn start(peers: usize) -> Result<Self, Failure> {
        let mut cluster = Self::of(&Story::new("a cluster").hosts(peers))?;
        for host in 0..peers {
            cluster.act(&Step::Start { host }).await?;
        }
        cluster.notes.begin();
        Ok(cluster)
    }

    /// The computers of a story, all off.
    ///
    /// # Errors
    /// [`Failure::Unsupported`] for a story that real peers cannot play, and when there is no place for their data.
    pub fn of(story: &Story) -> Result<Self, Failure> {
        can_play(story)?;
        let data = TempDir::new()?;
        let computer = |(index, host): (usize, &crate::story::Computer)| {
            Computer::new(index, &host.person, data.path().join(index.to_string()))
        };
        Ok(Self {
            computers: story.hosts.iter().enumerate().map(computer).collect(),
            wires: Wires::new(story.hosts.len(), &story.edges),
            met: Met::new(),
            users: BTreeMap::new(),
            notes: Arc::new(Notes::new()),
            patience: PATIENCE,
            _data: data,
        })
    }

    /// Another patience: how long something may be overdue. 3 s when nothing is said.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The peer on a host, for what no word says.
    ///
    /// # Errors
    /// [`Failure::NoHost`] and [`Failure::Off`].
    pub fn live(&self, host: usize) -> Result<&Live, Failure> {
        let computer = self.computer(host)?;
        computer.process.as_ref().map(|process| &process.live).ok_or_else(|| Failure::Off(computer.name()))
    }

    /// The room of the story, as the person of a host has it.
    ///
    /// # Errors
    /// [`Failure::NoHost`] and [`Failure::Off`].
    pub fn room(&self, host: usize) -> Result<Room, Failure> {
        Ok(self.live(host)?.without_memory().room(ROOM))
    }

    /// Milliseconds of the story so far.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.notes.now()
    }

    /// What happened so far, line by line, the last 150 of them.
    #[must_use]
    pub fn log(&self) -> String {
        self.notes.log()
    }

    /// Ends every peer as it should.
    ///
    /// # Errors
    /// [`Failure::Broken`] when a rule was broken and nobody asked since.
    pub async fn close(mut self) -> Result<(), Failure> {
        let judged = self.notes.intact();
        let notes = Arc::clone(&self.notes);
        self.computers.iter_mut().for_each(|computer| computer.quit(&notes));
        futures::future::join_all(self.computers.iter_mut().map(Computer::ended)).await;
        judged
    }

    fn computer(&self, host: usize) -> Result<&Computer, Failure> {
        self.computers.get(host).ok_or(Failure::NoHost { host, hosts: self.computers.len() })
    }

    fn running(&self) -> impl Iterator<Item = (&Computer, &Process)> {
        self.computers.iter().filter_map(|computer| Some((computer, computer.process.as_ref()?)))
    }
}

/// The words, one call each. All answer what [`Cluster::act`] answers.
#[allow(clippy::missing_errors_doc)] // The sentence above.
impl Cluster {
    /// A program starts again, as a new session of the same profile.
    pub async fn restart(&mut self, host: usize) -> Result<(), Failure> {
        self.act(&Step::Start { host }).await
    }

    /// Somebody joins: `join(0)`, `join(guest(1).named("desk").leased(10))`.
    pub async fn join(&mut self, who: impl Into<Entry>) -> Result<(), Failure> {
        self.act(&Step::Join(who.into())).await
    }

    /// The person of every host joins.
    pub async fn all_join(&mut self) -> Result<(), Failure> {
        for host in 0..self.computers.len() {
            self.join(host).await?;
        }
        Ok(())
    }

    /// Somebody's live state changes: `presence(0, set("cursor"))`.
    pub async fn presence(&mut self, by: impl Into<Someone>, change: Change) -> Result<(), Failure> {
        self.act(&Step::Presence { by: by.into(), member: None, change }).await
    }

    /// Somebody moves a cursor, or whatever a field says, for so long. Returns at once.
    pub async fn moving(&mut self, by: impl Into<Someone>, field: &str, every_ms: u64, ms: u64) -> Result<(), Failure> {
        self.act(&Step::Moving { by: by.into(), field: field.to_owned(), every_ms, ms }).await
    }

    /// The person of a host writes a key of the room's metadata.
    pub async fn metadata(&mut self, host: usize, key: &str) -> Result<(), Failure> {
        self.act(&Step::Metadata { host, key: key.to_owned(), delete: false }).await
    }

    /// The person of a host deletes a key of the room's metadata.
    pub async fn delete_metadata(&mut self, host: usize, key: &str) -> Result<(), Failure> {
        self.act(&Step::Metadata { host, key: key.to_owned(), delete: true }).await
    }

    /// Somebody's only member leaves.
    pub async fn leave(&mut self, by: impl Into<Someone>) -> Result<(), Failure> {
        self.act(&Step::Leave { by: by.into(), member: None }).await
    }

    /// A process is killed: it says nothing, but the system closes its connections.
    pub async fn crash(&mut self, host: usize) -> Result<(), Failure> {
        self.act(&Step::Crash { host, farewell: true }).await
    }

    /// A program ends as it should. Returns at once; what it says takes up to half a second.
    pub async fn quit(&mut self, host: usize) -> Result<(), Failure> {
        self.act(&Step::Quit { host }).await
    }

    /// One pair loses its wire. Both ends notice at once, as a connection that broke.
    pub async fn cut(&mut self, a: usize, b: usize) -> Result<(), Failure> {
        self.act(&Step::Cut { a, b }).await
    }

    /// One pair has its wire back, and is connected again within two seconds.
    pub async fn mend(&mut self, a: usize, b: usize) -> Result<(), Failure> {
        self.act(&Step::Mend { a, b }).await
    }

    /// The network falls into parts. Hosts that no part names are alone.
    pub async fn partition(&mut self, parts: &[&[usize]]) -> Result<(), Failure> {
        self.act(&Step::Partition { parts: parts.iter().map(|part| part.to_vec()).collect() }).await
    }

    /// Partitions and cuts end.
    pub async fn mend_all(&mut self) -> Result<(), Failure> {
        self.act(&Step::MendAll).await
    }
}
