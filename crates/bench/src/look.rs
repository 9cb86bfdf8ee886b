//! What looking costs who is looked at: processor time of a replica for each frame that it is given, with its flight recorder
//! and without, while somebody inspects it and while nobody does. Twins are given the same frames, in turns.

use std::hint::black_box;

use anyhow::Context;
use parlor_core::{RECORDED_BYTES, Replica};
use parlor_testkit::sim::journal::{Entry, follow};

use crate::cpu;
use crate::report::{Figure, publish};
use crate::samples::median;
use crate::scale::Room;

const MEMBERS: usize = 32;
/// What is measured of the room: so long in it, and so often.
const SPAN_MS: u64 = 60_000;
const ROUNDS: usize = 15;
/// The room that shares are told of: 33 members who move 30 times a second.
const FRAMES_A_SECOND: f64 = 1_000.0;

/// One way to be given frames.
struct Way {
    name: &'static str,
    recorded: bool,
    inspected: bool,
}

const WAYS: [Way; 4] = [
    Way { name: "neither recorded nor inspected", recorded: false, inspected: false },
    Way { name: "recorded", recorded: true, inspected: false },
    Way { name: "inspected", recorded: false, inspected: true },
    Way { name: "recorded and inspected", recorded: true, inspected: true },
];

pub(crate) fn run() -> anyhow::Result<bool> {
    eprintln!("a room of {MEMBERS}, everybody moving for {} s", SPAN_MS / 1_000);
    let mut room = Room::new(MEMBERS, true);
    room.world.keep_journal(MEMBERS);
    room.gather()?;
    room.let_look_on()?;
    // The rate takes its turns from the first change on.
    room.move_about(2_000);
    let before = room.world.take_journal();
    room.move_about(SPAN_MS);
    let moves = room.world.take_journal();
    drop(room);
    let frames = moves.iter().filter(|entry| is_frame(entry)).count();
    let mut rounds = WAYS.map(|_| Vec::new());
    for round in 0..ROUNDS {
        // Whichever comes first in a round comes last in the next.
        for turn in 0..WAYS.len() {
            let at = (round + turn) % WAYS.len();
            rounds[at].push(frame_us(&WAYS[at], &before, moves.clone(), frames)?);
        }
    }
    let [bare, others @ ..] = rounds.map(median);
    let mut figures = vec![Figure::alone(&format!("a frame, {}", WAYS[0].name), bare, "µs")];
    for (way, us) in WAYS[1..].iter().zip(others) {
        let more = (us - bare).max(0.0) * FRAMES_A_SECOND / 1e6 * 100.0;
        figures.push(Figure::beside(&format!("a frame, {}", way.name), us, "neither", bare, "µs"));
        figures.push(Figure::alone(&format!("{}, 1,000 frames a second", way.name), more, "% of a core").at_most(1.0));
    }
    publish("look", &figures)
}

fn is_frame(entry: &Entry) -> bool {
    matches!(entry, Entry::Given(parlor_core::Input::Frame { .. }, _))
}

/// Microseconds for each frame of those that a room in motion brings.
fn frame_us(way: &Way, before: &[Entry], moves: Vec<Entry>, frames: usize) -> anyhow::Result<f64> {
    let mut twin: Option<Replica> = None;
    follow(&mut twin, before);
    let mut twin = twin.context("nobody looks on")?;
    twin.inspect(way.inspected);
    twin.record(if way.recorded { RECORDED_BYTES } else { 0 });
    let began = cpu::spent_here();
    for entry in moves {
        let Entry::Given(input, tick) = entry else { continue };
        twin.handle(input, tick);
        while let Some(output) = twin.poll_output() {
            black_box(output);
        }
        if way.inspected {
            black_box(twin.take_observations());
        }
    }
    let spent = cpu::spent_here() - began;
    let rows = twin.holdings().rows;
    anyhow::ensure!(rows == MEMBERS, "the twin knows {rows} of {MEMBERS} members");
    Ok(spent.as_secs_f64() * 1e6 / frames as f64)
}
