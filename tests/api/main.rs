//! The HTTP API, asked everything that its own OpenAPI document allows and much that it forbids.
//!
//! schemathesis reads the document of a running `parlor serve` and makes requests of it: the examples, every bound of
//! every field from both sides, and thousands at random. Each answer must be one that the document knows: its status, its
//! media type, its shape; what the document allows is taken, what it forbids is refused, and nothing ends the peer.
//!
//! The peer runs on a host of its own, a network namespace with no way out, because some of what it is asked is to dial.
//! Streams that never end by themselves are left to the tests beside this one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use parlor_testkit::headless::Headless;
use parlor_testkit::netns::Lan;
use parlor_testkit::wait::until;
use parlor_tests::run_on_hosts;
use serde_json::json;

/// Of a run, before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(400);

fn main() {
    run_on_hosts(&[("the_api_is_what_its_document_says", the_api_is_what_its_document_says)]);
}

/// A program that `cargo xtask test api` brings.
fn tool(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set: cargo xtask test api")).into()
}

fn the_api_is_what_its_document_says() {
    let lan = Lan::new(1).expect("a host");
    let host = lan.host(0).expect("a host");
    let data = tempfile::tempdir().expect("a directory");
    let flags = ["--listen", "/ip4/127.0.0.1/tcp/0", "--no-multicast"];
    let mut peer = Headless::start(host, &tool("PARLOR_BIN"), data.path(), &flags).expect("a peer");
    peer.join("project_123", &json!({ "status": "online" })).expect("joining");

    let mut fuzz = fuzzer(host.command(tool("SCHEMATHESIS_BIN")), &peer, data.path());
    let log = data.path().join("fuzz.log");
    let file = std::fs::File::create(&log).expect("a log");
    fuzz.stdout(file.try_clone().expect("a log")).stderr(file).stdin(Stdio::null());
    let mut fuzz = fuzz.spawn().expect("schemathesis");
    let said = || std::fs::read_to_string(&log).unwrap_or_default();
    let (status, _) = until(PATIENCE, "the end of the requests", || {
        if let Some(status) = peer.ended().expect("its status") {
            panic!("the peer ended with {status}: {}\n{}", peer.complaints(), said());
        }
        fuzz.try_wait().expect("its status")
    });
    assert!(status.success(), "{}\nand the peer said: {}", said(), peer.complaints());
    assert!(!peer.complaints().contains("panicked"), "{}", peer.complaints());
    assert_eq!(peer.get("/healthz").expect("an answer")["status"], "ok");
    println!("{}", said());
}

/// The same requests in every run: what fails once can be looked at again.
fn fuzzer(mut command: Command, peer: &Headless<'_>, scratch: &Path) -> Command {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("api");
    command.current_dir(scratch).env("SCHEMATHESIS_HOOKS", here.join("hooks.py")).env("NO_COLOR", "1");
    command.arg("--config-file").arg(here.join("schemathesis.toml"));
    command.arg("run").arg(format!("{}/openapi.json", peer.http())).args(["--url", peer.http()]);
    command.arg("--header").arg(format!("Authorization: Bearer {}", peer.token()));
    command.args(["--exclude-path-regex", "/(events|ws|inspect|recording|replay)$", "--checks", "all"]);
    command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", "60", "--seed", "1"]);
    command.args(["--generation-database", "none", "--continue-on-failure", "--request-timeout", "10"]);
    command
}
