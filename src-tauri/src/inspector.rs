//! The inspector's window: how this peer syncs. It stands beside the main one, reads and changes nothing but the faults of
//! the lab, and ends with it, since behind a window that shows no room nobody would look for one that they are still in.

use std::path::Path;
use std::time::Duration;

use parlor::{Inspect, Inspection, Theme};
use serde::Serialize;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{AppHandle, Manager as _, WebviewUrl, WebviewWindowBuilder, Window, WindowEvent};
use tokio::time::{Instant, timeout_at};

use crate::feed::{self, Feeds};
use crate::window;

/// The label of its window.
pub const LABEL: &str = "inspector";

/// Its feed among those of rooms, of which none has an empty name.
pub const FEED: &str = "";

/// What is seen within this time goes to the window at once.
const GATHER: Duration = Duration::from_millis(40);

/// Things in one batch; about 20 KiB.
const BATCH_MAX: usize = 64;

/// Opens the window, or brings the one that is open to the front.
///
/// # Errors
/// When the system makes no window.
pub fn open(app: &AppHandle, profile_dir: &Path, theme: Theme) -> tauri::Result<()> {
    if let Some(open) = app.get_webview_window(LABEL) {
        window::raise(&open);
        return Ok(());
    }
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("inspector.html".into()))
        .title("Parlor · Inspector")
        .inner_size(1120.0, 720.0)
        .min_inner_size(720.0, 480.0)
        .visible(false)
        .theme(window::chosen(theme))
        .data_directory(profile_dir.join("webview"))
        // A recording is dropped on the page, which reads it.
        .disable_drag_drop_handler()
        .on_navigation(window::is_own_page)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_page_load(|window, load| match load.event() {
            PageLoadEvent::Started => window.state::<Feeds>().close_window(LABEL),
            PageLoadEvent::Finished => window::show_in(window, window::PAINT),
        })
        .build()?;
    window::on_own_ground(&window)?;
    window::show_in(window, window::PATIENCE);
    Ok(())
}

/// Nobody looks on for a window that is gone, and the inspector goes with the main window.
pub fn follow(window: &Window, event: &WindowEvent) {
    if !matches!(event, WindowEvent::Destroyed) {
        return;
    }
    match window.label() {
        LABEL => window.state::<Feeds>().close_window(LABEL),
        window::MAIN => {
            if let Some(Err(error)) = window.get_webview_window(LABEL).map(|inspector| inspector.destroy()) {
                tracing::warn!(reason = %error, "the inspector could not be closed");
            }
        }
        _ => {}
    }
}

/// What was seen, as it goes to the window at once.
#[derive(Serialize)]
pub struct Looks {
    seq: u64,
    items: Vec<Inspect>,
}

impl feed::Numbered for Looks {
    fn seq(&self) -> u64 {
        self.seq
    }
}

/// A look at the peer, in batches. While the window acknowledges nothing, nothing is taken of the look, which then tells
/// how much was missed.
pub struct Source {
    inspection: Inspection,
    seq: u64,
}

impl Source {
    /// In batches of its own.
    pub fn of(inspection: Inspection) -> Self {
        Source { inspection, seq: 0 }
    }
}

impl feed::Source for Source {
    type Batch = Looks;

    async fn next(&mut self) -> Option<Looks> {
        let mut items = vec![self.inspection.recv().await?];
        let until = Instant::now() + GATHER;
        while items.len() < BATCH_MAX {
            match timeout_at(until, self.inspection.recv()).await {
                Ok(Some(item)) => items.push(item),
                // The end is met again at the next look.
                Ok(None) | Err(_) => break,
            }
        }
        self.seq += 1;
        Some(Looks { seq: self.seq, items })
    }
}

#[cfg(test)]
mod tests {
    use parlor::{Config, InspectOptions, Join, Live};

    use super::*;
    use crate::feed::Source as _;

    #[tokio::test]
    async fn what_was_seen_comes_in_batches_that_begin_with_how_it_is() {
        let dir = tempfile::tempdir().expect("a folder");
        let config = Config {
            data_dir: dir.path().into(),
            listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
            multicast: false,
            ..Config::default()
        };
        let live = Live::start(config).await.expect("a peer");
        let mut source = Source::of(live.inspect(InspectOptions::default()).await.expect("a look"));
        live.room("quay").join(Join::new()).await.expect("in the room");
        let mut items = Vec::new();
        let mut numbers = Vec::new();
        while !items.iter().any(|item| matches!(item, Inspect::Seen(_))) {
            let batch = source.next().await.expect("a batch");
            numbers.push(batch.seq);
            items.extend(batch.items);
        }
        assert!(matches!(items.first(), Some(Inspect::Snapshot(_))), "{items:?}");
        assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
        live.close().await;
        while source.next().await.is_some() {}
    }
}
