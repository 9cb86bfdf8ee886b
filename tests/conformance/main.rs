//! One table of cases, held against the crate and against the HTTP API (design §4). Every sentence of the contract has a
//! case. The commands of the window and the TypeScript client have runners of their own for the same table.

#[path = "mod.rs"]
mod conformance;
mod http;
mod rust;

use std::process::ExitCode;
use std::sync::{Arc, LazyLock};

use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

use conformance::case::Case;
use conformance::{Surface, World, cases, covered, play};
use http::Http;
use rust::Rust;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Most of them wait most of the time.
    arguments.test_threads.get_or_insert(8);
    let mut trials = vec![Trial::test("every sentence of the contract has a case", || Ok(covered()?))];
    for case in cases().into_iter().map(Arc::new) {
        if case.is_for(Rust::NAME) {
            let case = Arc::clone(&case);
            trials.push(Trial::test(format!("rust: {}", case.name), move || {
                run(&case, async |world| play(&Rust::of(world), world, &case).await)
            }));
        }
        if case.is_for(Http::NAME) {
            trials.push(Trial::test(format!("http: {}", case.name), move || {
                run(&case, async |world| play(&Http::of(world).await, world, &case).await)
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn run(case: &Case, played: impl AsyncFnOnce(&World) -> Result<(), String>) -> Result<(), Failed> {
    RUNTIME.block_on(async {
        let world = World::of(case).await;
        let outcome = played(&world).await;
        world.end().await;
        Ok(outcome?)
    })
}
