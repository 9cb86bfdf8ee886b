//! What the page may call: the operations of [`parlor::OPERATIONS`], each a wrapper of a few lines, and the two halves
//! of a feed's life. The list in `commands.txt` is what the build declares; a test holds the two together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parlor::{
    Access, AccessChange, Arguments, Batch, Board, BoardChange, Diagnostics, Error, ErrorCode, HistoryPage,
    HistoryQuery, Inspect, InspectOptions, InspectSnapshot, Invitation, Join, LabChange, LabState, Leave, Left, Lineup,
    Live, MemberRecord, MembersPage, MembersQuery, Message, MetadataChange, NetworkReport, PeerInfo, PresenceChange,
    ProfileChange, Publish, RecordingOptions, ReplayState, Replayed, RoomMetadata, RoomSummary, Share, ShareChange,
    Status, Ticket, TicketInfo, arguments,
};
use parlor_http::Shares;
use serde::Serialize;
use serde::de::Deserialize as _;
use serde_json::{Map, Value};
use tauri::ipc::{Channel, CommandArg, CommandItem, Invoke, InvokeError, Request, Response};
use tauri::{AppHandle, Emitter as _, Manager as _, Runtime, State, Webview, Wry};

use crate::desk::{self, Notices};
use crate::feed::Feeds;
use crate::inspector::{self, Looks};
use crate::local_api::{Choice, LocalApi, Shown};
use crate::menu::{self, MenuBar};
use crate::{recordings, saving};

type Answer<T> = Result<T, Error>;

/// The room that the page opens when it loads: the one the command line asked for, then the one it joined. So a page that
/// is loaded anew is back where it was, and nobody stays in a room that their window does not show. Managed by the app.
#[derive(Default)]
pub struct OpenRoom(Mutex<Option<String>>);

impl OpenRoom {
    /// Asks for a room.
    pub fn set(&self, room: &str) {
        *self.room() = Some(room.to_owned());
    }

    fn clear(&self, room: &str) {
        self.room().take_if(|open| open == room);
    }

    fn with(&self, status: Status, menu_bar: bool) -> WindowStatus {
        WindowStatus { status, open_room: self.room().clone(), menu_bar }
    }

    fn room(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// [`Status`] and what concerns the window alone.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WindowStatus {
    #[serde(flatten)]
    status: Status,
    /// The room to open when the page loads.
    open_room: Option<String>,
    /// Whether there is a menu bar, which the page fills.
    menu_bar: bool,
}

/// An argument whose mistakes come back as an [`Error`] like all others; one that is missing has nothing in it.
struct Args<T>(T);

impl<'de, T: Arguments, R: Runtime> CommandArg<'de, R> for Args<T> {
    fn from_command(command: CommandItem<'de, R>) -> Result<Self, InvokeError> {
        let key = command.key;
        let given = Option::<Map<String, Value>>::deserialize(command).map_err(|error| wrong(key, &error))?;
        arguments(given.unwrap_or_default()).map(Args).map_err(InvokeError::from)
    }
}

fn wrong(key: &str, error: &dyn std::fmt::Display) -> InvokeError {
    InvokeError::from(Error::new(ErrorCode::InvalidJson, format!("`{key}` is not what this call takes: {error}")))
}

/// Those of the calls about rooms that need no window, for a runtime that has none.
#[cfg(test)]
pub fn calls_of_rooms<R: Runtime>() -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        create_room,
        join,
        presence,
        leave,
        members,
        metadata,
        set_metadata,
        board,
        set_board,
        history,
        publish,
        ticket,
        watch,
        ack
    ]
}

macro_rules! commands {
    ($($name:ident),* $(,)?) => {
        /// Answers the calls of the page.
        pub fn handler() -> impl Fn(Invoke<Wry>) -> bool + Send + Sync + 'static {
            tauri::generate_handler![$($name),*]
        }

        #[cfg(test)]
        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

commands!(
    rooms,
    create_room,
    forget_room,
    join,
    presence,
    leave,
    members,
    metadata,
    set_metadata,
    board,
    set_board,
    history,
    publish,
    access,
    change_access,
    ticket,
    read_ticket,
    share,
    change_share,
    watch,
    unwatch,
    ack,
    peers,
    dial,
    check_network,
    diagnostics,
    lab,
    change_lab,
    status,
    set_profile,
    new_identity,
    local_api,
    set_local_api,
    notify,
    open_link,
    set_menu,
    open_inspector,
    inspect,
    inspect_once,
    recording,
    save_recording,
    save_file,
    replay,
    replay_state,
    replay_test,
    replay_lineup,
);

#[tauri::command]
async fn rooms(live: State<'_, Live>) -> Answer<Vec<RoomSummary>> {
    Ok(live.rooms().await)
}

#[tauri::command]
async fn create_room(live: State<'_, Live>, room: String, private: bool) -> Answer<RoomSummary> {
    if private { live.create_private_room(room).await } else { live.create_room(room).await }
}

#[tauri::command]
async fn access(live: State<'_, Live>, room: String) -> Answer<Option<Arc<Access>>> {
    live.room(room).access().await
}

#[tauri::command]
async fn change_access(live: State<'_, Live>, room: String, args: Args<AccessChange>) -> Answer<Arc<Access>> {
    live.room(room).change_access(args.0).await
}

#[tauri::command]
async fn ticket(live: State<'_, Live>, room: String) -> Answer<Invitation> {
    live.room(room).ticket().await
}

#[tauri::command]
fn read_ticket(ticket: &str) -> Answer<TicketInfo> {
    Ok(Ticket::parse(ticket)?.info())
}

#[tauri::command]
async fn share(shares: State<'_, Shares>, room: String) -> Answer<Option<Share>> {
    shares.share(&room).await
}

#[tauri::command]
async fn change_share(shares: State<'_, Shares>, room: String, change: Args<ShareChange>) -> Answer<Option<Share>> {
    shares.change(&room, change.0).await
}

#[tauri::command]
async fn forget_room(live: State<'_, Live>, shares: State<'_, Shares>, room: String) -> Answer<bool> {
    shares.forget(&live, &room).await?;
    live.forget_room(room).await
}

#[tauri::command]
async fn join(
    live: State<'_, Live>,
    open: State<'_, OpenRoom>,
    room: String,
    args: Args<Join>,
) -> Answer<MemberRecord> {
    let member = live.room(room.as_str()).join(args.0).await?;
    open.set(&room);
    Ok(member)
}

#[tauri::command]
async fn presence(live: State<'_, Live>, room: String, args: Args<PresenceChange>) -> Answer<MemberRecord> {
    live.room(room).presence(args.0).await
}

#[tauri::command]
async fn leave(live: State<'_, Live>, open: State<'_, OpenRoom>, room: String, args: Args<Leave>) -> Answer<Left> {
    open.clear(&room);
    live.room(room).leave(args.0).await
}

#[tauri::command]
async fn members(live: State<'_, Live>, room: String, query: Args<MembersQuery>) -> Answer<MembersPage> {
    live.room(room).members(query.0).await
}

#[tauri::command]
async fn metadata(live: State<'_, Live>, room: String) -> Answer<RoomMetadata> {
    live.room(room).metadata().await
}

#[tauri::command]
async fn set_metadata(live: State<'_, Live>, room: String, args: Args<MetadataChange>) -> Answer<RoomMetadata> {
    live.room(room).set_metadata(args.0).await
}

#[tauri::command]
async fn board(live: State<'_, Live>, room: String) -> Answer<Board> {
    live.room(room).board().await
}

#[tauri::command]
async fn set_board(live: State<'_, Live>, room: String, change: Args<BoardChange>) -> Answer<Board> {
    live.room(room).set_board(change.0).await
}

#[tauri::command]
async fn history(live: State<'_, Live>, room: String, query: Args<HistoryQuery>) -> Answer<HistoryPage> {
    live.room(room).history(query.0).await
}

#[tauri::command]
async fn publish(live: State<'_, Live>, room: String, args: Args<Publish>) -> Answer<Message> {
    live.room(room).publish(args.0).await
}

#[tauri::command]
async fn watch<R: Runtime>(
    live: State<'_, Live>,
    feeds: State<'_, Feeds>,
    webview: Webview<R>,
    room: String,
    channel: Channel<Batch>,
) -> Answer<u64> {
    let feed = live.room(room.as_str()).feed().await?;
    let label = webview.label().to_owned();
    let stir = move || {
        // A window that is closing hears nothing, and needs nothing.
        let _ = webview.emit_to(webview.label(), "stirred", ());
    };
    Ok(feeds.open(&label, &room, feed, channel, stir))
}

#[tauri::command]
fn unwatch(feeds: State<'_, Feeds>, webview: Webview, feed_id: u64) {
    feeds.close(webview.label(), feed_id);
}

#[tauri::command]
fn ack<R: Runtime>(feeds: State<'_, Feeds>, webview: Webview<R>, feed_id: u64, seq: u64) {
    feeds.ack(webview.label(), feed_id, seq);
}

#[tauri::command]
async fn peers(live: State<'_, Live>) -> Answer<Vec<PeerInfo>> {
    Ok(live.peers().await)
}

#[tauri::command]
async fn dial(live: State<'_, Live>, addr: String) -> Answer<PeerInfo> {
    live.dial(&addr).await
}

#[tauri::command]
async fn check_network(live: State<'_, Live>) -> Answer<NetworkReport> {
    live.check_network().await
}

#[tauri::command]
async fn diagnostics(live: State<'_, Live>) -> Answer<Diagnostics> {
    Ok(live.diagnostics().await)
}

#[tauri::command]
async fn lab(live: State<'_, Live>) -> Answer<LabState> {
    live.lab_state().await
}

#[tauri::command]
async fn change_lab(live: State<'_, Live>, change: Args<LabChange>) -> Answer<LabState> {
    live.change_lab(change.0).await
}

#[tauri::command]
async fn status(live: State<'_, Live>, open: State<'_, OpenRoom>, bar: State<'_, MenuBar>) -> Answer<WindowStatus> {
    Ok(open.with(live.status().await, bar.shown()))
}

#[tauri::command]
async fn set_profile(
    live: State<'_, Live>,
    open: State<'_, OpenRoom>,
    bar: State<'_, MenuBar>,
    change: Args<ProfileChange>,
) -> Answer<WindowStatus> {
    Ok(open.with(live.set_profile(change.0).await?, bar.shown()))
}

#[tauri::command]
async fn new_identity(
    live: State<'_, Live>,
    open: State<'_, OpenRoom>,
    bar: State<'_, MenuBar>,
) -> Answer<WindowStatus> {
    Ok(open.with(live.new_identity().await?, bar.shown()))
}

#[tauri::command]
async fn local_api(api: State<'_, LocalApi>) -> Answer<Shown> {
    Ok(api.shown().await)
}

#[tauri::command]
async fn set_local_api(
    live: State<'_, Live>,
    shares: State<'_, Shares>,
    api: State<'_, LocalApi>,
    choice: Choice,
) -> Answer<Shown> {
    api.choose(choice, &live, &shares).await
}

#[tauri::command]
async fn notify(app: AppHandle, notices: State<'_, Notices>, title: String, body: String, tag: String) -> Answer<()> {
    let of = tag.clone();
    notices.show(&title, &body, &of, move || desk::opened(&app, &tag)).await
}

#[tauri::command]
async fn open_link(address: String) -> Answer<()> {
    blocking(move || desk::open_link(&address)).await
}

/// What stands in the menu bar from now on. Without a bar nothing happens.
#[tauri::command]
async fn set_menu(app: AppHandle, menu: Args<menu::Offered>) -> Answer<()> {
    blocking(move || menu::show(&app, &menu.0)).await
}

/// Shows how the peer syncs, in a window beside this one.
#[tauri::command]
async fn open_inspector(app: AppHandle, live: State<'_, Live>) -> Answer<()> {
    let theme = live.status().await.theme;
    inspector::open(&app, live.profile_dir(), theme)
        .map_err(|error| Error::new(ErrorCode::NetworkUnavailable, format!("no inspector: {error}")))
}

/// What the peer does, as it happens, until `unwatch`.
#[tauri::command]
async fn inspect(
    live: State<'_, Live>,
    feeds: State<'_, Feeds>,
    webview: Webview,
    bytes: bool,
    channel: Channel<Looks>,
) -> Answer<u64> {
    let source = inspector::Source::of(live.inspect(InspectOptions { room: None, bytes }).await?);
    // Nobody waits for what a hidden inspector would show.
    Ok(feeds.open(webview.label(), inspector::FEED, source, channel, || ()))
}

/// How the peer and its rooms are now.
#[tauri::command]
async fn inspect_once(live: State<'_, Live>) -> Answer<InspectSnapshot> {
    match live.inspect(InspectOptions::default()).await?.recv().await {
        Some(Inspect::Snapshot(snapshot)) => Ok(snapshot),
        _ => Err(Error::new(ErrorCode::NetworkUnavailable, "the peer is closing")),
    }
}

/// What a room was given during the last minutes, as the bytes of a file.
#[tauri::command]
async fn recording(live: State<'_, Live>, room: String, values: bool) -> Answer<Response> {
    Ok(Response::new(live.room(room).recording(RecordingOptions { values }).await?))
}

/// The same into a file; answers where.
#[tauri::command]
async fn save_recording(app: AppHandle, live: State<'_, Live>, room: String, values: bool) -> Answer<String> {
    let file = live.room(room.as_str()).recording(RecordingOptions { values }).await?;
    let folder = saving::folder(app.path().download_dir().ok(), live.profile_dir());
    let saved = blocking(move || saving::save_as(&folder, &room, recordings::ENDING, &file)).await?;
    Ok(saved.display().to_string())
}

/// What a page made, such as a picture of the board, into a file; answers where.
#[tauri::command]
async fn save_file(app: AppHandle, live: State<'_, Live>, request: Request<'_>) -> Answer<String> {
    let (file, asked) = saving::handed(&request)?;
    let folder = saving::folder(app.path().download_dir().ok(), live.profile_dir());
    let saved = blocking(move || saving::save(&folder, &asked, &file)).await?;
    Ok(saved.display().to_string())
}

#[tauri::command]
async fn replay(live: State<'_, Live>, request: Request<'_>) -> Answer<Replayed> {
    let (file, asked) = recordings::handed(&request)?;
    live.replay(file, asked.query()?).await
}

#[tauri::command]
async fn replay_state(live: State<'_, Live>, request: Request<'_>) -> Answer<ReplayState> {
    let (file, asked) = recordings::handed(&request)?;
    live.replay_state(file, asked.moment()?).await
}

#[tauri::command]
async fn replay_test(live: State<'_, Live>, request: Request<'_>) -> Answer<String> {
    let (file, asked) = recordings::handed(&request)?;
    live.replay_test(file, asked.name.as_deref().unwrap_or("recorded")).await
}

#[tauri::command]
async fn replay_lineup(live: State<'_, Live>, request: Request<'_>) -> Answer<Lineup> {
    let (files, asked) = recordings::handed(&request)?;
    let (first, second) = recordings::two(files, &asked)?;
    live.line_up(first, second).await
}

/// Whoever asks the desktop may have to wait for it.
async fn blocking<R: Send + 'static>(ask: impl FnOnce() -> Answer<R> + Send + 'static) -> Answer<R> {
    let asked = tauri::async_runtime::spawn_blocking(ask).await;
    asked.unwrap_or_else(|error| Err(Error::new(ErrorCode::NetworkUnavailable, error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::{NAMES, OpenRoom};

    /// What only the inspector's window may call.
    const LOOKS: [&str; 8] = [
        "inspect",
        "inspect_once",
        "recording",
        "save_recording",
        "replay",
        "replay_state",
        "replay_test",
        "replay_lineup",
    ];

    #[test]
    fn the_page_comes_back_to_the_room_it_joined_and_to_none_that_it_left() {
        let open = OpenRoom::default();
        open.set("asked for");
        open.set("joined");
        open.clear("another");
        assert_eq!(open.room().as_deref(), Some("joined"));
        open.clear("joined");
        assert_eq!(open.room().as_deref(), None);
    }

    #[test]
    fn every_command_is_declared_and_allowed_and_no_other() {
        let declared: Vec<&str> = include_str!("../commands.txt").lines().collect();
        assert_eq!(NAMES, declared);
        let main = allowed(include_str!("../capabilities/main.json"));
        // The main window does not look inside.
        let wanted: Vec<&str> = NAMES.iter().copied().filter(|name| !LOOKS.contains(name)).collect();
        assert_eq!(main, wanted);
        let inspector = allowed(include_str!("../capabilities/inspector.json"));
        // Each of them only reads, or is a part of reading, or writes a file of its own; but for the lab, which a peer has to
        // be started for.
        let reads = ["rooms", "members", "unwatch", "ack", "peers", "lab", "change_lab", "status", "save_file"];
        assert_eq!(inspector, [&reads[..], &LOOKS].concat());
    }

    /// The commands that a capability allows.
    fn allowed(capability: &str) -> Vec<String> {
        let capability: serde_json::Value = serde_json::from_str(capability).unwrap();
        let permissions = capability["permissions"].as_array().unwrap();
        let names = permissions.iter().filter_map(|p| p.as_str()?.strip_prefix("allow-"));
        names.map(|name| name.replace('-', "_")).collect()
    }

    #[test]
    fn every_operation_has_a_command() {
        for operation in parlor::OPERATIONS {
            assert!(NAMES.contains(operation), "{operation} has no command");
        }
    }
}
