//! A recording, put into a replica once more, step by step.

use std::sync::Arc;

use serde::Serialize;

use crate::calls::Lease;
use crate::error::Error;
use crate::ids::{SessionId, Tick};
use crate::input::{DownCause, Input, Output, Path, Verdict};
use crate::inventory::Inventory;
use crate::replica::Replica;
use crate::view::{Event, Member, Timestamp};
use crate::wire::frame_kind;

use super::base::{Begin, State};
use super::change::{ReplayChange, changes};
use super::judge::{Broken, Judge};
use super::recording::Recording;
use super::step::{Call, Step, What};
use super::witnessed::Told;

/// Cells that a state lists at most.
const CELLS_LISTED: usize = 10_000;

/// A recording that is played: a replica, and where in the recording it is.
pub struct Replay<'a> {
    recording: &'a Recording,
    seat: Seat,
    done: usize,
    /// The wall clock as it was told last, and when.
    wall: (Tick, u64),
}

/// One step that was played.
#[derive(Clone, Debug)]
pub struct Played {
    /// What it was.
    pub step: ReplayStep,
    /// The hash of the state that was recorded after it, where one was, and the one that was reached.
    pub marks: Option<(u64, u64)>,
    /// What was said of a frame when it was recorded, and now.
    pub verdicts: Option<(Verdict, Verdict)>,
    /// What readers were told.
    pub events: Vec<Event>,
    /// Frames that it said.
    pub said: Vec<Vec<u8>>,
}

/// What a step is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum ReplayKind {
    /// A frame came.
    Frame,
    /// Somebody called.
    Call,
    /// A link came up.
    LinkUp,
    /// One went down.
    LinkDown,
    /// A ping was answered.
    RoundTrip,
    /// The wall clock.
    Wall,
    /// The computer slept.
    Resumed,
    /// The own network went, or came back.
    Outage,
    /// A deadline was due.
    Timeout,
    /// What was kept on disk, or told in front of a private room, was taken in.
    Kept,
    /// Anything else.
    Other,
}

/// One step, for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReplayStep {
    /// Its number, from 1.
    pub step: u32,
    /// Milliseconds since the recording began, by a clock that goes on while the computer sleeps.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub ms: u64,
    /// What sort of thing it is.
    pub kind: ReplayKind,
    /// It, in a line.
    pub text: String,
    /// The author of a frame, or the other end of a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub peer: Option<String>,
    /// Who brought a frame, if that was not its author.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub via: Option<String>,
    /// The kind of a frame, as the inspector calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub frame: Option<String>,
    /// Bytes of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub bytes: Option<usize>,
    /// What is said of it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub verdict: Option<Verdict>,
    /// How far the wall clock jumped, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub jump_ms: Option<i64>,
    /// What readers were told, a line each.
    pub events: Vec<String>,
    /// The hash of the state that was recorded after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub hash: Option<String>,
}

/// What a replica holds after a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReplayState {
    /// After which step; 0 before the first.
    pub step: u32,
    /// Milliseconds since the recording began.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub ms: u64,
    /// By the wall clock of the peer that recorded.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub at: Timestamp,
    /// A hash of all of it.
    pub hash: String,
    /// The members, as readers saw them.
    #[cfg_attr(feature = "ts", ts(as = "Vec<Member>"))]
    pub members: Vec<Arc<Member>>,
    /// Cells and records, register by register.
    pub inventory: Inventory,
    /// What this step made of the state before it; at most 1,000 changes.
    pub changes: Vec<ReplayChange>,
}

/// A moment of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayAt {
    /// After this step; 0 is before the first.
    Step(usize),
    /// After the last step that is not later than so many milliseconds since the recording began.
    Ms(u64),
}

/// Which part of a replay is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayQuery {
    /// The state of this moment; of the last one when missing.
    pub at: Option<ReplayAt>,
    /// The first step that is listed; 1 when missing.
    pub from: Option<usize>,
    /// So many are listed at most; 1,000 when missing, 10,000 at most.
    pub limit: Option<usize>,
}

/// A recording that was played.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Replayed {
    /// The version of the file.
    pub version: u8,
    /// The version of the program that recorded.
    pub program: String,
    /// The room, or a stand-in for its name.
    pub room: String,
    /// Whose replica it was.
    pub session_id: String,
    /// The person of its profile.
    pub user_id: String,
    /// Names and values are stand-ins.
    pub redacted: bool,
    /// It begins with the opening of the room.
    pub whole: bool,
    /// When it begins, by the wall clock of the peer that recorded.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub started_at: Timestamp,
    /// When it ends, by the same.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub ended_at: Timestamp,
    /// Milliseconds from its beginning to its last step, by a clock that goes on while the computer sleeps.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub length_ms: u64,
    /// How many steps there are.
    pub total: usize,
    /// Those that were asked for.
    pub steps: Vec<ReplayStep>,
    /// Where the next page begins; `null` on the last.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_from: Option<usize>,
    /// Where this replay first comes to another state than the one that was recorded; `null` when it never does.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub disagreement: Option<ReplayDisagreement>,
    /// The first rule that it breaks; `null` when it breaks none.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub broken: Option<Broken>,
    /// What is held at the moment that was asked for.
    pub state: ReplayState,
}

/// A replay came to another state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReplayDisagreement {
    /// After which step.
    pub step: u32,
    /// The hash that was recorded.
    pub recorded: String,
    /// The one that is reached.
    pub reached: String,
}

impl Recording {
    /// Plays all of it, and lists a part.
    ///
    /// # Errors
    /// `INVALID_RECORDING` when this program cannot play it.
    pub fn replayed(&self, query: &ReplayQuery) -> Result<Replayed, Error> {
        let mut replay = Replay::new(self)?;
        let started_at = Timestamp(replay.replica().wall_ms(self.begin.at()));
        let (from, limit) = (query.from.unwrap_or(1).max(1), query.limit.unwrap_or(1_000).min(10_000));
        let at = self.step_of(query.at);
        let (mut before, mut state) = (None, (at == 0).then(|| replay.state()));
        let (mut steps, mut disagreement, mut broken) = (Vec::new(), None, None);
        let mut judge = Judge::new(replay.replica());
        for step in &self.steps {
            if replay.position() + 1 == at {
                before = Some(replay.inventory());
            }
            let Some(played) = replay.step() else { break };
            broken = broken.or_else(|| judge.broken(replay.replica(), step, &played));
            if let Some((recorded, reached)) = played.marks.filter(|(recorded, reached)| recorded != reached) {
                let step = played.step.step;
                let found = ReplayDisagreement { step, recorded: hex(recorded), reached: hex(reached) };
                disagreement = disagreement.or(Some(found));
            }
            if let Some(before) = before.take() {
                state = Some(replay.state_since(&before));
            }
            if (from..from.saturating_add(limit)).contains(&replay.position()) {
                steps.push(played.step);
            }
        }
        let next = from.saturating_add(limit);
        Ok(Replayed {
            version: super::recording::RECORDING_VERSION,
            program: self.program().to_owned(),
            room: self.room().to_string(),
            session_id: self.session().to_string(),
            user_id: self.user_id().to_string(),
            redacted: self.is_redacted(),
            whole: self.is_whole(),
            started_at,
            ended_at: Timestamp(replay.replica().wall_ms(replay.now())),
            length_ms: replay.now().since(self.begin.at()),
            total: self.len(),
            steps,
            next_from: (next <= self.len()).then_some(next),
            disagreement,
            broken,
            state: state.unwrap_or_else(|| replay.state()),
        })
    }

    /// What is held at one moment, and what the step before it changed. Plays no further than that.
    ///
    /// # Errors
    /// `INVALID_RECORDING` when this program cannot play it.
    pub fn state_at(&self, at: Option<ReplayAt>) -> Result<ReplayState, Error> {
        let mut replay = Replay::new(self)?;
        let Some(before) = self.step_of(at).checked_sub(1) else { return Ok(replay.state()) };
        replay.play_to(before);
        let held = replay.inventory();
        replay.step();
        Ok(replay.state_since(&held))
    }

    /// After which step a moment is; the last one when it is missing.
    #[must_use]
    pub fn step_of(&self, at: Option<ReplayAt>) -> usize {
        match at {
            None => self.len(),
            Some(ReplayAt::Step(step)) => step.min(self.len()),
            // Ticks never go back.
            Some(ReplayAt::Ms(ms)) => self.steps.partition_point(|step| step.at.since(self.begin.at()) <= ms),
        }
    }
}

impl<'a> Replay<'a> {
    /// Before the first step.
    ///
    /// # Errors
    /// `INVALID_RECORDING` when this program cannot make the replica with which it begins.
    pub fn new(recording: &'a Recording) -> Result<Self, Error> {
        let seat = Seat::new(&recording.begin, recording.state()?);
        Ok(Replay { recording, seat, done: 0, wall: recording.begin.made.wall })
    }

    /// Puts the next step in; nothing at the end.
    pub fn step(&mut self) -> Option<Played> {
        let step = self.recording.steps.get(self.done)?;
        let mut out = Fetched::default();
        let (verdict, marks) = self.seat.step(step, &mut out);
        // What follows from a step belongs to it, and where it was fetched later, this does no harm.
        let last = self.done + 1 == self.recording.steps.len();
        if last || self.recording.steps.get(self.done + 1).is_some_and(|next| next.polled) {
            self.seat.fetch(&mut out);
        }
        self.done += 1;
        let jump_ms = self.read_clock(step);
        let was = if let What::Frame { verdict, .. } = step.what { Some(verdict) } else { None };
        let shown = ReplayStep {
            step: number(self.done),
            ms: step.at.since(self.recording.begin.at()),
            jump_ms,
            verdict,
            events: out.events.iter().map(told).collect(),
            hash: marks.map(|(recorded, _)| hex(recorded)),
            ..described(&step.what)
        };
        Some(Played { step: shown, marks, verdicts: was.zip(verdict), events: out.events, said: out.said })
    }

    /// Plays on until so many steps are played.
    pub fn play_to(&mut self, step: usize) {
        while self.done < step && self.step().is_some() {}
    }

    /// How many steps were played.
    #[must_use]
    pub fn position(&self) -> usize {
        self.done
    }

    /// The replica as it is now.
    #[must_use]
    pub fn replica(&self) -> &Replica {
        &self.seat.replica
    }

    /// The moment of the last step.
    #[must_use]
    pub fn now(&self) -> Tick {
        let last = self.done.checked_sub(1).and_then(|last| self.recording.steps.get(last));
        last.map_or(self.recording.begin.at(), |step| step.at)
    }

    /// What is held now.
    #[must_use]
    pub fn state(&self) -> ReplayState {
        let now = self.now();
        ReplayState {
            step: number(self.done),
            ms: now.since(self.recording.begin.at()),
            at: Timestamp(self.seat.replica.wall_ms(now)),
            hash: hex(self.seat.replica.mark()),
            members: self.seat.replica.snapshot().members,
            inventory: self.inventory(),
            changes: Vec::new(),
        }
    }

    /// What is held now, and what of it is other than before.
    fn state_since(&self, before: &Inventory) -> ReplayState {
        let state = self.state();
        ReplayState { changes: changes(before, &state.inventory), ..state }
    }

    fn inventory(&self) -> Inventory {
        self.seat.replica.inventory(CELLS_LISTED, self.now())
    }

    /// How far the wall clock went other than the monotonic one, where that is more than a clock that is set now and then.
    fn read_clock(&mut self, step: &Step) -> Option<i64> {
        let What::Wall { unix_ms, .. } = step.what else { return None };
        let (at, ms) = std::mem::replace(&mut self.wall, (step.at, unix_ms));
        let expected = i64::try_from(ms.saturating_add(step.at.since(at))).ok()?;
        let jump = i64::try_from(unix_ms).ok()?.saturating_sub(expected);
        (jump.unsigned_abs() >= JUMP_MS).then_some(jump)
    }
}

/// What a replica wanted done.
#[derive(Default)]
pub(super) struct Fetched {
    pub events: Vec<Event>,
    pub said: Vec<Vec<u8>>,
}

/// A replica that is given what was recorded.
pub(super) struct Seat {
    pub replica: Replica,
    told: Arc<Told>,
}

impl Seat {
    pub fn new(begin: &Begin, state: Option<State>) -> Self {
        let told = Arc::new(Told::default());
        Seat { replica: begin.replica(state, Arc::clone(&told) as _), told }
    }

    /// Puts one step in. What is said of a frame, and the hash of the state that was recorded with the one that is reached.
    pub fn step(&mut self, step: &Step, out: &mut Fetched) -> (Option<Verdict>, Option<(u64, u64)>) {
        if step.polled {
            self.fetch(out);
        }
        let verdict = self.put_in(step);
        let recorded = match &step.what {
            What::Wall { mark, .. } => *mark,
            What::Mark(mark) => Some(*mark),
            _ => None,
        };
        let verdict = verdict.filter(|_| matches!(step.what, What::Frame { .. }));
        (verdict, recorded.map(|mark| (mark, self.replica.mark())))
    }

    pub fn fetch(&mut self, out: &mut Fetched) {
        while let Some(output) = self.replica.poll_output() {
            match output {
                Output::Event(event) => out.events.push(event),
                Output::Publish { bytes, .. } | Output::Send { bytes, .. } => out.said.push(bytes),
            }
        }
    }

    /// The same as was put in then. What is said of a frame.
    fn put_in(&mut self, step: &Step) -> Option<Verdict> {
        self.told.begin(&step.refused);
        let (replica, now) = (&mut self.replica, step.at);
        let input = match &step.what {
            What::Frame { author, via, path, bytes, .. } => {
                Input::Frame { author: *author, via: *via, path: *path, bytes: bytes.clone() }
            }
            What::LinkUp { peer, loopback } => Input::LinkUp { peer: *peer, loopback: *loopback },
            What::LinkDown { peer, cause } => Input::LinkDown { peer: *peer, cause: *cause },
            What::RoundTrip { peer, us } => Input::RoundTrip { peer: *peer, us: *us },
            What::Wall { unix_ms, .. } => Input::Wall { unix_ms: *unix_ms },
            What::Resumed => Input::Resumed,
            What::OwnOutage(out) => Input::OwnOutage(*out),
            What::Timeout => Input::Timeout,
            What::Call { who, call } => {
                // What it answered is told by the state.
                let who = who.actor();
                match call.clone() {
                    Call::Join(args, lease) => drop(replica.join(&who, args, lease, now)),
                    Call::Presence(args) => drop(replica.presence(&who, args, now)),
                    Call::Leave(args) => drop(replica.leave(&who, args, now)),
                    Call::Metadata(args) => drop(replica.set_metadata(&who, args, now)),
                    Call::Board(args) => drop(replica.set_board(&who, args, now)),
                    Call::Say(args) => drop(replica.say(&who, args, now)),
                    Call::Access(args) => drop(replica.change_access(&who, &args, now)),
                    Call::ChangeKey(key) => drop(replica.change_key(&who, key, now)),
                    Call::Unreadable => {}
                }
                return None;
            }
            What::LeaveAll => {
                replica.leave_all(now);
                return None;
            }
            What::Stay => {
                replica.stay(now);
                return None;
            }
            What::Touch(user) => {
                replica.touch(user, now);
                return None;
            }
            What::Restore(frames) => {
                replica.restore(frames, now);
                return None;
            }
            What::RestoreCells(cells) => {
                replica.restore_cells(cells, now);
                return None;
            }
            What::Porch(bytes) => {
                replica.hear_at_porch(bytes, now);
                return None;
            }
            What::UseKey { epoch, commitment } => {
                replica.use_key(*epoch, *commitment);
                return None;
            }
            What::Outrank => {
                replica.outrank(now);
                return None;
            }
            What::Continue(from) => {
                replica.continue_from(*from);
                return None;
            }
            What::Mark(_) => return None,
        };
        Some(replica.handle(input, now))
    }
}

/// A wall clock that is off by less than this since it was read last did not jump.
const JUMP_MS: u64 = 250;

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

pub(super) fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}

/// What is known of a step by itself.
fn described(what: &What) -> ReplayStep {
    let blank = |kind: ReplayKind, text: String| ReplayStep {
        step: 0,
        ms: 0,
        kind,
        text,
        peer: None,
        via: None,
        frame: None,
        bytes: None,
        verdict: None,
        jump_ms: None,
        events: Vec::new(),
        hash: None,
    };
    let of = |kind, peer: &SessionId, text: String| ReplayStep { peer: Some(peer.to_string()), ..blank(kind, text) };
    match what {
        What::Frame { author, via, path, bytes, .. } => {
            let kind = frame_kind(bytes);
            let way = if *path == Path::Direct { "by its own link" } else { "by gossip" };
            let through = if author == via { String::new() } else { format!(" through {}", via.short()) };
            let text = format!("{kind} of {} bytes {way} from {}{through}", bytes.len(), author.short());
            let via = (author != via).then(|| via.to_string());
            let (frame, bytes) = (Some(kind.to_owned()), Some(bytes.len()));
            ReplayStep { via, frame, bytes, ..of(ReplayKind::Frame, author, text) }
        }
        What::LinkUp { peer, .. } => of(ReplayKind::LinkUp, peer, format!("link with {} is up", peer.short())),
        What::LinkDown { peer, cause } => {
            let why = match cause {
                DownCause::Closed => "closed by the other end",
                DownCause::TimedOut => "nothing came back",
                DownCause::Unsubscribed => "it left the room's topic",
            };
            of(ReplayKind::LinkDown, peer, format!("link with {} is down: {why}", peer.short()))
        }
        What::RoundTrip { peer, us } => {
            of(ReplayKind::RoundTrip, peer, format!("ping to {} answered in {us} µs", peer.short()))
        }
        What::Wall { unix_ms, .. } => blank(ReplayKind::Wall, format!("it is {}", Timestamp(*unix_ms))),
        What::Resumed => blank(ReplayKind::Resumed, "the computer woke up".to_owned()),
        What::OwnOutage(true) => blank(ReplayKind::Outage, "the own network is out".to_owned()),
        What::OwnOutage(false) => blank(ReplayKind::Outage, "the own network is back".to_owned()),
        What::Timeout => blank(ReplayKind::Timeout, "a deadline is due".to_owned()),
        What::Call { who, call } => blank(ReplayKind::Call, format!("{} {}", who.name, called(call))),
        What::LeaveAll => blank(ReplayKind::Call, "all members of this peer leave".to_owned()),
        What::Stay => blank(ReplayKind::Call, "this peer stays after all".to_owned()),
        What::Touch(user) => blank(ReplayKind::Other, format!("{user} asked for something")),
        What::Restore(frames) => blank(ReplayKind::Kept, format!("{} pages were kept of the room", frames.len())),
        What::RestoreCells(cells) => blank(ReplayKind::Kept, format!("{} cells were kept of the room", cells.len())),
        What::Porch(bytes) => blank(ReplayKind::Kept, format!("{} bytes in front of the room", bytes.len())),
        What::UseKey { epoch, .. } => blank(ReplayKind::Other, format!("the key of epoch {epoch} is used")),
        What::Outrank => blank(ReplayKind::Other, "a later run of the profile is known".to_owned()),
        What::Continue(_) => blank(ReplayKind::Other, "counts go on where an earlier visit ended".to_owned()),
        What::Mark(_) => blank(ReplayKind::Other, "the recording was taken".to_owned()),
    }
}

fn called(call: &Call) -> String {
    let keys = |bag: &crate::view::Bag| bag.keys().cloned().collect::<Vec<_>>().join(", ");
    match call {
        Call::Join(_, Lease::Own) => "joins".to_owned(),
        Call::Join(_, Lease::Client) => "joins as a client".to_owned(),
        Call::Presence(args) => format!("sets presence: {}", keys(&args.presence)),
        Call::Leave(_) => "leaves".to_owned(),
        Call::Metadata(args) => format!("changes settings: {}", keys(&args.metadata)),
        Call::Board(args) => format!("writes {} notes and removes {}", args.set.len(), args.remove.len()),
        Call::Say(args) if args.keep => format!("says {:?}, to be kept", args.kind),
        Call::Say(args) => format!("says {:?}", args.kind),
        Call::Access(_) => "changes who may do what".to_owned(),
        Call::ChangeKey(key) => format!("puts the key of epoch {} in force", key.epoch),
        Call::Unreadable => "calls with what cannot be read".to_owned(),
    }
}

/// An event in a line.
fn told(event: &Event) -> String {
    let name = |member: &Member| member.actor.name.clone();
    match event {
        Event::Joined { member } => format!("joined {}", name(member)),
        Event::Updated { member, changed } if changed.is_empty() => format!("updated {}", name(member)),
        Event::Updated { member, changed } => format!("updated {}: {}", name(member), changed.join(", ")),
        Event::Stale { member } => format!("stale {}", name(member)),
        Event::Active { member } => format!("active {}", name(member)),
        Event::Left { member, reason } => format!("left {}: {reason:?}", name(member)),
        Event::Board { notes, removed } => format!("board: {} notes, {} removed", notes.len(), removed.len()),
        Event::Message { message } => format!("message {:?} of {}", message.kind, message.actor.name),
        Event::Watching { count } => format!("watching: {count}"),
        Event::Complete { complete } => format!("complete: {complete}"),
        Event::Diverged { session_id } => format!("diverged from {session_id}"),
        other => {
            let text = serde_json::to_value(other).ok();
            let kind = text.as_ref().and_then(|text| text.get("type")).and_then(serde_json::Value::as_str);
            kind.unwrap_or("event").to_owned()
        }
    }
}
