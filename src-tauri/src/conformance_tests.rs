//! The table of cases that every surface is held against, played by the commands of the window, on a runtime without one.
//! What a feed tells is left to its own tests: it merges what happened between two frames, where the table wants every
//! event, so that is heard from the crate.

use futures::StreamExt as _;
use serde_json::{Value, json};
use tauri::ipc::{CallbackFn, InvokeBody};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder, mock_context, noop_assets};
use tauri::webview::InvokeRequest;
use tauri::{App, WebviewWindow, WebviewWindowBuilder};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::commands;
use crate::conformance::{Surface, World, cases, covered, follow, perform, play};

/// So many peers at a time; most of them wait most of the time.
const TOGETHER: usize = 8;

/// A window of a peer.
struct Window<'a> {
    world: &'a World,
    page: WebviewWindow<MockRuntime>,
    _app: App<MockRuntime>,
}

impl<'a> Window<'a> {
    fn of(world: &'a World) -> Self {
        let app = mock_builder()
            .manage(world.peer("me").clone())
            .manage(commands::OpenRoom::default())
            .invoke_handler(commands::calls_of_rooms())
            .build(mock_context(noop_assets()))
            .expect("an app");
        let page = WebviewWindowBuilder::new(&app, "main", Default::default()).build().expect("a window");
        Self { world, page, _app: app }
    }
}

impl Surface for Window<'_> {
    const NAME: &'static str = "tauri";

    async fn call(&self, guest: Option<&str>, operation: &str, room: &str, args: Value) -> Result<Value, Value> {
        // A window has one person. Others are in the room by another way.
        if let Some(guest) = guest {
            let answer = perform(&self.world.guest(guest), operation, room, args).await;
            return answer.map_err(|error| serde_json::to_value(error).expect("JSON"));
        }
        let body = match operation {
            "create_room" => json!({"room": room, "private": args["private"] == true}),
            "members" | "history" => json!({"room": room, "query": args}),
            "set_board" => json!({"room": room, "change": args}),
            _ => json!({"room": room, "args": args}),
        };
        let request = InvokeRequest {
            cmd: operation.to_owned(),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: "tauri://localhost".parse().expect("an address"),
            body: InvokeBody::Json(body),
            headers: Default::default(),
            invoke_key: INVOKE_KEY.to_owned(),
        };
        let page = self.page.clone();
        let answer = tokio::task::spawn_blocking(move || get_ipc_response(&page, request)).await.expect("an answer");
        answer.map(|body| body.deserialize().expect("JSON"))
    }

    async fn listen(&self, room: &str) -> UnboundedReceiver<Value> {
        follow(self.world.peer("me"), room).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_window_do_what_every_surface_does() {
    assert_eq!(covered(), Ok(()));
    let cases = cases();
    let mine: Vec<_> = cases.iter().filter(|case| case.is_for(Window::NAME)).collect();
    assert!(mine.len() > 50, "{} cases", mine.len());
    let played = futures::stream::iter(mine).map(async |case| {
        let world = World::of(case).await;
        let outcome = play(&Window::of(&world), &world, case).await;
        world.end().await;
        outcome
    });
    let outcomes: Vec<Result<(), String>> = played.buffer_unordered(TOGETHER).collect().await;
    let wrong: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
