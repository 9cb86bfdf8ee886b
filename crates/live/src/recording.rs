//! The flight recorder of a room: saving what it has, and looking at it step by step.
//!
//! Each open room writes down what its replica is given (`parlor-core`, `recorder`), the newest ten minutes of it in at most 8
//! MiB. Nothing of it reaches a disk or anybody else until somebody saves it.

use parlor_core::{Error, ErrorCode, Recording, ReplayQuery, Replayed, Tape};

use crate::room::Room;

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
    /// let recording = Recording::read(&file)?;
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

    /// Does not open the room: then there would be nothing to see.
    async fn tape(&self) -> Result<Tape, Error> {
        let room = self.room()?;
        let off = || Error::new(ErrorCode::NotFound, format!("nothing of {room} is recorded"));
        self.live.net().with(&room, |replica, _| replica.tape()).await?.ok_or_else(off)
    }
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
