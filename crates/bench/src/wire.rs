//! From a `presence()` call at one peer to its event at the other, over loopback, beside bare gossipsub with as many bytes,
//! in one process and in one for each peer ([`apart`]); what the seal of a private room costs beside an open one; and what
//! an idle peer, a start and a download cost.

#[cfg(target_os = "linux")]
pub mod apart;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::StreamExt;
use parlor::{Event, Join, PresenceChange, RoomEvent};
use serde_json::json;

use crate::report::{Figure, publish};
use crate::samples::{Samples, median};
#[cfg(target_os = "linux")]
use crate::{chart, targets::Targets};
use crate::{cpu, floor, pair, sealed, start};

/// A little under 30 a second, so that the source never coalesces (design A7).
const EVERY: Duration = Duration::from_millis(36);
const COUNT: u32 = 250;
const ROUNDS: usize = 3;
/// Bytes that the floor carries: the frame of one moving cursor has 29, and 41 when a heartbeat rides along.
pub(crate) const FRAME: usize = 36;
const IDLE: Duration = Duration::from_secs(20);
const FLOOD: Duration = Duration::from_secs(3);

pub async fn run() -> anyhow::Result<bool> {
    let mut rounds: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}: bare gossipsub");
        // In tasks, as whoever calls is one: a server's handler, or the window's.
        let bare = tokio::spawn(floor::run(COUNT, FRAME, EVERY)).await??;
        eprintln!("round {round} of {ROUNDS}: Parlor");
        let own = tokio::spawn(presence()).await??;
        for (name, value) in [
            ("bare p50", bare.quantile(0.5)),
            ("bare p99", bare.quantile(0.99)),
            ("own p50", own.quantile(0.5)),
            ("own p99", own.quantile(0.99)),
        ] {
            rounds.entry(name).or_default().push(value);
        }
    }
    let mut of = |name| median(rounds.remove(name).unwrap_or_default());
    let mut figures = vec![
        Figure::beside("presence() to event, p50", of("own p50"), "gossipsub", of("bare p50"), "ms"),
        Figure::beside("presence() to event, p99", of("own p99"), "gossipsub", of("bare p99"), "ms"),
    ];
    #[cfg(target_os = "linux")]
    figures.extend(tokio::task::block_in_place(apart::run)?);
    figures.push(sealed::run().await?);
    eprintln!("{ROUNDS} floods of presence()");
    figures.extend(tokio::spawn(floods()).await??);
    eprintln!("an idle room of two for {} s", IDLE.as_secs());
    figures.push(Figure::alone("processor of an idle peer", idle().await?, "ms/s"));
    for binary in ["parlor", "parlor-desktop"] {
        if let Some(size) = start::size(binary) {
            figures.push(Figure::alone(&format!("release binary {binary}"), size, "MiB"));
        }
    }
    let desktop = Path::new("target/release/parlor-desktop");
    if desktop.exists() && std::env::var_os("DISPLAY").is_some() {
        eprintln!("five starts of the window");
        let starts: Vec<f64> = (0..5).map(|_| start::window(desktop)).collect::<anyhow::Result<_>>()?;
        figures.push(Figure::alone("start to an interactive window", median(starts), "ms"));
    } else {
        eprintln!("no display or no release build of the window: its start is not measured");
    }
    // A process for each peer is measured on Linux alone, and all of the table is promised there.
    #[cfg(target_os = "linux")]
    Targets::read()?.hold("wire", &mut figures)?;
    let reached = publish("wire", &figures)?;
    #[cfg(target_os = "linux")]
    chart::draw("wire", &figures)?;
    Ok(reached)
}

async fn presence() -> anyhow::Result<Samples> {
    let (one, two, _folder) = pair::start().await?;
    let (from, to) = (one.room("bench"), two.room("bench"));
    to.join(Join::new()).await?;
    let me = from.join(Join::new().presence(json!({"cursor": {"x": 0.0, "y": 0.0}}))).await?.member_id;
    let mut events = pair::events_once_seen(&to, &me).await?;
    let receiving = tokio::spawn(async move {
        let mut arrived: Vec<Option<Instant>> = vec![None; COUNT as usize];
        let mut missing = COUNT;
        while let Some(item) = events.next().await {
            let RoomEvent::Change(Event::Updated { member, .. }) = item.event else { continue };
            let x = member.record.presence.get("cursor").and_then(|cursor| cursor.get("x")).and_then(|x| x.as_f64());
            let Some(slot) = x.and_then(|x| arrived.get_mut((x - 1.25) as usize)) else { continue };
            if member.record.member_id == me && slot.is_none() {
                *slot = Some(Instant::now());
                missing -= 1;
                if missing == 0 {
                    break;
                }
            }
        }
        arrived
    });
    let mut turn = tokio::time::interval(EVERY);
    let mut sent = Vec::new();
    for number in 0..COUNT {
        turn.tick().await;
        sent.push(Instant::now());
        let x = f64::from(number) + 1.25;
        from.presence(PresenceChange::new(json!({"cursor": {"x": x, "y": 300.5}}))).await?;
    }
    let arrived = tokio::time::timeout(Duration::from_secs(10), receiving).await.context("updates were lost")??;
    let mut samples = Samples::default();
    for (sent, arrived) in sent.iter().zip(arrived) {
        samples.add(arrived.context("an update was lost")?.duration_since(*sent));
    }
    one.close().await;
    two.close().await;
    Ok(samples)
}

/// Somebody who calls `presence()` as fast as it answers. Nobody is sent all of that (design A7): what counts is that none
/// of the calls is refused, and that the last value is seen soon.
async fn floods() -> anyhow::Result<[Figure; 2]> {
    let (mut rates, mut last) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (one, two, _folder) = pair::start().await?;
        let (from, to) = (one.room("bench"), two.room("bench"));
        to.join(Join::new()).await?;
        let me = from.join(Join::new()).await?.member_id;
        let mut events = pair::events_once_seen(&to, &me).await?;
        let (begun, mut calls) = (Instant::now(), 0_u32);
        while begun.elapsed() < FLOOD {
            calls += 1;
            from.presence(PresenceChange::new(json!({"cursor": {"x": calls, "y": 300.5}}))).await?;
        }
        let ended = Instant::now();
        rates.push(f64::from(calls) / (ended - begun).as_secs_f64());
        let seen = async {
            while let Some(item) = events.next().await {
                let RoomEvent::Change(Event::Updated { member, .. }) = item.event else { continue };
                let x = member.record.presence.get("cursor").and_then(|cursor| cursor.get("x")?.as_u64());
                if member.record.member_id == me && x == Some(u64::from(calls)) {
                    return Some(ended.elapsed());
                }
            }
            None
        };
        let seen = tokio::time::timeout(Duration::from_secs(10), seen).await.ok().flatten();
        last.push(seen.context("the last value was lost")?.as_secs_f64() * 1000.0);
        one.close().await;
        two.close().await;
    }
    Ok([
        Figure::alone("a flood of presence(): calls that are taken", median(rates), "/s"),
        Figure::alone("a flood of presence(): until the last value is seen", median(last), "ms"),
    ])
}

/// Processor milliseconds a second that one of two peers takes while nobody does anything.
async fn idle() -> anyhow::Result<f64> {
    let (one, two, _folder) = pair::start().await?;
    one.room("idle").join(Join::new()).await?;
    two.room("idle").join(Join::new()).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = cpu::spent()?;
    tokio::time::sleep(IDLE).await;
    let spent = cpu::spent()? - before;
    one.close().await;
    two.close().await;
    Ok(spent.as_secs_f64() * 1000.0 / IDLE.as_secs_f64() / 2.0)
}
