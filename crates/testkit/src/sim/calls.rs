//! What people ask of their replicas, and whether the answers are those that the contract promises (design A2, A3).

use parlor_core::{ErrorCode, Join, Lease, Leave, MemberId, RowKey};
use serde_json::json;

use super::oracle::{Happening, Row};
use super::rules::ANSWERS;
use super::truth::End;
use super::world::World;
use crate::story::{Change, Entry, Someone, Who};

impl World {
    /// Makes somebody a member.
    pub fn join(&mut self, entry: &Entry) {
        let Entry { someone: Someone { host, who }, member, lease_s } = entry;
        let host = *host;
        let actor = self.hosts[host].actor(*who).clone();
        let member = member.as_ref().and_then(|member| MemberId::new(member).ok());
        let Some(session) = self.hosts[host].session() else { return };
        let turn = self.truth.fresh(Some(session));
        let mut args = Join::new().presence(json!({ "cursor": turn })).metadata(json!({ "host": host, "turn": turn }));
        args.member_id.clone_from(&member);
        args.presence_ttl_seconds = *lease_s;
        let lease = if lease_s.is_some() { Lease::Client } else { Lease::Own };
        let member = member.unwrap_or_else(|| actor.actor.user_id.default_member());
        let row: RowKey = (member, actor.actor.user_id.clone());
        // Known before the call, whose event is judged while it is settled.
        let knew = self.truth.rows_of(session).contains(&row);
        let now = self.now;
        if !self.hosts[host].asleep && !knew {
            self.truth.joined(session, &row, now);
        }
        let answer = self.call(host, |replica, tick| replica.join(&actor, args, lease, tick));
        match answer {
            Some(Err(error)) if !knew && error.code == ErrorCode::MemberIdConflict => self.truth.forget(session, &row),
            Some(Err(error)) => self.wrong(ANSWERS, host, format!("join was refused: {error}")),
            Some(Ok(_)) => {
                let number = self.views.number(&row);
                self.wrote(session, *who, number, &["cursor".to_owned()], turn, false);
            }
            None => {}
        }
    }

    /// Changes a presence; the number that was written, if one was and the call went well.
    pub fn presence(&mut self, by: Someone, member: Option<&str>, change: &Change) -> Option<u64> {
        let Someone { host, who } = by;
        let session = self.hosts[host].session()?;
        let value = self.truth.fresh(Some(session));
        let member_id = member.and_then(|member| MemberId::new(member).ok());
        let (mut args, sets) = change.arguments(value);
        args.member_id.clone_from(&member_id);
        let World { hosts, truth, .. } = self;
        let user = &hosts[host].actor(who).actor.user_id;
        let named = |row: &&RowKey| row.1 == *user && member_id.as_ref().is_none_or(|member| row.0 == *member);
        let mut rows = truth.rows_of(session).iter().filter(named);
        let (row, more) = (rows.next().cloned(), rows.next().is_some());
        let actor = hosts[host].actor(who).clone();
        let answer = self.call(host, |replica, tick| replica.presence(&actor, args, tick))?;
        let expected = match (&answer, &row, more) {
            (Ok(_), Some(_), false) => true,
            (Err(error), None, _) => error.code == ErrorCode::NotJoined,
            (Err(error), _, true) => error.code == ErrorCode::AmbiguousMember,
            _ => false,
        };
        if !expected {
            let asked = member.unwrap_or("its only member");
            self.wrong(ANSWERS, host, format!("presence of {asked} by {by} answered {answer:?}"));
        }
        let record = answer.ok()?;
        // Whoever called last speaks for the member, on whatever other devices it is (design A5).
        if sets.iter().any(|key| record.presence.get(key).and_then(serde_json::Value::as_u64) != Some(value)) {
            self.wrong(ANSWERS, host, format!("wrote {value} to {sets:?}, and the answer is {record:?}"));
        }
        let row = self.views.number(&row?);
        self.wrote(session, who, row, sets, value, matches!(change, Change::Set(_)));
        Some(value)
    }

    fn wrote(&mut self, session: super::Session, who: Who, row: Row, fields: &[String], value: u64, plain: bool) {
        let host = self.sessions.get(session).host;
        let written = &mut self.hosts[host].written;
        for field in fields {
            match written.iter_mut().find(|(by, of, held, _)| *by == who && of == field && *held == row) {
                Some(held) => held.3 = value,
                None => written.push((who, field.clone(), row, value)),
            }
        }
        self.happened(&Happening::Wrote { session, row, fields, value, plain });
    }

    /// What somebody wrote last to a field, and to which row.
    pub(crate) fn written_last(&self, of: Someone, field: &str) -> Option<(Row, u64)> {
        let written = self.hosts[of.host].written.iter().filter(|(who, named, ..)| *who == of.who && named == field);
        written.map(|(.., row, value)| (*row, *value)).max_by_key(|(_, value)| *value)
    }

    /// A call was answered wrong. Where somebody lies, the program may be misled by its own frames.
    pub(crate) fn wrong(&mut self, rule: &str, host: usize, detail: String) {
        if !self.hosts[host].hostile {
            self.broken(rule, Some(host), detail);
        }
    }

    /// Ends a member.
    pub fn leave(&mut self, by: Someone, member: Option<&str>) {
        let Someone { host, who } = by;
        let actor = self.hosts[host].actor(who).clone();
        let member_id = member.and_then(|member| MemberId::new(member).ok());
        let Some(session) = self.hosts[host].session().filter(|_| !self.hosts[host].asleep) else { return };
        let mut rows = self.truth.rows_of(session).to_vec();
        rows.retain(|row| row.1 == actor.actor.user_id && member_id.as_ref().is_none_or(|member| row.0 == *member));
        if let [row] = &rows[..] {
            let now = self.now;
            self.truth.ended(session, row, End::Said, now);
        }
        let answer = self.call(host, |replica, tick| replica.leave(&actor, Leave { member_id }, tick));
        let expected = match (&answer, rows.len()) {
            (None, _) => true,
            (Some(Ok(left)), found) => left.left == (found == 1) && found < 2,
            (Some(Err(error)), found) => error.code == ErrorCode::AmbiguousMember && found > 1,
        };
        if !expected {
            self.wrong(ANSWERS, host, format!("leave of {} members answered {answer:?}", rows.len()));
        }
    }
}
