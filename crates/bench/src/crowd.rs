//! A crowd for a page to draw: guests of one peer, each with a cursor that moves, until the process is ended.

use std::f64::consts::TAU;
use std::time::Duration;

use anyhow::{Context, bail};
use parlor::{Config, Join, Live, PresenceChange, Room};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};

/// Joins `COUNT` guests to `ROOM` through a peer that dials `ADDRESS`, says so on a line, and moves them `HERTZ` times a
/// second; a line on standard input ends it, and everybody leaves.
pub async fn run(args: &[String]) -> anyhow::Result<()> {
    let [room, address, count, hertz] = args else { bail!("crowd ROOM ADDRESS COUNT HERTZ") };
    let (count, hertz): (u32, f64) = (count.parse()?, hertz.parse()?);
    let folder = tempfile::tempdir()?;
    let config = Config {
        data_dir: folder.path().to_owned(),
        listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
        dial: vec![address.clone()],
        multicast: false,
        ..Config::default()
    };
    let live = Live::start(config).await?;
    let mut guests: Vec<Room> = Vec::new();
    for number in 0..count {
        let name = format!("Guest {number}");
        let guest = live.acting_as(&format!("guest-{number}"), Some(&name))?.room(room.as_str());
        let presence = json!({"name": name, "status": "online", "tool": "select", "cursor": {"x": 0, "y": 0}});
        guest.join(Join::new().presence(presence)).await?;
        guests.push(guest);
    }
    println!("{count} are in");
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut turn = tokio::time::interval(Duration::from_secs_f64(1.0 / hertz));
    let mut step = 0.0;
    loop {
        tokio::select! {
            line = lines.next_line() => {
                line.context("no more input")?;
                break;
            }
            _ = turn.tick() => {}
        }
        step += 1.0 / 20.0;
        for (number, guest) in guests.iter().enumerate() {
            let number = number as f64;
            let angle = step + number * TAU / f64::from(count);
            let cursor = json!({"x": angle.cos() * (60.0 + number * 5.0), "y": angle.sin() * (40.0 + number * 3.0)});
            guest.presence(PresenceChange::new(json!({ "cursor": cursor }))).await?;
        }
    }
    live.close().await;
    Ok(())
}
