//! What the window asks of the desktop around it: a notice for somebody who looks elsewhere, and a link that was clicked.

#[cfg(target_os = "linux")]
use std::{collections::HashMap, sync::Arc};

use notify_rust::Notification;
#[cfg(target_os = "linux")]
use notify_rust::{NotificationHandle, NotificationResponse};
use parlor::{Error, ErrorCode};
use tauri::{AppHandle, Emitter as _, Url};
#[cfg(target_os = "linux")]
use tokio::sync::Mutex;

use crate::window;

/// Longer is cut: what a person said has no place to be read in a notice.
const TITLE_MAX: usize = 120;
const BODY_MAX: usize = 300;

/// The notices that are shown, by tag.
#[derive(Clone, Default)]
pub struct Notices {
    #[cfg(target_os = "linux")]
    shown: Arc<Mutex<HashMap<String, Arc<NotificationHandle>>>>,
}

impl Notices {
    /// Shows a notice, in the place of the one of the same tag, and calls when it is clicked.
    ///
    /// # Errors
    /// `NETWORK_UNAVAILABLE` where nothing shows notices.
    pub async fn show(
        &self,
        title: &str,
        body: &str,
        tag: &str,
        clicked: impl FnOnce() + Send + 'static,
    ) -> Result<(), Error> {
        let mut notice = Notification::new();
        notice.appname("Parlor").summary(&cut(title, TITLE_MAX)).body(&plain(&cut(body, BODY_MAX)));
        self.take_place(notice, tag, clicked).await.map_err(|error| {
            Error::new(ErrorCode::NetworkUnavailable, format!("this desktop shows no notices: {error}"))
        })
    }

    #[cfg(target_os = "linux")]
    async fn take_place(
        &self,
        mut notice: Notification,
        tag: &str,
        clicked: impl FnOnce() + Send + 'static,
    ) -> Result<(), notify_rust::error::Error> {
        notice.icon("parlor-desktop").action("default", "Open");
        let mut shown = self.shown.lock().await;
        // A notice that takes over the number of another is a new one to whoever waits for a click on that: some desktops
        // tell only the last who showed it. So the former one goes, and its wait ends.
        if let Some(former) = shown.remove(tag) {
            former.close_async().await;
        }
        let now = Arc::new(notice.show_async().await?);
        shown.insert(tag.to_owned(), Arc::clone(&now));
        drop(shown);
        let (notices, tag) = (self.clone(), tag.to_owned());
        tauri::async_runtime::spawn(async move {
            let mut was_clicked = false;
            let answered = |response: &NotificationResponse| {
                was_clicked = matches!(response, NotificationResponse::Default);
            };
            now.wait_for_action_async(answered).await;
            if was_clicked {
                clicked();
                // Not every desktop takes away what was clicked.
                now.close_async().await;
            }
            let mut shown = notices.shown.lock().await;
            if shown.get(&tag).is_some_and(|last| Arc::ptr_eq(last, &now)) {
                shown.remove(&tag);
            }
        });
        Ok(())
    }

    /// Elsewhere a notice cannot be waited for.
    #[cfg(not(target_os = "linux"))]
    async fn take_place(
        &self,
        notice: Notification,
        _tag: &str,
        _clicked: impl FnOnce() + Send + 'static,
    ) -> Result<(), notify_rust::error::Error> {
        tauri::async_runtime::spawn_blocking(move || notice.show().map(drop)).await.unwrap_or(Ok(()))
    }
}

/// Brings the window to the front, where the notice of this tag was about something.
pub fn opened(app: &AppHandle, tag: &str) {
    window::bring_to_front(app);
    // A window that is gone has nothing to show.
    let _ = app.emit_to(window::MAIN, "notice-opened", tag);
}

/// Opens a link of a message in the browser.
///
/// # Errors
/// `FORBIDDEN` for anything but `http` and `https`; `NETWORK_UNAVAILABLE` where there is no browser.
pub fn open_link(address: &str) -> Result<(), Error> {
    let url = web(address)
        .ok_or_else(|| Error::new(ErrorCode::Forbidden, "only links that begin with http:// or https:// are opened"))?;
    tauri_plugin_opener::open_url(url.as_str(), None::<&str>)
        .map_err(|error| Error::new(ErrorCode::NetworkUnavailable, format!("nothing here opens links: {error}")))
}

fn web(address: &str) -> Option<Url> {
    let url = Url::parse(address).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.host().is_some()).then_some(url)
}

fn cut(text: &str, max: usize) -> String {
    let mut shorter: String = text.chars().take(max).collect();
    if shorter.len() < text.len() {
        shorter.push('…');
    }
    shorter
}

/// Some desktops read a notice as markup.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_web_are_opened() {
        assert!(web("https://harbour.example/status?a=1#b").is_some());
        assert!(web("http://192.168.1.20:8080/").is_some());
        for address in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "parlor://join/a",
            "https://",
            "ssh://host",
            "harbour.example",
            "",
        ] {
            assert_eq!(web(address), None, "{address}");
            assert_eq!(open_link(address).unwrap_err().code, ErrorCode::Forbidden);
        }
    }

    #[test]
    fn what_somebody_said_is_text_in_a_notice() {
        assert_eq!(plain("<b>you</b> & me"), "&lt;b&gt;you&lt;/b&gt; &amp; me");
        assert_eq!(cut("äöü", 2), "äö…");
        assert_eq!(cut("äöü", 3), "äöü");
    }
}
