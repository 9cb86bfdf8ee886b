//! Where to listen (design A11): what was asked for, or TCP and QUIC on all interfaces at the first free of nine ports.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use libp2p::core::transport::ListenerId;
use libp2p::{Multiaddr, Swarm, TransportError};

use crate::address::{self, Endpoint, PORT, Transport};
use crate::behaviour::Behaviour;
use crate::config::NetError;

const PORTS: std::ops::Range<u16> = PORT..PORT + 9;

/// What the listeners amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listening {
    /// How many there are.
    pub count: usize,
    /// Whether all are on loopback, so that nobody from another computer can come.
    pub loopback_only: bool,
    /// Whether it is TCP and QUIC on all interfaces, because nothing was named.
    pub anywhere: bool,
    /// Whether an address stands for those of several interfaces.
    pub wildcard: bool,
}

/// Reads the addresses of `--listen`.
pub(crate) fn parse(addresses: &[String]) -> Result<Vec<Multiaddr>, NetError> {
    let bad = |address: &String| NetError::BadAddress { address: address.clone(), what: "listen on" };
    let parse = |address: &String| {
        let parsed: Multiaddr = address.parse().map_err(|_| bad(address))?;
        match address::endpoint(&parsed) {
            Some(Endpoint { peer: None, .. }) => Ok(parsed),
            _ => Err(bad(address)),
        }
    };
    addresses.iter().map(parse).collect()
}

/// Starts the listeners. After an error none of them matters any more: the caller drops the swarm.
pub(crate) fn listen(swarm: &mut Swarm<Behaviour>, addresses: &[Multiaddr]) -> Result<Listening, NetError> {
    if addresses.is_empty() {
        listen_anywhere(swarm)?;
        return Ok(Listening { count: 2, loopback_only: false, anywhere: true, wildcard: true });
    }
    for address in addresses {
        listen_on(swarm, address).map_err(|error| refusal(address.to_string(), &error))?;
    }
    let endpoints = || addresses.iter().filter_map(address::endpoint);
    Ok(Listening {
        count: addresses.len(),
        loopback_only: endpoints().all(|parts| parts.ip.is_loopback()),
        anywhere: false,
        wildcard: endpoints().any(|parts| parts.ip.is_unspecified()),
    })
}

fn listen_anywhere(swarm: &mut Swarm<Behaviour>) -> Result<(), NetError> {
    for port in PORTS {
        let [quic, tcp] = [Transport::Quic, Transport::Tcp]
            .map(|transport| address::multiaddr(Ipv4Addr::UNSPECIFIED.into(), port, transport));
        // A UDP socket is exclusive, so the first of two peers that start at once has the port.
        let held = match listen_on(swarm, &quic) {
            Ok(held) => held,
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => continue,
            Err(error) => return Err(refusal(quic.to_string(), &error)),
        };
        match listen_on(swarm, &tcp) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                swarm.remove_listener(held);
            }
            Err(error) => return Err(refusal(tcp.to_string(), &error)),
        }
    }
    Err(NetError::PortsInUse { first: PORTS.start, last: PORTS.end - 1 })
}

fn listen_on(swarm: &mut Swarm<Behaviour>, address: &Multiaddr) -> io::Result<ListenerId> {
    if let Some(Endpoint { ip, port, transport: Transport::Tcp, .. }) = address::endpoint(address)
        && port != 0
    {
        // libp2p shares TCP ports between sockets (SO_REUSEPORT), so that two processes would both be told yes and
        // each get half of the connections. A socket that does not share finds out.
        drop(TcpListener::bind(SocketAddr::new(ip, port))?);
    }
    swarm.listen_on(address.clone()).map_err(|error| match error {
        TransportError::MultiaddrNotSupported(_) => io::ErrorKind::Unsupported.into(),
        TransportError::Other(error) => unwrap(error),
    })
}

/// The system's own error, which the transports wrap in errors of theirs that keep its kind to themselves. Its number is
/// at the end of its text.
fn unwrap(error: io::Error) -> io::Error {
    let text = error.to_string();
    let number = text.rsplit_once("(os error ").and_then(|(_, rest)| rest.trim_end_matches(')').parse().ok());
    number.map_or(error, io::Error::from_raw_os_error)
}

fn refusal(address: String, error: &io::Error) -> NetError {
    match error.kind() {
        io::ErrorKind::AddrInUse => NetError::PortInUse { address },
        io::ErrorKind::AddrNotAvailable => {
            NetError::Listen { address, reason: "it is not an address of this computer".into() }
        }
        _ => NetError::Listen { address, reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tcp_and_quic_on_an_ip_address_can_be_listened_on() {
        let good = ["/ip4/0.0.0.0/tcp/0", "/ip4/127.0.0.1/udp/4747/quic-v1", "/ip6/::/tcp/1"].map(String::from);
        assert_eq!(parse(&good).unwrap().len(), 3);
        for bad in ["", "127.0.0.1:4747", "/ip4/127.0.0.1", "/dns4/localhost/tcp/1", "/ip4/127.0.0.1/udp/1"] {
            let error = parse(&[bad.to_owned()]).unwrap_err();
            assert!(error.to_string().contains(&format!("{bad:?}")) && error.to_string().contains("/tcp/PORT"));
        }
    }
}
