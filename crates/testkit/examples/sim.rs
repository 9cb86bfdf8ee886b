//! Plays many seeds in parallel, and tells the first that breaks a rule: `cargo xtask sim --seeds N --from S`.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use parlor_testkit::sim::{Outcome, play as play_story, run};
use parlor_testkit::story::Story;

struct Options {
    seeds: u64,
    from: u64,
    trace: bool,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}\nusage: sim [--seeds N] [--from SEED] [--trace]");
            return ExitCode::from(2);
        }
    };
    if options.trace {
        let outcome = play_story(&Story::random(options.from), usize::MAX);
        println!("{}", outcome.report());
        return exit(outcome.violation.is_some());
    }
    let began = Instant::now();
    let outcomes = play(&options);
    let failed: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.violation.is_some()).collect();
    for outcome in failed.iter().take(3) {
        println!("{}", outcome.report());
    }
    let frames: u64 = outcomes.iter().map(|outcome| outcome.frames).sum();
    let events: u64 = outcomes.iter().map(|outcome| outcome.events).sum();
    let slowest = outcomes.iter().map(|outcome| outcome.agreed_ms).max().unwrap_or(0);
    println!(
        "{} seeds from {}: {} broke a rule; {frames} frames, {events} events, agreement at most {slowest} ms after healing, {:.1} s",
        outcomes.len(),
        options.from,
        failed.len(),
        began.elapsed().as_secs_f64()
    );
    exit(!failed.is_empty())
}

fn exit(failed: bool) -> ExitCode {
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Seeds are handed out one by one; after the third failure no more are.
fn play(options: &Options) -> Vec<Outcome> {
    let next = AtomicU64::new(options.from);
    let failures = AtomicU64::new(0);
    let enough = AtomicBool::new(false);
    let outcomes = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !enough.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed - options.from >= options.seeds {
                        break;
                    }
                    let outcome = run(seed);
                    if outcome.violation.is_some() && failures.fetch_add(1, Ordering::Relaxed) >= 2 {
                        enough.store(true, Ordering::Relaxed);
                    }
                    if let Ok(mut outcomes) = outcomes.lock() {
                        outcomes.push(outcome);
                    }
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    outcomes.sort_by_key(|outcome| outcome.seed);
    outcomes
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options { seeds: 100, from: 0, trace: false };
    while let Some(arg) = args.next() {
        let mut number = || {
            let text = args.next().ok_or(format!("{arg} needs a number"))?;
            text.parse().map_err(|_| format!("{arg} {text}: not a number"))
        };
        match arg.as_str() {
            "--seeds" => options.seeds = number()?,
            "--from" => options.from = number()?,
            "--trace" => options.trace = true,
            _ => return Err(format!("{arg}: no such option")),
        }
    }
    Ok(options)
}
