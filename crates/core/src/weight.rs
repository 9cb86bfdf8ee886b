//! What an encoded value takes when it is built: a list or an object of a few bytes may be one of hundreds in memory, so it
//! is weighed before (design A8, N10).

use serde_json::Value;

use crate::limits::DEPTH_MAX;
use crate::value::{LIST, OBJECT, TEXT, read_count, read_text, skip, take};

/// What a well-formed value is when it is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    /// Objects, at all levels.
    pub objects: usize,
    /// Bytes of memory, or a little more.
    pub memory: usize,
}

/// Room for so many members is made at a time, and half of it may stay empty.
const NODE_MEMBERS: usize = 11;
const NODE_BYTES: usize = NODE_MEMBERS * (size_of::<String>() + size_of::<Value>()) + 32;

/// Weighs a well-formed value; nothing is built.
pub(crate) fn weigh(bytes: &[u8]) -> Weight {
    let mut weight = Weight::default();
    match add_weight(&mut &*bytes, &mut weight) {
        Some(()) => weight,
        None => Weight { objects: usize::MAX, memory: usize::MAX },
    }
}

fn add_weight(rest: &mut &[u8], weight: &mut Weight) -> Option<()> {
    weight.memory += size_of::<Value>();
    match *rest.first()? {
        TEXT => {
            take(rest, 1)?;
            weight.memory += read_text(rest)?.len();
        }
        LIST => {
            take(rest, 1)?;
            for _ in 0..read_count(rest)? {
                add_weight(rest, weight)?;
            }
        }
        OBJECT => {
            take(rest, 1)?;
            weight.objects += 1;
            let count = read_count(rest)?;
            weight.memory += count.div_ceil(NODE_MEMBERS / 2) * NODE_BYTES;
            for _ in 0..count {
                weight.memory += read_text(rest)?.len();
                add_weight(rest, weight)?;
            }
        }
        _ => skip(rest, DEPTH_MAX, &|_| true, &|_| true)?,
    }
    Some(())
}
