//! The findings in words: what is the matter, and what to do. The window says the same in its own languages.

use super::{FindingCode, Ports};

/// What is the matter. `about` is what the finding is about, where it is about something.
pub(super) fn what(code: FindingCode, about: &str) -> String {
    match code {
        FindingCode::NoNetwork => "This computer is in no network.".into(),
        FindingCode::LoopbackOnly => {
            "This peer listens on this computer only, so nobody on another can meet it.".into()
        }
        FindingCode::DiscoveryOff => "This peer does not look for others on the network.".into(),
        FindingCode::HelloUnavailable => "Parlor's own hello is off: another program holds its port, UDP 4757.".into(),
        FindingCode::MdnsUnavailable => "mDNS is off: the system does not give it.".into(),
        FindingCode::MulticastBlockedHere => format!(
            "What Parlor says to everybody on {about} does not even come back to this computer. \
             A firewall on it is the likely cause."
        ),
        FindingCode::LocalNetworkDenied => "macOS keeps Parlor from the local network.".into(),
        FindingCode::MulticastFiltered => {
            "Others hear what is broadcast and not what is multicast: something between you filters it. \
             Parlor gets by without; mDNS does not come through."
                .into()
        }
        FindingCode::DiscoverySilent => {
            format!("There are others here, and looking for them by {about} brings nobody.")
        }
        FindingCode::VpnUp => {
            format!("Nobody answers on this network, and a VPN is up, {about}. Many keep the local network out.")
        }
        FindingCode::Alone => "Nobody else answers on this network.".into(),
        FindingCode::GuestIsolation => {
            "Nobody answers on this network, and neither does who should be there. Perhaps it keeps its devices \
             apart, as networks for guests do (client isolation)."
                .into()
        }
        FindingCode::FirewallHere => {
            "A firewall is on here, and nobody has come in so far. Only an administrator can see whether it lets \
             Parlor through."
                .into()
        }
        FindingCode::TcpBlocked => {
            format!("{about} can be reached by QUIC and not by TCP. It works, but a crash shows ten seconds late.")
        }
        FindingCode::QuicBlocked => {
            format!("{about} can be reached by TCP and not by QUIC, which is used only where TCP fails.")
        }
        FindingCode::OneWay => {
            format!("{about} came to you, and you cannot go to them: after an interruption only they can come back.")
        }
        FindingCode::ByRelayOnly => {
            format!("You and {about} meet through a relay: neither can reach the other in another way.")
        }
        FindingCode::PeerGone => format!("{about} was here before and does not answer any more."),
        FindingCode::NotListening => format!("There is a computer at {about}, and no Parlor listens there."),
        FindingCode::PeerAbsent => format!("No computer answers at {about}."),
        FindingCode::PeerBlocked => {
            format!("{about} lets nobody in: neither TCP nor QUIC comes through. A firewall there is the likely cause.")
        }
        FindingCode::ClockOff => {
            "This computer's clock is more than five minutes off those of the others, so times shown are wrong.".into()
        }
    }
}

/// What to do about it. `ports` are those that it wants open.
pub(super) fn fix(code: FindingCode, ports: &Ports) -> String {
    let ports = ports.words();
    match code {
        FindingCode::NoNetwork => "Connect a cable or a Wi-Fi. People on this computer still meet.".into(),
        FindingCode::LoopbackOnly => "Start Parlor without --listen, or with an address of the network.".into(),
        FindingCode::DiscoveryOff => {
            "Add people by address or with a ticket, or start Parlor without --no-multicast, --no-mdns and --no-hello."
                .into()
        }
        FindingCode::HelloUnavailable => {
            "End that program and start Parlor again. Until then mDNS and addresses find people.".into()
        }
        FindingCode::MdnsUnavailable => "Nothing has to be done: Parlor's own hello finds people without it.".into(),
        FindingCode::MulticastBlockedHere => format!("Let {ports} come in on this computer."),
        FindingCode::LocalNetworkDenied => {
            "Open System Settings, Privacy & Security, Local Network, switch Parlor on, and start it again.".into()
        }
        FindingCode::MulticastFiltered => {
            "Nothing has to be done. To repair it, switch off the filtering of multicast (IGMP snooping) at the switch \
             or access point."
                .into()
        }
        FindingCode::DiscoverySilent => {
            format!("Nothing has to be done. To repair it, let {ports} come in at all of you.")
        }
        FindingCode::VpnUp => {
            "Switch the VPN off, or allow the local network in its settings; or add people by address or with a ticket."
                .into()
        }
        FindingCode::Alone => {
            "If somebody is there with Parlor open, their firewall may be closed, or the network keeps its devices \
             apart, as networks for guests do. Add them by address, or let them check their network too."
                .into()
        }
        FindingCode::GuestIsolation => {
            "Use another network, or a cable; or switch the isolation off at the access point. An address does not \
             help against it."
                .into()
        }
        FindingCode::FirewallHere => format!("If others cannot reach you, let {ports} come in."),
        FindingCode::TcpBlocked | FindingCode::QuicBlocked | FindingCode::OneWay | FindingCode::PeerBlocked => {
            format!("Let {ports} come in on that computer.")
        }
        FindingCode::ByRelayOnly => {
            "Nothing has to be done. If you are in one network, it keeps its devices apart, or a firewall is closed; \
             between two networks, a router would have to let you through."
                .into()
        }
        FindingCode::PeerGone => {
            "Most likely Parlor was closed there, or the computer sleeps or left the network.".into()
        }
        FindingCode::NotListening => {
            "Is Parlor open there? It may listen on another port: `parlor status` there says where.".into()
        }
        FindingCode::PeerAbsent => {
            "It may be off or have another address by now, or the network keeps its devices apart, as networks for \
             guests do (client isolation)."
                .into()
        }
        FindingCode::ClockOff => "Set it, or let the system set it.".into(),
    }
}
