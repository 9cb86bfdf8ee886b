//! `docs`: manual pages and completions, for who makes packages.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::{Shell, generate_to};

use crate::calls::Done;
use crate::failure::Failure;

/// Arguments of `docs`.
#[derive(Debug, Args)]
pub struct DocsArgs {
    /// Where to: man/ and completions/ are made there
    pub dir: PathBuf,
}

pub(crate) fn docs(args: &DocsArgs, command: Command) -> Done {
    let failed = |error: std::io::Error| Failure::Failed(format!("cannot write to {}: {error}", args.dir.display()));
    write(&args.dir, command).map_err(failed)
}

fn write(dir: &Path, mut command: Command) -> std::io::Result<()> {
    let (manuals, completions) = (dir.join("man"), dir.join("completions"));
    for folder in [&manuals, &completions] {
        std::fs::create_dir_all(folder)?;
    }
    clap_mangen::generate_to(command.clone(), &manuals)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut command, "parlor", &completions)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::write;

    #[test]
    fn every_subcommand_that_is_shown_has_a_page() {
        let dir = tempfile::tempdir().expect("a directory");
        write(dir.path(), crate::command()).expect("written");
        for subcommand in crate::command().get_subcommands() {
            let page = dir.path().join("man").join(format!("parlor-{}.1", subcommand.get_name()));
            assert_eq!(page.is_file(), !subcommand.is_hide_set(), "{}", page.display());
        }
        let page = std::fs::read_to_string(dir.path().join("man/parlor-serve.1")).expect("a page");
        assert!(page.contains(".TH") && page.contains("no\\-multicast"), "{page}");
        for file in ["parlor.bash", "_parlor", "parlor.fish"] {
            let text = std::fs::read_to_string(dir.path().join("completions").join(file)).expect("completions");
            assert!(text.contains("members"), "{file}");
        }
    }
}
