//! A peer with its HTTP API in this process, and a client that hides nothing of the answers.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use parlor::{Config, Live};
use parlor_http::{ConnectionLimits, HttpConfig, Server, Shares, UiFiles};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

pub const TOKEN: &str = "token-of-a-test";
pub const JSON: &str = "application/json";
/// Nothing on loopback takes this long.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// A running peer. Its data goes with it.
pub struct Peer {
    pub live: Live,
    pub server: Server,
    pub http: reqwest::Client,
    pub shares: Shares,
    _data: TempDir,
}

/// Pages as a build of the interface has them: the first of each kind of browser, and what they load.
pub fn pages() -> Vec<(String, Vec<u8>)> {
    let pages = [
        ("/index.html", "<!doctype html><title>Parlor</title>"),
        ("/guest.html", "<!doctype html><title>A guest</title>"),
        ("/inspector.html", "<!doctype html><title>Inside</title>"),
        ("/icon.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        ("/assets/app-1a2b.js", "1"),
        ("/more.txt", "what no page loads"),
    ];
    pages.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).to_vec()
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub body: Value,
}

impl Peer {
    pub async fn start() -> Self {
        Self::start_with(|_| {}, None).await
    }

    /// A peer that dials `other` at its start.
    pub async fn beside(other: &Peer) -> Self {
        let addr = other.addr().await;
        Self::start_with(|config| config.dial.push(addr), None).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Config), ui: Option<UiFiles>) -> Self {
        Self::start_bounded(change, ui, ConnectionLimits::default()).await
    }

    pub async fn start_bounded(
        change: impl FnOnce(&mut Config),
        ui: Option<UiFiles>,
        limits: ConnectionLimits,
    ) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let mut config = Config {
            data_dir: data.path().into(),
            listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
            multicast: false,
            ..Config::default()
        };
        change(&mut config);
        let live = Live::start(config).await.expect("a peer");
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let shares = Shares::new(live.clone(), || UiFiles::of(pages()));
        let config = HttpConfig { addr, token: TOKEN.into(), ui, limits, shares: shares.clone() };
        let server = parlor_http::serve(live.clone(), config).await.expect("an API");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { live, server, http, shares, _data: data }
    }

    /// Where other peers reach it.
    pub async fn addr(&self) -> String {
        self.live.status().await.listen.into_iter().next().expect("an address")
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }

    /// A request with the token and nothing else.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path)).header(AUTHORIZATION, format!("Bearer {TOKEN}"))
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn post_text(&self, path: &str, body: impl Into<String>) -> Answer {
        answer(self.request(Method::POST, path).header(CONTENT_TYPE, JSON).body(body.into())).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        answer(self.request(Method::DELETE, path)).await
    }
}

pub async fn answer(request: RequestBuilder) -> Answer {
    let response = timeout(PATIENCE, request.send()).await.expect("an answer in time").expect("an answer");
    let status = response.status().as_u16();
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type = content_type.to_owned();
    let text = response.text().await.expect("a body");
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answer { status, content_type, body }
}

impl Answer {
    /// The body of a call that succeeded.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!((self.status, self.content_type.as_str()), (200, JSON), "{}", self.body);
        self.body
    }

    /// The body of a call that was refused, which must be a problem document with this code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert_eq!(self.content_type, "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert!(self.body["recoverable"].is_boolean(), "{}", self.body);
        for text in ["title", "detail"] {
            assert!(self.body[text].as_str().is_some_and(|text| !text.is_empty()), "no {text}: {}", self.body);
        }
        self.body
    }
}

/// Looks until there is something.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Whether a text is a time as the contract writes it: RFC 3339, UTC, milliseconds.
pub fn is_time(value: &Value) -> bool {
    let shape = b"0000-00-00T00:00:00.000Z";
    value.as_str().is_some_and(|text| {
        text.len() == shape.len()
            && text
                .bytes()
                .zip(shape)
                .all(|(byte, shape)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == *shape })
    })
}
