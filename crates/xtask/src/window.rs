//! Opening windows and ending with them.

use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::step::end;
use crate::workspace::{Workspace, exit_code};

/// Whether a window can open.
pub fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// Opens one window, or one for each profile, and waits until all are closed. Ctrl-C closes them: each is asked to end,
/// so that it leaves its rooms.
pub fn open(workspace: &Workspace, program: &Path, profiles: &[&str], rest: &[String]) -> Result<ExitCode> {
    let mut children = Vec::new();
    if profiles.is_empty() {
        children.push(spawn(program, None, rest)?);
    }
    for profile in profiles {
        match spawn(program, Some(profile), rest) {
            Ok(child) => children.push(child),
            Err(error) => {
                children.iter_mut().for_each(end);
                return Err(error);
            }
        }
    }
    let mut code = ExitCode::SUCCESS;
    while !children.is_empty() {
        if workspace.stopping() {
            children.iter_mut().for_each(end);
            return Ok(ExitCode::from(130));
        }
        let mut open = Vec::new();
        for mut child in children {
            match child.try_wait()? {
                None => open.push(child),
                Some(status) if !status.success() => code = failure(profiles, status),
                Some(_) => {}
            }
        }
        children = open;
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(code)
}

fn spawn(program: &Path, profile: Option<&str>, rest: &[String]) -> Result<Child> {
    let mut command = Command::new(program);
    if let Some(profile) = profile {
        command.args(["--profile", profile]);
    }
    command.args(rest);
    // Out of the terminal's group: Ctrl-C reaches only this program, which then asks the windows to end.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().with_context(|| format!("cannot start {}", program.display()))
}

/// One window's exit code is ours; of several, any failure is.
fn failure(profiles: &[&str], status: ExitStatus) -> ExitCode {
    if profiles.is_empty() { exit_code(status) } else { ExitCode::FAILURE }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::open;
    use crate::workspace::Workspace;

    /// A program that writes its arguments to a file of its profile's name, and how it was ended after that.
    fn program(directory: &tempfile::TempDir, then: &str) -> PathBuf {
        let path = directory.path().join("program");
        let out = directory.path().display();
        let script =
            format!("#!/bin/sh\nout={out}/$2\ntrap 'echo asked >> $out; exit 0' TERM\necho \"$@\" > $out\n{then}\n");
        std::fs::write(&path, script).expect("a script");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("its mode");
        path
    }

    #[test]
    fn two_windows_end_when_both_close() {
        let directory = tempfile::tempdir().expect("a directory");
        let workspace = Workspace::in_directory(directory.path());
        let program = program(&directory, "exit 0");
        open(&workspace, &program, &["one", "two"], &["--room".into(), "a".into()]).expect("two windows");
        for profile in ["one", "two"] {
            let said = std::fs::read_to_string(directory.path().join(profile)).expect("its arguments");
            assert_eq!(said, format!("--profile {profile} --room a\n"));
        }
    }

    #[test]
    fn stopping_asks_every_window_to_end() {
        let directory = tempfile::tempdir().expect("a directory");
        let workspace = Workspace::in_directory(directory.path());
        let program = program(&directory, "while :; do sleep 0.05; done");
        let said = |profile: &str| std::fs::read_to_string(directory.path().join(profile)).unwrap_or_default();
        thread::scope(|scope| {
            let windows = scope.spawn(|| open(&workspace, &program, &["one", "two"], &[]));
            let deadline = Instant::now() + Duration::from_secs(10);
            while said("one").is_empty() || said("two").is_empty() {
                assert!(Instant::now() < deadline, "the windows did not open");
                thread::yield_now();
            }
            workspace.stop();
            windows.join().expect("no panic").expect("an end");
        });
        assert!(said("one").ends_with("asked\n") && said("two").ends_with("asked\n"), "{}{}", said("one"), said("two"));
    }
}
