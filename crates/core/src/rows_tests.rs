use serde_json::json;

use crate::error::ErrorCode;
use crate::fixture::{Table, member, seat, session};
use crate::view::{By, MemberState, MembersPage};
use crate::{Join, MembersQuery};

/// Two devices of one person and somebody who looks at them.
fn two_devices() -> Table {
    let mut table = Table::of(1);
    for (number, profile) in [(21, 1), (22, 2)] {
        let at = table.add(seat(number, "two devices", profile, 1, table.now));
        table.link(0, at);
        for other in 1..at {
            table.link(other, at);
        }
    }
    table
}

fn page(table: &Table, query: &MembersQuery) -> MembersPage {
    table.seats[0].replica.members(query, table.tick()).unwrap()
}

// A5 M2: one row, left only with its last session.
#[test]
fn two_devices_of_one_person_are_one_row() {
    let mut table = two_devices();
    let first = table.join(1, Join::new().presence(json!({"from": "first"})).metadata(json!({"device": 1}))).unwrap();
    table.pass(2_000);
    table.join(2, Join::new().presence(json!({"from": "second"})).metadata(json!({"device": 2}))).unwrap();
    assert_eq!(table.rows(0).len(), 1);
    let row = &table.rows(0)[0];
    assert_eq!(row.record.joined_at, first.joined_at, "the earliest");
    assert_eq!(row.record.presence["from"], "second", "of whose call came last");
    assert_eq!(row.record.metadata["device"], 2);
    assert!(!row.conflict);
    let by_session = table.by_session(0);
    assert_eq!(by_session.len(), 2);
    assert!(by_session.iter().all(|row| row.sessions.len() == 1));
    // The first one calls: it speaks now, also when it says what it said before.
    table.clear();
    let answer = table.presence(1, json!({"from": "first"})).unwrap();
    assert_eq!(answer.presence["from"], "first");
    table.pass(50);
    assert_eq!(table.rows(0)[0].record.presence["from"], "first");
    assert_eq!(table.told(0), [r#"updated two devices ["from"]"#]);
    // M2: closing one of two says nothing of leaving.
    table.clear();
    table.leave(1).unwrap();
    table.pass(1_000);
    assert!(table.told(0).iter().all(|event| event.starts_with("updated")), "{:?}", table.told(0));
    assert_eq!(table.rows(0)[0].record.presence["from"], "second");
    table.leave(2).unwrap();
    assert_eq!(table.told(0).last().unwrap(), "left two devices Left");
}

// A5: what a call answers is the row as the list has it.
#[test]
fn a_call_answers_the_whole_row() {
    let mut table = two_devices();
    let first = table.join(1, Join::new()).unwrap();
    table.pass(2_000);
    let second = table.join(2, Join::new()).unwrap();
    assert_eq!(second.joined_at, first.joined_at);
    let listed = table.seats[2].replica.members(&MembersQuery::default(), table.tick()).unwrap();
    assert_eq!(listed.members[0].record, second);
}

// A5: no clock decides who speaks, and everybody agrees who does.
#[test]
fn everybody_agrees_who_speaks() {
    let mut table = two_devices();
    table.join(1, Join::new()).unwrap();
    table.join(2, Join::new()).unwrap();
    for round in 0..20 {
        let at = 1 + round % 3 % 2;
        table.presence(at, json!({ "n": round })).unwrap();
        table.pass(40);
        for observer in 0..3 {
            assert_eq!(table.rows(observer)[0].record.presence["n"], round, "at {observer}");
        }
    }
}

// A5: the same id of two actors is two rows, and nobody takes over a row.
#[test]
fn two_actors_with_one_id_are_two_rows_in_conflict() {
    let mut table = Table::of(3);
    // Both join before they know of each other.
    table.lose = |_, _, _| true;
    table.join(0, Join::new().member_id(member("desk")).presence(json!({"a": 0}))).unwrap();
    table.join(1, Join::new().member_id(member("desk")).presence(json!({"a": 1}))).unwrap();
    table.lose = |_, _, _| false;
    table.pass(3_000);
    for at in 0..3 {
        let rows = table.rows(at);
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| row.conflict), "at {at}");
        assert_ne!(rows[0].actor.user_id, rows[1].actor.user_id);
    }
    table.presence(0, json!({"a": 2})).unwrap();
    assert_eq!((table.seen(2, 0), table.seen(2, 1)), (Some(json!({"a": 2})), Some(json!({"a": 1}))));
    table.clear();
    table.leave(0).unwrap();
    assert!(table.rows(2).iter().all(|row| !row.conflict));
    assert_eq!(table.told(2), ["left person 0 Left", "updated person 1 []"]);
}

// A4 S1: by joinedAt, then memberId, whoever moves.
#[test]
fn the_order_never_changes_because_somebody_moves() {
    let mut table = Table::of(5);
    for at in [3, 1, 4, 0, 2] {
        table.join(at, Join::new()).unwrap();
        if at != 0 {
            table.pass(10);
        }
    }
    let order = |table: &Table| table.rows(0).iter().map(|row| row.record.member_id.clone()).collect::<Vec<_>>();
    let before = order(&table);
    let joined: Vec<_> = table.rows(0).iter().map(|row| (row.record.joined_at, row.record.member_id.clone())).collect();
    assert!(joined.is_sorted(), "{joined:?}");
    for round in 0..20 {
        table.presence(round % 5, json!({ "n": round })).unwrap();
        table.pass(100);
        assert_eq!(order(&table), before);
        let snapshot: Vec<_> =
            table.seats[0].replica.snapshot().members.iter().map(|row| row.record.member_id.clone()).collect();
        assert_eq!(snapshot, before);
    }
}

// A4
#[test]
fn pages_cover_everything_once() {
    let mut table = Table::of(2);
    for desk in 0..25 {
        table.join(0, Join::new().member_id(member(&format!("desk {desk:02}")))).unwrap();
    }
    for by in [By::Member, By::Session] {
        for limit in [1, 7, 25, 100] {
            let mut seen = Vec::new();
            let mut cursor = None;
            loop {
                let page = page(&table, &MembersQuery { limit: Some(limit), cursor, by, evidence: false });
                assert_eq!((page.total, page.complete), (25, true));
                assert!(page.members.len() <= limit as usize && !page.members.is_empty());
                seen.extend(page.members.iter().map(|row| row.record.member_id.to_string()));
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            let expected: Vec<String> = (0..25).map(|desk| format!("desk {desk:02}")).collect();
            assert_eq!(seen, expected, "limit {limit}");
        }
    }
    assert_eq!(page(&table, &MembersQuery::default()).members.len(), 25, "100 when not told otherwise");
}

// A4: a page stays right when the row that it ended with has left.
#[test]
fn a_cursor_outlives_its_row() {
    let mut table = Table::of(1);
    for desk in 0..4 {
        table.join(0, Join::new().member_id(member(&format!("desk {desk}")))).unwrap();
    }
    let first = page(&table, &MembersQuery { limit: Some(2), ..MembersQuery::default() });
    let leave = crate::Leave { member_id: Some(member("desk 1")) };
    table.call(0, |replica, who, now| replica.leave(who, leave, now)).unwrap();
    let rest = page(&table, &MembersQuery { cursor: first.next_cursor, ..MembersQuery::default() });
    let rest: Vec<_> = rest.members.iter().map(|row| row.record.member_id.to_string()).collect();
    assert_eq!(rest, ["desk 2", "desk 3"]);
}

// A4
#[test]
fn wrong_limits_and_cursors_are_named() {
    let table = Table::joined(1);
    let code = |limit, cursor: Option<&str>| {
        let query = MembersQuery { limit, cursor: cursor.map(str::to_owned), ..MembersQuery::default() };
        table.seats[0].replica.members(&query, table.tick()).map_err(|error| error.code).err()
    };
    assert_eq!(code(Some(0), None), Some(ErrorCode::InvalidLimit));
    assert_eq!(code(Some(1001), None), Some(ErrorCode::InvalidLimit));
    assert_eq!((code(Some(1), None), code(Some(1000), None)), (None, None));
    for cursor in ["", "nonsense", "????", "AAAA"] {
        assert_eq!(code(None, Some(cursor)), Some(ErrorCode::InvalidCursor), "{cursor}");
    }
}

// R14: whoever only applies events knows what the list says.
#[test]
fn the_summary_of_a_lobby() {
    let mut table = Table::joined(7);
    table.presence(0, json!({"name": "Quiet Otter", "color": "#112233"})).unwrap();
    table.metadata(0, crate::MetadataChange::new(json!({"title": "Bridge"}))).unwrap();
    table.pass(100);
    let summary = table.seats[3].replica.summary();
    assert_eq!((summary.members, summary.title.as_deref(), summary.faces.len()), (7, Some("Bridge"), 5));
    let face = summary.faces.iter().find(|face| face.name == "Quiet Otter");
    assert!(face.is_none_or(|face| face.color.as_deref() == Some("#112233")));
}

// F9: two sides with many members each, merged in one go.
#[test]
fn two_populated_sides_merge() {
    let mut table = Table::of(2);
    table.lose = |_, _, _| true;
    for at in 0..2 {
        for desk in 0..60 {
            table.join(at, Join::new().member_id(member(&format!("{at} desk {desk}")))).unwrap();
        }
    }
    table.pass(11_000);
    table.lose = |_, _, _| false;
    table.link(0, 1);
    let expected: Vec<_> = table.rows(0).iter().map(|row| row.key()).collect();
    assert_eq!(expected.len(), 120);
    assert_eq!(table.rows(1).iter().map(|row| row.key()).collect::<Vec<_>>(), expected);
    assert_eq!(table.seats[1].replica.peers[&session(1)].records.len(), 60);
}

// A5: a person is grey only when all of its devices are silent.
#[test]
fn one_silent_device_does_not_grey_a_person() {
    let mut table = two_devices();
    table.join(1, Join::new()).unwrap();
    table.join(2, Join::new()).unwrap();
    table.pass(3_000);
    table.lose = |from, _, _| from == 1;
    table.pass(7_000);
    assert_eq!(table.rows(0)[0].state, MemberState::Active);
    let states: Vec<MemberState> = table.by_session(0).iter().map(|row| row.sessions[0].state).collect();
    assert_eq!(states, [MemberState::Stale, MemberState::Active]);
    table.lose = |_, _, _| true;
    table.pass(6_000);
    assert_eq!(table.rows(0)[0].state, MemberState::Stale);
}

// A1: a user is proven by its key, a guest by nothing but its host's word.
#[test]
fn a_guest_is_not_verified() {
    let mut table = Table::joined(2);
    let guest = table.seats[0].guest.clone();
    table.call(0, |replica, _, now| replica.join(&guest, Join::new(), crate::Lease::Own, now)).unwrap();
    for at in 0..2 {
        for row in table.rows(at) {
            assert_eq!(row.verified, row.actor.via.is_none(), "at {at}: {row:?}");
        }
    }
}

// A1: who is made up by a lab is known to be so by everybody, and nobody who has a key of their own is.
#[test]
fn only_a_guest_that_says_so_is_simulated() {
    let mut table = Table::of(2);
    table.link(0, 1);
    let simulated = || Join::new().metadata(json!({"simulated": true}));
    table.join(0, simulated()).unwrap();
    table.join(1, Join::new()).unwrap();
    let guest = table.seats[0].guest.clone();
    table.call(0, |replica, _, now| replica.join(&guest, simulated(), crate::Lease::Own, now)).unwrap();
    for at in 0..2 {
        let rows = table.rows(at);
        assert_eq!(rows.len(), 3);
        for row in rows {
            assert_eq!(row.simulated, row.actor.via.is_some(), "at {at}: {row:?}");
            assert_eq!(serde_json::to_value(&*row).unwrap().get("simulated").is_some(), row.simulated);
        }
    }
    for said in [json!(false), json!("true"), json!(1)] {
        let other = Join::new().metadata(json!({"simulated": said}));
        table.call(0, |replica, _, now| replica.join(&guest, other, crate::Lease::Own, now)).unwrap();
        assert!(table.rows(1).iter().all(|row| !row.simulated), "{said}");
    }
}

// R14: of a row that is not there, nothing can be told.
#[test]
fn a_row_that_never_was_has_no_end() {
    let mut table = Table::joined(2);
    let row = (member("nobody"), table.seats[1].who.actor.user_id.clone());
    let now = table.tick();
    table.seats[0].replica.refresh(&row, crate::LeftReason::Left, now);
    table.settle();
    assert!(table.told(0).is_empty(), "{:?}", table.told(0));
}
