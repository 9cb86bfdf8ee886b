//! Cells stand in line. To judge a signature takes some fifty microseconds and a frame may bring hundreds of cells, while a
//! cursor that comes behind it should not wait for all of them (design N10): so a long frame of cells is taken apart, and
//! each neighbour's next few are judged when nothing else is to be done first, one neighbour after the other.
//!
//! Cells may come in any order, so nothing is lost by it but a little time.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use libp2p::PeerId;
use libp2p::gossipsub::{MessageAcceptance, MessageId};
use parlor_core::{Input, RoomId, SessionId, Tick, Verdict, split_cells};

use super::Actor;
use super::inspect::Handed;
use crate::author::Origin;
use crate::inspect::FrameBytes;

/// Cells that are judged at a time, which a cursor may have to wait for at each end.
const AT_ONCE: usize = 2;
/// Bytes of one neighbour that stand in line: a full board fits. What is beyond is dropped, and repaired later.
const BYTES_MAX: usize = 8 << 20;

/// A message of gossip that waits for its verdict, and who brought it.
pub(super) type Asked = (MessageId, PeerId);

/// What became of a frame.
pub(super) enum Judged {
    /// This, at once; nothing where there is nobody to judge it.
    Now(Option<Verdict>),
    /// It stands in line, and its verdict is given when it is known.
    Later,
}

/// A frame that was taken apart.
struct Waiting {
    room: RoomId,
    origin: Origin,
    pieces: VecDeque<Vec<u8>>,
    /// The worst that was said of a piece.
    verdict: Verdict,
    asked: Option<Asked>,
    bytes: usize,
}

/// All that stand in line, by the neighbour over whose link they came.
#[derive(Default)]
pub(super) struct Line {
    of: BTreeMap<SessionId, VecDeque<Waiting>>,
    /// Whose turn it was last.
    last: Option<SessionId>,
}

impl Line {
    /// Whether anybody stands in it.
    pub(super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Takes in a frame; false when there is no room for it.
    fn stand(&mut self, waiting: Waiting) -> bool {
        let line = self.of.entry(waiting.origin.via).or_default();
        let fits = line.iter().map(|waiting| waiting.bytes).sum::<usize>() + waiting.bytes <= BYTES_MAX;
        if fits {
            line.push_back(waiting);
        }
        fits
    }

    /// The neighbour whose turn it is: the one behind the last.
    fn next(&mut self) -> Option<SessionId> {
        let behind = self.last.and_then(|last| self.of.range(last..).map(|(of, _)| *of).find(|of| *of != last));
        self.last = behind.or_else(|| self.of.keys().next().copied());
        self.last
    }
}

impl Actor {
    /// Hands a frame to the replica of its room, with the frame as it came where that is shown; one with more cells than are
    /// judged at once stands in line.
    pub(super) fn judge_or_wait(
        &mut self,
        room: RoomId,
        origin: Origin,
        (bytes, sealed): (Vec<u8>, Option<FrameBytes>),
        asked: Option<&Asked>,
        now: Tick,
    ) -> Judged {
        let Some(pieces) = split_cells(&bytes, AT_ONCE) else {
            return Judged::Now(Some(self.hand_over(&room, origin, (bytes, sealed), now)));
        };
        let (asked, bytes, verdict) = (asked.cloned(), bytes.len(), Verdict::Accept);
        if self.line.stand(Waiting { room, origin, pieces: pieces.into(), verdict, asked, bytes }) {
            return Judged::Later;
        }
        self.counters.count("cells_line_full");
        Judged::Now(Some(Verdict::Ignore))
    }

    /// `sealed`: the frame as it came, of a private room.
    fn hand_over(
        &mut self,
        room: &RoomId,
        origin: Origin,
        (bytes, sealed): (Vec<u8>, Option<FrameBytes>),
        now: Tick,
    ) -> Verdict {
        let Some(open) = self.rooms.get_mut(room) else { return Verdict::Ignore };
        let Origin { author, via, path } = origin;
        if !self.inspectors.any() {
            return open.replica.handle(Input::Frame { author, via, path, bytes }, now);
        }
        let plain = open.seal.is_none() && self.inspectors.want_bytes();
        let frame = if plain { Some(FrameBytes::of(&bytes, false)) } else { sealed };
        let input = Input::Frame { author, via, path, bytes };
        let began = Instant::now();
        let verdict = open.replica.handle(input, now);
        let took_us = u64::try_from(began.elapsed().as_micros()).ok();
        self.show_room(room, Some(Handed { took_us, frame }), now);
        verdict
    }

    /// Judges the next few cells of whoever's turn it is.
    pub(super) fn next_in_line(&mut self, now: Tick) {
        let Some(via) = self.line.next() else { return };
        let Some(line) = self.line.of.get_mut(&via) else { return };
        let Some(waiting) = line.front_mut() else {
            self.line.of.remove(&via);
            return;
        };
        if let Some(piece) = waiting.pieces.pop_front() {
            let (room, origin) = (waiting.room.clone(), waiting.origin);
            let verdict = self.hand_over(&room, origin, (piece, None), now);
            let waiting = self.line.of.get_mut(&via).and_then(VecDeque::front_mut);
            if let Some(waiting) = waiting.filter(|_| verdict != Verdict::Accept) {
                waiting.verdict = verdict;
            }
            return;
        }
        let done = line.pop_front();
        if line.is_empty() {
            self.line.of.remove(&via);
        }
        let Some(Waiting { verdict, origin, asked, bytes, room, .. }) = done else { return };
        let acceptance = self.acceptance(Some(verdict), &origin, now);
        if let Some(asked) = asked {
            let known = self.knows(Some(&room), &origin);
            let acceptance = self.passed_on(acceptance, &origin, known, bytes, now);
            self.report(&asked, acceptance);
        }
    }

    /// Exactly one verdict for each message (design N1).
    pub(super) fn report(&mut self, (message, relay): &Asked, acceptance: MessageAcceptance) {
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        if !gossip.report_message_validation_result(message, relay, acceptance) {
            self.counters.count("verdict_too_late");
        }
    }
}
