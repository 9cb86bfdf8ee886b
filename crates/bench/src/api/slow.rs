//! Readers that stop reading while megabytes pass: what they cost, and what they know when they read again.

use anyhow::bail;
use parlor::{Join, PresenceChange, Room};
use serde_json::json;

use crate::api::server::{Server, Socket, Stream, number_behind};
use crate::cpu;
use crate::report::Figure;

/// Of each kind.
const READERS: usize = 8;
/// What one update brings that nobody reads.
const BYTES: usize = 3_000;
/// Updates that fill what is kept for readers who are slow, whoever they are.
const FILLED: u64 = 3_000;
/// And so many more: sixty megabytes for each reader, if they were kept for it.
const MORE: u64 = 20_000;

pub async fn measured() -> anyhow::Result<Vec<Figure>> {
    eprintln!("{} readers that read nothing of {} MB", 2 * READERS, MORE as usize * BYTES / 1_000_000);
    let server = Server::start().await?;
    let room = server.live.room("bench");
    room.join(Join::new()).await?;
    let (mut streams, mut sockets) = (Vec::new(), Vec::new());
    for _ in 0..READERS {
        streams.push(Stream::open(&server, "bench").await?);
        sockets.push(Socket::open(&server, "bench").await?);
    }
    write(&room, 1, FILLED).await?;
    let filled = cpu::resident_mib()?;
    write(&room, FILLED + 1, FILLED + MORE).await?;
    let grown = (cpu::resident_mib()? - filled).max(0.0);

    let last = FILLED + MORE;
    for stream in &mut streams {
        while number_behind(stream.next().await?, "\"n\":") != Some(last) {}
    }
    for socket in &mut sockets {
        let mut batches = 0;
        loop {
            let batch = socket.next().await?;
            if number_behind(&batch, "\"n\":") == Some(last) {
                break;
            }
            socket.acknowledge(&batch).await?;
            batches += 1;
            if batches > 8 {
                bail!("a socket that was slow is told more than the newest");
            }
        }
    }
    server.end().await;
    Ok(vec![Figure::alone("16 slow readers: memory for 60 MB each", grown, "MiB").at_most(16.0)])
}

async fn write(room: &Room, from: u64, to: u64) -> anyhow::Result<()> {
    let filling = "x".repeat(BYTES / 2);
    for n in from..=to {
        room.presence(PresenceChange::new(json!({"n": n, "a": filling, "b": filling}))).await?;
    }
    Ok(())
}
