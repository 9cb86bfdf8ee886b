//! How long an honest cursor takes while somebody lies, and what it costs: two honest peers that move for each other, alone
//! and under each attack of the liar of testkit, which the first of them is linked to.
//!
//! The liar is a process of its own that runs only when nobody else wants to, as it would be on a computer of its own, and what
//! it says it has made and signed before, as far as it can; when it is cut off it comes back with another key. So what is
//! measured is what it makes of the honest ones, and not of the processor.
//! The machine is never quiet, so each is measured five times, each time alone and then under the attack, and the median
//! tells.

#[cfg(target_os = "linux")]
mod hellos;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures::StreamExt;
use parlor::{Event, Events, Join, Live, MemberId, PresenceChange, Room, RoomEvent};
use parlor_testkit::liar::{ATTACKS, Attack, Deaf, Liar, Mark};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::report::{Figure, publish};
use crate::samples::{Samples, median};
use crate::{cpu, pair};

const ROOM: &str = "bench";
/// A little under 30 a second, so that the source never coalesces (design A7).
const EVERY: Duration = Duration::from_millis(36);
/// How long each attack is measured, and how long the same two without it: three hundred moves, of which three are worse
/// than the p99.
const TIME: Duration = Duration::from_secs(6);
const ROUNDS: usize = 5;
/// After this a move counts as lost.
const LOST: Duration = Duration::from_secs(5);
/// Waves that a liar makes before it says the first: as many as there is time for, ten in a second.
const AHEAD: u32 = 64;
/// Between two comings of a liar that was cut off.
const BACK_AFTER: Duration = Duration::from_secs(1);
/// What no attack may make the honest ones take more of, in MiB.
const MEMORY_MAX: f64 = 64.0;
/// The attack that takes nothing from its socket: all the others read.
const DEAF: &str = "a reader that reads nothing";
/// Those that want a network of their own.
#[cfg(target_os = "linux")]
const ON_A_LAN: &[&str] = &[hellos::NAME];
#[cfg(not(target_os = "linux"))]
const ON_A_LAN: &[&str] = &[];

/// The table: all attacks, or the one of this name.
pub async fn run(only: Option<&str>) -> anyhow::Result<bool> {
    let names: Vec<&str> =
        ATTACKS.iter().map(|attack| attack.name).chain([DEAF]).chain(ON_A_LAN.iter().copied()).collect();
    let chosen: Vec<&str> = names.into_iter().filter(|name| only.is_none_or(|only| *name == only)).collect();
    if chosen.is_empty() {
        bail!("there is no attack of this name");
    }
    let mut silent = 0;
    let mut figures = Vec::new();
    for name in chosen {
        eprintln!("{name}");
        let mut rounds = Rounds::default();
        for _ in 0..ROUNDS {
            silent += rounds.play(name).await?;
        }
        let alone = [0.5, 0.99].map(|share| median(rounds.alone.iter().map(|round| round.quantile(share)).collect()));
        let under = [0.5, 0.99].map(|share| median(rounds.under.iter().map(|round| round.quantile(share)).collect()));
        let p99 = Figure::beside(&format!("{name}: p99"), under[1], "alone", alone[1], "ms").ratio_at_most(2.0);
        let memory = rounds.memory.iter().copied().fold(0.0, f64::max);
        figures.extend([
            Figure::beside(&format!("{name}: p50"), under[0], "alone", alone[0], "ms"),
            p99,
            Figure::alone(&format!("{name}: memory"), memory, "MiB").at_most(MEMORY_MAX),
        ]);
    }
    figures.push(Figure::alone("honest peers taken for silent or gone", f64::from(silent), "times").at_most(0.0));
    publish("hostile", &figures)
}

/// What was measured of one attack, round by round.
#[derive(Default)]
struct Rounds {
    alone: Vec<Samples>,
    under: Vec<Samples>,
    memory: Vec<f64>,
}

impl Rounds {
    /// One more round; how often an honest peer was taken for silent or gone.
    async fn play(&mut self, name: &str) -> anyhow::Result<u32> {
        #[cfg(target_os = "linux")]
        if name == hellos::NAME {
            return tokio::task::block_in_place(|| hellos::play(self));
        }
        let scene = Scene::begin(pair::start().await?).await?;
        self.play_with(scene, async |scene: &Scene| scene.liar(name).await).await
    }

    async fn play_with(
        &mut self,
        mut scene: Scene,
        liar: impl AsyncFnOnce(&Scene) -> anyhow::Result<Child>,
    ) -> anyhow::Result<u32> {
        let alone = scene.both_move(TIME).await?;
        let before = cpu::resident_mib()?;
        let mut liar = liar(&scene).await?;
        let under = scene.both_move(TIME).await?;
        if let Some(status) = liar.try_wait()? {
            bail!("the liar ended by itself: {status}");
        }
        liar.kill()?;
        liar.wait()?;
        let refused = scene.refused().await;
        eprintln!("  p99 alone {:.2} ms, under it {:.2} ms; {refused}", alone.quantile(0.99), under.quantile(0.99));
        self.alone.push(alone);
        self.under.push(under);
        self.memory.push(scene.most_mib - before);
        let silent = scene.silent;
        scene.end().await;
        Ok(silent)
    }
}

/// The other end of [`Scene::liar`]: lies until it is killed. It says a line when it has begun.
pub async fn lie(args: &[String]) -> anyhow::Result<()> {
    #[cfg(target_os = "linux")]
    if let [name, own, victim] = args
        && name == hellos::NAME
    {
        return hellos::say(own, victim);
    }
    let [name, address, peer_id, marked, user_id] = args else { bail!("liar NAME ADDRESS PEER MARK USER") };
    if name == DEAF {
        let mut deaf = Deaf::beside(address, peer_id, ROOM).await;
        println!("begun");
        while deaf.stay().await {
            deaf = Deaf::beside(address, peer_id, ROOM).await;
        }
        bail!("its own words were not heard");
    }
    let attack = Attack::named(name).context("no such attack")?;
    let mark = Mark { peer_id: marked.clone(), user_id: user_id.clone() };
    let come = async || {
        let mut liar = Liar::beside(address, peer_id, ROOM).await;
        // What it is told when it comes, it has to play back.
        liar.pass(Duration::from_millis(500)).await;
        let ahead = attack.rehearse(&mut liar, &mark, AHEAD);
        (liar, ahead)
    };
    let (mut liar, mut ahead) = come().await;
    println!("begun");
    for round in 0.. {
        if liar.is_cut_off() {
            tokio::time::sleep(BACK_AFTER).await;
            (liar, ahead) = come().await;
        }
        match ahead.pop_front() {
            Some(script) => liar.say(script),
            None => attack.wave(&mut liar, &mark, round),
        }
        liar.pass(attack.every).await;
    }
    Ok(())
}

/// Two honest peers in a room.
struct Scene {
    peers: [Live; 2],
    movers: [Mover; 2],
    moves: u32,
    most_mib: f64,
    silent: u32,
    _folder: TempDir,
}

/// One who moves, and the moments at which the other saw it.
struct Mover {
    room: Room,
    sent: Vec<Instant>,
    seen: mpsc::UnboundedReceiver<Seen>,
}

/// What somebody saw of the one who moves.
enum Seen {
    /// This move.
    At(u32, Instant),
    /// That they fell silent or left.
    Gone,
}

impl Scene {
    async fn begin((one, two, folder): (Live, Live, TempDir)) -> anyhow::Result<Self> {
        let (here, there) = (one.room(ROOM), two.room(ROOM));
        let start = json!({"cursor": {"x": 0.0, "y": 0.0}});
        let first = here.join(Join::new().presence(start.clone())).await?.member_id;
        let second = there.join(Join::new().presence(start)).await?.member_id;
        let at_second = follow(pair::events_once_seen(&there, &first).await?, first);
        let at_first = follow(pair::events_once_seen(&here, &second).await?, second);
        let mover = |room, seen| Mover { room, sent: Vec::new(), seen };
        let movers = [mover(here, at_second), mover(there, at_first)];
        Ok(Self { peers: [one, two], movers, moves: 0, most_mib: 0.0, silent: 0, _folder: folder })
    }

    /// Starts the liar beside the first.
    async fn liar(&self, name: &str) -> anyhow::Result<Child> {
        let (here, there) = (self.peers[0].status().await, self.peers[1].status().await);
        let address = here.listen.first().context("no address")?;
        let mut command = Command::new("chrt");
        command.args(["--idle", "0"]).arg(std::env::current_exe()?);
        command.args(["liar", name, address, &here.peer_id, &there.peer_id]).arg(self.peers[1].user_id().to_string());
        let child = begun(command).await?;
        if name == DEAF {
            self.fill().await?;
        }
        Ok(child)
    }

    /// More than fits the windows of somebody who reads nothing.
    async fn fill(&self) -> anyhow::Result<()> {
        let mut turn = tokio::time::interval(EVERY);
        for number in 0..120 {
            turn.tick().await;
            let pad = format!("{number:04}").repeat(480);
            self.movers[0].room.presence(PresenceChange::new(json!({"pad": pad, "more": pad}))).await?;
        }
        self.movers[0].room.presence(PresenceChange::new(json!({"pad": "", "more": ""}))).await?;
        Ok(())
    }

    /// Both move for a while. A move takes until it, or a later one, is seen by the other.
    async fn both_move(&mut self, time: Duration) -> anyhow::Result<Samples> {
        let first = self.moves;
        // Later than the turn after the last move, which the first would wait for, and those after it a little less each.
        let begin = Instant::now() + 2 * EVERY;
        let end = begin + time;
        let mut turn = tokio::time::interval_at(begin.into(), EVERY);
        while Instant::now() < end {
            turn.tick().await;
            self.moves += 1;
            for mover in &mut self.movers {
                mover.sent.push(Instant::now());
                let cursor = json!({"cursor": {"x": f64::from(self.moves), "y": 300.5}});
                mover.room.presence(PresenceChange::new(cursor)).await?;
            }
            self.most_mib = self.most_mib.max(cpu::resident_mib()?);
        }
        let mut samples = Samples::default();
        for mover in &mut self.movers {
            let mut next = first;
            while next < self.moves {
                let Ok(seen) = tokio::time::timeout(LOST, mover.seen.recv()).await else {
                    // The last of them never came: they took at least this long.
                    let now = Instant::now();
                    mover.sent[next as usize..].iter().for_each(|sent| samples.add(now.duration_since(*sent)));
                    break;
                };
                match seen.context("the events ended")? {
                    Seen::At(number, at) => {
                        while next < number.min(self.moves) {
                            let sent = mover.sent.get(next as usize).context("a move that nobody made")?;
                            samples.add(at.duration_since(*sent));
                            next += 1;
                        }
                    }
                    Seen::Gone => self.silent += 1,
                }
            }
        }
        Ok(samples)
    }

    /// What the first refused, by name.
    async fn refused(&self) -> String {
        let ours = ["connection_", "published", "sent", "asks", "syncs", "second_connection"];
        let counters = self.peers[0].counters().await;
        let named = counters.iter().filter(|(name, _)| !ours.iter().any(|own| name.starts_with(own)));
        named.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
    }

    async fn end(self) {
        let [one, two] = self.peers;
        one.close().await;
        two.close().await;
    }
}

/// Starts a liar, and waits until it has begun.
async fn begun(mut command: Command) -> anyhow::Result<Child> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("could not start the liar")?;
    let output = child.stdout.take().context("the liar has no output")?;
    let begun = tokio::task::spawn_blocking(move || BufReader::new(output).lines().next());
    begun.await?.context("the liar did not begin")??;
    Ok(child)
}

/// Writes down when somebody's moves are seen.
fn follow(mut events: Events, whom: MemberId) -> mpsc::UnboundedReceiver<Seen> {
    let (tell, seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(item) = events.next().await {
            let at = Instant::now();
            let told = match item.event {
                RoomEvent::Change(Event::Updated { member, .. }) if member.record.member_id == whom => {
                    let x = member.record.presence.get("cursor").and_then(|cursor| cursor.get("x")?.as_f64());
                    Seen::At(x.unwrap_or_default() as u32, at)
                }
                RoomEvent::Change(Event::Stale { member } | Event::Left { member, .. })
                    if member.record.member_id == whom =>
                {
                    Seen::Gone
                }
                RoomEvent::Snapshot(snapshot) => {
                    let row = snapshot.members.iter().find(|row| row.record.member_id == whom);
                    let x = row.and_then(|row| row.record.presence.get("cursor")?.get("x")?.as_f64());
                    x.map_or(Seen::Gone, |x| Seen::At(x as u32, at))
                }
                _ => continue,
            };
            if tell.send(told).is_err() {
                return;
            }
        }
    });
    seen
}
