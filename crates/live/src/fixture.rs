//! Rows and snapshots for unit tests of this crate.

use std::sync::Arc;

use parlor_core::{
    Actor, ActorKind, Bag, Kind, Member, MemberId, MemberRecord, MemberState, PublicKey, RoomId, RoomMetadata,
    Snapshot, Timestamp,
};
use serde_json::Value;

/// The room of all fixtures.
pub(crate) fn room() -> RoomId {
    RoomId::new("project_123").unwrap()
}

/// A member `m` with this presence, whose actor has the key `[n; 32]`.
pub(crate) fn member(m: &str, n: u8, presence: Value) -> Arc<Member> {
    let Value::Object(presence) = presence else { panic!("presence is an object") };
    Arc::new(Member {
        record: MemberRecord {
            room: room(),
            kind: Kind::Room,
            member_id: MemberId::new(m).unwrap(),
            joined_at: Timestamp(1_000),
            last_seen_at: Timestamp(2_000),
            metadata: Bag::new(),
            presence,
        },
        actor: Actor {
            kind: ActorKind::User,
            user_id: PublicKey([n; 32]).user_id(),
            name: "Quiet Otter".into(),
            via: None,
        },
        state: MemberState::Active,
        own: false,
        verified: true,
        conflict: false,
        simulated: false,
        sessions: Vec::new(),
        evidence: None,
    })
}

/// Empty metadata.
pub(crate) fn metadata() -> Arc<RoomMetadata> {
    let (metadata, version) = (Bag::new(), "a".to_owned());
    Arc::new(RoomMetadata { room: room(), kind: Kind::Room, metadata, updated_at: None, updated_by: None, version })
}

/// A snapshot of these rows.
pub(crate) fn snapshot(members: Vec<Arc<Member>>) -> Arc<Snapshot> {
    Arc::new(Snapshot {
        room: room(),
        members,
        metadata: metadata(),
        notes: Arc::default(),
        access: None,
        watching: 0,
        pace_ms: 34,
        complete: true,
        cloned: None,
        at: 0,
    })
}

/// An empty snapshot that includes events up to `at`.
pub(crate) fn snapshot_at(at: u64) -> Arc<Snapshot> {
    Arc::new(Snapshot { at, ..(*snapshot(Vec::new())).clone() })
}
