//! What spans rooms: the list of rooms near and known, and changes of a person that show in every room.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use parlor_core::{Bag, Kind, Leave, LocalActor, Member, PresenceChange, RoomId, Snapshot, UserId};
use serde_json::Value;

use crate::held::held;
use crate::keep::LINGER;
use crate::report::RoomSummary;
use crate::shared::Shared;

/// Rooms near, open and opened before.
pub(crate) async fn rooms(shared: &Shared, user: &UserId) -> Vec<RoomSummary> {
    let session = shared.session();
    let mut rooms: BTreeMap<RoomId, RoomSummary> = BTreeMap::new();
    for recent in shared.profile.recent() {
        let summary = rooms.entry(recent.room.clone()).or_insert_with(|| empty(recent.room));
        summary.title = recent.title;
        summary.last_opened_at = Some(recent.last_opened_at);
        // Also when its key is lost.
        summary.private = recent.private;
    }
    for room in shared.profile.private_rooms() {
        rooms.entry(room.clone()).or_insert_with(|| empty(room)).private = true;
    }
    let private: BTreeSet<RoomId> = rooms.values().filter(|room| room.private).map(|room| room.room.clone()).collect();
    let near = session.net.near().borrow().clone();
    // An open room that is near is another room than the private one of its name, and cannot be opened by it.
    for room in near.iter().filter(|room| !private.contains(&room.room)) {
        let summary = rooms.entry(room.room.clone()).or_insert_with(|| empty(room.room.clone()));
        summary.members = room.members;
        summary.title = room.title.clone().or_else(|| summary.title.take());
        summary.faces.clone_from(&room.faces);
        summary.near = true;
    }
    for snapshot in session.rooms.snapshots().await {
        let Ok(open) = session.net.with(&snapshot.room, |replica, _| replica.summary()).await else { continue };
        // A room that is only looked at, and that nobody is in, is not a room that anybody knows.
        if open.members == 0 && !rooms.contains_key(&snapshot.room) {
            continue;
        }
        let summary = rooms.entry(snapshot.room.clone()).or_insert_with(|| empty(snapshot.room.clone()));
        summary.members = open.members;
        summary.title = open.title.or_else(|| summary.title.take());
        summary.faces = open.faces;
        summary.joined = own_rows(&snapshot, user).next().is_some();
        summary.near = open.members > 0;
    }
    let mut rooms: Vec<_> = rooms.into_values().collect();
    rooms.sort_by_key(|room| (Reverse(room.near), Reverse(room.last_opened_at), room.room.clone()));
    rooms
}

fn empty(room: RoomId) -> RoomSummary {
    RoomSummary {
        room,
        kind: Kind::Room,
        members: 0,
        joined: false,
        private: false,
        title: None,
        faces: Vec::new(),
        near: false,
        last_opened_at: None,
    }
}

/// Takes every member of this actor out of a room; answers whether there was one.
pub(crate) async fn leave_all(shared: &Shared, room: &RoomId, who: &LocalActor) -> bool {
    let session = shared.session();
    if session.rooms.get(room, LINGER).await.is_none() {
        return false;
    }
    let who = who.clone();
    let left = session.net.with(room, move |replica, now| {
        let snapshot = replica.snapshot();
        let members: Vec<_> = own_rows(&snapshot, &who.actor.user_id).map(|row| row.record.member_id.clone()).collect();
        for member_id in &members {
            // Leaving succeeds locally, always (design R8).
            let _ = replica.leave(&who, Leave { member_id: Some(member_id.clone()) }, now);
        }
        !members.is_empty()
    });
    left.await.unwrap_or(false)
}

/// Shows a new name or colour of the person in the rooms where their presence has one.
pub(crate) async fn show(shared: &Shared, name: Option<String>, color: Option<String>) {
    let session = shared.session();
    let who = held(&session.own).clone();
    let shown = [("name", name), ("color", color)];
    for snapshot in session.rooms.snapshots().await {
        for row in own_rows(&snapshot, &who.actor.user_id) {
            let presence: Bag = shown
                .iter()
                .filter(|(key, _)| row.record.presence.contains_key(*key))
                .filter_map(|(key, value)| Some(((*key).to_owned(), Value::String(value.clone()?))))
                .collect();
            if presence.is_empty() {
                continue;
            }
            let member_id = Some(row.record.member_id.clone());
            let change = PresenceChange { presence, member_id, ..PresenceChange::default() };
            let who = who.clone();
            let set = session.net.with(&snapshot.room, move |replica, now| replica.presence(&who, change, now));
            if let Ok(Err(error)) = set.await {
                let (room, reason) = (shared.profile.tag(&snapshot.room), error.code.as_str());
                tracing::debug!(room, reason, "a new name or colour is not shown here");
            }
        }
    }
}

/// The rows of an actor that this process made.
fn own_rows<'a>(snapshot: &'a Snapshot, user: &'a UserId) -> impl Iterator<Item = &'a Member> {
    snapshot.members.iter().map(|row| &**row).filter(move |row| row.own && row.actor.user_id == *user)
}
