//! Movements by their author's own link: the protocol `/parlor/1/stream`. Nobody has to see a signature of those: the
//! connection proves whose they are. Where all of a room are linked to all, nobody has to pass them on (design N4), and this
//! is all that is said. Each end opens one stream for what it says. What waits for it has a bound in number and in time, so
//! that an old cursor is dropped rather than late (design N5), and replicas repair it.
//!
//! What is short and for one peer alone goes this way too, since a stream needs no words to begin with, and waits for it where
//! it is being opened: a newcomer is told of hundreds of members. It is not dropped for being late, and leaves places for
//! movements: what finds none goes as a request ([`direct`](crate::direct)), and so does what waits when there is to be no
//! stream.
//!
//! An item is a length (u16, little endian), the tag of a room and one frame. As long as somebody in a room is not linked, does
//! not know the protocol, or ended its stream again and again, everything is said by gossip too.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use asynchronous_codec::{Bytes, BytesMut, Decoder, Encoder, FramedRead, FramedWrite};
use futures::channel::mpsc;
use futures::{Sink, Stream as _, StreamExt as _, ready};
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::swarm::handler::{ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour, Stream,
    StreamUpgradeError, SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, StreamProtocol};
use parlor_core::limits::FRAME_MAX;

use crate::direct::Direct;
use crate::seal::SEAL_BYTES;
use crate::topic::Tag;

const PROTOCOL: StreamProtocol = StreamProtocol::new("/parlor/1/stream");
const TAG_BYTES: usize = 16;
const LENGTH_BYTES: usize = 2;
/// The longest item.
const ITEM_MAX: usize = TAG_BYTES + FRAME_MAX + SEAL_BYTES;
/// Items that wait for one peer, as many as gossip lets wait. A movement that comes on top is dropped and counted.
const QUEUE: usize = 256;
/// Of those, what is for this peer alone; the rest of it takes the other way.
const ALONE: usize = 192;
/// Bytes that are taken from there before the stream has taken those before them.
const WRITTEN_MAX: usize = 4 * 1024;
/// A movement that waited for longer is dropped, as gossip does.
const LATE: Duration = Duration::from_millis(500);
/// Streams that one connection opens, one soon after the other.
const OPENED_MAX: u8 = 5;
/// One that was good for so long makes good for those before it.
const GOOD: Duration = Duration::from_secs(60);
/// A stream that takes nothing for so long is ended: it may be dead, and gossip need not be. One that is not open after so long
/// is tried again, and what waits for it goes another way.
const STALLED: Duration = Duration::from_secs(5);

const _: () = assert!(ITEM_MAX <= u16::MAX as usize, "its length can be said");

/// Items on a stream.
#[derive(Clone, Copy, Debug)]
struct Items;

/// Why there are no more of them.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("an item of {0} bytes")]
    Length(usize),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Encoder for Items {
    type Item<'a> = Bytes;
    type Error = Broken;

    fn encode(&mut self, item: Bytes, out: &mut BytesMut) -> Result<(), Broken> {
        let length = u16::try_from(item.len()).map_err(|_| Broken::Length(item.len()))?;
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&item);
        Ok(())
    }
}

impl Decoder for Items {
    type Item = Direct;
    type Error = Broken;

    fn decode(&mut self, from: &mut BytesMut) -> Result<Option<Direct>, Broken> {
        let Some(length) = from.first_chunk().copied().map(u16::from_le_bytes).map(usize::from) else {
            return Ok(None);
        };
        if !(TAG_BYTES..=ITEM_MAX).contains(&length) {
            return Err(Broken::Length(length));
        }
        if from.len() < LENGTH_BYTES + length {
            return Ok(None);
        }
        let item = from.split_to(LENGTH_BYTES + length);
        let frame = item[LENGTH_BYTES..]
            .split_first_chunk()
            .map(|(tag, frame)| Direct { tag: Tag(*tag), bytes: frame.to_vec() });
        Ok(frame)
    }
}

/// An item that is to be said.
#[derive(Clone, Debug)]
struct Waiting {
    item: Bytes,
    /// Since when a movement waits. What is for one peer alone is never too old: nobody may say it again.
    since: Option<Instant>,
    /// Of what is for one peer alone: as many of these are there as it has places in the queue.
    _place: Option<Arc<()>>,
}

impl Waiting {
    /// What is for one peer alone, to be said another way.
    fn alone(self) -> Option<Direct> {
        let (tag, frame) = self.item.split_first_chunk().filter(|_| self.since.is_none())?;
        Some(Direct { tag: Tag(*tag), bytes: frame.to_vec() })
    }
}

/// The queue of one connection.
#[derive(Debug)]
pub(crate) struct Queue {
    sender: mpsc::Sender<Waiting>,
    places: Arc<()>,
    /// Whether there is a stream.
    open: bool,
}

impl Queue {
    /// One, and its other end.
    fn new() -> (Self, mpsc::Receiver<Waiting>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Queue { sender, places: Arc::new(()), open: false }, receiver)
    }

    /// Whether there was room, or nothing where there will be no stream any more.
    fn push(&mut self, waiting: Waiting) -> Option<bool> {
        match self.sender.try_send(waiting) {
            Ok(()) => Some(true),
            Err(error) => error.is_full().then_some(false),
        }
    }
}

/// What a connection tells.
#[derive(Debug)]
pub(crate) enum Told {
    /// What is to be said goes here.
    Begun(Queue),
    /// There is a stream for it.
    Open,
    /// There is none any more, and may be one again.
    Shut,
    /// There will be none.
    GivenUp,
    /// Nobody says this here any more.
    Unsaid(Direct),
    /// Something waited for too long.
    Late,
    /// An item of the peer; nothing when its stream brought what is none, and ended with it.
    Item(Option<Direct>),
    /// The peer opened its stream once more.
    Again,
}

/// The stream for what is said.
enum Out {
    /// To be opened.
    None,
    Opening,
    Open {
        stream: Pin<Box<FramedWrite<Stream, Items>>>,
        since: Instant,
        /// Since when it takes nothing.
        stalled: Option<Instant>,
    },
    /// There will be none.
    GivenUp,
}

/// One connection.
pub(crate) struct Handler {
    queue: mpsc::Receiver<Waiting>,
    out: Out,
    opened: u8,
    heard: Option<Pin<Box<FramedRead<Stream, Items>>>>,
    /// Whether there was a stream of the peer's.
    was_heard: bool,
    told: VecDeque<Told>,
}

impl Handler {
    fn new() -> Self {
        let (begun, queue) = Queue::new();
        let told = VecDeque::from([Told::Begun(begun)]);
        Handler { queue, out: Out::None, opened: 0, heard: None, was_heard: false, told }
    }

    /// What the peer says next.
    fn hear(&mut self, cx: &mut Context<'_>) -> Poll<Told> {
        let Some(heard) = &mut self.heard else { return Poll::Pending };
        match ready!(heard.as_mut().poll_next(cx)) {
            Some(Ok(item)) => Poll::Ready(Told::Item(Some(item))),
            Some(Err(Broken::Length(_))) => {
                self.heard = None;
                Poll::Ready(Told::Item(None))
            }
            // It ended, in the middle of something or not.
            Some(Err(Broken::Io(_))) | None => {
                self.heard = None;
                Poll::Pending
            }
        }
    }

    /// Says what waits.
    fn say(&mut self, cx: &mut Context<'_>) -> Result<(), Broken> {
        let Out::Open { stream, stalled, .. } = &mut self.out else { return Ok(()) };
        while stream.as_mut().poll_ready(cx)?.is_ready() {
            let Poll::Ready(Some(Waiting { item, since, .. })) = self.queue.poll_next_unpin(cx) else { break };
            if since.is_some_and(|since| since.elapsed() > LATE) {
                self.told.push_back(Told::Late);
                continue;
            }
            stream.as_mut().start_send(item)?;
            *stalled = None;
        }
        if stream.as_mut().poll_flush(cx)?.is_ready() {
            *stalled = None;
        } else if stalled.get_or_insert_with(Instant::now).elapsed() > STALLED {
            // A connection has something to do every second or two, so it is noticed without a timer.
            return Err(io::Error::from(io::ErrorKind::TimedOut).into());
        }
        Ok(())
    }

    fn begin(&mut self, stream: Stream) {
        let mut stream = Box::pin(FramedWrite::new(stream, Items));
        stream.set_send_high_water_mark(WRITTEN_MAX);
        self.out = Out::Open { stream, since: Instant::now(), stalled: None };
        self.told.push_back(Told::Open);
    }

    /// There will be no stream.
    fn give_up(&mut self) {
        self.out = Out::GivenUp;
        self.queue.close();
        self.told.push_back(Told::GivenUp);
    }

    /// What waits for one peer alone; nothing when there is and will be no more of it.
    fn unsaid(&mut self, cx: &mut Context<'_>) -> Poll<Option<Told>> {
        while let Some(waiting) = ready!(self.queue.poll_next_unpin(cx)) {
            if let Some(frame) = waiting.alone() {
                return Poll::Ready(Some(Told::Unsaid(frame)));
            }
        }
        Poll::Ready(None)
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = std::convert::Infallible;
    type ToBehaviour = Told;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ())
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Self::ToBehaviour>> {
        if self.say(cx).is_err() {
            if let Out::Open { since, .. } = std::mem::replace(&mut self.out, Out::None)
                && since.elapsed() > GOOD
            {
                self.opened = 0;
            }
            self.told.push_back(Told::Shut);
        }
        if matches!(self.out, Out::None) && self.opened == OPENED_MAX {
            self.give_up();
        }
        if let Some(told) = self.told.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(told));
        }
        if matches!(self.out, Out::GivenUp)
            && let Poll::Ready(Some(told)) = self.unsaid(cx)
        {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(told));
        }
        if let Poll::Ready(told) = self.hear(cx) {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(told));
        }
        if matches!(self.out, Out::None) {
            self.opened += 1;
            self.out = Out::Opening;
            let protocol = SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ()).with_timeout(STALLED);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        Poll::Pending
    }

    /// There may be another connection for what waits at the end of this one.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Option<Told>> {
        self.queue.close();
        match self.told.pop_front() {
            Some(told) => Poll::Ready(Some(told)),
            None => self.unsaid(cx),
        }
    }

    fn on_behaviour_event(&mut self, event: Self::FromBehaviour) {
        match event {}
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol: stream, .. }) => {
                self.heard = Some(Box::pin(FramedRead::new(stream, Items)));
                if std::mem::replace(&mut self.was_heard, true) {
                    self.told.push_back(Told::Again);
                }
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol: stream, .. }) => {
                self.begin(stream);
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => match error {
                StreamUpgradeError::NegotiationFailed => self.give_up(),
                _ => {
                    self.out = Out::None;
                    let waited = std::iter::from_fn(|| self.queue.try_recv().ok());
                    self.told.extend(waited.filter_map(Waiting::alone).map(Told::Unsaid));
                }
            },
            _ => {}
        }
    }
}

/// What comes out.
#[derive(Debug)]
pub(crate) enum Streamed {
    /// A frame; nothing where it was none.
    Frame { peer: PeerId, frame: Option<Direct> },
    /// The peer opened its stream once more.
    Again { peer: PeerId },
    /// There is no stream to the peer any more, on a connection that may go on.
    Ended,
    /// Something waited for too long and is not said.
    Late,
    /// A frame for this peer alone is to be said another way.
    Unsaid { peer: PeerId, frame: Direct },
}

/// Whom a frame went to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reached {
    /// Whether there was a stream to anybody.
    pub some: bool,
    /// Peers to whom there was one, with too much waiting already.
    pub full: u64,
    /// Peers to whom there was none.
    pub without: u64,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Streams {
    /// By peer, the queues of those of its connections that have a stream or may have one.
    queues: BTreeMap<PeerId, Vec<(ConnectionId, Queue)>>,
    streamed: VecDeque<Streamed>,
}

impl Streams {
    /// Says a frame to those of these peers to whom there is a stream.
    pub(crate) fn say<'a>(&mut self, peers: impl Iterator<Item = &'a PeerId>, tag: Tag, frame: &[u8]) -> Reached {
        let waiting = Waiting { item: item(tag, frame), since: Some(Instant::now()), _place: None };
        let mut reached = Reached::default();
        for peer in peers {
            let queues = self.queues.get_mut(peer).into_iter().flatten();
            let mut streams = queues.rev().filter(|(_, queue)| queue.open);
            // A connection that is being closed is still known here.
            match streams.find_map(|(_, queue)| queue.push(waiting.clone())) {
                Some(fits) => {
                    reached.some = true;
                    reached.full += u64::from(!fits);
                }
                None => reached.without += 1,
            }
        }
        reached
    }

    /// Says a frame to this one alone; false where there is to be no stream, or too much for this peer alone waits already.
    pub(crate) fn say_to(&mut self, peer: &PeerId, tag: Tag, frame: &[u8]) -> bool {
        let Some(queues) = self.queues.get_mut(peer) else { return false };
        let is_open = queues.iter().any(|(_, queue)| queue.open);
        let free = |queue: &Queue| queue.open == is_open && Arc::strong_count(&queue.places) <= ALONE;
        let mut sent = queues.iter_mut().rev().filter(|(_, queue)| free(queue)).filter_map(|(_, queue)| {
            let place = Some(Arc::clone(&queue.places));
            queue.push(Waiting { item: item(tag, frame), since: None, _place: place })
        });
        sent.next() == Some(true)
    }

    fn opened(&mut self, peer: PeerId, id: ConnectionId, is_open: bool) {
        let queues = self.queues.get_mut(&peer).into_iter().flatten();
        queues.filter(|(of, _)| *of == id).for_each(|(_, queue)| queue.open = is_open);
    }

    fn end(&mut self, peer: PeerId, id: ConnectionId) {
        let Some(queues) = self.queues.get_mut(&peer) else { return };
        queues.retain(|(of, _)| *of != id);
        if queues.is_empty() {
            self.queues.remove(&peer);
        }
    }
}

fn item(tag: Tag, frame: &[u8]) -> Bytes {
    Bytes::from([&tag.0, frame].concat())
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = Handler;
    type ToSwarm = Streamed;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new())
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ConnectionClosed(closed) = event {
            self.end(closed.peer_id, closed.connection_id);
        }
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {
            Told::Begun(queue) => self.queues.entry(peer).or_default().push((id, queue)),
            Told::Open => self.opened(peer, id, true),
            Told::Late => self.streamed.push_back(Streamed::Late),
            Told::Shut => {
                self.opened(peer, id, false);
                self.streamed.push_back(Streamed::Ended);
            }
            Told::GivenUp => self.end(peer, id),
            Told::Unsaid(frame) => self.streamed.push_back(Streamed::Unsaid { peer, frame }),
            Told::Item(frame) => self.streamed.push_back(Streamed::Frame { peer, frame }),
            Told::Again => self.streamed.push_back(Streamed::Again { peer }),
        }
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Streamed, THandlerInEvent<Self>>> {
        self.streamed.pop_front().map_or(Poll::Pending, |streamed| Poll::Ready(ToSwarm::GenerateEvent(streamed)))
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
