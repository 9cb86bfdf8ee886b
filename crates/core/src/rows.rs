//! What readers see: sessions folded into rows, events that keep the grammar, the stable order and its pages (design A4,
//! A5, R14). Every event comes from one place, [`Replica::refresh`], by holding a row against what it was: so an update
//! can never be a leave and a join, and nothing happens to a row that is not there.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorCode};
use crate::evidence::Evidence;
use crate::fields::Fields;
use crate::ids::{MemberId, SessionId, Tick, UserId};
use crate::limits::{MEMBERS_LIMIT_DEFAULT, MEMBERS_LIMIT_MAX};
use crate::own::OwnRecord;
use crate::replica::Replica;
use crate::row_table::Place;
use crate::view::{
    Actor, ActorKind, Bag, By, Event, Kind, LeftReason, Member, MemberRecord, MemberState, MembersPage, MembersQuery,
    RoomMetadata, RowKey, SIMULATED, SessionRef, Snapshot, Timestamp,
};

/// Records of a row, some of them over, before they are looked through.
const SWEPT_ABOVE: usize = 8;

/// One session's part of a row.
struct Part<'a> {
    session: SessionId,
    actor: &'a Actor,
    joined_ms: u64,
    seen: Tick,
    metadata: &'a Bag,
    fields: &'a Fields,
    act: u64,
    stale: bool,
    own: bool,
}

/// What a lobby tells of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Summary {
    /// Members, stale ones included.
    pub members: u32,
    /// The room's title.
    pub title: Option<String>,
    /// Up to five of them.
    pub faces: Vec<Face>,
}

/// A member in a lobby.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Face {
    /// Name.
    pub name: String,
    /// Colour, when the member has one.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub color: Option<String>,
}

/// Where a page ends.
#[derive(Serialize, Deserialize)]
struct Cursor {
    joined_ms: u64,
    member: String,
    user: String,
    session: [u8; 32],
}

impl Replica {
    /// Holds a row against what it was, and says what happened to it. `reason` is told when it is gone.
    pub(crate) fn refresh(&mut self, key: &RowKey, reason: LeftReason, now: Tick) {
        self.refresh_knowing(key, reason, None, now);
    }

    /// The same, with what is known of why somebody is given up.
    pub(crate) fn refresh_knowing(&mut self, key: &RowKey, reason: LeftReason, evidence: Option<&Evidence>, now: Tick) {
        let fresh = self.fold(key, None, now);
        let held = self.rows.member(key).cloned();
        if fresh.is_none() {
            self.rows.remove(key);
        }
        match (held, fresh) {
            (None, None) => {}
            (None, Some(member)) => {
                let member = Arc::new(member);
                self.rows.show(key, member.clone());
                self.emit(Event::Joined { member });
                self.refresh_conflicts(key, now);
            }
            (Some(mut member), None) => {
                if let Some(evidence) = evidence {
                    Arc::make_mut(&mut member).evidence = Some(Box::new(evidence.clone()));
                }
                self.emit(Event::Left { member, reason });
                self.refresh_conflicts(key, now);
            }
            (Some(held), Some(member)) => self.compare(key, &held, member),
        }
    }

    fn compare(&mut self, key: &RowKey, held: &Member, member: Member) {
        let changed = changed_keys(&held.record.presence, &member.record.presence);
        let other = held.record.metadata != member.record.metadata
            || held.actor != member.actor
            || held.conflict != member.conflict
            || held.record.joined_at != member.record.joined_at
            || held.own != member.own;
        let turned = held.state != member.state;
        if changed.is_empty() && !other && !turned {
            return;
        }
        let member = Arc::new(member);
        self.rows.show(key, member.clone());
        if turned {
            self.emit(match member.state {
                MemberState::Stale => Event::Stale { member: member.clone() },
                MemberState::Active => Event::Active { member: member.clone() },
            });
        }
        if !changed.is_empty() || other {
            self.emit(Event::Updated { member, changed });
        }
    }

    /// Rows of other actors with the same member id learn that they are not alone.
    fn refresh_conflicts(&mut self, (member, user): &RowKey, now: Tick) {
        let others: Vec<RowKey> = self.rivals(member, user).cloned().collect();
        for other in others {
            if let (Some(held), Some(fresh)) = (self.rows.member(&other).cloned(), self.fold(&other, None, now)) {
                self.compare(&other, &held, fresh);
            }
        }
    }

    /// The row as it is at `now`; of one session only when that is named.
    fn fold(&self, key: &RowKey, only: Option<SessionId>, now: Tick) -> Option<Member> {
        let mut parts: Vec<Part<'_>> = self.parts(key, now).collect();
        if let Some(session) = only {
            parts.retain(|part| part.session == session);
        }
        // The session whose explicit call came last speaks for the member; no clock decides (design A5).
        let speaker = parts.iter().max_by_key(|part| (part.act, part.session))?;
        let joined_ms = parts.iter().map(|part| part.joined_ms).min()?;
        let seen = parts.iter().map(|part| part.seen).max()?;
        let stale = parts.iter().all(|part| part.stale);
        let conflict = self.rivals(&key.0, &key.1).next().is_some();
        Some(Member {
            record: MemberRecord {
                room: self.config.room.clone(),
                kind: Kind::Room,
                member_id: key.0.clone(),
                joined_at: Timestamp(joined_ms),
                last_seen_at: self.timestamp(seen),
                metadata: speaker.metadata.clone(),
                presence: speaker.fields.bag(),
            },
            actor: speaker.actor.clone(),
            state: if stale { MemberState::Stale } else { MemberState::Active },
            own: parts.iter().any(|part| part.own),
            verified: speaker.actor.kind == ActorKind::User,
            conflict,
            // A person is never taken for somebody who is made up, whatever they say of themselves.
            simulated: speaker.actor.kind == ActorKind::Guest
                && speaker.metadata.get(SIMULATED).is_some_and(|said| *said == true),
            sessions: Vec::new(),
            evidence: None,
        })
    }

    /// A record that a row is made of; the place of the row. Records that are over are swept out when they become many.
    pub(crate) fn add_part(&mut self, key: RowKey, session: SessionId, incarnation: u32) -> Place {
        let (place, row) = self.rows.enter(key);
        if !row.parts.contains(&(session, incarnation)) {
            row.parts.push((session, incarnation));
        }
        if row.parts.len() > SWEPT_ABOVE {
            let parts = std::mem::take(&mut row.parts);
            let there = |part: &&(SessionId, u32)| self.part_of(part.0, part.1, Tick(0)).is_some();
            let parts = parts.iter().filter(there).copied().collect();
            if let Some(row) = self.rows.at(place) {
                row.parts = parts;
            }
        }
        place
    }

    /// The short way of [`Replica::refresh`] for the most frequent case by far: values of a row that one record alone
    /// makes, here an own one. False when it is not that case.
    pub(crate) fn patch_own(&mut self, incarnation: u32, changed: Vec<String>, now: Tick) -> bool {
        let (part, seen) = ((self.session(), incarnation), self.timestamp(now));
        let Some(record) = self.own.get(&incarnation) else { return false };
        let Some(row) = self.rows.at(record.place) else { return false };
        let Some(changed) = row.patch(part, &record.fields, changed, seen) else { return false };
        let member = row.member().cloned();
        self.emit_updated(member, changed);
        true
    }

    pub(crate) fn emit_updated(&mut self, member: Option<Arc<Member>>, changed: Vec<String>) {
        if let Some(member) = member.filter(|_| !changed.is_empty()) {
            self.emit(Event::Updated { member, changed });
        }
    }

    /// An own record, and the row that it is of.
    pub(crate) fn add_own(&mut self, incarnation: u32, record: OwnRecord) {
        let row = (record.member.clone(), record.user().clone());
        self.own.insert(incarnation, record);
        let place = self.add_part(row, self.session(), incarnation);
        if let Some(record) = self.own.get_mut(&incarnation) {
            record.place = place;
        }
    }

    fn parts<'a>(&'a self, key: &'a RowKey, now: Tick) -> impl Iterator<Item = Part<'a>> {
        let parts = self.rows.get(key).into_iter().flat_map(|row| row.parts.iter());
        let of_row = parts.filter(move |(session, incarnation)| self.is_of(key, *session, *incarnation));
        of_row.filter_map(move |(session, incarnation)| self.part_of(*session, *incarnation, now))
    }

    /// Whether a record is one of this row. A session that was silent for too long may come back and say of the same
    /// incarnation that it is somebody else: what the row had is over all the same.
    fn is_of(&self, (member, user): &RowKey, session: SessionId, incarnation: u32) -> bool {
        if session == self.session() {
            return self.own.get(&incarnation).is_some_and(|own| own.member == *member && own.user() == user);
        }
        let record = self.peers.get(&session).and_then(|peer| peer.records.get(incarnation));
        record.is_some_and(|record| record.member == *member && record.actor.user_id == *user)
    }

    fn part_of(&self, session: SessionId, incarnation: u32, now: Tick) -> Option<Part<'_>> {
        if session == self.session() {
            let record = self.own.get(&incarnation)?;
            return Some(Part {
                session,
                actor: &record.who.actor,
                joined_ms: record.joined_ms,
                seen: now,
                metadata: &record.metadata,
                fields: &record.fields,
                act: record.act,
                stale: false,
                own: true,
            });
        }
        let peer = self.peers.get(&session)?;
        let record = peer.records.get(incarnation)?;
        Some(Part {
            session,
            actor: &record.actor,
            joined_ms: record.joined_ms,
            seen: peer.heard,
            metadata: &record.metadata,
            fields: &record.fields,
            act: record.act,
            stale: peer.stale,
            own: false,
        })
    }

    /// Of the sessions of a member the one that says most for its being there: this one, else one that is heard, else the
    /// one that was heard last.
    pub(crate) fn best_session(&self, key: &RowKey, only: Option<SessionId>, now: Tick) -> Option<SessionId> {
        let parts = self.parts(key, now).filter(|part| only.is_none_or(|only| only == part.session));
        parts.max_by_key(|part| (part.own, !part.stale, part.seen, part.session)).map(|part| part.session)
    }

    /// The greatest `act` among the other sessions of a member (design A5).
    pub(crate) fn act_elsewhere(&self, key: &RowKey) -> u64 {
        self.parts(key, self.looked).filter(|part| !part.own).map(|part| part.act).max().unwrap_or(0)
    }

    /// The record of a row as calls answer it.
    pub(crate) fn record_of(&self, key: &RowKey, now: Tick) -> Result<MemberRecord, Error> {
        let record = self.rows.member(key).map(|row| row.record.clone());
        record
            .map(|record| MemberRecord { last_seen_at: self.timestamp(now), ..record })
            .ok_or_else(|| Error::new(ErrorCode::NotJoined, "not a member of this room; join first"))
    }

    /// A page of the members, in an order that never changes because somebody moved (design A4).
    ///
    /// # Errors
    /// `INVALID_LIMIT` outside 1 to 1000, `INVALID_CURSOR` for one that no page gave.
    pub fn members(&self, query: &MembersQuery, now: Tick) -> Result<MembersPage, Error> {
        let limit = query.limit.unwrap_or(MEMBERS_LIMIT_DEFAULT);
        if !(1..=MEMBERS_LIMIT_MAX).contains(&limit) {
            let message = format!("limit is {limit}; a whole number from 1 to {MEMBERS_LIMIT_MAX} is allowed");
            return Err(Error::new(ErrorCode::InvalidLimit, message).at("limit"));
        }
        let after = query.cursor.as_deref().map(read_cursor).transpose()?;
        let mut rows: Vec<(Cursor, Member)> = Vec::new();
        for (key, _) in self.rows.members() {
            match query.by {
                By::Member => {
                    if let Some(mut member) = self.fold(key, None, now) {
                        if query.evidence {
                            member.evidence = self.evidence_of_row(key, None, now).map(Box::new);
                        }
                        rows.push((place(&member, [0; 32]), member));
                    }
                }
                By::Session => {
                    for (session, stale) in self.parts(key, now).map(|part| (part.session, part.stale)) {
                        let state = if stale { MemberState::Stale } else { MemberState::Active };
                        if let Some(mut member) = self.fold(key, Some(session), now) {
                            member.sessions = vec![SessionRef { session_id: session.to_string(), state }];
                            if query.evidence {
                                member.evidence = self.evidence_of_row(key, Some(session), now).map(Box::new);
                            }
                            rows.push((place(&member, session.0), member));
                        }
                    }
                }
            }
        }
        rows.sort_by(|a, b| a.0.order().cmp(&b.0.order()));
        let total = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        if let Some(after) = after {
            rows.retain(|(at, _)| at.order() > after.order());
        }
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next_cursor = rows.last().filter(|_| more).map(|(at, _)| at.write());
        Ok(MembersPage {
            members: rows.into_iter().map(|(_, member)| Arc::new(member)).collect(),
            next_cursor,
            total,
            complete: !self.outage,
            watching: self.watching,
        })
    }

    /// Everything a reader needs; `at` is for the driver to fill in.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            room: self.config.room.clone(),
            members: self.rows.list(),
            metadata: self.metadata.clone(),
            notes: Arc::clone(&self.notes_shown),
            access: self.access.clone(),
            watching: self.watching,
            pace_ms: self.pace_ms,
            complete: !self.outage,
            cloned: self.twins.told.clone(),
            at: 0,
        }
    }

    /// The room's shared settings.
    #[must_use]
    pub fn metadata(&self) -> Arc<RoomMetadata> {
        self.metadata.clone()
    }

    /// Members that this process has here.
    #[must_use]
    pub fn own_members(&self) -> usize {
        self.own.len()
    }

    /// Whether a session has members here.
    #[must_use]
    pub fn has_members_of(&self, session: &SessionId) -> bool {
        self.peers.get(session).is_some_and(|peer| !peer.records.is_empty())
    }

    /// What a lobby tells of this room.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let text = |bag: &Bag, key: &str| bag.get(key).and_then(|value| value.as_str()).map(str::to_owned);
        let faces = self.snapshot().members.into_iter().take(5).map(|member| Face {
            name: text(&member.record.presence, "name").unwrap_or_else(|| member.actor.name.clone()),
            color: text(&member.record.presence, "color"),
        });
        Summary {
            members: u32::try_from(self.rows.len()).unwrap_or(u32::MAX),
            title: text(&self.metadata.metadata, "title"),
            faces: faces.collect(),
        }
    }

    /// The user that holds a member id here, another than `user`.
    pub(crate) fn held_by_another(&self, member: &MemberId, user: &UserId) -> bool {
        self.rivals(member, user).next().is_some()
    }

    /// Rows of other actors with the same member id.
    fn rivals<'a>(&'a self, member: &'a MemberId, user: &'a UserId) -> impl Iterator<Item = &'a RowKey> {
        let first: RowKey = (member.clone(), UserId("".into()));
        let same = self.rows.members_from(first).map(|(row, _)| row).take_while(move |(id, _)| id == member);
        same.filter(move |(_, other)| other != user)
    }
}

/// Keys whose values differ, in order.
pub(crate) fn changed_keys(before: &Bag, after: &Bag) -> Vec<String> {
    let mut changed = Vec::new();
    let (mut before, mut after) = (before.iter().peekable(), after.iter().peekable());
    loop {
        let key = match (before.peek(), after.peek()) {
            (Some((old, _)), Some((new, _))) => std::cmp::min(*old, *new),
            (Some((key, _)), None) | (None, Some((key, _))) => *key,
            (None, None) => return changed,
        };
        let old = before.next_if(|(old, _)| *old == key);
        let new = after.next_if(|(new, _)| *new == key);
        if old.map(|(_, value)| value) != new.map(|(_, value)| value) {
            changed.push(key.clone());
        }
    }
}

fn place(member: &Member, session: [u8; 32]) -> Cursor {
    Cursor {
        joined_ms: member.record.joined_at.0,
        member: member.record.member_id.as_str().to_owned(),
        user: member.actor.user_id.as_str().to_owned(),
        session,
    }
}

fn read_cursor(text: &str) -> Result<Cursor, Error> {
    let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    bytes
        .and_then(|bytes| postcard::from_bytes(&bytes).ok())
        .ok_or_else(|| Error::new(ErrorCode::InvalidCursor, "cursor is not one that a page gave").at("cursor"))
}

impl Cursor {
    fn order(&self) -> (u64, &str, &str, &[u8; 32]) {
        (self.joined_ms, &self.member, &self.user, &self.session)
    }

    fn write(&self) -> String {
        data_encoding::BASE64URL_NOPAD.encode(&postcard::to_stdvec(self).unwrap_or_default())
    }
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
