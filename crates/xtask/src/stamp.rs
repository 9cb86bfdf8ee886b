//! "Has anything changed since this was last done?", answered from the content of files.
//!
//! A stamp is a fingerprint in `target/xtask/stamps`. It is written after the work succeeded; losing one only means
//! that the work is done again.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Directories that are made, not written.
const MADE: [&str; 5] = ["node_modules", "dist", "target", "coverage", ".svelte-kit"];

/// The fingerprint of some files, and what it was when the work was last done.
pub struct Stamp {
    path: PathBuf,
    now: String,
}

impl Stamp {
    /// The stamp `name` over files and directories; what is missing counts as missing.
    pub fn of(workspace: &Workspace, name: &str, sources: &[PathBuf]) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        for source in sources {
            add(&mut hasher, source)?;
        }
        let path = workspace.scratch().join("stamps").join(name);
        Ok(Self { path, now: format!("{:016x}", hasher.finish()) })
    }

    /// Whether nothing changed since [`Stamp::set`].
    pub fn holds(&self) -> bool {
        std::fs::read_to_string(&self.path).is_ok_and(|then| then == self.now)
    }

    /// Remembers that the work is done for these files.
    pub fn set(&self) -> Result<()> {
        if let Some(directory) = self.path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        std::fs::write(&self.path, &self.now).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// Adds a file, or a directory's files in the order of their names.
fn add(hasher: &mut DefaultHasher, path: &Path) -> Result<()> {
    path.file_name().hash(hasher);
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
            .with_context(|| format!("cannot list {}", path.display()))?;
        entries.sort();
        for entry in entries {
            let made = entry.file_name().and_then(|name| name.to_str()).is_some_and(|name| MADE.contains(&name));
            if !made && !entry.is_symlink() {
                add(hasher, &entry)?;
            }
        }
    } else if path.is_file() {
        std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?.hash(hasher);
    }
    Ok(())
}
