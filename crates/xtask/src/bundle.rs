//! `cargo xtask bundle`: a Debian package with the window, the command line, manual pages, completions and the handler of
//! `parlor://` links, made by Tauri's own bundler. `--try` installs it where nothing else is: in a folder with a minimal
//! Debian, in which the window has to open; and then removes it again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;

use crate::bundle::trial::Trial;
use crate::debian;
use crate::node;
use crate::step::step;
use crate::workspace::Workspace;

mod trial;

/// From cold on two cores a release build takes seven minutes.
const BUILD_LIMIT: Duration = Duration::from_secs(40 * 60);
const LIMIT: Duration = Duration::from_secs(5 * 60);

/// Options of `cargo xtask bundle`.
#[derive(Args)]
pub struct Options {
    /// Install the package in a folder with a minimal Debian, open the window there, and remove it; as root
    #[arg(long = "try")]
    trial: bool,
    /// Install missing packages without asking
    #[arg(long)]
    yes: bool,
}

/// Makes the package, and tries it if that is asked for.
pub fn bundle(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    node::check()?;
    let needed = debian::BUILD.iter().chain(if options.trial { debian::TRIAL } else { &[] });
    let missing = debian::missing(needed);
    if !missing.is_empty() && debian::install(workspace, &missing, options.yes)? != debian::Installed::Yes {
        bail!("these packages are missing: {}", debian::advice(&missing));
    }
    if !(node::install(workspace, "ui")? && node::build_ui(workspace)?) {
        bail!("the user interface was not built");
    }
    build(workspace)?;
    let documents = documents(workspace)?;
    let package = package(workspace, &documents)?;
    let bytes = std::fs::metadata(&package).with_context(|| format!("no {}", package.display()))?.len();
    println!("{} ({:.1} MiB)", workspace.show(&package), bytes as f64 / f64::from(1 << 20));
    if options.trial {
        Trial::begin(workspace)?.play(&package)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Both programs, the command line with the pages in it.
fn build(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--package", "parlor-desktop", "--package", "parlor-cli"]);
    cargo.args(["--features", "parlor-cli/embedded-ui"]).args(workspace.locked());
    need(workspace, "bundle-build", "building for release", cargo, BUILD_LIMIT)
}

/// Manual pages and completions; answers the folder they are in.
fn documents(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("bundle").join("documents");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    for program in ["parlor", "parlor-desktop"] {
        let mut docs = Command::new(workspace.program(program, "release"));
        docs.arg("docs").arg(&folder);
        need(workspace, &format!("bundle-docs-{program}"), &format!("manual pages of {program}"), docs, LIMIT)?;
    }
    Ok(folder)
}

fn package(workspace: &Workspace, documents: &Path) -> Result<PathBuf> {
    let mut files = BTreeMap::from([("/usr/bin/parlor".to_owned(), workspace.program("parlor", "release"))]);
    let mut put = |folder: &str, place: &str| -> Result<()> {
        let folder = documents.join(folder);
        for entry in std::fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.insert(placed(place, &name), path);
        }
        Ok(())
    };
    put("man", "/usr/share/man/man1")?;
    put("completions", "/usr/share")?;
    let config = json!({ "bundle": { "linux": { "deb": { "files": files } } } });
    let cli = workspace.root.join("ui/node_modules/@tauri-apps/cli/tauri.js");
    let mut tauri = Command::new("node");
    tauri.current_dir(&workspace.root).arg(cli).args(["bundle", "--ci", "--bundles", "deb"]);
    tauri.args(["--config", &config.to_string()]);
    let made = workspace.target.join("release/bundle/deb");
    if made.exists() {
        // One of an earlier version would be taken for this one.
        std::fs::remove_dir_all(&made).with_context(|| format!("cannot remove {}", made.display()))?;
    }
    need(workspace, "bundle-deb", "packing", tauri, LIMIT)?;
    let found = std::fs::read_dir(&made).with_context(|| format!("no {}", made.display()))?;
    let mut packages = found.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| ends_with(path, "deb"));
    packages.next().with_context(|| format!("no package in {}", made.display()))
}

fn ends_with(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

/// Where a file belongs: completions by the shell that reads them.
fn placed(folder: &str, name: &str) -> String {
    match name {
        "parlor.bash" => format!("{folder}/bash-completion/completions/parlor"),
        "_parlor" => format!("{folder}/zsh/vendor-completions/_parlor"),
        "parlor.fish" => format!("{folder}/fish/vendor_completions.d/parlor.fish"),
        _ => format!("{folder}/{name}"),
    }
}

fn need(workspace: &Workspace, name: &str, what: &str, command: Command, limit: Duration) -> Result<()> {
    if step(workspace, name, what, command, limit)?.ok { Ok(()) } else { bail!("{what} failed") }
}

#[cfg(test)]
mod tests {
    use super::placed;

    #[test]
    fn completions_are_where_each_shell_looks() {
        assert_eq!(placed("/usr/share", "parlor.bash"), "/usr/share/bash-completion/completions/parlor");
        assert_eq!(placed("/usr/share", "_parlor"), "/usr/share/zsh/vendor-completions/_parlor");
        assert_eq!(placed("/usr/share", "parlor.fish"), "/usr/share/fish/vendor_completions.d/parlor.fish");
        assert_eq!(placed("/usr/share/man/man1", "parlor.1"), "/usr/share/man/man1/parlor.1");
    }
}
