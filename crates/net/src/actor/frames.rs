//! Frames from the network: who wrote them, whether they may be read at all, and the verdict that gossip waits for.

use libp2p::PeerId;
use libp2p::gossipsub::{self, Message, MessageAcceptance, TopicHash};
use libp2p::request_response::{self, InboundFailure, OutboundFailure};
use parlor_core::{DownCause, RoomId, Tick, VERSION, Verdict, limits};

use super::Actor;
use super::line::{Asked, Judged};
use crate::author::{self, Origin};
use crate::budget::{Spent, WRONG};
use crate::direct::{Direct, Request};
use crate::inspect::FrameBytes;
use crate::lobby::Advert;
use crate::meter::Heard;
use crate::seal::SEAL_BYTES;
use crate::stream::Streamed;
use crate::tags;
use crate::topic::Tag;

impl Actor {
    pub(super) fn gossip(&mut self, heard: Heard, now: Tick) {
        let event = match heard {
            Heard::Gossip(event) => event,
            Heard::Noise { peer, noise } => return self.noise(peer, noise, now),
            Heard::Again { via, message } => return self.gossip_again(via, message, now),
        };
        match event {
            gossipsub::Event::Message { propagation_source, message_id, message } => {
                self.counters.count("gossip_heard");
                let asked = (message_id, propagation_source);
                if let Some(acceptance) = self.judge(&asked, message, now) {
                    self.report(&asked, acceptance);
                }
            }
            gossipsub::Event::Subscribed { peer_id, topic } => self.subscribed(peer_id, topic, now),
            gossipsub::Event::Unsubscribed { peer_id, topic } => {
                if let Some(peer) = self.peers.get_mut(&peer_id) {
                    peer.topics.remove(&topic);
                }
                self.link_down(&peer_id, &topic, DownCause::Unsubscribed, now);
            }
            gossipsub::Event::GossipsubNotSupported { .. } => self.counters.count("peer_without_gossip"),
            gossipsub::Event::SlowPeer { .. } => self.counters.count("slow_peer"),
        }
    }

    fn subscribed(&mut self, peer: PeerId, topic: TopicHash, now: Tick) {
        let Some(connected) = self.peers.get_mut(&peer) else { return };
        connected.unannounced = None;
        connected.topics.insert(topic.clone());
        if topic == Tag::LOBBY.hash() {
            self.greet(&peer, now);
        }
        self.link_up(peer, &topic, now);
    }

    /// The verdict on a message; nothing when it is given later.
    fn judge(&mut self, asked: &Asked, message: Message, now: Tick) -> Option<MessageAcceptance> {
        let relay = &asked.1;
        let Some(origin) = author::of_gossip(message.source.as_ref(), relay) else {
            self.counters.count("frame_without_author");
            return Some(MessageAcceptance::Reject);
        };
        if !self.affords(relay, &origin, message.data.len(), now) {
            return Some(MessageAcceptance::Ignore);
        }
        if message.topic == Tag::LOBBY.hash() {
            let fine = self.advert(&message.data, now);
            let acceptance = self.acceptance(Some(if fine { Verdict::Accept } else { Verdict::Reject }), &origin, now);
            let known = self.knows(None, &origin);
            return Some(self.passed_on(acceptance, &origin, known, message.data.len(), now));
        }
        if message.data.len() > limits::FRAME_MAX + SEAL_BYTES {
            self.counters.count("frame_too_big");
            return Some(self.acceptance(Some(Verdict::Reject), &origin, now));
        }
        self.note_unannounced(relay, message.source.as_ref(), &message.topic, now);
        let bytes = message.data.len();
        // As of before, for a frame may say that they left.
        let known = self.knows(self.topics.get(&message.topic), &origin);
        let Judged::Now(verdict) = self.frame(&message.topic, origin, message.data, Some(asked), now) else {
            return None;
        };
        tracing::trace!(peer = tags::peer(relay), room = tags::room(&message.topic), bytes, ?verdict, "a frame came");
        let acceptance = self.acceptance(verdict, &origin, now);
        Some(self.passed_on(acceptance, &origin, known, bytes, now))
    }

    /// Whether this peer knows who speaks: they are linked to it, or have members in the room.
    pub(super) fn knows(&self, room: Option<&RoomId>, of: &Origin) -> bool {
        of.author == of.via
            || room.and_then(|room| self.rooms.get(room)).is_some_and(|room| room.replica.has_members_of(&of.author))
            || author::peer_of(&of.author).is_some_and(|peer| self.peers.contains_key(&peer))
    }

    /// What gossipsub is told. What no program of ours says costs its author dearly, on whose own link it came.
    pub(super) fn acceptance(&mut self, verdict: Option<Verdict>, origin: &Origin, now: Tick) -> MessageAcceptance {
        match verdict {
            Some(Verdict::Accept) => MessageAcceptance::Accept,
            Some(Verdict::Reject) => {
                if origin.author == origin.via {
                    self.charge(origin.via, WRONG, now);
                }
                MessageAcceptance::Reject
            }
            Some(Verdict::Ignore) | None => MessageAcceptance::Ignore,
        }
    }

    /// What is good is passed on as far as its author's means go, so that it leaves room for what others say; and what
    /// strangers say as far as those go that all whom this neighbour brings have together.
    pub(super) fn passed_on(
        &mut self,
        fine: MessageAcceptance,
        of: &Origin,
        known: bool,
        bytes: usize,
        now: Tick,
    ) -> MessageAcceptance {
        if !matches!(fine, MessageAcceptance::Accept) {
            return fine;
        }
        self.counters.count(if self.passed_on.spend(of.author, bytes, now) != Spent::Paid {
            "not_passed_on"
        } else if !known && self.of_strangers.spend(of.via, bytes, now) != Spent::Paid {
            "stranger_not_passed_on"
        } else {
            return fine;
        });
        MessageAcceptance::Ignore
    }

    /// A peer that writes to a topic which it was not seen to subscribe to: its SUBSCRIBE was lost, gossipsub sends it
    /// once per connection only, and without it we send it nothing.
    fn note_unannounced(&mut self, relay: &PeerId, source: Option<&PeerId>, topic: &TopicHash, now: Tick) {
        let Some(peer) = self.peers.get_mut(relay) else { return };
        if source == Some(relay) && !peer.topics.contains(topic) {
            let first = peer.unannounced.map_or(now, |(first, _)| first);
            peer.unannounced = Some((first, now));
        }
    }

    /// Hands a frame to the replica of its room, or lets it stand in line. `asked`: where the verdict goes.
    pub(super) fn frame(
        &mut self,
        topic: &TopicHash,
        origin: Origin,
        bytes: Vec<u8>,
        asked: Option<&Asked>,
        now: Tick,
    ) -> Judged {
        let Some(room) = self.topics.get(topic).and_then(|id| self.rooms.get_mut(id)) else {
            self.counters.count("frame_for_no_room");
            return Judged::Now(None);
        };
        let author = origin.author;
        if !self.deaf_to.is_empty() && author::peer_of(&author).is_some_and(|peer| self.deaf_to.contains(&peer)) {
            self.counters.count("lab_unheard");
            return Judged::Now(None);
        }
        if let Some(peer) = author::peer_of(&author).and_then(|peer| self.peers.get_mut(&peer)) {
            // The version stands before the seal.
            peer.foreign = bytes.first().copied().filter(|version| *version != VERSION);
        }
        if *topic != room.topic.hash() {
            self.heard_at_porch(topic, &author, &bytes, now);
            return Judged::Now(None);
        }
        let sealed = room.seal.is_some() && self.inspectors.want_bytes();
        let sealed = sealed.then(|| FrameBytes::of(&bytes, true));
        let bytes = room.open(&author, bytes);
        if let Some(link) = author::peer_of(&author).and_then(|author| room.links.get_mut(&author)) {
            // What it says by a stream, or to this peer alone, says nothing of gossip (design N2).
            if asked.is_some() {
                link.heard = now;
            }
            link.inside |= bytes.is_some();
        }
        let Some(bytes) = bytes else {
            self.counters.count("frame_seal");
            return Judged::Now(Some(Verdict::Reject));
        };
        let id = room.id.clone();
        self.judge_or_wait(id, origin, (bytes, sealed), asked, now)
    }

    pub(super) fn direct(&mut self, event: request_response::Event<Request, ()>, now: Tick) {
        use request_response::{Event, Message};
        match event {
            Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                // The answer says no more than that it was read; when it cannot be sent the connection is gone.
                let _ = self.swarm.behaviour_mut().direct.send_response(channel, ());
                match request {
                    Ok(frame) => self.heard_direct(&peer, frame, now),
                    Err(why) => {
                        self.counters.count(why);
                        author::session_of(&peer).into_iter().for_each(|peer| self.charge(peer, WRONG, now));
                    }
                }
            }
            Event::Message { peer, message: Message::Response { .. }, .. } => self.arrived(&peer),
            Event::OutboundFailure { peer, error, .. } => {
                self.arrived(&peer);
                self.counters.count(match error {
                    OutboundFailure::Timeout => "send_timed_out",
                    OutboundFailure::ConnectionClosed => "send_closed",
                    OutboundFailure::UnsupportedProtocols => "send_unsupported",
                    OutboundFailure::DialFailure | OutboundFailure::Io(_) => "send_failed",
                });
            }
            Event::InboundFailure { error, .. } => self.counters.count(match error {
                InboundFailure::Timeout => "direct_timed_out",
                _ => "direct_failed",
            }),
            Event::ResponseSent { .. } => {}
        }
    }

    pub(super) fn streamed(&mut self, event: Streamed, now: Tick) {
        let (peer, wrong) = match event {
            Streamed::Frame { peer, frame: Some(frame) } => {
                self.counters.count("stream_heard");
                return self.heard_direct(&peer, frame, now);
            }
            Streamed::Frame { peer, frame: None } => (peer, "stream_unreadable"),
            Streamed::Again { peer } => (peer, "stream_again"),
            Streamed::Ended => return self.counters.count("stream_ended"),
            Streamed::Late => return self.counters.count("stream_late"),
            Streamed::Unsaid { peer, frame } => {
                self.request(&peer, frame);
                return self.counters.count("stream_unsaid");
            }
        };
        self.counters.count(wrong);
        author::session_of(&peer).into_iter().for_each(|peer| self.charge(peer, WRONG, now));
    }

    fn arrived(&mut self, peer: &PeerId) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.under_way = peer.under_way.saturating_sub(1);
        }
    }

    pub(super) fn direct_frame(&mut self, peer: &PeerId, frame: Direct, now: Tick) {
        let Some(origin) = author::of_direct(peer) else {
            return self.counters.count("frame_without_author");
        };
        if !self.affords(peer, &origin, frame.bytes.len(), now) {
            return;
        }
        let verdict = match frame.tag == Tag::LOBBY {
            true if self.advert(&frame.bytes, now) => Some(Verdict::Accept),
            true => Some(Verdict::Reject),
            false => match self.frame(&frame.tag.hash(), origin, frame.bytes, None, now) {
                Judged::Now(verdict) => verdict,
                Judged::Later => return,
            },
        };
        self.acceptance(verdict, &origin, now);
    }

    fn advert(&mut self, bytes: &[u8], now: Tick) -> bool {
        match Advert::read(bytes) {
            Some(advert) => {
                self.lobby.heard(advert, now);
                self.near_changed(now);
                true
            }
            None => {
                self.counters.count("advert_refused");
                false
            }
        }
    }

    /// A newcomer is told of our rooms at once, not at the next advert.
    fn greet(&mut self, peer: &PeerId, now: Tick) {
        for advert in self.lobby.greeting(self.own_adverts(), now) {
            self.send(peer, Direct { tag: Tag::LOBBY, bytes: advert.write() });
        }
    }
}
