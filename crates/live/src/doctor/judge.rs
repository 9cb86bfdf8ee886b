//! From what was seen to what is the matter: a pure function. It says what follows and what may follow, and `words` says how
//! sure that is. What nobody suffers from is a hint.

use parlor_net::{AddressCheck, DiscoveryCheck, DiscoveryState, Echo, Ignored, NetworkCheck, NetworkState};
use parlor_net::{PeerCheck, Place, Reach};

use super::firewall::{ALL, rules};
use super::{Finding, FindingCode, Firewall, Ports, Severity, words};
use crate::report::skew;

/// Of Parlor's own hello.
const HELLO_PORT: u16 = 4757;
/// Of mDNS.
const MDNS_PORT: u16 = 5353;
/// The network says that nobody has an address only after it asked for it for a while; a firewall says so at once.
const ASKED_FOR_MS: u64 = 1_000;
/// Names of interfaces that lead into a VPN.
const VPN: [&str; 9] = ["tun", "utun", "wg", "tailscale", "zt", "ppp", "ipsec", "nordlynx", "proton"];

/// What is the matter, the worst first. `on`: the firewalls of this computer that are switched on; `mac`: whether its system is
/// macOS, where each program needs leave for the local network.
pub(super) fn judge(seen: &NetworkCheck, on: &[Firewall], mac: bool) -> Vec<Finding> {
    let mut findings = match seen.network {
        NetworkState::Offline => vec![Finding::problem(FindingCode::NoNetwork)],
        NetworkState::Loopback => vec![Finding::hint(FindingCode::LoopbackOnly)],
        NetworkState::Online => View { seen, on, mac }.findings(),
    };
    let links: Vec<_> = seen.peers.iter().filter_map(|peer| peer.link.clone()).collect();
    findings.extend(skew(&links).map(|_| Finding::warning(FindingCode::ClockOff)));
    findings.sort_by_key(|finding| finding.severity);
    findings.into_iter().map(Finding::in_words).collect()
}

/// A peer in a network, as it saw that.
struct View<'a> {
    seen: &'a NetworkCheck,
    on: &'a [Firewall],
    mac: bool,
}

impl View<'_> {
    fn findings(&self) -> Vec<Finding> {
        let walls = self.own_walls();
        let walled = !walls.is_empty();
        let mut findings = [self.unavailable(), walls].concat();
        findings.extend(match is_asked(&self.seen.hello) || is_asked(&self.seen.mdns) {
            false => vec![Finding::hint(FindingCode::DiscoveryOff)],
            true if self.has_met_nobody() => {
                if walled {
                    Vec::new()
                } else {
                    vec![self.alone()]
                }
            }
            true if self.is_filtered() => vec![Finding::warning(FindingCode::MulticastFiltered)],
            true => self.silent(),
        });
        findings.extend(self.firewall_here().filter(|_| !walled));
        // What this system refuses says nothing of the other end.
        let tried = self.outside().filter(|peer| !(self.is_denied() && is_refused_here(peer)));
        findings.extend(tried.filter_map(unreachable));
        findings
    }

    /// The peers on other computers.
    fn outside(&self) -> impl Iterator<Item = &PeerCheck> {
        self.seen.peers.iter().filter(|peer| peer.place != Place::Here)
    }

    fn has_company(&self) -> bool {
        self.outside().any(|peer| peer.link.is_some())
    }

    fn has_met_nobody(&self) -> bool {
        !self.has_company() && heard(&self.seen.hello) == 0 && heard(&self.seen.mdns) == 0
    }

    fn is_filtered(&self) -> bool {
        self.seen.hello.by_broadcast > 0 && self.seen.hello.by_multicast == 0
    }

    /// The ports of this peer that others have to reach.
    fn ports(&self) -> Ports {
        let here = |address: &&String| address.starts_with("/ip4/127.") || address.starts_with("/ip6/::1/");
        let mut ports = ports_of(self.seen.listen.iter().filter(|address| !here(address)));
        ports.udp.extend(is_asked(&self.seen.hello).then_some(HELLO_PORT));
        ports.udp.extend(is_asked(&self.seen.mdns).then_some(MDNS_PORT));
        ports
    }

    fn unavailable(&self) -> Vec<Finding> {
        let ways = [(&self.seen.hello, FindingCode::HelloUnavailable), (&self.seen.mdns, FindingCode::MdnsUnavailable)];
        let taken = ways.into_iter().filter(|(way, _)| way.state == DiscoveryState::Unavailable);
        taken.map(|(_, code)| Finding::warning(code)).collect()
    }

    /// What a computer says to everybody it hears itself, unless something on it is in between.
    fn own_walls(&self) -> Vec<Finding> {
        if self.is_denied() {
            return vec![Finding::new(self.severity(), FindingCode::LocalNetworkDenied)];
        }
        let mut names: Vec<&str> = self.seen.interfaces.iter().map(|one| one.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().filter(|name| self.is_walled(name)).map(|name| self.own_wall(name)).collect()
    }

    fn is_walled(&self, name: &str) -> bool {
        let of = self.seen.interfaces.iter().filter(|one| one.name == name && one.ignored.is_none());
        let echoes: Vec<Echo> = of.filter_map(|one| one.multicast).collect();
        !echoes.is_empty() && !echoes.contains(&Echo::Heard)
    }

    /// Without leave, what goes to others is refused by the system itself, on whatever interface. Not tried on a Mac.
    fn is_denied(&self) -> bool {
        let mut used = self.seen.interfaces.iter().filter_map(|one| one.multicast).peekable();
        self.mac && used.peek().is_some() && used.all(|echo| echo == Echo::Refused)
    }

    /// Of what keeps others out, by whether somebody is here all the same.
    fn severity(&self) -> Severity {
        if self.has_company() { Severity::Warning } else { Severity::Problem }
    }

    fn own_wall(&self, name: &str) -> Finding {
        Finding::new(self.severity(), FindingCode::MulticastBlockedHere).about(name).open(self.ports(), self.on)
    }

    /// Ways that bring nobody, where another does.
    fn silent(&self) -> Vec<Finding> {
        let near = self.outside().any(|peer| peer.place == Place::Network && peer.link.is_some());
        let silent = |name: &str, port: u16| {
            let ports = Ports { udp: vec![port], ..Ports::default() };
            Finding::hint(FindingCode::DiscoverySilent).about(name).open(ports, self.on)
        };
        let mdns = near && is_asked(&self.seen.mdns) && heard(&self.seen.mdns) == 0;
        let hello = near && is_asked(&self.seen.hello) && heard(&self.seen.hello) == 0;
        let mdns = mdns.then(|| silent("mDNS", MDNS_PORT));
        mdns.into_iter().chain(hello.then(|| silent("hello", HELLO_PORT))).collect()
    }

    fn alone(&self) -> Finding {
        let is_vpn = |name: &str| VPN.iter().any(|prefix| name.starts_with(prefix));
        let mut up = self.seen.interfaces.iter().filter(|one| one.ignored != Some(Ignored::Down));
        let absent = |peer: &PeerCheck| peer.addresses.iter().all(|one| one.reach != Reach::Open);
        if self.outside().any(|peer| peer.place == Place::Network && !peer.addresses.is_empty() && absent(peer)) {
            return Finding::warning(FindingCode::GuestIsolation);
        }
        match up.find(|one| is_vpn(&one.name)) {
            Some(vpn) => Finding::warning(FindingCode::VpnUp).about(&vpn.name),
            None => Finding::hint(FindingCode::Alone),
        }
    }

    fn firewall_here(&self) -> Option<Finding> {
        let came_in = |peer: &PeerCheck| peer.link.as_ref().is_some_and(|link| link.direction == "in");
        let told = !self.on.is_empty() && !self.outside().any(came_in);
        told.then(|| Finding::hint(FindingCode::FirewallHere).open(self.ports(), self.on))
    }
}

fn is_asked(way: &DiscoveryCheck) -> bool {
    way.state == DiscoveryState::On
}

fn heard(way: &DiscoveryCheck) -> u32 {
    way.by_multicast.saturating_add(way.by_broadcast)
}

/// Whether nothing was asked of the network before this computer said no.
fn is_refused_here(peer: &PeerCheck) -> bool {
    let at_once = |one: &AddressCheck| one.reach == Reach::Unreachable && one.after_ms < ASKED_FOR_MS;
    peer.link.is_none() && !peer.addresses.is_empty() && peer.addresses.iter().all(at_once)
}

/// What trying a peer says of it; nothing when it can be reached by all that it offers.
fn unreachable(peer: &PeerCheck) -> Option<Finding> {
    if peer.link.as_ref().is_some_and(|link| link.transport == "relay") {
        return Some(Finding::hint(FindingCode::ByRelayOnly).about(&who(peer)));
    }
    let (tcp, quic): (Vec<_>, Vec<_>) = peer.addresses.iter().partition(|one| one.address.contains("/tcp/"));
    let closed = |of: &[&AddressCheck]| !of.is_empty() && of.iter().all(|one| one.reach != Reach::Open);
    let finding = match (closed(&tcp), closed(&quic)) {
        (false, false) => return None,
        (true, false) if !quic.is_empty() => Finding::warning(FindingCode::TcpBlocked).open(ports(&tcp), &ALL),
        (false, true) if !tcp.is_empty() => Finding::hint(FindingCode::QuicBlocked).open(ports(&quic), &ALL),
        _ => not_reached(peer, peer.addresses.first()?),
    };
    Some(finding.about(&who(peer)))
}

/// Of a peer that no address leads to. `best` is the one that was most likely to.
fn not_reached(peer: &PeerCheck, best: &AddressCheck) -> Finding {
    let all = || ports_of(peer.addresses.iter().map(|one| &one.address));
    match best.reach {
        _ if peer.link.is_some() => Finding::warning(FindingCode::OneWay).open(all(), &ALL),
        _ if peer.met => Finding::hint(FindingCode::PeerGone),
        Reach::Refused => Finding::warning(FindingCode::NotListening),
        Reach::Unreachable if best.after_ms >= ASKED_FOR_MS => Finding::problem(FindingCode::PeerAbsent),
        Reach::Unreachable | Reach::Silent | Reach::Open => {
            Finding::problem(FindingCode::PeerBlocked).open(all(), &ALL)
        }
    }
}

/// By their name, or by where they are.
fn who(peer: &PeerCheck) -> String {
    let name = peer.link.as_ref().and_then(|link| link.name.clone());
    name.or_else(|| Some(peer.addresses.first()?.address.clone())).unwrap_or_default()
}

fn ports(checks: &[&AddressCheck]) -> Ports {
    ports_of(checks.iter().map(|one| &one.address))
}

/// The ports in multiaddrs, each once.
fn ports_of<'a>(addresses: impl Iterator<Item = &'a String>) -> Ports {
    let mut ports = Ports::default();
    for address in addresses {
        let mut words = address.split('/').skip(3);
        let (Some(kind), Some(Ok(port))) = (words.next(), words.next().map(str::parse)) else { continue };
        let of = if kind == "tcp" { &mut ports.tcp } else { &mut ports.udp };
        if !of.contains(&port) {
            of.push(port);
        }
    }
    ports
}

impl Finding {
    fn new(severity: Severity, code: FindingCode) -> Self {
        let (what, fix, ports, rules) = (String::new(), String::new(), Ports::default(), Vec::new());
        Finding { code, severity, about: None, what, fix, ports, rules }
    }

    fn problem(code: FindingCode) -> Self {
        Self::new(Severity::Problem, code)
    }

    fn warning(code: FindingCode) -> Self {
        Self::new(Severity::Warning, code)
    }

    fn hint(code: FindingCode) -> Self {
        Self::new(Severity::Hint, code)
    }

    fn about(self, about: &str) -> Self {
        Finding { about: Some(about.to_owned()), ..self }
    }

    /// It wants these open, in one of these firewalls. Which one another computer has, nobody knows.
    fn open(self, ports: Ports, firewalls: &[Firewall]) -> Self {
        Finding { rules: rules(firewalls, &ports), ports, ..self }
    }

    fn in_words(self) -> Self {
        let what = words::what(self.code, self.about.as_deref().unwrap_or_default());
        Finding { what, fix: words::fix(self.code, &self.ports), ..self }
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
