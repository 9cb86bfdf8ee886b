//! y-protocols in Node: a program of its own, `peers/awareness.js`, that does the same and prints what it measured.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::moves::system::Measured;
use crate::trace::UPDATES;

pub const NAME: &str = "y-protocols in Node";
/// Below the root of the repository, where benches run. `cargo xtask bench memory` installs its packages.
const PROGRAM: &str = "crates/bench/peers/awareness.js";

#[derive(Deserialize)]
struct Said {
    encode: f64,
    apply: f64,
    both: f64,
    bytes: f64,
    whole: f64,
}

/// One round.
pub fn measured(members: usize) -> anyhow::Result<Measured> {
    let mut node = Command::new("node");
    node.arg(PROGRAM).args([members.to_string(), (UPDATES / 4).to_string()]).stderr(Stdio::inherit());
    let output = node.output().context("cannot run node")?;
    if !output.status.success() {
        bail!("{PROGRAM} ended with {}", output.status);
    }
    let Said { encode, apply, both, bytes, whole } = serde_json::from_slice(&output.stdout)?;
    Ok(Measured { encode: Some(encode), apply: Some(apply), both, bytes, whole: Some(whole) })
}
