//! The connections themselves: how many, and for how long one may take to say what it wants (design A10, N10).
//!
//! Every page that the user opens can connect to loopback, and so can connect often and say little. So a head has a
//! deadline and a size, and the number of connections a bound. At the bound a newcomer takes the place of the oldest
//! **stranger**, a connection on which no request had the token yet: whoever holds idle connections open loses those, and
//! a client that asks at once is served. A connection that has shown the token is never closed for another.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;

use crate::server::Closing;

/// What a connection may cost.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// How many connections at a time, event streams and sockets included. Default 256.
    pub connections: usize,
    /// How long a connection may take to send the next head, and then how long to send its body. One that says nothing
    /// is closed, one whose body stops is refused and closed. Default 20 s each.
    pub within: Duration,
    /// How long a connection may wait for the other end to take some of what is sent to it; then it is closed. Without
    /// end when `None`. Default `None`.
    pub stalled: Option<Duration>,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { connections: 256, within: Duration::from_secs(20), stalled: None }
    }
}

/// The most headers that are read at all; what has more is no request. [`crate::guard`] refuses far fewer by name.
const HEADERS_PARSED: usize = 256;
/// The most bytes of a head that are read at all.
const HEAD_PARSED: usize = 64 * 1024;

/// One connection, as its requests and the list of all know it. It counts until the last of them lets go.
#[derive(Debug)]
pub(crate) struct Visitor {
    /// Who came.
    pub(crate) from: SocketAddr,
    /// The address of this computer that they came to.
    pub(crate) to: Option<IpAddr>,
    known: AtomicBool,
    leave: Notify,
    /// How many there are.
    all: Gauge,
}

impl Visitor {
    /// A request on it had the token.
    pub(crate) fn is_known(&self) {
        self.known.store(true, Ordering::Relaxed);
    }

    fn new((from, to): (SocketAddr, Option<IpAddr>), all: Gauge) -> Self {
        all.inc();
        Self { from, to, known: AtomicBool::default(), leave: Notify::default(), all }
    }

    fn stranger(self: Arc<Self>) -> Option<Arc<Self>> {
        (!self.known.load(Ordering::Relaxed)).then_some(self)
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        self.all.dec();
    }
}

/// All connections, the oldest first.
struct Visitors {
    most: usize,
    open: Gauge,
    list: Vec<Weak<Visitor>>,
}

impl Visitors {
    /// Takes in one more, for which a stranger may have to go; `None` when all that are here have shown the token.
    fn admit(&mut self, ends: (SocketAddr, Option<IpAddr>)) -> Option<Arc<Visitor>> {
        self.list.retain(|visitor| visitor.strong_count() > 0);
        if self.list.len() >= self.most {
            let mut open = self.list.iter().map(Weak::upgrade).enumerate();
            let (place, stranger) = open.find_map(|(place, one)| Some((place, one?.stranger()?)))?;
            stranger.leave.notify_one();
            self.list.remove(place);
        }
        let visitor = Arc::new(Visitor::new(ends, self.open.clone()));
        self.list.push(Arc::downgrade(&visitor));
        Some(visitor)
    }
}

/// Serves connections until `stop`; then no more are taken, and the answers under way are finished within `grace`. When
/// this is over nothing of them goes on. Dropped, it ends them where they are.
pub(crate) async fn receive(
    mut listener: TcpListener,
    way: Option<TlsAcceptor>,
    routes: Router,
    limits: ConnectionLimits,
    open: Gauge,
    stop: Closing,
    grace: Duration,
) {
    let mut visitors = Visitors { most: limits.connections, open, list: Vec::new() };
    let mut open = JoinSet::new();
    let mut stopped = stop.clone();
    loop {
        tokio::select! {
            biased;
            () = stopped.wait() => break,
            (stream, from) = Listener::accept(&mut listener) => match visitors.admit((from, came_to(&stream))) {
                Some(visitor) => {
                    drop(open.spawn(greet(stream, way.clone(), visitor, routes.clone(), limits, stop.clone())));
                }
                None => tracing::warn!("a connection was refused: {} are open", limits.connections),
            },
            Some(_) = open.join_next() => {}
        }
    }
    drop(listener);
    // Whoever is slower is cut off.
    let _ = timeout(grace, async { while open.join_next().await.is_some() {} }).await;
    open.shutdown().await;
}

/// The address of this computer at the end of a connection; that of a socket for both kinds is told as its own kind.
fn came_to(stream: &TcpStream) -> Option<IpAddr> {
    stream.local_addr().ok().map(|here| here.ip().to_canonical())
}

/// Agrees on a key first where the way is to be encrypted, which may take as long as a head.
async fn greet(
    stream: TcpStream,
    way: Option<TlsAcceptor>,
    visitor: Arc<Visitor>,
    routes: Router,
    limits: ConnectionLimits,
    mut stop: Closing,
) {
    // Small answers and events leave at once.
    drop(stream.set_nodelay(true));
    let Some(way) = way else { return converse(stream, visitor, routes, limits, stop).await };
    let agreed = tokio::select! {
        agreed = timeout(limits.within, way.accept(stream)) => agreed,
        () = visitor.leave.notified() => return,
        () = stop.wait() => return,
    };
    match agreed {
        Ok(Ok(stream)) => converse(stream, visitor, routes, limits, stop).await,
        Ok(Err(error)) => tracing::debug!(reason = %error, "a connection agreed on no key"),
        Err(_) => {}
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    visitor: Arc<Visitor>,
    routes: Router,
    limits: ConnectionLimits,
    mut stop: Closing,
) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(limits.stalled);
    let stream = Box::pin(stream);
    let routes = TowerToHyperService::new(routes);
    let here = visitor.clone();
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(here.clone());
        routes.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.within)
        .max_headers(HEADERS_PARSED)
        .max_header_size(HEAD_PARSED)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = visitor.leave.notified() => return,
        () = stop.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(reason = %error, "a connection ended");
    }
}
