//! One open room: its replica, who is linked in it, and the channels its readers hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use libp2p::PeerId;
use libp2p::gossipsub::IdentTopic;
use parlor_core::{
    Access, By, Event, Input, MembersQuery, Output, Replica, RoomId, SessionId, Snapshot, Tick, Way, limits,
};
use tokio::sync::{broadcast, watch};

use super::porch::Porch;
use crate::handle::RoomPort;
use crate::history::History;
use crate::seal::{RoomSecret, Seal};
use crate::topic::Tag;

/// Events a slow reader may be behind.
const EVENTS: usize = 1024;

/// A linked peer: connected and subscribed to the room's topic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// The last frame of its that gossip brought, or when the link came up.
    pub heard: Tick,
    /// Whether it is in the room: anybody can subscribe to the topic of a private one, and only who said something under
    /// its seal is in.
    pub inside: bool,
}

/// To whom something is said.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whom {
    /// Everybody in the room.
    All(Way),
    One(SessionId),
}

pub(super) struct Room {
    pub id: RoomId,
    pub tag: Tag,
    pub topic: IdentTopic,
    /// Of a private room.
    pub secret: Option<RoomSecret>,
    pub(super) seal: Option<Seal>,
    pub replica: Replica,
    pub links: BTreeMap<PeerId, Link>,
    /// Who was linked under the key before, and until when they are waited for.
    pub moving: BTreeMap<PeerId, Tick>,
    /// The topics of earlier keys.
    pub porches: Vec<Porch>,
    /// What those who are there were told last.
    pub handed_on: Option<Arc<Access>>,
    /// Whether it is on its topic: before, it only takes in what was kept of it.
    pub entered: bool,
    /// Set when the room is being left: when to drop it.
    pub closing: Option<Tick>,
    at: u64,
    /// What happened and no reader knows yet.
    untold: Vec<Event>,
    history: History,
    snapshots: watch::Sender<Arc<Snapshot>>,
    events: broadcast::Sender<(u64, Event)>,
    kept: watch::Sender<u64>,
}

impl Room {
    pub(super) fn new(id: RoomId, secret: Option<RoomSecret>, mut replica: Replica, history: History) -> Self {
        if let Some(secret) = &secret {
            replica.use_key(secret.epoch, secret.commitment());
        }
        let tag = secret.as_ref().map_or_else(|| Tag::of(&id), Tag::private);
        let seal = secret.as_ref().map(Seal::new);
        let snapshots = watch::Sender::new(Arc::new(replica.snapshot()));
        let events = broadcast::Sender::new(EVENTS);
        let (topic, links, moving) = (tag.topic(), BTreeMap::new(), BTreeMap::new());
        let (porches, handed_on, closing) = (Vec::new(), None, None);
        Room {
            id,
            tag,
            topic,
            secret,
            seal,
            replica,
            links,
            moving,
            porches,
            handed_on,
            entered: false,
            closing,
            at: 0,
            untold: Vec::new(),
            history,
            snapshots,
            events,
            kept: watch::Sender::new(0),
        }
    }

    pub(super) fn port(&self) -> RoomPort {
        RoomPort {
            room: self.id.clone(),
            snapshots: self.snapshots.subscribe(),
            events: self.events.downgrade(),
            history: self.history.clone(),
            kept: self.kept.subscribe(),
        }
    }

    /// A frame as it travels: that of a private room is sealed. `sealed` counts the seals of this process.
    pub(super) fn close(&self, frame: Vec<u8>, sealed: &mut u64) -> Option<Vec<u8>> {
        let Some(seal) = &self.seal else { return Some(frame) };
        *sealed += 1;
        seal.close(&self.replica.session(), *sealed, &frame)
    }

    /// What an author said; nothing in a private room when it is not sealed with its secret.
    pub(super) fn open(&self, author: &SessionId, bytes: Vec<u8>) -> Option<Vec<u8>> {
        match &self.seal {
            Some(seal) => seal.open(author, &bytes),
            None => Some(bytes),
        }
    }

    /// Runs what is due, and returns what is to be said, to one peer or to the room. What happened is told by
    /// [`tell`](Room::tell).
    pub(super) fn pump(&mut self, now: Tick) -> Vec<(Whom, Vec<u8>)> {
        if self.replica.next_deadline().is_some_and(|at| at <= now) {
            self.replica.handle(Input::Timeout, now);
        }
        let mut outgoing = Vec::new();
        while let Some(output) = self.replica.poll_output() {
            match output {
                Output::Publish { bytes, way } => outgoing.push((Whom::All(way), bytes)),
                Output::Send { peer, bytes } => outgoing.push((Whom::One(peer), bytes)),
                Output::Event(event) => self.untold.push(event),
            }
        }
        outgoing
    }

    /// Tells readers what happened. The snapshot first: whoever subscribes between the two then finds the events in it. Then
    /// the history: whoever subscribes before looking there misses none.
    pub(super) fn tell(&mut self) {
        let version = self.replica.kept_version();
        self.kept.send_if_modified(|kept| std::mem::replace(kept, version) != version);
        if self.untold.is_empty() {
            return;
        }
        let events = std::mem::take(&mut self.untold);
        let first = self.at + 1;
        self.at += events.len() as u64;
        let snapshot = Snapshot { at: self.at, ..self.replica.snapshot() };
        self.snapshots.send_replace(Arc::new(snapshot));
        for (number, event) in (first..).zip(events) {
            self.history.push(number, &event);
            let _ = self.events.send((number, event));
        }
    }

    /// The names of the members here by session, for showing who a peer is.
    pub(super) fn names(&self, now: Tick) -> BTreeMap<String, String> {
        let query = MembersQuery { limit: Some(limits::MEMBERS_LIMIT_MAX), by: By::Session, ..MembersQuery::default() };
        let members = self.replica.members(&query, now).map(|page| page.members).unwrap_or_default();
        let named = members.iter().flat_map(|member| {
            member.sessions.iter().map(|session| (session.session_id.clone(), member.actor.name.clone()))
        });
        named.collect()
    }
}
