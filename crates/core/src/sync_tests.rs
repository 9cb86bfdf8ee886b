//! Anti-entropy: what was lost is found by hashes, repaired by whoever has it, and cannot be made to cost much (R12).

use serde_json::json;

use crate::cell::{Cell, CellKey};
use crate::cells::BUCKETS;
use crate::fixture::{FakeSigner, Table, seat, session};
use crate::ids::{Rev, Seq, SessionId};
use crate::input::{DownCause, Input, Path, Verdict};
use crate::view::Event;
use crate::wire::{Beat, Frame, Pulse, SyncRequest, SyncStamps, SyncWant};
use crate::{BoardChange, MetadataChange, NoteChange};

// R12: any member may serve any cell, its writer need not be there.
#[test]
fn a_newcomer_gets_everything_at_once() {
    let mut table = Table::joined(2);
    for key in 0..40 {
        table.metadata(key % 2, MetadataChange::new(json!({ format!("k{key}"): "x".repeat(500) }))).unwrap();
    }
    let unset = vec!["k7".to_owned()];
    table.metadata(0, MetadataChange { unset, ..MetadataChange::default() }).unwrap();
    table.leave(0).unwrap();
    let late = table.add(seat(40, "late", 40, 1, table.now));
    table.clear();
    let before = table.count(1, "syncs");
    table.link(1, late);
    table.pass(10);
    assert_eq!(*table.seats[late].replica.metadata(), *table.seats[1].replica.metadata());
    assert_eq!(table.told(late).iter().filter(|event| event.starts_with("metadata")).count(), 1, "one page");
    table.pass(10_000);
    let syncs = table.count(late, "syncs") + table.count(1, "syncs") - before;
    assert!((1..=2).contains(&syncs), "one exchange from each end at most, {syncs}");
}

// R12: two sides that both wrote while they were apart have one answer.
#[test]
fn two_sides_become_one() {
    let mut table = Table::joined(2);
    table.lose = |_, _, _| true;
    for round in 0..30 {
        let at = round % 2;
        let change = MetadataChange::new(json!({ "both": round, format!("{at} {round}"): round }));
        table.metadata(at, change).unwrap();
        table.pass(10);
    }
    table.close(0, 1, DownCause::TimedOut);
    table.close(1, 0, DownCause::TimedOut);
    table.lose = |_, _, _| false;
    table.link(0, 1);
    table.pass(10);
    assert_eq!(table.seats[0].replica.metadata(), table.seats[1].replica.metadata());
    assert_eq!(table.seats[0].replica.metadata().metadata.len(), 31);
    assert_eq!(table.seats[0].replica.metadata().metadata["both"], 29, "the last writer");
}

// R12: one write that was lost is repaired within three beats, and one exchange does.
#[test]
fn a_lost_write_is_repaired_within_three_beats() {
    let mut table = Table::joined(4);
    table.lose = |_, _, frame| matches!(frame, Frame::Cells(_));
    table.metadata(0, MetadataChange::new(json!({"title": "x"}))).unwrap();
    table.lose = |_, _, _| false;
    table.clear();
    table.pass(3 * 2_400);
    for at in 1..4 {
        assert_eq!(table.seats[at].replica.metadata().metadata["title"], "x", "at {at}");
    }
    let syncs: u64 = (0..4).map(|at| table.count(at, "syncs")).sum();
    assert!(syncs <= 6, "{syncs} exchanges for one cell");
}

// R12: what no exchange can repair backs off and is counted.
#[test]
fn futile_exchanges_back_off() {
    let mut table = Table::joined(2);
    table.lose = |_, _, frame| matches!(frame, Frame::Cells(_));
    table.metadata(0, MetadataChange::new(json!({"title": "x"}))).unwrap();
    table.pass(300_000);
    let syncs = table.count(1, "syncs");
    assert!((6..=16).contains(&syncs), "{syncs} in 150 beats");
    assert!(table.count(1, "diverged") > 0);
    let diverged = |event: &&Event| matches!(event, Event::Diverged { .. });
    assert_eq!(table.seats[1].events.iter().filter(diverged).count(), 1, "told once, not at each try");
    // Any change resets.
    table.lose = |_, _, _| false;
    table.metadata(0, MetadataChange::new(json!({"mode": "y"}))).unwrap();
    table.pass(7_200);
    assert_eq!(table.seats[1].replica.metadata().metadata.len(), 2);
}

// Design N10: nobody is made to send all it has by a few bytes, again and again.
#[test]
fn exchanges_are_no_amplifier() {
    let mut table = Table::joined(2);
    for key in 0..20 {
        table.metadata(0, MetadataChange::new(json!({ format!("k{key}"): "x".repeat(1000) }))).unwrap();
    }
    table.pass(5_000);
    table.clear();
    let author = session(2);
    let direct = |table: &mut Table, frame: &Frame| {
        let bytes = frame.encode();
        table.input(0, Input::Frame { author, via: author, path: Path::Direct, bytes })
    };
    let unasked = Frame::SyncStamps(SyncStamps { buckets: (0..=255).collect(), stamps: Vec::new() });
    direct(&mut table, &unasked);
    assert!(table.log.is_empty(), "stamps that nobody asked for");
    let keys = vec![CellKey::metadata("k1"); 100];
    direct(&mut table, &Frame::SyncWant(SyncWant { keys }));
    assert_eq!(table.sent(0, 6).len(), 1, "a key named a hundred times is sent once");
    table.clear();
    for _ in 0..50 {
        direct(&mut table, &Frame::SyncRequest(SyncRequest { buckets: vec![1; BUCKETS] }));
    }
    assert!(table.sent(0, 8).len() <= 32, "{}", table.sent(0, 8).len());
    assert_eq!(table.count(0, "sync_too_often"), 49);
    let short = Frame::SyncRequest(SyncRequest { buckets: vec![1; 7] });
    assert_eq!(direct(&mut table, &short), Verdict::Reject);
    // None of these travels by gossip.
    let bytes = unasked.encode();
    assert_eq!(table.frame(0, author, author, &bytes), Verdict::Ignore);
    assert_eq!(table.count(0, "sync_by_gossip"), 1);
}

/// Keys that somebody chose to fall into one bucket still fit their frames, and still arrive.
#[test]
fn a_bucket_filled_on_purpose_is_exchanged_in_parts() {
    let mut table = Table::joined(1);
    let wanted = CellKey::metadata("seed").bucket();
    let fields: Vec<String> = (0u64..)
        .map(|at| format!("{at:064}"))
        .filter(|field| CellKey::metadata(field).bucket() == wanted)
        .take(400)
        .collect();
    let signer = FakeSigner::of("attacker");
    let root = table.seats[0].replica.root;
    for fields in fields.chunks(50) {
        let cells =
            fields.iter().map(|field| Cell::write(CellKey::metadata(field), 9 << 16, Some(json!(1)), &*signer, &root));
        let bytes = Frame::Cells(cells.collect()).encode();
        table.frame(0, session(66), session(66), &bytes);
    }
    let late = table.add(seat(40, "late", 40, 1, table.now));
    // Something of the bucket is there, so that stamps have to be named; it would be sent whole otherwise.
    let own = Cell::write(CellKey::metadata(&fields[0]), 10 << 16, Some(json!(2)), &*signer, &root);
    table.frame(late, session(66), session(66), &Frame::Cells(vec![own]).encode());
    table.link(late, 0);
    table.pass(7_200);
    assert!(table.sent(0, 8).len() > 1, "in parts");
    let held = |at: usize| table.seats[at].replica.cells.of(crate::CellKind::Metadata).count();
    assert_eq!((held(0), held(late)), (400, 400));
    assert!(table.log.iter().all(|(.., bytes)| bytes.len() <= crate::limits::PAGE_MAX));
}

/// A board of the size that the limits allow, more cells in a bucket than one frame could name: a newcomer has all of it
/// after one exchange, in frames that fit, and a lost write among them is found.
#[test]
fn a_full_board_is_exchanged() {
    let mut table = Table::joined(1);
    for part in 0..16 {
        let note = |at: usize| NoteChange {
            id: format!("note {part} {at}"),
            x: Some(at as f64),
            y: Some(part as f64),
            text: Some("some words".to_owned()),
            color: Some("blue".to_owned()),
            ..NoteChange::default()
        };
        table.board(0, BoardChange { set: (0..125).map(note).collect(), remove: Vec::new() }).unwrap();
    }
    table.pass(5_000);
    let late = table.add(seat(40, "late", 40, 1, table.now));
    table.clear();
    table.link(0, late);
    table.pass(50);
    assert_eq!(table.seats[late].replica.board().notes.len(), 2_000);
    assert_eq!(table.seats[late].replica.board(), table.seats[0].replica.board());
    assert!(table.sent(0, 6).len() > 30 && table.log.iter().all(|(.., bytes)| bytes.len() <= crate::limits::PAGE_MAX));
    table.lose = |_, _, frame| matches!(frame, Frame::Cells(_));
    let moved = NoteChange { id: "note 3 77".to_owned(), x: Some(9_000.0), ..NoteChange::default() };
    table.board(0, BoardChange { set: vec![moved], remove: Vec::new() }).unwrap();
    table.lose = |_, _, _| false;
    table.clear();
    table.pass(3 * 2_400);
    assert_eq!(table.seats[late].replica.board(), table.seats[0].replica.board());
    let bytes: usize = table.log.iter().map(|(.., bytes)| bytes.len()).sum();
    assert!(bytes < 40_000, "{bytes} bytes for one lost write");
}

// Design N10: what a peer is sent by request has an end.
#[test]
fn questions_empty_a_purse() {
    let mut table = Table::joined(2);
    for key in 0..20 {
        table.metadata(0, MetadataChange::new(json!({ format!("k{key}"): "x".repeat(1000) }))).unwrap();
    }
    table.pass(5_000);
    table.clear();
    let author = table.seats[1].session;
    let keys: Vec<CellKey> = (0..20).map(|key| CellKey::metadata(&format!("k{key}"))).collect();
    let bytes = Frame::SyncWant(SyncWant { keys }).encode();
    let mut sent = 0;
    for _ in 0..2_000 {
        table.input(0, Input::Frame { author, via: author, path: Path::Direct, bytes: bytes.clone() });
        sent += table.log.iter().map(|(.., bytes)| bytes.len()).sum::<usize>();
        table.clear();
    }
    assert!((15 << 20..17 << 20).contains(&sent), "{sent} bytes");
    assert!(table.count(0, "sync_purse_empty") > 500);
    table.pass(60_000);
    table.clear();
    table.input(0, Input::Frame { author, via: author, path: Path::Direct, bytes });
    assert_eq!(table.sent(0, 6).len(), 1, "it fills again");
}

/// A silent link to somebody whose heartbeats say that its cells are others.
fn silent(table: &mut Table, number: u8) -> SessionId {
    let peer = SessionId([number; 32]);
    table.input(0, Input::LinkUp { peer, loopback: false });
    peer
}

fn differs(table: &mut Table, peer: SessionId, seq: u64) {
    let pulse = Pulse { count: 0, records: 0, cells: u64::from(peer.0[0]), links: 0 };
    let beat = Frame::Beat(Beat { relay: false, seq: Seq(seq), rev: Rev(0), pulse });
    table.frame(0, peer, peer, &beat.encode());
}

// R12: a difference may be on its way: it is looked into when it outlives a beat, and not while things change here.
#[test]
fn a_difference_has_to_outlive_a_beat_and_a_change() {
    let mut table = Table::joined(1);
    let peer = silent(&mut table, 70);
    differs(&mut table, peer, 1);
    table.pass(3_000);
    table.clear();
    // The first of the link was looked into at once; another hash begins anew.
    let beat = |table: &mut Table, seq| {
        let pulse = Pulse { count: 0, records: 0, cells: table.seats[0].replica.cells.hash(), links: 0 };
        let beat = Frame::Beat(Beat { relay: false, seq: Seq(seq), rev: Rev(0), pulse });
        table.frame(0, peer, peer, &beat.encode());
    };
    beat(&mut table, 2);
    differs(&mut table, peer, 3);
    assert!(table.sent(0, 7).is_empty(), "the first beat that differs");
    table.metadata(0, MetadataChange::new(json!({"title": "x"}))).unwrap();
    table.pass(100);
    differs(&mut table, peer, 4);
    assert!(table.sent(0, 7).is_empty(), "something changed just now");
    table.pass(500);
    differs(&mut table, peer, 5);
    assert_eq!(table.sent(0, 7).len(), 1);
}

// R12: one exchange in flight in a room, however many links come up at once.
#[test]
fn one_exchange_at_a_time() {
    let mut table = Table::joined(1);
    let peers: Vec<SessionId> = (70..76).map(|number| silent(&mut table, number)).collect();
    table.clear();
    for peer in &peers {
        differs(&mut table, *peer, 1);
    }
    assert_eq!(table.sent(0, 7).len(), 1);
    table.pass(600);
    for peer in &peers {
        differs(&mut table, *peer, 2);
    }
    assert_eq!(table.sent(0, 7).len(), 2, "the next when that one is over");
}

// R12: what the other end has nothing of is sent at once, without naming stamps first.
#[test]
fn an_empty_bucket_is_answered_with_its_cells() {
    let mut table = Table::joined(1);
    table.metadata(0, MetadataChange::new(json!({"title": "x"}))).unwrap();
    let peer = silent(&mut table, 70);
    table.clear();
    let bytes = Frame::SyncRequest(SyncRequest { buckets: vec![0; BUCKETS] }).encode();
    table.input(0, Input::Frame { author: peer, via: peer, path: Path::Direct, bytes });
    assert_eq!((table.sent(0, 6).len(), table.sent(0, 8).len()), (1, 0));
}
