//! The replica of a live room: a pure state machine. Frames, calls and time go in; frames and events come out.
//!
//! A **replica** holds what one peer knows of one room, in two data models that are kept apart (design R1):
//!
//! - a **record** is what one session says about one member. It has exactly one writer, so that writer's own counters
//!   order it and no clock touches it: `seq` for signs of life, `rev` for content, and each field carries the `rev` that
//!   set it. Only its owner repairs it (design R3 to R5, R8).
//! - a **cell** is a register that many write: the room's metadata, a field of a note, a message that is kept. Cells are
//!   ordered by stamps, a hybrid clock with the writer's key behind it, and anybody may pass them on because each is
//!   signed (design R10 to R13).
//!
//! Whether somebody is there is a **lease** that runs on the observer's own clock (design R6), and what readers see is
//! rows and events made from all of that in one place, so that the grammar of events holds by construction (design R14).
//!
//! Where to find a rule: `proof` R3 · `incoming` R3 to R5, R8 · `sessions` R2, R11 · `outgoing` R4, N4, A7 · `leases` R6,
//! R7, R9 · `departed` R8 · `witness`, `evidence` whether others hear who fell silent · `cell`, `cells`, `registers` R10, R11, R13 · `rule`, `access`, `handover` N8 · `sync` R12 ·
//! `rows`, `row_table` R14, A4, A5 · `calls` A2, A3 · `metadata` A6 · `board` A10 · `message`, `said` A12 · `kept` R15 · `fields`, `raw`,
//! `value`, `wire`, `delta` R4, N9 · `check`, `limits`, `weight` A8 · `error` A9. `holdings` counts what is held, `inventory` lists it, `inspect` shows what is done, `recorder` writes down what is put in.
//!
//! To add a rule: write it as prose at the head of the file that keeps it, a test beside that file, and in `mutants/` an
//! entry that breaks it, so that a test has to name the fault.
//!
//! Nothing here does I/O, reads a clock or draws from a random source: the driver brings all three, and the same inputs
//! with the same seed give the same outputs, byte for byte.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

// A test that is made of a recording is written for those who use this crate, and one of them stands in it.
#[cfg(test)]
extern crate self as parlor_core;

mod access;
mod board;
mod bytes64;
mod calls;
mod cell;
mod cells;
mod check;
#[cfg(test)]
mod clocks_tests;
mod command;
mod counters;
mod delta;
mod departed;
mod error;
#[cfg(test)]
mod events_tests;
mod evidence;
mod fields;
mod finite;
#[cfg(test)]
mod fixture;
#[cfg(test)]
#[path = "../fuzz/mod.rs"]
mod fuzz;
mod handover;
mod holdings;
#[cfg(test)]
mod hostile_tests;
mod ids;
mod incoming;
mod input;
mod inspect;
mod inventory;
mod kept;
mod leases;
pub mod limits;
#[cfg(test)]
mod memory_tests;
#[cfg(test)]
mod merge_tests;
mod message;
mod metadata;
mod outgoing;
mod own;
mod peer;
mod peers;
mod proof;
#[cfg(test)]
mod props;
#[cfg(test)]
mod rates_tests;
mod raw;
#[cfg(test)]
mod receiver_tests;
mod recorder;
mod registers;
#[cfg(test)]
mod relay_tests;
mod replica;
#[cfg(test)]
mod replication_tests;
mod row_table;
mod rows;
mod rule;
mod said;
#[cfg(feature = "openapi")]
mod schema;
mod sessions;
mod sync;
mod twins;
mod value;
mod view;
mod weight;
pub mod whole;
mod wire;
mod witness;

pub use access::{Access, AccessChange, Person};
pub use board::{Board, BoardChange, Note, NoteChange};
pub use calls::Lease;
pub use cell::{CELL_VALUE_MAX, CellKey, CellKind, HLC_MAX, Stamp};
pub use command::{Join, Leave, MetadataChange, PresenceChange, PresenceMode};
pub use counters::Counters;
pub use error::{Error, ErrorCode};
pub use evidence::{Evidence, EvidencePath, EvidenceVerdict, Witness, WitnessSays};
pub use handover::{Handover, NewKey};
pub use holdings::Holdings;
pub use ids::{MemberId, PublicKey, Rev, RoomId, Seq, SessionId, Tick, UserId};
pub use input::{DownCause, Input, Output, Path, Verdict, Way};
pub use inspect::{CellOutcome, CellVersion, LeaseState, Newer, Observation, Register, SHOWN_BYTES, SyncStep};
pub use inventory::{HeldCell, HeldField, HeldRecord, Inventory};
pub use kept::{Kept, KeptChanges};
pub use message::{HistoryPage, HistoryQuery, Message, Publish};
pub use proof::{Certificate, LocalActor, Signer, Verifier};
pub use recorder::change::ReplayChange;
pub use recorder::judge::{Broken, Outcome};
pub use recorder::lineup::{Disagreement, Lineup};
pub use recorder::recording::{RECORDING_MAX, RECORDING_VERSION, Recording, Tape};
pub use recorder::replay::{
    Played, Replay, ReplayAt, ReplayDisagreement, ReplayKind, ReplayQuery, ReplayState, ReplayStep, Replayed,
};
pub use recorder::{RECORDED_BYTES, RECORDED_MS, Recorded};
pub use replica::{Config, Continuation, PrivateRoom, Replica, room_root};
pub use rows::{Face, Summary};
pub use value::json_len;
pub use view::{
    Actor, ActorKind, Bag, By, Cloned, Event, Kind, Left, LeftReason, Member, MemberRecord, MemberState, MembersPage,
    MembersQuery, RoomMetadata, RowKey, SIMULATED, SessionRef, Snapshot, Timestamp,
};
pub use wire::{VERSION, frame_number, split_cells};
