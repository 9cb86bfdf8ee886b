//! One row for each thing that can be the matter: what was seen, and what is said of it.

use parlor_net::{InterfaceCheck, PeerInfo, Speaks};

use super::*;
use FindingCode::*;
use Reach::{Open, Refused, Silent, Unreachable};
use Severity::{Hint, Problem, Warning};

const ON: DiscoveryCheck =
    DiscoveryCheck { state: DiscoveryState::On, by_multicast: 1, by_broadcast: 0, last_ms_ago: Some(3) };
const NOBODY: DiscoveryCheck = DiscoveryCheck { by_multicast: 0, last_ms_ago: None, ..ON };

fn eth0(multicast: Echo) -> InterfaceCheck {
    InterfaceCheck {
        name: "eth0".into(),
        address: "10.0.0.1/24".into(),
        ignored: None,
        multicast: Some(multicast),
        broadcast: Some(multicast),
    }
}

/// All is well: somebody is here, found by both ways and reached by both transports.
fn well() -> NetworkCheck {
    let listen = ["/ip4/127.0.0.1/tcp/4747", "/ip4/10.0.0.1/tcp/4747", "/ip4/10.0.0.1/udp/4747/quic-v1"];
    NetworkCheck {
        network: NetworkState::Online,
        listen: listen.map(String::from).into(),
        interfaces: vec![eth0(Echo::Heard)],
        mdns: ON,
        hello: ON,
        peers: vec![otter()],
    }
}

fn otter() -> PeerCheck {
    let link = PeerInfo {
        peer_id: "12D3".into(),
        session_id: "00".into(),
        addresses: Vec::new(),
        direction: "in".into(),
        transport: "tcp".into(),
        rtt_ms: Some(0.4),
        clock_ahead_ms: Some(0),
        version: None,
        speaks: Speaks::Same,
        rooms: Vec::new(),
        source: "mdns".into(),
        name: Some("Quiet Otter".into()),
        watchdog: 0,
    };
    tried(Some(link), [(Open, 1), (Open, 1)])
}

fn tried(link: Option<PeerInfo>, [tcp, quic]: [(Reach, u64); 2]) -> PeerCheck {
    let check =
        |address: &str, (reach, after_ms): (Reach, u64)| AddressCheck { address: address.into(), reach, after_ms };
    let addresses = vec![check("/ip4/10.0.0.2/tcp/4748", tcp), check("/ip4/10.0.0.2/udp/4748/quic-v1", quic)];
    PeerCheck { link, source: "mdns".into(), place: Place::Network, met: false, addresses }
}

fn absent(tcp: (Reach, u64), quic: (Reach, u64)) -> PeerCheck {
    tried(None, [tcp, quic])
}

/// What is said, with what it is about, when this is changed of what is well.
fn said(change: impl FnOnce(&mut NetworkCheck)) -> Vec<(FindingCode, Severity, Option<String>)> {
    let mut seen = well();
    change(&mut seen);
    let findings = judge(&seen, &[], false);
    for finding in &findings {
        assert!(finding.what.ends_with('.') && !finding.fix.is_empty(), "{finding:?}");
    }
    findings.into_iter().map(|finding| (finding.code, finding.severity, finding.about)).collect()
}

fn of(code: FindingCode, severity: Severity, about: &str) -> (FindingCode, Severity, Option<String>) {
    (code, severity, (!about.is_empty()).then(|| about.to_owned()))
}

#[test]
fn where_all_is_well_nothing_is_said() {
    assert_eq!(said(|_| ()), []);
    assert_eq!(said(|seen| seen.hello.by_broadcast = 3), [], "some by this way, some by that");
}

#[test]
fn who_is_met_through_a_relay_is_not_called_unreachable() {
    let by_relay = |seen: &mut NetworkCheck| {
        let mut peer = tried(otter().link, [(Unreachable, 3), (Unreachable, 3)]);
        peer.place = Place::Beyond;
        peer.link.iter_mut().for_each(|link| link.transport = "relay".into());
        seen.peers.push(peer);
    };
    assert_eq!(said(by_relay), [of(ByRelayOnly, Hint, "Quiet Otter")]);
}

#[test]
fn the_network_of_this_computer() {
    assert_eq!(
        said(
            |seen| (seen.network, seen.peers) = (NetworkState::Offline, vec![absent((Silent, 4_000), (Silent, 4_000))])
        ),
        [of(NoNetwork, Problem, "")]
    );
    assert_eq!(said(|seen| seen.network = NetworkState::Loopback), [of(LoopbackOnly, Hint, "")]);
    let off = DiscoveryCheck { state: DiscoveryState::Off, ..NOBODY };
    assert_eq!(said(|seen| (seen.mdns, seen.hello) = (off, off)), [of(DiscoveryOff, Hint, "")]);
    let unavailable = DiscoveryCheck { state: DiscoveryState::Unavailable, ..NOBODY };
    assert_eq!(said(|seen| seen.hello = unavailable), [of(HelloUnavailable, Warning, "")]);
    assert_eq!(said(|seen| seen.mdns = unavailable), [of(MdnsUnavailable, Warning, "")]);
}

#[test]
fn multicast_that_does_not_come_back() {
    let alone = |echo: Echo| {
        said(|seen| (seen.interfaces, seen.mdns, seen.hello, seen.peers) = (vec![eth0(echo)], NOBODY, NOBODY, vec![]))
    };
    assert_eq!(alone(Echo::Silent), [of(MulticastBlockedHere, Problem, "eth0")]);
    assert_eq!(alone(Echo::Refused), [of(MulticastBlockedHere, Problem, "eth0")]);
    assert_eq!(said(|seen| seen.interfaces = vec![eth0(Echo::Silent)]), [of(MulticastBlockedHere, Warning, "eth0")]);
    let second = InterfaceCheck { address: "10.0.0.9/24".into(), ..eth0(Echo::Silent) };
    assert_eq!(said(|seen| seen.interfaces.push(second)), [], "another address of the same interface");
}

// L4
#[test]
fn a_program_that_macos_keeps_from_the_local_network() {
    let codes = |echoes: &[Echo], mac: bool| {
        let mut seen = well();
        (seen.interfaces, seen.peers) = (echoes.iter().copied().map(eth0).collect(), Vec::new());
        (seen.mdns, seen.hello) = (NOBODY, NOBODY);
        judge(&seen, &[], mac).iter().map(|finding| (finding.code, finding.severity)).collect::<Vec<_>>()
    };
    assert_eq!(codes(&[Echo::Refused, Echo::Refused], true), [(LocalNetworkDenied, Problem)]);
    assert_eq!(codes(&[Echo::Refused], false), [(MulticastBlockedHere, Problem)], "other systems ask for no leave");
    assert_eq!(codes(&[Echo::Silent], true), [(MulticastBlockedHere, Problem)], "it was sent");
    assert_eq!(codes(&[Echo::Refused, Echo::Heard], true), [(Alone, Hint)], "leave is for all interfaces");
    assert_eq!(codes(&[], true), [(Alone, Hint)], "nothing was tried");
    let with = |peer: PeerCheck, mac: bool| {
        let mut seen = well();
        (seen.interfaces, seen.mdns, seen.hello) = (vec![eth0(Echo::Refused)], NOBODY, NOBODY);
        seen.peers = vec![peer];
        judge(&seen, &[], mac).iter().map(|finding| finding.code).collect::<Vec<_>>()
    };
    let at_once = || absent((Unreachable, 2), (Unreachable, 2));
    assert_eq!(with(at_once(), true), [LocalNetworkDenied], "nobody else's firewall is blamed");
    assert_eq!(with(at_once(), false), [MulticastBlockedHere, PeerBlocked]);
    assert_eq!(with(absent((Refused, 2), (Unreachable, 2)), true), [LocalNetworkDenied, NotListening], "one answered");
    let mut seen = well();
    seen.interfaces = vec![eth0(Echo::Refused)];
    assert_eq!(judge(&seen, &[], true)[0].severity, Warning, "who was asked by name is here all the same");
    assert!(judge(&seen, &[], true)[0].fix.contains("Local Network"));
}

#[test]
fn multicast_that_nobody_hears() {
    let broadcast = DiscoveryCheck { by_multicast: 0, by_broadcast: 1, ..ON };
    assert_eq!(said(|seen| (seen.hello, seen.mdns) = (broadcast, NOBODY)), [of(MulticastFiltered, Warning, "")]);
    assert_eq!(said(|seen| seen.mdns = NOBODY), [of(DiscoverySilent, Hint, "mDNS")]);
    assert_eq!(said(|seen| seen.hello = NOBODY), [of(DiscoverySilent, Hint, "hello")]);
}

#[test]
fn nobody_found() {
    let alone = |peers: Vec<PeerCheck>, interface: &str| {
        let other = InterfaceCheck {
            name: interface.into(),
            multicast: None,
            ignored: Some(Ignored::Virtual),
            ..eth0(Echo::Heard)
        };
        said(|seen| {
            (seen.mdns, seen.hello, seen.peers) = (NOBODY, NOBODY, peers);
            seen.interfaces.push(other);
        })
    };
    let here = PeerCheck { place: Place::Here, ..otter() };
    assert_eq!(alone(vec![], "docker0"), [of(Alone, Hint, "")]);
    assert_eq!(alone(vec![here], "docker0"), [of(Alone, Hint, "")], "another window of this computer is nobody");
    assert_eq!(alone(vec![], "wg0"), [of(VpnUp, Warning, "wg0")]);
    let absent = absent((Unreachable, 3_070), (Unreachable, 3_070));
    assert_eq!(
        alone(vec![absent], "wg0"),
        [of(PeerAbsent, Problem, "/ip4/10.0.0.2/tcp/4748"), of(GuestIsolation, Warning, "")]
    );
}

#[test]
fn peers_that_cannot_be_reached() {
    let with = |peer: PeerCheck| said(|seen| seen.peers.push(peer));
    let at = "/ip4/10.0.0.2/tcp/4748";
    assert_eq!(with(absent((Silent, 4_000), (Silent, 4_000))), [of(PeerBlocked, Problem, at)]);
    assert_eq!(
        with(absent((Unreachable, 2), (Silent, 4_000))),
        [of(PeerBlocked, Problem, at)],
        "sent back by a firewall"
    );
    assert_eq!(with(absent((Unreachable, 3_070), (Silent, 4_000))), [of(PeerAbsent, Problem, at)]);
    assert_eq!(with(absent((Refused, 1), (Refused, 1))), [of(NotListening, Warning, at)]);
    assert_eq!(with(absent((Silent, 4_000), (Open, 1))), [of(TcpBlocked, Warning, at)]);
    assert_eq!(with(absent((Open, 1), (Silent, 4_000))), [of(QuicBlocked, Hint, at)]);
    assert_eq!(with(absent((Open, 1), (Open, 1))), []);
    assert_eq!(with(PeerCheck { met: true, ..absent((Silent, 4_000), (Silent, 4_000)) }), [of(PeerGone, Hint, at)]);
    assert_eq!(with(PeerCheck { place: Place::Here, ..absent((Refused, 1), (Refused, 1)) }), []);
    let one_way = tried(otter().link, [(Silent, 4_000), (Silent, 4_000)]);
    assert_eq!(with(one_way), [of(OneWay, Warning, "Quiet Otter")]);
    let tcp_only =
        PeerCheck { addresses: absent((Open, 1), (Open, 1)).addresses[..1].into(), ..absent((Open, 1), (Open, 1)) };
    assert_eq!(with(tcp_only), [], "it offers nothing else");
}

#[test]
fn a_clock_that_is_off() {
    let off = |seen: &mut NetworkCheck| seen.peers[0].link.as_mut().unwrap().clock_ahead_ms = Some(720_000);
    assert_eq!(said(off), [of(ClockOff, Warning, "")]);
}

#[test]
fn who_has_a_firewall_is_told_what_to_type_in_it() {
    let mut seen = well();
    (seen.interfaces, seen.peers) = (vec![eth0(Echo::Silent)], Vec::new());
    let finding = judge(&seen, &[Firewall::Ufw], false).remove(0);
    assert_eq!(finding.rules.len(), 1, "of the one that is on");
    let ports = ["4747/tcp", "4747/udp", "4757/udp", "5353/udp"];
    assert_eq!(finding.rules[0].commands, ports.map(|port| format!("sudo ufw allow {port}")));
    assert!(finding.fix.contains("TCP port 4747 and UDP ports 4747, 4757, 5353"), "{}", finding.fix);

    let mut seen = well();
    assert_eq!(judge(&seen, &[Firewall::Ufw], false), [], "somebody came in");
    seen.peers[0].link.as_mut().unwrap().direction = "out".into();
    assert_eq!(judge(&seen, &[Firewall::Firewalld], false)[0].code, FirewallHere);

    // Another computer's may be any.
    seen.peers = vec![absent((Silent, 4_000), (Silent, 4_000))];
    let finding = judge(&seen, &[], false).remove(0);
    assert_eq!(finding.rules.iter().map(|rule| rule.firewall).collect::<Vec<_>>(), ALL);
    assert_eq!(finding.rules[0].commands, ["sudo ufw allow 4748/tcp", "sudo ufw allow 4748/udp"]);
}
