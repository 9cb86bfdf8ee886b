//! Who is in a room, in a terminal: `terminal ROOM [DATA_DIR]`, until Ctrl-C.

use std::io::{IsTerminal, Write};

use parlor::{Config, Join, Live, Member, Snapshot};
use serde_json::json;

/// Clears the screen and puts the cursor at its upper left.
const CLEAR: &str = "\x1b[2J\x1b[H";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "standup".into());
    let mut config = Config { profile: "terminal".into(), ..Config::default() };
    if let Some(data_dir) = args.next() {
        let listen = vec!["/ip4/127.0.0.1/tcp/0".into()];
        config = Config { data_dir: data_dir.into(), listen, multicast: false, ..config };
    }

    let live = Live::start(config).await?;
    let room = live.room(name);
    let join = Join::new().presence(json!({"status": "online"})).metadata(json!({"device": "terminal"}));
    room.join(join).await?;
    let mut snapshots = room.watch().await?;
    let mut interrupted = std::pin::pin!(interrupted());
    loop {
        show(&snapshots.borrow_and_update())?;
        tokio::select! {
            changed = snapshots.changed() => changed?,
            () = &mut interrupted => break,
        }
    }
    // Leaves the room, so that nobody has to wait for that to be noticed.
    live.close().await;
    Ok(())
}

fn show(room: &Snapshot) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if out.is_terminal() {
        out.write_all(CLEAR.as_bytes())?;
    }
    let title = room.metadata.metadata.get("title").and_then(|title| title.as_str()).unwrap_or(room.room.as_str());
    writeln!(out, "{title}: {} here, {} watching", room.members.len(), room.watching)?;
    for member in &room.members {
        writeln!(out, "{}", row(member))?;
    }
    out.flush()
}

fn row(member: &Member) -> String {
    let presence = &member.record.presence;
    let says = |key: &str| presence.get(key).and_then(|value| value.as_str());
    let typing = presence.get("typing").is_some_and(|typing| typing == true);
    let what = if typing { "typing…" } else { says("tool").unwrap_or_default() };
    let you = if member.own { "you" } else { "" };
    format!("{:>24}  {you:3}  {:8} {what}", member.actor.name, says("status").unwrap_or("here"))
}

/// Ctrl-C, or what a service manager sends.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => return,
                _ = terminate.recv() => return,
            }
        }
    }
    // Without a way to be interrupted it goes on until it is killed.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
