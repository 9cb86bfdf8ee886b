//! What happens in a room, streamed into a window by credit: a batch leaves only when the window has acknowledged the
//! one before, which it does when it draws. A hidden window draws nothing, so nothing queues for it: what it misses is
//! conflated behind the [`parlor::Feed`], which starts over with a snapshot if that was too much.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use parlor::{Batch, Feed};
use serde::Serialize;
use tauri::ipc::Channel;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// A window that shows nothing for so long is told that there is something, again and again: the timers of a hidden page stop
/// after some minutes, and somebody may want to be notified.
const STIR_EVERY: Duration = Duration::from_secs(5);

/// What is sent at once, by its number, which the window says back.
pub trait Numbered: Serialize + Send + Sync + 'static {
    /// The number.
    fn seq(&self) -> u64;
}

impl Numbered for Batch {
    fn seq(&self) -> u64 {
        self.seq
    }
}

/// Where batches come from. A trait so that the credit is tested without a peer.
pub trait Source: Send + 'static {
    /// What it says at once.
    type Batch: Numbered;

    /// Waits for something to say; `None` when there will be nothing more.
    fn next(&mut self) -> impl Future<Output = Option<Self::Batch>> + Send;
}

impl Source for Feed {
    type Batch = Batch;

    fn next(&mut self) -> impl Future<Output = Option<Batch>> + Send {
        Feed::next(self)
    }
}

/// The feeds of all windows, at most one for a window and a room; managed by the app.
#[derive(Default)]
pub struct Feeds(Mutex<Table>);

#[derive(Default)]
struct Table {
    last: u64,
    open: HashMap<u64, Open>,
}

struct Open {
    window: String,
    room: String,
    acknowledged: watch::Sender<Option<u64>>,
    pump: AbortHandle,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

impl Feeds {
    /// Starts streaming `source` into `channel`, in place of what this window had for this room. Answers the number of
    /// the feed. `stir` tells the window that something waits for it. Call it inside a Tokio runtime.
    pub fn open<S: Source>(
        &self,
        window: &str,
        room: &str,
        source: S,
        channel: Channel<S::Batch>,
        stir: impl Fn() + Send + 'static,
    ) -> u64 {
        let (acknowledged, credit) = watch::channel(None);
        let pump = tokio::spawn(pump(source, channel, credit, stir)).abort_handle();
        self.with(|table| {
            table.open.retain(|_, open| open.window != window || open.room != room);
            table.last += 1;
            table.open.insert(table.last, Open { window: window.into(), room: room.into(), acknowledged, pump });
            table.last
        })
    }

    /// The window has shown batch `seq`. An unknown feed is one that was just replaced, and nothing to complain about.
    pub fn ack(&self, window: &str, feed: u64, seq: u64) {
        self.with(|table| {
            if let Some(open) = table.open.get(&feed).filter(|open| open.window == window) {
                open.acknowledged.send_replace(Some(seq));
            }
        });
    }

    /// Ends one feed of a window.
    pub fn close(&self, window: &str, feed: u64) {
        self.with(|table| table.open.retain(|id, open| *id != feed || open.window != window));
    }

    /// Ends every feed of a window: it closed or loads anew.
    pub fn close_window(&self, window: &str) {
        self.with(|table| table.open.retain(|_, open| open.window != window));
    }

    fn with<R>(&self, f: impl FnOnce(&mut Table) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn pump<S: Source>(
    mut source: S,
    channel: Channel<S::Batch>,
    mut credit: watch::Receiver<Option<u64>>,
    stir: impl Fn() + Send,
) {
    while let Some(batch) = source.next().await {
        let seq = batch.seq();
        if let Err(error) = channel.send(batch) {
            tracing::debug!(reason = %error, "the window takes no more");
            return;
        }
        // Exactly this one: a window that acknowledges what it never got earns nothing.
        loop {
            match timeout(STIR_EVERY, credit.wait_for(|acknowledged| *acknowledged == Some(seq))).await {
                Ok(Ok(_)) => break,
                Ok(Err(_)) => return,
                Err(_) => stir(),
            }
        }
    }
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
