//! Frames in a few bytes: what a fuzzer changes, and how it becomes a frame.
//!
//! Names come from small sets, so that frames are about the same records and registers; numbers are mostly small, at times
//! any, and at times the last there are. Signatures are good where the sketch does not say otherwise, or nothing that is
//! behind them would ever be reached.

use std::sync::{Arc, LazyLock};

use bolero::TypeGenerator;
use serde_json::{Value, json};

use super::shape::{Number, Shape, up_to};
use super::{INPUT_MAX, tape};
use crate::cell::{Cell, CellKey, CellKind, Stamp};
use crate::fixture::FakeSigner;
use crate::ids::{MemberId, Rev, Seq, SessionId};
use crate::proof::{Certificate, LocalActor, Signer};
use crate::raw::Raw;
use crate::value::Key;
use crate::wire::{
    Ask, Beat, Delta, FieldChange, Frame, Full, Introduction, Leave, Pulse, RecordChange, Said, SyncRequest,
    SyncStamps, SyncWant,
};

/// What fits the longest input, and a little more.
fn as_fits<T>(items: impl Iterator<Item = T>, size: impl Fn(&T) -> usize) -> Vec<T> {
    let mut room = INPUT_MAX;
    let fits = |item: &T| {
        let fits = room > 0;
        room = room.saturating_sub(size(item));
        fits
    };
    items.take_while(fits).collect()
}

/// A key of a bag.
#[derive(Clone, Copy, Debug, TypeGenerator)]
pub enum Name {
    Known(#[generator(0..6)] u8),
    Numbered(u8),
    Long(#[generator(0..80)] u8),
    Refused,
}

impl Name {
    pub fn text(self, turn: u16) -> String {
        let text = match self {
            Name::Known(at) => ["cursor", "title", "mode", "locked", "text", "removed"]
                .into_iter()
                .nth(at.into())
                .unwrap_or("x")
                .into(),
            Name::Numbered(number) => format!("key {number}"),
            Name::Long(length) => "k".repeat(length.into()),
            Name::Refused => "__proto__".into(),
        };
        if turn == 0 { text } else { format!("{text}{turn}") }
    }
}

/// One signature in so many is forged.
const FORGED_AT: u8 = 12;

fn is_forged(number: u8) -> bool {
    number == FORGED_AT - 1
}

/// Who a frame is from.
#[derive(Clone, Copy, Debug, TypeGenerator)]
pub enum Author {
    /// One of the people of the tape, a later run of one of them, a stranger, the observer's own profile elsewhere.
    Known(#[generator(0..5)] u8),
    /// A session that somebody made up.
    Invented(u8),
    /// The observer itself.
    Observer,
}

/// Number of the session, whose it is, and the profile.
const KNOWN: [(u8, &str, u8); 5] =
    [(2, "person 1", 2), (3, "person 2", 3), (9, "person 1", 2), (7, "stranger", 7), (8, "person 0", 1)];

impl Author {
    pub fn session(self) -> SessionId {
        SessionId([self.row().0; 32])
    }

    fn row(self) -> (u8, &'static str, u8) {
        match self {
            Author::Known(at) => KNOWN.into_iter().nth(at.into()).unwrap_or(KNOWN[0]),
            Author::Invented(number) => (number.max(10), "stranger", 7),
            Author::Observer => (1, "person 0", 1),
        }
    }

    fn certificate(self, boot: u64) -> Certificate {
        let (number, person, profile) = self.row();
        Certificate::issue(&*FakeSigner::of(person), SessionId([number; 32]), [profile; 16], boot, person)
    }
}

/// Those who write cells.
static WRITERS: LazyLock<[Arc<dyn Signer>; 3]> =
    LazyLock::new(|| ["person 0", "person 1", "stranger"].map(FakeSigner::of));

/// One field of a record, or as many like it as are asked for.
#[derive(Clone, Debug, TypeGenerator)]
pub struct FieldSketch {
    name: Name,
    #[generator(0..200)]
    more: u8,
    age: Number,
    value: Option<Shape>,
    expire: Number,
}

fn fields(sketches: &[FieldSketch]) -> Vec<FieldChange> {
    let each = |sketch: &FieldSketch| {
        let value = sketch.value.as_ref().map(|shape| Raw::of(&shape.value()));
        let (name, age, expire) = (sketch.name, sketch.age.value(), sketch.expire.value());
        let turns = 0..=u16::from(sketch.more);
        turns.map(move |turn| FieldChange { key: Key(name.text(turn)), age, value: value.clone(), expire })
    };
    as_fits(sketches.iter().flat_map(each), field_size)
}

fn field_size(change: &FieldChange) -> usize {
    change.key.0.len() + change.value.as_ref().map_or(0, Raw::len) + 3
}

/// A change of one record, or the same one of many.
#[derive(Clone, Debug, TypeGenerator)]
pub struct ChangeSketch {
    incarnation: Number,
    /// So many more, of the same record or of those that follow it.
    more: u8,
    same: bool,
    rev: Number,
    span: Number,
    act: Number,
    #[generator(up_to(3))]
    fields: Vec<FieldSketch>,
}

/// What a heartbeat says.
#[derive(Clone, Copy, Debug, TypeGenerator)]
pub struct PulseSketch {
    count: u8,
    records: u32,
    cells: u64,
    links: u32,
}

impl PulseSketch {
    fn pulse(self) -> Pulse {
        Pulse { count: self.count.into(), records: self.records, cells: self.cells, links: self.links }
    }
}

/// A whole record.
#[derive(Clone, Debug, TypeGenerator)]
pub struct FullSketch {
    seq: Number,
    /// The observer's last question, or another number.
    echo: Option<Number>,
    echoes: Number,
    #[generator(0..4)]
    boot: u8,
    guest: bool,
    member: Name,
    incarnation: Number,
    #[generator(up_to(3))]
    roster: Vec<u8>,
    more_roster: u16,
    joined: Number,
    rev: Number,
    act: Number,
    metadata: Shape,
    #[generator(up_to(3))]
    fields: Vec<FieldSketch>,
    /// One byte of the certificate is another, when this is the last.
    #[generator(0..FORGED_AT)]
    forged: u8,
}

/// A cell, or as many like it as are asked for.
#[derive(Clone, Debug, TypeGenerator)]
pub struct CellSketch {
    #[generator(0..3)]
    kind: u8,
    object: Name,
    field: Name,
    #[generator(0..64)]
    more: u8,
    hlc: Number,
    #[generator(0..3)]
    writer: u8,
    value: Option<Shape>,
    #[generator(0..FORGED_AT)]
    forged: u8,
}

impl CellSketch {
    fn kind(&self) -> CellKind {
        match self.kind {
            0 => CellKind::Metadata,
            1 => CellKind::Board,
            _ => CellKind::Log,
        }
    }

    fn key(&self, turn: u16) -> CellKey {
        let kind = self.kind();
        let field = self.field.text(turn);
        match kind {
            CellKind::Metadata => CellKey::metadata(&field),
            CellKind::Board => CellKey::board(&self.object.text(0), &field),
            _ => CellKey::message(&self.signer().public_key(), &field),
        }
    }

    fn signer(&self) -> &'static dyn Signer {
        WRITERS.get(usize::from(self.writer)).map_or(&*WRITERS[0], |writer| &**writer)
    }

    /// The cells, signed for the room with this root.
    pub fn cells(&self, root: &[u8; 32]) -> Vec<Cell> {
        let value = self.value.as_ref().map(Shape::value);
        let value = match (self.kind(), value) {
            (CellKind::Log, Some(data)) => {
                Some(json!({ "type": "chat", "data": data, "memberId": "desk", "name": "somebody" }))
            }
            (_, value) => value,
        };
        let turns = 0..=u16::from(self.more);
        let cells = turns.map(move |turn| {
            // Of different ages, and not in the order of their names.
            let hlc = self.hlc.value().wrapping_add(u64::from(turn) * 7919 % 101);
            let mut cell = Cell::write(self.key(turn), hlc, value.clone(), self.signer(), root);
            cell.signature[0] ^= u8::from(is_forged(self.forged));
            cell
        });
        as_fits(cells, |cell| cell.value.as_ref().map_or(0, Raw::len) + 100)
    }
}

/// One frame.
#[derive(Clone, Debug, TypeGenerator)]
pub enum Sketch {
    /// These bytes.
    Bytes(#[generator(up_to(200))] Vec<u8>),
    /// These, and then the same few over and over: what claims to be many.
    Filled {
        #[generator(0..12)]
        kind: u8,
        #[generator(up_to(24))]
        head: Vec<u8>,
        #[generator(up_to(12))]
        unit: Vec<u8>,
        times: u16,
    },
    /// One that somebody sent.
    Taped(u8),
    Delta {
        relay: bool,
        seq: Number,
        #[generator(up_to(4))]
        changes: Vec<ChangeSketch>,
        pulse: Option<PulseSketch>,
    },
    Beat {
        relay: bool,
        seq: Number,
        rev: Number,
        pulse: PulseSketch,
    },
    Leave {
        seq: Number,
        incarnation: Number,
        expired: bool,
    },
    Full(FullSketch),
    Ask {
        observer: bool,
        nonce: u64,
    },
    Cells(#[generator(up_to(4))] Vec<CellSketch>),
    SyncRequest {
        count: Option<u16>,
        hash: u32,
    },
    SyncStamps {
        #[generator(up_to(3))]
        buckets: Vec<u8>,
        all: bool,
        #[generator(up_to(3))]
        stamps: Vec<CellSketch>,
    },
    SyncWant(#[generator(up_to(3))] Vec<CellSketch>),
    Said {
        relay: bool,
        seq: Number,
        incarnation: Number,
        kind: Name,
        data: Shape,
    },
    Introduction {
        observer: bool,
        seq: Number,
        boot: u8,
        #[generator(0..FORGED_AT)]
        forged: u8,
    },
}

/// What a sketch needs to know of the observer.
pub struct Ground {
    pub root: [u8; 32],
    /// The nonce of its last question.
    pub asked: u64,
}

impl Sketch {
    /// The frame, as bytes.
    pub fn bytes(&self, author: Author, ground: &Ground) -> Vec<u8> {
        let mut bytes = match self {
            Sketch::Bytes(bytes) => bytes.clone(),
            Sketch::Filled { kind, head, unit, times } => {
                [&[crate::VERSION, *kind], head.as_slice(), &unit.repeat((*times).into())].concat()
            }
            Sketch::Taped(at) => tape::frame(usize::from(*at)),
            other => other.frame(author, ground).encode(),
        };
        bytes.truncate(INPUT_MAX);
        bytes
    }

    fn frame(&self, author: Author, ground: &Ground) -> Frame {
        match self {
            Sketch::Delta { relay, seq, changes, pulse } => Frame::Delta(Delta {
                relay: *relay,
                seq: Seq(seq.value()),
                changes: as_fits(changes.iter().flat_map(change), |change| {
                    change.fields.iter().map(field_size).sum::<usize>() + 5
                }),
                pulse: pulse.map(PulseSketch::pulse),
            }),
            Sketch::Beat { relay, seq, rev, pulse } => {
                Frame::Beat(Beat { relay: *relay, seq: Seq(seq.value()), rev: Rev(rev.value()), pulse: pulse.pulse() })
            }
            Sketch::Leave { seq, incarnation, expired } => {
                Frame::Leave(Leave { seq: Seq(seq.value()), incarnation: incarnation.narrow(), expired: *expired })
            }
            Sketch::Full(sketch) => Frame::Full(Box::new(full(sketch, author, ground))),
            Sketch::Ask { observer, nonce } => {
                let of = if *observer { Author::Observer } else { Author::Known(1) };
                Frame::Ask(Ask { of: of.session(), nonce: *nonce })
            }
            Sketch::Cells(cells) => Frame::Cells(cells.iter().flat_map(|cell| cell.cells(&ground.root)).collect()),
            Sketch::SyncRequest { count, hash } => {
                Frame::SyncRequest(SyncRequest { buckets: vec![*hash; count.map_or(256, usize::from)] })
            }
            Sketch::SyncStamps { buckets, all, stamps } => {
                let buckets = if *all { (0..=255).collect() } else { buckets.clone() };
                let cells = stamps.iter().flat_map(|cell| cell.cells(&ground.root));
                let stamps: Vec<(CellKey, Stamp)> = cells.map(|cell| ((*cell.key).clone(), cell.stamp())).collect();
                Frame::SyncStamps(SyncStamps { buckets, stamps })
            }
            Sketch::SyncWant(wanted) => {
                let keys = wanted.iter().flat_map(|cell| (0..=u16::from(cell.more)).map(|turn| cell.key(turn)));
                Frame::SyncWant(SyncWant { keys: keys.collect() })
            }
            Sketch::Said { relay, seq, incarnation, kind, data } => Frame::Said(Said {
                relay: *relay,
                seq: Seq(seq.value()),
                incarnation: incarnation.narrow(),
                kind: kind.text(0),
                data: Raw::of(&data.value()),
            }),
            Sketch::Introduction { observer, seq, boot, forged } => {
                let to = if *observer { Author::Observer } else { Author::Known(1) };
                let mut certificate = author.certificate((*boot).into());
                certificate.signature[0] ^= u8::from(is_forged(*forged));
                Frame::Introduction(Box::new(Introduction { to: to.session(), seq: Seq(seq.value()), certificate }))
            }
            Sketch::Bytes(_) | Sketch::Filled { .. } | Sketch::Taped(_) => unreachable!("those are bytes"),
        }
    }
}

fn change(sketch: &ChangeSketch) -> impl Iterator<Item = RecordChange> + use<'_> {
    let fields = fields(&sketch.fields);
    let each = move |turn: u8| RecordChange {
        incarnation: sketch.incarnation.narrow().wrapping_add(if sketch.same { 0 } else { turn.into() }),
        rev: Rev(sketch.rev.value().wrapping_add(turn.into())),
        span: sketch.span.value(),
        act: sketch.act.value(),
        fields: fields.clone(),
    };
    (0..=sketch.more).map(each)
}

fn full(sketch: &FullSketch, author: Author, ground: &Ground) -> Full {
    let (_, person, _) = author.row();
    let who = if sketch.guest {
        let host = FakeSigner::of(person).public_key().user_id();
        LocalActor::guest(FakeSigner::of("a guest"), "a guest", host)
    } else {
        LocalActor::user(FakeSigner::of(person), person)
    };
    let member = MemberId::new(&sketch.member.text(0)).unwrap_or_else(|_| who.actor.user_id.default_member());
    let incarnation = sketch.incarnation.narrow();
    let roster = sketch.roster.iter().map(|incarnation| u32::from(*incarnation));
    let roster = roster.chain([incarnation]).chain(0..u32::from(sketch.more_roster));
    let mut certificate = author.certificate(sketch.boot.into());
    certificate.signature[0] ^= u8::from(is_forged(sketch.forged));
    let echo = sketch.echo.map_or(ground.asked, Number::value);
    Full {
        seq: Seq(sketch.seq.value()),
        echo: vec![echo; usize::try_from(sketch.echoes.value().min(5_000)).unwrap_or(0)],
        certificate,
        actor: who.claim(author.session()),
        member,
        incarnation,
        roster: roster.collect(),
        joined_ms: sketch.joined.value(),
        rev: Rev(sketch.rev.value()),
        act: sketch.act.value(),
        metadata: Raw::of(&match sketch.metadata.value() {
            Value::Object(bag) => Value::Object(bag),
            other => json!({ "x": other }),
        }),
        fields: fields(&sketch.fields),
    }
}
