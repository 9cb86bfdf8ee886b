//! gossipsub with a meter before it (design N10). What gossipsub takes in and tells nobody of is work too: a message whose
//! signature is not its author's, one that it had before, one of a topic that is not ours, and all that it says to itself
//! of subscriptions and meshes. A peer could send any of it without end and never pay. So everything is counted where it
//! comes in; what then comes out as a message pays by itself, and the rest is told of as [`Noise`].
//!
//! One RPC may bring hundreds of messages. gossipsub would hand all of them over before anybody else has a turn, so it is
//! given a few at a time, and of each peer in turn.

mod recent;
mod turns;

use std::collections::{BTreeMap, VecDeque};
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
use self::turns::GivesWay;
pub(crate) use self::turns::give_way;
use crate::gossip::Gossip;
use crate::lab::{Air, Way, shun};

/// Messages of one peer that gossipsub takes at a time.
const SLICE: usize = 4;
/// Messages of one peer that wait for their turn; what is beyond is dropped, and paid for.
const WAITING_MAX: usize = 2_048;

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

/// See the module.
pub(crate) struct Metered {
    gossip: Gossip,
    /// What came in and did not come out yet. Empty between two events of the swarm.
    noise: BTreeMap<PeerId, Noise>,
    /// RPCs whose turn comes, whoever waited for longest first.
    waiting: VecDeque<(PeerId, ConnectionId, FromConnection)>,
    handed: Handed,
    /// In a lab alone.
    pub(crate) air: Option<Box<Air>>,
    /// What comes once more, next.
    again: Option<(PeerId, gossipsub::Message)>,
}

impl Metered {
    pub(crate) fn new(gossip: Gossip, air: Option<Box<Air>>) -> Self {
        let (noise, waiting, handed) = (BTreeMap::new(), VecDeque::new(), Handed::default());
        Self { gossip, noise, waiting, handed, air, again: None }
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

    /// One RPC, when it is its turn.
    fn queue(&mut self, peer: PeerId, id: ConnectionId, event: FromConnection) {
        let waiting = self.waiting_of(&peer);
        match event {
            FromConnection::Message { rpc, .. } if waiting > WAITING_MAX => {
                self.noise.entry(peer).or_default().repeated += rpc.messages.len() as u64;
            }
            event if waiting > 0 => self.waiting.push_back((peer, id, event)),
            event => self.take(peer, id, event),
        }
    }

    /// What a lab held back until now.
    fn take_late(&mut self) {
        while let Some((peer, id, event)) = self.air.as_mut().and_then(|air| air.due()) {
            self.queue(peer, id, event);
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

    /// Hands the first messages of an RPC to gossipsub; the rest of them wait.
    fn take(&mut self, peer: PeerId, id: ConnectionId, event: FromConnection) {
        let FromConnection::Message { mut rpc, invalid_messages } = event else {
            return self.gossip.on_connection_handler_event(peer, id, event);
        };
        if rpc.messages.len() > SLICE {
            let mut rest = rpc.clone();
            rest.messages = rpc.messages.split_off(SLICE);
            rest.subscriptions.clear();
            rest.control_msgs.clear();
            self.waiting.push_back((peer, id, FromConnection::Message { rpc: rest, invalid_messages: Vec::new() }));
        }
        self.noise.entry(peer).or_default().repeated += rpc.messages.len() as u64;
        self.gossip.on_connection_handler_event(peer, id, FromConnection::Message { rpc, invalid_messages });
    }

    /// How many messages of a peer wait.
    fn waiting_of(&self, peer: &PeerId) -> usize {
        let of_peer = self.waiting.iter().filter(|(of, ..)| of == peer);
        let messages = |event: &FromConnection| match event {
            FromConnection::Message { rpc, .. } => rpc.messages.len(),
            _ => 0,
        };
        of_peer.map(|(.., event)| messages(event)).sum()
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
        self.gossip.handle_established_inbound_connection(id, peer, local, remote).map(GivesWay::new)
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.gossip.handle_established_outbound_connection(id, peer, address, role, port).map(GivesWay::new)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ConnectionClosed(closed) = &event {
            self.waiting.retain(|(_, id, _)| *id != closed.connection_id);
            if let Some(air) = &mut self.air {
                air.closed(closed.connection_id);
            }
            if closed.remaining_established == 0 {
                self.handed.forget(&closed.peer_id);
            }
        }
        self.gossip.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: FromConnection) {
        let event = self.weigh(peer, event);
        let passes = match &mut self.air {
            Some(air) => air.pass(peer, id, event),
            None => Some(event),
        };
        if let Some(event) = passes {
            self.queue(peer, id, event);
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
        if let Some((peer, id, event)) = self.waiting.pop_front() {
            // Everybody else has a turn before the next of these.
            self.take(peer, id, event);
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}
