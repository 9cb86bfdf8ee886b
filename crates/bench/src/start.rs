//! What a person waits for and downloads: from start to an interactive window, and the size of the release binaries.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// MiB of a release binary; nothing when it was not built.
pub fn size(binary: &str) -> Option<f64> {
    let length = std::fs::metadata(Path::new("target/release").join(binary)).ok()?.len();
    Some(length as f64 / (1024.0 * 1024.0))
}

/// Milliseconds until the window was shown, with a fresh profile. It is shown a paint after its page has loaded, with the
/// page's program running.
pub fn window(binary: &Path) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let started = Instant::now();
    let mut child = Command::new(binary)
        .args(["--no-multicast", "--listen", "/ip4/127.0.0.1/tcp/0", "--data-dir"])
        .arg(folder.path())
        .env("PARLOR_LOG", "parlor_desktop=info")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start {}", binary.display()))?;
    let lines = child.stderr.take().context("the window has no error output")?;
    let (say, said) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(lines).lines().map_while(Result::ok) {
            if line.contains("the window is shown") && say.send(Instant::now()).is_err() {
                return;
            }
        }
    });
    let shown = said.recv_timeout(Duration::from_secs(30));
    let pid = child.id().to_string();
    Command::new("kill").args(["-TERM", &pid]).status()?;
    child.wait()?;
    match shown {
        Ok(at) => Ok(at.duration_since(started).as_secs_f64() * 1000.0),
        Err(_) => bail!("the window was not shown within 30 s"),
    }
}
