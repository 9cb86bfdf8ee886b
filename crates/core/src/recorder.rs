//! The flight recorder: what was put into a replica in the last minutes, so that what it did can be looked at afterwards.
//!
//! A replica is a pure state machine, so its inputs with their ticks are all there is to know. They are written down as
//! they come, as bytes, in **reels**: each begins with the replica as it was made, or with its state at that moment
//! ([`base`]), and goes on step by step ([`step`]). A new reel is begun now and then, and the oldest ones go when they are
//! too old or too many, so that what is left can always be replayed from its beginning.
//!
//! - Nothing here changes what a replica does, and what is noted of a step is what came in, never what it came to: that is
//!   for [`replay`] to find out. About once a second a hash of the state is noted, which a replay is held against.
//! - Whether a signature held is noted, since a recording that is given away has other values than those that were signed.
//! - The secret of a room never comes into a replica, and a ticket, which has it, is not noted.
//!
//! [`recording`] is what is saved of it, [`redact`] takes names and values out, and [`replay`] puts it into a replica once
//! more. [`judge`] looks for rules that a replay breaks, [`source`] makes a test of it, and [`lineup`] holds the recordings of
//! two peers against each other.

pub(crate) mod base;
pub(crate) mod change;
#[cfg(test)]
pub(crate) mod fault;
pub(crate) mod judge;
pub(crate) mod lineup;
mod mark;
pub(crate) mod recording;
mod redact;
pub(crate) mod replay;
#[cfg(test)]
mod returned;
mod source;
mod stand_in;
pub(crate) mod step;
#[cfg(test)]
mod tests;
mod witnessed;

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;

use crate::ids::{SessionId, Tick};
use crate::input::{Input, Path, Verdict};
use crate::proof::LocalActor;
use crate::replica::Replica;
use base::Begin;
use recording::{Tape, Wound};
use step::{Ink, What};
use witnessed::Noting;

/// How far back a recorder remembers.
pub const RECORDED_MS: u64 = 10 * 60 * 1000;
/// Bytes that it may take for that.
pub const RECORDED_BYTES: usize = 8 << 20;
/// Of that time and of these bytes one reel has so much, so that little is lost with the oldest.
const REELS: u64 = 5;
/// To write down a room that holds more than this takes milliseconds, so that it is done once in the whole time.
const LARGE: usize = 1 << 20;
/// Steps of one reel.
const REEL_STEPS: usize = 100_000;

/// How much a recorder has of what it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Recorded {
    /// How far back it goes, in milliseconds. Up to a fifth more than `spanMaxMs`, since it forgets in fifths.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub span_ms: u64,
    /// What is older than this is forgotten.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub span_max_ms: u64,
    /// Inputs and calls in it.
    pub inputs: usize,
    /// Bytes that they take, with the states that they begin with.
    pub bytes: usize,
    /// Bytes that they may take.
    pub bytes_max: usize,
    /// It goes back to the opening of the room.
    pub whole: bool,
}

/// See the module.
pub(crate) struct Recorder {
    bytes_max: usize,
    reels: VecDeque<Reel>,
    signatures: Arc<Noting>,
    /// All outputs were fetched since the last step.
    polled: bool,
    /// The room holds more than may be written down, so nothing is, until this is tried again.
    paused: Option<Tick>,
}

/// What came in from one moment on.
struct Reel {
    began: Tick,
    /// It begins with the replica as it was made.
    whole: bool,
    begin: Vec<u8>,
    ink: Ink,
}

impl Reel {
    fn bytes(&self) -> usize {
        self.begin.len() + self.ink.bytes()
    }
}

impl Replica {
    /// From now on, what is put in is written down, in at most so many bytes; with 0 no more. The newest ten minutes of it
    /// can be asked for with [`tape`](Replica::tape).
    pub fn record(&mut self, bytes_max: usize) {
        if let Some(recorder) = self.recorder.take() {
            self.verifier = recorder.signatures.inner();
        }
        if bytes_max == 0 {
            return;
        }
        let signatures = Arc::new(Noting::new(Arc::clone(&self.verifier)));
        self.verifier = Arc::clone(&signatures) as _;
        let (reels, paused) = (VecDeque::new(), None);
        self.recorder = Some(Box::new(Recorder { bytes_max, reels, signatures, polled: false, paused }));
        self.begin_reel(self.looked);
    }

    /// Whether what is put in is written down.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.recorder.is_some()
    }

    /// What was put in during the last minutes; nothing when it is not written down. Cheap: most of it is shared.
    #[must_use]
    pub fn tape(&self) -> Option<Tape> {
        let recorder = self.recorder.as_ref()?;
        let reels = recorder.reels.iter().map(|reel| Wound { begin: reel.begin.clone(), pieces: reel.ink.copy() });
        Some(Tape { reels: reels.collect(), last: self.mark() })
    }

    /// What a recording would have now; nothing when nothing is written down.
    #[must_use]
    pub fn recorded(&self, now: Tick) -> Option<Recorded> {
        let recorder = self.recorder.as_ref()?;
        let first = recorder.reels.front();
        Some(Recorded {
            span_ms: first.map_or(0, |reel| now.since(reel.began)),
            span_max_ms: RECORDED_MS,
            inputs: recorder.reels.iter().map(|reel| reel.ink.steps()).sum(),
            bytes: recorder.reels.iter().map(Reel::bytes).sum(),
            bytes_max: recorder.bytes_max,
            whole: first.is_some_and(|reel| reel.whole),
        })
    }

    /// Begins another reel when the last one is long enough. For the time before an input: everything was fetched then.
    pub(crate) fn wind(&mut self, now: Tick) {
        let Some(recorder) = self.recorder.as_ref().filter(|recorder| recorder.polled) else { return };
        let due = match (recorder.paused, recorder.reels.back()) {
            (Some(until), _) => until <= now,
            (None, Some(reel)) => {
                let parts = usize::try_from(REELS).unwrap_or(1);
                let every = if reel.begin.len() > LARGE { RECORDED_MS } else { RECORDED_MS / REELS };
                now.since(reel.began) >= every
                    || reel.ink.bytes() >= recorder.bytes_max / parts
                    || reel.ink.steps() >= REEL_STEPS
            }
            (None, None) => true,
        };
        if due && self.is_drained() {
            self.begin_reel(now);
        }
    }

    fn begin_reel(&mut self, now: Tick) {
        let begin = Begin::of(self, now);
        let (whole, begin) = (begin.state.is_none(), begin.write());
        let Some(recorder) = &mut self.recorder else { return };
        recorder.paused = None;
        recorder.reels.push_back(Reel { began: now, whole, begin, ink: Ink::new(now) });
        // What came before a reel is as old as the reel's beginning.
        let old = |reels: &VecDeque<Reel>| reels.get(1).is_some_and(|next| now.since(next.began) >= RECORDED_MS);
        let large = |reels: &VecDeque<Reel>| reels.iter().map(Reel::bytes).sum::<usize>() > recorder.bytes_max;
        while old(&recorder.reels) || large(&recorder.reels) {
            recorder.reels.pop_front();
        }
        if recorder.reels.is_empty() {
            recorder.paused = Some(now.plus(RECORDED_MS / REELS));
        }
    }

    /// Everything was fetched.
    pub(crate) fn note_polled(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.polled = true;
        }
    }

    /// A frame came, and this was said of it.
    pub(crate) fn note_frame(&mut self, from: (SessionId, SessionId, Path), bytes: &[u8], verdict: Verdict, now: Tick) {
        self.note_with(now, |ink| ink.frame(from, bytes, verdict));
    }

    /// Anything else came.
    pub(crate) fn note_step(&mut self, what: &What, now: Tick) {
        self.note_with(now, |ink| ink.write(what));
    }

    /// An input that is no frame came.
    pub(crate) fn note_input(&mut self, input: What, now: Tick) {
        let input = match input {
            What::Wall { unix_ms, .. } if self.recorder.is_some() => What::Wall { unix_ms, mark: Some(self.mark()) },
            input => input,
        };
        self.note_step(&input, now);
    }

    /// Somebody calls. `name` is one of [`step::call`].
    pub(crate) fn note_call(&mut self, who: &LocalActor, name: u8, args: &impl Serialize, now: Tick) {
        if self.recorder.is_some() {
            let args = serde_json::to_value(args).unwrap_or_default();
            self.note_with(now, |ink| ink.call(who, name, &args));
        }
    }

    fn note_with(&mut self, now: Tick, write: impl FnOnce(&mut Ink)) {
        let Some(recorder) = &mut self.recorder else { return };
        let refused = recorder.signatures.take_refused();
        let polled = std::mem::take(&mut recorder.polled);
        if recorder.paused.is_some() {
            return;
        }
        if let Some(reel) = recorder.reels.back_mut() {
            // Far more than a reel has, between two moments at which everything was fetched: nobody drives it so.
            if reel.ink.bytes() > recorder.bytes_max {
                recorder.reels.clear();
                return;
            }
            reel.ink.step(now, polled, &refused, write);
        }
    }
}

/// What is noted of an input that is no frame; nothing of a frame.
pub(crate) fn noted(input: &Input) -> Option<What> {
    Some(match *input {
        Input::Frame { .. } => return None,
        Input::LinkUp { peer, loopback } => What::LinkUp { peer, loopback },
        Input::LinkDown { peer, cause } => What::LinkDown { peer, cause },
        Input::RoundTrip { peer, us } => What::RoundTrip { peer, us },
        Input::Wall { unix_ms } => What::Wall { unix_ms, mark: None },
        Input::Resumed => What::Resumed,
        Input::OwnOutage(out) => What::OwnOutage(out),
        Input::Timeout => What::Timeout,
    })
}
