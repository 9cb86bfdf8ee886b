//! A test on a file system that is soon full, in a mount namespace of its own.

use std::path::PathBuf;
use std::process::Command;

/// Names the folder to the process that has a small disk there.
const SMALL: &str = "PARLOR_TEST_ON_SMALL_DISK";
const SCRIPT: &str = r#"mount -t tmpfs -o size="$1",mode=0700 none "$0" && shift && exec "$@""#;

/// Plays this test once more where there is a disk of this size, `64k` or `6m`: the folder for who is that, and nothing for
/// who saw it succeed. It has to say that the disk was full.
pub(crate) fn folder(size: &str, test: &str) -> Option<PathBuf> {
    if let Some(dir) = std::env::var_os(SMALL) {
        return Some(dir.into());
    }
    let dir = tempfile::tempdir().unwrap();
    let may = Command::new("unshare").args(["--mount", "true"]).output().is_ok_and(|tried| tried.status.success());
    if !may {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "a mount namespace takes root and `unshare`");
        eprintln!("not run: a mount namespace takes root and `unshare`");
        return None;
    }
    let ran = Command::new("unshare")
        .args(["--mount", "sh", "-c", SCRIPT])
        .arg(dir.path())
        .arg(size)
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(SMALL, dir.path())
        .output()
        .unwrap();
    let said = [ran.stdout, ran.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(ran.status.success() && said.contains("the disk was full"), "{said}");
    None
}
