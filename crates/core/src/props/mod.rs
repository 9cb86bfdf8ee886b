//! Properties: what holds for all inputs, not for the ones somebody thought of.
//!
//! - [`callers`]: one replica and the people who call it, held against a model that says the promises of design A2 to A7
//!   and R7 in a few lines;
//! - [`weather`]: one observer of several owners whose frames are lost, doubled, late and out of order, held against what
//!   it may show (design R4 to R9, R14);
//! - [`cells`] and [`records`]: merging is free of order and of repetition, caps and tombstones included (design R10 to
//!   R12, R4);
//! - [`rule`]: who may write what in a private room is the same verdict in any order (design N8);
//! - [`wire`]: writing and reading are inverse for every kind of frame (design N9).
//!
//! A case that fails is shrunk and printed as the list of steps that lead to it. `PROPTEST_CASES` says how many cases
//! each property is tried with; without it, as many as a test run has time for.

mod callers;
mod callers_model;
mod cells;
mod records;
mod rule;
mod weather;
mod weather_model;
mod weather_scene;
mod wire;

use proptest::test_runner::Config;

/// As many cases as are asked for by `PROPTEST_CASES`, else `usual`.
fn cases(usual: u32) -> Config {
    let asked = Config::default();
    if std::env::var_os("PROPTEST_CASES").is_some() { asked } else { Config { cases: usual, ..asked } }
}
