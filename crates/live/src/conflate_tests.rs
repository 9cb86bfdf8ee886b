use super::*;
use crate::fixture::{member, metadata, snapshot};
use parlor_core::LeftReason;
use serde_json::{Value, json};

fn updated(row: Arc<Member>, changed: &[&str]) -> Event {
    Event::Updated { member: row, changed: changed.iter().map(ToString::to_string).collect() }
}

fn left(row: Arc<Member>) -> Event {
    Event::Left { member: row, reason: LeftReason::Left }
}

/// A conflater that already told of these members.
fn told(rows: Vec<Arc<Member>>) -> Conflate {
    let mut conflate = Conflate::default();
    conflate.reset(&snapshot(rows));
    while conflate.take().is_some() {}
    conflate
}

fn json_of(batch: &Batch) -> Value {
    let json = serde_json::to_value(batch).unwrap();
    assert_eq!(serde_json::to_vec(batch).unwrap().len(), json_len(batch));
    json
}

#[test]
fn many_updates_of_a_member_are_one_with_the_latest_values() {
    let mut conflate = told(vec![member("m", 1, json!({"status": "online"}))]);
    for x in 0..100 {
        conflate.apply(updated(member("m", 1, json!({"status": "online", "cursor": x})), &["cursor"]));
    }
    conflate.apply(updated(member("m", 1, json!({"cursor": 99, "tool": null})), &["status", "tool"]));
    let batch = json_of(&conflate.take().unwrap());
    assert_eq!(batch["events"], json!([]));
    assert_eq!(batch["updates"].as_array().unwrap().len(), 1);
    assert_eq!(batch["updates"][0]["presence"], json!({"cursor": 99, "tool": null}), "null is a value");
    assert_eq!(batch["updates"][0]["unset"], json!(["status"]));
    assert_eq!(batch["updates"][0]["lastSeenAt"], "1970-01-01T00:00:02.000Z");
    assert!(conflate.take().is_none());
}

fn note(id: &str, text: &str) -> Arc<Note> {
    Arc::new(Note {
        id: id.to_owned(),
        x: 0.0,
        y: 0.0,
        w: 200.0,
        h: 150.0,
        z: 0.0,
        color: "yellow".into(),
        text: text.to_owned(),
        updated_at: Timestamp(1),
        updated_by: parlor_core::PublicKey([1; 32]).user_id(),
    })
}

/// The board as a reader has it after all that is waiting.
fn read_board(conflate: &mut Conflate) -> BTreeMap<String, String> {
    let mut board = BTreeMap::new();
    while let Some(batch) = conflate.take() {
        assert!(json_len(&batch) <= BATCH_MAX || batch.events.len() == 1, "{} bytes", json_len(&batch));
        for event in batch.events {
            match event {
                FeedEvent::Snapshot { .. } => board.clear(),
                FeedEvent::Board { notes, removed, .. } => {
                    board.extend(notes.iter().map(|note| (note.id.clone(), note.text.clone())));
                    removed.iter().for_each(|id| drop(board.remove(id)));
                }
                _ => {}
            }
        }
    }
    board
}

#[test]
fn a_note_that_changes_often_is_told_once_with_what_it_says_now() {
    let mut conflate = told(vec![]);
    for n in 0..100 {
        conflate.apply(Event::Board { notes: vec![note("a", &n.to_string())], removed: vec![] });
        conflate.apply(Event::Board { notes: vec![note("b", "there")], removed: vec![] });
        conflate.apply(Event::Board { notes: vec![], removed: vec!["b".into()] });
    }
    let batch = conflate.take().unwrap();
    let [FeedEvent::Board { notes, removed, rest: false }] = &batch.events[..] else { panic!("{:?}", batch.events) };
    assert_eq!((notes.len(), notes[0].text.as_str(), &removed[..]), (1, "99", &["b".to_owned()][..]));
    assert!(conflate.take().is_none());
}

#[test]
fn a_big_board_comes_in_small_batches_and_what_changes_meanwhile_is_newer() {
    let notes: Vec<Arc<Note>> = (0..2_000).map(|n| note(&format!("n{n:04}"), &"x".repeat(n % 300))).collect();
    let whole = Snapshot { notes: Arc::new(notes), ..(*snapshot(vec![member("m", 1, json!({}))])).clone() };
    let mut conflate = Conflate::default();
    conflate.reset(&whole);
    let first = conflate.take().unwrap();
    assert!(matches!(&first.events[0], FeedEvent::Snapshot { more: true, .. }));
    assert!(matches!(&first.events[1], FeedEvent::Board { rest: true, .. }));
    // The last one changes before it was told, and the one before it goes.
    conflate.apply(Event::Board { notes: vec![note("n1999", "new")], removed: vec!["n1998".into()] });
    let board = read_board(&mut conflate);
    assert_eq!((board.get("n1999").map(String::as_str), board.get("n1998")), (Some("new"), None));
    // A reader that starts over is told everything again.
    conflate.reset(&whole);
    assert_eq!(read_board(&mut conflate).len(), 2_000);
}

#[test]
fn a_note_that_fits_no_batch_goes_alone() {
    let mut conflate = told(vec![]);
    let long = "\u{1}".repeat(4_000);
    let notes = vec![note("a", &long), note("b", &long), note("c", "short")];
    conflate.apply(Event::Board { notes, removed: vec![] });
    assert_eq!(read_board(&mut conflate).len(), 3);
}

#[test]
fn messages_keep_their_order_among_events() {
    let mut conflate = told(vec![]);
    let said = |id: &str| Event::Message {
        message: Arc::new(parlor_core::Message {
            id: id.into(),
            kind: "chat".into(),
            data: json!({"text": id}),
            actor: member("m", 1, json!({})).actor.clone(),
            member_id: parlor_core::MemberId::new("m").unwrap(),
            published_at: Timestamp(1),
            kept: true,
        }),
    };
    conflate.apply(said("one"));
    conflate.apply(Event::Watching { count: 2 });
    conflate.apply(said("two"));
    let json = json_of(&conflate.take().unwrap());
    let kinds: Vec<&str> = json["events"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["message", "watching", "message"]);
    assert_eq!(json["events"][2]["message"]["data"]["text"], "two");
}

#[test]
fn a_key_is_set_or_unset_and_never_both() {
    let mut conflate = told(vec![member("m", 1, json!({}))]);
    conflate.apply(updated(member("m", 1, json!({"typing": true})), &["typing"]));
    conflate.apply(updated(member("m", 1, json!({})), &["typing"]));
    let update = conflate.take().unwrap().updates.remove(0);
    assert!(update.presence.is_empty() && update.unset == ["typing"]);
    conflate.apply(updated(member("m", 1, json!({})), &["typing"]));
    conflate.apply(updated(member("m", 1, json!({"typing": true})), &["typing"]));
    let update = conflate.take().unwrap().updates.remove(0);
    assert!(update.unset.is_empty() && update.presence["typing"] == true);
}

#[test]
fn the_same_member_id_of_two_actors_is_two_rows() {
    let mut conflate = told(vec![member("device", 1, json!({})), member("device", 2, json!({}))]);
    conflate.apply(updated(member("device", 1, json!({"x": 1})), &["x"]));
    conflate.apply(updated(member("device", 2, json!({"x": 2})), &["x"]));
    let batch = conflate.take().unwrap();
    assert_eq!(batch.updates.len(), 2);
    assert_ne!(batch.updates[0].user_id, batch.updates[1].user_id);
}

#[test]
fn events_keep_their_order_and_none_is_lost() {
    let mut conflate = told(vec![]);
    conflate.apply(Event::Joined { member: member("a", 1, json!({})) });
    conflate.apply(Event::Metadata { metadata: metadata(), changed: vec!["title".into()] });
    conflate.apply(Event::Stale { member: member("a", 1, json!({})) });
    conflate.apply(left(member("a", 1, json!({}))));
    conflate.apply(Event::Watching { count: 2 });
    conflate.apply(Event::Joined { member: member("a", 1, json!({})) });
    let batch = json_of(&conflate.take().unwrap());
    let types: Vec<_> = batch["events"].as_array().unwrap().iter().map(|event| event["type"].clone()).collect();
    assert_eq!(types, ["joined", "metadata", "stale", "left", "watching", "joined"]);
    assert_eq!(batch["events"][3]["reason"], "left");
}

#[test]
fn leaving_drops_what_was_pending() {
    let mut conflate = told(vec![member("m", 1, json!({}))]);
    conflate.apply(updated(member("m", 1, json!({"x": 1})), &["x"]));
    conflate.apply(left(member("m", 1, json!({"x": 1}))));
    conflate.apply(Event::Joined { member: member("m", 1, json!({})) });
    let batch = conflate.take().unwrap();
    assert_eq!((batch.events.len(), batch.updates.len()), (2, 0), "the old x must not land on the new row");
}

#[test]
fn a_row_event_voids_older_updates_and_newer_ones_follow_it() {
    let mut conflate = told(vec![member("m", 1, json!({}))]);
    conflate.apply(updated(member("m", 1, json!({"x": 1, "y": 1})), &["x", "y"]));
    conflate.apply(Event::Active { member: member("m", 1, json!({"x": 2, "y": 1})) });
    conflate.apply(updated(member("m", 1, json!({"x": 3, "y": 1})), &["x"]));
    let batch = json_of(&conflate.take().unwrap());
    assert_eq!(batch["events"][0]["member"]["presence"], json!({"x": 2, "y": 1}));
    assert_eq!(batch["updates"][0]["presence"], json!({"x": 3}));
}

#[test]
fn a_change_beside_the_presence_sends_the_row() {
    let mut conflate = told(vec![member("m", 1, json!({}))]);
    let mut row = (*member("m", 1, json!({"x": 1}))).clone();
    row.record.metadata.insert("role".into(), json!("incident_commander"));
    conflate.apply(updated(Arc::new(row), &[]));
    let batch = json_of(&conflate.take().unwrap());
    assert_eq!(batch["events"][0]["type"], "active");
    assert_eq!(batch["events"][0]["member"]["metadata"]["role"], "incident_commander");
    assert_eq!(batch["updates"], json!([]));
}

#[test]
fn a_big_room_comes_in_small_batches_with_everybody_once() {
    let rows: Vec<_> = (0..200_u8).map(|n| member(&format!("m{n:03}"), n, json!({"name": "n".repeat(100)}))).collect();
    let mut conflate = Conflate::default();
    conflate.reset(&snapshot(rows));
    let mut seen = Vec::new();
    let mut batches = 0;
    while let Some(batch) = conflate.take() {
        batches += 1;
        assert_eq!(batch.seq, batches);
        assert!(json_len(&batch) < BATCH_MAX, "{}", json_len(&batch));
        for event in &batch.events {
            match event {
                FeedEvent::Snapshot { more, .. } => assert!(*more && batches == 1),
                FeedEvent::Joined { rest, .. } => assert!(rest),
                other => panic!("{other:?}"),
            }
            seen.extend(rows_of(event));
        }
    }
    assert!(batches > 5);
    let expected: Vec<_> = (0..200).map(|n| format!("m{n:03}")).collect();
    assert_eq!(seen, expected, "in the stable order");
}

fn rows_of(event: &FeedEvent) -> Vec<String> {
    rows(event).iter().map(|row| row.record.member_id.to_string()).collect()
}

#[test]
fn an_update_waits_for_the_row_that_is_still_queued() {
    let rows: Vec<_> = (0..60_u8).map(|n| member(&format!("m{n:02}"), n, json!({"x": "y".repeat(200)}))).collect();
    let mut conflate = Conflate::default();
    conflate.reset(&snapshot(rows));
    conflate.apply(updated(member("m00", 0, json!({"x": 0})), &["x"]));
    conflate.apply(updated(member("m59", 59, json!({"x": 59})), &["x"]));
    let mut known = BTreeSet::new();
    let mut updates = Vec::new();
    while let Some(batch) = conflate.take() {
        known.extend(batch.events.iter().flat_map(rows_of));
        for update in batch.updates {
            assert!(known.contains(update.member_id.as_str()), "{} is not known yet", update.member_id);
            updates.push((update.member_id.to_string(), known.len()));
        }
    }
    assert_eq!(updates.len(), 2);
    assert!(updates[0].1 < 60 && updates[0].0 == "m00", "a member that is known need not wait for all: {updates:?}");
}

#[test]
fn nobody_starves_when_updates_do_not_fit() {
    let row = |n: u8, round: u32| member(&format!("m{n:02}"), n, json!({"text": "t".repeat(900), "round": round}));
    let mut conflate = told((0..40).map(|n| row(n, 0)).collect());
    let mut seen = BTreeSet::new();
    for round in 1..=8 {
        for n in 0..40 {
            conflate.apply(updated(row(n, round), &["text", "round"]));
        }
        let batch = conflate.take().unwrap();
        assert!(json_len(&batch) < BATCH_MAX);
        seen.extend(batch.updates.into_iter().map(|update| update.member_id));
    }
    assert_eq!(seen.len(), 40);
}

#[test]
fn what_is_longer_than_a_batch_goes_alone() {
    let huge = json!({"a": "x".repeat(2000), "b": "x".repeat(2000), "c": "x".repeat(2000), "d": "x".repeat(2000)});
    let mut conflate = told(vec![member("m", 1, json!({}))]);
    conflate.apply(Event::Watching { count: 1 });
    conflate.apply(Event::Joined { member: member("big", 2, huge) });
    conflate.apply(updated(member("m", 1, json!({"x": 1})), &["x"]));
    let batches: Vec<_> = std::iter::from_fn(|| conflate.take()).collect();
    let shape: Vec<_> = batches.iter().map(|batch| (batch.events.len(), batch.updates.len())).collect();
    assert_eq!(shape, [(1, 1), (1, 0)]);
}

#[test]
fn a_reset_voids_all_that_waited_but_counts_on() {
    let mut conflate = told(vec![member("m", 1, json!({}))]);
    conflate.apply(left(member("m", 1, json!({}))));
    conflate.apply(Event::Joined { member: member("n", 2, json!({})) });
    conflate.apply(updated(member("n", 2, json!({"x": 1})), &["x"]));
    conflate.reset(&snapshot(vec![member("n", 2, json!({"x": 2}))]));
    let batch = conflate.take().unwrap();
    assert_eq!((batch.seq, batch.events.len(), batch.updates.len()), (2, 1, 0));
    assert!(matches!(&batch.events[0], FeedEvent::Snapshot { more: false, members, .. } if members.len() == 1));
}

#[test]
fn a_flood_that_nobody_reads_is_noticed() {
    let mut conflate = told(vec![]);
    let row = member("m", 1, json!({"x": "y".repeat(2000)}));
    for _ in 0..2_000 {
        conflate.apply(Event::Joined { member: Arc::clone(&row) });
        conflate.apply(left(Arc::clone(&row)));
    }
    assert!(conflate.is_overfull());
    conflate.reset(&snapshot(vec![]));
    assert!(!conflate.is_overfull());
}
