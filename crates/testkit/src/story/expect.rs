//! What a story expects of those who live through it. An expectation stands at its place in the story like any step, and
//! must come true then or within a time that it names.

use super::step::Someone;

/// Something that has to come true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// All who run agree: everybody's list is what the owners say, nobody is stale, and the room's shared state is the
    /// same value by value.
    Agreement,
    /// These hosts, or all who run, see in this field of a member what was written there last when this step is reached,
    /// or something newer.
    Sees {
        /// Who looks; everybody who runs when empty.
        observers: Vec<usize>,
        /// Whose member.
        of: Someone,
        /// Which field.
        field: String,
    },
    /// These hosts, or all who run, have a member of this somebody in their lists, and as active.
    Knows {
        /// Who looks; everybody who runs when empty.
        observers: Vec<usize>,
        /// Whose member.
        of: Someone,
    },
    /// Nobody who runs has a member of this somebody in a list any more.
    Gone {
        /// Whose member.
        of: Someone,
    },
    /// Nobody who runs was told since then that an honest member left.
    NobodyLeft {
        /// When it begins to count, in milliseconds of the story.
        since_ms: u64,
    },
    /// Somebody asked for a record since then, or nobody did (design R5).
    Asked {
        /// When it begins to count, in milliseconds of the story.
        since_ms: u64,
        /// Whether somebody did.
        asked: bool,
    },
    /// This host's list has so many members.
    Members {
        /// Who looks.
        observer: usize,
        /// How many.
        count: usize,
    },
}
