//! The place where mutations are built: a copy of the crates with a target directory of its own.
//!
//! The working tree is read once and never written. A file of the slot is written only when its content changes, so that
//! cargo builds what a mutation touches and nothing else.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::mutants::trial::Program;
use crate::step::{end_group, seconds};
use crate::workspace::Workspace;

/// What a slot's workspace consists of; what these need of the others comes along.
const MEMBERS: [&str; 2] = ["crates/core", "crates/testkit"];
const BUILD_LIMIT: Duration = Duration::from_secs(10 * 60);

/// Which tests are asked, the quick ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// The core's own.
    Core,
    /// The simulator's and the property tests.
    Stories,
}

impl Suite {
    /// In the order of asking.
    pub const ALL: [Suite; 2] = [Suite::Core, Suite::Stories];

    /// For messages.
    pub fn name(self) -> &'static str {
        match self {
            Suite::Core => "core",
            Suite::Stories => "stories",
        }
    }

    /// What selects its tests for cargo.
    fn selection(self) -> &'static [&'static str] {
        match self {
            Suite::Core => &["--package", "parlor-core", "--lib"],
            Suite::Stories => &["--package", "parlor-core", "--package", "parlor-testkit", "--test", "sim"],
        }
    }
}

/// The working tree as it is when the command begins.
pub struct Sources {
    /// Path in the repository, and content, of the crates and the smaller workspace's manifest.
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// The versions of all dependencies. Cargo makes it smaller where it is used.
    lock: Vec<u8>,
}

impl Sources {
    /// Reads them.
    pub fn read(root: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        collect(root, Path::new("crates"), &mut files)?;
        let read = |path: &str| std::fs::read(root.join(path)).with_context(|| format!("cannot read {path}"));
        let manifest = smaller(std::str::from_utf8(&read("Cargo.toml")?)?)?;
        files.insert("Cargo.toml".into(), manifest.into_bytes());
        Ok(Self { files, lock: read("Cargo.lock")? })
    }

    /// A tree that consists of these.
    #[cfg(test)]
    pub fn of<const N: usize>(files: [(&str, &str); N]) -> Self {
        let files = files.map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec()));
        Self { files: files.into(), lock: Vec::new() }
    }

    /// One file as text.
    pub fn text(&self, path: &Path) -> Result<&str> {
        let content = self.files.get(path).with_context(|| format!("there is no {}", path.display()))?;
        Ok(std::str::from_utf8(content)?)
    }
}

fn collect(root: &Path, directory: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    let place = root.join(directory);
    for entry in std::fs::read_dir(&place).with_context(|| format!("cannot list {}", place.display()))? {
        let entry = entry?;
        let path = directory.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(root, &path, files)?;
        } else if kind.is_file() {
            files.insert(path, std::fs::read(entry.path())?);
        }
    }
    Ok(())
}

/// The manifest of the workspace with only the members that are tested here.
fn smaller(manifest: &str) -> Result<String> {
    let mut manifest: toml::Table = manifest.parse()?;
    let workspace = manifest.get_mut("workspace").and_then(toml::Value::as_table_mut);
    let workspace = workspace.context("Cargo.toml has no [workspace]")?;
    workspace.insert("members".into(), MEMBERS.to_vec().into());
    workspace.remove("default-members");
    Ok(manifest.to_string())
}

/// One such place. Nobody else uses it while this lives.
pub struct Slot {
    root: PathBuf,
    _lock: File,
}

impl Slot {
    /// Opens the one of that name.
    pub fn open(workspace: &Workspace, name: &str, sources: &Sources) -> Result<Self> {
        let root = workspace.target.join("mutants").join(name);
        std::fs::create_dir_all(&root).with_context(|| format!("cannot make {}", root.display()))?;
        let lock = File::create(root.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another cargo xtask mutants is using {}", root.display()),
            Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the slot"),
        }
        std::fs::write(root.join("Cargo.lock"), &sources.lock)?;
        Ok(Self { root, _lock: lock })
    }

    /// Makes the files here those of `sources`, but for those that have another text.
    pub fn lay(&self, sources: &Sources, changed: &BTreeMap<PathBuf, String>) -> Result<()> {
        let mut held = BTreeMap::new();
        if self.root.join("crates").exists() {
            collect(&self.root, Path::new("crates"), &mut held)?;
        }
        for path in held.keys().filter(|path| !sources.files.contains_key(*path)) {
            std::fs::remove_file(self.root.join(path))?;
        }
        for (path, content) in &sources.files {
            let content = changed.get(path).map_or(content.as_slice(), |text| text.as_bytes());
            let file = self.root.join(path);
            if std::fs::read(&file).is_ok_and(|held| held == content) {
                continue;
            }
            if let Some(directory) = file.parent() {
                std::fs::create_dir_all(directory)?;
            }
            std::fs::write(&file, content).with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }

    /// Builds the tests of a suite; the compiler's words when it refuses.
    pub fn build(&self, workspace: &Workspace, suite: Suite) -> Result<std::result::Result<Vec<Program>, String>> {
        let mut cargo = workspace.cargo();
        cargo.current_dir(&self.root);
        cargo.args(["test", "--no-run", "--message-format", "json-render-diagnostics"]);
        cargo.args(suite.selection());
        cargo.env("CARGO_TARGET_DIR", self.root.join("target")).env("CARGO_INCREMENTAL", "1");
        // It is built once and run hundreds of times. Checks of overflow and assertions stay.
        cargo.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
        // Whoever breaks a rule leaves things unused; no warning may be an error here.
        cargo.env_remove("RUSTFLAGS");
        let (output, errors) = (self.root.join("build.json"), self.root.join("build.log"));
        cargo.stdin(Stdio::null()).stdout(File::create(&output)?).stderr(File::create(&errors)?);
        if ends_well(workspace, cargo)? {
            return Ok(Ok(programs(&std::fs::read_to_string(&output)?)));
        }
        Ok(Err(std::fs::read_to_string(&errors)?))
    }
}

/// Waits for a command; whether it ended well.
fn ends_well(workspace: &Workspace, mut command: Command) -> Result<bool> {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().with_context(|| format!("cannot run {:?}", command.get_program()))?;
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if workspace.stopping() || started.elapsed() > BUILD_LIMIT {
            end_group(&mut child);
            bail!("a build was stopped after {}", seconds(started.elapsed()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The test programs that cargo says it has built.
fn programs(messages: &str) -> Vec<Program> {
    let program = |message: serde_json::Value| {
        let path = message.get("executable")?.as_str()?;
        let package = Path::new(message.get("manifest_path")?.as_str()?).parent()?;
        let target = message.get("target")?;
        let inside = target.get("kind")?.as_array()?.iter().all(|kind| kind != "test");
        let name = target.get("name")?.as_str()?.to_owned();
        Some(Program { path: path.into(), package: package.to_owned(), name: (!inside).then_some(name) })
    };
    messages.lines().filter_map(|line| serde_json::from_str(line).ok()).filter_map(program).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Slot, Sources, programs, smaller};
    use crate::workspace::Workspace;

    #[test]
    fn a_slot_is_the_tree_with_one_change_and_writes_nothing_twice() {
        let place = tempfile::tempdir().expect("a directory");
        let tree = |path: &str| place.path().join(path);
        std::fs::create_dir_all(tree("crates/core/src")).expect("a tree");
        let manifest =
            "[workspace]\nmembers = ['crates/*']\ndefault-members = ['crates/cli']\n[profile.dev]\ndebug = 0\n";
        for (path, text) in [("Cargo.toml", manifest), ("Cargo.lock", ""), ("crates/core/src/a.rs", "a")] {
            std::fs::write(tree(path), text).expect("a tree");
        }
        std::fs::write(tree("crates/core/src/b.rs"), "b").expect("a tree");
        let workspace = Workspace::in_directory(place.path());
        let sources = Sources::read(place.path()).expect("sources");
        let slot = Slot::open(&workspace, "some", &sources).expect("a slot");
        assert!(Slot::open(&workspace, "some", &sources).is_err(), "two at a time");
        let unchanged = BTreeMap::new();
        slot.lay(&sources, &unchanged).expect("files");
        let here = |path: &str| tree("target/mutants/some").join(path);
        let read = |path: &str| std::fs::read_to_string(here(path)).expect("a file");
        let written =
            || std::fs::metadata(here("crates/core/src/b.rs")).and_then(|file| file.modified()).expect("a time");
        let before = written();
        std::fs::write(here("crates/core/src/old.rs"), "of an earlier tree").expect("a file");
        let changed = BTreeMap::from([("crates/core/src/a.rs".into(), "mutated".to_owned())]);
        slot.lay(&sources, &changed).expect("files");
        assert_eq!((read("crates/core/src/a.rs").as_str(), read("crates/core/src/b.rs").as_str()), ("mutated", "b"));
        assert_eq!(written(), before);
        assert!(!here("crates/core/src/old.rs").exists());
        slot.lay(&sources, &unchanged).expect("files");
        assert_eq!(read("crates/core/src/a.rs"), "a");
        assert_eq!(
            std::fs::read_to_string(tree("crates/core/src/a.rs")).expect("a file"),
            "a",
            "the tree is as it was"
        );
    }

    #[test]
    fn the_smaller_workspace_keeps_all_but_its_members() {
        let manifest =
            "[workspace]\nmembers = ['crates/*']\ndefault-members = ['crates/cli']\n[profile.dev]\ndebug = 0\n";
        let smaller: toml::Table = smaller(manifest).expect("a manifest").parse().expect("a manifest");
        assert_eq!(smaller["workspace"]["members"].as_array().map(Vec::len), Some(2));
        assert!(smaller["workspace"].get("default-members").is_none());
        assert_eq!(smaller["profile"]["dev"]["debug"].as_integer(), Some(0));
        assert!(super::smaller("[package]").is_err());
    }

    #[test]
    fn finds_the_programs_in_what_cargo_says() {
        let messages = r#"{"reason":"compiler-artifact","manifest_path":"/x/core/Cargo.toml","target":{"kind":["lib"],"name":"parlor_core"},"executable":"/t/core-1"}
{"reason":"compiler-artifact","manifest_path":"/x/testkit/Cargo.toml","target":{"kind":["lib"],"name":"parlor_testkit"},"executable":null}
{"reason":"compiler-artifact","manifest_path":"/x/testkit/Cargo.toml","target":{"kind":["test"],"name":"sim"},"executable":"/t/sim-1"}
{"reason":"build-finished","success":true}"#;
        let programs = programs(messages);
        let found: Vec<_> =
            programs.iter().map(|program| (program.name.as_deref(), program.package.to_str())).collect();
        assert_eq!(found, [(None, Some("/x/core")), (Some("sim"), Some("/x/testkit"))]);
    }
}
