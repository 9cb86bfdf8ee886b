//! A minimal Debian in a folder, in which a package is installed, started and removed. It shares the network of this
//! computer, so the peer in it stays on loopback.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::debian;
use crate::step::{end, step};
use crate::workspace::Workspace;

const INSTALL_LIMIT: Duration = Duration::from_secs(20 * 60);
/// From the start of the window to its peer being there.
const OPEN_WITHIN: Duration = Duration::from_secs(60);
/// A screen that nobody else uses.
const DISPLAY: &str = ":87";

/// The folder. Gone with this.
pub struct Trial<'a> {
    workspace: &'a Workspace,
    root: tempfile::TempDir,
    screen: Option<Child>,
    mounted: Vec<PathBuf>,
}

impl<'a> Trial<'a> {
    /// Fills the folder, from where this computer gets its own packages.
    pub fn begin(workspace: &'a Workspace) -> Result<Self> {
        ensure!(debian::is_root(), "only root may make another Debian in a folder");
        let root = tempfile::Builder::new().prefix("parlor-debian-").tempdir().context("no place for a folder")?;
        let (codename, source) = (codename()?, source()?);
        let mut debootstrap = Command::new("debootstrap");
        debootstrap.args(["--variant=minbase", &codename]).arg(root.path()).arg(&source);
        let trial = Self { workspace, root, screen: None, mounted: Vec::new() };
        trial.need("bundle-debootstrap", &format!("a minimal {codename} in a folder"), debootstrap)?;
        Ok(trial)
    }

    /// Installs the package, opens the window, and removes it.
    pub fn play(mut self, package: &Path) -> Result<()> {
        self.mount("/proc")?;
        self.mount("/dev")?;
        std::fs::copy(package, self.root.path().join("parlor.deb")).context("cannot copy the package")?;
        self.apt("bundle-install", "installing", &["install", "-y", "--no-install-recommends", "/parlor.deb"])?;
        for file in FILES {
            ensure!(self.root.path().join(file).exists(), "the package has no /{file}");
        }
        self.is_well_formed()?;
        self.answers()?;
        self.opens()?;
        self.apt("bundle-remove", "removing", &["purge", "-y", "parlor"])?;
        for file in FILES {
            ensure!(!self.root.path().join(file).exists(), "/{file} stays behind");
        }
        println!("It installs in a minimal Debian, opens its window there, and goes without a trace.");
        Ok(())
    }

    /// What desktops read says that this program opens links, and where it is.
    fn is_well_formed(&self) -> Result<()> {
        let entry = self.root.path().join("usr/share/applications/Parlor.desktop");
        let text = std::fs::read_to_string(&entry).with_context(|| format!("no {}", entry.display()))?;
        for line in ["MimeType=x-scheme-handler/parlor;", "Exec=parlor-desktop %u", "Icon=parlor-desktop"] {
            ensure!(text.lines().any(|found| found == line), "{} does not say {line}:\n{text}", entry.display());
        }
        Ok(())
    }

    fn answers(&self) -> Result<()> {
        for program in ["parlor", "parlor-desktop"] {
            let said = self.inside(&[program, "--version"]).output().context("cannot run chroot")?;
            let said = String::from_utf8_lossy(&said.stdout).into_owned();
            ensure!(said.starts_with(program), "{program} --version says {said:?}");
        }
        Ok(())
    }

    fn opens(&mut self) -> Result<()> {
        let mut screen = Command::new("Xvfb");
        screen.args([DISPLAY, "-screen", "0", "1280x800x24", "-nolisten", "tcp"]);
        self.screen = Some(screen.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("cannot start Xvfb")?);
        until("a screen", || Path::new("/tmp/.X11-unix/X87").exists())?;
        let sockets = self.root.path().join("tmp/.X11-unix");
        std::fs::create_dir_all(&sockets).context("cannot make a folder")?;
        self.mount("/tmp/.X11-unix")?;

        let listen = ["--no-multicast", "--listen", "/ip4/127.0.0.1/tcp/0"];
        let mut window = self.inside(&["parlor-desktop", "--data-dir", "/root/parlor", "--software-rendering"]);
        window.args(listen).env("DISPLAY", DISPLAY).stdout(Stdio::null()).stderr(Stdio::null());
        let mut window = window.spawn().context("cannot start the window")?;
        let shown = || {
            let tree = Command::new("xwininfo").args(["-display", DISPLAY, "-root", "-tree"]).output();
            tree.is_ok_and(|tree| String::from_utf8_lossy(&tree.stdout).contains("\"Parlor\""))
        };
        let peer = self.root.path().join("root/parlor/profiles/default/peer.json");
        let opened = until("the window", || shown() && peer.exists());
        end(&mut window);
        opened?;
        // It left in order: what says where the peer is has gone with it.
        until("its end", || !peer.exists())
    }

    fn apt(&self, name: &str, what: &str, arguments: &[&str]) -> Result<()> {
        let mut apt = self.inside(&["apt-get"]);
        apt.args(["-o", "Acquire::Retries=3"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        self.need(name, what, apt)
    }

    fn inside(&self, command: &[&str]) -> Command {
        let mut chroot = Command::new("chroot");
        chroot.arg(self.root.path()).args(command).env("LC_ALL", "C.UTF-8").env("HOME", "/root");
        chroot
    }

    fn mount(&mut self, what: &str) -> Result<()> {
        let place = self.root.path().join(what.trim_start_matches('/'));
        let status = Command::new("mount").args(["--bind", what]).arg(&place).status().context("cannot run mount")?;
        ensure!(status.success(), "cannot show {what} inside");
        self.mounted.push(place);
        Ok(())
    }

    fn need(&self, name: &str, what: &str, command: Command) -> Result<()> {
        if step(self.workspace, name, what, command, INSTALL_LIMIT)?.ok { Ok(()) } else { bail!("{what} failed") }
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        self.screen.iter_mut().for_each(end);
        for place in self.mounted.drain(..).rev() {
            // Before the folder is removed, or what it shows of this computer would be.
            let gone = Command::new("umount").arg(&place).status();
            if !gone.is_ok_and(|status| status.success()) {
                eprintln!("  {} is still mounted; the folder stays", place.display());
                self.root.disable_cleanup(true);
            }
        }
    }
}

/// What the package puts there, and takes away again.
const FILES: [&str; 8] = [
    "usr/bin/parlor",
    "usr/bin/parlor-desktop",
    "usr/share/applications/Parlor.desktop",
    "usr/share/icons/hicolor/128x128/apps/parlor-desktop.png",
    "usr/share/man/man1/parlor.1",
    "usr/share/man/man1/parlor-desktop.1",
    "usr/share/bash-completion/completions/parlor",
    "usr/share/zsh/vendor-completions/_parlor",
];

fn until(what: &str, mut seen: impl FnMut() -> bool) -> Result<()> {
    let deadline = Instant::now() + OPEN_WITHIN;
    while !seen() {
        ensure!(Instant::now() < deadline, "not within {OPEN_WITHIN:?}: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// The name of this computer's Debian.
fn codename() -> Result<String> {
    let text = std::fs::read_to_string("/etc/os-release").context("no /etc/os-release")?;
    let name = text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    Ok(name.context("this system does not say which Debian it is")?.trim_matches('"').to_owned())
}

/// Where this computer's own packages come from.
fn source() -> Result<String> {
    let targets = Command::new("apt-get").args(["indextargets", "--format", "$(REPO_URI)"]).output();
    let targets = String::from_utf8_lossy(&targets.context("cannot run apt-get")?.stdout).into_owned();
    let main = targets.lines().find(|uri| !uri.contains("security"));
    Ok(main.context("apt knows no source of packages")?.to_owned())
}
