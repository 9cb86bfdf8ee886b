//! What a replica holds, register by register, for those who look: cells with their stamps, and each session's records with
//! the versions of their fields. [`crate::Holdings`] counts the same.

use serde::Serialize;
use serde_json::Value;

use crate::cell::CellKind;
use crate::fields::Fields;
use crate::ids::{MemberId, Rev, Tick, UserId};
use crate::inspect::{CellVersion, Register};
use crate::raw::Raw;
use crate::replica::Replica;

/// All that a replica holds, as of now.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// The hash of all cells, in hexadecimal digits: two peers with the same one have the same cells.
    pub hash: String,
    /// Whether everybody can be heard: this peer's own network is not out.
    pub complete: bool,
    /// Cells, tombstones and those that are not read included.
    pub cells: Vec<HeldCell>,
    /// Records of members, own ones first.
    pub records: Vec<HeldRecord>,
    /// So many cells more were left out.
    pub left_out: usize,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct HeldCell {
    /// Which register.
    pub register: Register,
    /// Who wrote it and when.
    pub version: CellVersion,
    /// The value; missing when it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "unknown"))]
    pub value: Option<Value>,
    /// Whether the register reads it. In a private room other writers' cells are kept beside it.
    pub read: bool,
}

/// What one session says of one member.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct HeldRecord {
    /// The session.
    pub session_id: String,
    /// Which of its records.
    pub incarnation: u32,
    /// The member.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub member_id: MemberId,
    /// Whose.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub user_id: UserId,
    /// It is this peer's.
    pub own: bool,
    /// Every change up to this version is known.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub rev: Rev,
    /// Milliseconds since the session was heard; missing of an own one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub heard_ms: Option<u64>,
    /// Whether it is silent.
    pub stale: bool,
    /// Its presence, by key.
    pub fields: Vec<HeldField>,
}

/// One key of somebody's presence.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct HeldField {
    /// The key.
    pub key: String,
    /// The value; missing when it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "unknown"))]
    pub value: Option<Value>,
    /// The version of the record that set it.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub rev: Rev,
    /// Milliseconds until it vanishes; missing when it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub expires_ms: Option<u64>,
}

const KINDS: [CellKind; 6] =
    [CellKind::Metadata, CellKind::Access, CellKind::Roster, CellKind::Key, CellKind::Board, CellKind::Log];

impl Replica {
    /// All of it, at most so many cells. Goes through everything that is held: for people who look, not for every frame.
    #[must_use]
    pub fn inventory(&self, cells_max: usize, now: Tick) -> Inventory {
        let held = || KINDS.into_iter().flat_map(|kind| self.cells.all_of(kind));
        let cells: Vec<HeldCell> = held()
            .take(cells_max)
            .map(|held| HeldCell {
                register: Register::of(held.key()),
                version: CellVersion::of(&held.stamp),
                value: held.cell.value.as_ref().map(Raw::value),
                read: self.cells.stamp(held.key()) == Some(held.stamp),
            })
            .collect();
        let left_out = held().count() - cells.len();
        let own = self.own.iter().map(|(incarnation, record)| HeldRecord {
            session_id: self.session().to_string(),
            incarnation: *incarnation,
            member_id: record.member.clone(),
            user_id: record.user().clone(),
            own: true,
            rev: record.rev,
            heard_ms: None,
            stale: false,
            fields: fields(&record.fields, now),
        });
        let others = self.peers.iter().flat_map(|(session, peer)| {
            peer.records.iter().map(move |(incarnation, record)| HeldRecord {
                session_id: session.to_string(),
                incarnation,
                member_id: record.member.clone(),
                user_id: record.actor.user_id.clone(),
                own: false,
                rev: record.known,
                heard_ms: Some(now.since(peer.heard)),
                stale: peer.stale,
                fields: fields(&record.fields, now),
            })
        });
        let records = own.chain(others).collect();
        let hash = format!("{:016x}", self.cells.hash());
        Inventory { hash, complete: !self.outage, cells, records, left_out }
    }
}

fn fields(fields: &Fields, now: Tick) -> Vec<HeldField> {
    let held = fields.all().map(|(key, field)| HeldField {
        key: key.to_owned(),
        value: field.value.as_ref().map(Raw::value),
        rev: field.rev,
        expires_ms: field.expires.map(|at| at.since(now)),
    });
    held.collect()
}
