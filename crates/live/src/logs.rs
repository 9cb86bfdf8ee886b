//! What a program writes down about itself, for who looks for a fault later: a log with a bound in the profile's folder, and
//! a file about every panic, which the next start mentions.
//!
//! ```text
//! PROFILE/logs/
//!     parlor.log, parlor.log.1, parlor.log.2   level `info` and above, newest first; three of 1 MiB
//!     crash-TIME.json                          a panic; the newest five. crash-TIME.new.json: nobody was told of it yet
//! ```
//!
//! A library writes no files that nobody asked for, so a peer has none of this by itself: a program of ours calls
//! [`Logs::begin`] first of all, and [`Logs::open`] when it has the profile. Nothing in a log names a person, a room, a
//! secret or what somebody wrote (ARCHITECTURE.md has the convention); what a panic says is its author's choice, so crash
//! files are for the owner's eyes.

mod crash;
mod journal;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::held::held;
use crate::{Config, Live, profile};
pub(crate) use crash::{Crash, last as last_crash};
use journal::Journal;
pub(crate) use journal::warnings;

/// Where they are, seen from the profile.
pub(crate) const FOLDER: &str = "logs";
/// What is written to standard error unless somebody asks for something else.
const FOR_PEOPLE: &str = "warn";
/// What is written to the file then: what Parlor does, and what its libraries warn of.
const FOR_LATER: &str = "warn,parlor=info";

/// The log and the crash files of this process.
pub struct Logs {
    journal: Option<Journal>,
    crashes: Arc<Mutex<Option<PathBuf>>>,
}

/// Fields of spans as they are for the file. They are written once for all outputs that write them by one type, with the
/// colours of the first.
struct Plain;

impl<'w> FormatFields<'w> for Plain {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> std::fmt::Result {
        DefaultFields::new().format_fields(writer, fields)
    }
}

impl std::fmt::Debug for Logs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logs").field("profile", &*held(&self.crashes)).finish_non_exhaustive()
    }
}

/// What `tokio-console` reads, at the address that `TOKIO_CONSOLE_BIND` names, such as `127.0.0.1:6669`; without one nothing
/// is served and nothing collected. There is no key to it.
#[cfg(feature = "tokio-console")]
fn tasks<S>() -> Option<impl tracing_subscriber::Layer<S>>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let wanted = std::env::var_os("TOKIO_CONSOLE_BIND").is_some();
    wanted.then(|| console_subscriber::ConsoleLayer::builder().with_default_env().spawn())
}

/// The filter cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("PARLOR_LOG: {0}; allowed are error, warn, info, debug, trace and target=level")]
pub struct BadFilter(String);

impl Logs {
    /// Begins to log for the whole process: to standard error, `warn` and above, and with `keep` also to a file, `info` and
    /// above, once [`open`](Self::open) said where. `filter` is what the person said instead, for both.
    ///
    /// # Errors
    /// The filter is no list of levels.
    pub fn begin(filter: Option<&str>, colours: bool, keep: bool) -> Result<Self, BadFilter> {
        let read =
            |instead| EnvFilter::try_new(filter.unwrap_or(instead)).map_err(|error| BadFilter(error.to_string()));
        let journal = keep.then(Journal::default);
        let people = fmt::layer().with_writer(std::io::stderr).with_ansi(colours).with_filter(read(FOR_PEOPLE)?);
        let later = read(FOR_LATER)?;
        let file = journal
            .clone()
            .map(|journal| fmt::layer().with_writer(journal).with_ansi(false).fmt_fields(Plain).with_filter(later));
        let log = tracing_subscriber::registry().with(people).with(file);
        #[cfg(feature = "tokio-console")]
        let log = log.with(tasks());
        // Fails when somebody else logs for this process already, whose log it then is.
        let _ = log.try_init();
        Ok(Self { journal, crashes: Arc::default() })
    }

    /// From now on every panic of this process leaves a file in the folder of this profile, if there is one, beside what it
    /// writes to standard error.
    pub fn watch(&self, config: &Config, program: &'static str) {
        if !profile::is_directory_name(&config.profile) {
            return;
        }
        let dir = config.data_dir.join("profiles").join(&config.profile);
        if held(&self.crashes).replace(dir).is_none() {
            crash::write_on_panic(Arc::clone(&self.crashes), program);
        }
    }

    /// The profile is this process's: writes the log into its folder, with what was logged before, and mentions the panics
    /// that nobody was told of.
    pub fn open(&self, live: &Live) {
        let (dir, notices) = (live.profile_dir().join(FOLDER), &live.shared.profile.notices);
        if let Some(Err(error)) = self.journal.as_ref().map(|journal| journal.open(&dir)) {
            notices.say(format!("no log is kept: {error}"));
        }
        if let Some(text) = crash::tell(&dir) {
            notices.say(text);
        }
    }
}
