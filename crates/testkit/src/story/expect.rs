//! What a story expects of those who live through it. An expectation stands at its place in the story like any step, and
//! must come true then or within a time that it names.

use super::Story;
use super::step::{Someone, Step};

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

impl Expect {
    /// The rules that are broken when something expected does not come true, in the order of the kinds.
    pub const RULES: [&str; 7] = [
        "all agree when they are expected to",
        "what was written is seen when it is expected to be",
        "a member is known when it is expected to be",
        "a member is gone when it is expected to be",
        "nobody leaves when nobody is expected to",
        "questions are asked when they are expected to be",
        "a list has as many members as are expected",
    ];

    /// The rule that is broken when it does not come true.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        Self::RULES[match self {
            Expect::Agreement => 0,
            Expect::Sees { .. } => 1,
            Expect::Knows { .. } => 2,
            Expect::Gone { .. } => 3,
            Expect::NobodyLeft { .. } => 4,
            Expect::Asked { .. } => 5,
            Expect::Members { .. } => 6,
        }]
    }
}

impl Story {
    /// Something is true now.
    #[must_use]
    pub fn expect(self, what: Expect) -> Self {
        self.expect_within(0, what)
    }

    /// Something becomes true within so many milliseconds.
    #[must_use]
    pub fn expect_within(self, ms: u64, what: Expect) -> Self {
        self.step(Step::Expect { what, within_ms: ms })
    }

    /// All agree now.
    #[must_use]
    pub fn expect_agreement(self) -> Self {
        self.expect(Expect::Agreement)
    }

    /// All agree within so many milliseconds.
    #[must_use]
    pub fn expect_agreement_within(self, ms: u64) -> Self {
        self.expect_within(ms, Expect::Agreement)
    }

    /// Everybody sees what somebody wrote last to a field, within so many milliseconds.
    #[must_use]
    pub fn expect_seen_within(self, ms: u64, of: impl Into<Someone>, field: &str) -> Self {
        self.expect_within(ms, Expect::Sees { observers: Vec::new(), of: of.into(), field: field.to_owned() })
    }

    /// Everybody has a member of somebody in the list within so many milliseconds.
    #[must_use]
    pub fn expect_known_within(self, ms: u64, of: impl Into<Someone>) -> Self {
        self.expect_within(ms, Expect::Knows { observers: Vec::new(), of: of.into() })
    }

    /// Nobody has a member of somebody in the list any more, within so many milliseconds.
    #[must_use]
    pub fn expect_gone_within(self, ms: u64, of: impl Into<Someone>) -> Self {
        self.expect_within(ms, Expect::Gone { of: of.into() })
    }

    /// Nobody was told since then that somebody left.
    #[must_use]
    pub fn expect_nobody_left_since(self, ms: u64) -> Self {
        self.expect(Expect::NobodyLeft { since_ms: ms })
    }

    /// Nobody asked for a record since then.
    #[must_use]
    pub fn expect_nobody_asked_since(self, ms: u64) -> Self {
        self.expect(Expect::Asked { since_ms: ms, asked: false })
    }

    /// Somebody asked for a record since then.
    #[must_use]
    pub fn expect_somebody_asked_since(self, ms: u64) -> Self {
        self.expect(Expect::Asked { since_ms: ms, asked: true })
    }

    /// A host's list has so many members.
    #[must_use]
    pub fn expect_members(self, observer: usize, count: usize) -> Self {
        self.expect(Expect::Members { observer, count })
    }
}
