//! Numbers and JSON values in a few bytes: mostly small, at times any, at times far over the limits.

use bolero::TypeGenerator;
use bolero::generator::*;
use serde_json::{Map, Value, json};

/// A list of at most so many.
pub fn up_to<T: TypeGenerator + 'static>(most: usize) -> impl ValueGenerator<Output = Vec<T>> {
    produce::<Vec<T>>().with().len(0..=most)
}

/// A number.
#[derive(Clone, Copy, Debug, TypeGenerator)]
pub enum Number {
    Small(u8),
    Middle(u16),
    Any(u64),
    Last(u8),
}

impl Number {
    pub fn value(self) -> u64 {
        match self {
            Number::Small(number) => number.into(),
            Number::Middle(number) => number.into(),
            Number::Any(number) => number,
            Number::Last(before) => u64::MAX - u64::from(before),
        }
    }

    pub fn narrow(self) -> u32 {
        match self {
            Number::Last(before) => u32::MAX - u32::from(before),
            other => other.value() as u32,
        }
    }
}

/// A JSON value, also one that is far over the limits, or that takes far more memory than bytes.
#[derive(Clone, Debug, TypeGenerator)]
pub enum Shape {
    Nothing,
    Flag(bool),
    Int(i64),
    Float(f64),
    Text(#[generator(0..5_000)] u16),
    /// So many numbers.
    Numbers(#[generator(0..20_000)] u16),
    /// So many objects, each with another in it, and so on.
    Nested {
        #[generator(0..3_000)]
        count: u16,
        #[generator(1..10)]
        depth: u8,
    },
    /// So many keys.
    Keys(#[generator(0..300)] u16),
    List(#[generator(up_to(3))] Vec<Shape>),
}

/// Values in one shape: what has more is longer than any frame.
const VALUES_MAX: u16 = 30_000;

impl Shape {
    pub fn value(&self) -> Value {
        let mut room = VALUES_MAX;
        self.within(&mut room)
    }

    fn within(&self, room: &mut u16) -> Value {
        let mut take = |count: u16, each: u16| {
            let count = count.min(*room / each.max(1));
            *room -= count * each;
            usize::from(count)
        };
        match self {
            Shape::Nothing => Value::Null,
            Shape::Flag(flag) => json!(flag),
            Shape::Int(number) => json!(number),
            // What is no number is null.
            Shape::Float(number) => json!(number),
            Shape::Text(length) => "x".repeat((*length).into()).into(),
            Shape::Numbers(count) => vec![0; take(*count, 1)].into(),
            Shape::Nested { count, depth } => {
                let one = (0..*depth).fold(json!(0), |inner, _| json!({ "x": inner }));
                vec![one; take(*count, u16::from(*depth) + 1)].into()
            }
            Shape::Keys(count) => {
                (0..take(*count, 1)).map(|key| (format!("k{key}"), json!(key))).collect::<Map<_, _>>().into()
            }
            Shape::List(items) => items.iter().map(|item| item.within(room)).collect::<Vec<_>>().into(),
        }
    }
}
