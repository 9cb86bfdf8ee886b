//! Writing a frame and reading it are inverse, for every kind of frame and whatever stands in it (design N9).

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases;
use crate::cell::{Cell, CellKey, CellKind, Stamp};
use crate::delta::{self, ChangeTold, DeltaTold, FieldTold};
use crate::fixture::FakeSigner;
use crate::ids::{MemberId, PublicKey, Rev, Seq, SessionId};
use crate::limits::PAGE_MAX;
use crate::proof::{ActorClaim, Certificate, GuestClaim};
use crate::raw::Raw;
use crate::value::Key;
use crate::wire::{
    Ask, Beat, Delta, FieldChange, Frame, Full, Introduction, Leave, Pulse, RecordChange, SyncRequest, SyncStamps,
    SyncWant,
};

/// Numbers are mostly small, and now and then as great as they can be.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0u64..300, 2 => any::<u64>(), 1 => Just(u64::MAX)]
}

fn incarnation() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0u32..5, 1 => any::<u32>()]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![2 => prop::sample::select(vec!["cursor", "title", "x"]).prop_map(str::to_owned), 2 => ".{0,20}"]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("a number", |float| float.is_finite()).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn bytes<const N: usize>() -> impl Strategy<Value = [u8; N]> {
    vec(any::<u8>(), N).prop_map(|bytes| bytes.try_into().unwrap_or([0; N]))
}

fn key() -> impl Strategy<Value = PublicKey> {
    bytes().prop_map(PublicKey)
}

fn session() -> impl Strategy<Value = SessionId> {
    bytes().prop_map(SessionId)
}

fn field() -> impl Strategy<Value = FieldChange> {
    (text(), number(), prop::option::of(value()), number()).prop_map(|(key, age, value, expire)| FieldChange {
        key: Key(key),
        age,
        value: value.as_ref().map(Raw::of),
        expire,
    })
}

fn pulse() -> impl Strategy<Value = Pulse> {
    (any::<u32>(), any::<u32>(), any::<u64>(), any::<u32>()).prop_map(|(count, records, cells, links)| Pulse {
        count,
        records,
        cells,
        links,
    })
}

fn delta() -> impl Strategy<Value = Frame> {
    let change = (incarnation(), number(), number(), number(), vec(field(), 0..5)).prop_map(
        |(incarnation, rev, span, act, fields)| RecordChange { incarnation, rev: Rev(rev), span, act, fields },
    );
    (any::<bool>(), number(), vec(change, 0..4), prop::option::of(pulse()))
        .prop_map(|(relay, seq, changes, pulse)| Frame::Delta(Delta { relay, seq: Seq(seq), changes, pulse }))
}

fn certificate() -> impl Strategy<Value = Certificate> {
    (key(), session(), bytes::<16>(), number(), text(), bytes::<64>()).prop_map(
        |(identity, session, profile, boot, name, signature)| Certificate {
            identity,
            session,
            profile,
            boot,
            name,
            signature,
        },
    )
}

fn full() -> impl Strategy<Value = Frame> {
    let guest = (key(), bytes::<64>()).prop_map(|(key, signature)| GuestClaim { key, signature });
    let actor = (text(), prop::option::of(guest)).prop_map(|(name, guest)| ActorClaim { name, guest });
    let member = "[a-zü🦀][a-z ü🦀]{0,29}".prop_map(|id| MemberId::new(&id).unwrap());
    let numbers = (number(), number(), number(), number());
    let lists = (vec(number(), 0..4), vec(incarnation(), 0..4), vec(field(), 0..5));
    (certificate(), actor, member, incarnation(), numbers, lists, value()).prop_map(
        |(certificate, actor, member, incarnation, (seq, joined_ms, rev, act), (echo, roster, fields), metadata)| {
            Frame::Full(Box::new(Full {
                seq: Seq(seq),
                echo,
                certificate,
                actor,
                member,
                incarnation,
                roster,
                joined_ms,
                rev: Rev(rev),
                act,
                metadata: Raw::of(&metadata),
                fields,
            }))
        },
    )
}

fn cell_key() -> impl Strategy<Value = CellKey> {
    let kind = prop::sample::select(vec![CellKind::Metadata, CellKind::Board, CellKind::Log]);
    (kind, text(), text()).prop_map(|(kind, object, field)| CellKey { kind, object, field })
}

fn cell() -> impl Strategy<Value = Cell> {
    let parts = (cell_key(), number(), prop::option::of(value()), key(), bytes::<64>());
    parts.prop_map(|(key, hlc, value, writer, signature)| {
        let written = Cell::write(key, hlc, value, &*FakeSigner::of("anybody"), &[0; 32]);
        Cell { writer, signature, ..written }
    })
}

fn stamp() -> impl Strategy<Value = Stamp> {
    (number(), key(), bytes::<16>()).prop_map(|(hlc, writer, hash)| Stamp { hlc, writer, hash })
}

/// A frame of each kind, as often as of any other.
fn frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        delta(),
        (any::<bool>(), number(), number(), pulse()).prop_map(|(relay, seq, rev, pulse)| Frame::Beat(Beat {
            relay,
            seq: Seq(seq),
            rev: Rev(rev),
            pulse
        })),
        (number(), incarnation(), any::<bool>()).prop_map(|(seq, incarnation, expired)| Frame::Leave(Leave {
            seq: Seq(seq),
            incarnation,
            expired
        })),
        full(),
        (session(), number()).prop_map(|(of, nonce)| Frame::Ask(Ask { of, nonce })),
        vec(cell(), 0..4).prop_map(Frame::Cells),
        vec(any::<u32>(), 0..300).prop_map(|buckets| Frame::SyncRequest(SyncRequest { buckets })),
        (vec(any::<u8>(), 0..40), vec((cell_key(), stamp()), 0..4))
            .prop_map(|(buckets, stamps)| Frame::SyncStamps(SyncStamps { buckets, stamps })),
        vec(cell_key(), 0..4).prop_map(|keys| Frame::SyncWant(SyncWant { keys })),
        (session(), number(), certificate()).prop_map(|(to, seq, certificate)| {
            Frame::Introduction(Box::new(Introduction { to, seq: Seq(seq), certificate }))
        }),
    ]
}

/// A delta as `outgoing` writes it.
fn written(told: &Delta) -> Vec<u8> {
    let mut changes = Vec::new();
    for change in &told.changes {
        delta::write_head(&mut changes, change.incarnation, (change.rev, change.span, change.act), change.fields.len());
        change.fields.iter().for_each(|field| delta::write_field(&mut changes, &FieldTold::from(field)));
    }
    delta::frame(told.relay, told.seq, (told.changes.len(), &changes), told.pulse.as_ref())
}

/// A delta as `incoming` reads it.
fn read(frame: &[u8]) -> Option<Delta> {
    let DeltaTold { relay, seq, changes, pulse, .. } = DeltaTold::read(&frame[2..])?;
    let field = |field: FieldTold<'_>| FieldChange {
        key: Key(field.key.to_owned()),
        age: field.age,
        value: field.value.map(Raw::copy_of),
        expire: field.expire,
    };
    let change = |change: ChangeTold<'_>| RecordChange {
        incarnation: change.incarnation,
        rev: change.rev,
        span: change.span,
        act: change.act,
        fields: change.fields.map(field).collect(),
    };
    Some(Delta { relay, seq, changes: changes.map(change).collect(), pulse })
}

proptest! {
    #![proptest_config(cases(512))]

    /// What is written is read as it was, and written again it is the same to the byte: there is one way to say a thing.
    #[test]
    fn reading_is_the_inverse_of_writing(frame in frame()) {
        let bytes = frame.encode();
        let read = Frame::decode(&bytes, PAGE_MAX);
        prop_assert_eq!(read.as_ref(), Ok(&frame));
        prop_assert_eq!(read.map(|read| read.encode()), Ok(bytes));
    }

    /// Changes are read where they lie, and written from records: as any other frame is, to the byte.
    #[test]
    fn a_delta_as_bytes_is_a_delta(frame in delta(), cut in any::<prop::sample::Index>(), odd in any::<(u8, bool)>()) {
        let mut bytes = frame.encode();
        let Frame::Delta(delta) = &frame else { unreachable!() };
        prop_assert_eq!(&written(delta), &bytes);
        prop_assert_eq!(read(&bytes), Some(delta.clone()));
        let (other, flip) = odd;
        let at = cut.index(bytes.len() - 2) + 2;
        if flip { bytes[at] ^= other } else { bytes.truncate(at) }
        let whole = match Frame::decode(&bytes, PAGE_MAX) {
            Ok(Frame::Delta(delta)) => Some(delta),
            _ => None,
        };
        prop_assert_eq!(read(&bytes), whole);
    }

    /// A part of a frame is none, nor is one with something behind it: no two frames can be taken for one, or one for two.
    #[test]
    fn a_frame_is_a_frame_as_a_whole(frame in frame(), cut in any::<prop::sample::Index>(), more in any::<u8>()) {
        let bytes = frame.encode();
        let part = &bytes[..cut.index(bytes.len())];
        prop_assert!(Frame::decode(part, PAGE_MAX).is_err());
        prop_assert!(Frame::decode(&[&bytes[..], &[more]].concat(), PAGE_MAX).is_err());
    }
}
