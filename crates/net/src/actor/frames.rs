//! Frames from the network: who wrote them, whether they may be read at all, and the verdict that gossip waits for.

use libp2p::PeerId;
use libp2p::gossipsub::{self, Message, MessageAcceptance, TopicHash};
use libp2p::request_response::{self, InboundFailure, OutboundFailure};
use parlor_core::{DownCause, Input, Tick, Verdict, limits};

use super::Actor;
use crate::author::{self, Origin};
use crate::direct::Direct;
use crate::lobby::{ADVERT_MAX, Advert};
use crate::seal::SEAL_BYTES;
use crate::topic::Tag;

impl Actor {
    pub(super) fn gossip(&mut self, event: gossipsub::Event, now: Tick) {
        match event {
            gossipsub::Event::Message { propagation_source, message_id, message } => {
                let acceptance = self.judge(&propagation_source, message, now);
                let gossip = &mut self.swarm.behaviour_mut().gossip;
                if !gossip.report_message_validation_result(&message_id, &propagation_source, acceptance) {
                    self.counters.count("verdict_too_late");
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

    /// Exactly one verdict for each message (design N1).
    fn judge(&mut self, relay: &PeerId, message: Message, now: Tick) -> MessageAcceptance {
        let Some(origin) = author::of_gossip(message.source.as_ref(), relay) else {
            self.counters.count("frame_without_author");
            return MessageAcceptance::Reject;
        };
        if !self.affords(relay, &origin, message.data.len(), now) {
            return MessageAcceptance::Ignore;
        }
        if message.topic == Tag::LOBBY.hash() {
            return match self.advert(&message.data, now) {
                true => MessageAcceptance::Accept,
                false => MessageAcceptance::Reject,
            };
        }
        if message.data.len() > limits::FRAME_MAX + SEAL_BYTES {
            self.counters.count("frame_too_big");
            return MessageAcceptance::Reject;
        }
        self.note_unannounced(relay, message.source.as_ref(), &message.topic, now);
        match self.frame(&message.topic, origin, message.data, now) {
            Some(Verdict::Accept) => MessageAcceptance::Accept,
            Some(Verdict::Reject) => MessageAcceptance::Reject,
            Some(Verdict::Ignore) | None => MessageAcceptance::Ignore,
        }
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

    /// Hands a frame to the replica of its room.
    fn frame(&mut self, topic: &TopicHash, origin: Origin, bytes: Vec<u8>, now: Tick) -> Option<Verdict> {
        let Some(room) = self.topics.get(topic).and_then(|id| self.rooms.get_mut(id)) else {
            self.counters.count("frame_for_no_room");
            return None;
        };
        let Origin { author, via, path } = origin;
        if *topic != room.topic.hash() {
            self.heard_at_porch(topic, &author, &bytes, now);
            return None;
        }
        let bytes = room.open(&author, bytes);
        if let Some(link) = author::peer_of(&author).and_then(|author| room.links.get_mut(&author)) {
            link.heard = now;
            link.inside |= bytes.is_some();
        }
        let Some(bytes) = bytes else {
            self.counters.count("frame_seal");
            return Some(Verdict::Reject);
        };
        Some(room.replica.handle(Input::Frame { author, via, path, bytes }, now))
    }

    pub(super) fn direct(&mut self, event: request_response::Event<Direct, ()>, now: Tick) {
        use request_response::{Event, Message};
        match event {
            Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                // The answer says no more than that it was read; when it cannot be sent the connection is gone.
                let _ = self.swarm.behaviour_mut().direct.send_response(channel, ());
                self.direct_frame(&peer, request, now);
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

    fn arrived(&mut self, peer: &PeerId) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.under_way = peer.under_way.saturating_sub(1);
        }
    }

    fn direct_frame(&mut self, peer: &PeerId, frame: Direct, now: Tick) {
        let Some(origin) = author::of_direct(peer) else {
            return self.counters.count("frame_without_author");
        };
        if !self.affords(peer, &origin, frame.bytes.len(), now) {
            return;
        }
        if frame.tag == Tag::LOBBY {
            self.advert(&frame.bytes, now);
        } else {
            self.frame(&frame.tag.hash(), origin, frame.bytes, now);
        }
    }

    fn advert(&mut self, bytes: &[u8], now: Tick) -> bool {
        let advert = (bytes.len() <= ADVERT_MAX).then(|| Advert::read(bytes)).flatten();
        match advert {
            Some(advert) => {
                self.lobby.heard(advert, now);
                self.show_near();
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
