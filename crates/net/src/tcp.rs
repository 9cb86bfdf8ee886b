//! TCP as libp2p speaks it, but that the system gives a connection up when for as long as a link may be silent nothing
//! was acknowledged.
//!
//! A connection over a cable that is out is closed here after six seconds. What was not acknowledged by then the system
//! would repeat for minutes, and each of these packets has it ask the network for the hardware address of a host that is
//! not there, three times, once a second. Whoever dials while it asks waits for the next time that it does: a cable that is
//! back would serve nobody for up to a second. So the packets end with the connection, and the first dial asks at once.

use libp2p::core::ConnectedPoint;
use libp2p::core::transport::Transport as _;
use libp2p::core::transport::map::Map;
use libp2p::tcp::Config;
use libp2p::tcp::tokio::{TcpStream, Transport};

#[cfg(any(target_os = "linux", target_os = "android"))]
use crate::links::SILENT_MS;

/// See the module.
pub(crate) type Tcp = Map<Transport, fn(TcpStream, ConnectedPoint) -> TcpStream>;

/// Without delay of small packets, as libp2p has it.
pub(crate) fn transport() -> Tcp {
    Transport::new(Config::default()).map(impatient)
}

/// Where the system knows no such limit, things are as they were.
fn impatient(stream: TcpStream, _: ConnectedPoint) -> TcpStream {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    drop(socket2::SockRef::from(&stream.0).set_tcp_user_timeout(Some(std::time::Duration::from_millis(SILENT_MS))));
    stream
}
