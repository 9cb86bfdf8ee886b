//! What people decide in a private room: who its hosts are, whether it is locked, and whose writing is void (design N8).

use std::sync::Arc;

use parlor_core::{Access, AccessChange, ErrorCode, MetadataChange, PrivateRoom};
use serde_json::json;

use super::rules::ANSWERS;
use super::world::World;

impl World {
    /// What the room of a private story is known by: the person of the first host made it.
    pub(crate) fn private_room(&self) -> Option<PrivateRoom> {
        let creator = self.hosts.first()?.signer.public_key();
        self.story.private.then(|| PrivateRoom::new(creator, &[1; 32]))
    }

    /// Locks or unlocks the room. In an open one that is a wish.
    pub(crate) fn lock(&mut self, host: usize, on: bool) {
        let actor = self.hosts[host].person.clone();
        let before = self.access(host);
        let change = MetadataChange::new(json!({ "locked": on }));
        let user = actor.actor.user_id.clone();
        match self.call(host, |replica, tick| replica.set_metadata(&actor, change, tick)) {
            Some(Ok(_)) if self.access(host).is_some_and(|access| access.locked != on) => {
                self.wrong(ANSWERS, host, format!("the lock was set to {on}, and is not"));
            }
            // Whoever is no host may say what is so already.
            Some(Ok(_)) if before.is_some_and(|access| !is_host(&access, &user) && access.locked != on) => {
                self.wrong(ANSWERS, host, format!("{user} is no host, and set the lock to {on}"));
            }
            Some(Err(error)) => self.may_refuse(host, &user, "the lock", &error),
            _ => {}
        }
    }

    /// Names somebody a host, or a host no more.
    pub(crate) fn name_host(&mut self, host: usize, whom: usize, on: bool) {
        let whom = self.hosts[whom].person.actor.user_id.to_string();
        self.decide(host, &AccessChange { hosts: [(whom, on)].into(), ..AccessChange::default() });
    }

    /// Lets what somebody wrote be void, or count again.
    pub(crate) fn void(&mut self, host: usize, whom: usize, on: bool) {
        let whom = self.hosts[whom].person.actor.user_id.to_string();
        self.decide(host, &AccessChange { void: [(whom, on)].into(), ..AccessChange::default() });
    }

    fn decide(&mut self, host: usize, change: &AccessChange) {
        let actor = self.hosts[host].person.clone();
        let user = actor.actor.user_id.clone();
        let Some(before) = self.access(host) else { return };
        match self.call(host, |replica, tick| replica.change_access(&actor, change, tick)) {
            Some(Ok(access)) => {
                let differs = |(user, on): (&String, &bool), is: fn(&parlor_core::Person) -> bool| {
                    let person = access.people.iter().find(|person| person.user_id.as_str() == user);
                    person.is_some_and(is) != *on
                };
                let hosts = change.hosts.iter().any(|entry| differs(entry, |person| person.host));
                let void = change.void.iter().any(|entry| differs(entry, |person| person.voided));
                if hosts || void || !is_host(&before, &user) {
                    self.wrong(ANSWERS, host, format!("{user} asked for {change:?}, and the answer is {access:?}"));
                }
            }
            // Somebody who is not known here yet, or over whom this person does not decide.
            Some(Err(error)) if matches!(error.code, ErrorCode::NotFound | ErrorCode::Forbidden) => {}
            Some(Err(error)) => self.may_refuse(host, &user, "a change of access", &error),
            None => {}
        }
    }

    /// Who may do what, as a host has it.
    pub(crate) fn access(&self, host: usize) -> Option<Arc<Access>> {
        self.hosts[host].process.as_ref()?.replica.access()
    }

    /// Whether what somebody writes at a host counts there wherever somebody else wrote too.
    pub(crate) fn is_void_at(&self, host: usize) -> bool {
        let user = &self.hosts[host].person.actor.user_id;
        let voided = |access: Arc<Access>| access.people.iter().any(|person| person.user_id == *user && person.voided);
        self.access(host).is_some_and(voided)
    }
}

/// Whether a user is a host of the room.
pub(crate) fn is_host(access: &Access, user: &parlor_core::UserId) -> bool {
    access.people.iter().any(|person| person.user_id == *user && person.host)
}
