//! Who may do what in a private room, as people see and change it (design N8). Whether what they say counts is in
//! [`crate::rule`], and how a key is changed in [`crate::handover`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cell::{CellKey, CellKind};
use crate::error::{Error, ErrorCode};
use crate::handover::InForce;
use crate::ids::{PublicKey, RoomId, Tick, UserId};
use crate::limits::ACCESS_CELLS;
use crate::proof::LocalActor;
use crate::recorder::step::call;
use crate::replica::Replica;
use crate::rule::{HOST, LOCKED, VOID};
use crate::view::{Event, Kind, Timestamp};

/// Who may do what in a private room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// The room.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub room: RoomId,
    /// Always `room`.
    pub kind: Kind,
    /// Who made the room and names its hosts.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub creator: UserId,
    /// Whether only hosts may change the metadata and the board now.
    pub locked: bool,
    /// How often the key was changed since the room was made.
    pub epoch: u32,
    /// Who changed it last; `null` when nobody did.
    #[cfg_attr(feature = "ts", ts(type = "string | null"))]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub rekeyed_by: Option<UserId>,
    /// When, by their clock.
    #[cfg_attr(feature = "ts", ts(type = "string | null"))]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub rekeyed_at: Option<Timestamp>,
    /// Everybody who was ever in the room with an identity, as far as it is remembered, by user id.
    pub people: Vec<Person>,
}

/// Somebody who was in a private room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// Who.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub user_id: UserId,
    /// How they were called when they came in last; empty when that is not known.
    pub name: String,
    /// Whether they may lock the room, void what somebody wrote, and change the key. The creator may.
    pub host: bool,
    /// Whether what they wrote counts only where nobody else wrote anything.
    pub voided: bool,
    /// Whether they have the key that is in force.
    pub inside: bool,
}

/// Arguments of `access`: what to change, by user id. All that is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, optional_fields))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AccessChange {
    /// Who is a host from now on, and who is none any more. The creator alone may say; to take it from somebody changes the
    /// key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "ts", ts(optional, type = "Record<string, boolean>"))]
    pub hosts: BTreeMap<String, bool>,
    /// Whose writing is void from now on, and whose counts again. Hosts may say.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "ts", ts(optional, type = "Record<string, boolean>"))]
    pub void: BTreeMap<String, bool>,
    /// Who is put out: the key is changed, and they do not get the new one. Hosts may say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(as = "Option<Vec<String>>"))]
    pub exclude: Vec<String>,
    /// Changes the key also when nobody is put out, so that tickets given before let nobody in any more. Hosts may say.
    #[cfg_attr(feature = "ts", ts(as = "Option<bool>"))]
    pub rekey: bool,
}

impl AccessChange {
    /// Whether it needs a new key. Who is no host any more may have the key that they made.
    #[must_use]
    pub fn needs_key(&self) -> bool {
        self.rekey || !self.exclude.is_empty() || self.hosts.values().any(|host| !host)
    }
}

impl Replica {
    /// Who may do what here; nothing in an open room, where everybody may everything.
    #[must_use]
    pub fn access(&self) -> Option<Arc<Access>> {
        self.access.clone()
    }

    /// Names hosts and voids what somebody wrote (design N8). Who is put out, and the new key, follow by
    /// [`change_key`](Replica::change_key).
    ///
    /// # Errors
    /// `FORBIDDEN` in an open room, for hosts unless the actor is the creator, else unless the actor is a host, and for
    /// whatever would take the room from its creator or, by another host, from a host; `NOT_FOUND` for somebody who was
    /// never here; `NOT_JOINED`. Nothing is touched by any of them.
    pub fn change_access(&mut self, who: &LocalActor, args: &AccessChange, now: Tick) -> Result<Arc<Access>, Error> {
        self.note_call(who, call::ACCESS, args, now);
        let me = who.signer.public_key();
        let rule = self.cells.rule().ok_or_else(|| forbidden("an open room has no hosts: everybody may everything"))?;
        if !args.hosts.is_empty() && me != rule.creator {
            return Err(forbidden("only who made the room names its hosts"));
        }
        if !rule.hosts.contains(&me) {
            return Err(not_a_host());
        }
        let mut writes = Vec::new();
        for (object, changes) in [(HOST, &args.hosts), (VOID, &args.void)] {
            for (user, on) in changes {
                let identity = self.known_identity(user)?;
                self.may_decide_over(&me, &identity)?;
                writes.push((CellKey::access(object, &identity), Some(Value::Bool(*on))));
            }
        }
        for user in &args.exclude {
            let identity = self.known_identity(user)?;
            if self.is_guest(&identity) {
                return Err(forbidden("a guest has no key: put out who hosts it"));
            }
            self.may_decide_over(&me, &identity)?;
            // A host who is put out could still change the key from outside.
            if self.cells.rule().is_some_and(|rule| rule.hosts.contains(&identity)) {
                writes.push((CellKey::access(HOST, &identity), Some(Value::Bool(false))));
            }
        }
        self.may_write(who)?;
        let count = self.cells.count(CellKind::Access) + writes.len();
        if count > ACCESS_CELLS {
            return Err(Error::too_large("access", ACCESS_CELLS, count, "access"));
        }
        self.write(who, writes, now)?;
        self.access.clone().ok_or_else(not_a_host)
    }

    /// Nobody decides over the creator or themselves, and over a host only the creator does.
    fn may_decide_over(&self, me: &PublicKey, other: &PublicKey) -> Result<(), Error> {
        let Some(rule) = self.cells.rule() else { return Err(not_a_host()) };
        if *other == rule.creator {
            return Err(forbidden("nobody can take the room from who made it"));
        }
        if rule.hosts.contains(other) && *me != rule.creator {
            return Err(forbidden("only who made the room decides over its hosts"));
        }
        Ok(())
    }

    /// Whether somebody is known as a guest of another, and as nobody else.
    fn is_guest(&self, identity: &PublicKey) -> bool {
        let user = identity.user_id();
        let here = self.peers.values().flat_map(|peer| peer.records.values()).map(|record| &record.actor);
        let own = self.own.values().map(|record| &record.who.actor);
        here.chain(own).any(|actor| actor.user_id == user && actor.via.is_some())
    }

    /// Somebody who is here, was here, or wrote something here.
    fn known_identity(&self, user: &str) -> Result<PublicKey, Error> {
        let here = self.peers.values().filter_map(|peer| peer.certificate.as_ref().map(|held| held.identity));
        let hosts = self.cells.rule().into_iter().flat_map(|rule| rule.hosts.iter().copied());
        let kinds = [CellKind::Roster, CellKind::Metadata, CellKind::Board, CellKind::Log];
        let writers = kinds.into_iter().flat_map(|kind| self.cells.of(kind)).map(|held| held.cell.writer);
        let own = self.own.values().map(|record| record.who.signer.public_key());
        let mut all = own.chain(hosts).chain(here).chain(writers);
        all.find(|identity| identity.user_id().as_str() == user).ok_or_else(|| {
            Error::new(ErrorCode::NotFound, format!("{user} was never in this room, as far as is known here"))
        })
    }

    /// A person who joins says so for good, so that a later key can be for them also while they are away.
    pub(crate) fn sign_roster(&mut self, who: &LocalActor, now: Tick) {
        let me = who.signer.public_key();
        if self.cells.rule().is_none() || me != self.config.certificate.identity {
            return;
        }
        let key = CellKey::roster(&me);
        let held = self.cells.get(&key);
        let in_force = self.key_in_force().map_or(0, |force| force.hlc);
        if self.cells.free_hlc(&key, &me, self.wall_ms(now)).is_none_or(|hlc| hlc <= in_force) {
            // A key that comes from the end of time: nobody comes after it.
            return;
        }
        let outdated = self
            .key_in_force()
            .is_some_and(|force| !force.is_for(&me) && held.is_none_or(|held| held.hlc <= force.hlc));
        let name = Value::String(who.actor.name.clone());
        if outdated && held.is_some() {
            // The same name once more would not be written.
            let _ = self.write(who, vec![(key.clone(), None)], now);
        }
        // A name that no longer fits, or a frozen register: then they are known while they are here only.
        let _ = self.write(who, vec![(key, Some(name))], now);
    }

    /// Whether an actor may write these; all of them, or none.
    pub(crate) fn may_write_cells<'a>(
        &self,
        who: &LocalActor,
        mut keys: impl Iterator<Item = &'a CellKey>,
    ) -> Result<(), Error> {
        let Some(rule) = self.cells.rule() else { return Ok(()) };
        if rule.hosts.contains(&who.signer.public_key()) {
            return Ok(());
        }
        let shared = |key: &&CellKey| matches!(key.kind, CellKind::Metadata | CellKind::Board);
        keys.try_for_each(|key| match Some(key).filter(shared) {
            Some(key) if key.kind == CellKind::Metadata && key.field == LOCKED => {
                Err(forbidden("only a host of a private room locks and unlocks it").at("metadata.locked"))
            }
            Some(_) if rule.locked.is_some() => {
                Err(Error::new(ErrorCode::RoomLocked, "the room is locked: only its hosts may change what is shared"))
            }
            _ => Ok(()),
        })
    }

    /// Readers are told who may do what, and that a new key can be taken; who has no part of it is put out.
    pub(crate) fn access_was_changed(&mut self, touched: &[Arc<CellKey>], now: Tick) {
        let decided = |key: &Arc<CellKey>| key.kind.is_of_private_rooms() || key.field == LOCKED;
        if self.cells.rule().is_none() || !touched.iter().any(decided) {
            return;
        }
        let key = self.key_in_force();
        let fresh = self.describe(key.as_ref());
        let before = self.access.replace(Arc::clone(&fresh));
        self.put_out(key.as_ref(), now);
        // The parts of a key may come after what is true of it for everybody.
        let part = key.map(|key| key.part_of(&self.config.certificate.identity));
        let part_came = part.is_some_and(|part| touched.iter().any(|key| **key == part));
        if part_came || before.as_ref() != Some(&fresh) {
            self.emit(Event::Access { access: fresh });
        }
        // Somebody who was invited again hears of the key after they came in.
        let me = self.config.certificate.identity;
        let own = self.own.values().map(|record| &record.who).find(|who| who.signer.public_key() == me);
        if let Some(who) = own.cloned() {
            self.sign_roster(&who, now);
        }
    }

    /// What the cells say of access.
    pub(crate) fn describe(&self, key: Option<&InForce>) -> Arc<Access> {
        let rule = self.cells.rule();
        let mut people: BTreeMap<UserId, Person> = BTreeMap::new();
        let named = rule.into_iter().flat_map(|rule| rule.hosts.iter().chain(&rule.voided)).copied();
        let roster = self.cells.of(CellKind::Roster).map(|held| held.cell.writer);
        for identity in named.chain(roster) {
            let roster = self.cells.get(&CellKey::roster(&identity));
            let user_id = identity.user_id();
            let back = |key: &InForce| roster.is_some_and(|cell| cell.hlc > key.hlc);
            people.entry(user_id.clone()).or_insert_with(|| Person {
                user_id,
                name: roster.and_then(|cell| cell.value.as_ref()?.text()).unwrap_or_default(),
                host: rule.is_some_and(|rule| rule.hosts.contains(&identity)),
                voided: rule.is_some_and(|rule| rule.voided.contains(&identity)),
                inside: key.is_none_or(|key| key.is_for(&identity) || back(key)),
            });
        }
        Arc::new(Access {
            room: self.config.room.clone(),
            kind: Kind::Room,
            creator: rule.map_or_else(|| self.config.certificate.identity.user_id(), |rule| rule.creator.user_id()),
            locked: rule.is_some_and(|rule| rule.locked.is_some()),
            epoch: key.map_or(0, |key| key.epoch),
            rekeyed_by: key.map(|key| key.writer.user_id()),
            rekeyed_at: key.map(|key| Timestamp(key.hlc >> 16)),
            people: people.into_values().collect(),
        })
    }
}

fn forbidden(why: &str) -> Error {
    Error::new(ErrorCode::Forbidden, why)
}

pub(crate) fn not_a_host() -> Error {
    forbidden("only a host of a private room may do this")
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
