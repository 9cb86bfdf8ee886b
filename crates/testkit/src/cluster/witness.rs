//! What one process was told about the room, and whether it may be told so. A reader who renders nothing but events sees
//! exactly these rows.
//!
//! - the grammar of events per member, `(joined (updated | stale | active)* left)*`, and that an event says something new
//!   (design R14);
//! - no field of a record goes back (R4): a value that is written is greater than all before it;
//! - no value is seen that nobody wrote.

use std::collections::BTreeMap;
use std::sync::Arc;

use parlor::{Event, Member, RoomEvent, Snapshot};
use parlor_core::RowKey;

/// The number of a run of a program, over all computers.
pub(crate) type Run = u32;
/// Which run wrote each value.
pub(crate) type Authors = BTreeMap<u64, Run>;

/// The rule of the grammar, by name.
pub(crate) const GRAMMAR: &str = "events keep their grammar";
/// The rule of values, by name.
pub(crate) const FORWARD: &str = "no field goes back, and no value is seen that nobody wrote";

/// How a rule is broken: its name, and the words.
pub(crate) type Wrong = (&'static str, String);

/// One process as an observer.
#[derive(Debug)]
pub(crate) struct Witness {
    /// Which run it is.
    pub run: Run,
    rows: BTreeMap<RowKey, Arc<Member>>,
    newest: BTreeMap<(RowKey, String, Run), u64>,
}

impl Witness {
    pub(crate) fn new(run: Run) -> Self {
        Self { run, rows: BTreeMap::new(), newest: BTreeMap::new() }
    }

    /// The rows as events have them.
    pub(crate) fn rows(&self) -> &BTreeMap<RowKey, Arc<Member>> {
        &self.rows
    }

    /// A field of a row, when it is a number.
    pub(crate) fn value(&self, row: &RowKey, field: &str) -> Option<u64> {
        self.rows.get(row)?.record.presence.get(field)?.as_u64()
    }

    /// Takes in what the process is told.
    pub(crate) fn told(&mut self, event: &RoomEvent, authors: &Authors) -> Result<(), Wrong> {
        match event {
            RoomEvent::Snapshot(snapshot) => self.starts_over(snapshot, authors),
            RoomEvent::Resync { .. } => Ok(()),
            RoomEvent::Change(event) => self.changed(event, authors),
        }
    }

    fn starts_over(&mut self, snapshot: &Snapshot, authors: &Authors) -> Result<(), Wrong> {
        self.rows = snapshot.members.iter().map(|member| (member.key(), Arc::clone(member))).collect();
        snapshot.members.iter().try_for_each(|member| self.forward(member, authors))
    }

    fn changed(&mut self, event: &Event, authors: &Authors) -> Result<(), Wrong> {
        let wrong = |member: &Member, how: &str| Err((GRAMMAR, format!("{} {how}", name(member))));
        match event {
            Event::Joined { member } => match self.rows.insert(member.key(), Arc::clone(member)) {
                Some(_) => wrong(member, "joined, who was there"),
                None => self.forward(member, authors),
            },
            Event::Updated { member, changed } => match self.rows.insert(member.key(), Arc::clone(member)) {
                None => wrong(member, "was updated, who was not there"),
                Some(held) if changed.is_empty() && same(&held, member) => {
                    wrong(member, "was updated, and nothing changed")
                }
                Some(_) => self.forward(member, authors),
            },
            Event::Stale { member } | Event::Active { member } => match self.rows.get_mut(&member.key()) {
                None => wrong(member, "turned, who was not there"),
                Some(held) if held.state == member.state => wrong(member, "turned to what it was"),
                Some(held) => {
                    // What else is new follows in an update.
                    Arc::make_mut(held).state = member.state;
                    Ok(())
                }
            },
            Event::Left { member, .. } => match self.rows.remove(&member.key()) {
                None => wrong(member, "left, who was not there"),
                Some(_) => Ok(()),
            },
            Event::Metadata { changed, .. } if changed.is_empty() => {
                Err((GRAMMAR, "metadata changed, and nothing in it".to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn forward(&mut self, member: &Member, authors: &Authors) -> Result<(), Wrong> {
        for (field, value) in &member.record.presence {
            let Some(value) = value.as_u64() else { continue };
            let Some(author) = authors.get(&value) else {
                return Err((FORWARD, format!("{} shows {field} {value}, which nobody wrote", name(member))));
            };
            let newest = self.newest.entry((member.key(), field.clone(), *author)).or_default();
            if value < *newest {
                return Err((FORWARD, format!("{field} of {} went back from {newest} to {value}", name(member))));
            }
            *newest = value;
        }
        Ok(())
    }
}

/// A row in words.
pub(crate) fn name(member: &Member) -> String {
    match member.record.member_id.as_str() == member.actor.user_id.as_str() {
        true => member.actor.name.clone(),
        false => format!("“{}” of {}", member.record.member_id, member.actor.name),
    }
}

/// An event in words.
pub(crate) fn tell(event: &RoomEvent) -> String {
    let shown = |member: &Member| serde_json::to_string(&member.record.presence).unwrap_or_default();
    match event {
        RoomEvent::Snapshot(snapshot) => {
            let names: Vec<String> = snapshot.members.iter().map(|member| name(member)).collect();
            format!("begins with {}", crate::story::names::list(&names))
        }
        RoomEvent::Resync { reason } => format!("begins again, {reason:?}"),
        RoomEvent::Change(event) => match event {
            Event::Joined { member } => format!("{} joined {}", name(member), shown(member)),
            Event::Updated { member, .. } => format!("{} updated {}", name(member), shown(member)),
            Event::Stale { member } => format!("{} is stale", name(member)),
            Event::Active { member } => format!("{} is active", name(member)),
            Event::Left { member, reason } => format!("{} left, {reason:?}", name(member)),
            Event::Metadata { metadata, .. } => {
                format!("the room's metadata is {}", serde_json::to_string(&metadata.metadata).unwrap_or_default())
            }
            Event::Board { notes, removed } => format!("{} notes changed, {} went", notes.len(), removed.len()),
            Event::Message { message } => format!("a message of type {}", message.kind),
            Event::Diverged { session_id } => format!("what is shared differs from {session_id}, and stays so"),
            Event::Access { access } => format!("{} people of the room, key {}", access.people.len(), access.epoch),
            Event::Watching { count } => format!("{count} look on"),
            Event::Pace { pace_ms } => format!("changes are told every {pace_ms} ms"),
            Event::Complete { complete: true } => "the view is current".to_owned(),
            Event::Complete { complete: false } => "the view may be old".to_owned(),
            Event::Cloned { cloned: None } => "no copy of the profile runs any more".to_owned(),
            Event::Cloned { cloned: Some(cloned) } => format!("{} copies of the profile run too", cloned.others.len()),
        },
    }
}

/// Whether two views of a row say the same, but for when it was seen last.
pub(crate) fn same(a: &Member, b: &Member) -> bool {
    let told = |member: &Member| {
        let mut told = member.clone();
        told.record.last_seen_at = parlor::Timestamp(0);
        told.state = parlor::MemberState::Active;
        told
    };
    told(a) == told(b)
}

#[cfg(test)]
#[path = "witness_tests.rs"]
mod tests;
