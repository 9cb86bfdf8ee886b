//! The wire, frozen (design N9): each file in `tests/golden` holds one frame of the kind it is named after, in
//! hexadecimal, and both directions must still agree with it.
//!
//! A file that is missing is written, and its test fails once so that nobody misses it. So to change the wire on purpose
//! (before anybody uses it: afterwards the version has to change), delete the file, run the tests twice, and look at the
//! difference.

use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::json;

use super::{
    Ask, Beat, Delta, FieldChange, Frame, Full, Introduction, Leave, Pulse, RecordChange, Said, SyncRequest,
    SyncStamps, SyncWant, Testimony, Unreadable, WitnessAsk,
};
use crate::cell::{Cell, CellKey, CellKind};
use crate::evidence::Word;
use crate::fixture::{FakeSigner, Table, member, session};
use crate::ids::{Rev, Seq};
use crate::limits::{FRAME_MAX, PAGE_MAX};
use crate::proof::{Certificate, LocalActor};
use crate::raw::Raw;
use crate::value::Key;

fn pulse() -> Pulse {
    Pulse { count: 2, records: 0xdead_beef, cells: 0x0123_4567_89ab_cdef, links: 0xfeed_f00d }
}

fn changes() -> Vec<FieldChange> {
    let change = |key: &str, age, value, expire| FieldChange { key: Key(key.to_owned()), age, value, expire };
    vec![
        change("cursor", 0, Some(Raw::of(&json!({"x": 512.25, "y": 300.5}))), 0),
        change("typing", 3, Some(Raw::of(&json!(true))), 6_000),
        change("a key of its own", 1, Some(Raw::of(&json!([null, -7, 1.0e300, "text", {"deep": {"er": []}}]))), 0),
        change("status", 2, None, 0),
    ]
}

fn cells() -> Vec<Cell> {
    let signer = FakeSigner::of("writer");
    let write = |field: &str, value| Cell::write(CellKey::metadata(field), 77 << 16, value, &*signer, &[7; 32]);
    let other = |key, value| Cell::write(key, 78 << 16, Some(value), &*signer, &[7; 32]);
    let said = json!({"type": "chat", "data": {"text": "hello"}, "memberId": "desk 1", "name": "Quiet Otter"});
    vec![
        write("title", Some(json!("Incident response"))),
        write("gone", None),
        other(CellKey::board("note 1", "x"), json!(12.5)),
        other(CellKey::message(&signer.public_key(), "once"), said),
    ]
}

/// What only private rooms have: who was there, who may write, and a changed key.
fn private_cells() -> Vec<Cell> {
    let signer = FakeSigner::of("creator");
    let (me, other) = (signer.public_key(), FakeSigner::of("other").public_key());
    let write = |key, value| Cell::write(key, 79 << 16, Some(value), &*signer, &[7; 32]);
    let key = |object: String, field: String| CellKey { kind: CellKind::Key, object, field };
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    vec![
        write(CellKey::roster(&me), json!("Quiet Otter")),
        write(CellKey::access("host", &other), json!(true)),
        write(CellKey::access("void", &other), json!(false)),
        write(key("epoch 1".into(), "key".into()), json!({"commitment": "AA==", "share": "AQ==", "to": "Ag=="})),
        write(key(format!("epoch 1 {}", hex(&me.0[..16])), hex(&other.0)), json!("Aw==")),
    ]
}

fn frames() -> Vec<(&'static str, Frame)> {
    let signer = FakeSigner::of("person");
    let host = LocalActor::user(signer.clone(), "Quiet Otter");
    let guest = LocalActor::guest(FakeSigner::of("guest"), "Guest", host.actor.user_id.clone());
    let full = |who: &LocalActor, echo| Full {
        seq: Seq(300),
        echo,
        certificate: Certificate::issue(&*signer, session(9), [3; 16], 1_800_000_000_123, "Quiet Otter"),
        actor: who.claim(session(9)),
        member: member("desk 1"),
        incarnation: 2,
        roster: vec![1, 2],
        joined_ms: 1_800_000_000_456,
        rev: Rev(41),
        act: 5,
        metadata: Raw::of(&json!({"role": "host"})),
        fields: changes(),
    };
    let change = |incarnation| RecordChange { incarnation, rev: Rev(42), span: 2, act: 5, fields: changes() };
    let delta = |relay, pulse| Delta { relay, seq: Seq(301), changes: vec![change(2)], pulse };
    let several = Delta { changes: vec![change(2), change(3)], ..delta(false, None) };
    let certificate = Certificate::issue(&*signer, session(9), [3; 16], 1_800_000_000_123, "Quiet Otter");
    let introduction = Introduction { to: session(4), seq: Seq(304), certificate };
    let data = Raw::of(&json!({"emoji": "🎉"}));
    let said = Said { relay: false, seq: Seq(305), incarnation: 2, kind: "reaction".to_owned(), data };
    let testimony = |word| Frame::Testimony(Testimony { of: session(4), nonce: 300, word });
    let stamps = cells().iter().map(|cell| ((*cell.key).clone(), cell.stamp())).collect();
    vec![
        ("delta", Frame::Delta(delta(false, None))),
        ("delta-with-beat", Frame::Delta(delta(true, Some(pulse())))),
        ("delta-of-several", Frame::Delta(several)),
        ("beat", Frame::Beat(Beat { relay: false, seq: Seq(302), rev: Rev(42), pulse: pulse() })),
        ("leave", Frame::Leave(Leave { seq: Seq(303), incarnation: 2, expired: true })),
        ("full", Frame::Full(Box::new(full(&host, vec![0x1122_3344_5566_7788, 9])))),
        ("full-of-guest", Frame::Full(Box::new(full(&guest, Vec::new())))),
        ("ask", Frame::Ask(Ask { of: session(4), nonce: 99 })),
        ("cells", Frame::Cells(cells())),
        ("private-cells", Frame::Cells(private_cells())),
        ("sync-request", Frame::SyncRequest(SyncRequest { buckets: (0..256).map(|bucket| bucket * 77).collect() })),
        ("sync-stamps", Frame::SyncStamps(SyncStamps { buckets: vec![1, 200], stamps })),
        ("sync-want", Frame::SyncWant(SyncWant { keys: vec![CellKey::metadata("title")] })),
        ("introduction", Frame::Introduction(Box::new(introduction))),
        ("said", Frame::Said(said)),
        ("witness-ask", Frame::WitnessAsk(WitnessAsk { of: session(4), nonce: 300 })),
        ("testimony-hears", testimony(Word::Hears(1_250))),
        ("testimony-silent", testimony(Word::Silent(Some(7_100)))),
        ("testimony-given-up", testimony(Word::Silent(None))),
        ("testimony-left", testimony(Word::Left(2))),
        ("testimony-unknown", testimony(Word::Unknown)),
    ]
}

#[test]
fn every_kind_is_as_it_was() {
    let place = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut written = Vec::new();
    for (name, frame) in frames() {
        let path = place.join(format!("{name}.hex"));
        let bytes = frame.encode();
        let Ok(golden) = std::fs::read_to_string(&path) else {
            let lines: Vec<String> = bytes.chunks(32).map(|line| data_encoding::HEXLOWER.encode(line)).collect();
            std::fs::create_dir_all(&place).unwrap();
            std::fs::write(&path, lines.join("\n") + "\n").unwrap();
            written.push(name);
            continue;
        };
        let golden: String = golden.split_whitespace().collect();
        assert_eq!(data_encoding::HEXLOWER.encode(&bytes), golden, "{name} is written differently");
        let golden = data_encoding::HEXLOWER.decode(golden.as_bytes()).unwrap();
        assert_eq!(Frame::decode(&golden, PAGE_MAX), Ok(frame), "{name} is read differently");
    }
    assert!(written.is_empty(), "wrote {written:?}, which were missing; look at them and run again");
}

#[test]
fn a_golden_file_for_every_kind() {
    let kinds: std::collections::BTreeSet<u8> = frames().iter().map(|(_, frame)| frame.kind()).collect();
    assert_eq!(kinds, (1..=13).collect());
    for kind in 0..=u8::MAX {
        let known = Frame::decode(&[super::VERSION, kind], PAGE_MAX) != Err(Unreadable::Kind);
        assert_eq!(known, kinds.contains(&kind), "kind {kind} has no golden file");
    }
}

/// Design N9: a moving cursor costs at most 40 bytes of body, also with its neighbour's value told again.
#[test]
fn a_moving_cursor_is_small() {
    let mut table = Table::joined(2);
    for step in 0..100u32 {
        let x = 512.25 + f64::from(step);
        table.presence(0, json!({"cursor": {"x": x, "y": 300.5}})).unwrap();
        table.pass(33);
    }
    let sizes: Vec<usize> = table
        .log
        .iter()
        .filter(|(at, _, bytes)| *at == 0 && bytes[1] == 1)
        .map(|(_, _, bytes)| bytes.len() - 2)
        .collect();
    assert!(sizes.len() >= 90, "{}", sizes.len());
    // A heartbeat that is due rides along and replaces a frame of its own (design R6).
    let beats =
        table.sent(0, 1).iter().filter(|frame| matches!(frame, Frame::Delta(delta) if delta.pulse.is_some())).count();
    assert!((1..=3).contains(&beats) && table.sent(0, 2).is_empty(), "{beats}");
    assert_eq!(sizes.iter().filter(|size| **size > 32).count(), beats, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= 40), "{sizes:?}");
}

#[test]
fn what_is_no_frame_is_named() {
    assert_eq!(Frame::decode(&[], PAGE_MAX), Err(Unreadable::Body));
    assert_eq!(Frame::decode(&[super::VERSION], PAGE_MAX), Err(Unreadable::Body));
    assert_eq!(Frame::decode(&[super::VERSION + 1, 1, 2, 3], PAGE_MAX), Err(Unreadable::Version(super::VERSION + 1)));
    assert_eq!(Frame::decode(&[super::VERSION, 200], PAGE_MAX), Err(Unreadable::Kind));
    // A kind that may come in pages: only what was asked for as such may be longer.
    let long = [&[super::VERSION, 6], vec![1; FRAME_MAX].as_slice()].concat();
    assert_eq!(Frame::decode(&long, FRAME_MAX), Err(Unreadable::TooLarge));
    let mut longer = frames()[3].1.encode();
    longer.push(0);
    assert_eq!(Frame::decode(&longer, PAGE_MAX), Err(Unreadable::Body), "something behind the body");
}

proptest! {
    #[test]
    fn no_bytes_make_decoding_panic(kind in 0u8..14, body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Frame::decode(&[&[super::VERSION, kind][..], &body].concat(), PAGE_MAX);
    }

    /// Frames that were damaged on the way: decoding what still decodes and encoding it again says the same.
    #[test]
    fn damage_never_panics(which in 0usize..21, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = frames()[which].1.encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(frame) = Frame::decode(&bytes, PAGE_MAX) {
            prop_assert_eq!(Frame::decode(&frame.encode(), PAGE_MAX), Ok(frame));
        }
        bytes.truncate(cut.index(bytes.len()));
        let _ = Frame::decode(&bytes, PAGE_MAX);
    }

    #[test]
    fn replicas_survive_any_frame(kind in 0u8..14, body in prop::collection::vec(any::<u8>(), 0..120)) {
        let mut table = Table::joined(2);
        let bytes = [&[super::VERSION, kind][..], &body].concat();
        for path in [crate::Path::Gossip, crate::Path::Direct] {
            let author = table.seats[1].session;
            table.input(0, crate::Input::Frame { author, via: author, path, bytes: bytes.clone() });
        }
        table.pass(15_000);
        prop_assert_eq!(table.rows(0).len(), table.rows(1).len());
    }
}
