//! In front of a private room whose key was changed (design N8): on the topic of the key before, its members stay for a day
//! to hand on the new one, and say nothing else there.
//!
//! Whoever comes back with the old key is given, under the old seal, what the room's cells say of hosts and of the key:
//! they find their part of it, or that there is none. What is handed on goes to one peer at a time, when it is seen there
//! first, every five seconds while it says something under the old seal, and when there is something new.

use std::collections::BTreeMap;
use std::sync::Arc;

use libp2p::PeerId;
use libp2p::gossipsub::{IdentTopic, TopicHash};
use parlor_core::limits::ROOMS_MAX;
use parlor_core::{DownCause, Error, ErrorCode, Input, RoomId, SessionId, Tick};

use super::Actor;
use super::room::{Link, Room};
use crate::author;
use crate::direct::Direct;
use crate::gossip::TOPICS_MAX;
use crate::seal::{PORCH_MS, RoomSecret, Seal};
use crate::tags;
use crate::topic::Tag;

/// Topics of earlier keys that this peer is on, in all its rooms: the one that ends first goes for a new one. Receivers ignore
/// a peer that is on more than a hundred topics.
const PORCHES_MAX: usize = 48;
/// Somebody who keeps talking there is told again after this long.
const AGAIN_MS: u64 = 5_000;
/// Who was linked under the old key has this long to come over before the link counts as closed.
const MOVING_MS: u64 = 3_000;

const _: () = assert!(ROOMS_MAX + 1 + PORCHES_MAX < TOPICS_MAX, "all rooms, the lobby and these fit");

/// The topic of an earlier key.
pub(super) struct Porch {
    pub topic: IdentTopic,
    tag: Tag,
    seal: Seal,
    until: Tick,
    /// Who is there, and when they were told last.
    there: BTreeMap<PeerId, Option<Tick>>,
}

impl Porch {
    pub(super) fn new(secret: &RoomSecret, until: Tick) -> Self {
        let tag = Tag::private(secret);
        Porch { topic: tag.topic(), tag, seal: Seal::new(secret), until, there: BTreeMap::new() }
    }
}

impl Actor {
    /// Opens the topics of earlier keys of a room, for as long as each is kept.
    pub(super) fn open_porches(&mut self, id: &RoomId, earlier: Vec<(RoomSecret, u64)>, now: Tick) {
        for (secret, left_ms) in earlier {
            self.add_porch(id, Porch::new(&secret, now.plus(left_ms.min(PORCH_MS))));
        }
    }

    fn add_porch(&mut self, id: &RoomId, mut porch: Porch) {
        let Some(room) = self.rooms.get(id) else { return };
        let hash = porch.topic.hash();
        if room.porches.iter().any(|held| held.topic.hash() == hash) {
            return;
        }
        self.make_place();
        if self.swarm.behaviour_mut().gossip.subscribe(&porch.topic).is_err() {
            return self.counters.count("porch_failed");
        }
        let there = self.peers.iter().filter(|(_, peer)| peer.topics.contains(&hash));
        porch.there = there.map(|(peer, _)| (*peer, None)).collect();
        self.topics.insert(hash, id.clone());
        if let Some(room) = self.rooms.get_mut(id) {
            room.porches.push(porch);
        }
    }

    /// Leaves the topic that ends first when there are as many as there may be.
    fn make_place(&mut self) {
        let all = self.rooms.values().flat_map(|room| &room.porches);
        if all.clone().count() < PORCHES_MAX {
            return;
        }
        let first = all.min_by_key(|porch| porch.until).map(|porch| porch.topic.clone());
        if let Some(topic) = first {
            self.rooms.values_mut().for_each(|room| room.porches.retain(|porch| porch.topic.hash() != topic.hash()));
            self.leave_topic(&topic);
            self.counters.count("porch_dropped");
        }
    }

    /// Moves an open room to the topic and the seal of another key. Who is linked comes over, or is gone.
    pub(super) fn change_key(&mut self, id: &RoomId, secret: RoomSecret) -> Result<(), Error> {
        let now = self.clock.now();
        let Some(room) = self.rooms.get_mut(id) else {
            return Err(Error::new(ErrorCode::NotFound, format!("the room {id:?} is not open")));
        };
        let Some(before) = room.secret.filter(|before| before.room == secret.room) else {
            return Err(Error::new(ErrorCode::InvalidTicket, format!("{id:?} is open here as another room")));
        };
        if before == secret {
            return Ok(());
        }
        let old = room.topic.hash();
        let topic = Tag::private(&secret).topic();
        if let Err(error) = self.swarm.behaviour_mut().gossip.subscribe(&topic) {
            return Err(Error::new(ErrorCode::NetworkUnavailable, format!("cannot enter {id:?}: {error}")));
        }
        let links = std::mem::take(&mut room.links);
        room.moving.extend(links.into_keys().map(|peer| (peer, now.plus(MOVING_MS))));
        // Somebody may have made a key at the same time, and those who took that one are found there.
        room.porches.retain(|porch| porch.topic.hash() != topic.hash());
        room.lock_with(secret);
        self.topics.remove(&old);
        self.topics.insert(topic.hash(), id.clone());
        self.meeting.news(now);
        self.add_porch(id, Porch::new(&before, now.plus(PORCH_MS)));
        let already = self.peers.iter().filter(|(_, peer)| peer.topics.contains(&topic.hash())).map(|(peer, _)| *peer);
        for peer in already.collect::<Vec<_>>() {
            self.link_up(peer, &topic.hash(), now);
        }
        self.tell_porches(now);
        tracing::info!(room = tags::room(&topic.hash()), before = tags::room(&old), "the key of a room changed");
        self.counters.count("key_changed");
        Ok(())
    }

    /// Somebody came to the topic of an earlier key, or went; answers whether this topic is one.
    pub(super) fn at_porch(&mut self, peer: &PeerId, topic: &TopicHash, there: bool, now: Tick) -> bool {
        let Some(room) = self.topics.get(topic).and_then(|id| self.rooms.get_mut(id)) else { return false };
        let Some(porch) = room.porches.iter_mut().find(|porch| porch.topic.hash() == *topic) else { return false };
        match there {
            true => drop(porch.there.entry(*peer).or_insert(None)),
            false => drop(porch.there.remove(peer)),
        }
        self.tell_porches(now);
        true
    }

    /// What was said there, by somebody who has the earlier key. Nothing when the topic is none of an earlier key.
    pub(super) fn heard_at_porch(&mut self, topic: &TopicHash, author: &SessionId, bytes: &[u8], now: Tick) -> bool {
        let Some(room) = self.topics.get(topic).and_then(|id| self.rooms.get_mut(id)) else { return false };
        let Some(porch) = room.porches.iter_mut().find(|porch| porch.topic.hash() == *topic) else { return false };
        let Some(frame) = porch.seal.open(author, bytes) else {
            self.counters.count("frame_seal");
            return true;
        };
        if let Some(told) = author::peer_of(author).and_then(|peer| porch.there.get_mut(&peer))
            && told.is_some_and(|at| now.since(at) >= AGAIN_MS)
        {
            *told = None;
        }
        room.replica.hear_at_porch(&frame, now);
        self.tell_porches(now);
        true
    }

    /// Hands on the key that is in force to whoever was not told yet.
    pub(super) fn tell_porches(&mut self, now: Tick) {
        let mut outgoing = Vec::new();
        for room in self.rooms.values_mut().filter(|room| !room.porches.is_empty()) {
            room.look_for_news();
            if !room.porches.iter().any(|porch| porch.there.values().any(Option::is_none)) {
                continue;
            }
            let (frames, me) = (room.replica.porch(), room.replica.session());
            for porch in &mut room.porches {
                for (peer, told) in porch.there.iter_mut().filter(|(_, told)| told.is_none()) {
                    *told = Some(now);
                    for frame in &frames {
                        self.sealed += 1;
                        let sealed = porch.seal.close(&me, self.sealed, frame);
                        outgoing.extend(sealed.map(|bytes| (*peer, Direct { tag: porch.tag, bytes })));
                    }
                }
            }
        }
        for (peer, frame) in outgoing {
            self.send(&peer, frame);
        }
    }

    /// Leaves the topics whose day is over, and gives up those who did not come over.
    pub(super) fn leave_porches(&mut self, now: Tick) {
        let mut left = Vec::new();
        for room in self.rooms.values_mut() {
            let over = |porch: &mut Porch| porch.until <= now;
            left.extend(room.porches.extract_if(.., over).map(|porch| porch.topic));
            let late: Vec<PeerId> =
                room.moving.iter().filter(|(_, until)| **until <= now).map(|(peer, _)| *peer).collect();
            room.moving.retain(|_, until| *until > now);
            for session in late.iter().filter_map(author::session_of) {
                room.replica.handle(Input::LinkDown { peer: session, cause: DownCause::Unsubscribed }, now);
            }
        }
        for topic in left {
            self.leave_topic(&topic);
        }
        self.tell_porches(now);
    }
}

impl Room {
    /// From now on the room has this key.
    fn lock_with(&mut self, secret: RoomSecret) {
        self.tag = Tag::private(&secret);
        self.topic = self.tag.topic();
        self.seal = Some(Seal::new(&secret));
        self.secret = Some(secret);
        self.replica.use_key(secret.epoch, secret.commitment());
    }

    /// When something was said of hosts or keys since they were told last, all are told again.
    fn look_for_news(&mut self) {
        let news = self.replica.access();
        let same = news.as_ref().zip(self.handed_on.as_ref()).is_some_and(|(one, other)| Arc::ptr_eq(one, other));
        if !same {
            self.handed_on = news;
            self.porches.iter_mut().flat_map(|porch| porch.there.values_mut()).for_each(|told| *told = None);
        }
    }

    /// A peer that was linked under the key before is linked under this one: for the replica it never went.
    pub(super) fn came_over(&mut self, peer: &PeerId, now: Tick) -> bool {
        let came = self.moving.remove(peer).is_some();
        if came {
            self.links.insert(*peer, Link { heard: now, inside: true });
        }
        came
    }
}
