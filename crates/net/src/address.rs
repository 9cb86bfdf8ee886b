//! Multiaddrs: which ones people may type, which of a peer's are worth dialling, and in which order (design N1, N7). A
//! *circuit* is a way to a peer through a relay: `RELAY'S ADDRESS/p2p/RELAY/p2p-circuit/p2p/PEER`.

use std::net::{IpAddr, SocketAddr};

use libp2p::PeerId;
use libp2p::multiaddr::{Multiaddr, Protocol};

/// What an address may look like, for error messages.
pub(crate) const FORMS: &str = "/ip4/ADDRESS/tcp/PORT or /ip4/ADDRESS/udp/PORT/quic-v1 (ip6 likewise)";

/// The port of a peer that names none.
pub(crate) const PORT: u16 = 4747;

/// A carrier of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Transport {
    /// Preferred: the kernel closes it when a process dies, so that a crash shows at once (design N1).
    Tcp,
    Quic,
}

/// How a connection gets to its other end, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Route {
    Direct(Transport),
    /// Through a relay, for which it is one stream more.
    Relayed,
}

impl Route {
    /// That of an address, or of what a listener is told of who came.
    pub(crate) fn of(address: &Multiaddr) -> Self {
        match is_relayed(address) {
            true => Route::Relayed,
            false => Route::Direct(endpoint(address).map_or(Transport::Tcp, |parts| parts.transport)),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Route::Direct(Transport::Tcp) => "tcp",
            Route::Direct(Transport::Quic) => "quic",
            Route::Relayed => "relay",
        }
    }
}

/// The parts of an address that this crate can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub ip: IpAddr,
    pub port: u16,
    pub transport: Transport,
    pub peer: Option<PeerId>,
}

/// Takes an address apart; `None` for every form that is not in [`FORMS`], with or without `/p2p/ID` behind it.
pub(crate) fn endpoint(address: &Multiaddr) -> Option<Endpoint> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => IpAddr::V4(ip),
        Protocol::Ip6(ip) => IpAddr::V6(ip),
        _ => return None,
    };
    let (port, transport) = match parts.next()? {
        Protocol::Tcp(port) => (port, Transport::Tcp),
        Protocol::Udp(port) if parts.next() == Some(Protocol::QuicV1) => (port, Transport::Quic),
        _ => return None,
    };
    let peer = match parts.next() {
        None => None,
        Some(Protocol::P2p(peer)) => Some(peer),
        Some(_) => return None,
    };
    parts.next().is_none().then_some(Endpoint { ip, port, transport, peer })
}

/// The address of an endpoint, without a peer id.
pub(crate) fn multiaddr(ip: IpAddr, port: u16, transport: Transport) -> Multiaddr {
    let address = Multiaddr::from(ip);
    match transport {
        Transport::Tcp => address.with(Protocol::Tcp(port)),
        Transport::Quic => address.with(Protocol::Udp(port)).with(Protocol::QuicV1),
    }
}

/// An address without the peer id behind it; `None` when it is none that can be dialled.
pub(crate) fn bare(address: &Multiaddr) -> Option<Multiaddr> {
    let parts = endpoint(address)?;
    (parts.port != 0 && !parts.ip.is_unspecified()).then(|| multiaddr(parts.ip, parts.port, parts.transport))
}

/// Whether an address leads through a relay.
pub(crate) fn is_relayed(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::P2pCircuit)
}

/// The relay that an address leads through, when it is one that says which.
pub(crate) fn relay_of(address: &Multiaddr) -> Option<PeerId> {
    let mut last = None;
    for part in address {
        match part {
            Protocol::P2p(peer) => last = Some(peer),
            Protocol::P2pCircuit => return last,
            _ => {}
        }
    }
    None
}

/// Where to be met through a relay that is reached at an address.
pub(crate) fn meeting_point(relay: PeerId, at: &Multiaddr) -> Multiaddr {
    at.clone().with(Protocol::P2p(relay)).with(Protocol::P2pCircuit)
}

/// The way to a peer through a relay that is reached at an address.
pub(crate) fn circuit(relay: PeerId, at: &Multiaddr, peer: PeerId) -> Multiaddr {
    meeting_point(relay, at).with(Protocol::P2p(peer))
}

/// What a person typed: a multiaddr, or `ADDRESS`, `ADDRESS:PORT`, which may be reached by either transport.
pub(crate) fn typed(text: &str) -> Result<Vec<Multiaddr>, String> {
    let text = text.trim();
    let plain = text.parse::<SocketAddr>().ok().map(|socket| (socket.ip(), socket.port()));
    if let Some((ip, port)) = plain.or_else(|| text.parse::<IpAddr>().ok().map(|ip| (ip, PORT))) {
        let both = [Transport::Tcp, Transport::Quic].map(|transport| multiaddr(ip, port, transport));
        return dialable(text, both.into());
    }
    let address: Multiaddr =
        text.parse().map_err(|_| format!("{text:?} is not an address; give {FORMS}, or ADDRESS:PORT"))?;
    dialable(text, vec![address])
}

fn dialable(text: &str, addresses: Vec<Multiaddr>) -> Result<Vec<Multiaddr>, String> {
    for address in &addresses {
        match endpoint(address) {
            None => return Err(format!("{text:?} cannot be dialled; give {FORMS}, or ADDRESS:PORT")),
            Some(parts) if parts.port == 0 => return Err(format!("{text:?} has port 0; give the port of the peer")),
            Some(parts) if parts.ip.is_unspecified() => {
                return Err(format!("{text:?} names no computer; give the address of the peer"));
            }
            Some(_) => {}
        }
    }
    Ok(addresses)
}

/// Whether a connection with this address at either end stays on the computer.
pub(crate) fn is_loopback(address: &Multiaddr) -> bool {
    endpoint(address).is_some_and(|parts| parts.ip.is_loopback())
}

/// Whether nothing of this computer's network is needed for the first step to an address.
pub(crate) fn begins_here(address: &Multiaddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => ip.is_loopback(),
        Some(Protocol::Ip6(ip)) => ip.is_loopback(),
        _ => false,
    }
}

/// A network that an interface of this computer is in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subnet {
    pub ip: IpAddr,
    pub prefix: u8,
    /// A bridge of containers or virtual machines: nobody else on the local network is in it.
    pub private: bool,
}

impl Subnet {
    pub(crate) fn holds(&self, other: IpAddr) -> bool {
        let (own, other, width) = match (self.ip, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (u128::from(u32::from(own)), u128::from(u32::from(other)), 32),
            (IpAddr::V6(own), IpAddr::V6(other)) => (u128::from(own), u128::from(other), 128),
            _ => return false,
        };
        let shift = width - u32::from(self.prefix).min(width);
        own.checked_shr(shift).unwrap_or(0) == other.checked_shr(shift).unwrap_or(0)
    }
}

/// How good an address is, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// Loopback, for a peer that is known to be on this computer.
    Here,
    /// In a network of one of our interfaces.
    OnLink,
    /// Behind a router.
    Routed,
    /// Link-local, or in a network of containers: used when there is nothing better (design N7).
    Poor,
    /// Loopback of some other computer.
    Useless,
}

/// Judges an address. `local` says that the peer runs on this computer.
pub(crate) fn rank(address: &Multiaddr, local: bool, subnets: &[Subnet]) -> Rank {
    let Some(parts) = endpoint(address) else { return Rank::Useless };
    let link_local = match parts.ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    match parts.ip {
        ip if ip.is_loopback() => match local {
            true => Rank::Here,
            false => Rank::Useless,
        },
        _ if link_local => Rank::Poor,
        ip => match subnets.iter().filter(|subnet| subnet.holds(ip)).map(|subnet| subnet.private).min() {
            Some(true) => Rank::Poor,
            Some(false) => Rank::OnLink,
            None => Rank::Routed,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn plain_addresses_are_dialled_by_tcp_first() {
        let tcp = address("/ip4/192.168.1.5/tcp/4800");
        let quic = address("/ip4/192.168.1.5/udp/4800/quic-v1");
        assert_eq!(typed("192.168.1.5:4800").unwrap(), [tcp, quic]);
        assert_eq!(typed(" 10.0.0.1 ").unwrap()[0], address("/ip4/10.0.0.1/tcp/4747"));
        assert_eq!(typed("[::1]:4747").unwrap()[0], address("/ip6/::1/tcp/4747"));
    }

    #[test]
    fn what_cannot_be_dialled_is_refused_by_name() {
        for text in ["", "nonsense", "/ip4/1.2.3.4", "/dns4/example.org/tcp/1", "/ip4/0.0.0.0/tcp/1", "1.2.3.4:0"] {
            let error = typed(text).unwrap_err();
            assert!(error.contains(&format!("{text:?}")) && error.contains("give"), "{text}: {error}");
        }
    }

    #[test]
    fn the_order_prefers_our_own_network_and_drops_foreign_loopback() {
        let subnets = [
            Subnet { ip: "192.168.1.9".parse().unwrap(), prefix: 24, private: false },
            Subnet { ip: "172.17.0.1".parse().unwrap(), prefix: 16, private: true },
        ];
        let rank = |text: &str, local| rank(&address(text), local, &subnets);
        assert_eq!(rank("/ip4/192.168.1.77/tcp/1", false), Rank::OnLink);
        assert_eq!(rank("/ip4/10.1.1.1/tcp/1", false), Rank::Routed);
        assert_eq!(rank("/ip4/172.17.0.4/tcp/1", false), Rank::Poor);
        assert_eq!(rank("/ip4/169.254.3.4/tcp/1", false), Rank::Poor);
        assert_eq!(rank("/ip6/fe80::1/udp/1/quic-v1", false), Rank::Poor);
        assert_eq!(rank("/ip4/127.0.0.1/tcp/1", false), Rank::Useless);
        assert_eq!(rank("/ip4/127.0.0.1/tcp/1", true), Rank::Here);
    }

    #[test]
    fn a_circuit_says_which_relay_it_leads_through_and_is_no_endpoint() {
        let [relay, peer] = [1, 2].map(|_| crate::SessionKey::generate().peer());
        let at = address("/ip4/10.0.0.9/tcp/4747");
        let through = circuit(relay, &at, peer);
        assert_eq!((relay_of(&through), Route::of(&through)), (Some(relay), Route::Relayed));
        assert_eq!((endpoint(&through), bare(&through)), (None, None));
        assert!(typed(&through.to_string()).is_err(), "whom to meet there, the relay knows");
        assert_eq!((relay_of(&at), Route::of(&at)), (None, Route::Direct(Transport::Tcp)));
        assert_eq!(relay_of(&address("/p2p-circuit")), None);
        assert!(Route::Direct(Transport::Tcp) < Route::Direct(Transport::Quic));
        assert!(Route::Direct(Transport::Quic) < Route::Relayed);
    }

    #[test]
    fn a_subnet_of_the_whole_world_holds_everything_of_its_family() {
        let all = Subnet { ip: "10.0.0.1".parse().unwrap(), prefix: 0, private: false };
        assert!(all.holds("1.2.3.4".parse().unwrap()) && !all.holds("::1".parse().unwrap()));
    }
}
