//! What the system must have, and how to get it on Debian and Ubuntu.

use std::io::IsTerminal;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::step::step;
use crate::workspace::{Workspace, which};

/// Something needed, and the package that has it.
#[derive(Debug)]
pub struct Need {
    package: &'static str,
    probe: Probe,
}

/// How to see that it is there.
#[derive(Debug)]
enum Probe {
    Program(&'static str),
    Library(&'static str),
    File(&'static str),
    Python(&'static str),
}

/// To build the desktop app.
pub const BUILD: &[Need] = &[
    Need { package: "build-essential", probe: Probe::Program("cc") },
    Need { package: "make", probe: Probe::Program("make") },
    Need { package: "pkg-config", probe: Probe::Program("pkg-config") },
    Need { package: "libwebkit2gtk-4.1-dev", probe: Probe::Library("webkit2gtk-4.1") },
];
/// To test in network namespaces.
pub const NETWORK: &[Need] = &[
    Need { package: "iproute2", probe: Probe::Program("ip") },
    Need { package: "nftables", probe: Probe::Program("nft") },
    Need { package: "tcpdump", probe: Probe::Program("tcpdump") },
];
/// To install programs written in Python, apart from the system's.
pub const PYTHON: &[Need] = &[Need { package: "python3-venv", probe: Probe::Python("ensurepip") }];
/// To test in a browser.
pub const BROWSER: &[Need] = &[
    Need { package: "chromium", probe: Probe::Program("chromium") },
    Need { package: "fonts-dejavu-core", probe: Probe::File("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf") },
];
/// To test the window without a screen.
pub const WINDOW: &[Need] = &[
    Need { package: "xvfb", probe: Probe::Program("Xvfb") },
    Need { package: "xauth", probe: Probe::Program("xauth") },
    Need { package: "webkit2gtk-driver", probe: Probe::Program("WebKitWebDriver") },
    Need { package: "imagemagick", probe: Probe::Program("import") },
    Need { package: "fonts-dejavu-core", probe: Probe::File("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf") },
];
/// To count instructions.
pub const COUNTING: &[Need] = &[Need { package: "valgrind", probe: Probe::Program("valgrind") }];

/// To try a package where nothing else is installed.
pub const TRIAL: &[Need] = &[
    Need { package: "debootstrap", probe: Probe::Program("debootstrap") },
    Need { package: "xvfb", probe: Probe::Program("Xvfb") },
    Need { package: "x11-utils", probe: Probe::Program("xwininfo") },
];

impl Need {
    fn is_met(&self) -> bool {
        match self.probe {
            Probe::Program(name) => which(name).is_some(),
            Probe::File(path) => Path::new(path).exists(),
            Probe::Python(module) => {
                let probe = Command::new("python3").args(["-c", &format!("import {module}")]).output();
                probe.is_ok_and(|output| output.status.success())
            }
            Probe::Library(name) => {
                let probe = Command::new("pkg-config").args(["--exists", name]).status();
                probe.is_ok_and(|status| status.success())
            }
        }
    }
}

/// The packages that are missing, each once, in order.
pub fn missing<'a>(needs: impl IntoIterator<Item = &'a Need>) -> Vec<&'static str> {
    let mut packages = Vec::new();
    for need in needs {
        if !packages.contains(&need.package) && !need.is_met() {
            packages.push(need.package);
        }
    }
    packages
}

/// The one command to type.
pub fn advice(packages: &[&str]) -> String {
    format!("sudo apt-get install -y {}", packages.join(" "))
}

/// What came of [`install`].
#[derive(Debug, PartialEq, Eq)]
pub enum Installed {
    /// All is there now.
    Yes,
    /// It was tried and failed.
    Failed,
    /// Nobody allowed it, or this is no Debian.
    No,
}

/// Installs packages: as root at once, else by sudo after asking. `yes` does not ask.
pub fn install(workspace: &Workspace, packages: &[&str], yes: bool) -> Result<Installed> {
    if which("apt-get").is_none() {
        return Ok(Installed::No);
    }
    let root = is_root();
    if !root && (which("sudo").is_none() || !(yes || workspace.ci || ask(workspace, packages)?)) {
        return Ok(Installed::No);
    }
    let options = ["-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=120"];
    let update: Vec<&str> = [&["update"][..], &options].concat();
    let install: Vec<&str> = [&["install", "-y", "--no-install-recommends"][..], &options, packages].concat();
    for (name, arguments) in [("apt-update", update), ("apt-install", install)] {
        let what = if name == "apt-update" {
            "apt-get update".into()
        } else {
            format!("apt-get install {}", packages.join(" "))
        };
        let mut apt = Command::new(if root { "apt-get" } else { "sudo" });
        if !root {
            apt.args(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        }
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        let ok = if root {
            step(workspace, name, &what, apt, Duration::from_secs(15 * 60))?.ok
        } else {
            // sudo may ask for a password, so it needs the terminal.
            eprintln!("  {what}");
            apt.status().context("cannot run sudo")?.success()
        };
        // An update fails when one of many sources is away; the install tells whether that matters.
        if !ok && name == "apt-install" {
            return Ok(Installed::Failed);
        }
    }
    Ok(Installed::Yes)
}

fn ask(workspace: &Workspace, packages: &[&str]) -> Result<bool> {
    if !workspace.interactive() || !std::io::stdout().is_terminal() {
        return Ok(false);
    }
    let question = format!("Install {} with sudo apt-get?", packages.join(" "));
    Ok(dialoguer::Confirm::new().with_prompt(question).default(true).interact()?)
}

/// Whether this process may do anything.
pub fn is_root() -> bool {
    #[cfg(unix)]
    return nix::unistd::geteuid().is_root();
    #[cfg(not(unix))]
    false
}

#[cfg(test)]
mod tests {
    use super::{Need, Probe, advice, missing};

    #[test]
    fn names_each_missing_package_once() {
        let needs = [
            Need { package: "here", probe: Probe::File("/") },
            Need { package: "gone", probe: Probe::File("/no/such/file") },
            Need { package: "gone", probe: Probe::Program("no-such-program-anywhere") },
        ];
        assert_eq!(missing(&needs), ["gone"]);
        assert_eq!(advice(&["a", "b"]), "sudo apt-get install -y a b");
    }
}
