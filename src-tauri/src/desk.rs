//! What the window asks of the desktop around it: a notice for somebody who looks elsewhere, and a link that was clicked.

use std::thread;

use notify_rust::Notification;
use parlor::{Error, ErrorCode};
use tauri::{AppHandle, Emitter as _, Url};

use crate::window;

/// Longer is cut: what a person said has no place to be read in a notice.
const TITLE_MAX: usize = 120;
const BODY_MAX: usize = 300;

/// Shows a notice. When it is clicked, the window comes to the front and is told its tag.
///
/// # Errors
/// `NETWORK_UNAVAILABLE` where nothing shows notices.
pub fn notify(app: &AppHandle, title: &str, body: &str, tag: &str) -> Result<(), Error> {
    let mut notice = Notification::new();
    notice.appname("Parlor").summary(&cut(title, TITLE_MAX)).body(&plain(&cut(body, BODY_MAX)));
    #[cfg(target_os = "linux")]
    notice.icon("parlor-desktop").action("default", "Open");
    let shown = notice.show();
    let shown = shown.map_err(|error| {
        Error::new(ErrorCode::NetworkUnavailable, format!("this desktop shows no notices: {error}"))
    })?;
    let (app, tag) = (app.clone(), tag.to_owned());
    // Waiting for it blocks, and ends with the notice.
    #[cfg(target_os = "linux")]
    thread::spawn(move || {
        shown.wait_for_action(|action| {
            if action == "default" {
                window::bring_to_front(&app);
                // A window that is gone has nothing to show.
                let _ = app.emit_to(window::MAIN, "notice-opened", tag);
            }
        });
    });
    #[cfg(not(target_os = "linux"))]
    drop((shown, app, tag, thread::current()));
    Ok(())
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
