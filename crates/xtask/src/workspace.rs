//! Where the repository is, how to call cargo in it, and whether somebody wants us to stop.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

/// The ground every command stands on.
pub struct Workspace {
    /// The root of the repository.
    pub root: PathBuf,
    /// Cargo's target directory.
    pub target: PathBuf,
    /// `CI=true`: nobody answers questions, and a skipped test is a failure.
    pub ci: bool,
    stop: Arc<AtomicBool>,
}

impl Workspace {
    /// Finds the repository from where cargo runs this program, and begins to listen for Ctrl-C.
    pub fn find() -> Result<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest).ancestors().nth(2).context("the xtask crate is not in crates/")?.to_owned();
        // This program lies in TARGET/PROFILE/, wherever the configuration puts it.
        let own = std::env::current_exe().context("cannot find this program")?;
        let target = own.ancestors().nth(2).map_or_else(|| root.join("target"), Path::to_owned);
        let stop = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&stop)).context("cannot listen for signals")?;
        }
        Ok(Self { root, target, ci: std::env::var("CI").is_ok_and(|ci| ci == "true"), stop })
    }

    /// One in another place, which nobody stops but the test that made it.
    #[cfg(test)]
    pub fn in_directory(root: &Path) -> Self {
        Self { root: root.to_owned(), target: root.join("target"), ci: true, stop: Arc::default() }
    }

    /// What Ctrl-C does.
    #[cfg(test)]
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether Ctrl-C was pressed or this process was told to end.
    pub fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether somebody sits there to answer.
    pub fn interactive(&self) -> bool {
        !self.ci && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Cargo, in the root.
    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root);
        // What cargo told this program about itself is not for the crates it builds next.
        for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
            cargo.env_remove(name);
        }
        // A clone that is built once has nothing to build upon, and what cargo keeps for it takes gigabytes.
        if self.ci {
            cargo.env("CARGO_INCREMENTAL", "0");
        }
        cargo
    }

    /// What a command that builds takes so that it never writes a lock file anew where nobody would see it.
    pub fn locked(&self) -> Option<&'static str> {
        self.ci.then_some("--locked")
    }

    /// A program of this workspace that cargo has built.
    pub fn program(&self, name: &str, profile: &str) -> PathBuf {
        self.target.join(profile).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// The directory of logs and stamps.
    pub fn scratch(&self) -> PathBuf {
        self.target.join("xtask")
    }

    /// A path as one types it in the root.
    pub fn show(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

/// A program on the `PATH`, or where an administrator's programs lie when the `PATH` of a plain user leaves them out.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    places.map(|place| place.join(format!("{program}{}", std::env::consts::EXE_SUFFIX))).find(|file| file.is_file())
}

/// The exit code that passes on how another program ended; a death by signal is 128 + its number, as in a shell.
pub fn exit_code(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return ExitCode::from(128_u8.saturating_add(u8::try_from(signal).unwrap_or(0)));
    }
    status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}
