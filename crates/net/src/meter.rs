//! gossipsub with a meter before it (design N10). What gossipsub takes in and tells nobody of is work too: a message whose
//! signature is not its author's, one that it had before, one of a topic that is not ours, and all that it says to itself
//! of subscriptions and meshes. A peer could send any of it without end and never pay. So everything is counted where it
//! comes in; what then comes out as a message pays by itself, and the rest is told of as [`Noise`].
//!
//! One RPC could bring hundreds of messages, each of which costs a look at its signature before anybody else has a turn, while
//! honest peers say one in each. So one with more than a few is not read, which ends the stream that it came by.

mod pace;
mod recent;
mod turns;

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::task::{Context, Poll};
use std::time::Instant;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::gossipsub::{self, MessageId, PublishError, TopicHash};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

use self::recent::Handed;
use self::turns::{GivesWay, Told};
pub(crate) use self::turns::{Stint, give_way, or_wait};
use crate::gossip::Gossip;
use crate::lab::{Air, Way, shun};

/// Messages in one RPC, at most: they are verified in one go.
pub(crate) const MESSAGES_MAX: usize = 4;

/// Each RPC comes out of the decoder with one word of extensions more than was sent, which says nothing.
const EXTENSIONS: usize = 1;

/// What the connection hands to gossipsub.
pub(crate) type FromConnection = THandlerOutEvent<Gossip>;

/// What one peer sent that was no message for us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Noise {
    /// Messages whose signature, author or number is not what it must be.
    pub forged: u64,
    /// Messages that the same peer sent before, which gossip never does.
    pub again: u64,
    /// Messages that were heard from others before, or are of no topic of ours.
    pub repeated: u64,
    /// Streams that were opened once more, after one that said what cannot be read.
    pub streams: u64,
    /// Subscriptions, grafts and the like, and RPCs with nothing in them.
    pub control: u64,
}

/// What comes out.
#[derive(Debug)]
pub(crate) enum Heard {
    Gossip(gossipsub::Event),
    Noise {
        peer: PeerId,
        noise: Noise,
    },
    /// A message that has come already, once more: a lab makes it do so.
    Again {
        via: PeerId,
        message: gossipsub::Message,
    },
}

/// Messages in what a connection hands over, good or bad; an RPC with none is read like one with one.
fn messages_in(event: &FromConnection) -> usize {
    match event {
        FromConnection::Message { rpc, invalid_messages } => (rpc.messages.len() + invalid_messages.len()).max(1),
        FromConnection::PeerKind(_) | FromConnection::MessageDropped(_) => 0,
    }
}

/// See the module.
pub(crate) struct Metered {
    gossip: Gossip,
    /// What came in and did not come out yet. Empty between two events of the swarm.
    noise: BTreeMap<PeerId, Noise>,
    handed: Handed,
    /// In a lab alone.
    pub(crate) air: Option<Box<Air>>,
    /// What comes once more, next.
    again: Option<(PeerId, gossipsub::Message)>,
}

impl Metered {
    pub(crate) fn new(gossip: Gossip, air: Option<Box<Air>>) -> Self {
        Self { gossip, noise: BTreeMap::new(), handed: Handed::default(), air, again: None }
    }

    /// Publishes to these of those who are subscribed, in a lab.
    pub(crate) fn publish_to(
        &mut self,
        topic: TopicHash,
        bytes: Vec<u8>,
        to: &[PeerId],
    ) -> Result<MessageId, PublishError> {
        let others: Vec<PeerId> =
            self.gossip.all_peers().map(|(peer, _)| *peer).filter(|peer| !to.contains(peer)).collect();
        others.iter().for_each(|peer| shun(&mut self.gossip, peer, true));
        let published = self.gossip.publish(topic, bytes);
        for peer in others {
            let for_good = self.air.as_ref().is_some_and(|air| air.weather.is_shut(&peer, Way::Out));
            shun(&mut self.gossip, &peer, for_good);
        }
        published
    }

    /// What a lab held back until now.
    fn take_late(&mut self) {
        while let Some((peer, id, event)) = self.air.as_mut().and_then(|air| air.due()) {
            self.take(peer, id, event);
        }
    }

    /// Counts what an RPC brings, and takes out what gossipsub would only log.
    fn weigh(&mut self, peer: PeerId, event: FromConnection) -> FromConnection {
        let FromConnection::Message { mut rpc, invalid_messages } = event else { return event };
        let noise = self.noise.entry(peer).or_default();
        noise.forged += invalid_messages.len() as u64;
        noise.control += (rpc.subscriptions.len() + rpc.control_msgs.len().saturating_sub(EXTENSIONS)) as u64;
        if rpc.messages.is_empty() && invalid_messages.is_empty() {
            noise.control += 1;
        }
        noise.again += self.handed.take_repeats(peer, &mut rpc.messages, Instant::now());
        FromConnection::Message { rpc, invalid_messages: Vec::new() }
    }

    /// Hands an RPC to gossipsub. Of its messages those come out that are for us.
    fn take(&mut self, peer: PeerId, id: ConnectionId, event: FromConnection) {
        if let FromConnection::Message { rpc, .. } = &event {
            self.noise.entry(peer).or_default().repeated += rpc.messages.len() as u64;
        }
        self.gossip.on_connection_handler_event(peer, id, event);
    }
}

impl Deref for Metered {
    type Target = Gossip;

    fn deref(&self) -> &Gossip {
        &self.gossip
    }
}

impl DerefMut for Metered {
    fn deref_mut(&mut self) -> &mut Gossip {
        &mut self.gossip
    }
}

impl NetworkBehaviour for Metered {
    type ConnectionHandler = GivesWay<THandler<Gossip>>;
    type ToSwarm = Heard;

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.gossip
            .handle_established_inbound_connection(id, peer, local, remote)
            .map(|handler| GivesWay::new(handler, messages_in))
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.gossip
            .handle_established_outbound_connection(id, peer, address, role, port)
            .map(|handler| GivesWay::new(handler, messages_in))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ConnectionClosed(closed) = &event {
            if let Some(air) = &mut self.air {
                air.closed(closed.connection_id);
            }
            if closed.remaining_established == 0 {
                self.handed.forget(&closed.peer_id);
            }
        }
        self.gossip.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        let event = match event {
            Told::Handed(event) => self.weigh(peer, event),
            Told::StreamAgain => return self.noise.entry(peer).or_default().streams += 1,
        };
        let passes = match &mut self.air {
            Some(air) => air.pass(peer, id, event),
            None => Some(event),
        };
        if let Some(event) = passes {
            self.take(peer, id, event);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Heard, THandlerInEvent<Self>>> {
        if let Some((via, message)) = self.again.take() {
            return Poll::Ready(ToSwarm::GenerateEvent(Heard::Again { via, message }));
        }
        self.take_late();
        if let Poll::Ready(event) = self.gossip.poll(cx) {
            if let ToSwarm::GenerateEvent(gossipsub::Event::Message { propagation_source, message, .. }) = &event {
                if let Some(noise) = self.noise.get_mut(propagation_source) {
                    noise.repeated = noise.repeated.saturating_sub(1);
                }
                if self.air.as_mut().is_some_and(|air| air.comes_again(message)) {
                    self.again = Some((*propagation_source, message.clone()));
                }
            }
            return Poll::Ready(event.map_out(Heard::Gossip));
        }
        // All that was for us has come out: what is left was not.
        while let Some((peer, noise)) = self.noise.pop_first() {
            if noise != Noise::default() {
                return Poll::Ready(ToSwarm::GenerateEvent(Heard::Noise { peer, noise }));
            }
        }
        Poll::Pending
    }
}
