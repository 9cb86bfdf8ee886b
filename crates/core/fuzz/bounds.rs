//! What handling one input may take: memory at once, memory in all, and steps (design N10).
//!
//! An input is handled when the replica has taken it; what is then polled is made one by one, and each is a step of its own,
//! held by nobody here once it was looked at. At once, 1 MiB is the promise. In all there may be more, because rows that
//! change are built anew beside the old ones; what is promised of that is that it stays a small multiple.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use allocation_counter::AllocationInfo;

use crate::ids::Tick;
use crate::input::{Input, Output};
use crate::replica::Replica;

/// The most that is held at any moment beyond what was held before.
pub const AT_ONCE: u64 = 1024 * 1024;
/// The most that is allocated from first to last, whether it was given back or not.
pub const IN_ALL: u64 = 4 * AT_ONCE;
/// Outputs of one input. An exchange of cells is the most, and its purse is what bounds it.
const OUTPUTS_MAX: usize = 2_000;
/// The most allocations: what takes so many has lost its way.
pub const STEPS: u64 = 200_000;

static LARGEST: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// Does one thing, and fails when it took more than it may.
pub fn within<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let mut done = None;
    let took = allocation_counter::measure(|| done = Some(run()));
    climb(took.bytes_max);
    climb(took.bytes_total);
    tell(&took);
    assert!(took.bytes_max <= AT_ONCE, "{what} held {} bytes at once", took.bytes_max);
    assert!(took.bytes_total <= IN_ALL, "{what} allocated {} bytes in all", took.bytes_total);
    assert!(took.count_total <= STEPS, "{what} took {} allocations", took.count_total);
    done.expect("it ran")
}

/// One input, and all that it brings about.
pub fn handled(what: &str, replica: &mut Replica, input: Input, now: Tick, mut each: impl FnMut(Output)) {
    within(what, || replica.handle(input, now));
    polled(what, replica, &mut each);
}

/// All that a replica has to say.
pub fn polled(what: &str, replica: &mut Replica, each: &mut impl FnMut(Output)) {
    for _ in 0..OUTPUTS_MAX {
        match within(what, || replica.poll_output()) {
            Some(output) => each(output),
            None => return,
        }
    }
    panic!("{what} has outputs without end");
}

/// Each new record is a line; `cargo xtask fuzz` shows the last one.
fn tell(took: &AllocationInfo) {
    let records = [took.bytes_max, took.bytes_total];
    let risen =
        LARGEST.iter().zip(records).filter(|(held, new)| held.fetch_max(*new, Ordering::Relaxed) < *new).count();
    if risen > 0 {
        let [at_once, in_all] = LARGEST.each_ref().map(|held| held.load(Ordering::Relaxed));
        eprintln!("largest allocation: {at_once} bytes at once, {in_all} in all");
    }
}

/// Makes a larger allocation reach code that no smaller one reached, so that a fuzzer that is guided by coverage keeps the
/// input and goes on from there.
fn climb(bytes: u64) {
    match bytes.max(1).ilog2() {
        0..=11 => {}
        12 => rung::<12>(bytes),
        13 => rung::<13>(bytes),
        14 => rung::<14>(bytes),
        15 => rung::<15>(bytes),
        16 => rung::<16>(bytes),
        17 => rung::<17>(bytes),
        18 => rung::<18>(bytes),
        19 => rung::<19>(bytes),
        20 => rung::<20>(bytes),
        _ => rung::<21>(bytes),
    }
}

#[inline(never)]
fn rung<const LOG: u32>(bytes: u64) {
    // Turns of a loop are counted in steps of 1, 2, 3, 4, 8, 16, 32.
    let fine = (bytes >> (LOG - 5)) & 31;
    for turn in 0..fine {
        black_box((LOG, turn));
    }
}
