//! The main window. It is made here and not in `tauri.conf.json`, whose platform files replace windows instead of
//! merging them. It stays hidden until the page has painted, on the colour of the page, so that nobody is flashed white.

use std::path::Path;
use std::time::Duration;

use parlor::Theme;
use tauri::utils::config::Color;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{App, AppHandle, Manager as _, Runtime, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

use crate::feed::Feeds;

/// The label of the main window.
pub const MAIN: &str = "main";

/// From the page's `load` event to the window: time for the first paint. A timer, since a hidden page gets no frames.
pub const PAINT: Duration = Duration::from_millis(60);

/// When the window is shown whatever the page does; a broken page is better seen than guessed at.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// Of the page's title, which has the name of a room in it.
const TITLE_LETTERS: usize = 160;

/// The page's own background, light and dark.
const LIGHT: Color = Color(249, 249, 248, 255);
const DARK: Color = Color(25, 25, 24, 255);

/// Makes the main window of a profile, hidden; it shows itself.
pub fn open(app: &App, profile: &str, profile_dir: &Path, theme: Theme) -> tauri::Result<()> {
    let of = profile.to_owned();
    let window = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title(titled("Parlor", profile))
        .inner_size(1180.0, 780.0)
        .min_inner_size(720.0, 480.0)
        .visible(false)
        .theme(chosen(theme))
        // Two profiles are two processes: the web engine's own files must not be shared between them.
        .data_directory(profile_dir.join("webview"))
        // The board handles pointers itself; the shell's drag and drop would swallow some of their events.
        .disable_drag_drop_handler()
        // Whatever asks for it: the window shows its own page, and opens no other.
        .on_navigation(is_own_page)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        // The room, and how much in it is unread.
        .on_document_title_changed(move |window, page| {
            if let Err(error) = window.set_title(&titled(&page, &of)) {
                tracing::debug!(reason = %error, "the window keeps its title");
            }
        })
        .on_page_load(|window, load| match load.event() {
            // Also a reload: what the old page was fed is nobody's now.
            PageLoadEvent::Started => window.state::<Feeds>().close_window(window.label()),
            PageLoadEvent::Finished => show_in(window, PAINT),
        })
        .build()?;
    on_own_ground(&window)?;
    show_in(window, PATIENCE);
    Ok(())
}

/// What stands over a window: what its page is called, and whose it is where there may be several.
fn titled(page: &str, profile: &str) -> String {
    let page: String = page.chars().take(TITLE_LETTERS).collect();
    if profile == "default" { page } else { format!("{page} · {profile}") }
}

/// Before anything is painted it has the colour of the page.
pub fn on_own_ground<R: Runtime>(window: &WebviewWindow<R>) -> tauri::Result<()> {
    let dark = matches!(window.theme()?, tauri::Theme::Dark);
    window.set_background_color(Some(if dark { DARK } else { LIGHT }))
}

/// Brings the main window in front of everything, as somebody who started the app again expects.
pub fn bring_to_front<R: Runtime>(app: &AppHandle<R>) {
    if let Some(window) = app.get_webview_window(MAIN) {
        raise(&window);
    }
}

/// Brings a window in front of everything.
pub fn raise<R: Runtime>(window: &WebviewWindow<R>) {
    let raised = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
    if let Err(error) = raised {
        tracing::warn!(reason = %error, "the window could not be brought to the front");
    }
}

/// Whether an address is in the app itself. Windows knows no schemes of ours and has a name of that kind instead.
pub fn is_own_page(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" => cfg!(windows) && url.host_str() == Some("tauri.localhost"),
        _ => false,
    }
}

/// What a window is told of light and dark.
pub fn chosen(theme: Theme) -> Option<tauri::Theme> {
    match theme {
        Theme::System => None,
        Theme::Light => Some(tauri::Theme::Light),
        Theme::Dark => Some(tauri::Theme::Dark),
    }
}

/// Shows a window after a while, unless it is shown by then.
pub fn show_in<R: Runtime>(window: WebviewWindow<R>, delay: Duration) {
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(delay).await;
        // Only the first time: one that was hidden since stays so.
        if window.is_visible().unwrap_or(true) {
            return;
        }
        match window.show() {
            Ok(()) => tracing::info!("the window is shown"),
            Err(error) => tracing::warn!(reason = %error, "the window could not be shown"),
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_is_that_of_the_page_and_names_a_profile_that_is_not_the_only_one() {
        assert_eq!(titled("(2) War room · Parlor", "default"), "(2) War room · Parlor");
        assert_eq!(titled("Parlor", "work"), "Parlor · work");
        assert_eq!(titled(&"é".repeat(1_000), "default").chars().count(), TITLE_LETTERS);
    }

    #[test]
    fn the_window_goes_nowhere_else() {
        let own = |url: &str| is_own_page(&url.parse().unwrap());
        assert!(own("tauri://localhost") && own("tauri://localhost/index.html#a"));
        for elsewhere in [
            "http://evil.example/",
            "https://localhost/",
            "http://localhost:4747/",
            "tauri://evil.example/",
            "http://tauri.localhost.evil.example/",
            "file:///etc/passwd",
            "data:text/html,a",
            "about:blank",
            "javascript:1",
            "parlor://join/a",
        ] {
            assert!(!own(elsewhere), "{elsewhere}");
        }
        assert_eq!(own("http://tauri.localhost/"), cfg!(windows));
    }
}
