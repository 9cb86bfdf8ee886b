//! What a peer does once a second besides answering: closing rooms that nobody needs (design A4), renewing the leases of
//! actors that follow a room (design R7), remembering titles, and keeping `peer.json` true.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parlor_core::limits::TTL_SECONDS_MIN;
use parlor_core::{Error, RoomId};
use tokio::time::MissedTickBehavior;

use crate::live::Shared;

const EVERY: Duration = Duration::from_secs(1);

const _: () = assert!(EVERY.as_secs() * 2 < TTL_SECONDS_MIN as u64, "a lease must not run out between two renewals");

/// Runs until the peer is dropped or the task is aborted.
pub(crate) async fn run(shared: Weak<Shared>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut listen = shared.upgrade().map(|shared| shared.net.listen_addrs()).unwrap_or_default();
    loop {
        every.tick().await;
        let Some(shared) = shared.upgrade() else { return };
        renew(&shared).await;
        shared.rooms.sweep().await;
        remember_titles(&shared).await;
        announce(&shared, &mut listen).await;
    }
}

async fn renew(shared: &Shared) {
    for (room, users) in shared.rooms.followers().await {
        let renewed = shared.net.with(&room, move |replica, now| {
            for user in &users {
                replica.touch(user, now);
            }
        });
        if let Err(error) = renewed.await {
            tracing::debug!(%room, %error, "leases of followers were not renewed");
        }
    }
}

async fn remember_titles(shared: &Arc<Shared>) {
    let snapshots = shared.rooms.snapshots().await;
    // A room of which nothing is known yet may have a title that somebody will tell.
    let titles: Vec<(RoomId, Option<String>)> = snapshots
        .iter()
        .filter(|snapshot| snapshot.metadata.updated_at.is_some())
        .map(|snapshot| {
            let title = snapshot.metadata.metadata.get("title").and_then(|title| title.as_str());
            (snapshot.room.clone(), title.map(str::to_owned))
        })
        .collect();
    if !titles.is_empty() {
        save(shared, move |shared| shared.profile.titled(&titles)).await;
    }
}

async fn announce(shared: &Arc<Shared>, listen: &mut Vec<String>) {
    let now = shared.net.listen_addrs();
    if now != *listen {
        listen.clone_from(&now);
        save(shared, move |shared| shared.profile.announce(&shared.net.peer_id(), &now)).await;
    }
}

async fn save(shared: &Arc<Shared>, work: impl FnOnce(&Shared) -> Result<(), Error> + Send + 'static) {
    let worker = Arc::clone(shared);
    let saved = tokio::task::spawn_blocking(move || work(&worker)).await;
    if let Ok(Err(error)) = saved {
        shared.profile.notices.say(error.message);
    }
}
