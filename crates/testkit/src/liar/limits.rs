//! What is longer, deeper, more or later than there is anything.

use parlor_core::{CellKey, CellKind, HLC_MAX, Signer};
use serde_json::{Value, json};

use super::waves::{of_private_rooms, tell};
use super::{Identity, Liar, Mark, wall_ms};
use crate::forge::{self, Bytes, Field, Pulse, frame};

/// What is not seen, and what turns a line around.
const UNSEEN: &str = "\u{202e}\u{2066}\u{200b}\u{200f}\u{feff}\u{ad}\u{115f}\u{e0041}";
/// A list so deep that a decoder which follows it overflows its stack.
const ABYSS: usize = 4_000;
const KIB: usize = 1_024;

fn deep(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

fn objects(count: usize) -> Value {
    Value::Array((0..count).map(|_| json!({})).collect())
}

pub(super) fn cells(liar: &mut Liar, _: &Mark, round: u32) {
    let hlc = wall_ms() << 16;
    let key = || CellKey::metadata(&format!("limit {round}"));
    let board = |field: &str| CellKey::board(&format!("note {round}"), field);
    let many = json!((0..5).map(|_| "x".repeat(2_000)).collect::<Vec<_>>());
    let keys = [
        CellKey::metadata(""),
        CellKey::metadata(&"k".repeat(65)),
        CellKey::metadata("__proto__"),
        CellKey { object: "an object".into(), ..key() },
        CellKey::board(&"n".repeat(65), "text"),
        CellKey::board("__proto__", "text"),
        board(&"f".repeat(65)),
    ];
    let values = [
        (key(), json!("x".repeat(2_049))),
        (board("text"), json!("x".repeat(4 * KIB + 1))),
        (key(), deep(8)),
        (key(), json!({ "__proto__": 1 })),
        (key(), json!({ "k".repeat(65): 1 })),
        (key(), many),
        (key(), objects(600)),
        (of_private_rooms(), json!(true)),
        (CellKey { kind: CellKind::Log, object: "m_aaaaaaaaaaaaaaaa".into(), field: "mine".into() }, json!({})),
    ];
    let mut cells: Vec<forge::Cell> = keys.into_iter().map(|key| liar.me.cell(key, Some(&json!(1)))).collect();
    cells.extend(values.into_iter().map(|(key, value)| liar.me.cell(key, Some(&value))));
    // In somebody else's name, and what is no number at all.
    let other = Identity::of("somebody else").public_key();
    let theirs = CellKey::metadata(&format!("theirs {round}"));
    cells.push(liar.me.cell_of(theirs, hlc, Some(forge::json(&json!("forged"))), other));
    for cell in &cells {
        tell(liar, &frame(forge::CELLS, &vec![cell]));
    }
    for bytes in [not_a_number(), [8, 1].repeat(ABYSS), vec![7, 0xff, 0xff, 3]] {
        let cell = liar.me.cell_of(key(), hlc, Some(Bytes(bytes)), liar.me.signer.public_key());
        tell(liar, &frame(forge::CELLS, &vec![cell]));
    }
}

/// The eight bytes of NaN behind the tag of a number.
fn not_a_number() -> Vec<u8> {
    [&[6], f64::NAN.to_le_bytes().as_slice()].concat()
}

pub(super) fn members(liar: &mut Liar, _: &Mark, round: u32) {
    let own = liar.me.full(1, |_| {});
    tell(liar, &own);
    let bags = [
        json!({ "a": "x".repeat(2_049) }),
        Value::Object((0..65).map(|key| (format!("key {key}"), json!(key))).collect()),
        json!({ "__proto__": 1 }),
        json!({ "k".repeat(65): 1 }),
        json!({ "": 1 }),
        json!({ "a": deep(8) }),
        json!({ "a": objects(600) }),
        json!({ "a": "x".repeat(2_000), "b": "x".repeat(2_000), "c": "x".repeat(2_000) }),
        json!([1]),
    ];
    for (at, value) in bags.into_iter().enumerate() {
        let metadata = forge::json(&value);
        let full = liar.me.full(10 + at as u32, |full| full.metadata = metadata);
        tell(liar, &full);
        let Value::Object(bag) = value else { continue };
        let fields: Vec<Field> = bag.iter().map(|(key, value)| forge::field(key, value)).collect();
        let full = liar.me.full(30 + at as u32, |full| full.fields = fields.clone());
        tell(liar, &full);
        let delta = liar.me.delta(1, fields);
        tell(liar, &delta);
    }
    let odd = Field { value: Some(Bytes(not_a_number())), ..forge::field("cursor", &json!(1)) };
    let delta = liar.me.delta(1, vec![odd]);
    tell(liar, &delta);
    // Each within its limit, and one after the other without end.
    let more = (0..3).map(|at| forge::field(&format!("{round} {at}"), &json!("x".repeat(1_900)))).collect();
    let delta = liar.me.delta(1, more);
    tell(liar, &delta);
    for id in [String::new(), "m".repeat(129), "a\u{7}b".to_owned()] {
        let full = liar.me.full(60, |full| full.member = id);
        tell(liar, &full);
    }
}

pub(super) fn names(liar: &mut Liar, _: &Mark, round: u32) {
    let long = "n".repeat(4 * KIB);
    let session = liar.me.certificate.session;
    let mut certificate = liar.me.certificate.clone();
    certificate.name.clone_from(&long);
    let mut message = [b"parlor session certificate v1".as_slice(), &session.0, &certificate.profile].concat();
    message.extend_from_slice(&certificate.boot.to_le_bytes());
    message.extend_from_slice(long.as_bytes());
    certificate.signature = liar.me.signer.sign(&message);
    let full = liar.me.full(70, |full| full.certificate = certificate);
    tell(liar, &full);
    let name = long.clone();
    let full = liar.me.full(71, |full| full.actor.name = name);
    tell(liar, &full);
    let full = liar.me.full(72, |full| full.member = long);
    tell(liar, &full);
    // What may be said, and looks like something else: it is a row of its own, under its own id.
    let bag = [("name", format!("{UNSEEN}Brave Heron")), (UNSEEN, "\u{202e}nretoH evarB".to_owned())];
    let bag = bag.into_iter().map(|(key, value)| (key.to_owned(), json!(value))).collect();
    let full = liar.me.full(1, |full| {
        full.actor.name = format!("Brave Heron{UNSEEN}");
        full.member = format!("{UNSEEN}desk");
        full.metadata = forge::bag(bag);
        full.fields = vec![forge::field(UNSEEN, &json!(UNSEEN)), forge::field("status", &json!(UNSEEN.repeat(40)))];
    });
    tell(liar, &full);
    let title = liar.me.cell(CellKey::metadata("title"), Some(&json!(format!("{UNSEEN}{round}"))));
    let note = liar.me.cell(CellKey::board(UNSEEN, "text"), Some(&json!(UNSEEN.repeat(100))));
    tell(liar, &frame(forge::CELLS, &vec![title, note]));
}

pub(super) fn ends(liar: &mut Liar, _: &Mark, round: u32) {
    for hlc in [0, 1, HLC_MAX - 1, HLC_MAX, HLC_MAX + 1, u64::MAX - 1, u64::MAX] {
        let key = CellKey::metadata(&format!("end {}", round % 3));
        let cell = liar.me.cell_at(key, hlc, Some(&json!(format!("{hlc}"))));
        tell(liar, &frame(forge::CELLS, &vec![cell]));
    }
    let full = liar.me.full(u32::MAX, |full| {
        (full.seq, full.rev, full.act, full.joined_ms) = (u64::MAX - 1, u64::MAX, u64::MAX, u64::MAX);
        full.roster = vec![0, u32::MAX];
    });
    tell(liar, &full);
    let change = forge::Change {
        incarnation: u32::MAX,
        rev: u64::MAX,
        span: u64::MAX,
        act: u64::MAX,
        fields: vec![Field { age: u64::MAX, expire: u64::MAX, ..forge::field("cursor", &json!(1)) }],
    };
    let delta = forge::Delta { relay: true, seq: u64::MAX - 2, changes: vec![change], pulse: None };
    tell(liar, &frame(forge::DELTA, &delta));
    let pulse = Pulse { count: u32::MAX, records: u32::MAX, cells: u64::MAX, links: u32::MAX };
    tell(liar, &frame(forge::BEAT, &forge::Beat { relay: true, seq: u64::MAX, rev: u64::MAX, pulse }));
}

pub(super) fn sizes(liar: &mut Liar, _: &Mark, round: u32) {
    // Before it says what ends its stream: 64 KiB and what is around them are more than gossip reads.
    for size in [0, 1, 2, 12 * KIB - 1, 12 * KIB, 12 * KIB + 25, 32 * KIB, 60 * KIB] {
        liar.publish(vec![1; size]);
    }
    for size in [0, 1, 2, 12 * KIB, 12 * KIB + 1, 32 * KIB, 32 * KIB + 1, 64 * KIB, 64 * KIB + 1] {
        liar.send(&vec![1; size]);
    }
    for length in [0, 1, 15, 16, u32::MAX] {
        liar.send_as_long_as(length, &[]);
    }
    if round > 1 {
        liar.publish(vec![1; 64 * KIB]);
    }
}

pub(super) fn rubbish(liar: &mut Liar, _: &Mark, round: u32) {
    let mut random = fastrand::Rng::with_seed(7 + u64::from(round));
    for kind in 0..=12 {
        let ones = [&[1, kind], vec![0xff; 40].as_slice()].concat();
        tell(liar, &ones);
        let noise: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(90).collect();
        tell(liar, &[&[1, kind], noise.as_slice()].concat());
        tell(liar, &noise);
    }
    let cell = liar.me.cell(CellKey::metadata("cut"), Some(&json!("short")));
    let whole = [liar.me.full(1, |_| {}), liar.me.beat(), liar.me.leave(7), frame(forge::CELLS, &vec![cell])];
    for frame in &whole {
        for cut in (0..frame.len()).step_by(23) {
            liar.send(&frame[..cut]);
            liar.publish(frame[..cut].to_vec());
        }
        // And one byte too many.
        tell(liar, &[frame.as_slice(), &[0]].concat());
    }
}

pub(super) fn newer(liar: &mut Liar, _: &Mark, _: u32) {
    let body = liar.me.beat().split_off(2);
    tell(liar, &[&[2, 2], body.as_slice()].concat());
}

pub(super) fn unknown(liar: &mut Liar, _: &Mark, round: u32) {
    let body = liar.me.beat().split_off(2);
    for byte in [0, 2, 9, 127, 128, 255] {
        tell(liar, &[&[byte, 2], body.as_slice()].concat());
    }
    for kind in [0, 14, 15, 100, 200, 255, (14 + round % 200) as u8] {
        tell(liar, &[&[1, kind], body.as_slice()].concat());
    }
}
