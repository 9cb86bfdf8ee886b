//! What a hostile host says. [`crate::sim`] knows how each is said, and `sim/lies/tests.rs` which rule refuses it.

/// What a host says that holds a valid session and a valid certificate of its own, and means no good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lie {
    /// A member under the `u_` id of another person (design A5).
    TheirMemberId {
        /// The host of that person.
        victim: usize,
    },
    /// A guest whose key never agreed to be hosted here.
    TheirGuest {
        /// The host of that guest.
        victim: usize,
    },
    /// A record of its own changes its member id, or its actor.
    ChangeHands,
    /// Leaves for records of another, in its own name; nobody can sign in another's.
    TheirLeave {
        /// Whose.
        victim: usize,
    },
    /// Frames that another wrote, sent again as its own.
    TheirFrames {
        /// Whose.
        victim: usize,
        /// How many.
        frames: u16,
    },
    /// Another's certificate as its own.
    TheirCertificate {
        /// Whose.
        victim: usize,
    },
    /// Values over every limit: too long, too many keys, forbidden keys.
    TooLarge,
    /// Values nested deeper than is allowed, and much deeper.
    TooDeep,
    /// A metadata cell, well signed, with this much on its clock: 0, the cap, one above the cap.
    Stamp {
        /// The hybrid clock.
        hlc: u64,
    },
    /// Metadata cells in the name of another, with a signature that does not hold.
    TheirCell {
        /// Whose.
        victim: usize,
    },
    /// Sessions that nobody started, each with a good certificate and a member.
    Sessions {
        /// How many.
        count: u16,
    },
    /// Leaves of records that never were.
    Tombstones {
        /// How many.
        count: u16,
    },
    /// Questions, to everybody, far more often than is allowed.
    Asks {
        /// How many.
        count: u16,
    },
    /// Requests for cells, stamps, wants and cells that nobody asked for.
    SyncUnasked,
    /// Sequence numbers and revisions as great as a number can be.
    LastNumbers,
    /// A boot counter as great as a number can be, of its own profile and of another's.
    LastBoot {
        /// Whose profile it claims as well.
        victim: usize,
    },
    /// In a private room: names itself a host, voids another, locks and unlocks, puts a key in force, and writes into the
    /// lock with a clock that no lock comes after.
    Usurp {
        /// Whom it voids.
        victim: usize,
    },
    /// Hashes in its heartbeats that agree with nobody's.
    FalseHashes,
    /// Swears to what is not so of whoever falls silent from now on, when it is asked and when it is not, and asks everybody
    /// far more often than is allowed.
    FalseWitness {
        /// Of whom it speaks unasked.
        victim: usize,
    },
    /// Bytes that are no frame.
    Garbage {
        /// How many times.
        count: u16,
    },
}
