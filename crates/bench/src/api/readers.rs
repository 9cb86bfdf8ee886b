//! Two hundred who read one room, half of them by server-sent events and half over a WebSocket, while sixteen move in it. All
//! of it runs in this process, readers too. What counts is the last value of everybody: no reader may miss one.

use std::time::{Duration, Instant};

use anyhow::Context;
use futures::future::try_join_all;
use parlor::{Join, MemberId, PresenceChange};
use serde_json::json;

use crate::api::server::{PATIENCE, Server, Socket, Stream};
use crate::cpu;
use crate::report::Figure;

const READERS: usize = 200;
const MEMBERS: usize = 16;
const HERTZ: u64 = 30;
const SECONDS: u64 = 10;

/// What one reader knows of everybody, by place.
type Known = [u64; MEMBERS];

pub async fn measured() -> anyhow::Result<Vec<Figure>> {
    eprintln!("{READERS} readers of {MEMBERS} who move {HERTZ} times a second, for {SECONDS} s");
    let server = Server::start().await?;
    let mut members = Vec::new();
    for place in 0..MEMBERS {
        let room = server.live.acting_as(&format!("guest-{place}"), None)?.room("bench");
        room.join(Join::new().member_id(MemberId::new(&format!("m{place}"))?)).await?;
        members.push(room);
    }
    let last = HERTZ * SECONDS;
    let mut reading = Vec::new();
    for reader in 0..READERS {
        // One after the other, so that none is refused for want of a place in the line.
        reading.push(if reader % 2 == 0 {
            tokio::spawn(stream(Stream::open(&server, "bench").await?, last))
        } else {
            tokio::spawn(socket(Socket::open(&server, "bench").await?, last))
        });
    }
    let before = cpu::spent()?;
    let begun = Instant::now();
    try_join_all(members.into_iter().enumerate().map(async |(place, room)| {
        let mut turn = tokio::time::interval(Duration::from_millis(1000 / HERTZ));
        for n in 1..=last {
            turn.tick().await;
            room.presence(PresenceChange::new(json!({"at": format!("m{place}:{n}"), "x": n * 3, "y": 300.5}))).await?;
        }
        anyhow::Ok(())
    }))
    .await?;
    let written = Instant::now();
    let mut lost = 0_u32;
    let mut latest = Duration::ZERO;
    for reader in reading {
        match tokio::time::timeout(PATIENCE, reader).await.context("a reader hangs")?? {
            Ok(knew) => latest = latest.max(knew.saturating_duration_since(written)),
            Err(error) => {
                eprintln!("  a reader missed a last value: {error:#}");
                lost += 1;
            }
        }
    }
    let took = begun.elapsed().as_secs_f64();
    let cores = (cpu::spent()? - before).as_secs_f64() / took;
    server.end().await;
    Ok(vec![
        Figure::alone("200 readers: last values lost", f64::from(lost), "readers").at_most(0.0),
        Figure::alone("200 readers: the last who knew the last value", latest.as_secs_f64() * 1000.0, "ms"),
        Figure::alone("200 readers: seconds for ten seconds of moving", (written - begun).as_secs_f64(), "s")
            .at_most(10.5),
        // Whatever the machine has: it has to do on two.
        Figure::alone("200 readers: processors, theirs counted", cores, "cores").at_most(2.0),
    ])
}

async fn stream(mut stream: Stream, last: u64) -> anyhow::Result<Instant> {
    let mut known = Known::default();
    while known != [last; MEMBERS] {
        note(stream.next().await.with_context(|| format!("knows {known:?}"))?, &mut known);
    }
    Ok(Instant::now())
}

async fn socket(mut socket: Socket, last: u64) -> anyhow::Result<Instant> {
    let mut known = Known::default();
    while known != [last; MEMBERS] {
        let batch = socket.next().await.with_context(|| format!("knows {known:?}"))?;
        note(&batch, &mut known);
        socket.acknowledge(&batch).await?;
    }
    Ok(Instant::now())
}

/// Takes in where everybody is by what is told, in which each place is written as `"at":"m3:120"`.
fn note(told: &str, known: &mut Known) {
    for place in told.split("\"at\":\"m").skip(1) {
        let Some((who, n)) = place.split_once('"').and_then(|(place, _)| place.split_once(':')) else { continue };
        let (Ok(who), Ok(n)) = (who.parse::<usize>(), n.parse()) else { continue };
        if let Some(slot) = known.get_mut(who) {
            *slot = n;
        }
    }
}
