//! Node: whether it is new enough, and the packages and the build of the user interface.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::stamp::Stamp;
use crate::step::{Outcome, step};
use crate::workspace::{Workspace, which};

/// The oldest Node that the tools of the user interface run on.
const OLDEST: (u32, u32) = (20, 19);

const INSTALL_LIMIT: Duration = Duration::from_secs(10 * 60);
const BUILD_LIMIT: Duration = Duration::from_secs(5 * 60);

/// Fails with what to do when Node is missing or too old.
pub fn check() -> Result<()> {
    let advice = "install Node 20.19 or newer (with npm), for example from the packages at nodejs.org or with a version \
                  manager, and try again";
    let Some(node) = which("node") else { bail!("Node is not installed: {advice}") };
    let output =
        Command::new(&node).arg("--version").output().with_context(|| format!("cannot run {}", node.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match version(&text) {
        Some(found) if found >= OLDEST => {}
        _ => bail!("the Node in {} is {}, which is too old: {advice}", node.display(), text.trim()),
    }
    if which("npm").is_none() {
        bail!("npm is not installed: {advice}");
    }
    Ok(())
}

/// Major and minor of `v20.19.4`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Makes `node_modules` of a directory match its lock; does nothing when it does already.
pub fn install(workspace: &Workspace, directory: &str) -> Result<bool> {
    let at = workspace.root.join(directory);
    let name = directory.replace('/', "-");
    let sources: Vec<PathBuf> = ["package.json", "package-lock.json", ".npmrc"].map(|file| at.join(file)).to_vec();
    let stamp = Stamp::of(workspace, &format!("npm-{name}"), &sources)?;
    if stamp.holds() && at.join("node_modules").is_dir() {
        return Ok(true);
    }
    if installed_by_hand(&at) {
        stamp.set()?;
        return Ok(true);
    }
    let mut npm = npm(&at);
    npm.args(["ci", "--no-audit", "--no-fund"]);
    let outcome = step(workspace, &format!("npm-{name}"), &format!("npm ci in {directory}"), npm, INSTALL_LIMIT)?;
    if outcome.ok {
        stamp.set()?;
    }
    Ok(outcome.ok)
}

/// Whether somebody ran npm here since the lock last changed: npm writes its copy of the lock last.
fn installed_by_hand(directory: &Path) -> bool {
    let written = |file: &str| directory.join(file).metadata().and_then(|file| file.modified()).ok();
    let (installed, lock) = (written("node_modules/.package-lock.json"), written("package-lock.json"));
    matches!((installed, lock, written("package.json")), (Some(at), Some(lock), Some(package)) if at >= lock && at >= package)
}

/// Makes `ui/dist` match the sources of the user interface; does nothing when it does already.
pub fn build_ui(workspace: &Workspace) -> Result<bool> {
    let ui = workspace.root.join("ui");
    let stamp = Stamp::of(workspace, "ui-dist", std::slice::from_ref(&ui))?;
    if stamp.holds() && ui.join("dist").join("index.html").is_file() {
        return Ok(true);
    }
    let outcome = npm_run(workspace, "ui-build", "build")?;
    if outcome.ok {
        stamp.set()?;
    }
    Ok(outcome.ok)
}

/// A script of the user interface's package.
pub fn npm_run(workspace: &Workspace, log: &str, script: &str) -> Result<Outcome> {
    let mut npm = npm(&workspace.root.join("ui"));
    npm.args(["run", script]);
    step(workspace, log, &format!("npm run {script}"), npm, BUILD_LIMIT)
}

/// npm in a directory, with nothing that asks or reaches out for news of itself.
pub fn npm(directory: &Path) -> Command {
    let mut npm = Command::new(which("npm").unwrap_or_else(|| "npm".into()));
    npm.current_dir(directory).env("npm_config_update_notifier", "false");
    npm
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn reads_versions() {
        assert_eq!(version("v20.19.4\n"), Some((20, 19)));
        assert_eq!(version("v18.20"), Some((18, 20)));
        assert_eq!(version("20.19.4"), None);
        assert_eq!(version(""), None);
        assert!(version("v9.0.0") < Some(super::OLDEST));
    }
}
