//! chitchat over UDP: it tells what changed at intervals, so it is measured at rest alone.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::ensure;
use tokio::sync::oneshot;

use super::mover::{Task, Told, presence, ready};
use crate::chitchat::Node;

pub async fn play(task: &Task, go: oneshot::Receiver<()>, interval: Duration) -> anyhow::Result<Told> {
    ensure!(task.count == 0, "it moves at its intervals");
    let presence = presence(task.number);
    let fields = presence.as_object().map_or(0, serde_json::Map::len);
    let own = [(format!("member-{}", task.number), presence)].into_iter();
    let node = Node::start("bench", Ipv4Addr::LOCALHOST, interval, task.addresses.clone(), own).await?;
    let all = node.sees("member-", fields * (task.peers - 1), |_| true).await;
    println!("{}", node.address());
    all.at().await?;
    ready(task.clone(), go).await?;
    std::future::pending().await
}
