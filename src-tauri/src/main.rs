//! Parlor in a window: a thin shell over the `parlor` crate. It holds what only a desktop app has (a window, a command
//! line, one start a profile, a good end) and passes everything else on; the rooms are in `crates/live`, the page in `ui`.

#![forbid(unsafe_code)]
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod args;
mod commands;
#[cfg(test)]
#[path = "../../tests/conformance/mod.rs"]
mod conformance;
#[cfg(test)]
mod conformance_tests;
mod desk;
mod display;
mod exit;
mod feed;
mod front;
mod inspector;
mod local_api;
mod menu;
mod person;
mod recordings;
mod saving;
mod window;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use args::Args;
use clap::Parser as _;
use front::Started;
use parlor::{Live, Logs, StartError};
use parlor_http::{Shares, UiFiles};
use tauri::async_runtime::block_on;
use tauri::{App, Emitter as _, Manager as _, RunEvent};
use tauri_plugin_window_state::StateFlags;

/// As `parlor` has it.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The exit code of wrong use: a bad flag or address, no display, a profile that is taken (as `parlor` has it).
const WRONG_USE: u8 = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(command) = &args.command {
        return command.run().map_or_else(|error| failed(&error, 1), |()| ExitCode::SUCCESS);
    }
    let logs = match Logs::begin(std::env::var("PARLOR_LOG").ok().as_deref(), true, true) {
        Ok(logs) => logs,
        Err(error) => return failed(&error, WRONG_USE),
    };

    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    display::adapt(args.software_rendering, set);
    if let Err(error) = display::check(set) {
        return failed(&error, WRONG_USE);
    }

    let config = args.config();
    logs.watch(&config, "parlor-desktop");
    match block_on(front::start_or_show(config, args.open())) {
        Ok(Started::Here(live)) => {
            logs.open(&live);
            run(args, live, set("WAYLAND_DISPLAY"))
        }
        Ok(Started::Elsewhere) => ExitCode::SUCCESS,
        Err(error) => failed(&error, if wrong_use(&error) { WRONG_USE } else { 1 }),
    }
}

fn wrong_use(error: &StartError) -> bool {
    use StartError::{BadAddress, BadProfile, Held, PortInUse};
    matches!(error, Held { .. } | BadProfile(_) | BadAddress(_) | PortInUse(_))
}

fn failed(error: &dyn std::error::Error, code: u8) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(code)
}

fn run(args: Args, live: Live, wayland: bool) -> ExitCode {
    let profile_dir = live.profile_dir().to_path_buf();
    let dir = profile_dir.clone();
    let app = tauri::Builder::default()
        .plugin(remembered(&profile_dir, wayland))
        .manage(live)
        .manage(feed::Feeds::default())
        .manage(exit::Exit::default())
        .manage(desk::Notices::default())
        .manage(commands::OpenRoom::default())
        .manage(local_api::LocalApi::of(&profile_dir))
        .manage(menu::MenuBar::new(args.menu_bar))
        .on_menu_event(|app, event| menu::chosen(app, &event))
        .on_window_event(inspector::follow)
        .invoke_handler(commands::handler())
        .setup(move |app| Ok(set_up(app, &args, &dir)?))
        .build(tauri::generate_context!());
    match app {
        Ok(app) => ExitCode::from(u8::try_from(app.run_return(follow(profile_dir))).unwrap_or(1)),
        Err(error) => failed(&error, 1),
    }
}

fn set_up(app: &App, args: &Args, profile_dir: &Path) -> tauri::Result<()> {
    if let Some(room) = args.open() {
        app.state::<commands::OpenRoom>().set(room);
    }
    let handle = app.handle().clone();
    let shares = Shares::new(app.state::<Live>().inner().clone(), move || pages(&handle));
    app.manage(shares.clone());
    if let Err(error) = block_on(app.state::<local_api::LocalApi>().begin(&app.state::<Live>(), &shares)) {
        tracing::warn!(reason = %error, "the local API is not on");
    }
    let status = block_on(app.state::<Live>().status());
    window::open(app, &args.profile, profile_dir, status.theme)?;

    let handle = app.handle().clone();
    if let Err(error) = block_on(front::listen(profile_dir, move |room| show(&handle, room))) {
        tracing::warn!(reason = %error, "starting the app again will not find this window");
    }
    tauri::async_runtime::spawn(exit::on_signal(app.handle().clone()));
    tauri::async_runtime::spawn(follow_person(app.handle().clone()));
    Ok(())
}

/// Somebody started the app again, or clicked a link: the window comes to the front, and opens that.
fn show(app: &tauri::AppHandle, room: Option<String>) {
    window::bring_to_front(app);
    let Some(room) = room else { return };
    app.state::<commands::OpenRoom>().set(&room);
    if let Err(error) = app.emit_to(window::MAIN, "open-room", room) {
        tracing::warn!(reason = %error, "the window could not be told which room to open");
    }
}

/// The pages of this window, for browsers that a room is shared to.
fn pages(app: &tauri::AppHandle) -> std::io::Result<UiFiles> {
    let assets = app.asset_resolver();
    let names: Vec<String> = assets.iter().map(|(name, _)| name.into_owned()).collect();
    UiFiles::of(names.into_iter().filter_map(|name| {
        let asset = assets.get(name.clone())?;
        Some((format!("/{}", name.trim_start_matches('/')), asset.bytes))
    }))
}

/// The page is told when the person goes away from the computer, and when they are back.
async fn follow_person(app: tauri::AppHandle) {
    let tell = |away| {
        // A window that is gone has nobody to tell.
        let _ = app.emit_to(window::MAIN, "person-away", away);
    };
    #[cfg(target_os = "linux")]
    match person::linux::Login::of_system().await {
        Ok(login) => person::follow(login, tell).await,
        Err(error) => tracing::debug!(reason = %error, "the system does not say whether somebody is here"),
    }
    #[cfg(any(target_os = "macos", target_os = "windows"))]
    person::follow(person::asked::Asked::new(person::asked::untouched), tell).await;
}

fn follow(profile_dir: PathBuf) -> impl FnMut(&tauri::AppHandle, RunEvent) {
    move |app, event| {
        if matches!(event, RunEvent::Exit) {
            front::forget(&profile_dir);
        }
        // Elsewhere a link that was clicked starts the app again. Not tried on a Mac.
        #[cfg(target_os = "macos")]
        if let RunEvent::Opened { urls } = &event {
            show(app, args::link_among(urls.iter().map(|url| url.as_str())));
        }
        exit::on_event(app, event);
    }
}

/// Size and place of the window, kept in the profile. Never whether it was visible: it decides that itself. On Wayland
/// nothing: the size that comes back includes decorations, so the window would grow at every start.
fn remembered(profile_dir: &Path, wayland: bool) -> tauri::plugin::TauriPlugin<tauri::Wry> {
    let flags = StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED;
    tauri_plugin_window_state::Builder::new()
        .with_state_flags(if wayland { StateFlags::empty() } else { flags })
        // An absolute path takes the place of the platform's folder, which profiles would share.
        .with_filename(profile_dir.join("window-state.json").to_string_lossy())
        .build()
}
