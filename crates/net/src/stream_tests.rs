use super::*;

fn read(bytes: &[u8]) -> Result<Option<Direct>, Broken> {
    Items.decode(&mut BytesMut::from(bytes))
}

fn item(bytes: Vec<u8>) -> Bytes {
    Bytes::from([&[3; TAG_BYTES], bytes.as_slice()].concat())
}

#[test]
fn an_item_comes_back_as_it_was_and_leaves_the_next_alone() {
    let mut written = BytesMut::new();
    let all = [vec![], vec![7; 100], vec![9; FRAME_MAX + SEAL_BYTES]];
    all.iter().for_each(|bytes| Items.encode(item(bytes.clone()), &mut written).unwrap());
    for bytes in all {
        assert_eq!(Items.decode(&mut written).unwrap(), Some(Direct { tag: Tag([3; TAG_BYTES]), bytes }));
    }
    assert!(written.is_empty());
}

#[test]
fn half_an_item_is_waited_for() {
    let mut written = BytesMut::new();
    Items.encode(item(vec![7; 100]), &mut written).unwrap();
    for length in 0..written.len() {
        assert_eq!(read(&written[..length]).unwrap(), None);
    }
}

#[test]
fn a_length_that_no_item_has_is_refused_before_anything_is_read() {
    for length in [0, TAG_BYTES - 1, ITEM_MAX + 1, u16::MAX as usize] {
        let told = u16::try_from(length).unwrap().to_le_bytes();
        assert!(matches!(read(&told), Err(Broken::Length(of)) if of == length));
    }
}

/// A stream to a peer that takes nothing yet.
fn opened(streams: &mut Streams, peer: PeerId, id: usize) -> mpsc::Receiver<Waiting> {
    let queue = begun(streams, peer, id);
    tell(streams, peer, id, Told::Open);
    queue
}

/// A stream that is being opened.
fn begun(streams: &mut Streams, peer: PeerId, id: usize) -> mpsc::Receiver<Waiting> {
    let (begun, queue) = Queue::new();
    tell(streams, peer, id, Told::Begun(begun));
    queue
}

fn tell(streams: &mut Streams, peer: PeerId, id: usize, told: Told) {
    streams.on_connection_handler_event(peer, ConnectionId::new_unchecked(id), told);
}

#[test]
fn what_is_for_one_alone_leaves_places_for_movements_and_is_never_too_old() {
    let (mut streams, peer) = (Streams::default(), PeerId::random());
    assert!(!streams.say_to(&peer, Tag([3; TAG_BYTES]), b"frame"), "no stream is there");
    let mut queue = opened(&mut streams, peer, 1);
    let say = |streams: &mut Streams| streams.say_to(&peer, Tag([3; TAG_BYTES]), b"frame");
    for _ in 0..ALONE {
        assert!(say(&mut streams));
    }
    assert!(!say(&mut streams), "the rest goes another way");
    assert_eq!(streams.say([peer].iter(), Tag([3; TAG_BYTES]), b"move").full, 0);
    let first = queue.try_recv().unwrap();
    assert_eq!((first.since, &first.item[TAG_BYTES..]), (None, b"frame".as_slice()));
    drop(first);
    assert!(say(&mut streams) && !say(&mut streams), "a place is free again");
    tell(&mut streams, peer, 1, Told::GivenUp);
    assert!(!say(&mut streams), "no stream is to come");
}

#[test]
fn what_is_for_one_alone_waits_for_a_stream_and_movements_do_not() {
    let (mut streams, peer) = (Streams::default(), PeerId::random());
    let mut queue = begun(&mut streams, peer, 1);
    let mut say = |streams: &mut Streams| {
        let reached = streams.say([peer].iter(), Tag([3; TAG_BYTES]), b"move");
        let waits = streams.say_to(&peer, Tag([3; TAG_BYTES]), b"frame");
        let said: Vec<_> = std::iter::from_fn(|| queue.try_recv().ok()).map(|said| said.since.is_some()).collect();
        (reached.without, waits, said)
    };
    assert_eq!(say(&mut streams), (1, true, vec![false]));
    tell(&mut streams, peer, 1, Told::Open);
    assert_eq!(say(&mut streams), (0, true, vec![true, false]));
    tell(&mut streams, peer, 1, Told::Shut);
    assert_eq!(say(&mut streams), (1, true, vec![false]), "it may be opened again");
}

#[test]
fn an_open_stream_is_taken_before_one_that_is_being_opened() {
    let (mut streams, peer) = (Streams::default(), PeerId::random());
    let (mut open, mut opening) = (opened(&mut streams, peer, 1), begun(&mut streams, peer, 2));
    assert!(streams.say_to(&peer, Tag([3; TAG_BYTES]), b"frame"));
    assert!(open.try_recv().is_ok() && opening.try_recv().is_err());
}

/// A handler whose stream is open, as far as is known, with a movement and two frames for this peer alone in its queue.
fn with_frames_for_one(streams: &mut Streams, peer: PeerId) -> Handler {
    let mut handler = Handler::new();
    let Some(begun @ Told::Begun(_)) = handler.told.pop_front() else { panic!("it has a queue") };
    tell(streams, peer, 1, begun);
    tell(streams, peer, 1, Told::Open);
    assert_eq!(streams.say([peer].iter(), Tag([3; TAG_BYTES]), b"move").without, 0);
    [b"first", b"after"].iter().for_each(|frame| assert!(streams.say_to(&peer, Tag([3; TAG_BYTES]), *frame)));
    handler
}

/// What comes back of what it was told.
fn unsaid(streams: &mut Streams, peer: PeerId, told: Vec<Told>) -> Vec<Vec<u8>> {
    told.into_iter().for_each(|told| tell(streams, peer, 1, told));
    let unsaid = |streamed| match streamed {
        Streamed::Unsaid { frame, .. } => frame.bytes,
        other => panic!("{other:?}"),
    };
    streams.streamed.drain(..).map(unsaid).collect()
}

#[test]
fn what_waits_for_one_alone_comes_back_when_its_peer_knows_no_streams() {
    let (mut streams, peer) = (Streams::default(), PeerId::random());
    let mut handler = with_frames_for_one(&mut streams, peer);
    handler.give_up();
    assert!(!streams.say_to(&peer, Tag([3; TAG_BYTES]), b"more"), "it is known there that nobody says it");
    let mut told = Vec::new();
    while let Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(one)) = handler.poll(&mut noop()) {
        told.push(one);
    }
    assert_eq!(unsaid(&mut streams, peer, told), [b"first", b"after"]);
    assert!(streams.queues.is_empty());
}

#[test]
fn what_waits_for_one_alone_goes_another_way_when_the_stream_is_not_opened_in_time_and_the_next_may_be() {
    let (mut streams, peer) = (Streams::default(), PeerId::random());
    let mut handler = with_frames_for_one(&mut streams, peer);
    let error = StreamUpgradeError::Timeout;
    handler.on_connection_event(ConnectionEvent::DialUpgradeError(DialUpgradeError { info: (), error }));
    let told = handler.told.drain(..).collect();
    assert_eq!(unsaid(&mut streams, peer, told), [b"first", b"after"]);
    let asks = handler.poll(&mut noop());
    assert!(matches!(asks, Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { .. })), "it is tried again");
    assert!(streams.say_to(&peer, Tag([3; TAG_BYTES]), b"more") && handler.queue.try_recv().is_ok());
}

#[test]
fn what_waits_for_one_alone_comes_back_when_its_connection_closes() {
    let (mut streams, peer) = (Streams::default(), PeerId::random());
    let mut handler = with_frames_for_one(&mut streams, peer);
    let mut told = Vec::new();
    loop {
        match handler.poll_close(&mut noop()) {
            Poll::Ready(Some(one)) => told.push(one),
            Poll::Ready(None) => break,
            Poll::Pending => panic!("it is closed, and nothing is under way"),
        }
    }
    assert_eq!(unsaid(&mut streams, peer, told), [b"first", b"after"]);
    assert!(!streams.say_to(&peer, Tag([3; TAG_BYTES]), b"more"));
}

fn noop() -> Context<'static> {
    Context::from_waker(std::task::Waker::noop())
}

#[test]
fn who_has_too_much_waiting_is_counted_and_keeps_nobody_waiting() {
    let (mut streams, slow, quick) = (Streams::default(), PeerId::random(), PeerId::random());
    let mut queues = Vec::new();
    for peer in [slow, quick] {
        queues.push(opened(&mut streams, peer, 1));
    }
    let mut full = 0;
    for _ in 0..2 * QUEUE {
        full += streams.say([slow, quick].iter(), Tag([3; TAG_BYTES]), b"frame").full;
        assert!(queues[1].try_recv().is_ok());
    }
    // Each sender has one place more.
    assert_eq!(full, QUEUE as u64 - 1);
}

#[test]
fn the_newest_of_two_connections_is_said_it_by_and_the_other_when_that_goes() {
    let (mut streams, peer) = (Streams::default(), PeerId::random());
    let mut queues = BTreeMap::new();
    for id in [1, 2] {
        queues.insert(id, opened(&mut streams, peer, id));
    }
    let mut heard = |streams: &mut Streams| {
        streams.say([peer].iter(), Tag([3; TAG_BYTES]), b"frame");
        let heard: Vec<usize> =
            queues.iter_mut().filter_map(|(id, queue)| queue.try_recv().ok().map(|_| *id)).collect();
        heard
    };
    assert_eq!(heard(&mut streams), [2]);
    tell(&mut streams, peer, 2, Told::Shut);
    assert_eq!(heard(&mut streams), [1]);
    tell(&mut streams, peer, 1, Told::Shut);
    let reached = streams.say([peer].iter(), Tag([3; TAG_BYTES]), b"frame");
    assert_eq!(reached, Reached { without: 1, ..Reached::default() }, "no stream is left");
}
