//! The flight recorder of a room: saving what it has, and looking at it step by step.
//!
//! Each open room writes down what its replica is given (`parlor-core`, `recorder`), the newest ten minutes of it in at most 8
//! MiB. Nothing of it reaches a disk or anybody else until somebody saves it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use parlor_core::{Error, ErrorCode, Lineup, Recorded, Recording, ReplayAt, ReplayQuery, ReplayState, Replayed, Tape};

use crate::live::Live;
use crate::profile::files;
use crate::room::Room;

/// Bytes of a file that a peer plays for whoever asks it: twice what it writes itself. `parlor replay` takes larger ones.
pub const REPLAYED_MAX: usize = 16 << 20;

/// How a recording is saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordingOptions {
    /// With names and values as they are. Else each is another of the same length, so that the recording can be shown to
    /// somebody who was not in the room.
    pub values: bool,
}

impl Room {
    /// What this peer was given in this room during the last ten minutes, as the bytes of a file that `parlor replay` reads.
    /// The room has to be open. No key, no secret and no signature is ever in it.
    ///
    /// # Errors
    /// `NOT_FOUND` when the room is not open or the peer was started with `recorder: false`; `NETWORK_UNAVAILABLE` when the
    /// peer is closing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use parlor::{Config, Join, Live, Recording, RecordingOptions};
    /// # let dir = tempfile::tempdir()?;
    /// # let config = Config {
    /// #     data_dir: dir.path().into(), listen: vec!["/ip4/127.0.0.1/tcp/0".into()], multicast: false, ..Config::default()
    /// # };
    /// # let live = Live::start(config).await?;
    /// let room = live.room("standup");
    /// room.join(Join::new()).await?;
    /// let file = room.recording(RecordingOptions::default()).await?;
    /// let recording = Recording::read(file.as_ref())?;
    /// assert!(recording.is_redacted() && recording.outcome()?.broken.is_none());
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn recording(&self, options: RecordingOptions) -> Result<Vec<u8>, Error> {
        let tape = self.tape().await?;
        aside(move || Ok(saved(&tape, options)?.write())).await
    }

    /// The same, played and listed: what happened step by step, and what was held at one of them.
    ///
    /// # Errors
    /// As [`Room::recording`].
    pub async fn replay(&self, options: RecordingOptions, query: ReplayQuery) -> Result<Replayed, Error> {
        let tape = self.tape().await?;
        aside(move || saved(&tape, options)?.replayed(&query)).await
    }

    /// How much of this room is written down now; `None` when the room is not open or the peer was started with `recorder:
    /// false`.
    ///
    /// # Errors
    /// `NETWORK_UNAVAILABLE` when the peer is closing.
    pub async fn recorded(&self) -> Result<Option<Recorded>, Error> {
        let room = self.room()?;
        match self.live.net().with(&room, |replica, now| replica.recorded(now)).await {
            Err(error) if error.code != ErrorCode::NetworkUnavailable => Ok(None),
            recorded => recorded,
        }
    }

    /// Does not open the room: then there would be nothing to see.
    async fn tape(&self) -> Result<Tape, Error> {
        let room = self.room()?;
        let off = || Error::new(ErrorCode::NotFound, format!("nothing of {room} is recorded"));
        self.live.net().with(&room, |replica, _| replica.tape()).await?.ok_or_else(off)
    }
}

/// A file that somebody has, played by this peer. Nothing of it touches a room, and nothing of it is kept. One file is played
/// at a time, the others wait.
impl Live {
    /// Plays a recording and lists a part of it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use parlor::{Config, Join, Live, RecordingOptions, ReplayAt, ReplayQuery};
    /// # let dir = tempfile::tempdir()?;
    /// # let config = Config {
    /// #     data_dir: dir.path().into(), listen: vec!["/ip4/127.0.0.1/tcp/0".into()], multicast: false, ..Config::default()
    /// # };
    /// # let live = Live::start(config).await?;
    /// # let room = live.room("standup");
    /// # room.join(Join::new()).await?;
    /// # let file: std::sync::Arc<[u8]> = room.recording(RecordingOptions::default()).await?.into();
    /// let played = live.replay(file.clone(), ReplayQuery { limit: Some(10), ..ReplayQuery::default() }).await?;
    /// let joined = played.steps.iter().find(|step| step.text.contains("joins")).expect("somebody joined");
    /// let state = live.replay_state(file, Some(ReplayAt::Step(joined.step as usize))).await?;
    /// assert_eq!(state.members.len(), 1);
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `INVALID_RECORDING` for what is none, is cut short, damaged or of a later program; `PAYLOAD_TOO_LARGE` beyond
    /// [`REPLAYED_MAX`].
    pub async fn replay(&self, file: impl AsRef<[u8]> + Send + 'static, query: ReplayQuery) -> Result<Replayed, Error> {
        self.in_turn(move || read(file.as_ref())?.replayed(&query)).await
    }

    /// What was held at one moment of a recording, and what the step before it changed; at its end when `at` is `None`.
    ///
    /// # Errors
    /// As [`Live::replay`].
    pub async fn replay_state(
        &self,
        file: impl AsRef<[u8]> + Send + 'static,
        at: Option<ReplayAt>,
    ) -> Result<ReplayState, Error> {
        self.in_turn(move || read(file.as_ref())?.state_at(at)).await
    }

    /// A test in Rust that plays a recording; see [`Recording::as_test`].
    ///
    /// # Errors
    /// As [`Live::replay`].
    pub async fn replay_test(&self, file: impl AsRef<[u8]> + Send + 'static, name: &str) -> Result<String, Error> {
        let name = name.to_owned();
        self.in_turn(move || read(file.as_ref())?.as_test(&name)).await
    }

    /// Two recordings of one incident, and where they disagree first; see [`Lineup`].
    ///
    /// # Errors
    /// As [`Live::replay`].
    pub async fn line_up(
        &self,
        first: impl AsRef<[u8]> + Send + 'static,
        second: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<Lineup, Error> {
        self.in_turn(move || Lineup::of(&read(first.as_ref())?, &read(second.as_ref())?)).await
    }

    /// One at a time. Whoever goes away meanwhile does not end what is played: the turn ends with that.
    async fn in_turn<R: Send + 'static>(
        &self,
        play: impl FnOnce() -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Error> {
        let turn = Arc::clone(&self.shared.replaying).lock_owned().await;
        aside(move || {
            let _turn = turn;
            play()
        })
        .await
    }
}

fn read(file: &[u8]) -> Result<Recording, Error> {
    if file.len() > REPLAYED_MAX {
        return Err(Error::too_large("bytes", REPLAYED_MAX, file.len(), "recording"));
    }
    Recording::read(file)
}

/// Writes a file that must not be there yet: whole or not at all.
///
/// # Errors
/// `AlreadyExists` when it is there; it is left as it was. What the system says otherwise.
pub fn save_new_file(path: &Path, file: &[u8]) -> io::Result<()> {
    files::create(path, file)
}

fn saved(tape: &Tape, options: RecordingOptions) -> Result<Recording, Error> {
    let recording = tape.recording(env!("CARGO_PKG_VERSION"))?;
    // Forgotten with this call: nobody can tell afterwards what a stand-in stands for.
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| {
        let message = format!("the system has no random numbers: {error}");
        Error::new(ErrorCode::StorageFailed, message)
    })?;
    recording.for_others(key, options.values)
}

/// Away from the tasks that carry cursors: minutes are played again here.
async fn aside<R: Send + 'static>(work: impl FnOnce() -> Result<R, Error> + Send + 'static) -> Result<R, Error> {
    let broken = |_| Error::new(ErrorCode::InvalidRecording, "the recording cannot be played");
    tokio::task::spawn_blocking(work).await.map_err(broken)?
}
