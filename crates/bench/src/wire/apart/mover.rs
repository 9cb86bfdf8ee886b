//! One process of [`super`]: a peer that moves and sees the others move.

use std::collections::BTreeSet;
use std::future::pending;
use std::pin::pin;
use std::time::Duration;

use anyhow::bail;
use futures::future::{Either, select};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::sync::oneshot;

#[cfg(feature = "iroh")]
use super::IROH;
#[cfg(feature = "zenoh")]
use super::ZENOH;
use super::{GOSSIPSUB, PARLOR, gossip, own};
#[cfg(feature = "chitchat")]
use crate::chitchat;
use crate::trace::{Cursor, Presence, START};
use crate::wire;

/// How often those who keep nothing say where they stand until they may move: who comes last has heard nobody yet.
const GREET: Duration = Duration::from_millis(100);
/// For the last moves of the others.
const GRACE: Duration = Duration::from_secs(1);

/// What it is to do.
#[derive(Clone, Debug)]
pub struct Task {
    pub number: usize,
    pub peers: usize,
    /// Moves; with none of them it is quiet from when it may move until it is ended.
    pub count: usize,
    pub every: Duration,
    /// Of those who are there already.
    pub addresses: Vec<String>,
}

/// What it did, in nanoseconds of the clock that all processes share.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Told {
    /// When it made each move.
    pub sent: Vec<u64>,
    /// By the number of the mover: which move was seen, and when.
    pub heard: Vec<Vec<(usize, u64)>>,
}

/// What is seen of the others.
#[derive(Debug)]
pub struct Seen {
    me: usize,
    known: BTreeSet<usize>,
    pub heard: Vec<Vec<(usize, u64)>>,
}

impl Seen {
    pub fn new(task: &Task) -> Self {
        Seen { me: task.number, known: BTreeSet::new(), heard: vec![Vec::new(); task.peers] }
    }

    /// Somebody is seen at this place.
    pub fn see(&mut self, of: usize, x: f64) {
        let at = now();
        if of == self.me {
            return;
        }
        self.known.insert(of);
        let Some(heard) = self.heard.get_mut(of).filter(|_| x >= 1.0) else { return };
        let number = x as usize - 1;
        if heard.last().is_none_or(|(last, _)| *last < number) {
            heard.push((number, at));
        }
    }

    /// Whether everybody else was seen.
    pub fn is_complete(&self) -> bool {
        self.known.len() + 1 == self.heard.len()
    }
}

/// A peer of what keeps nothing: all that it knows of the others is what it hears.
pub trait Teller {
    /// Tells the others where it stands.
    fn tell(&mut self, x: f64) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Sees what is heard next. Nothing is lost when it is not waited for to its end.
    fn hear(&mut self, seen: &mut Seen) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// Tells where it stands until all are there, and then moves.
pub async fn play(mut peer: impl Teller + Send, task: &Task, go: oneshot::Receiver<()>) -> anyhow::Result<Told> {
    let mut seen = Seen::new(task);
    let mut turn = tokio::time::interval(GREET);
    while !seen.is_complete() {
        during(&mut peer, &mut seen, turn.tick()).await?;
        peer.tell(0.0).await?;
    }
    let mut allowed = tokio::spawn(ready(task.clone(), go));
    let allowed = loop {
        let tick = pin!(turn.tick());
        match during(&mut peer, &mut seen, select(tick, &mut allowed)).await? {
            Either::Left(_) => peer.tell(0.0).await?,
            Either::Right((allowed, _)) => break allowed,
        }
    };
    allowed??;
    if task.count == 0 {
        during(&mut peer, &mut seen, pending::<()>()).await?;
    }
    let mut told = Told::default();
    let mut turn = tokio::time::interval(task.every);
    for number in 0..task.count {
        during(&mut peer, &mut seen, turn.tick()).await?;
        told.sent.push(now());
        peer.tell(place(number)).await?;
    }
    during(&mut peer, &mut seen, grace()).await?;
    told.heard = seen.heard;
    Ok(told)
}

/// Hears while something else is not done.
async fn during<T>(peer: &mut impl Teller, seen: &mut Seen, other: impl Future<Output = T>) -> anyhow::Result<T> {
    let mut other = pin!(other);
    loop {
        tokio::select! {
            heard = peer.hear(seen) => heard?,
            done = &mut other => return Ok(done),
        }
    }
}

/// The whole of what it is: its number, and what the trace has of everybody.
pub fn presence(number: usize) -> Value {
    let mut presence = json!(Presence::at(at(0.0)));
    presence["number"] = json!(number);
    presence
}

/// Where it stands before its first move, and after move `x - 1.25`.
pub fn cursor(x: f64) -> Value {
    json!(at(x))
}

fn at(x: f64) -> Cursor {
    Cursor { x, ..START }
}

/// The place of a move.
pub fn place(of: usize) -> f64 {
    of as f64 + 1.25
}

/// That somebody is at a place, in as many bytes as a frame of Parlor's that says so. `again`: what tells it from the same
/// told before.
pub fn frame(of: usize, x: f64, again: u64) -> Vec<u8> {
    let mut bytes = vec![0; wire::FRAME];
    bytes[..8].copy_from_slice(&(of as u64).to_le_bytes());
    bytes[8..16].copy_from_slice(&x.to_le_bytes());
    bytes[16..24].copy_from_slice(&again.to_le_bytes());
    bytes
}

/// What such a frame says.
pub fn read(bytes: &[u8]) -> Option<(usize, f64)> {
    let (of, x) = (bytes.get(..8)?.try_into().ok()?, bytes.get(8..16)?.try_into().ok()?);
    Some((u64::from_le_bytes(of) as usize, f64::from_le_bytes(x)))
}

/// Nanoseconds by the clock of all processes.
pub fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

/// `SYSTEM NUMBER PEERS COUNT EVERY_MS ADDRESS…`: says its address, says when it sees everybody, moves when it is told to,
/// says what it did, and stays until it is ended.
pub async fn run(args: Vec<String>) -> anyhow::Result<()> {
    let [system, number, peers, count, every, addresses @ ..] = args.as_slice() else {
        bail!("mover SYSTEM NUMBER PEERS COUNT EVERY_MS ADDRESS…")
    };
    let task = Task {
        number: number.parse()?,
        peers: peers.parse()?,
        count: count.parse()?,
        every: Duration::from_millis(every.parse()?),
        addresses: addresses.to_vec(),
    };
    let go = input();
    let told = match system.as_str() {
        PARLOR => own::play(&task, go).await?,
        GOSSIPSUB => play(gossip::start(&task)?, &task, go).await?,
        #[cfg(feature = "iroh")]
        IROH => play(super::iroh::start(&task).await?, &task, go).await?,
        #[cfg(feature = "zenoh")]
        ZENOH => play(super::zenoh::start(&task).await?, &task, go).await?,
        #[cfg(feature = "chitchat")]
        chitchat::NAME => super::chitchat::play(&task, go, chitchat::INTERVAL).await?,
        #[cfg(feature = "chitchat")]
        chitchat::QUICK => super::chitchat::play(&task, go, chitchat::QUICK_INTERVAL).await?,
        other => bail!("nobody moves in {other:?}"),
    };
    println!("{}", serde_json::to_string(&told)?);
    pending().await
}

/// A line on its input lets it move. With its input it ends, whatever it does: who measures may have been ended too.
fn input() -> oneshot::Receiver<()> {
    let (said, go) = oneshot::channel();
    tokio::spawn(async move {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        if matches!(lines.next_line().await, Ok(Some(_))) {
            let _ = said.send(());
        }
        while matches!(lines.next_line().await, Ok(Some(_))) {}
        std::process::exit(0);
    });
    go
}

/// Says that everybody is seen, and waits until it may move: one after the other, as people do not move in step.
pub async fn ready(task: Task, go: oneshot::Receiver<()>) -> anyhow::Result<()> {
    println!("ready");
    go.await?;
    tokio::time::sleep(task.every * task.number as u32 / task.peers as u32).await;
    Ok(())
}

/// After the last move.
pub async fn grace() {
    tokio::time::sleep(GRACE).await;
}
