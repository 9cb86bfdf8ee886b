//! "Check my network": what the driver saw, judged. `judge` is a pure function from one to the other, and `firewall` knows
//! which commands open a port where, so that whoever reads a finding is told what to type.

mod firewall;
mod judge;
mod words;

use parlor_core::Error;
use parlor_net::NetworkCheck;
use serde::{Deserialize, Serialize};

use crate::Live;
use crate::diagnostics::DiagnosedFinding;
use crate::held::held;
use firewall::ThisMachine;

/// What is wrong with the network, and what was seen of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NetworkReport {
    /// What follows from the rest, the worst first; nothing when all is well.
    pub findings: Vec<Finding>,
    /// Firewalls that are switched on here, as far as anybody may see that.
    pub firewalls: Vec<Firewall>,
    /// What was seen.
    #[serde(flatten)]
    pub seen: NetworkCheck,
}

impl NetworkReport {
    /// How many findings keep people from meeting.
    #[must_use]
    pub fn problems(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Problem).count()
    }
}

/// Something that a person may want to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Which one it is.
    pub code: FindingCode,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: an interface, a person or an address; `null` for the computer as a whole.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub about: Option<String>,
    /// What is the matter, in one or two sentences.
    pub what: String,
    /// What to do about it.
    pub fix: String,
    /// The ports that it wants open; none where that is not it.
    pub ports: Ports,
    /// Commands that open them, for the firewalls that it may be.
    pub rules: Vec<FirewallRule>,
}

/// Some ports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Ports {
    /// Of TCP.
    pub tcp: Vec<u16>,
    /// Of UDP.
    pub udp: Vec<u16>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Somebody cannot be met.
    Problem,
    /// It works, though not in the way it should.
    Warning,
    /// Good to know.
    Hint,
}

/// What can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FindingCode {
    /// No interface is up on which others can be.
    NoNetwork,
    /// The peer was told to listen on this computer only.
    LoopbackOnly,
    /// The peer was told to look for nobody.
    DiscoveryOff,
    /// The port of Parlor's own hello cannot be had.
    HelloUnavailable,
    /// mDNS cannot be had.
    MdnsUnavailable,
    /// What is multicast on this interface does not even come back.
    MulticastBlockedHere,
    /// macOS keeps the program from the local network.
    LocalNetworkDenied,
    /// Others hear what is broadcast and not what is multicast.
    MulticastFiltered,
    /// One way to find peers brings nobody, though there are some.
    DiscoverySilent,
    /// Nobody is found, and a VPN is up.
    VpnUp,
    /// Nobody is found.
    Alone,
    /// Nobody is found, and those who should be there do not answer.
    GuestIsolation,
    /// A firewall is on, and nobody came in so far.
    FirewallHere,
    /// A peer can be reached by QUIC and not by TCP.
    TcpBlocked,
    /// A peer can be reached by TCP and not by QUIC.
    QuicBlocked,
    /// A peer reached us, and cannot be reached.
    OneWay,
    /// A peer is met through a relay only.
    ByRelayOnly,
    /// A peer that was here does not answer any more.
    PeerGone,
    /// The computer is there, and no Parlor is.
    NotListening,
    /// There is no computer at the address.
    PeerAbsent,
    /// A peer that is there lets nobody in.
    PeerBlocked,
    /// This computer's clock is off.
    ClockOff,
}

/// A program that keeps others out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Firewall {
    /// Of Ubuntu and its relatives.
    Ufw,
    /// Of Fedora and its relatives.
    Firewalld,
    /// Of Windows.
    Windows,
}

/// What to type, as an administrator, to let Parlor through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FirewallRule {
    /// Where.
    pub firewall: Firewall,
    /// One command a line.
    pub commands: Vec<String>,
}

impl Live {
    /// Looks for what keeps people from meeting: asks the network once more who is there, listens for three seconds, tries
    /// the addresses of known peers for up to four, and judges what came of it. A peer that listens on loopback only asks
    /// nobody. Calls that come meanwhile wait for their turn.
    ///
    /// # Errors
    /// `NETWORK_UNAVAILABLE` when the peer was closed.
    ///
    /// ```
    /// # use parlor::{Config, FindingCode, Live};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// let live = Live::start(config).await?;
    /// let report = live.check_network().await?;
    /// for finding in &report.findings {
    ///     println!("{} {}", finding.what, finding.fix);
    /// }
    /// # assert_eq!(report.findings[0].code, FindingCode::LoopbackOnly);
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check_network(&self) -> Result<NetworkReport, Error> {
        let _turn = self.shared.checking.lock().await;
        let seen = self.net().check().await?;
        let firewalls = tokio::task::spawn_blocking(|| firewall::on(&ThisMachine)).await.unwrap_or_default();
        let findings = judge::judge(&seen, &firewalls, cfg!(target_os = "macos"));
        *held(&self.shared.checked) = Some(findings.iter().map(DiagnosedFinding::of).collect());
        Ok(NetworkReport { findings, firewalls, seen })
    }
}
