//! Opening and closing rooms, and carrying what their replicas say.

use std::sync::Arc;

use libp2p::PeerId;
use libp2p::gossipsub::{IdentTopic, PublishError, TopicHash};
use parlor_core::{Config, DownCause, Error, ErrorCode, Input, Replica, RoomId, Tick, Way, limits};
use tracing::{debug, info};

use super::room::{Link, Room, Whom};
use super::{Actor, LEAVING_MS};
use crate::author;
use crate::direct::{DIRECT_MAX, Direct, UNDER_WAY_MAX};
use crate::handle::{Call, RoomPort};
use crate::history::History;
use crate::seal::{RoomSecret, SEAL_BYTES};
use crate::tags;
use crate::topic::Tag;

/// Bytes of the longest frame to one peer alone that goes by the stream, where a movement may wait behind it.
const SHORT_MAX: usize = 4 * 1024;
/// How long gossip waits with what streams have said, in milliseconds. To sign, to verify and to pass on takes longer than a
/// cursor by a stream, and those who move with us say theirs just now.
const HELD_MS: u64 = 1;

/// Who was told of a frame by streams, of those who are linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nobody,
    Several,
    Everybody,
}

impl Actor {
    /// A replica of the room, which nobody hears and which hears nobody.
    pub(super) fn prepare(&mut self, id: RoomId, secret: Option<RoomSecret>) -> Result<RoomPort, Error> {
        if let Some(room) = self.rooms.get_mut(&id) {
            if room.secret == secret {
                if room.closing.take().is_some() {
                    room.replica.stay(self.clock.now());
                }
                return Ok(room.port());
            }
            if room.closing.is_none() {
                return Err(another_room(&id, secret.is_some()));
            }
            // Another room takes its name: the repeats of its leave are not waited for.
            room.closing = Some(Tick(0));
            self.drop_closed(Tick(0));
        }
        // A room that is on its way out takes nobody's place; it is gone within half a second.
        if self.rooms.values().filter(|room| room.closing.is_none()).count() >= limits::ROOMS_MAX {
            let message = format!("{} rooms are open, and that is the most", limits::ROOMS_MAX);
            return Err(Error::new(ErrorCode::TooManyRooms, message));
        }
        let now = self.clock.now();
        let config = Config {
            room: id.clone(),
            certificate: self.certificate.clone(),
            seed: rand::Rng::random(&mut self.rng),
            loopback_only: self.loopback_only,
            private: secret.map(|secret| secret.room),
        };
        let mut replica = Replica::new(config, Arc::clone(&self.verifier), now, self.wall_ms());
        replica.continue_from(self.left);
        if self.outranked {
            replica.outrank(now);
        }
        if self.outage.out() {
            replica.handle(Input::OwnOutage(true), now);
        }
        let history = History::new(rand::Rng::random(&mut self.rng));
        let room = Room::new(id.clone(), secret, replica, history);
        let port = room.port();
        self.rooms.insert(id, room);
        Ok(port)
    }

    /// Enters the topic of a room that was prepared; one that was entered stays as it is.
    pub(super) fn enter(&mut self, id: &RoomId) -> Result<(), Error> {
        let now = self.clock.now();
        let Some(room) = self.rooms.get_mut(id) else {
            return Err(Error::new(ErrorCode::NotFound, format!("the room {id:?} is not open")));
        };
        if room.entered {
            return Ok(());
        }
        if let Err(error) = self.swarm.behaviour_mut().gossip.subscribe(&room.topic) {
            self.rooms.remove(id);
            return Err(Error::new(ErrorCode::NetworkUnavailable, format!("cannot enter {id:?}: {error}")));
        }
        room.entered = true;
        let topic = room.topic.hash();
        info!(room = tags::room(&topic), private = room.secret.is_some(), "a room is entered");
        self.topics.insert(topic.clone(), id.clone());
        self.meeting.news(now);
        let already = self.peers.iter().filter(|(_, peer)| peer.topics.contains(&topic)).map(|(peer, _)| *peer);
        for peer in already.collect::<Vec<_>>() {
            self.link_up(peer, &topic, now);
        }
        Ok(())
    }

    /// Leaves at once; the room is dropped when the repeats of the leave are out.
    pub(super) fn close(&mut self, id: &RoomId) {
        let now = self.clock.now();
        let Some(room) = self.rooms.get_mut(id) else { return };
        room.replica.leave_all(now);
        // Also when everybody left just before: a room that goes takes the repeats of their leaves with it.
        let wait = if room.replica.is_parting() { LEAVING_MS } else { 0 };
        room.closing = Some(now.plus(wait));
    }

    /// Drops the rooms whose time has come.
    pub(super) fn drop_closed(&mut self, now: Tick) {
        let due = |room: &&Room| room.closing.is_some_and(|at| at <= now);
        let closed: Vec<RoomId> = self.rooms.values().filter(due).map(|room| room.id.clone()).collect();
        if !closed.is_empty() {
            self.say_waiting();
        }
        for id in closed {
            let Some(mut room) = self.rooms.remove(&id) else { continue };
            info!(room = tags::room(&room.topic.hash()), "a room is left");
            // What was counted stays counted.
            for (name, count) in room.replica.counters().iter() {
                self.counters.add(name, count);
            }
            // Its own counts and those of the rooms before it, whichever are greater.
            room.replica.continue_from(self.left);
            self.left = room.replica.continuation();
            for topic in room.porches.iter().map(|porch| &porch.topic).chain([&room.topic]) {
                self.leave_topic(topic);
            }
            for peer in room.links.keys().chain(room.moving.keys()) {
                self.dialler.shared(*peer, self.needed(peer));
            }
        }
    }

    /// Nothing of this topic is said or heard any more.
    pub(super) fn leave_topic(&mut self, topic: &IdentTopic) {
        self.topics.remove(&topic.hash());
        self.swarm.behaviour_mut().gossip.unsubscribe(topic);
        self.unsay(topic.hash().as_str());
    }

    pub(super) fn call(&mut self, id: &RoomId, call: Call) -> Box<dyn FnOnce() + Send> {
        let now = self.clock.now();
        match self.rooms.get_mut(id) {
            Some(room) => call(Ok((&mut room.replica, now))),
            None => call(Err(Error::new(ErrorCode::NotFound, format!("the room {id:?} is not open")))),
        }
    }

    /// Lets every replica run, says by streams what goes by them, tells readers what happened, and says the rest: gossip signs,
    /// which takes longer than all of that. After something that went by streams it waits until those had their turn, and for
    /// [`HELD_MS`] when nothing but that is left to be said, to those who have no stream or no link. Cheap when nothing is due.
    pub(super) fn pump(&mut self, now: Tick) {
        let mut outgoing = Vec::new();
        for room in self.rooms.values_mut().filter(|room| room.entered) {
            for (to, frame) in room.pump(now) {
                match room.close(frame, &mut self.sealed) {
                    Some(bytes) => outgoing.push((room.tag, to, bytes)),
                    None => self.counters.count("own_frame_unsealed"),
                }
            }
        }
        // Whether what is left is nothing but the same once more, for those who have no stream or no link.
        let mut copies = true;
        outgoing.retain(|(tag, to, bytes)| {
            let by_streams = matches!(to, Whom::All(Way::Both | Way::Links));
            let told = if by_streams { self.say_by_streams(*tag, bytes) } else { Told::Nobody };
            let left = told != Told::Everybody || !matches!(to, Whom::All(Way::Links));
            copies &= !left || told != Told::Nobody;
            left
        });
        self.rooms.values_mut().filter(|room| room.entered).for_each(Room::tell);
        if outgoing.is_empty() {
            return;
        }
        if self.gives_way || !self.waiting.is_empty() {
            self.held_until = match (copies, self.waiting.is_empty()) {
                (true, true) => Some(now.plus(HELD_MS)),
                (true, false) => self.held_until,
                (false, _) => None,
            };
            self.waiting.append(&mut outgoing);
        } else {
            outgoing.into_iter().for_each(|(tag, to, bytes)| self.say_to(tag, to, bytes));
        }
    }

    /// Says a frame to those who are linked and have a stream.
    fn say_by_streams(&mut self, tag: Tag, bytes: &[u8]) -> Told {
        let network = self.swarm.behaviour_mut();
        let calm = network.gossip.air.as_ref().is_none_or(|air| air.is_calm());
        let room = self.topics.get(&tag.hash()).and_then(|id| self.rooms.get(id));
        let Some(room) = room.filter(|_| calm) else { return Told::Nobody };
        let reached = network.streams.say(room.links.keys(), tag, bytes);
        self.counters.add("streamed", reached.some.into());
        self.counters.add("stream_full", reached.full);
        self.gives_way |= reached.some;
        match (reached.some, reached.without) {
            (false, _) => Told::Nobody,
            (true, 0) => Told::Everybody,
            // Somebody who has no stream hears it by gossip, and costs the others no time.
            (true, _) => Told::Several,
        }
    }

    /// Says what waited for the streams.
    pub(super) fn say_waiting(&mut self) {
        (self.gives_way, self.held_until) = (false, None);
        for (tag, to, bytes) in std::mem::take(&mut self.waiting) {
            self.say_to(tag, to, bytes);
        }
    }

    fn say_to(&mut self, tag: Tag, to: Whom, bytes: Vec<u8>) {
        match to {
            Whom::All(_) => self.publish(tag, bytes),
            Whom::One(session) => match author::peer_of(&session) {
                Some(peer) => self.send(&peer, Direct { tag, bytes }),
                None => self.counters.count("send_to_no_peer"),
            },
        }
    }

    /// Who is outranked in one room is so in all: it is the process that was started earlier (design R2).
    pub(super) fn outrank_all(&mut self, now: Tick) {
        if self.outranked || !self.rooms.values().any(|room| room.replica.is_outranked()) {
            return;
        }
        self.outranked = true;
        self.counters.count("outranked");
        for room in self.rooms.values_mut() {
            room.replica.outrank(now);
        }
        self.pump(now);
    }

    /// Publishing never fails for a caller (design N3): alone in the room is a normal state, and what a full queue loses
    /// the replicas repair.
    pub(super) fn publish(&mut self, tag: Tag, bytes: Vec<u8>) {
        if bytes.len() > limits::FRAME_MAX + SEAL_BYTES {
            self.counters.count("own_frame_too_big");
            return;
        }
        let published = self.publish_in_weather(tag, bytes);
        self.count_published(published);
    }

    pub(super) fn count_published(&mut self, published: Result<(), PublishError>) {
        let name = match published {
            Ok(()) => "published",
            Err(PublishError::NoPeersSubscribedToTopic) => "published_alone",
            Err(PublishError::Duplicate) => "publish_duplicate",
            Err(PublishError::AllQueuesFull(_)) => "publish_queues_full",
            Err(PublishError::MessageTooLarge) => "own_frame_too_big",
            Err(_) => "publish_failed",
        };
        self.counters.count(name);
    }

    /// To one connected peer. Never dials: a replica says it again when there is a link. What is short goes by the stream to it
    /// where there is one or may be one soon: a newcomer is told of hundreds of members, and a request has a stream of its own
    /// to be opened.
    pub(super) fn send_now(&mut self, peer: &PeerId, frame: Direct) {
        if !self.peers.contains_key(peer) {
            return self.counters.count("send_not_connected");
        }
        if frame.bytes.len() > DIRECT_MAX {
            return self.counters.count("own_frame_too_big");
        }
        let short = frame.bytes.len() <= SHORT_MAX;
        let streamed = short && self.swarm.behaviour_mut().streams.say_to(peer, frame.tag, &frame.bytes);
        if streamed || self.request(peer, frame) {
            self.counters.count("sent");
        }
    }

    /// Sends a frame as a request; false when that is not possible.
    pub(super) fn request(&mut self, peer: &PeerId, frame: Direct) -> bool {
        let refused = match self.peers.get_mut(peer) {
            None => "send_not_connected",
            Some(to) if to.under_way >= UNDER_WAY_MAX => "send_queue_full",
            Some(to) => {
                to.under_way += 1;
                self.swarm.behaviour_mut().direct.send_request(peer, Ok(frame));
                return true;
            }
        };
        self.counters.count(refused);
        false
    }

    /// A connected peer was seen to be subscribed to a topic.
    pub(super) fn link_up(&mut self, peer: PeerId, topic: &TopicHash, now: Tick) {
        if self.at_porch(&peer, topic, true, now) {
            return;
        }
        let Some(room) = self.topics.get(topic).and_then(|id| self.rooms.get_mut(id)) else { return };
        let (Some(session), Some(connected)) = (author::session_of(&peer), self.peers.get(&peer)) else { return };
        // Who comes over from the key before was linked all the while; what was said in between it gets at once, not with
        // the next heartbeat.
        if !room.came_over(&peer, now)
            && room.links.insert(peer, Link { heard: now, inside: room.secret.is_none() }).is_some()
        {
            return;
        }
        let loopback = connected.connections.iter().all(|connection| connection.loopback);
        room.replica.handle(Input::LinkUp { peer: session, loopback }, now);
        debug!(room = tags::room(topic), peer = tags::peer(&peer), "a link is up");
        self.tell_round_trip(&peer, now);
        self.dialler.shared(peer, true);
    }

    /// A link in one room ended.
    pub(super) fn link_down(&mut self, peer: &PeerId, topic: &TopicHash, cause: DownCause, now: Tick) {
        if self.at_porch(peer, topic, false, now) {
            return;
        }
        let Some(room) = self.topics.get(topic).and_then(|id| self.rooms.get_mut(id)) else { return };
        let linked = room.links.remove(peer).is_some() | room.moving.remove(peer).is_some();
        let Some(session) = author::session_of(peer).filter(|_| linked) else { return };
        debug!(room = tags::room(topic), peer = tags::peer(peer), reason = ?cause, "a link is down");
        room.replica.handle(Input::LinkDown { peer: session, cause }, now);
        if cause == DownCause::Unsubscribed {
            self.dialler.shared(*peer, self.needed(peer));
        }
    }

    /// Whether a peer is linked in any open room.
    pub(super) fn shares_room(&self, peer: &PeerId) -> bool {
        self.rooms.values().any(|room| room.links.contains_key(peer) || room.moving.contains_key(peer))
    }

    /// The same input to every replica.
    pub(super) fn tell_rooms(&mut self, input: &Input, now: Tick) {
        for room in self.rooms.values_mut() {
            room.replica.handle(input.clone(), now);
        }
    }
}

/// A name stands for one room at a time: open and private rooms of one name do not meet (design N8).
fn another_room(id: &RoomId, private: bool) -> Error {
    let open = if private { "an open room or another private one" } else { "a private room" };
    Error::new(ErrorCode::InvalidTicket, format!("{id:?} is open here as {open}"))
}
