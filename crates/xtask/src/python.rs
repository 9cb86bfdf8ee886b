//! Programs written in Python, each in an environment of its own beside the build, with every package pinned by its hash.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::step::step;
use crate::workspace::{Workspace, which};

const LIMIT: Duration = Duration::from_secs(5 * 60);

/// Installs what `requirements.txt` in a directory names, unless that is there already, and says where its programs are.
pub fn install(workspace: &Workspace, name: &str, directory: &Path) -> Result<PathBuf> {
    let wanted = directory.join("requirements.txt");
    let pins = std::fs::read(&wanted).with_context(|| format!("cannot read {}", wanted.display()))?;
    let place = workspace.target.join("tools").join(name);
    let programs = place.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let done = place.join("installed.txt");
    if std::fs::read(&done).is_ok_and(|before| before == pins) {
        return Ok(programs);
    }
    let mut make = Command::new(which("python3").unwrap_or_else(|| "python3".into()));
    make.args(["-m", "venv", "--clear"]).arg(&place);
    let mut fill = Command::new(programs.join("python"));
    fill.args(["-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"]);
    fill.arg("--requirement").arg(&wanted);
    for (what, command) in [("making a place for", make), ("installing", fill)] {
        if !step(workspace, name, &format!("{what} {name}"), command, LIMIT)?.ok {
            bail!("{name} could not be installed");
        }
    }
    std::fs::write(&done, pins).with_context(|| format!("cannot write {}", done.display()))?;
    Ok(programs)
}
