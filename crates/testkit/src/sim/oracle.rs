//! How a rule is watched: an oracle is asked at every event, every frame and every second, and says what is broken.
//!
//! Those that the simulator always brings stand in [`super::rules`]. Whoever tests something of their own adds more:
//!
//! ```
//! use parlor_testkit::parlor_core::Event;
//! use parlor_testkit::sim::{Oracle, Told, World};
//! use parlor_testkit::story::Story;
//!
//! /// Nobody may be called eve.
//! struct NoEve;
//!
//! impl Oracle for NoEve {
//!     fn rule(&self) -> &str {
//!         "nobody is called eve"
//!     }
//!
//!     fn told(&mut self, _: &World, told: &Told<'_>) -> Result<(), String> {
//!         match told.event {
//!             Event::Joined { member } if member.actor.name == "eve" => Err("eve joined".to_owned()),
//!             _ => Ok(()),
//!         }
//!     }
//! }
//!
//! let story = Story::new("five friends").hosts(5).all_start().at(2_000).all_join().until(4_000);
//! let mut world = World::new(&story, 0);
//! world.add(NoEve);
//! world.play_out();
//! assert_eq!(world.violation.unwrap().rule, "nobody is called eve");
//! ```

use std::fmt;
use std::sync::Arc;

use parlor_core::{Event, Member, Message, SessionId};

use super::letter::Letter;
use super::sessions::Session;
use super::world::World;
use crate::story::{Step, names};

/// A rule that is watched. Every hook has a default that finds nothing wrong.
pub trait Oracle {
    /// The rule in a few words. A failing story is shortened as long as it breaks a rule of this name.
    fn rule(&self) -> &str;

    /// Somebody was told something.
    ///
    /// # Errors
    /// How the rule is broken.
    fn told(&mut self, world: &World, told: &Told<'_>) -> Result<(), String> {
        let _ = (world, told);
        Ok(())
    }

    /// A replica is about to take a frame.
    ///
    /// # Errors
    /// How the rule is broken.
    fn took(&mut self, world: &World, took: &Took<'_>) -> Result<(), String> {
        let _ = (world, took);
        Ok(())
    }

    /// Something else happened.
    ///
    /// # Errors
    /// How the rule is broken.
    fn happened(&mut self, world: &World, what: &Happening<'_>) -> Result<(), String> {
        let _ = (world, what);
        Ok(())
    }

    /// Another second has passed.
    ///
    /// # Errors
    /// How the rule is broken.
    fn second(&mut self, world: &World) -> Result<(), String> {
        let _ = world;
        Ok(())
    }

    /// The story is over.
    ///
    /// # Errors
    /// How the rule is broken.
    fn end(&mut self, world: &World) -> Result<(), String> {
        let _ = world;
        Ok(())
    }

    /// How often it found something that could have broken the rule. An oracle that judged nothing proved nothing.
    fn judged(&self) -> u64 {
        0
    }
}

/// An event as one observer is told it.
#[derive(Debug)]
pub struct Told<'a> {
    /// Who is told.
    pub observer: Session,
    /// What.
    pub event: &'a Event,
    /// The row it is about, if it is about one.
    pub row: Option<Row>,
    /// The row as the observer knew it by the events before.
    pub before: Option<&'a Arc<Member>>,
}

/// A frame that a replica is about to take.
#[derive(Debug)]
pub struct Took<'a> {
    /// Who takes it.
    pub observer: Session,
    /// Who wrote it, if it is a session of the story.
    pub author: Option<Session>,
    /// By way of whom it came.
    pub via: SessionId,
    /// The frame.
    pub letter: &'a Letter,
}

/// What an oracle may want to know besides events and frames.
#[derive(Debug)]
pub enum Happening<'a> {
    /// A step of the story is about to happen.
    Step(&'a Step),
    /// A program started.
    Started(Session),
    /// A process is gone.
    Ended(Session),
    /// A computer woke.
    Resumed(Session),
    /// The own network of a session is out, or back.
    Outage(Session, bool),
    /// One end has its link up.
    Up {
        /// Which end.
        end: Session,
        /// To whom.
        peer: Session,
    },
    /// One end has its link down.
    Down {
        /// Which end.
        end: Session,
        /// To whom.
        peer: Session,
    },
    /// A session changed the live state of a member.
    Wrote {
        /// Which session.
        session: Session,
        /// Which row.
        row: Row,
        /// The fields that were set, all to the same value; none when fields were removed.
        fields: &'a [String],
        /// The value.
        value: u64,
        /// Whether the other fields stay as they were, and nothing vanishes by itself.
        plain: bool,
    },
    /// A session writes a register that everybody may write.
    WritesShared {
        /// Which session.
        session: Session,
        /// Which register: `title` of the room's metadata, `plan/x` of the board.
        register: &'a str,
        /// The value that its author saw before.
        saw: Option<u64>,
        /// The value; none when it is deleted.
        value: Option<u64>,
    },
    /// A session said something that is kept.
    Said {
        /// Which session.
        session: Session,
        /// The message.
        message: &'a Message,
        /// The key that stores it once.
        key: Option<&'a str>,
        /// The value that was to be said; that of the message is an older one when its key was used before.
        value: u64,
    },
}

/// The number of a row: a member id together with the user that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row(pub(crate) u32);

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: String,
    /// When, in milliseconds of the story.
    pub at: u64,
    /// At which host, if it was at one.
    pub host: Option<usize>,
    /// How.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = crate::story::tell::clock(self.at);
        write!(f, "“{}” is broken at {}", self.rule, at.trim_start())?;
        if let Some(host) = self.host {
            write!(f, " at {}", names::host(host))?;
        }
        write!(f, ": {}", self.detail)
    }
}
