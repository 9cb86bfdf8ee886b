//! The board: fields of notes, each with a last writer (design A8, A10, R10, R11).

use serde_json::json;

use crate::cell::{Cell, CellKey, HLC_MAX};
use crate::fixture::{FakeSigner, Table, session};
use crate::wire::Frame;
use crate::{BoardChange, ErrorCode, Join, MetadataChange, Note, NoteChange};

fn note(id: &str) -> NoteChange {
    NoteChange { id: id.to_owned(), ..NoteChange::default() }
}

fn set(change: NoteChange) -> BoardChange {
    BoardChange { set: vec![change], remove: Vec::new() }
}

fn remove(id: &str) -> BoardChange {
    BoardChange { set: Vec::new(), remove: vec![id.to_owned()] }
}

fn seen(table: &Table, at: usize, id: &str) -> Option<Note> {
    table.seats[at].replica.board().notes.iter().find(|note| note.id == id).map(|note| (**note).clone())
}

// A10: only what is named is written, the rest is default and no cell.
#[test]
fn a_note_has_the_fields_that_were_written() {
    let mut table = Table::joined(2);
    table.board(0, set(NoteChange { x: Some(3.0), text: Some("hello".into()), ..note("a") })).unwrap();
    let held = seen(&table, 1, "a").unwrap();
    assert_eq!((held.x, held.y, held.w, held.h, held.z), (3.0, 0.0, 200.0, 150.0, 0.0));
    assert_eq!((held.text.as_str(), held.color.as_str()), ("hello", "yellow"));
    assert_eq!(held.updated_by, table.seats[0].who.actor.user_id);
    assert_eq!(table.seats[1].replica.cells.of_object(crate::CellKind::Board, "a").count(), 2);
    assert!(table.told(1).contains(&r#"board ["a"] []"#.to_owned()), "{:?}", table.told(1));
}

// Moving and recolouring at once both survive.
#[test]
fn writes_to_different_fields_both_survive() {
    let mut table = Table::joined(2);
    table.board(0, set(NoteChange { x: Some(1.0), color: Some("red".into()), ..note("a") })).unwrap();
    table.lose = |_, _, frame| matches!(frame, Frame::Cells(_));
    table.board(0, set(NoteChange { x: Some(50.0), ..note("a") })).unwrap();
    table.board(1, set(NoteChange { color: Some("green".into()), ..note("a") })).unwrap();
    table.lose = |_, _, _| false;
    table.pass(3 * 2_400);
    for at in 0..2 {
        let held = seen(&table, at, "a").unwrap();
        assert_eq!((held.x, held.color.as_str()), (50.0, "green"), "at {at}");
    }
}

// A removal wins over an edit that was under way; setting the note again, as an undo does, takes it back.
#[test]
fn removed_and_undone() {
    let mut table = Table::joined(2);
    table.board(0, set(NoteChange { x: Some(1.0), text: Some("keep".into()), ..note("a") })).unwrap();
    table.lose = |_, _, frame| matches!(frame, Frame::Cells(_));
    table.board(0, remove("a")).unwrap();
    table.now += 10;
    table.board(1, set(NoteChange { x: Some(2.0), ..note("a") })).unwrap();
    table.lose = |_, _, _| false;
    table.pass(3 * 2_400);
    assert_eq!(
        (seen(&table, 0, "a"), seen(&table, 1, "a")),
        (None, None),
        "no note with half of its fields comes back"
    );
    assert!(table.told(1).contains(&r#"board [] ["a"]"#.to_owned()), "{:?}", table.told(1));
    table.board(0, set(NoteChange { y: Some(7.0), ..note("a") })).unwrap();
    for at in 0..2 {
        let held = seen(&table, at, "a").unwrap();
        assert_eq!((held.x, held.y, held.text.as_str()), (2.0, 7.0, "keep"), "at {at}");
    }
    // Both by one call: it is set.
    let change = BoardChange { remove: vec!["a".to_owned()], ..set(NoteChange { y: Some(8.0), ..note("a") }) };
    table.board(1, change).unwrap();
    assert_eq!(seen(&table, 0, "a").unwrap().y, 8.0);
}

#[test]
fn an_equal_write_is_no_event_and_no_frame() {
    let mut table = Table::joined(2);
    table.board(0, set(NoteChange { x: Some(1.0), ..note("a") })).unwrap();
    table.clear();
    table.board(0, set(NoteChange { x: Some(1.0), ..note("a") })).unwrap();
    table.board(0, remove("never there")).unwrap();
    assert!(table.log.is_empty() && table.told(0).is_empty() && table.told(1).is_empty());
}

// A8 A9: what cannot be is refused whole.
#[test]
fn what_is_wrong_is_refused_and_nothing_is_touched() {
    let mut table = Table::joined(1);
    let code = |table: &mut Table, change| table.board(0, change).unwrap_err().code;
    let wrong = [
        NoteChange { x: Some(f64::NAN), ..note("a") },
        NoteChange { w: Some(0.0), ..note("a") },
        NoteChange { x: Some(1.0), ..note("") },
        note("a"),
    ];
    for change in wrong {
        let whole = BoardChange { set: vec![NoteChange { x: Some(1.0), ..note("good") }, change], remove: Vec::new() };
        assert_eq!(code(&mut table, whole), ErrorCode::InvalidBoard);
    }
    let long = NoteChange { text: Some("x".repeat(4097)), ..note("a") };
    assert_eq!(code(&mut table, set(long)), ErrorCode::PayloadTooLarge);
    let fits = NoteChange { text: Some("x".repeat(4096)), ..note("fits") };
    table.board(0, set(fits)).unwrap();
    let id = NoteChange { x: Some(1.0), ..note(&"i".repeat(65)) };
    assert_eq!(code(&mut table, set(id)), ErrorCode::PayloadTooLarge);
    table.leave(0).unwrap();
    assert_eq!(code(&mut table, set(NoteChange { x: Some(1.0), ..note("a") })), ErrorCode::NotJoined);
    assert_eq!(table.seats[0].replica.board().notes.len(), 1);
}

// A8: 2,000 notes, enforced where they are written; notes that are there can still be moved and removed.
#[test]
fn a_full_board_takes_no_new_note() {
    let mut table = Table::joined(1);
    for part in 0..4 {
        let notes = (0..500).map(|at| NoteChange { z: Some(1.0), ..note(&format!("{part} {at}")) });
        table.board(0, BoardChange { set: notes.collect(), remove: Vec::new() }).unwrap();
    }
    let refused = table.board(0, set(NoteChange { x: Some(1.0), ..note("more") })).unwrap_err();
    assert_eq!((refused.code, &refused.details["max"]), (ErrorCode::PayloadTooLarge, &json!(2000)));
    table.board(0, set(NoteChange { x: Some(1.0), ..note("1 1") })).unwrap();
    table.board(0, remove("1 1")).unwrap();
    table.board(0, set(NoteChange { x: Some(1.0), ..note("more") })).unwrap();
}

// R10 A9: over the last stamp there is, nothing can be written; who tries is told, and nothing of the call is touched.
#[test]
fn a_frozen_cell_is_an_error() {
    let mut table = Table::of(1);
    table.join(0, Join::new()).unwrap();
    let signer = FakeSigner::of("from the end of time");
    let root = table.seats[0].replica.root;
    let last = [CellKey::board("a", "x"), CellKey::metadata("title")];
    let cells = last.map(|key| Cell::write(key, HLC_MAX, Some(json!(1)), &*signer, &root));
    table.frame(0, session(66), session(66), &Frame::Cells(cells.to_vec()).encode());
    table.clear();
    let both = BoardChange {
        set: vec![NoteChange { y: Some(1.0), ..note("b") }, NoteChange { x: Some(2.0), ..note("a") }],
        remove: Vec::new(),
    };
    assert_eq!(table.board(0, both).unwrap_err().code, ErrorCode::CellFrozen);
    let title = MetadataChange::new(json!({"title": "mine", "mode": "x"}));
    assert_eq!(table.metadata(0, title).unwrap_err().code, ErrorCode::CellFrozen);
    assert!(table.log.is_empty() && table.told(0).is_empty());
    // A note whose field is frozen can still be removed.
    table.board(0, remove("a")).unwrap();
    assert!(table.seats[0].replica.board().notes.is_empty());
}
