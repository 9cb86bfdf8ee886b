//! Two peers on loopback, and the room that they are in together.

use std::time::Duration;

use anyhow::Context;
use futures::StreamExt;
use parlor::{Config, Event, Events, Live, MemberId, Room, RoomEvent};
use tempfile::TempDir;

/// How long two peers may take to see each other.
const MEET: Duration = Duration::from_secs(10);

/// Two peers on loopback, the second connected to the first.
pub async fn start() -> anyhow::Result<(Live, Live, TempDir)> {
    start_with(Config { listen: vec!["/ip4/127.0.0.1/tcp/0".into()], multicast: false, ..Config::default() }).await
}

/// The same, with what they have in common.
pub async fn start_with(common: Config) -> anyhow::Result<(Live, Live, TempDir)> {
    let folder = tempfile::tempdir()?;
    let config = |profile: &str, dial: Vec<String>| Config {
        profile: profile.to_owned(),
        data_dir: folder.path().to_owned(),
        dial,
        ..common.clone()
    };
    let one = Live::start(config("one", Vec::new())).await?;
    let two = Live::start(config("two", one.status().await.listen)).await?;
    Ok((one, two, folder))
}

/// The events of a room, from the moment on when this member is seen in it.
pub async fn events_once_seen(room: &Room, member: &MemberId) -> anyhow::Result<Events> {
    let mut events = room.events().await?;
    let seen = async {
        while let Some(item) = events.next().await {
            match item.event {
                RoomEvent::Snapshot(snapshot) if snapshot.members.iter().any(|row| row.record.member_id == *member) => {
                    break;
                }
                RoomEvent::Change(Event::Joined { member: row }) if row.record.member_id == *member => break,
                _ => {}
            }
        }
    };
    tokio::time::timeout(MEET, seen).await.context("the two peers did not meet")?;
    Ok(events)
}
