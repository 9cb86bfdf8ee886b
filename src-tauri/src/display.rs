//! What the system needs before a window can open: a display, and on Linux sometimes a hint to the web engine.
//!
//! The hints are environment variables. A process cannot safely change its own environment, so it starts itself again
//! with them, under the same process id.

/// There is nothing to open a window on.
#[derive(Debug, thiserror::Error)]
#[error(
    "parlor-desktop needs a screen and {0}.\n\
     Without one, run `parlor serve --ui` and open the address it prints in a browser."
)]
pub struct NoDisplay(String);

/// Whether a window can open here. `set` says whether an environment variable has a value.
///
/// # Errors
/// [`NoDisplay`], which says what to do instead.
#[cfg(target_os = "linux")]
pub fn check(set: impl Fn(&str) -> bool) -> Result<(), NoDisplay> {
    if !set("DISPLAY") && !set("WAYLAND_DISPLAY") {
        return Err(NoDisplay("neither DISPLAY nor WAYLAND_DISPLAY is set".into()));
    }
    // Asked here because the event loop panics about it.
    gtk::init().map_err(|_| NoDisplay("the one that DISPLAY or WAYLAND_DISPLAY names cannot be opened".into()))
}

/// Other systems always have one.
#[cfg(not(target_os = "linux"))]
#[allow(clippy::unnecessary_wraps, reason = "the same signature everywhere")]
pub fn check(_set: impl Fn(&str) -> bool) -> Result<(), NoDisplay> {
    Ok(())
}

/// Starts this program again with what the web engine should be told; returns when there is nothing to tell.
pub fn adapt(software: bool, set: impl Fn(&str) -> bool) {
    let hints = hints(software, cfg!(target_os = "linux") && nvidia(), set);
    if cfg!(target_os = "linux") && !hints.is_empty() {
        restart_with(&hints);
    }
}

/// The variables to set to `1`. One that somebody set, to whatever value, is left alone, so this ends after one round.
fn hints(software: bool, nvidia: bool, set: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let wanted: &[&str] = match (software, nvidia) {
        (true, _) => &["WEBKIT_DISABLE_DMABUF_RENDERER", "WEBKIT_DISABLE_COMPOSITING_MODE", "LIBGL_ALWAYS_SOFTWARE"],
        // Its driver and the web engine's shared buffers give a blank window.
        (false, true) => &["WEBKIT_DISABLE_DMABUF_RENDERER"],
        (false, false) => &[],
    };
    wanted.iter().copied().filter(|name| !set(name)).collect()
}

fn nvidia() -> bool {
    std::path::Path::new("/proc/driver/nvidia/version").exists()
}

#[cfg(unix)]
fn restart_with(hints: &[&str]) {
    use std::os::unix::process::CommandExt as _;
    let again = std::env::current_exe().map(|program| {
        // On success this does not return.
        std::process::Command::new(program)
            .args(std::env::args_os().skip(1))
            .envs(hints.iter().map(|h| (h, "1")))
            .exec()
    });
    let (Ok(error) | Err(error)) = again;
    tracing::warn!(reason = %error, "the web engine could not be told how to draw; going on without");
}

#[cfg(not(unix))]
fn restart_with(_hints: &[&str]) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_computer_needs_no_hint() {
        assert!(hints(false, false, |_| false).is_empty());
    }

    #[test]
    fn nvidia_gets_the_one_hint_unless_somebody_decided_already() {
        assert_eq!(hints(false, true, |_| false), ["WEBKIT_DISABLE_DMABUF_RENDERER"]);
        assert!(hints(false, true, |name| name == "WEBKIT_DISABLE_DMABUF_RENDERER").is_empty());
    }

    #[test]
    fn software_rendering_starts_again_once() {
        let first = hints(true, true, |_| false);
        assert_eq!(first.len(), 3);
        assert!(hints(true, true, |name| first.contains(&name)).is_empty());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn without_a_display_the_message_says_what_to_run_instead() {
        let message = check(|_| false).unwrap_err().to_string();
        assert!(message.contains("DISPLAY") && message.contains("parlor serve --ui"), "{message}");
    }
}
