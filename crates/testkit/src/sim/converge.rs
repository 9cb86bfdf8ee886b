//! Whether all honest replicas agree once the network is whole: by values, row by row and key by key, not by hashes.

use std::collections::BTreeMap;
use std::sync::Arc;

use parlor_core::{Bag, By, HistoryQuery, Member, MemberState, MembersQuery, Replica, Tick};

use super::world::World;
use crate::story::names;

/// One record as an observer sees it: session, member id, user; joined, presence, metadata, name.
type View = BTreeMap<(String, String, String), (u64, Bag, Bag, String)>;

/// The list by session.
#[must_use]
pub fn by_session(replica: &Replica, tick: Tick) -> Vec<(String, Arc<Member>)> {
    let members = list(replica, By::Session, tick);
    let named = |member: Arc<Member>| Some((member.sessions.first()?.session_id.clone(), member));
    members.into_iter().filter_map(named).collect()
}

/// The list by member.
#[must_use]
pub fn by_member(replica: &Replica, tick: Tick) -> Vec<Arc<Member>> {
    list(replica, By::Member, tick)
}

fn list(replica: &Replica, by: By, tick: Tick) -> Vec<Arc<Member>> {
    let query = MembersQuery { limit: Some(1000), cursor: None, by, evidence: false };
    replica.members(&query, tick).map(|page| page.members).unwrap_or_default()
}

/// How the honest replicas that run differ from what the owners say, if they do.
#[must_use]
pub fn difference(world: &World) -> Option<String> {
    let mut owned = View::new();
    let mut views = Vec::new();
    for (host, replica) in world.honest() {
        let own = replica.session().to_string();
        let all = view(world, replica, world.hosts[host].tick(world.now));
        owned.extend(all.iter().filter(|(key, _)| key.0 == own).map(|(key, record)| (key.clone(), record.clone())));
        views.push((host, replica, all));
    }
    for (host, replica, view) in &views {
        let name = names::host(*host);
        if *view != owned {
            return Some(format!("{name} {}", apart(world, view, &owned)));
        }
        for member in by_member(replica, world.hosts[*host].tick(world.now)) {
            if member.state != MemberState::Active && world.is_honest(&member.key()) {
                return Some(format!("{name} sees {} silent", member.actor.name));
            }
        }
    }
    shared_difference(world)
}

/// How what is shared differs among the honest replicas that run, if it does: metadata, board, log.
#[must_use]
pub fn shared_difference(world: &World) -> Option<String> {
    let mut honest = world.honest();
    let (other, held) = honest.next()?;
    let other = names::host(other);
    honest.find_map(|(host, replica)| {
        let name = names::host(host);
        let (mine, theirs) = (replica.metadata(), held.metadata());
        if mine != theirs {
            let (mine, theirs) = (&mine.metadata, &theirs.metadata);
            return Some(format!("of the room's metadata {name} has {mine:?}, {other} has {theirs:?}"));
        }
        let (mine, theirs) = (replica.access(), held.access());
        if mine != theirs {
            return Some(format!("of who may do what {name} has {mine:?}, {other} has {theirs:?}"));
        }
        let (mine, theirs) = (replica.board(), held.board());
        if mine != theirs {
            let (mine, theirs) = (&mine.notes, &theirs.notes);
            return Some(format!("of the board {name} has {mine:?}, {other} has {theirs:?}"));
        }
        let all = HistoryQuery { limit: Some(1000), cursor: None };
        let (mine, theirs) = (replica.history(&all), held.history(&all));
        (mine != theirs).then(|| format!("of the log {name} has {mine:?}, {other} has {theirs:?}"))
    })
}

/// Where two views differ first.
fn apart(world: &World, view: &View, owned: &View) -> String {
    let of = |(session, member, _): &(String, String, String), record: &(u64, Bag, Bag, String)| {
        let session = world.sessions.named(session).map_or_else(|| session.clone(), |known| world.sessions.name(known));
        format!("“{member}” of {} at {session}", record.3)
    };
    for (key, record) in view {
        match owned.get(key) {
            None => return format!("has {}, which is not there", of(key, record)),
            Some(owns) if owns != record => {
                return format!("has of {} {record:?} where its owner has {owns:?}", of(key, record));
            }
            Some(_) => {}
        }
    }
    let missing = owned.iter().find(|(key, _)| !view.contains_key(*key));
    missing.map_or_else(String::new, |(key, record)| format!("lacks {}", of(key, record)))
}

fn view(world: &World, replica: &Replica, tick: Tick) -> View {
    let honest = by_session(replica, tick).into_iter().filter(|(_, member)| world.is_honest(&member.key()));
    let rows = honest.map(|(session, member)| {
        let record = &member.record;
        let key = (session, record.member_id.to_string(), member.actor.user_id.to_string());
        (key, (record.joined_at.0, record.presence.clone(), record.metadata.clone(), member.actor.name.clone()))
    });
    rows.collect()
}
