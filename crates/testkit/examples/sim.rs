//! Plays the random stories of many seeds in parallel, and tells the first that break a rule, shortened:
//! `cargo xtask sim --seeds N --from S`. With `--story` or `--trace` it tells one seed instead.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use parlor_testkit::sim::{Sum, Sweep, World};
use parlor_testkit::story::Story;

/// Between two lines where there is no terminal to draw on.
const LINE_EVERY: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Options {
    seeds: u64,
    from: u64,
    jobs: Option<usize>,
    story: bool,
    trace: bool,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}\nusage: sim [--seeds N] [--from SEED] [--jobs N] [--story | --trace]");
            return ExitCode::from(2);
        }
    };
    if options.story || options.trace {
        return tell(&options);
    }
    let began = Instant::now();
    let progress = Progress::new(options.seeds);
    let seeds = options.from..options.from.saturating_add(options.seeds);
    let mut sweep = Sweep::of(seeds, &Story::random);
    if let Some(jobs) = options.jobs {
        sweep = sweep.jobs(jobs);
    }
    let show = |sum: &Sum| progress.show(sum);
    let sum = sweep.told(&show).play();
    progress.done();
    if let Some(failure) = &sum.failure {
        println!("{failure}");
    }
    let Sum { played, failed, frames, events, agreed_ms, judged, .. } = &sum;
    for (rule, count) in judged {
        println!("{count:>12} times judged: {rule}");
    }
    println!(
        "{played} seeds from {}: {} broke a rule{}; {frames} frames, {events} events, agreement at most {:.1} s after \
         healing, {:.1} s",
        options.from,
        failed.len(),
        if failed.is_empty() { String::new() } else { format!(" ({failed:?})") },
        *agreed_ms as f64 / 1000.0,
        began.elapsed().as_secs_f64()
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One seed as a story, or all that happens in it.
fn tell(options: &Options) -> ExitCode {
    let story = Story::random(options.from);
    println!("{story}");
    let mut world = World::new(&story, if options.trace { usize::MAX } else { 0 });
    world.play_out();
    if options.trace {
        println!("\n{}", world.lines().join("\n"));
    }
    match &world.violation {
        Some(violation) => {
            println!("\n{violation}");
            ExitCode::FAILURE
        }
        None => {
            println!("\nno rule was broken: {} frames, {} events", world.frames, world.events);
            ExitCode::SUCCESS
        }
    }
}

/// A bar on a terminal, a line now and then elsewhere.
struct Progress {
    seeds: u64,
    bar: Option<ProgressBar>,
    said: Mutex<Instant>,
}

impl Progress {
    fn new(seeds: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let look = "{bar:40} {human_pos} of {human_len} seeds, {per_sec}, {eta} to go{msg}";
            let style = ProgressStyle::with_template(look).unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(seeds).with_style(style)
        });
        Progress { seeds, bar, said: Mutex::new(Instant::now()) }
    }

    fn show(&self, sum: &Sum) {
        let failed = if sum.failed.is_empty() { String::new() } else { format!(", {} failed", sum.failed.len()) };
        if let Some(bar) = &self.bar {
            bar.set_position(sum.played);
            bar.set_message(failed);
            return;
        }
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.elapsed() >= LINE_EVERY {
            *said = Instant::now();
            eprintln!("{} of {} seeds{failed}", sum.played, self.seeds);
        }
    }

    fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options { seeds: 100, ..Options::default() };
    while let Some(arg) = args.next() {
        let mut number = || {
            let text = args.next().ok_or(format!("{arg} needs a number"))?;
            text.parse().map_err(|_| format!("{arg} {text}: not a number"))
        };
        match arg.as_str() {
            "--seeds" => options.seeds = number()?,
            "--from" => options.from = number()?,
            "--jobs" => options.jobs = Some(usize::try_from(number()?).unwrap_or(usize::MAX)),
            "--story" => options.story = true,
            "--trace" => options.trace = true,
            _ => return Err(format!("{arg}: no such option")),
        }
    }
    Ok(options)
}
