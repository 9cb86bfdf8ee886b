//! The HTTP API, by plain requests.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use eventsource_stream::Eventsource as _;
use futures::StreamExt as _;
use parlor_http::{ConnectionLimits, HttpConfig, Server, Shares};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
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

    /// Sends a request for a room whose name every client makes another path of, and answers the refusal.
    async fn as_it_stands(&self, request: RequestBuilder, room: &str) -> Value {
        let request = request.build().expect("a request");
        let (url, body) = (request.url(), request.body().and_then(|body| body.as_bytes()).unwrap_or_default());
        let addr = url.socket_addrs(|| None).expect("an address")[0];
        let head = format!(
            "{} {} HTTP/1.1\r\nHost: {addr}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            request.method(),
            url.path().replace("/ROOM/", &format!("/{room}/")),
            body.len(),
        );
        let mut stream = TcpStream::connect(addr).await.expect("a connection");
        stream.write_all(&[head.as_bytes(), body].concat()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let body: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
        assert!(head.starts_with(&format!("HTTP/1.1 {} ", body["status"])), "{answer}");
        problem(&body)
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
            "dial" => self.request(Method::POST, None, "/peers").json(&args),
            _ => panic!("no case has called {operation} before"),
        }
    }
}

impl Surface for Http {
    const NAME: &'static str = "http";

    async fn call(&self, guest: Option<&str>, operation: &str, room: &str, args: Value) -> Result<Value, Value> {
        if matches!(room, "" | "." | "..") && operation != "create_room" {
            return Err(self.as_it_stands(self.request_of(operation, "ROOM", args), room).await);
        }
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
        Err(problem(&body))
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

/// A problem as an error of the table.
fn problem(body: &Value) -> Value {
    let of_it = body.as_object().expect("a problem").iter();
    let details: Map<String, Value> = of_it
        .filter(|(key, _)| !OF_EVERY_PROBLEM.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    json!({"code": body["code"], "message": body["detail"], "details": details, "recoverable": body["recoverable"]})
}
