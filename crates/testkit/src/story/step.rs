//! The words of a story.

use super::expect::Expect;
use super::lie::Lie;
use super::weather::Faults;

/// Who of a host acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// The person of its profile.
    Person,
    /// Its guest: somebody that it hosts, with a key of its own.
    Guest,
}

/// Somebody of a host. A bare number is the person of that host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Someone {
    /// The host.
    pub host: usize,
    /// Its person or its guest.
    pub who: Who,
}

/// The person of a host.
#[must_use]
pub fn person(host: usize) -> Someone {
    Someone { host, who: Who::Person }
}

/// The guest of a host.
#[must_use]
pub fn guest(host: usize) -> Someone {
    Someone { host, who: Who::Guest }
}

impl From<usize> for Someone {
    fn from(host: usize) -> Self {
        person(host)
    }
}

/// How somebody joins: as itself and for good, unless it says more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who.
    pub someone: Someone,
    /// The member id; the one of its key when missing.
    pub member: Option<String>,
    /// The client lease in seconds, 5 to 3600; for good when missing (design R7).
    pub lease_s: Option<u32>,
}

impl Someone {
    /// Joins under this member id.
    #[must_use]
    pub fn named(self, member: &str) -> Entry {
        Entry::from(self).named(member)
    }

    /// Joins with a client lease of so many seconds.
    #[must_use]
    pub fn leased(self, seconds: u32) -> Entry {
        Entry::from(self).leased(seconds)
    }
}

impl Entry {
    /// Under this member id.
    #[must_use]
    pub fn named(mut self, member: &str) -> Self {
        self.member = Some(member.to_owned());
        self
    }

    /// With a client lease of so many seconds.
    #[must_use]
    pub fn leased(mut self, seconds: u32) -> Self {
        self.lease_s = Some(seconds);
        self
    }
}

impl From<Someone> for Entry {
    fn from(someone: Someone) -> Self {
        Entry { someone, member: None, lease_s: None }
    }
}

impl From<usize> for Entry {
    fn from(host: usize) -> Self {
        Entry::from(person(host))
    }
}

/// What `presence` is asked for. The value of each field is a number that was never written before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These fields, all with one value; the others stay.
    Set(Vec<String>),
    /// These fields and nothing else.
    Replace(Vec<String>),
    /// These fields go.
    Unset(Vec<String>),
    /// A field that vanishes by itself.
    Expire {
        /// Which.
        field: String,
        /// After so many milliseconds, 100 to 3,600,000.
        ms: u64,
    },
}

/// One field changes, the others stay.
#[must_use]
pub fn set(field: &str) -> Change {
    set_all(&[field])
}

/// Several fields change at once, all to the same value; the others stay.
#[must_use]
pub fn set_all(fields: &[&str]) -> Change {
    Change::Set(fields.iter().map(|field| (*field).to_owned()).collect())
}

/// These fields and nothing else.
#[must_use]
pub fn replace(fields: &[&str]) -> Change {
    Change::Replace(fields.iter().map(|field| (*field).to_owned()).collect())
}

/// One field goes.
#[must_use]
pub fn unset(field: &str) -> Change {
    Change::Unset(vec![field.to_owned()])
}

/// One field changes, and vanishes by itself after so many milliseconds.
#[must_use]
pub fn expire(field: &str, ms: u64) -> Change {
    Change::Expire { field: field.to_owned(), ms }
}

/// What is written of a note on the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edit {
    /// Where it lies.
    Move,
    /// How large it is.
    Resize,
    /// What it lies above.
    Raise,
    /// Its colour.
    Paint,
    /// Its text.
    Write,
}

impl Edit {
    /// The fields that it writes.
    #[must_use]
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Edit::Move => &["x", "y"],
            Edit::Resize => &["w", "h"],
            Edit::Raise => &["z"],
            Edit::Paint => &["color"],
            Edit::Write => &["text"],
        }
    }
}

/// A kind of frame on the wire (design N9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FrameKind {
    /// Changed fields of one record.
    Delta,
    /// A heartbeat.
    Beat,
    /// The end of a record.
    Leave,
    /// One record, whole.
    Full,
    /// A question for records.
    Ask,
    /// Cells of shared state.
    Cells,
}

/// Something that happens. Hosts are numbers: their places in [`Story::hosts`](super::Story::hosts).
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The program starts: a new session, and a greater boot counter than before. Nothing when it runs.
    Start {
        /// Where.
        host: usize,
    },
    /// A member joins, or joins again.
    Join(Entry),
    /// A member's live state changes.
    Presence {
        /// Who calls.
        by: Someone,
        /// Under which member id; its only one when missing.
        member: Option<String>,
        /// What is asked for.
        change: Change,
    },
    /// One field changes over and over, as a cursor does.
    Moving {
        /// Who calls.
        by: Someone,
        /// Which field.
        field: String,
        /// Milliseconds from one call to the next.
        every_ms: u64,
        /// For so many milliseconds, or until its program ends.
        ms: u64,
    },
    /// The person of a host writes a key of the room's metadata.
    Metadata {
        /// Where.
        host: usize,
        /// Which key.
        key: String,
        /// Whether the key is deleted rather than set.
        delete: bool,
    },
    /// The person of a host locks the room, or unlocks it. In an open room that is a wish (design A6).
    Lock {
        /// Where.
        host: usize,
        /// Which of the two.
        on: bool,
    },
    /// The person of a host names another a host of a private room, or a host no more (design N8).
    NameHost {
        /// Where.
        host: usize,
        /// The host of that other.
        whom: usize,
        /// Which of the two.
        on: bool,
    },
    /// The person of a host lets what another wrote in a private room be void, or count again (design N8).
    Void {
        /// Where.
        host: usize,
        /// The host of that other.
        whom: usize,
        /// Which of the two.
        on: bool,
    },
    /// The person of a host writes to a note of the board, which need not be there yet.
    Note {
        /// Where.
        host: usize,
        /// Which note.
        note: String,
        /// What of it.
        edit: Edit,
    },
    /// The person of a host removes a note.
    RemoveNote {
        /// Where.
        host: usize,
        /// Which note.
        note: String,
    },
    /// Somebody says something that is kept.
    Say {
        /// Who.
        by: Someone,
        /// What stores it once, however often it is said.
        key: Option<String>,
    },
    /// A member leaves.
    Leave {
        /// Who.
        by: Someone,
        /// Which of its members; its only one when missing.
        member: Option<String>,
    },
    /// The process dies.
    Crash {
        /// Where.
        host: usize,
        /// Whether the system closes its connections, as for a process that is killed; not when the power goes.
        farewell: bool,
    },
    /// The program ends as it should: its members leave first.
    Quit {
        /// Where.
        host: usize,
    },
    /// The computer sleeps.
    Sleep {
        /// Which.
        host: usize,
        /// For so many milliseconds.
        ms: u64,
    },
    /// The wall clock is set, right or wrong.
    Clock {
        /// Whose.
        host: usize,
        /// How far it is off from now on, in milliseconds.
        off_ms: i64,
    },
    /// The network cable is out.
    Unplug {
        /// Whose.
        host: usize,
        /// For so many milliseconds.
        ms: u64,
    },
    /// The network falls into parts. Hosts that no part names are alone.
    Partition {
        /// Who is together.
        parts: Vec<Vec<usize>>,
    },
    /// One pair loses its wire.
    Cut {
        /// One end.
        a: usize,
        /// The other.
        b: usize,
    },
    /// One pair has its wire back, in both directions.
    Mend {
        /// One end.
        a: usize,
        /// The other.
        b: usize,
    },
    /// One direction loses everything.
    Deafen {
        /// Who is heard no more.
        from: usize,
        /// By whom.
        to: usize,
    },
    /// Partitions, cuts and deaf directions end.
    MendAll,
    /// The network treats frames like this from now on.
    Weather {
        /// In one direction alone, from one host to another; everywhere else it stays as it was.
        between: Option<(usize, usize)>,
        /// Like this.
        faults: Faults,
    },
    /// Every frame of one kind is lost, whoever sends it.
    Lose {
        /// Which.
        kind: FrameKind,
        /// For so many milliseconds.
        ms: u64,
    },
    /// All that is wrong with network and computers ends: everything is mended, everybody awake and plugged in, and the
    /// network loses nothing. Where not everybody reaches everybody, all run too, so that nobody is missing between two
    /// others.
    Heal,
    /// Frames that a host took earlier, and others that it never saw, reach it again.
    Replay {
        /// Whom.
        host: usize,
        /// By way of whom, who took some of them.
        via: usize,
        /// How many, drawn by lot.
        frames: u16,
    },
    /// Frames that a host took earlier reach it again in the name of a stranger, some of them broken.
    Forge {
        /// Whom.
        host: usize,
        /// How many, drawn by lot.
        frames: u16,
    },
    /// A hostile host lies.
    Lie {
        /// Which.
        host: usize,
        /// How.
        lie: Lie,
    },
    /// Something has to be true.
    Expect {
        /// What.
        what: Expect,
        /// Within so many milliseconds; 0: now.
        within_ms: u64,
    },
}
