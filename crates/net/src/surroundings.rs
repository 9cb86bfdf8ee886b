//! What the computer says about itself: its interfaces, and the peers of other profiles. Both are read about once a
//! second, and at once when the system tells of a change ([`news`]), off the actor's task because they block.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use if_addrs::{IfAddr, Interface};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::mpsc;

use crate::address::{self, Subnet};
use crate::check::Ignored;
use crate::info::NetworkState;
use crate::neighbours::{self, Neighbour};
use crate::news;

const EVERY: Duration = Duration::from_secs(1);

/// One look around.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    pub interfaces: Interfaces,
    pub neighbours: Vec<Neighbour>,
}

/// The interfaces that are up, loopback aside: that one is up with no network at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interfaces {
    pub subnets: Vec<Subnet>,
}

impl Interfaces {
    pub(crate) fn read() -> std::io::Result<Self> {
        Ok(Self::of(&if_addrs::get_if_addrs()?))
    }

    fn of(interfaces: &[Interface]) -> Self {
        let outside = |interface: &&Interface| !matches!(ignored(interface), Some(Ignored::Down | Ignored::Loopback));
        let mut subnets: Vec<Subnet> = interfaces.iter().filter(outside).map(subnet).collect();
        subnets.sort();
        subnets.dedup();
        Interfaces { subnets }
    }

    /// Whether others can be reached: an interface that is up, has an address and is not for containers only. An IPv6
    /// link-local address alone is what every interface has and says nothing.
    pub(crate) fn usable(&self) -> bool {
        self.subnets.iter().any(|subnet| !subnet.private && !link_local(subnet.ip))
    }

    /// Whether anything outside this computer can be dialled at all, be it by a private network only.
    pub(crate) fn any(&self) -> bool {
        self.subnets.iter().any(|subnet| !link_local(subnet.ip))
    }

    pub(crate) fn state(&self) -> NetworkState {
        if self.usable() { NetworkState::Online } else { NetworkState::Offline }
    }
}

/// The networks that this computer was in when it last was in any. A link over an address that is gone is dead, though
/// nothing says so: its packets go nowhere, and the other end knows only by their silence.
#[derive(Debug, Default)]
pub(crate) struct Homes(Vec<Subnet>);

/// What is different since.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    gone: Vec<Subnet>,
    kept: Vec<Subnet>,
}

impl Homes {
    /// To be told of every change. While there is no network at all nothing has moved: a cable that is put back is where
    /// it was.
    pub(crate) fn moved(&mut self, now: &Interfaces) -> Moved {
        if !now.usable() {
            return Moved::default();
        }
        let before = std::mem::replace(&mut self.0, now.subnets.clone());
        let (kept, gone) = before.into_iter().partition(|subnet| now.subnets.contains(subnet));
        Moved { gone, kept }
    }
}

impl Moved {
    /// Whether the way to somebody there was over an address that is gone.
    pub(crate) fn took(&self, to: &Multiaddr) -> bool {
        let ip = address::endpoint(to).map(|parts| parts.ip);
        let among = |subnets: &[Subnet]| ip.is_some_and(|ip| subnets.iter().any(|subnet| subnet.holds(ip)));
        among(&self.gone) && !among(&self.kept)
    }
}

fn link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

fn subnet(interface: &Interface) -> Subnet {
    let (ip, prefix) = match &interface.addr {
        IfAddr::V4(addr) => (addr.ip.into(), addr.prefixlen),
        IfAddr::V6(addr) => (addr.ip.into(), addr.prefixlen),
    };
    Subnet { ip, prefix, private: is_private(&interface.name) }
}

/// Why nobody is looked for there, whatever else there is.
pub(crate) fn ignored(interface: &Interface) -> Option<Ignored> {
    match interface {
        _ if interface.is_loopback() => Some(Ignored::Loopback),
        _ if !interface.is_oper_up() => Some(Ignored::Down),
        _ if is_private(&interface.name) => Some(Ignored::Virtual),
        _ => None,
    }
}

/// Names of bridges for containers and virtual machines, and of overlay networks: being in one is no sign of a local
/// network. `veth` and `tap` are not among them, for inside a container or a test they are the network.
fn is_private(name: &str) -> bool {
    const PREFIXES: [&str; 14] = [
        "docker",
        "br-",
        "virbr",
        "vmnet",
        "vboxnet",
        "podman",
        "cni",
        "lxc",
        "lxd",
        "utun",
        "tailscale",
        "wg",
        "zt",
        "vEthernet",
    ];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Looks around until nobody listens any more.
pub(crate) fn watch(data_dir: Option<PathBuf>, me: PeerId) -> mpsc::Receiver<Surroundings> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut interfaces = Interfaces::default();
        let mut news = news::listen();
        let mut every = tokio::time::interval(EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = every.tick() => {}
                Some(()) = news.recv() => {}
            }
            let (dir, before) = (data_dir.clone(), interfaces.clone());
            let look = tokio::task::spawn_blocking(move || Surroundings {
                interfaces: Interfaces::read().unwrap_or(before),
                neighbours: dir.map(|dir| neighbours::read(&dir, &me)).unwrap_or_default(),
            });
            let Ok(seen) = look.await else { return };
            interfaces = seen.interfaces.clone();
            if sender.send(seen).await.is_err() {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interfaces(of: &[(&str, bool)]) -> Interfaces {
        let subnet = |(ip, private): &(&str, bool)| Subnet { ip: ip.parse().unwrap(), prefix: 24, private: *private };
        Interfaces { subnets: of.iter().map(subnet).collect() }
    }

    #[test]
    fn containers_and_bare_link_local_addresses_are_no_network() {
        assert!(interfaces(&[("192.168.1.2", false)]).usable());
        assert!(interfaces(&[("169.254.1.2", false)]).usable(), "a cable between two computers");
        let private = interfaces(&[("172.17.0.1", true), ("fe80::1", false)]);
        assert!(!private.usable() && private.any());
        assert!(!interfaces(&[("fe80::1", false)]).any());
        assert_eq!(interfaces(&[("10.0.0.2", false)]).state(), NetworkState::Online);
        assert_eq!(Interfaces::default().state(), NetworkState::Offline);
    }

    /// Report N30.
    #[test]
    fn a_link_goes_with_the_address_that_it_was_over_and_no_other_does() {
        let took = |moved: &Moved, ip: &str| moved.took(&format!("/ip4/{ip}/tcp/4747").parse().unwrap());
        let both = interfaces(&[("192.168.1.2", false), ("10.0.0.2", false)]);
        let mut homes = Homes::default();
        assert!(!took(&homes.moved(&both), "10.0.0.9"), "nothing was before");
        // No network for a moment, then all as it was.
        homes.moved(&Interfaces::default());
        assert!(!took(&homes.moved(&both), "10.0.0.9"));
        homes.moved(&Interfaces::default());
        let moved = homes.moved(&interfaces(&[("192.168.1.2", false), ("10.0.0.77", false)]));
        assert!(took(&moved, "10.0.0.9") && !took(&moved, "192.168.1.9") && !took(&moved, "172.16.0.9"));
        // Two addresses in one network: the way may be the one that is left.
        let mut homes = Homes(interfaces(&[("10.0.0.2", false), ("10.0.0.3", false)]).subnets);
        assert!(!took(&homes.moved(&interfaces(&[("10.0.0.3", false)])), "10.0.0.9"));
    }

    #[test]
    fn bridges_are_known_by_name() {
        assert!(is_private("docker0") && is_private("br-1a2b") && is_private("virbr0"));
        assert!(!is_private("eth0") && !is_private("wlp3s0") && !is_private("br0") && !is_private("veth12"));
    }
}
