//! The file of the log: as long as nobody knows where it is, a few kilobytes of memory.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use file_rotate::compression::Compression;
use file_rotate::suffix::AppendCount;
use file_rotate::{ContentLimit, FileRotate};
use tracing_subscriber::fmt::MakeWriter;

use crate::held::held;
use crate::profile::{files, make_private_dir};

/// The newest file; older ones have a number behind it.
pub(super) const FILE: &str = "parlor.log";
/// When the next file begins, in bytes. A line is written whole, so a file may be longer by one.
const FILE_BYTES: usize = 1024 * 1024;
/// Files beside the newest.
const OLDER: usize = 2;
/// What is remembered until the file is there, in bytes: the start of a peer in full.
const EARLY_BYTES: usize = 64 * 1024;

/// Where log lines go.
#[derive(Clone)]
pub(super) struct Journal(Arc<Mutex<Place>>);

enum Place {
    /// Nobody said yet where the file is.
    Memory(Vec<u8>),
    File(PathBuf, Box<FileRotate<AppendCount>>),
    /// It could not be opened.
    Nowhere,
}

impl Default for Journal {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Place::Memory(Vec::new()))))
    }
}

impl Journal {
    /// Opens the file in this folder, which is made, and writes what was said before.
    ///
    /// # Errors
    /// The folder cannot be made or the file not be written; nothing is logged then.
    pub(super) fn open(&self, dir: &Path) -> io::Result<()> {
        let mut place = held(&self.0);
        let early = match std::mem::replace(&mut *place, Place::Nowhere) {
            Place::Memory(early) => early,
            Place::File(..) | Place::Nowhere => Vec::new(),
        };
        make_private_dir(dir)?;
        let path = dir.join(FILE);
        let mut how = std::fs::OpenOptions::new();
        how.create(true).append(true).read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut how, 0o600);
        // The library below says nothing about a file that cannot be opened.
        drop(how.open(&path)?);
        files::make_private(&path, 0o600)?;
        let (limit, older) = (ContentLimit::BytesSurpassed(FILE_BYTES), AppendCount::new(OLDER));
        let mut file = FileRotate::new(&path, older, limit, Compression::None, Some(how));
        file.write_all(&early)?;
        *place = Place::File(dir.to_owned(), Box::new(file));
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Journal {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(held(&self.0))
    }
}

/// One line on its way into the log.
pub(super) struct Line<'a>(MutexGuard<'a, Place>);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match &mut *self.0 {
            Place::Memory(early) if early.len() + line.len() <= EARLY_BYTES => early.extend_from_slice(line),
            // The library below panics when it has to make the folder again and cannot.
            Place::File(dir, file) if dir.is_dir() => file.write_all(line)?,
            Place::Memory(_) | Place::File(..) | Place::Nowhere => {}
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut *self.0 {
            Place::File(_, file) => file.flush(),
            Place::Memory(_) | Place::Nowhere => Ok(()),
        }
    }
}

/// The last lines of level `warn` and above in this folder, at most so many, oldest first.
pub(crate) fn warnings(dir: &Path, most: usize) -> Vec<String> {
    let name = |number: usize| if number == 0 { FILE.to_owned() } else { format!("{FILE}.{number}") };
    let mut lines = Vec::new();
    for number in 0..=OLDER {
        let Ok(bytes) = std::fs::read(dir.join(name(number))) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        // The level is the word after the time.
        let warns = |line: &&str| matches!(line.split_whitespace().nth(1), Some("WARN" | "ERROR"));
        lines.extend(text.lines().rev().filter(warns).take(most - lines.len()).map(str::to_owned));
    }
    lines.reverse();
    lines
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    use tracing_subscriber::{fmt, layer::SubscriberExt as _};

    use super::*;

    #[test]
    fn the_last_warnings_are_found_in_all_files() {
        let dir = tempfile::tempdir().unwrap();
        let line = |level: &str, number: u32| format!("2026-11-29T15:00:00Z {level:>5} parlor: number {number}\n");
        std::fs::write(dir.path().join(FILE), line("INFO", 5) + &line("WARN", 6) + &line("ERROR", 7)).unwrap();
        std::fs::write(dir.path().join("parlor.log.1"), line("WARN", 3) + &line("DEBUG", 4)).unwrap();
        std::fs::write(dir.path().join("parlor.log.2"), line("WARN", 1) + &line("WARN", 2)).unwrap();
        let numbers = |most| -> Vec<String> {
            warnings(dir.path(), most).iter().map(|line| line[line.len() - 1..].to_owned()).collect()
        };
        assert_eq!(numbers(50).concat(), "12367");
        assert_eq!(numbers(3).concat(), "367");
        assert!(warnings(&dir.path().join("nowhere"), 50).is_empty());
    }

    fn say(journal: &Journal, text: &str) {
        journal.make_writer().write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn what_was_said_before_the_file_was_there_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let (journal, logs) = (Journal::default(), dir.path().join("logs"));
        say(&journal, "early\n");
        say(&journal, &"x".repeat(EARLY_BYTES));
        journal.open(&logs).unwrap();
        say(&journal, "late\n");
        assert_eq!(std::fs::read_to_string(logs.join(FILE)).unwrap(), "early\nlate\n");
    }

    #[test]
    fn there_are_three_files_at_most_none_much_longer_than_its_bound_and_no_line_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::default();
        journal.open(dir.path()).unwrap();
        let line = format!("{}\n", "y".repeat(9_999));
        for _ in 0..500 {
            say(&journal, &line);
        }
        let mut files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert_eq!(files.len(), 1 + OLDER, "{files:?}");
        for path in files {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.len() <= FILE_BYTES + 2 * line.len(), "{path:?} has {} bytes", text.len());
            assert!(text.split_inclusive('\n').all(|got| got == line));
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            }
        }
    }

    #[test]
    fn a_later_process_goes_on_in_the_same_file() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["one\n", "two\n"] {
            let journal = Journal::default();
            journal.open(dir.path()).unwrap();
            say(&journal, text);
        }
        assert_eq!(std::fs::read_to_string(dir.path().join(FILE)).unwrap(), "one\ntwo\n");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_costs_lines_and_nothing_else() {
        let test = "logs::journal::tests::a_full_disk_costs_lines_and_nothing_else";
        if let Some(dir) = crate::small_disk::folder("64k", test) {
            on_a_small_disk(&dir);
        }
    }

    #[cfg(target_os = "linux")]
    fn on_a_small_disk(dir: &Path) {
        let (journal, ballast) = (Journal::default(), dir.join("ballast"));
        journal.open(&dir.join("logs")).unwrap();
        std::fs::write(&ballast, vec![0; 32 * 1024]).unwrap();
        let log = || std::fs::read_to_string(dir.join("logs").join(FILE)).unwrap();
        let layer = fmt::layer().with_writer(journal).with_ansi(false);
        // As the programs log: through the library that drops what it is told of a failure.
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            for number in 0..2_000 {
                tracing::warn!(number, "something is wrong");
            }
            let full = log();
            assert!(!full.contains("number=1999"), "the disk does not fill");
            println!("the disk was full after {} lines", full.lines().count());
            // With room again, what is said from then on is written, whole.
            std::fs::remove_file(&ballast).unwrap();
            tracing::warn!("all is well");
            let lines = log();
            assert!(lines.lines().last().is_some_and(|line| line.ends_with("all is well")), "{lines}");
            assert_eq!(lines.matches("all is well").count(), 1);
        });
        let left: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["logs"]);
    }

    #[test]
    fn a_folder_that_is_gone_costs_the_log_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let (journal, logs) = (Journal::default(), dir.path().join("logs"));
        journal.open(&logs).unwrap();
        std::fs::remove_dir_all(&logs).unwrap();
        std::fs::write(&logs, "a file in its place").unwrap();
        say(&journal, "nobody reads this\n");
        assert!(Journal::default().open(&logs).is_err());
    }
}
