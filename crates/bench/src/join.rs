//! From a link to all that is known of a room, for somebody who comes: 32 or 128 people whom one peer holds, each with the
//! presence of the [`trace`](crate::trace). Parlor beside y-websocket, Hocuspocus and chitchat, in two processes, or three
//! with their server.
//!
//! A room is known when the event of its last member is there. With Parlor the time begins when a peer that has a link to the
//! other calls `join()`; with those on a server, whose every room has a connection of its own, when that connection says that
//! it is open; with chitchat, which has no links, when a new node asks the other. The first room of a process is `cold`; the
//! median of those that follow is `warm`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures::StreamExt;
use parlor::{Config, Event, Join, Live, MemberId, RoomEvent};
use serde_json::{Value, json};

use crate::chart;
#[cfg(feature = "chitchat")]
use crate::chitchat;
use crate::process::Process;
use crate::report::{Figure, PARLOR, publish};
use crate::samples::{Spread, median};
use crate::targets::Targets;
use crate::trace::{Presence, START};

/// People in a room.
const SIZES: [usize; 2] = [32, 128];
/// Rooms that a newcomer enters, one after the other.
const ROOMS: usize = 9;
/// Newcomers, each a process of its own.
const ROUNDS: usize = 7;
#[cfg(feature = "chitchat")]
const CHITCHAT: &[&str] = &[chitchat::NAME];
#[cfg(not(feature = "chitchat"))]
const CHITCHAT: &[&str] = &[];
const ON_A_SERVER: [&str; 2] = ["y-websocket", "Hocuspocus"];
/// No room takes this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Milliseconds that one newcomer waited.
struct Waited {
    cold: f64,
    warm: f64,
}

pub fn run() -> anyhow::Result<bool> {
    let mut figures = Vec::new();
    for members in SIZES {
        let mut of: BTreeMap<&str, Vec<Waited>> = BTreeMap::new();
        for round in 1..=ROUNDS {
            for name in [PARLOR].into_iter().chain(others()) {
                let one = measure(name, members)?;
                let Waited { cold, warm } = one;
                eprintln!("{members} members, round {round} of {ROUNDS}: {name}: cold {cold:.2} ms, warm {warm:.2} ms");
                of.entry(name).or_default().push(one);
            }
        }
        let figure = |how: &str, value: &dyn Fn(&Waited) -> f64| {
            let spread = |name: &str| Spread::of(of.get(name).into_iter().flatten().map(value).collect());
            let others = others().map(|name| (name, spread(name)));
            let name = format!("{members} members, from a link to all of them, {how}");
            Figure::among(&name, spread(PARLOR), others, |_| true, false, "ms")
        };
        figures.extend([figure("cold", &|one| one.cold), figure("warm", &|one| one.warm)]);
    }
    Targets::read()?.hold("join", &mut figures)?;
    let reached = publish("join", &figures)?;
    chart::draw("join", &figures)?;
    Ok(reached)
}

fn others() -> impl Iterator<Item = &'static str> {
    ON_A_SERVER.into_iter().chain(CHITCHAT.iter().copied())
}

fn measure(name: &str, members: usize) -> anyhow::Result<Waited> {
    let numbers = [members, ROOMS].map(|number| number.to_string());
    let numbers = numbers.each_ref().map(String::as_str);
    // In the order in which they end.
    let (mut newcomer, _host, _server);
    if !ON_A_SERVER.contains(&name) {
        let mut host = Process::own("host", &[&[name], numbers.as_slice()].concat())?;
        let address = host.line()?;
        newcomer = Process::own("newcomer", &[&[name], numbers.as_slice(), &[&address]].concat())?;
        (_host, _server) = (host, None);
    } else {
        let mut server = Process::node("server.js", &[name])?;
        let port = server.line()?;
        let arguments = [&[name, port.as_str()], numbers.as_slice()].concat();
        let mut host = Process::node("joiner.js", &[&["host"], arguments.as_slice()].concat())?;
        let said = host.line()?;
        if said != "ready" {
            bail!("the host of {name} said {said:?}");
        }
        newcomer = Process::node("joiner.js", &[&["newcomer"], arguments.as_slice()].concat())?;
        (_host, _server) = (host, Some(server));
    }
    let waited: Vec<f64> = serde_json::from_str(&newcomer.line()?)?;
    let (cold, warm) = waited.split_first().context("a newcomer without a room")?;
    Ok(Waited { cold: *cold, warm: median(warm.to_vec()) })
}

fn room(number: usize) -> String {
    format!("room-{number}")
}

/// What everybody shows.
fn presence() -> Value {
    json!(Presence::at(START))
}

fn member(number: usize) -> String {
    format!("member-{number}")
}

/// What one of two is to do.
struct Task<'a> {
    system: &'a str,
    members: usize,
    rooms: usize,
    rest: &'a [String],
}

impl<'a> Task<'a> {
    fn of(arguments: &'a [String]) -> anyhow::Result<Self> {
        let [system, members, rooms, rest @ ..] = arguments else { bail!("SYSTEM MEMBERS ROOMS [ADDRESS]") };
        Ok(Task { system, members: members.parse()?, rooms: rooms.parse()?, rest })
    }

    fn address(&self) -> anyhow::Result<&str> {
        self.rest.first().map(String::as_str).context("no address")
    }
}

fn config(folder: &tempfile::TempDir, dial: Vec<String>) -> Config {
    Config {
        data_dir: folder.path().to_owned(),
        listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
        dial,
        multicast: false,
        ..Config::default()
    }
}

/// `SYSTEM MEMBERS ROOMS`: says where it is once so many people are in each room, and stays.
pub async fn host(arguments: &[String]) -> anyhow::Result<()> {
    let task = Task::of(arguments)?;
    match task.system {
        PARLOR => {}
        #[cfg(feature = "chitchat")]
        chitchat::NAME => return beside::host(&task).await,
        other => bail!("nobody can be a host in {other:?}"),
    }
    let folder = tempfile::tempdir()?;
    let live = Live::start(config(&folder, Vec::new())).await?;
    for number in 0..task.rooms {
        let room = live.room(room(number));
        for number in 0..task.members {
            let id = MemberId::new(&member(number))?;
            room.join(Join::new().member_id(id).presence(presence())).await?;
        }
    }
    println!("{}", live.status().await.listen.first().context("no address")?);
    std::future::pending().await
}

/// `SYSTEM MEMBERS ROOMS ADDRESS`: says how many milliseconds each room took.
pub async fn newcomer(arguments: &[String]) -> anyhow::Result<()> {
    let task = Task::of(arguments)?;
    match task.system {
        PARLOR => {}
        #[cfg(feature = "chitchat")]
        chitchat::NAME => return tell(&beside::newcomer(&task).await?).await,
        other => bail!("nobody can come into {other:?}"),
    }
    let folder = tempfile::tempdir()?;
    let live = Live::start(config(&folder, Vec::new())).await?;
    live.dial(task.address()?).await?;
    let mut waited = Vec::new();
    for number in 0..task.rooms {
        let room = room(number);
        let all = tokio::time::timeout(PATIENCE, whole(&live, &room, task.members));
        waited.push(all.await.context("a room stayed unknown")??);
    }
    tell(&waited).await
}

async fn tell(waited: &[Duration]) -> anyhow::Result<()> {
    let waited: Vec<f64> = waited.iter().map(|waited| waited.as_secs_f64() * 1000.0).collect();
    println!("{}", serde_json::to_string(&waited)?);
    std::future::pending().await
}

/// How long it takes from the call until everybody in a room is known.
async fn whole(live: &Live, room: &str, members: usize) -> anyhow::Result<Duration> {
    let (room, begun) = (live.room(room), Instant::now());
    room.join(Join::new().presence(presence())).await?;
    let mut events = room.events().await?;
    let mut known = 0;
    while let Some(item) = events.next().await {
        match item.event {
            RoomEvent::Snapshot(snapshot) => known = snapshot.members.len(),
            RoomEvent::Change(Event::Joined { .. }) => known += 1,
            _ => {}
        }
        // And the newcomer.
        if known > members {
            return Ok(begun.elapsed());
        }
    }
    bail!("the events ended")
}

/// The same with chitchat: a node for each room, which holds all that are in it.
#[cfg(feature = "chitchat")]
mod beside {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::chitchat::{INTERVAL, Node};

    async fn node(number: usize, members: usize, seeds: Vec<String>) -> anyhow::Result<Node> {
        let members = (0..members).map(|number| (member(number), presence()));
        Node::start(&room(number), Ipv4Addr::LOCALHOST, INTERVAL, seeds, members).await
    }

    pub async fn host(task: &Task<'_>) -> anyhow::Result<()> {
        let mut nodes = Vec::new();
        for number in 0..task.rooms {
            nodes.push(node(number, task.members, Vec::new()).await?);
        }
        let addresses: Vec<String> = nodes.iter().map(|node| node.address().to_string()).collect();
        println!("{}", addresses.join(","));
        std::future::pending().await
    }

    pub async fn newcomer(task: &Task<'_>) -> anyhow::Result<Vec<Duration>> {
        let mut waited = Vec::new();
        let fields = presence().as_object().map_or(0, serde_json::Map::len);
        for (number, address) in task.address()?.split(',').enumerate() {
            let node = node(number, 0, Vec::new()).await?;
            let all = node.sees("member-", fields * task.members, |_| true).await;
            let begun = Instant::now();
            node.ask(address.parse()?)?;
            let all = tokio::time::timeout(PATIENCE, all.at()).await.context("a room stayed unknown")??;
            waited.push(all - begun);
        }
        Ok(waited)
    }
}
