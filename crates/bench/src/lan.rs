//! Peers on the hosts of a LAN of network namespaces, with real discovery: how soon somebody new is seen, somebody who
//! restarted, and everybody after a cut; what sixteen who all move cost each other; and how soon a burst is over. It wants
//! root.
//!
//! All peers are in this process, each with a thread of its own on its host, so that one clock says when somebody moved
//! and when another saw it. What must be reached is said beside each figure; how soon a cut is healed is
//! compared with chitchat.

mod burst;
mod crowded;
mod cuts;
mod seen;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use parlor::{Config, Join, PresenceChange, Snapshot};
use parlor_testkit::netns::Host;
use parlor_testkit::resident::Resident;
use serde_json::json;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::report::{Figure, publish};

const ROOM: &str = "bench";
/// After this nobody is seen any more, and the bench ends.
const PATIENCE: Duration = Duration::from_secs(30);

/// The table, or the part of it that is named: `seen`, `cuts`, `crowded` or `burst`.
pub fn run(only: Option<&str>) -> anyhow::Result<bool> {
    parlor_testkit::netns::available()?;
    type Part = (&'static str, fn() -> anyhow::Result<Vec<Figure>>);
    let parts: [Part; 4] =
        [("seen", seen::figures), ("cuts", cuts::figures), ("crowded", crowded::figures), ("burst", burst::figures)];
    let mut figures = Vec::new();
    for (_, part) in parts.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        figures.extend(part()?);
    }
    if figures.is_empty() {
        bail!("there is no such part; there are: seen, cuts, crowded, burst");
    }
    publish("lan", &figures)
}

/// Somebody on a host, who is in the room.
struct Person {
    resident: Resident,
    /// Which of them it is, as its presence says.
    number: u64,
}

impl Person {
    /// Starts on a host, with the profile of its number in a folder, and joins.
    fn start(host: &Host, folder: &Path, number: u64) -> anyhow::Result<Self> {
        let data_dir = folder.join(number.to_string());
        let config = Config { data_dir, name: Some(format!("Person {number}")), lab: true, ..Config::default() };
        let person = Person { resident: Resident::start(host, config)?, number };
        let join = Join::new().presence(json!({ "number": number, "step": 0 }));
        person.resident.ask(|live| async move { live.room(ROOM).join(join).await })?;
        Ok(person)
    }

    fn step(&self, step: u64) -> anyhow::Result<()> {
        let change = PresenceChange::new(json!({ "step": step }));
        self.resident.ask(|live| async move { live.room(ROOM).presence(change).await })?;
        Ok(())
    }

    /// When it sees that all of these are at this step and active, each once. Ask before it can be so.
    fn sees(&self, numbers: &[u64], step: u64) -> Seeing {
        let (tell, told) = std::sync::mpsc::channel();
        let mut wanted: Vec<(u64, u64)> = numbers.iter().map(|number| (*number, step)).collect();
        wanted.sort_unstable();
        let of = self.number;
        self.resident.let_run(async move |live: Arc<parlor::Live>| {
            let Ok(mut snapshots) = live.room(ROOM).watch().await else { return };
            let seen = timeout(PATIENCE, snapshots.wait_for(|snapshot| steps(snapshot) == wanted));
            if seen.await.is_ok_and(|seen| seen.is_ok()) {
                let _ = tell.send(Instant::now());
            }
        });
        Seeing { of, told }
    }

    fn crash(self) {
        self.resident.ask(|live| async move {
            if let Some(lab) = live.lab() {
                lab.crash().await;
            }
        });
    }

    fn leave(self) {
        self.resident.ask(|live| async move { live.close().await });
    }

    fn count(&self, name: &'static str) -> u64 {
        self.resident.ask(|live| async move { live.counters().await.get(name).copied().unwrap_or_default() })
    }
}

/// Somebody who looks out for something.
struct Seeing {
    of: u64,
    told: std::sync::mpsc::Receiver<Instant>,
}

impl Seeing {
    fn at(self) -> anyhow::Result<Instant> {
        self.told.recv().with_context(|| format!("person {} did not see everybody in time", self.of))
    }
}

/// The number and step of everybody who is active; a member that says neither is nobody of ours.
fn steps(snapshot: &Snapshot) -> Vec<(u64, u64)> {
    let number = |member: &parlor::Member, key: &str| member.record.presence.get(key).and_then(|value| value.as_u64());
    let active = snapshot.members.iter().filter(|member| member.state == parlor::MemberState::Active);
    let mut steps: Vec<(u64, u64)> =
        active.filter_map(|member| Some((number(member, "number")?, number(member, "step")?))).collect();
    steps.sort_unstable();
    steps
}

/// Everybody on a host of their own, who all see each other.
fn gather(hosts: &[Host], folder: &TempDir) -> anyhow::Result<Vec<Person>> {
    let people: Vec<Person> =
        (0..).zip(hosts).map(|(number, host)| Person::start(host, folder.path(), number)).collect::<Result<_, _>>()?;
    all_see(&people, 0)?;
    Ok(people)
}

/// When everybody saw that everybody is at this step.
fn all_see(people: &[Person], step: u64) -> anyhow::Result<Instant> {
    let numbers: Vec<u64> = people.iter().map(|person| person.number).collect();
    let seeing: Vec<Seeing> = people.iter().map(|person| person.sees(&numbers, step)).collect();
    latest(seeing)
}

/// When the last of them saw what it looked out for.
fn latest(seeing: Vec<Seeing>) -> anyhow::Result<Instant> {
    let times = seeing.into_iter().map(Seeing::at).collect::<Result<Vec<_>, _>>()?;
    times.into_iter().max().context("nobody looked")
}
