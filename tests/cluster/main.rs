//! Clusters of real peers: every story here is played by the simulator first and by real peers then, the same value; and
//! what clusters promise to those who write tests with them.
//!
//! Stories take as long as they say, but hardly any processor, so several run side by side.

mod stories;
mod words;

use std::future::Future;

use libtest_mimic::{Arguments, Failed, Trial};
use parlor_testkit::cluster::{self, Failure};
use parlor_testkit::sim;
use parlor_testkit::story::Story;

/// More than there are processors, because stories mostly wait.
const SIDE_BY_SIDE: usize = 6;
/// How often the simulator plays each story.
const DICE: u64 = 20;

fn main() {
    let stories = stories::all().into_iter().map(|story| {
        let name = format!("stories::{}", story.name.replace(' ', "_"));
        Trial::test(name, move || both(&story))
    });
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(SIDE_BY_SIDE);
    libtest_mimic::run(&arguments, stories.chain(words::all()).collect()).exit();
}

/// Runs to the end what real peers do, on one thread.
fn told(test: impl Future<Output = Result<(), Failure>>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(test).map_err(|failure| Failed::from(failure.to_string()))
}

/// The same story for the simulator, with some throws of the dice, and for real peers.
fn both(story: &Story) -> Result<(), Failed> {
    for seed in 0..DICE {
        sim::check(&story.clone().seed(seed)).map_err(|failure| Failed::from(failure.to_string()))?;
    }
    told(async {
        println!("{}: {}", story.name, cluster::play(story).await?);
        Ok(())
    })
}
