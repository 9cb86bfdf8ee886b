//! From a link to all that is known of a room, for somebody who comes: 32 or 128 people whom one peer holds, each with the
//! presence of the trace in the table `memory`. Parlor beside y-websocket and Hocuspocus, in two processes, or three with their
//! server.
//!
//! A room is known when the event of its last member is there. With Parlor the time begins when a peer that has a link to the
//! other calls `join()`; with the others, whose every room has a connection of its own, when that connection says that it is
//! open. The first room of a process is `cold`; the median of those that follow is `warm`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures::StreamExt;
use parlor::{Config, Event, Join, Live, MemberId, RoomEvent};
use serde_json::{Value, json};

use crate::process::Process;
use crate::report::{Figure, publish};
use crate::samples::{Spread, median};
use crate::targets::Targets;

/// People in a room.
const SIZES: [usize; 2] = [32, 128];
/// Rooms that a newcomer enters, one after the other.
const ROOMS: usize = 9;
/// Newcomers, each a process of its own.
const ROUNDS: usize = 7;
const PARLOR: &str = "Parlor";
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
            for name in [PARLOR].into_iter().chain(ON_A_SERVER) {
                let one = measure(name, members)?;
                let Waited { cold, warm } = one;
                eprintln!("{members} members, round {round} of {ROUNDS}: {name}: cold {cold:.2} ms, warm {warm:.2} ms");
                of.entry(name).or_default().push(one);
            }
        }
        let figure = |how: &str, value: &dyn Fn(&Waited) -> f64| {
            let spread = |name: &str| Spread::of(of.get(name).into_iter().flatten().map(value).collect());
            let others = ON_A_SERVER.into_iter().map(|name| (name, spread(name)));
            let name = format!("{members} members, from a link to all of them, {how}");
            Figure::among(&name, spread(PARLOR), others, |_| true, false, "ms")
        };
        figures.extend([figure("cold", &|one| one.cold), figure("warm", &|one| one.warm)]);
    }
    Targets::read()?.hold("join", &mut figures)?;
    publish("join", &figures)
}

fn measure(name: &str, members: usize) -> anyhow::Result<Waited> {
    let numbers = [members, ROOMS].map(|number| number.to_string());
    let numbers = numbers.each_ref().map(String::as_str);
    // In the order in which they end.
    let (mut newcomer, _host, _server);
    if name == PARLOR {
        let mut host = Process::own("host", &numbers)?;
        let address = host.line()?;
        newcomer = Process::own("newcomer", &[numbers.as_slice(), &[&address]].concat())?;
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

/// What everybody shows: 140 bytes of JSON.
fn presence() -> Value {
    json!({
        "name": "Quiet Otter",
        "color": "#286fe3",
        "cursor": {"x": 512.25, "y": 300.5},
        "typing": false,
        "tool": "pen",
        "viewport": {"x": 120, "y": 80, "zoom": 1.25},
    })
}

fn numbers(arguments: &[String]) -> anyhow::Result<(usize, usize, &[String])> {
    let [members, rooms, rest @ ..] = arguments else { bail!("MEMBERS ROOMS [ADDRESS]") };
    Ok((members.parse()?, rooms.parse()?, rest))
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

/// `MEMBERS ROOMS`: says its address once so many people are in each room, and stays.
pub async fn host(arguments: &[String]) -> anyhow::Result<()> {
    let (members, rooms, _) = numbers(arguments)?;
    let folder = tempfile::tempdir()?;
    let live = Live::start(config(&folder, Vec::new())).await?;
    for number in 0..rooms {
        let room = live.room(room(number));
        for member in 0..members {
            let id = MemberId::new(&format!("member-{member}"))?;
            room.join(Join::new().member_id(id).presence(presence())).await?;
        }
    }
    println!("{}", live.status().await.listen.first().context("no address")?);
    std::future::pending().await
}

/// `MEMBERS ROOMS ADDRESS`: says how many milliseconds each room took.
pub async fn newcomer(arguments: &[String]) -> anyhow::Result<()> {
    let (members, rooms, address) = numbers(arguments)?;
    let folder = tempfile::tempdir()?;
    let live = Live::start(config(&folder, Vec::new())).await?;
    live.dial(address.first().context("no address")?).await?;
    let mut waited = Vec::new();
    for number in 0..rooms {
        let room = room(number);
        let all = tokio::time::timeout(PATIENCE, whole(&live, &room, members));
        waited.push(all.await.context("a room stayed unknown")??.as_secs_f64() * 1000.0);
    }
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
