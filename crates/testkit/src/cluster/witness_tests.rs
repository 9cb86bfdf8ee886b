use parlor::{
    Actor, ActorKind, Kind, LeftReason, MemberId, MemberRecord, MemberState, RoomId, RoomMetadata, Timestamp,
};
use parlor_core::PublicKey;
use serde_json::json;

use super::*;

fn row(cursor: u64) -> Arc<Member> {
    let record = MemberRecord {
        room: RoomId::new("story").expect("a name"),
        kind: Kind::Room,
        member_id: MemberId::new("desk").expect("a name"),
        joined_at: Timestamp(1),
        last_seen_at: Timestamp(2),
        metadata: parlor::Bag::new(),
        presence: [("cursor".to_owned(), json!(cursor))].into_iter().collect(),
    };
    let actor = Actor { kind: ActorKind::User, user_id: PublicKey([1; 32]).user_id(), name: "ann".into(), via: None };
    let (state, sessions) = (MemberState::Active, Vec::new());
    Arc::new(Member {
        record,
        actor,
        state,
        own: false,
        verified: true,
        conflict: false,
        simulated: false,
        sessions,
        evidence: None,
    })
}

fn stale(member: &Arc<Member>) -> Arc<Member> {
    Arc::new(Member { state: MemberState::Stale, ..(**member).clone() })
}

fn joined(cursor: u64) -> Event {
    Event::Joined { member: row(cursor) }
}

fn updated(cursor: u64) -> Event {
    Event::Updated { member: row(cursor), changed: vec!["cursor".into()] }
}

fn left() -> Event {
    Event::Left { member: row(1), reason: LeftReason::Left }
}

/// What is wrong with the last of these events; 1 and 2 were written by the first run, 3 and 4 by the second.
fn last(events: &[Event]) -> Result<(), Wrong> {
    let authors = Authors::from([(1, 1), (2, 1), (3, 2), (4, 2)]);
    let mut witness = Witness::new(9);
    let told = |event: &Event| witness.told(&RoomEvent::Change(event.clone()), &authors);
    let mut verdicts: Vec<_> = events.iter().map(told).collect();
    let last = verdicts.pop().expect("an event");
    assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
    last
}

fn rule(events: &[Event]) -> &'static str {
    last(events).expect_err("a broken rule").0
}

#[test]
fn a_life_is_joined_then_anything_then_left() {
    let turned = [joined(1), Event::Stale { member: stale(&row(1)) }, Event::Active { member: row(1) }];
    assert_eq!(last(&turned), Ok(()));
    assert_eq!(last(&[joined(1), updated(2), left(), joined(2)]), Ok(()));
    assert_eq!(last(&[joined(2), updated(4), updated(2)]), Ok(()), "another run speaks for the row again");

    assert_eq!(rule(&[joined(1), joined(2)]), GRAMMAR);
    assert_eq!(rule(&[updated(1)]), GRAMMAR);
    assert_eq!(rule(&[left()]), GRAMMAR);
    assert_eq!(rule(&[joined(1), left(), updated(2)]), GRAMMAR);
    assert_eq!(rule(&[Event::Stale { member: stale(&row(1)) }]), GRAMMAR);
    assert_eq!(rule(&[joined(1), Event::Active { member: row(1) }]), GRAMMAR, "it was active");
    assert_eq!(rule(&[joined(1), Event::Updated { member: row(1), changed: vec![] }]), GRAMMAR, "nothing is new");
}

#[test]
fn values_are_of_somebody_and_never_go_back() {
    assert_eq!(rule(&[joined(5)]), FORWARD, "nobody wrote 5");
    assert_eq!(rule(&[joined(1), updated(2), updated(1)]), FORWARD);
    assert_eq!(rule(&[joined(1), updated(2), left(), joined(1)]), FORWARD, "leaving forgets nothing");
}

/// Of a room in which nothing was set.
fn settings(room: RoomId) -> RoomMetadata {
    let (metadata, version) = (parlor::Bag::new(), "a".to_owned());
    RoomMetadata { room, kind: Kind::Room, metadata, updated_at: None, updated_by: None, version }
}

#[test]
fn metadata_that_changes_has_changed() {
    let room = RoomId::new("story").expect("a name");
    let none = settings(room);
    assert_eq!(rule(&[Event::Metadata { metadata: Arc::new(none), changed: vec![] }]), GRAMMAR);
}

#[test]
fn a_reader_that_starts_over_knows_what_the_snapshot_says() {
    let authors = Authors::from([(1, 1), (2, 1)]);
    let mut witness = Witness::new(9);
    let room = RoomId::new("story").expect("a name");
    let metadata = settings(room.clone());
    let snapshot = |members| {
        let (room, metadata) = (room.clone(), Arc::new(metadata.clone()));
        RoomEvent::Snapshot(Arc::new(Snapshot {
            room,
            members,
            metadata,
            notes: Arc::default(),
            access: None,
            watching: 0,
            pace_ms: 34,
            complete: true,
            cloned: None,
            at: 1,
        }))
    };
    assert_eq!(witness.told(&snapshot(vec![row(2)]), &authors), Ok(()));
    assert_eq!(witness.value(&row(2).key(), "cursor"), Some(2));
    let back = witness.told(&snapshot(vec![row(1)]), &authors).expect_err("it went back");
    assert_eq!(back.0, FORWARD);
    assert_eq!(witness.told(&snapshot(vec![]), &authors), Ok(()));
    assert!(witness.rows().is_empty());
}
