//! What a person should be told once about their profile: shown in the status for as long as the peer runs.

use std::path::Path;
use std::sync::Mutex;

use parlor_core::RoomId;

use crate::held::held;

/// More than this is noise.
const MAX: usize = 32;

/// The notices of this run, oldest first, each once.
#[derive(Default)]
pub(crate) struct Notices(Mutex<Vec<String>>);

impl Notices {
    /// Says something, here and in the log, unless it was said.
    pub(crate) fn say(&self, text: String) {
        if self.keep(&text) {
            tracing::warn!("{text}");
        }
    }

    /// The same of a room, whose name `text` is given for the person, and not for the log.
    pub(crate) fn say_of(&self, room: &RoomId, text: impl Fn(&str) -> String) {
        if self.keep(&text(room.as_str())) {
            tracing::warn!("{}", text("a room"));
        }
    }

    /// Whether it is new.
    fn keep(&self, text: &str) -> bool {
        let mut said = held(&self.0);
        let new = said.len() < MAX && !said.iter().any(|known| known == text);
        if new {
            said.push(text.to_owned());
        }
        new
    }

    /// What was said is over.
    pub(crate) fn take_back(&self, text: &str) {
        held(&self.0).retain(|said| said != text);
    }

    /// A file could not be understood and was set aside.
    pub(crate) fn damaged(&self, what: &str, aside: &Path, instead: &str) {
        let aside = aside.file_name().unwrap_or_default().to_string_lossy();
        self.say(format!("{what} was damaged and is kept as {aside}; {instead}"));
    }

    /// All that was said.
    pub(crate) fn all(&self) -> Vec<String> {
        held(&self.0).clone()
    }
}
