//! Records that this session writes: revisions, what is still to be told, client leases (design R4, R7, A3, A7).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::command::{Join, PresenceChange, PresenceMode};
use crate::fields::Fields;
use crate::ids::{MemberId, Rev, Tick, UserId};
use crate::limits::TOP_KEYS;
use crate::proof::LocalActor;
use crate::row_table::Place;
use crate::value;
use crate::view::Bag;

/// One record of this session.
pub(crate) struct OwnRecord {
    pub member: MemberId,
    pub who: LocalActor,
    pub joined_ms: u64,
    pub metadata: Bag,
    pub fields: Fields,
    pub act: u64,
    /// The content version of the last change.
    pub rev: Rev,
    /// Content versions as of the last two frames: a delta tells everything after the older one.
    pub told: [Rev; 2],
    /// Whether something is still to be told.
    pub dirty: bool,
    /// Whether it has to be told whole: more was removed than a delta may name.
    pub whole: bool,
    pub lease: Option<ClientLease>,
    /// Where its row is.
    pub place: Place,
}

/// How long a member that a client joined lives without a request (design R7).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ClientLease {
    pub ttl_ms: u64,
    pub ends: Tick,
}

impl OwnRecord {
    pub fn user(&self) -> &UserId {
        &self.who.actor.user_id
    }

    pub fn renew(&mut self, now: Tick) {
        if let Some(lease) = &mut self.lease {
            lease.ends = now.plus(lease.ttl_ms);
        }
    }

    /// Merges or replaces presence (design A3). `next` gives the revision for a change; equal values take none unless
    /// they have to be refreshed because they expire. True when something is to be told; keys whose values are others now
    /// are added to `changed`.
    pub fn change(&mut self, args: &PresenceChange, next: &mut Rev, changed: &mut Vec<String>, now: Tick) -> bool {
        let mut told = false;
        let mut bytes = Vec::with_capacity(32);
        for (key, value) in &args.presence {
            let expires = args.expire.get(key).map(|ms| now.plus(*ms));
            bytes.clear();
            value::write(value, &mut bytes);
            let held = self.fields.get(key);
            let same = held.and_then(|field| field.value.as_ref()).is_some_and(|held| held.bytes() == bytes);
            let equal = same && held.is_some_and(|field| field.expires.is_none());
            if equal && expires.is_none() {
                continue;
            }
            if !same {
                changed.push(key.clone());
            }
            next.0 += 1;
            self.fields.set(key, *next, Some(&bytes), expires);
            told = true;
        }
        // A key that is set and unset by one call is set.
        let mut gone: Vec<String> =
            args.unset.iter().filter(|key| !args.presence.contains_key(*key)).cloned().collect();
        if args.mode == PresenceMode::Replace {
            let unnamed = self.fields.live().map(|(key, _)| key).filter(|key| !args.presence.contains_key(*key));
            gone.extend(unnamed.map(str::to_owned));
        }
        for key in gone {
            if self.remove(&key, next) {
                told = true;
                changed.push(key);
            }
        }
        if told {
            self.rev = *next;
            self.dirty = true;
        }
        if self.fields.len() > 2 * TOP_KEYS {
            // An endless parade of new keys leaves no endless trail of removals: the next frame is a whole record.
            self.whole = true;
            self.fields.forget_removals(*next);
        }
        told
    }

    /// Removes fields whose time is over; the others are told, though each does so by its own clock too.
    pub fn expire(&mut self, next: &mut Rev, now: Tick) -> bool {
        let over = self.fields.expired(now);
        let mut told = false;
        for key in over {
            told |= self.remove(&key, next);
        }
        if told {
            self.rev = *next;
            self.dirty = true;
        }
        told
    }

    fn remove(&mut self, key: &str, next: &mut Rev) -> bool {
        if self.fields.get(key).is_none_or(|field| field.value.is_none()) {
            return false;
        }
        next.0 += 1;
        self.fields.set(key, *next, None, None);
        true
    }

    /// A frame told all up to now.
    pub fn mark_told(&mut self) {
        self.told = [self.told[1], self.rev];
        self.dirty = false;
        self.whole = false;
        let oldest = self.told[0];
        self.fields.forget_removals(oldest);
    }
}

/// What joining with these arguments changes of a record that is there (design A2).
pub(crate) fn rejoin_change(args: &Join) -> Option<PresenceChange> {
    args.presence.clone().map(|presence| PresenceChange {
        presence,
        mode: PresenceMode::Replace,
        expire: BTreeMap::new(),
        ..PresenceChange::default()
    })
}
