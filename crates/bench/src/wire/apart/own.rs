//! Parlor, by its public calls.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use futures::StreamExt as _;
use parlor::{Config, Event, Events, Join, Live, Member, PresenceChange, RoomEvent};
use serde_json::json;
use tokio::sync::{Notify, oneshot};

use super::mover::{Seen, Task, Told, cursor, grace, now, place, presence, ready};

pub async fn play(task: &Task, go: oneshot::Receiver<()>) -> anyhow::Result<Told> {
    let folder = tempfile::tempdir()?;
    let live = Live::start(Config {
        data_dir: folder.path().to_owned(),
        listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
        dial: task.addresses.clone(),
        multicast: false,
        ..Config::default()
    })
    .await?;
    println!("{}", live.status().await.listen.first().context("no address")?);
    let room = live.room("bench");
    room.join(Join::new().presence(presence(task.number))).await?;
    let seen = Arc::new(Mutex::new(Seen::new(task)));
    let complete = Arc::new(Notify::new());
    tokio::spawn(watch(room.events().await?, seen.clone(), complete.clone()));
    complete.notified().await;
    ready(task.clone(), go).await?;
    if task.count == 0 {
        std::future::pending::<()>().await;
    }
    let mut told = Told::default();
    let mut turn = tokio::time::interval(task.every);
    for number in 0..task.count {
        turn.tick().await;
        told.sent.push(now());
        room.presence(PresenceChange::new(json!({ "cursor": cursor(place(number)) }))).await?;
    }
    grace().await;
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    told.heard = std::mem::take(&mut seen.heard);
    Ok(told)
}

async fn watch(mut events: Events, seen: Arc<Mutex<Seen>>, complete: Arc<Notify>) {
    let see = |member: &Member| {
        let of = |key: &str| member.record.presence.get(key);
        let x = of("cursor").and_then(|cursor| cursor.get("x")?.as_f64());
        let Some((number, x)) = of("number").and_then(|number| number.as_u64()).zip(x) else { return };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.see(number as usize, x);
        if seen.is_complete() {
            complete.notify_one();
        }
    };
    while let Some(item) = events.next().await {
        match item.event {
            RoomEvent::Change(Event::Joined { member } | Event::Updated { member, .. }) => see(&member),
            RoomEvent::Snapshot(snapshot) => snapshot.members.iter().for_each(|member| see(member)),
            _ => {}
        }
    }
}
