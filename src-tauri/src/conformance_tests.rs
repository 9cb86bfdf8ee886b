//! The table of cases that every surface is held against, played by the commands of the window, on a runtime without one.

use std::collections::HashMap;

use futures::StreamExt as _;
use serde_json::{Map, Value, json};
use tauri::ipc::{CallbackFn, InvokeBody, InvokeResponseBody};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder, mock_context, noop_assets};
use tauri::webview::InvokeRequest;
use tauri::{App, WebviewWindow, WebviewWindowBuilder};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{self, UnboundedReceiver};

use crate::commands;
use crate::conformance::{Surface, World, cases, covered, perform, play};
use crate::feed::Feeds;

/// So many peers at a time; most of them wait most of the time.
const TOGETHER: usize = 8;

/// A window of a peer.
struct Window<'a> {
    world: &'a World,
    page: WebviewWindow<MockRuntime>,
    /// Where batches of its feed come in, until somebody listens.
    batches: Mutex<Option<UnboundedReceiver<Value>>>,
    _app: App<MockRuntime>,
}

impl<'a> Window<'a> {
    fn of(world: &'a World) -> Self {
        let (arrived, batches) = mpsc::unbounded_channel();
        let app = mock_builder()
            .manage(world.peer("me").clone())
            .manage(commands::OpenRoom::default())
            .manage(Feeds::default())
            .invoke_handler(commands::calls_of_rooms())
            .channel_interceptor(move |_, _, _, batch| {
                let InvokeResponseBody::Json(batch) = batch else { panic!("a batch is JSON") };
                arrived.send(serde_json::from_str(batch).expect("JSON")).is_ok()
            })
            .build(mock_context(noop_assets()))
            .expect("an app");
        let page = WebviewWindowBuilder::new(&app, "main", Default::default()).build().expect("a window");
        Self { world, page, batches: Mutex::new(Some(batches)), _app: app }
    }
}

/// What the page does when it calls.
async fn invoke(page: WebviewWindow<MockRuntime>, command: &str, body: Value) -> Result<Value, Value> {
    let request = InvokeRequest {
        cmd: command.to_owned(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: "tauri://localhost".parse().expect("an address"),
        body: InvokeBody::Json(body),
        headers: Default::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    let answer = tokio::task::spawn_blocking(move || get_ipc_response(&page, request)).await.expect("an answer");
    answer.map(|body| body.deserialize().expect("JSON"))
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
        invoke(self.page.clone(), operation, body).await
    }

    async fn listen(&self, room: &str) -> UnboundedReceiver<Value> {
        let mut batches = self.batches.lock().await.take().expect("a window follows one room, once");
        let watch = json!({"room": room, "channel": "__CHANNEL__:7"});
        let feed = invoke(self.page.clone(), "watch", watch).await.expect("a feed");
        let (heard, ears) = mpsc::unbounded_channel();
        let page = self.page.clone();
        tokio::spawn(async move {
            let mut rows = Rows::default();
            while let Some(batch) = batches.recv().await {
                if rows.events(&batch).into_iter().any(|event| heard.send(event).is_err()) {
                    return;
                }
                let seen = json!({"feedId": feed, "seq": batch["seq"]});
                invoke(page.clone(), "ack", seen).await.expect("it is taken");
            }
        });
        ears
    }
}

/// The rows that a page draws, by what a feed says of them.
#[derive(Default)]
struct Rows(HashMap<(String, String), Value>);

impl Rows {
    /// What happened according to a batch, as the crate tells it: what moved is an `updated` with the whole row.
    fn events(&mut self, batch: &Value) -> Vec<Value> {
        let list = |of: &Value, key: &str| of[key].as_array().cloned().unwrap_or_default();
        let mut told = Vec::new();
        for event in list(batch, "events") {
            for row in list(&event, "members").iter().chain(event.get("member")) {
                self.0.insert(key(&row["memberId"], &row["actor"]["userId"]), row.clone());
            }
            told.push(event);
        }
        for update in list(batch, "updates") {
            let row = self.0.get_mut(&key(&update["memberId"], &update["userId"])).expect("a row that it moves");
            let set = update["presence"].as_object().expect("a bag");
            let unset: Vec<String> = serde_json::from_value(update["unset"].clone()).expect("keys");
            let presence = row["presence"].as_object_mut().expect("a bag");
            presence.extend(Map::clone(set));
            presence.retain(|key, _| !unset.contains(key));
            row["lastSeenAt"] = update["lastSeenAt"].clone();
            let changed: Vec<&String> = set.keys().chain(&unset).collect();
            told.push(json!({"type": "updated", "changed": changed, "member": row}));
        }
        told
    }
}

fn key(member: &Value, user: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    (text(member), text(user))
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
