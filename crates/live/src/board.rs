//! The notes of a room (design A10).

use parlor_core::{Board, BoardChange, Error};

use crate::room::Room;

impl Room {
    /// All notes of the room, by id. A read, like [`members`](Room::members): it starts a watch.
    ///
    /// # Errors
    /// Only those of every call.
    pub async fn board(&self) -> Result<Board, Error> {
        let room = self.room()?;
        self.read(&room).await?;
        self.with(&room, |replica, _, _| Ok(replica.board())).await
    }

    /// Writes fields of notes and removes others, all or nothing; answers the notes it set, as they are now. Only the
    /// fields that are named are written, so that moving a note here and recolouring it there both survive; a note that is
    /// not known yet is made. Setting a field of a removed note brings it back. Returns when it is on disk.
    ///
    /// Limits: 2,000 notes on a board, 500 in a call, ids 1 to 64 bytes, text 4 KiB (design A8).
    ///
    /// # Errors
    /// `INVALID_BOARD`, `PAYLOAD_TOO_LARGE`; `NOT_JOINED`: only a member may; `ROOM_LOCKED` in a private room that a host
    /// locked, `CELL_FROZEN`. Nothing was changed by these. `STORAGE_FAILED`: everybody has it, and the disk has not.
    ///
    /// ```
    /// # use parlor::{BoardChange, Config, Join, Live, NoteChange};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// let room = live.room("project_123");
    /// room.join(Join::new()).await?;
    /// let note = NoteChange { id: "plan".into(), text: Some("Ask the harbour".into()), ..NoteChange::default() };
    /// room.set_board(BoardChange { set: vec![note], ..BoardChange::default() }).await?;
    /// let moved = NoteChange { id: "plan".into(), x: Some(120.0), ..NoteChange::default() };
    /// let board = room.set_board(BoardChange { set: vec![moved], ..BoardChange::default() }).await?;
    /// assert_eq!((board.notes[0].text.as_str(), board.notes[0].x), ("Ask the harbour", 120.0));
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_board(&self, change: BoardChange) -> Result<Board, Error> {
        let room = self.room()?;
        let open = self.joined(&room).await?;
        self.written(&room, &open, move |replica, who, now| replica.set_board(who, change, now)).await
    }
}
