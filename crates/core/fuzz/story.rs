//! Stories: what happens to one replica, step by step.

use bolero::TypeGenerator;
use serde_json::{Value, json};

use super::shape::{Shape, up_to};
use super::sketch::{Author, Name, Sketch};
use crate::input::DownCause;
use crate::proof::LocalActor;
use crate::view::Bag;
use crate::{
    BoardChange, Error, Join, Lease, Leave, MemberId, MetadataChange, NoteChange, PresenceChange, PresenceMode,
    Publish, Replica, Tick,
};

/// All of it.
#[derive(Clone, Debug, TypeGenerator)]
pub struct Story {
    #[generator(up_to(40))]
    pub steps: Vec<Step>,
}

/// One thing that happens.
#[derive(Clone, Debug, TypeGenerator)]
pub enum Step {
    Frame(Arrival),
    /// Frames come more often than anything else does.
    Again(Arrival),
    LinkUp {
        author: Author,
        loopback: bool,
    },
    LinkDown {
        author: Author,
        #[generator(0..3)]
        cause: u8,
    },
    /// Milliseconds that pass, with every timer on time.
    Pass(#[generator(0..12_000)] u16),
    /// Nobody looks at the timers for so long.
    Stall(u16),
    Wall(u64),
    Resumed,
    Outage(bool),
    Call(Call),
}

/// A frame that arrives.
#[derive(Clone, Debug, TypeGenerator)]
pub struct Arrival {
    pub author: Author,
    /// By way of this one, when it is not by way of its author.
    pub via: Option<Author>,
    pub direct: bool,
    pub sketch: Sketch,
    #[generator(up_to(2))]
    pub edits: Vec<Edit>,
}

/// What happened to the bytes on the way.
#[derive(Clone, Copy, Debug, TypeGenerator)]
pub enum Edit {
    Set(u16, u8),
    Insert(u16, u8),
    Remove(u16),
    Cut(u16),
    /// So many bytes once more, so many times.
    Repeat(u16, #[generator(1..40)] u8, #[generator(1..64)] u8),
}

impl Edit {
    /// Does it.
    pub fn to(self, bytes: &mut Vec<u8>) {
        let place = |at: u16| usize::from(at) % bytes.len().max(1);
        match self {
            Edit::Set(at, byte) => {
                let at = place(at);
                bytes.iter_mut().skip(at).take(1).for_each(|held| *held = byte);
            }
            Edit::Insert(at, byte) => bytes.insert(place(at), byte),
            Edit::Remove(at) => {
                let at = place(at);
                bytes.drain(at..(at + 1).min(bytes.len()));
            }
            Edit::Cut(at) => bytes.truncate(place(at)),
            Edit::Repeat(at, count, times) => {
                let at = place(at);
                let end = (at + usize::from(count)).min(bytes.len());
                let part = bytes[at..end].repeat(times.into());
                bytes.splice(end..end, part);
            }
        }
        bytes.truncate(super::INPUT_MAX);
    }
}

/// What the people at this replica do.
#[derive(Clone, Debug, TypeGenerator)]
pub enum Call {
    Join {
        guest: bool,
        member: Option<Name>,
        presence: Shape,
        metadata: Option<Shape>,
    },
    Presence {
        guest: bool,
        member: Option<Name>,
        key: Name,
        value: Shape,
        replace: bool,
        expire: Option<u16>,
    },
    Metadata {
        key: Name,
        value: Option<Shape>,
    },
    Note {
        id: Name,
        x: f64,
        #[generator(0..5_000)]
        text: u16,
    },
    RemoveNote(Name),
    Say(Shape),
    Leave {
        guest: bool,
        member: Option<Name>,
    },
    LeaveAll,
}

fn member(name: Option<Name>) -> Option<MemberId> {
    name.and_then(|name| MemberId::new(&name.text(0)).ok())
}

fn bag(value: Value) -> Bag {
    match value {
        Value::Object(bag) => bag,
        other => Bag::from_iter([("x".to_owned(), other)]),
    }
}

impl Call {
    /// Makes the call; what is refused is refused.
    pub fn on(&self, replica: &mut Replica, person: &LocalActor, guest: &LocalActor, now: Tick) -> Result<(), Error> {
        let who = |is_guest: bool| if is_guest { guest } else { person };
        match self {
            Call::Join { guest, member: id, presence, metadata } => {
                let join = Join {
                    presence: Some(bag(presence.value())),
                    metadata: metadata.as_ref().map(|metadata| bag(metadata.value())),
                    member_id: member(*id),
                    ..Join::default()
                };
                replica.join(who(*guest), join, Lease::Own, now).map(drop)
            }
            Call::Presence { guest, member: id, key, value, replace, expire } => {
                let key = key.text(0);
                let change = PresenceChange {
                    mode: if *replace { PresenceMode::Replace } else { PresenceMode::Merge },
                    member_id: member(*id),
                    expire: expire.iter().map(|ms| (key.clone(), u64::from(*ms))).collect(),
                    ..PresenceChange::new(json!({ key: value.value() }))
                };
                replica.presence(who(*guest), change, now).map(drop)
            }
            Call::Metadata { key, value } => {
                let key = key.text(0);
                let change = match value {
                    Some(value) => MetadataChange::new(json!({ key: value.value() })),
                    None => MetadataChange { unset: vec![key], ..MetadataChange::default() },
                };
                replica.set_metadata(person, change, now).map(drop)
            }
            Call::Note { id, x, text } => {
                let text = Some("x".repeat((*text).into()));
                let note = NoteChange { id: id.text(0), x: Some(*x), text, ..NoteChange::default() };
                replica.set_board(person, BoardChange { set: vec![note], remove: Vec::new() }, now).map(drop)
            }
            Call::RemoveNote(id) => {
                let change = BoardChange { set: Vec::new(), remove: vec![id.text(0)] };
                replica.set_board(person, change, now).map(drop)
            }
            Call::Say(data) => {
                let publish = Publish::new("chat", data.value()).keep();
                replica.publish_kept(person, publish, now).map(drop)
            }
            Call::Leave { guest, member: id } => {
                replica.leave(who(*guest), Leave { member_id: member(*id) }, now).map(drop)
            }
            Call::LeaveAll => {
                replica.leave_all(now);
                Ok(())
            }
        }
    }
}

/// Why a link went down.
pub fn cause(number: u8) -> DownCause {
    match number {
        0 => DownCause::Closed,
        1 => DownCause::TimedOut,
        _ => DownCause::Unsubscribed,
    }
}
