//! Whether what a story expects has come true among real peers. What somebody sees is what events told it; whether all
//! agree is asked of every peer's own lists.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures::future::try_join_all;
use parlor::{Bag, By, Member, MemberState, MembersQuery, RoomMetadata, UserId};
use parlor_core::RowKey;

use super::Cluster;
use super::computer::{Computer, Process};
use super::witness::same;
use crate::story::{Expect, Someone, names};

/// An expectation that has not come true yet.
#[derive(Debug)]
pub(crate) struct Awaited {
    pub what: Expect,
    /// The row and the value that have to be seen.
    value: Option<(RowKey, u64)>,
}

/// The records that a peer lists, by session and row.
type Records = BTreeMap<(String, RowKey), Record>;

/// One record as a peer lists it.
#[derive(Clone, Debug, PartialEq)]
struct Record {
    joined_ms: u64,
    presence: Bag,
    metadata: Bag,
    name: String,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { joined_ms, presence, metadata, name } = self;
        write!(f, "{} with metadata {} of {name} since {joined_ms}", json(presence), json(metadata))
    }
}

/// Everything that a peer says of the room when it is asked.
struct Lists {
    records: Records,
    rows: Vec<Arc<Member>>,
    metadata: RoomMetadata,
}

impl Cluster {
    /// What is expected from now on.
    pub(crate) fn awaited(&self, what: &Expect) -> Awaited {
        let value = match what {
            Expect::Sees { of, field, .. } => self.notes.written_last(*of, field),
            _ => None,
        };
        Awaited { what: what.clone(), value }
    }

    /// What is not as it is expected, if anything.
    pub(crate) async fn missing(&self, awaited: &Awaited) -> Option<String> {
        match &awaited.what {
            Expect::Agreement => self.difference().await,
            Expect::Sees { observers, of, field } => {
                let Some((row, value)) = &awaited.value else { return Some(format!("{of} wrote nothing to {field}")) };
                self.looking(observers, |host| {
                    let seen = self.notes.inner().witnesses.get(&host)?.value(row, field);
                    let has = seen.map_or_else(|| "nothing".to_owned(), |seen| seen.to_string());
                    (seen < Some(*value)).then(|| format!("{} has {has} and not {value}", names::host(host)))
                })
            }
            Expect::Knows { observers, of } => self.looking(observers, |host| {
                let known = self.states(host, *of).contains(&MemberState::Active);
                (!known).then(|| format!("{} does not", names::host(host)))
            }),
            Expect::Gone { of } => self.looking(&[], |host| {
                let gone = host == of.host || self.states(host, *of).is_empty();
                (!gone).then(|| format!("{} has it still", names::host(host)))
            }),
            Expect::NobodyLeft { since_ms } => {
                let inner = self.notes.inner();
                let told = inner.left.iter().find(|(at, ..)| at >= since_ms);
                told.map(|(at, observer, whose)| {
                    let at = crate::story::tell::clock(*at);
                    format!("{} was told at {} that {whose}", names::host(*observer), at.trim_start())
                })
            }
            Expect::Members { observer, count } => {
                let inner = self.notes.inner();
                let listed = inner.witnesses.get(observer).map_or(0, |witness| witness.rows().len());
                (listed != *count).then(|| format!("there are {listed}"))
            }
            Expect::Asked { .. } => Some("real peers do not tell what they ask".to_owned()),
        }
    }

    /// What one of these hosts misses, or of all, that run.
    fn looking(&self, observers: &[usize], misses: impl Fn(usize) -> Option<String>) -> Option<String> {
        let asked = |host: &usize| observers.is_empty() || observers.contains(host);
        self.running().map(|(computer, _)| computer.index).filter(asked).find_map(misses)
    }

    /// The states of somebody's members as a host knows them.
    fn states(&self, host: usize, of: Someone) -> Vec<MemberState> {
        let Some(user) = self.user(of) else { return Vec::new() };
        let inner = self.notes.inner();
        let Some(witness) = inner.witnesses.get(&host) else { return Vec::new() };
        let theirs = witness.rows().iter().filter(|((_, row), _)| *row == user);
        theirs.map(|(_, member)| member.state).collect()
    }

    /// Who somebody is, if its program ever ran.
    fn user(&self, of: Someone) -> Option<UserId> {
        self.users.get(&of).cloned()
    }

    /// How those who run differ: from what owners say of their records, from what events told, and in what is shared.
    async fn difference(&self) -> Option<String> {
        let running: Vec<(&Computer, &Process)> = self.running().collect();
        let lists = match try_join_all(running.iter().map(|(_, process)| ask(process))).await {
            Ok(lists) => lists,
            Err(error) => return Some(format!("not everybody answers: {error}")),
        };
        let mut owned = Records::new();
        for ((_, process), lists) in running.iter().zip(&lists) {
            let own = lists.records.iter().filter(|(key, _)| key.0 == process.session_id);
            owned.extend(own.map(|(key, record)| (key.clone(), record.clone())));
        }
        for ((computer, _), lists) in running.iter().zip(&lists) {
            let name = computer.name();
            if let Some(apart) = self.apart(&lists.records, &owned) {
                return Some(format!("{name} {apart}"));
            }
            if let Some(member) = lists.rows.iter().find(|member| member.state != MemberState::Active) {
                return Some(format!("{name} sees {} silent", member.actor.name));
            }
            if let Some(untold) = self.untold(computer.index, &lists.rows) {
                return Some(format!("{name} {untold}"));
            }
        }
        let first = lists.first()?;
        let other = running.iter().zip(&lists).find(|(_, lists)| lists.metadata != first.metadata);
        other.map(|((computer, _), lists)| {
            let (one, other) = (running[0].0.name(), computer.name());
            let (mine, theirs) = (json(&first.metadata.metadata), json(&lists.metadata.metadata));
            format!("of the room's metadata {one} has {mine}, {other} has {theirs}")
        })
    }

    /// Where a view of records differs from what the owners say.
    fn apart(&self, view: &Records, owned: &Records) -> Option<String> {
        let of = |(session, (member, user)): &(String, RowKey), record: &Record| {
            let at = self.running().find(|(_, process)| process.session_id == *session);
            let at = at.map_or_else(|| "a process that is gone".to_owned(), |(computer, _)| computer.name());
            let member = if member.as_str() == user.as_str() { "the member" } else { member.as_str() };
            format!("{member} of {} at {at}", record.name)
        };
        for (key, record) in view {
            match owned.get(key) {
                None => return Some(format!("has {}, which is not there", of(key, record))),
                Some(owns) if owns != record => {
                    return Some(format!("has as {}: {record}, where its owner has {owns}", of(key, record)));
                }
                Some(_) => {}
            }
        }
        owned.iter().find(|(key, _)| !view.contains_key(*key)).map(|(key, record)| format!("lacks {}", of(key, record)))
    }

    /// What a list says that events did not, or the other way round.
    fn untold(&self, host: usize, listed: &[Arc<Member>]) -> Option<String> {
        let inner = self.notes.inner();
        let told = inner.witnesses.get(&host)?.rows();
        if told.len() != listed.len() {
            return Some(format!("lists {} members and was told of {}", listed.len(), told.len()));
        }
        listed.iter().find_map(|member| match told.get(&member.key()) {
            None => Some(format!("lists {}, of whom it was never told", member.actor.name)),
            Some(held) if held.state != member.state || !same(held, member) => {
                Some(format!("was told {held:?}, and lists {member:?}"))
            }
            Some(_) => None,
        })
    }
}

fn json(bag: &Bag) -> String {
    serde_json::to_string(bag).unwrap_or_default()
}

async fn ask(process: &Process) -> Result<Lists, parlor::Error> {
    let all = |by| MembersQuery { limit: Some(1_000), cursor: None, by, evidence: false };
    let by_session = process.onlooker.members(all(By::Session)).await?.members;
    let records = by_session.iter().filter_map(|member| {
        let (session, record) = (member.sessions.first()?.session_id.clone(), &member.record);
        let (presence, metadata) = (record.presence.clone(), record.metadata.clone());
        let name = member.actor.name.clone();
        Some(((session, member.key()), Record { joined_ms: record.joined_at.0, presence, metadata, name }))
    });
    Ok(Lists {
        records: records.collect(),
        rows: process.onlooker.members(all(By::Member)).await?.members,
        metadata: process.onlooker.metadata().await?,
    })
}
