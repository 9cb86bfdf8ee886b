//! The life of the HTTP server: bind, serve, stop.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use parlor::Live;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::api_file::{ApiFile, WrittenApiFile};
use crate::metrics::Metrics;
use crate::routes::router;
use crate::shares::Shares;
use crate::ui::UiFiles;
use crate::visitors::{ConnectionLimits, receive};

/// How long answers under way may take when the server stops.
const STOP_WITHIN: Duration = Duration::from_millis(500);
/// The longest token.
const TOKEN_MAX: usize = 256;

/// How to serve.
pub struct HttpConfig {
    /// Where to listen: a loopback address. Port 0 takes any free one.
    pub addr: SocketAddr,
    /// The bearer token; see [`generate_token`] and [`check_token`].
    pub token: String,
    /// The pages of the user interface, if they are to be served.
    pub ui: Option<UiFiles>,
    /// What a connection may cost.
    pub limits: ConnectionLimits,
    /// The rooms that are shared to browsers, which this only switches: whoever made the list ends them.
    pub shares: Shares,
}

/// Why the server could not start. Nothing is left behind.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is not one of the two names that a request may use for this computer.
    #[error("the API cannot listen on {0}; it takes 127.0.0.1:PORT or [::1]:PORT only")]
    NotLoopback(SocketAddr),
    /// Another program listens there.
    #[error("{0} is in use by another program; take another port, or port 0 for any free one")]
    InUse(SocketAddr),
    /// The system refused the address.
    #[error("cannot listen on {0}: {1}")]
    Bind(SocketAddr, #[source] io::Error),
    /// The token has characters that a header or a subprotocol cannot carry.
    #[error("the token must have 1 to 256 of the characters A-Z a-z 0-9 - . _ ~ +")]
    Token,
    /// `api.json` could not be written.
    #[error("cannot write api.json into the profile's directory: {0}")]
    ApiFile(#[source] io::Error),
}

/// What every request can reach.
pub(crate) struct App {
    pub live: Live,
    pub token: String,
    pub port: u16,
    pub ui: Option<UiFiles>,
    pub closing: Closing,
    pub metrics: Metrics,
    /// How long a body may take to arrive.
    pub body_within: Duration,
    pub shares: Shares,
    /// Recordings that are taken in and played at the same time: they are megabytes each.
    pub files: Semaphore,
}

/// How many of those.
const FILES: usize = 2;

/// Tells long answers that the server is about to stop.
#[derive(Clone)]
pub(crate) struct Closing(pub(crate) watch::Receiver<bool>);

impl Closing {
    /// Returns when the server stops; may be dropped.
    pub(crate) async fn wait(&mut self) {
        // A sender that is gone means the same.
        let _ = self.0.wait_for(|closing| *closing).await;
    }
}

/// A running server. Dropping it without [`Server::stop`] ends it too, less politely.
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    closing: watch::Sender<bool>,
    task: JoinHandle<()>,
    keeper: JoinHandle<()>,
    _api_file: Arc<Mutex<WrittenApiFile>>,
}

impl Server {
    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Ends event streams and sockets, lets other answers finish within half a second, and removes `api.json`.
    pub async fn stop(mut self) {
        self.closing.send_replace(true);
        // A task that panicked is over too.
        let _ = (&mut self.task).await;
        tracing::info!("the API is off");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        self.keeper.abort();
    }
}

/// Starts to serve, and says where in `api.json`.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve(live: Live, config: HttpConfig) -> Result<Server, ServeError> {
    let HttpConfig { addr, token, ui, limits, shares } = config;
    if ![IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()].contains(&addr.ip()) {
        return Err(ServeError::NotLoopback(addr));
    }
    check_token(&token)?;
    let listener = TcpListener::bind(addr).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => ServeError::InUse(addr),
        _ => ServeError::Bind(addr, error),
    })?;
    let addr = listener.local_addr().map_err(|error| ServeError::Bind(addr, error))?;
    let sessions = live.sessions();
    let peer_id = sessions.borrow().clone();
    let api_file = ApiFile { url: format!("http://{addr}"), token: token.clone(), pid: std::process::id(), peer_id };
    let api_file = Arc::new(Mutex::new(api_file.write(live.profile_dir()).map_err(ServeError::ApiFile)?));
    let keeper = tokio::spawn(keep_true(Arc::downgrade(&api_file), sessions));

    tracing::info!(port = addr.port(), "the API is on");
    let (closing, told) = watch::channel(false);
    let metrics = Metrics::default();
    let connections = metrics.connections();
    let (port, body_within) = (addr.port(), limits.within);
    let app = App {
        live,
        token,
        port,
        ui,
        closing: Closing(told.clone()),
        metrics,
        body_within,
        shares,
        files: Semaphore::new(FILES),
    };
    let task =
        tokio::spawn(receive(listener, None, router(Arc::new(app)), limits, connections, Closing(told), STOP_WITHIN));
    Ok(Server { addr, closing, task, keeper, _api_file: api_file })
}

/// A peer may begin another session, and `api.json` says which one answers. The file goes with the server.
async fn keep_true(api_file: Weak<Mutex<WrittenApiFile>>, mut sessions: watch::Receiver<String>) {
    while sessions.changed().await.is_ok() {
        let Some(api_file) = api_file.upgrade() else { return };
        let peer_id = sessions.borrow_and_update().clone();
        if let Err(error) = api_file.lock().unwrap_or_else(PoisonError::into_inner).name(peer_id) {
            tracing::warn!(reason = %error, "api.json names a session that is over");
        }
    }
}

/// A token that nobody can guess: 32 random bytes.
///
/// # Errors
/// When the system has no random numbers.
pub fn generate_token() -> io::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(data_encoding::BASE64URL_NOPAD.encode(&bytes))
}

/// Whether a token can be sent as a header and as a WebSocket subprotocol.
///
/// # Errors
/// [`ServeError::Token`], which says what is allowed.
pub fn check_token(token: &str) -> Result<(), ServeError> {
    let fits = (1..=TOKEN_MAX).contains(&token.len());
    let plain = token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+".contains(&byte));
    if fits && plain { Ok(()) } else { Err(ServeError::Token) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_random_and_sendable() {
        let (one, other) = (generate_token().expect("random"), generate_token().expect("random"));
        assert_ne!(one, other);
        assert!(one.len() >= 43);
        assert!(check_token(&one).is_ok());
        for token in ["", "a b", "a,b", "a/b", "a=b", "ü", "a\n"] {
            assert!(check_token(token).is_err(), "{token:?}");
        }
    }
}
