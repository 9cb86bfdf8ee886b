//! What people may ask of a room for themselves: join, presence, leave (design A2, A3, A5, R7). Each call is checked whole
//! before anything is touched. What they write together is in `metadata`, `board` and `message`.

use std::sync::Arc;

use crate::check;
use crate::command::{Join, Leave, PresenceChange};
use crate::error::{Error, ErrorCode};
use crate::fields::Fields;
use crate::ids::{MemberId, Tick, UserId};
use crate::limits::{
    EXPIRE_MS, MEMBER_METADATA_MAX, MEMBERS_MAX, PRESENCE_MAX, TTL_SECONDS_DEFAULT, TTL_SECONDS_MAX, TTL_SECONDS_MIN,
};
use crate::own::{ClientLease, OwnRecord, rejoin_change};
use crate::proof::LocalActor;
use crate::recorder::step::{Unticketed, What, call};
use crate::replica::Replica;
use crate::row_table::Place;
use crate::view::{Bag, Kind, Left, LeftReason, Member, MemberRecord, RowKey};

/// Who keeps a member alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// This process, for as long as it runs: the desktop app and library handles.
    Own,
    /// Requests of a client, at least one in `presenceTtlSeconds` (design R7).
    Client,
}

impl Replica {
    /// Makes `who` a member; the first frame carries presence and metadata, so nobody ever sees half a record. Joining
    /// again keeps `joinedAt`, replaces the bags that are given and keeps those that are not (design A2).
    ///
    /// # Errors
    /// `INVALID_MEMBER_ID` for a `u_` id that is not the actor's own, `MEMBER_ID_CONFLICT` when another actor holds the id
    /// here, `INVALID_PRESENCE`, `INVALID_METADATA`, `PAYLOAD_TOO_LARGE` (4 KiB each). Nothing is
    /// touched by any of them.
    pub fn join(&mut self, who: &LocalActor, args: Join, lease: Lease, now: Tick) -> Result<MemberRecord, Error> {
        let name = if lease == Lease::Own { call::JOIN } else { call::JOIN_CLIENT };
        self.note_call(who, name, &Unticketed::of(&args), now);
        let member = args.member_id.clone().unwrap_or_else(|| who.actor.user_id.default_member());
        if member.as_str().starts_with("u_") && member.as_str() != who.actor.user_id.as_str() {
            let message = format!("{member} is the id of another identity; ids that start with u_ belong to their key");
            return Err(Error::new(ErrorCode::InvalidMemberId, message).at("memberId"));
        }
        if let Some(presence) = &args.presence {
            check::bag(presence, PRESENCE_MAX, "presence", ErrorCode::InvalidPresence)?;
        }
        if let Some(metadata) = &args.metadata {
            check::bag(metadata, MEMBER_METADATA_MAX, "metadata", ErrorCode::InvalidMetadata)?;
        }
        let ttl = args.presence_ttl_seconds.unwrap_or(TTL_SECONDS_DEFAULT);
        if !(TTL_SECONDS_MIN..=TTL_SECONDS_MAX).contains(&ttl) {
            let message =
                format!("presenceTtlSeconds is {ttl}; {TTL_SECONDS_MIN} to {TTL_SECONDS_MAX} seconds are allowed");
            return Err(Error::new(ErrorCode::InvalidPresence, message).at("presenceTtlSeconds"));
        }
        self.not_cloned()?;
        let row: RowKey = (member.clone(), who.actor.user_id.clone());
        let held = self.own_record(&member, &who.actor.user_id);
        if held.is_none() && self.held_by_another(&member, &who.actor.user_id) {
            let message = format!("another actor holds the member id {member} in this room");
            return Err(Error::new(ErrorCode::MemberIdConflict, message).at("memberId"));
        }
        if held.is_none() && self.own.len() >= MEMBERS_MAX {
            return Err(Error::too_large("members", MEMBERS_MAX, self.own.len() + 1, "room"));
        }
        let lease = (lease == Lease::Client)
            .then(|| ClientLease { ttl_ms: u64::from(ttl) * 1000, ends: now.plus(u64::from(ttl) * 1000) });
        self.renew(&who.actor.user_id, now);
        let act = self.act_elsewhere(&row) + 1;
        let incarnation = match held {
            Some(incarnation) => incarnation,
            None => self.new_record(who, member, now),
        };
        let mut rev = self.rev;
        if let Some(record) = self.own.get_mut(&incarnation) {
            if let Some(change) = rejoin_change(&args) {
                record.change(&change, &mut rev, &mut Vec::new(), now);
            }
            if let Some(metadata) = args.metadata {
                record.metadata = metadata;
            }
            record.who = who.clone();
            record.act = record.act.max(act);
            // A client that joins what this process keeps alive itself does not put an end to it.
            let kept = held.is_some() && record.lease.is_none();
            record.lease = lease.filter(|_| !kept);
            rev.0 += 1;
            record.rev = rev;
            // A delta cannot tell all of this again: whoever misses the whole record must see a gap in the next frame.
            record.mark_told();
            record.mark_told();
        }
        self.rev = rev;
        if let Some(full) = self.full(incarnation, &[], now) {
            self.publish(full);
        }
        self.look_at_own();
        self.sign_roster(who, now);
        let session = self.session();
        self.evict_over_cap(session, now);
        self.refresh(&row, LeftReason::Left, now);
        self.beat_at = self.beat_at.min(now.plus(100));
        self.record_of(&row, now)
    }

    /// Merges live state into the member's presence (design A3). Changes are told at most 30 times a second; the last
    /// value always is (design A7).
    ///
    /// # Errors
    /// `NOT_JOINED` before `join` and after `leave`, `AMBIGUOUS_MEMBER`, `INVALID_PRESENCE`, `PAYLOAD_TOO_LARGE` (4 KiB of
    /// JSON, 64 keys, depth 8). Nothing is touched by any of them.
    pub fn presence(&mut self, who: &LocalActor, args: PresenceChange, now: Tick) -> Result<MemberRecord, Error> {
        let row = self.set_presence(who, args, now)?;
        Ok(MemberRecord { last_seen_at: self.timestamp(now), ..row.record.clone() })
    }

    /// The same, and answers with the row as readers have it, which is shared and not copied.
    pub(crate) fn set_presence(
        &mut self,
        who: &LocalActor,
        args: PresenceChange,
        now: Tick,
    ) -> Result<Arc<Member>, Error> {
        self.note_call(who, call::PRESENCE, &args, now);
        check::bag(&args.presence, PRESENCE_MAX, "presence", ErrorCode::InvalidPresence)?;
        for (key, ms) in &args.expire {
            if !args.presence.contains_key(key) {
                let message = format!("expire.{key} names a key that presence does not set");
                return Err(Error::new(ErrorCode::InvalidPresence, message).at(&format!("expire.{key}")));
            }
            if !EXPIRE_MS.contains(ms) {
                let message = format!(
                    "expire.{key} is {ms}; {} to {} milliseconds are allowed",
                    EXPIRE_MS.start(),
                    EXPIRE_MS.end()
                );
                return Err(Error::new(ErrorCode::InvalidPresence, message).at(&format!("expire.{key}")));
            }
        }
        self.not_cloned()?;
        let incarnation = self.find_own(who, args.member_id.as_ref())?;
        let Some(record) = self.own.get(&incarnation) else { return Err(not_joined()) };
        if !record.fields.have_room(args.presence.len(), check::size_at_most(&args.presence)) {
            let merged = merged(record.fields.bag(), &args);
            check::bag(&merged, PRESENCE_MAX, "presence", ErrorCode::InvalidPresence)?;
        }
        let (place, part) = (record.place, (self.session(), incarnation));
        self.renew(&who.actor.user_id, now);
        let elsewhere =
            if self.rows.is_made_of(place, part) { 0 } else { self.act_elsewhere(&self.own_row(incarnation)?) };
        let mut rev = self.rev;
        let mut told = false;
        let mut changed = Vec::new();
        if let Some(record) = self.own.get_mut(&incarnation) {
            told = record.change(&args, &mut rev, &mut changed, now);
            if record.act <= elsewhere {
                // The last explicit call speaks for the member, also when it says what this session said before.
                record.act = elsewhere + 1;
                if !told {
                    rev.0 += 1;
                    record.rev = rev;
                    record.dirty = true;
                    told = true;
                }
            }
        }
        self.rev = rev;
        if !args.expire.is_empty() {
            self.look_at_own();
        }
        if told {
            self.schedule_flush(now);
            if !self.patch_own(incarnation, changed, now) {
                self.refresh(&self.own_row(incarnation)?, LeftReason::Left, now);
            }
        }
        self.run_timers(now);
        self.rows.member_of(place, part).cloned().ok_or_else(not_joined)
    }

    fn own_row(&self, incarnation: u32) -> Result<RowKey, Error> {
        let record = self.own.get(&incarnation).ok_or_else(not_joined)?;
        Ok((record.member.clone(), record.user().clone()))
    }

    /// Ends a member. Always succeeds locally, and twice is a no-op that answers `left: false` (design R8).
    ///
    /// # Errors
    /// `AMBIGUOUS_MEMBER` when the actor has several members here and none is named. Nothing is touched then.
    pub fn leave(&mut self, who: &LocalActor, args: Leave, now: Tick) -> Result<Left, Error> {
        self.note_call(who, call::LEAVE, &args, now);
        let (member, left) = match self.find_own(who, args.member_id.as_ref()) {
            Ok(incarnation) => {
                let member = self.own.get(&incarnation).map(|record| record.member.clone());
                self.part(incarnation, LeftReason::Left, now);
                (member, true)
            }
            Err(error) if error.code == ErrorCode::NotJoined => (args.member_id, false),
            Err(error) => return Err(error),
        };
        Ok(Left {
            room: self.config.room.clone(),
            kind: Kind::Room,
            member_id: member.unwrap_or_else(|| who.actor.user_id.default_member()),
            left,
            left_at: self.timestamp(now),
        })
    }

    /// Ends every member of this process, as it closes.
    pub fn leave_all(&mut self, now: Tick) {
        self.note_step(&What::LeaveAll, now);
        self.leave_all_to(LeftReason::Left, now);
    }

    /// Somebody looks on again, before this process was gone from the room.
    pub fn stay(&mut self, now: Tick) {
        self.note_step(&What::Stay, now);
        if self.beat_at == Tick(u64::MAX) {
            self.beat_at = now.plus(100);
        }
    }

    pub(crate) fn leave_all_to(&mut self, reason: LeftReason, now: Tick) {
        let all: Vec<u32> = self.own.keys().copied().collect();
        for incarnation in all {
            self.part(incarnation, reason, now);
        }
        // No beat follows: one without members would show the closing process as somebody who looks on.
        self.beat_at = Tick(u64::MAX);
    }

    pub(crate) fn part(&mut self, incarnation: u32, reason: LeftReason, now: Tick) {
        let Some(record) = self.own.remove(&incarnation) else { return };
        // Who is put out says nothing: it may reach others before the key does, who would see somebody leave by themselves.
        if reason != LeftReason::Excluded {
            self.say_leave(incarnation, reason == LeftReason::Expired, now);
        }
        self.refresh(&(record.member, record.who.actor.user_id), reason, now);
        self.beat_at = self.beat_at.min(now.plus(100));
    }

    /// Renews the client leases of an actor (design R7).
    pub fn touch(&mut self, user: &UserId, now: Tick) {
        if self.own.values().any(|record| record.lease.is_some() && record.user() == user) {
            self.note_step(&What::Touch(user.clone()), now);
        }
        self.renew(user, now);
    }

    pub(crate) fn renew(&mut self, user: &UserId, now: Tick) {
        self.own.values_mut().filter(|record| record.user() == user).for_each(|record| record.renew(now));
    }

    fn new_record(&mut self, who: &LocalActor, member: MemberId, now: Tick) -> u32 {
        self.incarnations += 1;
        let record = OwnRecord {
            member,
            who: who.clone(),
            joined_ms: self.wall_ms(now),
            metadata: Bag::new(),
            fields: Fields::default(),
            act: 0,
            rev: self.rev,
            told: [self.rev; 2],
            dirty: false,
            whole: false,
            lease: None,
            place: Place::default(),
        };
        self.add_own(self.incarnations, record);
        self.incarnations
    }

    /// A profile that was copied and runs elsewhere, started later: that one speaks, this one only looks on (design R2).
    pub(crate) fn not_cloned(&self) -> Result<(), Error> {
        if self.is_outranked() {
            let message = "a copy of this profile runs elsewhere and was started later; this one is read-only until that one ends \
                 or one of them becomes a new identity";
            return Err(Error::new(ErrorCode::IdentityCloned, message));
        }
        Ok(())
    }

    /// The member id of the own record that a call is about.
    pub(crate) fn own_member(&self, who: &LocalActor, member: Option<&MemberId>) -> Result<MemberId, Error> {
        let own = self.own.get(&self.find_own(who, member)?);
        own.map(|record| record.member.clone()).ok_or_else(not_joined)
    }

    fn own_record(&self, member: &MemberId, user: &UserId) -> Option<u32> {
        let mut own = self.own.iter().filter(|(_, record)| record.member == *member && record.user() == user);
        own.next().map(|(incarnation, _)| *incarnation)
    }

    /// The own record that a call is about: the named one, else the actor's only one here.
    pub(crate) fn find_own(&self, who: &LocalActor, member: Option<&MemberId>) -> Result<u32, Error> {
        let user = &who.actor.user_id;
        if let Some(member) = member {
            return self.own_record(member, user).ok_or_else(not_joined);
        }
        let mut own = self.own.iter().filter(|(_, record)| record.user() == user).map(|(incarnation, _)| *incarnation);
        match (own.next(), own.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(not_joined()),
            (Some(_), Some(_)) => Err(Error::new(
                ErrorCode::AmbiguousMember,
                "this actor has several members in the room; name one with memberId",
            )
            .at("memberId")),
        }
    }
}

fn not_joined() -> Error {
    Error::new(ErrorCode::NotJoined, "not a member of this room; join first")
}

/// Presence as it will be: what the limits apply to.
fn merged(held: Bag, args: &PresenceChange) -> Bag {
    let mut bag = if args.mode == crate::command::PresenceMode::Replace { Bag::new() } else { held };
    args.unset.iter().for_each(|key| {
        bag.remove(key);
    });
    bag.extend(args.presence.clone());
    bag
}

#[cfg(test)]
#[path = "calls_tests.rs"]
mod tests;
