//! What the system needs before a window can open: a display, and on Linux some hints to the web engine.
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

/// A variable and its value.
type Hint = (&'static str, &'static str);

/// A room makes much garbage of which nothing lives on, thirty times a second. Left to itself the engine looks through what
/// is old only when that is fifty megabytes; told to look through everything each time, after a few megabytes, it takes less
/// memory and less of the processor.
const MEMORY: [Hint; 2] = [("JSC_useGenerationalGC", "false"), ("JSC_largeHeapSize", "8388608")];

/// The variables to set. One that somebody set, to whatever value, is left alone, so this ends after one round.
fn hints(software: bool, nvidia: bool, set: impl Fn(&str) -> bool) -> Vec<Hint> {
    let drawing: &[&str] = match (software, nvidia) {
        (true, _) => &["WEBKIT_DISABLE_DMABUF_RENDERER", "WEBKIT_DISABLE_COMPOSITING_MODE", "LIBGL_ALWAYS_SOFTWARE"],
        // Its driver and the web engine's shared buffers give a blank window.
        (false, true) => &["WEBKIT_DISABLE_DMABUF_RENDERER"],
        (false, false) => &[],
    };
    let drawing = drawing.iter().map(|name| (*name, "1"));
    drawing.chain(MEMORY).filter(|(name, _)| !set(name)).collect()
}

fn nvidia() -> bool {
    std::path::Path::new("/proc/driver/nvidia/version").exists()
}

#[cfg(unix)]
fn restart_with(hints: &[Hint]) {
    use std::os::unix::process::CommandExt as _;
    let again = std::env::current_exe().map(|program| {
        // On success this does not return.
        std::process::Command::new(program).args(std::env::args_os().skip(1)).envs(hints.iter().copied()).exec()
    });
    let (Ok(error) | Err(error)) = again;
    tracing::warn!(reason = %error, "the web engine could not be told what it should know; going on without");
}

#[cfg(not(unix))]
fn restart_with(_hints: &[Hint]) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(hints: &[Hint]) -> Vec<&'static str> {
        hints.iter().map(|(name, _)| *name).collect()
    }

    #[test]
    fn an_ordinary_computer_is_told_of_memory_alone() {
        assert_eq!(hints(false, false, |_| false), MEMORY);
    }

    #[test]
    fn nvidia_gets_one_hint_more_unless_somebody_decided_already() {
        let told = names(&hints(false, true, |_| false));
        assert!(told.starts_with(&["WEBKIT_DISABLE_DMABUF_RENDERER"]) && told.len() == 3, "{told:?}");
        assert_eq!(hints(false, true, |name| name == "WEBKIT_DISABLE_DMABUF_RENDERER"), MEMORY);
    }

    #[test]
    fn it_starts_again_once() {
        for software in [false, true] {
            let first = names(&hints(software, true, |_| false));
            assert!(hints(software, true, |name| first.contains(&name)).is_empty());
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn without_a_display_the_message_says_what_to_run_instead() {
        let message = check(|_| false).unwrap_err().to_string();
        assert!(message.contains("DISPLAY") && message.contains("parlor serve --ui"), "{message}");
    }
}
