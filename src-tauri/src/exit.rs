//! The way out. Whoever quits is gone for the others at once, not after a timeout, however the app ends: the last window
//! closed, Quit in a menu, a signal.
//!
//! What to do is decided by [`next`], a pure function of where the process stands and what asked it to end. Two traps
//! shape it: our own `exit(0)` asks to exit again, and on macOS Cmd+Q skips the question and only says that it ends.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use parlor::Live;
use parlor_http::Shares;
use tauri::{AppHandle, Manager as _, RunEvent};

use crate::local_api::LocalApi;

/// How long leaving may hold up the end of the process.
const LEAVE_LIMIT: Duration = Duration::from_millis(500);

/// Where the process stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Rooms are open.
    #[default]
    Running,
    /// Rooms are being left; the process ends when that is done.
    Leaving,
    /// Every room was left.
    Left,
}

/// What asks the process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// The last window closed, or somebody chose Quit.
    ByPerson,
    /// Our own call of `exit`.
    ByUs,
    /// SIGTERM, SIGINT or Ctrl-C.
    BySignal,
    /// Nobody asks: the event loop has ended.
    Ending,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Nothing: let it end.
    Go,
    /// Keep the process; it ends when the rooms are left.
    Hold,
    /// Keep the process, leave every room, then exit.
    HoldAndLeave,
    /// Leave every room before going on: there is no later.
    LeaveNow,
}

fn next(phase: Phase, asked: Asked) -> (Phase, Step) {
    match (phase, asked) {
        (Phase::Left, _) | (Phase::Running | Phase::Leaving, Asked::ByUs) => (phase, Step::Go),
        (Phase::Running, Asked::ByPerson | Asked::BySignal) => (Phase::Leaving, Step::HoldAndLeave),
        (Phase::Leaving, Asked::ByPerson | Asked::BySignal) => (Phase::Leaving, Step::Hold),
        (Phase::Running | Phase::Leaving, Asked::Ending) => (Phase::Left, Step::LeaveNow),
    }
}

/// Where this process stands; managed by the app.
#[derive(Default)]
pub struct Exit(Mutex<Phase>);

impl Exit {
    fn ask(&self, asked: Asked) -> Step {
        let mut phase = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (after, step) = next(*phase, asked);
        *phase = after;
        step
    }

    fn left(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Phase::Left;
    }
}

/// Follows the event loop.
pub fn on_event(app: &AppHandle, event: RunEvent) {
    match event {
        RunEvent::ExitRequested { code, api, .. } => {
            let asked = if code.is_some() { Asked::ByUs } else { Asked::ByPerson };
            let step = app.state::<Exit>().ask(asked);
            if matches!(step, Step::Hold | Step::HoldAndLeave) {
                api.prevent_exit();
            }
            take(app, step);
        }
        RunEvent::Exit => {
            let step = app.state::<Exit>().ask(Asked::Ending);
            take(app, step);
        }
        _ => {}
    }
}

/// Ends the app in good order when the system asks for it.
pub async fn on_signal(app: AppHandle) {
    match signal().await {
        Ok(()) => {
            let step = app.state::<Exit>().ask(Asked::BySignal);
            take(&app, step);
        }
        Err(error) => {
            tracing::warn!(reason = %error, "signals cannot be heard; closing the window still leaves every room")
        }
    }
}

fn take(app: &AppHandle, step: Step) {
    match step {
        Step::Go | Step::Hold => {}
        Step::HoldAndLeave => {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                leave(&app).await;
                app.state::<Exit>().left();
                app.exit(0);
            });
        }
        Step::LeaveNow => tauri::async_runtime::block_on(leave(app)),
    }
}

async fn leave(app: &AppHandle) {
    let live = app.state::<Live>().inner().clone();
    let api = app.state::<LocalApi>();
    let shares = app.try_state::<Shares>().map(|shares| shares.inner().clone());
    // Others must hear first; answers of the API may wait.
    let ending = async {
        if let Some(shares) = shares {
            shares.end().await;
        }
        live.close().await;
        api.end().await;
    };
    if tokio::time::timeout(LEAVE_LIMIT, ending).await.is_err() {
        tracing::warn!("leaving took too long; the others see it when their link closes");
    }
}

#[cfg(unix)]
async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = hangup.recv() => Ok(()),
        result = tokio::signal::ctrl_c() => result,
    }
}

#[cfg(not(unix))]
async fn signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps of a whole life, with `left` where leaving is done.
    fn life(asked: &[Asked]) -> Vec<Step> {
        let exit = Exit::default();
        asked.iter().map(|asked| exit.ask(*asked)).collect()
    }

    #[test]
    fn closing_the_window_leaves_once_and_then_exits() {
        let exit = Exit::default();
        assert_eq!(exit.ask(Asked::ByPerson), Step::HoldAndLeave);
        exit.left();
        assert_eq!(exit.ask(Asked::ByUs), Step::Go, "our own exit is not held up");
        assert_eq!(exit.ask(Asked::Ending), Step::Go, "and nothing is left twice");
    }

    #[test]
    fn impatience_changes_nothing() {
        use Asked::{ByPerson, BySignal};
        assert_eq!(life(&[ByPerson, ByPerson, BySignal]), [Step::HoldAndLeave, Step::Hold, Step::Hold]);
        assert_eq!(life(&[BySignal, ByPerson, BySignal]), [Step::HoldAndLeave, Step::Hold, Step::Hold]);
    }

    // D4
    #[test]
    fn an_end_without_a_question_leaves_on_the_spot() {
        assert_eq!(life(&[Asked::Ending, Asked::Ending]), [Step::LeaveNow, Step::Go]);
        assert_eq!(life(&[Asked::ByUs, Asked::Ending]), [Step::Go, Step::LeaveNow]);
        assert_eq!(life(&[Asked::ByPerson, Asked::Ending]), [Step::HoldAndLeave, Step::LeaveNow]);
    }

    #[test]
    fn once_every_room_is_left_nothing_is_held() {
        for asked in [Asked::ByPerson, Asked::ByUs, Asked::BySignal, Asked::Ending] {
            assert_eq!(next(Phase::Left, asked), (Phase::Left, Step::Go));
        }
    }

    #[test]
    fn nothing_goes_back() {
        let order = |phase| [Phase::Running, Phase::Leaving, Phase::Left].iter().position(|p| *p == phase);
        for phase in [Phase::Running, Phase::Leaving, Phase::Left] {
            for asked in [Asked::ByPerson, Asked::ByUs, Asked::BySignal, Asked::Ending] {
                assert!(order(next(phase, asked).0) >= order(phase), "{phase:?} {asked:?}");
            }
        }
    }
}
