//! Files about panics. They are written by the panic hook, so nothing here may panic, log or wait.

use std::backtrace::Backtrace;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use parlor_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::FOLDER;
use crate::live::wall_ms;
use crate::profile::make_private_dir;

/// How many there are at most, in a profile and of one process: when many tasks panic, the first ones say why.
const KEPT: usize = 5;
/// The longest message and the longest backtrace, in bytes.
const MESSAGE_BYTES: usize = 4 * 1024;
const BACKTRACE_BYTES: usize = 64 * 1024;
/// How the name of one begins, how it ends, and how it ends until somebody was told.
const PREFIX: &str = "crash-";
const TOLD: &str = ".json";
const NEW: &str = ".new.json";

/// A panic, as it stands in its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Crash {
    pub time: Timestamp,
    pub version: String,
    pub program: String,
    pub thread: String,
    pub message: String,
    /// File, line and column.
    pub location: String,
    pub backtrace: String,
}

impl Crash {
    fn of(info: &PanicHookInfo<'_>, program: &str) -> Self {
        Self {
            time: Timestamp(wall_ms()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            program: program.to_owned(),
            thread: std::thread::current().name().unwrap_or("unnamed").to_owned(),
            message: cut(said(info).to_owned(), MESSAGE_BYTES),
            location: info.location().map(ToString::to_string).unwrap_or_default(),
            backtrace: cut(Backtrace::force_capture().to_string(), BACKTRACE_BYTES),
        }
    }
}

/// Adds to what this process does on a panic: it is written below the profile, whose path may still be to come. One that is
/// caught where it happens is no fault, and nothing is done about it.
pub(super) fn write_on_panic(profile: Arc<Mutex<Option<PathBuf>>>, program: &'static str) {
    let (before, written) = (std::panic::take_hook(), AtomicUsize::new(0));
    std::panic::set_hook(Box::new(move |info| {
        if parlor_net::contained() {
            return;
        }
        before(info);
        if written.fetch_add(1, Ordering::Relaxed) >= KEPT {
            return;
        }
        // Not waited for: the panic may be of whoever holds it.
        let Some(dir) = profile.try_lock().ok().and_then(|dir| dir.clone()) else { return };
        if dir.is_dir() {
            // A disk that is full has no room for this either.
            let _ = write(&dir.join(FOLDER), &Crash::of(info, program));
        }
    }));
}

/// Writes one, readable by its owner alone, and removes the oldest beyond the bound.
fn write(dir: &Path, crash: &Crash) -> io::Result<()> {
    make_private_dir(dir)?;
    let mut text = serde_json::to_vec_pretty(crash)?;
    text.push(b'\n');
    // Two of the same millisecond are told apart by the number.
    let time = crash.time.to_string().replace(':', "");
    let mut how = OpenOptions::new();
    how.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut how, 0o600);
    let name = |number: usize| dir.join(format!("{PREFIX}{time}-{number}{NEW}"));
    let mut file = (0..KEPT).find_map(|number| how.open(name(number)).ok()).ok_or(io::ErrorKind::AlreadyExists)?;
    file.write_all(&text)?;
    file.sync_all()?;
    let all = all(dir);
    all.iter().take(all.len().saturating_sub(KEPT)).try_for_each(std::fs::remove_file)
}

/// The panics that nobody was told of yet, in a sentence. From now on somebody was.
pub(super) fn tell(dir: &Path) -> Option<String> {
    let new: Vec<PathBuf> = all(dir).into_iter().filter(|path| ends(path, NEW)).collect();
    let told: Vec<PathBuf> = new.iter().map(|path| told(path)).collect();
    new.iter().zip(&told).for_each(|(new, told)| {
        // Told again by the next start, if that cannot be.
        let _ = std::fs::rename(new, told);
    });
    let first = told.first()?;
    let when = read(first).map_or_else(String::new, |crash| format!(" on {} (version {})", crash.time, crash.version));
    let more = if told.len() > 1 { format!(", the first of {}", told.len()) } else { String::new() };
    let name = first.file_name().unwrap_or_default().to_string_lossy();
    Some(format!(
        "Parlor had a fault{when}; what it knows of it is in {FOLDER}/{name} in the profile's folder{more}. \
         Please tell its makers"
    ))
}

/// The newest there is, told of or not.
pub(crate) fn last(dir: &Path) -> Option<Crash> {
    all(dir).iter().rev().find_map(|path| read(path))
}

fn read(path: &Path) -> Option<Crash> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// The files of this folder that are about panics, oldest first: their names begin with the time.
fn all(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let ours = |path: &PathBuf| {
        ends(path, TOLD) && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX))
    };
    let mut all: Vec<PathBuf> = entries.filter(ours).collect();
    all.sort();
    all
}

fn ends(path: &Path, end: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(end))
}

fn told(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{}{TOLD}", name.strip_suffix(NEW).unwrap_or(&name)))
}

fn said<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = info.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("not text")
}

fn cut(mut text: String, bytes: usize) -> String {
    let end = text.char_indices().map(|(at, letter)| at + letter.len_utf8()).take_while(|end| *end <= bytes).last();
    text.truncate(end.unwrap_or(0));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crash(ms: u64) -> Crash {
        let text = String::from;
        Crash {
            time: Timestamp(ms),
            version: text("0.0.0"),
            program: text("parlor"),
            thread: text("main"),
            message: format!("number {ms}"),
            location: text("src/lib.rs:1:1"),
            backtrace: text("0: main"),
        }
    }

    #[test]
    fn the_newest_five_stay_and_are_their_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let logs = dir.path().join(FOLDER);
        for ms in 1..=7 {
            write(&logs, &crash(ms)).unwrap();
        }
        // At one moment.
        write(&logs, &crash(7)).unwrap();
        let kept = all(&logs);
        let times: Vec<u64> = kept.iter().map(|path| read(path).unwrap().time.0).collect();
        assert_eq!(times, [4, 5, 6, 7, 7]);
        assert_eq!(last(&logs), Some(crash(7)));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert!(kept.iter().all(|path| mode(path) == 0o600));
            assert_eq!(mode(&logs), 0o700);
        }
    }

    #[test]
    fn each_is_told_of_once_and_stays_to_be_read() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(tell(dir.path()), None);
        write(dir.path(), &crash(0)).unwrap();
        let text = tell(dir.path()).unwrap();
        assert!(text.contains("on 1970-01-01T00:00:00.000Z (version 0.0.0)"), "{text}");
        assert!(text.contains("logs/crash-1970-01-01T000000.000Z-0.json "), "{text}");
        assert!(dir.path().join("crash-1970-01-01T000000.000Z-0.json").exists());
        assert_eq!(tell(dir.path()), None);

        write(dir.path(), &crash(1)).unwrap();
        write(dir.path(), &crash(2)).unwrap();
        let text = tell(dir.path()).unwrap();
        assert!(text.contains("000.001Z-0.json") && text.contains("the first of 2"), "{text}");
        assert_eq!(last(dir.path()), Some(crash(2)));
    }

    #[test]
    fn a_panic_that_is_caught_where_it_happens_is_no_fault() {
        let dir = tempfile::tempdir().unwrap();
        write_on_panic(Arc::new(Mutex::new(Some(dir.path().to_owned()))), "parlor");
        // Other tests panic too.
        let messages = || -> Vec<String> {
            let kept = all(&dir.path().join(FOLDER));
            kept.iter().filter_map(|path| read(path)).map(|crash| crash.message).collect()
        };
        parlor_net::contain(|| panic!("caught")).unwrap_err();
        assert!(messages().iter().all(|message| message != "caught"), "{:?}", messages());
        std::thread::spawn(|| panic!("not caught")).join().unwrap_err();
        assert!(messages().iter().any(|message| message == "not caught"), "{:?}", messages());
    }

    #[test]
    fn a_long_message_is_cut_between_letters() {
        assert_eq!(cut("aé".repeat(3), 5), "aéa");
        assert_eq!(cut("short".into(), 100), "short");
    }
}
