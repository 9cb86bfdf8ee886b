//! Whether all replicas agree once the network is whole: by values, row by row and key by key, not by hashes.

use std::collections::BTreeMap;
use std::sync::Arc;

use parlor_core::{Bag, By, Member, MembersQuery, Replica, Tick};

use super::world::World;

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
    let query = MembersQuery { limit: Some(1000), cursor: None, by };
    replica.members(&query, tick).map(|page| page.members).unwrap_or_default()
}

/// How the running replicas differ from what the owners say, if they do.
#[must_use]
pub fn difference(world: &World) -> Option<String> {
    let mut owned = View::new();
    let mut views = Vec::new();
    for (host, replica) in world.running() {
        let own = replica.session().to_string();
        let all = view(replica, world.hosts[host].tick(world.now));
        owned.extend(all.iter().filter(|(key, _)| key.0 == own).map(|(key, record)| (key.clone(), record.clone())));
        views.push((host, replica, all));
    }
    let mut first: Option<(usize, &Replica)> = None;
    for (host, replica, view) in &views {
        if *view != owned {
            return Some(format!("h{host} sees {view:?} where the owners say {owned:?}"));
        }
        for member in by_member(replica, world.hosts[*host].tick(world.now)) {
            if member.state != parlor_core::MemberState::Active {
                return Some(format!("h{host} sees {:?} stale", member.key()));
            }
        }
        match first {
            None => first = Some((*host, replica)),
            Some((other, held)) => {
                let (mine, theirs) = (replica.metadata(), held.metadata());
                if mine != theirs {
                    return Some(format!("metadata: h{host} has {mine:?}, h{other} has {theirs:?}"));
                }
            }
        }
    }
    None
}

fn view(replica: &Replica, tick: Tick) -> View {
    let rows = by_session(replica, tick).into_iter().map(|(session, member)| {
        let record = &member.record;
        let key = (session, record.member_id.to_string(), member.actor.user_id.to_string());
        (key, (record.joined_at.0, record.presence.clone(), record.metadata.clone(), member.actor.name.clone()))
    });
    rows.collect()
}
