//! A replica that anything happens to.

use std::collections::{BTreeMap, BTreeSet};

use super::bounds::{handled, polled};
use super::sketch::{Author, Ground};
use super::story::{Arrival, Step, Story, cause};
use crate::cell::CellKind;
use crate::cells::Cells;
use crate::fixture::{Seat, seat};
use crate::ids::{Rev, Tick};
use crate::input::{Input, Output, Path};
use crate::limits::{BOARD_CELLS, DEPARTED_MAX, FRAME_MAX, LOG_CELLS, MEMBERS_MAX, METADATA_CELLS, PAGE_MAX};
use crate::view::{By, Event, MembersQuery, RowKey};
use crate::wire::Frame;
use crate::{BoardChange, Join, Lease, MetadataChange, NoteChange, Publish};

/// Lives through the story.
pub fn any_story(story: &Story) {
    let mut observer = Observer::new();
    for step in &story.steps {
        observer.live(step);
        observer.stays_in_bounds();
    }
    observer.shows_what_it_holds();
}

/// The replica, and what was seen of it.
struct Observer {
    seat: Seat,
    now: Tick,
    heard: Heard,
}

/// What frames cannot touch: the own records.
type Own = BTreeMap<u32, (crate::MemberId, Rev, crate::view::Bag, crate::view::Bag)>;

impl Observer {
    /// Somebody with a guest, a title, a note and a message, who is linked with two others.
    fn new() -> Self {
        let mut observer =
            Observer { seat: seat(1, "person 0", 1, 1, 1_000), now: Tick(1_000), heard: Heard::default() };
        let Seat { replica, who, guest, .. } = &mut observer.seat;
        let now = observer.now;
        replica.join(who, Join::new().presence(serde_json::json!({"cursor": 1})), Lease::Own, now).unwrap();
        let desk = Join::new().member_id(crate::fixture::member("key 1"));
        replica.join(guest, desk, Lease::Own, now).unwrap();
        replica.set_metadata(who, MetadataChange::new(serde_json::json!({"title": "Bridge"})), now).unwrap();
        let note = NoteChange { id: "key 1".into(), x: Some(1.0), ..NoteChange::default() };
        replica.set_board(who, BoardChange { set: vec![note], remove: Vec::new() }, now).unwrap();
        let say = Publish::new("chat", "hi").keep();
        replica.publish_kept(who, say, now).unwrap();
        for author in [Author::Known(0), Author::Known(1)] {
            replica.handle(Input::LinkUp { peer: author.session(), loopback: false }, now);
        }
        observer.drain();
        observer
    }

    fn live(&mut self, step: &Step) {
        match step {
            Step::Frame(arrival) | Step::Again(arrival) => self.frame(arrival),
            Step::LinkUp { author, loopback } => {
                self.input("a new link", Input::LinkUp { peer: author.session(), loopback: *loopback });
            }
            Step::LinkDown { author, cause: number } => {
                self.input("a lost link", Input::LinkDown { peer: author.session(), cause: cause(*number) });
            }
            Step::Pass(ms) => self.pass((*ms).into()),
            Step::Stall(ms) => {
                self.now = self.now.plus((*ms).into());
                self.input("a late look", Input::Timeout);
            }
            Step::Wall(unix_ms) => self.input("the wall clock", Input::Wall { unix_ms: *unix_ms }),
            Step::Resumed => self.input("waking", Input::Resumed),
            Step::Outage(outage) => self.input("an outage", Input::OwnOutage(*outage)),
            Step::Call(call) => {
                let now = self.now;
                let Seat { replica, who, guest, .. } = &mut self.seat;
                // What is refused is the caller's business; that nothing was touched is tested elsewhere.
                let _ = call.on(replica, who, guest, now);
                self.drain();
            }
        }
    }

    fn frame(&mut self, arrival: &Arrival) {
        let Arrival { author, via, direct, sketch, edits } = arrival;
        let ground = Ground { root: self.seat.replica.root, asked: self.heard.asked };
        let mut bytes = sketch.bytes(*author, &ground);
        edits.iter().for_each(|edit| edit.to(&mut bytes));
        let own = self.own();
        let input = Input::Frame {
            author: author.session(),
            via: via.unwrap_or(*author).session(),
            path: if *direct { Path::Direct } else { Path::Gossip },
            bytes,
        };
        self.input("a frame", input);
        if self.seat.replica.is_outranked() {
            assert!(self.own().is_empty(), "one who is outranked looks on");
        } else {
            assert_eq!(self.own(), own, "a frame changed what only this session may change");
        }
    }

    fn own(&self) -> Own {
        let own = self.seat.replica.own.iter();
        let each = |(at, record): (&u32, &crate::own::OwnRecord)| {
            (*at, (record.member.clone(), record.rev, record.fields.bag(), record.metadata.clone()))
        };
        own.map(each).collect()
    }

    /// One input and all that it brings about.
    fn input(&mut self, what: &str, input: Input) {
        let Observer { seat, now, heard } = self;
        handled(what, &mut seat.replica, input, *now, |output| heard.take(output));
        let next = self.seat.replica.next_deadline().expect("a beat is always due");
        assert!(next > self.now, "{next:?} is due after all that was due at {:?} is done", self.now);
    }

    fn pass(&mut self, ms: u64) {
        let until = self.now.plus(ms);
        // The shortest time between two things that a replica does by itself is a frame's turn of 33 ms.
        for _ in 0..=ms / 8 + 64 {
            let due = self.seat.replica.next_deadline().filter(|due| *due <= until);
            let Some(due) = due else {
                self.now = until;
                return;
            };
            self.now = self.now.max(due);
            self.input("time", Input::Timeout);
        }
        panic!("timers without end in {ms} ms");
    }

    fn drain(&mut self) {
        let Observer { seat, heard, .. } = self;
        polled("a call", &mut seat.replica, &mut |output| heard.take(output));
    }

    /// After every step.
    fn stays_in_bounds(&self) {
        let replica = &self.seat.replica;
        let records: usize = replica.peers.values().map(|peer| peer.records.len()).sum();
        assert!(records + replica.own.len() <= MEMBERS_MAX, "{records} records of others");
        assert!(self.heard.rows.len() <= MEMBERS_MAX, "{} rows", self.heard.rows.len());
        assert!(replica.peers.len() <= 2 * MEMBERS_MAX, "{} sessions", replica.peers.len());
        assert!(replica.departed.len() <= DEPARTED_MAX, "{} departed", replica.departed.len());
        let shown: BTreeMap<RowKey, bool> =
            replica.snapshot().members.iter().map(|member| (member.key(), member.own)).collect();
        assert!(shown.keys().eq(&self.heard.rows), "rows are what was told");
        let own = replica.own.values().map(|record| (record.member.clone(), record.user().clone()));
        own.for_each(|key| assert_eq!(shown.get(&key), Some(&true), "{key:?} is shown as own"));
    }

    /// At the end: the quick ways came to what the slow ones do.
    fn shows_what_it_holds(&self) {
        let replica = &self.seat.replica;
        for by in [By::Member, By::Session] {
            // Rows are held against those that are shown, which have none.
            let query = MembersQuery { limit: Some(1000), by, cursor: None, evidence: by == By::Session };
            let page = replica.members(&query, self.now).unwrap();
            assert_eq!(page.members.len(), page.total as usize);
            serde_json::to_vec(&page).unwrap();
            if by == By::Session {
                continue;
            }
            let shown = replica.snapshot().members;
            assert_eq!(page.members.len(), shown.len());
            for (shown, made) in shown.iter().zip(&page.members) {
                let mut shown = (**shown).clone();
                // The time of the last sign of life is told when a row is read.
                shown.record.last_seen_at = made.record.last_seen_at;
                assert_eq!(shown, **made, "the row is not what its records make");
            }
        }
        let watching = replica.peers.values().filter(|peer| peer.watches()).count();
        assert_eq!(replica.watching as usize, watching);
        serde_json::to_vec(&replica.snapshot()).unwrap();
        serde_json::to_vec(&replica.summary()).unwrap();
        serde_json::to_vec(&replica.board()).unwrap();
        let history = replica.history(&crate::HistoryQuery { limit: Some(1000), cursor: None }).unwrap();
        assert!(history.messages.len() <= LOG_CELLS);
        serde_json::to_vec(&history).unwrap();

        let caps =
            [(CellKind::Metadata, METADATA_CELLS + 3), (CellKind::Board, BOARD_CELLS), (CellKind::Log, LOG_CELLS)];
        let mut again = Cells::default();
        for (kind, cap) in caps {
            let held: Vec<_> = replica.cells.of(kind).map(|held| held.cell.clone()).collect();
            assert!(held.len() <= cap, "{} cells of {kind:?}", held.len());
            for cell in held {
                again.apply(cell, &mut Vec::new());
            }
        }
        assert_eq!(again.hash(), replica.cells.hash(), "the hash is not that of the cells");
        assert_eq!(crate::metadata::shown(&again, replica.room()), replica.metadata());
    }
}

/// What a replica was heard to say.
#[derive(Default)]
struct Heard {
    /// Rows that were told to be there: the grammar of events (design R14).
    rows: BTreeSet<RowKey>,
    /// The nonce of its last question.
    asked: u64,
}

impl Heard {
    fn take(&mut self, output: Output) {
        match output {
            Output::Publish { bytes, .. } => self.sent(&bytes, FRAME_MAX),
            Output::Send { bytes, .. } => self.sent(&bytes, PAGE_MAX),
            Output::Event(event) => self.told(&event),
        }
    }

    /// What is sent can be read.
    fn sent(&mut self, bytes: &[u8], max: usize) {
        match Frame::decode(bytes, max) {
            Ok(Frame::Ask(ask)) => self.asked = ask.nonce,
            Ok(_) => {}
            Err(why) => panic!("sent what nobody can read: {why:?}, {bytes:?}"),
        }
    }

    /// Joined once, then anything, then left once.
    fn told(&mut self, event: &Event) {
        match event {
            Event::Joined { member } => assert!(self.rows.insert(member.key()), "joined twice: {member:?}"),
            Event::Left { member, .. } => assert!(self.rows.remove(&member.key()), "left and was not here: {member:?}"),
            Event::Updated { member, .. } | Event::Stale { member } | Event::Active { member } => {
                assert!(self.rows.contains(&member.key()), "is not here: {member:?}");
            }
            _ => {}
        }
    }
}
