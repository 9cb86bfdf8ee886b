//! One computer of a cluster and the program on it: a real peer with a profile of its own, which starts, dies and ends.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parlor::{Config, Events, Lab, Live, Room};
use tokio::task::JoinHandle;

use super::ROOM;
use super::calls::Callers;
use super::failure::Failure;
use super::notes::Notes;
use super::witness::Run;
use crate::story::names;

/// Where peers listen: on this computer only, at any port that is free.
const LISTEN: &str = "/ip4/127.0.0.1/tcp/0";

/// A computer, which may be off.
pub(crate) struct Computer {
    pub index: usize,
    /// Whose it is.
    pub person: String,
    /// The data directory of its own, so that no peer finds another by its files.
    data: PathBuf,
    pub process: Option<Process>,
    /// A program that is ending as it should, and still holds the profile.
    ending: Option<JoinHandle<()>>,
}

/// One run of the program.
pub(crate) struct Process {
    pub live: Live,
    pub lab: Lab,
    pub peer_id: String,
    pub session_id: String,
    /// Where others dial it, its peer id included.
    pub address: String,
    /// The room as somebody sees it who is nobody's member here, so that looking renews no lease.
    pub onlooker: Room,
    pub callers: Callers,
    /// Peers that it is cut off from.
    pub cut_off: BTreeSet<String>,
    run: Run,
    /// What runs for as long as the program does.
    tasks: Vec<JoinHandle<()>>,
}

impl Computer {
    pub(crate) fn new(index: usize, person: &str, data: PathBuf) -> Self {
        Self { index, person: person.to_owned(), data, process: None, ending: None }
    }

    pub(crate) fn name(&self) -> String {
        names::host(self.index)
    }

    /// Where the identity of the profile is, once the program has started here.
    pub(crate) fn identity(&self) -> PathBuf {
        self.data.join("profiles/default/identity.key")
    }

    /// Starts the program. `identity`: that of another device of the same person, for a profile that has none yet.
    pub(crate) async fn start(&mut self, identity: Option<&Path>, notes: &Arc<Notes>) -> Result<(), Failure> {
        if let Some(ending) = self.ending.take() {
            // A panic in it was printed, and left the profile to its lock.
            let _ = ending.await;
        }
        if let Some(identity) = identity.filter(|_| !self.identity().exists()) {
            std::fs::create_dir_all(self.data.join("profiles/default"))?;
            std::fs::copy(identity, self.identity())?;
        }
        let config = Config {
            data_dir: self.data.clone(),
            listen: vec![LISTEN.into()],
            multicast: false,
            name: Some(self.person.clone()),
            lab: true,
            ..Config::default()
        };
        let host = self.name();
        let live = Live::start(config).await.map_err(|source| Failure::Start { host: host.clone(), source })?;
        let refused = |source| Failure::Refused { host: host.clone(), source, log: notes.log() };
        let missing = |what| Failure::Off(format!("{host}, which has no {what},"));
        let lab = live.lab().ok_or_else(|| missing("lab"))?;
        let status = live.status().await;
        let listens = status.listen.first().ok_or_else(|| missing("address"))?;
        let onlooker = live.acting_as("onlooker", None).map_err(refused)?.room(ROOM);
        let run = notes.started(self.index);
        let events = onlooker.events().await.map_err(refused)?;
        let listening = tokio::spawn(listen(events, self.index, run, Arc::clone(notes)));
        self.process = Some(Process {
            address: format!("{listens}/p2p/{}", status.peer_id),
            callers: Callers::new(Arc::clone(notes), self.index, run, &live).map_err(refused)?,
            peer_id: status.peer_id,
            session_id: status.session_id,
            live,
            lab,
            onlooker,
            cut_off: BTreeSet::new(),
            run,
            tasks: vec![listening],
        });
        Ok(())
    }

    /// The process dies: nobody is told, the system closes its sockets.
    pub(crate) async fn crash(&mut self, notes: &Notes) {
        if let Some(process) = self.process.take() {
            notes.ended(self.index);
            process.stop();
            process.lab.crash().await;
        }
    }

    /// The program ends as it should. It goes on saying so after this returns.
    pub(crate) fn quit(&mut self, notes: &Notes) {
        if let Some(process) = self.process.take() {
            notes.ended(self.index);
            process.stop();
            self.ending = Some(tokio::spawn(async move { process.live.close().await }));
        }
    }

    /// Waits until a program that was told to end has ended.
    pub(crate) async fn ended(&mut self) {
        if let Some(ending) = self.ending.take() {
            let _ = ending.await;
        }
    }
}

impl Process {
    /// Which run of a program this is.
    pub(crate) fn run(&self) -> Run {
        self.run
    }

    /// Lets something run for as long as the program does.
    pub(crate) fn keep(&mut self, task: JoinHandle<()>) {
        self.tasks.retain(|task| !task.is_finished());
        self.tasks.push(task);
    }

    fn stop(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn listen(mut events: Events, host: usize, run: Run, notes: Arc<Notes>) {
    while let Some(item) = events.recv().await {
        notes.told(host, run, &item.event);
    }
}
