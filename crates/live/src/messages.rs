//! What is said in a room (design A12).

use parlor_core::{Error, HistoryPage, HistoryQuery, Message, Publish};

use crate::room::Room;

impl Room {
    /// Says something to everybody in the room. With `keep` it stays in the room's log, of which the newest 500 are kept, at
    /// every member and on disk, and is there for those who come later; else only those hear it who are there now, such as
    /// a reaction. Every reader of events is told, this one too.
    ///
    /// The same `idempotencyKey` of the same actor stores once, however often it is called and on whichever device: the
    /// message of the first time is answered. Limits: 4 KiB a string, 8 KiB in all; what is not kept, 16 a second, 32 at
    /// once.
    ///
    /// # Errors
    /// `INVALID_MESSAGE`, `PAYLOAD_TOO_LARGE`; `NOT_JOINED`: only a member may; `AMBIGUOUS_MEMBER`, `CELL_FROZEN`,
    /// `RATE_LIMITED`. Nothing was changed by these. `STORAGE_FAILED`: everybody has it, and the disk has not.
    ///
    /// ```
    /// # use parlor::{Config, HistoryQuery, Join, Live, Publish};
    /// # use serde_json::json;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// let room = live.room("project_123");
    /// room.join(Join::new()).await?;
    /// room.publish(Publish::new("chat", json!({"text": "The power is back."})).keep()).await?;
    /// room.publish(Publish::new("reaction", json!({"emoji": "🎉"}))).await?;
    /// let page = room.history(HistoryQuery::default()).await?;
    /// assert_eq!((page.messages.len(), &page.messages[0].data["text"]), (1, &json!("The power is back.")));
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn publish(&self, mut args: Publish) -> Result<Message, Error> {
        let room = self.room()?;
        args.member_id = args.member_id.or_else(|| self.live.remembered(&room));
        let open = self.joined(&room).await?;
        self.written(&room, &open, move |replica, who, now| replica.say(who, args, now)).await
    }

    /// The messages that are kept, newest first, in pages. A read, like [`members`](Room::members): it starts a watch.
    ///
    /// # Errors
    /// `INVALID_LIMIT` unless `limit` is 1 to 1000 (default 100); `INVALID_CURSOR` for a cursor of something else.
    pub async fn history(&self, query: HistoryQuery) -> Result<HistoryPage, Error> {
        let room = self.room()?;
        self.read(&room).await?;
        self.with(&room, move |replica, _, _| replica.history(&query)).await
    }
}
