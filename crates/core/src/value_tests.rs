use proptest::prelude::*;
use serde_json::{Value, json};

use super::{DECIMAL, LIST, OBJECT, assign, decode, encode};
use crate::cell::json_size;

fn nested(depth: usize) -> Value {
    (1..depth).fold(json!([]), |inner, _| json!([inner]))
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |float| serde_json::Number::from_f64(float).map(Value::Number)),
        (-100_000i64..100_000, 0i32..6).prop_map(|(digits, places)| json!(digits as f64 / 10f64.powi(places))),
        ".{0,40}".prop_map(Value::from),
        Just(json!("cursor")),
    ];
    leaf.prop_recursive(6, 48, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(".{0,12}", inner, 0..8).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn reading_is_the_inverse_of_writing(value in values()) {
        prop_assert_eq!(decode(&encode(&value)), Some(value));
    }

    /// Whatever was there before.
    #[test]
    fn assigning_is_reading((held, value) in (values(), values())) {
        let mut shown = held.clone();
        prop_assert_eq!(assign(&mut shown, &encode(&value)), held != value);
        prop_assert_eq!(&shown, &value);
        prop_assert!(!assign(&mut shown, &encode(&value)));
    }

    /// Limits are of JSON, frames are not: what fits the one must fit the other.
    #[test]
    fn nothing_is_much_longer_than_its_json(value in values()) {
        prop_assert!(encode(&value).len() <= json_size(&value) + 4, "{value}");
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(value) = decode(&bytes) {
            prop_assert_eq!(decode(&encode(&value)), Some(value));
        }
    }
}

#[test]
fn numbers_come_back_to_the_bit() {
    for float in [0.1, -0.0, 512.25, 300.5, 1e300, 5e-324, f64::MAX, 0.1 + 0.2, 9_007_199_254_740_993.0, 1.0, -2.5e-7] {
        let value = json!(float);
        let back = decode(&encode(&value)).unwrap();
        assert_eq!(back.as_f64().unwrap().to_bits(), float.to_bits(), "{float}");
    }
    for value in [json!(0), json!(i64::MIN), json!(i64::MAX), json!(u64::MAX)] {
        assert_eq!(decode(&encode(&value)), Some(value));
    }
}

/// Values of nearly the same shape, as those of a field are from one change to the next.
#[test]
fn what_is_assigned_over_a_value_of_its_shape_is_all_of_it() {
    let all = [
        json!({"x": 1.5, "y": [1, 2], "t": "a"}),
        json!({"x": 1.5, "y": [1, 2], "t": "b"}),
        json!({"x": 1.5, "y": [1, 3], "t": "b"}),
        json!({"x": 1.5, "y": [1, 3, 4], "t": "b"}),
        json!({"x": {"x": 1}, "y": [1, 3, 4], "t": "b"}),
        json!({"x": {"y": 1}, "y": [1, 3, 4], "t": "b"}),
        json!({"x": {"y": 1}, "t": "b"}),
        json!({"x": {"y": 1}, "name": "b"}),
        json!([]),
        json!(null),
    ];
    for before in &all {
        for after in &all {
            let mut held = before.clone();
            assert_eq!(assign(&mut held, &encode(after)), before != after, "{before} {after}");
            assert_eq!(held, *after);
        }
    }
}

#[test]
fn floats_of_a_few_digits_take_a_few_bytes() {
    assert_eq!(encode(&json!(300.5)).len(), 4);
    assert_eq!(encode(&json!(0.1)).len(), 3);
    assert_eq!(encode(&json!(0.123_456_789_012_345_67)).len(), 9);
}

/// Depth is counted before anything is built, so that no frame can make the decoder recurse for long.
#[test]
fn depth_is_bounded_while_reading() {
    assert!(decode(&encode(&nested(8))).is_some());
    assert_eq!(decode(&encode(&nested(9))), None);
    let abyss: Vec<u8> = [LIST, 1].repeat(100_000);
    assert_eq!(decode(&abyss), None);
    let abyss: Vec<u8> = [OBJECT, 1, 0].repeat(100_000);
    assert_eq!(decode(&abyss), None);
}

#[test]
fn lengths_are_not_believed() {
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    for tag in [LIST, OBJECT, super::TEXT] {
        assert_eq!(decode(&[&[tag][..], &huge].concat()), None, "tag {tag}");
    }
    assert_eq!(decode(&[LIST, 200, 1, 0]), None, "200 items in one byte");
    assert_eq!(decode(&[super::TEXT, 31]), None, "a place in the list of known keys that is not taken");
    assert_eq!(decode(&[super::INT, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]), None, "65 bits");
    assert_eq!(decode(&[0, 0]), None, "something behind the value");
    assert_eq!(decode(&[]), None);
    assert_eq!(decode(&[99]), None, "no such tag");
}

#[test]
fn no_number_is_infinite_or_none() {
    assert_eq!(decode(&[&[super::F64][..], &f64::NAN.to_le_bytes()].concat()), None);
    assert_eq!(decode(&[&[super::F32][..], &f32::INFINITY.to_le_bytes()].concat()), None);
    assert_eq!(decode(&[DECIMAL, 2, 0xd0, 0x0f]), None, "1e1000");
}

// A8: each of them was a long text once, and all of them together never were.
#[test]
fn what_is_assigned_keeps_nothing_of_what_was_longer() {
    let texts =
        |long: usize| json!((0..500).map(|at| "x".repeat(if at == long { 2_000 } else { 1 })).collect::<Vec<_>>());
    let mut held = texts(0);
    for long in 1..500 {
        assert!(assign(&mut held, &encode(&texts(long))));
    }
    let Value::Array(items) = held else { panic!("no list") };
    let kept = |item: Value| if let Value::String(text) = item { text.capacity() } else { 0 };
    let kept: usize = items.into_iter().map(kept).sum();
    assert!(kept <= 2_000 + 500 * 24, "{kept} bytes");
}
