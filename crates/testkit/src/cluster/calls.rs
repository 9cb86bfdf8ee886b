//! What people ask of a peer, and whether the answers are those that the contract promises (design A2 to A6). One call at
//! a time for each process, so that what it should answer is known.

use std::sync::Arc;

use parlor::{Error, ErrorCode, Join, Leave, Live, MemberId, MetadataChange, Room, UserId};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::ROOM;
use super::notes::Notes;
use super::witness::Run;
use crate::story::{Change, Entry, Someone, Who, names};

/// The rule of answers, by name.
const ANSWERS: &str = "calls answer what they should";

/// The people of one process.
#[derive(Clone)]
pub(crate) struct Callers {
    notes: Arc<Notes>,
    host: usize,
    run: Run,
    person: Live,
    guest: Live,
    members: Arc<Mutex<Vec<Joined>>>,
}

/// A member that was joined and not left.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Joined {
    who: Who,
    member: MemberId,
    /// It may be gone by itself.
    leased: bool,
}

impl Callers {
    /// # Errors
    /// None that a guest's name could cause: it is short and plain.
    pub(crate) fn new(notes: Arc<Notes>, host: usize, run: Run, live: &Live) -> Result<Self, Error> {
        let guest = format!("{}'s guest", names::host(host));
        let guest = live.acting_as(&guest, Some(&guest))?;
        let (person, guest) = (live.without_memory(), guest.without_memory());
        Ok(Self { notes, host, run, person, guest, members: Arc::default() })
    }

    pub(crate) fn user(&self, who: Who) -> UserId {
        self.live(who).user_id()
    }

    fn live(&self, who: Who) -> &Live {
        match who {
            Who::Person => &self.person,
            Who::Guest => &self.guest,
        }
    }

    fn room(&self, who: Who) -> Room {
        self.live(who).room(ROOM)
    }

    fn someone(&self, who: Who) -> Someone {
        Someone { host: self.host, who }
    }

    fn wrong(&self, detail: String) {
        self.notes.broken(ANSWERS, self.host, detail);
    }

    /// Makes somebody a member.
    pub(crate) async fn join(&self, entry: &Entry) {
        let Entry { someone: Someone { who, .. }, member, lease_s } = entry;
        let mut members = self.members.lock().await;
        let turn = self.notes.fresh(self.run);
        let mut args =
            Join::new().presence(json!({ "cursor": turn })).metadata(json!({ "host": self.host, "turn": turn }));
        args.member_id = member.as_deref().and_then(|member| MemberId::new(member).ok());
        args.presence_ttl_seconds = *lease_s;
        let member = args.member_id.clone().unwrap_or_else(|| self.user(*who).default_member());
        let knew = members.iter().any(|joined| joined.who == *who && joined.member == member);
        let room = self.room(*who);
        let answer = match lease_s {
            Some(_) => room.join_leased(args).await,
            None => room.join(args).await,
        };
        match answer {
            Ok(record) => {
                let row = (record.member_id.clone(), self.user(*who));
                if record.member_id != member || record.presence.get("cursor") != Some(&json!(turn)) {
                    self.wrong(format!("{member} joined with {turn}, and the answer is {record:?}"));
                }
                members.retain(|joined| joined.who != *who || joined.member != member);
                members.push(Joined { who: *who, member, leased: lease_s.is_some() });
                self.notes.wrote(self.someone(*who), &["cursor".to_owned()], &row, turn);
            }
            Err(error) if !knew && error.code == ErrorCode::MemberIdConflict => {}
            Err(error) => self.wrong(format!("join was refused: {error}")),
        }
    }

    /// Changes a presence.
    pub(crate) async fn presence(&self, who: Who, member: Option<&str>, change: &Change) {
        let members = self.members.lock().await;
        let value = self.notes.fresh(self.run);
        let (mut args, sets) = change.arguments(value);
        args.member_id = member.and_then(|member| MemberId::new(member).ok());
        let mine = matching(&members, who, args.member_id.as_ref());
        let answer = self.room(who).presence(args).await;
        if !mine.allows(answer.as_ref().err()) {
            let by = self.someone(who);
            self.wrong(format!("presence of {} by {by} answered {answer:?}", member.unwrap_or("its only member")));
        }
        let Ok(record) = answer else { return };
        // Whoever called last speaks for the member, on whatever other devices it is (design A5).
        if sets.iter().any(|key| record.presence.get(key).and_then(Value::as_u64) != Some(value)) {
            self.wrong(format!("wrote {value} to {sets:?}, and the answer is {record:?}"));
        }
        self.notes.wrote(self.someone(who), sets, &(record.member_id, self.user(who)), value);
    }

    /// Writes the room's metadata, and sees that the writer's own peer took it: a new write beats what its author saw
    /// (design R10).
    pub(crate) async fn metadata(&self, key: &str, delete: bool) {
        let members = self.members.lock().await;
        let mine = matching(&members, Who::Person, None);
        let value = self.notes.fresh(self.run);
        let (change, written) = match delete {
            true => (MetadataChange { unset: vec![key.to_owned()], ..MetadataChange::default() }, None),
            false => (MetadataChange::new(json!({ key: value })), Some(json!(value))),
        };
        match self.room(Who::Person).set_metadata(change).await {
            Ok(metadata) if metadata.metadata.get(key) != written.as_ref() => {
                let sees = metadata.metadata;
                self.wrong(format!("{written:?} was written to {key}, and the writer itself sees {sees:?}"));
            }
            // Any of several members may write it.
            Ok(_) if mine.count > 0 => {}
            Err(error) if error.code == ErrorCode::NotJoined && (mine.count == 0 || mine.leased) => {}
            answer => self.wrong(format!("writing the room's {key} with {} members answered {answer:?}", mine.count)),
        }
    }

    /// Ends a member.
    pub(crate) async fn leave(&self, who: Who, member: Option<&str>) {
        let mut members = self.members.lock().await;
        let member_id = member.and_then(|member| MemberId::new(member).ok());
        let mine = matching(&members, who, member_id.as_ref());
        let answer = self.room(who).leave(Leave { member_id }).await;
        let expected = match &answer {
            Ok(left) => left.left == (mine.count == 1) || (!left.left && mine.leased),
            Err(error) => error.code == ErrorCode::AmbiguousMember && mine.count > 1,
        };
        if !expected {
            self.wrong(format!("leave of {} members answered {answer:?}", mine.count));
        }
        if let Ok(left) = answer {
            members.retain(|joined| joined.who != who || joined.member != left.member_id);
        }
    }
}

/// The members that a call may be about.
struct Mine {
    count: usize,
    /// Some of them may be gone by themselves.
    leased: bool,
}

impl Mine {
    /// Whether a call about one member may end like this.
    fn allows(&self, error: Option<&Error>) -> bool {
        match error.map(|error| error.code) {
            None => self.count == 1 || (self.count > 1 && self.leased),
            Some(ErrorCode::NotJoined) => self.count == 0 || self.leased,
            Some(ErrorCode::AmbiguousMember) => self.count > 1,
            Some(_) => false,
        }
    }
}

fn matching(members: &[Joined], who: Who, member: Option<&MemberId>) -> Mine {
    let mine = |joined: &&Joined| joined.who == who && member.is_none_or(|member| joined.member == *member);
    let mine: Vec<&Joined> = members.iter().filter(mine).collect();
    Mine { count: mine.len(), leased: mine.iter().any(|joined| joined.leased) }
}
