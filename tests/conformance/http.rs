//! The HTTP API, by plain requests.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use eventsource_stream::Eventsource as _;
use futures::StreamExt as _;
use parlor_http::{ConnectionLimits, HttpConfig, Server, Shares};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use crate::conformance::{Surface, World};

const TOKEN: &str = "token-of-a-test";
/// What every problem has; the rest of it are the details.
const OF_EVERY_PROBLEM: [&str; 5] = ["title", "status", "detail", "code", "recoverable"];

pub struct Http {
    server: Server,
    client: reqwest::Client,
}

impl Http {
    pub async fn of(world: &World) -> Self {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let live = world.peer("me").clone();
        let limits = ConnectionLimits::default();
        let shares = Shares::new(live.clone(), || Err(io::Error::other("nothing is shared here")));
        let config = HttpConfig { addr, token: TOKEN.into(), ui: None, limits, shares };
        let server = parlor_http::serve(live, config).await.expect("an API");
        Self { server, client: reqwest::Client::builder().no_proxy().build().expect("a client") }
    }

    fn request(&self, method: Method, room: Option<&str>, rest: &str) -> RequestBuilder {
        let mut url = reqwest::Url::parse(&self.server.url()).expect("an address");
        if let Some(room) = room {
            url.path_segments_mut().expect("a path").extend(["rooms", room]);
        }
        url.set_path(&format!("{}{rest}", url.path().trim_end_matches('/')));
        self.client.request(method, url).header(AUTHORIZATION, format!("Bearer {TOKEN}"))
    }

    /// The request of an operation.
    fn request_of(&self, operation: &str, room: &str, args: Value) -> RequestBuilder {
        let post = |rest: &str, args: Value| {
            // Nothing to say is an empty body.
            let body = if args.is_null() { String::new() } else { args.to_string() };
            self.request(Method::POST, Some(room), rest).header(CONTENT_TYPE, "application/json").body(body)
        };
        let get = |rest: &str, args: Value| {
            let query = args.as_object().cloned().unwrap_or_default().into_iter().map(|(key, value)| match value {
                Value::String(text) => (key, text),
                other => (key, other.to_string()),
            });
            let mut request = self.request(Method::GET, Some(room), rest).build().expect("a request");
            request.url_mut().query_pairs_mut().extend_pairs(query).finish();
            RequestBuilder::from_parts(self.client.clone(), request)
        };
        match operation {
            "join" | "presence" | "leave" | "ticket" => post(&format!("/{operation}"), args),
            "set_metadata" => post("/metadata", args),
            "set_board" => post("/board", args),
            "publish" => post("/messages", args),
            "members" | "metadata" | "board" => get(&format!("/{operation}"), args),
            "history" => get("/messages", args),
            "create_room" => {
                let body = json!({"room": room, "private": args["private"]});
                self.request(Method::POST, None, "/rooms").json(&body)
            }
            "set_profile" => self.request(Method::POST, None, "/profile").json(&args),
            _ => panic!("no case has called {operation} before"),
        }
    }
}

impl Surface for Http {
    const NAME: &'static str = "http";

    async fn call(&self, guest: Option<&str>, operation: &str, room: &str, args: Value) -> Result<Value, Value> {
        let mut request = self.request_of(operation, room, args);
        if let Some(guest) = guest {
            let name = format!("{}{}", guest[..1].to_uppercase(), &guest[1..]);
            request = request.header("Parlor-User", guest).header("Parlor-User-Name", name);
        }
        let response = request.send().await.expect("an answer");
        let status = response.status();
        let body: Value = response.json().await.expect("JSON");
        if status.is_success() {
            return Ok(body);
        }
        assert_eq!(body["status"], status.as_u16(), "{body}");
        let of_it = body.as_object().expect("a problem").iter();
        let details: Map<String, Value> = of_it
            .filter(|(key, _)| !OF_EVERY_PROBLEM.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        Err(
            json!({"code": body["code"], "message": body["detail"], "details": details, "recoverable": body["recoverable"]}),
        )
    }

    async fn listen(&self, room: &str) -> UnboundedReceiver<Value> {
        let response = self.request(Method::GET, Some(room), "/events").send().await.expect("a stream");
        let (heard, ears) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut events = response.bytes_stream().eventsource();
            while let Some(Ok(event)) = events.next().await {
                let Ok(event) = serde_json::from_str(&event.data) else { continue };
                if heard.send(event).is_err() {
                    return;
                }
            }
        });
        ears
    }
}
