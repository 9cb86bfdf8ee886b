//! Fuzzing: whatever arrives, a replica neither panics, nor hangs, nor takes much memory, and it stays what it was.
//!
//! There are four targets, and each is a test of this crate:
//!
//! - [`decode`]: bytes become a frame or not; a frame that was read and written again is the same frame (design N9);
//! - [`merge`]: cells and the frames of a session mean the same in every order, and however often they come (design R1,
//!   R4, R10, R11);
//! - [`handle`]: a replica with members, notes and messages lives through frames of any kind, by any author, among calls
//!   and time that passes (design R3, N10);
//! - [`replay`]: bytes become a recording or not, and one is played without harm (design N10).
//!
//! `cargo xtask fuzz` lets libFuzzer choose the inputs, guided by what they reach in the code and by how much memory they
//! take. The ordinary tests replay the inputs in `__fuzz__/*/corpus`, and those in `__fuzz__/*/crashes`, where an input that
//! failed is kept until it is mended. The bytes of an input are drawn into one of the types of [`story`] and [`sketch`]; when
//! those change, old inputs are still inputs, but they tell another story.
//!
//! What an input may take is in [`bounds`].

mod bounds;
mod decode;
mod handle;
mod merge;
mod replay;
mod shape;
mod sketch;
mod story;
mod tape;

/// The longest frame that is tried. The longest that is ever read is half of it.
const INPUT_MAX: usize = 64 * 1024;

#[test]
fn decode() {
    bolero::check!(name = "decode").with_iterations(0).with_max_len(INPUT_MAX).for_each(decode::any_bytes);
}

#[test]
fn merge() {
    let inputs = bolero::check!(name = "merge").with_iterations(0).with_max_len(INPUT_MAX);
    inputs.with_type::<merge::Changes>().with_max_depth(8).for_each(merge::any_order);
}

#[test]
fn handle() {
    let inputs = bolero::check!(name = "handle").with_iterations(0).with_max_len(INPUT_MAX);
    inputs.with_type::<story::Story>().with_max_depth(8).for_each(handle::any_story);
}

#[test]
fn replay() {
    bolero::check!(name = "replay").with_iterations(0).with_max_len(INPUT_MAX).for_each(replay::any_file);
}

/// A corpus that nobody finds would pass for one without a fault.
#[test]
fn corpora_are_there() {
    for target in ["decode", "merge", "handle", "replay"] {
        let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/__fuzz__").join(target).join("corpus");
        let inputs = std::fs::read_dir(&corpus).map_or(0, Iterator::count);
        assert!(inputs >= 10, "{inputs} inputs in {}", corpus.display());
    }
}
