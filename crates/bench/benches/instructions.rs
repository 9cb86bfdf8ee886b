//! Instructions of the core, by callgrind: for 256 moves in a room of 32, what they cost who moves, with the making of what is
//! said of each, and what they cost each who sees them. More than what is committed here is a regression; where it is meant, or
//! the compiler changed, the figures are set anew with a word about why.
#![allow(missing_docs, reason = "the macros make public items")]

use std::hint::black_box;

use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use parlor_bench::instructions::{Moved, Room};

/// As many instructions at most, which leaves a twentieth to compilers.
fn at_most(instructions: u64) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::with_args(["--cache-sim=no"]);
    callgrind.hard_limits([(EventKind::Ir, instructions)]);
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

#[library_benchmark(config = at_most(4_890_000))]
#[bench::in_a_room_of_32(args = (32), setup = Room::of)]
fn move_a_cursor(mut room: Room) -> Room {
    black_box(room.move_all(256));
    room
}

#[library_benchmark(config = at_most(1_712_000))]
#[bench::in_a_room_of_32(args = (32), setup = Moved::of)]
fn see_a_cursor_move(moved: Moved) -> Room {
    moved.see()
}

library_benchmark_group!(name = cursors, benchmarks = [move_a_cursor, see_a_cursor_move]);

main!(library_benchmark_groups = cursors);
