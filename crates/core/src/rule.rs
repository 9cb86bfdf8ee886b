//! Who may write what in a private room (design N8): its hosts, its lock, and those whose writing counts for nothing.
//!
//! The creator names hosts. A host locks and unlocks, voids what somebody wrote, and changes the key. All of that is said
//! by cells of the room itself, and judged anew whenever one of them comes or goes, so that every replica comes to the
//! same verdict in whatever order they arrive:
//!
//! - a lock, a void and a key are valid if and only if a host signed them; who is a host only the creator can say;
//! - while the lock is on, a cell of the metadata or the board is valid if and only if a host signed it or its clock is
//!   below that of the lock;
//! - of the valid cells of a register the one with the greatest stamp is read, but one of somebody who was voided only
//!   where nobody else wrote anything.
//!
//! Nothing here asks when a cell came. What is not valid now is kept aside, because a host, a lock or the end of one may
//! make it valid.

use std::collections::BTreeSet;

use crate::cell::{Cell, CellKey, CellKind, Stamp};
use crate::ids::PublicKey;
use crate::raw::Raw;
use crate::registers::Held;

/// The metadata key of the lock.
pub(crate) const LOCKED: &str = "locked";
/// Objects of [`CellKind::Access`]: who is a host, and whose writing is void. The field is the identity in hexadecimal.
pub(crate) const HOST: &str = "host";
pub(crate) const VOID: &str = "void";

/// What the cells of a private room say about its cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub creator: PublicKey,
    /// The creator among them.
    pub hosts: BTreeSet<PublicKey>,
    pub voided: BTreeSet<PublicKey>,
    /// The clock of the lock, while it is on.
    pub locked: Option<u64>,
}

impl Rule {
    pub fn new(creator: PublicKey) -> Self {
        Rule { creator, hosts: BTreeSet::from([creator]), voided: BTreeSet::new(), locked: None }
    }

    /// What decides among the cells of a register, the greatest being read; nothing of a cell that is not valid.
    pub fn rank(&self, cell: &Cell, stamp: Stamp) -> Option<(bool, Stamp)> {
        let hosted = self.hosts.contains(&cell.writer);
        let (valid, voidable) = match cell.key.kind {
            CellKind::Metadata if cell.key.field == LOCKED => (hosted, false),
            CellKind::Access if cell.key.object == HOST => (cell.writer == self.creator, false),
            CellKind::Access | CellKind::Key => (hosted, false),
            CellKind::Metadata | CellKind::Board => (hosted || self.locked.is_none_or(|lock| cell.hlc < lock), true),
            CellKind::Log | CellKind::Roster => (true, true),
        };
        valid.then(|| (!(voidable && self.voided.contains(&cell.writer)), stamp))
    }

    /// Why a cell can never be valid in this room, by name.
    pub fn refusal(&self, cell: &Cell) -> Option<&'static str> {
        let access = |object| cell.key.kind == CellKind::Access && cell.key.object == object;
        if access(HOST) && cell.writer != self.creator {
            return Some("cell_not_creator");
        }
        // Nobody can take the room from who made it.
        let of_creator = identity(&cell.key.field) == Some(self.creator);
        (of_creator && (access(HOST) || access(VOID))).then_some("cell_of_creator")
    }
}

/// Whether a cell of this register can change who may write what.
pub(crate) fn decides(key: &CellKey) -> bool {
    key.kind == CellKind::Access || (key.kind == CellKind::Metadata && key.field == LOCKED)
}

/// The identities that these registers name and say yes of.
pub(crate) fn named<'a>(registers: impl Iterator<Item = &'a Held>) -> impl Iterator<Item = PublicKey> {
    let yes = registers.filter(|held| held.cell.value.as_ref().is_some_and(Raw::is_true));
    yes.filter_map(|held| identity(&held.key().field))
}

/// An identity as a field names it.
pub(crate) fn identity(field: &str) -> Option<PublicKey> {
    let bytes = data_encoding::HEXLOWER.decode(field.as_bytes()).ok()?;
    Some(PublicKey(bytes.try_into().ok()?))
}

/// The field that names an identity.
pub(crate) fn field_of(identity: &PublicKey) -> String {
    data_encoding::HEXLOWER.encode(&identity.0)
}
