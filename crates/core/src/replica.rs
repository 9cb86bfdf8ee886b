//! The state machine that holds one room (design §2): inputs and time go in, frames and events come out.
//!
//! The rules live beside their state: [`crate::calls`] what people may ask, `incoming` what frames do, `outgoing` what is
//! told and when, `leases` who is alive, `rows` what readers see, `sync` how cells are repaired, `twins` what a copied profile
//! is.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::access::Access;
use crate::board::Note;
use crate::cell::CellKey;
use crate::cells::Cells;
use crate::counters::Counters;
use crate::departed::Departed;
use crate::ids::{PublicKey, Rev, RoomId, Seq, SessionId, Tick};
use crate::incoming::ASKS;
use crate::input::{Input, Output, Verdict, Way};
use crate::inspect::Observed;
use crate::metadata;
use crate::outgoing::pace_ms;
use crate::own::OwnRecord;
use crate::peer::session_mark;
use crate::peers::Peers;
use crate::proof::{Certificate, Verifier};
use crate::recorder::step::What;
use crate::recorder::{Recorder, noted};
use crate::row_table::RowTable;
use crate::said::Breath;
use crate::sync::Serving;
use crate::twins::Twins;
use crate::view::{Event, RoomMetadata, Timestamp};

/// What a replica is made with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The room.
    pub room: RoomId,
    /// Who this process is.
    pub certificate: Certificate,
    /// Where jitter and nonces come from; the same seed gives the same trace.
    pub seed: u64,
    /// This peer listens on loopback only, so it is never in own outage (design R9).
    pub loopback_only: bool,
    /// What a private room is known by; nothing for an open one (design N8).
    pub private: Option<PrivateRoom>,
}

/// What a private room is for ever, whatever its secret becomes (design N8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrivateRoom {
    /// Who made it, and may name hosts.
    pub creator: PublicKey,
    /// What its cells are signed for: two rooms of one name have different ones.
    pub root: [u8; 32],
}

impl PrivateRoom {
    /// The room that this identity makes with this secret.
    #[must_use]
    pub fn new(creator: PublicKey, first_secret: &[u8; 32]) -> Self {
        let root = blake3::derive_key("parlor private room v1", &[creator.0, *first_secret].concat());
        PrivateRoom { creator, root }
    }
}

/// What the cells of a room are signed for and kept under: rooms that do not meet have different ones.
#[must_use]
pub fn room_root(room: &RoomId, private: Option<PrivateRoom>) -> [u8; 32] {
    let open = || blake3::derive_key("parlor open room v1", room.as_str().as_bytes());
    private.map_or_else(open, |private| private.root)
}

/// See [`Replica::continuation`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Continuation {
    seq: Seq,
    rev: Rev,
    incarnations: u32,
}

impl Continuation {
    pub(crate) fn new(seq: Seq, rev: Rev, incarnations: u32) -> Self {
        Continuation { seq, rev, incarnations }
    }

    pub(crate) fn parts(&self) -> (Seq, Rev, u32) {
        (self.seq, self.rev, self.incarnations)
    }
}

/// One room at one peer.
pub struct Replica {
    pub(crate) config: Config,
    pub(crate) verifier: Arc<dyn Verifier>,
    pub(crate) root: [u8; 32],
    pub(crate) random: fastrand::Rng,
    pub(crate) wall: (Tick, u64),
    pub(crate) seq: Seq,
    pub(crate) rev: Rev,
    pub(crate) incarnations: u32,
    pub(crate) own: BTreeMap<u32, OwnRecord>,
    pub(crate) leaving: Vec<(Tick, u32, bool)>,
    pub(crate) peers: Peers,
    pub(crate) departed: Departed,
    pub(crate) cells: Cells,
    pub(crate) metadata: Arc<RoomMetadata>,
    pub(crate) notes: BTreeMap<String, Arc<Note>>,
    /// The same as readers get them.
    pub(crate) notes_shown: Arc<Vec<Arc<Note>>>,
    /// Who may do what in a private room.
    pub(crate) access: Option<Arc<Access>>,
    /// The key of a private room that the driver uses, and the one that is in force: number and hash of each.
    pub(crate) key_used: (u32, [u8; 32]),
    pub(crate) key_told: Option<(u32, [u8; 32])>,
    pub(crate) rows: RowTable,
    pub(crate) watching: u32,
    /// As it was told last.
    pub(crate) pace_ms: u32,
    pub(crate) outage: bool,
    /// Other processes with this profile (design R2).
    pub(crate) twins: Twins,
    /// When this replica last looked at the time.
    pub(crate) looked: Tick,
    /// Until when another exchange of cells waits for the one under way (design R12).
    pub(crate) syncing: Tick,
    pub(crate) beat_at: Tick,
    /// The links that the last heartbeat to all told.
    pub(crate) links_told: u32,
    /// For when one was last hastened, to tell of others.
    pub(crate) links_due: Option<Tick>,
    /// The turn that the last frame of changes took, in microseconds (design A7).
    pub(crate) told_us: Option<u64>,
    pub(crate) flush_at: Option<Tick>,
    /// Nonces of those who asked by gossip and were not answered yet, and when somebody was last (design R5).
    pub(crate) questions: Vec<u64>,
    pub(crate) answered_at: Option<Tick>,
    /// Questions to the room that may still be asked, as of a moment.
    pub(crate) asking: (u64, Tick),
    /// What own members may still say to those who are here.
    pub(crate) breath: Breath,
    /// What others may still be asked about those who fell silent, and how many questions were put so far.
    pub(crate) questioning: Breath,
    pub(crate) questions_put: u64,
    /// Not later than the next moment at which a peer, or an own record, changes with no traffic at all.
    pub(crate) peers_due: Tick,
    pub(crate) own_due: Tick,
    /// This session's part of the hash of a set of sessions (design N4).
    pub(crate) mark: u32,
    /// When the own cells changed last, for the half second of stillness that a sync waits for (design R12).
    pub(crate) cells_changed: Tick,
    pub(crate) counters: Counters,
    /// What is noted for those who look on.
    pub(crate) observed: Option<Box<Observed>>,
    /// What is put in is written down here.
    pub(crate) recorder: Option<Box<Recorder>>,
    /// Answers that are still to be made, page by page as they are polled.
    pub(crate) serving: VecDeque<Serving>,
    out: VecDeque<Queued>,
}

/// What is to be polled.
enum Queued {
    Output(Output),
    /// A message that is new here. It is read when it is polled, so that never more than one is unpacked.
    Message(Arc<CellKey>),
}

impl Replica {
    /// An empty room, watched from now on.
    pub fn new(config: Config, verifier: Arc<dyn Verifier>, now: Tick, wall_ms: u64) -> Replica {
        let root = room_root(&config.room, config.private);
        let mut cells = Cells::default();
        if let Some(private) = config.private {
            cells = cells.of_private(private.creator);
        }
        let metadata = metadata::shown(&cells, &config.room);
        let mut random = fastrand::Rng::with_seed(config.seed);
        let beat_at = now.plus(random.u64(0..crate::limits::BEAT_MS));
        let mark = session_mark(&config.certificate.session);
        let private = config.private.is_some();
        let mut replica = Replica {
            config,
            verifier,
            root,
            random,
            wall: (now, wall_ms),
            seq: Seq(0),
            rev: Rev(0),
            incarnations: 0,
            own: BTreeMap::new(),
            leaving: Vec::new(),
            peers: Peers::default(),
            departed: Departed::default(),
            cells,
            metadata,
            notes: BTreeMap::new(),
            notes_shown: Arc::default(),
            access: None,
            key_used: (0, [0; 32]),
            key_told: None,
            rows: RowTable::default(),
            watching: 0,
            pace_ms: pace_ms(0),
            outage: false,
            twins: Twins::default(),
            looked: now,
            syncing: now,
            beat_at,
            links_told: 0,
            links_due: None,
            told_us: None,
            flush_at: None,
            questions: Vec::new(),
            answered_at: None,
            asking: (ASKS, now),
            breath: Breath::new(now),
            questioning: Breath::new(now),
            questions_put: 0,
            peers_due: Tick(u64::MAX),
            own_due: Tick(u64::MAX),
            mark,
            cells_changed: now,
            counters: Counters::default(),
            observed: None,
            recorder: None,
            serving: VecDeque::new(),
            out: VecDeque::new(),
        };
        replica.access = private.then(|| replica.describe(None));
        replica
    }

    /// Takes one input. Never blocks, never panics. The verdict matters for frames that came by gossip only.
    pub fn handle(&mut self, input: Input, now: Tick) -> Verdict {
        self.wind(now);
        let mut verdict = Verdict::Ignore;
        let mut frame = None;
        let other = noted(&input);
        match input {
            Input::Frame { author, via, path, bytes } => {
                self.observe_counted();
                verdict = self.frame(author, via, path, &bytes, now);
                self.observe_frame(&bytes, (author, via, path), verdict);
                frame = Some(((author, via, path), bytes));
            }
            Input::LinkUp { peer, loopback } => self.link_up(peer, loopback, now),
            Input::LinkDown { peer, cause } => self.link_down(peer, cause, now),
            Input::RoundTrip { peer, us } => self.round_trip(&peer, us),
            Input::Wall { unix_ms } => self.wall = (now, unix_ms),
            Input::Resumed => self.resumed(now),
            Input::OwnOutage(outage) => self.set_outage(outage, now),
            Input::Timeout => {}
        }
        self.run_timers(now);
        self.observe_counted();
        match frame {
            Some((from, bytes)) => self.note_frame(from, &bytes, verdict, now),
            None => other.into_iter().for_each(|input| self.note_input(input, now)),
        }
        verdict
    }

    /// The next thing to do; ask until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        loop {
            match self.out.pop_front() {
                Some(Queued::Output(output)) => return Some(output),
                Some(Queued::Message(key)) => {
                    if let Some(message) = self.message(&key) {
                        return Some(Output::Event(Event::Message { message: Arc::new(message) }));
                    }
                }
                None => {
                    let Some(serving) = self.serving.pop_front() else {
                        self.note_polled();
                        return None;
                    };
                    self.serve(serving);
                }
            }
        }
    }

    /// When [`Input::Timeout`] is due.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Tick> {
        let leaving = self.leaving.iter().map(|(at, ..)| *at);
        let due = [self.beat_at, self.peers_due, self.own_due];
        leaving.chain(self.flush_at).chain(self.answer_due()).chain(self.twin_due()).chain(due).min()
    }

    /// Refusals and repairs, by name.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The room.
    #[must_use]
    pub fn room(&self) -> &RoomId {
        &self.config.room
    }

    /// This session.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.config.certificate.session
    }

    /// How far this session has counted in this room, for a later replica of the same two.
    #[must_use]
    pub fn continuation(&self) -> Continuation {
        Continuation { seq: self.seq, rev: self.rev, incarnations: self.incarnations }
    }

    /// Counts on from where an earlier replica of this session and room stopped. Without it others would take its frames
    /// for old ones, and its members for those that left (design R4, R8).
    pub fn continue_from(&mut self, earlier: Continuation) {
        self.note_step(&What::Continue(earlier), self.looked);
        self.seq = self.seq.max(earlier.seq);
        self.rev = self.rev.max(earlier.rev);
        self.incarnations = self.incarnations.max(earlier.incarnations);
    }

    pub(crate) fn wall_ms(&self, at: Tick) -> u64 {
        wall_at(self.wall, at)
    }

    pub(crate) fn timestamp(&self, at: Tick) -> Timestamp {
        Timestamp(self.wall_ms(at))
    }

    /// Whether everything that it said was fetched.
    pub(crate) fn is_drained(&self) -> bool {
        self.out.is_empty() && self.serving.is_empty()
    }

    /// What it said is nobody's.
    pub(crate) fn forget_outputs(&mut self) {
        self.out.clear();
    }

    /// Outputs that were not fetched yet.
    pub(crate) fn outputs(&self) -> usize {
        self.out.len()
    }

    pub(crate) fn emit(&mut self, event: Event) {
        self.out.push_back(Queued::Output(Output::Event(event)));
    }

    pub(crate) fn publish(&mut self, bytes: Vec<u8>) {
        self.publish_by(Way::Gossip, bytes);
    }

    pub(crate) fn publish_by(&mut self, way: Way, bytes: Vec<u8>) {
        self.observe_out(None, &bytes);
        self.out.push_back(Queued::Output(Output::Publish { bytes, way }));
    }

    pub(crate) fn send(&mut self, peer: SessionId, bytes: Vec<u8>) {
        self.observe_out(Some(peer), &bytes);
        self.out.push_back(Queued::Output(Output::Send { peer, bytes }));
    }

    pub(crate) fn emit_message(&mut self, key: Arc<CellKey>) {
        self.out.push_back(Queued::Message(key));
    }

    pub(crate) fn next_seq(&mut self) -> Seq {
        self.seq.0 += 1;
        self.seq
    }
}

/// What a wall clock that showed `ms` at `tick` shows at another tick.
pub(crate) fn wall_at((tick, ms): (Tick, u64), at: Tick) -> u64 {
    if at >= tick { ms.saturating_add(at.since(tick)) } else { ms.saturating_sub(tick.since(at)) }
}
