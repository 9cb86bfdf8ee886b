//! A moment of `cargo xtask soak`, so that it does what it says.

use std::time::Duration;

use parlor_testkit::soak::{Soak, run};

use crate::party::program;

/// Four hosts and three ills or so: nothing is lost for good, and everybody comes back.
// N8
pub fn a_moment_of_it_loses_nothing() {
    let data = tempfile::tempdir().expect("a directory");
    let time = Duration::from_secs(15);
    let soak = Soak { hosts: 4, seed: 3, time, program: program(), data: data.path().to_owned() };
    let mut told = Vec::new();
    let report = run(&soak, &mut |line| told.push(line.to_owned())).expect("a soak");
    assert!(report.wrong().is_empty(), "{report}{told:#?}");
    assert!(report.messages >= 8 && report.ills >= 1, "the test lost its point: {report}");
}
