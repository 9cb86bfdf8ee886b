//! `cargo xtask fuzz`: the core is given inputs that nobody thought of, and has to stand them.
//!
//! libFuzzer changes inputs and keeps those that reach code which no other reached, or take more memory than others did.
//! It comes as source with bolero, and the compiler of the stable toolchain can count what it needs, so that nothing but a
//! C++ compiler is wanted. The targets are tests of `parlor-core`, see `crates/core/fuzz`, and the ordinary tests replay
//! what is kept there. What a run finds lies in `target/fuzz`, until `--keep` takes the best of it over.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::step::{quietly, step};
use crate::workspace::Workspace;

/// The command that builds and calls fuzzers; it has to know the version of bolero in `Cargo.toml`.
const CARGO_BOLERO: &str = "0.13.5";
/// Bytes of an input: more than the longest frame for bytes that are a frame, and enough for a long story.
const FRAME_BYTES: u32 = 64 * 1024;
const STORY_BYTES: u32 = 4 * 1024;
/// Inputs of a target in the repository: the tests of every day replay them.
const KEPT_MAX: usize = 150;
/// Handling one input takes milliseconds; one that takes so many seconds hangs.
const HANGS_AFTER: &str = "10s";
const BUILD_LIMIT: Duration = Duration::from_secs(20 * 60);
/// Beyond the time that it may look for inputs, for the ones it has already.
const GRACE: Duration = Duration::from_secs(5 * 60);

/// Options of `cargo xtask fuzz`.
#[derive(Args)]
pub struct Options {
    /// For how long, in all
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Only this target
    #[arg(long)]
    target: Option<Target>,
    /// Take the inputs that reach something new into the repository, and drop those that reach nothing any more
    #[arg(long)]
    keep: bool,
}

/// What is fuzzed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    /// Bytes become a frame or not
    Decode,
    /// The same changes in other orders
    Merge,
    /// A replica that anything happens to
    Handle,
    /// Bytes become a recording or not, and are played
    Replay,
}

impl Target {
    const ALL: [Target; 4] = [Target::Decode, Target::Merge, Target::Handle, Target::Replay];

    fn name(self) -> &'static str {
        match self {
            Target::Decode => "decode",
            Target::Merge => "merge",
            Target::Handle => "handle",
            Target::Replay => "replay",
        }
    }

    fn longest(self) -> u32 {
        if self == Target::Decode { FRAME_BYTES } else { STORY_BYTES }
    }
}

/// What libFuzzer and the target say of a run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    inputs: String,
    per_second: String,
    largest: String,
    /// Where the input is that failed.
    failed: Option<PathBuf>,
}

impl Told {
    fn read(log: &str) -> Self {
        let last = |before: &str| {
            let mut lines = log.lines().filter_map(|line| line.split_once(before));
            lines.next_back().map_or_else(|| "?".to_owned(), |(_, said)| said.trim().to_owned())
        };
        let failed = log.lines().filter_map(|line| line.split_once("Test unit written to ")).next_back();
        Self {
            inputs: last("stat::number_of_executed_units:"),
            per_second: last("stat::average_exec_per_sec:"),
            largest: last("largest allocation:"),
            failed: failed.map(|(_, path)| path.trim().into()),
        }
    }
}

/// Fuzzes, and says what came of it.
pub fn fuzz(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let targets = options.target.map_or_else(|| Target::ALL.to_vec(), |target| vec![target]);
    let seconds = (options.seconds / targets.len() as u64).max(1);
    let fuzzer = Fuzzer::install(workspace)?;
    fuzzer.build(targets.first().copied().unwrap_or(Target::Decode))?;
    let mut found = false;
    for target in targets {
        found |= !fuzzer.run(target, seconds)?;
        if options.keep && !found {
            fuzzer.keep(target)?;
        }
    }
    Ok(if found { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

struct Fuzzer<'a> {
    workspace: &'a Workspace,
    program: PathBuf,
}

impl<'a> Fuzzer<'a> {
    /// Brings cargo-bolero, beside the build.
    fn install(workspace: &'a Workspace) -> Result<Self> {
        let place = workspace.target.join("tools");
        let program = place.join("bin").join(format!("cargo-bolero{}", std::env::consts::EXE_SUFFIX));
        if !program.exists() {
            let mut install = workspace.cargo();
            install.args(["install", "cargo-bolero", "--version", CARGO_BOLERO, "--locked", "--root"]).arg(&place);
            // The other engines would be built, too.
            install.args(["--no-default-features", "--features", "libfuzzer"]);
            if !step(workspace, "cargo-bolero", "installing cargo-bolero", install, BUILD_LIMIT)?.ok {
                bail!("cargo-bolero could not be installed");
            }
        }
        Ok(Self { workspace, program })
    }

    fn build(&self, target: Target) -> Result<()> {
        let inputs = self.scratch(target, "corpus")?;
        let mut build = self.command(target, &inputs);
        build.args(["--runs", "0"]);
        if !step(self.workspace, "fuzz-build", "building what is fuzzed", build, BUILD_LIMIT)?.ok {
            bail!("the fuzzer does not build, or what it found before still fails");
        }
        Ok(())
    }

    /// Whether nothing was found.
    fn run(&self, target: Target, seconds: u64) -> Result<bool> {
        let inputs = self.scratch(target, "corpus")?;
        let before = count(&inputs)?;
        let mut run = self.command(target, &inputs);
        run.args(["-T", &format!("{seconds}s"), "--engine-args=-print_final_stats=1"]);
        run.arg(format!("--engine-args={}", self.kept(target, "corpus").display()));
        let name = format!("fuzz-{}", target.name());
        let limit = Duration::from_secs(seconds) + GRACE;
        let outcome = quietly(self.workspace, &name, target.name(), run, limit)?;
        let told = Told::read(&outcome.text());
        let new = count(&inputs)?.saturating_sub(before);
        println!(
            "{:<6} {} inputs, {} a second, {new} of them new; largest allocation: {}",
            target.name(),
            told.inputs,
            told.per_second,
            told.largest
        );
        if outcome.ok {
            return Ok(true);
        }
        match told.failed {
            Some(input) => println!(
                "       failed: {}\n       once more: cargo test --package parlor-core --lib fuzz::{}",
                self.workspace.show(&input),
                target.name()
            ),
            None => println!("       failed, see {}", self.workspace.show(&outcome.log)),
        }
        Ok(false)
    }

    /// Makes the corpus of the repository the best of it and of the last runs.
    fn keep(&self, target: Target) -> Result<()> {
        let merged = self.scratch(target, "merged")?;
        std::fs::remove_dir_all(&merged)?;
        std::fs::create_dir_all(&merged)?;
        let control = self.scratch(target, "control")?.join("control");
        let _ = std::fs::remove_file(&control);
        let kept = self.kept(target, "corpus");
        std::fs::create_dir_all(&kept)?;
        let mut merge = self.command(target, &merged);
        merge.args(["--engine-args=-set_cover_merge=1", "--engine-args=-use_counters=0"]);
        merge.arg(format!("--engine-args=-merge_control_file={}", control.display()));
        for inputs in [&kept, &self.scratch(target, "corpus")?] {
            merge.arg(format!("--engine-args={}", inputs.display()));
        }
        let name = format!("fuzz-keep-{}", target.name());
        if !step(self.workspace, &name, "choosing what to keep", merge, GRACE)?.ok {
            bail!("the inputs could not be compared");
        }
        let control = std::fs::read_to_string(&control).context("nobody said which inputs reach what")?;
        let inputs = best(&control, KEPT_MAX).into_iter();
        let inputs = inputs.map(|input| Ok((input.file_name().map(Into::into), std::fs::read(input)?)));
        let inputs: Vec<(Option<PathBuf>, Vec<u8>)> = inputs.collect::<Result<_>>()?;
        for entry in std::fs::read_dir(&kept)? {
            std::fs::remove_file(entry?.path())?;
        }
        for (name, input) in inputs {
            std::fs::write(kept.join(name.context("an input has no name")?), input)?;
        }
        println!("       {} inputs kept in {}", count(&kept)?, self.workspace.show(&kept));
        Ok(())
    }

    /// A directory for what is not in the repository.
    fn scratch(&self, target: Target, name: &str) -> Result<PathBuf> {
        let place = self.workspace.target.join("fuzz").join(target.name()).join(name);
        std::fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
        Ok(place)
    }

    /// A directory that the ordinary tests replay.
    fn kept(&self, target: Target, name: &str) -> PathBuf {
        self.workspace.root.join("crates/core/fuzz/__fuzz__").join(target.name()).join(name)
    }

    /// cargo-bolero for a target, with new inputs in a directory. No sanitizer: those want another toolchain, and there is
    /// no unsafe code to be found out.
    fn command(&self, target: Target, inputs: &Path) -> Command {
        let mut bolero = Command::new(&self.program);
        bolero.current_dir(&self.workspace.root);
        bolero.args(["test", &format!("fuzz::{}", target.name()), "--package", "parlor-core"]);
        bolero.args(["--engine", "libfuzzer", "--sanitizer", "NONE", "--timeout", HANGS_AFTER]);
        bolero.args(["--max-input-length", &target.longest().to_string()]);
        bolero.arg("--target-dir").arg(self.workspace.target.join("fuzz/build"));
        bolero.arg("--corpus-dir").arg(inputs).arg("--crashes-dir").arg(self.kept(target, "crashes"));
        bolero
    }
}

/// The fewest inputs, or nearly so, that reach all that libFuzzer's notes of a merge say was reached; of very many, those
/// that reach most. The notes are the number of files, how many of them are old, their names, and then what each reaches.
fn best(control: &str, most: usize) -> Vec<PathBuf> {
    let mut lines = control.lines();
    let files = lines.next().and_then(|count| count.trim().parse().ok()).unwrap_or(0);
    let names: Vec<&str> = lines.by_ref().skip(1).take(files).collect();
    let reached = lines.filter_map(|line| line.strip_prefix("FT ")?.split_once(' '));
    let reached = reached.filter_map(|(file, features)| {
        let features = features.split_whitespace().filter_map(|feature| feature.parse().ok());
        Some((PathBuf::from(*names.get(file.parse::<usize>().ok()?)?), features.collect()))
    });
    let mut left: Vec<(PathBuf, BTreeSet<u32>)> = reached.collect();
    let mut chosen = Vec::new();
    while chosen.len() < most {
        // The shortest stand first, and the last of the greatest is taken.
        let Some(at) = (0..left.len()).rev().max_by_key(|at| left[*at].1.len()).filter(|at| !left[*at].1.is_empty())
        else {
            break;
        };
        let (input, features) = left.remove(at);
        left.iter_mut().for_each(|(_, other)| other.retain(|feature| !features.contains(feature)));
        chosen.push(input);
    }
    chosen
}

/// How many inputs there are.
fn count(inputs: &Path) -> Result<usize> {
    let entries = std::fs::read_dir(inputs).with_context(|| format!("cannot list {}", inputs.display()))?;
    Ok(entries.count())
}

#[cfg(test)]
mod tests {
    use super::{Told, best};

    #[test]
    fn keeps_the_inputs_that_reach_most() {
        let control = "4\n0\n/a/one\n/a/two\n/a/three\n/a/four\nSTARTED 0 1\nFT 0 4 5\nCOV 0 7 8\nSTARTED 1 2\nFT 1 4\n\
                       COV 1\nSTARTED 2 3\nFT 2 4 5 6\nCOV 2 9\nSTARTED 3 3\nFT 3 7\nCOV 3\n";
        assert_eq!(best(control, 9), ["/a/three", "/a/four"].map(std::path::PathBuf::from));
        assert_eq!(best(control, 1), ["/a/three"].map(std::path::PathBuf::from));
    }

    #[test]
    fn reads_what_a_run_told() {
        let log = "largest allocation: 10 bytes at once, 12 in all\n#2\tINITED cov: 3\nlargest allocation: 99 bytes at \
                   once, 120 in all\nstat::number_of_executed_units: 2033\nstat::average_exec_per_sec:     508\n";
        let told = Told {
            inputs: "2033".to_owned(),
            per_second: "508".to_owned(),
            largest: "99 bytes at once, 120 in all".to_owned(),
            failed: None,
        };
        assert_eq!(Told::read(log), told);
        let log = "artifact_prefix='/a/crashes/'; Test unit written to /a/crashes/crash-1\nBase64: Cgr4MPgw\n";
        assert_eq!(Told::read(log).failed.as_deref(), Some("/a/crashes/crash-1".as_ref()));
    }
}
