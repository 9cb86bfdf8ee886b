//! The model of [`super::callers`]: a room as its callers know it, with no frames, no revisions and no replica. It is short
//! on purpose: whoever doubts a promise reads it here.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::error::ErrorCode;
use crate::ids::MemberId;
use crate::limits::PRESENCE_MAX;
use crate::view::{Bag, LeftReason};

/// Who calls: the person of the profile, or one of two guests that it hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caller {
    Ann,
    Bob,
    Cid,
}

/// How a call names its member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    Unnamed,
    Desk,
    Stand,
    /// The `u_` id of Ann, whoever says it.
    Anns,
}

/// A value that a key is set to. Two long ones fit the limit of a bag, three do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Val {
    One,
    Two,
    Null,
    Long,
}

pub type Set = BTreeMap<&'static str, Val>;

/// What is wrong with the arguments of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    NotAnObject,
    ForbiddenKey,
    LongKey,
    TooDeep,
}

/// Who keeps a member alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Own,
    Client { seconds: u32 },
}

/// One step of a story.
#[derive(Clone, Debug)]
pub enum Step {
    Join {
        caller: Caller,
        name: Name,
        presence: Option<Set>,
        metadata: Option<Set>,
        life: Life,
        flaw: Option<Flaw>,
    },
    Presence {
        caller: Caller,
        name: Name,
        call: Call,
        flaw: Option<Flaw>,
    },
    Leave {
        caller: Caller,
        name: Name,
    },
    Settings {
        caller: Caller,
        set: Set,
        unset: Vec<&'static str>,
        flaw: Option<Flaw>,
    },
    /// A request of the caller that changes nothing, or its open stream.
    Touch {
        caller: Caller,
    },
    Pass {
        ms: u64,
    },
}

/// The arguments of `presence`, without the member.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub set: Set,
    pub unset: Vec<&'static str>,
    pub replace: bool,
    pub expire: BTreeMap<&'static str, u64>,
}

/// What a call answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Nothing,
    Record { member: MemberId, row: Row },
    Left { member: MemberId, left: bool },
    Settings,
}

/// What a reader is told of a member.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    Joined,
    Updated(Vec<String>),
    Left(LeftReason),
}

/// A member.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub joined: u64,
    pub presence: BTreeMap<String, (Value, Option<u64>)>,
    pub metadata: Bag,
    /// Of a client: how long a request keeps it, and until when the last one does.
    pub lease: Option<(u64, u64)>,
}

pub type Key = (MemberId, Caller);

/// A room, and what the last step answered and told.
#[derive(Clone, Debug)]
pub struct Room {
    pub now: u64,
    pub ids: BTreeMap<Caller, MemberId>,
    pub rows: BTreeMap<Key, Row>,
    pub settings: Bag,
    pub updated: Option<(u64, Caller)>,
    pub answer: Result<Answer, ErrorCode>,
    pub told: BTreeMap<Key, Vec<Told>>,
    pub settings_told: Vec<Vec<String>>,
}

impl Val {
    pub fn json(self) -> Value {
        match self {
            Val::One => json!(1),
            Val::Two => json!({ "deep": [2] }),
            Val::Null => Value::Null,
            Val::Long => json!("x".repeat(1_500)),
        }
    }
}

pub fn bag(set: &Set) -> Bag {
    set.iter().map(|(key, value)| ((*key).to_owned(), value.json())).collect()
}

impl Flaw {
    /// Wrong types and keys are `INVALID_…`, every size, count and depth is `PAYLOAD_TOO_LARGE` (design A9).
    fn code(self, invalid: ErrorCode) -> ErrorCode {
        match self {
            Flaw::NotAnObject | Flaw::ForbiddenKey => invalid,
            Flaw::LongKey | Flaw::TooDeep => ErrorCode::PayloadTooLarge,
        }
    }
}

impl Row {
    pub fn bag(&self) -> Bag {
        self.presence.iter().map(|(key, (value, _))| (key.clone(), value.clone())).collect()
    }
}

impl Room {
    pub fn empty(now: u64, ids: BTreeMap<Caller, MemberId>) -> Room {
        Room {
            now,
            ids,
            rows: BTreeMap::new(),
            settings: Bag::new(),
            updated: None,
            answer: Ok(Answer::Nothing),
            told: BTreeMap::new(),
            settings_told: Vec::new(),
        }
    }

    pub fn id(&self, caller: Caller, name: Name) -> MemberId {
        match name {
            Name::Unnamed => self.ids[&caller].clone(),
            Name::Anns => self.ids[&Caller::Ann].clone(),
            Name::Desk => MemberId::new("desk").unwrap(),
            Name::Stand => MemberId::new("stand").unwrap(),
        }
    }

    /// How a call names a member that is there.
    pub fn name(&self, (id, caller): &Key) -> Name {
        let names = [Name::Desk, Name::Stand, Name::Anns];
        names.into_iter().find(|name| self.id(*caller, *name) == *id).unwrap_or(Name::Unnamed)
    }

    pub fn step(&mut self, step: &Step) {
        self.told.clear();
        self.settings_told.clear();
        self.answer = match step {
            Step::Join { caller, name, presence, metadata, life, flaw } => {
                self.join(*caller, *name, presence.as_ref(), metadata.as_ref(), *life, *flaw)
            }
            Step::Presence { caller, name, call, flaw } => self.presence(*caller, *name, call, *flaw),
            Step::Leave { caller, name } => self.leave(*caller, *name),
            Step::Settings { caller, set, unset, flaw } => self.settings(*caller, set, unset, *flaw),
            Step::Touch { caller } => {
                self.renew(*caller);
                Ok(Answer::Nothing)
            }
            Step::Pass { ms } => {
                self.pass(self.now + ms);
                Ok(Answer::Nothing)
            }
        };
    }

    /// A2: `joinedAt` stays, bags that are given are replaced, bags that are not are kept. A5: an id belongs to who holds
    /// it here, a `u_` id to its key. R7: a client's lease never ends what this process keeps alive itself.
    fn join(
        &mut self,
        caller: Caller,
        name: Name,
        presence: Option<&Set>,
        metadata: Option<&Set>,
        life: Life,
        flaw: Option<Flaw>,
    ) -> Result<Answer, ErrorCode> {
        let id = self.id(caller, name);
        if name == Name::Anns && caller != Caller::Ann {
            return Err(ErrorCode::InvalidMemberId);
        }
        if let Some(flaw) = flaw {
            return Err(flaw.code(ErrorCode::InvalidPresence));
        }
        fits(presence.map(bag).as_ref())?;
        fits(metadata.map(bag).as_ref())?;
        if matches!(life, Life::Client { seconds } if !(5..=3600).contains(&seconds)) {
            return Err(ErrorCode::InvalidPresence);
        }
        if self.rows.keys().any(|(held, holder)| *held == id && *holder != caller) {
            return Err(ErrorCode::MemberIdConflict);
        }
        self.renew(caller);
        let key = (id.clone(), caller);
        let lease = match life {
            Life::Own => None,
            Life::Client { seconds } => Some((u64::from(seconds) * 1000, self.now + u64::from(seconds) * 1000)),
        };
        let new = Row { joined: self.now, presence: BTreeMap::new(), metadata: Bag::new(), lease };
        let held = self.rows.get(&key).cloned();
        let mut row = held.clone().unwrap_or(new);
        if row.lease.is_some() {
            row.lease = lease;
        }
        if let Some(presence) = presence {
            row.presence = bag(presence).into_iter().map(|(key, value)| (key, (value, None))).collect();
        }
        if let Some(metadata) = metadata {
            row.metadata = bag(metadata);
        }
        self.put(key, held.as_ref(), row)
    }

    /// A3: the top level merges; `null` is a value; an equal result makes no event; the limit is of the result.
    fn presence(&mut self, caller: Caller, name: Name, call: &Call, flaw: Option<Flaw>) -> Result<Answer, ErrorCode> {
        if let Some(flaw) = flaw {
            return Err(flaw.code(ErrorCode::InvalidPresence));
        }
        fits(Some(&bag(&call.set)))?;
        let wrong = |(key, ms): (&&str, &u64)| !call.set.contains_key(key) || !(100..=3_600_000).contains(ms);
        if call.expire.iter().any(wrong) {
            return Err(ErrorCode::InvalidPresence);
        }
        let key = self.find(caller, name)?;
        let held = self.rows[&key].clone();
        let mut row = held.clone();
        if call.replace {
            row.presence.clear();
        }
        for gone in &call.unset {
            row.presence.remove(*gone);
        }
        for (name, value) in bag(&call.set) {
            let expires = call.expire.get(name.as_str()).map(|ms| self.now + ms);
            row.presence.insert(name, (value, expires));
        }
        fits(Some(&row.bag()))?;
        self.renew(caller);
        row.lease = self.rows[&key].lease;
        self.put(key, Some(&held), row)
    }

    /// R8: leaving succeeds always, and twice is a no-op.
    fn leave(&mut self, caller: Caller, name: Name) -> Result<Answer, ErrorCode> {
        match self.find(caller, name) {
            Ok(key) => {
                let member = key.0.clone();
                self.gone(key, LeftReason::Left);
                Ok(Answer::Left { member, left: true })
            }
            Err(ErrorCode::NotJoined) => Ok(Answer::Left { member: self.id(caller, name), left: false }),
            Err(code) => Err(code),
        }
    }

    /// A6: keys merge; only a member may call it.
    fn settings(&mut self, caller: Caller, set: &Set, unset: &[&str], flaw: Option<Flaw>) -> Result<Answer, ErrorCode> {
        if let Some(flaw) = flaw {
            return Err(flaw.code(ErrorCode::InvalidMetadata));
        }
        if !self.rows.keys().any(|(_, holder)| *holder == caller) {
            return Err(ErrorCode::NotJoined);
        }
        let before = self.settings.clone();
        unset.iter().for_each(|key| {
            self.settings.remove(*key);
        });
        self.settings.extend(bag(set));
        let changed = differing(&before, &self.settings);
        if !changed.is_empty() {
            self.updated = Some((self.now, caller));
            self.settings_told.push(changed);
        }
        self.renew(caller);
        Ok(Answer::Settings)
    }

    /// R7: a client's member ends that long after its actor's last request. A3: a key vanishes that long after its last
    /// refresh.
    fn pass(&mut self, until: u64) {
        loop {
            let leases = self.rows.values().filter_map(|row| row.lease.map(|(_, ends)| ends));
            let keys = self.rows.values().flat_map(|row| row.presence.values().filter_map(|(_, ends)| *ends));
            let Some(due) = leases.chain(keys).min().filter(|due| *due <= until) else { break };
            let over = |row: &Row| row.lease.is_some_and(|(_, ends)| ends <= due);
            let ended: Vec<Key> = self.rows.iter().filter(|(_, row)| over(row)).map(|(key, _)| key.clone()).collect();
            for key in ended {
                self.gone(key, LeftReason::Expired);
            }
            for (key, row) in self.rows.clone() {
                let mut rest = row.clone();
                rest.presence.retain(|_, (_, ends)| ends.is_none_or(|ends| ends > due));
                let _ = self.put(key, Some(&row), rest);
            }
        }
        self.now = until;
    }

    fn put(&mut self, key: Key, held: Option<&Row>, row: Row) -> Result<Answer, ErrorCode> {
        match held {
            None => self.told.entry(key.clone()).or_default().push(Told::Joined),
            Some(held) => {
                let changed = differing(&held.bag(), &row.bag());
                if !changed.is_empty() || held.metadata != row.metadata {
                    self.told.entry(key.clone()).or_default().push(Told::Updated(changed));
                }
            }
        }
        let member = key.0.clone();
        self.rows.insert(key, row.clone());
        Ok(Answer::Record { member, row })
    }

    fn gone(&mut self, key: Key, reason: LeftReason) {
        self.rows.remove(&key);
        self.told.entry(key).or_default().push(Told::Left(reason));
    }

    fn renew(&mut self, caller: Caller) {
        let now = self.now;
        for (_, row) in self.rows.iter_mut().filter(|((_, holder), _)| *holder == caller) {
            row.lease = row.lease.map(|(ttl, _)| (ttl, now + ttl));
        }
    }

    /// A3: the member that is named, else the caller's only one here.
    fn find(&self, caller: Caller, name: Name) -> Result<Key, ErrorCode> {
        let mut own = self.rows.keys().filter(|(_, holder)| *holder == caller);
        if name != Name::Unnamed {
            let id = self.id(caller, name);
            return own.find(|(held, _)| *held == id).cloned().ok_or(ErrorCode::NotJoined);
        }
        match (own.next(), own.next()) {
            (None, _) => Err(ErrorCode::NotJoined),
            (Some(only), None) => Ok(only.clone()),
            _ => Err(ErrorCode::AmbiguousMember),
        }
    }
}

/// A8: 4 KiB of JSON.
fn fits(bag: Option<&Bag>) -> Result<(), ErrorCode> {
    match bag {
        Some(bag) if serde_json::to_vec(bag).unwrap().len() > PRESENCE_MAX => Err(ErrorCode::PayloadTooLarge),
        _ => Ok(()),
    }
}

fn differing(before: &Bag, after: &Bag) -> Vec<String> {
    let keys = before.keys().chain(after.keys()).filter(|key| before.get(*key) != after.get(*key));
    let mut keys: Vec<String> = keys.cloned().collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
