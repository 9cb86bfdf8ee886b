//! What is saved of a flight recorder: a file that says of itself what it is, whole or refused.
//!
//! ```text
//! parlor-recording   16 bytes
//! version            1 byte
//! head               length as varint, postcard of Head
//! beginning          length as varint, postcard of Begin
//! steps              count as varint, length as varint, see step.rs
//! checksum           the first 16 bytes of BLAKE3 of all before
//! ```
//!
//! Whoever reads one trusts nothing of it: it may have been made to do harm.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorCode};
use crate::ids::{RoomId, SessionId, Tick, UserId};
use crate::value::{read_varint, take, write_varint};

use super::base::{Begin, State};
use super::step::{Ink, Reader, Step, What};

const MAGIC: &[u8; 16] = b"parlor-recording";
/// The version of the file that this program writes.
pub const RECORDING_VERSION: u8 = 1;
/// Bytes of a file that is read.
pub const RECORDING_MAX: usize = 64 << 20;
/// Steps of a file that is read: more than fit what a recorder keeps.
const STEPS_MAX: u64 = 1_000_000;
const CHECKSUM: usize = 16;

/// What a recorder had at one moment. Cheap to take; [`Tape::recording`] makes something of it.
#[derive(Clone)]
pub struct Tape {
    pub(super) reels: Vec<Wound>,
    /// The hash of the state at the end.
    pub(super) last: u64,
}

/// How a reel begins, and its steps, piece by piece.
#[derive(Clone)]
pub(super) struct Wound {
    pub begin: Vec<u8>,
    pub pieces: Vec<Arc<Vec<u8>>>,
}

/// What was put into a replica during a while, and how that replica was before.
#[derive(Clone, Debug)]
pub struct Recording {
    pub(super) head: Head,
    pub(super) begin: Begin,
    pub(super) steps: Vec<Step>,
}

/// What it says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Head {
    /// The version of the program that recorded.
    pub program: String,
    /// Names and values were taken out.
    pub redacted: bool,
    /// The first step of which a replay came to another state than the replica itself, by the program that recorded. Then
    /// it is the recorder that is at fault.
    pub strayed: Option<u32>,
}

impl Tape {
    /// What was recorded, as the program of this version did. `NOT_FOUND` when nothing was.
    ///
    /// # Errors
    /// `NOT_FOUND` when there is nothing on it.
    pub fn recording(&self, program: &str) -> Result<Recording, Error> {
        let nothing = || Error::new(ErrorCode::NotFound, "nothing of this room is recorded now");
        let first = self.reels.first().ok_or_else(nothing)?;
        let begin: Begin = postcard::from_bytes(&first.begin).map_err(|_| nothing())?;
        let mut steps = Vec::new();
        for Wound { begin, pieces } in &self.reels {
            let began: Begin = postcard::from_bytes(begin).map_err(|_| nothing())?;
            let bytes = pieces.iter().flat_map(|piece| piece.iter().copied()).collect::<Vec<u8>>();
            let mut reader = Reader::new(&bytes, began.at());
            while !reader.is_at_end() {
                steps.push(reader.step().ok_or_else(nothing)?);
            }
        }
        let at = steps.last().map_or(begin.made.at, |step: &Step| step.at);
        steps.push(Step { at, polled: false, refused: Vec::new(), what: What::Mark(self.last) });
        let head = Head { program: program.to_owned(), redacted: false, strayed: None };
        Ok(Recording { head, begin, steps })
    }
}

impl Begin {
    /// The moment before its first step.
    pub(super) fn at(&self) -> Tick {
        self.made.at
    }
}

impl Recording {
    /// The room, or a stand-in for its name.
    #[must_use]
    pub fn room(&self) -> &RoomId {
        &self.begin.made.room
    }

    /// Whose replica it was.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.begin.made.certificate.session
    }

    /// The person of the profile.
    #[must_use]
    pub fn user_id(&self) -> UserId {
        self.begin.made.certificate.identity.user_id()
    }

    /// Whether names and values were taken out.
    #[must_use]
    pub fn is_redacted(&self) -> bool {
        self.head.redacted
    }

    /// Whether it begins with the opening of the room.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.begin.state.is_none()
    }

    /// Whether the program that recorded came to another state when it played its own recording: then the recorder is at
    /// fault.
    #[must_use]
    pub fn has_strayed(&self) -> bool {
        self.head.strayed.is_some()
    }

    /// The version of the program that recorded.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.head.program
    }

    /// How many steps there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The file.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.push(RECORDING_VERSION);
        for part in [postcard::to_stdvec(&self.head).unwrap_or_default(), self.begin.write()] {
            write_varint(part.len() as u64, &mut out);
            out.extend_from_slice(&part);
        }
        let mut ink = Ink::new(self.begin.at());
        for step in &self.steps {
            ink.step(step.at, step.polled, &step.refused, |ink| ink.write(&step.what));
        }
        write_varint(self.steps.len() as u64, &mut out);
        write_varint(ink.bytes() as u64, &mut out);
        ink.copy().iter().for_each(|piece| out.extend_from_slice(piece));
        let checksum = blake3::hash(&out);
        out.extend_from_slice(&checksum.as_bytes()[..CHECKSUM]);
        out
    }

    /// Reads a file.
    ///
    /// # Errors
    /// `INVALID_RECORDING` for what is none, is cut short or damaged, or is of a later program; `PAYLOAD_TOO_LARGE` for more
    /// than 64 MiB.
    pub fn read(bytes: &[u8]) -> Result<Recording, Error> {
        if bytes.len() > RECORDING_MAX {
            return Err(Error::too_large("bytes", RECORDING_MAX, bytes.len(), "recording"));
        }
        let Some((MAGIC, rest)) = bytes.split_first_chunk() else {
            return Err(invalid("this is no recording of Parlor"));
        };
        match rest.first() {
            Some(&RECORDING_VERSION) => {}
            Some(version) => {
                let known = format!("it is of version {version}, this program reads version {RECORDING_VERSION}");
                return Err(invalid(&known));
            }
            None => return Err(invalid(SHORT)),
        }
        let (body, checksum) = bytes.split_at_checked(bytes.len().saturating_sub(CHECKSUM)).unwrap_or((bytes, &[]));
        if blake3::hash(body).as_bytes().get(..CHECKSUM) != Some(checksum) {
            return Err(invalid(SHORT));
        }
        let body = body.get(MAGIC.len() + 1..).ok_or_else(|| invalid(SHORT))?;
        Self::parts(body).ok_or_else(|| invalid("what it says cannot be"))
    }

    fn parts(body: &[u8]) -> Option<Recording> {
        let mut rest = body;
        let mut part = || {
            let length = usize::try_from(read_varint(&mut rest)?).ok()?;
            take(&mut rest, length)
        };
        let (head, begin) = (part()?, part()?);
        let head: Head = postcard::from_bytes(head).ok()?;
        let begin: Begin = postcard::from_bytes(begin).ok()?;
        if !begin.is_sound() {
            return None;
        }
        let count = read_varint(&mut rest).filter(|count| *count <= STEPS_MAX)?;
        let length = usize::try_from(read_varint(&mut rest)?).ok()?;
        let bytes = take(&mut rest, length).filter(|_| rest.is_empty())?;
        let mut reader = Reader::new(bytes, begin.at());
        let mut steps = Vec::new();
        for _ in 0..count {
            steps.push(reader.step()?);
        }
        reader.is_at_end().then_some(Recording { head, begin, steps })
    }

    /// What it begins with.
    pub(super) fn state(&self) -> Result<Option<State>, Error> {
        let other = "it begins in the middle, and the program that wrote it holds other things than this one";
        self.begin.state().ok_or_else(|| invalid(other))
    }
}

const SHORT: &str = "it was cut short or damaged";

pub(super) fn invalid(why: &str) -> Error {
    Error::new(ErrorCode::InvalidRecording, format!("the recording cannot be read: {why}"))
}
