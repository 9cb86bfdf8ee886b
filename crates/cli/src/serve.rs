//! `parlor serve`: a peer without a window (design A11).

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use parlor::{Config, Live, Logs, StartError};
use parlor_http::{ConnectionLimits, HttpConfig, Server, Shares, UiFiles};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::args::ServeArgs;
use crate::failure::Failure;
use crate::output::{note, print};
use crate::peer::{LOOK_EVERY, config, holder};
use crate::signals::Stop;

/// How long the holder of the profile may take to let go of it: a command that looks around for its default three seconds
/// does, one that stays does not.
const FREE_WITHIN: Duration = Duration::from_secs(5);

/// Where a build of this repository leaves the pages, seen from its root.
const UI_BUILT: &str = "ui/dist";

/// Where the peer is, for the program that started it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FirstLine {
    http: String,
    peer_id: String,
    listen: Vec<String>,
}

/// Serves until asked to stop, then leaves every room.
pub(crate) async fn serve(args: ServeArgs, logs: &Logs) -> Result<(), Failure> {
    let mut stop = Stop::new()?;
    let directory = args.ui_dir.clone();
    let read = move || pages(directory.as_deref());
    let ui = if args.ui { Some(read().map_err(|error| Failure::Usage(error.to_string()))?) } else { None };
    let token = match args.token {
        Some(token) => token,
        None => {
            parlor_http::generate_token().map_err(|error| Failure::Failed(format!("cannot make a token: {error}")))?
        }
    };
    parlor_http::check_token(&token)?;
    let config = Config { name: args.name, relay: args.relay, lab: args.lab, ..config(&args.peer) };
    logs.watch(&config, "parlor");
    let Some(live) = start(config, &mut stop).await? else { return Ok(()) };
    logs.open(&live);
    let shares = Shares::new(live.clone(), read);
    let http = HttpConfig {
        addr: args.http,
        token: token.clone(),
        ui,
        limits: ConnectionLimits::default(),
        shares: shares.clone(),
    };
    let result = match parlor_http::serve(live.clone(), http).await {
        Ok(server) => {
            let result = announce(&live, &server, args.ui.then_some(&token)).await;
            #[cfg(debug_assertions)]
            assert!(!args.panic, "asked to panic");
            if result.is_ok() {
                serve_until(&mut stop, &live).await;
            }
            // Others must hear first; answers of the API may wait.
            shares.end().await;
            live.close().await;
            server.stop().await;
            return result;
        }
        Err(error) => Err(error.into()),
    };
    live.close().await;
    result
}

/// Starts the peer as soon as the profile is free; `None` when somebody asked to stop before it was.
async fn start(config: Config, stop: &mut Stop) -> Result<Option<Live>, Failure> {
    let deadline = Instant::now() + FREE_WITHIN;
    let mut told = false;
    loop {
        let pid = match Live::start(config.clone()).await {
            Err(StartError::Held { pid }) => pid,
            started => return Ok(Some(started?)),
        };
        let (profile, holder) = (&config.profile, holder(pid));
        if Instant::now() >= deadline {
            let message = format!("the profile {profile:?} is in use by {holder}; stop it, or take another --profile");
            return Err(Failure::Usage(message));
        }
        if !std::mem::replace(&mut told, true) {
            note(&format!("parlor: the profile {profile:?} is in use by {holder}; waiting for it to end"));
        }
        tokio::select! {
            () = sleep(LOOK_EVERY) => {}
            () = stop.asked() => return Ok(None),
        }
    }
}

/// Waits to be asked to stop, and says when the peer has begun another session: the first line named the first.
async fn serve_until(stop: &mut Stop, live: &Live) {
    let mut sessions = live.sessions();
    sessions.mark_unchanged();
    loop {
        tokio::select! {
            () = stop.asked() => return,
            Ok(()) = sessions.changed() => {
                let peer_id = sessions.borrow_and_update().clone();
                note(&format!("parlor: another session began, as {} and peer {peer_id}", live.user_id()));
            }
        }
    }
}

/// The first line on standard output is for programs; the address of the pages is for people.
async fn announce(live: &Live, server: &Server, token: Option<&String>) -> Result<(), Failure> {
    let status = live.status().await;
    let line = FirstLine { http: server.url(), peer_id: status.peer_id, listen: status.listen };
    let line = serde_json::to_string(&line).map_err(|error| Failure::Failed(error.to_string()))?;
    match print(&line) {
        // A service may be started with its output closed.
        Ok(()) | Err(Failure::OutputClosed) => {}
        Err(error) => return Err(error),
    }
    if let Some(token) = token {
        note(&format!("Open {}/#token={token}", server.url()));
    }
    Ok(())
}

/// The pages of the user interface: where the caller says, else those in this binary, else a build in this directory.
pub(crate) fn pages(directory: Option<&Path>) -> io::Result<UiFiles> {
    let read = |directory: &Path| {
        let wrong = |error| io::Error::other(format!("no user interface in {}: {error}", directory.display()));
        UiFiles::read(directory).map_err(wrong)
    };
    if let Some(directory) = directory {
        return read(directory);
    }
    if let Some(pages) = UiFiles::embedded() {
        return Ok(pages);
    }
    let built = PathBuf::from(UI_BUILT);
    if built.join("index.html").is_file() {
        return read(&built);
    }
    Err(io::Error::other(format!(
        "this binary has no user interface in it and there is none in {UI_BUILT}; \
         build it (npm run build in ui) and name it with --ui-dir"
    )))
}
