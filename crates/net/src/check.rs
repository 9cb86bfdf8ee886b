//! What a running peer can find out about the network by itself: what its interfaces are used for, whether what it multicasts
//! comes back to it and is answered, and at which of the addresses that it knows of others somebody can be reached. It
//! looks, and says nothing of what that means; `parlor` judges it.
//!
//! Nothing is said to anybody who was not spoken to before: the hello asks once more what it asks anyway, and only addresses
//! are tried that the dialler would dial. A peer that listens on loopback only tries no others. Both are bounded, in number
//! and in time. `probe` says how an address is tried without becoming a connection.

mod probe;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use futures::future::join_all;
use if_addrs::{IfAddr, Interface};
use libp2p::Multiaddr;
use parlor_core::Error;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::handle::{Command, ask};
use crate::hello::{Ears, Way};
use crate::info::{NetworkState, PeerInfo};
use crate::surroundings;

/// Answers to a hello come within this, also from peers that gave one just before: the last of the first questions goes out
/// after two and a half seconds.
pub(crate) const ANSWERS_WITHIN: Duration = Duration::from_millis(3_200);
/// Where nobody is asked, for dials that are under way.
pub(crate) const LINKS_WITHIN: Duration = Duration::from_secs(1);
/// Peers that are tried; those that are missing first, then those heard of last.
pub(crate) const PEERS_MAX: usize = 16;
/// Addresses of one peer that are tried, of each transport.
const ADDRESSES_MAX: usize = 2;

/// What a peer saw when it looked at its network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NetworkCheck {
    /// What there is of a network.
    pub network: NetworkState,
    /// The multiaddrs listened on.
    pub listen: Vec<String>,
    /// The addresses of this computer, and which of them are used.
    pub interfaces: Vec<InterfaceCheck>,
    /// Multicast DNS: peers on other computers that it told of.
    pub mdns: DiscoveryCheck,
    /// Parlor's own question to the network: answers to it.
    pub hello: DiscoveryCheck,
    /// The peers that may be dialled, at most 16: those that are missing first.
    pub peers: Vec<PeerCheck>,
}

/// An address of this computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct InterfaceCheck {
    /// The system's name of the interface.
    pub name: String,
    /// The address, and how many bits of it name the network: `192.168.1.5/24`.
    pub address: String,
    /// Why nobody is looked for there; `null` when somebody is.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub ignored: Option<Ignored>,
    /// What became of what was multicast there; `null` when nothing was.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub multicast: Option<Echo>,
    /// The same of what was broadcast.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub broadcast: Option<Echo>,
}

/// Why an address is not used (design N7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Ignored {
    /// It never leaves this computer.
    Loopback,
    /// The interface has no carrier, or is switched off.
    Down,
    /// A bridge of containers or virtual machines, or an overlay network such as a VPN.
    Virtual,
    /// It was made up by the interface, and there are better ones.
    LinkLocal,
}

/// What became of a packet to everybody, at the computer that sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Echo {
    /// It came back, as it should.
    Heard,
    /// It did not: something on this computer keeps it.
    Silent,
    /// The system did not send it.
    Refused,
}

/// A way to find peers that nobody gave an address of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DiscoveryCheck {
    /// Whether it is in use.
    pub state: DiscoveryState,
    /// Peers on other computers that were heard by multicast.
    pub by_multicast: u32,
    /// Those that were heard by broadcast only.
    pub by_broadcast: u32,
    /// How long ago the last one was, in milliseconds; `null` when there was none.
    #[cfg_attr(feature = "openapi", schema(required))]
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub last_ms_ago: Option<u64>,
}

/// Whether a way to find peers is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum DiscoveryState {
    /// It is.
    On,
    /// It was switched off, or the peer listens on this computer only.
    Off,
    /// The system does not give what it needs; another program may have the port.
    Unavailable,
}

impl DiscoveryState {
    pub(crate) fn of(on: bool) -> Self {
        if on { DiscoveryState::On } else { DiscoveryState::Off }
    }
}

/// A peer that may be dialled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PeerCheck {
    /// The link to it; `null` when there is none.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub link: Option<PeerInfo>,
    /// How it became known; see [`PeerInfo::source`].
    pub source: String,
    /// Where it is, seen from here.
    pub place: Place,
    /// Whether this peer ever reached it at one of its addresses.
    pub met: bool,
    /// Where it was tried just now, the best first, by TCP and then by QUIC.
    pub addresses: Vec<AddressCheck>,
}

/// Where a peer is, seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// On this computer.
    Here,
    /// In a network that this computer is in.
    Network,
    /// Elsewhere, such as behind a router.
    Beyond,
}

/// An address that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AddressCheck {
    /// The multiaddr.
    pub address: String,
    /// What came back.
    pub reach: Reach,
    /// After how many milliseconds.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub after_ms: u64,
}

/// What came back from an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Reach {
    /// Somebody listens there.
    Open,
    /// The computer is there, and nobody listens.
    Refused,
    /// The network says that it cannot be reached: there is no such computer, or a firewall sent it back.
    Unreachable,
    /// Nothing: it is not there, or a firewall swallows what comes.
    Silent,
}

/// What the actor knows, at one moment.
pub(crate) struct Observation {
    pub network: NetworkState,
    pub listen: Vec<String>,
    pub mdns: DiscoveryCheck,
    pub hello: DiscoveryCheck,
    pub ears: Ears,
    /// Nothing outside this computer may be tried.
    pub loopback_only: bool,
    pub peers: Vec<(PeerCheck, [Vec<Multiaddr>; 2])>,
}

/// Asks around, waits for answers, and tries the addresses. Takes up to eight seconds.
pub(crate) async fn run(commands: &mpsc::Sender<Command>) -> Result<NetworkCheck, Error> {
    let wait = ask(commands, |reply| Command::AskAround { reply }).await?;
    tokio::time::sleep(wait).await;
    let seen = ask(commands, |reply| Command::Observe { reply }).await?;
    let interfaces = tokio::task::spawn_blocking(if_addrs::get_if_addrs).await;
    let interfaces = interfaces.ok().and_then(Result::ok).unwrap_or_default();
    let Observation { network, listen, mdns, hello, ears, loopback_only, peers } = seen;
    let peers = peers.into_iter().map(|(mut peer, addresses)| async move {
        let tried = to_try(&addresses, loopback_only).map(probe::address);
        peer.addresses = join_all(tried).await.into_iter().flatten().collect();
        peer
    });
    let peers = join_all(peers).await;
    Ok(NetworkCheck { network, listen, interfaces: check_all(&interfaces, &ears), mdns, hello, peers })
}

/// The best of each transport, and of a peer that keeps to this computer nothing outside it.
fn to_try(addresses: &[Vec<Multiaddr>; 2], loopback_only: bool) -> impl Iterator<Item = &Multiaddr> {
    let allowed = move |address: &&Multiaddr| !loopback_only || crate::address::is_loopback(address);
    addresses.iter().flat_map(move |of| of.iter().filter(allowed).take(ADDRESSES_MAX))
}

fn check_all(interfaces: &[Interface], ears: &Ears) -> Vec<InterfaceCheck> {
    let used = |one: &Interface| surroundings::ignored(one).is_none();
    let better = interfaces.iter().any(|one| used(one) && !is_link_local(one.ip()));
    interfaces.iter().map(|one| check(one, better, ears)).collect()
}

fn check(interface: &Interface, better: bool, ears: &Ears) -> InterfaceCheck {
    let (ip, prefix) = match &interface.addr {
        IfAddr::V4(addr) => (IpAddr::V4(addr.ip), addr.prefixlen),
        IfAddr::V6(addr) => (IpAddr::V6(addr.ip), addr.prefixlen),
    };
    let made_up = is_link_local(ip) && (better || ip.is_ipv6());
    let echo = |way| match ip {
        IpAddr::V4(ip) => echo(ip, way, ears),
        IpAddr::V6(_) => None,
    };
    InterfaceCheck {
        name: interface.name.clone(),
        address: format!("{ip}/{prefix}"),
        ignored: surroundings::ignored(interface).or_else(|| made_up.then_some(Ignored::LinkLocal)),
        multicast: echo(Way::Multicast),
        broadcast: echo(Way::Broadcast),
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// A question that came back once counts, though one of four was lost.
fn echo(here: Ipv4Addr, way: Way, ears: &Ears) -> Option<Echo> {
    let ear = ears.get(here, way)?;
    Some(match (ear.echo, ear.refused) {
        (true, _) => Echo::Heard,
        (false, true) => Echo::Refused,
        (false, false) => Echo::Silent,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_addresses_are_tried_and_of_a_peer_that_keeps_to_itself_none_outside() {
        let of = |rest: &str| ["10.0.0.2", "10.0.0.3", "127.0.0.1"].map(|ip| format!("/ip4/{ip}/{rest}")).to_vec();
        let parsed = |of: Vec<String>| of.iter().map(|address| address.parse().unwrap()).collect();
        let known = [parsed(of("tcp/1")), parsed(of("udp/1/quic-v1"))];
        let tried = |loopback_only| to_try(&known, loopback_only).map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(tried(true), [&of("tcp/1")[2..], &of("udp/1/quic-v1")[2..]].concat());
        assert_eq!(tried(false), [&of("tcp/1")[..2], &of("udp/1/quic-v1")[..2]].concat());
    }

    #[test]
    fn an_interface_is_used_or_it_is_said_why_not() {
        let seen = check_all(&if_addrs::get_if_addrs().unwrap(), &Ears::default());
        let lo = seen.iter().find(|one| one.address == "127.0.0.1/8").unwrap();
        assert_eq!((lo.ignored, lo.multicast), (Some(Ignored::Loopback), None), "and where nobody is asked, none");
        assert_eq!(echo(Ipv4Addr::LOCALHOST, Way::Multicast, &Ears::default()), None);
    }
}
