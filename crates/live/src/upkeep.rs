//! What a peer does once a second besides answering: closing rooms that nobody needs (design A4), renewing the leases of
//! actors that follow a room (design R7), remembering titles, keeping `peer.json` true, and coming back from being
//! read-only when the copy of the profile that made it so is gone (design R2).

use std::sync::{Arc, Weak};
use std::time::Duration;

use parlor_core::limits::TTL_SECONDS_MIN;
use parlor_core::{Error, RoomId};
use tokio::time::MissedTickBehavior;

use crate::session::{self, Next, Session};
use crate::shared::Shared;

const EVERY: Duration = Duration::from_secs(1);

const _: () = assert!(EVERY.as_secs() * 2 < TTL_SECONDS_MIN as u64, "a lease must not run out between two renewals");

/// Runs until the peer is dropped or the task is aborted.
pub(crate) async fn run(shared: Weak<Shared>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut announced = Vec::new();
    loop {
        every.tick().await;
        let Some(shared) = shared.upgrade() else { return };
        let session = shared.session();
        renew(&shared, &session).await;
        session.rooms.sweep().await;
        remember_titles(&shared, &session).await;
        announce(&shared, &session, &mut announced).await;
        come_back(&shared, &session).await;
    }
}

async fn renew(shared: &Shared, session: &Session) {
    for (room, users) in session.rooms.followers().await {
        let renewed = session.net.with(&room, move |replica, now| {
            for user in &users {
                replica.touch(user, now);
            }
        });
        if let Err(error) = renewed.await {
            tracing::debug!(
                room = shared.profile.tag(&room),
                reason = error.code.as_str(),
                "leases of followers were not renewed"
            );
        }
    }
}

async fn remember_titles(shared: &Arc<Shared>, session: &Session) {
    let snapshots = session.rooms.snapshots().await;
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

async fn announce(shared: &Arc<Shared>, session: &Session, announced: &mut Vec<String>) {
    let now = session.net.listen_addrs();
    // The start of a session has announced where it listened then.
    let news = *announced != now && !announced.is_empty();
    announced.clone_from(&now);
    if news {
        let peer_id = session.net.peer_id();
        save(shared, move |shared| shared.profile.announce(&peer_id, &now)).await;
    }
}

/// A session that a copy of the profile made read-only is over for everybody else: another one begins when the copy is gone.
async fn come_back(shared: &Arc<Shared>, session: &Session) {
    let peers = session.net.peers().await;
    session.look_at_clones(&peers).await;
    if session.may_come_back()
        && let Err(error) = session::renew(shared, Next::Same).await
    {
        tracing::warn!(reason = error.code.as_str(), "this peer stays read-only");
    }
}

async fn save(shared: &Arc<Shared>, work: impl FnOnce(&Shared) -> Result<(), Error> + Send + 'static) {
    let worker = Arc::clone(shared);
    let saved = tokio::task::spawn_blocking(move || work(&worker)).await;
    if let Ok(Err(error)) = saved {
        shared.profile.notices.say(error.message);
    }
}
